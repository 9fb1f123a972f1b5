-- Returns a page of the versions of a customer's values, newest first: of one name, or of all names if name is null.
-- The before_ parameters are the position of the last row of the previous page; null: the first page. Index:
-- customer_values_history.
-- The page is found among the ids first, so that the sort moves no values.
-- name: PageHistory :many
SELECT v.*
FROM (
    SELECT f.id
    FROM customer_values f
    WHERE f.profile_id = (
        SELECT p.id
        FROM customer_profiles c
        JOIN customer_profiles p ON p.id = CASE WHEN c.merged_into_id IS NULL THEN c.id ELSE c.merged_into_id END
        WHERE c.tenant_id = sqlc.arg(tenant_id)
          AND c.customer_id = sqlc.arg(customer_id)
          AND p.deleted_at IS NULL
    )
      AND f.name = coalesce(sqlc.narg(name), f.name)
      AND (sqlc.narg(names)::text[] IS NULL OR f.name = ANY (sqlc.narg(names)::text[]))
      AND f.deleted_at IS NULL
      AND (
        sqlc.narg(before_accepted_at)::timestamptz IS NULL
        OR (f.accepted_at, f.operation_id, f.id) <
            (sqlc.narg(before_accepted_at), sqlc.narg(before_operation_id)::uuid, sqlc.narg(before_id)::uuid)
      )
    ORDER BY f.accepted_at DESC, f.operation_id DESC, f.id DESC
    LIMIT sqlc.arg(max_rows)
) page
JOIN customer_values v ON v.id = page.id
ORDER BY v.accepted_at DESC, v.operation_id DESC, v.id DESC;

-- Returns a page of the open questions, oldest first: of one customer, or of all customers if customer_id is null.
-- The questions of a customer include those of the customers merged with it (as in ListMergedCustomers). The after_
-- parameters are the position of the last row of the previous page; null: the first page. agents limits the agents;
-- null: all. Indexes: questions_customer, and those of ListMergedCustomers.
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
  AND (sqlc.narg(agents)::uuid[] IS NULL OR q.agent_id = ANY (sqlc.narg(agents)::uuid[]))
  AND q.status = 'open'
  AND (
    sqlc.narg(after_opened_at)::timestamptz IS NULL
    OR (q.opened_at, q.id) > (sqlc.narg(after_opened_at), sqlc.narg(after_id)::uuid)
  )
ORDER BY q.opened_at, q.id
LIMIT sqlc.arg(max_rows);

-- Returns a page of the closed questions to a customer and the customers merged with it (as in ListMergedCustomers), the
-- newest first. The before_ parameters are the position of the last row of the previous page; null: the first page.
-- Indexes: questions_scenario, and those of ListMergedCustomers.
-- name: PageClosedQuestions :many
SELECT q.*
FROM questions q
WHERE q.tenant_id = sqlc.arg(tenant_id)
  AND q.customer_id = ANY (ARRAY(
      SELECT sqlc.arg(customer_id)::uuid
      UNION
      SELECT lead.customer_id
      FROM customer_profiles c
      JOIN customer_profiles lead ON lead.id = c.merged_into_id
      WHERE c.tenant_id = sqlc.arg(tenant_id)
        AND c.customer_id = sqlc.arg(customer_id)::uuid
      UNION
      SELECT led.customer_id
      FROM customer_profiles c
      JOIN customer_profiles led ON led.merged_into_id =
          CASE WHEN c.merged_into_id IS NULL THEN c.id ELSE c.merged_into_id END
      WHERE c.tenant_id = sqlc.arg(tenant_id)
        AND c.customer_id = sqlc.arg(customer_id)::uuid
  ))
  AND q.status <> 'open'
  AND (sqlc.narg(agents)::uuid[] IS NULL OR q.agent_id = ANY (sqlc.narg(agents)::uuid[]))
  AND (
    sqlc.narg(before_opened_at)::timestamptz IS NULL
    OR (q.opened_at, q.id) < (sqlc.narg(before_opened_at), sqlc.narg(before_id)::uuid)
  )
ORDER BY q.opened_at DESC, q.id DESC
LIMIT sqlc.arg(max_rows);

-- Returns a page of the extracted requirements that wait for a review, in the order of their ids, which is the order
-- of creation. after_id is the last id of the previous page; null: the first page. Index: primary key.
-- name: PagePendingRequirements :many
SELECT *
FROM requirements
WHERE tenant_id = sqlc.arg(tenant_id)
  AND review_state = 'pending'
  AND (sqlc.narg(agents)::uuid[] IS NULL OR agent_id = ANY (sqlc.narg(agents)::uuid[]))
  AND id > CASE
      WHEN sqlc.narg(after_id)::uuid IS NULL THEN '00000000-0000-0000-0000-000000000000'::uuid
      ELSE sqlc.narg(after_id)::uuid
  END
ORDER BY id
LIMIT sqlc.arg(max_rows);

