package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/db/personal"
	"github.com/contextvault/contextvault/embedded/embeddedtest"
	"github.com/contextvault/contextvault/internal/testkit"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// drillCustomers is the number of customers of the drill; every second one is erased. ERASURE_DRILL sets it.
const drillCustomers = 40

// person is a customer of the drill. Its canary is in everything that the vault holds of it.
type person struct {
	id, session, derivedFrom uuid.UUID
	canary                   string
	writes                   []trigger.Receipt
	before                   vault.Profile
}

// drill is the system of the drill.
type drill struct {
	*system
	scenario uuid.UUID
	people   []*person
	worker   *process
	logs     []*process
}

// Half of the customers are erased under load, and the worker is killed while five of the erasures are in five different
// steps. Afterwards nothing of the erased is anywhere, nothing of the others is missing, nothing brings the erased back,
// and a backup from before does not open what was sealed of them.
func TestErasure_Drill(t *testing.T) {
	t.Parallel()
	cfg := embeddedtest.Config(t)
	d := &drill{system: newSystem(t, startEngine(t, cfg))}
	d.worker = startWorker(t, d.Kit)
	d.logs = append(d.logs, d.worker)
	d.populate(t)
	erased, kept := d.halves()
	dump := filepath.Join(t.TempDir(), "before.dump")
	postgres(t, "pg_dump", "--format=custom", "--exclude-table-data=(customer|tenant)_keys", "--file="+dump, d.DatabaseURL)

	stopLoad := d.load(t, kept)
	receipts := d.eraseAndKill(t, erased)
	for i, r := range receipts {
		op := d.applied(r, nil)
		var result vault.EraseResult
		if err := json.Unmarshal(op.Result, &result); err != nil || result.Rows["customer_values"] == 0 {
			t.Errorf("erasure %d says %+v, %v", i, result, err)
		}
		d.verify(t, r.ID, erased[i])
	}
	written := stopLoad()

	d.nothingOf(t, cfg.DatabaseURL, erased, "after the erasures")
	d.lateRetries(t, erased)
	d.nothingOf(t, cfg.DatabaseURL, erased, "after the late retries")
	for i, p := range kept {
		d.complete(t, p, written[i])
	}
	d.backup(t, dump, erased[0], kept[0])
}

func (d *drill) halves() (erased, kept []*person) {
	for i, p := range d.people {
		if i%2 == 0 {
			erased = append(erased, p)
		} else {
			kept = append(kept, p)
		}
	}
	return erased, kept
}

// populate makes the customers, with everything that the vault can hold of one.
func (d *drill) populate(t *testing.T) {
	t.Helper()
	n := drillCustomers
	if text := os.Getenv("ERASURE_DRILL"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil || n < 12 {
			t.Fatalf("ERASURE_DRILL is %q, not a number from 12", text)
		}
	}
	for _, def := range []vault.Definition{
		{Name: "note"}, {Name: "plan"}, {Name: "passport", EncryptionRequired: true}, {Name: "asked"}, {Name: "load"},
	} {
		def.AgentID, def.ValueType, def.Enabled = d.agent, vault.TypeString, true
		d.applied(trigger.Submit(t.Context(), d.Trigger, d.tenant, vault.SaveDefinition, def))
	}
	d.scenario = testkit.ID()
	d.applied(trigger.Submit(t.Context(), d.Trigger, d.tenant, vault.SaveScenario,
		vault.Scenario{ID: d.scenario, AgentID: d.agent, Name: "Drill"}))
	d.applied(trigger.Submit(t.Context(), d.Trigger, d.tenant, vault.SaveRequirement, vault.Requirement{
		AgentID: d.agent, ScenarioID: d.scenario, FieldName: "asked", RequiredLevel: vault.LevelHard,
		FallbackAction: vault.FallbackAsk,
	}))
	var wg sync.WaitGroup
	for i := range n {
		p := &person{
			id: testkit.ID(), session: testkit.ID(), canary: fmt.Sprintf("c%04d-%s", i, testkit.ID()),
		}
		d.people = append(d.people, p)
		wg.Go(func() { d.make(t, p) })
	}
	wg.Wait()
	if t.Failed() {
		t.FailNow()
	}
	// An import holds several customers.
	in := vault.ImportValuesInput{}
	for _, p := range d.people {
		in.Writes = append(in.Writes, vault.WriteValueInput{
			AgentID: d.agent, CustomerID: p.id, Name: "plan", Value: quoted("imported " + p.canary), Source: vault.ValueHumanEntered,
		})
	}
	d.applied(trigger.Submit(t.Context(), d.Trigger, d.tenant, vault.ImportValues, in))
	for _, p := range d.people {
		var err error
		if p.before, err = d.Query.Profile(t.Context(), d.tenant, p.id); err != nil { // this also fills the cache
			t.Fatal(err)
		}
	}
}

