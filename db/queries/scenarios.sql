-- Index: primary key.
-- name: GetScenario :one
SELECT *
FROM scenarios
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id);

-- Keeps a text as it is until the transaction ends. Index: primary key.
-- name: HoldScenario :exec
SELECT 1
FROM scenarios
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id)
FOR SHARE;

-- The newest accepted save stays; a late older one returns no row, and so does a save under another agent.
-- name: UpsertScenario :one
INSERT INTO scenarios (tenant_id, id, agent_id, name, content, content_hash, operation_id, accepted_at)
VALUES (
    sqlc.arg(tenant_id), sqlc.arg(id), sqlc.arg(agent_id), sqlc.arg(name), sqlc.arg(content), sqlc.arg(content_hash),
    sqlc.arg(operation_id), sqlc.arg(accepted_at)
)
ON CONFLICT (tenant_id, id) DO UPDATE
SET name = excluded.name,
    content = excluded.content,
    content_hash = excluded.content_hash,
    operation_id = excluded.operation_id,
    accepted_at = excluded.accepted_at,
    updated_at = clock_timestamp()
WHERE scenarios.accepted_at <= excluded.accepted_at
  AND scenarios.agent_id = excluded.agent_id
RETURNING id;

-- Index: primary key.
-- name: GetRule :one
SELECT *
FROM rules
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id);

-- As HoldScenario.
-- name: HoldRule :exec
SELECT 1
FROM rules
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id)
FOR SHARE;

-- As UpsertScenario.
-- name: UpsertRule :one
INSERT INTO rules (tenant_id, id, agent_id, scenario_id, name, content, content_hash, operation_id, accepted_at)
VALUES (
    sqlc.arg(tenant_id), sqlc.arg(id), sqlc.arg(agent_id), sqlc.arg(scenario_id), sqlc.arg(name), sqlc.arg(content),
    sqlc.arg(content_hash), sqlc.arg(operation_id), sqlc.arg(accepted_at)
)
ON CONFLICT (tenant_id, id) DO UPDATE
SET name = excluded.name,
    content = excluded.content,
    content_hash = excluded.content_hash,
    operation_id = excluded.operation_id,
    accepted_at = excluded.accepted_at,
    updated_at = clock_timestamp()
WHERE rules.accepted_at <= excluded.accepted_at
  AND rules.agent_id = excluded.agent_id
  AND rules.scenario_id = excluded.scenario_id
RETURNING id;
