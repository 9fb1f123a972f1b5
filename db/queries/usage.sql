-- Reserves tokens of a tenant's daily budget before a call. It returns no row if the reservation would exceed the
-- budget. Index: primary key.
-- name: ReserveTokens :one
INSERT INTO llm_usage (tenant_id, day, reserved_tokens)
SELECT sqlc.arg(tenant_id)::uuid, sqlc.arg(day)::date, sqlc.arg(tokens)::bigint
WHERE sqlc.arg(tokens)::bigint <= sqlc.arg(budget)::bigint
ON CONFLICT (tenant_id, day) DO UPDATE
SET reserved_tokens = llm_usage.reserved_tokens + excluded.reserved_tokens
WHERE llm_usage.prompt_tokens + llm_usage.completion_tokens + llm_usage.reserved_tokens + excluded.reserved_tokens
    <= sqlc.arg(budget)::bigint
RETURNING reserved_tokens;

-- Records the cost of a call and releases its reservation. Index: primary key.
-- name: RecordUsage :exec
INSERT INTO llm_usage (tenant_id, day, calls, prompt_tokens, completion_tokens, cost_micros)
VALUES (
    sqlc.arg(tenant_id), sqlc.arg(day), sqlc.arg(calls), sqlc.arg(prompt_tokens), sqlc.arg(completion_tokens),
    sqlc.arg(cost_micros)
)
ON CONFLICT (tenant_id, day) DO UPDATE
SET calls = llm_usage.calls + excluded.calls,
    prompt_tokens = llm_usage.prompt_tokens + excluded.prompt_tokens,
    completion_tokens = llm_usage.completion_tokens + excluded.completion_tokens,
    cost_micros = llm_usage.cost_micros + excluded.cost_micros,
    reserved_tokens = greatest(0, llm_usage.reserved_tokens - sqlc.arg(reserved)::bigint);

-- Gets the usage of the language model by a tenant on a day. Index: primary key.
-- name: GetUsage :one
SELECT *
FROM llm_usage
WHERE tenant_id = sqlc.arg(tenant_id)
  AND day = sqlc.arg(day);

-- Returns a page of the usage of the language model by a tenant, newest day first. before is the start of the last day
-- of the previous page; null: the first page. Index: primary key.
-- name: PageUsage :many
SELECT *
FROM llm_usage
WHERE tenant_id = sqlc.arg(tenant_id)
  AND (
    sqlc.narg(before)::timestamptz IS NULL
    OR day < (sqlc.narg(before) AT TIME ZONE 'UTC')::date
  )
ORDER BY day DESC
LIMIT sqlc.arg(max_rows);
