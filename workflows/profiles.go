package workflows

import (
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/vault"
)

// openProfile gets the customer of a channel identity, or makes one. A new customer is in no cache.
func openProfile(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	w := c.NewWorkflow(vault.WorkflowOpenProfile, hatchet.WithWorkflowEvents(vault.EventProfileOpen))
	persist := w.NewTask("persist", task(s.Profiles.OpenProfile), quick()...)
	w.NewTask("acknowledge", task(s.Caches.Acknowledge), quick(persist)...)
	return w
}

// linkChannel says that an identity on a channel is a customer's.
func linkChannel(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	w := c.NewWorkflow(vault.WorkflowLinkChannel, hatchet.WithWorkflowEvents(vault.EventChannelLink))
	persist := w.NewTask("persist", task(s.Profiles.LinkChannel), quick()...)
	w.NewTask("invalidate-cache", task(s.Caches.InvalidateProfile), quick(persist)...)
	return w
}

// recordConsent says what a customer agrees to.
func recordConsent(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	w := c.NewWorkflow(vault.WorkflowRecordConsent, hatchet.WithWorkflowEvents(vault.EventConsentRecord))
	persist := w.NewTask("persist", task(s.Profiles.RecordConsent), quick()...)
	w.NewTask("invalidate-cache", task(s.Caches.InvalidateProfile), quick(persist)...)
	return w
}

// deleteProfile removes a customer, softly.
func deleteProfile(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	w := c.NewWorkflow(vault.WorkflowDeleteProfile, hatchet.WithWorkflowEvents(vault.EventProfileDelete))
	remove := w.NewTask("delete", task(s.Profiles.DeleteProfile), quick()...)
	w.NewTask("invalidate-cache", task(s.Caches.InvalidateNoted), quick(remove)...)
	return w
}
