-- Lists the derivation of an item: the item (depth 0), then its sources, across values and assets. It stops at
-- cycles. OFFSET 0 is an optimizer fence: each item is found by its id, whatever the statistics say. Indexes:
-- primary keys.
-- name: GetChain :many
WITH RECURSIVE chain AS (
    SELECT item.*, 0 AS depth, ARRAY [item.id] AS path
    FROM (
        (
            SELECT
                f.id, 'profile_field'::text AS kind, f.name, f.status, f.source_item_id, f.source_item_type,
                f.source_metadata, f.deleted_at, f.stale_since, f.actor
            FROM customer_values f
            WHERE f.tenant_id = sqlc.arg(tenant_id)
              AND f.id = sqlc.arg(item_id)
            OFFSET 0
        )
        UNION ALL
        (
            SELECT
                a.id, 'profile_asset'::text AS kind, a.name, a.status, a.source_item_id, a.source_item_type,
                a.source_metadata, a.deleted_at, a.stale_since, a.actor
            FROM customer_assets a
            WHERE a.tenant_id = sqlc.arg(tenant_id)
              AND a.id = sqlc.arg(item_id)
            OFFSET 0
        )
    ) item
    WHERE item.deleted_at IS NULL
    UNION ALL
    SELECT src.*, c.depth + 1, c.path || src.id
    FROM chain c
    JOIN LATERAL (
        (
            SELECT
                f.id, 'profile_field'::text AS kind, f.name, f.status, f.source_item_id, f.source_item_type,
                f.source_metadata, f.deleted_at, f.stale_since, f.actor
            FROM customer_values f
            WHERE f.tenant_id = sqlc.arg(tenant_id)
              AND f.id = c.source_item_id
            OFFSET 0
        )
        UNION ALL
        (
            SELECT
                a.id, 'profile_asset'::text AS kind, a.name, a.status, a.source_item_id, a.source_item_type,
                a.source_metadata, a.deleted_at, a.stale_since, a.actor
            FROM customer_assets a
            WHERE a.tenant_id = sqlc.arg(tenant_id)
              AND a.id = c.source_item_id
            OFFSET 0
        )
    ) src ON src.deleted_at IS NULL AND NOT src.id = ANY (c.path)
    WHERE c.depth < sqlc.arg(depth)::int
)
SELECT
    id::uuid AS id,
    kind::text AS kind,
    name::text AS name,
    status::text AS status,
    coalesce(source_item_id, '00000000-0000-0000-0000-000000000000')::uuid AS source_item_id,
    source_item_type::text AS source_item_type,
    source_metadata::jsonb AS source_metadata,
    stale_since,
    actor::text AS actor,
    depth::int AS depth
FROM chain
ORDER BY depth;

