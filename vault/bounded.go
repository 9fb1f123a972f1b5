package vault

import "sync"

// bounded is a map for concurrent use that forgets everything when it is full. It keeps what is costly to make and cheap to
// lose: compiled patterns and conditions, of which an agent has a few dozen.
type bounded[V any] struct {
	mu      sync.RWMutex
	entries map[string]V
	limit   int
}

func newBounded[V any](limit int) *bounded[V] {
	return &bounded[V]{entries: make(map[string]V), limit: limit}
}

// get gives the entry for key, made by build where there is none yet. An error is not kept.
func (b *bounded[V]) get(key string, build func(string) (V, error)) (V, error) {
	b.mu.RLock()
	v, ok := b.entries[key]
	b.mu.RUnlock()
	if ok {
		return v, nil
	}
	v, err := build(key)
	if err != nil {
		return v, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.entries) >= b.limit {
		clear(b.entries)
	}
	b.entries[key] = v
	return v, nil
}
