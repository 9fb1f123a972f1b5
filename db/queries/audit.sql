-- Adds entries of several tenants that the statements of operations do not add themselves, such as reads. Those that are
-- there already stay. fields are names with commas between them. Index: primary key.
-- name: InsertAuditEntries :exec
INSERT INTO audit_entries (
    tenant_id, id, at, action, actor, operation, operation_id, subject, fields, purpose, code
)
SELECT
    n.tenant_id, n.id, n.at, n.action, n.actor, n.operation,
    nullif(n.operation_id, '00000000-0000-0000-0000-000000000000'), n.subject, string_to_array(n.fields, ','), n.purpose,
    n.code
FROM (
    SELECT
        unnest(sqlc.arg(tenant_ids)::uuid[]) AS tenant_id,
        unnest(sqlc.arg(ids)::uuid[]) AS id,
        unnest(sqlc.arg(times)::timestamptz[]) AS at,
        unnest(sqlc.arg(actions)::text[]) AS action,
        unnest(sqlc.arg(actors)::text[]) AS actor,
        unnest(sqlc.arg(operations)::text[]) AS operation,
        unnest(sqlc.arg(operation_ids)::uuid[]) AS operation_id,
        unnest(sqlc.arg(subjects)::text[]) AS subject,
        unnest(sqlc.arg(fields)::text[]) AS fields,
        unnest(sqlc.arg(purposes)::text[]) AS purpose,
        unnest(sqlc.arg(codes)::text[]) AS code
) n
ON CONFLICT (tenant_id, id) DO NOTHING;

-- Records for the customers of profiles, of any tenant, that a sweep or an import changed them. Index: primary key.
-- name: AuditProfiles :exec
INSERT INTO audit_entries (tenant_id, action, actor, operation, operation_id, subject)
SELECT p.tenant_id, 'applied', sqlc.arg(actor), sqlc.arg(operation), sqlc.narg(operation_id), p.customer_id::text
FROM customer_profiles p
WHERE p.id = ANY (sqlc.arg(profiles)::uuid[]);

-- Returns the bounds of what can be sealed: all transactions below oldest are over, and what they wrote is visible to
-- the next statement. None from next on has begun.
-- name: GetAuditBounds :one
SELECT
    pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS oldest,
    pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS next,
    audit_cluster()::text AS cluster,
    clock_timestamp()::timestamptz AS now;

-- Takes the right to seal the audit of a tenant, until the end of the transaction. false: another run has it.
-- name: TakeAuditSeal :one
SELECT pg_try_advisory_xact_lock(hashtextextended('audit:' || sqlc.arg(tenant_id)::uuid::text, 0));

-- Lists tenants with entries that may be sealed: those after their last seal, and all that have none or one of another
-- database server. Indexes: primary keys, audit_entries_xact.
-- name: ListTenantsToSeal :many
SELECT t.id
FROM tenants t
LEFT JOIN LATERAL (
    SELECT s.to_xact, s.cluster
    FROM audit_seals s
    WHERE s.tenant_id = t.id
    ORDER BY s.number DESC
    LIMIT 1
) last ON true
WHERE t.id > sqlc.arg(after)
  AND EXISTS (
      SELECT 1
      FROM audit_entries e
      WHERE e.tenant_id = t.id
        AND e.xact >= CASE WHEN last.cluster = audit_cluster() THEN last.to_xact ELSE 0 END
  )
ORDER BY t.id
LIMIT sqlc.arg(max_rows);

-- Gets the last seal of a tenant. Index: primary key.
-- name: GetLastAuditSeal :one
SELECT *
FROM audit_seals
WHERE tenant_id = sqlc.arg(tenant_id)
ORDER BY number DESC
LIMIT 1;

-- Gets the first seal of a tenant after a number. Index: primary key.
-- name: GetNextAuditSeal :one
SELECT *
FROM audit_seals
WHERE tenant_id = sqlc.arg(tenant_id)
  AND number > sqlc.arg(after)
ORDER BY number
LIMIT 1;

