-- The profile of a customer, made at the first write. Index: the unique key.
-- name: EnsureProfile :exec
INSERT INTO customer_profiles (id, tenant_id, customer_id)
VALUES (sqlc.arg(id), sqlc.arg(tenant_id), sqlc.arg(customer_id))
ON CONFLICT (tenant_id, customer_id) DO NOTHING;

-- Writers of one profile take turns on this lock (rule 1).
-- name: LockProfile :one
SELECT *
FROM customer_profiles
WHERE tenant_id = sqlc.arg(tenant_id)
  AND customer_id = sqlc.arg(customer_id)
FOR UPDATE;

-- Every change of what a reader sees bumps the version.
-- name: BumpProfile :one
UPDATE customer_profiles
SET version = version + 1, updated_at = clock_timestamp()
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id)
RETURNING version;

-- The version a reader must see at least. Index: the unique key.
-- name: GetProfileVersion :one
SELECT version
FROM customer_profiles
WHERE tenant_id = sqlc.arg(tenant_id)
  AND customer_id = sqlc.arg(customer_id);

-- All that a reader sees of a customer, in one statement and so of one moment. Indexes: the unique key, profile_fields_active,
-- profile_assets_profile.
-- name: GetProfile :one
SELECT
    p.id,
    p.tenant_id,
    p.customer_id,
    p.version,
    p.created_at,
    p.updated_at,
    coalesce((
        SELECT jsonb_agg(to_jsonb(f))
        FROM profile_fields f
        WHERE f.profile_id = p.id AND f.status = 'active' AND f.deleted_at IS NULL
    ), '[]')::jsonb AS fields,
    coalesce((
        SELECT jsonb_agg(to_jsonb(a) ORDER BY a.uploaded_at, a.id)
        FROM profile_assets a
        WHERE a.profile_id = p.id AND a.status = 'active' AND a.deleted_at IS NULL
    ), '[]')::jsonb AS assets
FROM customer_profiles p
WHERE p.tenant_id = sqlc.arg(tenant_id)
  AND p.customer_id = sqlc.arg(customer_id)
  AND p.deleted_at IS NULL;
