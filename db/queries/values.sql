-- Stores a version of a value. Index: definitions_prefix.
-- name: InsertValue :exec
INSERT INTO customer_values (
    id, tenant_id, profile_id, name, value, encrypted, blind_key, by_prefix, value_type, source, source_session_id, source_scenario_id,
    source_step_id,
    source_item_id, source_item_type, source_metadata, status, superseded_by_id, superseded_at, yields_to_id, decision,
    decided_by, decided_at, decision_note, verified, verification_method,
    verified_at, verified_by, confidence, requires_confirmation, collected_at, expires_at, definition_id, warnings,
    operation_id, actor, accepted_at
)
VALUES (
    sqlc.arg(id), sqlc.arg(tenant_id), sqlc.arg(profile_id), sqlc.arg(name), sqlc.arg(value), sqlc.arg(encrypted),
    sqlc.narg(blind_key), EXISTS (
        SELECT 1
        FROM definitions d
        WHERE d.tenant_id = sqlc.arg(tenant_id)
          AND d.name = sqlc.arg(name)
          AND d.prefix_search
          AND d.deleted_at IS NULL
    ), sqlc.arg(value_type),
    sqlc.arg(source), sqlc.narg(source_session_id), sqlc.narg(source_scenario_id), sqlc.arg(source_step_id),
    sqlc.narg(source_item_id), sqlc.arg(source_item_type), sqlc.arg(source_metadata), sqlc.arg(status),
    sqlc.narg(superseded_by_id), sqlc.narg(superseded_at), sqlc.narg(yields_to_id), sqlc.arg(decision),
    sqlc.arg(decided_by), sqlc.narg(decided_at), sqlc.arg(decision_note), sqlc.arg(verified),
    sqlc.arg(verification_method),
    sqlc.narg(verified_at), sqlc.arg(verified_by), sqlc.arg(confidence), sqlc.arg(requires_confirmation),
    sqlc.arg(collected_at), sqlc.narg(expires_at), sqlc.narg(definition_id), sqlc.arg(warnings), sqlc.arg(operation_id),
    sqlc.arg(actor), sqlc.arg(accepted_at)
);

-- Supersedes a version. The status superseded outranks expired and orphaned (rule 3). Index: primary key.
-- name: SupersedeValue :exec
UPDATE customer_values
SET status = 'superseded',
    superseded_by_id = sqlc.arg(superseded_by_id),
    superseded_at = coalesce(superseded_at, clock_timestamp()),
    updated_at = clock_timestamp()
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id);

-- Lists the versions of one value of a customer, newest first. Indexes: the unique key of customer_profiles,
-- customer_values_history.
-- name: ListHistory :many
SELECT f.*
FROM customer_profiles c
JOIN customer_profiles p ON p.id = CASE WHEN c.merged_into_id IS NULL THEN c.id ELSE c.merged_into_id END
JOIN customer_values f ON f.profile_id = p.id
WHERE c.tenant_id = sqlc.arg(tenant_id)
  AND c.customer_id = sqlc.arg(customer_id)
  AND p.deleted_at IS NULL
  AND f.name = sqlc.arg(name)
  AND f.deleted_at IS NULL
ORDER BY f.accepted_at DESC, f.operation_id DESC, f.id DESC
LIMIT sqlc.arg(max_rows);

-- Gets a value by its id. Index: primary key.
-- name: GetValue :one
SELECT *
FROM customer_values
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id)
  AND deleted_at IS NULL;

-- Marks expired values, active and pending ones, across tenants, in batches. It locks the profile, as writers do, and skips locked profiles:
-- the next sweep gets their values. The positions of the locked rows are an array so that the subquery and its LIMIT
-- run once: as a join it could run for each row. LATERAL makes the lookup of the profile independent of statistics. Indexes:
-- customer_values_expiry, primary keys.
-- name: ExpireValues :many
UPDATE customer_values
SET status = 'expired', updated_at = clock_timestamp()
WHERE ctid = ANY (ARRAY(
    SELECT f.ctid
    FROM customer_values f
    CROSS JOIN LATERAL (
        SELECT p.id
        FROM customer_profiles p
        WHERE p.id = f.profile_id
        FOR UPDATE SKIP LOCKED
    ) p
    WHERE f.status IN ('active', 'pending')
      AND f.deleted_at IS NULL
      AND f.expires_at <= sqlc.arg(now)
    ORDER BY f.expires_at
    LIMIT sqlc.arg(max_rows)
    FOR UPDATE OF f SKIP LOCKED
))
  AND status IN ('active', 'pending')
