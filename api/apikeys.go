package api

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/api/internal/input"
	"github.com/contextvault/contextvault/internal/cursor"
	"github.com/contextvault/contextvault/vault"
)

const tagKeys = "Keys and usage"

func (s *Server) keyRoutes() {
	type list struct{ input.Page }
	register(s, route{
		name: "list-keys", method: http.MethodGet, path: "/v1/keys", tag: tagKeys, access: toOperate,
		summary: "List the API keys",
		detail:  "Newest first, also those that were revoked. No answer holds a key or its hash.",
	}, func(ctx context.Context, c caller, in *list) (*page[vault.KeySummary], error) {
		return pageByID(in.Page, func(after *uuid.UUID, limit int) ([]vault.KeySummary, bool, error) {
			return s.options.Query.KeysPage(ctx, c.tenant, after, limit)
		}, func(k vault.KeySummary) uuid.UUID { return k.ID })
	})
	type create struct {
		input.Preferences
		input.JSON
	}
	submit[create](s, vault.CreateKey, route{
		method: http.MethodPost, path: "/v1/keys", tag: tagKeys, access: toAdmin,
		summary: "Create an API key",
		detail: "You make the secret and send its hash, so that the secret is in no request and no answer before it is " +
			"used. The id of the operation is the id of the key.",
		example: `{"name": "agent runtime", "scopes": ["read", "write"],
			"key_hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}`,
	}, func(ctx context.Context, c caller, _ *create, in *vault.CreateKeyInput) error {
		if err := CheckNewKey(c.masked, *in, time.Now()); err != nil {
			return err
		}
		return s.options.Query.CheckKeyPurpose(ctx, c.tenant, in.Purpose)
	})
	type revoke struct {
		Key input.ID `path:"key_id" doc:"The id of the key."`
		input.Preferences
	}
	submit[revoke](s, vault.RevokeKey, route{
		method: http.MethodDelete, path: "/v1/keys/{key_id}", tag: tagKeys, access: toAdmin,
		summary: "Revoke an API key", detail: "It ends within seconds. To revoke it again changes nothing.",
	})
	type usage struct{ input.Page }
	register(s, route{
		name: "list-usage", method: http.MethodGet, path: "/v1/usage", tag: tagKeys, access: toOperate,
		summary: "List what was used of the language model, by day",
		detail:  "Newest day first. Days without a call are left out.",
	}, func(ctx context.Context, c caller, in *usage) (*page[vault.Usage], error) {
		before, err := decodeCursor[time.Time](in.Cursor)
		if err != nil {
			return nil, err
		}
		days, more, err := s.options.Query.UsagePage(ctx, c.tenant, before, in.Limit)
		if err != nil {
			return nil, err
		}
		out := &page[vault.Usage]{listOf[vault.Usage]{Items: days}}
		if more {
			last, err := time.Parse(time.DateOnly, days[len(days)-1].Day)
			if err != nil {
				return nil, err
			}
			out.Body.Next = cursor.Encode(last)
		}
		return out, nil
	})
}

// CheckNewKey returns an error if a key may not create another one: a key whose values are masked must not make one
// that sees them. An end that has passed is an error too, and so are agents with a scope that covers all of them.
func CheckNewKey(creatorMasked bool, in vault.CreateKeyInput, now time.Time) error {
	if creatorMasked && !in.Masked {
		return notAllowed("masked", "masked: this API key sees masked values only, so it can create only masked keys")
	}
	if err := vault.CheckAgentScopes(in.Agents, in.Scopes); err != nil {
		return err
	}
	if in.ExpiresAt != nil && !in.ExpiresAt.After(now) {
		return vault.Invalid("expires_at", "is in the past; name a later time, or none for a key without an end")
	}
	return nil
}
