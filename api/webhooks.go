package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/contextvault/contextvault/api/internal/input"
	"github.com/contextvault/contextvault/api/internal/problem"
	"github.com/contextvault/contextvault/internal/cursor"
	"github.com/contextvault/contextvault/rules/webhook"
	"github.com/contextvault/contextvault/vault"
)

// WebhookPath is the path of a webhook.
type WebhookPath struct {
	Webhook input.ID `path:"webhook_id" doc:"The id of the webhook, chosen by the caller."`
}

func (s *Server) webhookRoutes() {
	type body struct {
		WebhookPath
		input.Preferences
		input.JSON
	}
	type bare struct {
		WebhookPath
		input.Preferences
	}
	submit[body](s, vault.SaveWebhook, route{
		method: http.MethodPut, path: "/v1/webhooks/{webhook_id}", tag: tagEvents, access: toAdmin,
		summary: "Save a webhook",
		detail: "A subscription to the feed, delivered to an address by the convention Standard Webhooks: signed, at " +
			"least once, in order for each customer, with retries over about three days. It begins with what happens " +
			"from then on. The caller makes the secret, and no read returns it.",
		example: `{
			"url": "https://example.com/events", "types": ["value.changed", "customer.erased"],
			"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="}`,
	})
	type remove struct {
		WebhookPath
		input.Based
		input.Preferences
	}
	submit[remove](s, vault.DeleteWebhook, route{
		method: http.MethodDelete, path: "/v1/webhooks/{webhook_id}", tag: tagEvents, access: toAdmin,
		summary: "Delete a webhook", detail: "Removes its deliveries too. Nothing is delivered afterwards.",
	})
	submit[bare](s, vault.TestWebhook, route{
		method: http.MethodPost, path: "/v1/webhooks/{webhook_id}/test", tag: tagEvents, access: toAdmin,
		summary: "Deliver a test to a webhook",
		detail:  "A message of the type webhook.test without data. The list of deliveries shows its outcome.",
	})
	submit[body](s, vault.ReplayDeliveries, route{
		method: http.MethodPost, path: "/v1/webhooks/{webhook_id}/replay", tag: tagEvents, access: toAdmin,
		summary: "Deliver dead deliveries of a webhook again", example: `{}`, optionalBody: true,
	})
	register(s, route{
		name: "list-webhooks", method: http.MethodGet, path: "/v1/webhooks", tag: tagEvents, access: toAdmin,
		summary: "List the webhooks", detail: "Sorted by id, without their secrets.",
		errors: []int{http.StatusUnprocessableEntity},
	}, func(ctx context.Context, c caller, _ *struct{}) (*page[vault.Webhook], error) {
		all, err := s.options.Query.Webhooks(ctx, c.tenant)
		return &page[vault.Webhook]{listOf[vault.Webhook]{Items: all}}, err
	})
	register(s, route{
		name: "get-webhook", method: http.MethodGet, path: "/v1/webhooks/{webhook_id}", tag: tagEvents, access: toAdmin,
		summary: "Get a webhook", detail: "Without its secret.", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, c caller, in *WebhookPath) (*one[vault.Webhook], error) {
		w, err := s.options.Query.Webhook(ctx, c.tenant, in.Webhook.UUID)
		return &one[vault.Webhook]{w}, err
	})
	type list struct {
		WebhookPath
		Status vault.DeliveryStatus `query:"status" enum:"pending,delivered,dead" doc:"Only deliveries with this status. dead: all attempts failed."`
		input.Page
	}
	register(s, route{
		name: "list-deliveries", tag: tagEvents, access: toAdmin,
		method: http.MethodGet, path: "/v1/webhooks/{webhook_id}/deliveries",
		summary: "List the deliveries of a webhook", detail: "Newest first. Finished ones are kept as long as events.",
		errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, c caller, in *list) (*page[vault.Delivery], error) {
		position, err := decodeCursor[afterEvent](in.Cursor)
		if err != nil {
			return nil, err
		}
		var before *int64
		if position != nil {
			before = &position.ID
		}
		items, more, err := s.options.Query.DeliveriesPage(ctx, c.tenant, in.Webhook.UUID, in.Status, before, in.Limit)
		out := &page[vault.Delivery]{listOf[vault.Delivery]{Items: items}}
		if more {
			out.Body.Next = cursor.Encode(afterEvent{items[len(items)-1].Seq})
		}
		return out, err
	})
}

// refuseLoop refuses the delivery of a webhook that leads to a vault, this one or another. The status disables it.
func refuseLoop(w http.ResponseWriter, r *http.Request) bool {
	if !strings.HasPrefix(r.UserAgent(), webhook.UserAgent) {
		return false
	}
	problem.Write(w, problem.New(http.StatusLoopDetected, vault.CodeNotAllowed, "url",
		"the address of this webhook leads to a vault, which would be a loop"))
	return true
}
