-- A session as the agent left it. Index: primary key.
-- name: GetSession :one
SELECT *
FROM sessions
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id);

-- Makes a session, or merges its variables by name. A session of another customer returns no row.
-- name: UpsertSession :one
INSERT INTO sessions (tenant_id, id, agent_id, customer_id, variables)
VALUES (sqlc.arg(tenant_id), sqlc.arg(id), sqlc.arg(agent_id), sqlc.arg(customer_id), sqlc.arg(variables))
ON CONFLICT (tenant_id, id) DO UPDATE
SET variables = sessions.variables || excluded.variables,
    updated_at = clock_timestamp()
WHERE sessions.customer_id = excluded.customer_id
  AND sessions.agent_id = excluded.agent_id
RETURNING *;

-- Adds a turn after the last one. The session row is locked by UpsertSession.
-- name: AppendTurn :exec
INSERT INTO session_turns (tenant_id, session_id, turn_index, speaker, text, intent_id)
SELECT
    sqlc.arg(tenant_id), sqlc.arg(session_id), coalesce(max(t.turn_index) + 1, 0), sqlc.arg(speaker), sqlc.arg(text),
    sqlc.arg(intent_id)
FROM session_turns t
WHERE t.tenant_id = sqlc.arg(tenant_id)
  AND t.session_id = sqlc.arg(session_id);

-- What was said, in order. Index: primary key.
-- name: ListTurns :many
SELECT turn_index, speaker, text
FROM session_turns
WHERE tenant_id = sqlc.arg(tenant_id)
  AND session_id = sqlc.arg(session_id)
ORDER BY turn_index;
