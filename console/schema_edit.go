package console

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/api"
	"github.com/contextvault/contextvault/vault"
)

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

// saved submits a change, and returns the page that says its outcome.
func saved[In, Out any](q *request, page string, spec vault.Spec[In, Out], in In) (string, error) {
	op, err := submit(q, spec, in)
	if err != nil {
		return "", err
	}
	return page + "?" + url.Values{"op": {op.String()}}.Encode(), nil
}

func (q *request) showForm(e editing, err error) error {
	if err != nil {
		return err
	}
	return q.show(http.StatusOK, e.title, "schema", schemaFormContent(*e.form))
}
