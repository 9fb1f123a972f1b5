package query

import (
	"context"
	"math"
	"slices"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/internal/agents"
	"github.com/contextvault/contextvault/vault"
)

// eventWindow is the number of positions that one page of filtered events searches.
const eventWindow = 20_000

// EventsPage returns events of the feed of a tenant, from after a position; nil: from the oldest that is kept. With
// values, events show the values that the reader may see. A page with large values ends early.
//
// It publishes what was added to the feed (db.PublishEvents): that is the one write of this package.
func (q *Queries) EventsPage(
	ctx context.Context, tenant uuid.UUID, filter vault.EventFilter, after *int64, limit int, values bool,
) (vault.EventPage, error) {
	if err := checkEventFilter(filter); err != nil {
		return vault.EventPage{}, err
	}
	if filter.AgentID != nil {
		if err := agents.CheckAgent(ctx, *filter.AgentID); err != nil {
			return vault.EventPage{}, err
		}
	}
	more, err := q.db.PublishEvents(ctx, tenant)
	if err != nil {
		return vault.EventPage{}, err
	}
	from, last, err := q.eventBounds(ctx, tenant, after)
	if err != nil {
		return vault.EventPage{}, err
	}
	page, err := q.eventRows(ctx, tenant, filter, from, last, min(limit, MaxPage))
	page.More = page.More || more
	if err != nil || !values {
		return page, err
	}
	return page, q.showEventValues(ctx, tenant, &page)
}

// LastEvent returns the last position in the feed of a tenant: a page that begins after it has what happens from now
// on.
func (q *Queries) LastEvent(ctx context.Context, tenant uuid.UUID) (int64, error) {
	for {
		more, err := q.db.PublishEvents(ctx, tenant)
		if err != nil {
			return 0, err
		}
		if !more {
			_, last, err := q.eventBounds(ctx, tenant, nil)
			return last, err
		}
	}
}

// Event returns an event by its position, for a webhook. With access, it shows the value that the access allows, and
// records that for the actor.
func (q *Queries) Event(
	ctx context.Context, tenant uuid.UUID, position int64, access *vault.Access, by vault.Actor,
) (vault.FeedEvent, error) {
	row, err := q.db.Tenant(tenant).GetEvent(ctx, tenant, position)
	if err != nil {
		return vault.FeedEvent{}, db.WrapNotFound(err, "event", position)
	}
	page := vault.EventPage{Items: []vault.FeedEvent{db.FeedEventOf(row)}}
	if access == nil {
		return page.Items[0], nil
	}
	ctx = vault.WithActor(WithAccess(ctx, *access), by)
	if err := q.showEventValues(ctx, tenant, &page); err != nil {
		return vault.FeedEvent{}, err
	}
	return page.Items[0], q.RecordReads(ctx)
}

// Webhooks returns the webhooks of a tenant, sorted by id.
func (q *Queries) Webhooks(ctx context.Context, tenant uuid.UUID) ([]vault.Webhook, error) {
	rows, err := q.db.Tenant(tenant).ListWebhooks(ctx, tenant)
	out := make([]vault.Webhook, len(rows))
	for i, row := range rows {
		out[i] = db.WebhookOf(dbgen.GetWebhookRow(row))
	}
	return out, err
}

// Webhook returns a webhook without its secret.
func (q *Queries) Webhook(ctx context.Context, tenant, id uuid.UUID) (vault.Webhook, error) {
	row, err := q.db.Tenant(tenant).GetWebhook(ctx, tenant, id)
	if err != nil {
		return vault.Webhook{}, db.WrapNotFound(err, "webhook", id)
	}
	return db.WebhookOf(row), nil
}

