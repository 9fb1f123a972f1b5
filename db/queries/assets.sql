-- Stores an asset.
-- name: InsertAsset :exec
INSERT INTO customer_assets (
    id, tenant_id, profile_id, name, asset_type, storage_provider, storage_path, mime_type, size_bytes, checksum,
    uploaded_at,
    upload_session_id, upload_scenario_id, source_item_id, source_item_type, source_metadata, status, superseded_by_id,
    superseded_at, supersedes_older, expires_at, operation_id, actor, accepted_at
)
VALUES (
    sqlc.arg(id), sqlc.arg(tenant_id), sqlc.arg(profile_id), sqlc.arg(name), sqlc.arg(asset_type),
    sqlc.arg(storage_provider),
    sqlc.arg(storage_path), sqlc.arg(mime_type), sqlc.arg(size_bytes), sqlc.arg(checksum), sqlc.arg(uploaded_at),
    sqlc.narg(upload_session_id), sqlc.narg(upload_scenario_id), sqlc.narg(source_item_id), sqlc.arg(source_item_type),
    sqlc.arg(source_metadata), sqlc.arg(status), sqlc.narg(superseded_by_id), sqlc.narg(superseded_at),
    sqlc.arg(supersedes_older), sqlc.narg(expires_at), sqlc.arg(operation_id), sqlc.arg(actor),
    sqlc.arg(accepted_at)
);

-- Marks expired assets, across tenants, in batches. It works as ExpireValues. Indexes: customer_assets_expiry,
-- primary keys.
-- name: ExpireAssets :many
UPDATE customer_assets
SET status = 'expired', updated_at = clock_timestamp()
WHERE id = ANY (ARRAY(
    SELECT a.id
    FROM customer_assets a
    CROSS JOIN LATERAL (
        SELECT p.id
        FROM customer_profiles p
        WHERE p.id = a.profile_id
        FOR UPDATE SKIP LOCKED
    ) p
    WHERE a.status = 'active'
      AND a.deleted_at IS NULL
      AND a.expires_at <= sqlc.arg(now)
    ORDER BY a.expires_at
    LIMIT sqlc.arg(max_rows)
    FOR UPDATE OF a SKIP LOCKED
))
  AND status = 'active'
RETURNING tenant_id, id, profile_id;

-- Marks assets without their source, across tenants, in batches. It works as OrphanValues: it scans all assets with
-- a source. Indexes: primary keys.
-- name: OrphanAssets :many
UPDATE customer_assets
SET status = 'orphaned', updated_at = clock_timestamp()
WHERE id = ANY (ARRAY(
    SELECT a.id
    FROM customer_assets a
    JOIN customer_profiles p ON p.id = a.profile_id
    WHERE a.status = 'active'
      AND a.deleted_at IS NULL
      AND a.source_item_id IS NOT NULL
      AND a.source_item_type IN ('profile_field', 'profile_asset')
      AND NOT EXISTS (
          SELECT 1
          FROM customer_values s
          WHERE s.id = a.source_item_id
            AND s.tenant_id = a.tenant_id
            AND s.deleted_at IS NULL
      )
      AND NOT EXISTS (
          SELECT 1
          FROM customer_assets s
          WHERE s.id = a.source_item_id
            AND s.tenant_id = a.tenant_id
            AND s.deleted_at IS NULL
      )
    LIMIT sqlc.arg(max_rows)
    FOR UPDATE OF p, a SKIP LOCKED
))
  AND status = 'active'
RETURNING id, profile_id;

-- Marks the assets whose source was deleted recently. It works as OrphanCandidateValues. Indexes:
-- customer_assets_source, primary keys.
-- name: OrphanCandidateAssets :many
WITH dependents AS MATERIALIZED (
    SELECT d.id
    FROM orphan_candidates c
    CROSS JOIN LATERAL (
        SELECT a.id, a.tenant_id, a.status, a.deleted_at, a.source_item_type
        FROM customer_assets a
        WHERE a.source_item_id = c.item_id
        OFFSET 0
    ) d
    WHERE d.tenant_id = c.tenant_id
      AND d.status = 'active'
      AND d.deleted_at IS NULL
      AND d.source_item_type IN ('profile_field', 'profile_asset')
      AND NOT EXISTS (
          SELECT 1
          FROM (
              (
                  SELECT s.tenant_id, s.deleted_at
                  FROM customer_values s
                  WHERE s.tenant_id = c.tenant_id
                    AND s.id = c.item_id
                  OFFSET 0
              )
              UNION ALL
              (
                  SELECT s.tenant_id, s.deleted_at
                  FROM customer_assets s
                  WHERE s.id = c.item_id
                  OFFSET 0
              )
          ) s
          WHERE s.tenant_id = c.tenant_id
            AND s.deleted_at IS NULL
      )
)
UPDATE customer_assets
SET status = 'orphaned', updated_at = clock_timestamp()
WHERE id = ANY (ARRAY(
    SELECT a.id
    FROM dependents d
    CROSS JOIN LATERAL (
        SELECT a.*
        FROM customer_assets a
        WHERE a.id = d.id
        OFFSET 0
        FOR UPDATE SKIP LOCKED
    ) a
    CROSS JOIN LATERAL (
        SELECT p.id
        FROM customer_profiles p
        WHERE p.id = a.profile_id
        FOR UPDATE SKIP LOCKED
    ) p
    WHERE a.status = 'active'
      AND a.deleted_at IS NULL
    LIMIT sqlc.arg(max_rows)
))
  AND status = 'active'