-- Returns a page of the values that wait for a decision, pending or proposed for deletion, each with the active version of its field, in the order
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
  AND (f.status = 'pending' OR f.deletion_proposed_at IS NOT NULL)
  AND f.deleted_at IS NULL
  AND (sqlc.narg(names)::text[] IS NULL OR f.name = ANY (sqlc.narg(names)::text[]))
  AND p.deleted_at IS NULL
  AND (f.deletion_proposed_at IS NOT NULL OR coalesce(d.on_conflict, '') <> 'keep')
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
  AND (sqlc.narg(agents)::uuid[] IS NULL OR agent_id = ANY (sqlc.narg(agents)::uuid[]))
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

-- Returns a piece of the customers of a tenant whose values meet conditions. It reads at most chunk candidates after a
-- position: by = 'value' those with a value, in the order of their profiles; 'prefix' those with a value that begins with a
-- text, in its order; 'age' those with a value from before a time,
-- the oldest first; 'customer' all, in the order of their ids. A row is a customer who meets all conditions, up to
-- max_rows of them, or the last candidate. scanned and matched count the candidates, and those who meet the conditions.
--
-- A condition has a number, which is its place in the arrays cond_…: the name of its field, its kind, a time and a
-- purpose to which the customer must have consented, '' if none is needed. The accepted values of a condition 'equals' are
-- the rows of want_…: its number, its name, and the value or, of a sealed one, '' and its key in the blind index. The
-- condition of the candidates need not be among cond_….
--
-- Each arm has its index, whatever the statistics say: customer_values_match, customer_values_prefix,
-- customer_values_age, the unique key of customer_profiles; then primary keys, customer_values_active,
-- consents_profile.
--
-- The walk takes one customer after the other: a plan that does not know its limit would sort all customers. The
-- profile is read of a candidate that passes the tests only.
-- name: FindCustomers :many
WITH RECURSIVE walk AS (
    SELECT sqlc.arg(after_id)::uuid AS id, sqlc.arg(after_id)::uuid AS customer_id, 0 AS step
    WHERE sqlc.arg(by)::text = 'customer'
    UNION ALL
    SELECT next.id, next.customer_id, w.step + 1
    FROM walk w
    CROSS JOIN LATERAL (
        SELECT p.id, p.customer_id
        FROM customer_profiles p
        WHERE p.tenant_id = sqlc.arg(tenant_id)
          AND p.customer_id > w.customer_id
        ORDER BY p.customer_id
        LIMIT 1
    ) next
    WHERE w.step < sqlc.arg(chunk)::int
), want AS MATERIALIZED (
    SELECT
        unnest(sqlc.arg(want_numbers)::int[]) AS number,
        unnest(sqlc.arg(want_names)::text[]) AS name,
        nullif(unnest(sqlc.arg(want_values)::text[]), '')::jsonb AS value,
        unnest(sqlc.arg(want_blind)::bigint[]) AS blind_key
), keys AS MATERIALIZED (
    SELECT DISTINCT
        w.number,
        CASE
            WHEN w.value IS NULL THEN w.blind_key
            ELSE match_key(sqlc.arg(tenant_id), w.name, w.value)
        END AS key,
        match_text(w.value) AS text
    FROM want w
), tests AS MATERIALIZED (
    SELECT t.number, t.name, t.kind, t.before, t.prefix, t.purpose
    FROM (
        SELECT
            generate_subscripts(sqlc.arg(cond_names)::text[], 1) AS number,
            unnest(sqlc.arg(cond_names)::text[]) AS name,
            unnest(sqlc.arg(cond_kinds)::text[]) AS kind,
            unnest(sqlc.arg(cond_times)::timestamptz[]) AS before,
            unnest(sqlc.arg(cond_prefixes)::text[]) COLLATE "C" AS prefix,
            unnest(sqlc.arg(cond_purposes)::text[]) AS purpose
    ) t
    WHERE t.kind <> 'met'
), chunk AS MATERIALIZED (
    SELECT found.profile_id, found.at, found.key, found.tie, found.position, found.same
    FROM (
        SELECT
            v.profile_id, NULL::timestamptz AS at, ''::text COLLATE "C" AS key, v.profile_id AS tie, v.profile_id AS position,
            v.name = sqlc.arg(by_name)::text AND (k.text IS NULL) = v.encrypted
                AND (v.encrypted OR k.text = match_text(v.value)) AS same
        FROM keys k
        CROSS JOIN LATERAL (
            SELECT v.profile_id, v.encrypted, v.name, v.value
            FROM customer_values v
            WHERE v.tenant_id = sqlc.arg(tenant_id)
              AND v.match_key = k.key
              AND v.profile_id > sqlc.arg(after_id)
            ORDER BY v.profile_id NULLS FIRST
            LIMIT sqlc.arg(chunk)::int
        ) v
        WHERE sqlc.arg(by)::text = 'value'
          AND k.number = sqlc.arg(by_number)::int
        UNION ALL
        (
            SELECT v.profile_id, v.collected_at, '', v.profile_id, v.profile_id, true
            FROM customer_values v
            WHERE sqlc.arg(by)::text = 'age'
              AND v.field_key = (SELECT field_key(sqlc.arg(tenant_id), sqlc.arg(by_name)::text))
              AND v.tenant_id = sqlc.arg(tenant_id)
              AND v.name = sqlc.arg(by_name)::text
              AND v.collected_at < sqlc.arg(by_before)
              AND v.collected_at >= sqlc.arg(after_at)
              AND (v.collected_at > sqlc.arg(after_at) OR v.profile_id > sqlc.arg(after_id))
            ORDER BY v.collected_at NULLS FIRST, v.profile_id
            LIMIT sqlc.arg(chunk)::int
        )
        UNION ALL
        (
            SELECT v.profile_id, NULL::timestamptz, v.prefix_key, v.profile_id, v.id, true
            FROM customer_values v
            WHERE sqlc.arg(by)::text = 'prefix'
              AND v.field_key = (SELECT field_key(sqlc.arg(tenant_id), sqlc.arg(by_name)::text))
              AND v.tenant_id = sqlc.arg(tenant_id)
              AND v.name = sqlc.arg(by_name)::text
              AND v.prefix_key >= sqlc.arg(after_key)::text
              AND (v.prefix_key > sqlc.arg(after_key)::text OR v.profile_id > sqlc.arg(after_id))
              AND v.prefix_key < sqlc.arg(until_key)::text
            ORDER BY v.prefix_key NULLS FIRST, v.profile_id
            LIMIT sqlc.arg(chunk)::int
        )
        UNION ALL
        SELECT w.id, NULL::timestamptz, '', w.customer_id, w.customer_id, true
        FROM walk w
        WHERE w.step > 0
    ) found
    ORDER BY found.at, found.key, found.tie
    LIMIT sqlc.arg(chunk)::int
), tested AS MATERIALIZED (
    SELECT
        c.at, c.key, c.tie, c.position, c.profile_id,
        c.same AND NOT EXISTS (
            SELECT 1
            FROM tests t
            LEFT JOIN LATERAL (
                SELECT v.encrypted, v.match_key, v.prefix_key, v.verified, v.collected_at, v.value
                FROM customer_values v
                WHERE v.profile_id = c.profile_id
                  AND v.name = t.name
                  AND v.status = 'active'
                  AND v.deleted_at IS NULL
                OFFSET 0
            ) v ON true
            WHERE NOT coalesce(
                CASE t.kind
                    WHEN 'equals' THEN EXISTS (
                        SELECT 1
                        FROM keys k
                        WHERE k.number = t.number
                          AND k.key = v.match_key
                          AND (k.text IS NULL) = v.encrypted
                          AND (v.encrypted OR k.text = match_text(v.value))
                    )
                    WHEN 'begins' THEN starts_with(v.prefix_key, t.prefix)
                    WHEN 'verified' THEN v.verified
                    WHEN 'present' THEN v.encrypted IS NOT NULL
                    WHEN 'missing' THEN v.encrypted IS NULL
                    WHEN 'older_than' THEN v.collected_at < t.before
                END,
                false
            )
            OR (
                t.purpose <> ''
                AND NOT coalesce((
                    SELECT o.granted AND (o.expires_at IS NULL OR o.expires_at > sqlc.arg(now))
                    FROM consents o
                    WHERE o.tenant_id = sqlc.arg(tenant_id)
                      AND o.profile_id = c.profile_id
                      AND o.purpose = t.purpose
                    ORDER BY o.accepted_at DESC, o.operation_id DESC
                    LIMIT 1
                ), false)
            )
        ) AS passes
    FROM chunk c
), joined AS MATERIALIZED (
    SELECT
        t.at, t.key, t.tie, t.position, p.id IS NOT NULL AS matches,
        coalesce(p.customer_id, t.profile_id) AS customer_id, coalesce(p.version, 0) AS version,
        coalesce(p.created_at, sqlc.arg(now)) AS created_at, coalesce(p.updated_at, sqlc.arg(now)) AS updated_at
    FROM tested t
    LEFT JOIN LATERAL (
        SELECT *
        FROM customer_profiles p
        WHERE t.passes
          AND p.id = t.profile_id
          AND p.merged_into_id IS NULL
          AND p.deleted_at IS NULL
        OFFSET 0
    ) p ON true
), numbered AS (
    SELECT
        t.customer_id, t.version, t.created_at, t.updated_at, t.at, t.position, t.matches,
        count(*) OVER () AS scanned,
        count(*) FILTER (WHERE t.matches) OVER () AS matched,
        count(*) FILTER (WHERE t.matches) OVER (ORDER BY t.at, t.key, t.tie) AS place,
        row_number() OVER (ORDER BY t.at, t.key, t.tie) AS number
    FROM joined t
)
SELECT
    n.customer_id, n.version, n.created_at, n.updated_at, n.at, n.position::uuid AS position, n.matches::bool AS matches,
    n.scanned, n.matched
