package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/hatchet-dev/hatchet/pkg/client/rest"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/db/personal"
	"github.com/contextvault/contextvault/embedded/embeddedtest"
	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
	"github.com/contextvault/contextvault/workflows"
)

const (
	// drillCustomers is the number of customers of the drill; every second one is erased. ERASURE_DRILL sets it.
	drillCustomers = 200
	// drillWhole is the number of customers with something in every table, half of them erased.
	drillWhole = 40
)

// drill is the system of the drill.
//
//   - erasure_drill_test.go: what is done, and the worker that is killed;
//   - erasure_drill_people_test.go: the customers, and everything that the vault holds of them;
//   - erasure_drill_search_test.go: where the erased are looked for, and the others compared;
//   - erasure_drill_late_test.go: what tries to bring the erased back.
type drill struct {
	*system
	sealer       *db.Sealer
	scenario     uuid.UUID
	people       []*person
	erased, kept []*person
	shared       []trigger.Receipt // operations that hold all customers
	failedImport trigger.Receipt   // one of them, which can be replayed
	receiver     *receiver
	rows         map[string]map[string]bool // of those who stay, before the erasures
	logs         []*process
}

// Half of the customers are erased under load, and the worker is killed while an erasure is in each step of the workflow.
// Afterwards nothing of the erased is anywhere, nothing of the others is missing, nothing brings the erased back, and a
// backup from before does not open what was sealed of them.
func TestErasure_Drill(t *testing.T) {
	t.Parallel()
	cfg := embeddedtest.Config(t)
	d := &drill{system: newSystem(t, startEngine(t, cfg))}
	sealer, err := db.NewSealer(d.Config.SealingKey.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	d.sealer = sealer.Bind(d.DB)
	worker := d.startWorker()
	d.populate(t, drillSize(t))
	d.take(t)
	d.holdsEverything(t)
	d.rows = d.lasting(t)
	dump := filepath.Join(t.TempDir(), "before.dump")
	postgres(t, "pg_dump", "--format=custom", "--exclude-table-data=(customer|tenant)_keys", "--file="+dump, d.DatabaseURL)

	stopLoad := d.load(t)
	receipts := d.eraseAndKill(t, worker)
	for i, r := range receipts {
		var result vault.EraseResult
		if err := json.Unmarshal(d.applied(r, nil).Result, &result); err != nil || result.Rows["customer_values"] == 0 {
			t.Errorf("erasure %d says %+v, %v", i, result, err)
		}
		d.verify(t, r.ID, d.erased[i])
	}
	written := stopLoad()

	d.nothingLeft(t, cfg.DatabaseURL, "after the erasures")
	d.complete(t, written)
	d.lateRetries(t)
	d.nothingLeft(t, cfg.DatabaseURL, "after the late retries")
	d.backup(t, dump)
}

func drillSize(t *testing.T) int {
	t.Helper()
	text := os.Getenv("ERASURE_DRILL")
	if text == "" {
		return drillCustomers
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 2*drillHalted || n%2 != 0 {
		t.Fatalf("ERASURE_DRILL is %q, not an even number from %d", text, 2*drillHalted)
	}
	return n
}

// startWorker starts a worker that may deliver to the receiver of the drill, and embeds the turns of every conversation
// of more than a thousand bytes.
func (d *drill) startWorker() *process {
	d.t.Helper()
	p := startWorker(d.t, d.Kit, "VAULT_EVENTS_WEBHOOK_PRIVATE_ADDRESSES=true", "VAULT_GAP_FILL_CONVERSATION_BYTES=1000")
	d.logs = append(d.logs, p)
	return p
}

// load writes values of the customers that stay, until the returned function is called. It returns the number of writes
// of each.
func (d *drill) load(t *testing.T) (stop func() []int) {
	t.Helper()
	done := make(chan struct{})
	counts := make([]int, len(d.kept))
	last := make([]trigger.Receipt, len(d.kept))
	var wg sync.WaitGroup
	wg.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-done:
				return
			default:
			}
			i := n % len(d.kept)
			r, err := trigger.Submit(t.Context(), d.Trigger, d.tenant, vault.WriteValue, vault.WriteValueInput{
				AgentID: d.agent, CustomerID: d.kept[i].id, Name: "load", Value: quoted(strconv.Itoa(n)),
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

// drillHalted is the number of erasures that are stopped, one in each step.
const drillHalted = 6

// eraseAndKill erases customers. The first ones are stopped in different steps; then the worker is killed.
func (d *drill) eraseAndKill(t *testing.T, worker *process) []trigger.Receipt {
	t.Helper()
	receipts := make([]trigger.Receipt, len(d.erased))
	erase := func(i int) uuid.UUID {
		in := vault.EraseCustomerInput{CustomerID: d.erased[i].id, Derived: d.erased[i].derived}
		r, err := trigger.Submit(t.Context(), d.Trigger, d.tenant, vault.EraseCustomer, in)
		if err != nil {
			t.Fatal(err)
		}
		receipts[i] = r
		return r.ID
	}
	dbtest.Exec(t, d.DatabaseURL, haltErasures)
	const profile = "SELECT FROM customer_profiles WHERE customer_id = $1 FOR UPDATE"
	halted := []*profileLock{
		d.blocker(t, profile, d.erased[0].id),                                                // in begin
		d.blocker(t, "SELECT FROM operations WHERE id = $1 FOR UPDATE", d.erased[1].fill.ID), // in end-work
	}
	erase(0)
	erase(1)
	// In invalidate-and-acknowledge, finish, scan and erase: by the state that the step gives.
	for i, state := range []string{
		string(vault.OperationSucceeded), string(vault.ErasureFinished), string(vault.ErasureScanned), string(vault.ErasureErased),
	} {
		begin := d.blocker(t, profile, d.erased[2+i].id)
		id := erase(2 + i)
		lock := d.blocker(t, "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", id.String()+state)
		halted = append(halted, lock)
		begin.release()
		lock.untilSomeoneWaits() // the last one holds the operations that all of them share
	}
	for _, l := range halted {
		l.untilSomeoneWaits()
	}
	var killedIn []string
	for _, r := range receipts[:drillHalted] {
		killedIn = append(killedIn, d.runningStep(t, r.ID))
	}
	worker.kill()
	slices.Sort(killedIn)
	if want := stepsOf(t, d, vault.EraseCustomer.Name); !slices.Equal(killedIn, want) {
		t.Errorf("the worker was killed in the steps %v; %s has the steps %v", killedIn, vault.EraseCustomer.Name, want)
	}
	d.leaveUndone(t)
	for _, l := range halted {
		l.release()
	}
	dbtest.Exec(t, d.DatabaseURL, "DROP FUNCTION halt_erasure() CASCADE")
	for i := drillHalted; i < len(d.erased); i++ {
		erase(i)
	}
	d.startWorker()
	return receipts
}

// haltErasures makes an erasure wait, in the transaction that gives it or its operation a state, for the lock of its id
// and the state.
const haltErasures = `
CREATE FUNCTION halt_erasure() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(NEW.id::text || coalesce(to_jsonb(NEW) ->> 'state', to_jsonb(NEW) ->> 'status'), 0));
    RETURN NEW;
END $$;
CREATE TRIGGER halt_erasure BEFORE UPDATE ON erasures FOR EACH ROW EXECUTE FUNCTION halt_erasure();
CREATE TRIGGER halt_erasure BEFORE UPDATE OF status ON operations FOR EACH ROW
    WHEN (NEW.workflow = 'erase-customer' AND NEW.status = 'succeeded') EXECUTE FUNCTION halt_erasure()`

// runningStep returns the step that the engine runs for an operation.
func (d *drill) runningStep(t *testing.T, operation uuid.UUID) string {
	t.Helper()
	run := d.Run(t, operation, rest.V1TaskStatusRUNNING)
	for _, task := range d.Details(t, run).Tasks {
		if task.Status == rest.V1TaskStatusRUNNING && task.ActionId != nil {
			_, step, _ := strings.Cut(*task.ActionId, ":")
			return step
		}
	}
	t.Errorf("no step of the run of operation %s is running", operation)
	return ""
}

// stepsOf returns the steps of a workflow, as it is registered with the engine, in alphabetical order.
func stepsOf(t *testing.T, d *drill, workflow string) []string {
	t.Helper()
	var names []string
	for _, w := range workflows.All(d.Client, steps.Steps{}, workflows.Crons{}) {
		if req, _, _, _ := w.Dump(); req.Name == workflow {
			for _, task := range req.Tasks {
				names = append(names, task.ReadableId)
			}
		}
	}
	slices.Sort(names)
	return names
}

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
