package workflows

import (
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/vault"
)

func schemaWorkflows(c *hatchet.Client, s steps.Steps) []hatchet.WorkflowBase {
	return []hatchet.WorkflowBase{
		saveDefinition(c, s),
		deleteDefinition(c, s),
		saveRequirement(c, s),
		deleteRequirement(c, s),
		saveScenario(c, s),
		saveRule(c, s),
		extractSchema(c, s),
		applyConfiguration(c, s),
		decideReview(c, s),
	}
}

// saveDefinition stores a definition.
func saveDefinition(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	f := begin(c, s, vault.SaveDefinition)
	f = prepare(f, "validate", quick, s.Definitions.ValidateDefinition)
	return effect(f, "persist", quick, s.Definitions.PersistDefinition).end()
}

// deleteDefinition deletes a definition that no requirement needs.
func deleteDefinition(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	return effect(begin(c, s, vault.DeleteDefinition), "delete", quick, s.Definitions.DeleteDefinition).end()
}

// saveRequirement stores a requirement.
func saveRequirement(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	f := begin(c, s, vault.SaveRequirement)
	f = prepare(f, "validate", quick, s.Definitions.ValidateRequirement)
	return effect(f, "persist", quick, s.Definitions.PersistRequirement).end()
}

// deleteRequirement deletes a requirement.
func deleteRequirement(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	return effect(begin(c, s, vault.DeleteRequirement), "delete", quick, s.Definitions.DeleteRequirement).end()
}

// saveScenario stores a scenario and announces it, which starts extract-schema.
func saveScenario(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	f := begin(c, s, vault.SaveScenario)
	return announce(store(f, "persist", quick, s.Scenarios.PersistScenario), s.Scenarios.AnnounceSave)
}

// saveRule stores a rule and announces it, which starts extract-schema.
func saveRule(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	f := begin(c, s, vault.SaveRule)
	return announce(store(f, "persist", quick, s.Scenarios.PersistRule), s.Scenarios.AnnounceSave)
}

// extractSchema finds the fields that a saved scenario or rule needs. The newest save wins: an outdated run sees
// another content hash, calls no model and changes nothing. Of two runs of the same text, one asks the model
// (once.WithHold).
func extractSchema(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	f := begin(c, s, vault.ExtractSchema)
	f = prepare(f, "load", quick, s.Extraction.LoadSchemaSource)
	f = prepare(f, "propose", model, s.Extraction.ProposeSchema)
	f = prepare(f, "match", model, s.Extraction.MatchSchema)
	return effect(f, "persist", quick, s.Extraction.PersistSchema).end()
}

// applyConfiguration stores definitions, scenarios, rules and requirements of an agent in one transaction.
func applyConfiguration(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	f := begin(c, s, vault.ApplyConfiguration)
	f = prepare(f, "validate", quick, s.Configuration.ValidateConfiguration)
	return effect(f, "persist", quick, s.Configuration.PersistConfiguration).end()
}

// decideReview stores a person's decision about an extracted requirement or a suggested definition.
func decideReview(c *hatchet.Client, s steps.Steps) *hatchet.Workflow {
	return effect(begin(c, s, vault.DecideReview), "persist", quick, s.Definitions.PersistReview).end()
}
