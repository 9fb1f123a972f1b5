package query_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel"

	"github.com/contextvault/contextvault/cache"
	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

func names(p vault.Profile) map[string]string {
	out := map[string]string{}
	for name, f := range p.Fields {
		out[name] = string(f.Value)
	}
	return out
}

func TestProfile_ActiveItems(t *testing.T) {
	t.Parallel()
	v := newVault(t, "")
	v.define(
		vault.Definition{Name: "plan", ValueType: vault.TypeString},
		vault.Definition{Name: "email", ValueType: vault.TypeEmail},
		vault.Definition{Name: "code", ValueType: vault.TypeString},
		vault.Definition{Name: "gone", ValueType: vault.TypeString},
	)
	v.write("plan", "silver")
	v.write("code", "A1", func(in *vault.WriteValueInput) { in.ExpiresAt = ptr(time.Now().Add(-time.Hour)) }) // expired
	v.write("gone", "A2", from(vault.SourceProfileField, ptr(newID())))                                       // orphaned
	// first from PostgreSQL, then from Redis
	for range 3 {
		p, err := v.Profile(t.Context(), v.tenant, v.customer)
		v.must(err)
		v.equal("fields", map[string]string{"plan": `"silver"`}, names(p))
	}
	last := v.write("plan", "gold")
	v.write("email", "ada@example.com")
	asset := v.asset("id card")
	for range 3 {
		p, err := v.Profile(t.Context(), v.tenant, v.customer)
		v.must(err)
		v.equal("fields", map[string]string{"plan": `"gold"`, "email": `"ada@example.com"`}, names(p))
		if p.CustomerID != v.customer || p.TenantID != v.tenant || p.Version != 6 || p.Fields["plan"].ID != last ||
			p.Fields["plan"].Status != vault.StatusActive {
			t.Errorf("got %+v", p)
		}
		if len(p.Assets) != 1 || p.Assets[0].ID != asset || p.Assets[0].StoragePath != "ids/1.png" ||
			p.Assets[0].Checksum == "" {
			t.Errorf("got assets %+v", p.Assets)
		}
	}
}

func TestHistory_NewestFirst(t *testing.T) {
	t.Parallel()
	v := newVault(t, "")
	v.define(vault.Definition{Name: "plan", ValueType: vault.TypeString}, vault.Definition{
		Name: "code", ValueType: vault.TypeString,
	})
	var ids []uuid.UUID
	for i := range 4 {
		ids = append(ids, v.write("plan", fmt.Sprint("plan ", i)))
	}
	versions, err := v.History(t.Context(), v.tenant, v.customer, "plan")
	v.must(err)
	if len(versions) != len(ids) {
		t.Fatalf("got %d versions", len(versions))
	}
	for i, f := range versions {
		at := len(ids) - 1 - i
		if f.ID != ids[at] || string(f.Value) != fmt.Sprintf(`"plan %d"`, at) {
			t.Errorf("version %d is %s, %s", i, f.ID, f.Value)
		}
		if i == 0 && (f.Status != vault.StatusActive || f.SupersededByID != nil) || i > 0 &&
			(f.Status != vault.StatusSuperseded || *f.SupersededByID != ids[at+1]) {
			t.Errorf("version %d is %s, superseded by %v", i, f.Status, f.SupersededByID)
		}
		one, err := v.Field(t.Context(), v.tenant, f.ID)
		v.must(err)
		v.equal("the version by its id", f, one)
	}
	if none, err := v.History(t.Context(), v.tenant, v.customer, "code"); err != nil || len(none) != 0 {
		t.Errorf("a field that was never written: got %v, %v", none, err)
	}
}

