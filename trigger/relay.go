package trigger

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/vault"
)

// releaseAfter is the time after which an operation with a failed push is due again.
const releaseAfter = time.Second

// releaseTimeout is the maximum duration of the release of claims. A release ignores the end of the caller's context.
const releaseTimeout = 5 * time.Second

// maxProbes is the maximum number of repeated pushes in flight while nothing shows that the engine moves. A few are
// enough to notice that it does, and too few to slow it down.
const maxProbes = 10

// RelayDue pushes up to limit due operations: those that no push is in flight for, and those whose run the engine has
// lost. It returns the number of pushed operations. Several relays can run concurrently.
func (c *Client) RelayDue(ctx context.Context, limit int) (int, error) {
	if c.engine == nil { // a claim would block the relays with an engine
		return 0, vault.Unavailable("the workflow engine", errNoEngine)
	}
	due, err := c.db.System().ClaimDueOperations(ctx, dbgen.ClaimDueOperationsParams{
		MaxRows: int32(limit), MaxProbes: maxProbes, DueAfter: db.Lease, //nolint:gosec // a small number
	})
	if err != nil {
		return 0, err
	}
	return c.pushAll(ctx, due)
}

// Wake pushes the gap fills that have something new to look at, of one tenant, or of all tenants for uuid.Nil. It
// returns the number of pushed fills.
func (c *Client) Wake(ctx context.Context, tenant uuid.UUID) (int, error) {
	if c.engine == nil {
		return 0, vault.Unavailable("the workflow engine", errNoEngine)
	}
	q, only := c.db.System(), (*uuid.UUID)(nil)
	if tenant != uuid.Nil {
		q, only = c.db.Tenant(tenant), &tenant
	}
	woken, err := q.ClaimWakeups(ctx, dbgen.ClaimWakeupsParams{TenantID: only, MaxRows: relayBatch, DueAfter: db.Lease})
	if err != nil {
		return 0, err
	}
	return c.pushAll(ctx, woken)
}

// Deliver starts deliver-webhooks if there is something to deliver, of any tenant. The signal carries nothing: what is
// due is in the database.
func (c *Client) Deliver(ctx context.Context) error {
	if c.engine == nil {
		return vault.Unavailable("the workflow engine", errNoEngine)
	}
	due, err := c.db.System().HasWebhookWork(ctx)
	if err != nil || !due {
		return err
	}
	_, err = c.breaker.Execute(func() (struct{}, error) {
		return struct{}{}, c.engine.Push(ctx, vault.EventDeliverWebhooks, vault.Batch{})
	})
	return err
}

// pushAll pushes operations in batches, concurrently, and returns the number of pushed ones and the first error. An
// operation that could not be pushed is due again releaseAfter later; one whose push had no answer in time keeps its
// lease.
func (c *Client) pushAll(ctx context.Context, ops []dbgen.Operation) (int, error) {
	var (
		mu     sync.Mutex
		pushed int
		failed []uuid.UUID
		first  error
		g      errgroup.Group
	)
	g.SetLimit(max(1, cap(c.pushes)/2)) // new operations do not wait for owed ones
	for _, batch := range batches(ops) {
		g.Go(func() error {
			err := c.push(ctx, batch)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				pushed += len(batch)
				return nil
			case !errors.Is(err, errPushTimeout):
				for _, op := range batch {
					failed = append(failed, op.ID)
				}
			}
			first = cmp.Or(first, err)
			return nil
		})
	}
	_ = g.Wait() // the errors are in first
	if len(failed) == 0 {
		return pushed, first
	}
	// After an error, or in a process that stops, the lease of the claim expires.
	release, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	defer cancel()
	return pushed, errors.Join(first, c.db.System().ReleaseOperations(release, releaseAfter, failed))
}

// Started must be called once a worker has registered its workflows. In a new installation the engine has dropped all
// events so far, because it knew no workflow. Started makes their operations due at once.
func (c *Client) Started(ctx context.Context) error {
	n, err := c.db.System().RequeueDroppedOperations(ctx)
	if n > 0 {
		c.log.InfoContext(ctx, "dropped_operations_requeued", "due", n)
	}
	return err
}

// Run pushes due operations and wakes gap fills until ctx ends. It is the background loop of a long-running process.
// Without Run and without a worker, failed pushes are not repeated.
func (c *Client) Run(ctx context.Context) error {
	tick := time.NewTicker(c.interval)
	defer tick.Stop()
	down := false
	for {
		woken, err := c.Wake(ctx, uuid.Nil)
		n := 0
		if err == nil {
			n, err = c.RelayDue(ctx, relayBatch)
		}
		if err == nil {
			err = c.Deliver(ctx)
		}
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && !down:
			c.log.WarnContext(ctx, "relay_stalled", "error_code", vault.CodeOf(err)) // once, until a push succeeds
		case err == nil && n > 0:
			c.log.InfoContext(ctx, "operations_relayed", "pushed", n)
		}
		down = err != nil
		if err == nil && (n == relayBatch || woken == relayBatch) {
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// relayBatch is the number of operations of one claim.
const relayBatch = 100
