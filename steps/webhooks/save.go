package webhooks

import (
	"cmp"
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/rules/webhook"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/vault"
)

// Feed reads events for deliveries.
type Feed interface {
	// Event returns an event by its position, with the value if access is not nil and allows it.
	Event(
		ctx context.Context, tenant uuid.UUID, position int64, access *vault.Access, by vault.Actor,
	) (vault.FeedEvent, error)
}

// Webhooks saves webhooks and delivers events to them.
type Webhooks struct {
	Once once.Runner
	Feed Feed
	// Private allows private addresses and http.
	Private bool
	// Timeout is the maximum time of one attempt. 0: 15 seconds.
	Timeout time.Duration
	Now     func() time.Time
	Log     *slog.Logger

	sender *sender
}

// New returns the steps.
func New(w Webhooks) Webhooks {
	w.sender = newSender(w.Private, cmp.Or(w.Timeout, sendTimeout))
	return w
}

// SaveWebhook creates or replaces a webhook. A save that is older than the last one changes nothing.
func (s Webhooks) SaveWebhook(ctx context.Context, ev vault.Event) (once.Stored[vault.SavedResult], error) {
	return once.Store(ctx, s.Once, ev, func(
		q *dbgen.Queries, op dbgen.Operation, in vault.SaveWebhookInput,
	) (vault.SavedResult, error) {
		out := vault.SavedResult{ID: in.WebhookID}
		if err := rules.Check(in); err != nil {
			return out, err
		}
		if problems := webhook.Check(in, s.Private); len(problems) > 0 {
			return out, vault.Join(problems)
		}
		key := keyOf(vault.Actor(op.Actor))
		if in.Values && key == nil {
			return out, vault.Invalid("values", "needs a request with an API key, whose rights decide about values")
		}
		// The positions are locked before the webhook, as deliver-webhooks does.
		last, err := db.PublishAllEvents(ctx, q, ev.TenantID)
		if err != nil {
			return out, err
		}
		if err := checkVersion(ctx, q, ev.TenantID, in.Based, in.WebhookID); err != nil {
			return out, err
		}
		row, err := q.LockWebhook(ctx, ev.TenantID, in.WebhookID)
		exists := err == nil && row.DeletedAt == nil
		switch {
		case err != nil && !db.IsNotFound(err):
			return out, err
		case in.IfVersion == nil && err == nil && row.AcceptedAt.After(op.AcceptedAt):
			return out, nil // a newer save or deletion was applied before
		}
		save := dbgen.SaveWebhookParams{
			TenantID: ev.TenantID, ID: in.WebhookID, Url: in.URL, Types: typesOf(in.Types), AgentID: in.AgentID,
			ShowsValues: in.Values, KeyID: key, Enabled: in.Enabled == nil || *in.Enabled, QueuedTo: last,
			OperationID: op.ID, AcceptedAt: op.AcceptedAt,
		}
		if !exists {
			n, err := q.CountWebhooks(ctx, ev.TenantID)
			if err != nil {
				return out, err
			}
			if n >= vault.MaxWebhooks {
				return out, vault.Conflict("webhook_id",
					"webhook_id: the tenant has %d webhooks, which is the limit; delete one first", n)
			}
			if in.Secret == "" {
				return out, vault.Invalid("secret", "is required for a new webhook: whsec_ and random bytes in base64")
			}
		}
		if err := s.secrets(ctx, ev.TenantID, in, row, exists, &save); err != nil {
			return out, err
		}
		return out, q.SaveWebhook(ctx, save)
	})
}

// secrets sets the sealed secrets of a save: a secret that is replaced still signs for a while.
func (s Webhooks) secrets(
	ctx context.Context, tenant uuid.UUID, in vault.SaveWebhookInput, row dbgen.Webhook, exists bool,
	save *dbgen.SaveWebhookParams,
) error {
	if exists {
		save.Secret, save.PreviousSecret, save.PreviousUntil = row.Secret, row.PreviousSecret, row.PreviousUntil
	}
	if in.Secret == "" {
		return nil
	}
	if exists {
		known, err := s.Once.Sealer.OpenBytes(ctx, tenant, in.WebhookID, row.Secret)
		if err != nil {
			return err
		}
		if string(known) == in.Secret {
			return nil
		}
		until := db.UTC(s.Now().Add(vault.SecretOverlap))
		save.PreviousSecret, save.PreviousUntil = row.Secret, &until
	}
	var err error
	save.Secret, err = s.Once.Sealer.SealBytes(ctx, db.Owner{TenantID: tenant}, in.WebhookID, []byte(in.Secret))
	return err
}

func typesOf(types []vault.EventType) []string {
	out := make([]string, len(types))
	for i, t := range types {
		out[i] = string(t)
	}
	return out
}

// keyOf returns the API key of an actor, nil if it is none.
func keyOf(a vault.Actor) *uuid.UUID {
	text, found := strings.CutPrefix(string(a), "key:")
	id, err := uuid.Parse(text)
	if !found || err != nil {
		return nil
	}
	return &id
}

// Stopped says that a webhook makes no attempt any more.
type Stopped struct{ once.NoEffect }

// Times of StopDeliveries.
const (
	// stopPoll is the interval at which it looks for attempts that have not ended.
	stopPoll = 200 * time.Millisecond
	// stopFor is the time after which it fails and is tried again: it ends before the time-out of its step. The lease of
	// a lost worker takes some tries.
	stopFor = 20 * time.Second
)