FROM numbered n
WHERE (n.matches AND n.place <= sqlc.arg(max_rows)::bigint)
   OR n.number = n.scanned
ORDER BY n.number;

-- FindCustomers of the searches that are made most: the three queries that follow have one order each, so that they stop
-- at the end of the page instead of the candidates, and a plan for it alone. They know no purposes, and the conditions
-- 'missing' (as names), 'verified', 'present' and 'older_than'. number is the place of a row among the candidates; the
-- row of the last one, number = chunk, is returned although it does not match.

-- The customers with one key, in the order of their profiles. Indexes: customer_values_match, customer_values_active,
-- primary key.
-- name: FindCustomersByKey :many
WITH tests AS MATERIALIZED (
    SELECT
        unnest(sqlc.arg(cond_names)::text[]) AS name,
        unnest(sqlc.arg(cond_kinds)::text[]) AS kind,
        unnest(sqlc.arg(cond_times)::timestamptz[]) AS before
), missing AS MATERIALIZED (
    SELECT unnest(sqlc.arg(missing)::text[]) AS name
)
SELECT
    coalesce(p.customer_id, n.profile_id)::uuid AS customer_id, coalesce(p.version, 0)::bigint AS version,
    coalesce(p.created_at, sqlc.arg(now))::timestamptz AS created_at,
    coalesce(p.updated_at, sqlc.arg(now))::timestamptz AS updated_at,
    n.profile_id AS position, (n.passes AND p.id IS NOT NULL)::bool AS matches, n.number
