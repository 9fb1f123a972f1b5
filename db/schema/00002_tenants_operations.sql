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
    key_hash     bytea NOT NULL UNIQUE, -- SHA-256 of the key; the key itself is shown once and not kept
    scopes       text[] NOT NULL CHECK (scopes <@ ARRAY ['read', 'write', 'admin']),
    created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at   timestamptz,
    revoked_at   timestamptz,
    last_used_at timestamptz
);
CREATE INDEX api_keys_tenant ON api_keys (tenant_id);

-- An operation is a change that was accepted: outbox, claim check and idempotency key in one row.
CREATE TABLE operations (
    id              uuid PRIMARY KEY,
    tenant_id       uuid NOT NULL REFERENCES tenants (id),
    workflow        text NOT NULL,
    event           text NOT NULL,
    subject         text NOT NULL,  -- what runs one at a time
    idempotency_key text NOT NULL,
    parent_id       uuid,           -- the operation that caused this one
    payload         bytea NOT NULL, -- sealed
    prepared        bytea,          -- sealed: what one step keeps for the next
    status          text NOT NULL DEFAULT 'accepted' CHECK (status IN ('accepted', 'applied', 'succeeded', 'failed')),
    result          jsonb,          -- ids, counts and names
    error           jsonb,
    -- What the effect changed of the things that readers cache. The last step invalidates these before it acknowledges.
    touched_profiles uuid[] NOT NULL DEFAULT '{}',
    touched_pending boolean NOT NULL DEFAULT false, -- it added pending invalidations
    attempts        integer NOT NULL DEFAULT 0, -- pushes to the workflow engine
    accepted_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    enqueued_at     timestamptz,
    due_at          timestamptz NOT NULL, -- unfinished at this time: the relay pushes it (again)
    applied_at      timestamptz,
    finished_at     timestamptz,
    UNIQUE (tenant_id, workflow, idempotency_key)
);
CREATE INDEX operations_due ON operations (due_at) WHERE status IN ('accepted', 'applied');
CREATE INDEX operations_finished ON operations (finished_at) WHERE status IN ('succeeded', 'failed');
CREATE INDEX operations_parent ON operations (parent_id) WHERE parent_id IS NOT NULL;

-- Cache entries that are to be invalidated: noted in the transaction of a change that touches many, and where Redis did not
-- answer. The relay works off what is left.
CREATE TABLE cache_invalidations (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    kind      text NOT NULL CHECK (kind IN ('profile', 'field_defs', 'scenario_reqs', 'deriv')),
    subject   uuid NOT NULL,             -- customer, agent, scenario or item
    version   bigint NOT NULL DEFAULT 0, -- of a profile
    noted_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, kind, subject)
);

-- What the language model cost a tenant on a day, in UTC. Tokens are reserved before a call and corrected after it, so that no
-- number of calls at once exceeds a budget.
CREATE TABLE llm_usage (
    tenant_id         uuid NOT NULL REFERENCES tenants (id),
    day               date NOT NULL,
    calls             bigint NOT NULL DEFAULT 0,
    prompt_tokens     bigint NOT NULL DEFAULT 0,
    completion_tokens bigint NOT NULL DEFAULT 0,
    reserved_tokens   bigint NOT NULL DEFAULT 0, -- of calls under way; what a lost process reserved stays for the day
    cost_micros       bigint NOT NULL DEFAULT 0, -- millionths of the currency of the configured prices
    PRIMARY KEY (tenant_id, day)
);

-- +goose Down
DROP TABLE llm_usage;
DROP TABLE cache_invalidations;
DROP TABLE operations;
DROP TABLE api_keys;
DROP TABLE tenants;
