-- An entry to invalidate. The newest version wins; for how long there have been notes stays known. What has no version of its
-- own counts its notes: one that comes while an earlier one is being worked off must not go with it.
-- name: NoteCacheInvalidation :exec
INSERT INTO cache_invalidations (tenant_id, kind, subject, version)
VALUES (sqlc.arg(tenant_id), sqlc.arg(kind), sqlc.arg(subject), sqlc.arg(version))
ON CONFLICT (tenant_id, kind, subject) DO UPDATE
SET version = CASE excluded.kind
    WHEN 'profile' THEN greatest(cache_invalidations.version, excluded.version)
    ELSE cache_invalidations.version + 1
END;

-- What is still to be invalidated, across tenants.
-- name: ListCacheInvalidations :many
SELECT tenant_id, kind, subject, version
FROM cache_invalidations
ORDER BY noted_at
LIMIT sqlc.arg(most);

-- For how long there have been notes: zero where there is none.
-- name: OldestCacheInvalidation :one
SELECT coalesce(clock_timestamp() - min(noted_at), interval '0')::interval AS age
FROM cache_invalidations;

-- Done, all but those of which a newer version came in the meantime, or is about to: who holds a note, has its own reason.
-- name: DeleteCacheInvalidations :exec
DELETE FROM cache_invalidations
WHERE (tenant_id, kind, subject) IN (
    SELECT c.tenant_id, c.kind, c.subject
    FROM (
        SELECT
            unnest(sqlc.arg(tenants)::uuid[]) AS tenant_id,
            unnest(sqlc.arg(kinds)::text[]) AS kind,
            unnest(sqlc.arg(subjects)::uuid[]) AS subject,
            unnest(sqlc.arg(versions)::bigint[]) AS version
    ) done
    JOIN cache_invalidations c ON c.tenant_id = done.tenant_id AND c.kind = done.kind AND c.subject = done.subject
    WHERE c.version <= done.version
    FOR UPDATE OF c SKIP LOCKED
);

-- Bumps profiles that a change of many touched, and notes their entries, under every customer id that leads to them, in the
-- change's own transaction. Locks are taken in the order of ids.
-- name: TouchProfiles :one
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
), noted AS (
    INSERT INTO cache_invalidations (tenant_id, kind, subject, version)
    SELECT entry.tenant_id, 'profile', entry.customer_id, entry.version
    FROM (
        SELECT b.tenant_id, c.customer_id, b.version FROM bumped b JOIN customer_profiles c ON c.id = b.id
        UNION ALL
        SELECT b.tenant_id, c.customer_id, b.version FROM bumped b JOIN customer_profiles c ON c.merged_into_id = b.id
    ) entry
    ORDER BY entry.tenant_id, entry.customer_id
    ON CONFLICT (tenant_id, kind, subject) DO UPDATE
    SET version = greatest(cache_invalidations.version, excluded.version)
    RETURNING 1
)
SELECT (SELECT count(*) FROM bumped)::int AS profiles, (SELECT count(*) FROM noted)::int AS entries;

-- Notes the chains of the items, and of all that was derived from them, however far: a change of an item's state shows in each.
-- name: NoteChains :exec
WITH RECURSIVE below AS (
    SELECT i.tenant_id, i.id
    FROM (
        SELECT f.tenant_id, f.id FROM customer_values f WHERE f.id = ANY (sqlc.arg(ids)::uuid[])
        UNION ALL
        SELECT a.tenant_id, a.id FROM customer_assets a WHERE a.id = ANY (sqlc.arg(ids)::uuid[])
    ) i
    UNION
    SELECT b.tenant_id, d.id
    FROM below b
    JOIN LATERAL (
        SELECT f.id FROM customer_values f WHERE f.source_item_id = b.id AND f.tenant_id = b.tenant_id
        UNION ALL
        SELECT a.id FROM customer_assets a WHERE a.source_item_id = b.id AND a.tenant_id = b.tenant_id
    ) d ON true
)
INSERT INTO cache_invalidations (tenant_id, kind, subject)
SELECT b.tenant_id, 'deriv', b.id
FROM below b
ORDER BY b.tenant_id, b.id
ON CONFLICT (tenant_id, kind, subject) DO UPDATE
SET version = cache_invalidations.version + 1; -- as NoteCacheInvalidation
