package webhooks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/rules/webhook"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/vault"
)

const (
	// attemptsAtOnce is the number of attempts that one run makes at the same time.
	attemptsAtOnce = 16
	// maxOfWebhook is the number of attempts for one webhook at the same time, so that a slow receiver leaves the others
	// their turns.
	maxOfWebhook = 4
	// lease is longer than an attempt takes. A worker that is lost leaves its deliveries to the others after it.
	lease = 60 * time.Second
	// runFor is the time after which a run makes no further attempt: it ends before a worker that stops gives up on it.
	runFor = 10 * time.Second
	// maxAttempt is the time of an attempt with all that it reads. It ends before its lease, so no other worker makes it
	// at the same time.
	maxAttempt = lease - 10*time.Second
)

// Delivered counts the work of DeliverDue.
type Delivered struct {
	once.NoEffect

	Attempts int64 `json:"attempts"`
	// Unfinished are attempts whose outcome is not known. They are made again once their leases end.
	Unfinished int64 `json:"unfinished"`
}

// DeliverDue makes deliveries of the new events of all webhooks, and carries out those that are due, for some seconds.
// Each delivery is a row with a lease, so runs can overlap, and a run that was lost loses nothing. A webhook or a
// delivery that fails does not hold up the others.
func (s Webhooks) DeliverDue(ctx context.Context, _ vault.Event) (Delivered, error) {
	unqueued := s.queue(ctx)
	end := time.Now().Add(runFor)
	var attempts, unfinished atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for range attemptsAtOnce {
		g.Go(func() error {
			for time.Now().Before(end) {
				row, err := s.Once.DB.System().ClaimDelivery(ctx, lease, maxOfWebhook)
				if db.IsNotFound(err) {
					return nil
				}
				if err != nil {
					return err
				}
				attempts.Add(1)
				if err := s.attempt(ctx, row); err != nil {
					unfinished.Add(1)
					s.Log.WarnContext(ctx, "webhook_attempt_unfinished", "webhook_id", row.WebhookID, "delivery_id", row.ID,
						"tenant_id", row.TenantID, "error_code", vault.CodeOf(err))
				}
				if ctx.Err() != nil {
					return ctx.Err()
				}
			}
			return nil
		})
	}
	err := errors.Join(unqueued, g.Wait())
	return Delivered{Attempts: attempts.Load(), Unfinished: unfinished.Load()}, err
}

// queue makes deliveries of the events that the webhooks have not seen.
func (s Webhooks) queue(ctx context.Context) error {
	all, err := s.Once.DB.System().ListEnabledWebhooks(ctx)
	if err != nil {
		return err
	}
	var failed []error
	for _, w := range all {
		var err error
		for more := true; more && err == nil; {
			err = s.Once.DB.InTx(ctx, w.TenantID, func(q *dbgen.Queries) error {
				if _, err := db.PublishAllEvents(ctx, q, w.TenantID); err != nil {
					return err
				}
				row, err := q.LockWebhook(ctx, w.TenantID, w.ID)
				if err != nil || !row.Enabled {
					more = false
					return err
				}
				more, err = q.QueueDeliveries(ctx, w.TenantID, w.ID)
				return err
			})
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("queue the deliveries of webhook %s: %w", w.ID, err))
		}
	}
	return errors.Join(failed...)
}

// message is the body of a delivery.
type message struct {
	Type      string           `json:"type"`
	Timestamp time.Time        `json:"timestamp"`
	Data      *vault.FeedEvent `json:"data"`
}

// disables has the answers that disable a webhook, with the reason that it shows.
var disables = map[int]string{http.StatusGone: "gone", http.StatusLoopDetected: "loop"}

