package query

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/internal/agents"
	"github.com/contextvault/contextvault/internal/required"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

const (
	// customersPerLook is the number of customers that a dry run reads at once. It bounds its memory.
	customersPerLook = 10
	// dryRunTime is the time after which a dry run looks at no more customers: an answer should come before a client or
	// a proxy gives up.
	dryRunTime = 10 * time.Second
	// dryRunReasons is the maximum number of reasons why values would be invalid, and dryRunKinds of those that are
	// counted apart.
	dryRunReasons, dryRunKinds = 10, 1000
)

// Look selects the customers that a dry run looks at, in the order of their ids.
type Look struct {
	After     *uuid.UUID // nil: from the first
	Customers int        // at most; 0: vault.DefaultDryRunCustomers
}

// DryRunDefinition says what would become of values, scenarios and requirements if a definition were saved.
func (q *Queries) DryRunDefinition(
	ctx context.Context, tenant uuid.UUID, changed vault.Definition, look Look,
) (vault.DryRun, error) {
	if err := rules.Check(changed); err != nil {
		return vault.DryRun{}, err
	}
	d, err := q.newDryRun(ctx, tenant, changed.AgentID, changed)
	if err != nil {
		return vault.DryRun{}, err
	}
	changed.Origin, changed.Review = vault.OriginHuman, vault.ReviewNone
	after := rules.WithDefinition(d.definitions, changed)
	if before, ok := d.definitions[changed.Name]; ok {
		d.before = &before
	} else if len(d.definitions) >= vault.MaxDefinitions {
		return vault.DryRun{}, vault.Invalid("agent_id",
			"the agent has %d definitions; the limit is %d, so delete those that it does not use",
			len(d.definitions), vault.MaxDefinitions)
	}
	d.after = &changed
	d.out.Kind, d.out.Name = vault.KindDefinition, changed.Name
	d.out.Action, d.out.Members = rules.ChangeOfDefinition(d.before, changed)
	d.out.Effects = rules.DefinitionEffects(d.before, changed, slices.Collect(maps.Keys(d.definitions)))
	d.out.References = rules.FieldReferences(changed.Name, after, d.all(), d.texts)
	d.out.Values = &vault.DryRunValues{}
	d.personal = d.policies[changed.Name].PII
	policies := d.policiesWith(changed)
	for _, id := range d.scenarioIDs() {
		if !slices.ContainsFunc(d.requirements[id], func(r vault.Requirement) bool { return r.FieldName == changed.Name }) {
			continue
		}
		before, then := d.setup(id), d.setup(id)
		then.Definitions, then.Policies = after, policies
		d.compare(before, then)
	}
	return d.run(ctx, look)
}

// DryRunRequirement says for whom a scenario would ask for something else if a requirement were saved.
func (q *Queries) DryRunRequirement(
	ctx context.Context, tenant uuid.UUID, changed vault.Requirement, look Look,
) (vault.DryRun, error) {
	if err := required.Check(ctx, q.db.Tenant(tenant), tenant, changed); err != nil {
		return vault.DryRun{}, err
	}
	d, err := q.newDryRun(ctx, tenant, changed.AgentID, changed)
	if err != nil {
		return vault.DryRun{}, err
	}
	before, then := d.setup(changed.ScenarioID), d.setup(changed.ScenarioID)
	var stored *vault.Requirement
	then.Requirements, stored = rules.WithRequirement(before.Requirements, changed)
	d.out.Kind, d.out.Name = vault.KindRequirement, changed.FieldName
	d.out.Action, d.out.Members = rules.ChangeOfRequirement(stored, changed)
	for _, warning := range rules.UndefinedReferences(changed, slices.Collect(maps.Keys(d.definitions))) {
		member, text, _ := strings.Cut(warning, ": ")
		d.out.Effects = append(d.out.Effects, vault.DryRunEffect{Member: member, Text: text})
	}
	d.out.References = rules.FieldReferences(changed.FieldName, d.definitions, d.all(), d.texts)
	d.personal = len(d.personalFields()) > 0 && changed.WhenCondition != ""
	d.compare(before, then)
	return d.run(ctx, look)
}

