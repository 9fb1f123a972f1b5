package trigger_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
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

// patience is far longer than anything takes.
const patience = 30 * time.Second

// engine stands for the workflow engine: it takes events and runs nothing.
type engine struct {
	mu     sync.Mutex
	pushed []vault.Event
	calls  int
	err    error         // what it answers
	hold   chan struct{} // where not nil: it answers when this is closed
}

// Push implements trigger.Engine.
func (e *engine) Push(ctx context.Context, _, _ string, ev vault.Event) error {
	e.mu.Lock()
	e.calls++
	hold := e.hold
	e.mu.Unlock()
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
	e.pushed = append(e.pushed, ev)
	return nil
}

func (e *engine) answer(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.err = err
}

// taken gives how often each operation was pushed.
func (e *engine) taken() map[uuid.UUID]int {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := map[uuid.UUID]int{}
	for _, ev := range e.pushed {
		out[ev.IntentID]++
	}
	return out
}

func (e *engine) called() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.calls
}

var errDown = errors.New("the engine is down")

// bench is a client over a database of its own.
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
	b := &bench{t: t, url: url, db: dbtest.OpenURL(t, url), sealer: dbtest.Sealer(t), engine: &engine{}}
	b.tenant = dbtest.Tenant(t, b.db)
	opts := trigger.Options{DB: b.db, Sealer: b.sealer, Engine: b.engine, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
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

func write(value string) vault.WriteField {
	return vault.WriteField{
		AgentID: agent, CustomerID: customer, Name: "plan", Value: json.RawMessage(value), Source: vault.FieldUserProvided,
	}
}

// accept accepts a write.
func (b *bench) accept(opts ...trigger.Option) trigger.Receipt {
	b.t.Helper()
	r, err := b.WriteField(b.t.Context(), b.tenant, write(`"gold"`), opts...)
	b.must(err)
	return r
}

func (b *bench) intent(id uuid.UUID) dbgen.Intent {
	b.t.Helper()
	intent, err := b.db.Tenant(b.tenant).GetIntent(b.t.Context(), b.tenant, id)
	b.must(err)
	return intent
}

func (b *bench) intents() int {
	b.t.Helper()
	var n int
	dbtest.Scan(b.t, b.url, &n, "SELECT count(*) FROM intents")
	return n
}

// due makes operations due at the relay.
func (b *bench) due() {
	b.t.Helper()
	dbtest.Exec(b.t, b.url, "UPDATE intents SET due_at = clock_timestamp() WHERE status IN ('accepted', 'applied')")
}

// finish ends an operation as the last of its steps does.
func (b *bench) finish(id uuid.UUID, failure *vault.Error) {
	b.t.Helper()
	b.must(b.db.InTx(b.t.Context(), b.tenant, func(q *dbgen.Queries) error {
		if failure == nil {
			if err := q.MarkIntentApplied(b.t.Context(), dbgen.MarkIntentAppliedParams{TenantID: b.tenant, ID: id, Result: json.RawMessage(`{}`)}); err != nil {
				return err
			}
			if _, err := q.MarkIntentSucceeded(b.t.Context(), b.tenant, id); err != nil {
				return err
			}
		} else {
			encoded, err := json.Marshal(failure)
			if err != nil {
				return err
			}
			if _, err := q.MarkIntentFailed(b.t.Context(), dbgen.MarkIntentFailedParams{TenantID: b.tenant, ID: id, Error: encoded}); err != nil {
				return err
			}
		}
		return q.NotifyIntent(b.t.Context(), id.String())
	}))
}

// eventually waits for what another goroutine does.
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

// atOnce runs fn n times, all started together.
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
