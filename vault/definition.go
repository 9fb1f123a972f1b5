package vault

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// NamePattern matches a valid field name.
var NamePattern = regexp.MustCompile(`^[a-z_][a-z0-9_]*$`)

// Definition is a field that an agent may collect: its name, its type and its rules.
type Definition struct {
	Based

	ID      uuid.UUID `json:"id"`
	AgentID uuid.UUID `json:"agent_id" validate:"required"`
	// Name matches NamePattern and has at most MaxNameLength characters.
	Name string `json:"name" validate:"required,max=50,fieldname"`
	// DisplayName is the label for people. Empty: derived from Name.
	DisplayName string `json:"display_name" validate:"max=200"`
	Description string `json:"description,omitempty" validate:"max=2000"`
	// ValueType is the type of the values.
	ValueType ValueType `json:"value_type" validate:"required,oneof=string email phone date datetime number boolean url json"`
	// ValidationRegex is a regular expression in RE2 syntax that must match the whole value. Empty: no check.
	ValidationRegex string `json:"validation_regex,omitempty" validate:"max=500,re2"`
	// AllowedValues lists the accepted values. They are compared after normalisation. Empty: any value.
	AllowedValues []json.RawMessage `json:"allowed_values,omitempty" validate:"max=500"`
	// Unit is the unit of the numbers, such as kg or EUR per month. Only for numbers. Empty: they have none.
	Unit string `json:"unit,omitempty" validate:"max=50" doc:"The unit of a number, such as kg or EUR per month. A number that is stated in another unit is not a value. Absent: none."`
	// Minimum and Maximum are JSON numbers: the smallest and the largest valid number. Only for numbers. nil: no limit.
	Minimum json.RawMessage `json:"minimum,omitempty" doc:"The smallest valid number. Absent: no limit."`
	Maximum json.RawMessage `json:"maximum,omitempty" doc:"The largest valid number. Absent: no limit."`
	// TimeZone is the IANA time zone in which a datetime without an offset from UTC is read, such as Europe/Berlin. Only
	// for datetimes. Empty: such a datetime is invalid.
	TimeZone string `json:"time_zone,omitempty" validate:"omitempty,timezone" doc:"The IANA time zone of a datetime without an offset from UTC, such as Europe/Berlin. Absent: a datetime needs an offset."`
	// DefaultRegion is the region in which a phone number without a country code is read: two letters (ISO 3166), such
	// as DE. Only for phone numbers. Empty: such a number is invalid.
	DefaultRegion string `json:"default_region,omitempty" validate:"omitempty,region" doc:"The region of a phone number without a country code: two letters, such as DE. Absent: a phone number needs a country code."`
	// JSONSchema is the JSON Schema that the values match. Only for values of type json. It refers to no other document.
	// nil: any JSON.
	JSONSchema json.RawMessage `json:"json_schema,omitempty" doc:"The JSON Schema of a json value: an object, draft 2020-12 or what its $schema names, up to 16 KiB. References begin with #. Absent: any JSON."`
	// WriteOnce rejects a value that differs from the active one. The same value may be written again, and a person may
	// correct it. It holds in each validation mode.
	WriteOnce bool `json:"write_once,omitempty" doc:"Rejects a value that differs from the active one. The same value may be written again, and a person may correct it."`
	// Multiple makes the value a list of elements of the type, without repetitions. Each rule of the definition holds for
	// each element.
	Multiple bool `json:"multiple,omitempty" doc:"Makes the value a list: a JSON array of elements of the type, each once. Each rule of the definition holds for each element."`
	// MaxElements is the maximum length of the list, with Multiple. 0: DefaultMaxElements.
	MaxElements int `json:"max_elements,omitempty" validate:"min=0,max=1000" doc:"The maximum number of elements, with multiple. 0: 100."`
	// ValidationMode is the treatment of invalid values. Empty: the configured mode.
	ValidationMode ValidationMode `json:"validation_mode,omitempty" validate:"omitempty,oneof=strict warn disabled" doc:"The handling of a value that violates the definition. Absent: the configured mode."`
	// RequiredVerification makes an unverified value count as missing.
	RequiredVerification bool `json:"required_verification,omitempty"`
	// VerificationMethods lists the accepted methods. Empty: any method.
	VerificationMethods []string `json:"verification_methods,omitempty" validate:"max=20,dive,required,max=50" doc:"The methods that count as verification. Absent: any method."`
	// AskChannels are the channels on which a gap fill may ask for the value. Empty: each.
	AskChannels []string `json:"ask_channels,omitempty" validate:"max=20,unique,dive,required,max=50" doc:"The channels on which the customer may be asked for the value, such as phone. Absent: each."`
	// CollectionPrompt is the question to the customer. Empty: derived from the display name.
	CollectionPrompt string `json:"collection_prompt,omitempty" validate:"max=2000"`
	// RetryPrompt tells the customer what to answer after an answer that was not understood. Empty: derived from the type
	// and the allowed values.
	RetryPrompt string `json:"retry_prompt,omitempty" validate:"max=2000" doc:"The text to the customer after an answer that was unclear or invalid, such as \"The number is on your card.\". Absent: derived from the type and the allowed values."`
	// ExtractionExamples and ExtractionPromptHint help the language model to find the value in a conversation.
	ExtractionExamples   []string `json:"extraction_examples,omitempty" validate:"max=50,dive,max=2000"`
	ExtractionPromptHint string   `json:"extraction_prompt_hint,omitempty" validate:"max=2000" doc:"A hint for a model that extracts the value from a conversation."`
	// ForbidExtraction keeps the vault from reading values in conversations, and in answers to questions about other
	// fields. A value comes from an answer to its own question, a session variable or a write.
	ForbidExtraction bool `json:"forbid_extraction,omitempty" doc:"No value is read from conversations. The field is filled by an answer to its own question, a session variable or a write. Absent: false."`
	// About is the person or thing, other than the customer, that the value is about, such as "emergency contact". What
	// the customer says of himself is then no value of the field. Empty: the customer.
	About string `json:"about,omitempty" validate:"max=200" doc:"The person or thing, other than the customer, that the value is about, such as emergency contact. Absent: the customer."`
	// IsPII keeps the value out of all error texts.
	IsPII bool `json:"is_pii"`
	// Purposes are the purposes for which the value may be used, such as support. It needs the customer's consent to the
	// stated one to be read, and to one of them to be written. It holds for the name of the field in the tenant. Empty: no
	// consent is needed.
	Purposes []string `json:"purposes,omitempty" validate:"max=20,unique,dive,required,max=100" doc:"The purposes for which the value may be used. A read states one of them, and the customer must have consented to it; a write needs a consent to one of them. It holds for the name of the field, whatever the agent. Absent: no consent is needed."`
	// EncryptionRequired encrypts later values (AES-256-GCM) in PostgreSQL and in the cache.
	EncryptionRequired bool `json:"encryption_required,omitempty" doc:"Encrypts the value in the database and the cache, and keeps it out of error messages."`
	// Searchable keeps a keyed hash of each encrypted value, by which list-customers finds the customers with a value. The
	// hash shows to a reader of the database which customers have the same value.
	Searchable bool `json:"searchable,omitempty" doc:"Lets list-customers find customers by an encrypted value: the database keeps a keyed hash of it, which shows which customers have the same value. It holds for the name of the field: each definition that requires the encryption must allow it. Values that are not encrypted can always be found. Absent: false."`
	// PrefixSearch lets list-customers find customers by the beginning of a value. The database keeps the first
	// MaxPrefixLength characters of an active value once more, in an index.
	PrefixSearch bool `json:"prefix_search,omitempty" doc:"Lets list-customers find customers by the beginning of a value: the database keeps its first 64 characters once more, in an index. Only for string, email, phone and url; never for encrypted values. Absent: false."`
	// RetentionDays is the lifetime of a value after its collection. 0: no limit.
	RetentionDays int `json:"retention_days,omitempty" validate:"min=0,max=36500" doc:"The number of days that a value is valid after its collection. 0: no limit."`
	// RemoveAfterDays removes versions this many days after their expiry. 0: expired versions stay in the history.
	RemoveAfterDays int `json:"remove_after_days,omitempty" validate:"min=0,max=36500" doc:"The number of days after their expiry that versions are kept; then they are removed for good. 0: expired versions stay in the history."`
	// EraseOnWithdrawal erases the values, history included, when the customer has no consent to any purpose any more.
	EraseOnWithdrawal bool `json:"erase_on_withdrawal,omitempty" doc:"A withdrawal that leaves no consent to any of the purposes erases the values for good, history included. It needs purposes."`
	// FreshnessSeconds is the age after which StaleAction applies to a value. 0: no age limit.
	FreshnessSeconds int64 `json:"freshness_seconds,omitempty" validate:"min=0" doc:"The maximum age of a value, in seconds. 0: no age limit."`
	// StaleAction is the treatment of a value older than FreshnessSeconds. Empty: block.
	StaleAction StaleAction `json:"stale_action,omitempty" validate:"omitempty,oneof=warn block ignore" doc:"The effect of a value that exceeds the maximum age. Absent: block."`
	// OnConflict is the treatment of a claim that differs from a stronger active value. Empty: ask where a gap fill can
	// ask the customer and the active value is not verified, else review.
	OnConflict OnConflict `json:"on_conflict,omitempty" validate:"omitempty,oneof=ask review keep newest" doc:"What happens to a claim that differs from a stronger active value. Absent: ask where a gap fill can ask, else review."`
	// SourcePriority are sources in the order of their strength, the strongest first. The sources that it does not list
	// follow in the order of SourcesByAuthority.
	SourcePriority []ValueSource `json:"source_priority,omitempty" validate:"max=6,unique,dive,oneof=user_provided llm_extracted tool_result document_extracted human_entered system_inferred" doc:"The sources from the strongest to the weakest. Those that are absent follow in the usual order."`
	// Enabled is false for a definition that does not apply. Its field counts as unknown. In a JSON input that has no
	// such member it is true; in Go it is as set.
	Enabled   bool        `json:"enabled" doc:"Whether the field may be collected. Absent: true."`
	Origin    Origin      `json:"origin"`
	Review    ReviewState `json:"review_state"`
	UpdatedAt time.Time   `json:"updated_at"`
	// Version is the operation that changed it last.
	Version uuid.UUID `json:"version,omitzero" doc:"Its version: the operation that changed it last. Pass it as if_version with a change that is based on it."`
}

