-- Gets the keys of a tenant for tombstones and receipts. Index: primary key.
-- name: GetErasureKey :one
SELECT *
FROM erasure_keys
WHERE tenant_id = sqlc.arg(tenant_id);

-- Stores the keys of a tenant, unless it has some. Index: primary key.
-- name: InsertErasureKey :exec
INSERT INTO erasure_keys (tenant_id, hash_key, signing_key, public_key)
VALUES (sqlc.arg(tenant_id), sqlc.arg(hash_key), sqlc.arg(signing_key), sqlc.arg(public_key))
ON CONFLICT (tenant_id) DO NOTHING;

-- Lists which of the hashes are tombstones, with the state of their erasures. Index: primary key.
-- name: ListTombstones :many
SELECT t.hash, t.erasure_id, (e.finished_at IS NOT NULL)::bool AS finished
FROM erasure_tombstones t
LEFT JOIN erasures e
    ON e.tenant_id = t.tenant_id
    AND e.id = t.erasure_id
WHERE t.tenant_id = sqlc.arg(tenant_id)
  AND t.hash = ANY (sqlc.arg(hashes)::bytea[]);

-- Adds tombstones. A later erasure of the same identity takes over the tombstone. Index: primary key.
-- name: InsertTombstones :exec
INSERT INTO erasure_tombstones (tenant_id, hash, erasure_id)
SELECT sqlc.arg(tenant_id), made.hash, sqlc.arg(erasure_id)
FROM (SELECT unnest(sqlc.arg(hashes)::bytea[]) AS hash) made
ON CONFLICT (tenant_id, hash) DO UPDATE
SET erasure_id = excluded.erasure_id;

-- Records that an erasure began.
-- name: InsertErasure :exec
INSERT INTO erasures (id, tenant_id, state, derived, scope)
VALUES (sqlc.arg(id), sqlc.arg(tenant_id), 'begun', sqlc.arg(derived), sqlc.arg(scope));

-- Gets an erasure. Index: primary key.
-- name: GetErasure :one
SELECT *
FROM erasures
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id);

-- Records the next state of an erasure, and what it found. Index: primary key.
-- name: AdvanceErasure :exec
UPDATE erasures
SET state = sqlc.arg(state), scope = sqlc.arg(scope), counts = sqlc.arg(counts), mentions = sqlc.arg(mentions)
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id);

-- Ends an erasure: it keeps the receipt, and no id of the customer. Index: primary key.
-- name: FinishErasure :exec
UPDATE erasures
SET state = 'finished', scope = '{}', receipt = sqlc.arg(receipt), finished_at = sqlc.arg(finished_at)
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id);

-- Lists the erasures of a tenant, newest first. Index: erasures_tenant.
-- name: ListErasuresPage :many
SELECT id, state, derived, counts, mentions, begun_at, finished_at
FROM erasures
WHERE tenant_id = sqlc.arg(tenant_id)
  AND (sqlc.narg(before)::uuid IS NULL OR id < sqlc.narg(before))
ORDER BY id DESC
LIMIT sqlc.arg(max_rows);

-- Marks the profiles of a customer as deleted, before they are erased. Index: primary key.
-- name: HideProfiles :exec
UPDATE customer_profiles
SET deleted_at = coalesce(deleted_at, clock_timestamp()), updated_at = clock_timestamp()
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = ANY (sqlc.arg(ids)::uuid[]);

-- Deletes profiles that this transaction created for customers who were erased. Index: primary key.
-- name: DeleteNewProfiles :exec
DELETE FROM customer_profiles
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = ANY (sqlc.arg(ids)::uuid[]);

-- Ends the gap fills of a customer. Index: gap_fills_customer.
-- name: EndCustomerFills :exec
UPDATE gap_fills
SET cancelled_at = coalesce(cancelled_at, clock_timestamp()), ended_at = clock_timestamp()
WHERE tenant_id = sqlc.arg(tenant_id)
  AND customer_id = ANY (sqlc.arg(customers)::uuid[])
  AND ended_at IS NULL;

-- Lists which of the operations are unfinished. Index: primary key.
-- name: ListUnfinishedOperations :many
SELECT id, attempts
FROM operations
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = ANY (sqlc.arg(ids)::uuid[])
  AND status = 'accepted'
