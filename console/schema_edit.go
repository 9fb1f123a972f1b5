package console

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/a-h/templ"
	"github.com/google/uuid"

	"github.com/contextvault/contextvault/api"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/vault"
)

// maxSamples is the number of sample values that a check tries.
const maxSamples = 50

var schemaScripts = asset("schema.js", "text/javascript; charset=utf-8")

// schemaRoutes are the pages that change the configuration of agents.
func schemaRoutes() []route {
	get := func(path string, serve func(*request) error) route {
		return route{method: http.MethodGet, path: path, scope: api.ScopeWrite, serve: serve, configures: true}
	}
	post := func(path string, serve func(*request) error) route {
		return route{method: http.MethodPost, path: path, scope: api.ScopeWrite, serve: serve, configures: true}
	}
	return []route{
		get("/schema/open", (*request).openAgent),
		get("/agents/{id}/definition", (*request).definitionForm),
		post("/agents/{id}/definition", (*request).changeDefinition),
		get("/agents/{id}/definition/delete", (*request).deleteDefinitionPage),
		post("/agents/{id}/definition/delete", (*request).deleteDefinition),
		get("/agents/{id}/scenario", (*request).scenarioForm),
		post("/agents/{id}/scenario", (*request).changeScenario),
		get("/scenarios/{id}/rule", (*request).ruleForm),
		post("/scenarios/{id}/rule", (*request).changeRule),
		get("/scenarios/{id}/requirement", (*request).requirementForm),
		post("/scenarios/{id}/requirement", (*request).changeRequirement),
		get("/scenarios/{id}/requirement/delete", (*request).deleteRequirementPage),
		post("/scenarios/{id}/requirement/delete", (*request).deleteRequirement),
		{method: http.MethodGet, path: "/scenarios/{id}/try", scope: api.ScopeRead, serve: (*request).tryPage},
		{method: http.MethodPost, path: "/scenarios/{id}/try", scope: api.ScopeRead, serve: (*request).try},
	}
}

// openAgent leads to the first form of an agent, which exists once something is saved for it.
func (q *request) openAgent() error {
	id, err := uuid.Parse(strings.TrimSpace(q.r.FormValue("agent")))
	if err != nil {
		return vault.Invalid("agent", "is not the id of an agent, such as 0198c5f2-8a4b-7cde-9f01-23456789abcd")
	}
	return q.redirect("/agents/" + id.String() + "/definition")
}

// options lists values of an enum, after the default.
func options[T ~string](withDefault bool, values ...T) []string {
	var out []string
	if withDefault {
		out = append(out, "")
	}
	for _, v := range values {
		out = append(out, string(v))
	}
	return out
}

