-- +goose Up
-- The feed of each tenant: what happened, in ids and names, without values. Triggers add an event in the statement that
-- makes the change, so that no way to make it can miss one.
--
-- seq is the order in which events were added. Of two events about one customer, the later one was added after the
-- transaction of the earlier one was committed, or by that transaction, because both change the same locked rows. But a
-- transaction can commit after another one with a higher seq, so a reader that goes by seq would skip its events. So a
-- reader first publishes what it sees: it numbers the events without a position in the order of seq, holding the row of
-- event_heads. Positions are committed one after the other, and are the order of the feed for all readers.
CREATE TABLE events (
    seq               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id         uuid NOT NULL, -- no foreign key: it would be checked for each event of an import
    position          bigint,        -- 1, 2, 3 … in the feed of the tenant; NULL: not published
    type              text NOT NULL CHECK (type IN (
        'value.changed', 'value.pending', 'value.verified', 'value.expired', 'value.orphaned', 'value.deleted',
        'asset.changed', 'asset.deleted', 'consent.changed', 'question.opened', 'question.settled', 'review.opened',
        'review.settled', 'fill.done', 'operation.failed', 'customer.merged', 'customer.unmerged', 'customer.deleted',
        'customer.erased'
    )),
    at                timestamptz NOT NULL DEFAULT clock_timestamp(),
    customer_id       uuid,
    other_customer_id uuid, -- of a merge, or a proposal of one: the customer into whom customer_id was merged
    agent_id          uuid,
    subject_id        uuid, -- the item, question, gap fill or operation; of a review: what is reviewed
    operation_id      uuid,
    kind              text NOT NULL DEFAULT '', -- of a question or a review
    name              text NOT NULL DEFAULT '', -- of the field, the purpose or the workflow
    status            text NOT NULL DEFAULT ''  -- the outcome; of operation.failed: the code of the error
);
CREATE UNIQUE INDEX events_position ON events (tenant_id, position) WHERE position IS NOT NULL;
CREATE INDEX events_unpublished ON events (tenant_id, seq) WHERE position IS NULL;
CREATE INDEX events_customer ON events (tenant_id, customer_id, position) WHERE customer_id IS NOT NULL;
CREATE INDEX events_other_customer ON events (tenant_id, other_customer_id, position) WHERE other_customer_id IS NOT NULL;
CREATE INDEX events_at ON events (tenant_id, at); -- purge-operations

-- The positions of the feed of each tenant.
CREATE TABLE event_heads (
    tenant_id uuid PRIMARY KEY,
    last      bigint NOT NULL DEFAULT 0, -- the last position that was given
    purged_to bigint NOT NULL DEFAULT 0  -- events up to this position may have been removed: cursors below it expired
);

-- Tells of new versions of values, once for all rows of a statement. The subqueries find each row by its id, whatever
-- the statistics say.
-- +goose StatementBegin
CREATE FUNCTION tell_new_values() RETURNS trigger
    LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO events (tenant_id, type, customer_id, agent_id, subject_id, operation_id, kind, name)
    SELECT
        n.tenant_id, told.type,
        (SELECT p.customer_id FROM customer_profiles p WHERE p.id = n.profile_id),
        (SELECT d.agent_id FROM definitions d WHERE d.id = n.definition_id),
        n.id, n.operation_id, told.kind, n.name
    FROM added n
    CROSS JOIN LATERAL (
        SELECT 'value.changed' AS type, '' AS kind, 1 AS place
        WHERE n.status = 'active'
        UNION ALL
        SELECT 'value.pending', '', 1
        WHERE n.status = 'pending'
        UNION ALL
        SELECT 'review.opened', 'value', 2
        WHERE n.status = 'pending' AND value_waits(n.status, NULL, n.deleted_at, n.definition_id)
    ) told
    WHERE n.deleted_at IS NULL
    ORDER BY n.accepted_at, n.operation_id, told.place;
    RETURN NULL;
END
$$;
-- +goose StatementEnd

-- Reports whether a version of a value waits for a person: it is pending, unless its definition keeps such versions
-- without a decision, or somebody proposed to delete it.
CREATE FUNCTION value_waits(status text, deletion_proposed_at timestamptz, deleted_at timestamptz, definition_id uuid)
    RETURNS boolean
    LANGUAGE sql
    STABLE
