-- Gets a session. Index: primary key.
-- name: GetSession :one
SELECT *
FROM sessions
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id);

-- Creates a session, or merges its variables by name: of each variable the value with the newest acceptance wins.
-- variable_accepted_at maps the names to the times of acceptance, as text that sorts by time. It returns no row for
-- a session of another customer or agent. Index: primary key.
-- name: UpsertSession :one
INSERT INTO sessions (tenant_id, id, agent_id, customer_id, variables, variable_accepted_at)
VALUES (
    sqlc.arg(tenant_id), sqlc.arg(id), sqlc.arg(agent_id), sqlc.arg(customer_id), sqlc.arg(variables),
    sqlc.arg(variable_accepted_at)
)
ON CONFLICT (tenant_id, id) DO UPDATE
SET variables = sessions.variables || (
        SELECT coalesce(jsonb_object_agg(v.key, v.value), '{}')
        FROM jsonb_each(excluded.variables) AS v
        WHERE coalesce(sessions.variable_accepted_at ->> v.key, '') <= excluded.variable_accepted_at ->> v.key
    ),
    variable_accepted_at = sessions.variable_accepted_at || (
        SELECT coalesce(jsonb_object_agg(m.key, m.value), '{}')
        FROM jsonb_each(excluded.variable_accepted_at) AS m
        WHERE coalesce(sessions.variable_accepted_at ->> m.key, '') <= m.value #>> '{}'
    ),
    updated_at = clock_timestamp()
WHERE sessions.customer_id = excluded.customer_id
  AND sessions.agent_id = excluded.agent_id
RETURNING *;

-- Adds a turn after the last one. UpsertSession has locked the session. Index: primary key.
-- name: AppendTurn :exec
INSERT INTO session_turns (tenant_id, session_id, turn_index, speaker, text, operation_id, accepted_at, said_at)
SELECT
    sqlc.arg(tenant_id), sqlc.arg(session_id), coalesce(max(t.turn_index) + 1, 0), sqlc.arg(speaker), sqlc.arg(text),
    sqlc.arg(operation_id), sqlc.arg(accepted_at), sqlc.arg(said_at)
FROM session_turns t
WHERE t.tenant_id = sqlc.arg(tenant_id)
  AND t.session_id = sqlc.arg(session_id);

-- Sets the time at which a session is read. Index: primary key.
-- name: ScheduleSessionRead :exec
UPDATE sessions
SET read_due_at = clock_timestamp() + sqlc.arg(after)::interval
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id);

-- Lists sessions of all tenants that are due to be read, the longest due first. Index: sessions_read_due.
-- name: ListDueSessions :many
SELECT tenant_id, id, read_due_at
FROM sessions
WHERE read_due_at <= clock_timestamp()
ORDER BY read_due_at
LIMIT sqlc.arg(max_rows);

-- Takes a due session, so that one sweep reads it. It returns no row if another sweep took it, or if the customer said
-- more since. busy reports a gap fill that has not ended and reads the session itself. Indexes: primary key,
-- gap_fills_session.
-- name: TakeDueSession :one
UPDATE sessions s
SET read_due_at = NULL
WHERE s.tenant_id = sqlc.arg(tenant_id)
  AND s.id = sqlc.arg(id)
  AND s.read_due_at = sqlc.arg(read_due_at)::timestamptz
RETURNING s.id, EXISTS (
    SELECT 1
    FROM gap_fills f
    WHERE f.tenant_id = s.tenant_id
      AND f.session_id = s.id
      AND f.ended_at IS NULL
) AS busy;

-- Reports whether a gap fill of a session has not ended. Index: gap_fills_session.
-- name: SessionHasFill :one
SELECT EXISTS (
    SELECT 1
    FROM gap_fills f
    WHERE f.tenant_id = sqlc.arg(tenant_id)
      AND f.session_id = sqlc.arg(session_id)::uuid
      AND f.ended_at IS NULL
);

-- Locks a session, so that no turn is added and no other reading is stored. Index: primary key.
-- name: LockSession :one
SELECT *
FROM sessions
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id)
FOR UPDATE;

-- Stores how far a session was read. The session is due no more, unless the customer said something later. Index:
-- primary key.
-- name: MarkSessionRead :exec
UPDATE sessions s
SET read_to = sqlc.arg(read_to),
    read_due_at = CASE
        WHEN EXISTS (
            SELECT 1
            FROM session_turns t
            WHERE t.tenant_id = s.tenant_id
              AND t.session_id = s.id
              AND t.turn_index > sqlc.arg(read_to)
              AND t.speaker = 'customer'
        ) THEN s.read_due_at
    END
