-- Lists all requirements of a scenario, those of its rules included. Index: requirements_key.
-- name: ListRequirements :many
SELECT *
FROM requirements
WHERE tenant_id = sqlc.arg(tenant_id)
  AND scenario_id = sqlc.arg(scenario_id)
  AND deleted_at IS NULL
ORDER BY collection_order, field_name;

-- Locks a requirement by its key, deleted or not, until the end of the transaction. Index: requirements_key.
-- name: LockRequirementByKey :one
SELECT id, operation_id, accepted_at, updated_at, deleted_at, origin
FROM requirements
WHERE tenant_id = sqlc.arg(tenant_id)
  AND scenario_id = sqlc.arg(scenario_id)
  AND step_id = sqlc.arg(step_id)
  AND coalesce(rule_id, '00000000-0000-0000-0000-000000000000'::uuid)
      = coalesce(sqlc.narg(rule_id)::uuid, '00000000-0000-0000-0000-000000000000'::uuid)
  AND field_name = sqlc.arg(field_name)
FOR UPDATE;

-- Deletes a requirement softly. The row becomes the decision of a person, so that no extraction restores it. Index:
-- primary key.
-- name: DeleteRequirement :exec
UPDATE requirements
SET deleted_at = clock_timestamp(),
    origin = 'human',
    review_state = 'none',
    needs_human_review = false,
    operation_id = sqlc.arg(operation_id),
    accepted_at = sqlc.arg(accepted_at),
    updated_at = clock_timestamp()
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id);

-- Saves a requirement of a person. The save with the newest acceptance wins. It always replaces an extracted
-- requirement that was not reviewed. With only_new it replaces none that exists. Index: requirements_key.
-- name: UpsertRequirement :one
INSERT INTO requirements (
    id, tenant_id, agent_id, scenario_id, step_id, rule_id, field_name, required_level, fallback_action, when_condition,
    depends_on_fields, collection_order, refuse_stale, confidence, needs_human_review, origin, review_state, quote,
    operation_id, accepted_at
)
VALUES (
    sqlc.arg(id), sqlc.arg(tenant_id), sqlc.arg(agent_id), sqlc.arg(scenario_id), sqlc.arg(step_id), sqlc.narg(rule_id),
    sqlc.arg(field_name), sqlc.arg(required_level), sqlc.arg(fallback_action), sqlc.arg(when_condition),
    sqlc.arg(depends_on_fields), sqlc.arg(collection_order), sqlc.arg(refuse_stale), 1, false, 'human', 'none', '',
    sqlc.arg(operation_id), sqlc.arg(accepted_at)
)
ON CONFLICT (
    tenant_id, scenario_id, step_id, coalesce(rule_id, '00000000-0000-0000-0000-000000000000'::uuid), field_name
) DO UPDATE
SET required_level = excluded.required_level,
    fallback_action = excluded.fallback_action,
    when_condition = excluded.when_condition,
    depends_on_fields = excluded.depends_on_fields,
    collection_order = excluded.collection_order,
    refuse_stale = excluded.refuse_stale,
    confidence = 1,
    needs_human_review = false,
    origin = 'human',
    review_state = 'none',
    quote = '',
    operation_id = excluded.operation_id,
    accepted_at = excluded.accepted_at,
    updated_at = clock_timestamp(),
    deleted_at = NULL
WHERE (
    requirements.accepted_at <= excluded.accepted_at
    OR (requirements.origin = 'extracted' AND requirements.review_state IN ('none', 'pending'))
)
  AND (NOT sqlc.arg(only_new)::bool OR requirements.deleted_at IS NOT NULL)
RETURNING id;

-- Stores a requirement of the model. It replaces only requirements of the model that no person has reviewed. Index:
-- requirements_key.
-- name: UpsertExtractedRequirement :execrows
INSERT INTO requirements (
    id, tenant_id, agent_id, scenario_id, step_id, rule_id, field_name, required_level, fallback_action,
    when_condition, collection_order, confidence, needs_human_review, origin, review_state, quote, operation_id, accepted_at
)
VALUES (
    sqlc.arg(id), sqlc.arg(tenant_id), sqlc.arg(agent_id), sqlc.arg(scenario_id), '', sqlc.narg(rule_id),
    sqlc.arg(field_name), sqlc.arg(required_level), sqlc.arg(fallback_action), sqlc.arg(when_condition),
    sqlc.arg(collection_order), sqlc.arg(confidence),
    sqlc.arg(needs_human_review), 'extracted', sqlc.arg(review_state), sqlc.arg(quote), sqlc.arg(operation_id),
    sqlc.arg(accepted_at)
)
ON CONFLICT (
    tenant_id, scenario_id, step_id, coalesce(rule_id, '00000000-0000-0000-0000-000000000000'::uuid), field_name
) DO UPDATE
SET required_level = excluded.required_level,
    fallback_action = excluded.fallback_action,
    when_condition = excluded.when_condition,
    collection_order = excluded.collection_order,
    confidence = excluded.confidence,
    needs_human_review = excluded.needs_human_review,
    review_state = excluded.review_state,
    quote = excluded.quote,
    operation_id = excluded.operation_id,
    accepted_at = excluded.accepted_at,
    updated_at = clock_timestamp()
