package customers

import (
	"context"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/vault"
)

// DecideMerge stores the decision of a person about a proposed merge. An approval merges the customers in the same
// transaction, with the locks and the undo of merge-customers. A decision about a proposal that is not pending any
// more, or whose customers do not share the values any more, changes no customer. It closes the latter, in a
// transaction before that of the decision, which is refused.
func (s Merges) DecideMerge(ctx context.Context, ev vault.Event) (once.Applied[vault.DecideMergeResult], error) {
	if err := s.closeLost(ctx, ev); err != nil {
		return once.Applied[vault.DecideMergeResult]{}, err
	}
	return once.Apply(ctx, s.Once, ev, func(
		t *once.Touched, q *dbgen.Queries, op dbgen.Operation, in vault.DecideMergeInput,
	) (vault.DecideMergeResult, error) {
		out := vault.DecideMergeResult{ProposalID: in.ProposalID, Status: vault.MergeRejected}
		m, err := q.GetMergeProposal(ctx, ev.TenantID, in.ProposalID)
		if err != nil {
			return out, db.WrapNotFound(err, "merge proposal", in.ProposalID)
		}
		if err := checkPendingMerge(m.Status, m.Reason); err != nil {
			return out, err
		}
		decided := dbgen.DecideMergeProposalParams{
			Status: string(vault.MergeRejected), DecidedBy: op.Actor, OperationID: &op.ID, TenantID: ev.TenantID, ID: m.ID,
		}
		if in.Decision == vault.Reject {
			if err := lockPendingMerge(ctx, q, m); err != nil {
				return out, err
			}
			return out, q.DecideMergeProposal(ctx, decided)
		}
		pair := vault.MergeCustomersInput{SourceCustomerID: m.NewerCustomerID, TargetCustomerID: m.OlderCustomerID}
		if in.Keep == vault.KeepNewer {
			pair.SourceCustomerID, pair.TargetCustomerID = pair.TargetCustomerID, pair.SourceCustomerID
		}
		// The profiles first, as each change of them does: it closes their proposals.
		source, target, err := lockPair(ctx, s.Once, q, ev.TenantID, pair)
		if err != nil {
			return out, stalePair(err)
		}
		if err := lockPendingMerge(ctx, q, m); err != nil {
			return out, err
		}
		if err := s.checkGround(ctx, q, m); err != nil {
			return out, err
		}
		// Before the merge, which closes the pending proposals of the source.
		decided.Status, decided.KeptProfileID = string(vault.MergeApproved), &target.ID
		if err := q.DecideMergeProposal(ctx, decided); err != nil {
			return out, err
		}
		merged, err := s.merge(ctx, t, q, op, source, target)
		out.Status, out.CustomerID, out.Version = vault.MergeApproved, &merged.CustomerID, merged.Version
		return out, err
	})
}

// closeLost closes the proposal if its customers do not share the values any more, as the next propose-merges would.
func (s Merges) closeLost(ctx context.Context, ev vault.Event) error {
	return once.Prepare(ctx, s.Once, ev, func(_ *dbgen.Queries, _ dbgen.Operation, in vault.DecideMergeInput) error {
		return s.Once.InTx(ctx, ev.TenantID, func(q *dbgen.Queries) error {
			m, err := q.GetMergeProposal(ctx, ev.TenantID, in.ProposalID)
			if db.IsNotFound(err) || err == nil && m.Status != string(vault.MergePending) {
				return nil // the decision says so
			}
			if err != nil {
				return err
			}
			// No value of the customers changes meanwhile.
			_, err = q.LockOwnProfiles(ctx, ev.TenantID, []uuid.UUID{m.OlderCustomerID, m.NewerCustomerID})
			if err != nil {
				return err
			}
			shared, err := s.sharesGround(ctx, q, m)
			if err != nil || shared {
				return err
			}
			_, err = q.CloseMergeProposal(ctx, dbgen.CloseMergeProposalParams{
				Reason: string(vault.MergeValueChanged), TenantID: ev.TenantID, ID: m.ID,
			})
			return err
		})
	})
}

// lockPendingMerge locks a proposal, and checks again that it is pending: another decision may have been first.
func lockPendingMerge(ctx context.Context, q *dbgen.Queries, m dbgen.GetMergeProposalRow) error {
	now, err := q.LockMergeProposal(ctx, m.TenantID, m.ID)
	if err != nil {
		return db.WrapNotFound(err, "merge proposal", m.ID)
	}
	return checkPendingMerge(now.Status, now.Reason)
}

// sharesGround reports whether both customers still have the values for which they were proposed.
func (s Merges) sharesGround(ctx context.Context, q *dbgen.Queries, m dbgen.GetMergeProposalRow) (bool, error) {
	rule, err := q.GetMergeRule(ctx, m.TenantID, m.RuleID)
	if err != nil {
		return false, db.WrapNotFound(err, "merge rule", m.RuleID)
	}
	rule.Fields = m.Fields
	grounds, err := s.grounds(ctx, q, rule, []uuid.UUID{m.OlderProfileID, m.NewerProfileID})
	return grounds.shared(m.OlderProfileID, m.NewerProfileID, m.Ground), err
}

// checkGround refuses a decision whose ground went since closeLost.
func (s Merges) checkGround(ctx context.Context, q *dbgen.Queries, m dbgen.GetMergeProposalRow) error {
	shared, err := s.sharesGround(ctx, q, m)
	if err != nil || shared {
		return err
	}
	return checkPendingMerge(string(vault.MergeClosed), string(vault.MergeValueChanged))
}

// stalePair says of the error of lockPair that the proposal is stale.
func stalePair(err error) error {
	switch vault.CodeOf(err) {
	case vault.CodeConflict:
		return checkPendingMerge(string(vault.MergeClosed), string(vault.MergeCustomerMerged))
	case vault.CodeUnknown:
		return checkPendingMerge(string(vault.MergeClosed), string(vault.MergeCustomerDeleted))
	default:
		return err
	}
}

// checkPendingMerge returns why a proposal cannot be decided, nil if it can.
func checkPendingMerge(status, reason string) error {
	if status == string(vault.MergePending) {
		return nil
	}
	what := "is already " + status
	switch vault.MergeCloseReason(reason) {
	case vault.MergeValueChanged:
		what = "was closed, because the customers do not share the values any more (merge-customers merges them all the same)"
	case vault.MergeCustomerMerged:
		what = "was closed, because one of the customers was merged into another one meanwhile"
	case vault.MergeCustomerDeleted:
		what = "was closed, because one of the customers was deleted meanwhile"
	case vault.MergeRuleChanged:
		what = "was closed, because its merge rule was changed"
	case vault.MergeRuleDeleted:
		what = "was closed, because its merge rule was deleted"
	}
	return vault.Conflict("proposal_id", "proposal_id: the proposal %s; nothing was changed", what)
}
