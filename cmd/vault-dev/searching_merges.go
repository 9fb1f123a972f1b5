package main

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/vault"
)

// mergesName selects the search for merges among what bench-searching measures.
const mergesName = "propose-merges"

// mergeSweep is one run of propose-merges over all customers.
type mergeSweep struct {
	Compared int     `json:"values_compared"`
	Proposed int     `json:"pairs_proposed"`
	Closed   int     `json:"proposals_closed"`
	Seconds  float64 `json:"seconds"`
}

// proposeMerges measures propose-merges by the verified email: a first run, which proposes the pairs, and a second one,
// which checks them and finds nothing new.
func (s *searcher) proposeMerges(ctx context.Context) ([]mergeSweep, error) {
	for _, statement := range []string{
		"DELETE FROM merge_proposals", "DELETE FROM merge_rules", "VACUUM ANALYZE merge_proposals, merge_rules",
	} {
		if _, err := s.raw.Exec(ctx, statement); err != nil {
			return nil, err
		}
	}
	if _, err := s.raw.Exec(ctx, `INSERT INTO merge_rules (tenant_id, id, name, fields, unverified, max_group, enabled,
			operation_id, accepted_at)
		VALUES ($1, $2, 'email', '{email}', false, 10, true, $2, now())`, s.tenant, uuid.Must(uuid.NewV7())); err != nil {
		return nil, err
	}
	all := steps.New(steps.Deps{DB: s.DB, Sealer: s.sealer, Log: quietLog()})
	var out []mergeSweep
	for range 2 {
		start := time.Now()
		found, err := all.Merges.ProposeMerges(ctx, vault.Event{})
		if err != nil {
			return out, err
		}
		out = append(out, mergeSweep{
			Compared: found.Result.Compared, Proposed: found.Result.Proposed, Closed: found.Result.Closed,
			Seconds: time.Since(start).Seconds(),
		})
	}
	return out, nil
}
