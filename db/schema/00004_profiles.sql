-- +goose Up
CREATE TABLE customer_profiles (
    id             uuid PRIMARY KEY,
    tenant_id      uuid NOT NULL REFERENCES tenants (id),
    customer_id    uuid NOT NULL,
    version        bigint NOT NULL DEFAULT 0, -- incremented by every change that readers of the profile can see
    label          text NOT NULL DEFAULT '', -- a short text for the people who work with the customer
    label_set_at   timestamptz, -- acceptance of the operation that set the label: a late one replaces no newer label
    merged_into_id uuid REFERENCES customer_profiles (id),
    created_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    deleted_at     timestamptz,
    purge_after    timestamptz, -- of a deleted customer: the time from which on it is erased; NULL: not by itself
    UNIQUE (tenant_id, customer_id),
    UNIQUE (id, tenant_id)
);
CREATE INDEX customer_profiles_purge ON customer_profiles (purge_after) WHERE purge_after IS NOT NULL AND deleted_at IS NOT NULL;

-- Finds the profiles that were merged into a profile.
CREATE INDEX customer_profiles_merged ON customer_profiles (merged_into_id) WHERE merged_into_id IS NOT NULL;

-- The state from before a merge, so that it can be undone exactly. It holds ids and states, no values.
CREATE TABLE customer_merges (
    id                uuid PRIMARY KEY,
    tenant_id         uuid NOT NULL REFERENCES tenants (id),
    source_profile_id uuid NOT NULL,
    target_profile_id uuid NOT NULL,
    before            jsonb NOT NULL,
    operation_id      uuid NOT NULL,
    merged_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    undone_at         timestamptz,
    FOREIGN KEY (tenant_id, source_profile_id) REFERENCES customer_profiles (tenant_id, id),
    FOREIGN KEY (tenant_id, target_profile_id) REFERENCES customer_profiles (tenant_id, id)
);
CREATE INDEX customer_merges_source ON customer_merges (tenant_id, source_profile_id, id);
CREATE INDEX customer_merges_target ON customer_merges (tenant_id, target_profile_id, id);

-- Two customers who may be the same person: a person decides whether they are merged. It holds ids and names of fields,
-- no values: ground is a keyed hash of the values that both had.
CREATE TABLE merge_proposals (
    id               uuid PRIMARY KEY,
    tenant_id        uuid NOT NULL REFERENCES tenants (id),
    rule_id          uuid NOT NULL,
    older_profile_id uuid NOT NULL, -- the one that was created first
    newer_profile_id uuid NOT NULL,
    fields           text[] NOT NULL,
    ground           bytea NOT NULL,
    status           text NOT NULL CHECK (status IN ('pending', 'approved', 'rejected', 'closed')),
    -- Why it was closed without a decision.
    reason           text NOT NULL DEFAULT '' CHECK (reason IN (
        '', 'value_changed', 'customer_merged', 'customer_deleted', 'rule_changed', 'rule_deleted'
    )),
    kept_profile_id  uuid, -- of an approved one: the customer who remained
    decided_by       text NOT NULL DEFAULT '',
    decided_at       timestamptz,
    operation_id     uuid, -- of the decision
    proposed_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    FOREIGN KEY (tenant_id, rule_id) REFERENCES merge_rules (tenant_id, id),
    FOREIGN KEY (tenant_id, older_profile_id) REFERENCES customer_profiles (tenant_id, id),
    FOREIGN KEY (tenant_id, newer_profile_id) REFERENCES customer_profiles (tenant_id, id),
    CHECK ((status = 'closed') = (reason <> ''))
);
-- A pair waits for one decision at a time, whatever the rules.
CREATE UNIQUE INDEX merge_proposals_open ON merge_proposals
    (tenant_id, least(older_profile_id, newer_profile_id), greatest(older_profile_id, newer_profile_id))
    WHERE status = 'pending';
-- What is known of a pair and its values: a decision stays.
CREATE UNIQUE INDEX merge_proposals_ground ON merge_proposals
    (tenant_id, ground, fields, least(older_profile_id, newer_profile_id), greatest(older_profile_id, newer_profile_id));
CREATE INDEX merge_proposals_waiting ON merge_proposals (tenant_id, id) WHERE status = 'pending';
CREATE INDEX merge_proposals_list ON merge_proposals (tenant_id, id);
CREATE INDEX merge_proposals_older ON merge_proposals (older_profile_id);
CREATE INDEX merge_proposals_newer ON merge_proposals (newer_profile_id);
CREATE INDEX merge_proposals_rule ON merge_proposals (tenant_id, rule_id) WHERE status = 'pending';

