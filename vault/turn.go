package vault

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// TakeTurnInput is the input of take-turn: one message of a conversation. It names the customer by an id or by a
// channel identity, and the session by an id or by a key of the caller's own.
type TakeTurnInput struct {
	// CustomerID is the customer. The zero UUID: the one of the channel identity.
	CustomerID uuid.UUID `json:"customer_id,omitzero" doc:"The customer. Absent: the customer of channel and external_id, who is created if there is none."`
	// Channel and ExternalID are an identity of the customer. It is opened if it is unknown, as by open-customer.
	Channel    string `json:"channel,omitempty" validate:"max=50" doc:"The channel of the identity, such as whatsapp. With customer_id it is where the message came from."`
	ExternalID string `json:"external_id,omitempty" validate:"max=500" doc:"The identity of the customer on the channel. Required without customer_id."`
	// SessionID is the session. The zero UUID: the one of SessionKey.
	SessionID uuid.UUID `json:"session_id,omitzero" doc:"The session. Absent: the session of session_key."`
	// SessionKey is the name that the caller has for the conversation. The same key of the same agent is the same session.
	SessionKey string `json:"session_key,omitempty" validate:"max=200" doc:"The caller's own name of the conversation. The same key of the same agent is the same session, which is created with its first turn."`
	// AgentID is the agent. The zero UUID: that of the scenario, or of the session.
	AgentID uuid.UUID `json:"agent_id,omitzero" doc:"The agent. Absent: the agent of the scenario, or of the session."`
	// ScenarioID is the scenario to move on: a gap fill is started if none runs. The zero UUID: none.
	ScenarioID uuid.UUID `json:"scenario_id,omitzero" doc:"The scenario to move on: a gap fill is started if none of the customer runs. Absent: none."`
	// Speaker is the author. Empty: the customer. An agent's turn is saved, and not read.
	Speaker Speaker `json:"speaker,omitempty" validate:"omitempty,oneof=customer agent" doc:"The author of the message. Absent: customer. The turn of an agent is saved, and neither answers nor says anything."`
	Text    string  `json:"text" validate:"required,max=65536" doc:"The message, at most 64 KiB."`
	// At is the time of the turn, as of Turn.
	At *time.Time `json:"at,omitempty" doc:"The time of the message. Absent: the time of acceptance. One in the future is refused."`
}

// subject is the session or its key.
func (in TakeTurnInput) subject() string {
	switch {
	case in.SessionID != uuid.Nil:
		return in.SessionID.String()
	case in.SessionKey != "":
		return SessionOfKey(in.AgentID, in.SessionKey).String()
	default:
		return in.CustomerID.String()
	}
}

// sessionKeys is the namespace of the ids of sessions that have a key.
var sessionKeys = uuid.MustParse("6f2d8c1e-94b7-5c0a-8f13-2b7e5d9a4c60")

// SessionOfKey returns the id of the session that has a key of an agent.
func SessionOfKey(agent uuid.UUID, key string) uuid.UUID {
	return uuid.NewSHA1(sessionKeys, append(agent[:], key...))
}

// TurnResult is the result of take-turn.
type TurnResult struct {
	CustomerID uuid.UUID `json:"customer_id"`
	// Created reports that the customer was created.
	Created    bool       `json:"customer_created,omitempty" doc:"The channel identity was unknown, and the customer was created."`
	SessionID  uuid.UUID  `json:"session_id"`
	TurnIndex  int        `json:"turn_index"`
	AgentID    uuid.UUID  `json:"agent_id"`
	ScenarioID *uuid.UUID `json:"scenario_id,omitempty"`
	Channel    string     `json:"channel,omitempty"`
	// FillID is the gap fill that the turn moved on. nil: there is none.
	FillID *uuid.UUID `json:"fill_id,omitempty" doc:"The fill-gaps operation that the turn moved on."`
	// Answer is what the turn was as the answer to an open question. nil: no question was open.
	Answer  *TurnAnswer   `json:"answer,omitempty" doc:"What the turn says to the open question. Absent: none was open."`
	Learned []TurnFact    `json:"learned" nullable:"false" doc:"The values that the turn states."`
	Refused []TurnRefusal `json:"refused" nullable:"false" doc:"What was read and is not stored, and why."`
	// ModelCalls is the number of calls to the language model.
	ModelCalls int      `json:"model_calls"`
	Warnings   []string `json:"warnings,omitempty"`

	// The response of the request adds what follows as the reader may see it. The stored result has ids only.
	Missing  []ContextEntry `json:"missing,omitempty" doc:"What the scenario still misses. Only in the response to the turn."`
	Question *Question      `json:"question,omitempty" doc:"The next question to the customer. Absent: none, or the response is that of the operation."`
	Context  string         `json:"context,omitempty" doc:"The context block, as of GET …/context. Only in the response to the turn."`
}

// TurnOutcome is what a turn is as an answer.
type TurnOutcome string

const (
	TurnAnswered    TurnOutcome = "answered"     // it states the value
	TurnConfirmed   TurnOutcome = "confirmed"    // it confirms the value that was asked
	TurnDenied      TurnOutcome = "denied"       // it says that the value is wrong, and states no other one
	TurnRefused     TurnOutcome = "refused"      // the customer does not give the value
	TurnInvalid     TurnOutcome = "invalid"      // it states a value that is invalid; the question is asked again
	TurnNotAnswered TurnOutcome = "not_answered" // it says something else; the question stays open
)

// TurnAnswer is what a turn says to a question.
type TurnAnswer struct {
	QuestionID uuid.UUID   `json:"question_id"`
	FieldName  string      `json:"field_name"`
	Outcome    TurnOutcome `json:"outcome" enum:"answered,confirmed,denied,refused,invalid,not_answered"`
}

// TurnFact is a value that a turn states.
type TurnFact struct {
	FieldName string `json:"field_name"`
	// ItemID is the version. nil: the field has this value already.
	ItemID *uuid.UUID `json:"item_id,omitempty"`
	// Status is that of the version. Empty: the field has this value already.
	Status  ItemStatus `json:"status,omitempty" doc:"active, or pending if a stronger value differs. Absent: the field has this value already."`
	Confirm bool       `json:"requires_confirmation,omitempty"`
	// Value and Quote are only in the response to the turn.
	Value json.RawMessage `json:"value,omitempty"`
	Quote string          `json:"quote,omitempty" doc:"The words of the customer."`
}

// TurnRefusal is something that was read in a turn and is not stored.
type TurnRefusal struct {
	FieldName string `json:"field_name"`
	Code      Code   `json:"code"`
	Detail    string `json:"detail" doc:"Why it is not stored."`
}
