package steps_test

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// The steps of each customer workflow, in order.
var (
	importValues    = []string{"Imports.ValidateImport", "Imports.PersistImport", "Caches.InvalidateAndAcknowledge"}
	verifyValue     = []string{"Values.PersistVerification", "Caches.InvalidateAndAcknowledge"}
	expireValue     = []string{"Values.PersistExpiry", "Caches.InvalidateAndAcknowledge"}
	deleteItem      = []string{"Items.CheckDependents", "Items.DeleteItem", "Caches.InvalidateAndAcknowledge"}
	restoreItem     = []string{"Items.RestoreItem", "Caches.InvalidateAndAcknowledge"}
	openCustomer    = []string{"Customers.OpenCustomer", "Caches.InvalidateAndAcknowledge"}
	linkChannel     = []string{"Customers.LinkChannel", "Caches.InvalidateAndAcknowledge"}
	recordConsent   = []string{"Customers.RecordConsent", "Caches.InvalidateAndAcknowledge"}
	deleteCustomer  = []string{"Customers.DeleteCustomer", "Caches.InvalidateAndAcknowledge"}
	mergeCustomers  = []string{"Merges.MergeCustomers", "Caches.InvalidateAndAcknowledge"}
	unmergeCustomer = []string{"Merges.UnmergeCustomer", "Caches.InvalidateAndAcknowledge"}
	decideReview    = []string{"Definitions.PersistReview", "Caches.InvalidateAndAcknowledge"}
)

// twice runs steps twice. The second run must change nothing and return the same outputs.
func (w *world) twice(ev vault.Event, names ...string) error {
	w.t.Helper()
	err := w.run(ev, names...)
	before := w.dump()
	if again := w.run(ev, names...); textOf(again) != textOf(err) {
		w.t.Errorf("the second run says %q, the first said %q", textOf(again), textOf(err))
	}
	w.unchanged(before, "the second run of "+names[0])
	return err
}

// applied runs the steps of an operation twice and returns its result.
func applied[T any](w *world, r trigger.Receipt, err error, names ...string) T {
	w.t.Helper()
	ev := w.event(r, err)
	w.must(w.twice(ev, names...))
	if op := w.op(ev); op.Status != vault.OperationSucceeded {
		w.t.Fatalf("%s is %s", op.Workflow, op.Status)
	}
	return resultOf[T](w, ev)
}

// refused runs the steps of an operation that must be rejected, and must change nothing but its own row.
func (w *world) refused(ev vault.Event, code vault.Code, says []string, names ...string) {
	w.t.Helper()
	before := w.dump()
	err := w.twice(ev, names...)
	w.says(err, code, says...)
	w.sameBut(before, "a rejected operation", "operations")
	if op := w.op(ev); op.Status != vault.OperationFailed || op.Error == nil || op.Error.Code != code {
		w.t.Errorf("the operation is %s with error %v, want failed with %s", op.Status, op.Error, code)
	}
}

// says checks the code of an error and parts of its message.
func (w *world) says(err error, code vault.Code, says ...string) {
	w.t.Helper()
	if vault.CodeOf(err) != code {
		w.t.Fatalf("got %v, want an error of code %s", err, code)
	}
	for _, part := range says {
		if !strings.Contains(err.Error(), part) {
			w.t.Errorf("%q does not say %q", err, part)
		}
	}
}

// bypass accepts an operation that package trigger would reject, as another program might.
func (w *world) bypass(workflow string, subject uuid.UUID, payload any) vault.Event {
	w.t.Helper()
	op, err := db.AcceptOperation(w.t.Context(), w.db.Tenant(w.tenant), w.sealer, w.tenant, db.NewOperation{
		Workflow: workflow, Event: workflow, Subject: subject.String(), Payload: payload,
	})
	w.must(err)
	return db.EventOf(op)
}

// as returns the world of another customer of the same tenant.
func (w *world) as(customer uuid.UUID) *world {
	other := *w
	other.customer = customer
	return &other
}

// seen returns the profile that a reader sees. Two reads through the cache must equal the database.
func (w *world) seen(customer uuid.UUID) (vault.Profile, error) {
	w.t.Helper()
	direct, err := query.New(w.db, nil, w.sealer).Profile(w.t.Context(), w.tenant, customer)
	for range 2 {
		cached, cachedErr := query.New(w.db, w.cache, w.sealer).Profile(w.t.Context(), w.tenant, customer)
		w.equal("the profile from the cache", jsonOf(direct), jsonOf(cached))
		w.equal("the error from the cache", textOf(err), textOf(cachedErr))
	}
	return direct, err
}

func jsonOf(v any) string {
	out, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		panic(err)
	}
	return string(out)
}

// values returns the field values that a reader sees.
func (w *world) values(customer uuid.UUID) map[string]string {
	w.t.Helper()
	p, err := w.seen(customer)
	w.must(err)
	out := map[string]string{}
	for name, f := range p.Fields {
		out[name] = string(f.Value)
	}
	return out
}

// assetsOf returns the names of the assets that a reader sees.
func (w *world) assetsOf(customer uuid.UUID) []string {
	w.t.Helper()
	p, err := w.seen(customer)
	w.must(err)
	out := []string{}
	for _, a := range p.Assets {
		out = append(out, a.StoragePath)
	}
	return sorted(out)
}