WHERE requirements.origin = 'extracted'
  AND requirements.review_state IN ('none', 'pending');

-- Deletes the requirements that an earlier extraction of the same text found and this one did not. Index:
-- requirements_key.
-- name: DeleteOutdatedRequirements :execrows
DELETE FROM requirements
WHERE tenant_id = sqlc.arg(tenant_id)
  AND scenario_id = sqlc.arg(scenario_id)
  AND rule_id IS NOT DISTINCT FROM sqlc.narg(rule_id)
  AND origin = 'extracted'
  AND review_state IN ('none', 'pending')
  AND operation_id <> sqlc.arg(operation_id);

-- Gets the newest proposals of the model for a scenario or rule. Index: primary key.
-- name: GetExtraction :one
SELECT *
FROM schema_extractions
WHERE tenant_id = sqlc.arg(tenant_id)
  AND scenario_id = sqlc.arg(scenario_id)
  AND rule_id = sqlc.arg(rule_id);

-- Stores the proposals of the model for a scenario or rule. Index: primary key.
-- name: UpsertExtraction :exec
INSERT INTO schema_extractions (
    tenant_id, scenario_id, rule_id, content_hash, known_hash, model, proposals, readings, warning,
    operation_id
)
VALUES (
    sqlc.arg(tenant_id), sqlc.arg(scenario_id), sqlc.arg(rule_id), sqlc.arg(content_hash), sqlc.arg(known_hash),
    sqlc.arg(model), sqlc.arg(proposals), sqlc.arg(readings),
    sqlc.arg(warning), sqlc.arg(operation_id)
)
ON CONFLICT (tenant_id, scenario_id, rule_id) DO UPDATE
SET content_hash = excluded.content_hash,
    known_hash = excluded.known_hash,
    model = excluded.model,
    proposals = excluded.proposals,
    readings = excluded.readings,
    warning = excluded.warning,
    operation_id = excluded.operation_id,
    proposed_at = clock_timestamp();

-- Stores how the sentences of a scenario or rule were read, once their fields are matched with definitions. Index:
-- primary key.
-- name: SetExtractionReadings :exec
UPDATE schema_extractions
SET readings = sqlc.arg(readings)
WHERE tenant_id = sqlc.arg(tenant_id)
  AND scenario_id = sqlc.arg(scenario_id)
  AND rule_id = sqlc.arg(rule_id)
  AND content_hash = sqlc.arg(content_hash);

-- Lists how the sentences of a scenario and its rules were read: the scenario first, then its rules by name. current is
-- false for a text that was saved after it was read. Indexes: primary keys.
-- name: ListExtractions :many
SELECT e.rule_id, e.model, e.readings, e.proposed_at, coalesce(r.name, '')::text AS rule_name,
    (e.content_hash = coalesce(r.content_hash, s.content_hash))::bool AS current
FROM schema_extractions e
JOIN scenarios s ON s.tenant_id = e.tenant_id AND s.id = e.scenario_id
LEFT JOIN rules r ON r.tenant_id = e.tenant_id AND r.id = e.rule_id
WHERE e.tenant_id = sqlc.arg(tenant_id)
  AND e.scenario_id = sqlc.arg(scenario_id)
ORDER BY rule_name, e.rule_id;

-- Rejects the extracted requirements for a field of an agent that no person has decided about. Indexes: scenarios_agent,
-- requirements_key.
-- name: RejectFieldRequirements :many
UPDATE requirements r
SET review_state = 'rejected',
    needs_human_review = false,
    operation_id = sqlc.arg(operation_id),
    accepted_at = sqlc.arg(accepted_at),
    updated_at = clock_timestamp()
FROM scenarios s
WHERE s.tenant_id = r.tenant_id
  AND s.id = r.scenario_id
  AND r.tenant_id = sqlc.arg(tenant_id)
  AND s.agent_id = sqlc.arg(agent_id)
  AND r.field_name = sqlc.arg(field_name)
  AND r.origin = 'extracted'
  AND r.review_state IN ('none', 'pending', 'approved')
  AND r.deleted_at IS NULL
RETURNING r.scenario_id;

-- Lists the requirements that persons saved for the scenarios of an agent. Indexes: scenarios_agent, requirements_key.
-- name: ListSavedRequirements :many
SELECT r.*
FROM requirements r
JOIN scenarios s ON s.tenant_id = r.tenant_id AND s.id = r.scenario_id
WHERE r.tenant_id = sqlc.arg(tenant_id)
  AND s.agent_id = sqlc.arg(agent_id)
  AND r.origin = 'human'
  AND r.deleted_at IS NULL
ORDER BY s.name, r.scenario_id, r.collection_order, r.field_name, r.step_id;

-- Lists the requirements of the scenarios of an agent. Indexes: scenarios_agent, requirements_key.
-- name: ListAgentRequirements :many
SELECT r.*
FROM requirements r
JOIN scenarios s ON s.tenant_id = r.tenant_id AND s.id = r.scenario_id
WHERE r.tenant_id = sqlc.arg(tenant_id)
  AND s.agent_id = sqlc.arg(agent_id)
  AND r.deleted_at IS NULL
ORDER BY r.scenario_id, r.collection_order, r.field_name, r.id;
