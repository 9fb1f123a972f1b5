package workflows

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/contextvault/contextvault/steps/gapfill"
	"github.com/contextvault/contextvault/vault"
)

// script is a gapRunner that returns recorded outcomes and records its calls.
type script struct {
	advances []gapfill.Advanced // outcomes by round
	failed   map[int]bool       // rounds with a permanent failure of advance
	failAt   int                // number of the failing call, from 1; 0: none
	calls    []string
	pauses   []time.Duration // of the waits
}

var (
	errLost   = errors.New("the worker was lost")
	errFailed = errors.New("advance failed")
)

func (s *script) call(format string, args ...any) error {
	s.calls = append(s.calls, fmt.Sprintf(format, args...))
	if len(s.calls) == s.failAt {
		return errLost
	}
	return nil
}

func (s *script) advance(round int, ev vault.Event) (gapfill.Advanced, error) {
	if err := s.call("advance %d of %s", round, ev.Subject); err != nil {
		return gapfill.Advanced{}, err
	}
	if s.failed[round] {
		return gapfill.Advanced{}, errFailed
	}
	if round > len(s.advances) {
		return gapfill.Advanced{Done: true}, nil
	}
	return s.advances[round-1], nil
}

func (s *script) write(round int, evs []vault.Event) error {
	subjects := make([]string, len(evs))
	for i, ev := range evs {
		subjects[i] = ev.Subject
	}
	return s.call("write %s in %d", strings.Join(subjects, " and "), round)
}

func (s *script) wait(q gapfill.Waiting, pause time.Duration) error {
	s.pauses = append(s.pauses, pause)
	return s.call("wait for %s", q.QuestionID)
}

var fillEvent = vault.Event{Subject: "the fill"}

func writes(subjects ...string) gapfill.Advanced {
	out := gapfill.Advanced{}
	for _, subject := range subjects {
		out.Writes = append(out.Writes, vault.Event{Subject: subject})
	}
	return out
}

func question(n byte) gapfill.Advanced {
	return gapfill.Advanced{Question: &gapfill.Waiting{QuestionID: uuid.UUID{n}}}
}

func TestFill_WritesThenAsksThenEnds(t *testing.T) {
	t.Parallel()
	run := &script{
		advances: []gapfill.Advanced{writes("country", "email"), question(1), question(2), writes("plan"), {Done: true}},
	}
	filled, err := fill(run, 0, fillEvent)
	if err != nil || filled.Rounds != 5 {
		t.Errorf("fill ended after %d rounds, %v", filled.Rounds, err)
	}
	want := []string{
		"advance 1 of the fill", "write country and email in 1",
		"advance 2 of the fill", "wait for 01000000-0000-0000-0000-000000000000",
		"advance 3 of the fill", "wait for 02000000-0000-0000-0000-000000000000",
		"advance 4 of the fill", "write plan in 4",
		"advance 5 of the fill",
	}
	if !slices.Equal(run.calls, want) {
		t.Errorf("it did\n%s\nwant\n%s", strings.Join(run.calls, "\n"), strings.Join(want, "\n"))
	}
}

func TestFill_NothingToDo(t *testing.T) {
	t.Parallel()
	run := &script{advances: []gapfill.Advanced{{Done: true}}}
	if filled, err := fill(run, 0, fillEvent); err != nil || filled.Rounds != 1 || len(run.calls) != 1 {
		t.Errorf("fill ended after %d rounds, %v, with the calls %v", filled.Rounds, err, run.calls)
	}
}

