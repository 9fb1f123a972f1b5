-- Creates a gap fill unless it exists. Index: primary key.
-- name: EnsureGapFill :exec
INSERT INTO gap_fills (operation_id, tenant_id, customer_id, scenario_id, session_id)
VALUES (
    sqlc.arg(operation_id), sqlc.arg(tenant_id), sqlc.arg(customer_id), sqlc.arg(scenario_id), sqlc.narg(session_id)
)
ON CONFLICT (operation_id) DO NOTHING;

-- Gets a gap fill. Index: primary key.
-- name: GetGapFill :one
SELECT *
FROM gap_fills
WHERE tenant_id = sqlc.arg(tenant_id)
  AND operation_id = sqlc.arg(operation_id);

-- Reports whether a gap fill has read its conversation, and the customer said nothing since. Indexes: primary keys.
-- name: HasReadConversation :one
SELECT EXISTS (
    SELECT 1
    FROM gap_fills f
    WHERE f.tenant_id = sqlc.arg(tenant_id)
      AND f.operation_id = sqlc.arg(operation_id)
      AND f.conversation_read_at IS NOT NULL
      AND NOT EXISTS (
          SELECT 1
          FROM session_turns t
          WHERE t.tenant_id = f.tenant_id
            AND t.session_id = f.session_id
            AND t.turn_index > f.read_to
            AND t.speaker = 'customer'
      )
) AS has_read;

-- Stores the result of reading the conversation up to the turn read_to. Of two readings of the same turns the first
-- wins. Without candidates the earlier ones stay. Index: primary key.
-- name: MarkConversationRead :exec
UPDATE gap_fills
SET conversation_read_at = clock_timestamp(),
    read_to = sqlc.arg(read_to),
    read_fields = sqlc.arg(read_fields),
    candidates = coalesce(sqlc.narg(candidates), candidates),
    model_calls = model_calls + sqlc.arg(model_calls),
    warnings = ARRAY(SELECT DISTINCT unnest(warnings || sqlc.arg(warnings)::text[]))
WHERE tenant_id = sqlc.arg(tenant_id)
  AND operation_id = sqlc.arg(operation_id)
  AND (conversation_read_at IS NULL OR read_to < sqlc.arg(read_to));

-- Lists the fields that gap fills read in a session, each with the last turn that such a reading covered. Index:
-- gap_fills_session.
-- name: ListFieldsRead :many
SELECT field::text AS field_name, max(f.read_to)::int AS read_to
FROM gap_fills f, unnest(f.read_fields) AS field
WHERE f.tenant_id = sqlc.arg(tenant_id)
  AND f.session_id = sqlc.arg(session_id)
GROUP BY field;

-- Lists the items of a gap fill. Index: primary key.
-- name: ListGapItems :many
SELECT *
FROM gap_fill_items
WHERE tenant_id = sqlc.arg(tenant_id)
  AND fill_id = sqlc.arg(fill_id)
ORDER BY field_name;

-- Stores the result for one field of a gap fill. Index: primary key.
-- name: UpsertGapItem :exec
INSERT INTO gap_fill_items (
    fill_id, tenant_id, field_name, source, write_id, confidence, requires_confirmation, action, errors
)
VALUES (
    sqlc.arg(fill_id), sqlc.arg(tenant_id), sqlc.arg(field_name), sqlc.arg(source), sqlc.narg(write_id),
    sqlc.arg(confidence),
    sqlc.arg(requires_confirmation), sqlc.arg(action), sqlc.arg(errors)
)
ON CONFLICT (fill_id, field_name) DO UPDATE
SET source = excluded.source,
    write_id = excluded.write_id,
    confidence = excluded.confidence,
    requires_confirmation = excluded.requires_confirmation,
    action = excluded.action,
    errors = excluded.errors;

-- Lists the writes of a gap fill with their outcomes. Index: operations_parent.
-- name: ListChildOperations :many
SELECT id, workflow, status, result, error
FROM operations
WHERE tenant_id = sqlc.arg(tenant_id)
  AND parent_id = sqlc.arg(parent_id)::uuid
ORDER BY accepted_at;

-- Cancels a gap fill: it asks no more questions. Index: primary key.
-- name: CancelGapFill :execrows
UPDATE gap_fills
SET cancelled_at = clock_timestamp()
WHERE tenant_id = sqlc.arg(tenant_id)
  AND operation_id = sqlc.arg(operation_id)
  AND cancelled_at IS NULL;

-- Ends a gap fill: nothing wakes it any more. Index: primary key.
-- name: EndGapFill :exec
UPDATE gap_fills
SET ended_at = clock_timestamp()
WHERE tenant_id = sqlc.arg(tenant_id)
  AND operation_id = sqlc.arg(operation_id)
  AND ended_at IS NULL;

-- Lets one gap fill at a time ask a customer for a scenario, until the end of the transaction.
-- name: LockAsking :exec
SELECT pg_advisory_xact_lock(
    hashtextextended(
        sqlc.arg(tenant_id)::uuid::text || sqlc.arg(customer_id)::uuid::text || sqlc.arg(scenario_id)::uuid::text, 0
    )
);

-- Removes a gap fill with its results. Index: primary key.
-- name: DeleteGapFill :exec
DELETE FROM gap_fills
WHERE tenant_id = sqlc.arg(tenant_id)
  AND operation_id = sqlc.arg(operation_id);

-- Gets the oldest gap fill of a customer and a scenario that has not ended. customers are the customer and those merged
-- with it. Index: gap_fills_customer.
-- name: FindRunningFill :one
SELECT *
FROM gap_fills
WHERE tenant_id = sqlc.arg(tenant_id)
  AND customer_id = ANY (sqlc.arg(customers)::uuid[])
  AND scenario_id = sqlc.arg(scenario_id)
  AND ended_at IS NULL
  AND cancelled_at IS NULL
ORDER BY started_at, operation_id
LIMIT 1;

-- Lists the fields about which the ended gap fills of a session and a scenario decided that they stay unfilled. Indexes:
-- gap_fills_session, primary key.
-- name: ListDecidedFields :many
SELECT DISTINCT i.field_name
FROM gap_fills f
JOIN gap_fill_items i ON i.fill_id = f.operation_id
WHERE f.tenant_id = sqlc.arg(tenant_id)
  AND f.session_id = sqlc.arg(session_id)::uuid
  AND f.scenario_id = sqlc.arg(scenario_id)
  AND f.ended_at IS NOT NULL
  AND i.action <> '';