func quoted(text string) json.RawMessage {
	out, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return out
}

func encode(t *testing.T, v any) []byte {
	t.Helper()
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// make makes one customer.
func (d *drill) make(t *testing.T, p *person) {
	ctx := t.Context()
	submit := func(r trigger.Receipt, err error) {
		if err != nil {
			t.Error(err)
			return
		}
		p.writes = append(p.writes, r)
	}
	write := func(name, value string, lineage vault.Lineage) {
		submit(trigger.Submit(ctx, d.Trigger, d.tenant, vault.WriteValue, vault.WriteValueInput{
			ItemID: nil, AgentID: d.agent, CustomerID: p.id, Name: name, Value: quoted(value),
			Source: vault.ValueUserProvided, Lineage: lineage,
		}))
	}
	p.derivedFrom = testkit.ID()
	submit(trigger.Submit(ctx, d.Trigger, d.tenant, vault.WriteValue, vault.WriteValueInput{
		ItemID: &p.derivedFrom, AgentID: d.agent, CustomerID: p.id, Name: "note", Value: quoted("note " + p.canary),
		Source: vault.ValueUserProvided,
	}))
	write("passport", p.canary, vault.Lineage{})
	write("plan", "old "+p.canary, vault.Lineage{SourceItemID: &p.derivedFrom, SourceItemType: vault.SourceProfileField})
	submit(trigger.Submit(ctx, d.Trigger, d.tenant, vault.LinkChannel, vault.LinkChannelInput{
		CustomerID: p.id, Channel: "sms", ExternalID: p.canary,
	}))
	submit(trigger.Submit(ctx, d.Trigger, d.tenant, vault.RecordConsent, vault.RecordConsentInput{
		CustomerID: p.id, Purpose: "support", Granted: true, Source: p.canary,
	}))
	submit(trigger.Submit(ctx, d.Trigger, d.tenant, vault.AddAsset, vault.AddAssetInput{
		CustomerID: p.id, Name: "id_card", AssetType: "document", StorageProvider: "s3",
		StoragePath: p.canary + "/card.png", MimeType: "image/png", SizeBytes: 1, Checksum: strings.Repeat("a", 64),
	}))
	submit(trigger.Submit(ctx, d.Trigger, d.tenant, vault.SaveSession, vault.SaveSessionInput{
		SessionID: p.session, AgentID: d.agent, CustomerID: p.id,
		Variables: map[string]json.RawMessage{"said": quoted(p.canary)},
		Turns:     []vault.Turn{{Speaker: vault.SpeakerCustomer, Text: "It is " + p.canary}},
	}))
	// A rejected write keeps its payload.
	rejected, err := trigger.Submit(ctx, d.Trigger, d.tenant, vault.WriteValue, vault.WriteValueInput{
		AgentID: d.agent, CustomerID: p.id, Name: "undefined", Value: quoted(p.canary), Source: vault.ValueUserProvided,
	})
	if err != nil {
		t.Error(err)
		return
	}
	for _, r := range p.writes {
		d.Operation(t, d.tenant, r.ID, vault.OperationSucceeded)
	}
	d.Operation(t, d.tenant, rejected.ID, vault.OperationFailed)
	p.writes = append(p.writes, rejected)
	// A gap fill waits for an answer.
	fill, err := trigger.Submit(ctx, d.Trigger, d.tenant, vault.FillGaps,
		vault.FillGapsInput{CustomerID: p.id, ScenarioID: d.scenario, SessionID: &p.session})
	if err != nil {
		t.Error(err)
		return
	}
	d.Question(t, d.tenant, p.id)
	p.writes = append(p.writes, fill)
}

// load writes values of the customers that stay, until the returned function is called. It returns the number of writes
// of each.
func (d *drill) load(t *testing.T, kept []*person) (stop func() []int) {
	t.Helper()
	done := make(chan struct{})
	counts := make([]int, len(kept))
	last := make([]trigger.Receipt, len(kept))
	var wg sync.WaitGroup
	wg.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-done:
				return
			default:
			}
			i := n % len(kept)
			r, err := trigger.Submit(t.Context(), d.Trigger, d.tenant, vault.WriteValue, vault.WriteValueInput{
				AgentID: d.agent, CustomerID: kept[i].id, Name: "load", Value: quoted(strconv.Itoa(n)),
				Source: vault.ValueUserProvided,
			})
			if err != nil {
				t.Error(err)
				return
			}
			counts[i]++
			last[i] = r
			if n%4 == 3 { // at most four in flight
				if _, err := r.Wait(t.Context()); err != nil && t.Context().Err() == nil {
					t.Error(err)
				}
			}
		}
	})
	return func() []int {
		close(done)
		wg.Wait()
		for _, r := range last {
			if r.ID != uuid.Nil {
				d.applied(r, nil)
			}
		}
		return counts
	}
}

