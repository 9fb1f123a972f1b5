package cache

import (
	"sync/atomic"

	"github.com/sony/gobreaker/v2"
)

// Stats counts what happened since New.
type Stats struct {
	Hits          uint64 // reads that Redis answered
	Misses        uint64 // reads that asked Redis and went to their loader
	Bypassed      uint64 // reads that did not ask Redis, because it was unavailable or not trusted
	RefusedStale  uint64 // values that were not stored, because an invalidation or a newer value came first
	Invalidations uint64 // invalidations that reached Redis
	Errors        uint64 // exchanges with Redis that failed, and invalidations that did not reach it
}

// HitRate is the share of all reads that Redis answered, from 0 to 1; 1 where there were none.
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

// Stats gives the counts of all kinds together.
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

// StatsOf gives the counts of one kind.
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

// CircuitOpen reports whether Redis counts as unavailable: reads do not ask it, but for one now and then that tries. false where
// there is no cache.
func (c *Cache) CircuitOpen() bool { return c != nil && c.breaker.State() != gobreaker.StateClosed }

// Available reports whether reads are answered from Redis at present.
func (c *Cache) Available() bool {
	if c == nil || !c.enabled {
		return false
	}
	ok, _ := c.trust.holds()
	return ok
}
