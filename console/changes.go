package console

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/api"
	"github.com/contextvault/contextvault/vault"
)

// agentsOffered is the maximum number of agents in which the definition of a value is searched.
const agentsOffered = 50

// valueForm is a form that changes the active value of a field.
type valueForm struct {
	Customer uuid.UUID
	Value    vault.Value // the active one
	Agents   []agentChoice
	Token    string
	List     bool
	Masked   bool // the value is not shown: it must be revealed before it is corrected

	// What the person typed, and what was wrong with it, by field; "": the whole.
	Seen, Agent, Text, Reason, Method string
	Errors                            map[string]string
}

type agentChoice struct {
	ID         uuid.UUID
	Definition *vault.Definition
}

func (f valueForm) path(action string) string {
	return Path + "/customers/" + f.Customer.String() + "/values/" + f.Value.Name + "/" + action
}

// readValueForm reads the active value of the path. typed is the form as the person sent it.
func (q *request) readValueForm() (valueForm, error) {
	id, err := q.id()
	if err != nil {
		return valueForm{}, err
	}
	name := q.r.PathValue("name")
	if !vault.NamePattern.MatchString(name) {
		return valueForm{}, vault.Unknown("field", "it")
	}
	profile, err := q.options.Query.Profile(q.ctx, q.key.TenantID, id)
	if err != nil {
		return valueForm{}, err
	}
	value, ok := profile.Fields[name]
	if !ok {
		return valueForm{}, vault.Unknown("active value", name)
	}
	q.sees(profile.CustomerID, name)
	f := valueForm{
		Customer: profile.CustomerID, Value: value, Token: q.session.Token, Seen: value.ID.String(),
		Errors: map[string]string{},
	}
	if err := q.addAgents(&f); err != nil {
		return f, err
	}
	if q.r.Method == http.MethodPost {
		f.Seen, f.Agent = q.r.PostFormValue("seen"), q.r.PostFormValue("agent")
		f.Text, f.Reason = q.r.PostFormValue("value"), strings.TrimSpace(q.r.PostFormValue("reason"))
		f.Method = strings.TrimSpace(q.r.PostFormValue("method"))
	}
	return f, nil
}

// addAgents offers the agents that define the field, the one of the value first.
func (q *request) addAgents(f *valueForm) error {
	agents, _, err := q.options.Query.AgentsPage(q.ctx, q.key.TenantID, nil, agentsOffered)
	if err != nil {
		return err
	}
	for _, a := range agents {
		d, err := q.options.Query.Definition(q.ctx, q.key.TenantID, a.AgentID, f.Value.Name)
		if vault.CodeOf(err) == vault.CodeUnknown {
			continue
		}
		if err != nil {
			return err
		}
		choice := agentChoice{a.AgentID, &d}
		f.Masked = f.Masked || d.IsPII
		if f.Value.DefinitionID != nil && d.ID == *f.Value.DefinitionID {
			f.List = d.Multiple
			f.Agents = append([]agentChoice{choice}, f.Agents...)
		} else {
			f.Agents = append(f.Agents, choice)
		}
	}
	if len(f.Agents) == 0 {
		for _, a := range agents {
			f.Agents = append(f.Agents, agentChoice{ID: a.AgentID})
		}
	}
	f.Masked = f.Masked && q.reveal == ""
	if len(f.Agents) > 0 {
		f.Agent = f.Agents[0].ID.String()
	}
	return nil
}

func (q *request) correctPage() error {
	f, err := q.readValueForm()
	if err != nil {
		return err
	}
	if !f.Masked {
		f.Text = editable(f.Value.Value, f.List)
	}
	if q.r.Method == http.MethodPost { // it was revealed
		f.Seen, f.Agent, f.Reason = f.Value.ID.String(), "", ""
	}
	return q.show(http.StatusOK, "Correct "+f.Value.Name, "customers", correctContent(f))
}

