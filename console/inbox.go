package console

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/api"
	"github.com/contextvault/contextvault/internal/cursor"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/vault"
)

const (
	// inboxPageSize is the number of decisions on a page: what a person can overlook, each with its evidence.
	inboxPageSize = 20
	// questionPageSize is the number of open questions on a page.
	questionPageSize = 20
	// evidenceScenarios is the maximum number of scenarios of an agent in which the reason of a suggested definition is
	// searched.
	evidenceScenarios = 50
)

// inbox is the content of the page.
type inbox struct {
	Items        []inboxItem
	Next         string // the cursor of the next page; "": none
	Questions    []vault.Question
	MoreQuestion bool
	Withheld     []vault.Withheld
	MayDecide    bool
	Revealed     bool
	CanReveal    bool
	Token, Here  string
}

// inboxItem is one decision, with its evidence.
type inboxItem struct {
	Kind        vault.ReviewKind
	ID          uuid.UUID
	Requirement *vault.Requirement
	Definition  *vault.Definition
	Value       *vault.PendingValue
	Merge       *proposedMerge
	Scenario    *vault.Scenario
	Quote       string
	Passages    []passage
	Session     *uuid.UUID

	// What the person typed, and what was wrong with it.
	Picked                      bool
	Level, Fallback, When, Note string
	PII, Verify                 bool
	Errors                      map[string]string // by field; "": the whole
}

// passage is a part of a scenario or rule.
type passage struct {
	Label string
	Parts []part
	Found bool
}

// name identifies the decision in forms. A value whose deletion was proposed has another name than a pending one, so
// that a form that was opened for the one never decides the other.
func (i inboxItem) name() string {
	if i.isDeletion() {
		return "deletion:" + i.ID.String()
	}
	return string(i.Kind) + ":" + i.ID.String()
}

// isDeletion reports whether somebody proposed to delete the value.
func (i inboxItem) isDeletion() bool {
	return i.Value != nil && i.Value.Pending.DeletionProposedAt != nil
}

func (i inboxItem) title() string {
	switch {
	case i.Merge != nil:
		return i.Merge.title()
	case i.Requirement != nil:
		return "Requirement: " + i.Requirement.FieldName
	case i.Definition != nil:
		return "Suggested definition: " + i.Definition.Name
	case i.isDeletion():
		return "Proposed deletion: " + i.Value.Pending.Name
	default:
		return "Pending value: " + i.Value.Pending.Name
	}
}

func (q *request) inboxPage() error {
	page, err := q.readInbox(inboxPageSize)
	if err != nil {
		return err
	}
	return q.show(http.StatusOK, "Inbox", "inbox", inboxContent(page))
}

// readInbox returns up to limit decisions.
func (q *request) readInbox(limit int) (inbox, error) {
	after, err := decodeCursor[query.ReviewPosition](q.r.FormValue("page"))
	if err != nil {
		return inbox{}, err
	}
	reviews, more, err := q.options.Query.ReviewsPage(q.ctx, q.key.TenantID, after, limit)
	if err != nil {
		return inbox{}, err
	}
	page := inbox{
		MayDecide: q.may(api.ScopeReview), Token: q.session.Token, Here: q.r.FormValue("page"), Revealed: q.reveal != "",
		CanReveal: !q.key.Masked, Withheld: reviews.Withheld,
	}
	evidence := evidence{q: q, scenarios: map[uuid.UUID]*vault.Scenario{}, agents: map[uuid.UUID][]vault.Requirement{}}
	for _, d := range reviews.Definitions {
		item := inboxItem{
			Kind: vault.ReviewOfDefinition, ID: d.ID, Definition: &d, PII: d.IsPII, Verify: d.RequiredVerification,
		}
		requirement, err := evidence.of(q.ctx, d)
		if err != nil {
			return page, err
		}
		if requirement != nil {
			item.Quote = requirement.Quote
			if err := evidence.add(q.ctx, &item, *requirement); err != nil {
				return page, err
			}
		}
		page.Items = append(page.Items, item)
	}
	for _, r := range reviews.Requirements {
		item := inboxItem{
			Kind: vault.ReviewOfRequirement, ID: r.ID, Requirement: &r, Quote: r.Quote, Level: string(r.RequiredLevel),
			Fallback: string(r.FallbackAction), When: r.WhenCondition,
		}
		if err := evidence.add(q.ctx, &item, r); err != nil {
			return page, err
		}
		page.Items = append(page.Items, item)
	}
	for _, v := range reviews.Values {
		q.sees(v.CustomerID, v.Pending.Name)
		page.Items = append(page.Items, inboxItem{
			Kind: vault.ReviewOfValue, ID: v.Pending.ID, Value: &v, Quote: quoteOf(v.Pending.SourceMetadata),
			Session: v.Pending.SourceSessionID,
		})
	}
	if err := q.addMerges(&page, reviews.Merges); err != nil {
		return page, err
	}
	if last := query.LastReview(reviews); more && last != nil {
		page.Next = cursor.Encode(*last)
	}
	if after == nil {
		page.Questions, page.MoreQuestion, err = q.options.Query.QuestionsPage(
			q.ctx, q.key.TenantID, nil, nil, questionPageSize)
		slices.SortStableFunc(page.Questions, func(a, b vault.Question) int { return a.DeadlineAt.Compare(b.DeadlineAt) })
	}
	return page, err
}

