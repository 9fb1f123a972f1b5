package steps_test

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/steps/webhooks"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

var (
	saveWebhook      = []string{"Webhooks.SaveWebhook", "Caches.InvalidateAndAcknowledge"}
	deleteWebhook    = []string{"Webhooks.StopDeliveries", "Webhooks.DeleteWebhook", "Caches.InvalidateAndAcknowledge"}
	testWebhook      = []string{"Webhooks.TestWebhook", "Caches.InvalidateAndAcknowledge"}
	replayDeliveries = []string{"Webhooks.ReplayDeliveries", "Caches.InvalidateAndAcknowledge"}
)

// secretOf returns a secret of webhooks.
func secretOf(seed byte) string {
	raw := make([]byte, 32)
	for i := range raw {
		raw[i] = seed
	}
	return "whsec_" + base64.StdEncoding.EncodeToString(raw)
}

// receiver is the server of a webhook. It checks signatures and keeps what it took.
type receiver struct {
	t      *testing.T
	server *httptest.Server

	mu      sync.Mutex
	secrets []string
	status  int
	tries   int
	took    []vault.FeedEvent
	types   []string
	ids     []string
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{t: t, status: http.StatusNoContent, secrets: []string{secretOf(1)}}
	r.server = httptest.NewServer(r)
	t.Cleanup(r.server.Close)
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tries++
	for _, secret := range r.secrets {
		key, err := standardwebhooks.NewWebhook(secret)
		if err == nil {
			err = key.VerifyIgnoringTimestamp(body, req.Header)
		}
		if err != nil {
			r.t.Errorf("the signature: %v", err)
		}
	}
	if r.status/100 == 2 {
		var m struct {
			Type string           `json:"type"`
			Data *vault.FeedEvent `json:"data"`
		}
		if err := json.Unmarshal(body, &m); err != nil {
			r.t.Error(err)
		}
		if m.Data != nil {
			r.took = append(r.took, *m.Data)
		}
		r.types, r.ids = append(r.types, m.Type), append(r.ids, req.Header.Get("webhook-id"))
	}
	if r.status/100 == 3 {
		w.Header().Set("Location", "/elsewhere")
	}
	w.WriteHeader(r.status)
}

// answers sets the status of the next answers.
func (r *receiver) answers(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status = status
}

// taken returns what the receiver took, sorted by the position.
func (r *receiver) taken() []vault.FeedEvent {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := slices.Clone(r.took)
	slices.SortFunc(out, func(a, b vault.FeedEvent) int { return int(a.ID - b.ID) })
	return out
}

func (w *world) webhook(in vault.SaveWebhookInput) vault.Event {
	w.t.Helper()
	return w.event(trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.SaveWebhook, in))
}

// subscribed saves a webhook of a receiver.
func (w *world) subscribed(r *receiver, change ...func(*vault.SaveWebhookInput)) uuid.UUID {
	w.t.Helper()
	in := vault.SaveWebhookInput{WebhookID: newID(), URL: r.server.URL, Secret: secretOf(1)}
	for _, c := range change {
		c(&in)
	}
	w.must(w.run(w.webhook(in), saveWebhook...))
	return in.WebhookID
}

// deliver runs deliver-webhooks.
func (w *world) deliver() { w.t.Helper(); w.must(w.run(vault.Event{}, "Webhooks.DeliverDue")) }

// due makes the next attempts due.
func (w *world) due() {
	w.sql("UPDATE webhook_deliveries SET next_at = now(), leased_until = NULL WHERE status = 'pending'")
}

func (w *world) deliveries(webhook uuid.UUID, status vault.DeliveryStatus) []vault.Delivery {
	w.t.Helper()
	out, _, err := query.New(w.db, w.cache, w.sealer).DeliveriesPage(w.t.Context(), w.tenant, webhook, status, nil, 500)
	w.must(err)
	return out
}

