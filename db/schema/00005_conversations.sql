-- +goose Up
CREATE TABLE sessions (
    tenant_id            uuid NOT NULL REFERENCES tenants (id),
    id                   uuid NOT NULL,
    agent_id             uuid NOT NULL,
    customer_id          uuid NOT NULL,
    variables            jsonb NOT NULL DEFAULT '{}', -- by name: a JSON string, the sealed value in base64
    -- Time of acceptance by variable: an older value does not replace a newer one.
    variable_accepted_at jsonb NOT NULL DEFAULT '{}',
    read_to              integer NOT NULL DEFAULT -1, -- index of the last turn that read-conversation has read
    read_due_at          timestamptz, -- the time at which the session counts as quiet; NULL: nothing new to read
    created_at           timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at           timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX sessions_read_due ON sessions (read_due_at) WHERE read_due_at IS NOT NULL;
CREATE INDEX sessions_customer ON sessions (tenant_id, customer_id, created_at, id);

CREATE TABLE session_turns (
    tenant_id    uuid NOT NULL,
    session_id   uuid NOT NULL,
    turn_index   integer NOT NULL CHECK (turn_index >= 0),
    speaker      text NOT NULL CHECK (speaker IN ('customer', 'agent')),
    text         bytea NOT NULL, -- sealed
    operation_id uuid NOT NULL,
    accepted_at  timestamptz NOT NULL, -- turns are read in this order
    said_at      timestamptz NOT NULL, -- the time of the turn; its acceptance if the caller gave none
    added_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, session_id, turn_index),
    FOREIGN KEY (tenant_id, session_id) REFERENCES sessions (tenant_id, id)
);

-- The embedding of an exchange (a turn of the customer with the agent's turn before it) by one model. It is created when a
-- conversation exceeds the model's limit, and kept, because turns do not change. A search is exact, within one session.
CREATE TABLE session_turn_embeddings (
    tenant_id  uuid NOT NULL,
    session_id uuid NOT NULL,
    turn_index integer NOT NULL,
    model      text NOT NULL,
    embedding  vector(512) NOT NULL, -- vault.EmbeddingDimensions
    PRIMARY KEY (tenant_id, session_id, model, turn_index),
    FOREIGN KEY (tenant_id, session_id, turn_index) REFERENCES session_turns (tenant_id, session_id, turn_index) ON DELETE CASCADE
);

-- One row per gap fill, with the id of its operation. The results by field are in gap_fill_items.
CREATE TABLE gap_fills (
    operation_id         uuid PRIMARY KEY REFERENCES operations (id) ON DELETE CASCADE,
    tenant_id            uuid NOT NULL REFERENCES tenants (id),
    customer_id          uuid NOT NULL,
    scenario_id          uuid NOT NULL,
    session_id           uuid, -- the conversation that it reads
    conversation_read_at timestamptz,
    read_to              integer NOT NULL DEFAULT -1, -- index of the last turn that was read
    read_fields          text[] NOT NULL DEFAULT '{}', -- fields that this reading covered; none if it failed
    candidates           bytea, -- sealed: all values that the model found, for fields that are needed later
    model_calls          integer NOT NULL DEFAULT 0,
    warnings             text[] NOT NULL DEFAULT '{}',
    cancelled_at         timestamptz, -- no more questions are asked
    started_at           timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at             timestamptz
);
CREATE INDEX gap_fills_tenant ON gap_fills (tenant_id, operation_id);
CREATE INDEX gap_fills_customer ON gap_fills (tenant_id, customer_id) WHERE ended_at IS NULL;
CREATE INDEX gap_fills_session ON gap_fills (tenant_id, session_id) WHERE session_id IS NOT NULL;

-- Changes that an unended gap fill has not seen yet. The transaction of a change adds a row; the fill deletes its rows
-- before it reads its state. So no change is missed, whatever happens to the run of the fill. Rows are only added, so
-- that a writer and a fill never wait for each other.
CREATE TABLE fill_wakeups (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    fill_id   uuid NOT NULL,
    pushes    integer NOT NULL DEFAULT 0,
    next_at   timestamptz NOT NULL DEFAULT clock_timestamp() -- the fill is pushed if the row still exists
);
CREATE INDEX fill_wakeups_fill ON fill_wakeups (fill_id);
CREATE INDEX fill_wakeups_next ON fill_wakeups (tenant_id, next_at);

CREATE TABLE gap_fill_items (
    fill_id               uuid NOT NULL REFERENCES gap_fills (operation_id) ON DELETE CASCADE,
    tenant_id             uuid NOT NULL REFERENCES tenants (id),
    field_name            text NOT NULL,
    source                text NOT NULL DEFAULT '', -- profile, session, conversation, customer
    write_id              uuid,                     -- the write-value operation that stores the value
    confidence            double precision NOT NULL DEFAULT 0,
    requires_confirmation boolean NOT NULL DEFAULT false,
    action                text NOT NULL DEFAULT '', -- the reason that the field is unfilled
    errors                text[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (fill_id, field_name)
);
CREATE INDEX gap_fill_items_tenant ON gap_fill_items (tenant_id, fill_id);

CREATE TABLE questions (
    id                  uuid PRIMARY KEY,
    tenant_id           uuid NOT NULL REFERENCES tenants (id),
    fill_id             uuid NOT NULL,
    customer_id         uuid NOT NULL,
    agent_id            uuid NOT NULL,
    scenario_id         uuid NOT NULL,
    field_name          text NOT NULL,
    kind                text NOT NULL DEFAULT 'value' CHECK (kind IN ('value', 'confirm')),
    candidate           jsonb, -- the value to confirm; NULL if only the item may hold it (PII)
    item_id             uuid,  -- the stored value to confirm; NULL if it was not stored
    prompt              text NOT NULL,
    reason              text NOT NULL DEFAULT '', -- the reason that it is asked again, without values
    rejection           text NOT NULL DEFAULT '', -- why the answer is not taken, in words for the customer, without values
    attempt             integer NOT NULL CHECK (attempt > 0),
    status              text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'answered', 'denied', 'refused', 'rejected', 'expired', 'cancelled')),
    answer_operation_id uuid, -- the answer that closed the question
    answered_on         text NOT NULL DEFAULT '', -- the channel of that answer, if it named one
    channels            text[] NOT NULL DEFAULT '{}', -- the channels on which it may be asked; none: on each
    claimed_by          text NOT NULL DEFAULT '', -- the channel that asks it until claimed_until
    claimed_until       timestamptz,
    opened_at           timestamptz NOT NULL DEFAULT clock_timestamp(),
    deadline_at         timestamptz NOT NULL,
    closed_at           timestamptz,
    UNIQUE (fill_id, field_name, attempt),
    CHECK ((kind = 'confirm') = (candidate IS NOT NULL OR item_id IS NOT NULL))
);
-- A gap fill asks one question at a time.
CREATE UNIQUE INDEX questions_open ON questions (fill_id) WHERE status = 'open';
CREATE INDEX questions_customer ON questions (tenant_id, customer_id) WHERE status = 'open';
CREATE INDEX questions_scenario ON questions (tenant_id, customer_id, scenario_id);
CREATE INDEX questions_answer ON questions (tenant_id, answer_operation_id) WHERE answer_operation_id IS NOT NULL;

-- +goose Down
DROP TABLE questions;
DROP TABLE fill_wakeups;
DROP TABLE gap_fill_items;
DROP TABLE gap_fills;
DROP TABLE session_turn_embeddings;
DROP TABLE session_turns;
DROP TABLE sessions;