// gone checks that all reads of a customer fail.
func (w *world) gone(customer uuid.UUID) {
	w.t.Helper()
	_, err := w.seen(customer)
	w.says(err, vault.CodeUnknown, customer.String())
	_, err = query.New(w.db, w.cache, w.sealer).History(w.t.Context(), w.tenant, customer, "plan")
	w.says(err, vault.CodeUnknown, customer.String())
}

// standing returns value and status of every version of a field, oldest first.
func (w *world) standing(name string) []string {
	w.t.Helper()
	var out []string
	for _, v := range w.history(name) {
		out = append(out, string(v.Value)+" "+string(v.Status))
	}
	return out
}

func (w *world) open(channel, external string) vault.CustomerResult {
	w.t.Helper()
	r, err := trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.OpenCustomer, vault.OpenCustomerInput{
		Channel: channel, ExternalID: external,
	})
	return applied[vault.CustomerResult](w, r, err, openCustomer...)
}

func (w *world) link(channel, external string) vault.Event {
	w.t.Helper()
	return w.event(
		trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.LinkChannel, vault.LinkChannelInput{
			CustomerID: w.customer, Channel: channel, ExternalID: external,
		}),
	)
}

func (w *world) remove(item uuid.UUID, force bool) vault.DeleteResult {
	w.t.Helper()
	r, err := trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.DeleteItem, vault.DeleteItemInput{
		ItemID: item, Force: force,
	})
	return applied[vault.DeleteResult](w, r, err, deleteItem...)
}

func (w *world) restoring(item uuid.UUID) vault.Event {
	w.t.Helper()
	return w.event(
		trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.RestoreItem, vault.RestoreItemInput{ItemID: item}),
	)
}

func (w *world) restore(item uuid.UUID) vault.ItemResult {
	w.t.Helper()
	ev := w.restoring(item)
	w.must(w.twice(ev, restoreItem...))
	return resultOf[vault.ItemResult](w, ev)
}

func (w *world) merging(source, target uuid.UUID) vault.Event {
	w.t.Helper()
	return w.event(
		trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.MergeCustomers, vault.MergeCustomersInput{
			SourceCustomerID: source, TargetCustomerID: target,
		}),
	)
}

func (w *world) merge(source, target uuid.UUID) {
	w.t.Helper()
	w.must(w.run(w.merging(source, target), mergeCustomers...))
}

func (w *world) unmerging(customer uuid.UUID) vault.Event {
	w.t.Helper()
	return w.event(
		trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.UnmergeCustomer, vault.UnmergeCustomerInput{
			CustomerID: customer,
		}),
	)
}

func (w *world) unmerge(customer uuid.UUID) {
	w.t.Helper()
	w.must(w.run(w.unmerging(customer), unmergeCustomer...))
}

func (w *world) erase(customer uuid.UUID) {
	w.t.Helper()
	w.must(
		w.run(
			w.event(
				trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.DeleteCustomer, vault.DeleteCustomerInput{
					CustomerID: customer,
				}),
			),
			deleteCustomer...,
		),
	)
}

func (w *world) consent(granted bool) vault.Event {
	w.t.Helper()
	return w.event(
		trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.RecordConsent, vault.RecordConsentInput{
			CustomerID: w.customer, Purpose: "marketing", Granted: granted,
		}),
	)
}

// addAsset adds an asset at a path.
func (w *world) addAsset(path string, change ...func(*vault.AddAssetInput)) vault.ItemResult {
	w.t.Helper()
	ev := w.acceptAsset(path, change...)
	w.must(w.run(ev, addAsset...))
	return resultOf[vault.ItemResult](w, ev)
}

func (w *world) acceptAsset(path string, change ...func(*vault.AddAssetInput)) vault.Event {
	w.t.Helper()
	in := w.asset()
	in.StoragePath = path
	for _, c := range change {
		c(&in)
	}
	return w.event(trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.AddAsset, in))
}

// count returns the result of a query with one integer column.
func (w *world) count(statement string, args ...any) int {
	w.t.Helper()
	var n int
	dbtest.Scan(w.t, w.url, &n, statement, args...)
	return n
}

// fact is a write of the customer in an import.
func (w *world) fact(name, value string, change ...func(*vault.WriteValueInput)) vault.WriteValueInput {
	in := vault.WriteValueInput{
		AgentID: w.agent, CustomerID: w.customer, Name: name, Value: text(value), Source: vault.ValueUserProvided,
	}
	for _, c := range change {
		c(&in)
	}
	return in
}

func (w *world) importing(skip bool, writes ...vault.WriteValueInput) vault.Event {
	w.t.Helper()
	return w.event(
		trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.ImportValues, vault.ImportValuesInput{
			Writes: writes, SkipInvalid: skip,
		}),
	)
}

func indexes(rejected []vault.Rejected) []int {
	var out []int
	for _, r := range rejected {
		out = append(out, r.Index)
	}
	slices.Sort(out)
	return out
}

// readerOf reads through the cache.
func readerOf(w *world) *query.Queries { return query.New(w.db, w.cache, w.sealer) }
