package workflows

import (
	"slices"
	"strings"

	hatchet "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/vault"
)

// Crons holds the schedules of the sweeps: five-field cron expressions, in UTC. An empty one leaves its workflow
// without a cron.
type Crons struct {
	ExpireValues    string
	DetectOrphans   string
	RelayOperations string
	PurgeOperations string
	SealAudit       string
	RotateKeys      string
	SealValues      string

	ReadQuietSessions string

	PurgeCustomers string
	RemoveExpired  string

	DeliverWebhooks string

	ProposeMerges string
}

// modelSteps lists the steps that call the language model, by workflow. Such a step can take as long as the model.
var modelSteps = map[string][]string{
	vault.FillGaps.Name:         {"resolve"},
	vault.ReadConversation.Name: {"read"},
	vault.ExtractSchema.Name:    {"propose", "match"},
	vault.TakeTurn.Name:         {"read"},
}

// CallsModel reports whether a step of a workflow calls the language model.
func CallsModel(workflow, step string) bool { return slices.Contains(modelStepsOf(workflow), step) }

// modelStepsOf returns the steps of a workflow that call the language model.
func modelStepsOf(workflow string) []string {
	for name, steps := range modelSteps {
		if isNamed(workflow, name) {
			return steps
		}
	}
	return nil
}

// IsBulk reports whether one operation of a workflow carries as much as many of others.
func IsBulk(workflow string) bool {
	return isNamed(workflow, vault.ImportValues.Name) || isNamed(workflow, vault.OpenCustomers.Name)
}

// isNamed compares the name of a workflow, with or without the prefix of the engine's namespace.
func isNamed(workflow, name string) bool {
	return workflow == name || strings.HasSuffix(workflow, "_"+name)
}

// Split separates the workflows with steps that call the language model from the others. A worker registers each group
// with slots of its own in the engine: steps that wait for the model never take the slots of the others.
func Split(all []hatchet.WorkflowBase) (plain, model []hatchet.WorkflowBase) {
	for _, w := range all {
		if modelStepsOf(w.GetName()) != nil {
			model = append(model, w)
		} else {
			plain = append(plain, w)
		}
	}
	return plain, model
}

// All declares every workflow. A worker registers what it returns; nothing else registers one.
func All(c *hatchet.Client, s steps.Steps, crons Crons) []hatchet.WorkflowBase {
	return slices.Concat(
		customerWorkflows(c, s, crons),
		schemaWorkflows(c, s),
		gapfillWorkflows(c, s, crons),
		upkeepWorkflows(c, s, crons),
		erasureWorkflows(c, s, crons),
		webhookWorkflows(c, s, crons),
	)
}
