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
		got := l.Take(key, limit.ChangeCost, now.Add(after))
		if !got.OK && got.RetryAfter != "1" {
			t.Errorf("retry after %q seconds, want 1", got.RetryAfter)
		}
		return got.OK
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

func TestTake_ByCost(t *testing.T) {
	t.Parallel()
	l := limit.New[uuid.UUID](2)
	now, key := time.Now(), uuid.New()
	for i := range 10 {
		if got := l.Take(key, limit.CostOf("GET"), now); !got.OK || got.Left != 19-i {
			t.Fatalf("read %d: %+v", i, got)
		}
	}
	if got := l.Take(key, limit.CostOf("POST"), now); !got.OK || got.Left != 0 {
		t.Errorf("the change: %+v", got)
	}
	if got := l.Take(key, limit.CostOf("GET"), now); got.OK || got.Left != 0 || got.RetryAfter != "1" {
		t.Errorf("a read beyond the limit: %+v", got)
	}
	if got := limit.New[uuid.UUID](0).Take(key, 1000, now); !got.OK {
		t.Errorf("without a limit: %+v", got)
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
