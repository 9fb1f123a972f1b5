-- Locks the merge rules of a tenant, deleted ones included. Two changes of proposals of one tenant so come one after the
-- other. Index: primary key.
-- name: LockMergeRules :many
SELECT *
FROM merge_rules
WHERE tenant_id = sqlc.arg(tenant_id)
ORDER BY id
FOR UPDATE;

-- Gets a merge rule. Index: primary key.
-- name: GetMergeRule :one
SELECT *
FROM merge_rules
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id)
  AND deleted_at IS NULL;

-- Lists the merge rules of a tenant, sorted by id. Index: primary key.
-- name: ListMergeRules :many
SELECT *
FROM merge_rules
WHERE tenant_id = sqlc.arg(tenant_id)
  AND deleted_at IS NULL
ORDER BY id;

-- Saves a merge rule. With only_new it replaces none that exists. Index: primary key.
-- name: SaveMergeRule :execrows
INSERT INTO merge_rules (
    tenant_id, id, name, fields, unverified, max_group, enabled, operation_id, accepted_at
)
VALUES (
    sqlc.arg(tenant_id), sqlc.arg(id), sqlc.arg(name), sqlc.arg(fields), sqlc.arg(unverified), sqlc.arg(max_group),
    sqlc.arg(enabled), sqlc.arg(operation_id), sqlc.arg(accepted_at)
)
ON CONFLICT (tenant_id, id) DO UPDATE
SET name = excluded.name,
    fields = excluded.fields,
    unverified = excluded.unverified,
    max_group = excluded.max_group,
    enabled = excluded.enabled,
    operation_id = excluded.operation_id,
    accepted_at = excluded.accepted_at,
    updated_at = clock_timestamp(),
    deleted_at = NULL,
    looked_at = NULL
WHERE NOT sqlc.arg(only_new)::bool
   OR merge_rules.deleted_at IS NOT NULL;

-- Deletes a merge rule. Index: primary key.
-- name: DeleteMergeRule :exec
UPDATE merge_rules
SET deleted_at = clock_timestamp(),
    updated_at = clock_timestamp(),
    operation_id = sqlc.arg(operation_id),
    accepted_at = sqlc.arg(accepted_at)
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id);

-- Lists merge rules, of all tenants, whose last pass ended before a time, those that wait longest first, without some that
-- failed. Index: merge_rules_due.
-- name: ListDueMergeRules :many
SELECT tenant_id, id
FROM merge_rules
WHERE enabled
  AND deleted_at IS NULL
  AND (looked_at IS NULL OR looked_at < sqlc.arg(before))
  AND NOT EXISTS (
      SELECT 1
      FROM (
          SELECT
              unnest(sqlc.arg(failed_tenants)::uuid[]) AS tenant_id,
              unnest(sqlc.arg(failed_ids)::uuid[]) AS id
      ) failed
      WHERE failed.tenant_id = merge_rules.tenant_id
        AND failed.id = merge_rules.id
  )
ORDER BY looked_at NULLS FIRST, id
LIMIT sqlc.arg(max_rows);

-- Records the end of a pass. Index: primary key.
-- name: SetMergeRuleLookedAt :exec
UPDATE merge_rules
SET looked_at = sqlc.arg(looked_at)
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id);

-- Returns a page of the active values of a field, oldest first, each with the key by which it is compared, and whether
-- another active value of the tenant has the key. It stops at the second one. Indexes: customer_values_age,
-- customer_values_match.
-- name: PageMergeCandidates :many
SELECT
    v.collected_at, v.profile_id, coalesce(v.match_key, 0)::bigint AS key,
    ((
        SELECT count(*)
        FROM (
            SELECT 1
            FROM customer_values o
            WHERE o.tenant_id = sqlc.arg(tenant_id)
              AND o.match_key = v.match_key
            ORDER BY o.match_key, o.profile_id NULLS FIRST
            LIMIT 2
        ) same
    ) > 1)::bool AS shared
