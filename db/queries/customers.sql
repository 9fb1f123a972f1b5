-- Creates the profile of a customer unless it exists. Index: the unique key on tenant_id and customer_id.
-- name: EnsureProfile :execrows
INSERT INTO customer_profiles (id, tenant_id, customer_id)
VALUES (sqlc.arg(id), sqlc.arg(tenant_id), sqlc.arg(customer_id))
ON CONFLICT (tenant_id, customer_id) DO NOTHING;

-- Creates the profiles of many customers unless they exist, and returns the new ones. All imports insert in the order of
-- the customer ids, so that two of them cannot deadlock. Index: the unique key.
-- name: EnsureProfiles :many
INSERT INTO customer_profiles (id, tenant_id, customer_id)
SELECT made.id, sqlc.arg(tenant_id), made.customer_id
FROM (SELECT unnest(sqlc.arg(ids)::uuid[]) AS id, unnest(sqlc.arg(customers)::uuid[]) AS customer_id) made
ORDER BY made.customer_id
ON CONFLICT (tenant_id, customer_id) DO NOTHING
RETURNING id, customer_id;

-- Locks the profiles of many customers, in the order of their ids. It works as LockProfile. Indexes: the unique key,
-- primary key.
-- name: LockProfiles :many
SELECT *
FROM customer_profiles
WHERE id IN (
    SELECT CASE WHEN c.merged_into_id IS NULL THEN c.id ELSE c.merged_into_id END
    FROM customer_profiles c
    WHERE c.tenant_id = sqlc.arg(tenant_id)
      AND c.customer_id = ANY (sqlc.arg(customers)::uuid[])
)
ORDER BY id
FOR UPDATE;

-- Lists the id of the profile that each customer leads to. Index: the unique key.
-- name: ResolveCustomers :many
SELECT c.customer_id, coalesce(c.merged_into_id, c.id)::uuid AS profile_id
FROM customer_profiles c
WHERE c.tenant_id = sqlc.arg(tenant_id)
  AND c.customer_id = ANY (sqlc.arg(customers)::uuid[]);

-- Locks the profile of a customer, so that the writes to one profile run one at a time (rule 1). A merged customer
-- leads to the profile that it was merged into. If the profile was merged while this query waited for the lock, the
-- caller runs the query again. Indexes: the unique key, primary key.
-- name: LockProfile :one
SELECT *
FROM customer_profiles
WHERE id = (
    SELECT CASE WHEN c.merged_into_id IS NULL THEN c.id ELSE c.merged_into_id END
    FROM customer_profiles c
    WHERE c.tenant_id = sqlc.arg(tenant_id)
      AND c.customer_id = sqlc.arg(customer_id)
)
FOR UPDATE;

-- Locks the profiles of customers for a merge, and the profiles that were merged into those, in the order of their
-- ids. It does not follow merges. Indexes: the unique key, customer_profiles_merged.
-- name: LockOwnProfiles :many
SELECT *
FROM customer_profiles
WHERE id IN (
    SELECT c.id
    FROM customer_profiles c
    WHERE c.tenant_id = sqlc.arg(tenant_id)
      AND c.customer_id = ANY (sqlc.arg(customers)::uuid[])
    UNION ALL
    SELECT m.id
    FROM customer_profiles c
    JOIN customer_profiles m ON m.merged_into_id = c.id
    WHERE c.tenant_id = sqlc.arg(tenant_id)
      AND c.customer_id = ANY (sqlc.arg(customers)::uuid[])
)
ORDER BY id
FOR UPDATE;

-- Locks the profile that a customer leads to, and all profiles that were merged into it, in the order of their ids.
-- The undo of a merge uses it. Indexes: the unique key, customer_profiles_merged.
-- name: LockMergedProfiles :many
SELECT *
FROM customer_profiles
WHERE id IN (
    SELECT CASE WHEN c.merged_into_id IS NULL THEN c.id ELSE c.merged_into_id END
    FROM customer_profiles c
    WHERE c.tenant_id = sqlc.arg(tenant_id)
      AND c.customer_id = sqlc.arg(customer_id)
    UNION ALL
    SELECT m.id
    FROM customer_profiles c
    JOIN customer_profiles m ON m.merged_into_id =
        CASE WHEN c.merged_into_id IS NULL THEN c.id ELSE c.merged_into_id END
    WHERE c.tenant_id = sqlc.arg(tenant_id)
      AND c.customer_id = sqlc.arg(customer_id)
)
ORDER BY id
FOR UPDATE;