// SetDefaults sets what holds for the members that a person's input leaves out: a definition that a person saves is
// enabled. A definition that an extraction suggests is not decoded from such an input, and stays disabled.
func (d *Definition) SetDefaults() { d.Enabled = true }

// DefaultMaxElements is the maximum length of a list of a definition that sets none.
const DefaultMaxElements = 100

// ElementLimit returns the maximum length of a list.
func (d Definition) ElementLimit() int {
	if d.MaxElements == 0 {
		return DefaultMaxElements
	}
	return d.MaxElements
}

// DisplayName returns a label for a field name: "date of birth" for "date_of_birth".
func DisplayName(name string) string { return strings.TrimSpace(strings.ReplaceAll(name, "_", " ")) }

// Secret reports whether values of the definition may appear only in the profile, never in prompts or error texts.
func (d Definition) Secret() bool { return d.IsPII || d.EncryptionRequired || len(d.Purposes) > 0 }

// Label returns the name of the field for people.
func (d Definition) Label() string {
	if d.DisplayName != "" {
		return d.DisplayName
	}
	return DisplayName(d.Name)
}

// Meaning returns the text of which the embedding is made. Embeddings are compared to find definitions with the same
// meaning.
func (d Definition) Meaning() string {
	return strings.Join([]string{strings.ReplaceAll(d.Name, "_", " "), d.DisplayName, d.Description}, " / ")
}

