-- +goose Up
-- A UUIDv7: ids of the audit sort by time, to the quarter of a microsecond (RFC 9562, section 6.2, method 3).
-- +goose StatementBegin
CREATE FUNCTION new_audit_id() RETURNS uuid
    LANGUAGE sql
    VOLATILE
AS $$
    SELECT encode(
        overlay(
            uuid_send(gen_random_uuid())
            PLACING int8send(((us / 1000) << 16) | x'7000'::bigint | ((us % 1000) * 4096 / 1000))
            FROM 1 FOR 8
        ), 'hex')::uuid
    FROM floor(extract(epoch FROM clock_timestamp()) * 1000000) AS e(at), LATERAL (SELECT at::bigint) AS u(us)
$$;
-- +goose StatementEnd

-- Who did what to whom, without values. Rows are only added: the roles of the vault may neither update nor delete them.
-- They outlive the customer, and no foreign key binds them to anything.
CREATE TABLE audit_entries (
    tenant_id    uuid NOT NULL,
    id           uuid NOT NULL DEFAULT new_audit_id(),
    -- The transaction that wrote it. seal-audit closes an interval below the oldest transaction that is still open.
    xact         bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint),
    at           timestamptz NOT NULL DEFAULT clock_timestamp(),
    action       text NOT NULL CHECK (action IN (
        'accepted', 'forced', 'applied', 'rejected', 'replayed', 'read', 'exported', 'erased', 'key_created', 'key_revoked'
    )),
    actor        text NOT NULL,            -- of vault.Actor
    operation    text NOT NULL,            -- the name of the workflow, of the read or of the command
    operation_id uuid,                     -- of a change
    subject      text NOT NULL DEFAULT '', -- the id of the customer, or of another thing that it is about
    fields       text[] NOT NULL DEFAULT '{}',
    purpose      text NOT NULL DEFAULT '', -- of a read
    code         text NOT NULL DEFAULT '', -- of a rejection; the decision of a review
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX audit_entries_subject ON audit_entries (tenant_id, subject, id);
CREATE INDEX audit_entries_xact ON audit_entries (tenant_id, xact);

-- A seal closes an interval of the audit: it lists the entries with their hashes, and is chained to the seal before it.
CREATE TABLE audit_seals (
    tenant_id   uuid NOT NULL,
    number      bigint NOT NULL CHECK (number > 0), -- 1, 2, 3 …
    closed_at   timestamptz NOT NULL,
    cluster     text NOT NULL,   -- the system identifier of the database server: transaction numbers are its own
    from_xact   bigint NOT NULL, -- the interval: transactions from here
    to_xact     bigint NOT NULL, -- up to this one, excluded
    entry_ids   uuid[] NOT NULL,
    leaf_hashes bytea NOT NULL,  -- 32 bytes for each entry, in the order of entry_ids
    root        bytea NOT NULL,  -- of the Merkle tree of RFC 6962 over the entries
    previous    bytea NOT NULL,  -- hash of the seal before it; empty: it is the first
    hash        bytea NOT NULL,  -- of all of the above
    PRIMARY KEY (tenant_id, number)
);

-- The system identifier of the database server, which a restored dump does not bring along.
CREATE FUNCTION audit_cluster() RETURNS text
    LANGUAGE sql
    STABLE
RETURN (SELECT system_identifier::text FROM pg_control_system());

-- +goose Down
DROP FUNCTION audit_cluster();
DROP TABLE audit_seals;
DROP TABLE audit_entries;
DROP FUNCTION new_audit_id();
