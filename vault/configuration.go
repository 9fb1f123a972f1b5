package vault

import (
	"encoding/json"

	"github.com/google/uuid"
)

// AgentConfiguration is what persons wrote for an agent. Suggestions and requirements that only an extraction made are
// no part of it.
type AgentConfiguration struct {
	AgentID      uuid.UUID             `json:"agent_id" validate:"required"`
	Definitions  ConfiguredDefinitions `json:"definitions,omitempty" validate:"max=1000,dive"`
	Scenarios    []Scenario            `json:"scenarios,omitempty" validate:"max=200,dive"`
	Rules        []Rule                `json:"rules,omitempty" validate:"max=1000,dive"`
	Requirements []Requirement         `json:"requirements,omitempty" validate:"max=1000,dive"`
}

// ConfiguredDefinitions are definitions of a configuration. One without the member enabled is enabled.
type ConfiguredDefinitions []Definition

// UnmarshalJSON decodes the definitions with their defaults.
func (d *ConfiguredDefinitions) UnmarshalJSON(data []byte) error {
	var entries []json.RawMessage
	if err := json.Unmarshal(data, &entries); err != nil {
		return err
	}
	out := make(ConfiguredDefinitions, len(entries))
	for i, entry := range entries {
		out[i].SetDefaults()
		if err := json.Unmarshal(entry, &out[i]); err != nil {
			return err
		}
	}
	*d = out
	return nil
}

// FillAgent sets the agent of every part that names none.
func (c *AgentConfiguration) FillAgent() {
	for i := range c.Definitions {
		c.Definitions[i].AgentID = orAgent(c.Definitions[i].AgentID, c.AgentID)
	}
	for i := range c.Scenarios {
		c.Scenarios[i].AgentID = orAgent(c.Scenarios[i].AgentID, c.AgentID)
	}
	for i := range c.Rules {
		c.Rules[i].AgentID = orAgent(c.Rules[i].AgentID, c.AgentID)
	}
	for i := range c.Requirements {
		c.Requirements[i].AgentID = orAgent(c.Requirements[i].AgentID, c.AgentID)
	}
}

func orAgent(own, agent uuid.UUID) uuid.UUID {
	if own == uuid.Nil {
		return agent
	}
	return own
}

// ApplyConfigurationInput is the input of apply-configuration. The operation stores the whole configuration in one
// transaction, or nothing. What is stored already stays as it is.
type ApplyConfigurationInput struct {
	AgentConfiguration

	// Prune deletes the definitions and requirements that persons saved and that the configuration lacks.
	Prune bool `json:"prune,omitempty" doc:"Deletes the saved definitions and requirements that the configuration lacks. Scenarios and rules stay."`
}

// ApplyConfigurationResult is the result of apply-configuration.
type ApplyConfigurationResult struct {
	Changes []ConfigurationChange `json:"changes"`
	// Extractions are the extract-schema operations of the saved texts.
	Extractions []uuid.UUID `json:"extraction_operation_ids,omitempty"`
	Warnings    []string    `json:"warnings,omitempty"`
}

// ConfigurationChange is one difference between a stored configuration and a wanted one.
type ConfigurationChange struct {
	Action ChangeAction `json:"action"`
	// Kind is definition, scenario, rule or requirement.
	Kind string `json:"kind"`
	// Name is that of the definition, scenario or rule; of a requirement, its field, scenario, step and rule.
	Name string `json:"name"`
	// Members are the names of the members that differ, for an update.
	Members []string `json:"members,omitempty"`
}

// ChangeAction is what a change of a configuration does.
type ChangeAction string

const (
	ChangeCreate ChangeAction = "create"
	ChangeUpdate ChangeAction = "update"
	ChangeDelete ChangeAction = "delete"
	ChangeKeep   ChangeAction = "keep" // not in the wanted configuration; it stays
)

// Kinds of the parts of a configuration.
const (
	KindDefinition  = "definition"
	KindScenario    = "scenario"
	KindRule        = "rule"
	KindRequirement = "requirement"
)