// A fill polls if its event is lost: after a minute, then at doubling intervals, and for the last time just after the
// deadline.
func TestFill_PollsWhileWaiting(t *testing.T) {
	t.Parallel()
	opened := time.Date(2030, 3, 1, 9, 0, 0, 0, time.UTC)
	waiting := func(n byte, minutes int) gapfill.Advanced {
		return gapfill.Advanced{
			Question: &gapfill.Waiting{
				QuestionID: uuid.UUID{n}, OpenedAt: opened, DeadlineAt: opened.Add(time.Duration(minutes) * time.Minute),
			},
		}
	}
	s := &script{advances: []gapfill.Advanced{
		// the last one with a slow clock
		waiting(1, 10), waiting(1, 10), waiting(1, 10), waiting(1, 10), waiting(1, 10), waiting(1, 10),
		waiting(2, 5), waiting(2, 5), waiting(3, 0),
	}}
	if _, err := fill(s, 0, fillEvent); err != nil {
		t.Fatal(err)
	}
	m := time.Minute
	want := []time.Duration{m, m, 2 * m, 4 * m, 2*m + afterDeadline, afterDeadline, m, m, afterDeadline}
	if !slices.Equal(s.pauses, want) {
		t.Errorf("waited for %v, want %v", s.pauses, want)
	}
	// An answer that came in time and is not processed yet keeps the question open.
	s = &script{}
	for range 9 {
		s.advances = append(s.advances, waiting(1, 1))
	}
	if _, err := fill(s, 0, fillEvent); err != nil {
		t.Fatal(err)
	}
	sec := time.Second
	if want := []time.Duration{
		m, 2 * sec, 2 * sec, 2 * sec, 4 * sec, 8 * sec, 16 * sec, 32 * sec, m,
	}; !slices.Equal(s.pauses, want) {
		t.Errorf("waited for %v, want %v", s.pauses, want)
	}
	s = &script{}
	for range 100 {
		s.advances = append(s.advances, waiting(1, 30*24*60))
	}
	if _, err := fill(s, 0, fillEvent); err != nil {
		t.Fatal(err)
	}
	if polls := slices.Index(s.pauses, afterDeadline); polls > 17 {
		t.Errorf("a question of thirty days cost %d polls", polls)
	}
}

// The same unfinished writes again and again are a fault of the system: the run fails and is retried, instead of
// looping.
func TestFill_StuckWritesFail(t *testing.T) {
	t.Parallel()
	run := &script{}
	for range 100 {
		run.advances = append(run.advances, writes("country"))
	}
	_, err := fill(run, 0, fillEvent)
	if !errors.Is(err, errStuck) {
		t.Errorf("fill ended with %v", err)
	}
	if n := len(slices.Collect(matching(run.calls, "write"))); n != maxStuck {
		t.Errorf("it wrote %d times, want %d", n, maxStuck)
	}
}

// Progress, such as one finished write of two, resets the count.
func TestFill_ProgressIsNotStuck(t *testing.T) {
	t.Parallel()
	run := &script{}
	for i := range 4 * maxStuck {
		run.advances = append(run.advances, writes(fmt.Sprint("field ", i/maxStuck)))
	}
	if _, err := fill(run, 0, fillEvent); err != nil {
		t.Errorf("fill ended with %v", err)
	}
}

func TestFill_FirstErrorEndsIt(t *testing.T) {
	t.Parallel()
	advances := []gapfill.Advanced{writes("country"), question(1)}
	for failAt := 1; failAt <= 5; failAt++ {
		run := &script{advances: advances, failAt: failAt}
		if _, err := fill(run, 0, fillEvent); !errors.Is(err, errLost) {
			t.Errorf("call %d failed, and fill ended with %v", failAt, err)
		}
		if len(run.calls) != failAt {
			t.Errorf("call %d failed, and these followed: %v", failAt, run.calls[failAt:])
		}
	}
}

