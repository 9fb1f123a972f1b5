package audit_test

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"github.com/contextvault/contextvault/audit"
	"github.com/contextvault/contextvault/vault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// store collects entries. While hold is not nil, statements wait until it is closed or they are cancelled.
type store struct {
	mu      sync.Mutex
	entries map[uuid.UUID]vault.AuditEntry
	calls   int
	fails   int // the number of statements that fail after they stored
	hold    chan struct{}
}

func (s *store) InsertAuditEntries(ctx context.Context, entries []vault.AuditEntry) error {
	if s.hold != nil {
		select {
		case <-s.hold:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	if s.entries == nil {
		s.entries = map[uuid.UUID]vault.AuditEntry{}
	}
	for _, e := range entries {
		s.entries[e.ID] = e
	}
	if s.fails > 0 {
		s.fails--
		return errors.New("the connection broke")
	}
	return nil
}

func (s *store) stored() map[string]bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]bool{}
	for _, e := range s.entries {
		out[e.Subject] = true
	}
	return out
}

func newWriter(t *testing.T, s *store, change ...func(*audit.Options)) *audit.Writer {
	o := audit.Options{Store: s, Log: slog.New(slog.DiscardHandler)}
	for _, c := range change {
		c(&o)
	}
	w := audit.NewWriter(o)
	t.Cleanup(w.Close)
	return w
}

// Many readers at once, statements that fail, and an end in the middle: every entry that was taken is stored once.
func TestWriter_LosesNothing(t *testing.T) {
	t.Parallel()
	s := &store{fails: 2}
	w := newWriter(t, s, func(o *audit.Options) { o.MaxBatch, o.MaxWaiting = 50, 100 })
	var mu sync.Mutex
	taken := map[string]bool{}
	var wg sync.WaitGroup
	for reader := range 20 {
		wg.Go(func() {
			for i := range 100 {
				subject := strconv.Itoa(reader) + "/" + strconv.Itoa(i)
				if err := w.Add(t.Context(), vault.AuditEntry{Subject: subject}); err == nil {
					mu.Lock()
					taken[subject] = true
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	w.Close()
	if len(taken) != 2000 || len(s.stored()) != len(taken) || len(s.entries) != len(taken) {
		t.Errorf("%d of %d entries are stored, in %d rows", len(s.stored()), len(taken), len(s.entries))
	}
	if s.calls > 200 {
		t.Errorf("%d statements for 2000 entries", s.calls)
	}
	if err := w.Add(t.Context(), vault.AuditEntry{}); vault.CodeOf(err) != vault.CodeUnavailable {
		t.Errorf("after Close: got %v", err)
	}
}

// While the database takes nothing, the writer fills up; then readers wait, and fail instead of reading unrecorded.
func TestWriter_FullRefuses(t *testing.T) {
	t.Parallel()
	s := &store{hold: make(chan struct{})}
	w := newWriter(t, s, func(o *audit.Options) { o.MaxBatch, o.MaxWaiting = 1, 3 })
	taken := 0
	for {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		err := w.Add(ctx, vault.AuditEntry{Subject: strconv.Itoa(taken)})
		cancel()
		if err != nil {
			if vault.CodeOf(err) != vault.CodeUnavailable {
				t.Errorf("got %v", err)
			}
			break
		}
		if taken++; taken > 4 {
			t.Fatalf("%d entries wait", taken)
		}
	}
	close(s.hold)
	w.Close()
	if got := len(s.stored()); got != taken {
		t.Errorf("%d of %d entries are stored", got, taken)
	}
}

// Close ends although the database hangs.
func TestWriter_CloseEnds(t *testing.T) {
	t.Parallel()
	s := &store{hold: make(chan struct{})}
	w := newWriter(t, s, func(o *audit.Options) { o.CloseTimeout = 20 * time.Millisecond })
	if err := w.Add(t.Context(), vault.AuditEntry{}); err != nil {
		t.Fatal(err)
	}
	w.Close()
	if len(s.stored()) != 0 {
		t.Error("a statement that hung has stored")
	}
}
