-- Lists the wrapped keys of customers. Index: primary key.
-- name: ListCustomerKeys :many
SELECT customer_id, wrapped, kek_id
FROM customer_keys
WHERE tenant_id = sqlc.arg(tenant_id)
  AND customer_id = ANY (sqlc.arg(customers)::uuid[]);

-- Adds the keys of customers who have none, and reports whether kek_id still wraps: otherwise the key of the tenant was
-- rotated meanwhile, and nothing is added. A rotation waits for the transaction. Two processes that add keys do it in the
-- order of the customers' ids, so that they cannot deadlock. Indexes: primary keys.
-- name: AddCustomerKeys :one
WITH kek AS (
    SELECT t.primary_id
    FROM tenant_keys t
    WHERE t.tenant_id = sqlc.arg(tenant_id)
      AND t.primary_id = sqlc.arg(kek_id)
    FOR SHARE
),
added AS (
    INSERT INTO customer_keys (tenant_id, customer_id, wrapped, kek_id)
    SELECT sqlc.arg(tenant_id), made.customer_id, made.wrapped, kek.primary_id
    FROM kek
    CROSS JOIN (SELECT unnest(sqlc.arg(customers)::uuid[]) AS customer_id, unnest(sqlc.arg(wrapped)::bytea[]) AS wrapped) made
    ORDER BY made.customer_id
    ON CONFLICT (tenant_id, customer_id) DO NOTHING
)
SELECT EXISTS (SELECT 1 FROM kek) AS wraps;

-- Deletes the keys of customers: nothing that is sealed of them can be opened again. Processes drop the keys from memory
-- when the transaction commits. Index: primary key.
-- name: DeleteCustomerKeys :execrows
DELETE FROM customer_keys
WHERE tenant_id = sqlc.arg(tenant_id)
  AND customer_id = ANY (sqlc.arg(customers)::uuid[]);

-- Lists operations of all tenants with something that another sealing key than the primary one sealed itself, in the order
-- of their ids, and locks them. prefix is what Tink puts before a ciphertext of the primary key. It reads every operation
-- after after_id. Index: primary key.
-- name: ListOperationsToReseal :many
SELECT id, tenant_id, payload, prepared
FROM operations
WHERE id > sqlc.arg(after_id)
  AND (
    (substring(payload FROM 1 FOR 1) = '\x01' AND substring(payload FROM 1 FOR 5) <> sqlc.arg(prefix)::bytea)
    OR (substring(prepared FROM 1 FOR 1) = '\x01' AND substring(prepared FROM 1 FOR 5) <> sqlc.arg(prefix)::bytea)
  )
ORDER BY id
LIMIT sqlc.arg(max_rows)
FOR UPDATE SKIP LOCKED;

-- Replaces what is sealed of operations. An empty prepared is none. Index: primary key.
-- name: ResealOperations :exec
UPDATE operations o
SET payload = n.payload, prepared = nullif(n.prepared, '\x')
FROM (
    SELECT
        unnest(sqlc.arg(ids)::uuid[]) AS id,
        unnest(sqlc.arg(payloads)::bytea[]) AS payload,
        unnest(sqlc.arg(prepared)::bytea[]) AS prepared
) n
WHERE o.id = n.id;

-- Lists the keys of tenants for tombstones and receipts of which another sealing key than the primary one sealed one, and
-- locks them. prefix: as in ListOperationsToReseal. It reads the keys of every tenant.
-- name: ListErasureKeysToReseal :many
SELECT tenant_id, hash_key, signing_key
FROM erasure_keys
WHERE substring(hash_key FROM 1 FOR 5) <> sqlc.arg(prefix)::bytea
   OR substring(signing_key FROM 1 FOR 5) <> sqlc.arg(prefix)::bytea
LIMIT sqlc.arg(max_rows)
FOR UPDATE SKIP LOCKED;

-- Replaces the sealed keys of tenants by the same ones, sealed by the primary key. Index: primary key.
-- name: ResealErasureKeys :exec
UPDATE erasure_keys k
SET hash_key = n.hash_key, signing_key = n.signing_key
FROM (
    SELECT
        unnest(sqlc.arg(tenants)::uuid[]) AS tenant_id,
        unnest(sqlc.arg(hash_keys)::bytea[]) AS hash_key,
        unnest(sqlc.arg(signing_keys)::bytea[]) AS signing_key
) n
WHERE k.tenant_id = n.tenant_id;

