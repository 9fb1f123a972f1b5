package trigger

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/vault"
)

// releaseAfter is the time after which an operation with a failed push is due again.
const releaseAfter = 5 * time.Second

// RelayDue pushes up to limit due operations: those that were never pushed, and those that were pushed and have not
// finished in time. It returns the number of pushed operations. Several relays can run concurrently.
func (c *Client) RelayDue(ctx context.Context, limit int) (int, error) {
	if c.engine == nil { // a claim would block the relays with an engine
		return 0, vault.Unavailable("the workflow engine", errNoEngine)
	}
	due, err := c.db.System().ClaimDueOperations(ctx, int32(limit)) //nolint:gosec // a small number
	if err != nil {
		return 0, err
	}
	for pushed, op := range due {
		ev := vault.Event{OperationID: op.ID, TenantID: op.TenantID, Subject: op.Subject}
		if err := c.push(ctx, op.Event, "", ev); err != nil {
			rest := make([]uuid.UUID, 0, len(due)-pushed)
			for _, left := range due[pushed:] {
				rest = append(rest, left.ID)
			}
			releaseErr := c.db.System().ReleaseOperations(ctx, releaseAfter, rest)
			if releaseErr != nil {
				return pushed, releaseErr // the lease of the claim expires
			}
			return pushed, err
		}
	}
	return len(due), nil
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

// Run pushes due operations until ctx ends. It is the background loop of a long-running process. Without Run and
// without a worker, failed pushes are not repeated.
func (c *Client) Run(ctx context.Context) error {
	tick := time.NewTicker(c.interval)
	defer tick.Stop()
	down := false
	for {
		n, err := c.RelayDue(ctx, relayBatch)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && !down:
			c.log.WarnContext(ctx, "relay_stalled", "error_code", vault.CodeOf(err)) // once, until a push succeeds
		case err == nil && n > 0:
			c.log.InfoContext(ctx, "operations_relayed", "pushed", n)
		}
		down = err != nil
		if n == relayBatch && err == nil {
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
