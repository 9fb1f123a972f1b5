-- Returns a page of the versions of a customer's values, newest first: of one name, or of all names if name is null.
-- The before_ parameters are the position of the last row of the previous page; null: the first page. Index:
-- customer_values_history.
-- name: PageHistory :many
SELECT f.*
FROM customer_profiles c
JOIN customer_profiles p ON p.id = CASE WHEN c.merged_into_id IS NULL THEN c.id ELSE c.merged_into_id END
JOIN customer_values f ON f.profile_id = p.id
WHERE c.tenant_id = sqlc.arg(tenant_id)
  AND c.customer_id = sqlc.arg(customer_id)
  AND p.deleted_at IS NULL
  AND f.name = coalesce(sqlc.narg(name), f.name)
  AND f.deleted_at IS NULL
  AND (
    sqlc.narg(before_accepted_at)::timestamptz IS NULL
    OR (f.accepted_at, f.operation_id, f.id) <
        (sqlc.narg(before_accepted_at), sqlc.narg(before_operation_id)::uuid, sqlc.narg(before_id)::uuid)
  )
ORDER BY f.accepted_at DESC, f.operation_id DESC, f.id DESC
LIMIT sqlc.arg(max_rows);

-- Returns a page of the open questions, oldest first: of one customer, or of all customers if customer_id is null.
-- The questions of a customer include those of the customers merged with it (as in ListMergedCustomers). The after_
-- parameters are the position of the last row of the previous page; null: the first page. Indexes:
-- questions_customer, and those of ListMergedCustomers.
-- name: PageOpenQuestions :many
SELECT q.*
FROM questions q
WHERE q.tenant_id = sqlc.arg(tenant_id)
  AND (
    sqlc.narg(customer_id)::uuid IS NULL
    OR q.customer_id = ANY (ARRAY(
        SELECT sqlc.narg(customer_id)::uuid
        UNION
        SELECT lead.customer_id
        FROM customer_profiles c
        JOIN customer_profiles lead ON lead.id = c.merged_into_id
        WHERE c.tenant_id = sqlc.arg(tenant_id)
          AND c.customer_id = sqlc.narg(customer_id)::uuid
        UNION
        SELECT led.customer_id
        FROM customer_profiles c
        JOIN customer_profiles led ON led.merged_into_id =
            CASE WHEN c.merged_into_id IS NULL THEN c.id ELSE c.merged_into_id END
        WHERE c.tenant_id = sqlc.arg(tenant_id)
          AND c.customer_id = sqlc.narg(customer_id)::uuid
    ))
  )
  AND q.status = 'open'
  AND (
    sqlc.narg(after_opened_at)::timestamptz IS NULL
    OR (q.opened_at, q.id) > (sqlc.narg(after_opened_at), sqlc.narg(after_id)::uuid)
  )
ORDER BY q.opened_at, q.id
LIMIT sqlc.arg(max_rows);

-- Returns a page of the extracted requirements that wait for a review, in the order of their ids, which is the order
-- of creation. after_id is the last id of the previous page; null: the first page. Index: primary key.
-- name: PagePendingRequirements :many
SELECT *
FROM requirements
WHERE tenant_id = sqlc.arg(tenant_id)
  AND review_state = 'pending'
  AND id > CASE
      WHEN sqlc.narg(after_id)::uuid IS NULL THEN '00000000-0000-0000-0000-000000000000'::uuid
      ELSE sqlc.narg(after_id)::uuid
  END
ORDER BY id
LIMIT sqlc.arg(max_rows);

-- Returns a page of the pending values that wait for a decision, each with the active version of its field, in the order
-- of their ids, which is the order of creation. after_id is the last id of the previous page; null: the first page.
-- Indexes: customer_values_undecided, customer_values_active, primary keys.
-- name: PagePendingValues :many
SELECT
    p.customer_id,
    to_jsonb(f) AS pending,
    coalesce((
        SELECT to_jsonb(a)
        FROM customer_values a
        WHERE a.profile_id = f.profile_id
          AND a.name = f.name
          AND a.status = 'active'
          AND a.deleted_at IS NULL
    ), 'null')::jsonb AS active
FROM customer_values f
JOIN customer_profiles p ON p.id = f.profile_id
LEFT JOIN definitions d ON d.id = f.definition_id
WHERE f.tenant_id = sqlc.arg(tenant_id)
  AND f.status = 'pending'
  AND f.deleted_at IS NULL
  AND p.deleted_at IS NULL
  AND coalesce(d.on_conflict, '') <> 'keep'
  AND f.id > CASE
      WHEN sqlc.narg(after_id)::uuid IS NULL THEN '00000000-0000-0000-0000-000000000000'::uuid
      ELSE sqlc.narg(after_id)::uuid
  END
ORDER BY f.id
LIMIT sqlc.arg(max_rows);

-- Returns a page of the suggested definitions that wait for a review, in the order of their ids, which is the order
-- of creation. after_id is the last id of the previous page; null: the first page. Index: primary key.
-- name: PagePendingDefinitions :many
SELECT *
FROM definitions
WHERE tenant_id = sqlc.arg(tenant_id)
  AND review_state = 'pending'
  AND id > CASE
      WHEN sqlc.narg(after_id)::uuid IS NULL THEN '00000000-0000-0000-0000-000000000000'::uuid
      ELSE sqlc.narg(after_id)::uuid
  END
ORDER BY id
LIMIT sqlc.arg(max_rows);

-- Returns a page of the customers of a tenant, in the order of their ids, without merged ones. after_id is the last
-- id of the previous page; null: the first page. Index: the unique key.
-- name: PageCustomers :many
SELECT customer_id, version, created_at, updated_at
FROM customer_profiles
WHERE tenant_id = sqlc.arg(tenant_id)
  AND merged_into_id IS NULL
  AND deleted_at IS NULL
  AND customer_id > CASE
      WHEN sqlc.narg(after_id)::uuid IS NULL THEN '00000000-0000-0000-0000-000000000000'::uuid
      ELSE sqlc.narg(after_id)::uuid
  END
ORDER BY customer_id
LIMIT sqlc.arg(max_rows);

-- Lists the active values of the customers of a page. Indexes: the unique key, customer_values_active.
-- name: ListCustomerValues :many
SELECT c.customer_id, sqlc.embed(f)
FROM customer_profiles c
JOIN customer_values f ON f.profile_id = c.id
WHERE c.tenant_id = sqlc.arg(tenant_id)
  AND c.customer_id = ANY (sqlc.arg(customers)::uuid[])
  AND f.status = 'active'
  AND f.deleted_at IS NULL;
