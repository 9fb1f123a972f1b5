package query

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/audit"
	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/vault"
)

// AuditPage returns entries of the audit, newest first, starting after an id; nil: with the newest. The entries of a
// time are found by their ids, which have the milliseconds of their making.
func (q *Queries) AuditPage(
	ctx context.Context, tenant uuid.UUID, filter vault.AuditFilter, after *uuid.UUID, limit int,
) (page []vault.AuditEntry, more bool, err error) {
	in := dbgen.PageAuditParams{
		TenantID: tenant, BeforeID: uuid.Max, FirstID: uuid.Nil, ToTime: endOfTime, Actor: string(filter.Actor),
		Action: string(filter.Action), Operation: filter.Operation, Purpose: filter.Purpose,
		MaxRows: int32(min(limit, MaxPage)) + 1, //nolint:gosec // at most MaxPage
	}
	if filter.From != nil {
		in.FromTime, in.FirstID = *filter.From, firstIDAt(filter.From.Add(-idSlack))
	}
	if filter.To != nil {
		in.ToTime, in.BeforeID = *filter.To, firstIDAt(filter.To.Add(idSlack))
	}
	if after != nil && before(*after, in.BeforeID) {
		in.BeforeID = *after
	}
	tq := q.db.Tenant(tenant)
	var rows []dbgen.AuditEntry
	if filter.Subject == "" {
		rows, err = tq.PageAudit(ctx, in)
	} else {
		rows, err = tq.PageAuditOf(ctx, dbgen.PageAuditOfParams{
			TenantID: tenant, Subject: filter.Subject, BeforeID: in.BeforeID, FirstID: in.FirstID,
			FromTime: in.FromTime, ToTime: in.ToTime, Actor: in.Actor, Action: in.Action, Operation: in.Operation,
			Purpose: in.Purpose, MaxRows: in.MaxRows,
		})
	}
	if err != nil {
		return nil, false, err
	}
	page, more = pageOf(rows, limit, db.AuditEntryOf)
	return page, more, nil
}

func before(a, b uuid.UUID) bool { return string(a[:]) < string(b[:]) }

// idSlack is far above the time between the making of the id and of the time of an entry.
const idSlack = time.Second

// endOfTime is later than the time of any entry.
var endOfTime = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

// firstIDAt returns the lowest UUIDv7 of a time.
func firstIDAt(at time.Time) uuid.UUID {
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[:], uint64(max(at.UnixMilli(), 0))<<16) //nolint:gosec // not negative
	return id
}

// VerifyAudit compares the audit of a tenant with its seals. expect is the head of an earlier verification; "": none.
// It reads the whole audit of the tenant.
func (q *Queries) VerifyAudit(ctx context.Context, tenant uuid.UUID, expect string) (vault.AuditReport, error) {
	return audit.Verify(ctx, auditSource{q.db.Tenant(tenant), tenant}, expect)
}

// auditSource implements audit.Source.
type auditSource struct {
	q      *dbgen.Queries
	tenant uuid.UUID
}

// NextSeal implements audit.Source.
func (s auditSource) NextSeal(ctx context.Context, after int64) (*vault.AuditSeal, error) {
	row, err := s.q.GetNextAuditSeal(ctx, s.tenant, after)
	if db.IsNotFound(err) {
		return nil, nil
	}
	seal := db.AuditSealOf(row)
	return &seal, err
}

// Entries implements audit.Source.
func (s auditSource) Entries(ctx context.Context, ids []uuid.UUID) ([]vault.AuditEntry, error) {
	rows, err := s.q.ListAuditEntries(ctx, s.tenant, ids)
	return db.AuditEntriesOf(rows), err
}

// Unlisted implements audit.Source. An entry counts as inserted if its transaction belongs to a closed interval, or if
// the server has not reached its number.
func (s auditSource) Unlisted(
	ctx context.Context, last vault.AuditSeal, limit int,
) (inserted []uuid.UUID, unsealed int64, err error) {
	rows, err := s.q.ListUnlistedAuditEntries(ctx, s.tenant)
	if err != nil {
		return nil, 0, err
	}
	bounds, err := s.q.GetAuditBounds(ctx) // after the entries: none of them is of a later transaction
	if err != nil {
		return nil, 0, err
	}
	for _, row := range rows {
		switch {
		case last.Cluster != bounds.Cluster: // restored from another server, and not sealed since
			unsealed++
		case row.Xact >= last.ToXact && row.Xact < bounds.Next:
			unsealed++
		case len(inserted) < limit:
			inserted = append(inserted, row.ID)
		}
	}
	return inserted, unsealed, nil
}
