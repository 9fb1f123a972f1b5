-- Gets a scenario. Index: primary key.
-- name: GetScenario :one
SELECT *
FROM scenarios
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id);

-- Locks a scenario against changes until the end of the transaction. Index: primary key.
-- name: ShareLockScenario :exec
SELECT 1
FROM scenarios
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id)
FOR SHARE;

-- Locks a scenario for a change until the end of the transaction. Index: primary key.
-- name: LockScenario :one
SELECT operation_id, updated_at
FROM scenarios
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id)
FOR NO KEY UPDATE;

-- Saves a scenario. The save with the newest acceptance wins: an older one returns no row. A save under another
-- agent returns no row either, and with only_new that of a scenario that exists. Index: primary key.
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
  AND NOT sqlc.arg(only_new)::bool
RETURNING id;

-- Gets a rule. Index: primary key.
-- name: GetRule :one
SELECT *
FROM rules
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id);

-- Locks a rule against changes until the end of the transaction. Index: primary key.
-- name: ShareLockRule :exec
SELECT 1
FROM rules
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id)
FOR SHARE;

-- Locks a rule for a change until the end of the transaction. Index: primary key.
-- name: LockRule :one
SELECT operation_id, updated_at
FROM rules
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id)
FOR NO KEY UPDATE;

-- Saves a rule. The save with the newest acceptance wins: an older one returns no row. A save under another agent or
-- scenario returns no row either, and with only_new that of a rule that exists. Index: primary key.
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
  AND NOT sqlc.arg(only_new)::bool
RETURNING id;

-- Lists the scenarios of an agent. Index: scenarios_agent.
-- name: ListScenarios :many
SELECT *
FROM scenarios
WHERE tenant_id = sqlc.arg(tenant_id)
  AND agent_id = sqlc.arg(agent_id)
ORDER BY name, id;

-- Lists the rules of the scenarios of an agent. Indexes: scenarios_agent, rules_scenario.
-- name: ListRules :many
SELECT r.*
FROM rules r
JOIN scenarios s ON s.tenant_id = r.tenant_id AND s.id = r.scenario_id
WHERE r.tenant_id = sqlc.arg(tenant_id)
  AND s.agent_id = sqlc.arg(agent_id)
ORDER BY r.name, r.id;
