// Package limit limits the requests of API keys. The limits are those of one process: several processes allow several
// times as many requests.
package limit

import (
	"math"
	"strconv"
	"time"

	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"
)

// maxLimiters bounds the memory. An evicted limiter starts full again.
const maxLimiters = 10_000

// Requests limits the requests per second of each key. It is safe for concurrent use.
type Requests struct {
	perSecond int
	byKey     *lru.Cache[uuid.UUID, *rate.Limiter]
}

// New creates a limit of perSecond requests per key. 0: no limit.
func New(perSecond int) *Requests {
	byKey, err := lru.New[uuid.UUID, *rate.Limiter](maxLimiters)
	if err != nil {
		panic(err) // only for a size below 1
	}
	return &Requests{perSecond: perSecond, byKey: byKey}
}

// Take reports whether a key may make a request now. If not, retryAfter is the number of seconds to wait, as the header
// Retry-After has it.
func (r *Requests) Take(key uuid.UUID, now time.Time) (retryAfter string, ok bool) {
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
