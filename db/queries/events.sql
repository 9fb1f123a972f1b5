-- Makes sure that the feed of a tenant has positions. Index: primary key.
-- name: EnsureEventHead :exec
INSERT INTO event_heads (tenant_id)
VALUES (sqlc.arg(tenant_id))
ON CONFLICT (tenant_id) DO NOTHING;

-- Reports whether a tenant has events that are not published. Index: events_unpublished.
-- name: HasUnpublishedEvents :one
SELECT EXISTS (
    SELECT 1
    FROM events e
    WHERE e.tenant_id = sqlc.arg(tenant_id)
      AND e.position IS NULL
);

-- Locks the positions of the feed of a tenant, so that events are published by one transaction at a time. Index:
-- primary key.
-- name: LockEventHead :one
SELECT last
FROM event_heads
WHERE tenant_id = sqlc.arg(tenant_id)
FOR UPDATE;

-- Publishes events: it gives them the positions after last, in the order in which they were added. The caller has
-- locked the positions in an earlier statement of the transaction: this one must see all that the holder before it
-- published. Indexes: events_unpublished, primary keys.
-- name: PublishEvents :one
WITH added AS MATERIALIZED (
    SELECT e.seq
    FROM events e
    WHERE e.tenant_id = sqlc.arg(tenant_id)
      AND e.position IS NULL
    ORDER BY e.seq
    LIMIT sqlc.arg(max_rows)
), numbered AS MATERIALIZED (
    SELECT a.seq, sqlc.arg(last)::bigint + row_number() OVER (ORDER BY a.seq) AS position
    FROM added a
), published AS (
    UPDATE events e
    SET position = n.position
    FROM numbered n
    WHERE e.seq = n.seq
    RETURNING e.seq
)
UPDATE event_heads h
SET last = sqlc.arg(last) + (SELECT count(*) FROM numbered)
WHERE h.tenant_id = sqlc.arg(tenant_id)
  AND (SELECT count(*) FROM published) >= 0
RETURNING h.last;

-- Gets the positions of the feed of a tenant. Index: primary key.
-- name: GetEventHead :one
SELECT last, purged_to
FROM event_heads
WHERE tenant_id = sqlc.arg(tenant_id);

-- Returns a page of the feed of a tenant: the published events from after a position up to another one. Index:
-- events_position.
-- name: PageEvents :many
SELECT *
FROM events
WHERE tenant_id = sqlc.arg(tenant_id)
  AND position > sqlc.arg(after)::bigint
  AND position <= sqlc.arg(up_to)::bigint
  AND (cardinality(sqlc.arg(types)::text[]) = 0 OR type = ANY (sqlc.arg(types)::text[]))
  AND (sqlc.narg(agent_id)::uuid IS NULL OR agent_id = sqlc.narg(agent_id))
ORDER BY position
LIMIT sqlc.arg(max_rows);

-- Returns a page of the events about a customer. It works as PageEvents. Each part is a page of its own, so that each
-- index gives its rows in order. Indexes: events_customer, events_other_customer.
-- name: PageEventsOf :many
SELECT *
FROM events
WHERE seq IN (
    (
        SELECT e.seq
        FROM events e
        WHERE e.tenant_id = sqlc.arg(tenant_id)
          AND e.customer_id = sqlc.arg(customer_id)::uuid
          AND e.position > sqlc.arg(after)::bigint
          AND e.position <= sqlc.arg(up_to)::bigint
          AND (cardinality(sqlc.arg(types)::text[]) = 0 OR e.type = ANY (sqlc.arg(types)::text[]))
          AND (sqlc.narg(agent_id)::uuid IS NULL OR e.agent_id = sqlc.narg(agent_id))
        ORDER BY e.position
        LIMIT sqlc.arg(max_rows)
    )
    UNION
    (
        SELECT e.seq
        FROM events e
        WHERE e.tenant_id = sqlc.arg(tenant_id)
          AND e.other_customer_id = sqlc.arg(customer_id)::uuid
          AND e.position > sqlc.arg(after)::bigint
          AND e.position <= sqlc.arg(up_to)::bigint
          AND (cardinality(sqlc.arg(types)::text[]) = 0 OR e.type = ANY (sqlc.arg(types)::text[]))
          AND (sqlc.narg(agent_id)::uuid IS NULL OR e.agent_id = sqlc.narg(agent_id))
        ORDER BY e.position
        LIMIT sqlc.arg(max_rows)
    )
)
ORDER BY position
LIMIT sqlc.arg(max_rows);

-- Lists tenants with events from before a time. Indexes: primary key of tenants, events_at.
-- name: ListTenantsWithOldEvents :many
SELECT t.id
FROM tenants t
WHERE t.id > sqlc.arg(after_id)
  AND EXISTS (
      SELECT 1
      FROM events e
      WHERE e.tenant_id = t.id
        AND e.at < sqlc.arg(before)
  )
ORDER BY t.id
LIMIT sqlc.arg(max_rows);

-- Removes events of a tenant from before a time, oldest first, and records up to where the feed was cut: cursors before
-- that have expired. Removed events that were never published count as published. The caller has locked the positions.
-- Indexes: events_at, primary keys.
-- name: PurgeEvents :one
WITH gone AS (
    DELETE FROM events
    WHERE seq = ANY (ARRAY(
        SELECT e.seq
        FROM events e
        WHERE e.tenant_id = sqlc.arg(tenant_id)
          AND e.at < sqlc.arg(before)
        ORDER BY e.at
        LIMIT sqlc.arg(max_rows)
    ))
    RETURNING position
), cut AS (
    SELECT
        count(*) AS removed,
        coalesce(max(g.position), 0) AS top,
        count(*) FILTER (WHERE g.position IS NULL) AS unread
    FROM gone g
), moved AS (
    UPDATE event_heads h
    SET last = h.last + c.unread,
        purged_to = greatest(h.purged_to, c.top, CASE WHEN c.unread > 0 THEN h.last + c.unread ELSE 0 END)
    FROM cut c
    WHERE h.tenant_id = sqlc.arg(tenant_id)
      AND c.removed > 0
)
SELECT c.removed
FROM cut c;

-- Lists the values that events tell of, without deleted ones and those of deleted customers, each with the customer
-- whose profile it is in. Indexes: primary keys.
-- name: ListEventValues :many
SELECT sqlc.embed(f), p.customer_id
FROM customer_values f
JOIN customer_profiles p ON p.id = f.profile_id
WHERE f.tenant_id = sqlc.arg(tenant_id)
  AND f.id = ANY (sqlc.arg(ids)::uuid[])
  AND f.deleted_at IS NULL
  AND p.deleted_at IS NULL;
