-- Gets a webhook, also a deleted one, and locks it. Index: primary key.
-- name: LockWebhook :one
SELECT *
FROM webhooks
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id)
FOR UPDATE;

-- Counts the webhooks of a tenant. Index: primary key.
-- name: CountWebhooks :one
SELECT count(*)
FROM webhooks
WHERE tenant_id = sqlc.arg(tenant_id)
  AND deleted_at IS NULL;

-- Saves a webhook. One that is new, or was deleted, begins after queued_to; another one goes on where it is. Index:
-- primary key.
-- name: SaveWebhook :exec
INSERT INTO webhooks AS w (
    tenant_id, id, url, types, agent_id, shows_values, key_id, enabled, secret, queued_to, operation_id, accepted_at
)
VALUES (
    sqlc.arg(tenant_id), sqlc.arg(id), sqlc.arg(url), sqlc.arg(types), sqlc.narg(agent_id), sqlc.arg(shows_values),
    sqlc.narg(key_id), sqlc.arg(enabled), sqlc.arg(secret), sqlc.arg(queued_to), sqlc.arg(operation_id),
    sqlc.arg(accepted_at)
)
ON CONFLICT (tenant_id, id) DO UPDATE
SET url = excluded.url,
    types = excluded.types,
    agent_id = excluded.agent_id,
    shows_values = excluded.shows_values,
    key_id = excluded.key_id,
    enabled = excluded.enabled,
    disabled_reason = '',
    secret = excluded.secret,
    previous_secret = sqlc.narg(previous_secret),
    previous_until = sqlc.narg(previous_until),
    queued_to = CASE WHEN w.deleted_at IS NULL THEN w.queued_to ELSE excluded.queued_to END,
    operation_id = excluded.operation_id,
    accepted_at = excluded.accepted_at,
    updated_at = clock_timestamp(),
    deleted_at = NULL;

-- Deletes a webhook, with its secrets. Index: primary key.
-- name: DeleteWebhook :exec
UPDATE webhooks
SET deleted_at = clock_timestamp(),
    updated_at = clock_timestamp(),
    enabled = false,
    secret = '',
    previous_secret = NULL,
    previous_until = NULL,
    operation_id = sqlc.arg(operation_id),
    accepted_at = sqlc.arg(accepted_at)
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id);

-- Removes the deliveries of a webhook. Index: webhook_deliveries_list.
-- name: RemoveDeliveries :exec
DELETE FROM webhook_deliveries
WHERE tenant_id = sqlc.arg(tenant_id)
  AND webhook_id = sqlc.arg(webhook_id);

-- Disables a webhook, with the reason. Index: primary key.
-- name: DisableWebhook :exec
UPDATE webhooks
SET enabled = false, disabled_reason = sqlc.arg(reason), updated_at = clock_timestamp()
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id)
  AND enabled;

-- Counts the attempts for a webhook that are in progress. Index: webhook_deliveries_pending.
-- name: CountAttempts :one
SELECT count(*)
FROM webhook_deliveries
WHERE tenant_id = sqlc.arg(tenant_id)
  AND webhook_id = sqlc.arg(webhook_id)
  AND status = 'pending'
  AND leased_until > clock_timestamp();

-- Gets a webhook without its secrets. Index: primary key.
-- name: GetWebhook :one
SELECT id, url, types, agent_id, shows_values, key_id, enabled, disabled_reason, previous_until, created_at, updated_at,
    operation_id
FROM webhooks
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id)
  AND deleted_at IS NULL;

-- Lists the webhooks of a tenant without their secrets, sorted by id. Index: primary key.
-- name: ListWebhooks :many
SELECT id, url, types, agent_id, shows_values, key_id, enabled, disabled_reason, previous_until, created_at, updated_at,
    operation_id
FROM webhooks
WHERE tenant_id = sqlc.arg(tenant_id)
  AND deleted_at IS NULL
ORDER BY id;

