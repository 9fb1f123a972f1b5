package vault

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// ContextFormat is a form of the context block.
type ContextFormat string

const (
	ContextText     ContextFormat = "text"     // lines of plain text
	ContextMarkdown ContextFormat = "markdown" // headings and lists
	ContextJSON     ContextFormat = "json"     // a ContextBlock
)

// ContextFormats are the formats, the default first.
var ContextFormats = []ContextFormat{ContextText, ContextMarkdown, ContextJSON}

// The limits of a context block, in tokens.
const (
	MinContextTokens     = 250
	DefaultContextTokens = 2000
	MaxContextTokens     = 100_000
)

// ContextSection is a part of the context block.
type ContextSection string

const (
	SectionMissing   ContextSection = "missing"   // needed for the scenario, and not known
	SectionNeeded    ContextSection = "needed"    // needed for the scenario, and known
	SectionUncertain ContextSection = "uncertain" // not to be relied on
	SectionWithheld  ContextSection = "withheld"  // known or needed, and not shown
	SectionKnown     ContextSection = "known"     // everything else that is known
	SectionDocuments ContextSection = "documents" // assets
)

// ContextSections are the sections in the order of the block, which is the order of their use to an agent.
var ContextSections = []ContextSection{
	SectionMissing, SectionNeeded, SectionUncertain, SectionWithheld, SectionKnown, SectionDocuments,
}

// Certainty says how far a value can be relied on.
type Certainty string

const (
	CertainVerified Certainty = "verified" // verified by a method
	CertainStated   Certainty = "stated"   // a person stated it
	CertainDerived  Certainty = "derived"  // read in a document or a conversation, or from a tool

	CertainUnconfirmed Certainty = "unconfirmed" // the customer must confirm it
	CertainPending     Certainty = "pending"     // it differs from a stronger value and waits for a decision
	CertainStale       Certainty = "stale"       // it is too old, or what it was derived from has changed
	CertainExpired     Certainty = "expired"     // its time is over
	CertainInvalid     Certainty = "invalid"     // it breaks the rules of its definition
)

// ContextEntry is one line of a context block.
type ContextEntry struct {
	Section ContextSection  `json:"section" enum:"missing,needed,uncertain,withheld,known,documents"`
	Name    string          `json:"name" doc:"The name of the field or of the document."`
	Label   string          `json:"label,omitempty" doc:"The label of the field for people, if it differs from the name."`
	Value   json.RawMessage `json:"value,omitempty" doc:"The value. A long one is cut, and is a text then."`
	Cut     bool            `json:"value_cut,omitempty" doc:"The value is longer than shown. GET /v1/items/{item_id} returns it whole."`
	ItemID  *uuid.UUID      `json:"item_id,omitempty" doc:"The id of the value or the document, to cite it."`
	// Certainty, Confidence, Source and CollectedAt are those of a value.
	Certainty   Certainty   `json:"certainty,omitempty" enum:"verified,stated,derived,unconfirmed,pending,stale,expired,invalid"`
	Confidence  float64     `json:"confidence,omitempty" doc:"From 0 to 1, of a value that no person stated."`
	Source      ValueSource `json:"source,omitempty"`
	CollectedAt *time.Time  `json:"collected_at,omitempty"`
	Age         string      `json:"age,omitempty" doc:"The age of the value in words, such as 3 days old."`
	// Reason, Level, Blocking and Prompt are those of a missing field; Reason is that of a withheld one as well.
	Reason   string        `json:"reason,omitempty" doc:"Why the field is missing or withheld."`
	Level    RequiredLevel `json:"required_level,omitempty"`
	Blocking bool          `json:"blocking,omitempty" doc:"The scenario may not start without the field."`
	Prompt   string        `json:"prompt,omitempty" doc:"The question that asks the customer for the field."`
}

// ContextBlock is what an agent needs to know of a customer, within a number of tokens.
type ContextBlock struct {
	CustomerID uuid.UUID  `json:"customer_id"`
	ScenarioID *uuid.UUID `json:"scenario_id,omitempty"`
	// Entries are the entries that fit, the most useful first.
	Entries []ContextEntry `json:"entries" nullable:"false" doc:"The entries that fit, the most useful first: a larger max_tokens adds entries at the end."`
	LeftOut int            `json:"left_out" doc:"The number of entries that did not fit."`
}
