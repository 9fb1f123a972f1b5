-- Creates an API key of a tenant, and records it in the audit. Only the hash of the key is stored. A second call with
-- the same id changes nothing and records nothing. vault_app may not write this table.
-- name: CreateAPIKey :exec
WITH created AS (
    INSERT INTO api_keys (id, tenant_id, name, key_hash, scopes, sources, agents, purpose, pii, expires_at)
    VALUES (
        sqlc.arg(id), sqlc.arg(tenant_id), sqlc.arg(name), sqlc.arg(key_hash), sqlc.arg(scopes),
        coalesce(sqlc.arg(sources)::text[], '{}'), coalesce(sqlc.arg(agents)::uuid[], '{}'), sqlc.arg(purpose), NOT sqlc.arg(masked)::boolean,
        sqlc.narg(expires_at)
    )
    ON CONFLICT (id) DO NOTHING
    RETURNING id, tenant_id
)
INSERT INTO audit_entries (tenant_id, action, actor, operation, subject)
SELECT c.tenant_id, 'key_created', sqlc.arg(actor), sqlc.arg(operation), c.id::text
FROM created c;

-- Finds the API key of a request by its hash, in any tenant. It returns revoked and expired keys too. Index: the
-- unique key on key_hash.
-- name: FindAPIKey :one
SELECT *
FROM api_keys
WHERE key_hash = sqlc.arg(key_hash);

-- Lists the keys of a tenant for `vault keys list`, without their hashes. Index: api_keys_tenant.
-- name: ListAPIKeys :many
SELECT id, name, scopes, sources, agents, purpose, pii, created_at, expires_at, revoked_at, last_used_at
FROM api_keys
WHERE tenant_id = sqlc.arg(tenant_id)
ORDER BY created_at, id
LIMIT 1000;

-- Returns a page of the keys of a tenant, newest first, without their hashes. after_id is the last id of the previous
-- page; null: the first page. Index: api_keys_tenant.
-- name: PageAPIKeys :many
SELECT id, name, scopes, sources, agents, purpose, pii, created_at, expires_at, revoked_at, last_used_at
FROM api_keys
WHERE tenant_id = sqlc.arg(tenant_id)
  AND (sqlc.narg(after_id)::uuid IS NULL OR id < sqlc.narg(after_id))
ORDER BY id DESC
LIMIT sqlc.arg(max_rows);

-- Revokes a key, and records it in the audit. A second call keeps the time of the first and records nothing. Index:
-- primary key.
-- name: RevokeAPIKey :execrows
WITH found AS (
    SELECT k.id, k.tenant_id, k.revoked_at
    FROM api_keys k
    WHERE k.tenant_id = sqlc.arg(tenant_id)
      AND k.id = sqlc.arg(id)
    FOR UPDATE
), audited AS (
    INSERT INTO audit_entries (tenant_id, action, actor, operation, subject)
    SELECT f.tenant_id, 'key_revoked', sqlc.arg(actor), sqlc.arg(operation), f.id::text
    FROM found f
    WHERE f.revoked_at IS NULL
)
UPDATE api_keys k
SET revoked_at = coalesce(k.revoked_at, clock_timestamp())
FROM found f
WHERE k.id = f.id;

-- Records the use of a key, at most once a minute: a row update in every request would dominate its duration. Index:
-- primary key.
-- name: TouchAPIKey :exec
UPDATE api_keys
SET last_used_at = clock_timestamp()
WHERE id = sqlc.arg(id)
  AND (last_used_at IS NULL OR last_used_at < clock_timestamp() - interval '1 minute');