func TestChain_Sources(t *testing.T) {
	t.Parallel()
	session := newID()
	for _, c := range []struct {
		name  string
		first func(v *vaultOf) []func(*vault.WriteValueInput) // the origin: the source of the first value
		// number of further values, each derived from the one before
		more      int
		depth     int
		links     []string // "type name", origin first; sources outside the vault have no name
		truncated bool
		missing   bool
	}{
		{name: "no source", links: []string{"profile_field f0"}},
		{name: "an asset read by a tool", first: func(v *vaultOf) []func(*vault.WriteValueInput) {
			return []func(*vault.WriteValueInput){from(vault.SourceProfileAsset, ptr(v.asset("id card")))}
		}, more: 1, links: []string{"profile_asset id card", "profile_field f0", "profile_field f1"}},
		{name: "a session", first: func(*vaultOf) []func(*vault.WriteValueInput) {
			return []func(*vault.WriteValueInput){from(vault.SourceSession, &session)}
		}, more: 1, links: []string{"session ", "profile_field f0", "profile_field f1"}},
		{name: "a tool without an id", first: func(*vaultOf) []func(*vault.WriteValueInput) {
			return []func(*vault.WriteValueInput){from(vault.SourceTool, nil)}
		}, links: []string{"tool ", "profile_field f0"}},
		{name: "an external system", first: func(*vaultOf) []func(*vault.WriteValueInput) {
			return []func(*vault.WriteValueInput){from(vault.SourceExternal, &session)}
		}, links: []string{"external ", "profile_field f0"}},
		{name: "a missing source", first: func(*vaultOf) []func(*vault.WriteValueInput) {
			return []func(*vault.WriteValueInput){from(vault.SourceProfileField, &session)}
		}, more: 1, links: []string{"profile_field f0", "profile_field f1"}, missing: true},
		{name: "at the depth limit", more: 9, links: chainOf(0, 9)},
		{name: "over the depth limit", more: 10, links: chainOf(1, 10), truncated: true},
		{name: "at the depth limit, from a session", first: func(*vaultOf) []func(*vault.WriteValueInput) {
			return []func(*vault.WriteValueInput){from(vault.SourceSession, &session)}
		}, more: 9, links: append([]string{"session "}, chainOf(0, 9)...)},
		{name: "over the requested depth", more: 4, depth: 2, links: chainOf(3, 4), truncated: true},
		{name: "one link", more: 1, depth: 1, links: chainOf(1, 1), truncated: true},
		{name: "deeper than the default", more: 14, depth: 20, links: chainOf(0, 14)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			v := newVault(t, "")
			var change []func(*vault.WriteValueInput)
			if c.first != nil {
				change = c.first(v)
			}
			var last uuid.UUID
			for i := range c.more + 1 {
				name := fmt.Sprintf("f%d", i)
				v.define(vault.Definition{Name: name, ValueType: vault.TypeString})
				last = v.write(name, "x", change...)
				change = []func(*vault.WriteValueInput){from(vault.SourceProfileField, ptr(last))}
			}
			for range 3 { // first from PostgreSQL, then from Redis
				chain, err := v.Chain(t.Context(), v.tenant, last, c.depth)
				v.must(err)
				var links []string
				for _, l := range chain.Links {
					links = append(links, fmt.Sprintf("%s %s", l.Type, l.Name))
				}
				v.equal("links", c.links, links)
				if chain.Truncated != c.truncated || chain.Missing != c.missing {
					t.Errorf("got truncated %v, missing %v", chain.Truncated, chain.Missing)
				}
				if end := chain.Links[len(chain.Links)-1]; end.ID != last {
					t.Errorf("the chain ends in %s, want the item itself, %s", end.ID, last)
				}
			}
		})
	}
}

func chainOf(first, last int) []string {
	var out []string
	for i := first; i <= last; i++ {
		out = append(out, fmt.Sprintf("profile_field f%d", i))
	}
	return out
}

func TestChain_CycleEnds(t *testing.T) {
	t.Parallel()
	v := newVault(t, "")
	v.define(vault.Definition{Name: "plan", ValueType: vault.TypeString})
	first := v.write("plan", "a")
	second := v.write("plan", "b", from(vault.SourceProfileField, &first))
	dbtest.Exec(
		t, v.url, "UPDATE customer_values SET source_item_id = $1, source_item_type = 'profile_field' WHERE id = $2", second,
		first,
	)
	chain, err := v.Chain(t.Context(), v.tenant, second, 0)
	v.must(err)
	if len(chain.Links) != 2 {
		t.Errorf("got %d links of a cycle of two", len(chain.Links))
	}
}

