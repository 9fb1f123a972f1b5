-- name: InsertField :exec
INSERT INTO profile_fields (
    id, tenant_id, profile_id, name, value, value_type, source, source_session_id, source_scenario_id, source_step_id,
    source_item_id, source_item_type, source_metadata, status, superseded_by_id, superseded_at, verified, verification_method,
    verified_at, verified_by, confidence, requires_confirmation, collected_at, expires_at, field_definition_id, warnings,
    intent_id, accepted_at
)
VALUES (
    sqlc.arg(id), sqlc.arg(tenant_id), sqlc.arg(profile_id), sqlc.arg(name), sqlc.arg(value), sqlc.arg(value_type),
    sqlc.arg(source), sqlc.narg(source_session_id), sqlc.narg(source_scenario_id), sqlc.arg(source_step_id),
    sqlc.narg(source_item_id), sqlc.arg(source_item_type), sqlc.arg(source_metadata), sqlc.arg(status),
    sqlc.narg(superseded_by_id), sqlc.narg(superseded_at), sqlc.arg(verified), sqlc.arg(verification_method),
    sqlc.narg(verified_at), sqlc.arg(verified_by), sqlc.arg(confidence), sqlc.arg(requires_confirmation),
    sqlc.arg(collected_at), sqlc.narg(expires_at), sqlc.narg(field_definition_id), sqlc.arg(warnings), sqlc.arg(intent_id),
    sqlc.arg(accepted_at)
);

-- The versions of a field, for the placement of one more. The profile is locked. Index: profile_fields_history.
-- name: ListVersions :many
SELECT id, intent_id, accepted_at, status, superseded_by_id
FROM profile_fields
WHERE tenant_id = sqlc.arg(tenant_id)
  AND profile_id = sqlc.arg(profile_id)
  AND name = sqlc.arg(name)
  AND deleted_at IS NULL;

-- Displaces a version. Superseded outranks expired and orphaned (rule 3).
-- name: SupersedeField :exec
UPDATE profile_fields
SET status = 'superseded',
    superseded_by_id = sqlc.arg(superseded_by_id),
    superseded_at = coalesce(superseded_at, clock_timestamp()),
    updated_at = clock_timestamp()
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id);

-- Every version of one field, newest first, by the customer. Index: profile_fields_history.
-- name: ListHistory :many
SELECT f.*
FROM profile_fields f
JOIN customer_profiles p ON p.id = f.profile_id
WHERE p.tenant_id = sqlc.arg(tenant_id)
  AND p.customer_id = sqlc.arg(customer_id)
  AND p.deleted_at IS NULL
  AND f.name = sqlc.arg(name)
  AND f.deleted_at IS NULL
ORDER BY f.accepted_at DESC, f.intent_id DESC
LIMIT sqlc.arg(most);

-- A field by its id, of this tenant. Index: primary key.
-- name: GetField :one
SELECT *
FROM profile_fields
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id)
  AND deleted_at IS NULL;

-- Expires what is past its time, across tenants, a batch at a time. Index: profile_fields_expiry.
-- name: ExpireFields :many
UPDATE profile_fields
SET status = 'expired', updated_at = clock_timestamp()
WHERE id IN (
    SELECT f.id
    FROM profile_fields f
    WHERE f.status = 'active'
      AND f.deleted_at IS NULL
      AND f.expires_at <= sqlc.arg(now)
    ORDER BY f.expires_at
    LIMIT sqlc.arg(most)
    FOR UPDATE SKIP LOCKED
)
  AND status = 'active'
RETURNING id, profile_id;

-- Marks what lost its source, across tenants, a batch at a time. Index: profile_fields_source.
-- name: OrphanFields :many
UPDATE profile_fields
SET status = 'orphaned', updated_at = clock_timestamp()
WHERE id IN (
    SELECT f.id
    FROM profile_fields f
    WHERE f.status = 'active'
      AND f.deleted_at IS NULL
      AND f.source_item_id IS NOT NULL
      AND f.source_item_type IN ('profile_field', 'profile_asset')
      AND NOT EXISTS (
          SELECT 1 FROM profile_fields s WHERE s.id = f.source_item_id AND s.tenant_id = f.tenant_id AND s.deleted_at IS NULL
      )
      AND NOT EXISTS (
          SELECT 1 FROM profile_assets s WHERE s.id = f.source_item_id AND s.tenant_id = f.tenant_id AND s.deleted_at IS NULL
      )
    LIMIT sqlc.arg(most)
    FOR UPDATE OF f SKIP LOCKED
)
  AND status = 'active'
RETURNING id, profile_id;

-- Bumps the profiles that a sweep touched, in the sweep's own transaction.
-- name: BumpProfiles :many
UPDATE customer_profiles p
SET version = p.version + 1, updated_at = clock_timestamp()
FROM (
    SELECT c.id
    FROM customer_profiles c
    WHERE c.id = ANY (sqlc.arg(ids)::uuid[])
    ORDER BY c.id
    FOR UPDATE
) touched
WHERE p.id = touched.id
RETURNING p.tenant_id, p.customer_id, p.version;
