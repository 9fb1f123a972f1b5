-- Gets the customer of a channel identity. Index: the unique key.
-- name: GetChannelOwner :one
SELECT i.id, i.profile_id, p.customer_id, (p.deleted_at IS NOT NULL)::bool AS profile_deleted
FROM channel_identities i
JOIN customer_profiles p ON p.id = i.profile_id
WHERE i.tenant_id = sqlc.arg(tenant_id)
  AND i.channel = sqlc.arg(channel)
  AND i.external_id = sqlc.arg(external_id);

-- Locks a channel identity until the end of the transaction. It is an advisory lock, because the row may not exist
-- yet.
-- name: LockChannel :exec
SELECT pg_advisory_xact_lock(hashtextextended(sqlc.arg(identity)::text, 0));

-- Stores a channel identity.
-- name: InsertChannel :exec
INSERT INTO channel_identities (id, tenant_id, profile_id, channel, external_id, verified, operation_id)
VALUES (
    sqlc.arg(id), sqlc.arg(tenant_id), sqlc.arg(profile_id), sqlc.arg(channel), sqlc.arg(external_id),
    sqlc.arg(verified),
    sqlc.arg(operation_id)
);

-- Links a channel identity to a profile. A change of the profile resets verified. Index: primary key.
-- name: UpdateChannel :exec
UPDATE channel_identities
SET verified = (verified AND profile_id = sqlc.arg(profile_id)) OR sqlc.arg(verified),
    linked_at = CASE WHEN profile_id = sqlc.arg(profile_id) THEN linked_at ELSE clock_timestamp() END,
    operation_id = CASE WHEN profile_id = sqlc.arg(profile_id) THEN operation_id ELSE sqlc.arg(operation_id)::uuid END,
    profile_id = sqlc.arg(profile_id)
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id);

-- Adds a consent. Consents are a log: the newest accepted one of a purpose is in force.
-- name: InsertConsent :exec
INSERT INTO consents (id, tenant_id, profile_id, purpose, granted, source, operation_id, accepted_at, expires_at)
VALUES (
    sqlc.arg(id), sqlc.arg(tenant_id), sqlc.arg(profile_id), sqlc.arg(purpose), sqlc.arg(granted), sqlc.arg(source),
    sqlc.arg(operation_id), sqlc.arg(accepted_at), sqlc.narg(expires_at)
);