-- A customer who was merged or deleted is no subject of a proposal any more. It is closed in the transaction that makes
-- the change, so that no way to make it can miss one.
-- +goose StatementBegin
CREATE FUNCTION close_merge_proposals() RETURNS trigger
    LANGUAGE plpgsql
AS $$
BEGIN
    UPDATE merge_proposals
    SET status = 'closed',
        reason = CASE WHEN NEW.merged_into_id IS NULL THEN 'customer_deleted' ELSE 'customer_merged' END,
        updated_at = clock_timestamp()
    WHERE (older_profile_id = NEW.id OR newer_profile_id = NEW.id)
      AND tenant_id = NEW.tenant_id
      AND status = 'pending';
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER customers_gone AFTER UPDATE OF deleted_at ON customer_profiles
    FOR EACH ROW WHEN (OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL)
    EXECUTE FUNCTION close_merge_proposals();

CREATE TABLE channel_identities (
    id           uuid PRIMARY KEY,
    tenant_id    uuid NOT NULL REFERENCES tenants (id),
    profile_id   uuid NOT NULL,
    channel      text NOT NULL,
    external_id  text NOT NULL,
    verified     boolean NOT NULL DEFAULT false,
    operation_id uuid NOT NULL,
    linked_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (tenant_id, channel, external_id),
    FOREIGN KEY (tenant_id, profile_id) REFERENCES customer_profiles (tenant_id, id)
);
CREATE INDEX channel_identities_profile ON channel_identities (tenant_id, profile_id);

CREATE TABLE consents (
    id           uuid PRIMARY KEY,
    tenant_id    uuid NOT NULL REFERENCES tenants (id),
    profile_id   uuid NOT NULL,
    purpose      text NOT NULL,
    granted      boolean NOT NULL,
    source       text NOT NULL DEFAULT '',
    operation_id uuid NOT NULL,
    accepted_at  timestamptz NOT NULL,
    expires_at   timestamptz,
    FOREIGN KEY (tenant_id, profile_id) REFERENCES customer_profiles (tenant_id, id)
);
CREATE INDEX consents_profile ON consents (tenant_id, profile_id, purpose, accepted_at DESC);

