package console

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/api"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/vault"
)

// scenarioPage is the content of the page of a scenario.
type scenarioPage struct {
	Scenario     vault.Scenario
	Texts        []evidenceText
	Requirements []scenarioRequirement
	Rules        []vault.Rule
	Passed       []vault.SentenceReading // sentences with phrases that gave no requirement
	Current      bool                    // the newest extraction read the texts as they are
	MayWrite     bool
}

// scenarioRequirement is a requirement with its number in the text.
type scenarioRequirement struct {
	Number      int
	Requirement vault.Requirement
	Found       bool // its evidence is in the text
	Prompt      string
}

// evidenceText is a text with the evidence of requirements marked in it.
type evidenceText struct {
	Label string
	Parts []evidencePart
}

// evidencePart is a part of a text that is evidence of some requirements, by number.
type evidencePart struct {
	Text string
	Of   []int
}

// evidenceOf splits a text where the evidence of requirements begins and ends.
func evidenceOf(text string, quotes []string) (parts []evidencePart, found []bool) {
	type span struct{ from, to, number int }
	var spans []span
	edges := []int{0, len(text)}
	found = make([]bool, len(quotes))
	for i, quote := range quotes {
		marked, ok := mark(text, quote)
		if !ok {
			continue
		}
		from := len(marked[0].Text)
		s := span{from, from + len(marked[1].Text), i + 1}
		spans, edges, found[i] = append(spans, s), append(edges, s.from, s.to), true
	}
	slices.Sort(edges)
	edges = slices.Compact(edges)
	for i := range len(edges) - 1 {
		p := evidencePart{Text: text[edges[i]:edges[i+1]]}
		for _, s := range spans {
			if s.from <= edges[i] && s.to >= edges[i+1] {
				p.Of = append(p.Of, s.number)
			}
		}
		parts = append(parts, p)
	}
	return parts, found
}

func (q *request) scenarioPage() error {
	id, err := q.id()
	if err != nil {
		return err
	}
	page := scenarioPage{MayWrite: q.may(api.ScopeWrite)}
	if page.Scenario, err = q.options.Query.Scenario(q.ctx, q.key.TenantID, id); err != nil {
		return err
	}
	explained, err := q.options.Query.ExplainScenario(q.ctx, q.key.TenantID, id)
	if err != nil {
		return err
	}
	page.Current = explained.Current
	for _, s := range explained.Sentences {
		if len(s.PassedOver) > 0 {
			page.Passed = append(page.Passed, s)
		}
	}
	definitions, err := q.options.Query.Definitions(q.ctx, q.key.TenantID, page.Scenario.AgentID)
	if err != nil && vault.CodeOf(err) != vault.CodeUnknown {
		return err
	}
	prompts := map[string]string{}
	for _, d := range definitions {
		prompts[d.Name] = d.Prompt()
	}
	if err := q.addRules(&page); err != nil {
		return err
	}
	requirements := slices.SortedStableFunc(slices.Values(explained.Requirements), func(a, b vault.Requirement) int {
		return cmp.Or(cmp.Compare(a.Order, b.Order), cmp.Compare(levelRank(a), levelRank(b)), cmp.Compare(a.FieldName, b.FieldName))
	})
	for i, r := range requirements {
		page.Requirements = append(page.Requirements, scenarioRequirement{
			Number: i + 1, Requirement: r, Prompt: prompts[r.FieldName],
		})
	}
	page.addTexts()
	return q.show(http.StatusOK, page.Scenario.Name, "schema", scenarioContent(page))
}

func levelRank(r vault.Requirement) int {
	if r.RequiredLevel == vault.LevelHard {
		return 0
	}
	return 1
}

// addRules reads the rules of the scenario.
func (q *request) addRules(page *scenarioPage) error {
	list, _, err := q.options.Query.RulesPage(
		q.ctx, q.key.TenantID, page.Scenario.AgentID, &page.Scenario.ID, nil, schemaPageSize)
	if err != nil {
		return err
	}
	for _, summary := range list {
		rule, err := q.options.Query.Rule(q.ctx, q.key.TenantID, summary.ID)
		if vault.CodeOf(err) == vault.CodeUnknown {
			continue
		}
		if err != nil {
			return err
		}
		page.Rules = append(page.Rules, rule)
	}
	return nil
}

// addTexts adds the texts of the scenario and its rules, each with the evidence of its requirements.
func (p *scenarioPage) addTexts() {
	add := func(rule *uuid.UUID, labelled ...string) {
		quotes := make([]string, len(p.Requirements))
		for i, r := range p.Requirements {
			of := r.Requirement.RuleID
			if of == nil && rule == nil || of != nil && rule != nil && *of == *rule {
				quotes[i] = r.Requirement.Quote
			}
		}
		for i := 0; i < len(labelled); i += 2 {
			if labelled[i+1] == "" {
				continue
			}
			parts, found := evidenceOf(labelled[i+1], quotes)
			p.Texts = append(p.Texts, evidenceText{labelled[i], parts})
			for n, ok := range found {
				p.Requirements[n].Found = p.Requirements[n].Found || ok
			}
		}
	}
	add(nil, "description", p.Scenario.Description)
	for _, step := range p.Scenario.Steps {
		add(nil, "step "+step.ID, step.Text, "condition of step "+step.ID, step.Condition)
	}
	for _, rule := range p.Rules {
		add(&rule.ID, "rule "+rule.Name+", condition", rule.Condition, "rule "+rule.Name+", action", rule.Action)
	}
}