// blocker holds a lock that a step of an erasure needs.
func (d *drill) blocker(t *testing.T, sql string, args ...any) *profileLock {
	t.Helper()
	conn := connect(t, d.DatabaseURL)
	if _, err := conn.Exec(t.Context(), "BEGIN"); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
	return &profileLock{t: t, conn: conn, pid: conn.PgConn().PID(), url: d.DatabaseURL}
}

// eraseAndKill erases customers. The first five are stopped in five different steps; then the worker is killed.
func (d *drill) eraseAndKill(t *testing.T, erased []*person) []trigger.Receipt {
	t.Helper()
	receipts := make([]trigger.Receipt, len(erased))
	submit := func(i int) uuid.UUID {
		r, err := trigger.Submit(t.Context(), d.Trigger, d.tenant, vault.EraseCustomer,
			vault.EraseCustomerInput{CustomerID: erased[i].id})
		if err != nil {
			t.Fatal(err)
		}
		receipts[i] = r
		return r.ID
	}
	dbtest.Exec(t, d.DatabaseURL, haltErasures)
	const profile = "SELECT FROM customer_profiles WHERE customer_id = $1 FOR UPDATE"
	fill := erased[1].writes[len(erased[1].writes)-1]
	halted := []*profileLock{
		d.blocker(t, profile, erased[0].id),                                      // in the first step
		d.blocker(t, "SELECT FROM operations WHERE id = $1 FOR UPDATE", fill.ID), // in the second one
	}
	submit(0)
	submit(1)
	for i, state := range []vault.ErasureState{vault.ErasureFinished, vault.ErasureScanned, vault.ErasureErased} {
		begin := d.blocker(t, profile, erased[2+i].id)
		id := submit(2 + i)
		halted = append(halted, d.blocker(t, "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", id.String()+string(state)))
		begin.release()
		halted[len(halted)-1].untilSomeoneWaits() // the last one holds the import that all of them share
	}
	for _, l := range halted {
		l.untilSomeoneWaits()
	}
	d.worker.kill()
	for _, l := range halted {
		l.release()
	}
	dbtest.Exec(t, d.DatabaseURL, "DROP TRIGGER halt_erasure ON erasures; DROP FUNCTION halt_erasure()")
	for i := 5; i < len(erased); i++ {
		submit(i)
	}
	d.worker = startWorker(t, d.Kit)
	d.logs = append(d.logs, d.worker)
	return receipts
}

// haltErasures makes an erasure wait, in the transaction that gives it a state, for the lock of its id and the state.
const haltErasures = `
CREATE FUNCTION halt_erasure() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(NEW.id::text || NEW.state, 0));
    RETURN NEW;
END $$;
CREATE TRIGGER halt_erasure BEFORE UPDATE ON erasures FOR EACH ROW EXECUTE FUNCTION halt_erasure()`

