package api

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/api/internal/input"
	"github.com/contextvault/contextvault/vault"
)

// Limits of the requests of one process that wait: for a question, or for events in a stream. A request beyond them is
// answered at once.
const (
	maxWaiting       = 2000
	maxTenantWaiting = 200
	// maxKeyWaiting is of one API key: half of its tenant's, so that no key takes the place of all others.
	maxKeyWaiting = maxTenantWaiting / 2
)

// lookAgain is the time after which a waiting request looks again although nothing woke it: a claim can end, and a
// customer can be merged, without a signal.
const lookAgain = 5 * time.Second

// waitingRequests counts the requests that wait. The zero value is ready. It is safe for concurrent use.
type waitingRequests struct {
	mu       sync.Mutex
	all      int
	byTenant map[uuid.UUID]int
	byKey    map[vault.Actor]int
}

// enter reports whether a request may wait. Then it must leave.
func (w *waitingRequests) enter(c caller) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.all >= maxWaiting || w.byTenant[c.tenant] >= maxTenantWaiting || w.byKey[c.actor] >= maxKeyWaiting {
		return false
	}
	if w.byTenant == nil {
		w.byTenant, w.byKey = map[uuid.UUID]int{}, map[vault.Actor]int{}
	}
	w.all++
	w.byTenant[c.tenant]++
	w.byKey[c.actor]++
	return true
}

func (w *waitingRequests) leave(c caller) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all--
	if w.byTenant[c.tenant]--; w.byTenant[c.tenant] == 0 {
		delete(w.byTenant, c.tenant)
	}
	if w.byKey[c.actor]--; w.byKey[c.actor] == 0 {
		delete(w.byKey, c.actor)
	}
}

// customerQuestions adds the list of the questions of a customer, which can wait for one.
func (s *Server) customerQuestions() {
	type list struct {
		input.CustomerPath
		Wait    int    `query:"wait" minimum:"0" maximum:"60" doc:"The number of seconds to wait for a question if none is open. 0: none."`
		Channel string `query:"channel" maxLength:"50" doc:"Only questions that this channel may ask now. Absent: questions that no channel has claimed."`
	}
	register(s, route{
		name: "await-questions", tag: tagQuestions, access: toRead,
		method: http.MethodGet, path: "/v1/customers/{customer_id}/questions",
		summary: "List the open questions to a customer, or wait for one",
		detail: "Oldest first, up to 1,000, those that the channel may ask now. With wait, the response comes as soon as " +
			"there is one, or empty after that time. A process has a limited number of waiting requests, and fewer of one " +
			"key; one beyond it is answered at once.",
	}, func(ctx context.Context, c caller, in *list) (*page[vault.Question], error) {
		items, err := s.askable(ctx, c.tenant, in.Customer.UUID, in.Channel)
		if err != nil || len(items) > 0 || in.Wait == 0 || !s.waiting.enter(c) {
			return &page[vault.Question]{listOf[vault.Question]{Items: items}}, err
		}
		defer s.waiting.leave(c)
		endTurn(ctx)
		waiting, cancel := context.WithTimeout(ctx, time.Duration(in.Wait)*time.Second)
		defer cancel()
		defer context.AfterFunc(s.stopping, cancel)() // a server that stops responds at once
		items, err = s.awaitQuestion(waiting, c.tenant, in.Customer.UUID, in.Channel)
		if waiting.Err() != nil && ctx.Err() == nil {
			err = nil
		}
		return &page[vault.Question]{listOf[vault.Question]{Items: items}}, err
	})
}

// askable returns the open questions of a customer that a channel may ask now.
func (s *Server) askable(ctx context.Context, tenant, customer uuid.UUID, channel string) ([]vault.Question, error) {
	all, err := s.options.Query.Questions(ctx, tenant, customer)
	now := time.Now()
	return slices.DeleteFunc(append([]vault.Question{}, all...), func(q vault.Question) bool {
		return !q.Askable(channel, now)
	}), err
}

// awaitQuestion returns the questions that a channel may ask once there are some, or none when ctx ends.
func (s *Server) awaitQuestion(
	ctx context.Context, tenant, customer uuid.UUID, channel string,
) ([]vault.Question, error) {
	woken, leave := s.options.Trigger.Watch(customer)
	defer leave()
	again := time.NewTicker(lookAgain)
	defer again.Stop()
	for {
		items, err := s.askable(ctx, tenant, customer, channel)
		if err != nil || len(items) > 0 {
			return items, err
		}
		select {
		case <-ctx.Done():
			return items, nil
		case <-woken:
		case <-again.C:
		}
	}
}

// longPollOf returns the time that a request may wait for a question.
func longPollOf(r *http.Request) time.Duration {
	if !strings.HasSuffix(r.URL.Path, "/questions") {
		return 0
	}
	seconds, err := strconv.ParseUint(r.URL.Query().Get("wait"), 10, 31)
	if err != nil {
		return 0
	}
	return min(time.Duration(seconds)*time.Second, MaxWait)
}