-- Locks profiles by their ids, in the order of the ids. Index: primary key.
-- name: LockProfilesByID :many
SELECT *
FROM customer_profiles
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = ANY (sqlc.arg(ids)::uuid[])
ORDER BY id
FOR UPDATE;

-- Raises the versions of locked profiles, and wakes the gap fills of their customers. The caller reports the profiles as
-- touched. Indexes: primary key, customer_profiles_merged, gap_fills_customer.
-- name: RaiseProfiles :many
WITH bumped AS (
    UPDATE customer_profiles p
    SET version = p.version + 1, updated_at = clock_timestamp()
    WHERE p.tenant_id = sqlc.arg(tenant_id)
      AND p.id = ANY (sqlc.arg(ids)::uuid[])
    RETURNING p.id, p.tenant_id, p.customer_id, p.version
), customers AS (
    SELECT b.tenant_id, b.customer_id
    FROM bumped b
    UNION ALL
    SELECT m.tenant_id, m.customer_id
    FROM bumped b
    JOIN customer_profiles m ON m.merged_into_id = b.id
), woken AS (
    INSERT INTO fill_wakeups (tenant_id, fill_id)
    SELECT f.tenant_id, f.operation_id
    FROM customers c
    JOIN gap_fills f ON f.tenant_id = c.tenant_id AND f.customer_id = c.customer_id
    WHERE f.ended_at IS NULL
)
SELECT b.id, b.version
FROM bumped b;

-- Lists the cache entries of the profiles that operations touched: each customer id that leads to a profile, with the
-- lowest version that a reader may see. It returns one row with the zero UUID if they touched no single profile, and no
-- row if none of them exists. applied are the operations to acknowledge, failed is the number of those that failed.
-- has_wakeups reports whether a gap fill of the tenant is to be woken. Indexes: primary keys, customer_profiles_merged,
-- fill_wakeups_next.
-- name: ListTouchedEntries :many
WITH touched AS (
    SELECT
        bool_or(o.touched_pending) AS pending,
        count(*) FILTER (WHERE o.status = 'failed') AS failed,
        array_agg(o.id) FILTER (WHERE o.status = 'applied') AS applied
    FROM operations o
    WHERE o.tenant_id = sqlc.arg(tenant_id)
      AND o.id = ANY (sqlc.arg(ids)::uuid[])
    HAVING count(*) > 0
), profile AS (
    SELECT DISTINCT unnest(o.touched_profiles) AS id
    FROM operations o
    WHERE o.tenant_id = sqlc.arg(tenant_id)
      AND o.id = ANY (sqlc.arg(ids)::uuid[])
), lead AS (
    SELECT DISTINCT p.id, p.customer_id, p.version
    FROM profile
    JOIN customer_profiles t ON t.id = profile.id
    JOIN customer_profiles p ON p.id = CASE WHEN t.merged_into_id IS NULL THEN t.id ELSE t.merged_into_id END
), entry AS (
    SELECT l.customer_id, l.version
    FROM lead l
    UNION ALL
    SELECT c.customer_id, l.version
    FROM lead l
    JOIN customer_profiles c ON c.merged_into_id = l.id
)
SELECT
    touched.pending::boolean AS touched_pending,
    touched.failed,
    coalesce(touched.applied, '{}')::uuid[] AS applied,
    EXISTS (
        SELECT 1
        FROM fill_wakeups w
        WHERE w.tenant_id = sqlc.arg(tenant_id)
          AND w.next_at <= clock_timestamp()
    )::boolean AS has_wakeups,
    coalesce(entry.customer_id, '00000000-0000-0000-0000-000000000000')::uuid AS customer_id,
    coalesce(entry.version, 0)::bigint AS version
FROM touched
LEFT JOIN entry ON true;

