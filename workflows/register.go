package workflows

import (
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/contextvault/contextvault/steps"
)

// Crons are when the sweeps run: five-field cron expressions, in UTC. An empty one leaves its workflow without a cron.
type Crons struct {
	ExpireFields  string
	DetectOrphans string
	RelayIntents  string
	PurgeIntents  string
}

// All declares every workflow. A worker registers what it returns; nothing else registers one.
func All(c *hatchet.Client, s steps.Steps, crons Crons) []hatchet.WorkflowBase {
	write := writeField(c, s)
	advance := advanceGaps(c, s)
	return []hatchet.WorkflowBase{
		write,
		importFields(c, s),
		verifyField(c, s),
		addAsset(c, s),
		deleteItem(c, s),
		restoreItem(c, s),
		openProfile(c, s),
		linkChannel(c, s),
		recordConsent(c, s),
		mergeProfiles(c, s),
		unmergeProfile(c, s),
		deleteProfile(c, s),
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
		expireFields(c, s, crons.ExpireFields),
		detectOrphans(c, s, crons.DetectOrphans),
		relayIntents(c, s, crons.RelayIntents),
		purgeIntents(c, s, crons.PurgeIntents),
	}
}
