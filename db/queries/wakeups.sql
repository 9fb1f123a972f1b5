-- Wakes the gap fills that read a session. Index: gap_fills_session.
-- name: WakeFillsOfSession :exec
INSERT INTO fill_wakeups (tenant_id, fill_id)
SELECT f.tenant_id, f.operation_id
FROM gap_fills f
WHERE f.tenant_id = sqlc.arg(tenant_id)
  AND f.session_id = sqlc.arg(session_id)::uuid
  AND f.ended_at IS NULL;

-- Wakes the gap fill that caused an operation. Indexes: primary keys.
-- name: WakeParentFill :execrows
INSERT INTO fill_wakeups (tenant_id, fill_id)
SELECT f.tenant_id, f.operation_id
FROM operations o
JOIN gap_fills f ON f.operation_id = o.parent_id AND f.tenant_id = o.tenant_id
WHERE o.tenant_id = sqlc.arg(tenant_id)
  AND o.id = sqlc.arg(id)
  AND f.ended_at IS NULL;

-- Deletes the wake-ups of a gap fill, which is about to read its state. Index: fill_wakeups_fill.
-- name: DeleteFillWakeups :exec
DELETE FROM fill_wakeups
WHERE tenant_id = sqlc.arg(tenant_id)
  AND fill_id = sqlc.arg(fill_id);

-- Returns the id of the last wake-up of a gap fill; 0: it has none. Index: fill_wakeups_fill.
-- name: LastFillWakeup :one
SELECT coalesce(max(id), 0)::bigint AS id
FROM fill_wakeups
WHERE tenant_id = sqlc.arg(tenant_id)
  AND fill_id = sqlc.arg(fill_id);

-- Deletes the wake-ups of a gap fill up to an id. Index: fill_wakeups_fill.
-- name: DeleteServedWakeups :exec
DELETE FROM fill_wakeups
WHERE tenant_id = sqlc.arg(tenant_id)
  AND fill_id = sqlc.arg(fill_id)
  AND id <= sqlc.arg(last_id);

-- Claims the gap fills to wake, of one tenant or of all, and counts one more push of each. A fill that was pushed for
-- an earlier change and has not started is not pushed again: its run will see this change too. If the wake-up still
-- exists later, the run is lost: 10 seconds after the first push, then after double the time, up to 1 minute.
-- Indexes: fill_wakeups_next, fill_wakeups_fill, primary key of operations.
-- name: ClaimWakeups :many
WITH due AS (
    SELECT w.id, w.fill_id
    FROM fill_wakeups w
    WHERE (w.tenant_id = sqlc.narg(tenant_id) OR sqlc.narg(tenant_id) IS NULL)
      AND w.next_at <= clock_timestamp()
      AND NOT EXISTS (
          SELECT 1
          FROM fill_wakeups n
          WHERE n.fill_id = w.fill_id
            AND n.next_at > clock_timestamp()
      )
    ORDER BY w.next_at
    LIMIT sqlc.arg(max_rows)
    FOR UPDATE SKIP LOCKED
), pushed AS (
    UPDATE fill_wakeups w
    SET pushes = w.pushes + 1,
        next_at = clock_timestamp()
            + least(interval '10 seconds' * power(2, least(w.pushes, 10)), interval '1 minute')
    FROM due
    WHERE w.id = due.id
)
UPDATE operations o
SET attempts = o.attempts + 1,
    enqueued_at = clock_timestamp(),
    due_at = clock_timestamp() + sqlc.arg(due_after)::interval
WHERE o.id IN (SELECT due.fill_id FROM due)
  AND o.status IN ('accepted', 'applied')
RETURNING o.*;

-- Deletes the wake-ups of gap fills that have ended, across tenants. Index: primary key of operations.
-- name: PurgeWakeups :exec
DELETE FROM fill_wakeups w
WHERE coalesce((SELECT o.status FROM operations o WHERE o.id = w.fill_id), 'failed') IN ('succeeded', 'failed');
