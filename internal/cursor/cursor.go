// Package cursor splits lists into pages. A cursor is a position in a list, as JSON in base64. It needs no signature:
// it gives no access, because a list shows only items of the caller's tenant.
package cursor

import (
	"encoding/base64"
	"encoding/json"
	"slices"

	"github.com/contextvault/contextvault/rules"
)

// Encode returns the cursor of a position.
func Encode(position any) string {
	encoded, err := json.Marshal(position)
	if err != nil {
		panic("encode a cursor: " + err.Error()) // positions are ids, names and times
	}
	return base64.RawURLEncoding.EncodeToString(encoded)
}

// Decode returns the position of a cursor, nil for the first page. ok is false for a text that Encode did not return.
func Decode[T any](text string) (position *T, ok bool) {
	if text == "" {
		return nil, true
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		position := new(T)
		if err = rules.DecodeStrict(raw, position); err == nil && Encode(position) == text {
			return position, true
		}
	}
	return nil, false
}

// Page returns the page of a complete list after a position, in the order of compare, and the cursor of the next page.
func Page[T, P any](
	all []T, after *P, limit int, position func(T) P, compare func(a, b P) int,
) (page []T, next string) {
	start := 0
	if after != nil {
		for start < len(all) && compare(position(all[start]), *after) <= 0 {
			start++
		}
	}
	all = all[start:]
	if len(all) <= limit {
		return all, ""
	}
	return all[:limit], Encode(position(all[limit-1]))
}

// Sorted returns a sorted copy of a list. It does not change the list, which can belong to a cache.
func Sorted[T, P any](all []T, position func(T) P, compare func(a, b P) int) []T {
	out := slices.Clone(all)
	slices.SortFunc(out, func(a, b T) int { return compare(position(a), position(b)) })
	return out
}
