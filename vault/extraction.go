package vault

import "encoding/json"

// EmbeddingDimensions is the length of every embedding the vault stores: the offline model hashes into it, and OpenAI's
// text-embedding-3 models are asked to shorten theirs to it.
const EmbeddingDimensions = 512

// Thresholds of gap fill (design, section 4).
const (
	UseThreshold     = 0.85 // an extracted value below it is a candidate, never stored
	ConfirmThreshold = 0.95 // an extracted value below it is stored, and waits for the customer's confirmation
)

// ProposedRequirement is a field that a model read out of a scenario's or rule's text.
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
	Verified         bool              `json:"required_verification,omitempty"` // the text asks for a verified value
	Confidence       float64           `json:"confidence"`
	Quote            string            `json:"quote"` // the words of the text it was read from
}

// Candidate is a value that a model read out of a conversation.
type Candidate struct {
	FieldName  string          `json:"field_name"`
	Value      json.RawMessage `json:"value"`
	Confidence float64         `json:"confidence"`
	Quote      string          `json:"quote"` // the customer's own words
	Turn       int             `json:"turn"`  // index of the turn that holds the quote
}
