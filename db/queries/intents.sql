-- Accepts a change, unless its key was accepted before: then no row comes back. Index: the unique key.
-- name: InsertIntent :one
INSERT INTO intents (id, tenant_id, workflow, event, subject, idempotency_key, parent_id, payload, due_at)
VALUES (
    sqlc.arg(id), sqlc.arg(tenant_id), sqlc.arg(workflow), sqlc.arg(event), sqlc.arg(subject), sqlc.arg(idempotency_key),
    sqlc.narg(parent_id), sqlc.arg(payload), clock_timestamp() + sqlc.arg(due_after)::interval
)
ON CONFLICT (tenant_id, workflow, idempotency_key) DO NOTHING
RETURNING *;

-- The intent that took a key first. Index: the unique key.
-- name: GetIntentByKey :one
SELECT *
FROM intents
WHERE tenant_id = sqlc.arg(tenant_id)
  AND workflow = sqlc.arg(workflow)
  AND idempotency_key = sqlc.arg(idempotency_key);

-- How a change went. Index: primary key.
-- name: GetIntent :one
SELECT *
FROM intents
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id);

-- Steps of one intent take turns on this lock, so that its effect happens once.
-- name: LockIntent :one
SELECT *
FROM intents
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id)
FOR UPDATE;

-- Keeps what one step found for the next. Sealed.
-- name: SetIntentPrepared :exec
UPDATE intents
SET prepared = sqlc.arg(prepared)
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id);

-- The proof of the effect: committed in the transaction of the effect itself.
-- name: MarkIntentApplied :exec
UPDATE intents
SET status = 'applied', result = sqlc.arg(result), error = NULL, prepared = NULL, applied_at = clock_timestamp(), finished_at = NULL
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id);

-- No reader sees the old value any more. The first time wakes whoever waits.
-- name: MarkIntentSucceeded :execrows
UPDATE intents
SET status = 'succeeded', finished_at = clock_timestamp()
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id)
  AND status = 'applied';

-- A change that was rejected. One that was applied stays applied, and one that was rejected for the same reason stays as it is.
-- name: MarkIntentFailed :execrows
UPDATE intents
SET status = 'failed', error = sqlc.arg(error)::jsonb, prepared = NULL, finished_at = clock_timestamp()
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id)
  AND status IN ('accepted', 'failed')
  AND error IS DISTINCT FROM sqlc.arg(error)::jsonb;

-- Tells the listeners, at commit, that an outcome is known. The payload is the id alone.
-- name: NotifyIntent :exec
SELECT pg_notify('vault_intents', sqlc.arg(id)::text);

-- An operator replays a rejected change: it is owed again until it is applied.
-- name: ReopenIntent :execrows
UPDATE intents
SET status = 'accepted', error = NULL, finished_at = NULL, due_at = clock_timestamp() + sqlc.arg(due_after)::interval
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id)
  AND status = 'failed';

-- The workflow engine has it; unless it finishes in due time the relay pushes it again.
-- name: MarkIntentEnqueued :exec
UPDATE intents
SET enqueued_at = clock_timestamp(), attempts = attempts + 1, due_at = clock_timestamp() + sqlc.arg(due_after)::interval
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id);

-- A wait for a person moves the time at which the relay would think the run lost.
-- name: PostponeIntent :exec
UPDATE intents
SET due_at = greatest(due_at, sqlc.arg(due_at))
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id);

-- Claims what is due, across tenants. The claim is a lease: when the pusher dies, it is due again. Several relays share the
-- work by SKIP LOCKED. Each attempt doubles the time to the next, from 5 minutes to 1 hour. Index: intents_due.
-- name: ClaimDueIntents :many
WITH due AS (
    SELECT id
    FROM intents
    WHERE status IN ('accepted', 'applied')
      AND due_at <= clock_timestamp()
    ORDER BY due_at
    LIMIT sqlc.arg(most)
    FOR UPDATE SKIP LOCKED
)
UPDATE intents i
SET attempts = i.attempts + 1,
    enqueued_at = clock_timestamp(),
    due_at = clock_timestamp() + least(interval '5 minutes' * power(2, least(i.attempts, 10)), interval '1 hour')
FROM due
WHERE i.id = due.id
RETURNING i.id, i.tenant_id, i.event, i.subject;

-- The engine drops an event that no workflow is registered for, so what was pushed before the very first worker came is lost to
-- it. Where nothing was ever carried out, all that is accepted is due at once.
-- name: HurryFirstIntents :execrows
UPDATE intents
SET due_at = clock_timestamp()
WHERE status = 'accepted'
  AND enqueued_at IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM intents o WHERE o.status <> 'accepted');

-- The push did not reach the engine: due again soon. It was no attempt, or the next lease would grow with every look at an
-- engine that is down.
-- name: ReleaseIntents :exec
UPDATE intents
SET attempts = attempts - 1,
    due_at = clock_timestamp() + sqlc.arg(due_after)::interval
WHERE id = ANY (sqlc.arg(ids)::uuid[])
  AND status IN ('accepted', 'applied');

-- Removes what finished before its retention, in batches. Failed ones are kept longer: they may be replayed. Index: intents_finished.
-- name: PurgeIntents :execrows
DELETE FROM intents
WHERE id = ANY (ARRAY(
    SELECT i.id
    FROM intents i
    WHERE (i.status = 'succeeded' AND i.finished_at < sqlc.arg(succeeded_before))
       OR (i.status = 'failed' AND i.finished_at < sqlc.arg(failed_before))
    LIMIT sqlc.arg(most)
    FOR UPDATE SKIP LOCKED
));
