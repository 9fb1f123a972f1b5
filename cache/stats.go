package cache

import (
	"sync/atomic"

	"github.com/sony/gobreaker/v2"
)

// Stats counts events since New.
type Stats struct {
	Hits          uint64 // reads that were answered from Redis
	Misses        uint64 // reads that asked Redis and then called their loader
	Bypassed      uint64 // reads that did not ask Redis: it was unavailable, or there was no lease
	RefusedStale  uint64 // values that were not stored: an invalidation or a newer value came first
	Invalidations uint64 // invalidations that reached Redis
	Errors        uint64 // failed exchanges with Redis, and invalidations that did not reach it
}

// HitRate is the share of all reads that were answered from Redis, from 0 to 1. Without reads it is 1.
func (s Stats) HitRate() float64 {
	reads := s.Hits + s.Misses + s.Bypassed
	if reads == 0 {
		return 1
	}
	return float64(s.Hits) / float64(reads)
}

type counters struct {
	hits, misses, bypassed, refusedStale, invalidations, errors atomic.Uint64
}

// Stats returns the sum of the counts of all kinds.
func (c *Cache) Stats() Stats {
	var sum Stats
	for _, kind := range Kinds {
		s := c.StatsOf(kind)
		sum.Hits += s.Hits
		sum.Misses += s.Misses
		sum.Bypassed += s.Bypassed
		sum.RefusedStale += s.RefusedStale
		sum.Invalidations += s.Invalidations
		sum.Errors += s.Errors
	}
	return sum
}

// StatsOf returns the counts of one kind.
func (c *Cache) StatsOf(kind Kind) Stats {
	if c == nil || c.counters[kind] == nil {
		return Stats{}
	}
	n := c.counters[kind]
	return Stats{
		Hits: n.hits.Load(), Misses: n.misses.Load(), Bypassed: n.bypassed.Load(), RefusedStale: n.refusedStale.Load(),
		Invalidations: n.invalidations.Load(), Errors: n.errors.Load(),
	}
}

// CircuitOpen reports whether the circuit breaker considers Redis unavailable: reads do not ask it, except for an
// occasional probe. Without a cache it is false.
func (c *Cache) CircuitOpen() bool { return c != nil && c.breaker.State() != gobreaker.StateClosed }

// Available reports whether reads are answered from Redis now.
func (c *Cache) Available() bool {
	if c == nil || !c.enabled {
		return false
	}
	ok, _ := c.lease.held()
	return ok
}