// definitionGroups are the members of a definition that a person edits.
func definitionGroups() []group {
	return []group{
		{"The field", true, []member{
			{
				"name", "Name",
				"Small letters, digits and underscores, as in date_of_birth. It cannot be changed: " +
					"another name is another field.",
				fixedMember, nil, true,
			},
			{"display_name", "Label", "The name for people. Empty: derived from the name.", textMember, nil, false},
			{"description", "Description", "It helps to match texts with the field.", areaMember, nil, false},
			{"value_type", "Type", "", selectMember, options(false, vault.ValueTypes...), true},
			{"enabled", "The field may be collected", "", checkMember, nil, false},
		}},
		{"Valid values", true, []member{
			{
				"validation_regex", "Pattern",
				"A regular expression (RE2) that matches the whole value.",
				textMember, nil, false,
			},
			{"allowed_values", "Allowed values", "One on each line. Empty: any.", valuesMember, nil, false},
			{"minimum", "Minimum", "Only for numbers.", numberMember, nil, false},
			{"maximum", "Maximum", "Only for numbers.", numberMember, nil, false},
			{"unit", "Unit", "Only for numbers, such as kg.", textMember, nil, false},
			{
				"validation_mode", "What happens to an invalid value",
				"strict rejects it, warn stores it with warnings.", selectMember,
				options(true, vault.ModeStrict, vault.ModeWarn, vault.ModeDisabled), false,
			},
			{"multiple", "A value is a list", "", checkMember, nil, false},
			{"max_elements", "Maximum number of elements", "Only for lists.", numberMember, nil, false},
			{"write_once", "A value is written once", "", checkMember, nil, false},
			{"time_zone", "Time zone", "Only for datetimes, such as Europe/Berlin.", textMember, nil, false},
			{"default_region", "Region", "Only for phone numbers: two letters, such as DE.", textMember, nil, false},
			{"json_schema", "JSON Schema", "Only for JSON.", jsonMember, nil, false},
		}},
		{"Questions and conversations", false, []member{
			{
				"collection_prompt", "Question to the customer",
				"Empty: derived from the label.",
				areaMember, nil, false,
			},
			{"retry_prompt", "Text after an unclear answer", "", areaMember, nil, false},
			{
				"ask_channels", "Channels on which it may be asked",
				"One on each line. Empty: each.",
				linesMember, nil, false,
			},
			{"extraction_prompt_hint", "Hint for the model", "", areaMember, nil, false},
			{"extraction_examples", "Examples for the model", "One on each line.", linesMember, nil, false},
			{
				"about", "About",
				"The person or thing other than the customer, such as emergency contact.",
				textMember, nil, false,
			},
			{"forbid_extraction", "No value is read from conversations", "", checkMember, nil, false},
		}},
		{"Protection", false, []member{
			{"is_pii", "Personal: masked, and reads are recorded", "", checkMember, nil, false},
			{"encryption_required", "Encrypted", "", checkMember, nil, false},
			{
				"searchable", "Encrypted values can be found", "The database keeps a keyed hash of each.", checkMember, nil, false,
			},
			{
				"prefix_search", "Values can be found by their beginning",
				"Not for encrypted values. Older values are found after a few minutes.", checkMember, nil, false,
			},
			{"purposes", "Purposes that need a consent", "One on each line.", linesMember, nil, false},
			{"erase_on_withdrawal", "A withdrawn consent erases it", "", checkMember, nil, false},
			{"retention_days", "Days that a value is valid", "Empty: no limit.", numberMember, nil, false},
			{
				"remove_after_days", "Days that expired versions are kept",
				"Empty: they stay.",
				numberMember, nil, false,
			},
		}},
		{"Trust", false, []member{
			{"required_verification", "An unverified value counts as missing", "", checkMember, nil, false},
			{
				"verification_methods", "Accepted methods of verification",
				"One on each line. Empty: each.",
				linesMember, nil, false,
			},
			{"freshness_seconds", "Maximum age, in seconds", "Empty: no limit.", numberMember, nil, false},
			{
				"stale_action", "What an older value does",
				"",
				selectMember, options(true, vault.StaleWarn, vault.StaleBlock, vault.StaleIgnore), false,
			},
			{
				"on_conflict", "What a weaker claim that differs does",
				"",
				selectMember,
				options(true, vault.ConflictAsk, vault.ConflictReview, vault.ConflictKeep, vault.ConflictNewest), false,
			},
			{
				"source_priority", "Sources, the strongest first",
				"One on each line, such as tool_result.",
				linesMember, nil, false,
			},
		}},
	}
}

