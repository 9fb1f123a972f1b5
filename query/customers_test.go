package query_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// people writes the values of customers, by their names.
func (v *vaultOf) people(all map[string]map[string]string) map[string]uuid.UUID {
	v.t.Helper()
	ids := map[string]uuid.UUID{}
	for name, fields := range all {
		v.customer = newID()
		ids[name] = v.customer
		for field, value := range fields {
			v.write(field, value)
		}
	}
	return ids
}

// found returns the names of the customers of a search, in pages of one, and compares their number with the count.
func (v *vaultOf) found(ctx context.Context, ids map[string]uuid.UUID, where ...string) []string {
	v.t.Helper()
	conditions, err := rules.ParseConditions(where)
	v.must(err)
	var names []string
	var after *vault.CustomerPosition
	for {
		page, err := v.FindCustomers(ctx, v.tenant, conditions, after, 1)
		v.must(err)
		for _, c := range page.Customers {
			for name, id := range ids {
				if id == c.CustomerID {
					names = append(names, name)
				}
			}
		}
		if after = page.Next; after == nil {
			break
		}
	}
	count, err := v.CountCustomers(ctx, v.tenant, conditions)
	v.must(err)
	v.equal(fmt.Sprint("count of ", where), vault.CustomerCount{Count: int64(len(names)), Complete: true}, count)
	slices.Sort(names)
	return names
}

func TestFindCustomers_Conditions(t *testing.T) {
	t.Parallel()
	v := newVault(t, "")
	v.define(
		vault.Definition{Name: "email", ValueType: vault.TypeEmail}, vault.Definition{Name: "country", ValueType: vault.TypeString},
		vault.Definition{Name: "guests", ValueType: vault.TypeNumber}, vault.Definition{Name: "tags", ValueType: vault.TypeString, Multiple: true},
		vault.Definition{Name: "nobody", ValueType: vault.TypeString},
	)
	ids := v.people(map[string]map[string]string{
		"ada":   {"email": "Ada@example.com", "country": "DE", "guests": "2.50"},
		"bob":   {"email": "bob@example.com", "country": "de", "guests": "4"},
		"cleo":  {"email": "cleo@example.com", "country": "FR"},
		"dave":  {"country": "DE"},
		"moved": {"email": "moved@example.com", "country": "DE"},
		"gone":  {"email": "gone@example.com", "country": "DE"},
	})
	v.write("email", "new@example.com", func(in *vault.WriteValueInput) { in.CustomerID = ids["cleo"] })
	verify, err := trigger.Submit(t.Context(), v.trigger, v.tenant, vault.VerifyValue, vault.VerifyValueInput{
		AgentID: v.agent, CustomerID: ids["bob"], Name: "email", Method: "code",
	})
	v.run(verify, err, step(v.steps.Values.PersistVerification), v.acknowledge)
	v.must(v.merge(ids["moved"], ids["dave"])) // dave's email is that of the merged customer then
	remove, err := trigger.Submit(t.Context(), v.trigger, v.tenant, vault.DeleteCustomer, vault.DeleteCustomerInput{
		CustomerID: ids["gone"],
	})
	v.run(remove, err, step(v.steps.Customers.DeleteCustomer), v.acknowledge)
	dbtest.Exec(t, v.url, "UPDATE customer_values SET collected_at = now() - interval '40 days' WHERE value = '\"FR\"'")
	for _, c := range []struct {
		where []string
		want  []string
	}{
		{[]string{"email=ada@EXAMPLE.com"}, []string{"ada"}},
		{[]string{"email=new@example.com"}, []string{"cleo"}},
		{[]string{"email=cleo@example.com"}, nil}, // superseded
		{[]string{"email=moved@example.com"}, []string{"dave"}},
		{[]string{"country=DE"}, []string{"ada", "bob", "dave"}},
		{[]string{"country=DE", "email:verified"}, []string{"bob"}},
		{[]string{"country=DE", "email=bob@example.com"}, []string{"bob"}},
		{[]string{"country=DE", "email=new@example.com"}, nil},
		{[]string{"country=DE", "country=FR"}, nil},
		{[]string{"guests=2.5"}, []string{"ada"}},
		{[]string{"guests=25e-1"}, []string{"ada"}},
		{[]string{"guests:missing"}, []string{"cleo", "dave"}},
		{[]string{"guests:missing", "country=FR"}, []string{"cleo"}},
		{[]string{"guests:present"}, []string{"ada", "bob"}},
		{[]string{"country:older_than=30d"}, []string{"cleo"}},
		{[]string{"country:older_than=50d"}, nil},
		{[]string{"country:older_than=0h", "email:missing"}, nil},
		{[]string{"nobody:missing"}, []string{"ada", "bob", "cleo", "dave"}},
		{[]string{"tags:missing", "email:present"}, []string{"ada", "bob", "cleo", "dave"}},
	} {
		v.equal(fmt.Sprint(c.where), c.want, v.found(t.Context(), ids, c.where...))
	}
	for _, where := range []string{"tags=x", "guests=many", "unknown=x", "unknown:missing"} {
		conditions, err := rules.ParseConditions([]string{where})
		v.must(err)
		if _, err := v.FindCustomers(t.Context(), v.tenant, conditions, nil, 10); vault.CodeOf(err) != vault.CodeInvalid {
			t.Errorf("%s: %v", where, err)
		}
		if _, err := v.CountCustomers(t.Context(), v.tenant, conditions); vault.CodeOf(err) != vault.CodeInvalid {
			t.Errorf("count of %s: %v", where, err)
		}
	}
	conditions, _ := rules.ParseConditions([]string{"country=DE"})
	first, err := v.FindCustomers(t.Context(), v.tenant, conditions, nil, 1)
	v.must(err)
	others, _ := rules.ParseConditions([]string{"guests:missing"})
	if _, err := v.FindCustomers(t.Context(), v.tenant, others, first.Next, 1); vault.CodeOf(err) != vault.CodeInvalid {
		t.Errorf("the cursor of other conditions: %v", err)
	}
	other, err := v.FindCustomers(t.Context(), v.other, nil, nil, 10)
	v.must(err)
	v.equal("customers of another tenant", 0, len(other.Customers))
}

