package console

import (
	"net/http"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/internal/cursor"
	"github.com/contextvault/contextvault/vault"
)

const deliveriesPageSize = 50

// webhooksPage is the content of the list of webhooks.
type webhooksPage struct {
	Webhooks []vault.Webhook
	Token    string
}

// webhookPage is the content of the page of a webhook.
type webhookPage struct {
	Webhook    vault.Webhook
	Deliveries []vault.Delivery
	Status     vault.DeliveryStatus // of the shown deliveries; "": all
	Next       string
	Token      string
}

func (q *request) webhooksPage() error {
	all, err := q.options.Query.Webhooks(q.ctx, q.key.TenantID)
	if err != nil {
		return err
	}
	return q.show(http.StatusOK, "Webhooks", "webhooks", webhooksContent(webhooksPage{all, q.session.Token}))
}

func (q *request) webhookPage() error { return q.showWebhook(http.StatusOK) }

func (q *request) showWebhook(status int) error {
	id, err := q.id()
	if err != nil {
		return err
	}
	p := webhookPage{Status: vault.DeliveryStatus(q.r.FormValue("status")), Token: q.session.Token}
	before, err := decodeCursor[int64](q.r.FormValue("page"))
	if err != nil {
		return err
	}
	if p.Webhook, err = q.options.Query.Webhook(q.ctx, q.key.TenantID, id); err != nil {
		return err
	}
	var more bool
	p.Deliveries, more, err = q.options.Query.DeliveriesPage(
		q.ctx, q.key.TenantID, id, p.Status, before, deliveriesPageSize)
	if err != nil {
		return err
	}
	if more {
		p.Next = cursor.Encode(p.Deliveries[len(p.Deliveries)-1].Seq)
	}
	return q.show(status, "Webhook", "webhooks", webhookContent(p))
}

func pathOfWebhook(id uuid.UUID) string { return "/webhooks/" + id.String() }

// testWebhook delivers a test.
func (q *request) testWebhook() error {
	id, err := q.id()
	if err != nil {
		return err
	}
	return submitAndLead(q, pathOfWebhook(id), vault.TestWebhook, vault.TestWebhookInput{WebhookID: id})
}

// replayDeliveries delivers a dead delivery again, or all of them.
func (q *request) replayDeliveries() error {
	id, err := q.id()
	if err != nil {
		return err
	}
	in := vault.ReplayDeliveriesInput{WebhookID: id}
	if text := q.r.PostFormValue("delivery"); text != "" {
		one, err := uuid.Parse(text)
		if err != nil {
			return q.notFound()
		}
		in.DeliveryID = &one
	}
	return submitAndLead(q, pathOfWebhook(id), vault.ReplayDeliveries, in)
}

// deleteWebhook deletes a webhook. One that was changed since the page was opened stays.
func (q *request) deleteWebhook() error {
	id, err := q.id()
	if err != nil {
		return err
	}
	op, err := submit(q, vault.DeleteWebhook, vault.DeleteWebhookInput{
		Based: basedOn(q.r.PostFormValue("seen")), WebhookID: id,
	})
	if isStale(err) {
		return q.showWebhook(q.staleRemoval(err))
	}
	if err != nil {
		return err
	}
	return q.after("/webhooks", op)
}

// stateOf returns the state of a webhook, and the kind of its badge.
func stateOf(w vault.Webhook) (kind, text string) {
	switch {
	case w.Enabled:
		return "active", "enabled"
	case w.DisabledReason == "gone":
		return "failed", "disabled: the receiver answered 410"
	case w.DisabledReason == "loop":
		return "failed", "disabled: it leads to a vault"
	default:
		return "expired", "disabled"
	}
}

// kindOfDelivery returns the kind of the badge of a delivery.
func kindOfDelivery(s vault.DeliveryStatus) string {
	return map[vault.DeliveryStatus]string{
		vault.DeliveryPending: "pending", vault.DeliveryDelivered: "succeeded", vault.DeliveryDead: "failed",
	}[s]
}
