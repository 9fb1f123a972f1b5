package cache

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// profileOf has about the size of a customer with so many fields.
func profileOf(fields int) map[string]map[string]string {
	profile := map[string]map[string]string{}
	for i := range fields {
		profile[fmt.Sprintf("field_%d", i)] = map[string]string{
			"id": "01980000-0000-7000-8000-000000000000", "value": strings.Repeat("x", 40), "value_type": "string",
			"source": "user_provided", "status": "active", "collected_at": "2025-01-01T00:00:00Z", "definition_id": "01980000-0000-7000-8000-000000000001",
		}
	}
	return profile
}

// A hit, beside what it cannot be quicker than: a GET of the same bytes, and that with decoding its JSON.
func BenchmarkHit(b *testing.B) {
	for _, fields := range []int{1, 20} {
		c, _ := newCache(b, Options{})
		client := raw(b, sharedURL)
		key := randomKey()
		ctx := context.Background()
		load := func(context.Context) (map[string]map[string]string, int64, error) { return profileOf(fields), 1, nil }
		if _, err := Read(ctx, c, key, load); err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("%d fields/read", fields), func(b *testing.B) {
			for b.Loop() {
				if _, err := Read(ctx, c, key, load); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("%d fields/raw GET", fields), func(b *testing.B) {
			for b.Loop() {
				if err := client.Get(ctx, key.String()).Err(); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("%d fields/raw GET and decode", fields), func(b *testing.B) {
			for b.Loop() {
				text, err := client.Get(ctx, key.String()).Bytes()
				if err != nil {
					b.Fatal(err)
				}
				var value map[string]map[string]string
				if err := json.Unmarshal(text[entryStart:], &value); err != nil {
					b.Fatal(err)
				}
			}
		})
		if s := c.Stats(); s.Misses > 1 {
			b.Errorf("%+v", s)
		}
	}
}

func BenchmarkMiss(b *testing.B) {
	c, _ := newCache(b, Options{})
	ctx := context.Background()
	for b.Loop() {
		if _, err := Read(ctx, c, randomKey(), (&loads{value: person{"Ada", 1}}).load); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkInvalidate(b *testing.B) {
	c, _ := newCache(b, Options{})
	ctx := context.Background()
	key := randomKey()
	version := int64(0)
	for b.Loop() {
		version++
		if err := c.Invalidate(ctx, key, version); err != nil {
			b.Fatal(err)
		}
	}
}

// Reads while Redis is away cost no more than the load.
func BenchmarkBypassed(b *testing.B) {
	c, _ := newCache(b, quick("redis://127.0.0.1:1"))
	ctx := context.Background()
	l := &loads{value: person{"Ada", 1}}
	for range 10 {
		_, _ = Read(ctx, c, randomKey(), l.load)
	}
	key := randomKey()
	for b.Loop() {
		_, _ = Read(ctx, c, key, l.load)
	}
}