-- Lists the derivation of an item at a time. It works as GetChain, with the items that were in effect at as_of and that
-- the vault knew at known_at. Indexes: primary keys.
-- name: GetPastChain :many
WITH RECURSIVE chain AS (
    SELECT item.*, 0 AS depth, ARRAY [item.id] AS path
    FROM (
        (
            SELECT
                f.id, 'profile_field'::text AS kind, f.name, f.status, f.source_item_id, f.source_item_type,
                f.source_metadata, f.deleted_at, f.stale_since, f.actor
            FROM customer_values f
            WHERE f.tenant_id = sqlc.arg(tenant_id)
              AND f.id = sqlc.arg(item_id)
              AND f.accepted_at <= sqlc.arg(known_at)
              AND least(f.collected_at, f.accepted_at) <= sqlc.arg(as_of)::timestamptz
              AND (f.deleted_at IS NULL OR f.deleted_at > sqlc.arg(known_at))
            OFFSET 0
        )
        UNION ALL
        (
            SELECT
                a.id, 'profile_asset'::text AS kind, a.name, a.status, a.source_item_id, a.source_item_type,
                a.source_metadata, a.deleted_at, a.stale_since, a.actor
            FROM customer_assets a
            WHERE a.tenant_id = sqlc.arg(tenant_id)
              AND a.id = sqlc.arg(item_id)
              AND a.accepted_at <= sqlc.arg(known_at)
              AND least(a.uploaded_at, a.accepted_at) <= sqlc.arg(as_of)::timestamptz
              AND (a.deleted_at IS NULL OR a.deleted_at > sqlc.arg(known_at))
            OFFSET 0
        )
    ) item
    UNION ALL
    SELECT src.*, c.depth + 1, c.path || src.id
    FROM chain c
    JOIN LATERAL (
        (
            SELECT
                f.id, 'profile_field'::text AS kind, f.name, f.status, f.source_item_id, f.source_item_type,
                f.source_metadata, f.deleted_at, f.stale_since, f.actor
            FROM customer_values f
            WHERE f.tenant_id = sqlc.arg(tenant_id)
              AND f.id = c.source_item_id
              AND f.accepted_at <= sqlc.arg(known_at)
              AND least(f.collected_at, f.accepted_at) <= sqlc.arg(as_of)::timestamptz
              AND (f.deleted_at IS NULL OR f.deleted_at > sqlc.arg(known_at))
            OFFSET 0
        )
        UNION ALL
        (
            SELECT
                a.id, 'profile_asset'::text AS kind, a.name, a.status, a.source_item_id, a.source_item_type,
                a.source_metadata, a.deleted_at, a.stale_since, a.actor
            FROM customer_assets a
            WHERE a.tenant_id = sqlc.arg(tenant_id)
              AND a.id = c.source_item_id
              AND a.accepted_at <= sqlc.arg(known_at)
              AND least(a.uploaded_at, a.accepted_at) <= sqlc.arg(as_of)::timestamptz
              AND (a.deleted_at IS NULL OR a.deleted_at > sqlc.arg(known_at))
            OFFSET 0
        )
    ) src ON NOT src.id = ANY (c.path)
    WHERE c.depth < sqlc.arg(depth)::int
)
SELECT
    id::uuid AS id,
    kind::text AS kind,
    name::text AS name,
    status::text AS status,
    coalesce(source_item_id, '00000000-0000-0000-0000-000000000000')::uuid AS source_item_id,
    source_item_type::text AS source_item_type,
    source_metadata::jsonb AS source_metadata,
    stale_since,
    actor::text AS actor,
    depth::int AS depth
FROM chain
ORDER BY depth;

-- Lists which of the ids belong to items, deleted ones included. Values and assets share one id space. Indexes:
-- primary keys.
-- name: ListExistingItemIDs :many
SELECT f.id
FROM customer_values f
WHERE f.tenant_id = sqlc.arg(tenant_id)
  AND f.id = ANY (sqlc.arg(ids)::uuid[])
UNION ALL
SELECT a.id
FROM customer_assets a
WHERE a.tenant_id = sqlc.arg(tenant_id)
  AND a.id = ANY (sqlc.arg(ids)::uuid[]);

-- Locks the source of an item until the item is stored. A deletion of the source (LockItem) waits for it and then
-- finds the item as a dependent, and so does a change of its state, which marks the item as stale. Two customers who
-- derive values from each other at the same time may deadlock; the transaction then runs again. Indexes: primary keys.
-- name: ShareLockSource :exec
WITH field AS (
    SELECT 1
    FROM customer_values f
    WHERE f.tenant_id = sqlc.arg(tenant_id)
      AND f.id = sqlc.arg(id)
    FOR SHARE
), asset AS (
    SELECT 1
    FROM customer_assets a
    WHERE a.tenant_id = sqlc.arg(tenant_id)
      AND a.id = sqlc.arg(id)
    FOR SHARE
)
SELECT (SELECT count(*) FROM field) + (SELECT count(*) FROM asset);

