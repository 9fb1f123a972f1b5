package steps_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/pgvector/pgvector-go"

	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// secret is a part of all free text that the victim stores.
const secret = "the victim's own"

// victim is a tenant with a row in every table.
func victim(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.must(w.run(aMerge(w), mergeCustomers...))
	sharing(w, 2)
	w.must(w.run(w.searchingMerges(), proposeMerges...))
	w.write("plan", text(secret))
	w.must(w.run(w.consent(true), recordConsent...))
	_, _, _ = pending(w)
	w.customer = newID()
	scenario := w.scenario(secret)
	w.must(w.run(w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.SaveRule, vault.Rule{
		ID: newID(), AgentID: w.agent, ScenarioID: scenario.ID, Name: "adults", Condition: "age >= 18", Action: secret,
	})), saveRule...))
	w.define(vault.Definition{Name: "age", ValueType: vault.TypeNumber})
	w.require(scenario.ID, vault.Requirement{FieldName: "plan"}, vault.Requirement{FieldName: "age"})
	session := w.session(map[string]json.RawMessage{"plan": text(secret)}, secret)
	fill := w.event(
		trigger.Submit(t.Context(), w.trigger, w.tenant, vault.FillGaps, vault.FillGapsInput{
			CustomerID: w.customer, ScenarioID: scenario.ID, SessionID: &session,
		}),
	)
	for _, write := range w.resolve(fill) {
		w.must(w.run(write, writeValue...))
	}
	w.ask(fill)
	w.sql("INSERT INTO questions (id, tenant_id, fill_id, customer_id, agent_id, scenario_id, field_name, prompt, attempt, "+
		"status, deadline_at, closed_at) SELECT $1, tenant_id, fill_id, customer_id, agent_id, scenario_id, field_name, prompt, "+
		"attempt + 1, 'expired', deadline_at, clock_timestamp() FROM questions WHERE tenant_id = $2", newID(), w.tenant)
	source := w.write("plan", text(secret))
	w.write("email", text("victim@example.com"), from(source.ItemID))
	w.as(newID()).write("plan", text(secret), from(source.ItemID))
	w.remove(w.as(newID()).write("plan", text(secret)).ItemID, false)
	card := w.addAsset(secret)
	w.write(
		"email", text("card@example.com"), from(card.ItemID),
		func(in *vault.WriteValueInput) { in.SourceItemType = vault.SourceProfileAsset },
	)
	w.must(w.run(w.link("sms", secret), linkChannel...))
	// applied and not acknowledged
	w.must(w.run(w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.AddAsset, w.asset())), addAsset[:2]...))
	gone := *w
	gone.customer = newID()
	gone.write("plan", text(secret))
	w.must(w.run(gone.erasing(""), eraseCustomer...))
	w.must(w.run(w.exporting(), exportCustomer...))
	w.sql(
		"INSERT INTO api_keys (id, tenant_id, name, key_hash, scopes) VALUES ($1, $2, $3, 'hash', '{admin}')", newID(),
		w.tenant, secret,
	)
	w.sql("INSERT INTO llm_usage (tenant_id, day, calls) VALUES ($1, current_date, 1) ON CONFLICT DO NOTHING", w.tenant)
	w.sql(
		"INSERT INTO session_turn_embeddings (tenant_id, session_id, turn_index, model, embedding) VALUES ($1, $2, 0, "+
			"'m', array_fill(1, '{512}')::real[]::vector) ON CONFLICT DO NOTHING",
		w.tenant, session,
	)
	w.sql("INSERT INTO sealed_fields (tenant_id, name) VALUES ($1, 'tax_id') ON CONFLICT DO NOTHING", w.tenant)
	w.sql("INSERT INTO prefix_fields (tenant_id, name) VALUES ($1, 'surname') ON CONFLICT DO NOTHING", w.tenant)
	w.subscribed(newReceiver(t))
	w.write("plan", text(secret+" once more"))
	w.deliver()
	w.sql("INSERT INTO pending_invalidations (tenant_id, kind, subject) VALUES ($1, 'profile', $2)", w.tenant, w.customer)
	w.sealAudit(0)
	_, err := w.db.PublishEvents(t.Context(), w.tenant)
	w.must(err)
	for table, rows := range w.rowsOf(w.tenant) {
		if len(rows) == 0 {
			t.Errorf("the victim has nothing in %s: what would be stolen there is not seen", table)
		}
	}
	return w
}

// inserts rowsOf returns all rows of a tenant.
func (w *world) rowsOf(tenant uuid.UUID) dbtest.Rows {
	w.t.Helper()
	out := dbtest.Rows{}
	for table, rows := range dbtest.Dump(w.t, w.url) {
		out[table] = nil
		for _, row := range rows {
			if strings.Contains(row, `"tenant_id": "`+tenant.String()) ||
				(table == "tenants" && strings.Contains(row, tenant.String())) {
				out[table] = append(out[table], row)
			}
		}
	}
	return out
}

