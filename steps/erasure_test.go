package steps_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/db/personal"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

var (
	eraseCustomer = []string{
		"Erasure.Begin", "Erasure.EndWork", "Erasure.Erase", "Erasure.Scan", "Erasure.Finish",
		"Caches.InvalidateAndAcknowledge",
	}
	exportCustomer = []string{"Exports.RecordExport", "Exports.AnnounceExport", "Caches.InvalidateAndAcknowledge"}
)

// erasedCanary is in everything that a whole customer has.
const erasedCanary = "canary-4711"

// whole makes a customer with something in every table that can hold something of one. It is merged with another one.
func whole(w *world) {
	w.subscribed(newReceiver(w.t))
	w.must(w.run(aMerge(w), mergeCustomers...))
	w.define(
		vault.Definition{Name: "secret", ValueType: vault.TypeString, EncryptionRequired: true},
		vault.Definition{Name: "age", ValueType: vault.TypeNumber},
	)
	w.must(w.run(w.consent(true), recordConsent...))
	scenario := w.scenario("Ask.")
	w.require(scenario.ID, vault.Requirement{FieldName: "plan"}, vault.Requirement{FieldName: "age"})
	session := w.session(map[string]json.RawMessage{"note": text(erasedCanary)}, "My code is "+erasedCanary+".")
	fill := w.event(trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.FillGaps, vault.FillGapsInput{
		CustomerID: w.customer, ScenarioID: scenario.ID, SessionID: &session,
	}))
	for _, write := range w.resolve(fill) {
		w.must(w.run(write, writeValue...))
	}
	w.ask(fill)
	w.sql("INSERT INTO gap_fill_items (fill_id, tenant_id, field_name) VALUES ($1, $2, 'age') ON CONFLICT DO NOTHING",
		fill.OperationID, w.tenant)
	source := w.write("plan", text(erasedCanary))
	w.write("secret", text(erasedCanary))
	w.write("email", text(erasedCanary+"@example.com"), from(source.ItemID))
	w.remove(w.write("plan", text(erasedCanary+" again")).ItemID, true)
	w.addAsset(erasedCanary)
	w.must(w.run(w.link("sms", erasedCanary), linkChannel...))
	w.sql("INSERT INTO session_turn_embeddings (tenant_id, session_id, turn_index, model, embedding) VALUES ($1, $2, 0, "+
		"'m', array_fill(1, '{512}')::real[]::vector)", w.tenant, session)
	w.must(w.run(w.exporting(), exportCustomer...))
	w.deliver()
}

func (w *world) exporting() vault.Event {
	return w.event(trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.ExportCustomer, vault.ExportCustomerInput{
		CustomerID: w.customer,
	}))
}

func (w *world) erasing(derived vault.DerivedAction) vault.Event {
	return w.event(trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.EraseCustomer, vault.EraseCustomerInput{
		CustomerID: w.customer, Derived: derived,
	}))
}

// anErasure is the erasure of a whole customer.
func anErasure(w *world) vault.Event {
	whole(w)
	return w.erasing("")
}

func anExport(w *world) vault.Event {
	whole(w)
	return w.exporting()
}

// purgeable returns deleted customers that are due to be erased.
func purgeable(w *world) {
	defined(w)
	soon := time.Now().Add(time.Hour)
	for range 3 {
		w.customer = newID()
		w.write("plan", text("gold"))
		w.must(w.run(w.event(trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.DeleteCustomer,
			vault.DeleteCustomerInput{CustomerID: w.customer, PurgeAfter: &soon})), deleteCustomer...))
	}
	w.later(2 * time.Hour)
}

// removable returns expired versions that their definition does not keep.
func removable(w *world) {
	w.define(vault.Definition{Name: "code", ValueType: vault.TypeString, RetentionDays: 1, RemoveAfterDays: 2})
	for _, code := range []string{"A1", "A2", "A3"} {
		w.write("code", text(code))
	}
	w.later(4 * 24 * time.Hour)
	w.must(w.run(vault.Event{}, "Sweeps.ExpireValues"))
}

