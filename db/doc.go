// Package db is the vault's way to PostgreSQL.
//
//   - open.go: connection pools, one per database role;
//   - tenant.go: queries that see one tenant, which is set in the query's own round trip;
//   - tx.go: a transaction is a function;
//   - errors.go: what went wrong, as predicates and vault errors (no ErrNoRows leaves this package);
//   - convert.go: rows to and from the types of package vault;
//   - trace.go: the spans of queries, without values;
//   - migrate.go: the goose migrations of schema/, which sqlc reads too;
//   - dbgen/: generated from queries/; nothing in it is written by hand.
package db
