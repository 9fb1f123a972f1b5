package trigger

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/vault"
)

// releaseAfter is when an operation is due again whose push failed.
const releaseAfter = 5 * time.Second

// RelayDue pushes the operations that are due, at most that many: accepted ones that were never pushed, and pushed ones that did
// not finish in due time. It says how many were pushed. Any number of relays may run at once.
func (c *Client) RelayDue(ctx context.Context, most int) (int, error) {
	if c.engine == nil { // a claim would keep the relays that have one from pushing
		return 0, vault.Unavailable("the workflow engine", errNoEngine)
	}
	due, err := c.db.System().ClaimDueOperations(ctx, int32(most)) //nolint:gosec // a batch
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
				return pushed, releaseErr // the lease of the claim runs out by itself
			}
			return pushed, err
		}
	}
	return len(due), nil
}

// Started tells the relay that a worker has registered its workflows. In an installation where nothing was ever carried out, the
// engine knew none of them until now, and dropped what was pushed: that is due at once.
func (c *Client) Started(ctx context.Context) error {
	n, err := c.db.System().RequeueFirstOperations(ctx)
	if n > 0 {
		c.log.InfoContext(ctx, "first_operations_requeued", "due", n)
	}
	return err
}

// Run relays until ctx ends: a background loop for a process that lives long. Without it, and without a worker, what could not
// be pushed waits.
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
			c.log.WarnContext(ctx, "relay_stalled", "error_code", vault.CodeOf(err)) // once, until it works again
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

// relayBatch is how many operations are claimed at a time.
const relayBatch = 100
