-- Gets a definition by its name. Index: the unique key.
-- name: GetDefinition :one
SELECT *
FROM definitions
WHERE tenant_id = sqlc.arg(tenant_id)
  AND agent_id = sqlc.arg(agent_id)
  AND name = sqlc.arg(name)
  AND deleted_at IS NULL;

-- Lists definitions by their ids, deleted ones excluded. Index: primary key.
-- name: ListDefinitionsByID :many
SELECT *
FROM definitions
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = ANY (sqlc.arg(ids)::uuid[])
  AND deleted_at IS NULL
ORDER BY id;

-- Locks a definition by its name, deleted or not, until the end of the transaction. Index: the unique key.
-- name: LockDefinitionByName :one
SELECT id, operation_id, accepted_at, updated_at, deleted_at
FROM definitions
WHERE tenant_id = sqlc.arg(tenant_id)
  AND agent_id = sqlc.arg(agent_id)
  AND name = sqlc.arg(name)
FOR UPDATE;

-- Lists the requirements that need a field or depend on it. A rejected requirement does not count. Indexes:
-- scenarios_agent, requirements_key.
-- name: ListFieldRequirements :many
SELECT r.id, r.scenario_id
FROM requirements r
JOIN scenarios s ON s.tenant_id = r.tenant_id AND s.id = r.scenario_id
WHERE r.tenant_id = sqlc.arg(tenant_id)
  AND s.agent_id = sqlc.arg(agent_id)
  AND (r.field_name = sqlc.arg(name)::text OR sqlc.arg(name)::text = ANY (r.depends_on_fields))
  AND r.review_state <> 'rejected'
  AND r.deleted_at IS NULL
ORDER BY r.id;

-- Deletes a definition softly. The row becomes the decision of a person, so that an older save cannot restore it.
-- Index: primary key.
-- name: DeleteDefinition :exec
UPDATE definitions
SET deleted_at = clock_timestamp(),
    enabled = false,
    origin = 'human',
    review_state = 'none',
    operation_id = sqlc.arg(operation_id),
    accepted_at = sqlc.arg(accepted_at),
    updated_at = clock_timestamp()
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id);

-- Lists all definitions of an agent. Index: the unique key.
-- name: ListDefinitions :many
SELECT *
FROM definitions
WHERE tenant_id = sqlc.arg(tenant_id)
  AND agent_id = sqlc.arg(agent_id)
  AND deleted_at IS NULL
ORDER BY name;

-- Gets the definition of a field by its name, and what other definitions of the tenant make of the name: sealed and pii.
-- Indexes: the unique key, primary key of sealed_fields, definitions_pii.
-- name: GetFieldDefinition :one
SELECT
    sqlc.embed(d),
    EXISTS (SELECT 1 FROM sealed_fields s WHERE s.tenant_id = d.tenant_id AND s.name = d.name) AS sealed,
    EXISTS (
        SELECT 1
        FROM definitions o
        WHERE o.tenant_id = d.tenant_id
          AND o.name = d.name
          AND o.is_pii
          AND o.deleted_at IS NULL
    ) AS pii
FROM definitions d
WHERE d.tenant_id = sqlc.arg(tenant_id)
  AND d.agent_id = sqlc.arg(agent_id)
  AND d.name = sqlc.arg(name)
  AND d.deleted_at IS NULL;

-- Lists which of some names are sealed in a tenant. Index: primary key.
-- name: ListSealedNames :many
SELECT name
FROM sealed_fields
WHERE tenant_id = sqlc.arg(tenant_id)
  AND name = ANY (sqlc.arg(names)::text[]);

-- Lists which of some sealed names can be found by a blind index: a definition allows it, and none that requires the
-- encryption does not. Index: definitions_name.
-- name: ListSearchableNames :many
SELECT d.name
FROM definitions d
WHERE d.tenant_id = sqlc.arg(tenant_id)
  AND d.name = ANY (sqlc.arg(names)::text[])
  AND d.deleted_at IS NULL
GROUP BY d.name
HAVING bool_or(d.searchable)
   AND NOT bool_or(d.encryption_required AND NOT d.searchable);

-- Lists the definitions of a name, of all agents. Index: definitions_name.
-- name: ListDefinitionsOfName :many
SELECT *
FROM definitions
WHERE tenant_id = sqlc.arg(tenant_id)
  AND name = sqlc.arg(name)
  AND deleted_at IS NULL
ORDER BY id;

-- Lists the definitions of a name, of all agents, each with whether the name is sealed. Indexes: definitions_name, primary
-- key of sealed_fields.
-- name: ListSearchedDefinitions :many
SELECT
    sqlc.embed(d),
    EXISTS (
        SELECT 1
        FROM sealed_fields s
        WHERE s.tenant_id = sqlc.arg(tenant_id)
          AND s.name = sqlc.arg(name)
    ) AS sealed