// correct replaces a wrong value, if it is still the one that the person saw.
func (q *request) correct() error {
	f, err := q.readValueForm()
	if err != nil {
		return err
	}
	in := vault.CorrectValueInput{
		CustomerID: f.Customer, Name: f.Value.Name, Reason: f.Reason, CorrectedBy: q.decider(),
	}
	if f.Reason == "" {
		f.Errors["reason"] = "Enter why the value is wrong."
	}
	seen, err := uuid.Parse(f.Seen)
	if err != nil {
		return vault.Invalid("seen", "is missing; open the form again")
	}
	in.ReplacesID = &seen
	if in.AgentID, err = uuid.Parse(f.Agent); err != nil {
		f.Errors["agent"] = "Choose the agent whose definition checks the value."
	}
	if in.Value, err = typed(f.Text, f.Value.ValueType, f.List); err != nil {
		_, f.Errors["value"] = explain(err)
	}
	again := func() error {
		return q.show(http.StatusUnprocessableEntity, "Correct "+f.Value.Name, "customers", correctContent(f))
	}
	if len(f.Errors) > 0 {
		return again()
	}
	op, err := submit(q, vault.CorrectValue, in)
	if err != nil {
		return q.formFailed(&f, err, map[string]string{
			"value": "value", "reason": "reason", "agent_id": "agent", f.Value.Name: "value",
		}, again)
	}
	return q.after("/customers/"+f.Customer.String(), op)
}

// formFailed shows a form again with its error: beside the field that it is about, or on top. An error that no person
// can mend is returned.
func (q *request) formFailed(
	f *valueForm, err error, fields map[string]string, show func() error,
) error {
	e, ok := errors.AsType[*vault.Error](err)
	if !ok {
		return err
	}
	_, text := explain(err)
	field := fields[e.Field]
	if e.Code == vault.CodeConflict || field == "" {
		q.notices = append(q.notices, notice{Kind: "failed", Text: text + " Nothing was changed."})
		field = ""
	}
	f.Errors[field] = text
	return show()
}

func (q *request) verifyPage() error {
	f, err := q.readValueForm()
	if err != nil {
		return err
	}
	return q.show(http.StatusOK, "Verify "+f.Value.Name, "customers", verifyContent(f))
}

// verify marks a value as verified, if it is still the active one.
func (q *request) verify() error {
	f, err := q.readValueForm()
	if err != nil {
		return err
	}
	seen, err := uuid.Parse(f.Seen)
	if err != nil {
		return vault.Invalid("seen", "is missing; open the form again")
	}
	in := vault.VerifyValueInput{
		CustomerID: f.Customer, Name: f.Value.Name, Method: f.Method, VerifiedBy: q.decider(), ItemID: &seen,
	}
	if in.AgentID, err = uuid.Parse(f.Agent); err != nil {
		f.Errors["agent"] = "Choose the agent whose definition lists the methods."
	}
	if f.Method == "" {
		f.Errors["method"] = "Enter how the value was verified, such as document."
	}
	again := func() error {
		return q.show(http.StatusUnprocessableEntity, "Verify "+f.Value.Name, "customers", verifyContent(f))
	}
	if len(f.Errors) > 0 {
		return again()
	}
	op, err := submit(q, vault.VerifyValue, in)
	if err != nil {
		return q.formFailed(&f, err, map[string]string{"method": "method", "agent_id": "agent"}, again)
	}
	return q.after("/customers/"+f.Customer.String(), op)
}

func (q *request) expirePage() error {
	f, err := q.readValueForm()
	if err != nil {
		return err
	}
	return q.show(http.StatusOK, "Expire "+f.Value.Name, "customers", expireContent(f))
}

// expire ends a value, if it is still the active one.
func (q *request) expire() error {
	f, err := q.readValueForm()
	if err != nil {
		return err
	}
	seen, err := uuid.Parse(f.Seen)
	if err != nil {
		return vault.Invalid("seen", "is missing; open the form again")
	}
	op, err := submit(q, vault.ExpireValue, vault.ExpireValueInput{
		CustomerID: f.Customer, Name: f.Value.Name, ItemID: &seen,
	})
	if err != nil {
		return q.formFailed(&f, err, nil, func() error {
			return q.show(http.StatusUnprocessableEntity, "Expire "+f.Value.Name, "customers", expireContent(f))
		})
	}
	return q.after("/customers/"+f.Customer.String(), op)
}

// restore undoes the deletion of an item.
func (q *request) restore() error {
	id, err := q.id()
	if err != nil {
		return err
	}
	op, err := submit(q, vault.RestoreItem, vault.RestoreItemInput{ItemID: id})
	if err != nil {
		return err
	}
	return q.after("/items/"+id.String(), op)
}

// deletion is the content of the page that deletes an item.
type deletion struct {
	Item       uuid.UUID
	Name       string
	Customer   uuid.UUID
	Dependents []node
	More       bool
	Token      string
	MayForce   bool
	Reason     string
	Error      string
}