// loot is the intruder's knowledge about the victim: every id and short text, by column.
type loot struct {
	ids   map[string][]uuid.UUID
	texts map[string][]string
}

func lootOf(w *world) loot {
	w.t.Helper()
	l := loot{ids: map[string][]uuid.UUID{}, texts: map[string][]string{}}
	rows := w.rowsOf(w.tenant)
	for _, table := range slices.Sorted(maps.Keys(rows)) {
		for _, row := range rows[table][:min(2, len(rows[table]))] {
			var columns map[string]any
			w.must(json.Unmarshal([]byte(row), &columns))
			for name, value := range columns {
				s, ok := value.(string)
				if !ok {
					continue
				}
				if id, err := uuid.Parse(s); err == nil {
					if name != "tenant_id" {
						l.ids[name] = append(l.ids[name], id)
						l.ids[""] = append(l.ids[""], id)
					}
				} else if len(s) < 200 {
					l.texts[name] = append(l.texts[name], s)
				}
			}
		}
	}
	for _, pool := range l.ids {
		slices.SortFunc(pool, func(a, b uuid.UUID) int { return strings.Compare(a.String(), b.String()) })
	}
	l.ids[""] = slices.Compact(l.ids[""])
	return l
}

// id returns an id for a parameter: from the column of that name, or any.
func (l loot) id(name string, n int) uuid.UUID {
	pool := l.ids[name]
	if len(pool) == 0 || name == "id" || n%3 == 2 {
		pool = l.ids[""]
	}
	return pool[n%len(pool)]
}

func (l loot) text(name string, n int) string {
	if pool := l.texts[name]; len(pool) > 0 {
		return pool[n%len(pool)]
	}
	return "x"
}

// value returns an argument of a type for a parameter.
func (l loot) value(t reflect.Type, name string, tenant uuid.UUID, n int) reflect.Value {
	out := reflect.New(t).Elem()
	switch {
	case t == reflect.TypeFor[uuid.UUID]() && name == "tenant_id":
		out.Set(reflect.ValueOf(tenant))
	case t == reflect.TypeFor[uuid.UUID]():
		out.Set(reflect.ValueOf(l.id(name, n)))
	case t == reflect.TypeFor[time.Time]():
		out.Set(reflect.ValueOf(time.Now().Add(1000 * time.Hour)))
	case t == reflect.TypeFor[time.Duration]():
		out.SetInt(int64(time.Hour))
	case t == reflect.TypeFor[pgvector.Vector]():
		out.Set(reflect.ValueOf(pgvector.NewVector(make([]float32, vault.EmbeddingDimensions))))
	case t == reflect.TypeFor[json.RawMessage]() && name == "rows":
		out.SetBytes([]byte(fmt.Sprintf(`[{"id": %q, "profile_id": %q, "name": "plan", "value": 1, "value_type": "number",
			"source": "user_provided", "source_step_id": "", "source_item_type": "", "source_metadata": {},
			"status": "expired", "verified": false,
			"verification_method": "", "verified_by": "", "confidence": 1, "requires_confirmation": false,
			"collected_at": "2026-01-01T00:00:00Z", "warnings": []}]`,
			newID(), l.id("profile_id", n))))
	case t == reflect.TypeFor[json.RawMessage]():
		out.SetBytes([]byte("{}"))
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8:
		out.SetBytes([]byte("x"))
	case t.Kind() == reflect.Slice && t.Elem() == reflect.TypeFor[uuid.UUID]() && (name == "ids" || name == "tenants"):
		all := append([]uuid.UUID{tenant}, l.ids[""]...)
		out.Set(reflect.ValueOf(all))
	case t.Kind() == reflect.Slice:
		for i := range 3 {
			out = reflect.Append(out, l.value(t.Elem(), strings.TrimSuffix(name, "s"), tenant, n+i))
		}
	case t.Kind() == reflect.Pointer:
		out.Set(reflect.New(t.Elem()))
		out.Elem().Set(l.value(t.Elem(), name, tenant, n))
	case t.Kind() == reflect.Struct:
		for i := range t.NumField() {
			out.Field(i).Set(l.value(t.Field(i).Type, column(t.Field(i).Name), tenant, n))
		}
	case t.Kind() == reflect.String:
		out.SetString(l.text(name, n))
	case t.Kind() == reflect.Int32 || t.Kind() == reflect.Int64:
		out.SetInt(50)
	case t.Kind() == reflect.Float64:
		out.SetFloat(0.5)
	case t.Kind() == reflect.Bool:
		out.SetBool(true)
	}
	return out
}

