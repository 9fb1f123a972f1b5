package api

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"

	"github.com/contextvault/contextvault/rules"
)

// A cursor is a position in a list, as JSON in base64. It opens nothing: a list shows the caller's tenant alone, whatever the
// position. So it needs no signature, only the right form.

func encodeCursor(position any) string {
	encoded, err := json.Marshal(position)
	if err != nil {
		panic("encode a cursor: " + err.Error()) // positions are ids, names and times
	}
	return base64.RawURLEncoding.EncodeToString(encoded)
}

// decodeCursor gives the position of a cursor, nil for the first page.
func decodeCursor[T any](text string) (*T, error) {
	if text == "" {
		return nil, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		position := new(T)
		if err = rules.DecodeStrict(raw, position); err == nil && encodeCursor(position) == text {
			return position, nil
		}
	}
	return nil, problem(http.StatusBadRequest, codeMalformed, "cursor", "cursor: is not one that this list gave; begin without a cursor, then pass next_cursor on as it is")
}

// pageOfSorted cuts a page out of a list that was read whole: what comes after the position, in the order of compare.
func pageOfSorted[T, P any](all []T, after *P, limit int, position func(T) P, compare func(a, b P) int) (page []T, next string) {
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
	return all[:limit], encodeCursor(position(all[limit-1]))
}

// sorted orders a copy of a list: what is read may come from a cache that others read too.
func sorted[T, P any](all []T, position func(T) P, compare func(a, b P) int) []T {
	out := slices.Clone(all)
	slices.SortFunc(out, func(a, b T) int { return compare(position(a), position(b)) })
	return out
}