FROM (
    SELECT
        c.profile_id, c.number,
        c.name = sqlc.arg(name)::text
        AND CASE
            WHEN sqlc.arg(want_value)::text = '' THEN c.encrypted
            ELSE NOT c.encrypted AND match_text(c.value) = (SELECT match_text(nullif(sqlc.arg(want_value)::text, '')::jsonb))
        END
        AND NOT EXISTS (
            SELECT 1
            FROM missing m
            CROSS JOIN LATERAL (
                SELECT 1
                FROM customer_values v
                WHERE v.profile_id = c.profile_id
                  AND v.name = m.name
                  AND v.status = 'active'
                  AND v.deleted_at IS NULL
                OFFSET 0
            ) v
        )
        AND NOT EXISTS (
            SELECT 1
            FROM tests t
            LEFT JOIN LATERAL (
                SELECT v.verified, v.collected_at
                FROM customer_values v
                WHERE v.profile_id = c.profile_id
                  AND v.name = t.name
                  AND v.status = 'active'
                  AND v.deleted_at IS NULL
                OFFSET 0
            ) v ON true
            WHERE NOT coalesce(
                CASE t.kind
                    WHEN 'verified' THEN v.verified
                    WHEN 'present' THEN v.verified IS NOT NULL
                    WHEN 'older_than' THEN v.collected_at < t.before
                END,
                false
            )
        ) AS passes
    FROM (
        SELECT v.*, row_number() OVER (ORDER BY v.profile_id NULLS FIRST) AS number
        FROM (
            SELECT v.profile_id, v.name, v.encrypted, v.value
            FROM customer_values v
            WHERE v.tenant_id = sqlc.arg(tenant_id)
              AND v.match_key = (
                  SELECT CASE
                      WHEN sqlc.arg(want_value)::text = '' THEN sqlc.arg(want_blind)::bigint
                      ELSE match_key(sqlc.arg(tenant_id), sqlc.arg(name)::text, nullif(sqlc.arg(want_value)::text, '')::jsonb)
                  END
              )
              AND v.profile_id > sqlc.arg(after_id)
            ORDER BY v.profile_id NULLS FIRST
            LIMIT sqlc.arg(chunk)::int
        ) v
    ) c
    ORDER BY c.profile_id NULLS FIRST
) n
LEFT JOIN LATERAL (
    SELECT *
    FROM customer_profiles p
    WHERE n.passes
      AND p.id = n.profile_id
      AND p.merged_into_id IS NULL
      AND p.deleted_at IS NULL
    OFFSET 0
) p ON true
WHERE p.id IS NOT NULL
   OR n.number = sqlc.arg(chunk)::int
ORDER BY n.profile_id NULLS FIRST
LIMIT sqlc.arg(max_rows);

-- The customers with an old value, the oldest first. Indexes: customer_values_age, customer_values_active, primary key.
-- name: FindCustomersByAge :many
WITH tests AS MATERIALIZED (
    SELECT
        unnest(sqlc.arg(cond_names)::text[]) AS name,
        unnest(sqlc.arg(cond_kinds)::text[]) AS kind,
        unnest(sqlc.arg(cond_times)::timestamptz[]) AS before
), missing AS MATERIALIZED (
    SELECT unnest(sqlc.arg(missing)::text[]) AS name
)
SELECT
    coalesce(p.customer_id, n.profile_id)::uuid AS customer_id, coalesce(p.version, 0)::bigint AS version,
    coalesce(p.created_at, sqlc.arg(now))::timestamptz AS created_at,
    coalesce(p.updated_at, sqlc.arg(now))::timestamptz AS updated_at,
    n.profile_id AS position, n.collected_at AS at, (n.passes AND p.id IS NOT NULL)::bool AS matches, n.number