-- Gets the document of a customer in one statement, so that all its parts are from the same moment. Indexes: the
-- unique key, customer_values_active, customer_assets_profile, channel_identities_profile, consents_profile,
-- customer_profiles_merged. merged_customers has the first 100 of the customers merged into this one. The parts are
-- json, which takes half the time of jsonb.
-- name: GetProfile :one
SELECT
    p.id,
    p.tenant_id,
    p.customer_id,
    c.customer_id AS requested_id,
    ARRAY(
        SELECT m.customer_id
        FROM customer_profiles m
        WHERE m.merged_into_id = p.id
        ORDER BY m.customer_id
        LIMIT 100
    )::uuid[] AS merged_customers,
    p.version,
    p.label,
    p.created_at,
    p.updated_at,
    coalesce((
        SELECT json_agg(f)
        FROM customer_values f
        WHERE f.profile_id = p.id
          AND f.status = 'active'
          AND f.deleted_at IS NULL
    ), '[]')::json AS fields,
    coalesce((
        SELECT json_agg(w ORDER BY w.name, w.accepted_at, w.id)
        FROM (
            SELECT f.*
            FROM customer_values f
            WHERE f.profile_id = p.id
              AND f.status = 'pending'
              AND f.deleted_at IS NULL
            ORDER BY f.name
            LIMIT 200 -- vault.MaxPending
        ) w
    ), '[]')::json AS pending,
    coalesce((
        SELECT json_agg(a ORDER BY a.uploaded_at, a.id)
        FROM customer_assets a
        WHERE a.profile_id = p.id
          AND a.status = 'active'
          AND a.deleted_at IS NULL
    ), '[]')::json AS assets,
    coalesce((
        SELECT json_agg(i ORDER BY i.linked_at, i.id)
        FROM channel_identities i
        WHERE i.profile_id = p.id
    ), '[]')::json AS channels,
    coalesce((
        SELECT json_agg(n ORDER BY n.purpose)
        FROM (
            SELECT DISTINCT ON (o.purpose) o.*
            FROM consents o
            WHERE o.profile_id = p.id
            ORDER BY o.purpose, o.accepted_at DESC, o.operation_id DESC
        ) n
    ), '[]')::json AS consents
FROM customer_profiles c
JOIN customer_profiles p ON p.id = CASE WHEN c.merged_into_id IS NULL THEN c.id ELSE c.merged_into_id END
WHERE c.tenant_id = sqlc.arg(tenant_id)
  AND c.customer_id = sqlc.arg(customer_id)
  AND p.deleted_at IS NULL;

-- Deletes a profile softly: no query for readers returns it afterwards. Index: primary key.
-- name: DeleteCustomer :exec
UPDATE customer_profiles
SET deleted_at = clock_timestamp(), version = version + 1, updated_at = clock_timestamp()
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id);

-- Reports whether a customer was deleted, or merged into a deleted one. Indexes: the unique key, primary key.
-- name: CustomerDeleted :one
SELECT EXISTS (
    SELECT 1
    FROM customer_profiles c
    JOIN customer_profiles p ON p.id = CASE WHEN c.merged_into_id IS NULL THEN c.id ELSE c.merged_into_id END
    WHERE c.tenant_id = sqlc.arg(tenant_id)
      AND c.customer_id = sqlc.arg(customer_id)
      AND p.deleted_at IS NOT NULL
);

-- Sets the label of a profile, unless an operation that was accepted later set it. Index: primary key.
-- name: SetProfileLabel :exec
UPDATE customer_profiles
SET label = sqlc.arg(label),
    label_set_at = sqlc.arg(accepted_at)
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id)
  AND (label_set_at IS NULL OR label_set_at <= sqlc.arg(accepted_at));

-- Gets the time at which a customer without a profile was first seen, in a session, a question or an unended gap
-- fill. It returns no row for a customer with a profile, also a deleted one. Indexes: the unique key,
-- sessions_customer, questions_scenario, gap_fills_customer.
-- name: GetFirstSeen :one
SELECT seen.at::timestamptz AS at
FROM (
    SELECT s.created_at AS at
    FROM sessions s
    WHERE s.tenant_id = sqlc.arg(tenant_id)
      AND s.customer_id = sqlc.arg(customer_id)
    UNION ALL
    SELECT q.opened_at
    FROM questions q
    WHERE q.tenant_id = sqlc.arg(tenant_id)
      AND q.customer_id = sqlc.arg(customer_id)
    UNION ALL
    SELECT f.started_at
    FROM gap_fills f
    WHERE f.tenant_id = sqlc.arg(tenant_id)
      AND f.customer_id = sqlc.arg(customer_id)
      AND f.ended_at IS NULL
) seen
WHERE NOT EXISTS (
    SELECT 1
    FROM customer_profiles c
    WHERE c.tenant_id = sqlc.arg(tenant_id)
      AND c.customer_id = sqlc.arg(customer_id)
)
ORDER BY seen.at
LIMIT 1;

-- Lists the latest consent of a profile for each purpose that was accepted by a time. Index: consents_profile.
-- name: ListPastConsents :many
SELECT DISTINCT ON (o.purpose) o.*
FROM consents o
WHERE o.tenant_id = sqlc.arg(tenant_id)
  AND o.profile_id = sqlc.arg(profile_id)
  AND o.accepted_at <= sqlc.arg(known_at)
ORDER BY o.purpose, o.accepted_at DESC, o.operation_id DESC;
