package console

import (
	"net/http"
	"strings"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/vault"
)

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
			*value, e.stored, e.version = stored, stored, stored.Version
			e.title, e.name = "Scenario "+stored.Name, "the scenario "+stored.Name
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
			f.Seen = seenOf(e.version)
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
	e.save = func(based vault.Based) (string, error) {
		value.Based = based
		return saved(q, "/scenarios/"+value.ID.String(), vault.SaveScenario, *value)
	}
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
	if q.r.PostFormValue("do") != "step" {
		return q.changeSchema(q.readScenarioForm)
	}
	e, err := q.readScenarioForm()
	if err == nil {
		e.form.Steps = append(e.form.Steps, stepRow{})
		e.form.Errors, e.form.Shown = map[string]string{}, ""
	}
	return q.showForm(e, err)
}