// readDefinition returns the form of a definition; the name is that of the address or of the form.
func (q *request) readDefinition() (editing, error) {
	agent, err := q.id()
	if err != nil {
		return editing{}, err
	}
	f := &schemaForm{
		What: "definition", Action: Path + "/agents/" + agent.String() + "/definition",
		Back:  Path + "/agents/" + agent.String(),
		Token: q.session.Token, Groups: definitionGroups(), Errors: map[string]string{}, Checks: &checks{},
	}
	value := &vault.Definition{AgentID: agent, Enabled: true, ValueType: vault.TypeString}
	e := editing{form: f, value: value, title: "New definition"}
	name := strings.TrimSpace(q.r.FormValue("name"))
	if vault.NamePattern.MatchString(name) {
		stored, err := q.options.Query.Definition(q.ctx, q.key.TenantID, agent, name)
		if err != nil && vault.CodeOf(err) != vault.CodeUnknown {
			return e, err
		}
		if err == nil {
			*value, e.stored, e.title = stored, stored, "Definition "+name
		}
		if err != nil && q.r.Method == http.MethodGet {
			return e, err
		}
	}
	e.name = "the definition " + name
	if q.r.Method == http.MethodGet {
		f.fill(*value)
		if e.stored != nil {
			f.Seen = stamp(e.stored)
			f.Notes = []string{"Save it, and it is a definition of a person."}
		}
		return e, nil
	}
	f.read(q.r.PostForm)
	f.Typed["samples"] = q.r.PostFormValue("samples")
	f.into(value)
	e.preview = func() (vault.DryRun, error) {
		return q.options.Query.DryRunDefinition(q.ctx, q.key.TenantID, *value, query.Look{})
	}
	e.save = func() (string, error) {
		if stored, ok := e.stored.(vault.Definition); ok {
			if err := api.CheckLoosens(q.may(api.ScopeAdmin), "", stored, value); err != nil {
				return "", err
			}
		}
		return saved(q, "/agents/"+agent.String(), vault.SaveDefinition, *value)
	}
	e.check = func() error { return q.checkSamples(f, *value) }
	return e, nil
}

// checkSamples checks the sample values of the form.
func (q *request) checkSamples(f *schemaForm, d vault.Definition) error {
	samples := linesOf(strings.ReplaceAll(f.Typed["samples"], "\r\n", "\n"))
	if len(samples) == 0 {
		f.Errors["samples"] = "Enter a value on a line of its own."
	}
	if len(samples) > maxSamples {
		samples = samples[:maxSamples]
		f.Errors["samples"] = "Only the first 50 are tried."
	}
	d.Multiple = false
	if d.Name == "" {
		d.Name = "value"
	}
	for _, text := range samples {
		c := valueCheck{Text: text}
		value, err := typedOne(text, d.ValueType)
		if err != nil {
			_, c.Problem = explain(err)
		} else {
			c.Problem = query.TryValue(d, value)
		}
		f.Checks.Values = append(f.Checks.Values, c)
	}
	return nil
}

// saved submits a change, and returns the page that says its outcome.
func saved[In, Out any](q *request, page string, spec vault.Spec[In, Out], in In) (string, error) {
	op, err := submit(q, spec, in)
	if err != nil {
		return "", err
	}
	return page + "?" + url.Values{"op": {op.String()}}.Encode(), nil
}

func (q *request) definitionForm() error   { return q.showForm(q.readDefinition()) }
func (q *request) changeDefinition() error { return q.changeForm(q.readDefinition()) }

func (q *request) showForm(e editing, err error) error {
	if err != nil {
		return err
	}
	return q.show(http.StatusOK, e.title, "schema", schemaFormContent(*e.form))
}

func (q *request) changeForm(e editing, err error) error {
	if err != nil {
		return err
	}
	return q.changeSchema(e)
}

// scenarioGroups are the members of a scenario that a person edits, besides its steps.
func scenarioGroups() []group {
	return []group{{"The scenario", true, []member{
		{"id", "Id", "A UUID, from your configuration. It cannot be changed.", fixedMember, nil, true},
		{"name", "Name", "", textMember, nil, true},
		{"description", "Text", "The vault reads from it what the scenario needs to know.", areaMember, nil, false},
		{
			"variables", "Variables",
			"One on each line, as in country = Norway. Conditions read them as scenario.variables.country.",
			pairsMember, nil, false,
		},
	}}}
}