var capital = regexp.MustCompile(`[A-Z]+[a-z]*`)

// column returns the SQL name of a field of a generated struct: "SourceItemID" is source_item_id.
func column(field string) string {
	return strings.Trim(capital.ReplaceAllStringFunc(strings.ReplaceAll(field, "ID", "Id"), func(word string) string {
		return "_" + strings.ToLower(word)
	}), "_")
}

// statement describes the SQL of a generated method.
type statement struct {
	params []string // parameter names, in order
	makes  bool     // inserts rows
}

var (
	statementName = regexp.MustCompile(`(?m)^-- name: (\w+) :\w+$`)
	parameter     = regexp.MustCompile(`sqlc\.n?arg\((\w+)\)`)
)

func statements(t *testing.T) map[string]statement {
	t.Helper()
	files, err := filepath.Glob("../db/queries/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("no queries: %v", err)
	}
	out := map[string]statement{}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		sql := string(content)
		starts := statementName.FindAllStringSubmatchIndex(sql, -1)
		for i, at := range starts {
			end := len(sql)
			if i+1 < len(starts) {
				end = starts[i+1][0]
			}
			s := statement{makes: strings.Contains(sql[at[1]:end], "INSERT INTO")}
			for _, p := range parameter.FindAllStringSubmatch(sql[at[1]:end], -1) {
				if !slices.Contains(s.params, p[1]) {
					s.params = append(s.params, p[1])
				}
			}
			out[sql[at[2]:at[3]]] = s
		}
	}
	return out
}

// call calls a generated method with stolen values and returns its result.
func (l loot) call(
	ctx context.Context, q *dbgen.Queries, method reflect.Method, s statement, tenant uuid.UUID, n int,
) ([]any, error) {
	if s.makes { // rows of the intruder must differ from the victim's
		l.texts = nil
	}
	args := []reflect.Value{reflect.ValueOf(q), reflect.ValueOf(ctx)}
	for i := 2; i < method.Type.NumIn(); i++ {
		var name string
		if i-2 < len(s.params) {
			name = s.params[i-2]
		}
		args = append(args, l.value(method.Type.In(i), name, tenant, n))
	}
	results := method.Func.Call(args)
	err, _ := results[len(results)-1].Interface().(error)
	var out []any
	for _, r := range results[:len(results)-1] {
		if !nothing(r) {
			out = append(out, r.Interface())
		}
	}
	return out, err
}

// nothing reports whether a result is empty.
func nothing(v reflect.Value) bool {
	switch {
	case v.IsZero():
		return true
	case v.Kind() == reflect.Slice || v.Kind() == reflect.Map:
		return v.Len() == 0
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			if !nothing(v.Field(i)) {
				return false
			}
		}
		return true
	default:
		return false
	}
}

// tries is the number of attempts per query: one per id if any id may fit, otherwise a few.
func (l loot) tries(s statement) int {
	for _, p := range s.params {
		if p == "id" || (strings.HasSuffix(p, "_id") && p != "tenant_id" && len(l.ids[p]) == 0) {
			return len(l.ids[""])
		}
	}
	return 9
}

var errRollback = errors.New("rolled back on purpose")

// TestIsolation_Queries runs every generated query as one tenant with the ids of another.
func TestIsolation_Queries(t *testing.T) {
	t.Parallel()
	w := victim(t)
	intruder, other := dbtest.Tenant(t, w.db), dbtest.Tenant(t, w.db)
	l, known := lootOf(w), statements(t)
	before := w.rowsOf(w.tenant)
	methods := reflect.TypeFor[*dbgen.Queries]()
	tried := 0
	for method := range methods.Methods() {
		if method.Name == "WithTx" {
			continue
		}
		s, ok := known[method.Name]
		if !ok {
			t.Errorf("%s is in no file of db/queries", method.Name)
		}
		tried++
		for n := range l.tries(s) {
			for _, tenant := range []uuid.UUID{w.tenant, intruder} {
				// In a transaction that is rolled back, the intruder has no rows: a row that is found is the victim's.
				var found []any
				err := w.db.InTx(t.Context(), intruder, func(q *dbgen.Queries) error {
					var err error
					found, err = l.call(t.Context(), q, method, s, tenant, n)
					if err != nil {
						return err
					}
					return errRollback
				})
				if mine := s.makes && tenant == intruder; len(found) > 0 && errors.Is(err, errRollback) && !mine &&
					method.Name != "ListTenants" && method.Name != "GetAuditBounds" && method.Name != "TakeAuditSeal" {
					t.Errorf("%s with the ids of another tenant found %+v", method.Name, found)
				}
				if n%4 != 0 {
					continue
				}
				// Then committed, as readers do: the other intruder's rows are its own.
				if tenant == intruder {
					tenant = other
				}
				got, _ := l.call(t.Context(), w.db.Tenant(other), method, s, tenant, n)
				if text := jsonOf(got); strings.Contains(text, secret) ||
					strings.Contains(text, `"TenantID": "`+w.tenant.String()) {
					t.Errorf("%s with the ids of another tenant gave %s", method.Name, text)
				}
			}
			if len(s.params) == 0 || t.Failed() {
				break
			}
		}
	}
	if tried < 100 {
		t.Errorf("only %d queries were tried", tried)
	}
	if diff := cmp.Diff(before, w.rowsOf(w.tenant)); diff != "" {
		t.Errorf("an intruder changed the rows of another tenant:\n%s", diff)
	}
}

