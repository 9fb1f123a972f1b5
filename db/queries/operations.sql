-- Accepts operations of a tenant, and records it in the audit. pushing: the caller pushes them after the commit. It
-- returns no row for an operation whose idempotency key was accepted before. The order of the ids is the order of
-- acceptance. fields are the names of the fields that an operation changes, with commas between them. Index: the unique
-- key.
-- name: InsertOperations :many
WITH n AS (
    SELECT
        unnest(sqlc.arg(ids)::uuid[]) AS id,
        unnest(sqlc.arg(workflows)::text[]) AS workflow,
        unnest(sqlc.arg(events)::text[]) AS event,
        unnest(sqlc.arg(subjects)::text[]) AS subject,
        unnest(sqlc.arg(idempotency_keys)::text[]) AS idempotency_key,
        unnest(sqlc.arg(parent_ids)::uuid[]) AS parent_id,
        unnest(sqlc.arg(actors)::text[]) AS actor,
        unnest(sqlc.arg(forced)::boolean[]) AS forced,
        unnest(sqlc.arg(decisions)::text[]) AS decision,
        unnest(sqlc.arg(fields)::text[]) AS fields,
        unnest(sqlc.arg(payloads)::bytea[]) AS payload
), accepted AS (
    INSERT INTO operations (
        id, tenant_id, workflow, event, subject, idempotency_key, parent_id, actor, payload, attempts, enqueued_at, due_at
    )
    SELECT
        n.id, sqlc.arg(tenant_id), n.workflow, n.event, n.subject, n.idempotency_key,
        nullif(n.parent_id, '00000000-0000-0000-0000-000000000000'), n.actor, n.payload,
        sqlc.arg(pushing)::boolean::integer, CASE WHEN sqlc.arg(pushing) THEN clock_timestamp() END,
        clock_timestamp() + sqlc.arg(due_after)::interval
    FROM n
    ORDER BY n.id
    ON CONFLICT (tenant_id, workflow, idempotency_key) DO NOTHING
    RETURNING id, accepted_at, subject_id
), audited AS (
    INSERT INTO audit_entries (tenant_id, action, actor, operation, operation_id, subject, fields, code)
    SELECT
        sqlc.arg(tenant_id), CASE WHEN n.forced THEN 'forced' ELSE 'accepted' END, n.actor, n.workflow, n.id, a.subject_id,
        string_to_array(n.fields, ','), n.decision
    FROM n
    JOIN accepted a ON a.id = n.id
)
SELECT a.id, a.accepted_at
FROM accepted a
WHERE a.id = ANY (sqlc.arg(ids)::uuid[]);

-- Gets the operation of an idempotency key. Index: the unique key.
-- name: GetOperationByKey :one
SELECT *
FROM operations
WHERE tenant_id = sqlc.arg(tenant_id)
  AND workflow = sqlc.arg(workflow)
  AND idempotency_key = sqlc.arg(idempotency_key);

-- Returns an operation that no transaction has locked. Index: primary key.
-- name: GetIdleOperation :one
SELECT *
FROM operations
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id)
FOR UPDATE SKIP LOCKED;

-- Gets an operation. Index: primary key.
-- name: GetOperation :one
SELECT *
FROM operations
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id);

-- Gets many operations of a tenant. Index: primary key.
-- name: GetOperations :many
SELECT *
FROM operations
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = ANY (sqlc.arg(ids)::uuid[]);

-- Gets the states of many operations of a tenant, without their payloads. Index: primary key.
-- name: GetOperationStates :many
SELECT
    id, tenant_id, workflow, actor, parent_id, status, result, error, attempts, batch_id, accepted_at, finished_at
FROM operations
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = ANY (sqlc.arg(ids)::uuid[]);

-- Locks many operations, in the order of their ids. It works as LockOperation. Index: primary key.
-- name: LockOperations :many
SELECT *
FROM operations
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = ANY (sqlc.arg(ids)::uuid[])
ORDER BY id
FOR UPDATE;

-- Locks an operation, so that its steps run one at a time and its effect happens once. Index: primary key.
-- name: LockOperation :one
SELECT *
FROM operations
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id)
FOR UPDATE;