// The engine also replays stored failures to a run that is retried, or replayed by an operator.
func TestFill_SkipsEarlierFailures(t *testing.T) {
	t.Parallel()
	run := func(attemptsBefore int) (*script, error) {
		run := &script{
			advances: []gapfill.Advanced{{}, question(1), {}, writes("country")}, failed: map[int]bool{1: true, 3: true},
		}
		_, err := fill(run, attemptsBefore, fillEvent)
		return run, err
	}
	whole, err := run(2)
	if err != nil {
		t.Fatalf("the third attempt ended with %v", err)
	}
	for attemptsBefore, rounds := range []int{1, 3} {
		got, err := run(attemptsBefore)
		if !errors.Is(err, errFailed) {
			t.Errorf("after %d attempts it ended with %v", attemptsBefore, err)
		}
		if n := len(slices.Collect(matching(got.calls, "advance"))); n != rounds ||
			!slices.Equal(got.calls, whole.calls[:len(got.calls)]) {
			t.Errorf("after %d attempts it did\n%v\nwhich does not begin\n%v", attemptsBefore, got.calls, whole.calls)
		}
	}
}

func TestFill_StuckRunRetriesWrites(t *testing.T) {
	t.Parallel()
	run := &script{}
	for range maxStuck + 1 {
		run.advances = append(run.advances, writes("country"))
	}
	if _, err := fill(run, 1, fillEvent); err != nil {
		t.Errorf("the second attempt ended with %v", err)
	}
	if n := len(slices.Collect(matching(run.calls, "write"))); n != maxStuck+1 {
		t.Errorf("with the second attempt it wrote %d times, want %d", n, maxStuck+1)
	}
}

// The engine replays a durable task from stored outcomes: the same outcomes must lead to the same calls at every point.
func TestFill_IsDeterministic(t *testing.T) {
	t.Parallel()
	advance := rapid.OneOf(
		rapid.Map(
			rapid.SliceOfN(rapid.SampledFrom([]string{"country", "email", "plan"}), 1, 3),
			func(s []string) gapfill.Advanced { return writes(s...) },
		),
		rapid.Map(rapid.Byte(), question),
	)
	rapid.Check(t, func(t *rapid.T) {
		advances := rapid.SliceOfN(advance, 0, 12).Draw(t, "advances")
		whole := &script{advances: advances}
		want, wantErr := fill(whole, 0, fillEvent)

		lost := &script{advances: advances, failAt: rapid.IntRange(1, len(whole.calls)).Draw(t, "lost at")}
		if _, err := fill(lost, 0, fillEvent); !errors.Is(err, errLost) {
			t.Fatalf("lost, it ended with %v", err)
		}
		if !slices.Equal(lost.calls, whole.calls[:lost.failAt]) {
			t.Fatalf("until it was lost it did\n%v\nwant\n%v", lost.calls, whole.calls[:lost.failAt])
		}
		replayed := &script{advances: advances}
		got, err := fill(replayed, 0, fillEvent)
		if got != want || !errors.Is(err, wantErr) || !slices.Equal(replayed.calls, whole.calls) {
			t.Fatalf(
				"replayed, it did\n%v\nand ended with %v, %v; want\n%v\nand %v, %v", replayed.calls, got, err, whole.calls, want,
				wantErr,
			)
		}
	})
}

// Each attempt repeats all calls of the one before in the same order, and continues, until one succeeds.
func TestFill_AttemptsExtendEachOther(t *testing.T) {
	t.Parallel()
	advance := rapid.SampledFrom([]gapfill.Advanced{writes("country"), writes("email"), question(1)})
	rapid.Check(t, func(t *rapid.T) {
		run := script{advances: rapid.SliceOfN(advance, 1, 20).Draw(t, "advances"), failed: map[int]bool{}}
		for _, round := range rapid.SliceOfN(rapid.IntRange(1, len(run.advances)), 0, 5).Draw(t, "failed rounds") {
			run.failed[round] = true
		}
		var before []string
		for attempt := 0; ; attempt++ {
			now := run
			_, err := fill(&now, attempt, fillEvent)
			if !slices.Equal(now.calls[:len(before)], before) || len(now.calls) <= len(before) {
				t.Fatalf("attempt %d did\n%v\nafter one that did\n%v", attempt, now.calls, before)
			}
			if err == nil {
				return
			}
			before = now.calls
		}
	})
}

func matching(calls []string, prefix string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for _, c := range calls {
			if strings.HasPrefix(c, prefix) && !yield(c) {
				return
			}
		}
	}
}