// attempt is an operation of the intruder with ids of the victim.
type attempt struct {
	name  string // name of the operation or of the trigger.Client method
	send  func(ctx context.Context, c *trigger.Client, tenant uuid.UUID) (trigger.Receipt, error)
	steps []string
	// code is the expected error code. "": the operation succeeds on the intruder's own row with the same id, and does not
	// change the victim's row.
	code vault.Code
}

func op[In, Out any](spec vault.Spec[In, Out], in In, steps []string, code vault.Code) attempt {
	return attempt{spec.Name, func(ctx context.Context, c *trigger.Client, tenant uuid.UUID) (trigger.Receipt, error) {
		return trigger.Submit(ctx, c, tenant, spec, in)
	}, steps, code}
}

// TestIsolation_Operations runs every operation and step as one tenant with the ids of another.
func TestIsolation_Operations(t *testing.T) {
	t.Parallel()
	w := victim(t)
	intruder := dbtest.Tenant(t, w.db)
	agent := newID() // the intruder's own
	mine := *w
	mine.tenant, mine.agent = intruder, agent
	mine.define(vault.Definition{Name: "plan", ValueType: vault.TypeString})
	var item, asset, scenario, requirement, definition, question, session, rule, merged, failed, fill, key uuid.UUID
	var hook, delivery uuid.UUID
	for into, sql := range map[*uuid.UUID]string{
		&hook:     "SELECT id FROM webhooks WHERE tenant_id = $1 AND id IS NOT NULL LIMIT 1",
		&delivery: "SELECT id FROM webhook_deliveries WHERE tenant_id = $1 LIMIT 1",
		&item: "SELECT id FROM customer_values WHERE tenant_id = $1 AND name = 'plan' AND status = 'active' ORDER " +
			"BY id DESC LIMIT 1",
		&asset:       "SELECT id FROM customer_assets WHERE tenant_id = $1 LIMIT 1",
		&scenario:    "SELECT scenario_id FROM questions WHERE tenant_id = $1 LIMIT 1",
		&requirement: "SELECT id FROM requirements WHERE tenant_id = $1 AND review_state = 'pending'",
		&definition:  "SELECT id FROM definitions WHERE tenant_id = $1 AND review_state = 'pending'",
		&question:    "SELECT id FROM questions WHERE tenant_id = $1 AND status = 'open'",
		&key:         "SELECT id FROM api_keys WHERE tenant_id = $1",
		&session:     "SELECT id FROM sessions WHERE tenant_id = $1",
		&fill:        "SELECT operation_id FROM gap_fills WHERE tenant_id = $1",
		&rule:        "SELECT id FROM rules WHERE tenant_id = $1",
		&merged:      "SELECT customer_id FROM customer_profiles WHERE tenant_id = $1 AND merged_into_id IS NOT NULL",
		&failed:      "SELECT id FROM operations WHERE tenant_id = $1 ORDER BY id LIMIT 1",
	} {
		dbtest.Scan(t, w.url, into, sql, w.tenant)
	}
	customer := w.customer
	lineage := vault.Lineage{SourceItemID: &item, SourceItemType: vault.SourceProfileField}
	write := vault.WriteValueInput{
		AgentID: agent, CustomerID: customer, Name: "plan", Value: text("gold"), Source: vault.ValueUserProvided,
		Lineage: lineage,
	}
	document := w.asset()
	document.Lineage = lineage
	stolenAgent := write
	stolenAgent.AgentID = w.agent
	requires := vault.Requirement{
		AgentID: agent, ScenarioID: scenario, FieldName: "plan", RequiredLevel: vault.LevelHard,
		FallbackAction: vault.FallbackAsk,
	}
	mergeRule := w.proposals("")[0].MergeRuleID
	attempts := []attempt{
		op(vault.EraseCustomer, vault.EraseCustomerInput{CustomerID: merged}, eraseCustomer[:1], vault.CodeUnknown),
		op(vault.ExportCustomer, vault.ExportCustomerInput{CustomerID: merged}, exportCustomer[:1], vault.CodeUnknown),
		op(vault.WriteValue, write, writeValue, ""),
		op(vault.WriteValue, stolenAgent, writeValue, vault.CodeUnknown),
		op(vault.ImportValues, vault.ImportValuesInput{Writes: []vault.WriteValueInput{write}}, importValues[:2], ""),
		op(
			vault.VerifyValue, vault.VerifyValueInput{AgentID: w.agent, CustomerID: customer, Name: "plan", Method: "m"},
			verifyValue, vault.CodeUnknown,
		),
		op(
			vault.VerifyValue, vault.VerifyValueInput{AgentID: agent, CustomerID: merged, Name: "plan", Method: "m"},
			verifyValue, vault.CodeUnknown,
		),
		op(
			vault.ExpireValue, vault.ExpireValueInput{CustomerID: merged, Name: "plan"}, expireValue[:1], vault.CodeUnknown,
		),
		op(vault.CreateKey, vault.CreateKeyInput{
			Name: "mine", KeyHash: strings.Repeat("0f", 32), Scopes: []string{"admin"},
		}, []string{"APIKeys.CreateKey"}, ""),
		op(vault.RevokeKey, vault.RevokeKeyInput{KeyID: key}, []string{"APIKeys.RevokeKey"}, vault.CodeUnknown),
		op(vault.AddAsset, document, addAsset, ""),
		op(vault.DeleteItem, vault.DeleteItemInput{ItemID: item, Force: true}, deleteItem[:2], vault.CodeUnknown),
		op(vault.DeleteItem, vault.DeleteItemInput{ItemID: asset, Force: true}, deleteItem[:2], vault.CodeUnknown),
		op(vault.DecideValue, vault.DecideValueInput{ItemID: item, Decision: vault.Approve}, decideValue[:1], vault.CodeUnknown),
		op(vault.ProposeDeletion, vault.ProposeDeletionInput{
			CustomerID: merged, Name: "plan", Reason: vault.DeletionWrong,
		}, proposeDeletion[:1], vault.CodeUnknown),
		op(vault.CorrectValue, vault.CorrectValueInput{
			AgentID: w.agent, CustomerID: customer, Name: "plan", Value: text("gold"), Reason: "mine",
		}, correctValue, vault.CodeUnknown),
		op(vault.AddElement, vault.WriteValueInput{
			AgentID: w.agent, CustomerID: customer, Name: "plan", Value: text("gold"), Source: vault.ValueUserProvided,
		}, addElement, vault.CodeUnknown),
		op(vault.RemoveElement, vault.WriteValueInput{
			AgentID: w.agent, CustomerID: customer, Name: "plan", Value: text("gold"), Source: vault.ValueUserProvided,
		}, removeElement, vault.CodeUnknown),
		op(vault.RestoreItem, vault.RestoreItemInput{ItemID: item}, restoreItem[:1], vault.CodeUnknown),
		op(vault.OpenCustomers, vault.OpenCustomersInput{
			Identities: []vault.OpenCustomerInput{{Channel: "sms", ExternalID: secret}},
		}, openCustomers, ""),
		op(vault.OpenCustomer, vault.OpenCustomerInput{Channel: "sms", ExternalID: secret}, openCustomer, ""),
		op(
			vault.LinkChannel, vault.LinkChannelInput{CustomerID: customer, Channel: "whatsapp", ExternalID: "ada"}, linkChannel,
			"",
		),
		op(
			vault.SetCustomerLabel, vault.SetCustomerLabelInput{CustomerID: merged, Label: "mine"},
			[]string{"Customers.SetLabel"}, vault.CodeUnknown,
		),
		op(vault.RecordConsent, vault.RecordConsentInput{CustomerID: customer, Purpose: "marketing"}, recordConsent, ""),
		op(
			vault.MergeCustomers, vault.MergeCustomersInput{SourceCustomerID: merged, TargetCustomerID: customer},
			mergeCustomers[:1], vault.CodeUnknown,
		),
		op(vault.UnmergeCustomer, vault.UnmergeCustomerInput{CustomerID: merged}, unmergeCustomer[:1], vault.CodeUnknown),
		op(vault.SaveMergeRule, vault.SaveMergeRuleInput{
			MergeRuleID: mergeRule, Fields: []string{"email"},
		}, saveMergeRule, vault.CodeInvalid),
		op(vault.DeleteMergeRule, vault.DeleteMergeRuleInput{MergeRuleID: mergeRule}, deleteMergeRule, vault.CodeUnknown),
		op(vault.ProposeMerges, vault.ProposeMergesInput{MergeRuleID: &mergeRule}, proposeMerges, vault.CodeUnknown),
		op(vault.DecideMerge, vault.DecideMergeInput{
			ProposalID: w.proposals("")[0].ID, Decision: vault.Approve,
		}, decideMerge, vault.CodeUnknown),
		op(vault.DeleteCustomer, vault.DeleteCustomerInput{CustomerID: merged}, deleteCustomer[:1], vault.CodeUnknown),
		op(vault.SaveWebhook, vault.SaveWebhookInput{
			WebhookID: hook, URL: "https://example.com", Secret: secretOf(2),
		}, saveWebhook, ""),
		op(vault.DeleteWebhook, vault.DeleteWebhookInput{WebhookID: newID()}, deleteWebhook, vault.CodeUnknown),
		op(vault.TestWebhook, vault.TestWebhookInput{WebhookID: newID()}, testWebhook, vault.CodeUnknown),
		op(vault.ReplayDeliveries, vault.ReplayDeliveriesInput{WebhookID: hook, DeliveryID: &delivery}, replayDeliveries,
			vault.CodeUnknown),
		op(
			vault.SaveSession, vault.SaveSessionInput{SessionID: session, AgentID: agent, CustomerID: customer}, saveSession, "",
		),
		op(
			vault.DeleteDefinition, vault.DeleteDefinitionInput{AgentID: w.agent, Name: "plan"}, deleteDefinition[:1],
			vault.CodeUnknown,
		),
		op(
			vault.SaveDefinition, vault.Definition{AgentID: w.agent, Name: "plan", ValueType: vault.TypeNumber},
			saveDefinition[:3], "",
		),
		op(vault.SaveRequirement, requires, saveRequirement[:2], vault.CodeUnknown),
		op(
			vault.DeleteRequirement, vault.DeleteRequirementInput{ScenarioID: scenario, FieldName: "plan"},
			deleteRequirement[:1], vault.CodeUnknown,
		),
		op(
			vault.SaveRule, vault.Rule{ID: rule, AgentID: agent, ScenarioID: scenario, Name: "r", Condition: "c"}, saveRule,
			vault.CodeUnknown,
		),
		op(
			vault.ExtractSchema, vault.ExtractSchemaInput{AgentID: agent, ScenarioID: scenario}, extractSchema[:4],
			vault.CodeUnknown,
		),
		op(
			vault.DecideReview,
			vault.DecideReviewInput{Kind: vault.ReviewOfRequirement, ID: requirement, Decision: vault.Approve}, decideReview[:1],
			vault.CodeUnknown,
		),
		op(
			vault.DecideReview, vault.DecideReviewInput{Kind: vault.ReviewOfDefinition, ID: definition, Decision: vault.Reject},
			decideReview[:1], vault.CodeUnknown,
		),
		op(
			vault.FillGaps, vault.FillGapsInput{CustomerID: customer, ScenarioID: scenario}, []string{"Gaps.FindMissing"},
			vault.CodeUnknown,
		),
		op(
			vault.ReadConversation, vault.ReadConversationInput{SessionID: session}, readConversation[:2], "",
		),
		op(
			vault.ClaimQuestion, vault.ClaimQuestionInput{QuestionID: question, Channel: "phone"},
			[]string{"Answers.ClaimQuestion"}, vault.CodeUnknown,
		),
		op(
			vault.TakeTurn, vault.TakeTurnInput{
				CustomerID: customer, SessionKey: "mine", AgentID: agent, ScenarioID: scenario, Text: "Hello",
			}, takeTurn, vault.CodeUnknown,
		),
		op(vault.CancelFill, vault.CancelFillInput{FillID: fill}, []string{"Gaps.CancelFill"}, vault.CodeUnknown),
		op(
			vault.AnswerQuestion, vault.AnswerQuestionInput{QuestionID: question, Value: text("36")}, answerQuestion,
			vault.CodeUnknown,
		),
		op(vault.ApplyConfiguration, vault.ApplyConfigurationInput{Prune: true, AgentConfiguration: vault.AgentConfiguration{
			AgentID: agent, Rules: []vault.Rule{{ID: rule, AgentID: agent, ScenarioID: scenario, Name: "r", Condition: "c"}},
		}}, applyConfiguration[:2], vault.CodeUnknown),
		op(vault.SaveScenario, vault.Scenario{ID: scenario, AgentID: agent, Name: "mine"}, saveScenario, ""),
		op(vault.ExpireValues, vault.Sweep{}, []string{"Sweeps.ExpireValues"}, ""),
		op(vault.DetectOrphans, vault.Sweep{}, []string{"Sweeps.DetectOrphans"}, ""),
		{"Replay", func(ctx context.Context, c *trigger.Client, tenant uuid.UUID) (trigger.Receipt, error) {
			return c.Replay(ctx, tenant, failed)
		}, nil, vault.CodeUnknown},
		{"Wake", func(ctx context.Context, _ *trigger.Client, tenant uuid.UUID) (trigger.Receipt, error) {
			_, err := w.steps.Caches.Enqueuer.Wake(ctx, tenant)
			return trigger.Receipt{}, err
		}, nil, ""},
	}
	w.sql("INSERT INTO fill_wakeups (tenant_id, fill_id) SELECT tenant_id, id FROM operations WHERE id = $1", failed)
	before := w.rowsOf(w.tenant)
	covered := map[string]bool{"Operation": true, "Wait": true} // reads, below
	for _, a := range attempts {
		covered[a.name] = true
		r, err := a.send(t.Context(), w.trigger, intruder)
		if err == nil && r.ID != uuid.Nil { // Wake accepts nothing
			ev := mine.event(r, nil)
			err = mine.run(ev, a.steps...)
		}
		if vault.CodeOf(err) != a.code || (a.code == "" && err != nil) {
			t.Errorf("%s: got %v, want code %q", a.name, err, a.code)
		}
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the error tells %v", a.name, err)
		}
	}
	for _, operation := range vault.Operations() {
		if !covered[operation.Name] {
			t.Errorf("operation %s is not among the attempts", operation.Name)
		}
	}
	for method := range reflect.TypeFor[*trigger.Client]().Methods() {
		takesTenant := method.Type.NumIn() > 2 && method.Type.In(2) == reflect.TypeFor[uuid.UUID]()
		if takesTenant && !covered[method.Name] {
			t.Errorf("trigger.%s is not among the attempts", method.Name)
		}
	}
	if diff := cmp.Diff(before, w.rowsOf(w.tenant)); diff != "" {
		t.Errorf("an intruder changed the rows of another tenant:\n%s", diff)
	}
	p, err := query.New(w.db, w.cache, w.sealer).Profile(t.Context(), intruder, customer) // same id, other customer
	w.must(err)
	if f := p.Fields["plan"]; len(p.Fields) != 0 || len(p.Assets) != 0 {
		t.Errorf("what was derived from the victim's items is active: %+v", f)
	}

	t.Run("the steps of the victim's operations", func(t *testing.T) {
		for id := range strings.SplitSeq(w.operations(), ",") {
			ev := vault.Event{OperationID: uuid.MustParse(id), TenantID: intruder}
			for _, name := range allSteps() {
				if strings.HasPrefix(name, "Operations.") || name == "Caches.InvalidateAndAcknowledge" {
					continue // for the system, without a tenant
				}
				_, _ = w.step(name)(t.Context(), ev)
			}
		}
		if diff := cmp.Diff(before, w.rowsOf(w.tenant)); diff != "" {
			t.Errorf("an intruder changed the rows of another tenant:\n%s", diff)
		}
	})
}

