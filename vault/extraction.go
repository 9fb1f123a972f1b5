package vault

import "encoding/json"

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
	// Verified reports that the text asks for a verified value.
	Verified   bool    `json:"required_verification,omitempty"`
	Confidence float64 `json:"confidence"`
	// Quote is the part of the text that names the requirement.
	Quote string `json:"quote"`
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
