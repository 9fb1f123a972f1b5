-- Reads the key of a tenant. Index: primary key.
-- name: GetTenantKey :one
SELECT *
FROM tenant_keys
WHERE tenant_id = sqlc.arg(tenant_id);

-- Adds the key of a tenant that has none. Index: primary key.
-- name: AddTenantKey :exec
INSERT INTO tenant_keys (tenant_id, sealed, sealed_by, primary_id)
VALUES (sqlc.arg(tenant_id), sqlc.arg(sealed), sqlc.arg(sealed_by), sqlc.arg(primary_id))
ON CONFLICT (tenant_id) DO NOTHING;

-- Reads the key of a tenant and locks it against changes. Index: primary key.
-- name: ShareTenantKey :one
SELECT *
FROM tenant_keys
WHERE tenant_id = sqlc.arg(tenant_id)
FOR SHARE;

-- Reads the key of a tenant and locks it for a change. Keys of customers that are being added with it come first. Index:
-- primary key.
-- name: LockTenantKey :one
SELECT *
FROM tenant_keys
WHERE tenant_id = sqlc.arg(tenant_id)
FOR UPDATE;

-- Replaces the key of a tenant, which the caller has locked. Index: primary key.
-- name: SetTenantKey :exec
UPDATE tenant_keys
SET sealed = sqlc.arg(sealed),
    sealed_by = sqlc.arg(sealed_by),
    primary_id = sqlc.arg(primary_id),
    retiring = sqlc.arg(retiring),
    rotated_at = CASE WHEN primary_id = sqlc.arg(primary_id) THEN rotated_at ELSE clock_timestamp() END
WHERE tenant_id = sqlc.arg(tenant_id);

-- Lists the tenants whose key another sealing key than the primary one encrypted. It reads the keys of every tenant.
-- name: ListTenantKeysToReseal :many
SELECT tenant_id
FROM tenant_keys
WHERE sealed_by <> sqlc.arg(sealed_by)
ORDER BY tenant_id;

-- Lists the tenants whose key was made before a time and is not being rotated. It reads the keys of every tenant.
-- name: ListTenantKeysToRotate :many
SELECT tenant_id
FROM tenant_keys
WHERE rotated_at < sqlc.arg(before)
  AND retiring = '{}'
ORDER BY tenant_id;

-- Lists the tenants whose key is being rotated. It reads the keys of every tenant.
-- name: ListTenantKeysInRotation :many
SELECT tenant_id
FROM tenant_keys
WHERE retiring <> '{}'
ORDER BY tenant_id;

-- Lists keys of a tenant's customers that a key from before the rotation wrapped, and locks them. Index: customer_keys_kek.
-- name: ListKeysToRewrap :many
SELECT customer_id, wrapped, kek_id
FROM customer_keys
WHERE tenant_id = sqlc.arg(tenant_id)
  AND kek_id = ANY (sqlc.arg(retiring)::bigint[])
LIMIT sqlc.arg(max_rows)
FOR UPDATE SKIP LOCKED;

-- Replaces keys by the same ones, wrapped by the primary key of the tenant. Index: primary key.
-- name: RewrapKeys :exec
UPDATE customer_keys k
SET wrapped = n.wrapped, kek_id = sqlc.arg(kek_id)
FROM (
    SELECT
        unnest(sqlc.arg(customers)::uuid[]) AS customer_id,
        unnest(sqlc.arg(wrapped)::bytea[]) AS wrapped
) n
WHERE k.tenant_id = sqlc.arg(tenant_id)
  AND k.customer_id = n.customer_id;

-- Reports whether a key from before the rotation still wraps the key of a customer. Index: customer_keys_kek.
-- name: HasKeysToRewrap :one
SELECT EXISTS (
    SELECT 1
    FROM customer_keys
    WHERE tenant_id = sqlc.arg(tenant_id)
      AND kek_id = ANY (sqlc.arg(retiring)::bigint[])
);