// names lists the tables with a row of the tenant that contains a text.
func (w *world) names(needle string) []string {
	w.t.Helper()
	var found []string
	for table, rows := range w.rowsOf(w.tenant) {
		if personal.Kept[table] == "" && slices.ContainsFunc(rows, func(row string) bool {
			return strings.Contains(row, needle) && !tellsOfErasure(table, row)
		}) {
			found = append(found, table)
		}
	}
	slices.Sort(found)
	return found
}

// tellsOfErasure reports whether a row is the event customer.erased, which has the id of the customer and nothing else.
func tellsOfErasure(table, row string) bool {
	if table != "events" || !strings.Contains(row, `"customer.erased"`) {
		return false
	}
	var left map[string]any
	if json.Unmarshal([]byte(row), &left) != nil {
		return false
	}
	for _, column := range []string{"seq", "tenant_id", "position", "type", "at", "customer_id"} {
		delete(left, column)
	}
	for _, value := range left {
		if value != nil && value != "" {
			return false
		}
	}
	return true
}

func TestEraseCustomer_LeavesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := *w
	other.customer = newID()
	defined(&other)
	kept := other.write("plan", text("silver"))
	whole(w)
	for _, same := range []*world{&other, w} { // and a merge is proposed
		same.write("email", text("shared@example.com"), verifiedBy)
	}
	w.must(w.run(w.mergeRule(newID(), "email"), saveMergeRule...))
	w.must(w.run(w.searchingMerges(), proposeMerges...))
	var customers, sessions string
	dbtest.Scan(t, w.url, &customers, "SELECT string_agg(customer_id::text, ',') FROM customer_profiles "+
		"WHERE tenant_id = $1 AND customer_id <> $2", w.tenant, other.customer)
	dbtest.Scan(t, w.url, &sessions, "SELECT string_agg(id::text, ',') FROM sessions WHERE tenant_id = $1", w.tenant)
	counted := w.dump().Counts()
	for _, table := range personal.Tables {
		if counted[table.Name] == 0 && !slices.Contains([]string{"holds", "pending_invalidations", "fill_wakeups"}, table.Name) {
			t.Errorf("the customer has nothing in %s", table.Name)
		}
	}
	ev := w.erasing("")
	w.must(w.twice(ev, eraseCustomer...))
	got := resultOf[vault.EraseResult](w, ev)
	if got.ErasureID != ev.OperationID || got.Rows["customer_values"] == 0 || got.Rows["operations"] == 0 {
		t.Errorf("the result is %+v", got)
	}
	for needle := range strings.SplitSeq(customers+","+sessions+","+erasedCanary, ",") {
		if found := w.names(needle); len(found) > 0 {
			t.Errorf("%s is still in %v", needle, found)
		}
	}
	if left := w.names(kept.ItemID.String()); len(left) == 0 {
		t.Error("the value of another customer is gone")
	}
	row, err := w.db.Tenant(w.tenant).GetErasure(t.Context(), w.tenant, ev.OperationID)
	w.must(err)
	key, err := w.db.Tenant(w.tenant).GetErasureKey(t.Context(), w.tenant)
	w.must(err)
	receipt, err := db.VerifyReceipt([]byte(key.PublicKey), []byte(*row.Receipt))
	if err != nil || receipt.Rows["customer_values"] != got.Rows["customer_values"] ||
		receipt.Customer != vault.Commitment(receipt.Salt, w.customer) {
		t.Errorf("the receipt is %+v, %v", receipt, err)
	}
}