FROM definitions d
WHERE d.tenant_id = sqlc.arg(tenant_id)
  AND d.name = sqlc.arg(name)
  AND d.deleted_at IS NULL
ORDER BY d.id;

-- Lists the names that are sealed, or PII, in a tenant. Indexes: primary key, definitions_pii.
-- name: ListSecretNames :many
SELECT s.name, true AS sealed, false AS pii
FROM sealed_fields s
WHERE s.tenant_id = sqlc.arg(tenant_id)
UNION ALL
SELECT DISTINCT d.name, false AS sealed, true AS pii
FROM definitions d
WHERE d.tenant_id = sqlc.arg(tenant_id)
  AND d.is_pii
  AND d.deleted_at IS NULL;

-- Lists the definitions of fields, given as pairs of an agent and a name, as GetFieldDefinition does. Indexes: the unique
-- key, primary key of sealed_fields, definitions_pii.
-- name: ListDefinitionsOf :many
SELECT
    sqlc.embed(d),
    EXISTS (SELECT 1 FROM sealed_fields s WHERE s.tenant_id = d.tenant_id AND s.name = d.name) AS sealed,
    EXISTS (
        SELECT 1
        FROM definitions o
        WHERE o.tenant_id = d.tenant_id
          AND o.name = d.name
          AND o.is_pii
          AND o.deleted_at IS NULL
    ) AS pii
FROM (
    SELECT DISTINCT unnest(sqlc.arg(agents)::uuid[]) AS agent_id, unnest(sqlc.arg(names)::text[]) AS name
) wanted
JOIN definitions d ON d.agent_id = wanted.agent_id AND d.name = wanted.name
WHERE d.tenant_id = sqlc.arg(tenant_id)
  AND d.deleted_at IS NULL;

-- Reports whether a definition or a scenario was ever saved for an agent. Indexes: the unique key of definitions,
-- scenarios_agent.
-- name: AgentExists :one
SELECT (
    EXISTS (
        SELECT 1
        FROM definitions d
        WHERE d.tenant_id = sqlc.arg(tenant_id)
          AND d.agent_id = sqlc.arg(agent_id)
    )
    OR EXISTS (
        SELECT 1
        FROM scenarios s
        WHERE s.tenant_id = sqlc.arg(tenant_id)
          AND s.agent_id = sqlc.arg(agent_id)
    )
)::bool AS known;