// Requirement says that a scenario needs a field.
type Requirement struct {
	Based

	ID         uuid.UUID `json:"id"`
	AgentID    uuid.UUID `json:"agent_id" validate:"required"`
	ScenarioID uuid.UUID `json:"scenario_id" validate:"required"`
	// StepID is the step that needs the field. Empty: the whole scenario.
	StepID string `json:"step_id,omitempty" validate:"max=100"`
	// RuleID is the rule that needs the field. nil: none.
	RuleID    *uuid.UUID `json:"rule_id,omitempty"`
	FieldName string     `json:"field_name" validate:"required,max=50,fieldname"`
	// RequiredLevel is hard or soft.
	RequiredLevel RequiredLevel `json:"required_level" validate:"required,oneof=hard soft"`
	// FallbackAction is the action of gap fill if no source has the value.
	FallbackAction FallbackAction `json:"fallback_action" validate:"required,oneof=ask skip block extract"`
	// WhenCondition is a CEL expression over fields, session and scenario. Empty: the requirement always applies.
	WhenCondition string `json:"when_condition,omitempty" validate:"max=2000,cel"`
	// DependsOn lists the fields that must have a value before this one is collected.
	DependsOn []string `json:"depends_on_fields,omitempty" validate:"max=50,dive,fieldname"`
	// Order is the place in the collection. Fields with a lower order are collected first.
	Order int `json:"collection_order"`
	// RefuseStale reports that a stale value does not meet the requirement: it counts as missing, with the reason
	// MissingDerived.
	RefuseStale bool `json:"refuse_stale,omitempty" doc:"A value that is stale, because its source was replaced or expired, counts as missing."`
	// Confidence is that of the extraction, from 0 to 1. It is 1 for a requirement that a person wrote.
	Confidence float64 `json:"confidence" validate:"min=0,max=1"`
	// NeedsReview reports a confidence below ReviewThreshold.
	NeedsReview bool        `json:"needs_human_review"`
	Origin      Origin      `json:"origin"`
	Review      ReviewState `json:"review_state"`
	// Quote is the part of the scenario or rule from which the requirement was extracted.
	Quote string `json:"quote,omitempty"`
	// Version is the operation that changed it last.
	Version uuid.UUID `json:"version,omitzero" doc:"Its version: the operation that changed it last. Pass it as if_version with a change that is based on it."`
}