FROM customer_values v
WHERE v.field_key = (SELECT field_key(sqlc.arg(tenant_id), sqlc.arg(name)::text))
  AND v.tenant_id = sqlc.arg(tenant_id)
  AND v.name = sqlc.arg(name)::text
  AND v.collected_at >= sqlc.arg(after_at)
  AND (v.collected_at > sqlc.arg(after_at) OR v.profile_id > sqlc.arg(after_id))
ORDER BY v.collected_at NULLS FIRST, v.profile_id
LIMIT sqlc.arg(max_rows);

-- Lists the profiles with a value of each key, up to max_rows of each. Index: customer_values_match.
-- name: ListSharers :many
SELECT wanted.key::bigint AS key, v.profile_id
FROM unnest(sqlc.arg(keys)::bigint[]) AS wanted (key)
CROSS JOIN LATERAL (
    SELECT o.profile_id
    FROM customer_values o
    WHERE o.tenant_id = sqlc.arg(tenant_id)
      AND o.match_key = wanted.key
    ORDER BY o.match_key, o.profile_id NULLS FIRST
    LIMIT sqlc.arg(max_rows)
) v
ORDER BY wanted.key, v.profile_id;

-- Lists the active values of some fields of profiles that are neither deleted nor merged. Of a sealed value it returns
-- the key of the blind index. Indexes: primary key, customer_values_active.
-- name: ListMergeGrounds :many
SELECT
    p.id AS profile_id, p.created_at, v.name, v.encrypted, v.blind_key, v.verified, v.expires_at,
    (CASE WHEN v.encrypted THEN 'null' ELSE v.value END)::jsonb AS value
FROM customer_profiles p
JOIN customer_values v ON v.profile_id = p.id
WHERE p.tenant_id = sqlc.arg(tenant_id)
  AND p.id = ANY (sqlc.arg(profiles)::uuid[])
  AND p.deleted_at IS NULL
  AND p.merged_into_id IS NULL
  AND v.name = ANY (sqlc.arg(names)::text[])
  AND v.status = 'active'
  AND v.deleted_at IS NULL;

-- Lists what is known of some grounds: the proposals, and the profiles that their customers lead to now. Indexes:
-- merge_proposals_ground, primary keys.
-- name: ListProposalsOfGrounds :many
SELECT
    m.id, m.ground, m.status, m.older_profile_id, m.newer_profile_id,
    coalesce(o.merged_into_id, o.id)::uuid AS older_lead, coalesce(n.merged_into_id, n.id)::uuid AS newer_lead
FROM merge_proposals m
JOIN customer_profiles o ON o.id = m.older_profile_id
JOIN customer_profiles n ON n.id = m.newer_profile_id
WHERE m.tenant_id = sqlc.arg(tenant_id)
  AND m.ground = ANY (sqlc.arg(grounds)::bytea[])
  AND m.fields = sqlc.arg(fields)::text[]
ORDER BY m.id;

-- Adds a proposal, unless the pair waits for a decision already. Indexes: merge_proposals_open, merge_proposals_ground.
-- name: InsertMergeProposal :execrows
INSERT INTO merge_proposals (id, tenant_id, rule_id, older_profile_id, newer_profile_id, fields, ground, status)
VALUES (
    sqlc.arg(id), sqlc.arg(tenant_id), sqlc.arg(rule_id), sqlc.arg(older_profile_id), sqlc.arg(newer_profile_id),
    sqlc.arg(fields), sqlc.arg(ground), 'pending'
)
ON CONFLICT DO NOTHING;

-- Opens a proposal again that was closed without a decision, unless the pair waits for another one. Index: primary key,
-- merge_proposals_open.
-- name: ReopenMergeProposal :execrows
UPDATE merge_proposals m
SET status = 'pending', reason = '', rule_id = sqlc.arg(rule_id), updated_at = clock_timestamp()
WHERE m.tenant_id = sqlc.arg(tenant_id)
  AND m.id = sqlc.arg(id)
  AND m.status = 'closed'
  AND NOT EXISTS (
      SELECT 1
      FROM merge_proposals o
      WHERE o.tenant_id = m.tenant_id
        AND least(o.older_profile_id, o.newer_profile_id) = least(m.older_profile_id, m.newer_profile_id)
        AND greatest(o.older_profile_id, o.newer_profile_id) = greatest(m.older_profile_id, m.newer_profile_id)
        AND o.status = 'pending'
  );

