package cli

import (
	"context"
	"io"
	"strconv"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/contextvault/contextvault/client"
	"github.com/contextvault/contextvault/vault"
)

func (a *App) webhooksCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "webhooks", Short: "Manage subscriptions to the feed of events, and their deliveries"}
	var webhook uuid.UUID
	var removed vault.DeleteWebhookInput
	var tested vault.TestWebhookInput
	var replayed vault.ReplayDeliveriesInput
	var status vault.DeliveryStatus
	var limit int
	list := &cobra.Command{Use: "list", Short: "List the webhooks"}
	get := withID(&cobra.Command{Use: "get", Short: "Show a webhook"}, "webhook", "webhook `id`", &webhook)
	deliveries := withID(&cobra.Command{
		Use: "deliveries", Short: "List the deliveries of a webhook, newest first",
		Example: "  vault webhooks deliveries --webhook 0198… --status dead",
	}, "webhook", "webhook `id`", &webhook)
	enumVar(deliveries, &status, "status", "", "list only deliveries with this status", vault.DeliveryStatuses)
	limitVar(deliveries, &limit, "deliveries")
	remove := withID(&cobra.Command{Use: "delete", Short: "Delete a webhook"}, "webhook",
		"webhook `id`", &removed.WebhookID)
	ifVersion(remove, &removed.Based)
	test := withID(&cobra.Command{Use: "test", Short: "Deliver a test to a webhook"},
		"webhook", "webhook `id`", &tested.WebhookID)
	replay := withID(&cobra.Command{Use: "replay", Short: "Deliver dead deliveries of a webhook again"},
		"webhook", "webhook `id`", &replayed.WebhookID)
	optionalID(replay, &replayed.DeliveryID, "delivery", "`id` of one delivery (default: all dead ones)")
	cmd.AddCommand(
		a.read(byKey, list, func(ctx context.Context, c *client.Client) (any, error) {
			all, err := client.Collect(c.ListWebhooks(ctx))
			return webhookList(all), err
		}),
		a.read(byKey, get, func(ctx context.Context, c *client.Client) (any, error) {
			one, err := c.GetWebhook(ctx, webhook)
			return webhookList{one}, err
		}),
		a.read(byKey, deliveries, func(ctx context.Context, c *client.Client) (any, error) {
			all, err := upTo(c.ListDeliveries(ctx, webhook, status), limit)
			return deliveryList(all), err
		}),
		save(a, &cobra.Command{
			Use: "save", Short: "Save a webhook",
			Example: `  echo '{"webhook_id": "0198…", "url": "https://example.com/events", "secret": "whsec_…"}' ` +
				`| vault webhooks save`,
		}, (*client.Client).SaveWebhook),
		submit(a, remove, &removed, (*client.Client).DeleteWebhook),
		submit(a, test, &tested, (*client.Client).TestWebhook),
		submit(a, replay, &replayed, (*client.Client).ReplayDeliveries),
	)
	return cmd
}

type webhookList []vault.Webhook

func (all webhookList) table(w io.Writer) {
	head(w, "ID", "URL", "ENABLED", "REASON", "VALUES", "UPDATED")
	for _, hook := range all {
		line(w, hook.ID, hook.URL, yesNo(hook.Enabled), dash(hook.DisabledReason), yesNo(hook.Values), when(&hook.UpdatedAt))
	}
}

type deliveryList []vault.Delivery

func (all deliveryList) table(w io.Writer) {
	head(w, "ID", "EVENT", "TYPE", "STATUS", "ATTEMPTS", "NEXT", "ERROR")
	for _, d := range all {
		event := "-"
		if d.EventID != nil {
			event = strconv.FormatInt(*d.EventID, 10)
		}
		line(w, d.ID, event, d.Type, d.Status, d.Attempts, when(d.NextAt), dash(d.LastError))
	}
}