-- Lists the entries of an interval of transactions. Index: audit_entries_xact.
-- name: ListAuditInterval :many
SELECT *
FROM audit_entries
WHERE tenant_id = sqlc.arg(tenant_id)
  AND xact >= sqlc.arg(from_xact)
  AND xact < sqlc.arg(to_xact)
ORDER BY xact, id
LIMIT sqlc.narg(max_rows);

-- Lists the entries of a restored dump that no seal lists: those below the oldest open transaction of this server, and
-- those of transactions that it has not reached, which are another's: what this statement sees of this server is older
-- than its own snapshot. It reads all entries of the tenant.
-- name: ListRestoredAuditEntries :many
SELECT e.*
FROM audit_entries e
WHERE e.tenant_id = sqlc.arg(tenant_id)
  AND (e.xact < sqlc.arg(oldest) OR e.xact >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint)
  AND e.id NOT IN (
      SELECT unnest(s.entry_ids)
      FROM audit_seals s
      WHERE s.tenant_id = sqlc.arg(tenant_id)
  )
ORDER BY e.xact, e.id
LIMIT sqlc.arg(max_rows);

-- Adds a seal. Index: primary key.
-- name: InsertAuditSeal :exec
INSERT INTO audit_seals (
    tenant_id, number, closed_at, cluster, from_xact, to_xact, entry_ids, leaf_hashes, root, previous, hash
)
VALUES (
    sqlc.arg(tenant_id), sqlc.arg(number), sqlc.arg(closed_at), sqlc.arg(cluster), sqlc.arg(from_xact),
    sqlc.arg(to_xact), sqlc.arg(entry_ids), sqlc.arg(leaf_hashes), sqlc.arg(root), sqlc.arg(previous), sqlc.arg(hash)
);

-- Lists entries by their ids. Index: primary key.
-- name: ListAuditEntries :many
SELECT *
FROM audit_entries
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = ANY (sqlc.arg(ids)::uuid[]);

-- Lists entries that no seal lists, with their transactions. It reads all entries of the tenant.
-- name: ListUnlistedAuditEntries :many
SELECT e.id, e.xact
FROM audit_entries e
WHERE e.tenant_id = sqlc.arg(tenant_id)
  AND e.id NOT IN (
      SELECT unnest(s.entry_ids)
      FROM audit_seals s
      WHERE s.tenant_id = sqlc.arg(tenant_id)
  )
ORDER BY e.xact, e.id;

-- Returns a page of the audit of a tenant, newest first: the entries with ids below before_id and from first_id on.
-- Indexes: primary key.
-- name: PageAudit :many
SELECT *
FROM audit_entries
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id < sqlc.arg(before_id)
  AND id >= sqlc.arg(first_id)
  AND at >= sqlc.arg(from_time)
  AND at < sqlc.arg(to_time)
  AND (sqlc.arg(actor)::text = '' OR actor = sqlc.arg(actor))
  AND (sqlc.arg(action)::text = '' OR action = sqlc.arg(action))
  AND (sqlc.arg(operation)::text = '' OR operation = sqlc.arg(operation))
  AND (sqlc.arg(purpose)::text = '' OR purpose = sqlc.arg(purpose))
ORDER BY id DESC
LIMIT sqlc.arg(max_rows);

-- Returns a page of the audit of one customer or other subject. It works as PageAudit. Index: audit_entries_subject.
-- name: PageAuditOf :many
SELECT *
FROM audit_entries
WHERE tenant_id = sqlc.arg(tenant_id)
  AND subject = sqlc.arg(subject)
  AND id < sqlc.arg(before_id)
  AND id >= sqlc.arg(first_id)
  AND at >= sqlc.arg(from_time)
  AND at < sqlc.arg(to_time)
  AND (sqlc.arg(actor)::text = '' OR actor = sqlc.arg(actor))
  AND (sqlc.arg(action)::text = '' OR action = sqlc.arg(action))
  AND (sqlc.arg(operation)::text = '' OR operation = sqlc.arg(operation))
  AND (sqlc.arg(purpose)::text = '' OR purpose = sqlc.arg(purpose))
ORDER BY id DESC
LIMIT sqlc.arg(max_rows);
