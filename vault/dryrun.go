package vault

import (
	"encoding/json"

	"github.com/google/uuid"
)

// Limits of a dry run.
const (
	// DefaultDryRunCustomers is the number of customers that a dry run looks at.
	DefaultDryRunCustomers = 1000
	// MaxDryRunCustomers is the maximum of it.
	MaxDryRunCustomers = 10_000
	// MaxDryRunExamples is the number of examples of each kind.
	MaxDryRunExamples = 10
)

// DryRun says what a change of the configuration would do. It changes nothing.
type DryRun struct {
	// Kind is definition, requirement, scenario or rule.
	Kind string `json:"kind" doc:"definition, requirement, scenario or rule."`
	Name string `json:"name"`
	// Action is create, update, delete, or keep if the change is none.
	Action ChangeAction `json:"action" doc:"create, update, delete, or keep: it is stored already."`
	// Members are the names of the members that differ from what is stored.
	Members []string `json:"members,omitempty" doc:"The members that differ from what is stored."`
	// Effects are what the change does besides, in the order of the members.
	Effects []DryRunEffect `json:"effects,omitempty"`
	// References are what names the field, the scenario's steps or the rule.
	References []DryRunReference `json:"references,omitempty" doc:"The requirements, conditions and dependencies that the change is about. One with a problem needs a change as well."`
	// Values are the stored values of the field. nil: the change is of no definition.
	Values *DryRunValues `json:"values,omitempty" doc:"What becomes of the stored values. Absent: the change is not of a definition."`
	// Scenarios are those that may ask for something else.
	Scenarios []DryRunScenario `json:"scenarios,omitempty" doc:"The scenarios that the change is about: for whom each could no longer start."`
	// Customers is the number of customers that were looked at.
	Customers int `json:"customers" doc:"The number of customers that were looked at."`
	// Complete reports that there are no other customers. Otherwise the numbers are those of a part.
	Complete bool `json:"complete" doc:"Whether all customers were looked at, those before after included. If not, the numbers are those of a part."`
	// Next is the last customer that was looked at. nil: Complete.
	Next *uuid.UUID `json:"next_after,omitempty" doc:"Pass it as after to look at the customers that follow. Absent: there are none."`
	// ExamplesHidden reports that the key sees masked values, so that customers are counted and not named: which customer
	// breaks a pattern would tell the value.
	ExamplesHidden bool       `json:"examples_hidden,omitempty" doc:"The key sees masked values only, so customers are counted and not named."`
	Withheld       []Withheld `json:"withheld,omitempty" doc:"Fields of examples that are left out, as the customers have not consented to the purpose."`
}

// DryRunEffect is what the change of a member does.
type DryRunEffect struct {
	Member string `json:"member"`
	Text   string `json:"text"`
}

// DryRunReference is a part of the configuration that the change is about.
type DryRunReference struct {
	ScenarioID   uuid.UUID  `json:"scenario_id"`
	ScenarioName string     `json:"scenario_name"`
	StepID       string     `json:"step_id,omitempty"`
	RuleID       *uuid.UUID `json:"rule_id,omitempty"`
	RuleName     string     `json:"rule_name,omitempty"`
	// RequirementID is the requirement, and FieldName the field that it needs.
	RequirementID *uuid.UUID `json:"requirement_id,omitempty"`
	FieldName     string     `json:"field_name,omitempty"`
	// Kind is how it names the field.
	Kind string `json:"kind" doc:"requirement, condition, dependency, step condition, rule or evidence."`
	// Problem is what would be wrong after the change. Empty: nothing.
	Problem string `json:"problem,omitempty" doc:"What would be wrong with it after the change. Absent: nothing."`
}

// DryRunValues are the active and pending values of a field. A value that breaks its definition stays as it is: it
// cannot be written again, and one that was stored with warnings does not meet a hard requirement.
type DryRunValues struct {
	Checked int `json:"checked" doc:"The number of active and pending values that were checked."`
	// Invalid is the number of those that break the changed definition and not the stored one.
	Invalid int `json:"invalid" doc:"The number of values that break the changed definition, and not the stored one."`
	// Customers is the number of customers with such a value.
	Customers int `json:"customers" doc:"The number of customers with such a value."`
	// Broken is the number of values that break both.
	Broken   int             `json:"already_invalid" doc:"The number of values that break the stored definition already, and the changed one too."`
	Reasons  []DryRunReason  `json:"reasons,omitempty" doc:"Why values would be invalid, the most frequent first, at most 10."`
	Examples []DryRunExample `json:"examples,omitempty" doc:"Values that would be invalid, at most 10."`
}

// DryRunReason is a reason why values would be invalid.
type DryRunReason struct {
	Text   string `json:"text" doc:"The problem, without a value."`
	Values int    `json:"values"`
}

// DryRunExample is a value that would be invalid.
type DryRunExample struct {
	CustomerID uuid.UUID       `json:"customer_id"`
	ItemID     uuid.UUID       `json:"item_id"`
	Status     ItemStatus      `json:"status"`
	Value      json.RawMessage `json:"value"`
	Reason     string          `json:"reason"`
}

// DryRunScenario is what a change means for a scenario. It is decided for each customer without a session: a condition
// that reads the session counts as true.
type DryRunScenario struct {
	ScenarioID uuid.UUID `json:"scenario_id"`
	Name       string    `json:"name"`
	// Blocked is the number of customers for whom the scenario could no longer start.
	Blocked int `json:"blocked" doc:"The number of customers for whom the scenario could start, and no longer could."`
	// Unblocked is the number of customers for whom it is the other way round.
	Unblocked int `json:"unblocked" doc:"The number of customers for whom the scenario could not start, and then could."`
	// Asked is the number of customers who miss a field that they do not miss now.
	Asked int `json:"asked" doc:"The number of customers who would miss a field that they do not miss now."`
	// Missing are those fields.
	Missing []DryRunMissing `json:"missing,omitempty" doc:"The fields that customers would miss, and why."`
	// Examples are customers for whom the scenario could no longer start, then those who would miss a field.
	Examples []uuid.UUID `json:"examples,omitempty" doc:"Customers for whom the scenario could no longer start, then customers who would miss a field, at most 10."`
	// NewCustomer is a customer of whom nothing is known.
	NewCustomer DryRunStart `json:"new_customer" doc:"A customer of whom nothing is known."`
}

// DryRunMissing is a field that customers would miss.
type DryRunMissing struct {
	FieldName string        `json:"field_name"`
	Reason    MissingReason `json:"reason"`
	Customers int           `json:"customers"`
}

// DryRunStart says what a scenario asks of a customer, before and after the change.
type DryRunStart struct {
	BlockedBefore bool     `json:"blocked_before"`
	BlockedAfter  bool     `json:"blocked_after"`
	AsksBefore    []string `json:"asks_before" nullable:"false" doc:"The missing fields in the order of collection, as it is."`
	AsksAfter     []string `json:"asks_after" nullable:"false" doc:"The missing fields in the order of collection, after the change."`
}
