-- Creates a tenant unless it exists. Index: primary key.
-- name: CreateTenant :execrows
INSERT INTO tenants (id, name)
VALUES (sqlc.arg(id), sqlc.arg(name))
ON CONFLICT (id) DO NOTHING;

-- Lists the tenants for `vault tenants list`.
-- name: ListTenants :many
SELECT *
FROM tenants
ORDER BY created_at
LIMIT 1000;