func (q *request) deletePage() error { return q.showDeletion(http.StatusOK, "", "") }

func (q *request) showDeletion(status int, reason, text string) error {
	id, err := q.id()
	if err != nil {
		return err
	}
	d := deletion{Item: id, Token: q.session.Token, MayForce: q.may(api.ScopeAdmin), Reason: reason, Error: text}
	if d.Customer, err = q.options.Query.CustomerOfItem(q.ctx, q.key.TenantID, id); err != nil {
		return err
	}
	g, err := q.readGraph(id)
	if err != nil {
		return err
	}
	d.Name, d.More = g.itself().Name, g.More
	for _, n := range g.Nodes {
		if n.Below {
			d.Dependents = append(d.Dependents, n)
		}
	}
	return q.show(status, "Delete "+d.Name, "customers", deletionContent(d))
}

// remove deletes an item. One with dependents is deleted by an admin who says so.
func (q *request) remove() error {
	id, err := q.id()
	if err != nil {
		return err
	}
	customer, err := q.options.Query.CustomerOfItem(q.ctx, q.key.TenantID, id)
	if err != nil {
		return err
	}
	force := q.r.PostFormValue("force") != ""
	if force && !q.may(api.ScopeAdmin) {
		return &vault.Error{
			Code: vault.CodeNotAllowed, Message: "force needs an API key with the scope admin; nothing was changed",
		}
	}
	reason := strings.TrimSpace(q.r.PostFormValue("reason"))
	op, err := submit(q, vault.DeleteItem, vault.DeleteItemInput{
		ItemID: id, Force: force, Reason: reason, RestorePrevious: q.r.PostFormValue("restore") != "",
	})
	if e, ok := errors.AsType[*vault.Error](err); ok && e.Code != vault.CodeUnknown {
		status, text := explain(err)
		return q.showDeletion(status, reason, text)
	}
	if err != nil {
		return err
	}
	return q.after("/customers/"+customer.String(), op)
}

// merge shows both customers first, and merges them once the person confirms.
func (q *request) merge() error {
	id, err := q.id()
	if err != nil {
		return err
	}
	page, err := q.readCustomer(id)
	if err != nil {
		return err
	}
	page.MergeID = strings.TrimSpace(q.r.PostFormValue("source"))
	source, err := uuid.Parse(page.MergeID)
	if err != nil {
		page.MergeError = "Enter the id of the other customer."
		return q.showCustomer(http.StatusUnprocessableEntity, page)
	}
	other, err := q.options.Query.Profile(q.ctx, q.key.TenantID, source)
	if vault.CodeOf(err) == vault.CodeUnknown {
		page.MergeError = "There is no customer with this id."
		return q.showCustomer(http.StatusNotFound, page)
	}
	if err != nil {
		return err
	}
	if other.CustomerID == page.Profile.CustomerID {
		page.MergeError = "This is the same customer."
		return q.showCustomer(http.StatusUnprocessableEntity, page)
	}
	if q.r.PostFormValue("confirmed") == "" {
		return q.show(http.StatusOK, "Merge two customers", "customers", mergeContent(page, other))
	}
	op, err := submit(q, vault.MergeCustomers, vault.MergeCustomersInput{
		SourceCustomerID: source, TargetCustomerID: id,
	})
	if e, ok := errors.AsType[*vault.Error](err); ok {
		page.MergeError = sentence(e.ForCaller()) + " Nothing was changed."
		status, _ := explain(err)
		return q.showCustomer(status, page)
	}
	if err != nil {
		return err
	}
	return q.after("/customers/"+id.String(), op)
}

// unmerge undoes the merge of the customer of the path, and leads to the page that the person came from.
func (q *request) unmerge() error {
	id, err := q.id()
	if err != nil {
		return err
	}
	op, err := submit(q, vault.UnmergeCustomer, vault.UnmergeCustomerInput{CustomerID: id})
	if _, ok := errors.AsType[*vault.Error](err); ok {
		page, readErr := q.readCustomer(id)
		if readErr != nil {
			return err
		}
		return q.showCustomer(q.failed(err), page)
	}
	if err != nil {
		return err
	}
	return q.after("/customers/"+id.String(), op)
}

// namesOf returns the names of the fields of a profile in their order.
func namesOf(p vault.Profile) []string { return slices.Sorted(maps.Keys(p.Fields)) }
