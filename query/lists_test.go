package query_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// pagesOf reads a list by id in pages of two.
func pagesOf[T any](
	v *vaultOf, read func(after *uuid.UUID, limit int) ([]T, bool, error), id func(T) uuid.UUID,
) []T {
	v.t.Helper()
	var out []T
	var after *uuid.UUID
	for {
		page, more, err := read(after, 2)
		v.must(err)
		if len(page) > 2 || more && len(page) == 0 {
			v.t.Fatalf("a page has %d entries, and more: %t", len(page), more)
		}
		out = append(out, page...)
		if !more {
			return out
		}
		last := id(page[len(page)-1])
		after = &last
	}
}

func (v *vaultOf) rule(scenario uuid.UUID, name string) uuid.UUID {
	v.t.Helper()
	in := vault.Rule{ID: newID(), AgentID: v.agent, ScenarioID: scenario, Name: name, Condition: "always"}
	r, err := trigger.Submit(v.t.Context(), v.trigger, v.tenant, vault.SaveRule, in)
	v.run(r, err, step(v.steps.Scenarios.PersistRule))
	return in.ID
}

func TestAgentsPage_DefinitionsAndScenarios(t *testing.T) {
	t.Parallel()
	v := newVault(t, "")
	want := map[uuid.UUID][2]int64{}
	for i := range 5 {
		v.agent = newID()
		if i != 0 {
			v.define(vault.Definition{Name: "plan", ValueType: vault.TypeString})
		}
		if i != 1 {
			v.scenario()
			v.scenario()
		}
		want[v.agent] = [2]int64{int64(min(i, 1)), map[bool]int64{true: 2}[i != 1]}
	}
	got := map[uuid.UUID][2]int64{}
	all := pagesOf(v, func(after *uuid.UUID, limit int) ([]vault.AgentSummary, bool, error) {
		return v.AgentsPage(t.Context(), v.tenant, after, limit)
	}, func(a vault.AgentSummary) uuid.UUID { return a.AgentID })
	for _, a := range all {
		got[a.AgentID] = [2]int64{a.Definitions, a.Scenarios}
	}
	v.equal("agents", want, got)
	v.equal("number of entries", len(want), len(all))
	others, _, err := v.AgentsPage(t.Context(), v.other, nil, 10)
	v.must(err)
	v.equal("agents of another tenant", 0, len(others))
}

func TestScenariosAndRulesPages_OfAnAgent(t *testing.T) {
	t.Parallel()
	v := newVault(t, "")
	var scenarios, rules []uuid.UUID
	for range 3 {
		scenarios = append(scenarios, v.scenario().ID)
	}
	v.define(vault.Definition{Name: "plan", ValueType: vault.TypeString})
	v.require(scenarios[1], vault.Requirement{FieldName: "plan"})
	for range 3 {
		rules = append(rules, v.rule(scenarios[1], "adults"))
	}
	elsewhere := v.rule(scenarios[2], "minors")
	found := pagesOf(v, func(after *uuid.UUID, limit int) ([]vault.ScenarioSummary, bool, error) {
		return v.ScenariosPage(t.Context(), v.tenant, v.agent, after, limit)
	}, func(s vault.ScenarioSummary) uuid.UUID { return s.ID })
	var ids []uuid.UUID
	for _, s := range found {
		ids = append(ids, s.ID)
	}
	v.equal("scenarios", scenarios, ids)
	if s := found[1]; s.Name != "Loan" || s.Rules != 3 || s.Requirements != 1 || s.UpdatedAt.IsZero() {
		t.Errorf("got %+v", s)
	}
	for scenario, want := range map[*uuid.UUID][]uuid.UUID{
		nil: append(append([]uuid.UUID{}, rules...), elsewhere), &scenarios[1]: rules, &scenarios[0]: nil,
	} {
		var ids []uuid.UUID
		for _, r := range pagesOf(v, func(after *uuid.UUID, limit int) ([]vault.RuleSummary, bool, error) {
			return v.RulesPage(t.Context(), v.tenant, v.agent, scenario, after, limit)
		}, func(r vault.RuleSummary) uuid.UUID { return r.ID }) {
			ids = append(ids, r.ID)
		}
		v.equal("rules", want, ids)
	}
	_, _, err := v.ScenariosPage(t.Context(), v.tenant, newID(), nil, 10)
	v.refused(err, vault.CodeUnknown, "agent")
	_, _, err = v.RulesPage(t.Context(), v.other, v.agent, nil, nil, 10)
	v.refused(err, vault.CodeUnknown, "agent")
}