// DeliveriesPage returns deliveries of a webhook, newest first, of a status; "": of all. before is Delivery.Seq of the
// last entry of the page before; nil: the first page.
func (q *Queries) DeliveriesPage(
	ctx context.Context, tenant, webhook uuid.UUID, status vault.DeliveryStatus, before *int64, limit int,
) (page []vault.Delivery, more bool, err error) {
	if status != "" && !slices.Contains(vault.DeliveryStatuses, status) {
		return nil, false, vault.Invalid("status", "must be %s", vault.OneOf(vault.DeliveryStatuses))
	}
	if _, err := q.Webhook(ctx, tenant, webhook); err != nil {
		return nil, false, err
	}
	in := dbgen.PageDeliveriesParams{
		TenantID: tenant, WebhookID: webhook, Before: math.MaxInt64, Status: string(status),
		MaxRows: int32(min(limit, MaxPage)) + 1, //nolint:gosec // at most MaxPage
	}
	if before != nil {
		in.Before = *before
	}
	rows, err := q.db.Tenant(tenant).PageDeliveries(ctx, in)
	if err != nil {
		return nil, false, err
	}
	page, more = pageOf(rows, limit, db.DeliveryOf)
	return page, more, nil
}

func checkEventFilter(filter vault.EventFilter) error {
	for _, t := range filter.Types {
		if !slices.Contains(vault.EventTypes, t) {
			return vault.Invalid("types", "has a type of events that does not exist; the types are %s",
				vault.OneOf(vault.EventTypes))
		}
	}
	return nil
}

// eventBounds returns the position from which a page begins, and the last one of the feed.
func (q *Queries) eventBounds(ctx context.Context, tenant uuid.UUID, after *int64) (from, last int64, err error) {
	head, err := q.db.Tenant(tenant).GetEventHead(ctx, tenant)
	if err != nil && !db.IsNotFound(err) { // without one, nothing has ever happened
		return 0, 0, err
	}
	switch {
	case after == nil:
		return head.PurgedTo, head.Last, nil
	case *after > head.Last:
		return 0, 0, vault.Invalid("after",
			"no event has the id %d yet; the last one is %d. After a restore from a backup, start without it",
			*after, head.Last)
	case *after < head.PurgedTo:
		return 0, 0, &vault.Error{
			Code: vault.CodeExpired, Field: "after",
			Message: "after: events that followed this one are not kept any longer (events.retention_days); read the " +
				"profiles anew, and start without it",
		}
	}
	return *after, head.Last, nil
}

func (q *Queries) eventRows(
	ctx context.Context, tenant uuid.UUID, filter vault.EventFilter, from, last int64, limit int,
) (vault.EventPage, error) {
	types := make([]string, len(filter.Types))
	for i, t := range filter.Types {
		types[i] = string(t)
	}
	in := dbgen.PageEventsParams{
		TenantID: tenant, After: from, UpTo: last, Types: types, AgentID: filter.AgentID,
		MaxRows: int32(limit) + 1, //nolint:gosec // at most MaxPage
	}
	tq := q.db.Tenant(tenant)
	var rows []dbgen.Event
	var err error
	if filter.CustomerID != nil {
		rows, err = tq.PageEventsOf(ctx, dbgen.PageEventsOfParams{
			TenantID: tenant, CustomerID: *filter.CustomerID, After: from, UpTo: last, Types: types,
			AgentID: filter.AgentID, MaxRows: in.MaxRows,
		})
	} else {
		if len(types) > 0 || filter.AgentID != nil {
			in.UpTo = min(last, from+eventWindow)
		}
		rows, err = tq.PageEvents(ctx, in)
	}
	if err != nil {
		return vault.EventPage{}, err
	}
	page := vault.EventPage{Next: in.UpTo, More: in.UpTo < last}
	var more bool
	if page.Items, more = pageOf(rows, limit, db.FeedEventOf); more {
		page.Next, page.More = page.Items[len(page.Items)-1].ID, true
	}
	page.Items, err = q.ownEvents(ctx, tenant, page.Items)
	return page, err
}