-- Counts what another sealing key than the primary one sealed, and the customers' keys that another key than the primary
-- one of their tenant wrapped. It reads every operation and the keys of every tenant. Index: customer_keys_kek.
-- name: CountRotation :one
SELECT
    (
        SELECT count(*)
        FROM tenant_keys t
        WHERE t.sealed_by <> sqlc.arg(sealed_by)
    ) AS tenant_keys,
    (
        SELECT count(*)
        FROM tenant_keys t
        JOIN customer_keys c ON c.tenant_id = t.tenant_id AND c.kek_id = ANY (t.retiring)
        WHERE t.retiring <> '{}'
    ) AS customer_keys,
    (
        SELECT count(*)
        FROM operations
        WHERE (substring(payload FROM 1 FOR 1) = '\x01' AND substring(payload FROM 1 FOR 5) <> sqlc.arg(prefix)::bytea)
           OR (substring(prepared FROM 1 FOR 1) = '\x01' AND substring(prepared FROM 1 FOR 5) <> sqlc.arg(prefix)::bytea)
    ) AS operations,
    (
        SELECT count(*)
        FROM webhooks
        WHERE (secret <> '' AND substring(secret FROM 1 FOR 5) <> sqlc.arg(prefix)::bytea)
           OR substring(previous_secret FROM 1 FOR 5) <> sqlc.arg(prefix)::bytea
    ) AS webhooks,
    (
        SELECT count(*)
        FROM erasure_keys
        WHERE substring(hash_key FROM 1 FOR 5) <> sqlc.arg(prefix)::bytea
           OR substring(signing_key FROM 1 FOR 5) <> sqlc.arg(prefix)::bytea
    ) AS erasure_keys;

-- Locks the webhooks of all tenants with secrets that another sealing key than the primary one sealed.
-- name: ListWebhooksToReseal :many
SELECT tenant_id, id, secret, previous_secret
FROM webhooks
WHERE (secret <> '' AND substring(secret FROM 1 FOR 5) <> sqlc.arg(prefix)::bytea)
   OR substring(previous_secret FROM 1 FOR 5) <> sqlc.arg(prefix)::bytea
ORDER BY tenant_id, id
LIMIT sqlc.arg(max_rows)
FOR UPDATE SKIP LOCKED;

-- Replaces the sealed secrets of a webhook. An empty previous_secret is none. Index: primary key.
-- name: ResealWebhook :exec
UPDATE webhooks
SET secret = sqlc.arg(secret), previous_secret = nullif(sqlc.arg(previous_secret)::bytea, '\x')
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id);

-- Lists sealed fields of all tenants whose versions from before are not sealed yet. Index: sealed_fields_pending.
-- name: ListFieldsToSeal :many
SELECT tenant_id, name, added_at
FROM sealed_fields
WHERE sealed_at IS NULL
ORDER BY added_at
LIMIT sqlc.arg(max_rows);

-- Lists plain versions of a field, in the order of their ids after after_id. It reads every version of the tenant. Index:
-- primary key.
-- name: ListPlainVersions :many
SELECT id, profile_id
FROM customer_values
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id > sqlc.arg(after_id)
  AND name = sqlc.arg(name)
  AND NOT encrypted
ORDER BY id
LIMIT sqlc.arg(max_rows);

-- Locks versions that are still plain, with the customers whose own profiles they belong to. The caller has locked the
-- profiles. Indexes: primary keys.
-- name: LockPlainVersions :many
SELECT v.id, v.value, v.source_metadata, v.decision_note, p.customer_id
FROM customer_values v
JOIN customer_profiles p ON p.tenant_id = v.tenant_id AND p.id = v.profile_id
WHERE v.tenant_id = sqlc.arg(tenant_id)
  AND v.id = ANY (sqlc.arg(ids)::uuid[])
  AND NOT v.encrypted
FOR UPDATE OF v;

-- Replaces versions by their sealed form. A blind_key of 0 is none. Index: primary key.
-- name: SealVersions :exec
UPDATE customer_values v
SET encrypted = true, blind_key = nullif(n.blind_key, 0), value = n.value::jsonb, source_metadata = n.source_metadata::jsonb, decision_note = n.decision_note
FROM (
    SELECT
        unnest(sqlc.arg(ids)::uuid[]) AS id,
        unnest(sqlc.arg(blind_keys)::bigint[]) AS blind_key,
        unnest(sqlc.arg(vals)::text[]) AS value,
        unnest(sqlc.arg(metadata)::text[]) AS source_metadata,
        unnest(sqlc.arg(notes)::text[]) AS decision_note
) n
WHERE v.tenant_id = sqlc.arg(tenant_id)
  AND v.id = n.id;

-- Removes the values from closed questions to confirm a field. It reads every question of the tenant.
-- name: ClearQuestions :exec
UPDATE questions
SET prompt = '', candidate = CASE WHEN item_id IS NULL THEN 'null'::jsonb END
WHERE tenant_id = sqlc.arg(tenant_id)
  AND field_name = sqlc.arg(name)
  AND kind = 'confirm'
  AND status <> 'open'
  AND prompt <> '';

