package steps_test

import (
	"testing"

	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// fill gives the customer n more fields.
func (w *world) fill(n int) {
	w.t.Helper()
	w.sql(`INSERT INTO customer_values (id, tenant_id, profile_id, name, value, value_type, source, status, collected_at,
			operation_id, accepted_at)
		SELECT gen_random_uuid(), p.tenant_id, p.id, 'f' || i, '1', 'number', 'user_provided', 'active', now(),
			gen_random_uuid(), now()
		FROM customer_profiles p, generate_series(1, $3::int) i
		WHERE p.tenant_id = $1 AND p.customer_id = $2`, w.tenant, w.customer, n)
}

func TestWriteValue_TooManyFields(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.define(vault.Definition{Name: "plan", ValueType: vault.TypeString},
		vault.Definition{Name: "email", ValueType: vault.TypeEmail})
	w.write("plan", text("gold"))
	w.fill(vault.MaxFields - 1)
	w.write("plan", text("silver")) // a new version is no new field
	w.refused(w.accept("email", text("a@example.com")), vault.CodeInvalid, []string{"1000 fields already"}, writeValue...)
	w.as(newID()).write("email", text("a@example.com"))
}

func TestImportValues_TooManyFields(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.define(vault.Definition{Name: "plan", ValueType: vault.TypeString},
		vault.Definition{Name: "name", ValueType: vault.TypeString},
		vault.Definition{Name: "email", ValueType: vault.TypeEmail})
	w.write("plan", text("gold"))
	w.fill(vault.MaxFields - 2)
	in := vault.ImportValuesInput{SkipInvalid: true}
	for _, name := range []string{"plan", "name", "email"} {
		in.Writes = append(in.Writes, vault.WriteValueInput{
			AgentID: w.agent, CustomerID: w.customer, Name: name, Value: text("a@example.com"), Source: vault.ValueUserProvided,
		})
	}
	ev := w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.ImportValues, in))
	w.must(w.run(ev, importValues...))
	out := resultOf[vault.ImportResult](w, ev)
	if out.Written != 2 || len(out.Rejected) != 1 || out.Rejected[0].Index != 2 {
		t.Errorf("got %+v, want the first new field stored and the second one rejected", out)
	}
}

func TestImportValues_TooManyPatternSteps(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.define(vault.Definition{Name: "code", ValueType: vault.TypeString, ValidationRegex: `(?:[a-z]?){900}`})
	long := make([]byte, 1000)
	for i := range long {
		long[i] = 'a'
	}
	var in vault.ImportValuesInput
	for range 200 {
		in.Writes = append(in.Writes, vault.WriteValueInput{
			AgentID: w.agent, CustomerID: newID(), Name: "code", Value: text(string(long)), Source: vault.ValueUserProvided,
		})
	}
	w.refused(w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.ImportValues, in)), vault.CodeInvalid,
		[]string{"validation_regex", "code"}, importValues...)
}