ORDER BY id;

-- Erases what an operation holds of a customer. Its bookkeeping stays. payload is empty, or says how a repeat of the
-- operation is recognised. Index: primary key.
-- name: EraseOperation :exec
UPDATE operations
SET
    subject = 'erased',
    idempotency_key = CASE WHEN sqlc.arg(keep_key)::bool THEN idempotency_key ELSE 'erased:' || id END,
    payload = sqlc.arg(payload),
    prepared = NULL,
    touched_profiles = '{}',
    erased_at = clock_timestamp()
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id);

-- Replaces the sealed payload of an operation by one without an erased customer. Index: primary key.
-- name: ReplacePayload :exec
UPDATE operations
SET payload = sqlc.arg(payload), prepared = NULL
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id);

-- Records that an export of a customer was asked for. A repeat changes nothing. Index: primary key.
-- name: InsertCustomerExport :exec
INSERT INTO customer_exports (id, tenant_id, customer_id, counts, expires_at)
VALUES (sqlc.arg(id), sqlc.arg(tenant_id), sqlc.arg(customer_id), sqlc.arg(counts), sqlc.arg(expires_at))
ON CONFLICT (id) DO NOTHING;

-- Gets an export. Index: primary key.
-- name: GetCustomerExport :one
SELECT *
FROM customer_exports
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id);

-- Lists deleted customers of all tenants whose time to be erased has come, the longest due first. Index:
-- customer_profiles_purge.
-- name: ListPurgeableCustomers :many
SELECT tenant_id, id, customer_id, purge_after
FROM customer_profiles
WHERE purge_after <= sqlc.arg(now)
  AND deleted_at IS NOT NULL
ORDER BY purge_after
LIMIT sqlc.arg(max_rows);

-- Takes a deleted customer that is due to be erased. It returns no row if another sweep took it. Index: primary key.
-- name: TakePurgeableCustomer :execrows
UPDATE customer_profiles
SET purge_after = NULL
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id)
  AND purge_after = sqlc.arg(purge_after)
  AND deleted_at IS NOT NULL;

-- Sets the time from which on a deleted customer is erased. Index: primary key.
-- name: SetPurgeAfter :exec
UPDATE customer_profiles
SET purge_after = sqlc.narg(purge_after)
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id);

-- Lists the fields of a profile whose values are erased because the customer has withdrawn the consent: a definition
-- says so, and no purpose of it is consented to. Indexes: definitions_purposes, consents_profile.
-- name: ListWithdrawnFields :many
SELECT DISTINCT d.name
FROM definitions d
WHERE d.tenant_id = sqlc.arg(tenant_id)
  AND d.purposes <> '{}'
  AND d.deleted_at IS NULL
  AND d.erase_on_withdrawal
  AND NOT EXISTS (
      SELECT 1
      FROM unnest(d.purposes) AS needed(purpose)
      CROSS JOIN LATERAL (
          SELECT c.granted, c.expires_at
          FROM consents c
          WHERE c.tenant_id = d.tenant_id
            AND c.profile_id = sqlc.arg(profile_id)
            AND c.purpose = needed.purpose
          ORDER BY c.accepted_at DESC, c.operation_id DESC
          LIMIT 1
      ) latest
      WHERE latest.granted
        AND (latest.expires_at IS NULL OR latest.expires_at > clock_timestamp())
  );

-- Removes all versions of some fields of a profile. Index: customer_values_history.
-- name: RemoveFieldValues :many
DELETE FROM customer_values
WHERE tenant_id = sqlc.arg(tenant_id)
  AND profile_id = sqlc.arg(profile_id)
  AND name = ANY (sqlc.arg(names)::text[])
RETURNING id, operation_id;

-- Empties the payloads of the operations that wrote single values. Imports hold other fields as well: the purge
-- removes them. Index: primary key.
-- name: EraseValueOperations :exec
UPDATE operations
SET payload = '', prepared = NULL, erased_at = clock_timestamp()
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = ANY (sqlc.arg(ids)::uuid[])
  AND workflow IN ('write-value', 'add-element', 'remove-element', 'correct-value', 'answer-question')
  AND status IN ('applied', 'succeeded');

