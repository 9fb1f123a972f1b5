-- A key of a tenant, by its hash alone.
-- name: CreateAPIKey :exec
INSERT INTO api_keys (id, tenant_id, name, key_hash, scopes, expires_at)
VALUES (
    sqlc.arg(id), sqlc.arg(tenant_id), sqlc.arg(name), sqlc.arg(key_hash), sqlc.arg(scopes), sqlc.narg(expires_at)
);

-- The key that a request came with, of whatever tenant; a revoked or expired one too. Index: the unique key.
-- name: FindAPIKey :one
SELECT *
FROM api_keys
WHERE key_hash = sqlc.arg(key_hash);

-- For `vault keys list`, without hashes. Index: api_keys_tenant.
-- name: ListAPIKeys :many
SELECT id, name, scopes, created_at, expires_at, revoked_at, last_used_at
FROM api_keys
WHERE tenant_id = sqlc.arg(tenant_id)
ORDER BY created_at, id
LIMIT 1000;

-- A key that was revoked stays so, with the time of the first call. Index: primary key.
-- name: RevokeAPIKey :execrows
UPDATE api_keys
SET revoked_at = coalesce(revoked_at, clock_timestamp())
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id);

-- That a key was used, at most once a minute: a row written by every request would be the slowest part of it.
-- name: TouchAPIKey :exec
UPDATE api_keys
SET last_used_at = clock_timestamp()
WHERE id = sqlc.arg(id)
  AND (last_used_at IS NULL OR last_used_at < clock_timestamp() - interval '1 minute');