-- Locks an item: it waits for transactions that derive from it (ShareLockSource), and blocks new ones. Indexes:
-- primary keys.
-- name: LockItem :exec
WITH field AS (
    SELECT 1
    FROM customer_values f
    WHERE f.tenant_id = sqlc.arg(tenant_id)
      AND f.id = sqlc.arg(id)
    FOR UPDATE
), asset AS (
    SELECT 1
    FROM customer_assets a
    WHERE a.tenant_id = sqlc.arg(tenant_id)
      AND a.id = sqlc.arg(id)
    FOR UPDATE
)
SELECT (SELECT count(*) FROM field) + (SELECT count(*) FROM asset);

-- Locks the lineage of a tenant until the end of the transaction. Writes of items whose source is missing take this
-- lock: otherwise two concurrent writes could each be the missing source of the other, and neither would detect the
-- cycle.
-- name: LockLineage :exec
SELECT pg_advisory_xact_lock(hashtextextended('lineage ' || sqlc.arg(tenant_id)::uuid, 0));

-- Lists the items that were derived from an item. Indexes: customer_values_source, customer_assets_source.
-- name: ListDerived :many
SELECT f.id, 'profile_field'::text AS kind, f.name, f.status, f.source_metadata, f.stale_since, f.actor
FROM customer_values f
WHERE f.tenant_id = sqlc.arg(tenant_id)
  AND f.source_item_id = sqlc.arg(item_id)::uuid
  AND f.deleted_at IS NULL
UNION ALL
SELECT a.id, 'profile_asset'::text AS kind, a.name, a.status, a.source_metadata, a.stale_since, a.actor
FROM customer_assets a
WHERE a.tenant_id = sqlc.arg(tenant_id)
  AND a.source_item_id = sqlc.arg(item_id)::uuid
  AND a.deleted_at IS NULL
ORDER BY id
LIMIT 1000;

-- Gets the profile and customer of an item, deleted or not. Indexes: primary keys.
-- name: GetItemOwner :one
SELECT
    item.kind::text AS kind, item.deleted::bool AS deleted, p.id AS profile_id, p.customer_id, p.version,
    (p.deleted_at IS NOT NULL)::bool AS customer_deleted
FROM (
    SELECT 'profile_field' AS kind, f.profile_id, f.deleted_at IS NOT NULL AS deleted
    FROM customer_values f
    WHERE f.tenant_id = sqlc.arg(tenant_id)
      AND f.id = sqlc.arg(id)
    UNION ALL
    SELECT 'profile_asset', a.profile_id, a.deleted_at IS NOT NULL
    FROM customer_assets a
    WHERE a.tenant_id = sqlc.arg(tenant_id)
      AND a.id = sqlc.arg(id)
) item
JOIN customer_profiles p ON p.id = item.profile_id;

-- Lists the customers of values, deleted or not. Indexes: primary keys.
-- name: ListValueOwners :many
SELECT v.id, p.customer_id
FROM customer_values v
JOIN customer_profiles p ON p.id = v.profile_id
WHERE v.tenant_id = sqlc.arg(tenant_id)
  AND v.id = ANY (sqlc.arg(ids)::uuid[]);

-- Lists the active items that were derived from an item. Indexes: customer_values_source, customer_assets_source.
-- name: ListDependents :many
SELECT f.id
FROM customer_values f
WHERE f.tenant_id = sqlc.arg(tenant_id)
  AND f.source_item_id = sqlc.arg(item_id)::uuid
  AND f.status = 'active'
  AND f.deleted_at IS NULL
UNION ALL
SELECT a.id
FROM customer_assets a
WHERE a.tenant_id = sqlc.arg(tenant_id)
  AND a.source_item_id = sqlc.arg(item_id)::uuid
  AND a.status = 'active'
  AND a.deleted_at IS NULL
ORDER BY id
LIMIT 1000;

-- Lists the profiles of the active items that were derived from an item. Indexes: customer_values_source,
-- customer_assets_source.
-- name: ListDependentProfiles :many
SELECT f.profile_id
FROM customer_values f
WHERE f.tenant_id = sqlc.arg(tenant_id)
  AND f.source_item_id = sqlc.arg(item_id)::uuid
  AND f.status = 'active'
  AND f.deleted_at IS NULL