RETURNING id, profile_id;

-- Supersedes the older assets of a name, for a newer asset. It includes deleted assets, because they can be
-- restored. The status superseded outranks expired and orphaned (rule 3). The caller holds the lock of the profile.
-- Index: customer_assets_profile.
-- name: SupersedeAssets :many
UPDATE customer_assets
SET status = 'superseded',
    superseded_by_id = sqlc.arg(superseded_by_id),
    superseded_at = clock_timestamp(),
    updated_at = clock_timestamp()
WHERE tenant_id = sqlc.arg(tenant_id)
  AND profile_id = sqlc.arg(profile_id)
  AND name = sqlc.arg(name)
  AND status <> 'superseded'
  AND (accepted_at, operation_id) < (sqlc.arg(accepted_at)::timestamptz, sqlc.arg(operation_id)::uuid)
RETURNING id;

-- Gets the next newer asset of a name that supersedes older ones, for an asset that arrives late. Index:
-- customer_assets_profile.
-- name: GetNewerAsset :one
SELECT id
FROM customer_assets
WHERE tenant_id = sqlc.arg(tenant_id)
  AND profile_id = sqlc.arg(profile_id)
  AND name = sqlc.arg(name)
  AND supersedes_older
  AND (accepted_at, operation_id) > (sqlc.arg(accepted_at)::timestamptz, sqlc.arg(operation_id)::uuid)
ORDER BY accepted_at, operation_id
LIMIT 1;

-- Lists the assets of a profile that an asset of another profile superseded, while the two profiles were merged.
-- Indexes: customer_assets_profile, primary key.
-- name: ListAssetsSupersededAcrossProfiles :many
SELECT a.*
FROM customer_assets a
JOIN customer_assets b ON b.id = a.superseded_by_id
WHERE a.tenant_id = sqlc.arg(tenant_id)
  AND a.profile_id = sqlc.arg(profile_id)
  AND b.profile_id <> a.profile_id;

-- Sets the status of an asset and the asset that supersedes it. A deleted asset stays deleted. Index: primary key.
-- name: PlaceAsset :exec
UPDATE customer_assets
SET status = sqlc.arg(status),
    superseded_by_id = sqlc.narg(superseded_by_id),
    superseded_at = CASE WHEN sqlc.narg(superseded_by_id)::uuid IS NULL THEN NULL ELSE superseded_at END,
    updated_at = clock_timestamp()
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id);

-- Gets an asset by its id, deleted or not. Index: primary key.
-- name: GetAnyAsset :one
SELECT *
FROM customer_assets
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id);

-- Sets the status of an asset and restores it if it is deleted. Index: primary key.
-- name: SetAssetState :exec
UPDATE customer_assets
SET status = sqlc.arg(status), deleted_at = NULL, updated_at = clock_timestamp()
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id);

-- Lists the values that were derived from an asset. Index: customer_values_source.
-- name: ListAnalysisValues :many
SELECT id
FROM customer_values
WHERE tenant_id = sqlc.arg(tenant_id)
  AND source_item_id = sqlc.arg(asset_id)::uuid
  AND source_item_type = 'profile_asset'
  AND deleted_at IS NULL
ORDER BY id
LIMIT 1000;

-- Lists the assets of a profile that were active at a time (as_of), as the vault knew them at another (known_at). Index:
-- customer_assets_profile, primary key.
-- name: ListPastAssets :many
SELECT a.*
FROM customer_assets a
LEFT JOIN customer_assets b ON b.id = a.superseded_by_id
WHERE a.tenant_id = sqlc.arg(tenant_id)
  AND a.profile_id = sqlc.arg(profile_id)
  AND a.accepted_at <= sqlc.arg(known_at)
  AND least(a.uploaded_at, a.accepted_at) <= sqlc.arg(as_of)::timestamptz
  AND (a.deleted_at IS NULL OR a.deleted_at > sqlc.arg(known_at))
  AND (a.expires_at IS NULL OR a.expires_at > sqlc.arg(as_of)::timestamptz)
  AND (a.status <> 'orphaned' OR a.updated_at > sqlc.arg(known_at))
  AND (
      b.id IS NULL
      OR b.accepted_at > sqlc.arg(known_at)
      OR least(b.uploaded_at, b.accepted_at) > sqlc.arg(as_of)::timestamptz
  )
ORDER BY a.uploaded_at, a.id;