AS $$
    SELECT $3 IS NULL AND (
        $2 IS NOT NULL
        OR $1 = 'pending' AND coalesce((SELECT d.on_conflict FROM definitions d WHERE d.id = $4), '') <> 'keep'
    )
$$;

CREATE TRIGGER values_added AFTER INSERT ON customer_values
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION tell_new_values();

-- +goose StatementBegin
CREATE FUNCTION tell_changed_value() RETURNS trigger
    LANGUAGE plpgsql
AS $$
DECLARE
    gone    boolean := TG_OP = 'DELETE';
    now_row customer_values := CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
    types   text[] := '{}';
    waited  boolean := value_waits(OLD.status, OLD.deletion_proposed_at, OLD.deleted_at, OLD.definition_id);
    waits   boolean;
BEGIN
    IF gone OR OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL THEN
        types := '{value.deleted}';
        waits := false;
    ELSE
        waits := value_waits(NEW.status, NEW.deletion_proposed_at, NEW.deleted_at, NEW.definition_id);
        IF NEW.deleted_at IS NULL AND (OLD.status <> NEW.status OR OLD.deleted_at IS NOT NULL) THEN
            types := CASE
                WHEN NEW.status = 'active' THEN ARRAY ['value.changed']
                WHEN NEW.status = 'pending' THEN ARRAY ['value.pending']
                WHEN NEW.status IN ('expired', 'orphaned') AND OLD.status IN ('active', 'pending')
                    THEN ARRAY ['value.' || NEW.status]
                ELSE types
            END;
        END IF;
        IF NEW.deleted_at IS NULL AND NEW.verified AND NOT OLD.verified THEN
            types := types || 'value.verified'::text;
        END IF;
    END IF;
    IF waits <> waited THEN
        types := types || CASE WHEN waits THEN 'review.opened' ELSE 'review.settled' END::text;
    END IF;
    INSERT INTO events (tenant_id, type, customer_id, agent_id, subject_id, kind, name, status)
    SELECT
        now_row.tenant_id, told.type,
        (SELECT p.customer_id FROM customer_profiles p WHERE p.id = now_row.profile_id),
        (SELECT d.agent_id FROM definitions d WHERE d.id = now_row.definition_id),
        now_row.id, CASE WHEN told.type LIKE 'review.%' THEN 'value' ELSE '' END, now_row.name,
        CASE
            WHEN told.type <> 'review.settled' THEN ''
            WHEN gone OR now_row.deleted_at IS NOT NULL THEN 'deleted'
            ELSE now_row.status
        END
    FROM unnest(types) WITH ORDINALITY AS told (type, place)
    ORDER BY told.place;
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER values_changed AFTER UPDATE ON customer_values
    FOR EACH ROW WHEN (
        OLD.status <> NEW.status AND NEW.status <> 'superseded'
        OR OLD.status = 'pending' AND NEW.status <> 'pending'
        OR OLD.deleted_at IS DISTINCT FROM NEW.deleted_at
        OR OLD.deletion_proposed_at IS DISTINCT FROM NEW.deletion_proposed_at
        OR OLD.verified <> NEW.verified
    ) EXECUTE FUNCTION tell_changed_value();
CREATE TRIGGER values_removed AFTER DELETE ON customer_values
    FOR EACH ROW WHEN (OLD.deleted_at IS NULL AND OLD.status IN ('active', 'pending'))
    EXECUTE FUNCTION tell_changed_value();

-- The other tables tell of one row at a time: the function has the name of the event, and the trigger its condition.
-- +goose StatementBegin
CREATE FUNCTION tell_asset() RETURNS trigger
    LANGUAGE plpgsql
AS $$
DECLARE
    asset customer_assets := CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
BEGIN
    INSERT INTO events (tenant_id, type, customer_id, subject_id, operation_id, name)
    VALUES (
        asset.tenant_id, TG_ARGV[0], (SELECT p.customer_id FROM customer_profiles p WHERE p.id = asset.profile_id),
        asset.id, CASE WHEN TG_OP = 'INSERT' THEN asset.operation_id END, asset.name
    );
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER assets_added AFTER INSERT ON customer_assets
    FOR EACH ROW WHEN (NEW.status = 'active' AND NEW.deleted_at IS NULL) EXECUTE FUNCTION tell_asset('asset.changed');