// A sealed field can be compared if each definition that seals it allows it, also its older values, and not any more
// once one of them forbids it.
func TestFindCustomers_SealedFields(t *testing.T) {
	t.Parallel()
	v := newVault(t, "")
	sealed := vault.Definition{Name: "tax_id", ValueType: vault.TypeString, EncryptionRequired: true}
	v.define(sealed, vault.Definition{Name: "iban", ValueType: vault.TypeString})
	ids := v.people(map[string]map[string]string{
		"ada": {"tax_id": "DE-118", "iban": "DE02"}, "bob": {"tax_id": "DE-119", "iban": "DE03"},
	})
	refused := func() {
		t.Helper()
		time.Sleep(250 * time.Millisecond) // the lifetime of what is known of a field
		conditions, _ := rules.ParseConditions([]string{"tax_id=DE-118"})
		if _, err := v.FindCustomers(t.Context(), v.tenant, conditions, nil, 10); vault.CodeOf(err) != vault.CodeInvalid {
			t.Errorf("a comparison with a field that is not searchable: %v", err)
		}
	}
	seal := func() {
		t.Helper()
		_, err := v.steps.Keys.SealValues(t.Context(), vault.Event{})
		v.must(err)
		time.Sleep(250 * time.Millisecond)
	}
	refused()
	v.equal("present", []string{"ada", "bob"}, v.found(t.Context(), ids, "tax_id:present"))
	keys := func() int {
		var n int
		dbtest.Scan(t, v.url, &n, "SELECT count(*) FROM customer_values WHERE blind_key IS NOT NULL")
		return n
	}
	v.equal("keys", 0, keys())

	sealed.Searchable = true // the older values are found after seal-values
	iban := vault.Definition{Name: "iban", ValueType: vault.TypeString, EncryptionRequired: true, Searchable: true}
	v.define(sealed, iban)
	v.equal("while they are plain", []string{"ada"}, v.found(t.Context(), ids, "iban=DE02"))
	seal()
	v.equal("keys of two fields", 4, keys())
	v.equal("sealed values", []string{"ada"}, v.found(t.Context(), ids, "tax_id=de-118"))
	v.equal("values that became sealed", []string{"ada"}, v.found(t.Context(), ids, "iban=DE02"))
	v.customer = newID()
	ids["cleo"] = v.customer
	v.write("tax_id", "DE-118") // a new value at once
	v.equal("new value", []string{"ada", "cleo"}, v.found(t.Context(), ids, "tax_id=DE-118"))
	v.write("tax_id", "DE-120")
	v.equal("replaced value", []string{"ada"}, v.found(t.Context(), ids, "tax_id=DE-118"))
	v.must(v.merge(ids["ada"], ids["bob"]))
	v.equal("merged", 1, len(v.found(t.Context(), ids, "iban:present", "iban=DE02"))+len(v.found(t.Context(), ids, "iban=DE03")))
	found := v.found(t.Context(), ids, "tax_id=DE-120")
	v.equal("another", []string{"cleo"}, found)
	dbtest.Exec(t, v.url, "UPDATE customer_values SET status = 'expired' WHERE name = 'tax_id' AND status = 'active'")
	v.equal("expired", []string(nil), v.found(t.Context(), ids, "tax_id=DE-120"))

	// Another agent seals the name and does not allow it: the strictest decides.
	v.agent = newID()
	v.define(vault.Definition{Name: "tax_id", ValueType: vault.TypeString, EncryptionRequired: true})
	seal()
	refused()
	var kept int
	dbtest.Scan(t, v.url, &kept, "SELECT count(*) FROM customer_values WHERE blind_key IS NOT NULL AND name = 'tax_id'")
	v.equal("keys of a field that is not searchable any more", 0, kept)
}