-- Stores the sealed result of one step for the next one. Index: primary key.
-- name: SetOperationPrepared :exec
UPDATE operations
SET prepared = sqlc.arg(prepared)
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id);

-- Marks an operation as applied, in the transaction of its effect: both commit or neither. The audit records it for the
-- customer whose profile changed, if it is one. Indexes: primary keys.
-- name: MarkOperationApplied :exec
WITH applied AS (
    UPDATE operations o
    SET
        status = 'applied',
        result = sqlc.arg(result),
        touched_profiles = sqlc.arg(touched_profiles),
        touched_pending = sqlc.arg(touched_pending),
        error = NULL,
        prepared = NULL,
        carried_by = sqlc.arg(push),
        batch_id = sqlc.narg(batch_id),
        failures = 0,
        applied_at = clock_timestamp(),
        finished_at = NULL
    WHERE o.tenant_id = sqlc.arg(tenant_id)
      AND o.id = sqlc.arg(id)
    RETURNING o.id, o.tenant_id, o.workflow, o.subject_id, o.actor, o.touched_profiles
)
INSERT INTO audit_entries (tenant_id, action, actor, operation, operation_id, subject)
SELECT
    a.tenant_id, 'applied', a.actor, a.workflow, a.id,
    coalesce(
        CASE
            WHEN cardinality(a.touched_profiles) = 1
                THEN (SELECT p.customer_id::text FROM customer_profiles p WHERE p.id = a.touched_profiles[1])
        END,
        a.subject_id
    )
FROM applied a;

-- Marks many operations as applied by one batch, each with a result and the profile that it touched. It works as
-- MarkOperationApplied. Index: primary key.
-- name: MarkOperationsApplied :exec
WITH applied AS (
    UPDATE operations o
    SET
        status = 'applied',
        result = n.result::jsonb,
        touched_profiles = ARRAY[n.profile_id],
        touched_pending = sqlc.arg(touched_pending),
        error = NULL,
        prepared = NULL,
        carried_by = n.push,
        batch_id = sqlc.narg(batch_id),
        failures = 0,
        applied_at = clock_timestamp(),
        finished_at = NULL
    FROM (
        SELECT
            unnest(sqlc.arg(ids)::uuid[]) AS id,
            unnest(sqlc.arg(results)::text[]) AS result,
            unnest(sqlc.arg(profiles)::uuid[]) AS profile_id,
            unnest(sqlc.arg(pushes)::integer[]) AS push
    ) n
    WHERE o.tenant_id = sqlc.arg(tenant_id)
      AND o.id = n.id
    RETURNING o.id, o.tenant_id, o.workflow, o.subject_id, o.actor
)
INSERT INTO audit_entries (tenant_id, action, actor, operation, operation_id, subject)
SELECT a.tenant_id, 'applied', a.actor, a.workflow, a.id, a.subject_id
FROM applied a;

-- Marks applied operations as succeeded, after the invalidation of the cache, and notifies the listeners of those that
-- were not before: the payload is a list of at most 200 ids, within the 8,000 bytes of a notification. Index: primary
-- key.
-- name: AcknowledgeOperations :exec
WITH done AS (
    UPDATE operations
    SET status = 'succeeded', finished_at = clock_timestamp()
    WHERE tenant_id = sqlc.arg(tenant_id)
      AND id = ANY (sqlc.arg(ids)::uuid[])
      AND status = 'applied'
    RETURNING id
), numbered AS (
    SELECT d.id, row_number() OVER () AS n
    FROM done d
), listed AS (
    SELECT string_agg(m.id::text, ',') AS ids
    FROM numbered m
    GROUP BY m.n / 200
)
SELECT pg_notify('vault_operations', l.ids)
FROM listed l;

-- Marks an operation as failed. It changes nothing if the operation was applied, or failed with the same error.
-- Index: primary key.
-- name: MarkOperationFailed :execrows
WITH failing AS (
    SELECT o.id, o.tenant_id, o.workflow, o.subject_id, o.actor
    FROM operations o
    WHERE o.tenant_id = sqlc.arg(tenant_id)
      AND o.id = sqlc.arg(id)
      AND o.status IN ('accepted', 'failed')
      AND o.error IS DISTINCT FROM sqlc.arg(error)::jsonb
    FOR UPDATE
), audited AS (
    INSERT INTO audit_entries (tenant_id, action, actor, operation, operation_id, subject, code)
    SELECT f.tenant_id, 'rejected', f.actor, f.workflow, f.id, f.subject_id, coalesce(sqlc.arg(error)::jsonb ->> 'code', '')
    FROM failing f
)
UPDATE operations i
SET
    status = 'failed',
    error = sqlc.arg(error)::jsonb,
    prepared = NULL,
    carried_by = sqlc.arg(push),
    batch_id = sqlc.narg(batch_id),
    finished_at = clock_timestamp()
