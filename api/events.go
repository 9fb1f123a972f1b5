package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/contextvault/contextvault/api/internal/input"
	"github.com/contextvault/contextvault/api/internal/problem"
	"github.com/contextvault/contextvault/internal/cursor"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/vault"
)

const tagEvents = "Events"

// eventsPath is the path of the feed. Its streams have no time-out.
const eventsPath = "/v1/events"

const (
	// eventsPoll is the interval at which a stream looks for new events.
	eventsPoll = time.Second
	// eventsPulse is the interval at which an idle stream sends its position, so that proxies keep the connection.
	eventsPulse = 15 * time.Second
	// eventsWrite is the maximum time to write to the client of a stream.
	eventsWrite = 15 * time.Second
	// streamPage is the number of events that a stream reads at once.
	streamPage = 100
)

// listEvents are the parameters of list-events.
type listEvents struct {
	After    string   `query:"after" maxLength:"19" pattern:"^([0-9]{1,18}|latest)$" patternDescription:"the id of an event, such as 1042, or latest" doc:"Begin after the event with this id: the last one that was received. latest: only what happens from now on. Absent: begin with the oldest event that is kept." example:"1042"`
	Types    string   `query:"types" maxLength:"500" doc:"Only events of these types, with commas between them. Absent: all." example:"value.changed,question.opened"`
	Customer input.ID `query:"customer_id" doc:"Only events about this customer."`
	Agent    input.ID `query:"agent_id" doc:"Only events of this agent."`
	Values   bool     `query:"values" doc:"Show the values that the key may see, with the purpose of the request."`
	Cursor   string   `query:"cursor" maxLength:"500" doc:"The next_cursor of the previous page. It has precedence over after."`
	Limit    int      `query:"limit" minimum:"1" maximum:"500" default:"100" doc:"The maximum number of events of the page."`
	Accept   string   `header:"Accept" hidden:"true"`
	Last     string   `header:"Last-Event-ID" maxLength:"18" pattern:"^[0-9]{1,18}$" patternDescription:"the id of an event, such as 1042" doc:"Of a stream: the id of the last event that was received. Clients of server-sent events send it when they connect again. It has precedence over after."`
}

// afterEvent is a position in the feed.
type afterEvent struct {
	ID int64 `json:"id"`
}

// eventList is a page of the feed.
type eventList struct {
	Items    []vault.FeedEvent `json:"items" nullable:"false"`
	Next     string            `json:"next_cursor,omitempty" doc:"The cursor of the next page. Absent: the newest event was read."`
	Withheld []vault.Withheld  `json:"withheld,omitempty" doc:"The fields of customers whose values are not shown, and why."`
	// After is the position up to which the feed was read.
	After string `json:"after" doc:"The position up to which the feed was read. Pass it as after to continue later, also if items is empty." example:"1042"`
}

func (s *Server) eventRoutes() {
	page := s.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[eventList](), true, "EventList")
	register(s, route{
		name: "list-events", method: http.MethodGet, path: eventsPath, tag: tagEvents, access: toRead,
		summary: "Read the feed of events",
		detail: "What happened, oldest first, in ids and names. Events about one customer are in the order in which they " +
			"happened. With Accept: text/event-stream the response is a stream of server-sent events, which goes on with " +
			"what happens next. Events are kept for some days (events.retention_days): after them, a cursor is expired. " +
			"Of an erased customer only customer.erased is left.",
		errors: []int{http.StatusGone},
		answers: map[string]*huma.Response{"200": {
			// Clients are generated from this, and their methods read pages: a stream is none of their types.
			Description: "A page of the feed; with Accept: text/event-stream a stream of server-sent events.",
			Content: map[string]*huma.MediaType{
				"application/json": {Schema: page},
			},
		}},
	}, func(ctx context.Context, c caller, in *listEvents) (*streamed, error) {
		f := feed{
			server: s, caller: c, values: in.Values, limit: in.Limit,
			filter: vault.EventFilter{CustomerID: in.Customer.Pointer(), AgentID: in.Agent.Pointer()},
		}
		for name := range strings.SplitSeq(in.Types, ",") {
			if name = strings.TrimSpace(name); name != "" {
				f.filter.Types = append(f.filter.Types, vault.EventType(name))
			}
		}
		stream := acceptsStream(in.Accept)
		if err := f.begin(ctx, in, stream); err != nil {
			return nil, err
		}
		if !stream {
			body, err := f.page(ctx)
			if err != nil {
				return nil, err
			}
			return &streamed{func(out huma.Context) { writeJSON(out, body) }}, nil
		}
		f.limit = streamPage
		first, err := f.read(ctx) // an error before the first event is a problem
		if err != nil {
			return nil, err
		}
		return &streamed{func(out huma.Context) {
			if !s.waiting.enter(c) {
				s.writeProblem(out, problem.New(http.StatusServiceUnavailable, vault.CodeUnavailable, "",
					"too many requests of this key, of its tenant or of this server wait; end some, try again later, or read pages").
					With("Retry-After", "5"))
				return
			}
			defer s.waiting.leave(c)
			f.stream(out, first)
		}}, nil
	})
}

func writeJSON(out huma.Context, body any) {
	out.SetHeader("Content-Type", "application/json")
	out.SetStatus(http.StatusOK)
	_ = jsonFormat.Marshal(out.BodyWriter(), body) // the client has gone
}

const eventStream = "text/event-stream"

// acceptsStream reports whether an Accept header names server-sent events.
func acceptsStream(accept string) bool {
	for part := range strings.SplitSeq(accept, ",") {
		if kind, _, err := mime.ParseMediaType(part); err == nil && kind == eventStream {
			return true
		}
	}
	return false
}

