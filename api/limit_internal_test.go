package api

import (
	"testing"
	"time"

	"github.com/google/uuid"
)

func TestALimitIsOfOneKeyAndOneSecond(t *testing.T) {
	t.Parallel()
	l := limits{perSecond: 3}
	now, key, other := time.Now(), uuid.New(), uuid.New()
	take := func(key uuid.UUID, after time.Duration) bool {
		retryAfter, ok := l.take(key, now.Add(after))
		if !ok && retryAfter != "1" {
			t.Errorf("it is told to wait %q seconds", retryAfter)
		}
		return ok
	}
	for range 3 {
		if !take(key, 0) {
			t.Error("it is held back within its limit")
		}
	}
	for range 10 { // who is turned away does not use up what comes
		if take(key, 0) {
			t.Error("it is let through beyond its limit")
		}
	}
	if !take(other, 0) || take(key, 300*time.Millisecond) || !take(key, 350*time.Millisecond) || take(key, 350*time.Millisecond) {
		t.Error("it is not one request more in a third of a second")
	}
}

// Five seconds is what docs/http.md promises of a key that was revoked.
func TestAKeyIsLookedUpAgainAfterFiveSeconds(t *testing.T) {
	t.Parallel()
	var known knownKeys
	now, key := time.Now(), Key{ID: uuid.New(), Hash: HashKey("cv_x")}
	known.put(key, now)
	for after, want := range map[time.Duration]bool{0: true, 5*time.Second - 1: true, 5 * time.Second: false} {
		if _, ok := known.get(key.Hash, now.Add(after)); ok != want {
			t.Errorf("after %s it is known: %t", after, ok)
		}
	}
	for i := range 2 * mostKeys {
		known.put(Key{Hash: HashKey(string(rune(i)))}, now)
	}
	if n := len(known.byKey); n > mostKeys {
		t.Errorf("%d keys are remembered", n)
	}
}
