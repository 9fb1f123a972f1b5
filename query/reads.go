package query

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/vault"
)

// Reads of PII are noted by the guard while an answer is made. RecordReads hands them to the audit once the answer is
// known to be sent, so an answer has one entry for each customer, and one that shows nothing has none.

// ReadAudit takes the entries of reads over. An error says that an entry is not taken.
type ReadAudit interface {
	Add(ctx context.Context, e vault.AuditEntry) error
}

// AuditReads records the reads of PII by the readers of WithAccess. Without it, they are not recorded.
func AuditReads(reads ReadAudit) Option { return func(q *Queries) { q.reads = reads } }

// readOf is PII that was shown: the name of a field, vault.AuditedChannels or vault.AuditedTurns.
type readOf struct {
	tenant, customer uuid.UUID
	name             string
}

// records reports whether reads of a name are recorded: it is PII and the reader sees it unmasked.
func (g *guard) records(name string) bool {
	if g == nil || g.q.reads == nil {
		return false
	}
	switch name {
	case vault.AuditedTurns, vault.AuditedChannels:
		return !g.reader.access.Masked
	default:
		return g.policies[name].PII && !g.masks(name)
	}
}

// note notes that a field of a customer, its channels or its turns are shown.
func (g *guard) note(customer uuid.UUID, name string) {
	if !g.records(name) {
		return
	}
	g.reader.mu.Lock()
	defer g.reader.mu.Unlock()
	g.reader.reads[readOf{g.tenant, customer, name}] = true
}

// ForgetReads forgets what the reads of a context have shown so far, because the answer does not show it.
func ForgetReads(ctx context.Context) {
	takenOf(ctx)
}

// takenOf returns what the reads of a context have shown so far, and forgets it.
func takenOf(ctx context.Context) map[readOf]bool {
	if r, ok := ctx.Value(accessKey{}).(*reader); ok {
		return r.taken()
	}
	return nil
}

// keepReads forgets the names that an answer does not show, except what was shown earlier.
func keepReads(ctx context.Context, earlier map[readOf]bool, shown func(name string) bool) {
	r, ok := ctx.Value(accessKey{}).(*reader)
	if !ok {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.DeleteFunc(r.reads, func(read readOf, _ bool) bool { return !shown(read.name) })
	maps.Copy(r.reads, earlier)
}

// taken returns what was noted, and forgets it.
func (r *reader) taken() map[readOf]bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.reads) == 0 {
		return nil
	}
	out := r.reads
	r.reads = map[readOf]bool{}
	return out
}

// RecordReads records what the reads of a context have shown so far: one entry for each customer. It does not wait for
// the database, unless the audit is full. An error, vault.CodeUnavailable, says that the answer must not be shown.
func (q *Queries) RecordReads(ctx context.Context) error {
	r, ok := ctx.Value(accessKey{}).(*reader)
	if !ok || q.reads == nil {
		return nil
	}
	fields := map[readOf][]string{}
	for read := range r.taken() {
		of := readOf{tenant: read.tenant, customer: read.customer}
		fields[of] = append(fields[of], read.name)
	}
	for _, of := range slices.SortedFunc(maps.Keys(fields), func(a, b readOf) int {
		return strings.Compare(string(a.customer[:]), string(b.customer[:]))
	}) {
		slices.Sort(fields[of])
		subject := of.customer.String()
		if of.customer == uuid.Nil { // a number of customers
			subject = ""
		}
		err := q.reads.Add(ctx, vault.AuditEntry{
			TenantID: of.tenant, Action: vault.AuditRead, Actor: vault.ActorOf(ctx), Operation: r.access.Operation,
			Subject: subject, Fields: fields[of], Purpose: r.access.Purpose,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// recordExport records that the data of a customer is handed out.
func (e CustomerExport) recordExport(ctx context.Context) error {
	r, ok := ctx.Value(accessKey{}).(*reader)
	if !ok || e.queries.reads == nil {
		return nil
	}
	return e.queries.reads.Add(ctx, vault.AuditEntry{
		TenantID: e.tenant, Action: vault.AuditExported, Actor: vault.ActorOf(ctx), Operation: r.access.Operation,
		OperationID: &e.ID, Subject: e.CustomerID.String(), Fields: []string{}, Purpose: r.access.Purpose,
	})
}