// DryRunScenario says what would become of requirements and customers if a scenario were saved. What the extraction
// will find in its new text is not known before.
func (q *Queries) DryRunScenario(
	ctx context.Context, tenant uuid.UUID, changed vault.Scenario, look Look,
) (vault.DryRun, error) {
	if err := rules.Check(changed); err != nil {
		return vault.DryRun{}, err
	}
	row, err := q.db.Tenant(tenant).GetScenario(ctx, tenant, changed.ID)
	if err == nil && row.AgentID != changed.AgentID {
		err = vault.Conflict("agent_id", "agent_id: scenario %s belongs to agent %s", changed.ID, row.AgentID)
	}
	if err != nil && !db.IsNotFound(err) {
		return vault.DryRun{}, err
	}
	d, err := q.newDryRun(ctx, tenant, changed.AgentID, changed)
	if err != nil {
		return vault.DryRun{}, err
	}
	d.out.Kind, d.out.Name = vault.KindScenario, changed.Name
	stored, exists := d.texts.Scenarios[changed.ID]
	if !exists {
		d.out.Action = vault.ChangeCreate
		d.out.Complete = true
		return d.out, nil
	}
	d.out.Action, d.out.Members = rules.ChangeOfText(&stored, changed)
	if d.out.Action != vault.ChangeKeep {
		own := slices.DeleteFunc(slices.Clone(d.requirements[changed.ID]), func(r vault.Requirement) bool {
			return r.RuleID != nil && (r.StepID == "" || changed.HasStep(r.StepID))
		})
		d.out.Effects, d.out.References = rules.TextEffects(own, d.texts, &changed, rules.TextsOf(changed))
	}
	d.personal = len(d.personalFields()) > 0
	before, then := d.setup(changed.ID), d.setup(changed.ID)
	then.Scenario = changed
	d.compare(before, then)
	return d.run(ctx, look)
}

// DryRunRule says what would become of the requirements of a rule if it were saved. What the extraction will find in
// its new text is not known before, so no customer is looked at.
func (q *Queries) DryRunRule(ctx context.Context, tenant uuid.UUID, changed vault.Rule) (vault.DryRun, error) {
	if err := rules.Check(changed); err != nil {
		return vault.DryRun{}, err
	}
	if err := agents.CheckInput(ctx, q.db.Tenant(tenant), tenant, "", changed); err != nil {
		return vault.DryRun{}, err
	}
	scenario, err := q.Scenario(ctx, tenant, changed.ScenarioID)
	if err == nil && scenario.AgentID != changed.AgentID {
		err = vault.Invalid("agent_id", "scenario %s belongs to agent %s", changed.ScenarioID, scenario.AgentID)
	}
	if err != nil {
		return vault.DryRun{}, err
	}
	out := vault.DryRun{Kind: vault.KindRule, Name: changed.Name, Action: vault.ChangeCreate, Complete: true}
	stored, err := q.Rule(ctx, tenant, changed.ID)
	switch {
	case vault.CodeOf(err) == vault.CodeUnknown:
		return out, nil
	case err != nil:
		return out, err
	case stored.ScenarioID != changed.ScenarioID:
		return out, vault.Conflict("scenario_id",
			"scenario_id: rule %s belongs to scenario %s", changed.ID, stored.ScenarioID)
	}
	out.Action, out.Members = rules.ChangeOfText(&stored, changed)
	if out.Action == vault.ChangeKeep {
		return out, nil
	}
	all, err := q.Requirements(ctx, tenant, changed.ScenarioID)
	if err != nil {
		return out, err
	}
	own := slices.DeleteFunc(slices.Clone(all), func(r vault.Requirement) bool {
		return r.RuleID == nil || *r.RuleID != changed.ID
	})
	out.Effects, out.References = rules.TextEffects(own, rules.Texts{
		Scenarios: map[uuid.UUID]vault.Scenario{scenario.ID: scenario},
		Rules:     map[uuid.UUID]vault.Rule{changed.ID: changed},
	}, nil, []string{changed.Condition, changed.Action})
	return out, nil
}

