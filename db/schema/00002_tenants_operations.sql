-- +goose Up
CREATE TABLE tenants (
    id         uuid PRIMARY KEY,
    name       text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE api_keys (
    id           uuid PRIMARY KEY,
    tenant_id    uuid NOT NULL REFERENCES tenants (id),
    name         text NOT NULL,
    key_hash     bytea NOT NULL UNIQUE, -- SHA-256 of the key; the key itself is shown once and not stored
    scopes       text[] NOT NULL CHECK (scopes <@ ARRAY ['read', 'write', 'verify', 'review', 'erase', 'admin']),
    sources      text[] NOT NULL DEFAULT '{}', -- that the key may write; empty: those not stronger than the customer's word
    agents       uuid[] NOT NULL DEFAULT '{}', -- whose data the key may use; empty: of all agents
    purpose      text NOT NULL DEFAULT '', -- of reads that state none; empty: none
    pii          boolean NOT NULL DEFAULT true, -- false: values of PII fields are masked
    created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at   timestamptz,
    revoked_at   timestamptz,
    last_used_at timestamptz,
    -- These scopes cover all agents.
    CONSTRAINT api_keys_agents CHECK (agents = '{}' OR NOT scopes && ARRAY ['admin', 'erase'])
);
CREATE INDEX api_keys_tenant ON api_keys (tenant_id);

-- An operation is an accepted change: outbox entry, claim check and idempotency key in one row.
CREATE TABLE operations (
    id               uuid PRIMARY KEY,
    tenant_id        uuid NOT NULL REFERENCES tenants (id),
    workflow         text NOT NULL,
    event            text NOT NULL,
    subject          text NOT NULL,  -- operations of one subject run one at a time
    -- The subject without the scenario of a gap fill, such as the id of a customer.
    subject_id       text NOT NULL GENERATED ALWAYS AS (split_part(subject, ':', 1)) STORED,
    idempotency_key  text NOT NULL,
    parent_id        uuid,           -- the operation that caused this one
    actor            text NOT NULL DEFAULT '', -- of vault.Actor: who submitted it
    payload          bytea NOT NULL, -- sealed
    prepared         bytea,          -- sealed: the result of one step for the next one
    status           text NOT NULL DEFAULT 'accepted' CHECK (status IN ('accepted', 'applied', 'succeeded', 'failed')),
    result           jsonb,          -- ids, counts and names
    error            jsonb,
    -- The profiles that the effect changed. The last step invalidates their cache entries before it acknowledges.
    touched_profiles uuid[] NOT NULL DEFAULT '{}',
    touched_pending  boolean NOT NULL DEFAULT false, -- the effect added pending invalidations
    attempts         integer NOT NULL DEFAULT 0, -- pushes to the workflow engine
    carried_by       integer,        -- the number of the push whose run finished the operation
    batch_id         uuid,           -- the batch of that run
    failures         integer NOT NULL DEFAULT 0, -- steps that failed and can be retried
    accepted_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    enqueued_at      timestamptz, -- of the last push; NULL: no push is in flight
    due_at           timestamptz NOT NULL, -- the relay pushes an operation that is unfinished at this time
    applied_at       timestamptz,
    finished_at      timestamptz,
    erased_at        timestamptz, -- the payload, the result and what names a customer were erased
    UNIQUE (tenant_id, workflow, idempotency_key)
);
CREATE INDEX operations_due ON operations (due_at) WHERE status IN ('accepted', 'applied');
CREATE INDEX operations_finished ON operations (finished_at) WHERE status IN ('succeeded', 'failed');
-- For lists, newest first: the id is a UUIDv7.
CREATE INDEX operations_list ON operations (tenant_id, workflow, id);
CREATE INDEX operations_subject ON operations (tenant_id, subject_id, id);
CREATE INDEX operations_failed ON operations (tenant_id, id) WHERE status = 'failed';
CREATE INDEX operations_parent ON operations (parent_id) WHERE parent_id IS NOT NULL;

-- The key encryption key of a tenant, encrypted by the sealing key: it wraps the data keys of the tenant's customers. The
-- first customer's key makes it.
CREATE TABLE tenant_keys (
    tenant_id  uuid PRIMARY KEY REFERENCES tenants (id),
    sealed     bytea NOT NULL,  -- a Tink keyset
    sealed_by  bigint NOT NULL, -- id of the key in VAULT_SEALING_KEY that encrypted it
    primary_id bigint NOT NULL, -- id of the key in it that wraps
    retiring   bigint[] NOT NULL DEFAULT '{}', -- ids of the keys in it from before a rotation, which only unwrap
    rotated_at timestamptz NOT NULL DEFAULT clock_timestamp() -- when the key that wraps was made
);

-- The data key of a customer, wrapped by the key of the tenant. What is sealed of a customer is sealed with it: deleting the
-- row makes all of that unreadable, in backups without the row too.
CREATE TABLE customer_keys (
    tenant_id   uuid NOT NULL REFERENCES tenants (id),
    customer_id uuid NOT NULL,
    wrapped     bytea NOT NULL,  -- a Tink keyset, encrypted by the key of the tenant
    kek_id      bigint NOT NULL, -- id of the key in tenant_keys that wrapped it
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, customer_id)
);
CREATE INDEX customer_keys_kek ON customer_keys (tenant_id, kek_id); -- rotate-keys, vault keys rotation

