package trigger

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/internal/turns"
	"github.com/contextvault/contextvault/vault"
)

// A run of the engine costs about the same whatever it carries, so the dispatcher lets a run carry many operations: it
// pushes an operation at once while few runs of its kind are in flight, and gathers operations while more are. It is
// group commit for workflows: an idle system is as fast as without it, and a busy one shares the cost of a run.

// minFlights is the number of batches of one lane in flight from which the dispatcher gathers.
const minFlights = 2

// gatherTime is how long the dispatcher gathers after the end of a batch with several operations: their callers are
// about to submit the next ones.
const gatherTime = 2 * time.Millisecond

// minFlight is how long a batch counts as in flight at least: about the time that the engine needs for a run of three
// steps on an idle machine. A run that rejects its operation in the first step ends sooner, but the engine still works
// on it. Without this minimum, two callers whose writes are rejected start over 60 runs a second, and the writes of
// other tenants wait for the engine (measured on two cores).
const minFlight = 75 * time.Millisecond

// flightPatience is the time after which a batch no longer counts as in flight. It is far above the duration of a run:
// the engine or the workers are down or slow, and the events should wait there.
const flightPatience = 2 * time.Second

// crowdedRest is how long a lane with several operations rests after a batch while other tenants are around. Its
// batches are larger instead. A run costs the engine and its database 80 ms of CPU, also after its operations have
// ended, so a dozen a second keep two cores busy (measured).
const crowdedRest = 250 * time.Millisecond

// maxBatchBytes limits the sealed payloads of one batch. A single larger operation has a batch of its own.
const maxBatchBytes = 1 << 20

// lane is a queue of operations that can share a batch.
type lane struct {
	tenant uuid.UUID
	event  string
}

// dispatcher gathers accepted operations in batches.
type dispatcher struct {
	push  func(ctx context.Context, ops []dbgen.Operation) // in the background
	crowd turns.Crowd                                      // the tenants that submit operations

	mu      sync.Mutex
	closed  bool
	lanes   map[lane]*queue
	flights map[uuid.UUID]*flight // by operation
}

// queue is the state of a lane.
type queue struct {
	waiting []waitingOperation
	bytes   int // of the waiting payloads
	flights map[*flight]struct{}
	timer   *time.Timer // not nil: looks at the queue again
}

type waitingOperation struct {
	ctx context.Context //nolint:containedctx // carries the trace of the caller
	op  dbgen.Operation
}

// flight is a pushed batch.
type flight struct {
	lane  lane
	ids   []uuid.UUID
	left  int // operations without an outcome
	sent  time.Time
	timer *time.Timer // ends the flight
}

func newDispatcher(push func(context.Context, []dbgen.Operation)) *dispatcher {
	return &dispatcher{push: push, lanes: map[lane]*queue{}, flights: map[uuid.UUID]*flight{}}
}

// add hands accepted operations to the dispatcher. ctx sets the traces of their runs.
func (d *dispatcher) add(ctx context.Context, ops ...dbgen.Operation) {
	d.mu.Lock()
	defer d.mu.Unlock()
	changed := map[lane]*queue{}
	for _, op := range ops {
		d.crowd.See(op.TenantID.String())
		if d.closed || !vault.IsBatched(op.Workflow) {
			d.push(ctx, []dbgen.Operation{op})
			continue
		}
		at := lane{op.TenantID, op.Event}
		q := d.lanes[at]
		if q == nil {
			q = &queue{flights: map[*flight]struct{}{}}
			d.lanes[at] = q
		}
		q.waiting = append(q.waiting, waitingOperation{ctx, op})
		q.bytes += len(op.Payload)
		changed[at] = q
	}
	for at, q := range changed {
		d.look(at, q)
	}
}

// finished reports the outcome of an operation.
func (d *dispatcher) finished(id uuid.UUID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if f := d.flights[id]; f != nil {
		delete(d.flights, id)
		if f.left--; f.left > 0 {
			return
		}
		if rest := minFlight - time.Since(f.sent); rest > 0 && f.timer.Stop() {
			f.timer = time.AfterFunc(rest, func() { d.expire(f) })
			return
		}
		d.land(f)
	}
}

// expire ends a flight at its time, also without outcomes.
func (d *dispatcher) expire(f *flight) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, id := range f.ids {
		if d.flights[id] == f {
			delete(d.flights, id)
		}
	}
	f.left = 0
	d.land(f)
}