func TestChain_DepthLimits(t *testing.T) {
	t.Parallel()
	v := newVault(t, "")
	v.define(vault.Definition{Name: "plan", ValueType: vault.TypeString})
	item := v.write("plan", "a")
	for depth, want := range map[int]vault.Code{
		-1: vault.CodeInvalid, 0: "", 1: "", 100: "", 101: vault.CodeInvalid, 1 << 40: vault.CodeInvalid,
	} {
		if _, err := v.Chain(t.Context(), v.tenant, item, depth); vault.CodeOf(err) != want {
			t.Errorf("depth %d: got %v", depth, err)
		}
	}
}

func TestDerived_Dependents(t *testing.T) {
	t.Parallel()
	v := newVault(t, "")
	v.define(vault.Definition{Name: "plan", ValueType: vault.TypeString}, vault.Definition{
		Name: "code", ValueType: vault.TypeString,
	})
	asset := v.asset("id card")
	code := v.write("code", "A1", from(vault.SourceProfileAsset, &asset))
	old := v.write("plan", "a", from(vault.SourceProfileAsset, &asset))
	newer := v.write("plan", "b", from(vault.SourceProfileAsset, &asset))
	v.write("plan", "c", from(vault.SourceProfileField, &code)) // derived from the code, not from the asset
	links, err := v.Derived(t.Context(), v.tenant, asset)
	v.must(err)
	got := map[uuid.UUID]vault.ItemStatus{}
	for _, l := range links {
		got[l.ID] = l.Status
	}
	v.equal("derived", map[uuid.UUID]vault.ItemStatus{
		code: vault.StatusActive, old: vault.StatusSuperseded, newer: vault.StatusSuperseded,
	}, got)
	if none, err := v.Derived(t.Context(), v.tenant, old); err != nil || len(none) != 0 {
		t.Errorf("of an item that nothing was made of: got %v, %v", none, err)
	}
}