UNION
SELECT a.profile_id
FROM customer_assets a
WHERE a.tenant_id = sqlc.arg(tenant_id)
  AND a.source_item_id = sqlc.arg(item_id)::uuid
  AND a.status = 'active'
  AND a.deleted_at IS NULL;

-- Deletes a value softly. Index: primary key.
-- name: DeleteValue :execrows
UPDATE customer_values
SET deleted_at = clock_timestamp(), updated_at = clock_timestamp()
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id)
  AND deleted_at IS NULL;

-- Keeps the reason of a deletion with the deleted value. Index: primary key.
-- name: NoteDeletion :exec
UPDATE customer_values
SET decision_note = sqlc.arg(reason)
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id);

-- Deletes an asset softly. Index: primary key.
-- name: DeleteAsset :execrows
UPDATE customer_assets
SET deleted_at = clock_timestamp(), updated_at = clock_timestamp()
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id)
  AND deleted_at IS NULL;

-- Locks all items of a customer. It works as LockItem. Indexes: customer_values_history, customer_assets_profile.
-- name: LockCustomerItems :exec
WITH field AS (
    SELECT 1
    FROM customer_values f
    WHERE f.tenant_id = sqlc.arg(tenant_id)
      AND f.profile_id = sqlc.arg(profile_id)
      AND f.deleted_at IS NULL
    FOR UPDATE
), asset AS (
    SELECT 1
    FROM customer_assets a
    WHERE a.tenant_id = sqlc.arg(tenant_id)
      AND a.profile_id = sqlc.arg(profile_id)
      AND a.deleted_at IS NULL
    FOR UPDATE
)
SELECT (SELECT count(*) FROM field) + (SELECT count(*) FROM asset);

-- Returns a page of the active items of other customers that were derived from the items of a customer, which a deletion
-- would orphan. Indexes: as in ListCustomerDependents, and the unique key of customer_profiles.
-- name: PageCustomerDependents :many
WITH profile AS (
    SELECT coalesce(p.merged_into_id, p.id) AS id
    FROM customer_profiles p
    WHERE p.tenant_id = sqlc.arg(tenant_id)
      AND p.customer_id = sqlc.arg(customer_id)
), items AS (
    SELECT f.id, f.profile_id
    FROM profile p
    JOIN customer_values f ON f.profile_id = p.id
    WHERE f.tenant_id = sqlc.arg(tenant_id)
      AND f.deleted_at IS NULL
    UNION ALL
    SELECT a.id, a.profile_id
    FROM profile p
    JOIN customer_assets a ON a.profile_id = p.id
    WHERE a.tenant_id = sqlc.arg(tenant_id)
      AND a.deleted_at IS NULL
), dependents AS (
    SELECT f.id, 'profile_field' AS kind, f.name, f.profile_id
    FROM items i
    JOIN customer_values f ON f.source_item_id = i.id
    WHERE f.tenant_id = sqlc.arg(tenant_id)
      AND f.profile_id <> i.profile_id
      AND f.status = 'active'
      AND f.deleted_at IS NULL
    UNION ALL
    SELECT a.id, 'profile_asset' AS kind, a.name, a.profile_id
    FROM items i
    JOIN customer_assets a ON a.source_item_id = i.id
    WHERE a.tenant_id = sqlc.arg(tenant_id)
      AND a.profile_id <> i.profile_id
      AND a.status = 'active'
      AND a.deleted_at IS NULL
)
SELECT d.id, d.kind::text AS kind, d.name, p.customer_id
FROM dependents d
JOIN customer_profiles p ON p.id = d.profile_id
ORDER BY d.id
LIMIT sqlc.arg(max_rows);

