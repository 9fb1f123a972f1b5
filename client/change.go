package client

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/vault"
)

// maxWait is the maximum wait of one request: the limit of the server.
const maxWait = 60 * time.Second

// pollInterval is the minimum interval between requests for an outcome. A stopping server responds at once, and so does
// a server behind a proxy that drops the header Prefer.
const pollInterval = time.Second

// Operation is the state of an operation. R is the type of its result.
type Operation[R any] struct {
	ID       uuid.UUID `json:"operation_id"`
	Workflow string    `json:"workflow,omitempty"`
	// Actor is who submitted the operation, such as key:<id>.
	Actor vault.Actor `json:"actor,omitempty"`
	// ParentID is the operation that caused this one. nil: none.
	ParentID   *uuid.UUID            `json:"parent_id,omitempty"`
	Status     vault.OperationStatus `json:"status"`          // succeeded: no read returns the old value
	Result     R                     `json:"result,omitzero"` // set once it has succeeded
	Rejection  *Rejection            `json:"error,omitempty"` // set once it has failed
	Attempts   int                   `json:"attempts,omitempty"`
	BatchID    *uuid.UUID            `json:"batch_id,omitempty"` // of the run that carried it out
	AcceptedAt *time.Time            `json:"accepted_at,omitempty"`
	FinishedAt *time.Time            `json:"finished_at,omitempty"`
	WaitingFor *vault.WaitingFor     `json:"waiting_for,omitempty"` // the open question that a gap fill waits for
	Replayed   vault.ReplayAction    `json:"replayed,omitempty"`    // what a replay did

	client *Client
}

// Option is an option of methods that submit an operation.
type Option func(*options)

type options struct {
	wait time.Duration
	key  string
}

// Wait waits up to d for the outcome. An operation that is not finished by then is not an error: its Status shows it. A
// failed operation is a *Problem. 0, or without the option: the method returns once the operation is accepted.
func Wait(d time.Duration) Option { return func(o *options) { o.wait = d } }

// IdempotencyKey makes it safe to repeat a call: the same key with the same content is the same operation; with
// different content it is a conflict. A key belongs to a tenant and a kind of operation. It has up to 200 printable
// ASCII characters. Without the option, the client creates a key for each call, for its own retries.
func IdempotencyKey(key string) Option { return func(o *options) { o.key = key } }

// change submits an operation.
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
	if err == nil && op.Status.Finished() && op.FinishedAt == nil { // a repeat: the response contains only the status
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
		return done, nil // not finished yet
	}
	return done, err
}

func (r *request) prefer() {
	if seconds := int((r.wait + time.Second - 1) / time.Second); seconds > 0 {
		r.header.Set("Prefer", "wait="+strconv.Itoa(seconds))
	}
}

// Wait waits for the outcome of the operation. The error is the *Problem of a failed operation, or wraps that of ctx.
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
				err = fmt.Errorf("wait for operation %s, which is accepted and not finished: %w", o.ID, ctx.Err())
			}
			return o, err
		}
		if o = next; o.Status.Finished() {
			continue
		}
		pause(ctx, pollInterval-time.Since(asked))
		if ctx.Err() != nil {
			return o, fmt.Errorf("wait for operation %s, which is accepted and not finished: %w", o.ID, ctx.Err())
		}
	}
}

// Bounds of the interval between requests for the question of a gap fill.
const (
	askedFirst = 100 * time.Millisecond
	askedLast  = time.Second
)

// WaitOrAsk waits for the outcome of a gap fill or for its first question, whichever comes first. WaitingFor names the
// question. The errors are those of Wait.
func (o Operation[R]) WaitOrAsk(ctx context.Context) (Operation[R], error) {
	for interval := askedFirst; !o.Status.Finished() && o.WaitingFor == nil; interval = min(2*interval, askedLast) {
		next := Operation[R]{client: o.client}
		err := o.client.do(ctx, request{method: http.MethodGet, path: path("v1", "operations", o.ID)}, &next)
		if err != nil && ctx.Err() == nil {
			return o, err
		}
		if err == nil {
			o = next
		}
		if o.Status.Finished() || o.WaitingFor != nil {
			break
		}
		pause(ctx, interval)
		if ctx.Err() != nil {
			return o, fmt.Errorf("wait for operation %s, which is accepted and not finished: %w", o.ID, ctx.Err())
		}
	}
	if o.Rejection != nil {
		return o, o.Rejection.problem(o.ID)
	}
	return o, nil
}

// pause waits for d, or until ctx ends.
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

// GetOperation returns the state of an operation. A failed operation is not an error here: see its Rejection.
func (c *Client) GetOperation(ctx context.Context, id uuid.UUID) (Operation[json.RawMessage], error) {
	op, err := get[Operation[json.RawMessage]](ctx, c, path("v1", "operations", id), nil)
	op.client = c
	return op, err
}

// ListOperations lists operations, newest first, without their results.
func (c *Client) ListOperations(
	ctx context.Context, filter vault.OperationFilter,
) iter.Seq2[vault.OperationSummary, error] {
	query := url.Values{}
	for name, text := range map[string]string{"status": string(filter.Status), "workflow": filter.Workflow} {
		if text != "" {
			query.Set(name, text)
		}
	}
	if filter.CustomerID != nil {
		query.Set("customer_id", filter.CustomerID.String())
	}
	return list[vault.OperationSummary](ctx, c, path("v1", "operations"), query)
}

// GetRuns returns the runs of an operation in the workflow engine, with their steps and attempts. The error has the
// code unavailable if the engine does not answer within two seconds.
func (c *Client) GetRuns(ctx context.Context, operation uuid.UUID) (vault.OperationRuns, error) {
	return get[vault.OperationRuns](ctx, c, path("v1", "operations", operation, "runs"), nil)
}

// ReplayOperation replays a failed operation once its cause is fixed, or an operation that is unfinished after a
// minute. The operation keeps its id and its position in the order of acceptance. Needs the scope admin.
func (c *Client) ReplayOperation(
	ctx context.Context, id uuid.UUID, opts ...Option,
) (Operation[json.RawMessage], error) {
	return change[json.RawMessage](ctx, c, request{
		method: http.MethodPost, path: path("v1", "operations", id, "replay"), once: true,
	}, opts)
}
