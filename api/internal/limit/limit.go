// Package limit limits the requests of API keys, and of addresses that send unknown keys. The limits are those of one
// process: several processes allow several times as many requests.
package limit

import (
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"
)

// maxLimiters bounds the memory. An evicted limiter starts full again.
const maxLimiters = 10_000

// Costs of requests, in units. A read takes a fraction of the time of a change, which runs a workflow.
const (
	ReadCost   = 1
	ChangeCost = 10
)

// CostOf returns the cost of a request with a method.
func CostOf(method string) int {
	if method == http.MethodGet || method == http.MethodHead {
		return ReadCost
	}
	return ChangeCost
}

// Requests limits the requests per second of each key by their cost: an API key or an address. It is safe for
// concurrent use.
type Requests[K comparable] struct {
	units int // per second
	byKey *lru.Cache[K, *rate.Limiter]
}

// New creates a limit of changesPerSecond changes per key, or of as many reads as cost the same. 0: no limit.
func New[K comparable](changesPerSecond int) *Requests[K] {
	byKey, err := lru.New[K, *rate.Limiter](maxLimiters)
	if err != nil {
		panic(err) // only for a size below 1
	}
	return &Requests[K]{units: changesPerSecond * ChangeCost, byKey: byKey}
}

// Units returns the units of a key per second. 0: there is no limit.
func (r *Requests[K]) Units() int { return r.units }

// Exhausted reports whether Take would refuse a change of a key now. It takes nothing.
func (r *Requests[K]) Exhausted(key K, now time.Time) (retryAfter string, exhausted bool) {
	if r.units == 0 {
		return "", false
	}
	limiter, found := r.byKey.Get(key)
	if !found || limiter.TokensAt(now) >= ChangeCost {
		return "", false
	}
	return "1", true // the units of a change come within a second, since there is at least one change per second
}

// Taken is the answer of Take.
type Taken struct {
	OK bool
	// Left are the units that the key has left.
	Left int
	// RetryAfter is the number of seconds to wait, as the header Retry-After has it. Empty if OK.
	RetryAfter string
}

// Take reports whether a key may make a request of a cost now, and takes the cost if so.
func (r *Requests[K]) Take(key K, cost int, now time.Time) Taken {
	if r.units == 0 {
		return Taken{OK: true}
	}
	limiter, found := r.byKey.Get(key)
	if !found {
		limiter = rate.NewLimiter(rate.Limit(r.units), r.units)
		if first, found, _ := r.byKey.PeekOrAdd(key, limiter); found { // another request was faster
			limiter = first
		}
	}
	reservation := limiter.ReserveN(now, cost)
	wait := reservation.DelayFrom(now)
	if wait > 0 {
		reservation.CancelAt(now) // a refused request must not use up the next ones
	}
	out := Taken{OK: wait == 0, Left: max(0, int(limiter.TokensAt(now)))}
	if !out.OK {
		out.RetryAfter = strconv.Itoa(max(1, int(math.Ceil(wait.Seconds()))))
	}
	return out
}

// Address returns the address of the peer of a request as a key of Requests. All addresses of an IPv6 network of 64
// bits, which one host can have, are the same key.
func Address(remote string) netip.Prefix {
	peer, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Prefix{} // not a TCP connection; all of these share a limit
	}
	addr, bits := peer.Addr().Unmap().WithZone(""), 32
	if addr.Is6() {
		bits = 64
	}
	network, _ := addr.Prefix(bits) // fails only for bits beyond the address
	return network
}
