-- Stores an open question.
-- name: OpenQuestion :one
INSERT INTO questions (
    id, tenant_id, fill_id, customer_id, agent_id, scenario_id, field_name, kind, candidate, item_id, prompt, reason,
    attempt,
    deadline_at, channels
)
VALUES (
    sqlc.arg(id), sqlc.arg(tenant_id), sqlc.arg(fill_id), sqlc.arg(customer_id), sqlc.arg(agent_id),
    sqlc.arg(scenario_id),
    sqlc.arg(field_name), sqlc.arg(kind), sqlc.narg(candidate), sqlc.narg(item_id), sqlc.arg(prompt), sqlc.arg(reason),
    sqlc.arg(attempt), sqlc.arg(deadline_at), sqlc.arg(channels)
)
RETURNING *;

-- Gets a question. Index: primary key.
-- name: GetQuestion :one
SELECT *
FROM questions
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id);

-- Locks a question, so that concurrent answers run one at a time: the first valid one wins. Index: primary key.
-- name: LockQuestion :one
SELECT *
FROM questions
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id)
FOR UPDATE;

-- Lists the questions that a gap fill has to consider, in the order in which they were asked: its own, and those that
-- other fills of the same customer and scenario had open since it started. Indexes: the unique key,
-- questions_scenario.
-- name: ListFillQuestions :many
SELECT *
FROM questions
WHERE tenant_id = sqlc.arg(tenant_id)
  AND (
      fill_id = sqlc.arg(fill_id)
      OR (
          customer_id = sqlc.arg(customer_id)
          AND scenario_id = sqlc.arg(scenario_id)
          AND (closed_at IS NULL OR closed_at >= sqlc.arg(since)::timestamptz)
      )
  )
ORDER BY opened_at, id;

-- Lists the customers that share a profile with a customer since a merge. It includes the customer if it has a
-- profile. Indexes: the unique key, primary key, customer_profiles_merged.
-- name: ListMergedCustomers :many
WITH lead AS (
    SELECT coalesce(c.merged_into_id, c.id) AS id
    FROM customer_profiles c
    WHERE c.tenant_id = sqlc.arg(tenant_id)
      AND c.customer_id = sqlc.arg(customer_id)
)
SELECT c.customer_id
FROM lead l
JOIN customer_profiles c ON c.id = l.id
UNION
SELECT c.customer_id
FROM lead l
JOIN customer_profiles c ON c.merged_into_id = l.id;

-- Closes an open question, and wakes the gap fills of its customer. Indexes: primary key, gap_fills_customer.
-- name: CloseQuestion :one
WITH closed AS (
    UPDATE questions q
    SET status = sqlc.arg(status),
        answer_operation_id = sqlc.narg(answer_operation_id),
        rejection = sqlc.arg(rejection),
        answered_on = sqlc.arg(answered_on),
        closed_at = clock_timestamp()
    WHERE q.tenant_id = sqlc.arg(tenant_id)
      AND q.id = sqlc.arg(id)
      AND q.status = 'open'
    RETURNING q.tenant_id, q.customer_id
), woken AS (
    INSERT INTO fill_wakeups (tenant_id, fill_id)
    SELECT f.tenant_id, f.operation_id
    FROM closed c
    JOIN gap_fills f ON f.tenant_id = c.tenant_id AND f.customer_id = c.customer_id
    WHERE f.ended_at IS NULL
)
SELECT count(*) > 0 AS was_open
FROM closed;

-- Closes the open questions of other gap fills that ask for the same value. It skips a question that is being
-- answered at the moment. Index: questions_customer.
-- name: CloseDuplicateQuestions :exec
UPDATE questions
SET status = 'answered',
    answer_operation_id = sqlc.arg(answer_operation_id)::uuid,
    closed_at = clock_timestamp()
WHERE id IN (
    SELECT q.id
    FROM questions q
    WHERE q.tenant_id = sqlc.arg(tenant_id)
      AND q.customer_id = ANY (sqlc.arg(customers)::uuid[])
      AND q.agent_id = sqlc.arg(agent_id)
      AND q.field_name = sqlc.arg(field_name)
      AND q.status = 'open'
      AND q.id <> sqlc.arg(id)
    FOR UPDATE SKIP LOCKED
);

-- Cancels the open questions of a deleted customer. Index: questions_customer.
-- name: CancelCustomerQuestions :exec
UPDATE questions
SET status = 'cancelled', closed_at = clock_timestamp()
WHERE tenant_id = sqlc.arg(tenant_id)
  AND customer_id = ANY (sqlc.arg(customers)::uuid[])
  AND status = 'open';

-- Gets the open question that a gap fill waits for: its own, or one of another fill of the same customer and scenario.
-- Indexes: primary key, questions_customer.
-- name: GetAwaitedQuestion :one
SELECT q.*
FROM gap_fills f
JOIN questions q
    ON q.tenant_id = f.tenant_id
    AND q.customer_id = f.customer_id
    AND q.scenario_id = f.scenario_id
WHERE f.tenant_id = sqlc.arg(tenant_id)
  AND f.operation_id = sqlc.arg(fill_id)
  AND f.ended_at IS NULL
  AND q.status = 'open'
ORDER BY q.fill_id <> f.operation_id, q.opened_at
LIMIT 1;

-- Claims a question for a channel. Index: primary key.
-- name: ClaimQuestion :one
UPDATE questions
SET claimed_by = sqlc.arg(channel),
    claimed_until = clock_timestamp() + sqlc.arg(for_time)::interval
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id)
RETURNING claimed_until::timestamptz;