CREATE TRIGGER assets_changed AFTER UPDATE ON customer_assets
    FOR EACH ROW WHEN (
        NEW.status = 'active' AND NEW.deleted_at IS NULL AND (OLD.status <> 'active' OR OLD.deleted_at IS NOT NULL)
    ) EXECUTE FUNCTION tell_asset('asset.changed');
CREATE TRIGGER assets_deleted AFTER UPDATE OF deleted_at ON customer_assets
    FOR EACH ROW WHEN (OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL) EXECUTE FUNCTION tell_asset('asset.deleted');
CREATE TRIGGER assets_removed AFTER DELETE ON customer_assets
    FOR EACH ROW WHEN (OLD.deleted_at IS NULL AND OLD.status = 'active') EXECUTE FUNCTION tell_asset('asset.deleted');

-- +goose StatementBegin
CREATE FUNCTION tell_consent() RETURNS trigger
    LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO events (tenant_id, type, customer_id, operation_id, name, status)
    VALUES (
        NEW.tenant_id, 'consent.changed', (SELECT p.customer_id FROM customer_profiles p WHERE p.id = NEW.profile_id),
        NEW.operation_id, NEW.purpose, CASE WHEN NEW.granted THEN 'granted' ELSE 'withdrawn' END
    );
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER consents_added AFTER INSERT ON consents
    FOR EACH ROW EXECUTE FUNCTION tell_consent();

-- +goose StatementBegin
CREATE FUNCTION tell_question() RETURNS trigger
    LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO events (tenant_id, type, customer_id, agent_id, subject_id, operation_id, kind, name, status)
    VALUES (
        NEW.tenant_id, TG_ARGV[0], NEW.customer_id, NEW.agent_id, NEW.id,
        CASE WHEN TG_OP = 'INSERT' THEN NEW.fill_id ELSE NEW.answer_operation_id END, NEW.kind, NEW.field_name,
        CASE WHEN TG_OP = 'INSERT' THEN '' ELSE NEW.status END
    );
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER questions_opened AFTER INSERT ON questions
    FOR EACH ROW WHEN (NEW.status = 'open') EXECUTE FUNCTION tell_question('question.opened');
CREATE TRIGGER questions_settled AFTER UPDATE OF status ON questions
    FOR EACH ROW WHEN (OLD.status = 'open' AND NEW.status <> 'open') EXECUTE FUNCTION tell_question('question.settled');

-- Definitions and requirements that wait for a review. The name of a requirement is that of its field.
-- +goose StatementBegin
CREATE FUNCTION tell_review() RETURNS trigger
    LANGUAGE plpgsql
AS $$
DECLARE
    reviewed jsonb := to_jsonb(NEW);
BEGIN
    INSERT INTO events (tenant_id, type, agent_id, subject_id, operation_id, kind, name, status)
    VALUES (
        NEW.tenant_id, TG_ARGV[0], NEW.agent_id, NEW.id, NEW.operation_id, TG_ARGV[1],
        coalesce(reviewed ->> 'field_name', reviewed ->> 'name'),
        CASE
            WHEN TG_ARGV[0] = 'review.opened' THEN ''
            WHEN NEW.deleted_at IS NOT NULL THEN 'deleted'
            ELSE NEW.review_state
        END
    );
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER definitions_to_review AFTER INSERT ON definitions
    FOR EACH ROW WHEN (NEW.review_state = 'pending' AND NEW.deleted_at IS NULL)
    EXECUTE FUNCTION tell_review('review.opened', 'definition');
CREATE TRIGGER definitions_to_review_again AFTER UPDATE ON definitions
    FOR EACH ROW WHEN (
        NEW.review_state = 'pending' AND NEW.deleted_at IS NULL
        AND (OLD.review_state <> 'pending' OR OLD.deleted_at IS NOT NULL)
    ) EXECUTE FUNCTION tell_review('review.opened', 'definition');