// operations returns the ids of all operations of the tenant.
func (w *world) operations() string {
	w.t.Helper()
	var ids string
	dbtest.Scan(w.t, w.url, &ids, "SELECT string_agg(id::text, ',') FROM operations WHERE tenant_id = $1", w.tenant)
	return ids
}

// TestIsolation_Reads runs every read as one tenant with the ids of another, with the victim's data in the cache.
func TestIsolation_Reads(t *testing.T) {
	t.Parallel()
	w := victim(t)
	intruder := dbtest.Tenant(t, w.db)
	l := lootOf(w)
	reads := query.New(w.db, w.cache, w.sealer)
	found := map[string]int{}
	for _, tenant := range []uuid.UUID{w.tenant, w.tenant, intruder} { // the victim first, to fill the cache
		for method := range reflect.TypeFor[*query.Queries]().Methods() {
			takesTenant := method.Type.NumIn() > 2 && method.Type.In(2) == reflect.TypeFor[uuid.UUID]()
			// CheckPurpose returns nothing to find, and VerifyAudit counts (TestVerifyAudit_OtherTenant).
			if !takesTenant || method.Type.NumOut() < 2 || method.Name == "VerifyAudit" {
				continue
			}
			switch method.Name { // they answer about what they are given, also if it is new; see below
			case "DryRunDefinition", "DryRunScenario", "TryCondition":
				continue
			}
			for n := range 3 * len(l.ids[""]) {
				args := []reflect.Value{reflect.ValueOf(reads), reflect.ValueOf(t.Context()), reflect.ValueOf(tenant)}
				for i := 3; i < method.Type.NumIn(); i++ {
					args = append(args, l.input(method.Type.In(i), n))
				}
				if method.Type.IsVariadic() {
					args = args[:len(args)-1]
				}
				results := method.Func.Call(args)
				err, _ := results[len(results)-1].Interface().(error)
				empty := nothing(results[0])
				if counted, ok := results[0].Interface().(vault.CustomerCount); ok {
					empty = counted.Count == 0
				}
				switch {
				case tenant == w.tenant:
					if err == nil && !empty {
						found[method.Name]++
					}
				case err != nil && vault.CodeOf(err) != vault.CodeUnknown && vault.CodeOf(err) != vault.CodeInvalid:
					t.Errorf("%s: %v", method.Name, err)
				case err == nil && !empty:
					t.Errorf("%s as another tenant found %s", method.Name, jsonOf(results[0].Interface()))
				}
			}
			if found[method.Name] == 0 && tenant == w.tenant {
				t.Errorf("%s finds nothing for the victim either: the test proves nothing of it", method.Name)
			}
		}
	}
	changed := vault.Definition{AgentID: w.agent, Name: "plan", ValueType: vault.TypeString}
	for tenant, knows := range map[uuid.UUID]bool{w.tenant: true, intruder: false} {
		got, err := reads.DryRunDefinition(t.Context(), tenant, changed, query.Look{})
		w.must(err)
		if (got.Values.Checked > 0) != knows || (got.Action == vault.ChangeUpdate) != knows || !knows && len(got.References) > 0 {
			t.Errorf("the dry run of a definition: %s", jsonOf(got))
		}
	}
	for what, read := range map[string]func() error{
		"Operation": func() error {
			_, err := w.trigger.Operation(t.Context(), intruder, uuid.MustParse(strings.Split(w.operations(), ",")[0]))
			return err
		},
		"Wait": func() error {
			_, err := w.trigger.Wait(t.Context(), intruder, uuid.MustParse(strings.Split(w.operations(), ",")[0]))
			return err
		},
	} {
		if err := read(); vault.CodeOf(err) != vault.CodeUnknown {
			t.Errorf("%s: got %v, want unknown", what, err)
		}
	}
}