// A field is found by the beginning of its values if a definition allows it, also its older values; not any more once none
// does; and never while a definition seals it.
func TestFindCustomers_Beginnings(t *testing.T) {
	t.Parallel()
	v := newVault(t, "")
	name := vault.Definition{Name: "name", ValueType: vault.TypeString}
	v.define(name, vault.Definition{Name: "plan", ValueType: vault.TypeString})
	ids := v.people(map[string]map[string]string{
		"ada": {"name": "Ada Lovelace", "plan": "gold"}, "adam": {"name": "ADAM"}, "bob": {"name": "Bob", "plan": "gold"},
		"eve": {"name": "Émilie"}, "odd": {"name": "a%_\\"},
	})
	refused := func() {
		t.Helper()
		time.Sleep(250 * time.Millisecond) // the lifetime of what is known of a field
		conditions, _ := rules.ParseConditions([]string{"name^=a"})
		if _, err := v.FindCustomers(t.Context(), v.tenant, conditions, nil, 10); vault.CodeOf(err) != vault.CodeInvalid {
			t.Errorf("a beginning that no definition allows: %v", err)
		}
	}
	index := func() {
		t.Helper()
		_, err := v.steps.Keys.SealValues(t.Context(), vault.Event{})
		v.must(err)
		time.Sleep(250 * time.Millisecond)
	}
	keys := func() int {
		var n int
		dbtest.Scan(t, v.url, &n, "SELECT count(*) FROM customer_values WHERE by_prefix OR prefix_key IS NOT NULL")
		return n
	}
	refused()
	name.PrefixSearch = true
	v.define(name)
	index()
	v.equal("keys", 5, keys())
	v.customer = newID()
	ids["ann"] = v.customer
	v.write("name", "Ann") // a new value at once
	for where, want := range map[string][]string{
		"name^=a": {"ada", "adam", "ann", "odd"}, "name^=aDA": {"ada", "adam"}, "name^=Ada L": {"ada"}, "name^=é": nil,
		"name^=É": {"eve"}, "name^=a%": {"odd"}, "name^=a_": nil, "name^=b": {"bob"}, "name^=c": nil, "name^=Ada Lovelace!": nil,
	} {
		v.equal(where, want, v.found(t.Context(), ids, where))
	}
	v.equal("with another", []string{"ada"}, v.found(t.Context(), ids, "name^=a", "plan=gold"))
	v.equal("two", []string{"adam"}, v.found(t.Context(), ids, "name^=a", "name^=adam"))
	v.equal("none", []string(nil), v.found(t.Context(), ids, "name^=a", "name^=b"))

	conditions, _ := rules.ParseConditions([]string{"name^=a"})
	first, err := v.FindCustomers(t.Context(), v.tenant, conditions, nil, 2)
	v.must(err)
	v.equal("order", []uuid.UUID{ids["odd"], ids["ada"]}, []uuid.UUID{first.Customers[0].CustomerID, first.Customers[1].CustomerID})
	v.customer = ids["ada"]
	v.write("name", "Zoe") // the cursor stays a position
	rest, err := v.FindCustomers(t.Context(), v.tenant, conditions, first.Next, 2)
	v.must(err)
	v.equal("the rest", []uuid.UUID{ids["adam"], ids["ann"]}, []uuid.UUID{rest.Customers[0].CustomerID, rest.Customers[1].CustomerID})
	gone := *first.Next
	gone.ID = newID()
	if _, err := v.FindCustomers(t.Context(), v.tenant, conditions, &gone, 2); vault.CodeOf(err) != vault.CodeInvalid {
		t.Errorf("a cursor of a value that was removed: %v", err)
	}
	long, _ := rules.ParseConditions([]string{"name^=" + strings.Repeat("é", vault.MaxPrefixLength+1)})
	if _, err := v.FindCustomers(t.Context(), v.tenant, long, nil, 2); vault.CodeOf(err) != vault.CodeInvalid {
		t.Errorf("a long beginning: %v", err)
	}
	v.equal("replaced", []string{"ada"}, v.found(t.Context(), ids, "name^=zo"))

	v.agent = newID() // another agent seals the name
	v.define(vault.Definition{Name: "name", ValueType: vault.TypeString, EncryptionRequired: true})
	refused()
	index()
	var plain int
	dbtest.Scan(t, v.url, &plain, "SELECT count(*) FROM customer_values WHERE name = 'name' AND prefix_key IS NOT NULL")
	v.equal("beginnings of sealed values", 0, plain)
}

