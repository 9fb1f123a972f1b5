package db

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/vault"
)

// InsertAuditEntries adds entries of several tenants to the audit in one statement. Those that are there already stay.
func (d *DB) InsertAuditEntries(ctx context.Context, entries []vault.AuditEntry) error {
	return InsertAuditEntries(ctx, d.System(), entries)
}

// InsertAuditEntries is DB.InsertAuditEntries in a transaction.
func InsertAuditEntries(ctx context.Context, q *dbgen.Queries, entries []vault.AuditEntry) error {
	var rows dbgen.InsertAuditEntriesParams
	for _, e := range entries {
		rows.TenantIds, rows.Ids = append(rows.TenantIds, e.TenantID), append(rows.Ids, e.ID)
		rows.Times, rows.Actions = append(rows.Times, e.At), append(rows.Actions, string(e.Action))
		rows.Actors, rows.Operations = append(rows.Actors, string(e.Actor)), append(rows.Operations, e.Operation)
		operation := uuid.Nil
		if e.OperationID != nil {
			operation = *e.OperationID
		}
		rows.OperationIds, rows.Subjects = append(rows.OperationIds, operation), append(rows.Subjects, e.Subject)
		rows.Fields = append(rows.Fields, strings.Join(e.Fields, ","))
		rows.Purposes, rows.Codes = append(rows.Purposes, e.Purpose), append(rows.Codes, e.Code)
	}
	return q.InsertAuditEntries(ctx, rows)
}

// AuditEntryOf converts a row of audit_entries.
func AuditEntryOf(r dbgen.AuditEntry) vault.AuditEntry {
	return vault.AuditEntry{
		ID: r.ID, TenantID: r.TenantID, Xact: r.Xact, At: r.At, Action: vault.AuditAction(r.Action),
		Actor: vault.Actor(r.Actor), Operation: r.Operation, OperationID: r.OperationID, Subject: r.Subject,
		Fields: r.Fields, Purpose: r.Purpose, Code: r.Code,
	}
}

// AuditEntriesOf converts rows of audit_entries.
func AuditEntriesOf(rows []dbgen.AuditEntry) []vault.AuditEntry {
	out := make([]vault.AuditEntry, len(rows))
	for i, r := range rows {
		out[i] = AuditEntryOf(r)
	}
	return out
}

// AuditSealOf converts a row of audit_seals.
func AuditSealOf(r dbgen.AuditSeal) vault.AuditSeal {
	return vault.AuditSeal{
		TenantID: r.TenantID, Number: r.Number, ClosedAt: r.ClosedAt, Cluster: r.Cluster, FromXact: r.FromXact,
		ToXact: r.ToXact, EntryIDs: r.EntryIds, LeafHashes: r.LeafHashes, Root: r.Root, Previous: r.Previous, Hash: r.Hash,
	}
}
