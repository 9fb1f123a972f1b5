package console

import (
	"errors"
	"net/http"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/api"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/vault"
)

// removal is the content of the page that deletes a definition or a requirement.
type removal struct {
	Text, Action, Back, Token string
	Seen                      uuid.UUID // the version that the page shows
	Hidden                    []pair
	Preview                   vault.DryRun
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
	preview, err := q.options.Query.DryRunDeleteDefinition(
		q.ctx, q.key.TenantID, vault.DeleteDefinitionInput{AgentID: agent, Name: name}, query.Look{})
	if err != nil {
		return err
	}
	path := Path + "/agents/" + agent.String()
	return q.show(status, "Delete the definition "+name, "schema", removalContent(removal{
		Text:   "The collected values stay. A definition that a requirement needs or depends on is not deleted.",
		Action: path + "/definition/delete", Back: path, Token: q.session.Token, Seen: stored.Version,
		Hidden: []pair{{"name", name}}, Preview: preview,
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
	if err := api.CheckLoosens(q.may(api.ScopeAdmin), "", stored, nil); err != nil {
		return err
	}
	page, err := saved(q, "/agents/"+agent.String(), vault.DeleteDefinition, vault.DeleteDefinitionInput{
		Based: basedOn(q.r.PostFormValue("seen")), AgentID: agent, Name: name,
	})
	return q.removed(page, err, q.showDefinitionRemoval)
}

// removed leads to the page after a deletion, or shows its page again with the error: a definition that a requirement
// needs, or what was changed since the page was opened, is not deleted.
func (q *request) removed(page string, err error, show func(status int) error) error {
	if err == nil {
		return q.redirect(page)
	}
	if vault.CodeOf(err) == "" || vault.CodeOf(err) == vault.CodeUnavailable {
		return err
	}
	if isStale(err) {
		return show(q.staleRemoval(err))
	}
	return show(q.failed(err))
}

// staleRemoval says that what the person wanted to delete was changed meanwhile, by whom and when.
func (q *request) staleRemoval(err error) (status int) {
	by := ""
	if e, ok := errors.AsType[*vault.Error](err); ok && len(e.Related) == 1 {
		by = q.changeOf(e.Related[0])
	}
	q.notices = append(q.notices, notice{
		Kind: "failed",
		Text: "Somebody else changed it meanwhile" + by + ". Nothing was deleted. Look at it again before you delete it.",
	})
	return http.StatusConflict
}

func (q *request) deleteRequirementPage() error { return q.showRequirementRemoval(http.StatusOK) }

// storedRequirement is requirementOf; one that does not exist is an error.
func (q *request) storedRequirement() (vault.Requirement, vault.DeleteRequirementInput, error) {
	id, err := q.id()
	if err != nil {
		return vault.Requirement{}, vault.DeleteRequirementInput{}, err
	}
	r, exists, err := q.requirementOf(id)
	if err == nil && !exists {
		err = vault.Unknown("requirement", r.FieldName)
	}
	return r, vault.DeleteRequirementInput{
		ScenarioID: id, FieldName: r.FieldName, StepID: r.StepID, RuleID: r.RuleID,
	}, err
}

func (q *request) showRequirementRemoval(status int) error {
	r, in, err := q.storedRequirement()
	if err != nil {
		return err
	}
	preview, err := q.options.Query.DryRunDeleteRequirement(q.ctx, q.key.TenantID, in, query.Look{})
	if err != nil {
		return err
	}
	path := Path + "/scenarios/" + in.ScenarioID.String()
	hidden := []pair{{"field_name", r.FieldName}, {"step_id", r.StepID}}
	if r.RuleID != nil {
		hidden = append(hidden, pair{"rule_id", r.RuleID.String()})
	}
	return q.show(status, "Delete the requirement of "+r.FieldName, "schema", removalContent(removal{
		Text:   "The scenario no longer needs the field for it. A later extraction does not add it again.",
		Action: path + "/requirement/delete", Back: path, Token: q.session.Token, Seen: r.Version, Hidden: hidden,
		Preview: preview,
	}))
}

func (q *request) deleteRequirement() error {
	_, in, err := q.storedRequirement()
	if err != nil {
		return err
	}
	in.Based = basedOn(q.r.PostFormValue("seen"))
	page, err := saved(q, "/scenarios/"+in.ScenarioID.String(), vault.DeleteRequirement, in)
	return q.removed(page, err, q.showRequirementRemoval)
}