func (q *request) readScenarioForm() (editing, error) {
	agent, err := q.id()
	if err != nil {
		return editing{}, err
	}
	f := &schemaForm{
		What: "scenario", Action: Path + "/agents/" + agent.String() + "/scenario",
		Back:  Path + "/agents/" + agent.String(),
		Token: q.session.Token, Groups: scenarioGroups(), Errors: map[string]string{}, Steps: []stepRow{},
	}
	value := &vault.Scenario{AgentID: agent}
	e := editing{form: f, value: value, title: "New scenario", check: func() error { return nil }}
	id, idErr := uuid.Parse(strings.TrimSpace(q.r.FormValue("id")))
	if idErr == nil {
		stored, err := q.options.Query.Scenario(q.ctx, q.key.TenantID, id)
		if err != nil && (vault.CodeOf(err) != vault.CodeUnknown || q.r.Method == http.MethodGet) {
			return e, err
		}
		if err == nil && stored.AgentID != agent {
			return e, vault.Unknown("scenario", id)
		}
		if err == nil {
			*value, e.stored, e.title, e.name = stored, stored, "Scenario "+stored.Name, "the scenario "+stored.Name
			f.Back = Path + "/scenarios/" + id.String()
		}
	}
	if q.r.Method == http.MethodGet {
		if e.stored == nil {
			fresh, err := uuid.NewV7()
			if err != nil {
				return e, err
			}
			value.ID = fresh
		} else {
			f.Seen = stamp(e.stored)
		}
		f.fill(*value)
		for _, s := range value.Steps {
			f.Steps = append(f.Steps, stepRow{s.ID, s.Text, s.Condition})
		}
		return e, nil
	}
	f.read(q.r.PostForm)
	if idErr != nil {
		f.Errors["id"] = "This is not a UUID, such as 0198c5f2-8a4b-7cde-9f01-23456789abcd."
		delete(f.Typed, "")
	}
	q.readSteps(f, value)
	if len(f.Errors) == 0 {
		f.into(value)
	}
	e.preview = func() (vault.DryRun, error) {
		return q.options.Query.DryRunScenario(q.ctx, q.key.TenantID, *value, query.Look{})
	}
	e.save = func() (string, error) { return saved(q, "/scenarios/"+value.ID.String(), vault.SaveScenario, *value) }
	return e, nil
}

// readSteps takes the typed steps, without empty ones.
func (q *request) readSteps(f *schemaForm, value *vault.Scenario) {
	ids, texts, conditions := q.r.PostForm["step_id"], q.r.PostForm["step_text"], q.r.PostForm["step_condition"]
	value.Steps = nil
	for i := range min(len(ids), len(texts), len(conditions)) {
		row := stepRow{
			strings.TrimSpace(ids[i]), strings.ReplaceAll(texts[i], "\r\n", "\n"), strings.TrimSpace(conditions[i]),
		}
		if row == (stepRow{}) {
			continue
		}
		f.Steps = append(f.Steps, row)
		if row.ID == "" {
			f.Errors["steps"] = "Each step needs an id."
		}
		value.Steps = append(value.Steps, vault.ScenarioStep{ID: row.ID, Text: row.Text, Condition: row.Condition})
	}
}

func (q *request) scenarioForm() error { return q.showForm(q.readScenarioForm()) }

func (q *request) changeScenario() error {
	e, err := q.readScenarioForm()
	if err == nil && q.r.PostFormValue("do") == "step" {
		e.form.Steps = append(e.form.Steps, stepRow{})
		e.form.Errors, e.form.Shown = map[string]string{}, ""
		return q.showForm(e, nil)
	}
	return q.changeForm(e, err)
}

func ruleGroups() []group {
	return []group{{"The rule", true, []member{
		{"id", "Id", "A UUID, from your configuration. It cannot be changed.", fixedMember, nil, true},
		{"name", "Name", "", textMember, nil, true},
		{
			"condition", "Condition",
			"In words or as an expression. The vault reads from it what the rule needs to know.",
			areaMember, nil, true,
		},
		{"action", "Action", "", areaMember, nil, false},
	}}}
}

