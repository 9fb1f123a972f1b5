package trigger

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/vault"
)

// releaseAfter is the time after which an operation with a failed push is due again.
const releaseAfter = time.Second

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

// pushAll pushes claimed operations and releases those that it could not push.
func (c *Client) pushAll(ctx context.Context, ops []dbgen.Operation) (int, error) {
	for pushed, op := range ops {
		err := c.push(ctx, op)
		if err == nil {
			continue
		}
		left := ops[pushed:]
		if errors.Is(err, errPushTimeout) {
			left = left[1:]
		}
		ids := make([]uuid.UUID, len(left))
		for i, op := range left {
			ids[i] = op.ID
		}
		if releaseErr := c.db.System().ReleaseOperations(ctx, releaseAfter, ids); releaseErr != nil {
			return pushed, releaseErr // the lease of the claim expires
		}
		return pushed, err
	}
	return len(ops), nil
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
