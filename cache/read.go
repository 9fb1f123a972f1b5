package cache

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	"github.com/redis/go-redis/v9"
)

// NotStored is the version of a value that is for this reader only.
const NotStored int64 = -1

// Read gives the value under key: from Redis where it is there and may be trusted, else from load, and then it is stored for
// the next reader. load gives the value with its version, which grows with every change of it, or NotStored; an error of load
// is returned as it is, and nothing is stored. T must come out of JSON as it went in.
//
// Two readers that miss at once both load: a load that began before a change must not serve a read that began after it.
func Read[T any](ctx context.Context, c *Cache, key Key, load func(ctx context.Context) (value T, version int64, err error)) (T, error) {
	if c == nil || !c.enabled {
		value, _, err := load(ctx)
		return value, err
	}
	count := c.counters[key.kind]
	if !c.trusted(ctx) {
		count.bypassed.Add(1)
		value, _, err := load(ctx)
		return value, err
	}
	shape := shapeOf[T]()
	run := c.run.get() // before the claim is made: if Redis restarts in between, the entry will count as one of the old run
	is, err := c.get(ctx, key, shape)
	if err == nil && is.payload != nil {
		var value T
		if json.Unmarshal(is.payload, &value) == nil {
			count.hits.Add(1)
			return value, nil
		}
	}
	count.misses.Add(1)
	if err != nil {
		value, _, err := load(ctx)
		return value, err
	}
	claim := is.claim
	if claim == "" {
		claim = c.claim(ctx, key, is)
	}
	began := time.Now()
	value, version, err := load(ctx)
	if err == nil && claim != "" && time.Since(began) < c.maxLoad {
		c.store(ctx, key, claim, version, run, shape, value)
	}
	return value, err
}

// get looks at what is under the key. The error is that of a Redis that does not answer.
func (c *Cache) get(ctx context.Context, key Key, shape string) (found, error) {
	var raw []byte
	err := c.do(ctx, func(ctx context.Context) error {
		var err error
		raw, err = c.client.Get(ctx, key.String()).Bytes()
		return err
	})
	switch {
	case err == nil:
		return decode(raw, c.run.get(), shape), nil
	case redis.HasErrorPrefix(err, "WRONGTYPE"): // not ours
		return found{version: noVersion}, c.Drop(ctx, key)
	case isDown(err):
		c.counters[key.kind].errors.Add(1)
		return found{}, err
	default:
		return found{version: noVersion}, nil
	}
}

// claim leaves a claim, or finds the one of another reader. "": the value that will be loaded cannot be stored.
func (c *Cache) claim(ctx context.Context, key Key, is found) string {
	var now string
	err := c.do(ctx, func(ctx context.Context) error {
		var err error
		claim := string(isClaim) + is.version + newToken()
		now, err = claimScript.Run(ctx, c.client, []string{key.String()}, is.prefix, claim, maxLoad.Milliseconds()).Text()
		return err
	})
	if err != nil {
		c.counters[key.kind].errors.Add(1)
		return ""
	}
	return decode([]byte(now), "", "").claim
}

func (c *Cache) store(ctx context.Context, key Key, claim string, version int64, run, shape string, value any) {
	var payload bytes.Buffer
	encoder := json.NewEncoder(&payload)
	encoder.SetEscapeHTML(false) // values that are JSON already stay as they are
	if err := encoder.Encode(value); err != nil || payload.Len() > maxPayload || version < 0 || len(run) != len(unknownRun) {
		return
	}
	entry := encodeEntry(version, run, shape, bytes.TrimSuffix(payload.Bytes(), []byte("\n")))
	count := c.counters[key.kind]
	err := c.do(ctx, func(ctx context.Context) error {
		done, err := storeScript.Run(ctx, c.client, []string{key.String()}, claim, versionText(version), entry, c.lifetimes[key.kind].Milliseconds()).Int()
		if err == nil && done == storeRefused {
			count.refusedStale.Add(1)
		}
		return err
	})
	if err != nil {
		count.errors.Add(1)
	}
}