RETURNING tenant_id, id, profile_id;

-- Marks values without their source, across tenants, in batches, with the locks of ExpireValues. It scans all values
-- with a source. A sweep by hand uses it, for sources that were deleted without the trigger. Indexes: primary keys.
-- name: OrphanValues :many
UPDATE customer_values
SET status = 'orphaned', updated_at = clock_timestamp()
WHERE ctid = ANY (ARRAY(
    SELECT f.ctid
    FROM customer_values f
    JOIN customer_profiles p ON p.id = f.profile_id
    WHERE f.status = 'active'
      AND f.deleted_at IS NULL
      AND f.source_item_id IS NOT NULL
      AND f.source_item_type IN ('profile_field', 'profile_asset')
      AND NOT EXISTS (
          SELECT 1
          FROM customer_values s
          WHERE s.id = f.source_item_id
            AND s.tenant_id = f.tenant_id
            AND s.deleted_at IS NULL
      )
      AND NOT EXISTS (
          SELECT 1
          FROM customer_assets s
          WHERE s.id = f.source_item_id
            AND s.tenant_id = f.tenant_id
            AND s.deleted_at IS NULL
      )
    LIMIT sqlc.arg(max_rows)
    FOR UPDATE OF p, f SKIP LOCKED
))
  AND status = 'active'
RETURNING id, profile_id;

-- Marks the values whose source was deleted recently, across tenants, in batches. The sweep of the cron uses it; its
-- cost is proportional to the number of deletions. LATERAL, OFFSET 0 and the arrays are optimizer fences: each row
-- is found by its id, whatever the statistics say. Indexes: customer_values_source, primary keys.
-- name: OrphanCandidateValues :many
WITH dependents AS MATERIALIZED (
    SELECT d.tenant_id, d.id
    FROM orphan_candidates c
    CROSS JOIN LATERAL (
        SELECT f.id, f.tenant_id, f.status, f.deleted_at, f.source_item_type
        FROM customer_values f
        WHERE f.source_item_id = c.item_id
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
UPDATE customer_values
SET status = 'orphaned', updated_at = clock_timestamp()
WHERE ctid = ANY (ARRAY(
    SELECT f.at
    FROM dependents d
    CROSS JOIN LATERAL (
        SELECT f.ctid AS at, f.profile_id, f.status, f.deleted_at
        FROM customer_values f
        WHERE f.tenant_id = d.tenant_id
          AND f.id = d.id
        OFFSET 0
        FOR UPDATE SKIP LOCKED
    ) f
    CROSS JOIN LATERAL (
        SELECT p.id
        FROM customer_profiles p
        WHERE p.id = f.profile_id
        FOR UPDATE SKIP LOCKED
    ) p
    WHERE f.status = 'active'
      AND f.deleted_at IS NULL
    LIMIT sqlc.arg(max_rows)
))
  AND status = 'active'
RETURNING id, profile_id;

-- Deletes the orphan candidates from before a time, in batches. It keeps those with a dependent that is still to be
-- marked. Indexes: orphan_candidates_added, customer_values_source, customer_assets_source.
-- name: DeleteOrphanCandidates :execrows
WITH done AS MATERIALIZED (
    SELECT c.tenant_id, c.item_id
    FROM orphan_candidates c
    WHERE c.added_at < sqlc.arg(before)
      AND (
          EXISTS (
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
          OR NOT c.tenant_id = ANY (ARRAY(
              SELECT d.tenant_id
              FROM (
                  (
                      SELECT f.tenant_id, f.status, f.deleted_at
                      FROM customer_values f
                      WHERE f.source_item_id = c.item_id
                      OFFSET 0
                  )
                  UNION ALL
                  (
                      SELECT a.tenant_id, a.status, a.deleted_at
                      FROM customer_assets a
                      WHERE a.source_item_id = c.item_id
                      OFFSET 0
                  )
              ) d
              WHERE d.status = 'active'
                AND d.deleted_at IS NULL
          ))
      )
    ORDER BY c.added_at
    LIMIT sqlc.arg(max_rows)
    FOR UPDATE OF c SKIP LOCKED
)
DELETE FROM orphan_candidates o
USING done
WHERE o.tenant_id = done.tenant_id
  AND o.item_id = done.item_id;

-- Gets the active version of a value. The caller holds the lock of the profile. Index: customer_values_active.
-- name: GetActiveValue :one
SELECT *
FROM customer_values
WHERE tenant_id = sqlc.arg(tenant_id)
  AND profile_id = sqlc.arg(profile_id)
  AND name = sqlc.arg(name)
  AND status = 'active'
  AND deleted_at IS NULL;

-- Stores that somebody proposes to delete a value, or with nulls that nobody does. Index: primary key.
-- name: SetDeletionProposal :exec
UPDATE customer_values
SET deletion_proposed_at = sqlc.narg(proposed_at),
    deletion_reason = sqlc.arg(reason),
    updated_at = clock_timestamp()
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id);

-- Ends an active value at a time, unless it ends before. Index: primary key.
-- name: ExpireValue :exec
UPDATE customer_values
SET status = 'expired',
    expires_at = least(expires_at, sqlc.arg(at)::timestamptz),
    updated_at = clock_timestamp()
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id);

-- Marks a value as verified. Index: primary key.
-- name: VerifyValue :exec
UPDATE customer_values
SET verified = true,
    verification_method = sqlc.arg(verification_method),
    verified_by = sqlc.arg(verified_by),
    verified_at = sqlc.arg(verified_at),
    requires_confirmation = false,
    updated_at = clock_timestamp()
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id);

