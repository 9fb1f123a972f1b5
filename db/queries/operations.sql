-- Accepts a change, unless its key was accepted before: then no row comes back. Index: the unique key.
-- name: InsertOperation :one
INSERT INTO operations (id, tenant_id, workflow, event, subject, idempotency_key, parent_id, payload, due_at)
VALUES (
    sqlc.arg(id), sqlc.arg(tenant_id), sqlc.arg(workflow), sqlc.arg(event), sqlc.arg(subject), sqlc.arg(idempotency_key),
    sqlc.narg(parent_id), sqlc.arg(payload), clock_timestamp() + sqlc.arg(due_after)::interval
)
ON CONFLICT (tenant_id, workflow, idempotency_key) DO NOTHING
RETURNING *;

-- The operation that took a key first. Index: the unique key.
-- name: GetOperationByKey :one
SELECT *
FROM operations
WHERE tenant_id = sqlc.arg(tenant_id)
  AND workflow = sqlc.arg(workflow)
  AND idempotency_key = sqlc.arg(idempotency_key);

-- How a change went. Index: primary key.
-- name: GetOperation :one
SELECT *
FROM operations
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id);

-- Steps of one operation take turns on this lock, so that its effect happens once.
-- name: LockOperation :one
SELECT *
FROM operations
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id)
FOR UPDATE;

-- Keeps what one step found for the next. Sealed.
-- name: SetOperationPrepared :exec
UPDATE operations
SET prepared = sqlc.arg(prepared)
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id);

-- The proof of the effect: committed in the transaction of the effect itself.
-- name: MarkOperationApplied :exec
UPDATE operations
SET
    status = 'applied',
    result = sqlc.arg(result),
    touched_profiles = sqlc.arg(touched_profiles),
    touched_pending = sqlc.arg(touched_pending),
    error = NULL,
    prepared = NULL,
    applied_at = clock_timestamp(),
    finished_at = NULL
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id);

-- No reader sees the old value any more. The first time wakes whoever waits.
-- name: MarkOperationSucceeded :execrows
UPDATE operations
SET status = 'succeeded', finished_at = clock_timestamp()
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id)
  AND status = 'applied';

-- A change that was rejected. One that was applied stays applied, and one that was rejected for the same reason stays as it is.
-- name: MarkOperationFailed :execrows
UPDATE operations
SET status = 'failed', error = sqlc.arg(error)::jsonb, prepared = NULL, finished_at = clock_timestamp()
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id)
  AND status IN ('accepted', 'failed')
  AND error IS DISTINCT FROM sqlc.arg(error)::jsonb;

-- Tells the listeners, at commit, that an outcome is known. The payload is the id alone.
-- name: NotifyOperation :exec
SELECT pg_notify('vault_operations', sqlc.arg(id)::text);

-- An operator replays a rejected change: it is owed again until it is applied.
-- name: ReopenOperation :execrows
UPDATE operations
SET status = 'accepted', error = NULL, finished_at = NULL, due_at = clock_timestamp() + sqlc.arg(due_after)::interval
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id)
  AND status = 'failed';

-- The workflow engine has it; unless it finishes in due time the relay pushes it again.
-- name: MarkOperationEnqueued :exec
UPDATE operations
SET enqueued_at = clock_timestamp(), attempts = attempts + 1, due_at = clock_timestamp() + sqlc.arg(due_after)::interval
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id);

-- A wait for a person moves the time at which the relay would think the run lost.
-- name: PostponeOperation :exec
UPDATE operations
SET due_at = greatest(due_at, sqlc.arg(due_at))
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id);

-- Claims what is due, across tenants. The claim is a lease: when the pusher dies, it is due again. Several relays share the
-- work by SKIP LOCKED. Each attempt doubles the time to the next, from 5 minutes to 1 hour. Index: operations_due.
-- name: ClaimDueOperations :many
WITH due AS (
    SELECT id
    FROM operations
    WHERE status IN ('accepted', 'applied')
      AND due_at <= clock_timestamp()
    ORDER BY due_at
    LIMIT sqlc.arg(most)
    FOR UPDATE SKIP LOCKED
)
UPDATE operations i
SET attempts = i.attempts + 1,
    enqueued_at = clock_timestamp(),
    due_at = clock_timestamp() + least(interval '5 minutes' * power(2, least(i.attempts, 10)), interval '1 hour')
FROM due
WHERE i.id = due.id
RETURNING i.id, i.tenant_id, i.event, i.subject;

-- The engine drops an event that no workflow is registered for, so what was pushed before the very first worker came is lost to
-- it. Where nothing was ever carried out, all that is accepted is due at once. Indexes: operations_finished, operations_due.
-- name: RequeueFirstOperations :execrows
UPDATE operations
SET due_at = clock_timestamp()
WHERE status = 'accepted'
  AND enqueued_at IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM operations o WHERE o.status IN ('succeeded', 'failed'));

-- The push did not reach the engine: due again soon. It was no attempt, or the next lease would grow with every look at an
-- engine that is down.
-- name: ReleaseOperations :exec
UPDATE operations
SET attempts = attempts - 1,
    due_at = clock_timestamp() + sqlc.arg(due_after)::interval
WHERE id = ANY (sqlc.arg(ids)::uuid[])
  AND status IN ('accepted', 'applied');

-- Removes what finished before its retention, in batches. Failed ones are kept longer: they may be replayed. Index: operations_finished.
-- name: PurgeOperations :execrows
DELETE FROM operations
WHERE id = ANY (ARRAY(
    SELECT i.id
    FROM operations i
    WHERE (i.status = 'succeeded' AND i.finished_at < sqlc.arg(succeeded_before))
       OR (i.status = 'failed' AND i.finished_at < sqlc.arg(failed_before))
    LIMIT sqlc.arg(most)
    FOR UPDATE SKIP LOCKED
));
