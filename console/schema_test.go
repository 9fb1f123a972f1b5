package console_test

import (
	"encoding/json"
	"html"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/internal/testkit"
	"github.com/contextvault/contextvault/vault"
)

// schemaWorld has a scenario that needs a plan, and an age for the gold one, and a customer with a gold plan. The paths
// are those of the pages of the schema that need the scope write, and of the try-out.
func schemaWorld(t *testing.T, text string) (w *world, scenario uuid.UUID, paths map[string]string) {
	t.Helper()
	w = newWorld(t)
	w.define(func(d *vault.Definition) { d.DisplayName, d.Description = short(text), text }, "plan")
	w.define(func(d *vault.Definition) { d.ValueType = vault.TypeNumber }, "age")
	w.define(func(d *vault.Definition) { d.IsPII = true }, "passport")
	scenario = testkit.ID()
	apply(w, vault.SaveScenario, vault.Scenario{
		ID: scenario, AgentID: w.agent, Name: "Travel " + short(text), Description: "Hello. " + text,
		Steps: []vault.ScenarioStep{{ID: "greet", Text: text, Condition: text}},
	})
	rule := testkit.ID()
	apply(w, vault.SaveRule, vault.Rule{
		ID: rule, AgentID: w.agent, ScenarioID: scenario, Name: "Rule " + short(text), Condition: text, Action: text,
	})
	for _, r := range []vault.Requirement{
		{FieldName: "plan", RequiredLevel: vault.LevelHard},
		{FieldName: "age", RequiredLevel: vault.LevelHard, WhenCondition: `has(fields.plan) && fields.plan == "gold"`, Order: 1},
		{FieldName: "passport", RequiredLevel: vault.LevelSoft, DependsOn: []string{"age"}, Order: 2},
	} {
		r.AgentID, r.ScenarioID, r.FallbackAction = w.agent, scenario, vault.FallbackAsk
		apply(w, vault.SaveRequirement, r)
	}
	w.write("plan", "gold")
	w.write("passport", "X1234567")
	agent, at := "/agents/"+w.agent.String(), "/scenarios/"+scenario.String()
	return w, scenario, map[string]string{
		"new definition": agent + "/definition", "definition": agent + "/definition?name=plan",
		"delete definition": agent + "/definition/delete?name=plan",
		"new scenario":      agent + "/scenario", "edit scenario": agent + "/scenario?id=" + scenario.String(),
		"new rule": at + "/rule", "rule": at + "/rule?id=" + rule.String(),
		"new requirement": at + "/requirement", "requirement": at + "/requirement?field_name=age",
		"delete requirement": at + "/requirement/delete?field_name=age",
		"try":                at + "/try", "scenario": at, "agent": agent,
	}
}

var (
	hiddenField = regexp.MustCompile(`<input type="hidden" name="(seen|shown)" value="([^"]*)"`)
	inputField  = regexp.MustCompile(`(?s)<(?:input id="[^"]*"|textarea id="[^"]*") name="([^"]+)"(?: value="([^"]*)")?[^>]*>(?:([^<]*)</textarea>)?`)
	checkField  = regexp.MustCompile(`(?s)<input type="checkbox" name="([^"]+)" value="yes"[^>]*?( checked)?>`)
	selectField = regexp.MustCompile(`(?s)<select id="[^"]*" name="([^"]+)".*?</select>`)
	chosen      = regexp.MustCompile(`<option value="([^"]*)" selected`)
)

