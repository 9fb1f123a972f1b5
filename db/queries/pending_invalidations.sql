-- Adds a pending invalidation of a cache entry. A profile has a version, and the highest version wins. The other
-- kinds have none, so each call increments a counter: an invalidation that is added while an earlier one is flushed
-- must not be deleted with it. A repeated call keeps the time of the first. Index: primary key.
-- name: AddPendingInvalidation :exec
INSERT INTO pending_invalidations (tenant_id, kind, subject, version)
VALUES (sqlc.arg(tenant_id), sqlc.arg(kind), sqlc.arg(subject), sqlc.arg(version))
ON CONFLICT (tenant_id, kind, subject) DO UPDATE
SET version = CASE excluded.kind
    WHEN 'profile' THEN greatest(pending_invalidations.version, excluded.version)
    ELSE pending_invalidations.version + 1
END;

-- Lists the oldest pending invalidations, across tenants. It sorts the whole table, which is empty unless Redis
-- fails.
-- name: ListPendingInvalidations :many
SELECT tenant_id, kind, subject, version
FROM pending_invalidations
ORDER BY added_at
LIMIT sqlc.arg(max_rows);

-- Returns the age of the oldest pending invalidation, across tenants. Zero: there is none.
-- name: OldestPendingInvalidation :one
SELECT coalesce(clock_timestamp() - min(added_at), interval '0')::interval AS age
FROM pending_invalidations;

-- Deletes flushed invalidations. It keeps rows with a newer version than the flushed one, and rows that another
-- transaction has locked: it is about to write a newer version. Index: primary key.
-- name: DeletePendingInvalidations :exec
DELETE FROM pending_invalidations
WHERE (tenant_id, kind, subject) IN (
    SELECT c.tenant_id, c.kind, c.subject
    FROM (
        SELECT
            unnest(sqlc.arg(tenants)::uuid[]) AS tenant_id,
            unnest(sqlc.arg(kinds)::text[]) AS kind,
            unnest(sqlc.arg(subjects)::uuid[]) AS subject,
            unnest(sqlc.arg(versions)::bigint[]) AS version
    ) done
    JOIN pending_invalidations c ON c.tenant_id = done.tenant_id AND c.kind = done.kind AND c.subject = done.subject
    WHERE c.version <= done.version
    FOR UPDATE OF c SKIP LOCKED
);

-- Increments the versions of many profiles, wakes the gap fills of their customers, and adds a pending invalidation
-- under every customer id that leads to them. It runs in the transaction of a change of many profiles. It locks the profiles in the order of their ids, so
-- that two calls cannot deadlock. Indexes: primary key, customer_profiles_merged.
-- name: BumpProfiles :one
WITH touched AS (
    SELECT c.id
    FROM customer_profiles c
    WHERE c.id = ANY (sqlc.arg(ids)::uuid[])
    ORDER BY c.id
    FOR UPDATE
), bumped AS (
    UPDATE customer_profiles p
    SET version = p.version + 1, updated_at = clock_timestamp()
    FROM touched
    WHERE p.id = touched.id
    RETURNING p.id, p.tenant_id, p.version
), customers AS (
    SELECT b.tenant_id, c.customer_id, b.version
    FROM bumped b
    JOIN customer_profiles c ON c.id = b.id
    UNION ALL
    SELECT b.tenant_id, c.customer_id, b.version
    FROM bumped b
    JOIN customer_profiles c ON c.merged_into_id = b.id
), woken AS (
    INSERT INTO fill_wakeups (tenant_id, fill_id)
    SELECT f.tenant_id, f.operation_id
    FROM customers c
    JOIN gap_fills f ON f.tenant_id = c.tenant_id AND f.customer_id = c.customer_id
    WHERE f.ended_at IS NULL
), pending AS (
    INSERT INTO pending_invalidations (tenant_id, kind, subject, version)
    SELECT entry.tenant_id, 'profile', entry.customer_id, entry.version
    FROM customers entry
    ORDER BY entry.tenant_id, entry.customer_id
    ON CONFLICT (tenant_id, kind, subject) DO UPDATE
    SET version = greatest(pending_invalidations.version, excluded.version)
    RETURNING 1
)
SELECT (SELECT count(*) FROM bumped)::int AS profiles, (SELECT count(*) FROM pending)::int AS entries;

-- Adds pending invalidations of the derivation chains of the items and of all items that derive from them, at any
-- depth: the state of an item shows in each of those chains. Indexes: the primary keys,
-- customer_values_source, customer_assets_source.
-- name: AddPendingChainInvalidations :exec
WITH RECURSIVE derived AS (
    SELECT i.tenant_id, i.id
    FROM (
        SELECT f.tenant_id, f.id
        FROM customer_values f
        WHERE f.id = ANY (sqlc.arg(ids)::uuid[])
        UNION ALL
        SELECT a.tenant_id, a.id
        FROM customer_assets a
        WHERE a.id = ANY (sqlc.arg(ids)::uuid[])
    ) i
    UNION
    SELECT b.tenant_id, d.id
    FROM derived b
    JOIN LATERAL (
        SELECT f.id
        FROM customer_values f
        WHERE f.source_item_id = b.id
          AND f.tenant_id = b.tenant_id
        UNION ALL
        SELECT a.id
        FROM customer_assets a
        WHERE a.source_item_id = b.id
          AND a.tenant_id = b.tenant_id
    ) d ON true
)
INSERT INTO pending_invalidations (tenant_id, kind, subject)
SELECT b.tenant_id, 'deriv', b.id
FROM derived b
ORDER BY b.tenant_id, b.id
ON CONFLICT (tenant_id, kind, subject) DO UPDATE
SET version = pending_invalidations.version + 1;
