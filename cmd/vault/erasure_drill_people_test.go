package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/contextvault/contextvault/cache"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/db/personal"
	"github.com/contextvault/contextvault/internal/testkit"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// person is a customer of the drill. Its canary is in everything that the vault holds of it.
type person struct {
	canary      string
	whole       bool
	id, alias   uuid.UUID // alias was merged into id; uuid.Nil: nobody was
	note        uuid.UUID // a value from which others are derived
	session     uuid.UUID
	partner     *person             // whole: one of the other half. Both were merged by mistake, and the merge was undone
	derivedItem uuid.UUID           // of one who stays: derived from the note of the partner
	furtherFrom *person             // of one who stays: has the derivedItem from which a further value was derived
	derived     vault.DerivedAction // of one who is erased
	fill        trigger.Receipt     // whole: waits for an answer
	writes      []trigger.Receipt   // operations of this customer alone
	before      vault.Profile
	scope       personal.Scope
	held        map[string]int64 // rows by table, before the erasures
}

// populate makes n customers, of whom every second one is going to be erased. The first ones get everything that the
// vault can hold. What the vault takes in bulk is given in bulk.
func (d *drill) populate(t *testing.T, n int) {
	t.Helper()
	d.configure(t)
	for i := range n {
		p := &person{
			canary: fmt.Sprintf("c%04d-%s", i, testkit.ID()), whole: i < drillWhole, note: testkit.ID(), session: testkit.ID(),
		}
		d.people = append(d.people, p)
		// Of four who share an address, the first one is in every proposal to merge them: half of those stay.
		if (i%2 == 0) == (i/4%2 == 0) {
			d.erased = append(d.erased, p)
		} else {
			d.kept = append(d.kept, p)
			p.derivedItem = testkit.ID()
		}
		if i%2 == 1 {
			p.partner, d.people[i-1].partner = d.people[i-1], p
		}
		if i/2%2 == 1 {
			p.derived = vault.DerivedErase
		}
	}
	d.open(t)
	d.importValues(t)
	d.each(t, d.people, d.give)
	d.settle(t, vault.OperationSucceeded)
	d.merge(t)
	d.each(t, d.whole(), d.giveMore)
	d.settle(t, vault.OperationSucceeded)
	d.each(t, d.whole(), d.ask)
	d.settle(t, vault.OperationSucceeded)
	d.failures(t)
	d.applied(trigger.Submit(t.Context(), d.Trigger, d.tenant, vault.ProposeMerges, vault.ProposeMergesInput{}))
	d.delivered(t)
}

// whole returns the customers with everything.
func (d *drill) whole() []*person {
	return slices.DeleteFunc(slices.Clone(d.people), func(p *person) bool { return !p.whole })
}

