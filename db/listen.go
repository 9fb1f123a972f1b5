package db

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgxlisten"
)

// listenRetry is the delay before a lost LISTEN connection is opened again.
const listenRetry = time.Second

// ListenOperations calls finished with the id of each operation when it finishes. It calls connected after each connect
// and reconnect: operations that finished before are not reported. Behind a pooler no connection can listen: it calls
// connected every listenPoll. It returns when ctx ends.
//
// The same connection hears of customers' keys that were deleted, and drops them from the memory of this process.
func (d *DB) ListenOperations(ctx context.Context, log *slog.Logger, connected func(), finished func(id uuid.UUID)) {
	if d.pooled {
		poll(ctx, listenPoll, connected)
		return
	}
	cfg := d.app.Config().ConnConfig
	listener := &pgxlisten.Listener{
		Connect: func(ctx context.Context) (*pgx.Conn, error) { return pgx.ConnectConfig(ctx, cfg.Copy()) },
		LogError: func(ctx context.Context, err error) {
			if ctx.Err() == nil {
				log.WarnContext(ctx, "operations_listen_failed",
					"error", "the LISTEN connection was lost; waiting requests poll until it is back")
			}
		},
		ReconnectDelay: listenRetry,
	}
	listener.Handle("vault_operations", operationHandler{connected: connected, finished: finished})
	listener.Handle("vault_customer_keys", keyHandler{d})
	_ = listener.Listen(ctx) // the error is that of ctx
}

// poll calls fn at an interval until ctx ends.
func poll(ctx context.Context, every time.Duration, fn func()) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			fn()
		}
	}
}

type operationHandler struct {
	connected func()
	finished  func(id uuid.UUID)
}

// HandleNotification implements pgxlisten.Handler.
func (h operationHandler) HandleNotification(_ context.Context, n *pgconn.Notification, _ *pgx.Conn) error {
	for text := range strings.SplitSeq(n.Payload, ",") {
		if id, err := uuid.Parse(text); err == nil {
			h.finished(id)
		}
	}
	return nil
}

// HandleBacklog implements pgxlisten.BacklogHandler: it runs after LISTEN and before the first notification.
func (h operationHandler) HandleBacklog(context.Context, string, *pgx.Conn) error {
	h.connected()
	return nil
}
