package once

import (
	"context"
	"time"

	"github.com/contextvault/contextvault/vault"
)

// Enqueuer hands work to the workflow engine. Package trigger implements it.
type Enqueuer interface {
	// Enqueue pushes the event of an accepted operation and notes that it was pushed.
	Enqueue(ctx context.Context, event string, ev vault.Event) error
	// PushScoped pushes an event to whoever waits for it durably under scope.
	PushScoped(ctx context.Context, event, scope string, ev vault.Event) error
	// RelayDue pushes the accepted operations that are due, at most that many, and says how many it pushed.
	RelayDue(ctx context.Context, limit int) (int, error)
}

// Settings are the numbers a person may tune. They come from the configuration.
type Settings struct {
	Mode             vault.ValidationMode // for definitions without a mode of their own
	UseThreshold     float64              // an extracted value below it is never stored
	ConfirmThreshold float64              // an extracted value below it waits for confirmation
	MatchThreshold   float64              // cosine similarity from which a proposed field is an existing one
	// ConversationBytes is how much of a conversation a model reads at once. 0: DefaultConversationBytes.
	ConversationBytes int
	Model             ModelLimits
	SweepBatch        int           // rows a sweep marks in one transaction
	RetainSucceeded   time.Duration // how long a succeeded operation is kept
	RetainFailed      time.Duration // how long a failed operation can be replayed
}