// each does something for several customers at a time.
func (d *drill) each(t *testing.T, people []*person, do func(ctx context.Context, p *person) error) {
	t.Helper()
	g, ctx := errgroup.WithContext(t.Context())
	g.SetLimit(20)
	for _, p := range people {
		g.Go(func() error { return do(ctx, p) })
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
}

// submit accepts an operation of one customer.
func submit[In, Out any](ctx context.Context, d *drill, p *person, spec vault.Spec[In, Out], in In) error {
	r, err := trigger.Submit(ctx, d.Trigger, d.tenant, spec, in)
	if err != nil {
		return fmt.Errorf("%s: %w", spec.Name, err)
	}
	p.writes = append(p.writes, r)
	return nil
}

// settle waits until all operations of the customers have ended with a status, except gap fills, which wait for answers.
func (d *drill) settle(t *testing.T, status vault.OperationStatus) {
	t.Helper()
	var ids []uuid.UUID
	for _, p := range d.people {
		for _, r := range p.writes {
			if r.Workflow != vault.FillGaps.Name {
				ids = append(ids, r.ID)
			}
		}
	}
	d.ended(t, ids, status)
}

// ended waits until operations have ended with a status.
func (d *drill) ended(t *testing.T, ids []uuid.UUID, status vault.OperationStatus) {
	t.Helper()
	conn := connect(t, d.DatabaseURL)
	defer func() { _ = conn.Close(t.Context()) }()
	unfinished := testkit.Eventually(t, fmt.Sprintf("%d operations have ended", len(ids)),
		func(ctx context.Context) (others []string, done bool) {
			var left int
			err := conn.QueryRow(ctx, `SELECT count(*) FILTER (WHERE status NOT IN ('succeeded', 'failed')),
    array_agg(DISTINCT workflow || ' ' || status || ' ' || coalesce(error ->> 'code', '')) FILTER (WHERE status <> $2)
FROM operations WHERE id = ANY ($1)`, ids, string(status)).Scan(&left, &others)
			return others, err == nil && left == 0
		})
	if len(unfinished) > 0 {
		t.Fatalf("operations that should have %s: %v", status, unfinished)
	}
}

func quoted(text string) json.RawMessage {
	out, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return out
}

func (d *drill) configure(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	for _, def := range []vault.Definition{
		{Name: "note"},
		{Name: "plan"},
		{Name: "passport", EncryptionRequired: true},
		{Name: "nick"},
		{Name: "told"},
		{Name: "asked"},
		{Name: "load"},
		{Name: "derived"},
		{Name: "further"},
		{Name: "gone"},
		{Name: "email", ValueType: vault.TypeEmail},
	} {
		if def.AgentID, def.Enabled = d.agent, true; def.ValueType == "" {
			def.ValueType = vault.TypeString
		}
		d.applied(trigger.Submit(ctx, d.Trigger, d.tenant, vault.SaveDefinition, def))
	}
	d.scenario = testkit.ID()
	d.applied(trigger.Submit(ctx, d.Trigger, d.tenant, vault.SaveScenario,
		vault.Scenario{ID: d.scenario, AgentID: d.agent, Name: "Drill"}))
	for _, name := range []string{"nick", "told", "asked"} {
		d.applied(trigger.Submit(ctx, d.Trigger, d.tenant, vault.SaveRequirement, vault.Requirement{
			AgentID: d.agent, ScenarioID: d.scenario, FieldName: name, RequiredLevel: vault.LevelHard,
			FallbackAction: vault.FallbackAsk,
		}))
	}
	d.applied(trigger.Submit(ctx, d.Trigger, d.tenant, vault.SaveMergeRule, vault.SaveMergeRuleInput{
		MergeRuleID: testkit.ID(), Fields: []string{"email"}, Unverified: true,
	}))
	// One webhook gets its deliveries with values, the other one's wait.
	d.receiver = newReceiver(t)
	_, key, err := d.APIKey(ctx, d.tenant, "read", "write")
	if err != nil {
		t.Fatal(err)
	}
	d.receiver.takes, d.receiver.refuses = testkit.ID(), testkit.ID()
	for path, hook := range map[string]vault.SaveWebhookInput{
		"/takes": {WebhookID: d.receiver.takes, Types: []vault.EventType{
			vault.EventValueChanged, vault.EventValuePending, vault.EventOperationFailed, vault.EventCustomerMerged,
		}},
		"/refuses": {WebhookID: d.receiver.refuses, Types: []vault.EventType{vault.EventQuestionOpened}},
	} {
		hook.URL, hook.Secret, hook.Values = d.receiver.server.URL+path, hookSecret, true
		d.applied(trigger.Submit(vault.WithActor(ctx, vault.KeyActor(key)), d.Trigger, d.tenant, vault.SaveWebhook, hook))
	}
}

// open opens all customers by their channel identities, in one operation.
func (d *drill) open(t *testing.T) {
	t.Helper()
	in := vault.OpenCustomersInput{}
	var into []*uuid.UUID
	for _, p := range d.people {
		in.Identities = append(in.Identities, vault.OpenCustomerInput{Channel: "sms", ExternalID: p.canary})
		into = append(into, &p.id)
		if p.whole {
			in.Identities = append(in.Identities, vault.OpenCustomerInput{Channel: "web", ExternalID: p.canary})
			into = append(into, &p.alias)
		}
	}
	r, err := trigger.Submit(t.Context(), d.Trigger, d.tenant, vault.OpenCustomers, in)
	var out vault.OpenCustomersResult
	if err := json.Unmarshal(d.applied(r, err).Result, &out); err != nil || len(out.CustomerIDs) != len(into) {
		t.Fatalf("%d customers were opened, %v", len(out.CustomerIDs), err)
	}
	for i, id := range out.CustomerIDs {
		*into[i] = id
	}
	d.shared = append(d.shared, r)
}

// importValues stores values of all customers, in two operations: the second one derives values from those of the first.
func (d *drill) importValues(t *testing.T) {
	t.Helper()
	var sources, derived vault.ImportValuesInput
	add := func(into *vault.ImportValuesInput, customer uuid.UUID, item *uuid.UUID, name, value string, from vault.Lineage) {
		into.Writes = append(into.Writes, vault.WriteValueInput{
			ItemID: item, AgentID: d.agent, CustomerID: customer, Name: name, Value: quoted(value), Lineage: from,
			Source: vault.ValueHumanEntered,
		})
	}
	from := func(item uuid.UUID, quote string) vault.Lineage {
		return vault.Lineage{
			SourceItemID: &item, SourceItemType: vault.SourceProfileField,
			SourceMetadata: json.RawMessage(fmt.Sprintf(`{"quote": %s}`, quoted(quote))),
		}
	}
	for i, p := range d.people {
		add(&sources, p.id, &p.note, "note", "note "+p.canary, vault.Lineage{})
		add(&sources, p.id, nil, "passport", p.canary, vault.Lineage{})
		add(&sources, p.id, nil, "plan", "old "+p.canary, vault.Lineage{})
		add(&derived, p.id, nil, "plan", "imported "+p.canary, from(p.note, p.canary))
		if !p.whole {
			continue
		}
		add(&sources, p.alias, nil, "note", "of the alias "+p.canary, vault.Lineage{})
		add(&sources, p.id, nil, "email", fmt.Sprintf("shared-%d@example.com", i/4), vault.Lineage{}) // by four customers
	}
	for i, p := range d.kept { // a value of one who stays, and of another one who stays from that
		if !p.whole {
			continue
		}
		add(&derived, p.id, &p.derivedItem, "derived", "of "+p.canary, from(p.partner.note, p.partner.canary))
		if i > 0 {
			p.furtherFrom = d.kept[i-1]
			add(&derived, p.id, nil, "further", "of "+p.canary, from(p.furtherFrom.derivedItem, ""))
		}
	}
	for _, in := range []vault.ImportValuesInput{sources, derived} {
		r, err := trigger.Submit(t.Context(), d.Trigger, d.tenant, vault.ImportValues, in)
		d.applied(r, err)
		d.shared = append(d.shared, r)
	}
}

// give gives a customer what each of the drill has.
func (d *drill) give(ctx context.Context, p *person) error {
	turns := []vault.Turn{{Speaker: vault.SpeakerCustomer, Text: "It is " + p.canary}}
	if p.whole { // a conversation that is too long for one call of the model: its turns are embedded
		for range 8 {
			turns = append(turns,
				vault.Turn{Speaker: vault.SpeakerAgent, Text: "What else happened to the parcel on its way, and when did you notice it?"},
				vault.Turn{Speaker: vault.SpeakerCustomer, Text: "The parcel " + p.canary + " arrived broken, and the driver was rude."})
		}
	}
	if err := submit(ctx, d, p, vault.SaveSession, vault.SaveSessionInput{
		SessionID: p.session, AgentID: d.agent, CustomerID: p.id, Turns: turns,
		Variables: map[string]json.RawMessage{"nick": quoted("nick " + p.canary)},
	}); err != nil {
		return err
	}
	if err := submit(ctx, d, p, vault.RecordConsent, vault.RecordConsentInput{
		CustomerID: p.id, Purpose: "support", Granted: true, Source: p.canary,
	}); err != nil {
		return err
	}
	return submit(ctx, d, p, vault.AddAsset, vault.AddAssetInput{
		CustomerID: p.id, Name: "id_card", AssetType: "document", StorageProvider: "s3",
		StoragePath: p.canary + "/card.png", MimeType: "image/png", SizeBytes: 1, Checksum: strings.Repeat("a", 64),
	})
}

// merge merges the aliases, and merges and parts the partners.
func (d *drill) merge(t *testing.T) {
	t.Helper()
	d.each(t, d.whole(), func(ctx context.Context, p *person) error {
		return submit(ctx, d, p, vault.MergeCustomers, vault.MergeCustomersInput{SourceCustomerID: p.alias, TargetCustomerID: p.id})
	})
	d.settle(t, vault.OperationSucceeded)
	erased := slices.DeleteFunc(slices.Clone(d.erased), func(p *person) bool { return !p.whole })
	d.each(t, erased, func(ctx context.Context, p *person) error {
		in := vault.MergeCustomersInput{SourceCustomerID: p.id, TargetCustomerID: p.partner.id}
		if p.derived == vault.DerivedErase { // the other way round
			in.SourceCustomerID, in.TargetCustomerID = in.TargetCustomerID, in.SourceCustomerID
		}
		return submit(ctx, d, p, vault.MergeCustomers, in)
	})
	d.settle(t, vault.OperationSucceeded)
	d.each(t, erased, func(ctx context.Context, p *person) error {
		if p.derived == vault.DerivedErase {
			p = p.partner
		}
		return submit(ctx, d, p, vault.UnmergeCustomer, vault.UnmergeCustomerInput{CustomerID: p.id})
	})
	d.settle(t, vault.OperationSucceeded)
}

// giveMore gives a whole customer what it has before its questions.
func (d *drill) giveMore(ctx context.Context, p *person) error {
	gone := testkit.ID()
	for _, err := range []error{
		submit(ctx, d, p, vault.LinkChannel, vault.LinkChannelInput{CustomerID: p.id, Channel: "mail", ExternalID: "at " + p.canary}),
		submit(ctx, d, p, vault.SetCustomerLabel, vault.SetCustomerLabelInput{CustomerID: p.id, Label: p.canary}),
		submit(ctx, d, p, vault.WriteValue, vault.WriteValueInput{
			ItemID: &gone, AgentID: d.agent, CustomerID: p.id, Name: "gone", Value: quoted(p.canary), Source: vault.ValueUserProvided,
		}),
		// It waits for a review, and quotes the customer.
		submit(ctx, d, p, vault.WriteValue, vault.WriteValueInput{
			AgentID: d.agent, CustomerID: p.id, Name: "plan", Value: quoted("pending " + p.canary),
			Source: vault.ValueUserProvided, SourceSessionID: &p.session,
			Lineage: vault.Lineage{SourceMetadata: json.RawMessage(fmt.Sprintf(`{"quote": %s}`, quoted("It is "+p.canary)))},
		}),
		// So does what the model reads in a turn.
		submit(ctx, d, p, vault.TakeTurn, vault.TakeTurnInput{
			CustomerID: p.id, SessionID: p.session, AgentID: d.agent, Text: "My email is " + p.canary + "@example.com.",
		}),
		submit(ctx, d, p, vault.ExportCustomer, vault.ExportCustomerInput{CustomerID: p.id}),
	} {
		if err != nil {
			return err
		}
	}
	for _, r := range p.writes {
		if op, err := r.Wait(ctx); err != nil || op.Status != vault.OperationSucceeded {
			return fmt.Errorf("%s is %s: %w", r.Workflow, op.Status, err)
		}
	}
	return submit(ctx, d, p, vault.DeleteItem, vault.DeleteItemInput{ItemID: gone, Reason: "The customer asked for it."})
}

// ask starts a gap fill: it reads the conversation, one question is answered, and the next one waits, claimed by a channel.
func (d *drill) ask(ctx context.Context, p *person) error {
	var err error
	p.fill, err = trigger.Submit(ctx, d.Trigger, d.tenant, vault.FillGaps, vault.FillGapsInput{
		CustomerID: p.id, ScenarioID: d.scenario, SessionID: &p.session,
	})
	if err != nil {
		return err
	}
	p.writes = append(p.writes, p.fill)
	first := d.Question(d.t, d.tenant, p.id)
	if err := submit(ctx, d, p, vault.AnswerQuestion, vault.AnswerQuestionInput{
		QuestionID: first.ID, Value: quoted("answer " + p.canary), SessionID: &p.session, Channel: "sms",
	}); err != nil {
		return err
	}
	next := d.Question(d.t, d.tenant, p.id, first)
	return submit(ctx, d, p, vault.ClaimQuestion, vault.ClaimQuestionInput{QuestionID: next.ID, Channel: "sms", Seconds: 3600})
}

// failures are operations that failed and keep their payload: one of each customer, and an import of all.
func (d *drill) failures(t *testing.T) {
	t.Helper()
	in := vault.ImportValuesInput{}
	for _, p := range d.people {
		in.Writes = append(in.Writes, vault.WriteValueInput{
			AgentID: d.agent, CustomerID: p.id, Name: "later", Value: quoted("later " + p.canary), Source: vault.ValueHumanEntered,
		})
	}
	failed := make([]uuid.UUID, 0, len(d.people)+1)
	var mu sync.Mutex
	d.each(t, d.people, func(ctx context.Context, p *person) error {
		err := submit(ctx, d, p, vault.WriteValue, vault.WriteValueInput{
			AgentID: d.agent, CustomerID: p.id, Name: "undefined", Value: quoted(p.canary), Source: vault.ValueUserProvided,
		})
		mu.Lock()
		defer mu.Unlock()
		failed = append(failed, p.writes[len(p.writes)-1].ID)
		return err
	})
	var err error
	if d.failedImport, err = trigger.Submit(t.Context(), d.Trigger, d.tenant, vault.ImportValues, in); err != nil {
		t.Fatal(err)
	}
	d.ended(t, append(failed, d.failedImport.ID), vault.OperationFailed)
}

// delivered waits until one webhook has got its deliveries, and those of the other one were tried.
func (d *drill) delivered(t *testing.T) {
	t.Helper()
	testkit.Eventually(t, "the webhooks are delivered", func(context.Context) (struct{}, bool) {
		var left bool
		dbtest.Scan(t, d.DatabaseURL, &left, `SELECT NOT EXISTS (SELECT FROM webhook_deliveries WHERE status = 'pending' AND attempts > 0)
    OR EXISTS (SELECT FROM webhook_deliveries WHERE status = 'pending' AND webhook_id = $1)
    OR EXISTS (SELECT FROM events WHERE position IS NULL AND tenant_id = $2)`, d.receiver.takes, d.tenant)
		return struct{}{}, !left
	})
	for _, p := range d.people {
		if !d.receiver.got(p.canary) {
			t.Errorf("no webhook delivered a value of %s", p.canary)
		}
	}
}

// receiver is the server of the webhooks of the drill.
type receiver struct {
	server         *httptest.Server
	takes, refuses uuid.UUID // the webhooks
	accepting      atomic.Bool

	mu     sync.Mutex
	bodies strings.Builder
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{}
	r.server = httptest.NewServer(r)
	t.Cleanup(r.server.Close)
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil || req.URL.Path == "/refuses" && !r.accepting.Load() {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bodies.Write(body)
}

// got reports whether a delivery had a text.
func (r *receiver) got(text string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Contains(r.bodies.String(), text)
}

// forget forgets the deliveries so far.
func (r *receiver) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bodies.Reset()
}

// take reads the customers, which also fills the cache, and notes what the vault holds of each.
func (d *drill) take(t *testing.T) {
	t.Helper()
	d.each(t, d.people, func(ctx context.Context, p *person) (err error) {
		if p.before, err = d.Query.Profile(ctx, d.tenant, p.id); err != nil {
			return err
		}
		if _, err := d.Query.Chain(ctx, d.tenant, p.note, 10); err != nil {
			return err
		}
		return d.DB.InTenantTx(ctx, d.tenant, pgx.TxOptions{}, func(tx pgx.Tx) error {
			if p.scope, err = personal.Locate(ctx, tx, d.sealer, d.tenant, p.id, uuid.Nil, false); err != nil {
				return err
			}
			p.held, err = personal.Count(ctx, tx, p.scope)
			return err
		})
	})
}

// undone are the tables that a worker empties within a second. leaveUndone fills them.
var undone = []string{"pending_invalidations", "fill_wakeups"}

// holdsEverything checks that each whole customer has rows in each table of the list: a table that is new in the list has
// to get some in this drill.
func (d *drill) holdsEverything(t *testing.T) {
	t.Helper()
	for _, table := range personal.Tables {
		var without int
		for _, p := range d.whole() {
			if p.held[table.Name] == 0 {
				without++
			}
		}
		if without > 0 && !slices.Contains(undone, table.Name) {
			t.Errorf("%d of %d customers have no row in %s before the erasures", without, len(d.whole()), table.Name)
		}
	}
}

// leaveUndone leaves what a worker leaves that is killed between a change and what follows it: the cache is not
// invalidated, and gap fills are not woken. It checks that the customers whose erasure has not begun have that.
func (d *drill) leaveUndone(t *testing.T) {
	t.Helper()
	ctx, q := t.Context(), d.DB.Tenant(d.tenant)
	for _, p := range d.erased[drillHalted:] {
		if !p.whole {
			continue
		}
		if err := q.WakeFillsOfSession(ctx, d.tenant, p.session); err != nil {
			t.Fatal(err)
		}
		if err := q.AddPendingInvalidation(ctx, dbgen.AddPendingInvalidationParams{
			TenantID: d.tenant, Kind: string(cache.KindProfile), Subject: p.id, Version: 1,
		}); err != nil {
			t.Fatal(err)
		}
		var held map[string]int64
		if err := d.DB.InTenantTx(ctx, d.tenant, pgx.TxOptions{}, func(tx pgx.Tx) (err error) {
			held, err = personal.Count(ctx, tx, p.scope)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		for _, table := range undone {
			if held[table] == 0 {
				t.Errorf("a customer has no row in %s before its erasure", table)
			}
		}
	}
}