// StopDeliveries disables a webhook that is about to be deleted, and waits until its attempts have ended: once the
// deletion is acknowledged, no request is on its way.
func (s Webhooks) StopDeliveries(ctx context.Context, ev vault.Event) (Stopped, error) {
	var webhook uuid.UUID
	err := once.Staged(ctx, s.Once, ev, func(tx pgx.Tx, op dbgen.Operation, in vault.DeleteWebhookInput) error {
		q := dbgen.New(tx)
		row, err := lock(ctx, q, ev.TenantID, in.WebhookID)
		if err != nil || in.IfVersion == nil && row.AcceptedAt.After(op.AcceptedAt) {
			return err
		}
		if err := checkVersion(ctx, q, ev.TenantID, in.Based, in.WebhookID); err != nil {
			return err
		}
		webhook = in.WebhookID
		return q.DisableWebhook(ctx, dbgen.DisableWebhookParams{TenantID: ev.TenantID, ID: in.WebhookID})
	})
	if err != nil || webhook == uuid.Nil {
		return Stopped{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, stopFor)
	defer cancel()
	poll := time.NewTicker(stopPoll)
	defer poll.Stop()
	for {
		n, err := s.Once.DB.Tenant(ev.TenantID).CountAttempts(ctx, ev.TenantID, webhook)
		if err != nil || n == 0 {
			return Stopped{}, err
		}
		select {
		case <-ctx.Done():
			return Stopped{}, vault.Unavailable("the webhook, whose attempts have not ended", ctx.Err())
		case <-poll.C:
		}
	}
}

// DeleteWebhook deletes a webhook with its secrets and deliveries. Nothing is delivered afterwards.
func (s Webhooks) DeleteWebhook(ctx context.Context, ev vault.Event) (once.Stored[vault.SavedResult], error) {
	return once.Store(ctx, s.Once, ev, func(
		q *dbgen.Queries, op dbgen.Operation, in vault.DeleteWebhookInput,
	) (vault.SavedResult, error) {
		out := vault.SavedResult{ID: in.WebhookID}
		row, err := lock(ctx, q, ev.TenantID, in.WebhookID)
		if err != nil || in.IfVersion == nil && row.AcceptedAt.After(op.AcceptedAt) {
			return out, err
		}
		if err := checkVersion(ctx, q, ev.TenantID, in.Based, in.WebhookID); err != nil {
			return out, err
		}
		err = q.DeleteWebhook(ctx, dbgen.DeleteWebhookParams{
			TenantID: ev.TenantID, ID: in.WebhookID, OperationID: op.ID, AcceptedAt: op.AcceptedAt,
		})
		if err != nil {
			return out, err
		}
		return out, q.RemoveDeliveries(ctx, ev.TenantID, in.WebhookID)
	})
}

// TestWebhook adds a delivery of the type webhook.test.
func (s Webhooks) TestWebhook(ctx context.Context, ev vault.Event) (once.Stored[vault.TestWebhookResult], error) {
	return once.Store(ctx, s.Once, ev, func(
		q *dbgen.Queries, op dbgen.Operation, in vault.TestWebhookInput,
	) (vault.TestWebhookResult, error) {
		out := vault.TestWebhookResult{WebhookID: in.WebhookID, DeliveryID: op.ID}
		row, err := lock(ctx, q, ev.TenantID, in.WebhookID)
		if err == nil && !row.Enabled {
			err = vault.Conflict("webhook_id", "webhook_id: the webhook is disabled; save it with enabled true first")
		}
		if err == nil {
			_, err = q.InsertTestDelivery(ctx, dbgen.InsertTestDeliveryParams{
				TenantID: ev.TenantID, ID: op.ID, WebhookID: in.WebhookID,
			})
		}
		return out, err
	})
}

// ReplayDeliveries makes dead deliveries due again.
func (s Webhooks) ReplayDeliveries(
	ctx context.Context, ev vault.Event,
) (once.Stored[vault.ReplayDeliveriesResult], error) {
	return once.Store(ctx, s.Once, ev, func(
		q *dbgen.Queries, _ dbgen.Operation, in vault.ReplayDeliveriesInput,
	) (vault.ReplayDeliveriesResult, error) {
		out := vault.ReplayDeliveriesResult{WebhookID: in.WebhookID}
		if _, err := lock(ctx, q, ev.TenantID, in.WebhookID); err != nil {
			return out, err
		}
		var err error
		out.Replayed, err = q.ReplayDeliveries(ctx, dbgen.ReplayDeliveriesParams{
			TenantID: ev.TenantID, WebhookID: in.WebhookID, ID: in.DeliveryID,
		})
		if err == nil && out.Replayed == 0 && in.DeliveryID != nil {
			err = vault.Unknown("delivery", *in.DeliveryID)
		}
		return out, err
	})
}

// checkVersion rejects a change of a webhook that is based on another version than the stored one.
func checkVersion(ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, based vault.Based, id uuid.UUID) error {
	return once.CheckVersion(ctx, q, tenant, based, "webhook "+id.String(), func() (once.Current, error) {
		row, err := q.LockWebhook(ctx, tenant, id)
		return once.Current{Version: row.OperationID, ChangedAt: row.UpdatedAt, Deleted: row.DeletedAt != nil}, err
	})
}

// lock locks a webhook that is not deleted.
func lock(ctx context.Context, q *dbgen.Queries, tenant, id uuid.UUID) (dbgen.Webhook, error) {
	row, err := q.LockWebhook(ctx, tenant, id)
	if err != nil {
		return row, db.WrapNotFound(err, "webhook", id)
	}
	if row.DeletedAt != nil {
		return row, vault.Unknown("webhook", id)
	}
	return row, nil
}