// reads returns all reads of one row by name; each returns the number of results.
func (v *vaultOf) reads() map[string]func(ctx context.Context, q *query.Queries, tenant uuid.UUID) (int, error) {
	v.t.Helper()
	ctx := v.t.Context()
	v.define(vault.Definition{Name: "plan", ValueType: vault.TypeString}, vault.Definition{
		Name: "code", ValueType: vault.TypeString,
	})
	asset := v.asset("id card")
	item := v.write("plan", "gold", from(vault.SourceProfileAsset, &asset))
	scenario := v.scenario().ID
	v.require(scenario, vault.Requirement{FieldName: "code"})
	session := v.session(nil)
	r, err := trigger.Submit(ctx, v.trigger, v.tenant, vault.FillGaps, vault.FillGapsInput{
		CustomerID: v.customer, ScenarioID: scenario,
	})
	v.run(r, err, step(v.steps.Gaps.ResolveGaps), step(v.steps.Gaps.AskCustomer))
	questions, err := v.Questions(ctx, v.tenant, v.customer)
	v.must(err)
	if len(questions) != 1 {
		v.t.Fatalf("got %d questions", len(questions))
	}
	type ctxt = context.Context
	return map[string]func(ctxt, *query.Queries, uuid.UUID) (int, error){
		"Profile": func(ctx ctxt, q *query.Queries, tenant uuid.UUID) (int, error) {
			p, err := q.Profile(ctx, tenant, v.customer)
			return len(p.Fields), err
		},
		"History": func(ctx ctxt, q *query.Queries, tenant uuid.UUID) (int, error) {
			h, err := q.History(ctx, tenant, v.customer, "plan")
			return len(h), err
		},
		"HistoryPage": func(ctx ctxt, q *query.Queries, tenant uuid.UUID) (int, error) {
			h, _, err := q.HistoryPage(ctx, tenant, v.customer, "", nil, 10)
			return len(h), err
		},
		"CustomersPage": func(ctx ctxt, q *query.Queries, tenant uuid.UUID) (int, error) {
			page, _, err := q.CustomersPage(ctx, tenant, nil, 10)
			return len(page), err
		},
		"ActiveValues": func(ctx ctxt, q *query.Queries, tenant uuid.UUID) (int, error) {
			values, _, err := q.ActiveValues(ctx, tenant, []uuid.UUID{v.customer})
			return len(values[v.customer]), err
		},
		"Field": func(ctx ctxt, q *query.Queries, tenant uuid.UUID) (int, error) {
			f, err := q.Field(ctx, tenant, item)
			return len(f.Value), err
		},
		"Chain": func(ctx ctxt, q *query.Queries, tenant uuid.UUID) (int, error) {
			c, err := q.Chain(ctx, tenant, item, 0)
			return len(c.Links), err
		},
		"Chain of 3": func(ctx ctxt, q *query.Queries, tenant uuid.UUID) (int, error) {
			c, err := q.Chain(ctx, tenant, item, 3)
			return len(c.Links), err
		},
		"Derived": func(ctx ctxt, q *query.Queries, tenant uuid.UUID) (int, error) {
			d, err := q.Derived(ctx, tenant, asset)
			return len(d), err
		},
		"AnalysisFields": func(ctx ctxt, q *query.Queries, tenant uuid.UUID) (int, error) {
			d, err := q.AnalysisFields(ctx, tenant, asset)
			return len(d), err
		},
		"Scenario": func(ctx ctxt, q *query.Queries, tenant uuid.UUID) (int, error) {
			s, err := q.Scenario(ctx, tenant, scenario)
			return len(s.Steps), err
		},
		"Session": func(ctx ctxt, q *query.Queries, tenant uuid.UUID) (int, error) {
			s, err := q.Session(ctx, tenant, session)
			return len(s.Turns), err
		},
		"Definition": func(ctx ctxt, q *query.Queries, tenant uuid.UUID) (int, error) {
			d, err := q.Definition(ctx, tenant, v.agent, "plan")
			return len(d.Name), err
		},
		"Definitions": func(ctx ctxt, q *query.Queries, tenant uuid.UUID) (int, error) {
			d, err := q.Definitions(ctx, tenant, v.agent)
			return len(d), err
		},
		"Requirements": func(ctx ctxt, q *query.Queries, tenant uuid.UUID) (int, error) {
			d, err := q.Requirements(ctx, tenant, scenario)
			return len(d), err
		},
		"Missing": func(ctx ctxt, q *query.Queries, tenant uuid.UUID) (int, error) {
			m, err := q.Missing(ctx, tenant, query.MissingInput{CustomerID: v.customer, ScenarioID: scenario})
			return len(m.Missing), err
		},
		"Questions": func(ctx ctxt, q *query.Queries, tenant uuid.UUID) (int, error) {
			list, err := q.Questions(ctx, tenant, v.customer)
			return len(list), err
		},
		"QuestionsPage": func(ctx ctxt, q *query.Queries, tenant uuid.UUID) (int, error) {
			list, _, err := q.QuestionsPage(ctx, tenant, nil, nil, 10)
			return len(list), err
		},
		"Question": func(ctx ctxt, q *query.Queries, tenant uuid.UUID) (int, error) {
			one, err := q.Question(ctx, tenant, questions[0].ID)
			return len(one.Prompt), err
		},
		"Operation": func(ctx ctxt, q *query.Queries, tenant uuid.UUID) (int, error) {
			o, err := q.Operation(ctx, tenant, r.ID)
			return len(o.Workflow), err
		},
	}
}