func (q *request) readRuleForm() (editing, error) {
	id, err := q.id()
	if err != nil {
		return editing{}, err
	}
	scenario, err := q.options.Query.Scenario(q.ctx, q.key.TenantID, id)
	if err != nil {
		return editing{}, err
	}
	path := "/scenarios/" + id.String()
	f := &schemaForm{
		What: "rule", Action: Path + path + "/rule", Back: Path + path, Token: q.session.Token, Groups: ruleGroups(),
		Errors: map[string]string{},
	}
	value := &vault.Rule{AgentID: scenario.AgentID, ScenarioID: id}
	e := editing{form: f, value: value, title: "New rule of " + scenario.Name, check: func() error { return nil }}
	rule, ruleErr := uuid.Parse(strings.TrimSpace(q.r.FormValue("id")))
	if ruleErr == nil {
		stored, err := q.options.Query.Rule(q.ctx, q.key.TenantID, rule)
		if err != nil && (vault.CodeOf(err) != vault.CodeUnknown || q.r.Method == http.MethodGet) {
			return e, err
		}
		if err == nil && stored.ScenarioID != id {
			return e, vault.Unknown("rule", rule)
		}
		if err == nil {
			*value, e.stored, e.title, e.name = stored, stored, "Rule "+stored.Name, "the rule "+stored.Name
		}
	}
	if q.r.Method == http.MethodGet {
		if e.stored == nil {
			if value.ID, err = uuid.NewV7(); err != nil {
				return e, err
			}
		} else {
			f.Seen = stamp(e.stored)
		}
		f.fill(*value)
		return e, nil
	}
	f.read(q.r.PostForm)
	if ruleErr != nil {
		f.Errors["id"] = "This is not a UUID, such as 0198c5f2-8a4b-7cde-9f01-23456789abcd."
	} else {
		f.into(value)
	}
	e.preview = func() (vault.DryRun, error) { return q.options.Query.DryRunRule(q.ctx, q.key.TenantID, *value) }
	e.save = func() (string, error) { return saved(q, path, vault.SaveRule, *value) }
	return e, nil
}