FROM (
    SELECT
        c.profile_id, c.collected_at, c.number,
        c.name = sqlc.arg(name)::text
        AND NOT EXISTS (
            SELECT 1
            FROM missing m
            CROSS JOIN LATERAL (
                SELECT 1
                FROM customer_values v
                WHERE v.profile_id = c.profile_id
                  AND v.name = m.name
                  AND v.status = 'active'
                  AND v.deleted_at IS NULL
                OFFSET 0
            ) v
        )
        AND NOT EXISTS (
            SELECT 1
            FROM tests t
            LEFT JOIN LATERAL (
                SELECT v.verified, v.collected_at
                FROM customer_values v
                WHERE v.profile_id = c.profile_id
                  AND v.name = t.name
                  AND v.status = 'active'
                  AND v.deleted_at IS NULL
                OFFSET 0
            ) v ON true
            WHERE NOT coalesce(
                CASE t.kind
                    WHEN 'verified' THEN v.verified
                    WHEN 'present' THEN v.verified IS NOT NULL
                    WHEN 'older_than' THEN v.collected_at < t.before
                END,
                false
            )
        ) AS passes
    FROM (
        SELECT v.*, row_number() OVER (ORDER BY v.collected_at NULLS FIRST, v.profile_id) AS number
        FROM (
            SELECT v.profile_id, v.name, v.collected_at
            FROM customer_values v
            WHERE v.field_key = (SELECT field_key(sqlc.arg(tenant_id), sqlc.arg(name)::text))
              AND v.tenant_id = sqlc.arg(tenant_id)
              AND v.collected_at < sqlc.arg(before)
              AND v.collected_at >= sqlc.arg(after_at)
              AND (v.collected_at > sqlc.arg(after_at) OR v.profile_id > sqlc.arg(after_id))
            ORDER BY v.collected_at NULLS FIRST, v.profile_id
            LIMIT sqlc.arg(chunk)::int
        ) v
    ) c
    ORDER BY c.collected_at NULLS FIRST, c.profile_id
) n
LEFT JOIN LATERAL (
    SELECT *
    FROM customer_profiles p
    WHERE n.passes
      AND p.id = n.profile_id
      AND p.merged_into_id IS NULL
      AND p.deleted_at IS NULL
    OFFSET 0
) p ON true
WHERE p.id IS NOT NULL
   OR n.number = sqlc.arg(chunk)::int
ORDER BY n.collected_at NULLS FIRST, n.profile_id
LIMIT sqlc.arg(max_rows);

-- All customers, in the order of their ids. Indexes: the unique key of customer_profiles, customer_values_active.
-- name: FindCustomersInOrder :many
WITH tests AS MATERIALIZED (
    SELECT
        unnest(sqlc.arg(cond_names)::text[]) AS name,
        unnest(sqlc.arg(cond_kinds)::text[]) AS kind,
        unnest(sqlc.arg(cond_times)::timestamptz[]) AS before
), missing AS MATERIALIZED (
    SELECT unnest(sqlc.arg(missing)::text[]) AS name
)
SELECT n.customer_id, n.version, n.created_at, n.updated_at, n.matches::bool AS matches, n.number
FROM (
    SELECT
        c.customer_id, c.version, c.created_at, c.updated_at, c.number,
        c.merged_into_id IS NULL
        AND c.deleted_at IS NULL
        AND NOT EXISTS (
            SELECT 1
            FROM missing m
            CROSS JOIN LATERAL (
                SELECT 1
                FROM customer_values v
                WHERE v.profile_id = c.id
                  AND v.name = m.name
                  AND v.status = 'active'
                  AND v.deleted_at IS NULL
                OFFSET 0
            ) v
        )
        AND NOT EXISTS (
            SELECT 1
            FROM tests t
            LEFT JOIN LATERAL (
                SELECT v.verified, v.collected_at
                FROM customer_values v
                WHERE v.profile_id = c.id
                  AND v.name = t.name
                  AND v.status = 'active'
                  AND v.deleted_at IS NULL
                OFFSET 0
            ) v ON true
            WHERE NOT coalesce(
                CASE t.kind
                    WHEN 'verified' THEN v.verified
                    WHEN 'present' THEN v.verified IS NOT NULL
                    WHEN 'older_than' THEN v.collected_at < t.before
                END,
                false
            )
        ) AS matches
    FROM (
        SELECT p.*, row_number() OVER (ORDER BY p.customer_id) AS number
        FROM (
            SELECT *
            FROM customer_profiles p
            WHERE p.tenant_id = sqlc.arg(tenant_id)
              AND p.customer_id > sqlc.arg(after_id)
            ORDER BY p.customer_id
            LIMIT sqlc.arg(chunk)::int
        ) p
    ) c
    ORDER BY c.customer_id
) n
WHERE n.matches
   OR n.number = sqlc.arg(chunk)::int
ORDER BY n.customer_id
LIMIT sqlc.arg(max_rows);

-- Returns the place of a version in the order of the beginnings of values. It need not be active any more. Index: primary
-- key.
-- name: PrefixPosition :one
SELECT profile_id, prefix_text(value)::text AS key
FROM customer_values
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id)
  AND NOT encrypted;

-- Counts the candidates of conditions 'equals', each up to max_rows, so that a search can begin with the fewest. It works
-- as FindCustomers. Index: customer_values_match.
-- name: CountCandidates :many
WITH want AS MATERIALIZED (
    SELECT
        unnest(sqlc.arg(numbers)::int[]) AS number,
        unnest(sqlc.arg(names)::text[]) AS name,
        nullif(unnest(sqlc.arg(want_values)::text[]), '')::jsonb AS value,
        unnest(sqlc.arg(want_blind)::bigint[]) AS blind_key
), keys AS MATERIALIZED (
    SELECT
        w.number,
        CASE WHEN w.value IS NULL THEN w.blind_key ELSE match_key(sqlc.arg(tenant_id), w.name, w.value) END AS key
    FROM want w
)
SELECT k.number::int AS number, counted.candidates
FROM keys k
CROSS JOIN LATERAL (
    SELECT count(*) AS candidates
    FROM (
        SELECT 1
        FROM customer_values v
        WHERE v.tenant_id = sqlc.arg(tenant_id)
          AND v.match_key = k.key
        LIMIT sqlc.arg(max_rows)
    ) found
) counted;

