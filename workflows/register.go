package workflows

import (
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/contextvault/contextvault/steps"
)

// Crons are when the sweeps run: five-field cron expressions, in UTC. An empty one leaves its workflow without a cron.
type Crons struct {
	ExpireValues    string
	DetectOrphans   string
	RelayOperations string
	PurgeOperations string
}

// All declares every workflow. A worker registers what it returns; nothing else registers one.
func All(c *hatchet.Client, s steps.Steps, crons Crons) []hatchet.WorkflowBase {
	write := writeValue(c, s)
	advance := advanceGaps(c, s)
	return []hatchet.WorkflowBase{
		write,
		importValues(c, s),
		verifyValue(c, s),
		addAsset(c, s),
		deleteItem(c, s),
		restoreItem(c, s),
		openCustomer(c, s),
		linkChannel(c, s),
		recordConsent(c, s),
		mergeCustomers(c, s),
		unmergeCustomer(c, s),
		deleteCustomer(c, s),
		saveSession(c, s),
		saveDefinition(c, s),
		deleteDefinition(c, s),
		saveRequirement(c, s),
		deleteRequirement(c, s),
		saveScenario(c, s),
		saveRule(c, s),
		extractSchema(c, s),
		decideReview(c, s),
		advance,
		fillGaps(c, advance, write),
		answerQuestion(c, s),
		cancelFill(c, s),
		expireValues(c, s, crons.ExpireValues),
		detectOrphans(c, s, crons.DetectOrphans),
		relayOperations(c, s, crons.RelayOperations),
		purgeOperations(c, s, crons.PurgeOperations),
	}
}