// Everything that would bring the customer back is rejected, and leaves nothing behind.
func TestEraseCustomer_NothingBringsItBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	whole(w)
	done, waiting := w.accept("plan", text(erasedCanary)), w.accept("plan", text(erasedCanary+" late"))
	w.must(w.run(done, writeValue...))
	w.must(w.run(w.erasing(""), eraseCustomer...))
	for _, ev := range []vault.Event{done, waiting} { // replays of the engine
		if err := w.run(ev, writeValue...); vault.CodeOf(err) != vault.CodeErased && ev != done {
			t.Errorf("a replay says %v", err)
		}
	}
	if _, err := w.trigger.Replay(t.Context(), w.tenant, waiting.OperationID); vault.CodeOf(err) != vault.CodeErased {
		t.Errorf("a replay by an operator says %v", err)
	}
	submit := map[string]struct {
		accept func() vault.Event
		steps  []string
	}{
		"a write": {func() vault.Event { return w.accept("plan", text(erasedCanary)) }, writeValue},
		"an import": {func() vault.Event {
			return w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.ImportValues, vault.ImportValuesInput{
				Writes: []vault.WriteValueInput{{
					AgentID: w.agent, CustomerID: w.customer, Name: "plan", Value: text(erasedCanary), Source: vault.ValueHumanEntered,
				}},
			}))
		}, importValues},
		"a session": {func() vault.Event {
			return w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.SaveSession, vault.SaveSessionInput{
				SessionID: newID(), AgentID: w.agent, CustomerID: w.customer,
				Turns: []vault.Turn{{Speaker: vault.SpeakerCustomer, Text: erasedCanary}},
			}))
		}, saveSession},
		"a fill": {func() vault.Event {
			return w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.FillGaps, vault.FillGapsInput{
				CustomerID: w.customer, ScenarioID: w.scenario("Ask.").ID,
			}))
		}, []string{"Gaps.FindMissing"}},
		"an asset":   {func() vault.Event { return anAsset(w) }, addAsset},
		"a consent":  {func() vault.Event { return w.consent(true) }, recordConsent},
		"a link":     {func() vault.Event { return w.link("email", erasedCanary) }, linkChannel},
		"an opening": {func() vault.Event { return w.opening("sms", erasedCanary, false) }, openCustomer},
		"an erasure": {func() vault.Event { return w.erasing("") }, eraseCustomer},
		"an export":  {func() vault.Event { return w.exporting() }, exportCustomer},
		"a deletion": {func() vault.Event {
			return w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.DeleteCustomer,
				vault.DeleteCustomerInput{CustomerID: w.customer}))
		}, deleteCustomer},
	}
	for what, s := range submit {
		ev := s.accept()
		if err := w.run(ev, s.steps...); vault.CodeOf(err) != vault.CodeErased {
			t.Errorf("%s says %v", what, err)
		}
		if err := w.run(ev, s.steps...); vault.CodeOf(err) != vault.CodeErased {
			t.Errorf("%s says %v when it runs again", what, err)
		}
	}
	for _, needle := range []string{w.customer.String(), erasedCanary} {
		if found := w.names(needle); len(found) > 0 {
			t.Errorf("%s is in %v", needle, found)
		}
	}
	// A batch of an import keeps the writes of the others.
	fresh := newID()
	in := vault.ImportValuesInput{SkipInvalid: true}
	for _, customer := range []uuid.UUID{w.customer, fresh} {
		in.Writes = append(in.Writes, vault.WriteValueInput{
			AgentID: w.agent, CustomerID: customer, Name: "plan", Value: text("gold"), Source: vault.ValueHumanEntered,
		})
	}
	ev := w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.ImportValues, in))
	w.must(w.run(ev, importValues...))
	if got := resultOf[vault.ImportResult](w, ev); got.Written != 1 || len(got.Rejected) != 1 ||
		got.Rejected[0].Code != vault.CodeErased {
		t.Errorf("the import says %+v", got)
	}
	// The person comes back as a new customer.
	back := w.opening("sms", erasedCanary, true)
	w.must(w.run(back, openCustomer...))
	if got := resultOf[vault.CustomerResult](w, back); !got.Created || got.CustomerID == w.customer {
		t.Errorf("the person is %+v", got)
	}
}

