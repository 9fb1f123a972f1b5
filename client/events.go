package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/vault"
)

// EventsInput selects a part of the feed. The zero value is the whole feed, from the oldest event that is kept.
type EventsInput struct {
	vault.EventFilter

	// After is the id of the last event that was received. 0: from the oldest.
	After int64
	// Latest begins with what happens from now on. After has precedence.
	Latest bool
	// Values shows the values that the key may see.
	Values bool
}

func (in EventsInput) query() url.Values {
	query := url.Values{}
	switch {
	case in.After > 0:
		query.Set("after", strconv.FormatInt(in.After, 10))
	case in.Latest:
		query.Set("after", "latest")
	}
	if len(in.Types) > 0 {
		types := make([]string, len(in.Types))
		for i, t := range in.Types {
			types[i] = string(t)
		}
		query.Set("types", strings.Join(types, ","))
	}
	for name, id := range map[string]*uuid.UUID{"customer_id": in.CustomerID, "agent_id": in.AgentID} {
		if id != nil {
			query.Set(name, id.String())
		}
	}
	if in.Values {
		query.Set("values", "true")
	}
	return query
}

// ListEvents lists the events of the feed up to the newest one, oldest first. To continue later, pass the id of the
// last event as After. A *Problem with vault.CodeExpired says that events after it are not kept any longer.
func (c *Client) ListEvents(ctx context.Context, in EventsInput) iter.Seq2[vault.FeedEvent, error] {
	return list[vault.FeedEvent](ctx, c, path("v1", "events"), in.query())
}

// Pauses before a stream connects again.
const (
	firstReconnect = 500 * time.Millisecond
	lastReconnect  = 30 * time.Second
)

// maxEvent is the maximum size of one event of a stream: far above a value of 64 KiB with its escapes.
const maxEvent = 1 << 20

// WatchEvents lists the events of the feed, and goes on with what happens next, until ctx or the caller ends it. When
// the connection is lost it connects again and continues after the last event. It ends with the error of a refused
// request: a *Problem.
func (c *Client) WatchEvents(ctx context.Context, in EventsInput) iter.Seq2[vault.FeedEvent, error] {
	return func(yield func(vault.FeedEvent, error) bool) {
		pause := firstReconnect
		for {
			received, goOn, err := c.stream(ctx, &in, yield)
			if !goOn {
				return
			}
			if err != nil && !temporary(err) || ctx.Err() != nil {
				if ctx.Err() != nil {
					err = ctx.Err()
				}
				yield(vault.FeedEvent{}, err)
				return
			}
			if received {
				pause = firstReconnect
			}
			select {
			case <-ctx.Done():
			case <-time.After(pause):
			}
			pause = min(2*pause, lastReconnect)
		}
	}
}

// temporary reports whether a stream that ended with an error is worth another connection.
func temporary(err error) bool {
	p, refused := errors.AsType[*Problem](err)
	if errors.Is(err, ErrNotVault) {
		return false
	}
	return !refused || p.Status == http.StatusTooManyRequests || p.Status >= http.StatusInternalServerError
}

// stream reads one connection, and moves After of the input. goOn is false once the caller has ended the list.
func (c *Client) stream(
	ctx context.Context, in *EventsInput, yield func(vault.FeedEvent, error) bool,
) (received, goOn bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.server+path("v1", "events"), http.NoBody)
	if err != nil {
		return false, true, fmt.Errorf("create the request: %w", withoutURL(err))
	}
	req.URL.RawQuery = in.query().Encode()
	req.Header.Set("Accept", "text/event-stream")
	c.identify(req.Header)
	res, err := c.http.Do(req)
	if err != nil {
		return false, true, c.unreachable(ctx, err)
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusTooManyRequests || res.StatusCode >= http.StatusInternalServerError {
		return false, true, nil // of the vault or of a proxy: connect again later
	}
	if res.StatusCode != http.StatusOK || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") {
		text, err := io.ReadAll(io.LimitReader(res.Body, maxEvent))
		if err != nil {
			return false, true, c.unreachable(ctx, err)
		}
		return false, true, problemOf(response{res.StatusCode, res.Header, text})
	}
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, maxEvent)
	var kind, data string
	position := in.After
	for lines.Scan() {
		name, text, _ := strings.Cut(lines.Text(), ":")
		text = strings.TrimPrefix(text, " ")
		switch {
		case lines.Text() != "":
			switch name {
			case "id":
				if id, err := strconv.ParseInt(text, 10, 64); err == nil {
					position = id
				}
			case "event":
				kind = text
			case "data":
				data = text
			}
		case data != "":
			event, err := eventOf(kind, data)
			kind, data = "", ""
			if err != nil {
				return received, true, err
			}
			in.After, received = event.ID, true
			if !yield(event, nil) {
				return true, false, nil
			}
		case position > in.After: // nothing up to there was for this reader
			in.After = position
		}
	}
	if err := lines.Err(); err != nil {
		return received, true, c.unreachable(ctx, err)
	}
	return received, true, nil
}

// eventOf decodes an event of a stream. The server ends a stream with the problem that ended it.
func eventOf(kind, data string) (vault.FeedEvent, error) {
	var event vault.FeedEvent
	if kind == "error" {
		p := &Problem{}
		if json.Unmarshal([]byte(data), p) == nil && p.Code != "" {
			return event, p
		}
	}
	if json.Unmarshal([]byte(data), &event) != nil || event.ID == 0 { // the cause could quote a value
		return event, fmt.Errorf("%w: the stream has an event that is not the expected JSON", ErrNotVault)
	}
	return event, nil
}

// ListWebhooks lists the webhooks of the tenant.
func (c *Client) ListWebhooks(ctx context.Context) iter.Seq2[vault.Webhook, error] {
	all := url.Values{"limit": nil}
	return pages(ctx, c, path("v1", "webhooks"), all, func(p page[vault.Webhook]) ([]vault.Webhook, string) {
		return p.Items, ""
	})
}

// GetWebhook returns a webhook without its secret.
func (c *Client) GetWebhook(ctx context.Context, webhook uuid.UUID) (vault.Webhook, error) {
	return get[vault.Webhook](ctx, c, path("v1", "webhooks", webhook), nil)
}

// ListDeliveries lists the deliveries of a webhook, newest first, with a status; "": all.
func (c *Client) ListDeliveries(
	ctx context.Context, webhook uuid.UUID, status vault.DeliveryStatus,
) iter.Seq2[vault.Delivery, error] {
	query := url.Values{}
	if status != "" {
		query.Set("status", string(status))
	}
	return list[vault.Delivery](ctx, c, path("v1", "webhooks", webhook, "deliveries"), query)
}
