-- Counts the versions of values that are not deleted, across tenants. Index: customer_values_status; while the table
-- is vacuumed, PostgreSQL reads only the index.
-- name: CountValuesByStatus :many
SELECT status, count(*) AS fields
FROM customer_values
WHERE deleted_at IS NULL
GROUP BY status;

-- Counts the unfinished operations by age, across tenants. A gap fill that waits for an answer has the status waiting:
-- no push of it is in flight, and it is not due. Index: operations_due, which holds no finished operations.
-- name: CountOwedOperations :many
SELECT workflow,
       (CASE
           WHEN workflow = 'fill-gaps' AND enqueued_at IS NULL AND due_at > clock_timestamp() THEN 'waiting'
           ELSE status
       END)::text AS state,
       count(*) FILTER (WHERE accepted_at > clock_timestamp() - interval '1 minute') AS minute,
       count(*) FILTER (
           WHERE accepted_at BETWEEN clock_timestamp() - interval '10 minutes'
               AND clock_timestamp() - interval '1 minute'
       ) AS ten_minutes,
       count(*) FILTER (
           WHERE accepted_at BETWEEN clock_timestamp() - interval '1 hour'
               AND clock_timestamp() - interval '10 minutes'
       ) AS hour,
       count(*) FILTER (WHERE accepted_at < clock_timestamp() - interval '1 hour') AS longer,
       extract(EPOCH FROM clock_timestamp() - min(accepted_at))::double precision AS oldest_seconds
FROM operations
WHERE status IN ('accepted', 'applied')
GROUP BY workflow, state;

-- Counts the operations that finished in the last five minutes, across tenants. Index: operations_finished.
-- name: CountFinishedOperations :many
SELECT workflow, status, count(*) AS operations
FROM operations
WHERE status IN ('succeeded', 'failed')
  AND finished_at > clock_timestamp() - interval '5 minutes'
GROUP BY workflow, status;
