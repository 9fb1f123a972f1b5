package trigger

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/sony/gobreaker/v2"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/vault"
)

// Options configure a Client.
type Options struct {
	DB     *db.DB
	Sealer *db.Sealer
	// Engine receives the events. nil: the relay of another process pushes the operations of this client.
	Engine Engine
	// Log gets failed pushes. nil: slog.Default().
	Log *slog.Logger
	// RelayInterval is the interval at which Run pushes due operations and wakes gap fills. 0: 1 second.
	RelayInterval time.Duration
	// MaxPushes is the maximum number of concurrent pushes; further ones wait. A relay or a step that pushes many
	// operations uses half of it. 0: 32.
	MaxPushes int
}

// Client accepts operations. It is safe for concurrent use. Callers must call Close.
type Client struct {
	db       *db.DB
	sealer   *db.Sealer
	engine   Engine
	breaker  *gobreaker.CircuitBreaker[struct{}]
	log      *slog.Logger
	interval time.Duration
	waiters  waiters
	accepts  together[newOperation, db.Acceptance]
	reads    together[uuid.UUID, reading]
	dispatch *dispatcher

	pushes  chan struct{} // one token per running push
	pushing sync.WaitGroup
	stop    context.CancelFunc
	stopped sync.WaitGroup
}

// New creates a client and starts its listening connection.
func New(o Options) *Client {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.RelayInterval == 0 {
		o.RelayInterval = time.Second
	}
	if o.MaxPushes == 0 {
		o.MaxPushes = 32
	}
	ctx, cancel := context.WithCancel(context.Background())
	c := &Client{
		db: o.DB, sealer: o.Sealer, engine: o.Engine, log: o.Log, interval: o.RelayInterval,
		pushes: make(chan struct{}, o.MaxPushes), stop: cancel,
		breaker: gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
			Name:        "workflow engine",
			Timeout:     2 * time.Second, // afterwards one push probes the engine
			ReadyToTrip: func(n gobreaker.Counts) bool { return n.ConsecutiveFailures >= 3 },
		}),
	}
	c.accepts.run, c.accepts.max = c.acceptAll, maxAccepts
	c.reads.run, c.reads.max = c.readAll, maxReads
	c.dispatch = newDispatcher(c.pushLater)
	c.stopped.Go(func() {
		c.db.ListenOperations(ctx, c.log, c.waiters.wakeAll, func(id uuid.UUID) {
			c.dispatch.finished(id)
			c.waiters.wake(id)
		})
	})
	return c
}

// Close pushes what is gathered, waits for the running pushes and closes the listening connection. The relay pushes the
// remaining operations.
func (c *Client) Close() {
	c.accepts.wait()
	c.dispatch.close()
	c.pushing.Wait()
	c.reads.wait()
	c.stop()
	c.stopped.Wait()
}

// Option is an option of Submit.
type Option func(*db.NewOperation)

// IdempotencyKey makes it safe to repeat a call: the same key with the same content returns the same receipt. The same
// key with different content is a conflict. Keys belong to a tenant and a workflow.
func IdempotencyKey(key string) Option { return func(n *db.NewOperation) { n.Key = key } }

// accept commits an operation and pushes its event in the background. Concurrent operations of a tenant share a commit.
func (c *Client) accept(ctx context.Context, tenant uuid.UUID, in db.NewOperation, opts []Option) (Receipt, error) {
	if tenant == uuid.Nil {
		return Receipt{}, vault.Invalid("tenant", "is required; it comes from the credential of the caller")
	}
	for _, opt := range opts {
		opt(&in)
	}
	in.Pushing = c.engine != nil
	payload, err := json.Marshal(in.Payload)
	if err != nil {
		return Receipt{}, fmt.Errorf("encode the payload of %s: %w", in.Workflow, err)
	}
	in.Payload = json.RawMessage(payload)
	var accepted db.Acceptance
	if len(payload) > maxSharedPayload {
		accepted = c.acceptAll(ctx, tenant, []newOperation{{ctx, in}})[0]
	} else if accepted, err = c.accepts.do(ctx, tenant, newOperation{ctx, in}); err != nil {
		return Receipt{}, fmt.Errorf("accept %s: %w", in.Workflow, err)
	}
	if accepted.Err != nil {
		return Receipt{}, accepted.Err
	}
	op := accepted.Operation
	return Receipt{ID: op.ID, TenantID: tenant, Workflow: op.Workflow, client: c}, nil
}

// newOperation is an operation to accept.
type newOperation struct {
	ctx context.Context //nolint:containedctx // carries the trace of the caller
	db.NewOperation
}

// maxAccepts is the maximum number of operations that share a commit, and maxSharedPayload the maximum size of their
// payloads: a statement has at most 16 MiB. A larger one has a commit of its own.
const (
	maxAccepts       = 256
	maxSharedPayload = 64 << 10
)

// togetherTimeout is the maximum duration of a statement that several callers share.
const togetherTimeout = 30 * time.Second

// acceptAll accepts operations of a tenant, and hands the new ones to the dispatcher.
func (c *Client) acceptAll(ctx context.Context, tenant uuid.UUID, in []newOperation) []db.Acceptance {
	ops := make([]db.NewOperation, len(in))
	for i, n := range in {
		ops[i] = n.NewOperation
	}
	accepted := db.AcceptOperations(ctx, c.db.Tenant(tenant), c.sealer, tenant, ops)
	if c.engine == nil {
		return accepted
	}
	var push []dbgen.Operation
	for _, a := range accepted {
		if a.New {
			push = append(push, a.Operation)
		}
	}
	c.dispatch.add(in[0].ctx, push...)
	return accepted
}

// pushLater pushes operations in the background, so that a caller never waits for the engine. They are committed: if
// the push fails, the relay pushes them. ctx sets only the trace of the run: the push continues after ctx ends.
func (c *Client) pushLater(ctx context.Context, ops []dbgen.Operation) {
	if c.engine == nil {
		return
	}
	c.pushing.Go(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*pushTimeout)
		defer cancel()
		if err := c.Enqueue(ctx, ops...); err != nil {
			c.log.WarnContext(ctx, "operations_not_pushed",
				"operation_id", ops[0].ID, "operations", len(ops), "workflow", ops[0].Workflow,
				"error_code", vault.CodeOf(err))
		}
	})
}

// Enqueue pushes the events of accepted operations. An operation whose push fails is due again at once, so an error
// needs no other action.
func (c *Client) Enqueue(ctx context.Context, ops ...dbgen.Operation) error {
	_, err := c.pushAll(ctx, ops)
	return err
}

// push pushes the operations of one batch through the circuit breaker: while the engine is down, pushes fail at once.
// It waits while MaxPushes others run.
func (c *Client) push(ctx context.Context, ops []dbgen.Operation) error {
	if c.engine == nil {
		return vault.Unavailable("the workflow engine", errNoEngine)
	}
	if ctx.Err() != nil { // select would choose any of its cases
		return vault.Unavailable("the workflow engine", ctx.Err())
	}
	select {
	case c.pushes <- struct{}{}:
		defer func() { <-c.pushes }()
	case <-ctx.Done():
		return vault.Unavailable("the workflow engine", ctx.Err())
	}
	batch := batchOf(ops)
	if err := batch.Check(); err != nil {
		return err // no failure of the engine
	}
	_, err := c.breaker.Execute(func() (struct{}, error) {
		return struct{}{}, c.engine.Push(ctx, ops[0].Event, batch)
	})
	if isBreaker(err) {
		return vault.Unavailable("the workflow engine", err)
	}
	return err
}