// tryOut is the content of the page that tries a scenario on a customer.
type tryOut struct {
	Scenario       vault.Scenario
	Tried          query.Tried
	Token          string
	Customer, Step string
	Assumed        []pair // what the person supposed, by field
	Answer         string
	Errors         map[string]string
	Ready          bool
}

func (t tryOut) path() string { return Path + "/scenarios/" + t.Scenario.ID.String() + "/try" }

func (q *request) tryPage() error { return q.try() }

// try traces the scenario for a customer, with the answers that the person supposes. Nothing is stored.
func (q *request) try() error {
	id, err := q.id()
	if err != nil {
		return err
	}
	t := tryOut{
		Token: q.session.Token, Customer: strings.TrimSpace(q.r.FormValue("customer")), Step: q.r.FormValue("step"),
		Errors: map[string]string{},
	}
	if t.Scenario, err = q.options.Query.Scenario(q.ctx, q.key.TenantID, id); err != nil {
		return err
	}
	in := query.TryInput{ScenarioID: id, StepID: t.Step, Assumed: map[string]json.RawMessage{}}
	if t.Step != "" && !t.Scenario.HasStep(t.Step) {
		t.Step, in.StepID = "", ""
		t.Errors["step"] = "The scenario has no such step any more."
	}
	if t.Customer != "" {
		customer, err := uuid.Parse(t.Customer)
		if err != nil {
			t.Errors["customer"] = "This is not the id of a customer."
		} else {
			in.CustomerID = &customer
		}
	}
	if q.r.Method == http.MethodPost && q.r.PostFormValue("do") != "start" {
		if err := q.assume(&t, in.Assumed); err != nil {
			return err
		}
	}
	t.Tried, err = q.options.Query.Try(q.ctx, q.key.TenantID, in)
	if vault.CodeOf(err) == vault.CodeUnknown && in.CustomerID != nil {
		t.Errors["customer"] = "There is no customer with this id."
		in.CustomerID = nil
		t.Tried, err = q.options.Query.Try(q.ctx, q.key.TenantID, in)
	}
	if err != nil {
		return err
	}
	status := http.StatusOK
	if len(t.Errors) > 0 {
		status = http.StatusUnprocessableEntity
	}
	return q.show(status, "Try "+t.Scenario.Name, "schema", tryContent(t))
}

// assume takes the supposed answers of the form: those of before, and the one to the question. An answer that its
// definition rejects stays in its field.
func (q *request) assume(t *tryOut, into map[string]json.RawMessage) error {
	names, texts := q.r.PostForm["assumed"], q.r.PostForm["assumed_value"]
	last := q.r.PostFormValue("field")
	if last != "" && q.r.PostFormValue("do") == "answer" {
		names, texts = append(slices.Clone(names), last), append(slices.Clone(texts), q.r.PostFormValue("answer"))
	}
	for i := range min(len(names), len(texts)) {
		def, err := q.options.Query.Definition(q.ctx, q.key.TenantID, t.Scenario.AgentID, names[i])
		if vault.CodeOf(err) == vault.CodeUnknown {
			continue
		}
		if err != nil {
			return err
		}
		value, err := typed(texts[i], def.ValueType, def.Multiple)
		problem := ""
		if err != nil {
			_, problem = explain(err)
		} else {
			problem = query.TryValue(def, value)
		}
		if problem != "" {
			t.Answer, t.Errors["answer"] = texts[i], sentence(names[i]+": "+problem)
			continue
		}
		into[names[i]] = value
		t.Assumed = append(t.Assumed, pair{names[i], texts[i]})
	}
	return nil
}

// traceText says in words what becomes of a requirement.
func traceText(t vault.Traced) string {
	switch t.State {
	case vault.TraceMet:
		return "The customer has the value."
	case vault.TraceMissing:
		text := map[vault.MissingReason]string{
			vault.MissingAbsent: "The customer has no value.", vault.MissingExpired: "The value has expired.",
			vault.MissingStale:      "The value is older than the definition allows.",
			vault.MissingDerived:    "The value is stale: what it was derived from has changed.",
			vault.MissingInvalid:    "The value breaks its definition.",
			vault.MissingUnverified: "The value is not verified as the definition requires.",
		}[t.Reason]
		return text + " " + map[vault.FallbackAction]string{
			vault.FallbackAsk:     "The customer is asked, if no source has it.",
			vault.FallbackSkip:    "The scenario goes on without it, if no source has it.",
			vault.FallbackBlock:   "Nobody is asked: the scenario stops, if no source has it.",
			vault.FallbackExtract: "Only a conversation can give it.",
		}[t.Requirement.FallbackAction]
	case vault.TraceWithheld:
		return "The customer has not consented to the field, so nobody asks for it."
	case vault.TraceWaits:
		return "It waits for " + strings.Join(t.WaitsFor, ", ") + "."
	case vault.TraceNotNow:
		return "Its condition is false."
	case vault.TraceOverruled:
		return "A stricter requirement names the same field."
	case vault.TraceRejected:
		return "A person rejected it."
	}
	return ""
}

// traceBadge is the kind of the badge of a state.
func traceBadge(t vault.Traced) string {
	switch {
	case t.State == vault.TraceMet:
		return "verified"
	case t.State == vault.TraceMissing && t.Blocking:
		return "failed"
	case t.State == vault.TraceMissing:
		return "pending"
	}
	return ""
}