-- Removes the closed questions of customers about some fields. Index: questions_scenario.
-- name: RemoveFieldQuestions :exec
DELETE FROM questions
WHERE tenant_id = sqlc.arg(tenant_id)
  AND customer_id = ANY (sqlc.arg(customers)::uuid[])
  AND field_name = ANY (sqlc.arg(names)::text[])
  AND status <> 'open';

-- Removes what the model found for gap fills of customers. Index: gap_fills_customer.
-- name: RemoveFillCandidates :exec
UPDATE gap_fills
SET candidates = NULL
WHERE tenant_id = sqlc.arg(tenant_id)
  AND customer_id = ANY (sqlc.arg(customers)::uuid[])
  AND candidates IS NOT NULL;

-- Cuts the items that were derived from removed items from their sources, and marks them as stale, with what was
-- derived from them at any depth. The evidence of a cut item may quote the removed one. The arrays are optimizer fences.
-- Indexes: customer_values_source,
-- customer_assets_source.
-- name: CutDerivedItems :many
WITH RECURSIVE items AS (
    SELECT f.id, f.source_item_id
    FROM customer_values f
    WHERE f.tenant_id = sqlc.arg(tenant_id)
      AND f.source_item_id = ANY (sqlc.arg(ids)::uuid[])
    UNION
    SELECT a.id, a.source_item_id
    FROM customer_assets a
    WHERE a.tenant_id = sqlc.arg(tenant_id)
      AND a.source_item_id = ANY (sqlc.arg(ids)::uuid[])
    UNION
    SELECT d.id, d.source_item_id
    FROM items i
    CROSS JOIN LATERAL (
        (
            SELECT f.id, f.source_item_id
            FROM customer_values f
            WHERE f.source_item_id = i.id
              AND f.tenant_id = sqlc.arg(tenant_id)
            OFFSET 0
        )
        UNION ALL
        (
            SELECT a.id, a.source_item_id
            FROM customer_assets a
            WHERE a.source_item_id = i.id
              AND a.tenant_id = sqlc.arg(tenant_id)
            OFFSET 0
        )
    ) d
), fields AS (
    UPDATE customer_values f
    SET stale_since = coalesce(f.stale_since, clock_timestamp()),
        updated_at = clock_timestamp(),
        source_item_type = CASE WHEN f.source_item_id = ANY (sqlc.arg(ids)::uuid[]) THEN 'external' ELSE f.source_item_type END,
        source_metadata = CASE WHEN f.source_item_id = ANY (sqlc.arg(ids)::uuid[]) THEN '{}' ELSE f.source_metadata END,
        source_item_id = CASE WHEN f.source_item_id = ANY (sqlc.arg(ids)::uuid[]) THEN NULL ELSE f.source_item_id END
    WHERE f.tenant_id = sqlc.arg(tenant_id)
      AND f.id = ANY (ARRAY(SELECT i.id FROM items i))
    RETURNING f.id, f.profile_id
), assets AS (
    UPDATE customer_assets a
    SET stale_since = coalesce(a.stale_since, clock_timestamp()),
        updated_at = clock_timestamp(),
        source_item_type = CASE WHEN a.source_item_id = ANY (sqlc.arg(ids)::uuid[]) THEN 'external' ELSE a.source_item_type END,
        source_metadata = CASE WHEN a.source_item_id = ANY (sqlc.arg(ids)::uuid[]) THEN '{}' ELSE a.source_metadata END,
        source_item_id = CASE WHEN a.source_item_id = ANY (sqlc.arg(ids)::uuid[]) THEN NULL ELSE a.source_item_id END
    WHERE a.tenant_id = sqlc.arg(tenant_id)
      AND a.id = ANY (ARRAY(SELECT i.id FROM items i))
    RETURNING a.id, a.profile_id
)
SELECT f.id, f.profile_id FROM fields f
UNION ALL
SELECT a.id, a.profile_id FROM assets a;