// What is delivered is the feed from the subscription on: in order for each customer, whatever the receiver does.
func TestWebhooks_DeliverTheFeed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	w.write("plan", text("before"))
	r := newReceiver(t)
	hook := w.subscribed(r)
	first := w.feed(nil, vault.EventFilter{})
	customers := []uuid.UUID{newID(), newID()}
	for i := range 6 {
		w.as(customers[i%2]).write("plan", text([]string{"silver", "gold"}[i/2%2]))
	}
	for _, status := range []int{500, 302, 429} { // down, redirecting, busy
		r.answers(status)
		w.deliver()
		w.due()
		if got := r.taken(); len(got) != 0 {
			t.Fatalf("%d: it took %+v", status, got)
		}
	}
	if r.tries != 6 { // the first delivery of each customer; the others wait for it
		t.Errorf("%d attempts", r.tries)
	}
	pending := w.deliveries(hook, vault.DeliveryPending)
	if len(pending) != 6 || pending[len(pending)-1].Attempts != 3 || pending[len(pending)-1].LastError != "the receiver answered 429" {
		t.Errorf("the deliveries are %+v", pending)
	}
	r.answers(200)
	w.deliver()
	want := w.feed(&first[len(first)-1].ID, vault.EventFilter{})
	if got := r.taken(); jsonOf(got) != jsonOf(want) {
		t.Errorf("it took\n%s\nwant\n%s", jsonOf(got), jsonOf(want))
	}
	for _, customer := range customers {
		var order []int64
		for _, e := range r.took {
			if *e.CustomerID == customer {
				order = append(order, e.ID)
			}
		}
		if !slices.IsSorted(order) || len(order) != 3 {
			t.Errorf("the events of a customer arrive in the order %v", order)
		}
	}
	w.deliver()
	if got := len(r.taken()); got != 6 {
		t.Errorf("%d events after another run", got)
	}
	if done := w.deliveries(hook, vault.DeliveryDelivered); len(done) != 6 || done[0].FinishedAt == nil {
		t.Errorf("the deliveries are %+v", done)
	}
}

// A worker that is lost during an attempt leaves the delivery to the next one, after its lease.
func TestWebhooks_LostWorker(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	r := newReceiver(t)
	w.subscribed(r)
	w.write("plan", text("gold"))
	w.write("plan", text("basic"))
	w.must(func() error { _, err := w.db.PublishEvents(t.Context(), w.tenant); return err }())
	r.answers(500)
	w.deliver()
	w.due()
	_, err := w.db.System().ClaimDelivery(t.Context(), 60_000_000_000, 4)
	w.must(err)
	r.answers(200)
	w.deliver()
	if got := r.taken(); len(got) != 0 {
		t.Errorf("during the lease it took %+v", got)
	}
	w.sql("UPDATE webhook_deliveries SET leased_until = now() - interval '1 second' WHERE leased_until IS NOT NULL")
	w.deliver()
	if got := r.taken(); len(got) != 2 {
		t.Errorf("after the lease it took %+v", got)
	}
}

func TestWebhooks_GoneDisables(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	r := newReceiver(t)
	hook := w.subscribed(r)
	w.write("plan", text("gold"))
	r.answers(http.StatusGone)
	w.deliver()
	got, err := query.New(w.db, w.cache, w.sealer).Webhook(t.Context(), w.tenant, hook)
	w.must(err)
	if got.Enabled || got.DisabledReason != "gone" {
		t.Errorf("the webhook is %+v", got)
	}
	r.answers(200)
	w.due()
	w.deliver()
	if r.tries != 1 {
		t.Errorf("%d attempts", r.tries)
	}
	w.must(w.run(w.webhook(vault.SaveWebhookInput{WebhookID: hook, URL: r.server.URL}), saveWebhook...)) // it is back
	w.deliver()
	if got := r.taken(); len(got) != 1 {
		t.Errorf("after it was saved again it took %+v", got)
	}
}

