-- Lists the wrapped keys of customers. Index: primary key.
-- name: ListCustomerKeys :many
SELECT customer_id, wrapped
FROM customer_keys
WHERE tenant_id = sqlc.arg(tenant_id)
  AND customer_id = ANY (sqlc.arg(customers)::uuid[]);

-- Adds the keys of customers who have none. Two processes that add keys do it in the order of the customers' ids, so that
-- they cannot deadlock. Index: primary key.
-- name: AddCustomerKeys :exec
INSERT INTO customer_keys (tenant_id, customer_id, wrapped, kek_id)
SELECT sqlc.arg(tenant_id), made.customer_id, made.wrapped, sqlc.arg(kek_id)
FROM (SELECT unnest(sqlc.arg(customers)::uuid[]) AS customer_id, unnest(sqlc.arg(wrapped)::bytea[]) AS wrapped) made
ORDER BY made.customer_id
ON CONFLICT (tenant_id, customer_id) DO NOTHING;

-- Deletes the keys of customers: nothing that is sealed of them can be opened again. Processes drop the keys from memory
-- when the transaction commits. Index: primary key.
-- name: DeleteCustomerKeys :execrows
DELETE FROM customer_keys
WHERE tenant_id = sqlc.arg(tenant_id)
  AND customer_id = ANY (sqlc.arg(customers)::uuid[]);
