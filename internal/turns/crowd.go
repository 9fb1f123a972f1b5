package turns

import (
	"sync"
	"time"
)

// present is how long a tenant is around after it was last seen.
const present = 2 * time.Second

// Crowd knows whether a tenant is alone. It is safe for concurrent use. A nil Crowd has all tenants.
type Crowd struct {
	mu   sync.Mutex
	last [2]sighting // of different tenants, the latest first
}

type sighting struct {
	tenant string
	at     time.Time
}

// See notes that a tenant is around. Nothing is noted in a nil Crowd.
func (c *Crowd) See(tenant string) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last[0].tenant != tenant {
		c.last[1] = c.last[0]
	}
	c.last[0] = sighting{tenant, time.Now()}
}

// Others reports whether another tenant is around.
func (c *Crowd) Others(tenant string) bool {
	if c == nil {
		return true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.last {
		if s.tenant != tenant && time.Since(s.at) < present {
			return true
		}
	}
	return false
}