// verify checks the receipt of an erasure.
func (d *drill) verify(t *testing.T, id uuid.UUID, p *person) {
	t.Helper()
	e, err := d.Query.Erasure(t.Context(), d.tenant, id)
	if err != nil {
		t.Fatal(err)
	}
	key, err := d.Query.ReceiptKey(t.Context(), d.tenant)
	if err != nil {
		t.Fatal(err)
	}
	r, err := db.VerifyReceipt([]byte(key), []byte(e.Receipt))
	if err != nil || r.Customer != vault.Commitment(r.Salt, p.id) || len(r.Scanned) < len(personal.Tables) {
		t.Errorf("the receipt is %+v, %v", r, err)
	}
}

// nothingOf searches all tables of the vault and of the engine, Redis and the logs for the erased.
func (d *drill) nothingOf(t *testing.T, engineURL string, erased []*person, when string) {
	t.Helper()
	var needles []string
	for _, p := range erased {
		needles = append(needles, p.canary, p.id.String())
	}
	search := func(where, text string, wanted []string) {
		for _, n := range wanted {
			if strings.Contains(text, n) {
				t.Errorf("%s %s has %q", when, where, n)
			}
		}
	}
	canaries := func() (out []string) {
		for _, p := range erased {
			out = append(out, p.canary)
		}
		return out
	}()
	for table, rows := range dbtest.Dump(t, d.DatabaseURL) {
		wanted := needles
		if personal.Kept[table] != "" {
			wanted = canaries
		}
		rows = slices.DeleteFunc(rows, func(row string) bool { // it tells of the erasure, with the id of the customer alone
			return table == "events" && strings.Contains(row, `"customer.erased"`) && strings.Count(row, "null") >= 3
		})
		search("table "+table, strings.Join(rows, "\n"), wanted)
	}
	for table, text := range everyRow(t, engineURL) {
		search("the engine's table "+table, text, canaries)
	}
	opts, err := redis.ParseURL(os.Getenv("REDIS_URL"))
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(opts)
	defer func() { _ = client.Close() }()
	for keys := client.Scan(t.Context(), 0, "*"+d.tenant.String()+"*", 1000).Iterator(); keys.Next(t.Context()); {
		search("Redis", keys.Val()+client.Get(t.Context(), keys.Val()).Val(), needles)
	}
	for _, p := range d.logs {
		search("the log of a worker", p.log.String(), canaries)
	}
}