CREATE TRIGGER definitions_reviewed AFTER UPDATE ON definitions
    FOR EACH ROW WHEN (
        OLD.review_state = 'pending' AND OLD.deleted_at IS NULL
        AND (NEW.review_state <> 'pending' OR NEW.deleted_at IS NOT NULL)
    ) EXECUTE FUNCTION tell_review('review.settled', 'definition');
CREATE TRIGGER requirements_to_review AFTER INSERT ON requirements
    FOR EACH ROW WHEN (NEW.review_state = 'pending' AND NEW.deleted_at IS NULL)
    EXECUTE FUNCTION tell_review('review.opened', 'requirement');
CREATE TRIGGER requirements_to_review_again AFTER UPDATE ON requirements
    FOR EACH ROW WHEN (
        NEW.review_state = 'pending' AND NEW.deleted_at IS NULL
        AND (OLD.review_state <> 'pending' OR OLD.deleted_at IS NOT NULL)
    ) EXECUTE FUNCTION tell_review('review.opened', 'requirement');
CREATE TRIGGER requirements_reviewed AFTER UPDATE ON requirements
    FOR EACH ROW WHEN (
        OLD.review_state = 'pending' AND OLD.deleted_at IS NULL
        AND (NEW.review_state <> 'pending' OR NEW.deleted_at IS NOT NULL)
    ) EXECUTE FUNCTION tell_review('review.settled', 'requirement');

-- +goose StatementBegin
CREATE FUNCTION tell_fill() RETURNS trigger
    LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO events (tenant_id, type, customer_id, agent_id, subject_id, operation_id, status)
    VALUES (
        NEW.tenant_id, 'fill.done', NEW.customer_id,
        (SELECT s.agent_id FROM scenarios s WHERE s.tenant_id = NEW.tenant_id AND s.id = NEW.scenario_id),
        NEW.operation_id, NEW.operation_id, CASE WHEN NEW.cancelled_at IS NULL THEN 'ended' ELSE 'cancelled' END
    );
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER gap_fills_ended AFTER UPDATE OF ended_at ON gap_fills
    FOR EACH ROW WHEN (OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL) EXECUTE FUNCTION tell_fill();

-- The subject of an operation is a customer, or an item, a question or a session of one.
-- +goose StatementBegin
CREATE FUNCTION tell_failure() RETURNS trigger
    LANGUAGE plpgsql
AS $$
DECLARE
    subject  uuid;
    customer uuid;
BEGIN
    IF NEW.subject_id ~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' THEN
        subject := NEW.subject_id::uuid;
        SELECT coalesce(
            (SELECT c.customer_id FROM customer_profiles c WHERE c.tenant_id = NEW.tenant_id AND c.customer_id = subject),
            (
                SELECT p.customer_id
                FROM customer_values v
                JOIN customer_profiles p ON p.id = v.profile_id
                WHERE v.tenant_id = NEW.tenant_id AND v.id = subject
            ),
            (
                SELECT p.customer_id
                FROM customer_assets a
                JOIN customer_profiles p ON p.id = a.profile_id
                WHERE a.tenant_id = NEW.tenant_id AND a.id = subject
            ),
            (SELECT q.customer_id FROM questions q WHERE q.tenant_id = NEW.tenant_id AND q.id = subject),
            (SELECT s.customer_id FROM sessions s WHERE s.tenant_id = NEW.tenant_id AND s.id = subject)
        ) INTO customer;
    END IF;
    INSERT INTO events (tenant_id, type, customer_id, subject_id, operation_id, name, status)
    VALUES (
        NEW.tenant_id, 'operation.failed', customer, NEW.id, NEW.id, NEW.workflow, coalesce(NEW.error ->> 'code', '')
    );
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER operations_failed AFTER UPDATE OF status ON operations
    FOR EACH ROW WHEN (NEW.status = 'failed' AND OLD.status <> 'failed') EXECUTE FUNCTION tell_failure();

-- +goose StatementBegin
CREATE FUNCTION tell_merge() RETURNS trigger
    LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO events (tenant_id, type, customer_id, other_customer_id, operation_id)
    VALUES (
        NEW.tenant_id, TG_ARGV[0],
        (SELECT p.customer_id FROM customer_profiles p WHERE p.id = NEW.source_profile_id),
        (SELECT p.customer_id FROM customer_profiles p WHERE p.id = NEW.target_profile_id),
        CASE WHEN TG_OP = 'INSERT' THEN NEW.operation_id END
    );
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER customers_merged AFTER INSERT ON customer_merges
    FOR EACH ROW EXECUTE FUNCTION tell_merge('customer.merged');