-- Sets the status of a version, for a restoration or the undo of a merge. A deleted version stays deleted. Index:
-- primary key.
-- name: SetValueState :exec
UPDATE customer_values
SET status = sqlc.arg(status),
    superseded_by_id = sqlc.narg(superseded_by_id),
    superseded_at = sqlc.narg(superseded_at),
    yields_to_id = sqlc.narg(yields_to_id),
    updated_at = clock_timestamp()
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id);

-- Records the decision of a person, or of the customer, about a pending version. Index: primary key.
-- name: DecideValue :exec
UPDATE customer_values
SET decision = sqlc.arg(decision),
    decided_by = sqlc.arg(decided_by),
    decided_at = sqlc.arg(decided_at),
    decision_note = sqlc.arg(decision_note),
    requires_confirmation = requires_confirmation AND sqlc.arg(decision) NOT IN ('accepted', 'confirmed'),
    updated_at = clock_timestamp()
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id);

-- Restores a deleted version. Index: primary key.
-- name: UndeleteValue :exec
UPDATE customer_values
SET deleted_at = NULL
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id);

-- Gets a value by its id, deleted or not. The caller holds the lock of the profile. Index: primary key.
-- name: GetAnyValue :one
SELECT *
FROM customer_values
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id);

-- Lists the versions of values of profiles, deleted ones included, to place new ones among them. value is null for
-- versions that are neither active nor pending: only those are compared. The caller holds the locks of the profiles.
-- Index: customer_values_history.
-- name: ListVersions :many
SELECT
    f.superseded_at, f.definition_id,
    f.profile_id, f.name, f.id, f.operation_id, f.accepted_at, f.status, f.superseded_by_id, f.yields_to_id,
    (f.deleted_at IS NOT NULL)::bool AS deleted, f.source, f.source_item_type, f.source_session_id, f.verified,
    f.verification_method, (cardinality(f.warnings) > 0)::bool AS warned, f.decision, f.collected_at, f.expires_at,
    f.value_type, f.encrypted,
    (CASE WHEN f.status IN ('active', 'pending') THEN f.value ELSE 'null' END)::jsonb AS value