// isEventStream reports whether a request asks for a stream of the feed.
func isEventStream(r *http.Request) bool {
	return r.URL.Path == eventsPath && acceptsStream(r.Header.Get("Accept"))
}

// feed reads the feed for one request.
type feed struct {
	server *Server
	caller caller
	filter vault.EventFilter
	values bool
	limit  int
	after  *int64 // nil: from the oldest
	given  string // the parameter that set after
}

// begin sets the position at which the reading begins.
func (f *feed) begin(ctx context.Context, in *listEvents, stream bool) error {
	text := in.After
	f.given = positionParameter
	if stream && in.Last != "" {
		text, f.given = in.Last, "Last-Event-ID"
	}
	position, err := decodeCursor[afterEvent](in.Cursor)
	if err != nil {
		return err
	}
	if position != nil {
		f.after, f.given = &position.ID, "cursor"
		return nil
	}
	switch text {
	case "":
		return nil
	case "latest":
		last, err := f.server.options.Query.LastEvent(ctx, f.caller.tenant)
		f.after = &last
		return err
	}
	id, err := strconv.ParseInt(text, 10, 64)
	f.after = &id
	return err // nil: the pattern has at most 18 digits
}

// read reads the next page, and records what it shows. A page with values waits for the turn of its tenant.
func (f *feed) read(ctx context.Context) (vault.EventPage, error) {
	if f.values {
		tenant := f.caller.tenant.String()
		if err := f.server.pages.Acquire(ctx, tenant); err != nil {
			return vault.EventPage{}, err
		}
		defer f.server.pages.Release(tenant)
	}
	page, err := f.server.options.Query.EventsPage(ctx, f.caller.tenant, f.filter, f.after, f.limit, f.values)
	if err == nil {
		err = f.server.options.Query.RecordReads(ctx)
	}
	return page, f.named(err)
}

// positionParameter is the parameter that errors about a position name.
const positionParameter = "after"

// named lets an error about the position name what the caller sent.
func (f *feed) named(err error) error {
	e, ok := errors.AsType[*vault.Error](err)
	if !ok || e.Field != positionParameter {
		return err
	}
	out := *e
	out.Field, out.Message = f.given, f.given+strings.TrimPrefix(e.Message, positionParameter)
	return &out
}

func (f *feed) page(ctx context.Context) (eventList, error) {
	read, err := f.read(ctx)
	out := eventList{Items: read.Items, After: strconv.FormatInt(read.Next, 10)}
	if read.More {
		out.Next = cursor.Encode(afterEvent{read.Next})
	}
	out.Withheld = query.Withheld(ctx)
	return out, err
}

// stream writes events as they happen, until the client goes, the server stops or the key ends.
func (f *feed) stream(out huma.Context, first vault.EventPage) {
	ctx, cancel := context.WithCancel(out.Context())
	defer cancel()
	defer context.AfterFunc(f.server.stopping, cancel)()
	request, w := humago.Unwrap(out)
	to := http.NewResponseController(w)
	_ = to.SetReadDeadline(time.Time{}) // the time-outs of the server are for requests that end
	out.SetHeader("Content-Type", eventStream)
	out.SetHeader("X-Accel-Buffering", "no") // for nginx
	out.SetStatus(http.StatusOK)
	send := func(page vault.EventPage) error {
		_ = to.SetWriteDeadline(time.Now().Add(eventsWrite))
		if err := writeEvents(out.BodyWriter(), page); err != nil {
			return err
		}
		return to.Flush()
	}
	poll := time.NewTicker(eventsPoll)
	defer poll.Stop()
	page, sent := first, time.Time{}
	for {
		next := page.Next
		f.after = &next
		if len(page.Items) > 0 || time.Since(sent) >= eventsPulse {
			if send(page) != nil {
				return // the client has gone
			}
			sent = time.Now()
		}
		if !page.More {
			select {
			case <-ctx.Done():
				return
			case <-poll.C:
			}
		}
		err := f.stillValid(ctx, request)
		if err == nil {
			page, err = f.read(ctx)
		}
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			f.fail(ctx, out.BodyWriter(), to, err)
			return
		}
	}
}

// stillValid checks the key of a stream as each request does: a revoked one ends it.
func (f *feed) stillValid(ctx context.Context, r *http.Request) error {
	secret, err := bearer(r.Header.Get("Authorization"))
	if err == nil {
		_, err = f.server.findKey(ctx, HashKey(secret), time.Now())
	}
	return err
}

// fail ends a stream with its problem. The client connects again, with the id of its last event.
func (f *feed) fail(ctx context.Context, w io.Writer, to *http.ResponseController, err error) {
	encoded, encodeErr := json.Marshal(f.server.problem(ctx, err))
	if encodeErr != nil {
		return
	}
	_ = to.SetWriteDeadline(time.Now().Add(eventsWrite))
	if _, err := fmt.Fprintf(w, "event: error\ndata: %s\n\n", encoded); err == nil {
		_ = to.Flush()
	}
}

var errEvent = errors.New("encode an event")

// writeEvents writes server-sent events, or only the position that was read: a client that connects again begins there,
// also if no event was for it.
func writeEvents(w io.Writer, page vault.EventPage) error {
	if len(page.Items) == 0 {
		_, err := fmt.Fprintf(w, "id: %d\n\n", page.Next)
		return err
	}
	for _, e := range page.Items {
		encoded, err := json.Marshal(e)
		if err != nil {
			return errEvent // the cause may quote a value
		}
		if _, err := fmt.Fprintf(w, "id: %d\nevent: %s\ndata: %s\n\n", e.ID, e.Type, encoded); err != nil {
			return err
		}
	}
	return nil
}
