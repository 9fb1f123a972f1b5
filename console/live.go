package console

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/vault"
)

const (
	livePath = "/live"
	// pulseEvery is the interval at which a tenant is looked at while somebody watches it.
	pulseEvery = 2 * time.Second
	// streamFor is the duration of a stream. The browser opens the next one by itself, so that no stream outlives its
	// session, and none holds up a process that stops. It is shorter than the time-out of a request.
	streamFor = 20 * time.Second
	// reconnectAfter is the pause between two streams.
	reconnectAfter = time.Second
)

// pulses tells watchers that something in their tenant changed. A tenant without a watcher costs nothing; one with many
// costs one read of one row each pulseEvery.
type pulses struct {
	// newest returns the newest entry of the audit of a tenant, which has one for each change.
	newest func(ctx context.Context, tenant uuid.UUID) (uuid.UUID, error)
	every  time.Duration

	mu      sync.Mutex
	tenants map[uuid.UUID]*pulse
}

// pulse is a tenant with watchers.
type pulse struct {
	watchers map[chan uuid.UUID]bool
	last     uuid.UUID // the newest entry; uuid.Nil: it was not looked at yet, or there is none
	stop     context.CancelFunc
}

// watch returns a channel that gets the newest entry now and after changes, and a function that ends it. The first
// watcher of a tenant starts to look at it, the last one ends that.
func (p *pulses) watch(tenant uuid.UUID) (states <-chan uuid.UUID, end func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.tenants == nil {
		p.tenants = map[uuid.UUID]*pulse{}
	}
	t := p.tenants[tenant]
	if t == nil {
		ctx, cancel := context.WithCancel(context.Background())
		t = &pulse{watchers: map[chan uuid.UUID]bool{}, stop: cancel}
		p.tenants[tenant] = t
		go p.look(ctx, tenant, t)
	}
	c := make(chan uuid.UUID, 1)
	t.watchers[c] = true
	if t.last != uuid.Nil {
		c <- t.last
	}
	return c, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(t.watchers, c)
		if len(t.watchers) == 0 && p.tenants[tenant] == t {
			t.stop()
			delete(p.tenants, tenant)
		}
	}
}

func (p *pulses) look(ctx context.Context, tenant uuid.UUID, t *pulse) {
	ticker := time.NewTicker(p.every)
	defer ticker.Stop()
	for {
		if newest, err := p.newest(ctx, tenant); err == nil { // after an error the next look finds what changed
			p.tell(t, newest)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// tell sends a new state to the watchers, in place of one that they have not taken yet.
func (p *pulses) tell(t *pulse, newest uuid.UUID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if newest == t.last {
		return
	}
	t.last = newest
	for c := range t.watchers {
		select {
		case <-c:
		default:
		}
		c <- newest
	}
}

// newestEntry returns the id of the newest entry of the audit of a tenant.
func (c *Console) newestEntry(ctx context.Context, tenant uuid.UUID) (uuid.UUID, error) {
	entries, _, err := c.options.Query.AuditPage(ctx, tenant, vault.AuditFilter{}, nil, 1)
	if err != nil || len(entries) == 0 {
		return uuid.Nil, err
	}
	return entries[0].ID, nil
}

// live is a stream of server-sent events: state, at its start and each time that something in the tenant changed. Its
// data is an id that says nothing, so that it needs no right beyond that of the pages, which the browser loads again.
func (q *request) live() error {
	states, end := q.pulses.watch(q.key.TenantID)
	defer end()
	h := q.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no") // for proxies that would wait for the end
	q.w.WriteHeader(http.StatusOK)
	out := http.NewResponseController(q.w)
	send := func(text string) error {
		if _, err := fmt.Fprint(q.w, text); err != nil {
			return err
		}
		return out.Flush()
	}
	if err := send(fmt.Sprintf("retry: %d\n\n", reconnectAfter.Milliseconds())); err != nil {
		return nil // the client has gone
	}
	ends := time.NewTimer(streamFor)
	defer ends.Stop()
	for {
		select {
		case <-q.ctx.Done():
			return nil
		case <-ends.C:
			return nil
		case state := <-states:
			if err := send("event: state\ndata: " + state.String() + "\n\n"); err != nil {
				return nil // the client has gone
			}
		}
	}
}