// dryRun compares what is stored with what would be.
type dryRun struct {
	q      *Queries
	tenant uuid.UUID
	guard  *guard
	now    time.Time
	out    vault.DryRun

	definitions  map[string]vault.Definition
	requirements map[uuid.UUID][]vault.Requirement // by scenario
	texts        rules.Texts
	policies     map[string]rules.FieldPolicy
	policyRows   []dbgen.ListFieldPoliciesRow
	agent        uuid.UUID

	before, after *vault.Definition // of the field whose values are checked; after nil: none
	pairs         []setups
	personal      bool // which customer is affected could tell a personal value
	steps         int  // of the checks of values
	reasons       map[string]int
}

// setups are what decides about a scenario, as it is and as it would be.
type setups struct {
	before, after rules.Setup
	missing       map[vault.DryRunMissing]int // without a number → customers
	asked         []uuid.UUID                 // examples, after those for whom it could no longer start
}

// newDryRun reads the configuration of an agent. An agent without any is new. A change that the reader could not save
// is refused: its numbers would tell of fields that belong to other agents.
func (q *Queries) newDryRun(ctx context.Context, tenant, agent uuid.UUID, changed any) (*dryRun, error) {
	if err := agents.CheckInput(ctx, q.db.Tenant(tenant), tenant, "", changed); err != nil {
		return nil, err
	}
	g, err := q.guard(ctx, tenant)
	if err != nil {
		return nil, err
	}
	d := &dryRun{
		q: q, tenant: tenant, guard: g, now: time.Now(), agent: agent, reasons: map[string]int{},
		definitions: map[string]vault.Definition{}, requirements: map[uuid.UUID][]vault.Requirement{},
		texts:    rules.Texts{Scenarios: map[uuid.UUID]vault.Scenario{}, Rules: map[uuid.UUID]vault.Rule{}},
		policies: map[string]rules.FieldPolicy{},
	}
	tq := q.db.Tenant(tenant)
	definitions, err := tq.ListDefinitions(ctx, tenant, agent)
	if err != nil {
		return nil, err
	}
	for _, row := range definitions {
		if d.definitions[row.Name], err = db.DefinitionOf(row); err != nil {
			return nil, err
		}
	}
	scenarios, err := tq.ListScenarios(ctx, tenant, agent)
	if err != nil {
		return nil, err
	}
	for _, row := range scenarios {
		if d.texts.Scenarios[row.ID], err = db.ScenarioOf(row); err != nil {
			return nil, err
		}
	}
	behaviour, err := tq.ListRules(ctx, tenant, agent)
	if err != nil {
		return nil, err
	}
	for _, row := range behaviour {
		if d.texts.Rules[row.ID], err = db.RuleOf(row); err != nil {
			return nil, err
		}
	}
	requirements, err := tq.ListAgentRequirements(ctx, tenant, agent)
	if err != nil {
		return nil, err
	}
	for _, row := range requirements {
		d.requirements[row.ScenarioID] = append(d.requirements[row.ScenarioID], db.RequirementOf(row))
	}
	if d.policyRows, err = tq.ListFieldPolicies(ctx, tenant); err != nil {
		return nil, err
	}
	for _, r := range d.policyRows {
		d.policies[r.Name] = d.policies[r.Name].Add(r.Purposes, r.IsPii)
	}
	return d, nil
}

// policiesWith returns the policies of the tenant if a definition were saved.
func (d *dryRun) policiesWith(changed vault.Definition) map[string]rules.FieldPolicy {
	out := maps.Clone(d.policies)
	policy := rules.FieldPolicy{}.Add(changed.Purposes, changed.IsPII)
	for _, r := range d.policyRows {
		if r.Name == changed.Name && r.AgentID != d.agent {
			policy = policy.Add(r.Purposes, r.IsPii)
		}
	}
	out[changed.Name] = policy
	return out
}

