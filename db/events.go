package db

import (
	"context"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/vault"
)

// FeedEventOf converts a published row of events.
func FeedEventOf(r dbgen.Event) vault.FeedEvent {
	out := vault.FeedEvent{
		Type: vault.EventType(r.Type), At: r.At.UTC(), CustomerID: r.CustomerID, IntoCustomerID: r.OtherCustomerID,
		AgentID: r.AgentID, SubjectID: r.SubjectID, OperationID: r.OperationID, Kind: r.Kind, Name: r.Name, Status: r.Status,
	}
	if r.Position != nil {
		out.ID = *r.Position
	}
	return out
}

// publishAtOnce is the number of events that one transaction publishes.
const publishAtOnce = 2000

// PublishEvents gives the events of a tenant that are visible now their positions in its feed, up to a number of them
// at once. more reports whether others are left. The order is explained in db/schema.
func (d *DB) PublishEvents(ctx context.Context, tenant uuid.UUID) (more bool, err error) {
	some, err := d.Tenant(tenant).HasUnpublishedEvents(ctx, tenant)
	if err != nil || !some {
		return false, err
	}
	err = d.InTx(ctx, tenant, func(q *dbgen.Queries) error {
		last, err := LockEventHead(ctx, q, tenant)
		if err == nil {
			_, more, err = publish(ctx, q, tenant, last)
		}
		return err
	})
	return more, err
}

// PublishAllEvents is PublishEvents for all of them, in a transaction. It returns the last position of the feed.
func PublishAllEvents(ctx context.Context, q *dbgen.Queries, tenant uuid.UUID) (last int64, err error) {
	last, err = LockEventHead(ctx, q, tenant)
	for more := true; more && err == nil; {
		last, more, err = publish(ctx, q, tenant, last)
	}
	return last, err
}

// publish gives positions after the last one, and returns the new last one.
func publish(
	ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, last int64,
) (now int64, more bool, err error) {
	now, err = q.PublishEvents(ctx, dbgen.PublishEventsParams{TenantID: tenant, Last: last, MaxRows: publishAtOnce})
	return now, now-last == publishAtOnce, err
}

// LockEventHead locks the positions of the feed of a tenant, and returns the last one.
func LockEventHead(ctx context.Context, q *dbgen.Queries, tenant uuid.UUID) (int64, error) {
	if err := q.EnsureEventHead(ctx, tenant); err != nil {
		return 0, err
	}
	return q.LockEventHead(ctx, tenant)
}

// WebhookOf converts a row of webhooks.
func WebhookOf(r dbgen.GetWebhookRow) vault.Webhook {
	out := vault.Webhook{
		ID: r.ID, URL: r.Url, AgentID: r.AgentID, Values: r.ShowsValues, KeyID: r.KeyID, Enabled: r.Enabled,
		DisabledReason: r.DisabledReason, PreviousUntil: r.PreviousUntil, CreatedAt: r.CreatedAt.UTC(),
		UpdatedAt: r.UpdatedAt.UTC(), Version: r.OperationID, Types: make([]vault.EventType, len(r.Types)),
	}
	for i, t := range r.Types {
		out.Types[i] = vault.EventType(t)
	}
	return out
}

// DeliveryOf converts a row of webhook_deliveries.
func DeliveryOf(r dbgen.PageDeliveriesRow) vault.Delivery {
	out := vault.Delivery{
		ID: r.ID, Seq: r.Seq, EventID: r.Position, Type: r.Type, Status: vault.DeliveryStatus(r.Status),
		Attempts: int(r.Attempts), LastError: r.LastError, CreatedAt: r.CreatedAt.UTC(), FinishedAt: r.FinishedAt,
	}
	if out.Status == vault.DeliveryPending {
		next := r.NextAt.UTC()
		out.NextAt = &next
	}
	if r.LastStatus != nil {
		status := int(*r.LastStatus)
		out.LastStatus = &status
	}
	return out
}
