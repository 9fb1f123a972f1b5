package bounded

import (
	"sync"

	lru "github.com/hashicorp/golang-lru/v2"
)

// Limits of the caches of compiled patterns and schemas. An agent has a few dozen patterns, and fewer schemas.
const (
	maxPatterns     = 500
	maxPatternBytes = 16 << 20 // of all compiled patterns together, by their estimated size
	maxSchemas      = 200
	maxSchemaBytes  = 16 << 20
	bytesPerPart    = 1000 // of a compiled schema
)

var schemas = newCompiledCache(maxSchemas, maxSchemaBytes, func(s Schema) int { return s.parts * bytesPerPart })

// compiledCache is an LRU cache of what was compiled from a text, limited in number and in memory. It is safe for
// concurrent use.
type compiledCache[T any] struct {
	mu       sync.Mutex
	lru      *lru.Cache[string, T]
	bytes    int
	maxBytes int
	sizeOf   func(T) int
}

func newCompiledCache[T any](maxEntries, maxBytes int, sizeOf func(T) int) *compiledCache[T] {
	c := &compiledCache[T]{maxBytes: maxBytes, sizeOf: sizeOf}
	var err error
	c.lru, err = lru.NewWithEvict(maxEntries, func(text string, compiled T) { c.bytes -= len(text) + sizeOf(compiled) })
	if err != nil {
		panic(err) // only for a size below 1
	}
	return c
}

func (c *compiledCache[T]) get(text string) (T, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lru.Get(text)
}

func (c *compiledCache[T]) add(text string, compiled T) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lru.Contains(text) {
		return // another goroutine was faster
	}
	c.bytes += len(text) + c.sizeOf(compiled)
	c.lru.Add(text, compiled)
	for c.bytes > c.maxBytes {
		c.lru.RemoveOldest()
	}
}