// fieldsOf returns the fields of the form of a page as a browser would send them, with changes.
func (p page) fieldsOf(changes ...string) []string {
	fields := map[string][]string{}
	for _, m := range hiddenField.FindAllStringSubmatch(p.body, -1) {
		fields[m[1]] = []string{m[2]}
	}
	for _, m := range inputField.FindAllStringSubmatch(p.body, -1) {
		fields[m[1]] = append(fields[m[1]], html.UnescapeString(m[2]+m[3]))
	}
	for _, m := range checkField.FindAllStringSubmatch(p.body, -1) {
		if m[2] != "" {
			fields[m[1]] = []string{"yes"}
		}
	}
	for _, m := range selectField.FindAllStringSubmatch(p.body, -1) {
		if of := chosen.FindStringSubmatch(m[0]); of != nil {
			fields[m[1]] = []string{html.UnescapeString(of[1])}
		}
	}
	for i := 0; i < len(changes); i += 2 {
		fields[changes[i]] = []string{changes[i+1]}
	}
	var out []string
	for name, values := range fields {
		for _, v := range values {
			out = append(out, name, v)
		}
	}
	return out
}

// A definition is previewed before it is saved, and a form that was opened before somebody else saved changes nothing.
func TestSchema_EditDefinition(t *testing.T) {
	t.Parallel()
	w, _, paths := schemaWorld(t, "plain")
	v := w.visitor(w.key)
	path := "/agents/" + w.agent.String() + "/definition"
	form := v.get(paths["definition"]).want(200)
	change := []string{"allowed_values", "silver\nbronze", "description", "What they booked."}
	v.post(path, form.fieldsOf(append(change, "do", "save")...)...).want(200).
		has("differs from the preview", "1 would be invalid", "starts as before")
	if d := w.definition("plan"); len(d.AllowedValues) != 0 {
		t.Fatal("a save without a preview saved")
	}
	shown := v.post(path, form.fieldsOf(append(change, "do", "preview")...)...).want(200).
		has("1 would be invalid", "is not one of the allowed values", "requirement of scenario", "Save it")
	w.define(func(d *vault.Definition) { d.Description = "Theirs" }, "plan")
	v.post(path, shown.fieldsOf("do", "save")...).want(409).
		has("Somebody else saved the definition plan meanwhile (process, 20", "Theirs", "Nothing was changed", "bronze")
	if d := w.definition("plan"); d.Description != "Theirs" {
		t.Errorf("a stale form changed it to %q", d.Description)
	}
	form = v.get(paths["definition"]).want(200)
	v.post(path, form.fieldsOf("required_verification", "yes", "do", "preview")...).want(200).
		has("1 customer would be asked for more", "plan would be missing (unverified)")
	shown = v.post(path, form.fieldsOf(append(change, "do", "preview")...)...).want(200)
	v.post(path, shown.fieldsOf("do", "save")...).want(200).has("save-definition succeeded")
	d := w.definition("plan")
	if len(d.AllowedValues) != 2 || d.Description != "What they booked." || !d.Enabled {
		t.Errorf("the saved definition is %+v", d)
	}
	v.post("/agents/"+w.agent.String()+"/definition/delete", "name", "age", "seen", "old").want(409).
		has("Somebody else changed it meanwhile (process, 20", "Nothing was deleted")
	v.get(paths["delete definition"]).want(200).has("requirement of scenario", "The deletion is refused while requirements need",
		"It deletes the definition plan", "1 are invalid already", "the agent would not define the field")
}