// evidence finds the texts that decisions come from, each once per page.
type evidence struct {
	q         *request
	scenarios map[uuid.UUID]*vault.Scenario
	agents    map[uuid.UUID][]vault.Requirement
}

// add adds the texts of a requirement to a decision: the ones that hold the quote first.
func (e *evidence) add(ctx context.Context, item *inboxItem, r vault.Requirement) error {
	tenant := e.q.key.TenantID
	scenario, known := e.scenarios[r.ScenarioID]
	if !known {
		s, err := e.q.options.Query.Scenario(ctx, tenant, r.ScenarioID)
		if err != nil && vault.CodeOf(err) != vault.CodeUnknown {
			return err
		}
		if err == nil {
			scenario = &s
		}
		e.scenarios[r.ScenarioID] = scenario
	}
	item.Scenario = scenario
	if r.RuleID != nil {
		rule, err := e.q.options.Query.Rule(ctx, tenant, *r.RuleID)
		if err == nil {
			item.Passages = rulePassages(rule, r.Quote)
		} else if vault.CodeOf(err) != vault.CodeUnknown {
			return err
		}
	}
	if scenario != nil {
		item.Passages = append(item.Passages, scenarioPassages(*scenario, r.Quote)...)
	}
	slices.SortStableFunc(item.Passages, func(a, b passage) int {
		switch {
		case a.Found == b.Found:
			return 0
		case a.Found:
			return -1
		default:
			return 1
		}
	})
	return nil
}

func rulePassages(rule vault.Rule, quote string) []passage {
	return passages(quote, "rule "+rule.Name+", condition", rule.Condition, "rule "+rule.Name+", action", rule.Action)
}

func scenarioPassages(s vault.Scenario, quote string) []passage {
	texts := []string{"description", s.Description}
	for _, step := range s.Steps {
		texts = append(texts, "step "+step.ID, step.Text, "condition of step "+step.ID, step.Condition)
	}
	return passages(quote, texts...)
}

// passages returns labelled texts with a quote marked in them. Empty texts are left out.
func passages(quote string, labelled ...string) []passage {
	var out []passage
	for i := 0; i < len(labelled); i += 2 {
		if labelled[i+1] != "" {
			parts, found := mark(labelled[i+1], quote)
			out = append(out, passage{labelled[i], parts, found})
		}
	}
	return out
}

// of returns a requirement that a suggested definition comes from, nil if none is found.
func (e *evidence) of(ctx context.Context, d vault.Definition) (*vault.Requirement, error) {
	all, known := e.agents[d.AgentID]
	if !known {
		scenarios, _, err := e.q.options.Query.ScenariosPage(ctx, e.q.key.TenantID, d.AgentID, nil, evidenceScenarios)
		if err != nil {
			return nil, err
		}
		for _, s := range scenarios {
			requirements, err := e.q.options.Query.Requirements(ctx, e.q.key.TenantID, s.ID)
			if err != nil && vault.CodeOf(err) != vault.CodeUnknown {
				return nil, err
			}
			all = append(all, requirements...)
		}
		e.agents[d.AgentID] = all
	}
	for _, r := range all {
		if r.FieldName == d.Name && r.Quote != "" {
			return &r, nil
		}
	}
	return nil, nil
}

// decide decides one item or the picked ones. What cannot be decided changes nothing, and the page says why.
func (q *request) decide() error {
	decision, names, err := q.wantedDecisions()
	if err != nil {
		return err
	}
	page, err := q.readInbox(2 * inboxPageSize) // new items may have moved the picked ones to the next page
	if err != nil {
		return err
	}
	var wanted []*inboxItem
	status := http.StatusOK
	for _, name := range names {
		at := slices.IndexFunc(page.Items, func(i inboxItem) bool { return i.name() == name })
		if at < 0 { // it is not pending any more, or on another page
			kind, id, _ := strings.Cut(name, ":")
			status = http.StatusConflict
			q.notices = append(q.notices, notice{
				Kind: "failed",
				Text: "The " + kind + " " + id + " does not wait for a decision any more: somebody else decided it meanwhile, or " +
					"it was replaced. Nothing was changed.",
			})
			continue
		}
		wanted = append(wanted, &page.Items[at])
	}
	var ops []uuid.UUID
	for _, o := range q.decideAll(wanted, decision) {
		if o.err == nil {
			ops = append(ops, o.op)
			continue
		}
		if _, ok := errors.AsType[*vault.Error](o.err); !ok {
			return o.err
		}
		status = q.rejected(o.item, o.err)
	}
	if status == http.StatusOK {
		return q.after("/inbox", ops...)
	}
	decided := func(i inboxItem) bool { return slices.Contains(names, i.name()) && len(i.Errors) == 0 }
	page.Items = slices.DeleteFunc(page.Items, decided)
	return q.show(status, "Inbox", "inbox", inboxContent(page))
}