-- Finds the customer of a channel identity: the one that it was merged into, if it was. Indexes: the unique key of
-- channel_identities, the primary key.
-- name: FindCustomer :one
SELECT c.customer_id, c.version, c.created_at, c.updated_at
FROM channel_identities i
JOIN customer_profiles p ON p.id = i.profile_id
JOIN customer_profiles c ON c.id = COALESCE(p.merged_into_id, p.id)
WHERE i.tenant_id = sqlc.arg(tenant_id)
  AND i.channel = sqlc.arg(channel)
  AND i.external_id = sqlc.arg(external_id)
  AND c.deleted_at IS NULL;

-- Lists the active values of the customers of a page. Indexes: the unique key, customer_values_active.
-- name: ListCustomerValues :many
SELECT c.customer_id, sqlc.embed(f)
FROM customer_profiles c
JOIN customer_values f ON f.profile_id = c.id
WHERE c.tenant_id = sqlc.arg(tenant_id)
  AND c.customer_id = ANY (sqlc.arg(customers)::uuid[])
  AND f.status = 'active'
  AND f.deleted_at IS NULL;

-- Lists the active and the pending values of a field of the customers of a page. Indexes: the unique key,
-- customer_values_active, customer_values_pending.
-- name: ListFieldValues :many
SELECT c.customer_id, sqlc.embed(f)
FROM customer_profiles c
JOIN customer_values f ON f.profile_id = c.id
WHERE c.tenant_id = sqlc.arg(tenant_id)
  AND c.customer_id = ANY (sqlc.arg(customers)::uuid[])
  AND f.name = sqlc.arg(name)
  AND f.status = 'active'
  AND f.deleted_at IS NULL
UNION ALL
SELECT c.customer_id, sqlc.embed(f)
FROM customer_profiles c
JOIN customer_values f ON f.profile_id = c.id
WHERE c.tenant_id = sqlc.arg(tenant_id)
  AND c.customer_id = ANY (sqlc.arg(customers)::uuid[])
  AND f.name = sqlc.arg(name)
  AND f.status = 'pending'
  AND f.deleted_at IS NULL;

-- Lists the latest consent of the customers of a page for each purpose. Indexes: the unique key, consents_profile.
-- name: ListCustomerConsents :many
SELECT DISTINCT ON (c.customer_id, o.purpose) c.customer_id, sqlc.embed(o)
FROM customer_profiles c
JOIN consents o ON o.tenant_id = c.tenant_id AND o.profile_id = c.id
WHERE c.tenant_id = sqlc.arg(tenant_id)
  AND c.customer_id = ANY (sqlc.arg(customers)::uuid[])
ORDER BY c.customer_id, o.purpose, o.accepted_at DESC, o.operation_id DESC;

-- Returns a page of the operations of some workflows, newest first. before_id is the last id of the previous page; null:
-- the first page. succeeded leaves out the others. The page of each workflow is read by the index operations_list.
-- name: PageOperations :many
SELECT
    o.id, o.workflow, o.subject, o.actor, o.status, o.error, o.attempts, o.accepted_at, o.finished_at
FROM unnest(sqlc.arg(workflows)::text[]) AS w (workflow)
CROSS JOIN LATERAL (
    SELECT p.*
    FROM operations p
    WHERE p.tenant_id = sqlc.arg(tenant_id)
      AND p.workflow = w.workflow
      AND p.id < CASE
          WHEN sqlc.narg(before_id)::uuid IS NULL THEN 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid
          ELSE sqlc.narg(before_id)::uuid
      END
      AND (sqlc.narg(actor)::text IS NULL OR p.actor = sqlc.narg(actor))
      AND (NOT sqlc.arg(succeeded)::boolean OR p.status = 'succeeded')
    ORDER BY p.id DESC
    LIMIT sqlc.arg(max_rows)
) o
ORDER BY o.id DESC
LIMIT sqlc.arg(max_rows);

-- Returns a page of the failed operations of some workflows, newest first. before_id: as in PageOperations. Index:
-- operations_failed.
-- name: PageFailedOperations :many
SELECT
    id, workflow, subject, actor, status, error, attempts, accepted_at, finished_at
FROM operations
WHERE tenant_id = sqlc.arg(tenant_id)
  AND status = 'failed'
  AND (sqlc.narg(actor)::text IS NULL OR actor = sqlc.narg(actor))
  AND workflow = ANY (sqlc.arg(workflows)::text[])
  AND id < CASE
      WHEN sqlc.narg(before_id)::uuid IS NULL THEN 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid
      ELSE sqlc.narg(before_id)::uuid
  END
ORDER BY id DESC
LIMIT sqlc.arg(max_rows);