-- Saves a definition of a person. The save with the newest acceptance wins: an older one that arrives late changes
-- nothing and returns no row. It always replaces a pending suggestion of the model. Index: the unique key.
-- name: UpsertDefinition :one
INSERT INTO definitions (
    id, tenant_id, agent_id, name, display_name, description, value_type, validation_regex, allowed_values,
    unit, minimum, maximum, time_zone, default_region, json_schema, write_once, multiple,
    max_elements, validation_mode,
    required_verification, verification_methods, ask_channels, collection_prompt, retry_prompt, extraction_examples,
    extraction_prompt_hint, forbid_extraction, about, is_pii, purposes,
    encryption_required, searchable, prefix_search, retention_days, remove_after_days, erase_on_withdrawal, freshness_seconds, stale_action,
    on_conflict, source_priority, enabled, origin,
    review_state, operation_id,
    accepted_at
)
VALUES (
    sqlc.arg(id), sqlc.arg(tenant_id), sqlc.arg(agent_id), sqlc.arg(name), sqlc.arg(display_name),
    sqlc.arg(description),
    sqlc.arg(value_type), sqlc.arg(validation_regex), sqlc.arg(allowed_values), sqlc.arg(unit), sqlc.narg(minimum),
    sqlc.narg(maximum), sqlc.arg(time_zone), sqlc.arg(default_region), sqlc.narg(json_schema),
    sqlc.arg(write_once), sqlc.arg(multiple), sqlc.arg(max_elements), sqlc.arg(validation_mode),
    sqlc.arg(required_verification), sqlc.arg(verification_methods), sqlc.arg(ask_channels), sqlc.arg(collection_prompt),
    sqlc.arg(retry_prompt), sqlc.arg(extraction_examples),
    sqlc.arg(extraction_prompt_hint), sqlc.arg(forbid_extraction),
    sqlc.arg(about), sqlc.arg(is_pii), sqlc.arg(purposes), sqlc.arg(encryption_required), sqlc.arg(searchable),
    sqlc.arg(prefix_search),
    sqlc.arg(retention_days),
    sqlc.arg(remove_after_days),
    sqlc.arg(erase_on_withdrawal),
    sqlc.arg(freshness_seconds), sqlc.arg(stale_action), sqlc.arg(on_conflict), sqlc.arg(source_priority),
    sqlc.arg(enabled), sqlc.arg(origin), sqlc.arg(review_state),
    sqlc.arg(operation_id),
    sqlc.arg(accepted_at)
)
ON CONFLICT (tenant_id, agent_id, name) DO UPDATE
SET display_name = excluded.display_name,
    description = excluded.description,
    value_type = excluded.value_type,
    validation_regex = excluded.validation_regex,
    allowed_values = excluded.allowed_values,
    unit = excluded.unit,
    minimum = excluded.minimum,
    maximum = excluded.maximum,
    time_zone = excluded.time_zone,
    default_region = excluded.default_region,
    json_schema = excluded.json_schema,
    write_once = excluded.write_once,
    multiple = excluded.multiple,
    max_elements = excluded.max_elements,
    validation_mode = excluded.validation_mode,
    required_verification = excluded.required_verification,
    verification_methods = excluded.verification_methods,
    ask_channels = excluded.ask_channels,
    collection_prompt = excluded.collection_prompt,
    retry_prompt = excluded.retry_prompt,
    extraction_examples = excluded.extraction_examples,
    extraction_prompt_hint = excluded.extraction_prompt_hint,
    forbid_extraction = excluded.forbid_extraction,
    about = excluded.about,
    is_pii = excluded.is_pii,
    purposes = excluded.purposes,
    encryption_required = excluded.encryption_required,
    searchable = excluded.searchable,
    prefix_search = excluded.prefix_search,
    retention_days = excluded.retention_days,
    remove_after_days = excluded.remove_after_days,
    erase_on_withdrawal = excluded.erase_on_withdrawal,
    freshness_seconds = excluded.freshness_seconds,
    stale_action = excluded.stale_action,
    on_conflict = excluded.on_conflict,
    source_priority = excluded.source_priority,
    enabled = excluded.enabled,
    origin = excluded.origin,
    review_state = excluded.review_state,
    operation_id = excluded.operation_id,
    accepted_at = excluded.accepted_at,
    updated_at = clock_timestamp(),
    deleted_at = NULL
WHERE (
    definitions.accepted_at <= excluded.accepted_at
    OR (definitions.origin = 'extracted' AND definitions.review_state = 'pending')
)
  AND (NOT sqlc.arg(only_new)::bool OR definitions.deleted_at IS NOT NULL)
RETURNING id;

-- Stores a definition that extraction suggests. It never replaces an existing definition. It replaces one that was
-- deleted before the suggestion, and keeps the protection of that one. Index: the unique key.
-- name: SuggestDefinition :one
INSERT INTO definitions (
    id, tenant_id, agent_id, name, display_name, description, value_type, validation_regex, allowed_values,
    collection_prompt,
    extraction_examples, is_pii, required_verification, enabled, origin, review_state, operation_id, accepted_at
)
VALUES (
    sqlc.arg(id), sqlc.arg(tenant_id), sqlc.arg(agent_id), sqlc.arg(name), sqlc.arg(display_name),
    sqlc.arg(description),
    sqlc.arg(value_type), sqlc.arg(validation_regex), sqlc.arg(allowed_values), sqlc.arg(collection_prompt),
    sqlc.arg(extraction_examples), sqlc.arg(is_pii), sqlc.arg(required_verification), false, 'extracted', 'pending',
    sqlc.arg(operation_id), sqlc.arg(accepted_at)
)
ON CONFLICT (tenant_id, agent_id, name) DO UPDATE
SET display_name = excluded.display_name,
    description = excluded.description,
    value_type = excluded.value_type,
    validation_regex = excluded.validation_regex,
    allowed_values = excluded.allowed_values,
    unit = excluded.unit,
    minimum = excluded.minimum,
    maximum = excluded.maximum,
    time_zone = excluded.time_zone,
    default_region = excluded.default_region,
    json_schema = excluded.json_schema,
    write_once = excluded.write_once,
    multiple = excluded.multiple,
    max_elements = excluded.max_elements,
    collection_prompt = excluded.collection_prompt,
    extraction_examples = excluded.extraction_examples,
    is_pii = definitions.is_pii OR excluded.is_pii,
    required_verification = definitions.required_verification OR excluded.required_verification,
    enabled = false,
    origin = 'extracted',
    review_state = 'pending',
    operation_id = excluded.operation_id,
    accepted_at = excluded.accepted_at,
    updated_at = clock_timestamp(),
    deleted_at = NULL