// ownEvents leaves out the events that tell of agents that the reader may not use.
func (q *Queries) ownEvents(ctx context.Context, tenant uuid.UUID, all []vault.FeedEvent) ([]vault.FeedEvent, error) {
	limit := vault.AgentsOf(ctx)
	if len(limit) == 0 {
		return all, nil
	}
	var subjects []uuid.UUID
	for _, e := range all {
		if e.AgentID == nil && e.SubjectID != nil {
			subjects = append(subjects, *e.SubjectID)
		}
	}
	foreign, err := agents.Foreign(ctx, q.db.Tenant(tenant), tenant, subjects)
	if err != nil {
		return nil, err
	}
	fields, err := q.fieldsOf(ctx, tenant)
	if err != nil {
		return nil, err
	}
	var out []vault.FeedEvent
	for _, e := range all {
		switch {
		case e.Type.OfValue(): // a value belongs to all agents that define its field, whichever wrote it
			if !slices.Contains(fields, e.Name) {
				continue
			}
			if e.AgentID != nil && !limit.Allows(*e.AgentID) {
				e.AgentID = nil
			}
		case e.AgentID != nil:
			if !limit.Allows(*e.AgentID) {
				continue
			}
		case foreign[idOf(e.SubjectID)] != "":
			continue
		case e.Type == vault.EventOperationFailed:
			err := agents.CheckOperation(ctx, q.db.Tenant(tenant), tenant, idOf(e.OperationID))
			if vault.CodeOf(err) == vault.CodeNotAllowed {
				continue
			}
			if err != nil {
				return nil, err
			}
		}
		out = append(out, e)
	}
	return out, nil
}

// showEventValues adds the values that a reader may see. It cuts the page where they exceed vault.MaxPageBytes.
func (q *Queries) showEventValues(ctx context.Context, tenant uuid.UUID, page *vault.EventPage) error {
	g, err := q.guard(ctx, tenant)
	if err != nil {
		return err
	}
	total := 0
	for start := 0; start < len(page.Items); start += customersPerRead {
		chunk := page.Items[start:min(start+customersPerRead, len(page.Items))]
		found, err := q.eventValues(ctx, tenant, chunk)
		if err != nil {
			return err
		}
		for i := range chunk {
			value, ok := found[idOf(chunk[i].SubjectID)]
			if !ok || !chunk[i].Type.ShowsValue() {
				continue
			}
			if total += sizeOf(value.Value); total > vault.MaxPageBytes && start+i > 0 {
				page.Items = page.Items[:start+i]
				page.Next, page.More = page.Items[start+i-1].ID, true
				return nil
			}
			shown, err := g.value(ctx, value.customer, &value.Value)
			if err != nil {
				return err
			}
			if shown {
				chunk[i].Value = value.Value.Value
			}
		}
	}
	return nil
}

// eventValue is a value that an event tells of, and its customer.
type eventValue struct {
	vault.Value
	customer uuid.UUID
}

func (q *Queries) eventValues(
	ctx context.Context, tenant uuid.UUID, events []vault.FeedEvent,
) (map[uuid.UUID]eventValue, error) {
	var ids []uuid.UUID
	for _, e := range events {
		if e.Type.ShowsValue() && e.SubjectID != nil {
			ids = append(ids, *e.SubjectID)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	rows, err := q.db.Tenant(tenant).ListEventValues(ctx, tenant, ids)
	if err != nil {
		return nil, err
	}
	out := make(map[uuid.UUID]eventValue, len(rows))
	for _, row := range rows {
		value := eventValue{db.ValueOf(row.CustomerValue), row.CustomerID}
		if err := q.sealer.OpenValue(ctx, tenant, &value.Value); err != nil {
			return nil, err
		}
		out[value.ID] = value
	}
	return out, nil
}

func idOf(id *uuid.UUID) uuid.UUID {
	if id == nil {
		return uuid.Nil
	}
	return *id
}