CREATE TRIGGER customers_unmerged AFTER UPDATE OF undone_at ON customer_merges
    FOR EACH ROW WHEN (OLD.undone_at IS NULL AND NEW.undone_at IS NOT NULL)
    EXECUTE FUNCTION tell_merge('customer.unmerged');

-- A proposed merge: the older customer is the one who remains unless the decision says otherwise.
-- +goose StatementBegin
CREATE FUNCTION tell_merge_proposal() RETURNS trigger
    LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO events (tenant_id, type, customer_id, other_customer_id, subject_id, operation_id, kind, name, status)
    VALUES (
        NEW.tenant_id, TG_ARGV[0],
        (SELECT p.customer_id FROM customer_profiles p WHERE p.id = NEW.newer_profile_id),
        (SELECT p.customer_id FROM customer_profiles p WHERE p.id = NEW.older_profile_id),
        NEW.id, NEW.operation_id, 'merge', array_to_string(NEW.fields, ','),
        CASE WHEN TG_ARGV[0] = 'review.opened' THEN '' ELSE NEW.status END
    );
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER merges_proposed AFTER INSERT ON merge_proposals
    FOR EACH ROW WHEN (NEW.status = 'pending') EXECUTE FUNCTION tell_merge_proposal('review.opened');
CREATE TRIGGER merges_proposed_again AFTER UPDATE OF status ON merge_proposals
    FOR EACH ROW WHEN (OLD.status <> 'pending' AND NEW.status = 'pending')
    EXECUTE FUNCTION tell_merge_proposal('review.opened');
CREATE TRIGGER merges_settled AFTER UPDATE OF status ON merge_proposals
    FOR EACH ROW WHEN (OLD.status = 'pending' AND NEW.status <> 'pending')
    EXECUTE FUNCTION tell_merge_proposal('review.settled');

-- A merge marks the source as deleted too.
-- +goose StatementBegin
CREATE FUNCTION tell_deletion() RETURNS trigger
    LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO events (tenant_id, type, customer_id)
    VALUES (NEW.tenant_id, 'customer.deleted', NEW.customer_id);
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER customers_deleted AFTER UPDATE OF deleted_at ON customer_profiles
    FOR EACH ROW WHEN (OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL AND NEW.merged_into_id IS NULL)
    EXECUTE FUNCTION tell_deletion();

-- The transaction that removes the rows of a customer tells of it, with the id of the customer and nothing else. It is
-- the only event about an erased customer.
-- +goose StatementBegin
CREATE FUNCTION tell_erasure() RETURNS trigger
    LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO events (tenant_id, type, customer_id)
    SELECT NEW.tenant_id, 'customer.erased', erased::uuid
    FROM jsonb_array_elements_text(NEW.scope -> 'customers') AS erased;
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER erasures_erased AFTER UPDATE OF state ON erasures
    FOR EACH ROW WHEN (OLD.state = 'begun' AND NEW.state = 'erased') EXECUTE FUNCTION tell_erasure();

-- Subscriptions to the feed. Events are delivered to the URL, signed by the convention Standard Webhooks.
CREATE TABLE webhooks (
    tenant_id       uuid NOT NULL REFERENCES tenants (id),
    id              uuid NOT NULL,
    url             text NOT NULL,
    types           text[] NOT NULL DEFAULT '{}', -- none: all
    agent_id        uuid,
    shows_values    boolean NOT NULL DEFAULT false, -- those that the key may see
    key_id          uuid,    -- the API key that saved it
    enabled         boolean NOT NULL DEFAULT true,
    disabled_reason text NOT NULL DEFAULT '', -- the reason that the vault disabled it; empty: a person did
    secret          bytea NOT NULL, -- sealed
    previous_secret bytea,   -- sealed: it signs too until previous_until
    previous_until  timestamptz,
    queued_to       bigint NOT NULL, -- events up to this position have become deliveries
    operation_id    uuid NOT NULL,
    accepted_at     timestamptz NOT NULL, -- of the newest applied save or deletion
    created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    deleted_at      timestamptz,     -- the row stays, so that a late older save is recognised
    PRIMARY KEY (tenant_id, id)
);

