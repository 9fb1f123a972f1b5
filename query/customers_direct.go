package query

import (
	"context"
	"slices"

	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/vault"
)

// directKinds are the kinds of conditions that a direct search tests.
var directKinds = []string{
	metCondition, string(vault.ConditionMissing), string(vault.ConditionPresent), string(vault.ConditionVerified),
	string(vault.ConditionOlderThan),
}

// direct reports whether a page of a search is read by the query of its order. Others are read by FindCustomers, which
// knows all conditions, and is slower.
func (s *search) direct() bool {
	p := s.params
	if p.By == byPrefix || len(p.WantNumbers) > 1 || slices.ContainsFunc(p.CondPurposes, isSet) {
		return false
	}
	return !slices.ContainsFunc(p.CondKinds, func(kind string) bool { return !slices.Contains(directKinds, kind) })
}

func isSet(text string) bool { return text != "" }

// readDirect is readChunk by the query of the order.
func (q *Queries) readDirect(
	ctx context.Context, s *search, chunk, matches int,
) (rows []dbgen.FindCustomersRow, more bool, err error) {
	in := s.directParams(chunk, matches)
	tq := q.db.Tenant(s.tenant)
	switch s.params.By {
	case byValue:
		rows, err = readKey(ctx, tq, s, in)
	case byAge:
		rows, err = readAge(ctx, tq, s, in)
	default:
		rows, err = readInOrder(ctx, tq, in)
	}
	if err != nil {
		return nil, false, err
	}
	return q.afterRows(ctx, s, chunk, rows)
}

// directParams are the parameters that the direct queries share.
func (s *search) directParams(chunk, matches int) dbgen.FindCustomersInOrderParams {
	p := s.params
	in := dbgen.FindCustomersInOrderParams{
		TenantID: s.tenant, AfterID: p.AfterID,
		Chunk: int32(chunk), MaxRows: int32(matches), //nolint:gosec // at most maxCandidates
	}
	for i, kind := range p.CondKinds {
		switch kind {
		case metCondition:
		case string(vault.ConditionMissing):
			in.Missing = append(in.Missing, p.CondNames[i])
		default:
			in.CondNames, in.CondKinds = append(in.CondNames, p.CondNames[i]), append(in.CondKinds, kind)
			in.CondTimes = append(in.CondTimes, p.CondTimes[i])
		}
	}
	return in
}

func readKey(
	ctx context.Context, tq *dbgen.Queries, s *search, in dbgen.FindCustomersInOrderParams,
) (out []dbgen.FindCustomersRow, err error) {
	p := s.params
	rows, err := tq.FindCustomersByKey(ctx, dbgen.FindCustomersByKeyParams{
		TenantID: in.TenantID, Now: *p.Now, Name: p.ByName, WantValue: p.WantValues[0], WantBlind: p.WantBlind[0],
		AfterID: in.AfterID, Chunk: in.Chunk, MaxRows: in.MaxRows, Missing: in.Missing, CondNames: in.CondNames,
		CondKinds: in.CondKinds, CondTimes: in.CondTimes,
	})
	for _, r := range rows {
		out = append(out, dbgen.FindCustomersRow{
			CustomerID: r.CustomerID, Version: r.Version, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt,
			Position: r.Position, Matches: r.Matches, Scanned: r.Number,
		})
	}
	return out, err
}

func readAge(
	ctx context.Context, tq *dbgen.Queries, s *search, in dbgen.FindCustomersInOrderParams,
) (out []dbgen.FindCustomersRow, err error) {
	p := s.params
	rows, err := tq.FindCustomersByAge(ctx, dbgen.FindCustomersByAgeParams{
		TenantID: in.TenantID, Now: *p.Now, Name: p.ByName, Before: p.ByBefore, AfterAt: p.AfterAt, AfterID: in.AfterID,
		Chunk: in.Chunk, MaxRows: in.MaxRows, Missing: in.Missing, CondNames: in.CondNames, CondKinds: in.CondKinds,
		CondTimes: in.CondTimes,
	})
	for _, r := range rows {
		out = append(out, dbgen.FindCustomersRow{
			CustomerID: r.CustomerID, Version: r.Version, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt, At: &r.At,
			Position: r.Position, Matches: r.Matches, Scanned: r.Number,
		})
	}
	return out, err
}

func readInOrder(
	ctx context.Context, tq *dbgen.Queries, in dbgen.FindCustomersInOrderParams,
) (out []dbgen.FindCustomersRow, err error) {
	rows, err := tq.FindCustomersInOrder(ctx, in)
	for _, r := range rows {
		out = append(out, dbgen.FindCustomersRow{
			CustomerID: r.CustomerID, Version: r.Version, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt,
			Position: r.CustomerID, Matches: r.Matches, Scanned: r.Number,
		})
	}
	return out, err
}
