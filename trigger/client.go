package trigger

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/sony/gobreaker/v2"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/vault"
)

// When the relay pushes an operation that nobody else pushed, and one that was pushed and did not finish.
const (
	dueUnpushed = 5 * time.Second // longer than a push takes
	duePushed   = 5 * time.Minute // longer than a run takes with its retries
)

// Options are what a Client needs.
type Options struct {
	DB     *db.DB
	Sealer *db.Sealer
	// Engine is where events go. nil: nowhere; the relay of another process pushes what this one accepts.
	Engine Engine
	// Log is where failed pushes are told. nil: slog.Default().
	Log *slog.Logger
	// RelayInterval is how often Run looks for what is owed. 0: 5 seconds.
	RelayInterval time.Duration
	// PushesAtOnce bounds the pushes under way. What is beyond it is left to the relay. 0: 64.
	PushesAtOnce int
}

// Client accepts changes. It is safe for concurrent use. Close it.
type Client struct {
	db       *db.DB
	sealer   *db.Sealer
	engine   Engine
	breaker  *gobreaker.CircuitBreaker[struct{}]
	log      *slog.Logger
	interval time.Duration
	waiters  waiters

	pushes  chan struct{} // one token for each push under way
	pushing sync.WaitGroup
	stop    context.CancelFunc
	stopped sync.WaitGroup
}

// New makes a client and starts its one listening connection.
func New(o Options) *Client {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.RelayInterval == 0 {
		o.RelayInterval = 5 * time.Second
	}
	if o.PushesAtOnce == 0 {
		o.PushesAtOnce = 64
	}
	ctx, cancel := context.WithCancel(context.Background())
	c := &Client{
		db: o.DB, sealer: o.Sealer, engine: o.Engine, log: o.Log, interval: o.RelayInterval,
		pushes: make(chan struct{}, o.PushesAtOnce), stop: cancel,
		breaker: gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
			Name:        "workflow engine",
			Timeout:     2 * time.Second, // then one push tries again
			ReadyToTrip: func(n gobreaker.Counts) bool { return n.ConsecutiveFailures >= 3 },
		}),
	}
	c.stopped.Go(func() { c.db.ListenOperations(ctx, c.log, c.waiters.wakeAll, c.waiters.wake) })
	return c
}

// Close lets the pushes under way end and closes the listening connection. What was accepted and not pushed stays owed.
func (c *Client) Close() {
	c.pushing.Wait()
	c.stop()
	c.stopped.Wait()
}

// Option changes how one operation is accepted.
type Option func(*db.NewOperation)

// IdempotencyKey makes a repeat harmless: the same key and the same content give the same receipt; the same key with another
// content is a conflict. Keys are per tenant and workflow.
func IdempotencyKey(key string) Option { return func(n *db.NewOperation) { n.Key = key } }

// accept commits to a change and pushes its event in the background.
func (c *Client) accept(ctx context.Context, tenant uuid.UUID, in db.NewOperation, opts []Option) (Receipt, error) {
	if tenant == uuid.Nil {
		return Receipt{}, vault.Invalid("tenant", "is required; it comes from the caller's credential")
	}
	for _, opt := range opts {
		opt(&in)
	}
	in.DueAfter = dueUnpushed
	op, err := db.AcceptOperation(ctx, c.db.Tenant(tenant), c.sealer, tenant, in)
	if err != nil {
		return Receipt{}, err
	}
	if op.EnqueuedAt == nil && !vault.OperationStatus(op.Status).Finished() {
		c.pushLater(ctx, op)
	}
	return Receipt{ID: op.ID, TenantID: tenant, Workflow: op.Workflow, client: c}, nil
}

// pushLater pushes in the background, so that a caller never waits for the engine. The operation is committed: whatever fails
// here, the relay makes up for. ctx gives the trace that the run belongs to; that the caller is gone does not matter.
func (c *Client) pushLater(ctx context.Context, op dbgen.Operation) {
	if c.engine == nil {
		return
	}
	select {
	case c.pushes <- struct{}{}:
	default:
		return
	}
	c.pushing.Go(func() {
		defer func() { <-c.pushes }()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*pushTimeout)
		defer cancel()
		if err := c.Enqueue(ctx, op.Event, db.EventOf(op)); err != nil {
			c.log.WarnContext(ctx, "operation_not_pushed", "operation_id", op.ID, "workflow", op.Workflow, "error_code", vault.CodeOf(err))
		}
	})
}

// Enqueue pushes the event of an accepted operation and notes that it was pushed.
func (c *Client) Enqueue(ctx context.Context, event string, ev vault.Event) error {
	if err := c.push(ctx, event, "", ev); err != nil {
		return err
	}
	return c.db.Tenant(ev.TenantID).MarkOperationEnqueued(ctx, dbgen.MarkOperationEnqueuedParams{
		TenantID: ev.TenantID, ID: ev.OperationID, DueAfter: duePushed,
	})
}

// PushScoped pushes an event to whoever waits for it durably under scope.
func (c *Client) PushScoped(ctx context.Context, event, scope string, ev vault.Event) error {
	return c.push(ctx, event, scope, ev)
}

// push goes through the circuit breaker: while the engine is down, callers fail at once.
func (c *Client) push(ctx context.Context, event, scope string, ev vault.Event) error {
	if c.engine == nil {
		return vault.Unavailable("the workflow engine", errNoEngine)
	}
	_, err := c.breaker.Execute(func() (struct{}, error) { return struct{}{}, c.engine.Push(ctx, event, scope, ev) })
	if isBreaker(err) {
		return vault.Unavailable("the workflow engine", err)
	}
	return err
}