func (q *request) ruleForm() error   { return q.showForm(q.readRuleForm()) }
func (q *request) changeRule() error { return q.changeForm(q.readRuleForm()) }

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
		e.stored, e.title = stored, "Requirement of "+stored.FieldName
	} else if q.r.Method == http.MethodGet && stored.FieldName != "" {
		return e, vault.Unknown("requirement", stored.FieldName)
	}
	if q.r.Method == http.MethodGet {
		if exists {
			f.Seen = stamp(e.stored)
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
	e.save = func() (string, error) { return saved(q, path, vault.SaveRequirement, *value) }
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
func (q *request) changeRequirement() error { return q.changeForm(q.readRequirementForm()) }

// removal is the content of the page that deletes a definition or a requirement.
type removal struct {
	Text, Action, Back, Token, Seen string
	Hidden                          []pair
	References                      []vault.DryRunReference
}

type pair struct{ Name, Value string }

func (q *request) deleteDefinitionPage() error { return q.showDefinitionRemoval(http.StatusOK) }

func (q *request) showDefinitionRemoval(status int) error {
	agent, err := q.id()
	if err != nil {
		return err
	}
	name := q.r.FormValue("name")
	stored, err := q.options.Query.Definition(q.ctx, q.key.TenantID, agent, name)
	if err != nil {
		return err
	}
	gone := stored
	gone.Enabled = false
	dry, err := q.options.Query.DryRunDefinition(q.ctx, q.key.TenantID, gone, query.Look{Customers: 1})
	if err != nil && vault.CodeOf(err) != vault.CodeInvalid {
		return err
	}
	path := Path + "/agents/" + agent.String()
	return q.show(status, "Delete the definition "+name, "schema", removalContent(removal{
		Text:   "The collected values stay. A definition that a requirement needs or depends on is not deleted.",
		Action: path + "/definition/delete", Back: path, Token: q.session.Token, Seen: stamp(stored),
		Hidden: []pair{{"name", name}}, References: dry.References,
	}))
}

func (q *request) deleteDefinition() error {
	agent, err := q.id()
	if err != nil {
		return err
	}
	name := q.r.PostFormValue("name")
	stored, err := q.options.Query.Definition(q.ctx, q.key.TenantID, agent, name)
	if err != nil {
		return err
	}
	if q.r.PostFormValue("seen") != stamp(stored) {
		return q.staleRemoval(q.showDefinitionRemoval)
	}
	if err := api.CheckLoosens(q.may(api.ScopeAdmin), "", stored, nil); err != nil {
		return err
	}
	page, err := saved(q, "/agents/"+agent.String(), vault.DeleteDefinition, vault.DeleteDefinitionInput{
		AgentID: agent, Name: name,
	})
	return q.removed(page, err, q.showDefinitionRemoval)
}

// staleRemoval says that what the person wanted to delete was changed meanwhile.
func (q *request) staleRemoval(show func(status int) error) error {
	q.notices = append(q.notices, notice{
		Kind: "failed",
		Text: "Somebody else changed it meanwhile. Nothing was deleted. Look at it again before you delete it.",
	})
	return show(http.StatusConflict)
}

func (q *request) removed(page string, err error, show func(status int) error) error {
	if err == nil {
		return q.redirect(page)
	}
	if vault.CodeOf(err) == "" || vault.CodeOf(err) == vault.CodeUnavailable {
		return err
	}
	return show(q.failed(err))
}

func (q *request) deleteRequirementPage() error { return q.showRequirementRemoval(http.StatusOK) }

func (q *request) showRequirementRemoval(status int) error {
	id, err := q.id()
	if err != nil {
		return err
	}
	r, exists, err := q.requirementOf(id)
	if err == nil && !exists {
		err = vault.Unknown("requirement", r.FieldName)
	}
	if err != nil {
		return err
	}
	path := Path + "/scenarios/" + id.String()
	hidden := []pair{{"field_name", r.FieldName}, {"step_id", r.StepID}}
	if r.RuleID != nil {
		hidden = append(hidden, pair{"rule_id", r.RuleID.String()})
	}
	return q.show(status, "Delete the requirement of "+r.FieldName, "schema", removalContent(removal{
		Text:   "The scenario no longer needs the field for it. A later extraction does not add it again.",
		Action: path + "/requirement/delete", Back: path, Token: q.session.Token, Seen: stamp(r), Hidden: hidden,
	}))
}

func (q *request) deleteRequirement() error {
	id, err := q.id()
	if err != nil {
		return err
	}
	r, exists, err := q.requirementOf(id)
	if err == nil && !exists {
		err = vault.Unknown("requirement", r.FieldName)
	}
	if err != nil {
		return err
	}
	if q.r.PostFormValue("seen") != stamp(r) {
		return q.staleRemoval(q.showRequirementRemoval)
	}
	page, err := saved(q, "/scenarios/"+id.String(), vault.DeleteRequirement, vault.DeleteRequirementInput{
		ScenarioID: id, FieldName: r.FieldName, StepID: r.StepID, RuleID: r.RuleID,
	})
	return q.removed(page, err, q.showRequirementRemoval)
}

// invalid marks a field with an error.
func (f schemaForm) invalid(m member) templ.Attributes {
	if f.Errors[m.Name] == "" {
		return templ.Attributes{}
	}
	return templ.Attributes{"aria-invalid": "true"}
}

// typedIn reports whether a group has something that a person typed or an error.
func (f schemaForm) typedIn(g group) bool {
	return slices.ContainsFunc(g.Members, func(m member) bool { return f.Typed[m.Name] != "" || f.Errors[m.Name] != "" })
}
