package api

import (
	"testing"
	"time"

	"github.com/google/uuid"
)

// docs/http.md promises five seconds for a revoked key.
func TestKnownKeys_ExpireAfterFiveSeconds(t *testing.T) {
	t.Parallel()
	known := newKnownKeys()
	now, key := time.Now(), Key{ID: uuid.New(), Hash: HashKey("cv_x")}
	known.put(key, now)
	for after, want := range map[time.Duration]bool{0: true, 5*time.Second - 1: true, 5 * time.Second: false} {
		if _, ok := known.get(key.Hash, now.Add(after)); ok != want {
			t.Errorf("after %s the key is known: %t", after, ok)
		}
	}
	for i := range 2 * maxKnownKeys {
		known.put(Key{Hash: HashKey(string(rune(i)))}, now)
	}
	if n := known.byHash.Len(); n > maxKnownKeys {
		t.Errorf("%d keys are known, want at most %d", n, maxKnownKeys)
	}
}