// A webhook whose secret cannot be opened holds up no other.
func TestWebhooks_UnreadableSecret(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	r := newReceiver(t)
	broken, whole := w.subscribed(r), w.subscribed(r)
	w.sql("UPDATE webhooks SET secret = '\\x00' WHERE id = '" + broken.String() + "'")
	for range 20 { // more than one run attempts at once
		w.write("plan", text("gold"))
	}
	w.deliver()
	w.due()
	w.deliver()
	if got := r.taken(); len(got) == 0 || len(w.deliveries(whole, vault.DeliveryPending)) != 0 {
		t.Errorf("it took %d, and %d wait", len(got), len(w.deliveries(whole, vault.DeliveryPending)))
	}
	waiting := w.deliveries(broken, vault.DeliveryPending)
	if len(waiting) == 0 || !strings.Contains(waiting[len(waiting)-1].LastError+waiting[0].LastError, "cannot be opened") {
		t.Errorf("of the broken one wait %+v", waiting)
	}
}

// Deliveries that failed for days are dead, do not hold up the others, and can be replayed.
func TestWebhooks_DeadAndReplayed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	r := newReceiver(t)
	hook := w.subscribed(r)
	w.write("plan", text("gold"))
	r.answers(500)
	for range 20 {
		w.deliver()
		w.due()
	}
	dead := w.deliveries(hook, vault.DeliveryDead)
	if len(dead) != 1 || dead[0].Attempts != r.tries || r.tries < 8 {
		t.Fatalf("after %d attempts the dead deliveries are %+v", r.tries, dead)
	}
	r.answers(200)
	w.write("plan", text("basic"))
	w.deliver()
	if got := r.taken(); len(got) != 1 {
		t.Errorf("it took %+v", got)
	}
	other := vault.ReplayDeliveriesInput{WebhookID: hook, DeliveryID: ptr(newID())}
	w.refused(w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.ReplayDeliveries, other)),
		vault.CodeUnknown, []string{"delivery"}, replayDeliveries...)
	replay := w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.ReplayDeliveries,
		vault.ReplayDeliveriesInput{WebhookID: hook}))
	w.must(w.twice(replay, replayDeliveries...))
	if got := resultOf[vault.ReplayDeliveriesResult](w, replay); got.Replayed != 1 {
		t.Errorf("the replay says %+v", got)
	}
	w.deliver()
	if got := r.taken(); len(got) != 3 || got[2].Type != vault.EventOperationFailed {
		t.Errorf("after the replay it took %+v", got)
	}
}

func TestWebhooks_NoneAfterDeletion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	r := newReceiver(t)
	hook := w.subscribed(r)
	r.answers(500)
	w.write("plan", text("gold"))
	w.deliver()
	w.must(w.twice(w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.DeleteWebhook,
		vault.DeleteWebhookInput{WebhookID: hook})), deleteWebhook...))
	r.answers(200)
	w.write("plan", text("basic"))
	w.deliver()
	if r.tries != 1 || len(r.taken()) != 0 {
		t.Errorf("%d attempts, it took %+v", r.tries, r.taken())
	}
	w.refused(w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.TestWebhook,
		vault.TestWebhookInput{WebhookID: hook})), vault.CodeUnknown, []string{"webhook"}, testWebhook...)
	if left := w.dump().Counts()["webhook_deliveries"]; left != 0 {
		t.Errorf("%d deliveries are left", left)
	}
}

// A test arrives, and both secrets sign for a while after one was replaced.
func TestWebhooks_TestAndRotatedSecret(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := newReceiver(t)
	hook := w.subscribed(r)
	test := func() {
		t.Helper()
		ev := w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.TestWebhook, vault.TestWebhookInput{WebhookID: hook}))
		w.must(w.twice(ev, testWebhook...))
		w.deliver()
		if last := len(r.types) - 1; last < 0 || r.types[last] != vault.EventTestWebhook ||
			r.ids[last] != resultOf[vault.TestWebhookResult](w, ev).DeliveryID.String() {
			t.Fatalf("it took %v, %v", r.types, r.ids)
		}
	}
	test()
	w.must(w.twice(w.webhook(vault.SaveWebhookInput{WebhookID: hook, URL: r.server.URL, Secret: secretOf(2)}), saveWebhook...))
	r.secrets = []string{secretOf(1), secretOf(2)}
	test()
	w.later(vault.SecretOverlap)
	w.sql("UPDATE webhooks SET previous_until = now() - interval '1 second'")
	r.secrets = []string{secretOf(2)}
	test()
	var stored string
	dbtest.Scan(t, w.url, &stored, "SELECT to_jsonb(w)::text FROM webhooks w")
	if strings.Contains(stored, secretOf(2)) || strings.Contains(stored, "whsec") {
		t.Error("the secret is not sealed")
	}
}