// everyRow returns the rows of all tables of a database as text.
func everyRow(t *testing.T, url string) map[string]string {
	t.Helper()
	conn := connect(t, url)
	rows, err := conn.Query(t.Context(), `SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname NOT IN ('pg_catalog', 'information_schema')`)
	if err != nil {
		t.Fatal(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, name := range names {
		var text *string
		err := conn.QueryRow(t.Context(), "SELECT string_agg(x::text, ' ') FROM "+name+" x").Scan(&text)
		if err != nil {
			t.Fatal(err)
		}
		if text != nil {
			out[name] = *text
		}
	}
	return out
}

// lateRetries tries to bring the erased back.
func (d *drill) lateRetries(t *testing.T, erased []*person) {
	t.Helper()
	ctx := t.Context()
	var late []trigger.Receipt
	for _, p := range erased {
		for _, r := range p.writes {
			if _, err := d.Trigger.Replay(ctx, d.tenant, r.ID); vault.CodeOf(err) != vault.CodeErased {
				t.Errorf("a replay says %v", err)
			}
		}
		for _, submit := range []func() (trigger.Receipt, error){
			func() (trigger.Receipt, error) {
				return trigger.Submit(ctx, d.Trigger, d.tenant, vault.WriteValue, vault.WriteValueInput{
					AgentID: d.agent, CustomerID: p.id, Name: "note", Value: quoted(p.canary), Source: vault.ValueUserProvided,
				})
			},
			func() (trigger.Receipt, error) {
				return trigger.Submit(ctx, d.Trigger, d.tenant, vault.ImportValues, vault.ImportValuesInput{
					Writes: []vault.WriteValueInput{{
						AgentID: d.agent, CustomerID: p.id, Name: "note", Value: quoted(p.canary), Source: vault.ValueHumanEntered,
					}},
				})
			},
			func() (trigger.Receipt, error) {
				return trigger.Submit(ctx, d.Trigger, d.tenant, vault.SaveSession, vault.SaveSessionInput{
					SessionID: p.session, AgentID: d.agent, CustomerID: p.id,
					Turns: []vault.Turn{{Speaker: vault.SpeakerCustomer, Text: p.canary}},
				})
			},
			func() (trigger.Receipt, error) {
				return trigger.Submit(ctx, d.Trigger, d.tenant, vault.OpenCustomer, vault.OpenCustomerInput{
					Channel: "sms", ExternalID: p.canary,
				})
			},
		} {
			r, err := submit()
			if err != nil {
				t.Error(err)
				continue
			}
			late = append(late, r)
		}
	}
	for _, r := range late {
		op := d.Operation(t, d.tenant, r.ID, vault.OperationFailed)
		if op.Error == nil || op.Error.Code != vault.CodeErased {
			t.Errorf("a late %s failed with %v", op.Workflow, op.Error)
		}
	}
}

// complete checks that a customer who stays has everything.
func (d *drill) complete(t *testing.T, p *person, written int) {
	t.Helper()
	now, err := d.Query.Profile(t.Context(), d.tenant, p.id)
	if err != nil {
		t.Fatal(err)
	}
	for name, before := range p.before.Fields {
		if got := now.Fields[name]; got.ID != before.ID || string(got.Value) != string(before.Value) {
			t.Errorf("%s of a customer who stays is %s", name, got.Value)
		}
	}
	// As JSON: times from the cache and from the database have different locations.
	if !bytes.Equal(encode(t, now.Assets), encode(t, p.before.Assets)) || len(now.Channels) != len(p.before.Channels) ||
		len(now.Consents) != len(p.before.Consents) {
		t.Errorf("a customer who stays has lost something: %+v", now)
	}
	if h, err := d.Query.History(t.Context(), d.tenant, p.id, "load"); err != nil || len(h) != written {
		t.Errorf("%d of %d writes of the load are there, %v", len(h), written, err)
	}
	session, err := d.Query.Session(t.Context(), d.tenant, p.session)
	if err != nil || len(session.Turns) != 1 || !strings.Contains(session.Turns[0].Text, p.canary) {
		t.Errorf("the session of a customer who stays has %d turns, %v", len(session.Turns), err)
	}
	if open, err := d.Query.Questions(t.Context(), d.tenant, p.id); err != nil || len(open) != 1 {
		t.Errorf("a customer who stays has %d open questions, %v", len(open), err)
	}
}

// backup restores a dump from before the erasures with the keys of today, as docs/backup.md says.
func (d *drill) backup(t *testing.T, dump string, erased, kept *person) {
	t.Helper()
	cluster := dbtest.Server()
	name := "drill_" + strings.ReplaceAll(testkit.ID().String(), "-", "")
	restored := createDatabase(t, cluster, name)
	t.Cleanup(func() { dbtest.Exec(t, cluster, "DROP DATABASE "+name+" WITH (FORCE)") })
	keys := filepath.Join(t.TempDir(), "keys.sql")
	postgres(t, "pg_restore", "--exit-on-error", "--dbname="+restored, dump)
	postgres(t, "pg_dump", "--data-only", "--table=(customer|tenant)_keys", "--file="+keys, d.DatabaseURL)
	postgres(t, "psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--file="+keys, restored)
	database := dbtest.OpenURL(t, restored)
	sealer, err := db.NewSealer(d.Config.SealingKey.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	reads := query.New(database, nil, sealer.Bind(database))
	if p, err := reads.Profile(t.Context(), d.tenant, kept.id); err != nil ||
		string(p.Fields["passport"].Value) != string(quoted(kept.canary)) {
		t.Errorf("the backup of a customer who stays reads %v, %v", p.Fields["passport"].Value, err)
	}
	if p, err := reads.Profile(t.Context(), d.tenant, erased.id); err == nil {
		t.Errorf("the backup of an erased customer opens: %d values", len(p.Fields))
	}
	if s, err := reads.Session(t.Context(), d.tenant, erased.session); err == nil {
		t.Errorf("the backup of an erased conversation opens: %d turns", len(s.Turns))
	}
}