// Binding reports whether the requirement may block a customer. A requirement that waits for a review or was rejected
// may not. An empty review state counts as none.
func (r Requirement) Binding() bool {
	return r.Review == "" || r.Review == ReviewNone || r.Review == ReviewApproved
}

// ReviewThreshold is the confidence below which an extracted requirement needs a review (design, section 3, rule 8).
const ReviewThreshold = 0.8

// Scenario is a conversation flow of an agent, as the config service saves it.
type Scenario struct {
	Based

	ID          uuid.UUID      `json:"id" validate:"required"`
	AgentID     uuid.UUID      `json:"agent_id" validate:"required"`
	Name        string         `json:"name" validate:"required,max=200"`
	Description string         `json:"description,omitempty" validate:"max=20000"`
	Steps       []ScenarioStep `json:"steps,omitempty" validate:"max=200,dive"`
	// Variables are available to conditions as scenario.variables.
	Variables map[string]string `json:"variables,omitempty" validate:"max=100,dive,keys,max=100,endkeys,max=2000"`
	// Version is the operation that changed it last.
	Version uuid.UUID `json:"version,omitzero" doc:"Its version: the operation that changed it last. Pass it as if_version with a change that is based on it."`
}

// Content returns the scenario as it is stored: without its version.
func (s Scenario) Content() Scenario {
	s.Version, s.Based = uuid.Nil, Based{}
	return s
}

// ScenarioStep is one step of a scenario.
type ScenarioStep struct {
	ID   string `json:"id" validate:"required,max=100"`
	Text string `json:"text" validate:"max=20000"`
	// Condition is free text or an expression of the designer. Extraction reads it; the vault does not evaluate it.
	Condition string `json:"condition,omitempty" validate:"max=2000"`
}

// Rule is a behaviour rule of a scenario.
type Rule struct {
	Based

	ID         uuid.UUID `json:"id" validate:"required"`
	AgentID    uuid.UUID `json:"agent_id" validate:"required"`
	ScenarioID uuid.UUID `json:"scenario_id" validate:"required"`
	Name       string    `json:"name" validate:"required,max=200"`
	Condition  string    `json:"condition" validate:"required,max=20000"`
	Action     string    `json:"action,omitempty" validate:"max=20000"`
	// Version is the operation that changed it last.
	Version uuid.UUID `json:"version,omitzero" doc:"Its version: the operation that changed it last. Pass it as if_version with a change that is based on it."`
}

// Content returns the rule as it is stored: without its version.
func (r Rule) Content() Rule {
	r.Version, r.Based = uuid.Nil, Based{}
	return r
}

// HasStep reports whether the scenario has a step with this id.
func (s Scenario) HasStep(id string) bool {
	return slices.ContainsFunc(s.Steps, func(step ScenarioStep) bool { return step.ID == id })
}

// StepIDs returns the ids of the steps as text for a message, "none" if there are no steps.
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
