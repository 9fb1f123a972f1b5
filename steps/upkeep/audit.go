package upkeep

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/audit"
	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/vault"
)

// Audit seals the audit.
type Audit struct {
	Once once.Runner
	Log  *slog.Logger
	// MaxEntries is the maximum number of entries of a seal, unless one transaction wrote more. 0: audit.MaxEntries.
	MaxEntries int32
}

// Sealed counts the work of one run.
type Sealed struct {
	once.NoEffect

	Seals   int `json:"seals"`
	Entries int `json:"entries"`
}

// tenantsPage is the number of tenants that one query lists.
const tenantsPage = 100

// SealAudit closes the interval of each tenant that has new entries. Writers do not wait for it: an interval ends
// below the oldest transaction that is still open, so that an entry that is committed late is in a later one. Several
// runs can run at the same time.
func (s Audit) SealAudit(ctx context.Context, _ vault.Event) (Sealed, error) {
	var total Sealed
	for after := uuid.Nil; ; {
		tenants, err := s.Once.DB.System().ListTenantsToSeal(ctx, after, tenantsPage)
		if err != nil {
			return total, err
		}
		for _, tenant := range tenants {
			for {
				seal, more, err := s.sealTenant(ctx, tenant)
				if err != nil {
					return total, fmt.Errorf("seal the audit of tenant %s: %w", tenant, err)
				}
				if seal != nil {
					total.Seals++
					total.Entries += len(seal.EntryIDs)
					// Whoever keeps the log notices later when seals are removed or made anew.
					s.Log.InfoContext(ctx, "audit_sealed",
						"tenant_id", tenant, "entries", len(seal.EntryIDs), "head", audit.HeadOf(*seal))
				}
				if !more {
					break
				}
			}
			after = tenant
		}
		if len(tenants) < tenantsPage {
			return total, nil
		}
	}
}

// sealTenant closes one interval of a tenant. nil: there is nothing to close, or another run does. more reports that
// further entries can be sealed now.
func (s Audit) sealTenant(ctx context.Context, tenant uuid.UUID) (sealed *vault.AuditSeal, more bool, err error) {
	err = s.Once.DB.InTx(ctx, tenant, func(q *dbgen.Queries) error {
		free, err := q.TakeAuditSeal(ctx, tenant)
		if err != nil || !free {
			return err
		}
		before, err := lastSeal(ctx, q, tenant)
		if err != nil {
			return err
		}
		// The bounds come before the entries: each statement sees what was committed when it began.
		bounds, err := q.GetAuditBounds(ctx)
		if err != nil {
			return err
		}
		var part interval
		if before != nil && before.Cluster == bounds.Cluster {
			part, err = s.next(ctx, q, tenant, before.ToXact, bounds)
		} else {
			part, err = s.restored(ctx, q, tenant, before, bounds)
		}
		if err != nil || part.nothing {
			return err
		}
		seal, err := audit.Seal(audit.Interval{
			Tenant: tenant, ClosedAt: bounds.Now, Cluster: part.cluster, From: part.from, To: part.to,
		}, db.AuditEntriesOf(part.rows), before)
		if err != nil {
			return err
		}
		sealed, more = &seal, part.more
		return q.InsertAuditSeal(ctx, dbgen.InsertAuditSealParams{
			TenantID: tenant, Number: seal.Number, ClosedAt: seal.ClosedAt, Cluster: seal.Cluster, FromXact: seal.FromXact,
			ToXact: seal.ToXact, EntryIds: seal.EntryIDs, LeafHashes: seal.LeafHashes, Root: seal.Root,
			Previous: seal.Previous, Hash: seal.Hash,
		})
	})
	if err != nil {
		return nil, false, err
	}
	return sealed, more, nil
}

func lastSeal(ctx context.Context, q *dbgen.Queries, tenant uuid.UUID) (*vault.AuditSeal, error) {
	row, err := q.GetLastAuditSeal(ctx, tenant)
	if db.IsNotFound(err) {
		return nil, nil
	}
	seal := db.AuditSealOf(row)
	return &seal, err
}

// interval is what a seal is to close.
type interval struct {
	nothing  bool
	rows     []dbgen.AuditEntry
	from, to int64 // transactions
	cluster  string
	more     bool
}

func (s Audit) max() int32 {
	if s.MaxEntries > 0 {
		return s.MaxEntries
	}
	return audit.MaxEntries
}

// next returns the interval after the last seal. It contains whole transactions.
func (s Audit) next(
	ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, from int64, bounds dbgen.GetAuditBoundsRow,
) (interval, error) {
	limit := s.max() + 1
	in := dbgen.ListAuditIntervalParams{TenantID: tenant, FromXact: from, ToXact: bounds.Oldest, MaxRows: &limit}
	rows, err := q.ListAuditInterval(ctx, in)
	out := interval{nothing: len(rows) == 0, rows: rows, from: from, to: bounds.Oldest, cluster: bounds.Cluster}
	if err != nil || len(rows) < int(limit) {
		return out, err
	}
	out.more, out.to = true, rows[len(rows)-1].Xact
	for len(out.rows) > 0 && out.rows[len(out.rows)-1].Xact == out.to {
		out.rows = out.rows[:len(out.rows)-1]
	}
	if len(out.rows) > 0 {
		return out, nil
	}
	in.ToXact, in.MaxRows = out.to+1, nil // one transaction wrote them all
	out.to = in.ToXact
	out.rows, err = q.ListAuditInterval(ctx, in)
	return out, err
}

// restored returns the entries that no seal lists, in a database without a seal, or whose last seal is of another
// server: transactions of a restored dump have the numbers of the other one. Until all are sealed, the seals keep the
// other server, so that the next one continues here.
func (s Audit) restored(
	ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, before *vault.AuditSeal, bounds dbgen.GetAuditBoundsRow,
) (interval, error) {
	rows, err := q.ListRestoredAuditEntries(ctx, dbgen.ListRestoredAuditEntriesParams{
		TenantID: tenant, Oldest: bounds.Oldest, MaxRows: s.max(),
	})
	out := interval{nothing: len(rows) == 0 && before == nil, rows: rows, to: bounds.Oldest, cluster: bounds.Cluster}
	if len(rows) == int(s.max()) {
		out.more, out.to, out.cluster = true, 0, ""
	}
	return out, err
}
