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
		if err != nil {
			return err
		}
		now, err := q.PublishEvents(ctx, dbgen.PublishEventsParams{TenantID: tenant, Last: last, MaxRows: publishAtOnce})
		more = now-last == publishAtOnce
		return err
	})
	return more, err
}

// LockEventHead locks the positions of the feed of a tenant, and returns the last one.
func LockEventHead(ctx context.Context, q *dbgen.Queries, tenant uuid.UUID) (int64, error) {
	if err := q.EnsureEventHead(ctx, tenant); err != nil {
		return 0, err
	}
	return q.LockEventHead(ctx, tenant)
}