// A late operation may be wrong in another way as well, or name only what belonged to the customer: it still leaves
// nothing behind.
func TestEraseCustomer_LateAndInvalid(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	whole(w)
	erased := w.customer
	var question, item, session uuid.UUID
	dbtest.Scan(t, w.url, &question, "SELECT id FROM questions WHERE tenant_id = $1 LIMIT 1", w.tenant)
	dbtest.Scan(t, w.url, &item, "SELECT id FROM customer_values WHERE tenant_id = $1 LIMIT 1", w.tenant)
	dbtest.Scan(t, w.url, &session, "SELECT id FROM sessions WHERE tenant_id = $1 LIMIT 1", w.tenant)
	w.must(w.run(w.erasing(""), eraseCustomer...))
	other := newID()
	w.as(other).write("plan", text("silver"))
	merging := func(source, target uuid.UUID) func() vault.Event {
		return func() vault.Event {
			return w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.MergeCustomers, vault.MergeCustomersInput{
				SourceCustomerID: source, TargetCustomerID: target,
			}))
		}
	}
	for what, s := range map[string]struct {
		accept func() vault.Event
		steps  []string
	}{
		"a value of another type":  {func() vault.Event { return w.accept("age", text(erasedCanary)) }, writeValue},
		"a value without a field":  {func() vault.Event { return w.accept("undefined", text(erasedCanary)) }, writeValue},
		"a merge into another one": {merging(erased, other), mergeCustomers},
		"a merge of another one":   {merging(other, erased), mergeCustomers},
		"a decision": {func() vault.Event {
			return w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.DecideValue, vault.DecideValueInput{
				ItemID: item, Decision: vault.Approve, Note: erasedCanary,
			}))
		}, decideValue},
		"a claim": {func() vault.Event {
			return w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.ClaimQuestion, vault.ClaimQuestionInput{
				QuestionID: question, Channel: "sms",
			}))
		}, []string{"Answers.ClaimQuestion"}},
		"a reading": {func() vault.Event {
			return w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.ReadConversation,
				vault.ReadConversationInput{SessionID: session}))
		}, readConversation},
	} {
		ev := s.accept()
		for range 2 {
			if err := w.run(ev, s.steps...); vault.CodeOf(err) != vault.CodeErased {
				t.Errorf("%s says %v", what, err)
			}
		}
		var empty bool
		dbtest.Scan(t, w.url, &empty, "SELECT payload = '' FROM operations WHERE id = $1", ev.OperationID)
		if !empty {
			t.Errorf("%s left its payload", what)
		}
	}
	if _, err := trigger.Submit(t.Context(), w.trigger, w.tenant, vault.AnswerQuestion, vault.AnswerQuestionInput{
		QuestionID: question, Value: text(erasedCanary),
	}); vault.CodeOf(err) != vault.CodeUnknown { // it is not accepted
		t.Errorf("an answer says %v", err)
	}
	for _, needle := range []string{erased.String(), question.String(), item.String(), session.String(), erasedCanary} {
		if found := w.names(needle); len(found) > 0 {
			t.Errorf("%s is in %v", needle, found)
		}
	}
	if n := w.dump().Counts()["customer_keys"]; n != 1 {
		t.Errorf("there are keys of %d customers, want that of the other one", n)
	}
}

func (w *world) opening(channel, external string, afterErasure bool) vault.Event {
	return w.event(trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.OpenCustomer, vault.OpenCustomerInput{
		Channel: channel, ExternalID: external, AfterErasure: afterErasure,
	}))
}

// A worker may be killed after any step, and at any point within one.
func TestEraseCustomer_GoesOn(t *testing.T) {
	t.Parallel()
	for n := range eraseCustomer {
		t.Run(eraseCustomer[n], func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			whole(w)
			ev := w.erasing("")
			w.must(w.run(ev, eraseCustomer[:n+1]...))
			again := w.erasing("") // a half-erased customer
			if err := w.run(again, "Erasure.Begin"); vault.CodeOf(err) != vault.CodeErased ||
				!strings.Contains(err.Error(), ev.OperationID.String()) {
				t.Errorf("a second erasure says %v", err)
			}
			w.must(w.run(ev, eraseCustomer...))
			for _, needle := range []string{w.customer.String(), erasedCanary} {
				if found := w.names(needle); len(found) > 0 {
					t.Errorf("%s is in %v", needle, found)
				}
			}
		})
	}
}

