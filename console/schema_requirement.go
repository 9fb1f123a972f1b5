package console

import (
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/vault"
)

// requirementGroups are the members of a requirement that a person edits.
// The field, step and rule identify it: they stay once it exists.
func requirementGroups(s vault.Scenario, rules []vault.RuleSummary, exists bool) []group {
	key := selectMember
	if exists {
		key = fixedMember
	}
	steps, ruleIDs := []string{""}, []string{""}
	for _, step := range s.Steps {
		steps = append(steps, step.ID)
	}
	for _, r := range rules {
		ruleIDs = append(ruleIDs, r.ID.String())
	}
	return []group{{"The requirement", true, []member{
		{"field_name", "Field", "The name of a definition of the agent.", fixedMember, nil, true},
		{"step_id", "Step", "default: the whole scenario.", key, steps, false},
		{"rule_id", "Rule", "default: none.", key, ruleIDs, false},
		{
			"required_level", "Level",
			"hard: the scenario cannot start without it.",
			selectMember, options(false, vault.LevelHard, vault.LevelSoft), true,
		},
		{
			"fallback_action", "If no source has the value",
			"",
			selectMember,
			options(false, vault.FallbackAsk, vault.FallbackSkip, vault.FallbackBlock, vault.FallbackExtract), true,
		},
		{
			"when_condition", "Only when",
			"A CEL expression, as in fields.age >= 18. Empty: always.",
			textMember, nil, false,
		},
		{"depends_on_fields", "Only after these fields have a value", "One on each line.", linesMember, nil, false},
		{"collection_order", "Place in the order", "Lower ones are asked first.", numberMember, nil, false},
		{"refuse_stale", "A stale value counts as missing", "", checkMember, nil, false},
	}}}
}

// requirementOf returns the requirement of the address or form: its field, step and rule.
func (q *request) requirementOf(scenario uuid.UUID) (vault.Requirement, bool, error) {
	key := vault.Requirement{
		ScenarioID: scenario, FieldName: strings.TrimSpace(q.r.FormValue("field_name")),
		StepID: q.r.FormValue("step_id"),
	}
	if id, err := uuid.Parse(q.r.FormValue("rule_id")); err == nil {
		key.RuleID = &id
	}
	all, err := q.options.Query.Requirements(q.ctx, q.key.TenantID, scenario)
	if err != nil {
		return key, false, err
	}
	at := slices.IndexFunc(all, func(r vault.Requirement) bool {
		same := r.RuleID == nil && key.RuleID == nil || r.RuleID != nil && key.RuleID != nil && *r.RuleID == *key.RuleID
		return same && r.FieldName == key.FieldName && r.StepID == key.StepID
	})
	if at < 0 {
		return key, false, nil
	}
	return all[at], true, nil
}

func (q *request) readRequirementForm() (editing, error) {
	id, err := q.id()
	if err != nil {
		return editing{}, err
	}
	scenario, err := q.options.Query.Scenario(q.ctx, q.key.TenantID, id)
	if err != nil {
		return editing{}, err
	}
	rules, _, err := q.options.Query.RulesPage(q.ctx, q.key.TenantID, scenario.AgentID, &id, nil, query.MaxPage)
	if err != nil {
		return editing{}, err
	}
	stored, exists, err := q.requirementOf(id)
	if err != nil {
		return editing{}, err
	}
	path := "/scenarios/" + id.String()
	f := &schemaForm{
		What: "requirement", Action: Path + path + "/requirement", Back: Path + path, Token: q.session.Token,
		Groups: requirementGroups(scenario, rules, exists || q.r.PostFormValue("seen") != ""),
		Errors: map[string]string{}, Checks: &checks{},
	}
	value := &vault.Requirement{}
	e := editing{form: f, value: value, title: "New requirement of " + scenario.Name}
	*value = stored
	value.AgentID = scenario.AgentID
	e.name = "the requirement of " + stored.FieldName
	if exists {
		e.stored, e.version, e.title = stored, stored.Version, "Requirement of "+stored.FieldName
	} else if q.r.Method == http.MethodGet && stored.FieldName != "" {
		return e, vault.Unknown("requirement", stored.FieldName)
	}
	if q.r.Method == http.MethodGet {
		if exists {
			f.Seen = seenOf(e.version)
			if stored.Origin == vault.OriginExtracted {
				f.Notes = []string{"It was extracted from the text. Save it, and it is a requirement of a person."}
			}
		} else {
			value.RequiredLevel, value.FallbackAction = vault.LevelHard, vault.FallbackAsk
		}
		f.fill(*value)
		return e, nil
	}
	f.read(q.r.PostForm)
	f.Typed["customer"] = strings.TrimSpace(q.r.PostFormValue("customer"))
	if f.Typed["rule_id"] == "" {
		value.RuleID = nil
	}
	f.into(value)
	value.Confidence = 1
	value.NeedsReview, value.Origin, value.Review, value.Quote = false, "", "", ""
	e.preview = func() (vault.DryRun, error) {
		return q.options.Query.DryRunRequirement(q.ctx, q.key.TenantID, *value, query.Look{})
	}
	e.save = func(based vault.Based) (string, error) {
		value.Based = based
		return saved(q, path, vault.SaveRequirement, *value)
	}
	e.check = func() error { return q.checkCondition(f, *value, scenario) }
	return e, nil
}

// checkCondition tries the condition of the form on a customer. The personal fields that it reads are recorded as read:
// the outcome tells about them.
func (q *request) checkCondition(f *schemaForm, r vault.Requirement, scenario vault.Scenario) error {
	var customer *uuid.UUID
	if text := f.Typed["customer"]; text != "" {
		id, err := uuid.Parse(text)
		if err != nil {
			f.Errors["customer"] = "This is not the id of a customer."
			return nil //nolint:nilerr // it is beside its field
		}
		customer = &id
		if !q.key.Masked {
			q.reveal = "try-condition"
			q.ctx = q.reading(true)
		}
	}
	tried, err := q.options.Query.TryCondition(q.ctx, q.key.TenantID, r.WhenCondition, scenario, customer)
	if vault.CodeOf(err) == vault.CodeUnknown {
		f.Errors["customer"] = "There is no customer with this id."
		return nil
	}
	if err != nil {
		return err
	}
	if customer != nil {
		profile, err := q.options.Query.Profile(q.ctx, q.key.TenantID, *customer)
		if err != nil {
			return err
		}
		q.sees(profile.CustomerID, namesOf(profile)...) // a condition can read fields without naming them
	}
	c := &conditionCheck{Text: "false: the requirement does not apply", Reads: tried.Reads, Hidden: tried.Hidden}
	switch {
	case tried.Failed != "":
		c.Text, c.Kind = "it fails, and counts as true: "+tried.Failed, "failed"
	case tried.Holds:
		c.Text, c.Kind = "true: the requirement applies", "verified"
	}
	f.Checks.Condition = c
	return nil
}

func (q *request) requirementForm() error   { return q.showForm(q.readRequirementForm()) }
func (q *request) changeRequirement() error { return q.changeSchema(q.readRequirementForm) }