-- The text by which values are compared in filters: without the case of ASCII letters, numbers by value.
CREATE FUNCTION match_text(value jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE pg_catalog.jsonb_typeof(value)
        WHEN 'number' THEN pg_catalog.trim_scale(value::pg_catalog.numeric)::pg_catalog.text
        ELSE pg_catalog.lower(value::pg_catalog.text COLLATE pg_catalog."C")
    END;
-- The text by which the beginning of a value is compared: of its first characters, without the case of ASCII letters. 64
-- is vault.MaxPrefixLength.
CREATE FUNCTION prefix_text(value jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN pg_catalog.lower(pg_catalog."left"(value #>> '{}', 64) COLLATE pg_catalog."C");
-- The keys of the filters by field. They are hashes: a search compares the text as well.
CREATE FUNCTION field_key(tenant uuid, name text) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN pg_catalog.hashtextextended((tenant::pg_catalog.text || ':' || name) COLLATE pg_catalog."C", 0);
CREATE FUNCTION match_key(tenant uuid, name text, value jsonb) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN pg_catalog.hashtextextended(
        (tenant::pg_catalog.text || ':' || name || ':' || match_text(value)) COLLATE pg_catalog."C", 0);

CREATE TABLE customer_values (
    id                    uuid NOT NULL, -- a caller may choose it: unique in its tenant, and unrelated to ids of others
    tenant_id             uuid NOT NULL REFERENCES tenants (id),
    profile_id            uuid NOT NULL,
    name                  text NOT NULL,
    value                 jsonb NOT NULL,
    encrypted             boolean NOT NULL DEFAULT false, -- true: value is a JSON string, the sealed value in base64
    blind_key             bigint, -- of a sealed value that can be found: a keyed hash. NULL: it cannot
    -- The keys by which filters find an active value: by what it is, and by its field. NULL: they do not.
    match_key             bigint GENERATED ALWAYS AS (CASE
        WHEN status <> 'active' OR deleted_at IS NOT NULL THEN NULL
        WHEN encrypted THEN blind_key
        ELSE match_key(tenant_id, name, value)
    END) STORED,
    field_key             bigint GENERATED ALWAYS AS (CASE
        WHEN status = 'active' AND deleted_at IS NULL THEN field_key(tenant_id, name)
    END) STORED,
    -- The beginning of an active, plain value, if a definition allows to find it by that (by_prefix). NULL: it is not found.
    by_prefix             boolean NOT NULL DEFAULT false,
    prefix_key            text COLLATE "C" GENERATED ALWAYS AS (CASE
        WHEN by_prefix AND NOT encrypted AND status = 'active' AND deleted_at IS NULL THEN prefix_text(value)
    END) STORED,
    value_type            text NOT NULL,
    source                text NOT NULL,
    source_session_id     uuid,
    source_scenario_id    uuid,
    source_step_id        text NOT NULL DEFAULT '',
    source_item_id        uuid,
    source_item_type      text NOT NULL DEFAULT '' CHECK (source_item_type IN ('', 'profile_field', 'profile_asset', 'session', 'tool', 'external')),
    source_metadata       jsonb NOT NULL DEFAULT '{}',
    status                text NOT NULL CHECK (status IN ('active', 'pending', 'superseded', 'expired', 'orphaned')),
    superseded_by_id      uuid,
    superseded_at         timestamptz,
    yields_to_id          uuid, -- the stronger version that this one may not replace by itself
    decision              text NOT NULL DEFAULT '' CHECK (decision IN ('', 'accepted', 'confirmed', 'rejected', 'corrected')),
    decided_by            text NOT NULL DEFAULT '',
    decided_at            timestamptz,
    decision_note         text NOT NULL DEFAULT '',
    verified              boolean NOT NULL DEFAULT false,
    verification_method   text NOT NULL DEFAULT '',
    verified_at           timestamptz,
    verified_by           text NOT NULL DEFAULT '',
    confidence            double precision NOT NULL DEFAULT 1 CHECK (confidence BETWEEN 0 AND 1),
    requires_confirmation boolean NOT NULL DEFAULT false,
    collected_at          timestamptz NOT NULL,
    updated_at            timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at            timestamptz,
    definition_id         uuid REFERENCES definitions (id) ON DELETE SET NULL,
    warnings              text[] NOT NULL DEFAULT '{}',
    operation_id          uuid NOT NULL,
    actor                 text NOT NULL DEFAULT '', -- of the operation
    accepted_at           timestamptz NOT NULL,
    deleted_at            timestamptz,
    deletion_proposed_at  timestamptz, -- somebody asked to delete it; a person decides. NULL: nobody did
    deletion_reason       text NOT NULL DEFAULT '',
    stale_since           timestamptz, -- a source changed: superseded, expired or stale itself. NULL: not stale
    -- The id comes first: PostgreSQL would read all values of a tenant by a key that begins with it. Sweeps across
    -- tenants look ids up as well.
    PRIMARY KEY (id, tenant_id),
    FOREIGN KEY (tenant_id, profile_id) REFERENCES customer_profiles (tenant_id, id),
    FOREIGN KEY (tenant_id, superseded_by_id) REFERENCES customer_values (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    FOREIGN KEY (tenant_id, yields_to_id) REFERENCES customer_values (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CHECK ((status = 'superseded') = (superseded_by_id IS NOT NULL)),
    CHECK (status <> 'pending' OR yields_to_id IS NOT NULL)
);
-- Rule 1: a profile has at most one active version of a value. With the tenant in it, row-level security needs no row to
-- see that a value is there.
CREATE UNIQUE INDEX customer_values_active ON customer_values (profile_id, name) INCLUDE (tenant_id) WHERE status = 'active' AND deleted_at IS NULL;
-- Filters by field: the customers with a value, and those with an old value, each in the order of a page. NULLS FIRST is
-- an optimizer fence: no other index has this order. So are the predicates, which no other query implies: without
-- statistics PostgreSQL would otherwise take these indexes for small ones, and read them whole to find a profile. The
-- keys imply the tenant, but without it in the indexes, statistics of other tenants make PostgreSQL read the whole tenant by
-- the primary key to intersect the two.
CREATE INDEX customer_values_match ON customer_values (tenant_id, match_key, profile_id NULLS FIRST) WHERE match_key IS NOT NULL;
CREATE INDEX customer_values_prefix ON customer_values (tenant_id, field_key, prefix_key NULLS FIRST, profile_id) WHERE prefix_key IS NOT NULL;
CREATE INDEX customer_values_age ON customer_values (tenant_id, field_key, collected_at NULLS FIRST, profile_id) WHERE field_key IS NOT NULL;
-- The pending values of a customer, and what waits for a decision in a tenant, in the order of the ids.
CREATE INDEX customer_values_pending ON customer_values (profile_id, name) WHERE status = 'pending' AND deleted_at IS NULL;
CREATE INDEX customer_values_undecided ON customer_values (tenant_id, id) WHERE (status = 'pending' OR deletion_proposed_at IS NOT NULL) AND deleted_at IS NULL;
CREATE INDEX customer_values_history ON customer_values (profile_id, name, accepted_at DESC, operation_id DESC);
CREATE INDEX customer_values_expiry ON customer_values (expires_at) WHERE status IN ('active', 'pending') AND expires_at IS NOT NULL AND deleted_at IS NULL;
-- Expired versions that their definition does not keep for ever.
CREATE INDEX customer_values_removal ON customer_values (definition_id, expires_at) WHERE status <> 'active' AND expires_at IS NOT NULL;
-- For the foreign keys, which look for references to each version that an erasure or the retention removes.
CREATE INDEX customer_values_superseded ON customer_values (superseded_by_id) WHERE superseded_by_id IS NOT NULL;
CREATE INDEX customer_values_yields ON customer_values (yields_to_id) WHERE yields_to_id IS NOT NULL;
CREATE INDEX customer_values_source ON customer_values (source_item_id) WHERE source_item_id IS NOT NULL;
-- For the metric profile_values_by_status. Equal keys share an entry, so the index is small, and the query reads only it.
-- A condition on the status cannot use it, because of the collation: PostgreSQL would, before the first ANALYZE.
CREATE INDEX customer_values_status ON customer_values (status COLLATE "C") WHERE deleted_at IS NULL;

CREATE TABLE customer_assets (
    id                  uuid PRIMARY KEY,
    tenant_id           uuid NOT NULL REFERENCES tenants (id),
    profile_id          uuid NOT NULL,
    name                text NOT NULL,
    asset_type          text NOT NULL,
    storage_provider    text NOT NULL,
    storage_path        text NOT NULL,
    mime_type           text NOT NULL DEFAULT '',
    size_bytes          bigint NOT NULL CHECK (size_bytes >= 0),
    checksum            text NOT NULL, -- SHA-256, hexadecimal
    uploaded_at         timestamptz NOT NULL,
    upload_session_id   uuid,
    upload_scenario_id  uuid,
    source_item_id      uuid,
    source_item_type    text NOT NULL DEFAULT '' CHECK (source_item_type IN ('', 'profile_field', 'profile_asset', 'session', 'tool', 'external')),
    source_metadata     jsonb NOT NULL DEFAULT '{}',
    derived_from_tool   text NOT NULL DEFAULT '',
    verification_result jsonb NOT NULL DEFAULT '{}',
    retention_policy    text NOT NULL DEFAULT '',
    status              text NOT NULL CHECK (status IN ('active', 'superseded', 'expired', 'orphaned')),
    superseded_by_id    uuid REFERENCES customer_assets (id) DEFERRABLE INITIALLY DEFERRED,
    superseded_at       timestamptz,
    supersedes_older    boolean NOT NULL DEFAULT false, -- of the same name, also those that arrive late
    updated_at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at          timestamptz,
    operation_id        uuid NOT NULL,
    actor               text NOT NULL DEFAULT '', -- of the operation
    accepted_at         timestamptz NOT NULL,
    deleted_at          timestamptz,
    stale_since         timestamptz, -- as of customer_values
    FOREIGN KEY (tenant_id, profile_id) REFERENCES customer_profiles (tenant_id, id),
    UNIQUE (tenant_id, operation_id)
);
CREATE INDEX customer_assets_profile ON customer_assets (profile_id, name);
CREATE INDEX customer_assets_expiry ON customer_assets (expires_at) WHERE status = 'active' AND expires_at IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX customer_assets_source ON customer_assets (source_item_id) WHERE source_item_id IS NOT NULL;
CREATE INDEX customer_assets_tenant ON customer_assets (tenant_id, id);

-- The exports of a customer. An export is made when it is fetched; the row records that it was asked for.
CREATE TABLE customer_exports (
    id          uuid PRIMARY KEY, -- of the operation
    tenant_id   uuid NOT NULL REFERENCES tenants (id),
    customer_id uuid NOT NULL,
    counts      jsonb NOT NULL, -- rows by table
    expires_at  timestamptz NOT NULL, -- from then on it cannot be fetched
    made_at     timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX customer_exports_customer ON customer_exports (tenant_id, customer_id);

-- The erasures of customers. While an erasure is under way, scope has the ids of what it erases. Afterwards nothing in
-- the row identifies the customer.
CREATE TABLE erasures (
    id          uuid PRIMARY KEY, -- of the operation
    tenant_id   uuid NOT NULL REFERENCES tenants (id),
    state       text NOT NULL CHECK (state IN ('begun', 'erased', 'scanned', 'finished')),
    derived     text NOT NULL CHECK (derived IN ('stale', 'erase')),
    scope       jsonb NOT NULL DEFAULT '{}',
    counts      jsonb NOT NULL DEFAULT '{}', -- rows by table
    mentions    jsonb NOT NULL DEFAULT '{}', -- rows of others, by table, in which a value of the customer occurs
    receipt     text, -- signed; NULL until the erasure has finished
    begun_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz
);
CREATE INDEX erasures_tenant ON erasures (tenant_id, id);

-- What must not come back: the keyed hashes of the ids and channel identities of erased customers, and of the ids of
-- their sessions, items, questions and gap fills.
CREATE TABLE erasure_tombstones (
    tenant_id  uuid NOT NULL REFERENCES tenants (id),
    hash       bytea NOT NULL,
    erasure_id uuid NOT NULL,
    added_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, hash)
);

-- The keys of a tenant for tombstones and receipts. The first erasure makes them.
CREATE TABLE erasure_keys (
    tenant_id   uuid PRIMARY KEY REFERENCES tenants (id),
    hash_key    bytea NOT NULL, -- sealed
    signing_key bytea NOT NULL, -- sealed
    public_key  text NOT NULL,  -- checks the signatures: a keyset of Tink in JSON
    made_at     timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Recently deleted items. The next sweep looks for items that were derived from them, so its cost is proportional to the
-- number of deletions. A row stays for a while, to find a dependent that was being written during the deletion.
CREATE TABLE orphan_candidates (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    item_id   uuid NOT NULL,
    added_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, item_id)
);
CREATE INDEX orphan_candidates_added ON orphan_candidates (added_at);

-- +goose StatementBegin
CREATE FUNCTION add_orphan_candidate() RETURNS trigger
    LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO orphan_candidates (tenant_id, item_id)
    VALUES (OLD.tenant_id, OLD.id)
    ON CONFLICT (tenant_id, item_id) DO UPDATE SET added_at = excluded.added_at;
    RETURN NULL;
END
$$;
-- +goose StatementEnd

CREATE TRIGGER customer_values_removed AFTER DELETE ON customer_values
    FOR EACH ROW EXECUTE FUNCTION add_orphan_candidate();
CREATE TRIGGER customer_values_deleted AFTER UPDATE OF deleted_at ON customer_values
    FOR EACH ROW WHEN (OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL) EXECUTE FUNCTION add_orphan_candidate();
CREATE TRIGGER customer_assets_removed AFTER DELETE ON customer_assets
    FOR EACH ROW EXECUTE FUNCTION add_orphan_candidate();
CREATE TRIGGER customer_assets_deleted AFTER UPDATE OF deleted_at ON customer_assets
    FOR EACH ROW WHEN (OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL) EXECUTE FUNCTION add_orphan_candidate();

-- The tables that imports fill are first vacuumed and analysed after 5,000 committed rows. An import commits at most
-- 10,000 rows at once, and statistics taken while its rows are uncommitted show a table of many pages and no rows: until
-- the next ANALYZE each write would then read all profiles of the tenant. Without statistics PostgreSQL goes by the size
-- of the table, which is right.
ALTER TABLE customer_profiles SET (autovacuum_analyze_threshold = 5000, autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_insert_threshold = 5000);
ALTER TABLE channel_identities SET (autovacuum_analyze_threshold = 5000, autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_insert_threshold = 5000);
ALTER TABLE customer_values SET (autovacuum_analyze_threshold = 5000, autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_insert_threshold = 5000);
ALTER TABLE customer_assets SET (autovacuum_analyze_threshold = 5000, autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_insert_threshold = 5000);

-- +goose Down
DROP TABLE customer_assets;
DROP TABLE customer_values;
DROP FUNCTION match_key(uuid, text, jsonb);
DROP FUNCTION field_key(uuid, text);
DROP FUNCTION match_text(jsonb);
DROP FUNCTION prefix_text(jsonb);
DROP FUNCTION add_orphan_candidate();
DROP TABLE orphan_candidates;
DROP TABLE erasure_keys;
DROP TABLE erasure_tombstones;
DROP TABLE erasures;
DROP TABLE customer_exports;
DROP TABLE consents;
DROP TABLE channel_identities;
DROP TABLE merge_proposals;
DROP TABLE customer_merges;
DROP TABLE customer_profiles;
DROP FUNCTION close_merge_proposals();