// An operation that is rejected while an erasure is under way leaves it the key that it needs. Without the key, as in a
// restored backup, the customer is erased as well.
func TestEraseCustomer_Key(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(w *world){
		"late write": func(w *world) {
			if err := w.run(w.accept("plan", text(erasedCanary)), writeValue...); vault.CodeOf(err) != vault.CodeErased {
				w.t.Errorf("a write during the erasure says %v", err)
			}
			if n := w.dump().Counts()["customer_keys"]; n == 0 {
				w.t.Error("the write has removed the key")
			}
		},
		"no key": func(w *world) {
			w.sql("DELETE FROM customer_keys WHERE tenant_id = $1", w.tenant)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			whole(w)
			ev := w.erasing("")
			w.must(w.run(ev, eraseCustomer[0]))
			lose(w)
			w.must(w.run(ev, eraseCustomer...))
			for _, needle := range []string{w.customer.String(), erasedCanary} {
				if found := w.names(needle); len(found) > 0 {
					t.Errorf("%s is in %v", needle, found)
				}
			}
			if n := w.dump().Counts()["customer_keys"]; n != 0 {
				t.Errorf("%d keys are left", n)
			}
		})
	}
}

func TestEraseCustomer_Unknown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ev := w.erasing("")
	if err := w.run(ev, eraseCustomer...); vault.CodeOf(err) != vault.CodeUnknown {
		t.Errorf("it says %v", err)
	}
	if n := w.dump().Counts()["erasures"]; n != 0 {
		t.Errorf("it left %d rows", n)
	}
}

// What was derived from the customer's items stays with others as stale, or is erased.
func TestEraseCustomer_Derived(t *testing.T) {
	t.Parallel()
	for _, action := range []vault.DerivedAction{vault.DerivedStale, vault.DerivedErase} {
		t.Run(string(action), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			defined(w)
			source := w.write("plan", text("gold of the source"))
			other := *w
			other.customer = newID()
			before := other.write("plan", text("bronze"))
			first := other.write("plan", text("derived-1"), from(source.ItemID))
			second := other.write("email", text("derived2@example.com"), from(first.ItemID))
			ev := w.erasing(action)
			w.must(w.twice(ev, eraseCustomer...))
			for _, id := range []uuid.UUID{first.ItemID, second.ItemID} {
				row, err := w.db.Tenant(w.tenant).GetAnyValue(t.Context(), w.tenant, id)
				w.must(err)
				stale := row.StaleSince != nil && row.DeletedAt == nil && string(row.Value) != "null"
				erased := row.DeletedAt != nil && string(row.Value) == "null"
				if (action == vault.DerivedStale) != stale || (action == vault.DerivedErase) != erased {
					t.Errorf("%s: the value is %s, stale since %v, deleted at %v", action, row.Value, row.StaleSince, row.DeletedAt)
				}
				if row.SourceItemID != nil && *row.SourceItemID == source.ItemID {
					t.Error("it still names the erased item")
				}
				if action == vault.DerivedErase {
					restore := w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.RestoreItem,
						vault.RestoreItemInput{ItemID: id}))
					if err := w.run(restore, restoreItem...); vault.CodeOf(err) != vault.CodeConflict {
						t.Errorf("restoring it says %v", err)
					}
				}
			}
			if names := w.names(before.ItemID.String()); len(names) == 0 {
				t.Error("the older value of the other customer is gone")
			}
		})
	}
}

