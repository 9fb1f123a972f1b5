-- Creates an API key of a tenant. Only the hash of the key is stored.
-- name: CreateAPIKey :exec
INSERT INTO api_keys (id, tenant_id, name, key_hash, scopes, sources, purpose, pii, expires_at)
VALUES (
    sqlc.arg(id), sqlc.arg(tenant_id), sqlc.arg(name), sqlc.arg(key_hash), sqlc.arg(scopes),
    coalesce(sqlc.arg(sources)::text[], '{}'), sqlc.arg(purpose), NOT sqlc.arg(masked)::boolean,
    sqlc.narg(expires_at)
);

-- Finds the API key of a request by its hash, in any tenant. It returns revoked and expired keys too. Index: the
-- unique key on key_hash.
-- name: FindAPIKey :one
SELECT *
FROM api_keys
WHERE key_hash = sqlc.arg(key_hash);

-- Lists the keys of a tenant for `vault keys list`, without their hashes. Index: api_keys_tenant.
-- name: ListAPIKeys :many
SELECT id, name, scopes, sources, purpose, pii, created_at, expires_at, revoked_at, last_used_at
FROM api_keys
WHERE tenant_id = sqlc.arg(tenant_id)
ORDER BY created_at, id
LIMIT 1000;

-- Revokes a key. A second call keeps the time of the first. Index: primary key.
-- name: RevokeAPIKey :execrows
UPDATE api_keys
SET revoked_at = coalesce(revoked_at, clock_timestamp())
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id);

-- Records the use of a key, at most once a minute: a row update in every request would dominate its duration. Index:
-- primary key.
-- name: TouchAPIKey :exec
UPDATE api_keys
SET last_used_at = clock_timestamp()
WHERE id = sqlc.arg(id)
  AND (last_used_at IS NULL OR last_used_at < clock_timestamp() - interval '1 minute');