func TestSessionsPage_NewestFirst(t *testing.T) {
	t.Parallel()
	v := newVault(t, "")
	var want []uuid.UUID
	for range 5 {
		want = append([]uuid.UUID{v.session(nil)}, want...)
	}
	v.of(newID()).session(nil)
	read := func(customer uuid.UUID) (ids []uuid.UUID) {
		t.Helper()
		var after *query.SessionPosition
		for {
			page, more, err := v.SessionsPage(t.Context(), v.tenant, customer, after, 2)
			v.must(err)
			for _, s := range page {
				if s.AgentID != v.agent || s.Turns != 1 {
					t.Errorf("got %+v", s)
				}
				ids = append(ids, s.ID)
				after = &query.SessionPosition{CreatedAt: s.CreatedAt, ID: s.ID}
			}
			if !more {
				return ids
			}
		}
	}
	v.equal("sessions", want, read(v.customer))
	// After a merge both customers have the sessions of both.
	other := v.of(newID())
	other.define(vault.Definition{Name: "plan", ValueType: vault.TypeString})
	other.write("plan", "gold")
	v.write("plan", "gold")
	want = append([]uuid.UUID{other.session(nil)}, want...)
	v.must(v.merge(other.customer, v.customer))
	for _, customer := range []uuid.UUID{v.customer, other.customer} {
		v.equal("sessions after the merge", want, read(customer))
	}
	_, _, err := v.SessionsPage(t.Context(), v.other, v.customer, nil, 10)
	v.refused(err, vault.CodeUnknown, "customer")
}

func TestMergesPage_SaysWhatCanBeUndone(t *testing.T) {
	t.Parallel()
	v := newVault(t, "")
	v.define(vault.Definition{Name: "plan", ValueType: vault.TypeString})
	a, b, c, d := newID(), newID(), newID(), newID()
	for _, customer := range []uuid.UUID{a, b, c, d} {
		v.of(customer).write("plan", "gold")
	}
	states := func(customer uuid.UUID) map[[2]uuid.UUID]vault.MergeState {
		t.Helper()
		out := map[[2]uuid.UUID]vault.MergeState{}
		for _, m := range pagesOf(v, func(after *uuid.UUID, limit int) ([]vault.Merge, bool, error) {
			return v.MergesPage(t.Context(), v.tenant, customer, after, limit)
		}, func(m vault.Merge) uuid.UUID { return m.ID }) {
			if m.MergedAt.IsZero() || (m.UndoneAt != nil) != (m.State == vault.MergeUndone) {
				t.Errorf("got %+v", m)
			}
			out[[2]uuid.UUID{m.SourceCustomerID, m.TargetCustomerID}] = m.State
		}
		return out
	}
	type want = map[[2]uuid.UUID]vault.MergeState
	merged := func(customer uuid.UUID) (requested *uuid.UUID, others []uuid.UUID) {
		t.Helper()
		for range 2 { // from PostgreSQL, then from Redis
			p, err := v.Profile(t.Context(), v.tenant, customer)
			v.must(err)
			requested, others = p.RequestedCustomerID, p.MergedCustomers
		}
		return requested, others
	}
	v.equal("merges of a customer without one", want{}, states(a))
	v.must(v.merge(a, b))
	v.must(v.merge(c, b))
	v.equal("merges into b", want{{a, b}: vault.MergeUndoable, {c, b}: vault.MergeUndoable}, states(b))
	v.equal("the merge of a", want{{a, b}: vault.MergeUndoable}, states(a))
	if requested, others := merged(a); requested == nil || *requested != a || !cmp.Equal(others, []uuid.UUID{a, c}) {
		t.Errorf("the profile of a says %v, %v", requested, others)
	}
	if requested, others := merged(b); requested != nil || !cmp.Equal(others, []uuid.UUID{a, c}) {
		t.Errorf("the profile of b says %v, %v", requested, others)
	}

	v.must(v.unmerge(c))
	v.must(v.merge(b, d))
	v.equal("merges into d, and into b before", want{
		{a, b}: vault.MergeTargetMerged, {b, d}: vault.MergeUndoable, {c, b}: vault.MergeUndone,
	}, states(d))
	if requested, others := merged(a); requested == nil || *requested != a || !cmp.Equal(others, []uuid.UUID{a, b}) {
		t.Errorf("the profile of a says %v, %v", requested, others)
	}
	if requested, others := merged(c); requested != nil || len(others) > 0 {
		t.Errorf("the profile of c says %v, %v", requested, others)
	}
	v.refused(v.unmerge(d), vault.CodeConflict, "not merged into another", b.String())
	_, _, err := v.MergesPage(t.Context(), v.other, d, nil, 10)
	v.refused(err, vault.CodeUnknown, "customer")
}

