package query_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// promise is one property that steps and reads guarantee together. Each has its own tenant.
type promise struct {
	name  string
	keeps func(v *vaultOf)
}

// TestContract checks every promise with PostgreSQL directly and through the cache, where each read before a change
// leaves an entry that must not be read after the change.
func TestContract(t *testing.T) {
	t.Parallel()
	for _, store := range []struct {
		name   string
		direct bool
	}{{"PostgreSQL directly", true}, {"through the cache", false}} {
		t.Run(store.name, func(t *testing.T) {
			t.Parallel()
			shared := newVault(t, "")
			if store.direct {
				shared.Queries = query.New(shared.db, nil, shared.sealer)
			}
			for _, p := range contract {
				t.Run(p.name, func(t *testing.T) {
					v := *shared
					v.t, v.tenant, v.other, v.agent, v.customer = t, dbtest.Tenant(t, v.db), dbtest.Tenant(t, v.db), newID(), newID()
					v.define(
						vault.Definition{Name: "plan", ValueType: vault.TypeString},
						vault.Definition{Name: "city", ValueType: vault.TypeString},
						vault.Definition{Name: "email", ValueType: vault.TypeEmail, IsPII: true, VerificationMethods: []string{"code"}},
						vault.Definition{Name: "age", ValueType: vault.TypeNumber},
					)
					p.keeps(&v)
				})
			}
		})
	}
}

// of returns the same vault for another customer of the tenant.
func (v *vaultOf) of(customer uuid.UUID) *vaultOf {
	other := *v
	other.customer = customer
	return &other
}

// sees checks the field values that a reader sees, twice: the second read uses the cache, if there is one.
func (v *vaultOf) sees(want map[string]string) {
	v.t.Helper()
	for range 2 {
		p, err := v.Profile(v.t.Context(), v.tenant, v.customer)
		v.must(err)
		v.equal("fields", want, names(p))
	}
}

// unseen checks that the customer is unknown.
func (v *vaultOf) unseen() {
	v.t.Helper()
	for range 2 {
		_, err := v.Profile(v.t.Context(), v.tenant, v.customer)
		v.refused(err, vault.CodeUnknown, v.customer.String())
	}
}

func (v *vaultOf) refused(err error, code vault.Code, says ...string) {
	v.t.Helper()
	if vault.CodeOf(err) != code {
		v.t.Fatalf("got %v, want code %s", err, code)
	}
	for _, part := range says {
		if !strings.Contains(err.Error(), part) {
			v.t.Errorf("%q does not say %q", err, part)
		}
	}
}

// try runs the steps of an operation and returns the first error.
func (v *vaultOf) try(r trigger.Receipt, err error, steps ...func(context.Context, vault.Event) error) error {
	v.t.Helper()
	if err != nil {
		return err
	}
	op, err := v.db.Tenant(v.tenant).GetOperation(v.t.Context(), v.tenant, r.ID)
	v.must(err)
	for _, s := range steps {
		if err := s(v.t.Context(), vault.Event{OperationID: op.ID, TenantID: v.tenant}); err != nil {
			return err
		}
	}
	return nil
}

func (v *vaultOf) fact(name, value string, change ...func(*vault.WriteValueInput)) vault.WriteValueInput {
	in := vault.WriteValueInput{
		AgentID: v.agent, CustomerID: v.customer, Name: name, Value: text(value), Source: vault.ValueUserProvided,
	}
	for _, c := range change {
		c(&in)
	}
	return in
}

func (v *vaultOf) tryWrite(in vault.WriteValueInput) error {
	r, err := trigger.Submit(v.t.Context(), v.trigger, v.tenant, vault.WriteValue, in)
	return v.try(
		r, err, step(v.steps.Values.ValidateValue), step(v.steps.Values.PersistValue),
		v.acknowledge,
	)
}

func (v *vaultOf) deleteItem(id uuid.UUID, force bool) error {
	r, err := trigger.Submit(v.t.Context(), v.trigger, v.tenant, vault.DeleteItem, vault.DeleteItemInput{
		ItemID: id, Force: force,
	})
	return v.try(
		r, err, step(v.steps.Items.CheckDependents), step(v.steps.Items.DeleteItem),
		v.acknowledge,
	)
}