-- Returns a page of the unfinished operations of some workflows, newest first. There are few of them, so they are read
-- first and then sorted. before_id: as in PageOperations. Index: operations_due.
-- name: PageUnfinishedOperations :many
WITH unfinished AS MATERIALIZED (
    SELECT o.id
    FROM operations o
    WHERE o.tenant_id = sqlc.arg(tenant_id)
      AND o.status IN ('accepted', 'applied')
      AND o.status = ANY (sqlc.arg(statuses)::text[])
      AND (sqlc.narg(actor)::text IS NULL OR o.actor = sqlc.narg(actor))
      AND o.workflow = ANY (sqlc.arg(workflows)::text[])
      AND o.id < CASE
          WHEN sqlc.narg(before_id)::uuid IS NULL THEN 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid
          ELSE sqlc.narg(before_id)::uuid
      END
), page AS MATERIALIZED (
    SELECT u.id
    FROM unfinished u
    ORDER BY u.id DESC
    LIMIT sqlc.arg(max_rows)
)
SELECT
    o.id, o.workflow, o.subject, o.actor, o.status, o.error, o.attempts, o.accepted_at, o.finished_at
FROM page
JOIN operations o ON o.id = page.id
ORDER BY o.id DESC;

-- Returns a page of the operations of customers who share a profile, newest first: those whose subject is one of the
-- customers, gap fills included, and those that wrote a version or an asset of the profile, such as imports. subjects
-- are the customers as text: row-level security lets no index serve a cast. before_id: as in PageOperations. Indexes: operations_subject, customer_values_history, customer_assets_profile.
-- name: PageCustomerOperations :many
WITH lead AS (
    SELECT CASE WHEN c.merged_into_id IS NULL THEN c.id ELSE c.merged_into_id END AS id
    FROM customer_profiles c
    WHERE c.tenant_id = sqlc.arg(tenant_id)
      AND c.customer_id = ANY (sqlc.arg(customers)::uuid[])
    LIMIT 1
), concerned AS MATERIALIZED (
    SELECT o.id
    FROM operations o
    WHERE o.tenant_id = sqlc.arg(tenant_id)
      AND o.subject_id = ANY (sqlc.arg(subjects)::text[])
    UNION
    SELECT v.operation_id
    FROM lead
    JOIN customer_values v ON v.profile_id = lead.id
    WHERE v.tenant_id = sqlc.arg(tenant_id)
    UNION
    SELECT a.operation_id
    FROM lead
    JOIN customer_assets a ON a.profile_id = lead.id
    WHERE a.tenant_id = sqlc.arg(tenant_id)
)
SELECT
    o.id, o.workflow, o.subject, o.actor, o.status, o.error, o.attempts, o.accepted_at, o.finished_at
FROM concerned
JOIN operations o ON o.id = concerned.id
WHERE o.tenant_id = sqlc.arg(tenant_id)
  AND (sqlc.narg(actor)::text IS NULL OR o.actor = sqlc.narg(actor))
  AND o.status = ANY (sqlc.arg(statuses)::text[])
  AND o.workflow = ANY (sqlc.arg(workflows)::text[])
  AND o.id < CASE
      WHEN sqlc.narg(before_id)::uuid IS NULL THEN 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid
      ELSE sqlc.narg(before_id)::uuid
  END
ORDER BY o.id DESC
LIMIT sqlc.arg(max_rows);

-- Returns a page of the agents of a tenant, in the order of their ids: every agent with a definition or a scenario.
-- after_id is the last id of the previous page; null: the first page. Indexes: the unique key of definitions,
-- scenarios_agent.
-- name: PageAgents :many
WITH page AS (
    SELECT a.agent_id
    FROM (
        (
            SELECT DISTINCT d.agent_id
            FROM definitions d
            WHERE d.tenant_id = sqlc.arg(tenant_id)
              AND d.deleted_at IS NULL
              AND (sqlc.narg(agents)::uuid[] IS NULL OR d.agent_id = ANY (sqlc.narg(agents)::uuid[]))
              AND d.agent_id > CASE
                  WHEN sqlc.narg(after_id)::uuid IS NULL THEN '00000000-0000-0000-0000-000000000000'::uuid
                  ELSE sqlc.narg(after_id)::uuid
              END
            ORDER BY d.agent_id
            LIMIT sqlc.arg(max_rows)
        )
        UNION
        (
            SELECT DISTINCT s.agent_id
            FROM scenarios s
            WHERE s.tenant_id = sqlc.arg(tenant_id)
              AND (sqlc.narg(agents)::uuid[] IS NULL OR s.agent_id = ANY (sqlc.narg(agents)::uuid[]))
              AND s.agent_id > CASE
                  WHEN sqlc.narg(after_id)::uuid IS NULL THEN '00000000-0000-0000-0000-000000000000'::uuid
                  ELSE sqlc.narg(after_id)::uuid
              END
            ORDER BY s.agent_id
            LIMIT sqlc.arg(max_rows)
        )
    ) a
    ORDER BY a.agent_id
    LIMIT sqlc.arg(max_rows)
)
SELECT
    page.agent_id,
    (
        SELECT count(*)
        FROM definitions d
        WHERE d.tenant_id = sqlc.arg(tenant_id)
          AND d.agent_id = page.agent_id
          AND d.deleted_at IS NULL
    ) AS definitions,
    (
        SELECT count(*)
        FROM scenarios s
        WHERE s.tenant_id = sqlc.arg(tenant_id)
          AND s.agent_id = page.agent_id
    ) AS scenarios