// definition returns a definition as it is stored.
func (w *world) definition(name string) vault.Definition {
	w.t.Helper()
	d, err := kit.Query.Definition(w.t.Context(), w.tenant, w.agent, name)
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

// An error is beside its field, and what was typed stays.
func TestSchema_ErrorsAreBesideTheirFields(t *testing.T) {
	t.Parallel()
	w, scenario, paths := schemaWorld(t, "plain")
	v := w.visitor(w.key)
	agent, at := "/agents/"+w.agent.String(), "/scenarios/"+scenario.String()
	for name, c := range map[string]struct {
		page, path, field, typed string
		also                     []string
	}{
		"a pattern":       {paths["definition"], agent + "/definition", "validation_regex", "([a-z", nil},
		"a number":        {paths["definition"], agent + "/definition", "minimum", "many", nil},
		"allowed numbers": {paths["definition"], agent + "/definition", "allowed_values", "x", []string{"value_type", "number"}},
		"a schema":        {paths["definition"], agent + "/definition", "json_schema", "{", nil},
		"a name":          {paths["new definition"], agent + "/definition", "name", "Plan B", nil},
		"a condition":     {paths["requirement"], at + "/requirement", "when_condition", "fields.plan ==", nil},
		"a type":          {paths["requirement"], at + "/requirement", "when_condition", "fields.age == \"old\"", nil},
		"a field":         {paths["new requirement"], at + "/requirement", "field_name", "nothing", nil},
		"variables":       {paths["edit scenario"], agent + "/scenario", "variables", "no value", nil},
		"an id":           {paths["new scenario"], agent + "/scenario", "id", "7", []string{"name", "x"}},
		"a rule":          {paths["rule"], at + "/rule", "condition", "", nil},
	} {
		form := v.get(c.page).want(200)
		p := v.post(c.path, form.fieldsOf(append(c.also, c.field, c.typed, "do", "preview")...)...)
		if p.status < 400 {
			t.Errorf("%s: status %d: %s", name, p.status, p.text())
			continue
		}
		beside := regexp.MustCompile(`(?s)id="` + c.field + `-error"[^>]*>([^<]+)<`).FindStringSubmatch(p.body)
		if beside == nil || strings.TrimSpace(beside[1]) == "" || !strings.Contains(p.body, html.EscapeString(c.typed)) {
			t.Errorf("%s: no error is beside %s, or what was typed is gone: %s", name, c.field, p.text())
		}
	}
}

// Scenarios, rules and requirements are created, changed and deleted.
func TestSchema_EditTheOthers(t *testing.T) {
	t.Parallel()
	w, scenario, paths := schemaWorld(t, "plain")
	v := w.visitor(w.key)
	agent, at := "/agents/"+w.agent.String(), "/scenarios/"+scenario.String()
	save := func(of, path string, changes ...string) {
		t.Helper()
		form := v.get(of).want(200)
		shown := v.post(path, form.fieldsOf(append(changes, "do", "preview")...)...).want(200).has("What the change would do")
		v.post(path, shown.fieldsOf("do", "save")...).want(200).has("succeeded")
	}
	save(paths["requirement"], at+"/requirement", "when_condition", "", "required_level", "soft")
	save(paths["new requirement"], at+"/requirement", "field_name", "passport", "step_id", "greet")
	save(paths["rule"], at+"/rule", "condition", "Always.")
	save(paths["new rule"], at+"/rule", "name", "Other", "condition", "Never.")
	save(paths["edit scenario"], agent+"/scenario", "variables", "country = Norway\ncity = Oslo")
	save(paths["new scenario"], agent+"/scenario", "name", "Another")
	save(paths["new definition"], agent+"/definition", "name", "pet", "value_type", "string")
	s, err := kit.Query.Scenario(t.Context(), w.tenant, scenario)
	if err != nil {
		t.Fatal(err)
	}
	if s.Variables["country"] != "Norway" || len(s.Steps) != 1 || s.Steps[0].ID != "greet" || !strings.HasPrefix(s.Name, "Travel") {
		t.Errorf("the saved scenario is %+v", s)
	}
	more := v.get(paths["edit scenario"]).want(200)
	if p := v.post(agent+"/scenario", more.fieldsOf("do", "step")...).want(200); strings.Count(p.body, `name="step_id"`) != 2 {
		t.Error("there is no other step")
	}
	removal := v.get(paths["delete requirement"]).want(200)
	v.post(at+"/requirement/delete", "field_name", "age", "seen", "old").want(409).has("Nothing was deleted")
	v.post(at+"/requirement/delete", append(removal.fieldsOf(), "field_name", "age")...).want(200).
		has("delete-requirement succeeded")
}

// The try-out says what is missing and why, and goes on with supposed answers, of which nothing is stored.
func TestScenario_TryOut(t *testing.T) {
	t.Parallel()
	w, scenario, paths := schemaWorld(t, "plain")
	v := w.visitor(w.newKey(nil, "read"))
	path := "/scenarios/" + scenario.String() + "/try"
	v.get(paths["try"]).want(200).has("cannot start", "The customer has no value.", "Its condition is false", "It waits for age", "Next: plan")
	v.post(path, "field", "plan", "answer", "silver", "do", "answer").want(200).has("can start", "Nothing is left to ask")
	v.post(path, "field", "plan", "answer", "gold", "do", "answer").want(200).has("cannot start", "Next: age")
	v.post(path, "assumed", "plan", "assumed_value", "gold", "field", "age", "answer", "old", "do", "answer").want(422).
		has("is not a JSON number", "Next: age")
	v.post(path, "assumed", "plan", "assumed_value", "gold", "field", "age", "answer", "36", "do", "answer").want(200).
		has("can start", "Next: passport")
	v.post(path, "customer", w.customer.String(), "do", "start").want(200).has("Next: age", "The customer has the value.").
		lacks("X1234567")
	v.post(path, "customer", "7", "do", "start").want(422).has("not the id of a customer")
	v.post(path, "customer", testkit.ID().String(), "do", "start").want(422).has("There is no customer with this id.")
	if w.active("age") != uuid.Nil {
		t.Error("the try-out stored a value")
	}
}

// A pattern is tried on samples and a condition on a customer. A masked key tries nothing: the outcome tells what values
// are.
func TestSchema_LiveChecks(t *testing.T) {
	t.Parallel()
	w, scenario, paths := schemaWorld(t, "plain")
	v := w.visitor(w.key)
	form := v.get(paths["definition"]).want(200)
	p := v.post("/agents/"+w.agent.String()+"/definition",
		form.fieldsOf("validation_regex", "[a-z]+", "samples", "gold\nGOLD", "do", "check")...).want(200)
	p.has("valid gold", "invalid GOLD", "does not match the pattern")
	at := "/scenarios/" + scenario.String() + "/requirement"
	form = v.get(paths["requirement"]).want(200)
	try := func(of *visitor, condition string) page {
		return of.post(at, form.fieldsOf("when_condition", condition, "customer", w.customer.String(), "do", "check")...)
	}
	try(v, `fields.plan == "gold"`).has("true: the requirement applies", "plan")
	try(v, `fields.plan == "silver"`).has("false: the requirement does not apply")
	try(v, `fields.passport.startsWith("X")`).has("true: the requirement applies")
	all, _, err := kit.Query.AuditPage(t.Context(), w.tenant, vault.AuditFilter{Action: vault.AuditRead}, nil, 100)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(all, func(e vault.AuditEntry) bool {
		return e.Operation == "try-condition" && slices.Contains(e.Fields, "passport")
	}) {
		t.Errorf("the audit has no entry of the condition: %+v", all)
	}
	masked := w.visitor(w.newKey(func(in *dbgen.CreateAPIKeyParams) { in.Masked = true }, "read", "write"))
	masked.get(paths["requirement"]).want(403)
	try(masked, `fields.passport.startsWith("X")`).want(403).has("sees masked values only").lacks("true: the requirement applies")
	personal := v.get("/agents/" + w.agent.String() + "/definition?name=passport").want(200)
	masked.post("/agents/"+w.agent.String()+"/definition", personal.fieldsOf("validation_regex", "Y.*", "do", "preview")...).
		want(403).lacks("would be invalid", "X1234567", w.customer.String())
}

// Only a session with the scope admin makes a definition protect its values less.
func TestSchema_LooseningNeedsAdmin(t *testing.T) {
	t.Parallel()
	w, _, _ := schemaWorld(t, "plain")
	v := w.visitor(w.newKey(nil, "read", "write"))
	at := "/agents/" + w.agent.String() + "/definition"
	form := v.get(at + "?name=passport").want(200)
	shown := v.post(at, form.fieldsOf("is_pii", "", "do", "preview")...).want(200)
	v.post(at, shown.fieldsOf("is_pii", "", "do", "save")...).want(403).has("needs an API key with the scope admin")
	d, err := kit.Query.Definition(t.Context(), w.tenant, w.agent, "passport")
	if err != nil || !d.IsPII {
		t.Errorf("the definition is %+v, %v", d, err)
	}
}

// A session of another tenant or of a weaker key changes nothing, and neither does a form with a forged token.
func TestSchema_Rights(t *testing.T) {
	t.Parallel()
	w, scenario, paths := schemaWorld(t, "plain")
	before := w.schema()
	stranger := newWorld(t)
	other := stranger.visitor(stranger.key)
	other.url = w.url
	reader, v := w.visitor(w.newKey(nil, "read")), w.visitor(w.key)
	agent, at := "/agents/"+w.agent.String(), "/scenarios/"+scenario.String()
	for name, path := range paths {
		switch name {
		case "try", "scenario", "agent":
			reader.get(path).want(200).lacks("Edit", "Delete", "New ")
		default:
			reader.get(path).want(403)
		}
		if !strings.HasPrefix(name, "new ") || strings.HasPrefix(path, at) {
			other.get(path).want(404).lacks("plain", "Travel")
		}
	}
	for _, path := range []string{
		agent + "/definition", agent + "/definition/delete", agent + "/scenario", at + "/rule", at + "/requirement",
		at + "/requirement/delete",
	} {
		fields := []string{"name", "plan", "field_name", "plan", "id", scenario.String(), "do", "save"}
		reader.post(path, fields...).want(403).has("nothing was changed")
		v.post(path, append([]string{"token", "forged"}, fields...)...).want(403).has("not of your session")
		if p := other.post(path, fields...); p.status == 200 && strings.Contains(p.text(), "succeeded") {
			t.Errorf("another tenant changes %s: %s", path, p.text())
		}
	}
	v.post(at+"/try", "token", "forged").want(403)
	if after := w.schema(); after != before {
		t.Errorf("something was changed:\n%s\n%s", before, after)
	}
}

// schema is the configuration of the agent.
func (w *world) schema() string {
	w.t.Helper()
	c, err := kit.Query.Configuration(w.t.Context(), w.tenant, w.agent)
	if err != nil {
		w.t.Fatal(err)
	}
	encoded, err := json.Marshal(c)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(encoded)
}

// Markup in names and texts stays text, in the forms and the previews too.
func TestSchema_ShowsMarkupAsText(t *testing.T) {
	t.Parallel()
	w, scenario, paths := schemaWorld(t, hostile)
	v := w.visitor(w.key)
	check := func(name string, p page) {
		t.Helper()
		if strings.Contains(p.body, "<img") || strings.Contains(p.body, "<script>") {
			t.Errorf("%s has markup: %s", name, p.body)
		}
	}
	for name, path := range paths {
		check(name, v.get(path).want(200))
	}
	form := v.get(paths["definition"]).want(200)
	check("the preview", v.post("/agents/"+w.agent.String()+"/definition",
		form.fieldsOf("allowed_values", hostile, "unit", hostile, "samples", hostile, "do", "check")...))
	check("the preview", v.post("/agents/"+w.agent.String()+"/definition",
		form.fieldsOf("allowed_values", hostile, "do", "preview")...).want(200).has("alert(2)"))
	check("the try-out", v.post("/scenarios/"+scenario.String()+"/try", "field", "plan", "answer", hostile, "do", "answer").
		want(200).has("alert(2)"))
}

// A definition is edited, previewed and saved, and a scenario tried: with the mouse, without JavaScript and by keyboard.
func TestBrowser_Schema(t *testing.T) {
	t.Parallel()
	for name, first := range map[string][]chromedp.Action{
		"with JavaScript": nil, "without JavaScript": {withoutScripts},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, _, paths := schemaWorld(t, "plain")
			b := w.open(first...)
			b.goTo("/schema")
			b.press(`main a[href$="`+w.agent.String()+`"]`, `a[aria-label="Edit plan"]`)
			b.press(`a[aria-label="Edit plan"]`, "#allowed_values")
			b.do(chromedp.SetValue("#allowed_values", "silver"))
			b.press(`button.primary[value="preview"]`, "#preview")
			b.has("1 would be invalid", "is not one of the allowed values")
			b.press(`#preview ~ p button[value="save"], p button[value="save"]`, done)
			b.has("save-definition succeeded.")
			b.goTo(paths["requirement"])
			b.do(chromedp.SetValue("#customer", w.customer.String()))
			if first == nil {
				b.do(chromedp.SendKeys("#when_condition", " "), chromedp.WaitVisible("#checks .badge.verified"))
			} else {
				b.press(`button[value="check"]`, "#checks .badge.verified")
			}
			b.has("true: the requirement applies")
			b.goTo(paths["try"])
			b.do(chromedp.SetValue("#answer", "silver"))
			b.press(`button[value="answer"]`, "#trace")
			b.has("can start", "Supposed answers")
		})
	}
	t.Run("keyboard alone", func(t *testing.T) {
		t.Parallel()
		w, _, paths := schemaWorld(t, "plain")
		b := w.open()
		b.goTo("/agents/" + w.agent.String())
		b.focus(`a[aria-label="Edit plan"]`)
		b.enter("#validation_regex")
		b.focus("#validation_regex")
		b.do(chromedp.KeyEvent("s.*"))
		b.enter("#preview")
		b.has("1 would be invalid")
		b.focus(`button[value="save"]`)
		b.enter(done)
		b.has("save-definition succeeded.")
		b.goTo(paths["try"])
		b.focus("#customer")
		b.do(chromedp.KeyEvent(w.customer.String()))
		b.enter("#trace")
		b.has("Next: age")
	})
}

