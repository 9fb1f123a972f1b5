package api

import (
	"math"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/time/rate"
)

// limits holds back keys that ask too often. The limit is of one process: several have several times as much.
type limits struct {
	perSecond int // 0: none
	mu        sync.Mutex
	byKey     map[uuid.UUID]*rate.Limiter
}

// mostLimiters bounds the memory. A limiter that is forgotten starts full.
const mostLimiters = 10_000

// take reports whether a key may go on, and else in how many seconds it may.
func (l *limits) take(key uuid.UUID, now time.Time) (retryAfter string, ok bool) {
	if l.perSecond == 0 {
		return "", true
	}
	l.mu.Lock()
	limiter := l.byKey[key]
	if limiter == nil {
		if l.byKey == nil || len(l.byKey) >= mostLimiters {
			l.byKey = map[uuid.UUID]*rate.Limiter{}
		}
		limiter = rate.NewLimiter(rate.Limit(l.perSecond), l.perSecond)
		l.byKey[key] = limiter
	}
	l.mu.Unlock()
	r := limiter.ReserveN(now, 1)
	wait := r.DelayFrom(now)
	if wait == 0 {
		return "", true
	}
	r.CancelAt(now)
	return strconv.Itoa(max(1, int(math.Ceil(wait.Seconds())))), false
}