// Values go out only if the webhook asks for them, as the key that saved it may see them, while it is valid.
func TestWebhooks_ValuesOfTheKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	seen := func(change func(key uuid.UUID)) string {
		t.Helper()
		key := newID()
		w.must(w.db.System().CreateAPIKey(t.Context(), dbgen.CreateAPIKeyParams{
			ID: key, TenantID: w.tenant, Name: "hook", KeyHash: key[:], Scopes: []string{"admin"}, Sources: []string{},
		}))
		change(key)
		r := newReceiver(t)
		in := vault.SaveWebhookInput{WebhookID: newID(), URL: r.server.URL, Secret: secretOf(1), Values: true}
		w.must(w.run(w.event(trigger.Submit(vault.WithActor(t.Context(), vault.KeyActor(key)), w.trigger, w.tenant,
			vault.SaveWebhook, in)), saveWebhook...))
		w.as(newID()).write("email", text("ada@example.com"))
		w.deliver()
		if len(r.took) != 1 {
			t.Fatalf("it took %+v", r.took)
		}
		return string(r.took[0].Value)
	}
	if got := seen(func(uuid.UUID) {}); got != `"ada@example.com"` {
		t.Errorf("a key that may see it gets %s", got)
	}
	masked := seen(func(key uuid.UUID) { w.sql("UPDATE api_keys SET pii = false WHERE id = $1", key) })
	if masked == "" || strings.Contains(masked, "ada@") {
		t.Errorf("a key that sees masked values gets %s", masked)
	}
	if got := seen(func(key uuid.UUID) { w.sql("UPDATE api_keys SET revoked_at = now() WHERE id = $1", key) }); got != "" {
		t.Errorf("a revoked key gets %s", got)
	}
	w.refused(w.webhook(vault.SaveWebhookInput{
		WebhookID: newID(), URL: "http://127.0.0.1:1", Secret: secretOf(1), Values: true,
	}), vault.CodeInvalid, []string{"values", "API key"}, saveWebhook...)
}

// A webhook sends a value that needs a purpose only for the purpose of its key, and while the customer consents to it.
func TestWebhooks_PurposeOfTheKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	w.define(vault.Definition{Name: "passport", ValueType: vault.TypeString, Purposes: []string{"support"}})
	receivers := map[string]*receiver{}
	for _, purpose := range []string{"", "support", "offers"} {
		key, r := newID(), newReceiver(t)
		w.must(w.db.System().CreateAPIKey(t.Context(), dbgen.CreateAPIKeyParams{
			ID: key, TenantID: w.tenant, Name: "hook", KeyHash: key[:], Scopes: []string{"admin"}, Sources: []string{},
			Purpose: purpose,
		}))
		w.must(w.run(w.event(trigger.Submit(vault.WithActor(t.Context(), vault.KeyActor(key)), w.trigger, w.tenant,
			vault.SaveWebhook, vault.SaveWebhookInput{
				WebhookID: newID(), URL: r.server.URL, Secret: secretOf(1), Values: true,
				Types: []vault.EventType{vault.EventValueChanged},
			})), saveWebhook...))
		receivers[purpose] = r
	}
	last := func(purpose string) string {
		t.Helper()
		took := receivers[purpose].taken()
		if len(took) == 0 {
			t.Fatalf("the webhook for %q took nothing", purpose)
		}
		return string(took[len(took)-1].Value)
	}
	w.consents("support", true)
	w.write("passport", text("X4711"))
	w.deliver()
	for purpose, want := range map[string]string{"support": `"X4711"`, "offers": "", "": ""} {
		if got := last(purpose); got != want {
			t.Errorf("for the purpose %q it took %q, want %q", purpose, got, want)
		}
	}
	w.write("passport", text("X4712"))
	w.consents("support", false) // before the delivery
	w.deliver()
	if got := last("support"); got != "" {
		t.Errorf("after the withdrawal it took %q", got)
	}
}