-- Lists the active items of other customers that were derived from the items of a customer. Indexes:
-- customer_values_history, customer_assets_profile, customer_values_source, customer_assets_source.
-- name: ListCustomerDependents :many
WITH items AS (
    SELECT f.id
    FROM customer_values f
    WHERE f.tenant_id = sqlc.arg(tenant_id)
      AND f.profile_id = sqlc.arg(profile_id)
      AND f.deleted_at IS NULL
    UNION ALL
    SELECT a.id
    FROM customer_assets a
    WHERE a.tenant_id = sqlc.arg(tenant_id)
      AND a.profile_id = sqlc.arg(profile_id)
      AND a.deleted_at IS NULL
)
SELECT f.id
FROM items i
JOIN customer_values f ON f.source_item_id = i.id
WHERE f.tenant_id = sqlc.arg(tenant_id)
  AND f.profile_id <> sqlc.arg(profile_id)
  AND f.status = 'active'
  AND f.deleted_at IS NULL
UNION ALL
SELECT a.id
FROM items i
JOIN customer_assets a ON a.source_item_id = i.id
WHERE a.tenant_id = sqlc.arg(tenant_id)
  AND a.profile_id <> sqlc.arg(profile_id)
  AND a.status = 'active'
  AND a.deleted_at IS NULL
ORDER BY id
LIMIT 1000;

-- Deletes all items of a customer softly. LockCustomerItems has locked them. Indexes: customer_values_history,
-- customer_assets_profile.
-- name: DeleteCustomerItems :many
WITH fields AS (
    UPDATE customer_values f
    SET deleted_at = clock_timestamp(), updated_at = clock_timestamp()
    WHERE f.tenant_id = sqlc.arg(tenant_id)
      AND f.profile_id = sqlc.arg(profile_id)
      AND f.deleted_at IS NULL
    RETURNING f.id
), assets AS (
    UPDATE customer_assets a
    SET deleted_at = clock_timestamp(), updated_at = clock_timestamp()
    WHERE a.tenant_id = sqlc.arg(tenant_id)
      AND a.profile_id = sqlc.arg(profile_id)
      AND a.deleted_at IS NULL
    RETURNING a.id
)
SELECT f.id FROM fields f
UNION ALL
SELECT a.id FROM assets a;

-- Marks the values that were derived from deleted items, in the transaction of the deletion. Index:
-- customer_values_source.
-- name: OrphanDependentValues :many
UPDATE customer_values
SET status = 'orphaned', updated_at = clock_timestamp()
WHERE tenant_id = sqlc.arg(tenant_id)
  AND source_item_id = ANY (sqlc.arg(item_ids)::uuid[])
  AND status = 'active'
  AND deleted_at IS NULL
RETURNING profile_id;

-- Marks the assets that were derived from deleted items, in the transaction of the deletion. Index:
-- customer_assets_source.
-- name: OrphanDependentAssets :many
UPDATE customer_assets
SET status = 'orphaned', updated_at = clock_timestamp()
WHERE tenant_id = sqlc.arg(tenant_id)
  AND source_item_id = ANY (sqlc.arg(item_ids)::uuid[])
  AND status = 'active'
  AND deleted_at IS NULL
RETURNING profile_id;

