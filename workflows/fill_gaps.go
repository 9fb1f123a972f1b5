package workflows

import (
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/vault"
)

// fillGaps advances a gap fill: it collects what the scenario needs from the profile, the session and the conversation,
// and then asks the customer. A run ends when the fill has to wait. The next change that concerns the fill starts
// another run, after hours or weeks, so nothing in the engine waits for a person. The last step acknowledges the
// operation when nothing is left to ask.
func fillGaps(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	w := c.NewWorkflow(vault.FillGaps.Name, hatchet.WithWorkflowEvents(vault.FillGaps.Event))
	find := w.NewTask("find-missing", single(s.Gaps.FindMissing), quick()...)
	resolve := w.NewTask("resolve", single(s.Gaps.ResolveGaps), model(find)...)
	w.NewTask("ask", single(s.Gaps.AskCustomer), quick(resolve)...)
	return w
}