WHERE definitions.deleted_at IS NOT NULL
  AND definitions.accepted_at < excluded.accepted_at
RETURNING id;

-- Stores the embedding of a definition by one model. Index: primary key.
-- name: UpsertDefinitionEmbedding :exec
INSERT INTO definition_embeddings (definition_id, tenant_id, model, content_hash, embedding)
VALUES (sqlc.arg(definition_id), sqlc.arg(tenant_id), sqlc.arg(model), sqlc.arg(content_hash), sqlc.arg(embedding))
ON CONFLICT (definition_id, model) DO UPDATE
SET content_hash = excluded.content_hash,
    embedding = excluded.embedding;

-- Lists the embeddings of an agent's definitions by one model. content_hash is of the embedded text. Index:
-- definition_embeddings_tenant.
-- name: ListDefinitionEmbeddings :many
SELECT e.definition_id, e.content_hash
FROM definition_embeddings e
JOIN definitions d ON d.id = e.definition_id
WHERE e.tenant_id = sqlc.arg(tenant_id)
  AND d.agent_id = sqlc.arg(agent_id)
  AND d.deleted_at IS NULL
  AND e.model = sqlc.arg(model);

-- Makes vector searches in this transaction continue until they have enough rows of the agent. Without it a search
-- ends at the nearest rows of all tenants, which the filter may remove. It needs pgvector 0.8; a migration checks
-- that.
-- name: EnableIterativeScan :exec
SELECT set_config('hnsw.iterative_scan', 'strict_order', true);

-- Lists the definitions of an agent with the most similar meaning to a text. similarity is the cosine, from -1 to 1.
-- Index: definition_embeddings_cosine, or definition_embeddings_tenant for a tenant with few definitions.
-- name: NearestDefinitions :many
SELECT d.name, d.value_type, (1 - (e.embedding <=> sqlc.arg(embedding)::vector))::float8 AS similarity
FROM definition_embeddings e
JOIN definitions d ON d.id = e.definition_id
WHERE e.tenant_id = sqlc.arg(tenant_id)
  AND d.agent_id = sqlc.arg(agent_id)
  AND d.deleted_at IS NULL
  AND e.model = sqlc.arg(model)
ORDER BY e.embedding <=> sqlc.arg(embedding)::vector
LIMIT sqlc.arg(max_rows);

-- Counts the definitions of an agent other than that of a name. Index: the unique key.
-- name: CountOtherDefinitions :one
SELECT count(*)
FROM definitions
WHERE tenant_id = sqlc.arg(tenant_id)
  AND agent_id = sqlc.arg(agent_id)
  AND name <> sqlc.arg(name)
  AND deleted_at IS NULL;

-- Lists the types of the definitions of an agent with some names. Index: the unique key.
-- name: ListDefinitionTypes :many
SELECT name, value_type
FROM definitions
WHERE tenant_id = sqlc.arg(tenant_id)
  AND agent_id = sqlc.arg(agent_id)
  AND name = ANY (sqlc.arg(names)::text[])
  AND deleted_at IS NULL;

-- Lists what the fields of a tenant need of their readers, those of all agents and also of definitions that do not
-- apply: the strictest decides. Index: definitions_policies.
-- name: ListFieldPolicies :many
SELECT d.agent_id, d.name, d.purposes, d.is_pii
FROM definitions d
WHERE d.tenant_id = sqlc.arg(tenant_id)
  AND d.deleted_at IS NULL
  AND (d.purposes <> '{}' OR d.is_pii);

-- Lists which fields of profiles may not be written: a definition of the name, of any agent, needs a consent to one of
-- its purposes, and the latest records of the profile grant none. A profile without a record grants none. Indexes:
-- definitions_purposes, consents_profile.
-- name: ListRefusedFields :many
SELECT DISTINCT w.profile_id::uuid AS profile_id, w.name::text AS name
FROM (SELECT unnest(sqlc.arg(profiles)::uuid[]) AS profile_id, unnest(sqlc.arg(names)::text[]) AS name) w
JOIN definitions d ON d.name = w.name
WHERE d.tenant_id = sqlc.arg(tenant_id)
  AND d.purposes <> '{}'
  AND d.deleted_at IS NULL
  AND NOT EXISTS (
      SELECT 1
      FROM unnest(d.purposes) AS needed (purpose)
      WHERE (
          SELECT c.granted AND (c.expires_at IS NULL OR c.expires_at > sqlc.arg(now))
          FROM consents c
          WHERE c.tenant_id = sqlc.arg(tenant_id)
            AND c.profile_id = w.profile_id
            AND c.purpose = needed.purpose
          ORDER BY c.accepted_at DESC, c.operation_id DESC
          LIMIT 1
      )
  );