// Without a definition that allows it, nothing is kept of the beginnings.
func TestFindCustomers_BeginningsAreRemoved(t *testing.T) {
	t.Parallel()
	v := newVault(t, "")
	name := vault.Definition{Name: "name", ValueType: vault.TypeString, PrefixSearch: true}
	v.define(name)
	v.write("name", "Ada")
	name.PrefixSearch = false
	v.define(name)
	_, err := v.steps.Keys.SealValues(t.Context(), vault.Event{})
	v.must(err)
	var kept int
	dbtest.Scan(t, v.url, &kept, "SELECT count(*) FROM customer_values WHERE by_prefix OR prefix_key IS NOT NULL")
	v.equal("kept", 0, kept)
}

// What a reader may not see it cannot find out by conditions.
func TestFindCustomers_NoOracle(t *testing.T) {
	t.Parallel()
	v := newVault(t, "")
	v.define(
		vault.Definition{Name: "email", ValueType: vault.TypeEmail, IsPII: true},
		vault.Definition{Name: "hobby", ValueType: vault.TypeString, Purposes: []string{"offers", "support"}},
		vault.Definition{Name: "plan", ValueType: vault.TypeString},
	)
	ids := map[string]uuid.UUID{}
	for _, name := range []string{"ada", "bob"} {
		v.customer = newID()
		ids[name] = v.customer
		v.write("plan", "gold")
		v.write("email", name+"@example.com")
		r, err := trigger.Submit(t.Context(), v.trigger, v.tenant, vault.RecordConsent, vault.RecordConsentInput{
			CustomerID: v.customer, Purpose: "offers", Granted: true,
		})
		v.run(r, err, step(v.steps.Customers.RecordConsent), v.acknowledge)
		v.write("hobby", "chess")
		r, err = trigger.Submit(t.Context(), v.trigger, v.tenant, vault.RecordConsent, vault.RecordConsentInput{
			CustomerID: v.customer, Purpose: "offers", Granted: name == "ada",
		})
		v.run(r, err, step(v.steps.Customers.RecordConsent), v.acknowledge)
	}
	log := &reads{}
	v.Queries = query.New(v.db, v.cache, v.sealer, query.AuditReads(log))
	with := func(a vault.Access) context.Context {
		a.Operation = "list-customers"
		return query.WithAccess(t.Context(), a)
	}
	refused := func(ctx context.Context, code vault.Code, where ...string) {
		t.Helper()
		conditions, err := rules.ParseConditions(where)
		v.must(err)
		if _, err := v.FindCustomers(ctx, v.tenant, conditions, nil, 10); vault.CodeOf(err) != code {
			t.Errorf("%v: %v, want %s", where, err, code)
		}
		if _, err := v.CountCustomers(ctx, v.tenant, conditions); vault.CodeOf(err) != code {
			t.Errorf("count of %v: %v, want %s", where, err, code)
		}
	}
	for _, condition := range []string{"email=ada@example.com", "email:verified", "email:missing", "email:older_than=1d"} {
		refused(with(vault.Access{Masked: true}), vault.CodeNotAllowed, "plan=gold", condition)
	}
	for _, condition := range []string{"hobby=chess", "hobby:missing", "hobby:present", "hobby:older_than=0h"} {
		refused(with(vault.Access{}), vault.CodeConsentRequired, condition)
		refused(with(vault.Access{Purpose: "research"}), vault.CodeConsentRequired, condition)
	}
	offers := with(vault.Access{Purpose: "offers"})
	v.equal("consented", []string{"ada"}, v.found(offers, ids, "hobby=chess"))
	v.equal("present", []string{"ada"}, v.found(offers, ids, "hobby:present"))
	v.equal("missing of who has not consented", []string(nil), v.found(offers, ids, "hobby:missing"))
	v.equal("another purpose", []string(nil), v.found(with(vault.Access{Purpose: "support"}), ids, "hobby=chess"))
	v.equal("masked reader", []string{"ada", "bob"}, v.found(with(vault.Access{Masked: true}), ids, "plan=gold"))
	v.must(v.RecordReads(offers))
	v.equal("reads without PII", 0, len(log.entries))

	ctx := with(vault.Access{})
	v.equal("found", []string{"ada"}, v.found(ctx, ids, "email=ada@example.com"))
	v.must(v.RecordReads(ctx))
	var subjects []string
	for _, e := range log.entries {
		v.equal("fields", []string{"email"}, e.Fields)
		subjects = append(subjects, e.Subject)
	}
	v.equal("subjects", []string{"", ids["ada"].String()}, subjects) // the count, and the customer
}

