package api_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/api"
	"github.com/contextvault/contextvault/client"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/internal/cursor"
	"github.com/contextvault/contextvault/internal/testkit"
	"github.com/contextvault/contextvault/vault"
)

type eventPage struct {
	Items []vault.FeedEvent `json:"items"`
	Next  string            `json:"next_cursor"`
	After string            `json:"after"`
}

// A client reads the feed in pages and follows it, and both are the same events.
func TestEvents_PagesAndStream(t *testing.T) {
	t.Parallel()
	s := newService(t, kit)
	agent, customer := testkit.ID(), testkit.ID()
	define := func(name, more string) {
		s.change("PUT", fmt.Sprintf("/v1/agents/%s/definitions/%s", agent, name), `{"value_type": "string"`+more+`}`).want(200)
	}
	define("plan", "")
	define("email", `, "is_pii": true`)
	write := func(name, value string) {
		s.change("PUT", fmt.Sprintf("/v1/customers/%s/values/%s", customer, name),
			fmt.Sprintf(`{"agent_id": %q, "value": %q, "source": "user_provided"}`, agent, value)).want(200)
	}
	var page eventPage
	s.do("GET", "/v1/events", "").want(200).has(`"items":[]`).into(&page)
	if page.After != "0" || page.Next != "" {
		t.Errorf("the empty feed is %+v", page)
	}

	reader, err := client.New(client.Options{Server: s.url, Key: s.key})
	if err != nil {
		t.Fatal(err)
	}
	followed := make(chan vault.FeedEvent)
	go func() {
		defer close(followed)
		for e, err := range reader.WatchEvents(t.Context(), client.EventsInput{}) {
			if err != nil {
				return
			}
			followed <- e
		}
	}()
	for i := range 5 {
		write("plan", fmt.Sprintf("plan %d", i))
	}
	write("email", "ada@example.com")
	var all []vault.FeedEvent
	for next := ""; ; {
		page = eventPage{}
		s.do("GET", "/v1/events?limit=2&cursor="+next, "").want(200).into(&page)
		all = append(all, page.Items...)
		if next = page.Next; next == "" {
			break
		}
	}
	if len(all) != 6 || fmt.Sprint(all[5].ID) != page.After {
		t.Fatalf("the feed is %+v, after %s", all, page.After)
	}
	for i, want := range all {
		if got := <-followed; got.ID != want.ID || got.Type != want.Type || *got.SubjectID != *want.SubjectID {
			t.Errorf("event %d of the stream is %+v, want %+v", i, got, want)
		}
	}
	listed, err := client.Collect(reader.ListEvents(t.Context(), client.EventsInput{After: all[3].ID}))
	if err != nil || len(listed) != 2 || listed[1].ID != all[5].ID {
		t.Errorf("after the fourth event the client lists %+v, %v", listed, err)
	}
	s.do("GET", "/v1/events?after=latest", "").want(200).has(`"items":[]`)
	s.do("GET", fmt.Sprintf("/v1/events?types=value.changed,fill.done&customer_id=%s&agent_id=%s&limit=1", customer, agent), "").
		want(200).into(&page)
	if len(page.Items) != 1 || page.Next == "" || page.Items[0].Value != nil {
		t.Errorf("the filtered page is %+v", page)
	}

	// Values are for those who ask and may see them.
	masked := api.NewKey()
	err = s.DB.System().CreateAPIKey(t.Context(), dbgen.CreateAPIKeyParams{
		ID: testkit.ID(), TenantID: s.tenant, Name: "masked", KeyHash: api.HashKey(masked), Scopes: []string{"read"},
		Masked: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{s.key: `"ada@example.com"`, masked: `"a**@e******.com"`} {
		body := string(s.do("GET", "/v1/events?values=true", "", "Authorization: Bearer "+key).want(200).has(`"value":"plan 4"`).body)
		if shows := strings.Contains(body, "ada@example.com"); shows != (key == s.key) || !strings.Contains(body, `"name":"email"`) {
			t.Errorf("a key that shall see %s gets %s", want, body)
		}
	}
	writer, _ := s.newKey("write")
	s.do("GET", "/v1/events", "", "Authorization: Bearer "+writer).problem(403, vault.CodeNotAllowed)

	// Bad input.
	for query, status := range map[string]int{
		"after=x": 422, "after=-1": 422, "after=999999": 422, "types=hunter2": 422, "customer_id=1": 422, "limit=0": 422,
		"values=maybe": 422, "kinds=x": 422, "after=99999999999999999999": 422,
	} {
		if p := s.do("GET", "/v1/events?"+query, "").problem(status, vault.CodeInvalid); strings.Contains(p.Detail, "hunter2") {
			t.Errorf("%s says %s", query, p.Detail)
		}
	}
	if _, err := s.DB.PublishEvents(t.Context(), s.tenant); err != nil {
		t.Fatal(err)
	}
	dbtest.Exec(t, s.DatabaseURL, "UPDATE event_heads SET purged_to = 3 WHERE tenant_id = $1", s.tenant)
	gone := s.do("GET", "/v1/events?after=1", "").problem(410, vault.CodeExpired)
	if gone.Field != "after" || !strings.Contains(gone.Detail, "start without it") {
		t.Errorf("an expired cursor says %+v", gone)
	}
	const stream = "Accept: text/event-stream"
	old := cursor.Encode(struct { // a cursor of this list, of long ago
		ID int `json:"id"`
	}{1})
	for name, got := range map[string]answer{
		"cursor":        s.do("GET", "/v1/events?cursor="+old, ""),
		"Last-Event-ID": s.do("GET", "/v1/events?after=latest", "", stream, "Last-Event-ID: 1"),
	} {
		if p := got.problem(410, vault.CodeExpired); p.Field != name || !strings.HasPrefix(p.Detail, name+": events that") {
			t.Errorf("an error of %s says %+v", name, p)
		}
	}
	for want, got := range map[string]answer{
		"after: must be the id of an event, such as 1042, or latest":     s.do("GET", "/v1/events?after=x", ""),
		"Last-Event-ID: must be the id of an event, such as 1042":        s.do("GET", "/v1/events", "", stream, "Last-Event-ID: x"),
		"Last-Event-ID: no event has the id 999999 yet; the last one is": s.do("GET", "/v1/events", "", stream, "Last-Event-ID: 999999"),
		"limit: must be at least 1":                                      s.do("GET", "/v1/events?limit=0", ""),
		"limit: must be an integer":                                      s.do("GET", "/v1/events?limit=x", ""),
		"values: must be true or false":                                  s.do("GET", "/v1/events?values=maybe", ""),
		"customer_id: is not a UUID, such as":                            s.do("GET", "/v1/events?customer_id=1", ""),
		"types: must have at most 500 characters":                        s.do("GET", "/v1/events?types="+strings.Repeat("x", 501), ""),
	} {
		if p := got.problem(422, vault.CodeInvalid); !strings.HasPrefix(p.Detail, want) {
			t.Errorf("%q instead of %q", p.Detail, want)
		}
	}
	for e, err := range reader.WatchEvents(t.Context(), client.EventsInput{After: 1}) {
		if p, ok := errors.AsType[*client.Problem](err); !ok || p.Code != vault.CodeExpired {
			t.Errorf("a stream from an expired cursor begins with %+v, %v", e, err)
		}
	}
}

// A stream goes on after the event that the client names, and ends when its key is revoked.
func TestEvents_StreamResumesAndEnds(t *testing.T) {
	t.Parallel()
	s := newService(t, kit)
	agent, customer := testkit.ID(), testkit.ID()
	s.change("PUT", fmt.Sprintf("/v1/agents/%s/definitions/plan", agent), `{"value_type": "string"}`).want(200)
	for _, plan := range []string{"basic", "gold"} {
		s.change("PUT", fmt.Sprintf("/v1/customers/%s/values/plan", customer),
			fmt.Sprintf(`{"agent_id": %q, "value": %q, "source": "user_provided"}`, agent, plan)).want(200)
	}
	key, id := s.newKey("read")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/v1/events", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"Authorization": "Bearer " + key, "Accept": "text/event-stream", "Last-Event-ID": "1",
	} {
		req.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if got := res.Header.Get("Content-Type"); res.StatusCode != 200 || got != "text/event-stream" {
		t.Fatalf("got %d, %s", res.StatusCode, got)
	}
	if _, err := s.DB.System().RevokeAPIKey(t.Context(), dbgen.RevokeAPIKeyParams{TenantID: s.tenant, ID: id}); err != nil {
		t.Fatal(err)
	}
	text := &strings.Builder{}
	if _, err := io.Copy(text, res.Body); err != nil {
		t.Fatal(err)
	}
	s.idleStreamSendsItsPosition()
	if got := text.String(); !strings.HasPrefix(got, "id: 2\nevent: value.changed\ndata: {") ||
		strings.Contains(got, "id: 1\n") || !strings.Contains(got, "event: error\ndata: {") ||
		!strings.Contains(got, `"code":"unauthenticated"`) {
		t.Errorf("the stream is %s", got)
	}
}

// idleStreamSendsItsPosition checks that a stream without an event begins with the position that was read, where a client
// that connects again begins.
func (s *service) idleStreamSendsItsPosition() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/v1/events?types=customer.merged", http.NoBody)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.key)
	req.Header.Set("Accept", "text/event-stream")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	const want = "id: 2\n\n"
	got := make([]byte, len(want))
	if _, err := io.ReadFull(res.Body, got); err != nil || string(got) != want {
		s.t.Errorf("an idle stream begins with %q, %v", got, err)
	}
}

// A value belongs to all agents that define its field, whichever wrote it, so a key that is limited to one of them is
// told of its change.
func TestEvents_SharedFieldsOfLimitedKeys(t *testing.T) {
	t.Parallel()
	s := newService(t, kit)
	writer, reader, customer, secret := testkit.ID(), testkit.ID(), testkit.ID(), api.NewKey()
	for _, field := range []struct {
		agent uuid.UUID
		name  string
	}{{writer, "city"}, {reader, "city"}, {writer, "salary"}} {
		s.change("PUT", fmt.Sprintf("/v1/agents/%s/definitions/%s", field.agent, field.name), `{"value_type": "string"}`).
			want(200)
	}
	for _, name := range []string{"salary", "city"} {
		s.change("PUT", fmt.Sprintf("/v1/customers/%s/values/%s", customer, name),
			fmt.Sprintf(`{"agent_id": %q, "value": "some", "source": "user_provided"}`, writer)).want(200)
	}
	if err := kit.DB.System().CreateAPIKey(t.Context(), dbgen.CreateAPIKeyParams{
		ID: testkit.ID(), TenantID: s.tenant, Name: "limited", KeyHash: api.HashKey(secret), Scopes: []string{"read"},
		Agents: []uuid.UUID{reader},
	}); err != nil {
		t.Fatal(err)
	}
	var page eventPage
	s.do("GET", "/v1/events?values=true", "", "Authorization: Bearer "+secret).want(200).into(&page)
	if len(page.Items) != 1 || page.Items[0].Name != "city" || string(page.Items[0].Value) != `"some"` ||
		page.Items[0].AgentID != nil {
		t.Errorf("the limited key is told %+v", page.Items)
	}
}