// land ends a flight. d is locked.
func (d *dispatcher) land(f *flight) {
	f.timer.Stop()
	q := d.lanes[f.lane]
	if q == nil {
		return
	}
	if _, ok := q.flights[f]; !ok {
		return
	}
	delete(q.flights, f)
	switch {
	case q.timer != nil:
	case (len(q.waiting) > 0 || len(f.ids) > 1 || len(q.flights) > 0) && d.crowd.Others(f.lane.tenant.String()):
		d.gather(f.lane, q, crowdedRest)
	case len(f.ids) > 1:
		d.gather(f.lane, q, gatherTime)
	}
	d.look(f.lane, q)
}

// close pushes everything that waits, and from now on pushes at once.
func (d *dispatcher) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	for at, q := range d.lanes {
		for len(q.waiting) > 0 {
			d.send(at, q)
		}
	}
	clear(d.lanes)
}

// look pushes what can be pushed now. d is locked.
func (d *dispatcher) look(at lane, q *queue) {
	for len(q.waiting) > 0 && (q.full() || (q.timer == nil && d.ready(at, q))) {
		d.send(at, q)
	}
	if len(q.waiting) == 0 && len(q.flights) == 0 && q.timer == nil {
		delete(d.lanes, at)
	}
}

// gather delays the next batch of a queue. d is locked.
func (d *dispatcher) gather(at lane, q *queue, delay time.Duration) {
	q.timer = time.AfterFunc(delay, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		q.timer = nil
		if d.lanes[at] == q {
			d.look(at, q)
		}
	})
}

// ready reports whether a queue has gathered enough: any operations if few runs are in flight, or else, unless other
// tenants are around, more operations than are in flight. d is locked.
func (d *dispatcher) ready(at lane, q *queue) bool {
	if len(q.flights) < minFlights {
		return true
	}
	if d.crowd.Others(at.tenant.String()) {
		return false
	}
	flying := 0
	for f := range q.flights {
		if flying += f.left; f.left == 0 {
			flying += len(f.ids) // it waits for minFlight
		}
	}
	return len(q.waiting) > flying
}

func (q *queue) full() bool { return len(q.waiting) >= vault.MaxBatch || q.bytes >= maxBatchBytes }

// send pushes the next batch of a queue. d is locked.
func (d *dispatcher) send(at lane, q *queue) {
	ops := make([]dbgen.Operation, len(q.waiting))
	for i, w := range q.waiting {
		ops[i] = w.op
	}
	ctx := q.waiting[0].ctx
	ops = nextBatch(ops)
	f := &flight{lane: at, left: len(ops), sent: time.Now()}
	for _, op := range ops {
		f.ids = append(f.ids, op.ID)
		d.flights[op.ID] = f
		q.bytes -= len(op.Payload)
	}
	q.waiting = slices.Delete(q.waiting, 0, len(ops))
	q.flights[f] = struct{}{}
	f.timer = time.AfterFunc(flightPatience, func() { d.expire(f) })
	d.push(ctx, ops)
}

// nextBatch returns the operations at the beginning of ops that fit into a batch. They are of one lane.
func nextBatch(ops []dbgen.Operation) []dbgen.Operation {
	bytes := 0
	for i, op := range ops {
		if bytes += len(op.Payload); i == vault.MaxBatch || (i > 0 && bytes > maxBatchBytes) {
			return ops[:i]
		}
	}
	return ops
}

// batches divides operations into batches, in their order within a lane.
func batches(ops []dbgen.Operation) [][]dbgen.Operation {
	var out [][]dbgen.Operation
	var order []lane
	lanes := map[lane][]dbgen.Operation{}
	for _, op := range ops {
		if !vault.IsBatched(op.Workflow) {
			out = append(out, []dbgen.Operation{op})
			continue
		}
		at := lane{op.TenantID, op.Event}
		if lanes[at] == nil {
			order = append(order, at)
		}
		lanes[at] = append(lanes[at], op)
	}
	for _, at := range order {
		for rest := lanes[at]; len(rest) > 0; {
			batch := nextBatch(rest)
			out, rest = append(out, batch), rest[len(batch):]
		}
	}
	return out
}

// batchOf returns the batch of operations of one lane. That of a single operation has its id.
func batchOf(ops []dbgen.Operation) vault.Batch {
	b := vault.Batch{ID: ops[0].ID, TenantID: ops[0].TenantID}
	if len(ops) > 1 {
		b.ID = uuid.Must(uuid.NewV7())
	}
	for _, op := range ops {
		b.Operations = append(b.Operations, vault.Pushed{ID: op.ID, Push: op.Attempts})
	}
	return b
}