// A page whose candidates do not match is short and is followed by another; all pages together have each customer once.
func TestFindCustomers_BoundedPages(t *testing.T) {
	t.Parallel()
	v := newVault(t, "")
	v.define(vault.Definition{Name: "plan", ValueType: vault.TypeString, PrefixSearch: true},
		vault.Definition{Name: "rare", ValueType: vault.TypeString})
	v.write("rare", "x")
	dbtest.Exec(t, v.url, fmt.Sprintf(`INSERT INTO customer_profiles (id, tenant_id, customer_id)
		SELECT gen_random_uuid(), '%s', gen_random_uuid() FROM generate_series(1, 12000)`, v.tenant))
	dbtest.Exec(t, v.url, fmt.Sprintf(`INSERT INTO customer_values (id, tenant_id, profile_id, name, value, value_type, source,
			status, collected_at, operation_id, accepted_at, by_prefix)
		SELECT gen_random_uuid(), tenant_id, id, 'plan', '"gold"', 'string', 'user_provided', 'active', now(),
			gen_random_uuid(), now(), true FROM customer_profiles WHERE tenant_id = '%s'`, v.tenant))
	for _, where := range [][]string{{"plan=gold", "rare:present"}, {"plan^=go", "rare:present"}, {"rare:present"}, {"plan:older_than=0h", "rare:verified"}} {
		conditions, err := rules.ParseConditions(where)
		v.must(err)
		var pages, customers int
		for after := (*vault.CustomerPosition)(nil); pages == 0 || after != nil; pages++ {
			page, err := v.FindCustomers(t.Context(), v.tenant, conditions, after, 50)
			v.must(err)
			customers, after = customers+len(page.Customers), page.Next
		}
		want := 1
		if where[len(where)-1] == "rare:verified" {
			want = 0
		}
		if pages != 3 || customers != want {
			t.Errorf("%v: %d customers on %d pages", where, customers, pages)
		}
	}
	for _, where := range []string{"plan=gold", "plan^=g"} {
		seen := map[uuid.UUID]bool{}
		conditions, _ := rules.ParseConditions([]string{where})
		for after, pages := (*vault.CustomerPosition)(nil), 0; pages == 0 || after != nil; pages++ {
			page, err := v.FindCustomers(t.Context(), v.tenant, conditions, after, 1000)
			v.must(err)
			for _, c := range page.Customers {
				if seen[c.CustomerID] {
					t.Fatal("a customer is on two pages")
				}
				seen[c.CustomerID] = true
			}
			after = page.Next
		}
		v.equal("customers with "+where, 12001, len(seen))
	}
}
