package vault

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// SaveSessionInput is the input of save-session. It stores variables and turns of a conversation for gap fill.
type SaveSessionInput struct {
	SessionID  uuid.UUID `json:"session_id" validate:"required"`
	AgentID    uuid.UUID `json:"agent_id" validate:"required"`
	CustomerID uuid.UUID `json:"customer_id" validate:"required"`
	// Variables replace the stored variables with the same names. Others stay.
	Variables map[string]json.RawMessage `json:"variables,omitempty" validate:"max=200,dive,keys,max=100,endkeys"`
	// Turns are appended to the stored turns. The vault sets Index.
	Turns []Turn `json:"turns,omitempty" validate:"max=1000,dive"`
	// Ended reports that the conversation is over: its facts are read at the next sweep, and not after a quiet period.
	Ended bool `json:"ended,omitempty" doc:"The conversation is over: its facts are read at the next sweep. Absent: when it has been quiet for a while."`
}

// FillGapsInput is the input of fill-gaps. It collects the missing values that a scenario needs.
type FillGapsInput struct {
	CustomerID uuid.UUID `json:"customer_id" validate:"required"`
	ScenarioID uuid.UUID `json:"scenario_id" validate:"required"`
	// SessionID is the conversation to read values from. nil: none.
	SessionID *uuid.UUID `json:"session_id,omitempty"`
	// StepID limits the fill to a step, and to the requirements of the whole scenario. Empty: every step.
	StepID string `json:"step_id,omitempty" validate:"max=100"`
	// Level limits the fill to hard or soft requirements. Empty: both.
	Level RequiredLevel `json:"level,omitempty" validate:"omitempty,oneof=hard soft"`
	// DeadlineSeconds is the time that each question waits for its answer. 0: DefaultQuestionDeadline.
	DeadlineSeconds int `json:"deadline_seconds,omitempty" validate:"min=0,max=2592000" doc:"The deadline of each question, in seconds. 0: 24 hours."`
	// MaxAttempts limits the answers per field that are unclear or invalid. 0: DefaultMaxAttempts.
	MaxAttempts int `json:"max_attempts,omitempty" validate:"min=0,max=10" doc:"The maximum number of answers to one field that are unclear or invalid. 0: 3."`
}

// Deadline returns the time that each question waits for its answer.
func (f FillGapsInput) Deadline() time.Duration {
	if f.DeadlineSeconds == 0 {
		return DefaultQuestionDeadline
	}
	return time.Duration(f.DeadlineSeconds) * time.Second
}

// Attempts returns the maximum number of questions per field.
func (f FillGapsInput) Attempts() int {
	if f.MaxAttempts == 0 {
		return DefaultMaxAttempts
	}
	return f.MaxAttempts
}

// Defaults of FillGapsInput.
const (
	DefaultQuestionDeadline = 24 * time.Hour
	DefaultMaxAttempts      = 3
)

// FillResult is the result of fill-gaps.
type FillResult struct {
	Fields []GapResult `json:"fields"`
	// Blocked reports an unmet hard requirement that is binding: the scenario may not start.
	Blocked bool `json:"blocked"`
	// Cancelled reports that cancel-fill ended the fill.
	Cancelled bool `json:"cancelled,omitempty"`
	// ModelCalls is the number of calls to the language model.
	ModelCalls int      `json:"model_calls"`
	Warnings   []string `json:"warnings,omitempty"`
}

// GapResult is the result of a gap fill for one field.
type GapResult struct {
	FieldName string `json:"field_name"`
	Filled    bool   `json:"filled"`
	// Source is the source of the value. Empty if the gap is not filled.
	Source     GapSource `json:"source,omitempty"`
	Confidence float64   `json:"confidence,omitempty"`
	// Confirm reports that the value is stored but needs a confirmation by the customer.
	Confirm bool `json:"requires_confirmation,omitempty"`
	// Action is the reason why the gap is not filled: skip, block, extract, undefined, withheld, unreviewed, candidate,
	// unverified, expired, cancelled, attempts, refused or rejected.
	Action string     `json:"action,omitempty"`
	Errors []string   `json:"validation_errors,omitempty"`
	ItemID *uuid.UUID `json:"item_id,omitempty"`
}

// GapSource is the source of a value that filled a gap.
type GapSource string

const (
	GapFromProfile      GapSource = "profile"
	GapFromSession      GapSource = "session"      // a variable of the session
	GapFromConversation GapSource = "conversation" // extracted from the turns of the session
	GapFromCustomer     GapSource = "customer"     // the answer to a question
)

// CancelFillInput is the input of cancel-fill. It closes the open question of a gap fill. The fill asks no further
// question, completes writes that are in progress, and ends with its result.
type CancelFillInput struct {
	// FillID is the id of the fill-gaps operation.
	FillID uuid.UUID `json:"fill_id" validate:"required"`
}

// CancelResult is the result of cancel-fill.
type CancelResult struct {
	FillID uuid.UUID `json:"fill_id"`
	// QuestionID is the question that was closed. nil: none was open.
	QuestionID *uuid.UUID `json:"question_id,omitempty"`
}

// AnswerQuestionInput is the input of answer-question: the answer of a customer.
type AnswerQuestionInput struct {
	QuestionID uuid.UUID `json:"question_id" validate:"required"`
	// Value is the answer: a value, or the words of the customer. It is read in the customer's words only if it is a text.
	Value json.RawMessage `json:"value" validate:"required"`
	// SessionID is the conversation of the answer. Optional.
	SessionID *uuid.UUID `json:"session_id,omitempty"`
	// Channel is where the answer came from, such as "phone". Empty: it is not said.
	Channel string `json:"channel,omitempty" validate:"max=50" doc:"The channel of the answer, such as phone. The question names it as answered_on."`
}

// ClaimQuestionInput is the input of claim-question. A channel that claims an open question asks it alone for some
// time.
type ClaimQuestionInput struct {
	QuestionID uuid.UUID `json:"question_id" validate:"required"`
	Channel    string    `json:"channel" validate:"required,max=50" doc:"The channel that asks the question, such as phone."`
	// Seconds is the duration of the claim. 0: DefaultClaim.
	Seconds int `json:"seconds,omitempty" validate:"min=0,max=3600" doc:"The duration of the claim. 0: 60 seconds."`
}

// DefaultClaim is the duration of a claim that names none.
const DefaultClaim = time.Minute

// Duration returns the duration of the claim.
func (in ClaimQuestionInput) Duration() time.Duration {
	if in.Seconds == 0 {
		return DefaultClaim
	}
	return time.Duration(in.Seconds) * time.Second
}

// ClaimResult is the result of claim-question.
type ClaimResult struct {
	QuestionID   uuid.UUID `json:"question_id"`
	Channel      string    `json:"channel"`
	ClaimedUntil time.Time `json:"claimed_until"`
}
