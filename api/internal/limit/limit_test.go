package limit_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/api/internal/limit"
)

func TestTake_LimitIsPerKeyAndSecond(t *testing.T) {
	t.Parallel()
	l := limit.New[uuid.UUID](3)
	now, key, other := time.Now(), uuid.New(), uuid.New()
	take := func(key uuid.UUID, after time.Duration) bool {
		retryAfter, ok := l.Take(key, now.Add(after))
		if !ok && retryAfter != "1" {
			t.Errorf("retry after %q seconds, want 1", retryAfter)
		}
		return ok
	}
	for range 3 {
		if !take(key, 0) {
			t.Error("a request within the limit is refused")
		}
	}
	for range 10 { // refused requests do not use up later ones
		if take(key, 0) {
			t.Error("a request beyond the limit is accepted")
		}
	}
	if !take(other, 0) || take(key, 300*time.Millisecond) || !take(key, 350*time.Millisecond) ||
		take(key, 350*time.Millisecond) {
		t.Error("want exactly one more request after a third of a second")
	}
}

func TestAddress_Network(t *testing.T) {
	t.Parallel()
	for remote, want := range map[string]string{
		"192.0.2.1:80": "192.0.2.1/32", "[::ffff:192.0.2.1]:80": "192.0.2.1/32", "[2001:db8:0:1::5]:80": "2001:db8:0:1::/64",
		"[2001:db8:0:1:ffff::9]:81": "2001:db8:0:1::/64", "[fe80::1%eth0]:1": "fe80::/64", "@": "invalid Prefix",
	} {
		if got := limit.Address(remote).String(); got != want {
			t.Errorf("%s: got %s, want %s", remote, got, want)
		}
	}
}