// personalFields returns the personal fields of the tenant.
func (d *dryRun) personalFields() []string {
	var out []string
	for name, policy := range d.policies {
		if policy.PII {
			out = append(out, name)
		}
	}
	return out
}

func (d *dryRun) scenarioIDs() []uuid.UUID {
	return slices.SortedFunc(maps.Keys(d.texts.Scenarios), func(a, b uuid.UUID) int {
		return cmp.Or(strings.Compare(d.texts.Scenarios[a].Name, d.texts.Scenarios[b].Name),
			strings.Compare(a.String(), b.String()))
	})
}

func (d *dryRun) all() []vault.Requirement {
	var out []vault.Requirement
	for _, id := range d.scenarioIDs() {
		out = append(out, d.requirements[id]...)
	}
	return out
}

// setup is what decides about a scenario, as it is.
func (d *dryRun) setup(scenario uuid.UUID) rules.Setup {
	return rules.Setup{
		Scenario: d.texts.Scenarios[scenario], Requirements: d.requirements[scenario], Definitions: d.definitions,
		Policies: d.policies,
	}
}

// compare adds a scenario to compare for each customer.
func (d *dryRun) compare(before, after rules.Setup) {
	d.pairs = append(d.pairs, setups{before: before, after: after, missing: map[vault.DryRunMissing]int{}})
	d.out.Scenarios = append(d.out.Scenarios, vault.DryRunScenario{
		ScenarioID: before.Scenario.ID, Name: before.Scenario.Name,
	})
}

// newCustomers says for each scenario what it asks of a customer of whom nothing is known.
func (d *dryRun) newCustomers(ctx context.Context) error {
	if err := d.q.conditions.Acquire(ctx, d.tenant.String()); err != nil {
		return err
	}
	defer d.q.conditions.Release(d.tenant.String())
	nothing := rules.Known{Now: d.now}
	for i, p := range d.pairs {
		was, is := p.before.StandingOf(nothing, nil), p.after.StandingOf(nothing, nil)
		d.out.Scenarios[i].NewCustomer = vault.DryRunStart{
			BlockedBefore: was.Blocked, BlockedAfter: is.Blocked, AsksBefore: was.Names(), AsksAfter: is.Names(),
		}
	}
	return nil
}

// run looks at customers, and returns what was found.
func (d *dryRun) run(ctx context.Context, look Look) (vault.DryRun, error) {
	limit := cmp.Or(look.Customers, vault.DefaultDryRunCustomers)
	if limit < 1 || limit > vault.MaxDryRunCustomers {
		return d.out, vault.Invalid("customers", "must be from 1 to %d", vault.MaxDryRunCustomers)
	}
	if err := d.newCustomers(ctx); err != nil {
		return d.out, err
	}
	d.out.ExamplesHidden = d.personal && d.guard != nil && d.guard.reader.access.Masked
	started, after := d.now, look.After
	looks := d.after != nil || d.out.Action != vault.ChangeKeep && len(d.pairs) > 0
	for looks {
		if d.out.Customers >= limit || d.steps > vault.MaxImportRegexSteps || time.Since(started) > dryRunTime {
			d.out.Next = after
			d.finish(ctx)
			return d.out, nil
		}
		page, more, err := d.q.CustomersPage(ctx, d.tenant, after, min(customersPerLook, limit-d.out.Customers))
		if err != nil {
			return d.out, err
		}
		ids := make([]uuid.UUID, len(page))
		for i, c := range page {
			ids[i] = c.CustomerID
		}
		if err := d.customers(ctx, ids); err != nil {
			return d.out, err
		}
		d.out.Customers += len(ids)
		if !more {
			break
		}
		after = &ids[len(ids)-1]
	}
	d.out.Complete = true
	d.finish(ctx)
	return d.out, nil
}