-- Closes a pending proposal, with the reason. Index: primary key.
-- name: CloseMergeProposal :execrows
UPDATE merge_proposals
SET status = 'closed', reason = sqlc.arg(reason), updated_at = clock_timestamp()
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id)
  AND status = 'pending';

-- Closes the pending proposals of a rule, except those of the same fields if fields is not null. Index:
-- merge_proposals_rule.
-- name: CloseMergeProposalsOfRule :exec
UPDATE merge_proposals
SET status = 'closed', reason = sqlc.arg(reason), updated_at = clock_timestamp()
WHERE tenant_id = sqlc.arg(tenant_id)
  AND rule_id = sqlc.arg(rule_id)
  AND status = 'pending'
  AND (sqlc.narg(fields)::text[] IS NULL OR fields <> sqlc.narg(fields)::text[]);

-- Returns a page of the pending proposals of a rule, in the order of their ids. Index: merge_proposals_waiting.
-- name: PageProposalsOfRule :many
SELECT *
FROM merge_proposals
WHERE tenant_id = sqlc.arg(tenant_id)
  AND rule_id = sqlc.arg(rule_id)
  AND status = 'pending'
  AND id > sqlc.arg(after_id)
ORDER BY id
LIMIT sqlc.arg(max_rows);

-- Gets a proposal with the customers of its pair. Index: primary key.
-- name: GetMergeProposal :one
SELECT m.*, o.customer_id AS older_customer_id, n.customer_id AS newer_customer_id
FROM merge_proposals m
JOIN customer_profiles o ON o.id = m.older_profile_id
JOIN customer_profiles n ON n.id = m.newer_profile_id
WHERE m.tenant_id = sqlc.arg(tenant_id)
  AND m.id = sqlc.arg(id);

-- Locks a proposal and returns its state. The caller holds the locks of the profiles first. Index: primary key.
-- name: LockMergeProposal :one
SELECT status, reason
FROM merge_proposals
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id)
FOR UPDATE;

-- Stores a decision. Index: primary key.
-- name: DecideMergeProposal :exec
UPDATE merge_proposals
SET status = sqlc.arg(status),
    kept_profile_id = sqlc.narg(kept_profile_id),
    decided_by = sqlc.arg(decided_by),
    decided_at = clock_timestamp(),
    operation_id = sqlc.arg(operation_id),
    updated_at = clock_timestamp()
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id);

-- Returns a page of the proposals of a tenant, in the order of their ids, which is the order of creation: with a status,
-- or of all if it is empty; of one customer, or of all if customer_id is null. Indexes: merge_proposals_list,
-- merge_proposals_waiting, primary key.
-- name: PageMergeProposals :many
SELECT
    m.id, m.rule_id, m.fields, m.status, m.reason, m.decided_by, m.decided_at, m.proposed_at, m.updated_at,
    o.customer_id AS older_customer_id, n.customer_id AS newer_customer_id, k.customer_id AS kept_customer_id
FROM merge_proposals m
JOIN customer_profiles o ON o.id = m.older_profile_id
JOIN customer_profiles n ON n.id = m.newer_profile_id
LEFT JOIN customer_profiles k ON k.id = m.kept_profile_id
WHERE m.tenant_id = sqlc.arg(tenant_id)
  AND (sqlc.arg(status)::text = '' OR m.status = sqlc.arg(status)::text)
  AND (
    sqlc.narg(customer_id)::uuid IS NULL
    OR o.customer_id = sqlc.narg(customer_id)::uuid
    OR n.customer_id = sqlc.narg(customer_id)::uuid
  )
  AND m.id > CASE
      WHEN sqlc.narg(after_id)::uuid IS NULL THEN '00000000-0000-0000-0000-000000000000'::uuid
      ELSE sqlc.narg(after_id)::uuid
  END
ORDER BY m.id
LIMIT sqlc.arg(max_rows);
