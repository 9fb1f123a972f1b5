package query

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/vault"
)

// ReviewPosition is a position in the list of open reviews. Suggested definitions come first.
type ReviewPosition struct {
	Kind vault.ReviewKind `json:"kind"`
	ID   uuid.UUID        `json:"id"`
}

// LastReview returns the position of the last entry of a page, nil if it has none.
func LastReview(page vault.Reviews) *ReviewPosition {
	switch {
	case len(page.Merges) > 0:
		return &ReviewPosition{vault.ReviewOfMerge, page.Merges[len(page.Merges)-1].ID}
	case len(page.Values) > 0:
		return &ReviewPosition{vault.ReviewOfValue, page.Values[len(page.Values)-1].Pending.ID}
	case len(page.Requirements) > 0:
		return &ReviewPosition{vault.ReviewOfRequirement, page.Requirements[len(page.Requirements)-1].ID}
	case len(page.Definitions) > 0:
		return &ReviewPosition{vault.ReviewOfDefinition, page.Definitions[len(page.Definitions)-1].ID}
	}
	return nil
}

// ReviewsPage returns a page of what waits for a decision: extracted definitions, then requirements, then pending
// values, then proposed merges, each oldest first. after is the position of the last entry of the previous page, nil
// for the first page. more reports that there are further entries. A page with large values ends early, so that all of
// them have at most vault.MaxPageBytes.
func (q *Queries) ReviewsPage(
	ctx context.Context, tenant uuid.UUID, after *ReviewPosition, limit int,
) (page vault.Reviews, more bool, err error) {
	page = vault.Reviews{
		Requirements: []vault.Requirement{}, Definitions: []vault.Definition{}, Values: []vault.PendingValue{},
		Merges: []vault.MergeProposal{},
	}
	left := min(limit, MaxPage)
	kinds := []vault.ReviewKind{
		vault.ReviewOfDefinition, vault.ReviewOfRequirement, vault.ReviewOfValue, vault.ReviewOfMerge,
	}
	for _, kind := range kinds {
		var from *uuid.UUID
		if after != nil {
			if after.Kind != kind {
				continue // an earlier page has it
			}
			from, after = &after.ID, nil
		}
		n := 0
		switch kind {
		case vault.ReviewOfDefinition:
			page.Definitions, more, err = q.pendingDefinitions(ctx, tenant, from, left)
			n = len(page.Definitions)
		case vault.ReviewOfRequirement:
			page.Requirements, more, err = q.pendingRequirements(ctx, tenant, from, left)
			n = len(page.Requirements)
		case vault.ReviewOfValue:
			page.Values, more, err = q.pendingValues(ctx, tenant, from, left)
			n = len(page.Values)
		case vault.ReviewOfMerge:
			page.Merges, more, err = q.MergeProposalsPage(ctx, tenant, vault.MergePending, nil, from, left)
		}
		page.Withheld = Withheld(ctx)
		if err != nil || more {
			return page, more, err
		}
		left -= n
	}
	return page, false, nil
}

func (q *Queries) pendingDefinitions(
	ctx context.Context, tenant uuid.UUID, after *uuid.UUID, limit int,
) ([]vault.Definition, bool, error) {
	//nolint:gosec // at most MaxPage
	in := dbgen.PagePendingDefinitionsParams{
		TenantID: tenant, Agents: vault.AgentsOf(ctx), AfterID: after, MaxRows: int32(limit) + 1,
	}
	rows, err := q.db.Tenant(tenant).PagePendingDefinitions(ctx, in)
	if err != nil {
		return nil, false, err
	}
	out := []vault.Definition{}
	for _, row := range rows[:min(len(rows), limit)] {
		d, err := db.DefinitionOf(row)
		if err != nil {
			return nil, false, err
		}
		out = append(out, d)
	}
	return out, len(rows) > limit, nil
}

func (q *Queries) pendingRequirements(
	ctx context.Context, tenant uuid.UUID, after *uuid.UUID, limit int,
) ([]vault.Requirement, bool, error) {
	//nolint:gosec // at most MaxPage
	in := dbgen.PagePendingRequirementsParams{
		TenantID: tenant, Agents: vault.AgentsOf(ctx), AfterID: after, MaxRows: int32(limit) + 1,
	}
	rows, err := q.db.Tenant(tenant).PagePendingRequirements(ctx, in)
	if err != nil {
		return nil, false, err
	}
	out, more := pageOf(rows, limit, db.RequirementOf)
	return out, more, nil
}

func (q *Queries) pendingValues(
	ctx context.Context, tenant uuid.UUID, after *uuid.UUID, limit int,
) ([]vault.PendingValue, bool, error) {
	names, err := q.fieldsOf(ctx, tenant)
	if err != nil {
		return nil, false, err
	}
	//nolint:gosec // at most MaxPage
	in := dbgen.PagePendingValuesParams{TenantID: tenant, Names: names, AfterID: after, MaxRows: int32(limit) + 1}
	rows, err := q.db.Tenant(tenant).PagePendingValues(ctx, in)
	if err != nil {
		return nil, false, err
	}
	g, err := q.guard(ctx, tenant)
	if err != nil {
		return nil, false, err
	}
	out := []vault.PendingValue{}
	size := 0
	for _, row := range rows[:min(len(rows), limit)] {
		value, err := q.pendingValue(ctx, tenant, row)
		if err != nil {
			return nil, false, err
		}
		if err := g.pending(ctx, &value); err != nil {
			return nil, false, err
		}
		if size += sizeOf(value.Pending); value.Active != nil {
			size += sizeOf(*value.Active)
		}
		if size > vault.MaxPageBytes && len(out) > 0 {
			return out, true, nil
		}
		out = append(out, value)
	}
	return out, len(rows) > limit, nil
}

func (q *Queries) pendingValue(
	ctx context.Context, tenant uuid.UUID, row dbgen.PagePendingValuesRow,
) (vault.PendingValue, error) {
	out := vault.PendingValue{CustomerID: row.CustomerID}
	if json.Unmarshal(row.Pending, &out.Pending) != nil || json.Unmarshal(row.Active, &out.Active) != nil {
		return out, fmt.Errorf("decode a pending value of customer %s", row.CustomerID) // the cause may quote a value
	}
	if err := q.sealer.OpenValue(ctx, tenant, &out.Pending); err != nil || out.Active == nil {
		return out, err
	}
	return out, q.sealer.OpenValue(ctx, tenant, out.Active)
}