FROM page
ORDER BY page.agent_id;

-- Returns a page of the scenarios of an agent, without their texts, in the order of their ids. after_id: as in
-- PageAgents. Indexes: scenarios_agent, rules_scenario, requirements_key.
-- name: PageScenarios :many
SELECT
    s.id,
    s.agent_id,
    s.name,
    s.created_at,
    s.updated_at,
    (
        SELECT count(*)
        FROM rules r
        WHERE r.tenant_id = s.tenant_id
          AND r.scenario_id = s.id
    ) AS rules,
    (
        SELECT count(*)
        FROM requirements q
        WHERE q.tenant_id = s.tenant_id
          AND q.scenario_id = s.id
          AND q.deleted_at IS NULL
    ) AS requirements
FROM scenarios s
WHERE s.tenant_id = sqlc.arg(tenant_id)
  AND s.agent_id = sqlc.arg(agent_id)
  AND s.id > CASE
      WHEN sqlc.narg(after_id)::uuid IS NULL THEN '00000000-0000-0000-0000-000000000000'::uuid
      ELSE sqlc.narg(after_id)::uuid
  END
ORDER BY s.id
LIMIT sqlc.arg(max_rows);

-- Returns a page of the rules of an agent, or of one of its scenarios, without their texts, in the order of their ids.
-- after_id: as in PageAgents. Index: rules_agent.
-- name: PageRules :many
SELECT id, agent_id, scenario_id, name, created_at, updated_at
FROM rules
WHERE tenant_id = sqlc.arg(tenant_id)
  AND agent_id = sqlc.arg(agent_id)
  AND (sqlc.narg(scenario_id)::uuid IS NULL OR scenario_id = sqlc.narg(scenario_id))
  AND id > CASE
      WHEN sqlc.narg(after_id)::uuid IS NULL THEN '00000000-0000-0000-0000-000000000000'::uuid
      ELSE sqlc.narg(after_id)::uuid
  END
ORDER BY id
LIMIT sqlc.arg(max_rows);

-- Returns a page of the sessions of customers, without variables and turns, newest first. The before_ parameters are the
-- position of the last row of the previous page; null: the first page. Indexes: sessions_customer, primary key of
-- session_turns.
-- name: PageSessions :many
SELECT
    s.id,
    s.agent_id,
    s.customer_id,
    s.created_at,
    s.updated_at,
    (
        SELECT count(*)
        FROM session_turns t
        WHERE t.tenant_id = s.tenant_id
          AND t.session_id = s.id
    ) AS turns
FROM sessions s
WHERE s.tenant_id = sqlc.arg(tenant_id)
  AND s.customer_id = ANY (sqlc.arg(customers)::uuid[])
  AND (sqlc.narg(agents)::uuid[] IS NULL OR s.agent_id = ANY (sqlc.narg(agents)::uuid[]))
  AND (
    sqlc.narg(before_created_at)::timestamptz IS NULL
    OR (s.created_at, s.id) < (sqlc.narg(before_created_at), sqlc.narg(before_id)::uuid)
  )
ORDER BY s.created_at DESC, s.id DESC
LIMIT sqlc.arg(max_rows);

-- Returns a page of the merges of a customer and of the customers who are merged into it, newest first. before_id: as in
-- PageOperations. Indexes: the unique key, customer_profiles_merged, customer_merges_source, customer_merges_target.
-- name: PageMerges :many
WITH own AS (
    SELECT c.id
    FROM customer_profiles c
    WHERE c.tenant_id = sqlc.arg(tenant_id)
      AND c.customer_id = sqlc.arg(customer_id)
), involved AS (
    SELECT own.id
    FROM own
    UNION ALL
    SELECT m.id
    FROM own
    JOIN customer_profiles m ON m.merged_into_id = own.id
), merges AS (
    SELECT m.id
    FROM involved i
    JOIN customer_merges m ON m.tenant_id = sqlc.arg(tenant_id) AND m.source_profile_id = i.id
    UNION
    SELECT m.id
    FROM involved i
    JOIN customer_merges m ON m.tenant_id = sqlc.arg(tenant_id) AND m.target_profile_id = i.id
)
SELECT
    m.id,
    source.customer_id AS source_customer_id,
    target.customer_id AS target_customer_id,
    m.operation_id,
    m.merged_at,
    m.undone_at,
    (target.merged_into_id IS NOT NULL)::bool AS target_merged,
    (target.merged_into_id IS NULL AND target.deleted_at IS NOT NULL)::bool AS target_deleted
FROM merges
JOIN customer_merges m ON m.id = merges.id
JOIN customer_profiles source ON source.id = m.source_profile_id
JOIN customer_profiles target ON target.id = m.target_profile_id
WHERE m.tenant_id = sqlc.arg(tenant_id)
  AND m.id < CASE
      WHEN sqlc.narg(before_id)::uuid IS NULL THEN 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid
      ELSE sqlc.narg(before_id)::uuid
  END
ORDER BY m.id DESC
LIMIT sqlc.arg(max_rows);
