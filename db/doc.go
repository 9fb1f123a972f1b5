// Package db accesses PostgreSQL.
//
//   - open.go: the connection pools, one per database role;
//   - tenant.go: queries that see one tenant, which each query sets in its own round trip;
//   - tx.go: transactions as functions;
//   - operations.go: the acceptance of an operation;
//   - errors.go: predicates of errors, and their conversion to errors of package vault (no pgx.ErrNoRows leaves this
//     package);
//   - convert.go: rows to and from the types of package vault;
//   - seal.go, seal_value.go, sealing_key.go: encryption of payloads and values;
//   - trace.go: the spans of queries, without values;
//   - migrate.go: the goose migrations in schema/, which sqlc reads too;
//   - dbgen/: generated from queries/; no file there is written by hand.
package db
