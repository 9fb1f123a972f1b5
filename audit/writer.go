package audit

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/semaphore"

	"github.com/contextvault/contextvault/vault"
)

// Store stores entries in one statement. Entries that are there already stay: a statement is repeated after an error.
type Store interface {
	InsertAuditEntries(ctx context.Context, entries []vault.AuditEntry) error
}

// Options configure a Writer. The zero value of a member is its default.
type Options struct {
	Store Store
	// Interval is the maximum time for which an entry waits in memory. A process that is killed loses what waits. 0: 200
	// milliseconds.
	Interval time.Duration
	// MaxBatch is the maximum number of entries of a statement. A full batch does not wait. 0: 1000.
	MaxBatch int
	// MaxWaiting bounds the memory: it is the maximum size of the entries that are not stored yet, where an entry has the
	// size 1 and each field name in it adds 1. Readers wait while it is reached. 0: 100,000, about 10 MB.
	MaxWaiting int
	// CloseTimeout is the maximum time for the entries in memory when the writer is closed. 0: 10 seconds.
	CloseTimeout time.Duration
	// Log gets failures. nil: slog.Default().
	Log *slog.Logger
}

// retryAfter is the pause after a failed statement.
const retryAfter = 200 * time.Millisecond

// Writer writes entries in batches, off the path of the reader. It loses no entry while the process lives: when the
// database does not take them, the readers wait, and fail after their time-out. It is safe for concurrent use.
type Writer struct {
	o       Options
	waiting chan vault.AuditEntry
	room    *semaphore.Weighted // the rest of MaxWaiting
	stop    chan struct{}       // closed by Close
	once    sync.Once
	done    sync.WaitGroup
	ctx     context.Context // of the statements; ends CloseTimeout after Close began
	cancel  context.CancelFunc
	adding  sync.RWMutex // Close waits for the entries that are being added
	closed  bool
}

// NewWriter creates a writer and starts it. Callers must call Close.
func NewWriter(o Options) *Writer {
	if o.Interval == 0 {
		o.Interval = 200 * time.Millisecond
	}
	if o.MaxBatch == 0 {
		o.MaxBatch = 1000
	}
	if o.MaxWaiting == 0 {
		o.MaxWaiting = 100_000
	}
	if o.CloseTimeout == 0 {
		o.CloseTimeout = 10 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	w := &Writer{o: o, waiting: make(chan vault.AuditEntry, o.MaxWaiting), stop: make(chan struct{})}
	w.room = semaphore.NewWeighted(int64(o.MaxWaiting))
	w.ctx, w.cancel = context.WithCancel(context.Background())
	w.done.Go(w.run)
	return w
}

// Add takes an entry over, and sets its id and time. It waits while the writer is full. The error,
// vault.CodeUnavailable, says that the entry is not taken: the caller must not show what it is about.
func (w *Writer) Add(ctx context.Context, e vault.AuditEntry) error {
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	e.ID, e.At = id, time.Now().UTC().Truncate(time.Microsecond)
	w.adding.RLock()
	defer w.adding.RUnlock()
	if w.closed {
		return vault.Unavailable("the audit", context.Canceled)
	}
	if err := w.room.Acquire(ctx, w.sizeOf(e)); err != nil {
		return vault.Unavailable("the audit", err)
	}
	w.waiting <- e // never waits: an entry has at least the size 1
	return nil
}

// sizeOf returns the size of an entry. One alone may be larger than everything.
func (w *Writer) sizeOf(e vault.AuditEntry) int64 { return int64(min(1+len(e.Fields), w.o.MaxWaiting)) }

// Close stores what waits and stops the writer. Entries that the database does not take within CloseTimeout are lost,
// and the log says how many.
func (w *Writer) Close() {
	give := time.AfterFunc(w.o.CloseTimeout, w.cancel)
	defer give.Stop()
	w.once.Do(func() {
		close(w.stop) // from now on run does not wait for more, so that Add ends
		w.adding.Lock()
		w.closed = true
		close(w.waiting)
		w.adding.Unlock()
	})
	w.done.Wait()
	w.cancel()
}

func (w *Writer) run() {
	for first := range w.waiting {
		batch := w.gather(first)
		w.store(batch)
		for _, e := range batch {
			w.room.Release(w.sizeOf(e))
		}
	}
}

// gather returns a batch that begins with an entry. It waits for more until the batch is full, Interval is over, or the
// writer is closed.
func (w *Writer) gather(first vault.AuditEntry) []vault.AuditEntry {
	batch := []vault.AuditEntry{first}
	timer := time.NewTimer(w.o.Interval)
	defer timer.Stop()
	for waits := true; len(batch) < w.o.MaxBatch; {
		if !waits {
			select {
			case e, open := <-w.waiting:
				if !open {
					return batch
				}
				batch = append(batch, e)
				continue
			default:
				return batch
			}
		}
		select {
		case e, open := <-w.waiting:
			if !open {
				return batch
			}
			batch = append(batch, e)
		case <-timer.C:
			return batch
		case <-w.stop:
			waits = false
		}
	}
	return batch
}

// store stores a batch, however often it takes, until the time of a closed writer is over.
func (w *Writer) store(batch []vault.AuditEntry) {
	for failed := false; ; failed = true {
		err := w.o.Store.InsertAuditEntries(w.ctx, batch)
		switch {
		case err == nil:
			return
		case w.ctx.Err() != nil:
			w.o.Log.Error("audit_entries_lost", "entries", len(batch), "error_code", vault.CodeOf(err))
			return
		case !failed:
			w.o.Log.Warn("audit_not_written", "entries", len(batch), "error_code", vault.CodeOf(err))
		}
		timer := time.NewTimer(retryAfter)
		select {
		case <-timer.C:
		case <-w.ctx.Done():
			timer.Stop()
		}
	}
}
