package console_test

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/internal/testkit"
	"github.com/contextvault/contextvault/vault"
)

// webhook saves a webhook.
func (w *world) webhook(url string, enabled bool) uuid.UUID {
	w.t.Helper()
	id := testkit.ID()
	apply(w, vault.SaveWebhook, vault.SaveWebhookInput{
		WebhookID: id, URL: url, Enabled: &enabled, Types: []vault.EventType{vault.EventValueChanged},
		Secret: "whsec_" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", 32))),
	})
	return id
}

// A person tries a webhook, delivers what is dead again, and deletes it.
func TestWebhooks_TestReplayAndDelete(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var arrived atomic.Int64
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { arrived.Add(1) }))
	t.Cleanup(receiver.Close)
	v := w.visitor(w.key)
	v.get("/webhooks").want(200).has("There is no webhook.")
	id := w.webhook(receiver.URL+"/a?b=%3Ci%3E", true)
	page := "/webhooks/" + id.String()
	v.get("/webhooks").want(200).has(receiver.URL, "enabled", "value.changed")
	v.get(page).want(200).has("There is no delivery on this page.", "Deliver a test")
	delivered := func(n int64) {
		t.Helper()
		testkit.Eventually(t, "the delivery arrives", func(context.Context) (int64, bool) { return arrived.Load(), arrived.Load() == n })
		testkit.Eventually(t, "the delivery is recorded", func(ctx context.Context) (int, bool) {
			d, _, err := kit.Query.DeliveriesPage(ctx, w.tenant, id, vault.DeliveryDelivered, nil, 10)
			return len(d), err == nil && len(d) == 1
		})
	}
	v.post(page + "/test").want(200).has("test-webhook succeeded.")
	delivered(1)
	v.get(page+"?status=delivered").want(200).has("webhook.test", "200")
	dbtest.Exec(t, kit.DatabaseURL, "UPDATE webhook_deliveries SET status = 'dead', last_error = 'the receiver answered 500' "+
		"WHERE webhook_id = $1", id)
	v.get(page+"?status=pending").want(200).lacks("webhook.test", "all dead ones")
	v.get(page+"?status=dead").want(200).has("the receiver answered 500", "Deliver it again", "Deliver all dead ones again")
	v.get(page + "?status=odd").want(422)
	v.post(page+"/replay", "delivery", testkit.ID().String()).want(404)
	v.post(page + "/replay").want(200).has("replay-deliveries succeeded.")
	delivered(2)
	v.post(page+"/delete").want(409).has("Somebody else changed it meanwhile", "Nothing was deleted")
	v.post(page+"/delete", v.get(page).want(200).fieldsOf()...).want(200).has("delete-webhook succeeded.", "There is no webhook.")
	v.get(page).want(404)
}
