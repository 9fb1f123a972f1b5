-- Takes a key for a run, unless another run holds it: then it returns no row. Index: primary key.
-- name: TakeHold :one
INSERT INTO holds (tenant_id, key, held_until)
VALUES (sqlc.arg(tenant_id), sqlc.arg(key), clock_timestamp() + sqlc.arg(duration)::interval)
ON CONFLICT (tenant_id, key) DO UPDATE
SET fence = holds.fence + 1,
    held_until = excluded.held_until
WHERE holds.held_until <= clock_timestamp()
RETURNING fence;

-- Renews a hold. It returns 0 rows if another run has taken the key. Index: primary key.
-- name: RenewHold :execrows
UPDATE holds
SET held_until = clock_timestamp() + sqlc.arg(duration)::interval
WHERE tenant_id = sqlc.arg(tenant_id)
  AND key = sqlc.arg(key)
  AND fence = sqlc.arg(fence);

-- Locks a hold for the transaction that stores its work. It returns no row if another run has taken the key. Index:
-- primary key.
-- name: LockHold :one
SELECT fence
FROM holds
WHERE tenant_id = sqlc.arg(tenant_id)
  AND key = sqlc.arg(key)
  AND fence = sqlc.arg(fence)
FOR UPDATE;

-- Ends a hold. Index: primary key.
-- name: EndHold :exec
UPDATE holds
SET held_until = clock_timestamp()
WHERE tenant_id = sqlc.arg(tenant_id)
  AND key = sqlc.arg(key)
  AND fence = sqlc.arg(fence);

-- Deletes holds that ended long ago, across tenants. It scans the table, which has one row per recent model call.
-- name: PurgeHolds :exec
DELETE FROM holds
WHERE held_until < clock_timestamp() - interval '1 day';