-- Removes quoted values from the errors of failed operations that name a field. Index: operations_failed.
-- name: ClearErrorDetails :exec
UPDATE operations
SET error = error - 'detail'
WHERE tenant_id = sqlc.arg(tenant_id)
  AND status = 'failed'
  AND position(sqlc.arg(name)::text IN error::text) > 0
  AND error ->> 'detail' IS NOT NULL;

-- Reports whether an open question asks to confirm a plain value of a field. It reads the questions of the tenant.
-- name: HasPlainQuestion :one
SELECT EXISTS (
    SELECT 1
    FROM questions
    WHERE tenant_id = sqlc.arg(tenant_id)
      AND field_name = sqlc.arg(name)
      AND kind = 'confirm'
      AND status = 'open'
      AND candidate IS NOT NULL
);

-- Marks a field as sealed: no plain version is left. Index: primary key.
-- name: MarkFieldSealed :exec
UPDATE sealed_fields
SET sealed_at = clock_timestamp()
WHERE tenant_id = sqlc.arg(tenant_id)
  AND name = sqlc.arg(name)
  AND sealed_at IS NULL;

-- Lists sealed fields of all tenants whose blind index is not known to be right. Index: sealed_fields_index.
-- name: ListFieldsToIndex :many
SELECT tenant_id, name, index_due::timestamptz AS index_due
FROM sealed_fields
WHERE index_due IS NOT NULL
ORDER BY index_due
LIMIT sqlc.arg(max_rows);

-- Lists sealed versions of a field with a blind key, or without one, in the order of their ids after after_id. It reads
-- every version of the tenant. Index: primary key.
-- name: ListSealedVersions :many
SELECT *
FROM customer_values
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id > sqlc.arg(after_id)
  AND name = sqlc.arg(name)
  AND encrypted
  AND (blind_key IS NOT NULL) = sqlc.arg(has_key)::bool
ORDER BY id
LIMIT sqlc.arg(max_rows);

-- Sets the keys of the blind index of versions. 0 is none. A version whose value was replaced meanwhile stays unchanged.
-- Index: primary key.
-- name: SetBlindKeys :exec
UPDATE customer_values v
SET blind_key = nullif(n.blind_key, 0)
FROM (
    SELECT
        unnest(sqlc.arg(ids)::uuid[]) AS id,
        unnest(sqlc.arg(vals)::text[]) AS value,
        unnest(sqlc.arg(blind_keys)::bigint[]) AS blind_key
) n
WHERE v.tenant_id = sqlc.arg(tenant_id)
  AND v.id = n.id
  AND v.encrypted
  AND v.value = n.value::jsonb;

-- Marks the blind index of a field as right, unless its definitions changed since. Index: primary key.
-- name: MarkFieldIndexed :exec
UPDATE sealed_fields
SET index_due = NULL
WHERE tenant_id = sqlc.arg(tenant_id)
  AND name = sqlc.arg(name)
  AND index_due = sqlc.arg(index_due);

-- Lists fields of all tenants whose values may not be right in the index of their beginnings, and whether a definition
-- allows to find them by that. Indexes: prefix_fields_index, definitions_prefix.
-- name: ListPrefixFieldsToIndex :many
SELECT
    f.tenant_id, f.name, f.index_due::timestamptz AS index_due,
    EXISTS (
        SELECT 1
        FROM definitions d
        WHERE d.tenant_id = f.tenant_id
          AND d.name = f.name
          AND d.prefix_search
          AND d.deleted_at IS NULL
    ) AS allowed
FROM prefix_fields f
WHERE f.index_due IS NOT NULL
ORDER BY f.index_due
LIMIT sqlc.arg(max_rows);

-- Adds versions of a field to the index of their beginnings, or removes them, and returns their ids. It reads every
-- version of the tenant. Index: primary key.
-- name: SetByPrefix :many
UPDATE customer_values v
SET by_prefix = sqlc.arg(by_prefix)
FROM (
    SELECT f.id
    FROM customer_values f
    WHERE f.tenant_id = sqlc.arg(tenant_id)
      AND f.id > sqlc.arg(after_id)
      AND f.name = sqlc.arg(name)
      AND f.by_prefix <> sqlc.arg(by_prefix)
    ORDER BY f.id
    LIMIT sqlc.arg(max_rows)
    FOR UPDATE
) due
WHERE v.tenant_id = sqlc.arg(tenant_id)
  AND v.id = due.id
RETURNING v.id;

-- Marks the index of a field as right, unless its definitions changed since. Index: primary key.
-- name: MarkPrefixFieldIndexed :exec
UPDATE prefix_fields
SET index_due = NULL
WHERE tenant_id = sqlc.arg(tenant_id)
  AND name = sqlc.arg(name)
  AND index_due = sqlc.arg(index_due);
