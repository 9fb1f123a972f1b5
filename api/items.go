package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/api/internal/input"
	"github.com/contextvault/contextvault/vault"
)

const tagLineage = "Lineage"

func (s *Server) itemRoutes() {
	type chain struct {
		input.ItemPath
		Depth int `query:"depth" minimum:"1" maximum:"100" default:"10" doc:"How many links are read."`
	}
	register(s, route{
		name: "get-chain", method: http.MethodGet, path: "/v1/items/{item_id}/chain", tag: tagLineage, access: toRead,
		summary: "Get where an item came from", detail: "From the origin to the item itself.", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, c caller, in *chain) (*one[vault.Chain], error) {
		out, err := s.options.Query.Chain(ctx, c.tenant, in.Item.UUID, in.Depth)
		return &one[vault.Chain]{out}, err
	})
	type derived struct {
		input.ItemPath
		input.Page
	}
	register(s, route{
		name: "list-derived", method: http.MethodGet, path: "/v1/items/{item_id}/derived", tag: tagLineage, access: toRead,
		summary: "List what was derived from an item", detail: "At most 1,000 items, in the order in which they were made.",
		errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, c caller, in *derived) (*page[vault.ChainLink], error) {
		after, err := decodeCursor[afterID](in.Cursor)
		if err != nil {
			return nil, err
		}
		all, err := s.options.Query.Derived(ctx, c.tenant, in.Item.UUID)
		if err != nil {
			return nil, err
		}
		if len(all) == 0 { // of an item that is not there nothing was derived either, and that is another answer
			if _, err := s.options.Query.Chain(ctx, c.tenant, in.Item.UUID, 1); err != nil {
				return nil, err
			}
		}
		place := func(l vault.ChainLink) afterID { return afterID{l.ID} }
		items, next := pageOfSorted(sorted(all, place, compareIDs), after, in.Limit, place, compareIDs)
		return &page[vault.ChainLink]{listOf[vault.ChainLink]{items, next}}, nil
	})
	type remove struct {
		input.ItemPath
		Force bool `query:"force" doc:"Delete it although others were derived from it: they become orphaned, and stay. Needs the scope admin."`
		input.Preferences
	}
	submit[remove](s, vault.DeleteItem, route{
		method: http.MethodDelete, path: "/v1/items/{item_id}", tag: tagLineage, access: toWrite,
		summary: "Delete a version of a field, or an asset",
		detail:  "Where others were derived from it, the answer is 409 has_dependents, with their ids.",
	}, func(_ context.Context, c caller, in *remove, _ *vault.DeleteItemInput) error {
		return c.mayForce(in.Force)
	})
	type restore struct {
		input.ItemPath
		input.Preferences
	}
	submit[restore](s, vault.RestoreItem, route{
		method: http.MethodPost, path: "/v1/items/{item_id}/restore", tag: tagLineage, access: toAdmin,
		summary: "Restore an item",
		detail:  "Brings back a deleted item, or sets an orphaned one active whose source is there again.",
	})
}

// afterID is a place in a list in the order of ids.
type afterID struct {
	ID uuid.UUID `json:"id"`
}

func compareIDs(a, b afterID) int { return strings.Compare(a.ID.String(), b.ID.String()) }
