package embedded

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

const (
	// How long the gRPC server waits for streams to end before it cuts them. Hatchet's default, and for tests.
	drainLimit     = 10 * time.Second
	fastDrainLimit = time.Second

	// What the engine leaves running ends within milliseconds after it, with an error each.
	stragglers = 200 * time.Millisecond
)

// undoStack holds what to undo, last first.
type undoStack struct {
	// limit is how long one step may take before it is left behind. Hatchet's own can hang: if a worker reports the
	// end of a step at the wrong moment, the gRPC server waits for a call that waits for a queue already stopped.
	limit time.Duration
	steps []undoStep
}

type undoStep struct {
	name    string
	undo    func() error
	bounded bool
}

func (s *undoStack) push(name string, undo func() error) {
	s.steps = append(s.steps, undoStep{name, undo, true})
}

// pushUnbounded is for a step that keeps a limit by itself.
func (s *undoStack) pushUnbounded(name string, undo func() error) {
	s.steps = append(s.steps, undoStep{name, undo, false})
}

func (s *undoStack) run() error {
	var errs []error
	for len(s.steps) > 0 {
		step := s.steps[len(s.steps)-1]
		s.steps = s.steps[:len(s.steps)-1]

		done := make(chan error, 1)
		go func() { done <- step.undo() }()
		var late <-chan time.Time
		if step.bounded {
			late = time.After(s.limit)
		}
		select {
		case err := <-done:
			if err != nil {
				errs = append(errs, fmt.Errorf("embedded: stop %s: %w", step.name, err))
			}
		case <-late:
			errs = append(errs, fmt.Errorf("embedded: stop %s: left behind after %s", step.name, s.limit))
		}
	}
	return errors.Join(errs...)
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
