package vault

import (
	"time"

	"github.com/google/uuid"
)

// MaxWebhooks is the maximum number of webhooks of a tenant.
const MaxWebhooks = 50

// SecretOverlap is the time for which the secret that a save replaces still signs.
const SecretOverlap = 24 * time.Hour

// SaveWebhookInput is the input of save-webhook. It creates a subscription to the feed, or replaces it. A new one
// begins with what happens from then on.
type SaveWebhookInput struct {
	Based

	WebhookID uuid.UUID `json:"webhook_id" validate:"required"`
	URL       string    `json:"url" validate:"required,max=2000" doc:"The address that receives the events: https, and not a private one unless the configuration allows it."`
	// Types selects events. None: all.
	Types   []EventType `json:"types,omitempty" validate:"max=100" doc:"The types of the events. Absent: all."`
	AgentID *uuid.UUID  `json:"agent_id,omitempty" doc:"Only events of this agent. Absent: all."`
	Values  bool        `json:"values,omitempty" doc:"Send the values that the key of this request may see, by its purpose, as long as the key is valid."`
	// Enabled is true if it is absent.
	Enabled *bool `json:"enabled,omitempty" doc:"false: deliver nothing until it is saved again. Absent: true."`
	// Secret signs the deliveries. A new webhook needs one.
	Secret string `json:"secret,omitempty" validate:"max=200" doc:"Signs the deliveries: whsec_ and 24 to 64 random bytes in base64. A new webhook needs one; no read returns it. Another one than before replaces it, and the one before still signs for 24 hours. Absent: it stays."`
}

// DeleteWebhookInput is the input of delete-webhook. Nothing is delivered after it.
type DeleteWebhookInput struct {
	Based

	WebhookID uuid.UUID `json:"webhook_id" validate:"required"`
}

// TestWebhookInput is the input of test-webhook. It delivers a message of the type webhook.test.
type TestWebhookInput struct {
	WebhookID uuid.UUID `json:"webhook_id" validate:"required"`
}

// ReplayDeliveriesInput is the input of replay-deliveries. It makes dead deliveries due again.
type ReplayDeliveriesInput struct {
	WebhookID uuid.UUID `json:"webhook_id" validate:"required"`
	// DeliveryID is nil for all dead deliveries of the webhook.
	DeliveryID *uuid.UUID `json:"delivery_id,omitempty" doc:"The delivery. Absent: all dead deliveries of the webhook."`
}

// TestWebhookResult is the result of test-webhook.
type TestWebhookResult struct {
	WebhookID  uuid.UUID `json:"webhook_id"`
	DeliveryID uuid.UUID `json:"delivery_id" doc:"The delivery; list-deliveries shows its outcome."`
}

// ReplayDeliveriesResult is the result of replay-deliveries.
type ReplayDeliveriesResult struct {
	WebhookID uuid.UUID `json:"webhook_id"`
	Replayed  int64     `json:"replayed" doc:"The number of deliveries."`
}

// Webhook is a subscription to the feed, without its secret.
type Webhook struct {
	ID      uuid.UUID   `json:"webhook_id"`
	URL     string      `json:"url"`
	Types   []EventType `json:"types" doc:"None: all."`
	AgentID *uuid.UUID  `json:"agent_id,omitempty"`
	Values  bool        `json:"values"`
	KeyID   *uuid.UUID  `json:"key_id,omitempty" doc:"The API key that saved it, whose rights decide about values."`
	Enabled bool        `json:"enabled"`
	// DisabledReason is empty if a person disabled the webhook.
	DisabledReason string `json:"disabled_reason,omitempty" doc:"The reason that the vault disabled it: gone, as the receiver answered 410, or loop, as it leads to a vault."`
	// PreviousUntil is the time up to which the secret before the last change signs too.
	PreviousUntil *time.Time `json:"previous_secret_until,omitempty" doc:"Up to then the secret before the last change signs too."`
	CreatedAt     time.Time  `json:"created_at"`
	UpdatedAt     time.Time  `json:"updated_at"`
	// Version is the operation that changed it last.
	Version uuid.UUID `json:"version,omitzero" doc:"Its version: the operation that changed it last. Pass it as if_version with a change that is based on it."`
}

// DeliveryStatus is the state of a delivery.
type DeliveryStatus string

const (
	DeliveryPending   DeliveryStatus = "pending"   // it waits for an attempt
	DeliveryDelivered DeliveryStatus = "delivered" // the receiver answered 2xx
	DeliveryDead      DeliveryStatus = "dead"      // all attempts failed; replay-deliveries makes it due again
)

// DeliveryStatuses lists all statuses.
var DeliveryStatuses = []DeliveryStatus{DeliveryPending, DeliveryDelivered, DeliveryDead}

// Delivery is one event, or a test, for a webhook.
type Delivery struct {
	ID         uuid.UUID      `json:"delivery_id" doc:"The header webhook-id of each attempt."`
	Seq        int64          `json:"-"`
	EventID    *int64         `json:"event_id,omitempty" doc:"The event of the feed. Absent: a test."`
	Type       string         `json:"type" doc:"The type of the event, or webhook.test."`
	Status     DeliveryStatus `json:"status"`
	Attempts   int            `json:"attempts"`
	NextAt     *time.Time     `json:"next_at,omitempty" doc:"The time of the next attempt, of a pending delivery."`
	LastStatus *int           `json:"last_status,omitempty" doc:"The HTTP status of the last answer."`
	LastError  string         `json:"last_error,omitempty" doc:"Why the last attempt failed."`
	CreatedAt  time.Time      `json:"created_at"`
	FinishedAt *time.Time     `json:"finished_at,omitempty"`
}

// EventTestWebhook is the type of the message of test-webhook. The feed has none of it.
const EventTestWebhook = "webhook.test"

// EventDeliverWebhooks is the event that starts deliver-webhooks. It carries no operation.
const EventDeliverWebhooks = "webhooks:deliver"