// attempt makes one attempt and records its outcome.
func (s Webhooks) attempt(ctx context.Context, row dbgen.ClaimDeliveryRow) error {
	ctx, cancel := context.WithTimeout(ctx, maxAttempt)
	defer cancel()
	body, err := s.body(ctx, row)
	switch {
	case vault.CodeOf(err) == vault.CodeUnknown:
		return s.finish(ctx, row, outcome{problem: "the event is not kept any longer"}, false)
	case err != nil:
		return err // the lease ends, and another attempt follows
	}
	secrets := []string{}
	for _, sealed := range [][]byte{row.Secret, row.PreviousSecret} {
		if len(sealed) == 0 || len(secrets) == 1 && (row.PreviousUntil == nil || !s.Now().Before(*row.PreviousUntil)) {
			continue
		}
		plain, err := s.Once.Sealer.OpenBytes(ctx, row.TenantID, row.WebhookID, sealed)
		if err != nil {
			return s.finish(ctx, row, outcome{problem: "the secret of the webhook cannot be opened"}, true)
		}
		secrets = append(secrets, string(plain))
	}
	out := s.sender.send(ctx, request{url: row.Url, id: row.ID.String(), at: s.Now(), body: body, secrets: secrets})
	if ctx.Err() != nil && out.status == 0 {
		return ctx.Err() // the worker stops; the lease ends
	}
	if reason := disables[out.status]; reason != "" {
		if err := s.Once.DB.Tenant(row.TenantID).DisableWebhook(ctx, dbgen.DisableWebhookParams{
			TenantID: row.TenantID, ID: row.WebhookID, Reason: reason,
		}); err != nil {
			return err
		}
		s.Log.WarnContext(ctx, "webhook_disabled", "webhook_id", row.WebhookID, "tenant_id", row.TenantID, "reason", reason)
	}
	return s.finish(ctx, row, out, true)
}

// finish records the outcome of an attempt.
func (s Webhooks) finish(ctx context.Context, row dbgen.ClaimDeliveryRow, out outcome, retry bool) error {
	in := dbgen.FinishAttemptParams{
		Seq: row.Seq, Attempts: row.Attempts, Status: string(vault.DeliveryDelivered), NextAt: db.UTC(s.Now()),
		LastError: out.problem,
	}
	if out.status != 0 {
		status := int32(out.status) //nolint:gosec // three digits
		in.LastStatus = &status
	}
	if out.problem != "" {
		in.Status = string(vault.DeliveryDead)
		if wait, more := webhook.Wait(int(row.Attempts)); more && retry {
			in.Status, in.NextAt = string(vault.DeliveryPending), db.UTC(s.Now().Add(wait))
		}
	}
	if in.Status == string(vault.DeliveryDead) {
		s.Log.WarnContext(ctx, "webhook_delivery_dead", "webhook_id", row.WebhookID, "delivery_id", row.ID,
			"tenant_id", row.TenantID)
	}
	return s.Once.DB.Tenant(row.TenantID).FinishAttempt(ctx, in)
}

// body returns the body of a delivery: the event as its reader may see it now.
func (s Webhooks) body(ctx context.Context, row dbgen.ClaimDeliveryRow) ([]byte, error) {
	if row.Position == nil {
		return json.Marshal(message{Type: vault.EventTestWebhook, Timestamp: row.CreatedAt.UTC()})
	}
	var access *vault.Access
	var by vault.Actor
	if row.ShowsValues && row.KeyID != nil {
		var err error
		if access, err = s.accessOf(ctx, row); err != nil {
			return nil, err
		}
		by = vault.KeyActor(*row.KeyID)
	}
	event, err := s.Feed.Event(ctx, row.TenantID, *row.Position, access, by)
	if err != nil {
		return nil, err
	}
	return json.Marshal(message{Type: string(event.Type), Timestamp: event.At, Data: &event})
}

// accessOf returns what the key of a webhook may see, nil if it is not valid any more or may not read.
func (s Webhooks) accessOf(ctx context.Context, row dbgen.ClaimDeliveryRow) (*vault.Access, error) {
	key, err := s.Once.DB.Tenant(row.TenantID).GetKeyRights(ctx, row.TenantID, *row.KeyID)
	if db.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if key.RevokedAt != nil || key.ExpiresAt != nil && !key.ExpiresAt.After(s.Now()) ||
		!slices.Contains(key.Scopes, "read") && !slices.Contains(key.Scopes, "admin") {
		return nil, nil
	}
	return &vault.Access{Purpose: key.Purpose, Masked: !key.Pii, Operation: "deliver-webhooks"}, nil
}
