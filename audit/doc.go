// Package audit seals and verifies the audit, and writes the reads of it. It holds rules and no SQL.
//
//   - leaf.go: the hash of one entry;
//   - seal.go: closes an interval: the Merkle root of its entries (RFC 6962), chained to the seal before it;
//   - verify.go: finds what was changed, removed or inserted since;
//   - writer.go: writes the entries of reads in batches, off the path of the reader.
//
// Changes are recorded by the statements that accept, apply and reject operations, in package db.
package audit
