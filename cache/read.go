package cache

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	"github.com/redis/go-redis/v9"
)

// NotStored is the version of a value that is not stored: only the reader that loaded it gets it.
const NotStored int64 = -1

// Codec converts a value to the bytes that Redis stores, and back.
type Codec[T any] struct {
	// Shape is a fingerprint of the stored bytes (see Shape). An entry of another shape is a miss.
	Shape  string
	Encode func(value T) ([]byte, error)
	// Decode returns an error for bytes that Encode did not make: that is a miss. It may keep the bytes.
	Decode func(stored []byte) (T, error)
}

// Read is ReadWith for a value that is stored as JSON. JSON must decode T to the value that was encoded.
func Read[T any](
	ctx context.Context, c *Cache, key Key, load func(ctx context.Context) (value T, version int64, err error),
) (T, error) {
	return ReadWith(ctx, c, key, Codec[T]{
		Shape:  Shape[T](""),
		Encode: func(value T) ([]byte, error) { return EncodeJSON(value) },
		Decode: func(stored []byte) (value T, err error) {
			err = json.Unmarshal(stored, &value)
			return value, err
		},
	}, load)
}

// EncodeJSON encodes a value without escaping HTML, so that raw JSON values in it keep their text.
func EncodeJSON(value any) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(value)
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), err
}

// ReadWith returns the value under key: from Redis, or from load, whose value it then stores. load returns the value
// with its version, which grows with every change of the value, or NotStored. ReadWith returns an error of load
// unchanged and stores nothing.
//
// Two readers that miss at the same time both load: a load that began before a change must not serve a read that began
// after it.
func ReadWith[T any](
	ctx context.Context, c *Cache, key Key, codec Codec[T],
	load func(ctx context.Context) (value T, version int64, err error),
) (T, error) {
	if c == nil || !c.enabled {
		value, _, err := load(ctx)
		return value, err
	}
	count := c.counters[key.kind]
	if !c.holdsLease(ctx) {
		count.bypassed.Add(1)
		value, _, err := load(ctx)
		return value, err
	}
	run := c.run.get() // before the fill token: if Redis restarts in between, the entry belongs to the old run
	found, err := c.get(ctx, key, codec.Shape)
	if err == nil && found.payload != nil {
		if value, err := codec.Decode(found.payload); err == nil {
			count.hits.Add(1)
			return value, nil
		}
	}
	count.misses.Add(1)
	if err != nil {
		value, _, err := load(ctx)
		return value, err
	}
	token := found.token
	if token == "" {
		token = c.putFillToken(ctx, key, found)
	}
	began := time.Now()
	value, version, err := load(ctx)
	if err == nil && token != "" && time.Since(began) < c.maxLoad {
		if payload, err := codec.Encode(value); err == nil && len(payload) <= maxPayload && version >= 0 {
			c.store(ctx, key, token, version, run, codec.Shape, payload)
		}
	}
	return value, err
}

// get reads the slot of a key. It returns an error only if Redis does not answer.
func (c *Cache) get(ctx context.Context, key Key, shape string) (slot, error) {
	var raw []byte
	err := c.do(ctx, func(ctx context.Context) error {
		var err error
		raw, err = c.client.Get(ctx, key.String()).Bytes()
		return err
	})
	switch {
	case err == nil:
		return decode(raw, c.run.get(), shape), nil
	case redis.HasErrorPrefix(err, "WRONGTYPE"): // another program wrote the key
		return slot{version: noVersion}, c.Drop(ctx, key)
	case isDown(err):
		c.counters[key.kind].errors.Add(1)
		return slot{}, err
	default:
		return slot{version: noVersion}, nil
	}
}

// putFillToken puts a fill token under the key and returns it, or the token that another reader or an invalidation put
// there first. "": the loaded value cannot be stored.
func (c *Cache) putFillToken(ctx context.Context, key Key, found slot) string {
	var head string
	err := c.do(ctx, func(ctx context.Context) error {
		var err error
		token := string(kindFillToken) + found.version + newToken()
		head, err = fillTokenScript.Run(
			ctx, c.client, []string{key.String()}, found.head, token, maxLoad.Milliseconds(),
		).Text()
		return err
	})
	if err != nil {
		c.counters[key.kind].errors.Add(1)
		return ""
	}
	return decode([]byte(head), "", "").token
}

func (c *Cache) store(ctx context.Context, key Key, token string, version int64, run, shape string, payload []byte) {
	if len(run) != len(unknownRun) {
		return
	}
	entry := encodeEntry(version, run, shape, payload)
	count := c.counters[key.kind]
	err := c.do(ctx, func(ctx context.Context) error {
		done, err := storeScript.Run(
			ctx, c.client, []string{key.String()}, token, versionText(version), entry, c.lifetimes[key.kind].Milliseconds(),
		).Int()
		if err == nil && done == storeRefused {
			count.refusedStale.Add(1)
		}
		return err
	})
	if err != nil {
		count.errors.Add(1)
	}
}
