package workflows

import (
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/vault"
)

// cancelFill closes the open question of a gap fill and wakes it: it ends with what it has.
func cancelFill(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	w := c.NewWorkflow(vault.CancelFill.Name, hatchet.WithWorkflowEvents(vault.CancelFill.Event))
	cancel := w.NewTask("cancel", task(s.Gaps.CancelFill), quick()...)
	w.NewTask("announce", task(s.Gaps.AnnounceCancel), quick(cancel)...)
	return w
}
