-- Locks a requirement for its review. Index: primary key.
-- name: LockRequirement :one
SELECT *
FROM requirements
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id)
  AND deleted_at IS NULL
FOR UPDATE;

-- Locks a definition for its review. Index: primary key.
-- name: LockDefinition :one
SELECT *
FROM definitions
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id)
  AND deleted_at IS NULL
FOR UPDATE;

-- Stores the review of a requirement. Its time of acceptance orders it among the saves. Index: primary key.
-- name: ReviewRequirement :exec
UPDATE requirements
SET review_state = sqlc.arg(review_state),
    needs_human_review = false,
    required_level = sqlc.arg(required_level),
    fallback_action = sqlc.arg(fallback_action),
    when_condition = sqlc.arg(when_condition),
    depends_on_fields = sqlc.arg(depends_on_fields),
    collection_order = sqlc.arg(collection_order),
    operation_id = sqlc.arg(operation_id),
    accepted_at = sqlc.arg(accepted_at),
    updated_at = clock_timestamp()
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id);

-- Stores the review of a definition. Its time of acceptance orders it among the saves. Index: primary key.
-- name: ReviewDefinition :exec
UPDATE definitions
SET review_state = sqlc.arg(review_state),
    enabled = sqlc.arg(enabled),
    is_pii = coalesce(sqlc.narg(is_pii), is_pii),
    required_verification = coalesce(sqlc.narg(required_verification), required_verification),
    operation_id = sqlc.arg(operation_id),
    accepted_at = sqlc.arg(accepted_at),
    updated_at = clock_timestamp()
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id);