func TestOperationsPage_Filters(t *testing.T) {
	t.Parallel()
	v := newVault(t, "")
	v.define(vault.Definition{Name: "plan", ValueType: vault.TypeString})
	second := v.of(newID())
	v.write("plan", "gold")
	v.write("plan", "silver")
	second.write("plan", "gold")
	refused, err := trigger.Submit(t.Context(), v.trigger, v.tenant, vault.WriteValue, v.fact("unknown", "x"))
	v.refused(v.try(refused, err, step(v.steps.Values.PersistValue)), vault.CodeInvalid)
	open, err := trigger.Submit(t.Context(), v.trigger, v.tenant, vault.WriteValue, v.fact("plan", "bronze"))
	v.must(err)
	imported, err := trigger.Submit(t.Context(), v.trigger, v.tenant, vault.ImportValues, vault.ImportValuesInput{
		Writes: []vault.WriteValueInput{v.fact("plan", "imported")},
	})
	v.run(imported, err, step(v.steps.Imports.PersistImport), v.acknowledge)
	fill, err := trigger.Submit(t.Context(), v.trigger, v.tenant, vault.FillGaps, vault.FillGapsInput{
		CustomerID: v.customer, ScenarioID: newID(),
	})
	v.must(err)

	list := func(filter vault.OperationFilter) []vault.OperationSummary {
		t.Helper()
		return pagesOf(v, func(after *uuid.UUID, limit int) ([]vault.OperationSummary, bool, error) {
			return v.OperationsPage(t.Context(), v.tenant, filter, after, limit)
		}, func(op vault.OperationSummary) uuid.UUID { return op.ID })
	}
	for _, c := range []struct {
		name   string
		filter vault.OperationFilter
		count  int
		newest uuid.UUID
	}{
		{"all", vault.OperationFilter{}, 8, fill.ID},
		{"failed", vault.OperationFilter{Status: "failed"}, 1, refused.ID},
		{"failed imports", vault.OperationFilter{Status: "failed", Workflow: "import-values"}, 0, uuid.Nil},
		{"succeeded", vault.OperationFilter{Status: "succeeded"}, 5, imported.ID},
		{"accepted", vault.OperationFilter{Status: "accepted"}, 2, fill.ID},
		{"applied", vault.OperationFilter{Status: "applied"}, 0, uuid.Nil},
		{"unfinished", vault.OperationFilter{Status: "unfinished"}, 2, fill.ID},
		{"unfinished writes", vault.OperationFilter{Status: "unfinished", Workflow: "write-value"}, 1, open.ID},
		{"writes", vault.OperationFilter{Workflow: "write-value"}, 5, open.ID},
		{"of a customer", vault.OperationFilter{CustomerID: &v.customer}, 6, fill.ID},
		{"unfinished of a customer", vault.OperationFilter{CustomerID: &v.customer, Status: "unfinished"}, 2, fill.ID},
		{"failed of a customer", vault.OperationFilter{CustomerID: &v.customer, Status: "failed"}, 1, refused.ID},
		{
			"imports of a customer",
			vault.OperationFilter{CustomerID: &v.customer, Workflow: "import-values"},
			1,
			imported.ID,
		},
		{"of another customer", vault.OperationFilter{CustomerID: &second.customer, Workflow: "import-values"}, 0, uuid.Nil},
	} {
		ops := list(c.filter)
		if len(ops) != c.count || c.count > 0 && ops[0].ID != c.newest {
			t.Errorf("%s: got %+v, want %d, first %s", c.name, ops, c.count, c.newest)
		}
		for i := 1; i < len(ops); i++ {
			if ops[i].ID.String() >= ops[i-1].ID.String() {
				t.Errorf("%s: %s follows %s", c.name, ops[i].ID, ops[i-1].ID)
			}
		}
	}
	failed := list(vault.OperationFilter{Status: "failed"})[0]
	if failed.Error == nil || failed.Error.Code != vault.CodeInvalid || failed.Error.Detail == "" ||
		failed.Subject != v.customer.String() {
		t.Errorf("got %+v", failed)
	}
	v.must(v.merge(second.customer, v.customer))
	v.equal("operations of both after their merge", 8, len(list(vault.OperationFilter{CustomerID: &second.customer})))
	others, _, err := v.OperationsPage(t.Context(), v.other, vault.OperationFilter{}, nil, 10)
	v.must(err)
	v.equal("operations of another tenant", 0, len(others))
	_, _, err = v.OperationsPage(t.Context(), v.tenant, vault.OperationFilter{Status: "lost"}, nil, 10)
	v.refused(err, vault.CodeInvalid, "status", "unfinished")
	_, _, err = v.OperationsPage(t.Context(), v.tenant, vault.OperationFilter{Workflow: "writes"}, nil, 10)
	v.refused(err, vault.CodeInvalid, "workflow", "write-value")
}