func (v *vaultOf) restoreItem(id uuid.UUID) error {
	r, err := trigger.Submit(v.t.Context(), v.trigger, v.tenant, vault.RestoreItem, vault.RestoreItemInput{ItemID: id})
	return v.try(r, err, step(v.steps.Items.RestoreItem), v.acknowledge)
}

func (v *vaultOf) merge(source, target uuid.UUID) error {
	r, err := trigger.Submit(v.t.Context(), v.trigger, v.tenant, vault.MergeCustomers, vault.MergeCustomersInput{
		SourceCustomerID: source, TargetCustomerID: target,
	})
	return v.try(r, err, step(v.steps.Merges.MergeCustomers), v.acknowledge)
}

func (v *vaultOf) unmerge(customer uuid.UUID) error {
	r, err := trigger.Submit(v.t.Context(), v.trigger, v.tenant, vault.UnmergeCustomer, vault.UnmergeCustomerInput{
		CustomerID: customer,
	})
	return v.try(r, err, step(v.steps.Merges.UnmergeCustomer), v.acknowledge)
}

// versions returns value and status of every version of a field, newest first.
func (v *vaultOf) versions(name string) []string {
	v.t.Helper()
	history, err := v.History(v.t.Context(), v.tenant, v.customer, name)
	v.must(err)
	out := []string{}
	for _, f := range history {
		out = append(out, string(f.Value)+" "+string(f.Status))
	}
	return out
}

// chain reads a chain twice and returns its names and whether its origin is missing.
func (v *vaultOf) chain(item uuid.UUID) (links []string, missing bool) {
	v.t.Helper()
	for range 2 {
		c, err := v.Chain(v.t.Context(), v.tenant, item, 0)
		v.must(err)
		links = nil
		for _, l := range c.Links {
			links = append(links, l.Name)
		}
		missing = c.Missing
	}
	return links, missing
}

// missing returns the missing fields of a scenario with the reasons.
func (v *vaultOf) missing(scenario uuid.UUID) []string {
	v.t.Helper()
	var out []string
	for range 2 {
		got, err := v.Missing(v.t.Context(), v.tenant, query.MissingInput{CustomerID: v.customer, ScenarioID: scenario})
		v.must(err)
		out = []string{}
		for _, m := range got.Missing {
			out = append(out, m.Requirement.FieldName+" "+string(m.Reason))
		}
	}
	return out
}

// warm reads everything about the customer that the cache holds.
func (v *vaultOf) warm(items ...uuid.UUID) {
	for range 2 {
		_, _ = v.Profile(v.t.Context(), v.tenant, v.customer)
		for _, id := range items {
			_, _ = v.Chain(v.t.Context(), v.tenant, id, 0)
		}
	}
}

