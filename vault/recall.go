package vault

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// Limits of a recall.
const (
	MaxRecallQuestion = 2000 // characters
	MaxRecallResults  = 50
	DefaultRecall     = 10 // results
)

// RecallInput is a question about a customer, in words.
type RecallInput struct {
	Question string `json:"question" validate:"required,max=2000" doc:"The question, in words, such as: does she have allergies?"`
	Limit    int    `json:"limit,omitempty" validate:"min=0,max=50" doc:"The maximum number of results. Absent: 10."`
}

// Recalled is the answer to a RecallInput: the closest facts and quotes of the customer, the closest first.
type Recalled struct {
	Results []RecallResult `json:"results" nullable:"false" doc:"The closest facts and quotes, the closest first."`
	// Complete is false if the customer has more turns than a recall reads.
	Complete bool       `json:"complete" doc:"false: the customer has more turns than a recall reads, and the oldest were left out."`
	Meaning  bool       `json:"meaning" doc:"Whether turns were also compared by their meaning. false: by their words only, because the model could not embed the question."`
	Withheld []Withheld `json:"withheld,omitempty" doc:"The fields that are left out, and why."`
}

// RecallKind is the kind of a result.
type RecallKind string

const (
	RecallFact  RecallKind = "fact"  // an active value
	RecallQuote RecallKind = "quote" // a turn of a conversation
)

// RecallKinds lists all kinds.
var RecallKinds = []RecallKind{RecallFact, RecallQuote}

// RecallResult is a fact or a quote, with its source.
type RecallResult struct {
	Kind  RecallKind `json:"kind" enum:"fact,quote"`
	Score float64    `json:"score" doc:"The reciprocal rank fusion of the ranks by words and by meaning. It orders the results of one answer."`
	// Of a fact.
	ItemID     *uuid.UUID      `json:"item_id,omitempty" doc:"The id of the value, of a fact."`
	Name       string          `json:"name,omitempty" doc:"The name of the field, of a fact."`
	Value      json.RawMessage `json:"value,omitempty" doc:"The value, of a fact."`
	Source     ValueSource     `json:"source,omitempty" doc:"The source of the value, of a fact."`
	Confidence float64         `json:"confidence,omitempty" doc:"The confidence of the value, of a fact."`
	Verified   bool            `json:"verified,omitempty" doc:"Whether the value is verified, of a fact."`
	// Of a quote, and of a fact that was read from a conversation.
	Text      string     `json:"text,omitempty" doc:"What was said, of a quote."`
	Speaker   Speaker    `json:"speaker,omitempty" enum:"customer,agent" doc:"Who said it, of a quote."`
	SessionID *uuid.UUID `json:"session_id,omitempty" doc:"The session in which it was said."`
	Turn      *int       `json:"turn,omitempty" doc:"The index of the turn in the session."`
	At        time.Time  `json:"at" doc:"The time of the turn, or of the collection of the value."`
}