WHERE s.tenant_id = sqlc.arg(tenant_id)
  AND s.id = sqlc.arg(id);

-- Counts the turns of a session. Index: primary key.
-- name: CountTurns :one
SELECT count(*)
FROM session_turns
WHERE tenant_id = sqlc.arg(tenant_id)
  AND session_id = sqlc.arg(session_id);

-- Lists the turns of a session in the order of their acceptance. Index: primary key.
-- name: ListTurns :many
SELECT turn_index, speaker, text, said_at
FROM session_turns
WHERE tenant_id = sqlc.arg(tenant_id)
  AND session_id = sqlc.arg(session_id)
ORDER BY accepted_at, operation_id, turn_index;

-- Lists the turns of a session that have an embedding of the model. Index: primary key.
-- name: ListEmbeddedTurns :many
SELECT turn_index
FROM session_turn_embeddings
WHERE tenant_id = sqlc.arg(tenant_id)
  AND session_id = sqlc.arg(session_id)
  AND model = sqlc.arg(model);

-- Stores embeddings of turns, in the text form of pgvector. A repeated call changes nothing.
-- name: StoreTurnEmbeddings :exec
INSERT INTO session_turn_embeddings (tenant_id, session_id, turn_index, model, embedding)
SELECT
    sqlc.arg(tenant_id), sqlc.arg(session_id), unnest(sqlc.arg(turns)::int[]), sqlc.arg(model),
    unnest(sqlc.arg(embeddings)::text[])::vector
ON CONFLICT (tenant_id, session_id, model, turn_index) DO NOTHING;

-- Lists the turns of a session with the most similar meaning to any of several texts: the most similar turn of each
-- text first, then the second of each, so that every text gets its share of max_rows. It is an exact search within
-- one session. Index: primary key.
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
LIMIT sqlc.arg(max_rows);

-- Lists the newest turns of customers, for a recall, the newest first. Indexes: sessions_customer, primary key of
-- session_turns.
-- name: ListCustomerTurns :many
SELECT t.session_id, t.turn_index, t.speaker, t.text, t.said_at
FROM sessions s
JOIN session_turns t ON t.tenant_id = s.tenant_id AND t.session_id = s.id
WHERE s.tenant_id = sqlc.arg(tenant_id)
  AND s.customer_id = ANY (sqlc.arg(customers)::uuid[])
ORDER BY t.said_at DESC, t.session_id, t.turn_index DESC
LIMIT sqlc.arg(max_rows);

-- Lists the turns of customers whose meaning is closest to a text, of those with an embedding of the model. It is an exact
-- search within the sessions of the customers. Indexes: sessions_customer, primary key of session_turn_embeddings.
-- name: NearestCustomerTurns :many
SELECT e.session_id, e.turn_index
FROM sessions s
JOIN session_turn_embeddings e ON e.tenant_id = s.tenant_id AND e.session_id = s.id
WHERE s.tenant_id = sqlc.arg(tenant_id)
  AND s.customer_id = ANY (sqlc.arg(customers)::uuid[])
  AND e.model = sqlc.arg(model)
ORDER BY e.embedding <=> sqlc.arg(wanted)::text::vector, e.session_id, e.turn_index
LIMIT sqlc.arg(max_rows);

-- Lists the versions of the values of a customer, the newest first, deleted ones included: a recall shows no turn that
-- says what the customer had deleted, or what the reader may not see. Indexes: the unique key of customer_profiles,
-- customer_values_history.
-- name: ListSaidValues :many
SELECT f.id, f.name, f.value, f.encrypted, f.source_metadata, f.source_session_id, (f.deleted_at IS NOT NULL)::bool AS deleted
FROM customer_profiles c
JOIN customer_values f ON f.profile_id = CASE WHEN c.merged_into_id IS NULL THEN c.id ELSE c.merged_into_id END
WHERE c.tenant_id = sqlc.arg(tenant_id)
  AND c.customer_id = sqlc.arg(customer_id)
  AND f.tenant_id = sqlc.arg(tenant_id)
ORDER BY f.accepted_at DESC
LIMIT sqlc.arg(max_rows);