// input returns an argument of a read.
func (l loot) input(t reflect.Type, n int) reflect.Value {
	switch t {
	case reflect.TypeFor[uuid.UUID]():
		return reflect.ValueOf(l.ids[""][n/3])
	case reflect.TypeFor[[]uuid.UUID]():
		return reflect.ValueOf(l.ids[""])
	case reflect.TypeFor[string]():
		return reflect.ValueOf([]string{"plan", "email", "age"}[n%3])
	case reflect.TypeFor[int]():
		return reflect.ValueOf(10)
	case reflect.TypeFor[int64]():
		return reflect.ValueOf(int64(n + 1))
	case reflect.TypeFor[query.Identity]():
		return reflect.ValueOf(query.Identity{Channel: "sms", ExternalID: secret})
	case reflect.TypeFor[query.ContextInput]():
		return reflect.ValueOf(query.ContextInput{
			CustomerID: l.ids[""][n/3], Format: vault.ContextText, MaxTokens: vault.DefaultContextTokens,
		})
	case reflect.TypeFor[vault.RecallInput]():
		return reflect.ValueOf(vault.RecallInput{Question: "Which plan?"})
	case reflect.TypeFor[query.TryInput]():
		return reflect.ValueOf(query.TryInput{ScenarioID: l.ids[""][n/3]})
	case reflect.TypeFor[vault.Requirement]():
		return reflect.ValueOf(vault.Requirement{
			ScenarioID: l.ids[""][n/3], AgentID: l.id("agent_id", n), FieldName: "plan", RequiredLevel: vault.LevelHard,
			FallbackAction: vault.FallbackAsk,
		})
	case reflect.TypeFor[vault.Rule]():
		return reflect.ValueOf(vault.Rule{
			ID: newID(), ScenarioID: l.ids[""][n/3], AgentID: l.id("agent_id", n), Name: "x", Condition: "x",
		})
	case reflect.TypeFor[vault.DeleteDefinitionInput]():
		return reflect.ValueOf(vault.DeleteDefinitionInput{AgentID: l.id("agent_id", n), Name: "plan"})
	case reflect.TypeFor[vault.DeleteRequirementInput]():
		return reflect.ValueOf(vault.DeleteRequirementInput{
			ScenarioID: l.ids[""][n/3], FieldName: []string{"plan", "email", "age"}[n%3],
		})
	case reflect.TypeFor[query.MissingInput]():
		return reflect.ValueOf(query.MissingInput{CustomerID: l.id("customer_id", n), ScenarioID: l.ids[""][n/3]})
	default:
		return reflect.Zero(t)
	}
}
