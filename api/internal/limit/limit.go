// Package limit limits the requests of API keys, and of addresses that send unknown keys. The limits are those of one
// process: several processes allow several times as many requests.
package limit

import (
	"math"
	"net/netip"
	"strconv"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"
)

// maxLimiters bounds the memory. An evicted limiter starts full again.
const maxLimiters = 10_000

// Requests limits the requests per second of each key: an API key or an address. It is safe for concurrent use.
type Requests[K comparable] struct {
	perSecond int
	byKey     *lru.Cache[K, *rate.Limiter]
}

// New creates a limit of perSecond requests per key. 0: no limit.
func New[K comparable](perSecond int) *Requests[K] {
	byKey, err := lru.New[K, *rate.Limiter](maxLimiters)
	if err != nil {
		panic(err) // only for a size below 1
	}
	return &Requests[K]{perSecond: perSecond, byKey: byKey}
}

// Exhausted reports whether Take would refuse a key now. It takes nothing.
func (r *Requests[K]) Exhausted(key K, now time.Time) (retryAfter string, exhausted bool) {
	if r.perSecond == 0 {
		return "", false
	}
	limiter, found := r.byKey.Get(key)
	if !found || limiter.TokensAt(now) >= 1 {
		return "", false
	}
	return "1", true // a token comes within a second, since perSecond is at least 1
}

// Take reports whether a key may make a request now. If not, retryAfter is the number of seconds to wait, as the header
// Retry-After has it.
func (r *Requests[K]) Take(key K, now time.Time) (retryAfter string, ok bool) {
	if r.perSecond == 0 {
		return "", true
	}
	limiter, found := r.byKey.Get(key)
	if !found {
		limiter = rate.NewLimiter(rate.Limit(r.perSecond), r.perSecond)
		if first, found, _ := r.byKey.PeekOrAdd(key, limiter); found { // another request was faster
			limiter = first
		}
	}
	reservation := limiter.ReserveN(now, 1)
	wait := reservation.DelayFrom(now)
	if wait == 0 {
		return "", true
	}
	reservation.CancelAt(now) // a refused request must not use up the next ones
	return strconv.Itoa(max(1, int(math.Ceil(wait.Seconds())))), false
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