// finish adds what is counted apart.
func (d *dryRun) finish(ctx context.Context) {
	for i, p := range d.pairs {
		s := &d.out.Scenarios[i]
		for m, n := range p.missing {
			m.Customers = n
			s.Missing = append(s.Missing, m)
		}
		slices.SortFunc(s.Missing, func(a, b vault.DryRunMissing) int {
			return cmp.Or(cmp.Compare(b.Customers, a.Customers), strings.Compare(a.FieldName, b.FieldName),
				strings.Compare(string(a.Reason), string(b.Reason)))
		})
		s.Examples = append(s.Examples, p.asked...)
		s.Examples = s.Examples[:min(len(s.Examples), vault.MaxDryRunExamples)]
	}
	if d.out.Values != nil {
		for text, n := range d.reasons {
			d.out.Values.Reasons = append(d.out.Values.Reasons, vault.DryRunReason{Text: text, Values: n})
		}
		slices.SortFunc(d.out.Values.Reasons, func(a, b vault.DryRunReason) int {
			return cmp.Or(cmp.Compare(b.Values, a.Values), strings.Compare(a.Text, b.Text))
		})
		d.out.Values.Reasons = d.out.Values.Reasons[:min(len(d.out.Values.Reasons), dryRunReasons)]
	}
	d.out.Withheld = Withheld(ctx)
}

// customers looks at some customers.
func (d *dryRun) customers(ctx context.Context, ids []uuid.UUID) error {
	if len(ids) == 0 {
		return nil
	}
	consents, err := d.consents(ctx, ids)
	if err != nil {
		return err
	}
	if d.after != nil {
		if err := d.checkValues(ctx, ids); err != nil {
			return err
		}
	}
	if len(d.pairs) == 0 || d.out.Action == vault.ChangeKeep {
		return nil
	}
	fields, err := d.activeValues(ctx, ids)
	if err != nil {
		return err
	}
	if err := d.q.conditions.Acquire(ctx, d.tenant.String()); err != nil {
		return err
	}
	defer d.q.conditions.Release(d.tenant.String())
	for _, id := range ids {
		known := rules.Known{Fields: fields[id], Now: d.now}
		if err := ctx.Err(); err != nil {
			return err
		}
		for i := range d.pairs {
			d.compareFor(i, id, known, consents[id])
		}
	}
	return nil
}

// compareFor compares a scenario for a customer.
func (d *dryRun) compareFor(i int, customer uuid.UUID, known rules.Known, consents []vault.Consent) {
	p, s := &d.pairs[i], &d.out.Scenarios[i]
	before, after := p.before.StandingOf(known, consents), p.after.StandingOf(known, consents)
	lacks := rules.Lacks(before, after)
	for name, reason := range lacks {
		p.missing[vault.DryRunMissing{FieldName: name, Reason: reason}]++
	}
	if len(lacks) > 0 {
		s.Asked++
	}
	switch {
	case after.Blocked && !before.Blocked:
		s.Blocked++
		if !d.out.ExamplesHidden && len(s.Examples) < vault.MaxDryRunExamples {
			s.Examples = append(s.Examples, customer)
		}
	case before.Blocked && !after.Blocked:
		s.Unblocked++
	case len(lacks) > 0 && !d.out.ExamplesHidden && len(p.asked) < vault.MaxDryRunExamples:
		p.asked = append(p.asked, customer)
	}
}