-- Processes keep customers' keys in memory for a short time: a deleted key leaves it at once.
-- +goose StatementBegin
CREATE FUNCTION announce_deleted_key() RETURNS trigger
    LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM pg_notify('vault_customer_keys', OLD.tenant_id || ':' || OLD.customer_id);
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER customer_keys_deleted AFTER DELETE ON customer_keys
    FOR EACH ROW EXECUTE FUNCTION announce_deleted_key();

-- Work that one run at a time does, such as a call of a language model. A run that holds a key renews the hold; when it
-- dies, the hold ends. fence grows with each holder: a run that lost its hold changes nothing.
CREATE TABLE holds (
    tenant_id  uuid NOT NULL REFERENCES tenants (id),
    key        text NOT NULL,
    fence      bigint NOT NULL DEFAULT 1,
    held_until timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, key)
);

-- Cache entries to invalidate. A change of many entries adds them in its transaction, and a failed invalidation adds its
-- entry. The relay and the leases of readers flush them.
CREATE TABLE pending_invalidations (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    kind      text NOT NULL CHECK (kind IN ('profile', 'field_defs', 'scenario_reqs', 'deriv')),
    subject   uuid NOT NULL,             -- customer, agent, scenario or item
    version   bigint NOT NULL DEFAULT 0, -- of a profile; of other kinds a counter
    added_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, kind, subject)
);

-- Usage of the language model by tenant and day (UTC). A call reserves its tokens before it starts and corrects them after
-- it, so that concurrent calls cannot exceed the budget.
CREATE TABLE llm_usage (
    tenant_id         uuid NOT NULL REFERENCES tenants (id),
    day               date NOT NULL,
    calls             bigint NOT NULL DEFAULT 0,
    prompt_tokens     bigint NOT NULL DEFAULT 0,
    completion_tokens bigint NOT NULL DEFAULT 0,
    -- Of calls in progress; the reservations of a lost process stay until the end of the day.
    reserved_tokens   bigint NOT NULL DEFAULT 0,
    cost_micros       bigint NOT NULL DEFAULT 0, -- millionths of the currency of the configured prices
    PRIMARY KEY (tenant_id, day)
);

-- +goose Down
DROP TABLE llm_usage;
DROP TABLE pending_invalidations;
DROP TABLE holds;
DROP TABLE customer_keys;
DROP TABLE tenant_keys;
DROP FUNCTION announce_deleted_key();
DROP TABLE operations;
DROP TABLE api_keys;
DROP TABLE tenants;