-- Marks items as stale, or no longer stale, after a change of the states of items: the given items, by tenant and id,
-- and all that was derived from them, at any depth, across customers. An item is stale if its source is superseded,
-- expired or stale. Items that are superseded or expired themselves keep what they had. It returns the changed items.
-- An item has at most one source, so the longest path to it begins at the topmost of the given items, which decides.
-- OFFSET 0 and the arrays are optimizer fences, as in GetChain. The depth and the path are guards against cycles.
-- Indexes: primary keys, customer_values_source, customer_assets_source.
-- name: RefreshStale :many
WITH RECURSIVE changed AS (
    SELECT DISTINCT g.tenant_id, g.id
    FROM (SELECT unnest(sqlc.arg(tenants)::uuid[]) AS tenant_id, unnest(sqlc.arg(ids)::uuid[]) AS id) g
), walk AS (
    SELECT
        item.tenant_id, item.id, item.status, source.id IS NOT NULL AS stale, 0 AS depth, ARRAY [item.id] AS path
    FROM changed c
    CROSS JOIN LATERAL (
        (
            SELECT f.tenant_id, f.id, f.status, f.source_item_id, f.source_item_type, f.deleted_at
            FROM customer_values f
            WHERE f.tenant_id = c.tenant_id
              AND f.id = c.id
            OFFSET 0
        )
        UNION ALL
        (
            SELECT a.tenant_id, a.id, a.status, a.source_item_id, a.source_item_type, a.deleted_at
            FROM customer_assets a
            WHERE a.tenant_id = c.tenant_id
              AND a.id = c.id
            OFFSET 0
        )
    ) item
    LEFT JOIN LATERAL (
        (
            SELECT f.id, f.status, f.stale_since, f.deleted_at
            FROM customer_values f
            WHERE f.tenant_id = item.tenant_id
              AND f.id = item.source_item_id
            OFFSET 0
        )
        UNION ALL
        (
            SELECT a.id, a.status, a.stale_since, a.deleted_at
            FROM customer_assets a
            WHERE a.tenant_id = item.tenant_id
              AND a.id = item.source_item_id
            OFFSET 0
        )
    ) source ON item.source_item_type IN ('profile_field', 'profile_asset')
        AND source.deleted_at IS NULL
        AND (source.status IN ('superseded', 'expired') OR source.stale_since IS NOT NULL)
    WHERE item.deleted_at IS NULL
    UNION ALL
    SELECT
        d.tenant_id, d.id, d.status, w.stale OR w.status IN ('superseded', 'expired'), w.depth + 1, w.path || d.id
    FROM walk w
    CROSS JOIN LATERAL (
        (
            SELECT f.tenant_id, f.id, f.status
            FROM customer_values f
            WHERE f.source_item_id = w.id
              AND f.tenant_id = w.tenant_id
              AND f.source_item_type IN ('profile_field', 'profile_asset')
              AND f.deleted_at IS NULL
            OFFSET 0
        )
        UNION ALL
        (
            SELECT a.tenant_id, a.id, a.status
            FROM customer_assets a
            WHERE a.source_item_id = w.id
              AND a.tenant_id = w.tenant_id
              AND a.source_item_type IN ('profile_field', 'profile_asset')
              AND a.deleted_at IS NULL
            OFFSET 0
        )
    ) d
    WHERE w.depth < 1000
      AND NOT d.id = ANY (w.path)
), decided AS MATERIALIZED (
    SELECT DISTINCT ON (w.tenant_id, w.id) w.tenant_id, w.id, w.stale
    FROM walk w
    WHERE w.status NOT IN ('superseded', 'expired')
    ORDER BY w.tenant_id, w.id, w.depth DESC
), fields AS (
    UPDATE customer_values f
    SET stale_since = CASE WHEN f.stale_since IS NULL THEN clock_timestamp() END, updated_at = clock_timestamp()
    WHERE f.id = ANY (ARRAY(SELECT d.id FROM decided d))
      AND (f.tenant_id, f.id, f.stale_since IS NULL) IN (SELECT d.tenant_id, d.id, d.stale FROM decided d)
    RETURNING f.id, f.profile_id
), assets AS (
    UPDATE customer_assets a
    SET stale_since = CASE WHEN a.stale_since IS NULL THEN clock_timestamp() END, updated_at = clock_timestamp()
    WHERE a.id = ANY (ARRAY(SELECT d.id FROM decided d))
      AND (a.tenant_id, a.id, a.stale_since IS NULL) IN (SELECT d.tenant_id, d.id, d.stale FROM decided d)
    RETURNING a.id, a.profile_id
)
SELECT f.id, f.profile_id FROM fields f
UNION ALL
SELECT a.id, a.profile_id FROM assets a;