// checkValues checks the values of the field.
func (d *dryRun) checkValues(ctx context.Context, ids []uuid.UUID) error {
	rows, err := d.q.db.Tenant(d.tenant).ListFieldValues(ctx, dbgen.ListFieldValuesParams{
		TenantID: d.tenant, Customers: ids, Name: d.after.Name,
	})
	if err != nil {
		return err
	}
	slices.SortFunc(rows, func(a, b dbgen.ListFieldValuesRow) int {
		return cmp.Or(strings.Compare(a.CustomerID.String(), b.CustomerID.String()),
			strings.Compare(a.CustomerValue.ID.String(), b.CustomerValue.ID.String()))
	})
	values := make([]vault.Value, len(rows))
	for i, r := range rows {
		values[i] = db.ValueOf(r.CustomerValue)
	}
	if err := d.q.sealer.OpenValues(ctx, d.tenant, values); err != nil {
		return err
	}
	out, affected := d.out.Values, map[uuid.UUID]bool{}
	for i, v := range values {
		hidden, err := d.hides(ctx, rows[i].CustomerID, v.Name)
		if err != nil {
			return err
		}
		if hidden {
			continue
		}
		d.steps += rules.CheckSteps(d.after, v.Value, vault.ModeStrict) +
			rules.CheckSteps(d.before, v.Value, vault.ModeStrict)
		change, reason := rules.CompareValue(d.before, *d.after, v.Value)
		out.Checked++
		switch change {
		case rules.ValueStays:
			continue
		case rules.ValueBroken:
			out.Broken++
			continue
		case rules.ValueInvalided:
		}
		out.Invalid++
		if _, counted := d.reasons[reason]; counted || len(d.reasons) < dryRunKinds {
			d.reasons[reason]++
		}
		affected[rows[i].CustomerID] = true
		if d.out.ExamplesHidden || len(out.Examples) >= vault.MaxDryRunExamples {
			continue
		}
		shown, err := d.guard.value(ctx, rows[i].CustomerID, &v)
		if err != nil {
			return err
		}
		if shown {
			out.Examples = append(out.Examples, vault.DryRunExample{
				CustomerID: rows[i].CustomerID, ItemID: v.ID, Status: v.Status, Value: v.Value, Reason: reason,
			})
		}
	}
	out.Customers += len(affected)
	return nil
}

// hides reports whether the reader may not see a field of a customer. Which change breaks a value, or which condition
// holds, would tell what it is, so it is left out of all numbers.
func (d *dryRun) hides(ctx context.Context, customer uuid.UUID, name string) (bool, error) {
	if d.guard.foreign(name) {
		return true, nil
	}
	return d.guard.withholds(ctx, customer, name)
}

// activeValues returns the active values of customers that the reader may see.
func (d *dryRun) activeValues(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]map[string]vault.Value, error) {
	rows, err := d.q.db.Tenant(d.tenant).ListCustomerValues(ctx, d.tenant, ids)
	if err != nil {
		return nil, err
	}
	values := make([]vault.Value, len(rows))
	for i, r := range rows {
		values[i] = db.ValueOf(r.CustomerValue)
	}
	if err := d.q.sealer.OpenValues(ctx, d.tenant, values); err != nil {
		return nil, err
	}
	out := make(map[uuid.UUID]map[string]vault.Value, len(ids))
	for i, r := range rows {
		hidden, err := d.hides(ctx, r.CustomerID, values[i].Name)
		if err != nil {
			return nil, err
		}
		if hidden {
			continue
		}
		if out[r.CustomerID] == nil {
			out[r.CustomerID] = map[string]vault.Value{}
		}
		out[r.CustomerID][values[i].Name] = values[i]
	}
	return out, nil
}

// consents returns the latest consents of customers, if a field of the tenant needs any.
func (d *dryRun) consents(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID][]vault.Consent, error) {
	needed := func(policies map[string]rules.FieldPolicy) bool {
		for _, policy := range policies {
			if len(policy.Purposes) > 0 {
				return true
			}
		}
		return false
	}
	if !needed(d.policies) && !slices.ContainsFunc(d.pairs, func(p setups) bool { return needed(p.after.Policies) }) {
		return nil, nil
	}
	rows, err := d.q.db.Tenant(d.tenant).ListCustomerConsents(ctx, d.tenant, ids)
	if err != nil {
		return nil, err
	}
	out := map[uuid.UUID][]vault.Consent{}
	for _, r := range rows {
		out[r.CustomerID] = append(out[r.CustomerID], db.ConsentOf(r.Consent))
	}
	if d.guard != nil {
		for _, id := range ids {
			d.guard.consents[id] = out[id]
		}
	}
	return out, nil
}