-- Reports whether there is something to do for webhooks, of any tenant: new events, or a delivery that is due. Indexes:
-- primary keys, events_unpublished, webhook_deliveries_due.
-- name: HasWebhookWork :one
SELECT EXISTS (
    SELECT 1
    FROM webhooks w
    WHERE w.enabled
      AND (
          w.queued_to < (SELECT h.last FROM event_heads h WHERE h.tenant_id = w.tenant_id)
          OR EXISTS (
              SELECT 1
              FROM events e
              WHERE e.tenant_id = w.tenant_id
                AND e.position IS NULL
          )
          OR EXISTS (
              SELECT 1
              FROM webhook_deliveries d
              WHERE d.webhook_id = w.id
                AND d.tenant_id = w.tenant_id
                AND d.status = 'pending'
                AND d.next_at <= clock_timestamp()
                AND (d.leased_until IS NULL OR d.leased_until <= clock_timestamp())
                AND NOT EXISTS (
                    SELECT 1
                    FROM webhook_deliveries e
                    WHERE e.webhook_id = d.webhook_id
                      AND e.tenant_id = d.tenant_id
                      AND e.status = 'pending'
                      AND e.position < d.position
                      AND e.customers && d.customers
                )
          )
      )
);

-- Lists the enabled webhooks of all tenants. Index: primary key.
-- name: ListEnabledWebhooks :many
SELECT tenant_id, id
FROM webhooks
WHERE enabled
ORDER BY tenant_id, id;

-- Makes deliveries of the events that a webhook has not seen, up to some positions at once, and returns the position that
-- it has reached. The caller has locked the webhook, and published the events. Index: events_position.
-- name: QueueDeliveries :one
WITH reached AS (
    SELECT w.tenant_id, w.id, w.types, w.agent_id, w.queued_to AS begin, least(h.last, w.queued_to + 1000) AS up_to
    FROM webhooks w
    JOIN event_heads h ON h.tenant_id = w.tenant_id
    WHERE w.tenant_id = sqlc.arg(tenant_id)
      AND w.id = sqlc.arg(id)
), queued AS (
    INSERT INTO webhook_deliveries (tenant_id, webhook_id, position, type, customers)
    SELECT
        e.tenant_id, r.id, e.position, e.type,
        CASE
            WHEN e.customer_id IS NULL THEN ARRAY['00000000-0000-0000-0000-000000000000'::uuid]
            ELSE array_remove(ARRAY[e.customer_id, e.other_customer_id], NULL)
        END
    FROM reached r
    JOIN events e ON e.tenant_id = r.tenant_id AND e.position > r.begin AND e.position <= r.up_to
    WHERE (cardinality(r.types) = 0 OR e.type = ANY (r.types))
      AND (r.agent_id IS NULL OR e.agent_id = r.agent_id)
    ORDER BY e.position
)
UPDATE webhooks w
SET queued_to = r.up_to
FROM reached r
WHERE w.tenant_id = r.tenant_id
  AND w.id = r.id
RETURNING (SELECT h.last FROM event_heads h WHERE h.tenant_id = w.tenant_id) > w.queued_to AS more;

-- Claims one delivery that is due, of any tenant, for an attempt: no delivery before it is about one of its customers,
-- and its webhook has fewer than max_at_once attempts in progress. A claim is a lease. The lock on the webhook keeps a
-- claim from beginning after the webhook was disabled. The attempts in progress are counted once for all candidates: with
-- a count for each, a claim would cost the square of what waits. Indexes: webhook_deliveries_due,
-- webhook_deliveries_pending.
-- name: ClaimDelivery :one
WITH due AS (
    SELECT d.seq
    FROM webhook_deliveries d
    JOIN webhooks w ON w.tenant_id = d.tenant_id AND w.id = d.webhook_id
    WHERE d.status = 'pending'
      AND d.next_at <= clock_timestamp()
      AND (d.leased_until IS NULL OR d.leased_until <= clock_timestamp())
      AND w.enabled
      AND NOT EXISTS (
          SELECT 1
          FROM webhook_deliveries e
          WHERE e.webhook_id = d.webhook_id
            AND e.tenant_id = d.tenant_id
            AND e.status = 'pending'
            AND e.position < d.position
            AND e.customers && d.customers
      )
      AND (d.tenant_id, d.webhook_id) NOT IN (
          SELECT l.tenant_id, l.webhook_id
          FROM webhook_deliveries l
          WHERE l.status = 'pending'
            AND l.leased_until > clock_timestamp()
          GROUP BY l.tenant_id, l.webhook_id
          HAVING count(*) >= sqlc.arg(max_at_once)::bigint
      )
    ORDER BY d.next_at, d.seq
    LIMIT 1
    FOR SHARE OF w
    FOR UPDATE OF d SKIP LOCKED
)
UPDATE webhook_deliveries d
SET leased_until = clock_timestamp() + sqlc.arg(lease)::interval,
    attempts = d.attempts + 1
