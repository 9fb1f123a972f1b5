-- Moves values to another profile. Index: primary key.
-- name: MoveValues :exec
UPDATE customer_values
SET profile_id = sqlc.arg(to_profile), updated_at = clock_timestamp()
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = ANY (sqlc.arg(ids)::uuid[]);

-- Moves assets to another profile. Index: primary key.
-- name: MoveAssets :exec
UPDATE customer_assets
SET profile_id = sqlc.arg(to_profile), updated_at = clock_timestamp()
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = ANY (sqlc.arg(ids)::uuid[]);

-- Moves channel identities to another profile. Index: primary key.
-- name: MoveChannels :exec
UPDATE channel_identities
SET profile_id = sqlc.arg(to_profile)
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = ANY (sqlc.arg(ids)::uuid[]);

-- Moves consents to another profile. Index: primary key.
-- name: MoveConsents :exec
UPDATE consents
SET profile_id = sqlc.arg(to_profile)
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = ANY (sqlc.arg(ids)::uuid[]);

-- Lists the state of every version in a profile, deleted ones included, in the order of effective time. value is as in
-- ListVersions. The caller holds the lock of the profile. Index: customer_values_history.
-- name: ListValueStates :many
SELECT
    f.superseded_at, f.definition_id,
    f.profile_id, f.name, f.id, f.operation_id, f.accepted_at, f.status, f.superseded_by_id, f.yields_to_id,
    (f.deleted_at IS NOT NULL)::bool AS deleted, f.source, f.source_item_type, f.source_session_id, f.verified,
    f.verification_method, (cardinality(f.warnings) > 0)::bool AS warned, f.decision, f.collected_at, f.expires_at,
    f.value_type, f.encrypted,
    (CASE WHEN f.status IN ('active', 'pending') THEN f.value ELSE 'null' END)::jsonb AS value
FROM customer_values f
WHERE f.tenant_id = sqlc.arg(tenant_id)
  AND f.profile_id = sqlc.arg(profile_id)
ORDER BY f.name, least(f.collected_at, f.accepted_at), f.accepted_at, f.operation_id, f.id;

-- Gets the ids of all rows of a profile other than values. The caller holds the lock of the profile. Indexes:
-- customer_assets_profile, channel_identities_profile, consents_profile, customer_profiles_merged.
-- name: ListProfileRelations :one
SELECT
    ARRAY(
        SELECT a.id
        FROM customer_assets a
        WHERE a.profile_id = p.id
        ORDER BY a.id
    )::uuid[] AS assets,
    ARRAY(
        SELECT i.id
        FROM channel_identities i
        WHERE i.profile_id = p.id
        ORDER BY i.id
    )::uuid[] AS channels,
    ARRAY(
        SELECT n.id
        FROM consents n
        WHERE n.profile_id = p.id
        ORDER BY n.id
    )::uuid[] AS consents,
    ARRAY(
        SELECT m.id
        FROM customer_profiles m
        WHERE m.merged_into_id = p.id
        ORDER BY m.id
    )::uuid[] AS merged
FROM customer_profiles p
WHERE p.tenant_id = sqlc.arg(tenant_id)
  AND p.id = sqlc.arg(profile_id);

-- Stores a merge, with the states from before it.
-- name: InsertMerge :exec
INSERT INTO customer_merges (id, tenant_id, source_profile_id, target_profile_id, before, operation_id)
VALUES (
    sqlc.arg(id), sqlc.arg(tenant_id), sqlc.arg(source_profile_id), sqlc.arg(target_profile_id), sqlc.arg(before),
    sqlc.arg(operation_id)
);

-- Gets the merge that moved a profile into another one, unless it was undone. Index: customer_merges_source.
-- name: GetMerge :one
SELECT *
FROM customer_merges
WHERE tenant_id = sqlc.arg(tenant_id)
  AND source_profile_id = sqlc.arg(source_profile_id)
  AND undone_at IS NULL
ORDER BY merged_at DESC
LIMIT 1;

-- Marks a merge as undone. Index: primary key.
-- name: MarkMergeUndone :exec
UPDATE customer_merges
SET undone_at = clock_timestamp()
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id);

-- Makes profiles lead to another profile, or to themselves if merged_into_id is null. The new version is higher than
-- that of both profiles, because a cache may hold either of them under the same customer. Index: primary key.
-- name: SetMergedInto :exec
UPDATE customer_profiles
SET merged_into_id = sqlc.narg(merged_into_id),
    deleted_at = CASE
        WHEN sqlc.narg(merged_into_id)::uuid IS NULL THEN NULL
        ELSE coalesce(deleted_at, clock_timestamp())
    END,
    version = greatest(version, sqlc.arg(version)),
    updated_at = clock_timestamp()
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = ANY (sqlc.arg(ids)::uuid[]);

-- Sets the version of a profile. Index: primary key.
-- name: SetProfileVersion :exec
UPDATE customer_profiles
SET version = sqlc.arg(version), updated_at = clock_timestamp()
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id);