FROM (SELECT unnest(sqlc.arg(profiles)::uuid[]) AS profile_id, unnest(sqlc.arg(names)::text[]) AS name) wanted
JOIN customer_values f ON f.profile_id = wanted.profile_id AND f.name = wanted.name
WHERE f.tenant_id = sqlc.arg(tenant_id);

-- Lists the versions of fields that can matter to a version that takes effect at since: those that were accepted since
-- then, the active one, the pending ones, and the one that was accepted last. It works as ListVersions, and its cost does
-- not depend on the length of the history. OFFSET 0 keeps it field by field: a join would read all active values of the
-- tenant while PostgreSQL's statistics are from the beginning of an import. Indexes: customer_values_history,
-- customer_values_active, customer_values_pending, primary key.
-- name: ListRecentVersions :many
WITH wanted AS (
    SELECT
        unnest(sqlc.arg(profiles)::uuid[]) AS profile_id,
        unnest(sqlc.arg(names)::text[]) AS name,
        unnest(sqlc.arg(since)::timestamptz[]) AS since
), chosen AS (
    SELECT DISTINCT v.id
    FROM wanted w
    CROSS JOIN LATERAL (
        SELECT n.id
        FROM customer_values n
        WHERE n.profile_id = w.profile_id AND n.name = w.name AND n.accepted_at >= w.since
        UNION ALL
        SELECT a.id
        FROM customer_values a
        WHERE a.profile_id = w.profile_id AND a.name = w.name AND a.status = 'active' AND a.deleted_at IS NULL
        UNION ALL
        SELECT p.id
        FROM customer_values p
        WHERE p.profile_id = w.profile_id AND p.name = w.name AND p.status = 'pending' AND p.deleted_at IS NULL
        UNION ALL
        (
            SELECT l.id
            FROM customer_values l
            WHERE l.profile_id = w.profile_id AND l.name = w.name
            ORDER BY l.accepted_at DESC, l.operation_id DESC
            LIMIT 1
        )
        OFFSET 0
    ) v
)
SELECT
    f.superseded_at, f.definition_id,
    f.profile_id, f.name, f.id, f.operation_id, f.accepted_at, f.status, f.superseded_by_id, f.yields_to_id,
    (f.deleted_at IS NOT NULL)::bool AS deleted, f.source, f.source_item_type, f.source_session_id, f.verified,
    f.verification_method, (cardinality(f.warnings) > 0)::bool AS warned, f.decision, f.collected_at, f.expires_at,
    f.value_type, f.encrypted,
    (CASE WHEN f.status IN ('active', 'pending') THEN f.value ELSE 'null' END)::jsonb AS value
FROM chosen
JOIN customer_values f ON f.id = chosen.id
WHERE f.tenant_id = sqlc.arg(tenant_id);

-- Supersedes many versions. It works as SupersedeValue. Index: primary key.
-- name: SupersedeValues :exec
UPDATE customer_values f
SET status = 'superseded',
    superseded_by_id = by.id,
    superseded_at = coalesce(f.superseded_at, clock_timestamp()),
    updated_at = clock_timestamp()
FROM (SELECT unnest(sqlc.arg(ids)::uuid[]) AS superseded, unnest(sqlc.arg(by_ids)::uuid[]) AS id) by
WHERE f.tenant_id = sqlc.arg(tenant_id)
  AND f.id = by.superseded;

