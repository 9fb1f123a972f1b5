package customers

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/vault"
)

const (
	// candidatePage is the number of values that one transaction compares.
	candidatePage = 200
	// proposalPage is the number of pending proposals that one transaction checks.
	proposalPage = 100
	// duePage is the number of rules that the cron reads at once.
	duePage = 100
)

// ProposeMerges looks for customers who may be the same person, by the merge rules of the tenant, and adds a proposal
// for each pair. It closes pending proposals whose customers do not share the values any more. ev is the zero Event
// when a cron started it: then it applies the rules of all tenants, those that wait longest first.
//
// It reads the values of the first field of a rule in pages, and looks each one up by index. Each page is one
// transaction, so an interrupted run keeps its finished pages, and a repeated one proposes nothing twice.
func (s Merges) ProposeMerges(ctx context.Context, ev vault.Event) (once.Stored[vault.ProposeMergesResult], error) {
	if ev.OperationID == uuid.Nil {
		total, err := s.proposeDue(ctx)
		return once.Stored[vault.ProposeMergesResult]{Result: total}, err
	}
	var total vault.ProposeMergesResult
	err := once.Prepare(ctx, s.Once, ev, func(
		q *dbgen.Queries, _ dbgen.Operation, in vault.ProposeMergesInput,
	) error {
		wanted, err := mergeRulesOf(ctx, q, ev.TenantID, in.MergeRuleID)
		if err != nil {
			return err
		}
		for _, rule := range wanted {
			if err := s.applyRule(ctx, ev.TenantID, rule, &total); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return once.Stored[vault.ProposeMergesResult]{}, err
	}
	return once.Store(ctx, s.Once, ev, func(
		*dbgen.Queries, dbgen.Operation, vault.ProposeMergesInput,
	) (vault.ProposeMergesResult, error) {
		return total, nil
	})
}

// mergeRulesOf returns the ids of the enabled rules of a tenant, or one of them.
func mergeRulesOf(
	ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, one *uuid.UUID,
) ([]uuid.UUID, error) {
	all, err := q.ListMergeRules(ctx, tenant)
	if err != nil {
		return nil, err
	}
	var out []uuid.UUID
	for _, r := range all {
		switch {
		case one != nil && r.ID != *one:
		case one != nil && !r.Enabled:
			return nil, vault.Conflict("merge_rule_id", "merge_rule_id: the merge rule is disabled; save it with enabled true "+
				"first")
		case r.Enabled:
			out = append(out, r.ID)
		}
	}
	if one != nil && len(out) == 0 {
		return nil, vault.Unknown("merge rule", *one)
	}
	return out, nil
}

// proposeDue applies the rules of all tenants once each. A rule that fails holds up no other: it is the first one of
// the next run. It is an error if each of them fails.
func (s Merges) proposeDue(ctx context.Context) (vault.ProposeMergesResult, error) {
	var total vault.ProposeMergesResult
	var failed []error
	begun := db.UTC(s.Now())
	in := dbgen.ListDueMergeRulesParams{Before: &begun, MaxRows: duePage}
	for {
		due, err := s.Once.DB.System().ListDueMergeRules(ctx, in)
		if err != nil {
			return total, errors.Join(append(failed, err)...)
		}
		if len(due) == 0 {
			if total.Rules == 0 {
				return total, errors.Join(failed...)
			}
			return total, nil
		}
		for _, rule := range due {
			err := s.applyRule(ctx, rule.TenantID, rule.ID, &total)
			if ctx.Err() != nil {
				return total, ctx.Err()
			}
			if err != nil {
				failed = append(failed, fmt.Errorf("apply merge rule %s of tenant %s: %w", rule.ID, rule.TenantID, err))
				in.FailedTenants, in.FailedIds = append(in.FailedTenants, rule.TenantID), append(in.FailedIds, rule.ID)
				s.Log.WarnContext(ctx, "merge_rule_failed", "tenant_id", rule.TenantID, "merge_rule_id", rule.ID,
					"error_code", vault.CodeOf(err))
			}
		}
	}
}

// applyRule makes one pass of a rule.
func (s Merges) applyRule(ctx context.Context, tenant, id uuid.UUID, total *vault.ProposeMergesResult) error {
	p := pass{Merges: s, tenant: tenant, id: id, total: total, tooLarge: map[string]bool{}}
	if err := p.checkPending(ctx); err != nil {
		return err
	}
	if err := p.compare(ctx); err != nil {
		return err
	}
	if !p.skipped {
		total.Rules++
	}
	ended := db.UTC(s.Now())
	return s.Once.InTx(ctx, tenant, func(q *dbgen.Queries) error {
		return q.SetMergeRuleLookedAt(ctx, dbgen.SetMergeRuleLookedAtParams{TenantID: tenant, ID: id, LookedAt: &ended})
	})
}

// pass is one pass of a rule over the values of its tenant.
type pass struct {
	Merges

	tenant, id uuid.UUID
	rule       dbgen.MergeRule
	total      *vault.ProposeMergesResult
	tooLarge   map[string]bool // the groups that were counted
	skipped    bool
}

// inTx runs fn in a transaction that holds the rules of the tenant, so that two runs do not propose the same at once.
// It does not run fn for a rule that was deleted or disabled meanwhile, or cannot be applied.
func (p *pass) inTx(ctx context.Context, fn func(q *dbgen.Queries) error) error {
	return p.Once.InTx(ctx, p.tenant, func(q *dbgen.Queries) error {
		all, err := q.LockMergeRules(ctx, p.tenant)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(all, func(r dbgen.MergeRule) bool {
			return r.ID == p.id && r.DeletedAt == nil && r.Enabled
		})
		if at < 0 || p.skipped {
			p.skipped = true
			return nil
		}
		p.rule = all[at]
		fields, err := mergeFields(ctx, q, p.tenant, p.rule.Fields)
		if err != nil {
			return err
		}
		if problems := rules.CheckMergeFields(fields); len(problems) > 0 {
			p.skipped = true
			p.total.Skipped = append(p.total.Skipped, vault.SkippedMergeRule{
				MergeRuleID: p.id, Detail: vault.Join(problems).Error(),
			})
			return nil
		}
		return fn(q)
	})
}

// checkPending closes the pending proposals of the rule whose customers do not share the values any more.
func (p *pass) checkPending(ctx context.Context) error {
	after := uuid.Nil
	for {
		var last *uuid.UUID // of a full page
		closed := 0
		err := p.inTx(ctx, func(q *dbgen.Queries) (err error) {
			last, closed, err = p.checkPage(ctx, q, after)
			return err
		})
		if err != nil {
			return err
		}
		if p.total.Closed += closed; last == nil {
			return nil
		}
		after = *last
	}
}

// checkPage checks a page of pending proposals. last is the last one of a full page.
func (p *pass) checkPage(
	ctx context.Context, q *dbgen.Queries, after uuid.UUID,
) (last *uuid.UUID, closed int, err error) {
	pending, err := q.PageProposalsOfRule(ctx, dbgen.PageProposalsOfRuleParams{
		TenantID: p.tenant, RuleID: p.id, AfterID: after, MaxRows: proposalPage,
	})
	if err != nil {
		return nil, 0, err
	}
	var profiles []uuid.UUID
	for _, m := range pending {
		profiles = append(profiles, m.OlderProfileID, m.NewerProfileID)
	}
	grounds, err := p.grounds(ctx, q, p.rule, profiles)
	if err != nil {
		return nil, 0, err
	}
	for _, m := range pending {
		if grounds.shared(m.OlderProfileID, m.NewerProfileID, m.Ground) {
			continue
		}
		n, err := q.CloseMergeProposal(ctx, dbgen.CloseMergeProposalParams{
			Reason: string(vault.MergeValueChanged), TenantID: p.tenant, ID: m.ID,
		})
		if err != nil {
			return nil, 0, err
		}
		closed += int(n)
	}
	if len(pending) == proposalPage {
		last = &pending[proposalPage-1].ID
	}
	return last, closed, nil
}

// compare reads the values of the first field in pages, and proposes the customers who share one.
func (p *pass) compare(ctx context.Context) error {
	var fields []string
	var last *dbgen.PageMergeCandidatesRow
	for !p.skipped {
		var c compared
		err := p.inTx(ctx, func(q *dbgen.Queries) (err error) {
			if fields != nil && !slices.Equal(fields, p.rule.Fields) {
				p.skipped = true // it was saved with other fields meanwhile; the next pass uses them
				return nil
			}
			fields = p.rule.Fields
			c, err = p.comparePage(ctx, q, last)
			return err
		})
		if err != nil {
			return err
		}
		p.total.Compared, p.total.Proposed = p.total.Compared+c.values, p.total.Proposed+c.proposed
		for _, group := range c.large {
			if !p.tooLarge[group] {
				p.tooLarge[group] = true
				p.total.TooLarge++
			}
		}
		if c.last == nil {
			return nil
		}
		last = c.last
	}
	return nil
}

// compared is what one page of values gave.
type compared struct {
	values   int
	proposed int
	large    []string                      // groups that were left out
	last     *dbgen.PageMergeCandidatesRow // the last value of a full page
}

// comparePage compares the page of values after one; nil: the first page.
func (p *pass) comparePage(
	ctx context.Context, q *dbgen.Queries, after *dbgen.PageMergeCandidatesRow,
) (out compared, err error) {
	in := dbgen.PageMergeCandidatesParams{TenantID: p.tenant, Name: p.rule.Fields[0], MaxRows: candidatePage}
	if after != nil {
		in.AfterAt, in.AfterID = after.CollectedAt, after.ProfileID
	}
	page, err := q.PageMergeCandidates(ctx, in)
	if err != nil {
		return out, err
	}
	var keys []int64
	for _, c := range page {
		if c.Shared && !slices.Contains(keys, c.Key) {
			keys = append(keys, c.Key)
		}
	}
	if out.values = len(page); out.values == candidatePage {
		out.last = &page[candidatePage-1]
	}
	out.proposed, out.large, err = p.propose(ctx, q, keys)
	return out, err
}

// propose proposes the customers who share the values of the rule, among those with the same values of its first field.
func (p *pass) propose(ctx context.Context, q *dbgen.Queries, keys []int64) (proposed int, large []string, err error) {
	if len(keys) == 0 {
		return 0, nil, nil
	}
	sharers, err := q.ListSharers(ctx, dbgen.ListSharersParams{
		Keys: keys, TenantID: p.tenant, MaxRows: vault.MaxSharers + 1,
	})
	if err != nil {
		return 0, nil, err
	}
	byKey := map[int64][]uuid.UUID{}
	for _, r := range sharers {
		byKey[r.Key] = append(byKey[r.Key], r.ProfileID)
	}
	var profiles []uuid.UUID
	for _, key := range keys {
		if len(byKey[key]) > vault.MaxSharers {
			large = append(large, strconv.FormatInt(key, 16))
			continue
		}
		profiles = append(profiles, byKey[key]...)
	}
	grounds, err := p.grounds(ctx, q, p.rule, profiles)
	if err != nil {
		return 0, nil, err
	}
	var groups [][]rules.MergeMember
	var keysOfGroups [][]byte
	for _, group := range rules.MergeGroups(grounds.members()) {
		if len(group) > int(p.rule.MaxGroup) {
			large = append(large, hex.EncodeToString(group[0].Ground))
			continue
		}
		groups, keysOfGroups = append(groups, group), append(keysOfGroups, group[0].Ground)
	}
	if len(groups) == 0 {
		return 0, large, nil
	}
	known, err := q.ListProposalsOfGrounds(ctx, dbgen.ListProposalsOfGroundsParams{
		TenantID: p.tenant, Grounds: keysOfGroups, Fields: p.rule.Fields,
	})
	if err != nil {
		return 0, nil, err
	}
	for _, group := range groups {
		n, err := p.proposeGroup(ctx, q, group, known)
		if proposed += n; err != nil {
			return 0, nil, err
		}
	}
	return proposed, large, nil
}

// proposeGroup proposes the pairs of a group. A pair that was decided for the same values is left out, also if its
// customers were merged into others since; one that was closed without a decision is opened again.
func (p *pass) proposeGroup(
	ctx context.Context, q *dbgen.Queries, group []rules.MergeMember, known []dbgen.ListProposalsOfGroundsRow,
) (proposed int, err error) {
	ground := group[0].Ground
	ofGround := slices.DeleteFunc(slices.Clone(known), func(k dbgen.ListProposalsOfGroundsRow) bool {
		return !slices.Equal(k.Ground, ground)
	})
	pairs := rules.MergePairs(group, func(pair rules.MergePair) bool {
		return slices.ContainsFunc(ofGround, func(k dbgen.ListProposalsOfGroundsRow) bool {
			decided := k.Status == string(vault.MergeRejected) || k.Status == string(vault.MergeApproved)
			return decided && pair.Same(rules.MergePair{Older: k.OlderLead, Newer: k.NewerLead})
		})
	})
	for _, pair := range pairs {
		var n int64
		at := slices.IndexFunc(ofGround, func(k dbgen.ListProposalsOfGroundsRow) bool {
			return pair.Same(rules.MergePair{Older: k.OlderProfileID, Newer: k.NewerProfileID})
		})
		if at >= 0 {
			n, err = q.ReopenMergeProposal(ctx, dbgen.ReopenMergeProposalParams{
				RuleID: p.id, TenantID: p.tenant, ID: ofGround[at].ID,
			})
		} else {
			n, err = q.InsertMergeProposal(ctx, dbgen.InsertMergeProposalParams{
				ID: once.NewID(), TenantID: p.tenant, RuleID: p.id, OlderProfileID: pair.Older, NewerProfileID: pair.Newer,
				Fields: p.rule.Fields, Ground: ground,
			})
		}
		if err != nil {
			return proposed, err
		}
		proposed += int(n)
	}
	return proposed, nil
}

// grounds has the customers who have a value that counts of each field of a rule.
type grounds map[uuid.UUID]rules.MergeMember

func (g grounds) members() []rules.MergeMember { return slices.Collect(maps.Values(g)) }

// shared reports whether both customers have a ground.
func (g grounds) shared(a, b uuid.UUID, ground []byte) bool {
	one, other := g[a], g[b]
	return len(ground) > 0 && bytes.Equal(one.Ground, ground) && bytes.Equal(other.Ground, ground)
}

// grounds reads the grounds of profiles: keyed hashes of their values, so that a proposal can remember them without the
// values. A value counts if it is verified, or the rule wants no verification, if it has not expired, and if the
// customer consents to one of the purposes that it needs.
func (s Merges) grounds(
	ctx context.Context, q *dbgen.Queries, rule dbgen.MergeRule, profiles []uuid.UUID,
) (grounds, error) {
	out := grounds{}
	if len(profiles) == 0 {
		return out, nil
	}
	rows, err := q.ListMergeGrounds(ctx, dbgen.ListMergeGroundsParams{
		TenantID: rule.TenantID, Profiles: profiles, Names: rule.Fields,
	})
	if err != nil {
		return nil, err
	}
	now := db.UTC(s.Now())
	refused := dbgen.ListRefusedFieldsParams{TenantID: rule.TenantID, Now: &now}
	for _, r := range rows {
		refused.Profiles, refused.Names = append(refused.Profiles, r.ProfileID), append(refused.Names, r.Name)
	}
	withheld, err := q.ListRefusedFields(ctx, refused)
	if err != nil {
		return nil, err
	}
	type field struct {
		profile uuid.UUID
		name    string
	}
	hidden := map[field]bool{}
	for _, w := range withheld {
		hidden[field{w.ProfileID, w.Name}] = true
	}
	have := map[uuid.UUID]int{}
	for _, r := range rows {
		if !r.Verified && !rule.Unverified || r.ExpiresAt != nil && !r.ExpiresAt.After(now) ||
			hidden[field{r.ProfileID, r.Name}] || r.Encrypted && r.BlindKey == nil {
			continue
		}
		key, err := s.groundOf(ctx, rule.TenantID, r)
		if err != nil {
			return nil, err
		}
		m, known := out[r.ProfileID]
		if !known {
			m = rules.MergeMember{Profile: r.ProfileID, Since: r.CreatedAt, Ground: make([]byte, 8*len(rule.Fields))}
		}
		place := slices.Index(rule.Fields, r.Name)
		binary.BigEndian.PutUint64(m.Ground[8*place:], uint64(key)) //nolint:gosec // the bits of the key
		out[r.ProfileID] = m
		have[r.ProfileID]++
	}
	maps.DeleteFunc(out, func(id uuid.UUID, _ rules.MergeMember) bool { return have[id] < len(rule.Fields) })
	return out, nil
}

// groundOf returns the key of a value: that of the blind index, whether or not the value is sealed.
func (s Merges) groundOf(ctx context.Context, tenant uuid.UUID, r dbgen.ListMergeGroundsRow) (int64, error) {
	if r.Encrypted {
		return *r.BlindKey, nil
	}
	return s.Once.Sealer.BlindKey(ctx, tenant, r.Name, rules.MatchText(r.Value))
}
