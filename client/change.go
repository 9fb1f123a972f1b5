package client

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/vault"
)

// maxWait is the longest that one request waits for an outcome: the server waits no longer.
const maxWait = 60 * time.Second

// askEvery is how often it is asked for an outcome at most: a server that is about to stop answers at once, and so does one behind
// a proxy that keeps the preference to wait for itself.
const askEvery = time.Second

// Operation is how a change went, or goes. R is its result.
type Operation[R any] struct {
	ID         uuid.UUID             `json:"operation_id"`
	Workflow   string                `json:"workflow,omitempty"`
	Status     vault.OperationStatus `json:"status"`          // accepted: it is owed; succeeded: no reader sees the old value any more
	Result     R                     `json:"result,omitzero"` // once it has succeeded
	Rejection  *Rejection            `json:"error,omitempty"` // once it has failed
	Attempts   int                   `json:"attempts,omitempty"`
	AcceptedAt *time.Time            `json:"accepted_at,omitempty"`
	FinishedAt *time.Time            `json:"finished_at,omitempty"`

	client *Client
}

// Option changes how a change is made.
type Option func(*options)

type options struct {
	wait time.Duration
	key  string
}

// Wait makes a change wait for its outcome, at most so long. What is still on its way then is no error: its Status says so. One
// that was rejected is a *Problem. 0, and without the option: it returns once the change is accepted.
func Wait(d time.Duration) Option { return func(o *options) { o.wait = d } }

// IdempotencyKey makes a repeat of a change harmless: the same key with the same content is the same operation, with another
// content it is a conflict. Keys are of the tenant, and of one kind of operation; at most 200 printable ASCII characters.
// Without the option the client makes one for each call, for its own retries.
func IdempotencyKey(key string) Option { return func(o *options) { o.key = key } }

// change has the vault accept a change.
func change[R any](ctx context.Context, c *Client, r request, opts []Option) (Operation[R], error) {
	var o options
	for _, opt := range opts {
		opt(&o)
	}
	if o.key == "" {
		o.key = uuid.Must(uuid.NewV7()).String()
	}
	start := time.Now()
	r.header = http.Header{"Idempotency-Key": {o.key}}
	r.wait = min(o.wait, maxWait)
	r.prefer()
	op := Operation[R]{client: c}
	err := c.do(ctx, r, &op)
	if err == nil && op.Status.Finished() && op.FinishedAt == nil { // a repeat of what was done: the answer is its status alone
		err = c.do(ctx, request{method: http.MethodGet, path: path("v1", "operations", op.ID)}, &op)
		if err == nil && op.Rejection != nil && o.wait > 0 {
			err = op.Rejection.problem(op.ID)
		}
	}
	left := o.wait - time.Since(start)
	if err != nil || o.wait == 0 || op.Status.Finished() || left <= 0 {
		return op, err
	}
	waiting, cancel := context.WithTimeout(ctx, left)
	defer cancel()
	done, err := op.Wait(waiting)
	if err != nil && waiting.Err() != nil && ctx.Err() == nil {
		return done, nil // it goes on
	}
	return done, err
}

func (r *request) prefer() {
	if seconds := int((r.wait + time.Second - 1) / time.Second); seconds > 0 {
		r.header.Set("Prefer", "wait="+strconv.Itoa(seconds))
	}
}

// Wait waits until the outcome of a change is known. The error is the *Problem that rejected it, or holds the context's.
func (o Operation[R]) Wait(ctx context.Context) (Operation[R], error) {
	for {
		if o.Rejection != nil {
			return o, o.Rejection.problem(o.ID)
		}
		if o.Status.Finished() {
			return o, nil
		}
		wait := maxWait
		if end, ok := ctx.Deadline(); ok {
			wait = min(wait, max(0, time.Until(end)))
		}
		next, asked := Operation[R]{client: o.client}, time.Now()
		r := request{method: http.MethodGet, path: path("v1", "operations", o.ID), wait: wait, header: http.Header{}}
		r.prefer()
		if err := o.client.do(ctx, r, &next); err != nil {
			if ctx.Err() != nil {
				err = fmt.Errorf("wait for operation %s, which is accepted and owed: %w", o.ID, ctx.Err())
			}
			return o, err
		}
		if o = next; o.Status.Finished() {
			continue
		}
		pause(ctx, askEvery-time.Since(asked))
		if ctx.Err() != nil {
			return o, fmt.Errorf("wait for operation %s, which is accepted and owed: %w", o.ID, ctx.Err())
		}
	}
}

// pause waits, until ctx ends at the latest.
func pause(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// GetOperation gives how a change went, or goes. One that was rejected is no error here: its Rejection says why it was.
func (c *Client) GetOperation(ctx context.Context, id uuid.UUID) (Operation[json.RawMessage], error) {
	op, err := get[Operation[json.RawMessage]](ctx, c, path("v1", "operations", id), nil)
	op.client = c
	return op, err
}

// ReplayOperation runs a rejected change again, after its cause was mended. It keeps its id, and its place by order of acceptance.
// Needs the scope admin.
func (c *Client) ReplayOperation(ctx context.Context, id uuid.UUID, opts ...Option) (Operation[json.RawMessage], error) {
	return change[json.RawMessage](ctx, c, request{method: http.MethodPost, path: path("v1", "operations", id, "replay"), once: true}, opts)
}
