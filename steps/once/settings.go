package once

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/vault"
)

// Enqueuer hands work to the workflow engine. Package trigger implements it.
type Enqueuer interface {
	// Enqueue pushes the events of accepted operations. After an error the relay pushes the rest.
	Enqueue(ctx context.Context, ops ...dbgen.Operation) error
	// Wake pushes the gap fills that have something new to look at, of one tenant, or of all tenants for uuid.Nil. It
	// returns the number of pushed fills.
	Wake(ctx context.Context, tenant uuid.UUID) (int, error)
	// RelayDue pushes up to limit accepted operations that are due. It returns the number of pushed operations.
	RelayDue(ctx context.Context, limit int) (int, error)
}

// Settings are the tunable numbers of the steps. They come from the configuration.
type Settings struct {
	Mode             vault.ValidationMode // for definitions that set no mode
	UseThreshold     float64              // an extracted value with less confidence is never stored
	ConfirmThreshold float64              // an extracted value with less confidence needs confirmation
	MatchThreshold   float64              // minimum cosine similarity between a proposed and an existing field
	// ConversationBytes limits the part of a conversation that one model call reads. 0: DefaultConversationBytes.
	ConversationBytes int
	QuietAfter        time.Duration  // time without a turn after which a session is read; 0: on request only
	TimeZone          *time.Location // of customers whose time zone is unknown; nil: UTC
	Model             ModelLimits
	SweepBatch        int           // rows that a sweep marks in one transaction
	RetainSucceeded   time.Duration // retention of a succeeded operation
	PurgeAfter        time.Duration // from the deletion of a customer to its erasure; 0: only on request
	ExportFor         time.Duration // how long an export can be fetched
	RetainFailed      time.Duration // retention of a failed operation, which can be replayed until then
	RetainEvents      time.Duration // retention of an event of the feed
	TenantKeyLife     time.Duration // age at which the key of a tenant is rotated; 0: only on request
	PrivateWebhooks   bool          // webhooks may lead to private addresses
}