FROM failing
WHERE i.tenant_id = failing.tenant_id
  AND i.id = failing.id;

-- Notifies the listeners, at commit, that an operation has finished. The payload is the id of the operation.
-- name: NotifyOperation :exec
SELECT pg_notify('vault_operations', sqlc.arg(id)::text);

-- Reopens a failed operation when an operator replays it or its run: the relay pushes it until it is applied. Index:
-- primary key.
-- name: ReopenOperation :one
WITH failed AS (
    SELECT o.id, o.tenant_id, o.workflow, o.subject_id
    FROM operations o
    WHERE o.tenant_id = sqlc.arg(tenant_id)
      AND o.id = sqlc.arg(id)
      AND o.status = 'failed'
    FOR UPDATE
), audited AS (
    INSERT INTO audit_entries (tenant_id, action, actor, operation, operation_id, subject)
    SELECT f.tenant_id, 'replayed', sqlc.arg(actor), f.workflow, f.id, f.subject_id
    FROM failed f
)
UPDATE operations i
SET
    status = 'accepted',
    error = NULL,
    finished_at = NULL,
    failures = 0,
    attempts = i.attempts + 1,
    enqueued_at = clock_timestamp(),
    due_at = clock_timestamp() + sqlc.arg(due_after)::interval
FROM failed
WHERE i.tenant_id = failed.tenant_id
  AND i.id = failed.id
RETURNING i.*;

-- Counts one more push of an operation that is unfinished min_age after its acceptance and its last push. Index:
-- primary key.
-- name: RepeatOperation :one
WITH unfinished AS (
    SELECT o.id, o.tenant_id, o.workflow, o.subject_id
    FROM operations o
    WHERE o.tenant_id = sqlc.arg(tenant_id)
      AND o.id = sqlc.arg(id)
      AND o.status IN ('accepted', 'applied')
      AND greatest(o.accepted_at, o.enqueued_at) < clock_timestamp() - sqlc.arg(min_age)::interval
    FOR UPDATE
), audited AS (
    INSERT INTO audit_entries (tenant_id, action, actor, operation, operation_id, subject)
    SELECT u.tenant_id, 'replayed', sqlc.arg(actor), u.workflow, u.id, u.subject_id
    FROM unfinished u
)
UPDATE operations i
SET attempts = i.attempts + 1,
    enqueued_at = clock_timestamp(),
    due_at = clock_timestamp() + sqlc.arg(due_after)::interval
FROM unfinished
WHERE i.tenant_id = unfinished.tenant_id
  AND i.id = unfinished.id
RETURNING i.*;

-- Postpones the time at which the relay considers the run lost, while a step of the run works. Index: primary key.
-- name: PostponeOperation :exec
UPDATE operations
SET due_at = greatest(due_at, clock_timestamp() + sqlc.arg(due_after)::interval)
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id);

-- Records that a step failed and the engine retries it. The lease doubles with each failure, from 30 seconds to 1
-- hour, so that the relay adds little work to an operation that keeps failing. Index: primary key.
-- name: RecordStepFailure :exec
UPDATE operations
SET failures = failures + 1,
    due_at = greatest(
        due_at,
        clock_timestamp() + least(interval '30 seconds' * power(2, least(failures, 10)), interval '1 hour')
    )
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id)
  AND status IN ('accepted', 'applied');

-- Suspends an operation that waits for something else than the engine, such as the answer to a question. The relay
-- pushes it at due_at. Index: primary key.
-- name: SuspendOperation :exec
UPDATE operations
SET enqueued_at = NULL, failures = 0, due_at = sqlc.arg(due_at)
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id);

