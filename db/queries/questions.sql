-- name: OpenQuestion :one
INSERT INTO questions (
    id, tenant_id, fill_id, customer_id, agent_id, scenario_id, field_name, kind, candidate, item_id, prompt, reason, attempt,
    deadline_at
)
VALUES (
    sqlc.arg(id), sqlc.arg(tenant_id), sqlc.arg(fill_id), sqlc.arg(customer_id), sqlc.arg(agent_id), sqlc.arg(scenario_id),
    sqlc.arg(field_name), sqlc.arg(kind), sqlc.narg(candidate), sqlc.narg(item_id), sqlc.arg(prompt), sqlc.arg(reason),
    sqlc.arg(attempt), sqlc.arg(deadline_at)
)
RETURNING *;

-- Index: primary key.
-- name: GetQuestion :one
SELECT *
FROM questions
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id);

-- Several answers to one question take turns on this lock: the first valid one wins.
-- name: LockQuestion :one
SELECT *
FROM questions
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id)
FOR UPDATE;

-- The questions of one fill, in the order in which they were asked. Index: the unique key.
-- name: ListFillQuestions :many
SELECT *
FROM questions
WHERE tenant_id = sqlc.arg(tenant_id)
  AND fill_id = sqlc.arg(fill_id)
ORDER BY opened_at, id;

-- The customers who are one since their profiles were merged, the given one among them where it has a profile. Indexes: the unique
-- key, the primary key and customer_profiles_merged.
-- name: ListSameCustomers :many
WITH lead AS (
    SELECT coalesce(c.merged_into_id, c.id) AS id
    FROM customer_profiles c
    WHERE c.tenant_id = sqlc.arg(tenant_id)
      AND c.customer_id = sqlc.arg(customer_id)
)
SELECT c.customer_id FROM lead l JOIN customer_profiles c ON c.id = l.id
UNION
SELECT c.customer_id FROM lead l JOIN customer_profiles c ON c.merged_into_id = l.id;

-- name: CloseQuestion :execrows
UPDATE questions
SET status = sqlc.arg(status),
    answer_operation_id = sqlc.narg(answer_operation_id),
    rejection = sqlc.arg(rejection),
    closed_at = clock_timestamp()
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id)
  AND status = 'open';

-- What an answer closes beside its own question: the same fact, asked for by another fill. One that is being answered at this
-- moment is left to its own answer. Index: questions_customer.
-- name: CloseSameQuestions :exec
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

-- Nobody asks a deleted customer. Index: questions_customer.
-- name: CancelQuestionsOf :exec
UPDATE questions
SET status = 'cancelled', closed_at = clock_timestamp()
WHERE tenant_id = sqlc.arg(tenant_id)
  AND customer_id = ANY (sqlc.arg(customers)::uuid[])
  AND status = 'open';

-- The questions that an answer closed. Index: questions_answer.
-- name: ListClosedQuestions :many
SELECT id
FROM questions
WHERE tenant_id = sqlc.arg(tenant_id)
  AND answer_operation_id = sqlc.arg(answer_operation_id)::uuid
ORDER BY id;
