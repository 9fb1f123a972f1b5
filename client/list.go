package client

import (
	"context"
	"iter"
	"maps"
	"net/url"
	"strconv"
)

// pageSize is the number of entries per request: the maximum of the server.
const pageSize = 500

type page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next_cursor"`
}

// list reads a list page by page, as the caller iterates. An error ends it.
func list[T any](ctx context.Context, c *Client, path string, query url.Values) iter.Seq2[T, error] {
	return pages(ctx, c, path, query, func(p page[T]) ([]T, string) { return p.Items, p.Next })
}

// pages is list for any type of page.
func pages[P, T any](
	ctx context.Context, c *Client, path string, query url.Values, open func(P) (items []T, next string),
) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		q := maps.Clone(query)
		if q == nil {
			q = url.Values{}
		}
		if !q.Has("limit") {
			q.Set("limit", strconv.Itoa(pageSize))
		}
		for {
			got, err := get[P](ctx, c, path, q)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			items, next := open(got)
			for _, item := range items {
				if !yield(item, nil) {
					return
				}
			}
			if next == "" {
				return
			}
			q.Set("cursor", next)
		}
	}
}

// Collect reads a whole list. After an error it returns the entries so far.
func Collect[T any](all iter.Seq2[T, error]) ([]T, error) {
	out := []T{}
	for item, err := range all {
		if err != nil {
			return out, err
		}
		out = append(out, item)
	}
	return out, nil
}
