package vault

import (
	"encoding/json"

	"github.com/google/uuid"
)

// EmbeddingDimensions is the length of every embedding. The offline model hashes into this length, and OpenAI's
// text-embedding-3 models are asked for it.
const EmbeddingDimensions = 512

// Thresholds of gap fill (design, section 4), as confidence from 0 to 1.
const (
	// UseThreshold is the minimum confidence for storing an extracted value. Below it, the value is only a candidate.
	UseThreshold = 0.85
	// ConfirmThreshold is the minimum confidence for storing an extracted value without a confirmation by the customer.
	ConfirmThreshold = 0.95
)

// ProposedRequirement is a required field that a model extracted from the text of a scenario or rule.
type ProposedRequirement struct {
	Name             string            `json:"name"`
	DisplayName      string            `json:"display_name"`
	Description      string            `json:"description,omitempty"`
	ValueType        ValueType         `json:"value_type"`
	AllowedValues    []json.RawMessage `json:"allowed_values,omitempty"`
	ValidationRegex  string            `json:"validation_regex,omitempty"`
	CollectionPrompt string            `json:"collection_prompt"`
	Examples         []string          `json:"examples,omitempty"`
	IsPII            bool              `json:"is_pii"`
	Level            RequiredLevel     `json:"required_level"`
	Fallback         FallbackAction    `json:"fallback_action"`
	// WhenCondition is the CEL condition under which the field is required. Empty: always.
	WhenCondition string `json:"when_condition,omitempty"`
	// Verified reports that the text asks for a verified value.
	Verified   bool    `json:"required_verification,omitempty"`
	Confidence float64 `json:"confidence"`
	// Quote is the part of the text that names the requirement.
	Quote string `json:"quote"`
}

// MatchedBy is the way in which a phrase of a text was matched with a definition of the agent.
type MatchedBy string

const (
	MatchedByName        MatchedBy = "name"        // its name, its display name, or a usual other name of the same fact
	MatchedByWords       MatchedBy = "words"       // the words of its name and description, and their synonyms
	MatchedByDescription MatchedBy = "description" // the words of its description alone
	MatchedByMeaning     MatchedBy = "meaning"     // its embedding
	MatchedByCondition   MatchedBy = "condition"   // a condition of the text reads it
	MatchedByExpression  MatchedBy = "expression"  // an expression of the text names it
	MatchedByModel       MatchedBy = "model"       // the language model named it
	MatchedByNothing     MatchedBy = "nothing"     // it is a new definition
)

// SentenceReading is how extraction read one sentence of a scenario or rule.
type SentenceReading struct {
	// RuleID is the rule of the sentence. nil: the scenario itself.
	RuleID *uuid.UUID `json:"rule_id,omitempty"`
	// Label is the part of the scenario or rule: "description", "step 2", "condition of step 2".
	Label string `json:"label"`
	Text  string `json:"text"`
	// Gave are the requirements that the sentence gave.
	Gave []GivenRequirement `json:"gave,omitempty"`
	// PassedOver are the phrases of the sentence that gave no requirement.
	PassedOver []PassedOver `json:"passed_over,omitempty"`
}

// GivenRequirement is one requirement that a sentence gave. Several sentences may give requirements for one field; the
// strictest of them is stored.
type GivenRequirement struct {
	FieldName string `json:"field_name"`
	// Existing reports a definition that the agent had. Otherwise the definition is suggested.
	Existing       bool           `json:"existing"`
	MatchedBy      MatchedBy      `json:"matched_by" doc:"How the phrase was matched: name, words, description, meaning, condition, expression, model or nothing (a new definition)."`
	RequiredLevel  RequiredLevel  `json:"required_level"`
	FallbackAction FallbackAction `json:"fallback_action"`
	WhenCondition  string         `json:"when_condition,omitempty"`
	// UnboundCondition are the words of a condition that no definition of the agent decides. It makes the requirement
	// soft.
	UnboundCondition string  `json:"unbound_condition,omitempty" doc:"The words of a condition that no definition of the agent decides. The requirement is soft."`
	Verified         bool    `json:"required_verification,omitempty"`
	Confidence       float64 `json:"confidence"`
	Quote            string  `json:"quote"`
}

// PassedOver is a phrase that gave no requirement, with the reason.
type PassedOver struct {
	Text   string `json:"text"`
	Reason string `json:"reason"`
}

// Candidate is a value that a model extracted from a conversation.
type Candidate struct {
	FieldName  string          `json:"field_name"`
	Value      json.RawMessage `json:"value"`
	Confidence float64         `json:"confidence"`
	// Quote is the customer's own words.
	Quote string `json:"quote"`
	// Turn is the index of the turn that contains the quote.
	Turn int `json:"turn"`
}

// ScenarioExplanation says how the newest extraction read the text of a scenario and its rules.
type ScenarioExplanation struct {
	ScenarioID uuid.UUID `json:"scenario_id"`
	// Model is the model that read the text. Empty: no extraction has read it yet.
	Model string `json:"model"`
	// Current is false if a text was saved after it was read; its extraction is still to come, or failed.
	Current   bool              `json:"current" doc:"Whether all texts were read as they are saved now."`
	Sentences []SentenceReading `json:"sentences" doc:"The sentences of the scenario, then those of its rules."`
	// Requirements are those that are stored, of persons too.
	Requirements []Requirement `json:"requirements"`
}
