package workflows

import (
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/vault"
)

// extractSchema finds out which fields a saved scenario or rule needs. Runs of the same text wait for each other, and the
// newest save wins: an outdated run finds that out from the content's hash, calls no model and changes nothing.
func extractSchema(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	w := c.NewWorkflow(vault.ExtractSchema.Name, hatchet.WithWorkflowEvents(vault.ExtractSchema.Events...), onePerSubject())
	load := w.NewTask("load", task(s.Extraction.LoadSchemaSource), quick()...)
	propose := w.NewTask("propose", task(s.Extraction.ProposeSchema), model(load)...)
	match := w.NewTask("match", task(s.Extraction.MatchSchema), model(propose)...)
	persist := w.NewTask("persist", task(s.Extraction.PersistSchema), quick(match)...)
	w.NewTask("invalidate-cache", task(s.Caches.InvalidateNoted), quick(persist)...)
	return w
}
