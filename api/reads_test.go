package api_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/api"
	"github.com/contextvault/contextvault/audit"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/internal/testkit"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/vault"
)

// readsBy returns what a key has read, by operation, once an entry of a customer is there, without that one. Entries are
// stored in the order of the reads, so those of earlier ones are there as well.
func (s *service) readsBy(key uuid.UUID, until string) map[string][]vault.AuditEntry {
	s.t.Helper()
	for {
		var list struct {
			Items []vault.AuditEntry `json:"items"`
		}
		s.do("GET", "/v1/audit?limit=500&action=read&actor="+string(vault.KeyActor(key)), "").want(200).into(&list)
		out, last := map[string][]vault.AuditEntry{}, false
		for _, e := range list.Items {
			if e.Subject == until {
				last = true
				continue
			}
			out[e.Operation] = append(out[e.Operation], e)
		}
		if last {
			return out
		}
		select {
		case <-s.t.Context().Done():
			s.t.Fatalf("there is no entry of %s", until)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// barrier reads PII of another customer, and returns what a key read before.
func (c canaryCase) barrier(secret string, key uuid.UUID) map[string][]vault.AuditEntry {
	c.t.Helper()
	other := testkit.ID().String()
	path := "/v1/customers/" + other + "/values/passport"
	c.change("PUT", path, fmt.Sprintf(`{"agent_id": %q, "value": "other@example.com", "source": "user_provided"}`, c.agent)).
		want(200)
	c.do("GET", path, "", "Authorization: Bearer "+secret).want(200)
	return c.readsBy(key, other)
}

// Each route that shows a value of a PII field is in the audit with what it showed, and no other route is.
func TestReads_EveryRoute(t *testing.T) {
	t.Parallel()
	c := newCanaryCase(t, `{"value_type": "email", "is_pii": true}`)
	secret, id := c.newKey("read", "write", "review", "admin")
	key := "Authorization: Bearer " + secret
	shows := map[string]bool{}
	for path, operation := range c.paths() {
		if strings.Contains(string(c.do("GET", path, "", key).body), canary) {
			shows[operation] = true
		}
	}
	turn := fmt.Sprintf(`{"agent_id": %q, "customer_id": %q, "text": "Hello"}`, c.agent, c.customer)
	if a := c.change("POST", "/v1/sessions/"+c.session.String()+"/take-turn", turn, key).want(200); strings.Contains(
		string(a.body), canary) {
		shows["take-session-turn"] = true
	}
	for _, operation := range []string{
		"get-customer", "get-value", "list-history", "list-customer-history", "list-customers", "get-context", "get-chain",
		"list-reviews", "get-session", "take-session-turn",
	} {
		if !shows[operation] {
			t.Errorf("%s does not show the value: the test proves nothing about it", operation)
		}
	}
	recorded := c.barrier(secret, id)
	for operation := range shows {
		if !slices.ContainsFunc(recorded[operation], func(e vault.AuditEntry) bool {
			return slices.Contains(e.Fields, "passport")
		}) {
			t.Errorf("%s shows the value, and is not recorded: %+v", operation, recorded[operation])
		}
	}
	for operation, entries := range recorded {
		for _, e := range entries {
			if e.Subject != c.customer.String() || slices.Contains(e.Fields, "plan") {
				t.Errorf("%s is recorded as %+v", operation, e)
			}
			if slices.Contains(e.Fields, "passport") && !shows[operation] {
				t.Errorf("%s does not show the value, and is recorded", operation)
			}
		}
	}
}

// An answer without a body, a check within a write and a masked answer are no reads.
func TestReads_NotShown(t *testing.T) {
	t.Parallel()
	c := newCanaryCase(t, `{"value_type": "email", "is_pii": true}`)
	customer := "/v1/customers/" + c.customer.String()
	secret, id := c.newKey("read", "write")
	key := "Authorization: Bearer " + secret
	for _, path := range []string{customer, customer + "?history=true", customer + "/context"} {
		tag := c.do("GET", path, "").want(200).header.Get("ETag")
		c.do("GET", path, "", key, "If-None-Match: "+tag).want(304)
	}
	c.change("POST", "/v1/sessions/"+c.session.String()+"/turns",
		`{"turns": [{"speaker": "customer", "text": "Hello"}]}`, key).want(200)
	c.do("GET", customer+"/values/plan", "", key).want(200)
	c.do("GET", "/v1/customers", "", key).want(200)
	masked := api.NewKey()
	if err := kit.DB.System().CreateAPIKey(t.Context(), dbgen.CreateAPIKeyParams{
		ID: testkit.ID(), TenantID: c.tenant, Name: "masked", KeyHash: api.HashKey(masked), Scopes: []string{"read"}, Masked: true,
	}); err != nil {
		t.Fatal(err)
	}
	c.do("GET", customer, "", "Authorization: Bearer "+masked).want(200).has("•••@example.com")
	if recorded := c.barrier(secret, id); len(recorded) != 0 {
		t.Errorf("recorded %+v", recorded)
	}
	var list struct {
		Items []vault.AuditEntry `json:"items"`
	}
	c.do("GET", "/v1/audit?action=read&operation=get-customer&subject="+c.customer.String(), "").want(200).into(&list)
	if len(list.Items) != 2 { // by the key of the test: the two that gave the tags
		t.Errorf("%d reads of the profile are recorded, want 2", len(list.Items))
	}
}

// An export is recorded when it is handed out, an erasure when it is done.
func TestReads_ExportAndErasure(t *testing.T) {
	t.Parallel()
	c := newCanaryCase(t, `{"value_type": "email", "is_pii": true}`)
	customer := "/v1/customers/" + c.customer.String()
	var op struct {
		ID uuid.UUID `json:"operation_id"`
	}
	c.change("POST", customer+"/exports", "").want(200).into(&op)
	c.do("GET", customer+"/exports/"+op.ID.String(), "").want(200).has(canary)
	c.change("POST", customer+"/erasure", "").want(200)
	c.do("GET", customer+"/exports/"+op.ID.String(), "").problem(404, vault.CodeUnknown)
	var list struct {
		Items []vault.AuditEntry `json:"items"`
	}
	for len(list.Items) == 0 {
		c.do("GET", "/v1/audit?action=exported&subject="+c.customer.String(), "").want(200).into(&list)
	}
	if e := list.Items[0]; len(list.Items) != 1 || e.Operation != "get-customer-export" || *e.OperationID != op.ID ||
		!strings.HasPrefix(string(e.Actor), "key:") {
		t.Errorf("got %+v", list.Items)
	}
	c.do("GET", "/v1/audit?action=erased&subject="+c.customer.String(), "").want(200).into(&list)
	if len(list.Items) != 1 || list.Items[0].Operation != "erase-customer" || list.Items[0].OperationID == nil {
		t.Errorf("got %+v", list.Items)
	}
}

// stuck is a store that takes nothing while the database is down.
type stuck struct{ up chan struct{} }

func (s stuck) InsertAuditEntries(ctx context.Context, _ []vault.AuditEntry) error {
	select {
	case <-s.up:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// While the audit can store nothing and is full, PII is refused with 503 at the deadline of the request, and everything
// else is answered.
func TestReads_FullAudit(t *testing.T) {
	t.Parallel()
	store := stuck{make(chan struct{})}
	writer := audit.NewWriter(audit.Options{Store: store, MaxWaiting: 2, Log: slog.New(slog.DiscardHandler)})
	t.Cleanup(writer.Close)
	s := newService(t, kit, func(o *api.Options) {
		o.RequestTimeout = time.Second
		o.Query = query.New(kit.DB, kit.Cache, dbtest.Sealer(t, kit.DB), query.AuditReads(writer))
	})
	c := newCanaryCaseIn(s, `{"value_type": "email", "is_pii": true}`)
	customer := "/v1/customers/" + c.customer.String()
	for range 2 { // an entry has the size 2: that of the test's own setup is waiting
		c.do("GET", customer+"/values/passport", "").problem(503, vault.CodeUnavailable)
	}
	c.do("GET", customer+"/values/plan", "").want(200)
	close(store.up)
	c.do("GET", customer+"/values/passport", "").want(200).has(canary)
}
