-- Finds something that ids name and that belongs to other agents than the given ones. A value belongs to the agents that
-- define its field, and an asset to the agent of the conversation in which it was uploaded. Unknown ids belong to nobody.
-- Indexes: the primary keys of the tables.
-- name: FindForeign :many
SELECT 'scenario'::text AS kind, s.id
FROM scenarios s
WHERE s.tenant_id = sqlc.arg(tenant_id)
  AND s.id = ANY (sqlc.arg(ids)::uuid[])
  AND NOT s.agent_id = ANY (sqlc.arg(agents)::uuid[])
UNION ALL
SELECT 'rule', r.id
FROM rules r
WHERE r.tenant_id = sqlc.arg(tenant_id)
  AND r.id = ANY (sqlc.arg(ids)::uuid[])
  AND NOT r.agent_id = ANY (sqlc.arg(agents)::uuid[])
UNION ALL
SELECT 'requirement', r.id
FROM requirements r
WHERE r.tenant_id = sqlc.arg(tenant_id)
  AND r.id = ANY (sqlc.arg(ids)::uuid[])
  AND NOT r.agent_id = ANY (sqlc.arg(agents)::uuid[])
UNION ALL
SELECT 'definition', d.id
FROM definitions d
WHERE d.tenant_id = sqlc.arg(tenant_id)
  AND d.id = ANY (sqlc.arg(ids)::uuid[])
  AND NOT d.agent_id = ANY (sqlc.arg(agents)::uuid[])
UNION ALL
SELECT 'session', s.id
FROM sessions s
WHERE s.tenant_id = sqlc.arg(tenant_id)
  AND s.id = ANY (sqlc.arg(ids)::uuid[])
  AND NOT s.agent_id = ANY (sqlc.arg(agents)::uuid[])
UNION ALL
SELECT 'question', q.id
FROM questions q
WHERE q.tenant_id = sqlc.arg(tenant_id)
  AND q.id = ANY (sqlc.arg(ids)::uuid[])
  AND NOT q.agent_id = ANY (sqlc.arg(agents)::uuid[])
UNION ALL
SELECT 'gap fill', g.operation_id
FROM gap_fills g
JOIN scenarios s ON s.tenant_id = g.tenant_id AND s.id = g.scenario_id
WHERE g.tenant_id = sqlc.arg(tenant_id)
  AND g.operation_id = ANY (sqlc.arg(ids)::uuid[])
  AND NOT s.agent_id = ANY (sqlc.arg(agents)::uuid[])
UNION ALL
SELECT 'item', v.id
FROM customer_values v
WHERE v.tenant_id = sqlc.arg(tenant_id)
  AND v.id = ANY (sqlc.arg(ids)::uuid[])
  AND NOT EXISTS (
      SELECT 1
      FROM definitions d
      WHERE d.tenant_id = v.tenant_id
        AND d.agent_id = ANY (sqlc.arg(agents)::uuid[])
        AND d.name = v.name
        AND d.deleted_at IS NULL
        AND d.review_state IN ('none', 'approved')
  )
UNION ALL
SELECT 'item', a.id
FROM customer_assets a
LEFT JOIN sessions s ON s.tenant_id = a.tenant_id AND s.id = a.upload_session_id
LEFT JOIN scenarios c ON c.tenant_id = a.tenant_id AND c.id = a.upload_scenario_id
WHERE a.tenant_id = sqlc.arg(tenant_id)
  AND a.id = ANY (sqlc.arg(ids)::uuid[])
  AND NOT coalesce(s.agent_id = ANY (sqlc.arg(agents)::uuid[]), c.agent_id = ANY (sqlc.arg(agents)::uuid[]), false);

-- Lists the fields that agents define, as persons wrote or approved them. Index: the unique key.
-- name: ListFieldsOfAgents :many
SELECT DISTINCT d.name
FROM definitions d
WHERE d.tenant_id = sqlc.arg(tenant_id)
  AND d.agent_id = ANY (sqlc.arg(agents)::uuid[])
  AND d.deleted_at IS NULL
  AND d.review_state IN ('none', 'approved');

-- Lists which of some fields only other agents define, or have defined: their values may still be there. It reads the
-- definitions of a tenant.
-- name: ListForeignFields :many
SELECT DISTINCT d.name
FROM definitions d
WHERE d.tenant_id = sqlc.arg(tenant_id)
  AND d.name = ANY (sqlc.arg(names)::text[])
  AND NOT d.agent_id = ANY (sqlc.arg(agents)::uuid[])
  AND NOT EXISTS (
      SELECT 1
      FROM definitions own
      WHERE own.tenant_id = d.tenant_id
        AND own.agent_id = ANY (sqlc.arg(agents)::uuid[])
        AND own.name = d.name
        AND own.deleted_at IS NULL
        AND own.review_state IN ('none', 'approved')
  )
ORDER BY d.name;

-- Reports whether an operation is neither of an actor, nor a gap fill of the agents, nor caused by such an operation. An
-- unknown operation is not. Indexes: primary keys.
-- name: IsForeignOperation :one
WITH RECURSIVE line AS (
    SELECT o.id, o.parent_id, o.actor, 0 AS depth
    FROM operations o
    WHERE o.tenant_id = sqlc.arg(tenant_id)
      AND o.id = sqlc.arg(id)
    UNION ALL
    SELECT o.id, o.parent_id, o.actor, line.depth + 1
    FROM line
    JOIN operations o ON o.id = line.parent_id
    WHERE o.tenant_id = sqlc.arg(tenant_id)
      AND line.depth < 10
)
SELECT (
    count(*) > 0
    AND count(*) FILTER (WHERE line.actor = sqlc.arg(actor)::text OR s.agent_id = ANY (sqlc.arg(agents)::uuid[])) = 0
)::bool AS is_foreign
FROM line
LEFT JOIN gap_fills g ON g.tenant_id = sqlc.arg(tenant_id) AND g.operation_id = line.id
LEFT JOIN scenarios s ON s.tenant_id = g.tenant_id AND s.id = g.scenario_id;

-- Returns the field of a definition or a requirement, as decide-review names it. Indexes: primary keys.
-- name: GetReviewField :one
SELECT d.name
FROM definitions d
WHERE d.tenant_id = sqlc.arg(tenant_id)
  AND d.id = sqlc.arg(id)
UNION ALL
SELECT r.field_name
FROM requirements r
WHERE r.tenant_id = sqlc.arg(tenant_id)
  AND r.id = sqlc.arg(id);
