package api

import (
	"context"
	"net/http"

	"github.com/contextvault/contextvault/api/internal/input"
	"github.com/contextvault/contextvault/vault"
)

const tagAdmin = "Administration"

func (s *Server) adminRoutes() {
	type sweep struct{ input.Preferences }
	submit[sweep](s, vault.ExpireValues, route{
		method: http.MethodPost, path: "/admin/profiles/expire-stale", tag: tagAdmin, access: toOperate,
		summary: "Mark what is past its expiry now",
		detail:  "Across tenants, instead of at the next cron.",
	})
	submit[sweep](s, vault.DetectOrphans, route{
		method: http.MethodPost, path: "/admin/profiles/detect-orphans", tag: tagAdmin, access: toOperate,
		summary: "Mark what lost its source now",
		detail:  "Across tenants, instead of at the next cron.",
	})
	register(s, route{
		name: "drop-cached-profile", method: http.MethodDelete, path: "/admin/cache/profiles/{customer_id}", tag: tagAdmin, access: toOperate,
		summary: "Make the cache forget a customer", detail: "The next read goes to the database. With ADMIN_TOKEN, X-Tenant names the customer's tenant. It is never needed: for an operator who wants to be sure.",
	}, func(ctx context.Context, c caller, in *input.CustomerPath) (*struct{}, error) {
		if c.tenant == s.options.OperatorTenant {
			return nil, vault.Invalid("X-Tenant", "is required with the admin token: the tenant of the customer")
		}
		if s.options.DropProfile == nil {
			return &struct{}{}, nil
		}
		return &struct{}{}, s.options.DropProfile(ctx, c.tenant, in.Customer.UUID)
	})
}
