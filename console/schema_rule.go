package console

import (
	"net/http"
	"strings"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/vault"
)

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
			*value, e.stored, e.version = stored, stored, stored.Version
			e.title, e.name = "Rule "+stored.Name, "the rule "+stored.Name
		}
	}
	if q.r.Method == http.MethodGet {
		if e.stored == nil {
			if value.ID, err = uuid.NewV7(); err != nil {
				return e, err
			}
		} else {
			f.Seen = seenOf(e.version)
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
	e.save = func(based vault.Based) (string, error) {
		value.Based = based
		return saved(q, path, vault.SaveRule, *value)
	}
	return e, nil
}

func (q *request) ruleForm() error   { return q.showForm(q.readRuleForm()) }
func (q *request) changeRule() error { return q.changeSchema(q.readRuleForm) }
