package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/contextvault/contextvault/api/internal/input"
	"github.com/contextvault/contextvault/internal/cursor"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/vault"
)

const tagLineage = "Lineage"

func (s *Server) itemRoutes() {
	submit[customerBody](s, vault.AddAsset, route{
		method: http.MethodPost, path: "/v1/customers/{customer_id}/assets", tag: tagCustomers, access: toWrite,
		summary: "Add a reference to a document",
		detail:  "The document itself remains in its storage.",
		example: `{
			"name": "id_card", "asset_type": "image", "storage_provider": "s3",
			"storage_path": "s3://documents/id-card.png", "size_bytes": 48213,
			"checksum": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}`,
	})
	type chain struct {
		input.ItemPath
		input.Moment
		Depth int `query:"depth" minimum:"1" maximum:"100" default:"10" doc:"The maximum number of links."`
	}
	register(s, route{
		name: "get-chain", method: http.MethodGet, path: "/v1/items/{item_id}/chain", tag: tagLineage, access: toRead,
		summary: "Get the sources of an item",
		detail:  "From the origin to the item. With as_of and known_at: as they were then.",
		errors:  []int{http.StatusNotFound},
	}, func(ctx context.Context, c caller, in *chain) (*one[vault.Chain], error) {
		at, err := in.At()
		if err != nil {
			return nil, err
		}
		out, err := s.options.Query.ChainAt(ctx, c.tenant, in.Item.UUID, in.Depth, at)
		return &one[vault.Chain]{out}, err
	})
	type derived struct {
		input.ItemPath
		input.Page
	}
	register(s, route{
		name: "list-derived", method: http.MethodGet, path: "/v1/items/{item_id}/derived", tag: tagLineage, access: toRead,
		summary: "List the items that were derived from an item",
		detail:  "Up to 1,000 items, in the order of their creation.",
		errors:  []int{http.StatusNotFound},
	}, func(ctx context.Context, c caller, in *derived) (*page[vault.ChainLink], error) {
		after, err := decodeCursor[afterID](in.Cursor)
		if err != nil {
			return nil, err
		}
		all, err := s.options.Query.Derived(ctx, c.tenant, in.Item.UUID)
		if err != nil {
			return nil, err
		}
		if len(all) == 0 { // Derived is also empty for an unknown item, which must be an error
			if _, err := s.options.Query.Chain(ctx, c.tenant, in.Item.UUID, 1); err != nil {
				return nil, err
			}
			query.ForgetReads(ctx) // the answer is empty
		}
		position := func(l vault.ChainLink) afterID { return afterID{l.ID} }
		items, next := cursor.Page(cursor.Sorted(all, position, compareIDs), after, in.Limit, position, compareIDs)
		return &page[vault.ChainLink]{listOf[vault.ChainLink]{Items: items, Next: next}}, nil
	})
	type remove struct {
		input.ItemPath
		Force   bool `query:"force" doc:"Delete the item even if other items were derived from it; they become orphaned. Needs the scope admin."`
		Restore bool `query:"restore_previous" doc:"Make the previous version of a deleted active value active again."`
		input.Preferences
	}
	submit[remove](s, vault.DeleteItem, route{
		method: http.MethodDelete, path: "/v1/items/{item_id}", tag: tagLineage, access: toWrite,
		summary: "Delete a value or an asset",
		detail:  "If other items were derived from it, the response is 409 has_dependents with their ids.",
	}, func(_ context.Context, c caller, in *remove, _ *vault.DeleteItemInput) error {
		return c.checkForce(in.Force)
	})
	type restore struct {
		input.ItemPath
		input.Preferences
	}
	submit[restore](s, vault.RestoreItem, route{
		method: http.MethodPost, path: "/v1/items/{item_id}/restore", tag: tagLineage, access: toAdmin,
		summary: "Restore an item",
		detail:  "Restores a deleted item. An orphaned item becomes active if its source exists again.",
	})
}

func compareIDs(a, b afterID) int { return strings.Compare(a.ID.String(), b.ID.String()) }