-- One event, or a test, for one webhook. The row is the truth about a delivery; the workflow only carries it out.
CREATE TABLE webhook_deliveries (
    seq          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id    uuid NOT NULL,
    id           uuid NOT NULL DEFAULT gen_random_uuid(), -- the header webhook-id of each attempt
    webhook_id   uuid NOT NULL,
    position     bigint, -- of the event; NULL: a test
    type         text NOT NULL,
    customers    uuid[] NOT NULL, -- deliveries that share one are made in order; the zero UUID: about no customer
    status       text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'delivered', 'dead')),
    attempts     integer NOT NULL DEFAULT 0,
    next_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    leased_until timestamptz, -- a worker makes an attempt; after it, the worker was lost
    last_status  integer,     -- the HTTP status of the last response
    last_error   text NOT NULL DEFAULT '', -- in fixed words
    created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at  timestamptz,
    FOREIGN KEY (tenant_id, webhook_id) REFERENCES webhooks (tenant_id, id)
);
CREATE UNIQUE INDEX webhook_deliveries_event ON webhook_deliveries (webhook_id, position) WHERE position IS NOT NULL;
CREATE INDEX webhook_deliveries_list ON webhook_deliveries (tenant_id, webhook_id, seq);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (next_at) WHERE status = 'pending';
CREATE INDEX webhook_deliveries_pending ON webhook_deliveries (webhook_id, seq) WHERE status = 'pending';
CREATE INDEX webhook_deliveries_finished ON webhook_deliveries (finished_at) WHERE status <> 'pending';

-- The feed is written with every import, so it is analysed as the tables of the import are.
ALTER TABLE events SET (autovacuum_analyze_threshold = 5000, autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_insert_threshold = 5000);

-- +goose Down
DROP TRIGGER erasures_erased ON erasures;
DROP TRIGGER customers_deleted ON customer_profiles;
DROP TRIGGER merges_settled ON merge_proposals;
DROP TRIGGER merges_proposed_again ON merge_proposals;
DROP TRIGGER merges_proposed ON merge_proposals;
DROP TRIGGER customers_unmerged ON customer_merges;
DROP TRIGGER customers_merged ON customer_merges;
DROP TRIGGER operations_failed ON operations;
DROP TRIGGER gap_fills_ended ON gap_fills;
DROP TRIGGER requirements_reviewed ON requirements;
DROP TRIGGER requirements_to_review_again ON requirements;
DROP TRIGGER requirements_to_review ON requirements;
DROP TRIGGER definitions_reviewed ON definitions;
DROP TRIGGER definitions_to_review_again ON definitions;
DROP TRIGGER definitions_to_review ON definitions;
DROP TRIGGER questions_settled ON questions;
DROP TRIGGER questions_opened ON questions;
DROP TRIGGER consents_added ON consents;
DROP TRIGGER assets_removed ON customer_assets;
DROP TRIGGER assets_deleted ON customer_assets;
DROP TRIGGER assets_changed ON customer_assets;
DROP TRIGGER assets_added ON customer_assets;
DROP TRIGGER values_removed ON customer_values;
DROP TRIGGER values_changed ON customer_values;
DROP TRIGGER values_added ON customer_values;
DROP FUNCTION tell_erasure();
DROP FUNCTION tell_deletion();
DROP FUNCTION tell_merge_proposal();
DROP FUNCTION tell_merge();
DROP FUNCTION tell_failure();
DROP FUNCTION tell_fill();
DROP FUNCTION tell_review();
DROP FUNCTION tell_question();
DROP FUNCTION tell_consent();
DROP FUNCTION tell_asset();
DROP FUNCTION tell_changed_value();
DROP FUNCTION tell_new_values();
DROP FUNCTION value_waits(text, timestamptz, timestamptz, uuid);
DROP TABLE webhook_deliveries;
DROP TABLE webhooks;
DROP TABLE event_heads;
DROP TABLE events;
