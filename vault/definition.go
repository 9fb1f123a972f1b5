package vault

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Limits of a definition and of a value (design, section 5).
const (
	MaxNameLength  = 50
	MaxRegexLength = 500
	MaxValueBytes  = 64 << 10
)

// NamePattern is what a field name looks like.
var NamePattern = regexp.MustCompile(`^[a-z_][a-z0-9_]*$`)

// Definition is a field that an agent's designer allows to be collected.
type Definition struct {
	ID                   uuid.UUID         `json:"id"`
	AgentID              uuid.UUID         `json:"agent_id" validate:"required"`
	Name                 string            `json:"name" validate:"required,max=50,fieldname"` // ^[a-z_][a-z0-9_]*$, at most 50
	DisplayName          string            `json:"display_name" validate:"max=200"`           // empty: made from the name
	Description          string            `json:"description,omitempty" validate:"max=2000"`
	ValueType            ValueType         `json:"value_type" validate:"required,oneof=string email phone date datetime number boolean url json"`
	ValidationRegex      string            `json:"validation_regex,omitempty" validate:"max=500,re2"`                         // RE2; must match the whole value
	AllowedValues        []json.RawMessage `json:"allowed_values,omitempty" validate:"max=500"`                               // compared after normalisation
	ValidationMode       ValidationMode    `json:"validation_mode,omitempty" validate:"omitempty,oneof=strict warn disabled"` // empty: the configuration's
	RequiredVerification bool              `json:"required_verification,omitempty"`                                           // an unverified value still counts as missing
	VerificationMethods  []string          `json:"verification_methods,omitempty" validate:"max=20,dive,required,max=50"`
	CollectionPrompt     string            `json:"collection_prompt,omitempty" validate:"max=2000"` // empty: made from the display name
	ExtractionExamples   []string          `json:"extraction_examples,omitempty" validate:"max=50,dive,max=2000"`
	ExtractionPromptHint string            `json:"extraction_prompt_hint,omitempty" validate:"max=2000"`
	IsPII                bool              `json:"is_pii,omitempty"`                                                    // keeps the value out of every error text
	EncryptionRequired   bool              `json:"encryption_required,omitempty"`                                       // what is written from then on is stored sealed (AES-256-GCM), in PostgreSQL and in the cache
	RetentionDays        int               `json:"retention_days,omitempty" validate:"min=0,max=36500"`                 // 0: kept for ever
	FreshnessSeconds     int64             `json:"freshness_seconds,omitempty" validate:"min=0"`                        // 0: never too old
	StaleAction          StaleAction       `json:"stale_action,omitempty" validate:"omitempty,oneof=warn block ignore"` // what a value that is too old counts as; empty: block
	Enabled              bool              `json:"enabled"`
	Origin               Origin            `json:"origin"`
	Review               ReviewState       `json:"review_state"`
	UpdatedAt            time.Time         `json:"updated_at"`
}

// DisplayName makes a label of a field name: "date_of_birth" becomes "date of birth".
func DisplayName(name string) string { return strings.TrimSpace(strings.ReplaceAll(name, "_", " ")) }

// Secret reports whether values of the definition may appear only in the profile.
func (d Definition) Secret() bool { return d.IsPII || d.EncryptionRequired }

// Prompt is the question that asks a customer for the field.
func (d Definition) Prompt() string {
	if d.CollectionPrompt != "" {
		return d.CollectionPrompt
	}
	return "What is your " + d.Label() + "?"
}

// Label is the field's name as a person would say it.
func (d Definition) Label() string {
	if d.DisplayName != "" {
		return d.DisplayName
	}
	return DisplayName(d.Name)
}

// Meaning is the text of a definition that is embedded, to tell whether two mean the same.
func (d Definition) Meaning() string {
	return strings.Join([]string{strings.ReplaceAll(d.Name, "_", " "), d.DisplayName, d.Description}, " / ")
}

// Requirement says that a scenario needs a field.
type Requirement struct {
	ID             uuid.UUID      `json:"id"`
	AgentID        uuid.UUID      `json:"agent_id" validate:"required"`
	ScenarioID     uuid.UUID      `json:"scenario_id" validate:"required"`
	StepID         string         `json:"step_id,omitempty" validate:"max=100"` // empty: the whole scenario
	RuleID         *uuid.UUID     `json:"rule_id,omitempty"`
	FieldName      string         `json:"field_name" validate:"required,max=50,fieldname"`
	RequiredLevel  RequiredLevel  `json:"required_level" validate:"required,oneof=hard soft"`
	FallbackAction FallbackAction `json:"fallback_action" validate:"required,oneof=ask skip block extract"`
	WhenCondition  string         `json:"when_condition,omitempty" validate:"max=2000,cel"` // CEL over fields, session, scenario; empty: always
	DependsOn      []string       `json:"depends_on_fields,omitempty" validate:"max=50,dive,fieldname"`
	Order          int            `json:"collection_order"`                  // lower is asked first
	Confidence     float64        `json:"confidence" validate:"min=0,max=1"` // 1 for what a person wrote
	NeedsReview    bool           `json:"needs_human_review"`                // confidence under ReviewThreshold
	Origin         Origin         `json:"origin"`
	Review         ReviewState    `json:"review_state"`
	Quote          string         `json:"quote,omitempty"` // the words of the scenario or rule it was extracted from
}

// Binding reports whether the requirement may hold a customer back: what waits for a person, or was rejected, does not.
// A state that was never set is that of what a person wrote.
func (r Requirement) Binding() bool {
	return r.Review == "" || r.Review == ReviewNone || r.Review == ReviewApproved
}

// ReviewThreshold is the confidence under which an extracted requirement waits for a person (design, section 3, rule 8).
const ReviewThreshold = 0.8

// Scenario is a conversation flow of an agent, as the config service saves it.
type Scenario struct {
	ID          uuid.UUID         `json:"id" validate:"required"`
	AgentID     uuid.UUID         `json:"agent_id" validate:"required"`
	Name        string            `json:"name" validate:"required,max=200"`
	Description string            `json:"description,omitempty" validate:"max=20000"`
	Steps       []ScenarioStep    `json:"steps,omitempty" validate:"max=200,dive"`
	Variables   map[string]string `json:"variables,omitempty" validate:"max=100"` // what a condition sees as scenario.variables
}

// ScenarioStep is one step of a scenario.
type ScenarioStep struct {
	ID        string `json:"id" validate:"required,max=100"`
	Text      string `json:"text" validate:"max=20000"`
	Condition string `json:"condition,omitempty" validate:"max=2000"` // free text or an expression, as designers write them
}

// Rule is one behaviour rule of an agent; it may belong to a scenario.
type Rule struct {
	ID         uuid.UUID `json:"id" validate:"required"`
	AgentID    uuid.UUID `json:"agent_id" validate:"required"`
	ScenarioID uuid.UUID `json:"scenario_id" validate:"required"`
	Name       string    `json:"name" validate:"required,max=200"`
	Condition  string    `json:"condition" validate:"required,max=20000"`
	Action     string    `json:"action,omitempty" validate:"max=20000"`
}

// HasStep reports whether the scenario has a step of that id.
func (s Scenario) HasStep(id string) bool {
	return slices.ContainsFunc(s.Steps, func(step ScenarioStep) bool { return step.ID == id })
}

// StepIDs lists the ids of the steps for a message.
func (s Scenario) StepIDs() string {
	ids := make([]string, len(s.Steps))
	for i, step := range s.Steps {
		ids[i] = step.ID
	}
	if len(ids) == 0 {
		return "none"
	}
	return strings.Join(ids, ", ")
}