// Private addresses are refused when a webhook is saved, and again at each connection.
func TestWebhooks_PrivateAddresses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(d *steps.Deps) { d.Settings.PrivateWebhooks = false })
	defined(w)
	r := newReceiver(t)
	in := vault.SaveWebhookInput{WebhookID: newID(), URL: "https://127.0.0.1/x", Secret: secretOf(1)}
	w.refused(w.webhook(in), vault.CodeInvalid, []string{"url", "private"}, saveWebhook...)
	in.URL = "https://example.com/x"
	w.must(w.run(w.webhook(in), saveWebhook...))
	// A name that leads inside, although it did not when it was saved.
	port := r.server.URL[strings.LastIndex(r.server.URL, ":")+1:]
	for _, address := range []string{"http://localhost:" + port, r.server.URL, "http://[::ffff:127.0.0.1]:" + port} {
		w.sql("UPDATE webhooks SET url = $1", address)
		w.as(newID()).write("plan", text("gold"))
		w.deliver()
	}
	if r.tries != 0 {
		t.Errorf("%d requests arrived", r.tries)
	}
	for _, d := range w.deliveries(in.WebhookID, "") {
		if !strings.Contains(d.LastError, "private") {
			t.Errorf("the delivery is %+v", d)
		}
	}
}

// An erasure removes the pending deliveries about the customer, and is delivered itself.
func TestWebhooks_Erasure(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	r := newReceiver(t)
	w.subscribed(r)
	w.write("plan", text("gold"))
	r.answers(500)
	w.deliver()
	w.must(w.run(w.erasing(""), eraseCustomer...))
	r.answers(200)
	w.due()
	w.deliver()
	if got := r.taken(); len(got) != 1 || got[0].Type != vault.EventCustomerErased || *got[0].CustomerID != w.customer {
		t.Errorf("it took %+v", got)
	}
	var left int
	dbtest.Scan(t, w.url, &left, "SELECT count(*) FROM webhook_deliveries WHERE type <> 'customer.erased'")
	if left != 0 {
		t.Errorf("%d deliveries about the customer are left", left)
	}
}

// aWebhook accepts the save of a webhook.
func aWebhook(w *world) vault.Event {
	return w.webhook(vault.SaveWebhookInput{WebhookID: newID(), URL: newReceiver(w.t).server.URL, Secret: secretOf(1)})
}

func savedWebhook(w *world) uuid.UUID {
	defined(w)
	hook := w.subscribed(newReceiver(w.t))
	w.write("plan", text("gold"))
	return hook
}

func aWebhookDeletion(w *world) vault.Event {
	return w.event(trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.DeleteWebhook,
		vault.DeleteWebhookInput{WebhookID: savedWebhook(w)}))
}

func aWebhookTest(w *world) vault.Event {
	return w.event(trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.TestWebhook,
		vault.TestWebhookInput{WebhookID: savedWebhook(w)}))
}

func aReplay(w *world) vault.Event {
	hook := savedWebhook(w)
	w.deliver()
	w.sql("UPDATE webhook_deliveries SET status = 'dead'")
	return w.event(trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.ReplayDeliveries,
		vault.ReplayDeliveriesInput{WebhookID: hook}))
}

func undelivered(w *world) { savedWebhook(w) }

var deliveredNothing = webhooks.Delivered{NoEffect: once.NoEffect{}}