// A person sees what a deletion would break before it is confirmed, and a form that was opened before somebody else saved
// says who did and keeps what was typed: by keyboard and without JavaScript.
func TestBrowser_SchemaDeletionAndStaleForm(t *testing.T) {
	t.Parallel()
	for name, first := range map[string][]chromedp.Action{
		"by keyboard": nil, "without JavaScript": {withoutScripts},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, _, paths := schemaWorld(t, "plain")
			b := w.open(first...)
			press := func(button, wait string) {
				if first != nil {
					b.press(button, wait)
					return
				}
				b.focus(button)
				b.enter(wait)
			}
			b.goTo(paths["delete definition"])
			b.has("The deletion is refused while requirements need", "1 would be invalid", "Travel plain")
			press("main button.danger", ".notice.failed")
			b.has("is required by scenario")
			b.goTo(paths["delete requirement"])
			b.has("It deletes the requirement age", "A new customer is asked for", "dependency of scenario")
			press("main button.danger", done)
			b.has("delete-requirement succeeded.")

			b.goTo(paths["definition"])
			b.do(chromedp.SetValue("#allowed_values", "silver"))
			press(`button.primary[value="preview"]`, "#preview")
			w.define(func(d *vault.Definition) { d.Description = "Theirs" }, "plan")
			press(`button[value="save"]`, ".notice.failed")
			b.has("Somebody else saved the definition plan meanwhile", "Nothing was changed")
			var typed string
			b.do(chromedp.Value("#allowed_values", &typed))
			if typed != "silver" || w.definition("plan").Description != "Theirs" {
				t.Errorf("the form has %q, and the definition is %+v", typed, w.definition("plan"))
			}
		})
	}
}

// The pages of the schema fit two widths, in light and dark, and have no serious problem of accessibility.
func TestBrowser_SchemaPages(t *testing.T) {
	t.Parallel()
	w, _, paths := schemaWorld(t, "plain")
	b := w.open()
	for name, path := range paths {
		b.goTo(path)
		b.check(name)
	}
	b.goTo(paths["definition"])
	b.do(chromedp.SetValue("#allowed_values", "silver"))
	b.press(`button.primary[value="preview"]`, "#preview")
	b.check("preview")
}