// A table with a customer that the list does not have stops the export, the erasure and the scan.
func TestErasure_UnlistedTable(t *testing.T) {
	t.Parallel()
	for what, sql := range map[string]string{
		"a customer_id": "CREATE TABLE notes (tenant_id uuid, customer_id uuid, note text)",
		"a reference":   "CREATE TABLE notes (id uuid REFERENCES customer_profiles (id), tenant_id uuid)",
	} {
		t.Run(what, func(t *testing.T) {
			w := newWorld(t)
			whole(w)
			begun := w.erasing("")
			w.must(w.run(begun, eraseCustomer[:2]...))
			second := *w
			second.customer = newID()
			second.write("plan", text("gold"))
			scanning := second.erasing("")
			w.must(w.run(scanning, eraseCustomer[:3]...))
			third := *w
			third.customer = newID()
			third.write("plan", text("gold"))
			w.sql(sql)
			t.Cleanup(func() { w.sql("DROP TABLE notes") })
			for step, ev := range map[string]vault.Event{
				"Erasure.Begin": third.erasing(""), "Erasure.Erase": begun, "Erasure.Scan": scanning,
				"Exports.RecordExport": third.exporting(),
			} {
				if err := w.run(ev, step); err == nil || !strings.Contains(err.Error(), "table notes") {
					t.Errorf("%s says %v", step, err)
				}
			}
		})
	}
}

// Every table is classified, so that a new one is decided about.
func TestPersonalTables_Complete(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(w.db.InTenantTx(t.Context(), w.tenant, pgx.TxOptions{}, func(tx pgx.Tx) error {
		if err := personal.Check(t.Context(), tx); err != nil {
			return err
		}
		unlisted, err := personal.Unlisted(t.Context(), tx)
		if len(unlisted) > 0 {
			t.Errorf("neither personal.Tables nor personal.Others has %v", unlisted)
		}
		return err
	}))
}

// A withdrawal erases the values of fields that say so, and no others.
func TestRecordConsent_WithdrawalErases(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.define(
		vault.Definition{Name: "iban", ValueType: vault.TypeString, Purposes: []string{"marketing"}, EraseOnWithdrawal: true},
		vault.Definition{Name: "hobby", ValueType: vault.TypeString, Purposes: []string{"marketing"}},
	)
	w.must(w.run(w.consent(true), recordConsent...))
	for range 2 {
		w.write("iban", text(fmt.Sprintf("%s-%s", erasedCanary, newID())))
	}
	w.write("hobby", text("chess"))
	ev := w.consent(false)
	w.must(w.twice(ev, recordConsent...))
	if got := resultOf[vault.CustomerResult](w, ev); got.Erased != 2 {
		t.Errorf("it erased %d versions", got.Erased)
	}
	if found := w.names(erasedCanary); len(found) > 0 {
		t.Errorf("the value is in %v", found)
	}
	if n := w.dump().Counts()["customer_values"]; n != 1 {
		t.Errorf("%d versions are left", n)
	}
}

func TestRemoveExpired_AfterGrace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.define(
		vault.Definition{Name: "code", ValueType: vault.TypeString, RetentionDays: 1, RemoveAfterDays: 2},
		vault.Definition{Name: "plan", ValueType: vault.TypeString, RetentionDays: 1},
	)
	w.write("code", text(erasedCanary))
	w.write("code", text(erasedCanary+" 2"))
	w.write("plan", text("gold"))
	for _, days := range []int{2, 2} {
		w.later(time.Duration(days) * 24 * time.Hour)
		w.must(w.run(vault.Event{}, "Sweeps.ExpireValues", "Retention.RemoveExpired"))
		left := w.dump().Counts()["customer_values"]
		if kept := w.late.Load() < int64(3*24*time.Hour); kept && left != 3 || !kept && left != 1 {
			t.Errorf("%d versions are left", left)
		}
	}
}

func TestPurgeCustomers_WhenDue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	purgeable(w)
	w.later(-2 * time.Hour)
	out, err := w.step("Retention.QueueDueErasures")(context.Background(), vault.Event{})
	w.must(err)
	if n := len(w.engine.taken()); n != 0 {
		t.Fatalf("%+v: %d erasures before their time", out, n)
	}
	w.later(2 * time.Hour)
	w.must(w.run(vault.Event{}, "Retention.QueueDueErasures"))
	for _, p := range w.engine.taken() {
		w.must(w.run(vault.Event{TenantID: w.tenant, OperationID: p.Operation}, eraseCustomer...))
	}
	if n := w.dump().Counts(); n["customer_profiles"] != 0 || n["customer_values"] != 0 || n["erasures"] != 3 {
		t.Errorf("left: %v", n)
	}
}
