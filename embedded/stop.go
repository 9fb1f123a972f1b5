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
	// How long the gRPC server waits for streams to end before it cuts them. Hatchet's default, and for tests.
	drainLimit     = 10 * time.Second
	fastDrainLimit = time.Second

	// How long notifications that are under way may take to be handled.
	settleTime = 50 * time.Millisecond

	// What the engine leaves running ends within milliseconds after it, with an error each.
	stragglers = 200 * time.Millisecond
)

// undoStack holds what to undo, last first.
type undoStack []undoStep

type undoStep struct {
	name string
	undo func() error
}

func (s *undoStack) push(name string, undo func() error) {
	*s = append(*s, undoStep{name, undo})
}

// run undoes everything, whatever fails.
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

var errLeft = errors.New("it does not end, and is left behind")

// within makes a function of f that returns errLeft if f takes longer.
func within(limit time.Duration, f func() error) func() error {
	return func() error {
		done := make(chan error, 1)
		go func() { done <- f() }()
		select {
		case err := <-done:
			return err
		case <-time.After(limit):
			return errLeft
		}
	}
}

// stopParts stops the engine's own parts in the engine's own order.
func stopParts(parts []cleanup.CleanupFn, limit time.Duration, fast bool) error {
	var undo undoStack
	for _, part := range slices.Backward(parts) {
		stop := within(limit, part.Fn)
		switch part.Name {
		case "partitioner heartbeat timeout":
			if fast {
				continue // a pause for other engines to notice: there are none, or they can wait
			}
		case "grpc":
			// It cuts all connections, and then may wait for ever for a call that waits for a queue stopped before it:
			// so whenever a worker reports, or a client pushes, at that moment. There is no harm in leaving that call.
			bounded := stop
			stop = func() error {
				if err := bounded(); !errors.Is(err, errLeft) {
					return err
				}
				return nil
			}
		}
		undo.push(part.Name, stop)
	}
	return undo.run()
}

// settle waits until the engine has handled the notifications that it has received. Hatchet's queue closes the channel on
// which their handlers send, which panics if one of them is late, and so brings down the process. Hence nothing must be
// notified any more when the engine's own parts stop; Disconnect, called first, sees to that. The query orders what the
// handlers did before what follows, in the eyes of the race detector, too: both take the pool's lock.
func settle(pool *pgxpool.Pool) error {
	time.Sleep(settleTime)
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return pool.Ping(ctx)
}

// quietLevel says whether the errors of an orderly stop ("context canceled", "closed pool") are worth hiding: whoever
// asked for more than errors gets them, too.
func quietLevel(level string) bool {
	l, err := zerolog.ParseLevel(level)
	return err == nil && l >= zerolog.ErrorLevel
}

var muted struct {
	sync.Mutex
	engines int
	before  zerolog.Level
}

// mute silences zerolog, with which only Hatchet logs, until the returned function is called and a little longer. The
// engine's own loggers cannot be reached otherwise, and report every interrupted query of an orderly stop.
func mute() (unmute func()) {
	muted.Lock()
	defer muted.Unlock()
	if muted.engines == 0 {
		muted.before = zerolog.GlobalLevel()
		zerolog.SetGlobalLevel(zerolog.Disabled)
	}
	muted.engines++
	return func() {
		time.AfterFunc(stragglers, func() {
			muted.Lock()
			defer muted.Unlock()
			muted.engines--
			if muted.engines == 0 {
				zerolog.SetGlobalLevel(muted.before)
			}
		})
	}
}

// withoutCleanupLine runs Hatchet's cleanup, keeping out the one line that it writes with the standard logger.
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
