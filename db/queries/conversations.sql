-- A session as the agent left it. Index: primary key.
-- name: GetSession :one
SELECT *
FROM sessions
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id);

-- Makes a session, or merges its variables by name: of each, the value that was accepted last stays. marks are the names of the
-- variables with the time of acceptance, as text that sorts by it. A session of another customer returns no row.
-- name: UpsertSession :one
INSERT INTO sessions (tenant_id, id, agent_id, customer_id, variables, marks)
VALUES (sqlc.arg(tenant_id), sqlc.arg(id), sqlc.arg(agent_id), sqlc.arg(customer_id), sqlc.arg(variables), sqlc.arg(marks))
ON CONFLICT (tenant_id, id) DO UPDATE
SET variables = sessions.variables || (
        SELECT coalesce(jsonb_object_agg(v.key, v.value), '{}')
        FROM jsonb_each(excluded.variables) AS v
        WHERE coalesce(sessions.marks ->> v.key, '') <= excluded.marks ->> v.key
    ),
    marks = sessions.marks || (
        SELECT coalesce(jsonb_object_agg(m.key, m.value), '{}')
        FROM jsonb_each(excluded.marks) AS m
        WHERE coalesce(sessions.marks ->> m.key, '') <= m.value #>> '{}'
    ),
    updated_at = clock_timestamp()
WHERE sessions.customer_id = excluded.customer_id
  AND sessions.agent_id = excluded.agent_id
RETURNING *;

-- Adds a turn after the last one. The session row is locked by UpsertSession.
-- name: AppendTurn :exec
INSERT INTO session_turns (tenant_id, session_id, turn_index, speaker, text, operation_id, accepted_at)
SELECT
    sqlc.arg(tenant_id), sqlc.arg(session_id), coalesce(max(t.turn_index) + 1, 0), sqlc.arg(speaker), sqlc.arg(text),
    sqlc.arg(operation_id), sqlc.arg(accepted_at)
FROM session_turns t
WHERE t.tenant_id = sqlc.arg(tenant_id)
  AND t.session_id = sqlc.arg(session_id);

-- What was said, in order of acceptance. Index: primary key.
-- name: ListTurns :many
SELECT turn_index, speaker, text
FROM session_turns
WHERE tenant_id = sqlc.arg(tenant_id)
  AND session_id = sqlc.arg(session_id)
ORDER BY accepted_at, operation_id, turn_index;

-- The turns whose meaning a model has computed. Index: primary key.
-- name: ListEmbeddedTurns :many
SELECT turn_index
FROM session_turn_embeddings
WHERE tenant_id = sqlc.arg(tenant_id)
  AND session_id = sqlc.arg(session_id)
  AND model = sqlc.arg(model);

-- Keeps the meanings of turns, vectors in the text form of pgvector. A second run changes nothing.
-- name: StoreTurnEmbeddings :exec
INSERT INTO session_turn_embeddings (tenant_id, session_id, turn_index, model, embedding)
SELECT
    sqlc.arg(tenant_id), sqlc.arg(session_id), unnest(sqlc.arg(turns)::int[]), sqlc.arg(model),
    unnest(sqlc.arg(embeddings)::text[])::vector
ON CONFLICT (tenant_id, session_id, model, turn_index) DO NOTHING;

-- The turns of a session closest in meaning to each of several texts: first the closest to each, then the second closest, so
-- that no text crowds the others out. An exact search of one session. Index: primary key.
-- name: NearestTurns :many
SELECT r.turn_index
FROM (
    SELECT
        e.turn_index,
        min(e.embedding <=> w.wanted::vector) AS distance,
        row_number() OVER (PARTITION BY w.n ORDER BY min(e.embedding <=> w.wanted::vector), e.turn_index DESC) AS place
    FROM session_turn_embeddings e
    CROSS JOIN unnest(sqlc.arg(wanted)::text[]) WITH ORDINALITY AS w (wanted, n)
    WHERE e.tenant_id = sqlc.arg(tenant_id)
      AND e.session_id = sqlc.arg(session_id)
      AND e.model = sqlc.arg(model)
    GROUP BY e.turn_index, w.n
) AS r
GROUP BY r.turn_index
ORDER BY min(r.place), min(r.distance), r.turn_index
LIMIT sqlc.arg(most);