// TestRead_OtherTenantIsUnknown runs every read with valid ids and the wrong tenant, after the right tenant filled the
// cache.
func TestRead_OtherTenantIsUnknown(t *testing.T) {
	t.Parallel()
	v := newVault(t, "")
	for name, read := range v.reads() {
		for range 2 {
			if n, err := read(t.Context(), v.Queries, v.tenant); n == 0 || err != nil {
				t.Errorf("%s for its own tenant: %d, %v", name, n, err)
			}
		}
		for _, tenant := range []uuid.UUID{v.other, newID(), uuid.Nil} {
			n, err := read(t.Context(), v.Queries, tenant)
			if n != 0 || err != nil && vault.CodeOf(err) != vault.CodeUnknown {
				t.Errorf("%s for another tenant: %d, %v", name, n, err)
			}
			if e, ok := errors.AsType[*vault.Error](err); ok && e.Message == "" {
				t.Errorf("%s: the error says nothing", name)
			}
			switch name {
			// these return an empty list
			case "HistoryPage", "CustomersPage", "ActiveValues", "Derived", "AnalysisFields", "Questions", "QuestionsPage":
			default:
				if err == nil {
					t.Errorf("%s for another tenant: no error", name)
				}
			}
		}
	}
}

// A read without the cache is one round trip to PostgreSQL: one batch with the tenant and the query.
func TestRead_OneRoundTrip(t *testing.T) {
	t.Parallel()
	v := newVault(t, "")
	disabled, err := cache.New(cache.Options{Enabled: false, Logger: slog.New(slog.DiscardHandler)})
	v.must(err)
	t.Cleanup(disabled.Close)
	q := query.New(v.db, disabled, v.sealer)
	more := map[string]int{
		"Session":   2, // the session and its turns
		"Operation": 2, // the operation, and the question of an unfinished gap fill
		"Missing":   4, // the scenario, its requirements, the definitions and the profile
	}
	for name, read := range v.reads() {
		ctx, root := otel.Tracer("test").Start(t.Context(), name)
		_, err := read(ctx, q, v.tenant)
		v.must(err)
		root.End()
		var trips []string
		for _, span := range recorder.Ended() {
			if span.Parent().SpanID() == root.SpanContext().SpanID() && span.Name() != "pool.acquire" {
				trips = append(trips, span.Name())
			}
		}
		if len(trips) != max(1, more[name]) {
			t.Errorf("%s: %d round trips: %v", name, len(trips), trips)
		}
	}
}

func TestRead_MissingRowIsUnknown(t *testing.T) {
	t.Parallel()
	v := newVault(t, "")
	ctx := t.Context()
	id := newID()
	for name, read := range map[string]func() error{
		"unknown customer":  func() error { _, err := v.Profile(ctx, v.tenant, id); return err },
		"unknown customer ": func() error { _, err := v.History(ctx, v.tenant, id, "plan"); return err },
		"unknown item":      func() error { _, err := v.Chain(ctx, v.tenant, id, 0); return err },
		"unknown item ":     func() error { _, err := v.Field(ctx, v.tenant, id); return err },
		"unknown agent":     func() error { _, err := v.Definitions(ctx, v.tenant, id); return err },
		"unknown field":     func() error { _, err := v.Definition(ctx, v.tenant, id, "plan"); return err },
		"unknown scenario":  func() error { _, err := v.Scenario(ctx, v.tenant, id); return err },
		"unknown scenario ": func() error { _, err := v.Requirements(ctx, v.tenant, id); return err },
		"unknown session":   func() error { _, err := v.Session(ctx, v.tenant, id); return err },
		"unknown question":  func() error { _, err := v.Question(ctx, v.tenant, id); return err },
		"unknown operation": func() error { _, err := v.Operation(ctx, v.tenant, id); return err },
	} {
		err := read()
		want := fmt.Sprintf("%s: %s does not exist in this tenant", trimmed(name), id)
		if name == "unknown field" {
			want = "unknown field: plan does not exist in this tenant"
		}
		if vault.CodeOf(err) != vault.CodeUnknown || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