var contract = []promise{
	{"a customer without a write is unknown", func(v *vaultOf) {
		v.unseen()
		_, err := v.History(v.t.Context(), v.tenant, v.customer, "plan")
		v.refused(err, vault.CodeUnknown)
	}},
	{"a write is visible after the acknowledgement", func(v *vaultOf) {
		v.unseen()
		for i := range 4 {
			v.write("plan", fmt.Sprint(i))
			v.sees(map[string]string{"plan": fmt.Sprintf("%q", fmt.Sprint(i))})
		}
	}},
	{"a value is normalised by its definition", func(v *vaultOf) {
		v.must(v.tryWrite(v.fact("email", " Ada@Example.COM ")))
		p, err := v.Profile(v.t.Context(), v.tenant, v.customer)
		v.must(err)
		if got := string(p.Fields["email"].Value); strings.ContainsAny(got, " ") {
			v.t.Errorf("got %s", got)
		}
	}},
	{"strict mode rejects invalid values and unknown fields", func(v *vaultOf) {
		v.write("plan", "gold")
		v.warm()
		v.refused(v.tryWrite(v.fact("email", "nobody")), vault.CodeInvalid, "Field validation failed", "email")
		v.refused(v.tryWrite(v.fact("colour", "red")), vault.CodeInvalid, "Field validation failed", "colour")
		v.sees(map[string]string{"plan": `"gold"`})
	}},
	{"no error contains a PII value", func(v *vaultOf) {
		if err := v.tryWrite(v.fact("email", "nobody-at-all")); err == nil || strings.Contains(err.Error(), "nobody-at-all") {
			v.t.Errorf("got %v", err)
		}
	}},
	{"one active version, history by order of acceptance", func(v *vaultOf) {
		for _, value := range []string{"a", "b", "c"} {
			v.write("plan", value)
		}
		v.equal("history", []string{`"c" active`, `"b" superseded`, `"a" superseded`}, v.versions("plan"))
	}},
	{"a late write does not supersede a newer one", func(v *vaultOf) {
		r, err := trigger.Submit(v.t.Context(), v.trigger, v.tenant, vault.WriteValue, v.fact("plan", "late"))
		v.must(err)
		v.write("plan", "newer")
		v.warm()
		v.must(v.try(r, nil, step(v.steps.Values.PersistValue), v.acknowledge))
		v.sees(map[string]string{"plan": `"newer"`})
		v.equal("history", []string{`"newer" active`, `"late" superseded`}, v.versions("plan"))
	}},
	{"the same idempotency key is one change", func(v *vaultOf) {
		for range 3 {
			r, err := trigger.Submit(
				v.t.Context(), v.trigger, v.tenant, vault.WriteValue, v.fact("plan", "gold"), trigger.IdempotencyKey("k"),
			)
			v.must(v.try(r, err, step(v.steps.Values.PersistValue), v.acknowledge))
		}
		v.equal("history", []string{`"gold" active`}, v.versions("plan"))
		_, err := trigger.Submit(
			v.t.Context(), v.trigger, v.tenant, vault.WriteValue, v.fact("plan", "silver"), trigger.IdempotencyKey("k"),
		)
		v.refused(err, vault.CodeConflict, "idempotency_key")
	}},
	{"an import is visible after the acknowledgement", func(v *vaultOf) {
		v.write("plan", "silver")
		v.warm()
		other := v.of(newID())
		r, err := trigger.Submit(v.t.Context(), v.trigger, v.tenant, vault.ImportValues, vault.ImportValuesInput{
			Writes: []vault.WriteValueInput{
				v.fact("plan", "gold"), v.fact("city", "Oslo"), other.fact("plan", "gold"),
			},
		})
		v.must(
			v.try(
				r, err, step(v.steps.Imports.ValidateImport), step(v.steps.Imports.PersistImport),
				v.acknowledge,
			),
		)
		v.sees(map[string]string{"plan": `"gold"`, "city": `"Oslo"`})
		other.sees(map[string]string{"plan": `"gold"`})
	}},
	{"the sweep expires values", func(v *vaultOf) {
		id := v.write("plan", "gold", func(in *vault.WriteValueInput) { in.ExpiresAt = ptr(time.Now().Add(time.Hour)) })
		v.write("city", "Oslo")
		v.sees(map[string]string{"plan": `"gold"`, "city": `"Oslo"`})
		dbtest.Exec(v.t, v.url, "UPDATE customer_values SET expires_at = now() - interval '1 minute' WHERE id = $1", id)
		v.cron(step(v.steps.Sweeps.ExpireValues), v.acknowledge)
		v.sees(map[string]string{"city": `"Oslo"`})
		v.equal("history", []string{`"gold" expired`}, v.versions("plan"))
	}},
	{"the sweep orphans values without a source", func(v *vaultOf) {
		source := v.write("city", "Oslo")
		v.of(newID()).write("plan", "gold", from(vault.SourceProfileField, &source))
		item := v.write("plan", "gold", from(vault.SourceProfileField, &source))
		v.warm(item)
		dbtest.Exec(v.t, v.url, "UPDATE customer_values SET deleted_at = now() WHERE id = $1", source)
		v.cron(step(v.steps.Sweeps.DetectOrphans), v.acknowledge)
		v.sees(map[string]string{})
		v.equal("history", []string{`"gold" orphaned`}, v.versions("plan"))
	}},
	{"superseded outranks expired and orphaned", func(v *vaultOf) {
		id := v.write("plan", "silver", func(in *vault.WriteValueInput) { in.ExpiresAt = ptr(time.Now().Add(time.Hour)) })
		v.write("plan", "gold")
		dbtest.Exec(v.t, v.url, "UPDATE customer_values SET expires_at = now() - interval '1 minute' WHERE id = $1", id)
		v.cron(
			step(v.steps.Sweeps.ExpireValues), step(v.steps.Sweeps.DetectOrphans), v.acknowledge,
		)
		v.equal("history", []string{`"gold" active`, `"silver" superseded`}, v.versions("plan"))
	}},
	{"a missing source orphans; its own source is an error", func(v *vaultOf) {
		v.write("plan", "gold", from(vault.SourceProfileField, ptr(newID())))
		v.equal("history", []string{`"gold" orphaned`}, v.versions("plan"))
		id := newID()
		v.refused(v.tryWrite(v.fact("plan", "x", func(in *vault.WriteValueInput) {
			in.ItemID, in.SourceItemID, in.SourceItemType = &id, &id, vault.SourceProfileField
		})),
			vault.CodeInvalid, "source_item_id")
	}},
	{"a chain crosses values, assets and customers", func(v *vaultOf) {
		card := v.asset("card")
		city := v.write("city", "Oslo", from(vault.SourceProfileAsset, &card))
		plan := v.of(newID()).write("plan", "gold", from(vault.SourceProfileField, &city))
		links, missing := v.chain(plan)
		v.equal("chain", []string{"card", "city", "plan"}, links)
		if missing {
			v.t.Error("its origin is said to be missing")
		}
		fields, err := v.AnalysisFields(v.t.Context(), v.tenant, card)
		v.must(err)
		v.equal("analysis fields", []uuid.UUID{city}, fields)
		derived, err := v.Derived(v.t.Context(), v.tenant, card)
		v.must(err)
		if len(derived) != 1 || derived[0].ID != city {
			v.t.Errorf("derived is %+v", derived)
		}
	}},
	{"a chain is truncated at its depth", func(v *vaultOf) {
		var last *uuid.UUID
		for range 12 {
			id := v.of(newID()).write("plan", "x", func(in *vault.WriteValueInput) {
				if last != nil {
					from(vault.SourceProfileField, last)(in)
				}
			})
			last = &id
		}
		for range 2 {
			c, err := v.Chain(v.t.Context(), v.tenant, *last, 0)
			v.must(err)
			if len(c.Links) != vault.DefaultChainDepth || !c.Truncated {
				v.t.Errorf("%d links, truncated %t", len(c.Links), c.Truncated)
			}
		}
	}},
	{"a chain shows late and deleted sources", func(v *vaultOf) {
		id := newID()
		item := v.write("plan", "gold", from(vault.SourceProfileField, &id))
		if _, missing := v.chain(item); !missing {
			v.t.Error("its source is not there yet")
		}
		v.of(newID()).write("city", "Oslo", func(in *vault.WriteValueInput) { in.ItemID = &id })
		links, missing := v.chain(item)
		if missing || len(links) != 2 {
			v.t.Errorf("after its source came: %v, missing %t", links, missing)
		}
		v.must(v.deleteItem(id, true))
		if _, missing := v.chain(item); !missing {
			v.t.Error("its source is gone")
		}
		v.must(v.restoreItem(id))
		if _, missing := v.chain(item); missing {
			v.t.Error("its source is back")
		}
	}},
	{"only a forced deletion orphans dependents", func(v *vaultOf) {
		source := v.write("city", "Oslo")
		other := v.of(newID())
		item := other.write("plan", "gold", from(vault.SourceProfileField, &source))
		v.warm(source)
		other.warm(item)
		v.refused(v.deleteItem(source, false), vault.CodeHasDependents, "Cannot delete: has dependents", item.String())
		v.sees(map[string]string{"city": `"Oslo"`})
		v.must(v.deleteItem(source, true))
		v.sees(map[string]string{})
		other.sees(map[string]string{})
		other.equal("history", []string{`"gold" orphaned`}, other.versions("plan"))
		v.refused(v.deleteItem(source, true), vault.CodeConflict, "deleted already")
		v.must(v.restoreItem(source))
		v.must(v.restoreItem(item))
		other.sees(map[string]string{"plan": `"gold"`})
	}},
	{"a verification applies only to its value", func(v *vaultOf) {
		v.write("email", "ada@example.com")
		v.warm()
		verify := func(method string) error {
			r, err := trigger.Submit(v.t.Context(), v.trigger, v.tenant, vault.VerifyValue, vault.VerifyValueInput{
				AgentID: v.agent, CustomerID: v.customer, Name: "email", Method: method,
			})
			return v.try(r, err, step(v.steps.Values.PersistVerification), v.acknowledge)
		}
		v.refused(verify("guess"), vault.CodeInvalid, "method", "code")
		v.must(verify("code"))
		level := func() vault.VerificationLevel {
			var p vault.Profile
			for range 2 {
				var err error
				p, err = v.Profile(v.t.Context(), v.tenant, v.customer)
				v.must(err)
			}
			return p.VerificationLevel
		}
		v.equal("level", vault.VerificationEmail, level())
		v.write("email", "bob@example.com") // it is pending
		v.equal("level beside a pending value", vault.VerificationEmail, level())
		r, err := trigger.Submit(v.t.Context(), v.trigger, v.tenant, vault.CorrectValue, vault.CorrectValueInput{
			AgentID: v.agent, CustomerID: v.customer, Name: "email", Value: text("eve@example.com"), Reason: "a typing error",
		})
		v.run(r, err, step(v.steps.Values.PersistCorrection), v.acknowledge)
		v.equal("level of a new value", vault.VerificationNone, level())
	}},
	{"assets coexist unless one supersedes", func(v *vaultOf) {
		v.asset("card")
		v.asset("card")
		count := func() int {
			var n int
			for range 2 {
				p, err := v.Profile(v.t.Context(), v.tenant, v.customer)
				v.must(err)
				n = len(p.Assets)
			}
			return n
		}
		v.equal("beside", 2, count())
		r, err := trigger.Submit(v.t.Context(), v.trigger, v.tenant, vault.AddAsset, vault.AddAssetInput{
			CustomerID: v.customer, Name: "card", AssetType: "image", StorageProvider: "s3", StoragePath: "new",
			Checksum: strings.Repeat("a", 64), SupersedeExisting: true,
		})
		v.must(v.try(r, err, step(v.steps.Assets.PersistAsset), v.acknowledge))
		v.equal("superseded", 1, count())
	}},
	{"an identity belongs to one customer", func(v *vaultOf) {
		open := func() vault.CustomerResult {
			r, err := trigger.Submit(v.t.Context(), v.trigger, v.tenant, vault.OpenCustomer, vault.OpenCustomerInput{
				Channel: "sms", ExternalID: "1",
			})
			v.must(v.try(r, err, step(v.steps.Customers.OpenCustomer), v.acknowledge))
			return resultOf[vault.CustomerResult](v, r)
		}
		first := open()
		if again := open(); !first.Created || again.Created || again.CustomerID != first.CustomerID {
			v.t.Errorf("got %+v, then %+v", first, again)
		}
		link := func(external string) error {
			r, err := trigger.Submit(v.t.Context(), v.trigger, v.tenant, vault.LinkChannel, vault.LinkChannelInput{
				CustomerID: v.customer, Channel: "sms", ExternalID: external,
			})
			return v.try(r, err, step(v.steps.Customers.LinkChannel), v.acknowledge)
		}
		v.refused(link("1"), vault.CodeConflict, first.CustomerID.String())
		v.unseen()
		v.must(link("2"))
		p, err := v.Profile(v.t.Context(), v.tenant, v.customer)
		v.must(err)
		v.equal("channels", 1, len(p.Channels))
	}},
	{"the newest consent to a purpose counts", func(v *vaultOf) {
		for _, granted := range []bool{true, false, true} {
			r, err := trigger.Submit(v.t.Context(), v.trigger, v.tenant, vault.RecordConsent, vault.RecordConsentInput{
				CustomerID: v.customer, Purpose: "mail", Granted: granted,
			})
			v.must(v.try(r, err, step(v.steps.Customers.RecordConsent), v.acknowledge))
			for range 2 {
				p, err := v.Profile(v.t.Context(), v.tenant, v.customer)
				v.must(err)
				if len(p.Consents) != 1 || p.Consents[0].InForce(time.Now()) != granted {
					v.t.Errorf("after %t: %+v", granted, p.Consents)
				}
			}
		}
	}},
	{"merge and unmerge", func(v *vaultOf) {
		target := v.of(newID())
		target.write("plan", "target's")
		target.write("city", "Oslo")
		item := v.write("plan", "source's")
		v.warm(item)
		target.warm()
		v.must(v.merge(v.customer, target.customer))
		for _, c := range []*vaultOf{v, target} {
			c.sees(map[string]string{"plan": `"source's"`, "city": `"Oslo"`})
			v.equal("history", []string{`"source's" active`, `"target's" superseded`}, c.versions("plan"))
		}
		v.write("city", "Bergen") // for the source
		for _, c := range []*vaultOf{v, target} {
			c.sees(map[string]string{"plan": `"source's"`, "city": `"Bergen"`})
		}
		v.must(v.unmerge(v.customer))
		v.sees(map[string]string{"plan": `"source's"`})
		target.sees(map[string]string{"plan": `"target's"`, "city": `"Bergen"`})
		v.refused(v.unmerge(v.customer), vault.CodeConflict, "is not merged")
		v.refused(v.merge(v.customer, v.customer), vault.CodeInvalid, "two different customers")
	}},
	{"a deleted customer is unknown to writers too", func(v *vaultOf) {
		v.write("plan", "gold")
		v.warm()
		remove := func() error {
			r, err := trigger.Submit(v.t.Context(), v.trigger, v.tenant, vault.DeleteCustomer, vault.DeleteCustomerInput{
				CustomerID: v.customer,
			})
			return v.try(r, err, step(v.steps.Customers.DeleteCustomer), v.acknowledge)
		}
		v.must(remove())
		v.unseen()
		v.refused(v.tryWrite(v.fact("plan", "silver")), vault.CodeUnknown)
		v.refused(remove(), vault.CodeUnknown)
	}},
	{"the newest save of a definition is visible", func(v *vaultOf) {
		for _, label := range []string{"one", "two"} {
			v.define(vault.Definition{Name: "plan", DisplayName: label, ValueType: vault.TypeString})
			for range 2 {
				defs, err := v.Definitions(v.t.Context(), v.tenant, v.agent)
				v.must(err)
				i := slices.IndexFunc(defs, func(d vault.Definition) bool { return d.Name == "plan" })
				if i < 0 || defs[i].DisplayName != label {
					v.t.Errorf("after %q: %+v", label, defs)
				}
			}
		}
		_, err := v.Definitions(v.t.Context(), v.tenant, newID())
		v.refused(err, vault.CodeUnknown, "agent")
	}},
	{"missing until verified, fresh and not expired", func(v *vaultOf) {
		scenario := v.scenario()
		v.define(
			vault.Definition{
				Name: "email", ValueType: vault.TypeEmail, RequiredVerification: true, VerificationMethods: []string{"code"},
			},
			vault.Definition{Name: "age", ValueType: vault.TypeNumber, FreshnessSeconds: 3600},
		)
		v.equal("before", []string{}, v.missing(scenario.ID))
		v.require(
			scenario.ID, vault.Requirement{FieldName: "plan"}, vault.Requirement{FieldName: "email", Order: 1},
			vault.Requirement{FieldName: "age", Order: 2},
		)
		v.require(scenario.ID, vault.Requirement{
			FieldName: "city", Order: 3, WhenCondition: `fields.plan == "gold"`, DependsOn: []string{"plan"},
		})
		v.equal("nothing", []string{"plan absent", "email absent", "age absent"}, v.missing(scenario.ID))
		v.write("email", "ada@example.com")
		v.must(v.tryWrite(vault.WriteValueInput{
			AgentID: v.agent, CustomerID: v.customer, Name: "age", Value: json.RawMessage("36"), Source: vault.ValueUserProvided,
			CollectedAt: ptr(time.Now().Add(-2 * time.Hour)),
		}))
		v.equal("unverified and stale", []string{"plan absent", "email unverified", "age stale"}, v.missing(scenario.ID))
		v.write("plan", "gold")
		v.equal("the condition holds", []string{"email unverified", "age stale", "city absent"}, v.missing(scenario.ID))
		v.write("plan", "silver")
		v.equal("it does not", []string{"email unverified", "age stale"}, v.missing(scenario.ID))
	}},
	{"conditions read the session's variables", func(v *vaultOf) {
		scenario := v.scenario()
		v.require(scenario.ID, vault.Requirement{FieldName: "plan", WhenCondition: `session.vip == true`})
		id := v.session(map[string]json.RawMessage{"vip": json.RawMessage("false"), "n": json.RawMessage("1")})
		missing := func() int {
			got, err := v.Missing(v.t.Context(), v.tenant, query.MissingInput{
				CustomerID: v.customer, ScenarioID: scenario.ID, SessionID: &id,
			})
			v.must(err)
			return len(got.Missing)
		}
		v.equal("no VIP", 0, missing())
		r, err := trigger.Submit(v.t.Context(), v.trigger, v.tenant, vault.SaveSession, vault.SaveSessionInput{
			SessionID: id, AgentID: v.agent, CustomerID: v.customer,
			Variables: map[string]json.RawMessage{"vip": json.RawMessage("true")},
			Turns:     []vault.Turn{{Speaker: vault.SpeakerAgent, Text: "Welcome."}},
		})
		v.must(v.try(r, err, step(v.steps.Sessions.PersistSession)))
		v.equal("a VIP", 1, missing())
		session, err := v.Session(v.t.Context(), v.tenant, id)
		v.must(err)
		if len(session.Variables) != 2 || len(session.Turns) != 2 || session.Turns[1].Text != "Welcome." ||
			session.Turns[1].Index != 1 {
			v.t.Errorf("the session is %+v", session)
		}
	}},
	{"rows of another tenant are not found", func(v *vaultOf) {
		item := v.write("plan", "gold")
		v.warm(item)
		stranger := *v
		stranger.tenant = v.other
		stranger.unseen()
		_, err := stranger.Chain(v.t.Context(), v.other, item, 0)
		v.refused(err, vault.CodeUnknown)
		_, err = stranger.Field(v.t.Context(), v.other, item)
		v.refused(err, vault.CodeUnknown)
		stranger.define(vault.Definition{Name: "plan", ValueType: vault.TypeString})
		stranger.write("plan", "stolen", from(vault.SourceProfileField, &item)) // an item of another tenant is no source
		stranger.sees(map[string]string{})
		v.sees(map[string]string{"plan": `"gold"`})
	}},
	{"an operation reports its result", func(v *vaultOf) {
		r, err := trigger.Submit(v.t.Context(), v.trigger, v.tenant, vault.WriteValue, v.fact("email", "nobody"))
		v.must(err)
		status := func() vault.Operation {
			op, err := v.Operation(v.t.Context(), v.tenant, r.ID)
			v.must(err)
			return op
		}
		v.equal("accepted", vault.OperationAccepted, status().Status)
		v.refused(v.try(r, nil, step(v.steps.Values.ValidateValue)), vault.CodeInvalid)
		if op := status(); op.Status != vault.OperationFailed || op.Error == nil || op.Error.Code != vault.CodeInvalid {
			v.t.Errorf("rejected: %+v", op)
		}
		_, err = v.Operation(v.t.Context(), v.tenant, newID())
		v.refused(err, vault.CodeUnknown)
	}},
}

// cron runs steps as a cron does.
func (v *vaultOf) cron(steps ...func(context.Context, vault.Event) error) {
	v.t.Helper()
	for _, s := range steps {
		v.must(s(v.t.Context(), vault.Event{}))
	}
}

// resultOf decodes the result of an operation.
func resultOf[T any](v *vaultOf, r trigger.Receipt) T {
	v.t.Helper()
	op, err := v.Operation(v.t.Context(), v.tenant, r.ID)
	v.must(err)
	var out T
	v.must(json.Unmarshal(op.Result, &out))
	return out
}