// outcome is what came of one decision.
type outcome struct {
	item *inboxItem
	op   uuid.UUID
	err  error
}

// decideAll decides items at once. Requirements come before definitions, because the rejection of a definition rejects
// its requirements too.
func (q *request) decideAll(items []*inboxItem, decision vault.Decision) []outcome {
	var all []outcome
	for _, requirements := range []bool{true, false} {
		var wave []outcome
		for _, item := range items {
			if (item.Requirement != nil) == requirements {
				wave = append(wave, outcome{item: item})
			}
		}
		var running sync.WaitGroup
		for i := range wave {
			running.Go(func() { wave[i].op, wave[i].err = q.decideOne(wave[i].item, decision) })
		}
		running.Wait()
		all = append(all, wave...)
	}
	return all
}

// rejected puts an error beside the field that it is about, with what was typed.
func (q *request) rejected(item *inboxItem, err error) (status int) {
	e, _ := errors.AsType[*vault.Error](err)
	field := map[string]string{
		"edit.when_condition": "when", "when_condition": "when", "edit.required_level": "level",
		"edit.fallback_action": "fallback", "note": "note", "keep": "keep",
	}[e.Field]
	status, text := explain(err)
	item.Errors, item.Picked = map[string]string{field: text}, true
	if field == "" {
		item.Errors[""] = text + " Nothing was changed."
	}
	q.notices = append(q.notices, notice{
		Kind: "failed", Text: item.title() + " was not decided: " + text, Link: "#" + item.anchor(),
	})
	return status
}

func (i inboxItem) anchor() string { return "item-" + i.ID.String() }

// wantedDecisions returns the decision of the pressed button, and the items that it is for.
func (q *request) wantedDecisions() (vault.Decision, []string, error) {
	decision, name, one := strings.Cut(q.r.PostFormValue("do"), ":")
	names := q.r.PostForm["pick"]
	if one {
		names = []string{name}
	}
	switch {
	case decision != string(vault.Approve) && decision != string(vault.Reject):
		return "", nil, vault.Invalid("do", "must be approve or reject")
	case len(names) == 0:
		return "", nil, vault.Invalid("pick", "nothing is selected, so nothing was changed; select items first")
	case len(names) > inboxPageSize:
		return "", nil, vault.Invalid("pick", "has more than %d items", inboxPageSize)
	}
	return vault.Decision(decision), names, nil
}

// decideOne reads the fields of an item from the form, and submits its decision.
func (q *request) decideOne(item *inboxItem, decision vault.Decision) (uuid.UUID, error) {
	field := func(name string) string { return q.r.PostFormValue(name + "." + item.ID.String()) }
	if item.Merge != nil {
		return q.decideMerge(item, decision, field("keep"))
	}
	if item.Value != nil {
		item.Note = field("note")
		return submit(q, vault.DecideValue, vault.DecideValueInput{
			ItemID: item.ID, Decision: decision, DecidedBy: q.decider(), Note: strings.TrimSpace(item.Note),
		})
	}
	if err := api.CheckConfigures(q.key.Masked); err != nil {
		return uuid.Nil, err
	}
	in := vault.DecideReviewInput{Kind: item.Kind, ID: item.ID, Decision: decision, OnlyPending: true}
	edit := vault.ReviewEdit{}
	if field("edited") == "" { // the fields were not shown
		return submit(q, vault.DecideReview, in)
	}
	switch {
	case item.Requirement != nil:
		was := *item.Requirement
		item.Level, item.Fallback, item.When = field("level"), field("fallback"), strings.TrimSpace(field("when"))
		if level := vault.RequiredLevel(item.Level); level != was.RequiredLevel {
			edit.RequiredLevel = &level
		}
		if fallback := vault.FallbackAction(item.Fallback); fallback != was.FallbackAction {
			edit.FallbackAction = &fallback
		}
		if item.When != was.WhenCondition {
			edit.WhenCondition = &item.When
		}
	case item.Definition != nil:
		was := *item.Definition
		item.PII, item.Verify = field("pii") != "", field("verify") != ""
		if item.PII != was.IsPII {
			edit.IsPII = &item.PII
		}
		if item.Verify != was.RequiredVerification {
			edit.RequiredVerification = &item.Verify
		}
	}
	changed := edit.RequiredLevel != nil || edit.FallbackAction != nil || edit.WhenCondition != nil || edit.IsPII != nil ||
		edit.RequiredVerification != nil
	if changed && decision == vault.Approve {
		in.Edit = &edit
	}
	return submit(q, vault.DecideReview, in)
}

// otherPassages returns the texts without the quote.
func otherPassages(all []passage) []passage {
	return slices.DeleteFunc(slices.Clone(all), func(p passage) bool { return p.Found })
}