-- Stores many versions in one statement. rows is a JSON array of objects with the names of the columns. COPY does
-- not work under row-level security. Index: definitions_prefix.
-- name: InsertValues :execrows
INSERT INTO customer_values (
    id, tenant_id, profile_id, name, value, encrypted, blind_key, by_prefix, value_type, source, source_session_id, source_scenario_id,
    source_step_id,
    source_item_id, source_item_type, source_metadata, status, superseded_by_id, superseded_at, yields_to_id, decision,
    decided_by, decided_at, decision_note, verified, verification_method,
    verified_at, verified_by, confidence, requires_confirmation, collected_at, expires_at, definition_id, warnings,
    operation_id, actor, accepted_at
)
SELECT
    r.id, sqlc.arg(tenant_id), r.profile_id, r.name, r.value, r.encrypted, r.blind_key,
    r.name = ANY (ARRAY(
        SELECT d.name
        FROM definitions d
        WHERE d.tenant_id = sqlc.arg(tenant_id)
          AND d.prefix_search
          AND d.deleted_at IS NULL
    )), r.value_type, r.source,
    r.source_session_id, r.source_scenario_id,
    r.source_step_id, r.source_item_id, r.source_item_type, r.source_metadata, r.status, r.superseded_by_id,
    r.superseded_at, r.yields_to_id, r.decision, r.decided_by, r.decided_at, r.decision_note,
    r.verified, r.verification_method, r.verified_at, r.verified_by, r.confidence, r.requires_confirmation,
    r.collected_at,
    r.expires_at, r.definition_id, r.warnings, r.operation_id, r.actor, r.accepted_at
FROM jsonb_to_recordset(sqlc.arg(rows)::jsonb) AS r (
    id uuid, profile_id uuid, name text, value jsonb, encrypted boolean, blind_key bigint, value_type text, source text,
    source_session_id uuid,
    source_scenario_id uuid, source_step_id text, source_item_id uuid, source_item_type text, source_metadata jsonb,
    status text,
    superseded_by_id uuid, superseded_at timestamptz, yields_to_id uuid, decision text, decided_by text,
    decided_at timestamptz, decision_note text, verified boolean, verification_method text,
    verified_at timestamptz,
    verified_by text, confidence double precision, requires_confirmation boolean, collected_at timestamptz,
    expires_at timestamptz, definition_id uuid, warnings text[], operation_id uuid, actor text,
    accepted_at timestamptz
);

-- Marks an extracted value as confirmed by the customer. A version that was replaced meanwhile stays unchanged.
-- Index: primary key.
-- name: ConfirmValue :execrows
UPDATE customer_values
SET requires_confirmation = false,
    updated_at = clock_timestamp()
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id)
  AND status = 'active'
  AND deleted_at IS NULL;

-- Counts the fields of profiles with an active value, profile by profile: before the first ANALYZE a join would read all
-- values of the tenant. The caller holds the locks of the profiles. Index: customer_values_active.
-- name: CountFields :many
SELECT p.id::uuid AS profile_id, counted.fields
FROM unnest(sqlc.arg(profiles)::uuid[]) p (id)
CROSS JOIN LATERAL (
    SELECT count(*) AS fields
    FROM customer_values f
    WHERE f.tenant_id = sqlc.arg(tenant_id)
      AND f.profile_id = p.id
      AND f.status = 'active'
      AND f.deleted_at IS NULL
) counted
WHERE counted.fields > 0;

-- Lists the versions of the values of a customer that were accepted by a time, without the values, to find those that
-- were active then. Deleted ones are among them. name limits them to one field. Indexes: the unique key of
-- customer_profiles, customer_values_history.
-- name: ListPastVersions :many
SELECT
    f.id, f.name, f.operation_id, f.accepted_at, f.collected_at, f.status, f.superseded_by_id, f.yields_to_id,
    f.superseded_at, f.decision, f.decided_at, f.deleted_at, f.expires_at, f.updated_at
FROM customer_profiles c
JOIN customer_profiles p ON p.id = CASE WHEN c.merged_into_id IS NULL THEN c.id ELSE c.merged_into_id END
JOIN customer_values f ON f.profile_id = p.id
WHERE c.tenant_id = sqlc.arg(tenant_id)
  AND c.customer_id = sqlc.arg(customer_id)
  AND p.deleted_at IS NULL
  AND (sqlc.narg(name)::text IS NULL OR f.name = sqlc.narg(name))
  AND f.accepted_at <= sqlc.arg(known_at);

-- Lists values by their ids, deleted ones included. Index: primary key.
-- name: ListValuesByID :many
SELECT *
FROM customer_values
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = ANY (sqlc.arg(ids)::uuid[]);