-- Removes versions of values, of all tenants, whose expiry is longer ago than their definition keeps them. An active
-- version is marked first (ExpireValues), and one that a pending version yields to stays until that is decided. A
-- version that a removed one superseded is superseded by the next one, or expired. Index: customer_values_removal.
-- name: RemoveExpiredValues :many
WITH due AS (
    SELECT f.tenant_id, f.id, f.superseded_by_id
    FROM definitions d
    JOIN customer_values f ON f.definition_id = d.id
    WHERE d.remove_after_days > 0
      AND f.expires_at < sqlc.arg(now)::timestamptz - make_interval(days => d.remove_after_days)
      AND f.status <> 'active'
      AND NOT EXISTS (
          SELECT 1
          FROM customer_values p
          WHERE p.tenant_id = f.tenant_id
            AND p.profile_id = f.profile_id
            AND p.name = f.name
            AND p.yields_to_id = f.id
      )
    LIMIT sqlc.arg(max_rows)
    FOR UPDATE OF f SKIP LOCKED
), relinked AS (
    UPDATE customer_values f
    SET superseded_by_id = CASE WHEN due.superseded_by_id IN (SELECT x.id FROM due x) THEN NULL ELSE due.superseded_by_id END,
        status = CASE
            WHEN due.superseded_by_id IS NULL OR due.superseded_by_id IN (SELECT x.id FROM due x) THEN 'expired'
            ELSE f.status
        END
    FROM due
    WHERE f.tenant_id = due.tenant_id
      AND f.superseded_by_id = due.id
      AND f.id NOT IN (SELECT x.id FROM due x)
    RETURNING f.id
)
DELETE FROM customer_values f
USING due
WHERE f.tenant_id = due.tenant_id
  AND f.id = due.id
RETURNING f.tenant_id, f.id, f.profile_id;

-- Lists finished erasures of a tenant that began at a time or later, in the order of their ids, after after_id. Index:
-- erasures_tenant.
-- name: ListFinishedErasures :many
SELECT *
FROM erasures
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id > sqlc.arg(after_id)
  AND state = 'finished'
  AND begun_at >= sqlc.arg(since)
ORDER BY id
LIMIT sqlc.arg(max_rows);

-- Lists the tombstones of erasures. It reads the tombstones of the tenant. Index: primary key.
-- name: ListTombstonesOfErasures :many
SELECT erasure_id, hash
FROM erasure_tombstones
WHERE tenant_id = sqlc.arg(tenant_id)
  AND erasure_id = ANY (sqlc.arg(erasures)::uuid[])
ORDER BY erasure_id, hash;

-- Records an erasure that another copy of the database finished, unless it is known. Index: primary key.
-- name: RecordFinishedErasure :exec
INSERT INTO erasures (id, tenant_id, state, derived, counts, mentions, receipt, begun_at, finished_at)
VALUES (
    sqlc.arg(id), sqlc.arg(tenant_id), 'finished', sqlc.arg(derived), sqlc.arg(counts), sqlc.arg(mentions),
    sqlc.arg(receipt), sqlc.arg(begun_at), sqlc.arg(finished_at)
)
ON CONFLICT (id) DO NOTHING;

-- Lists the customers whom a tenant knows by a profile, a session or a gap fill, in the order of their ids, after after_id:
-- those also who are merged or deleted. Indexes: the unique key of customer_profiles, sessions_customer, gap_fills_tenant.
-- name: ListKnownCustomers :many
SELECT known.customer_id::uuid AS customer_id
FROM (
    (
        SELECT p.customer_id
        FROM customer_profiles p
        WHERE p.tenant_id = sqlc.arg(tenant_id)
          AND p.customer_id > sqlc.arg(after_id)
        ORDER BY p.customer_id
        LIMIT sqlc.arg(max_rows)
    )
    UNION
    (
        SELECT DISTINCT s.customer_id
        FROM sessions s
        WHERE s.tenant_id = sqlc.arg(tenant_id)
          AND s.customer_id > sqlc.arg(after_id)
        ORDER BY s.customer_id
        LIMIT sqlc.arg(max_rows)
    )
    UNION
    (
        SELECT DISTINCT g.customer_id
        FROM gap_fills g
        WHERE g.tenant_id = sqlc.arg(tenant_id)
          AND g.customer_id > sqlc.arg(after_id)
        ORDER BY g.customer_id
        LIMIT sqlc.arg(max_rows)
    )
) known
ORDER BY known.customer_id
LIMIT sqlc.arg(max_rows);