-- Claims the operations that are due, across tenants. A claim is a lease: if the process dies, the operation is due
-- again. SKIP LOCKED shares the work among several relays. The lease does not grow with the attempts: after an outage
-- everything is pushed soon. A failing operation is postponed by RecordStepFailure.
--
-- An operation that was pushed is lost only if the engine has carried out a later push: reached is the time of the
-- latest push among the last operations to finish. Otherwise the engine may only be slow, and a repeat would slow it
-- further. While nothing shows that the engine moves, at most max_probes repeats are in flight; the first one that
-- finishes moves reached. An index serves statement_timestamp(), other than clock_timestamp(). Indexes:
-- operations_due, operations_finished.
-- name: ClaimDueOperations :many
WITH engine AS (
    SELECT coalesce(max(r.enqueued_at), '-infinity') - interval '10 seconds' AS reached
    FROM (
        SELECT o.enqueued_at, o.carried_by = o.attempts AS by_last_push
        FROM operations o
        WHERE o.status IN ('succeeded', 'failed')
        ORDER BY o.finished_at DESC
        LIMIT 100
    ) r
    WHERE r.by_last_push
), probing AS (
    SELECT count(*) AS in_flight
    FROM operations o
    WHERE o.status IN ('accepted', 'applied')
      AND o.due_at BETWEEN statement_timestamp() AND statement_timestamp() + sqlc.arg(due_after)::interval
      AND o.attempts > 1
      AND o.enqueued_at > statement_timestamp() - interval '10 seconds'
), lost AS (
    SELECT o.id
    FROM operations o
    WHERE o.status IN ('accepted', 'applied')
      AND o.due_at <= statement_timestamp()
      AND (o.enqueued_at IS NULL OR o.enqueued_at < (SELECT engine.reached FROM engine))
    ORDER BY o.due_at
    LIMIT sqlc.arg(max_rows)
    FOR UPDATE SKIP LOCKED
), probes AS (
    SELECT o.id
    FROM operations o
    WHERE o.status IN ('accepted', 'applied')
      AND o.due_at <= statement_timestamp()
      AND o.enqueued_at >= (SELECT engine.reached FROM engine)
    ORDER BY o.due_at
    LIMIT (SELECT greatest(sqlc.arg(max_probes)::integer - probing.in_flight, 0) FROM probing)
    FOR UPDATE SKIP LOCKED
), due AS (
    SELECT lost.id FROM lost
    UNION ALL
    SELECT probes.id FROM probes
)
UPDATE operations i
SET attempts = i.attempts + 1,
    enqueued_at = clock_timestamp(),
    due_at = clock_timestamp() + sqlc.arg(due_after)::interval
FROM due
WHERE i.id = due.id
RETURNING i.*;

-- Requeues all accepted operations if no operation has ever finished. The engine drops an event without a registered
-- workflow, so it has dropped every event from before the registration of the first worker. Indexes:
-- operations_finished, operations_due.
-- name: RequeueDroppedOperations :execrows
UPDATE operations
SET due_at = clock_timestamp(), enqueued_at = NULL
WHERE status = 'accepted'
  AND enqueued_at IS NOT NULL
  AND NOT EXISTS (
      SELECT 1
      FROM operations o
      WHERE o.status IN ('succeeded', 'failed')
  );

-- Releases claims after a failed push. The push does not count as an attempt: otherwise the lease would grow each
-- time the engine is down. Index: primary key.
-- name: ReleaseOperations :exec
UPDATE operations
SET attempts = attempts - 1,
    enqueued_at = NULL,
    due_at = clock_timestamp() + sqlc.arg(due_after)::interval
WHERE id = ANY (sqlc.arg(ids)::uuid[])
  AND status IN ('accepted', 'applied');

-- Deletes finished operations past their retention, in batches. Failed ones have a longer retention, because they
-- can be replayed. Index: operations_finished.
-- name: PurgeOperations :execrows
DELETE FROM operations
WHERE id = ANY (ARRAY(
    SELECT i.id
    FROM operations i
    WHERE (i.status = 'succeeded' AND i.finished_at < sqlc.arg(succeeded_before))
       OR (i.status = 'failed' AND i.finished_at < sqlc.arg(failed_before))
    LIMIT sqlc.arg(max_rows)
    FOR UPDATE SKIP LOCKED
));
