package workflows

import (
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/vault"
)

func webhookWorkflows(c *hatchet.Client, s steps.Steps, crons Crons) []hatchet.WorkflowBase {
	return []hatchet.WorkflowBase{
		saveWebhook(c, s),
		deleteWebhook(c, s),
		testWebhook(c, s),
		replayDeliveries(c, s),
		deliverWebhooks(c, s, crons.DeliverWebhooks),
	}
}

// saveWebhook creates or replaces a subscription to the feed.
func saveWebhook(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	return store(begin(c, s, vault.SaveWebhook), "persist", quick, s.Webhooks.SaveWebhook).end()
}

// deleteWebhook ends the deliveries of a subscription and deletes it with what is left of them.
func deleteWebhook(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	f := stage(begin(c, s, vault.DeleteWebhook), "stop", quick, s.Webhooks.StopDeliveries)
	return store(f, "persist", quick, s.Webhooks.DeleteWebhook).end()
}

// testWebhook adds a delivery with a test message.
func testWebhook(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	return store(begin(c, s, vault.TestWebhook), "persist", quick, s.Webhooks.TestWebhook).end()
}

// replayDeliveries makes dead deliveries due again.
func replayDeliveries(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	return store(begin(c, s, vault.ReplayDeliveries), "persist", quick, s.Webhooks.ReplayDeliveries).end()
}

// deliverWebhooks delivers events to webhooks. It starts on a signal without an operation, and on a cron.
func deliverWebhooks(c *hatchet.Client, s steps.Steps, cron string) *hatchet.Workflow {
	w := c.NewWorkflow(vault.WorkflowDeliverWebhooks,
		append(onCron(cron), hatchet.WithWorkflowEvents(vault.EventDeliverWebhooks))...)
	w.NewTask("deliver", single(s.Webhooks.DeliverDue), sweep()...)
	return w
}
