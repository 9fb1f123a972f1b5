package trigger_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is the time-out of all waits. It is far above every expected duration.
const patience = 30 * time.Second

// engine is a fake workflow engine that records events.
type engine struct {
	mu     sync.Mutex
	pushed []vault.Event
	runs   []vault.Batch
	calls  int
	err    error         // returned by Push
	hold   chan struct{} // not nil: Push blocks until it is closed
	refuse uuid.UUID     // the operation that Push does not take

	running, peak int // concurrent calls: now, and the maximum
}

// Push implements trigger.Engine.
func (e *engine) Push(ctx context.Context, _ string, b vault.Batch) error {
	e.mu.Lock()
	e.calls++
	e.running++
	e.peak = max(e.peak, e.running)
	hold := e.hold
	e.mu.Unlock()
	defer func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.running--
	}()
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.err != nil {
		return e.err
	}
	for _, ev := range b.Events() {
		if ev.OperationID == e.refuse {
			return errDown
		}
	}
	e.pushed, e.runs = append(e.pushed, b.Events()...), append(e.runs, b)
	return nil
}

func (e *engine) answer(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.err = err
}

// taken returns the number of pushes of each operation.
func (e *engine) taken() map[uuid.UUID]int {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := map[uuid.UUID]int{}
	for _, ev := range e.pushed {
		out[ev.OperationID]++
	}
	return out
}

// most returns the maximum number of concurrent pushes.
func (e *engine) most() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.peak
}

func (e *engine) called() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.calls
}

var errDown = errors.New("the engine is down")

// bench is a client with its own database.
type bench struct {
	*trigger.Client
	t      *testing.T
	url    string
	db     *db.DB
	sealer *db.Sealer
	engine *engine
	tenant uuid.UUID
}

func newBench(t *testing.T, change ...func(*trigger.Options)) *bench {
	t.Helper()
	url := dbtest.URL(t)
	b := &bench{t: t, url: url, db: dbtest.OpenURL(t, url), engine: &engine{}}
	b.sealer = dbtest.Sealer(t, b.db)
	b.tenant = dbtest.Tenant(t, b.db)
	opts := trigger.Options{DB: b.db, Sealer: b.sealer, Engine: b.engine, Log: slog.New(slog.DiscardHandler)}
	for _, c := range change {
		c(&opts)
	}
	b.Client = trigger.New(opts)
	t.Cleanup(b.Client.Close)
	return b
}

func (b *bench) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) code(err error, want vault.Code) {
	b.t.Helper()
	if got := vault.CodeOf(err); got != want {
		b.t.Errorf("got %v, want code %q", err, want)
	}
}

var agent, customer = uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7())

func write(value string) vault.WriteValueInput {
	return vault.WriteValueInput{
		AgentID: agent, CustomerID: customer, Name: "plan", Value: json.RawMessage(value), Source: vault.ValueUserProvided,
	}
}

// accept submits a write.
func (b *bench) accept(opts ...trigger.Option) trigger.Receipt {
	b.t.Helper()
	r, err := trigger.Submit(b.t.Context(), b.Client, b.tenant, vault.WriteValue, write(`"gold"`), opts...)
	b.must(err)
	return r
}

func (b *bench) op(id uuid.UUID) dbgen.Operation {
	b.t.Helper()
	op, err := b.db.Tenant(b.tenant).GetOperation(b.t.Context(), b.tenant, id)
	b.must(err)
	return op
}

func (b *bench) operations() int {
	b.t.Helper()
	var n int
	dbtest.Scan(b.t, b.url, &n, "SELECT count(*) FROM operations")
	return n
}

// due makes all open operations due.
func (b *bench) due() {
	b.t.Helper()
	dbtest.Exec(b.t, b.url, "UPDATE operations SET due_at = clock_timestamp() WHERE status IN ('accepted', 'applied')")
}

// finishPush finishes an operation as the run of its last push does.
func (b *bench) finishPush(id uuid.UUID) {
	b.t.Helper()
	b.finish(id, nil)
	dbtest.Exec(b.t, b.url, "UPDATE operations SET carried_by = attempts WHERE id = $1", id)
}

// finish finishes an operation as the last step does.
func (b *bench) finish(id uuid.UUID, failure *vault.Error) {
	b.t.Helper()
	b.must(b.db.InTx(b.t.Context(), b.tenant, func(q *dbgen.Queries) error {
		if failure == nil {
			if err := q.MarkOperationApplied(b.t.Context(), dbgen.MarkOperationAppliedParams{
				TenantID: b.tenant, ID: id, Result: json.RawMessage(`{}`), TouchedProfiles: []uuid.UUID{},
			}); err != nil {
				return err
			}
			if err := q.AcknowledgeOperations(b.t.Context(), b.tenant, []uuid.UUID{id}); err != nil {
				return err
			}
		} else {
			encoded, err := json.Marshal(failure)
			if err != nil {
				return err
			}
			if _, err := q.MarkOperationFailed(b.t.Context(), dbgen.MarkOperationFailedParams{
				TenantID: b.tenant, ID: id, Error: encoded,
			}); err != nil {
				return err
			}
		}
		return q.NotifyOperation(b.t.Context(), id.String())
	}))
}

// eventually waits until ok returns true.
func (b *bench) eventually(what string, ok func() bool) {
	b.t.Helper()
	deadline := time.Now().Add(patience)
	for !ok() {
		if time.Now().After(deadline) {
			b.t.Fatalf("%s: not within %s", what, patience)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// atOnce runs n calls of fn concurrently.
func atOnce(n int, fn func(i int)) {
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			fn(i)
		})
	}
	close(start)
	wg.Wait()
}