FROM due, webhooks w
WHERE d.seq = due.seq
  AND w.tenant_id = d.tenant_id
  AND w.id = d.webhook_id
RETURNING
    d.seq, d.tenant_id, d.id, d.webhook_id, d.position, d.attempts, d.created_at, w.url, w.shows_values, w.key_id,
    w.secret, w.previous_secret, w.previous_until;

-- Records the outcome of an attempt: status pending with next_at is another attempt. It changes nothing if the lease went
-- to another worker, or the delivery was removed. Index: primary key.
-- name: FinishAttempt :exec
UPDATE webhook_deliveries
SET status = sqlc.arg(status),
    next_at = sqlc.arg(next_at),
    leased_until = NULL,
    last_status = sqlc.narg(last_status),
    last_error = sqlc.arg(last_error),
    finished_at = CASE WHEN sqlc.arg(status) = 'pending' THEN NULL ELSE clock_timestamp() END
WHERE seq = sqlc.arg(seq)
  AND attempts = sqlc.arg(attempts)
  AND status = 'pending';

-- Adds a test delivery. Index: primary key.
-- name: InsertTestDelivery :one
INSERT INTO webhook_deliveries (tenant_id, id, webhook_id, type, customers)
VALUES (sqlc.arg(tenant_id), sqlc.arg(id), sqlc.arg(webhook_id), 'webhook.test', '{}')
RETURNING id;

-- Makes dead deliveries of a webhook due again: one, or all. Index: webhook_deliveries_list.
-- name: ReplayDeliveries :execrows
UPDATE webhook_deliveries
SET status = 'pending', attempts = 0, next_at = clock_timestamp(), finished_at = NULL
WHERE tenant_id = sqlc.arg(tenant_id)
  AND webhook_id = sqlc.arg(webhook_id)
  AND status = 'dead'
  AND (sqlc.narg(id)::uuid IS NULL OR id = sqlc.narg(id));

-- Returns a page of the deliveries of a webhook, newest first. Index: webhook_deliveries_list.
-- name: PageDeliveries :many
SELECT seq, id, position, type, status, attempts, next_at, last_status, last_error, created_at, finished_at
FROM webhook_deliveries
WHERE tenant_id = sqlc.arg(tenant_id)
  AND webhook_id = sqlc.arg(webhook_id)
  AND seq < sqlc.arg(before)::bigint
  AND (sqlc.arg(status)::text = '' OR status = sqlc.arg(status))
ORDER BY seq DESC
LIMIT sqlc.arg(max_rows);

-- Removes finished deliveries of all tenants from before a time, in batches. Index: webhook_deliveries_finished.
-- name: PurgeDeliveries :execrows
DELETE FROM webhook_deliveries
WHERE seq = ANY (ARRAY(
    SELECT d.seq
    FROM webhook_deliveries d
    WHERE d.status <> 'pending'
      AND d.finished_at < sqlc.arg(before)::timestamptz
    LIMIT sqlc.arg(max_rows)
    FOR UPDATE SKIP LOCKED
));

-- Gets the rights of an API key. Index: primary key.
-- name: GetKeyRights :one
SELECT scopes, purpose, pii, expires_at, revoked_at
FROM api_keys
WHERE tenant_id = sqlc.arg(tenant_id)
  AND id = sqlc.arg(id);

-- Gets an event by its position. Index: events_position.
-- name: GetEvent :one
SELECT *
FROM events
WHERE tenant_id = sqlc.arg(tenant_id)
  AND position = sqlc.arg(position)::bigint;
