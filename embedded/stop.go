package embedded

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"slices"
	"sync"
	"time"

	"github.com/hatchet-dev/hatchet/pkg/cleanup"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/rs/zerolog"
)

const (
	// The time that the gRPC server waits for streams to end before it closes them: Hatchet's default, and the one for
	// tests.
	drainLimit     = 10 * time.Second
	fastDrainLimit = time.Second

	// The time that received notifications need to be handled.
	notificationTime = 50 * time.Millisecond

	// Goroutines that outlive the engine end within milliseconds, and log an error each.
	muteAfterStop = 200 * time.Millisecond
)

// undoStack holds the cleanup functions. They run in reverse order.
type undoStack []undoStep

type undoStep struct {
	name string
	undo func() error
}

func (s *undoStack) push(name string, undo func() error) {
	*s = append(*s, undoStep{name, undo})
}

// run calls all cleanup functions, also after one has failed.
func (s *undoStack) run() error {
	var errs []error
	for len(*s) > 0 {
		step := (*s)[len(*s)-1]
		*s = (*s)[:len(*s)-1]
		if err := step.undo(); err != nil {
			errs = append(errs, fmt.Errorf("stop %s: %w", step.name, err))
		}
	}
	return errors.Join(errs...)
}

var errAbandoned = errors.New("did not end in time and was abandoned")

// within returns a function that calls f, and returns errAbandoned if f takes longer than limit.
func within(limit time.Duration, f func() error) func() error {
	return func() error {
		done := make(chan error, 1)
		go func() { done <- f() }()
		select {
		case err := <-done:
			return err
		case <-time.After(limit):
			return errAbandoned
		}
	}
}

// stopParts stops the parts of the engine in the engine's own order.
func stopParts(parts []cleanup.CleanupFn, limit time.Duration, fast bool) error {
	var undo undoStack
	for _, part := range slices.Backward(parts) {
		stop := within(limit, part.Fn)
		switch part.Name {
		case "partitioner heartbeat timeout":
			if fast {
				continue // a pause for other engines, which FastShutdown excludes
			}
		case "grpc":
			// It closes all connections, and then can wait forever for a call that waits for a queue which is already
			// stopped. This happens when a worker reports or a client pushes at that moment. Abandoning the call is safe.
			bounded := stop
			stop = func() error {
				if err := bounded(); !errors.Is(err, errAbandoned) {
					return err
				}
				return nil
			}
		}
		undo.push(part.Name, stop)
	}
	return undo.run()
}

// drainNotifications waits until the engine has handled the notifications that it received. Hatchet's queue closes the
// channel that their handlers send on, so a late handler panics and stops the process. Therefore no notification may
// arrive when the engine's parts stop; Disconnect, called first, ensures that. The ping orders the handlers before the
// following shutdown, also for the race detector, because both take the pool's lock.
func drainNotifications(pool *pgxpool.Pool) error {
	time.Sleep(notificationTime)
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return pool.Ping(ctx)
}

// quietLevel reports whether the errors of an orderly shutdown ("context canceled", "closed pool") are hidden. They are
// shown at levels below "error".
func quietLevel(level string) bool {
	l, err := zerolog.ParseLevel(level)
	return err == nil && l >= zerolog.ErrorLevel
}

var muted struct {
	sync.Mutex
	engines int
	before  zerolog.Level
}

// mute disables zerolog, which only Hatchet uses, until muteAfterStop after the returned function is called. The
// engine's own loggers are not accessible, and would report every query that an orderly shutdown interrupts.
func mute() (unmute func()) {
	muted.Lock()
	defer muted.Unlock()
	if muted.engines == 0 {
		muted.before = zerolog.GlobalLevel()
		zerolog.SetGlobalLevel(zerolog.Disabled)
	}
	muted.engines++
	return func() {
		time.AfterFunc(muteAfterStop, func() {
			muted.Lock()
			defer muted.Unlock()
			muted.engines--
			if muted.engines == 0 {
				zerolog.SetGlobalLevel(muted.before)
			}
		})
	}
}

// withoutCleanupLine runs Hatchet's cleanup and drops the one line that it writes to the standard logger.
func withoutCleanupLine(cleanup func() error) error {
	out := log.Writer()
	log.SetOutput(lineFilter{out})
	defer log.SetOutput(out)
	return cleanup()
}

type lineFilter struct{ io.Writer }

func (f lineFilter) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte("cleaning up server config")) {
		return len(p), nil
	}
	return f.Writer.Write(p)
}
