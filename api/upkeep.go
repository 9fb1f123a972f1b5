package api

import (
	"context"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/contextvault/contextvault/api/internal/input"
	"github.com/contextvault/contextvault/telemetry"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

const tagOperations = "Operations"

func (s *Server) operationRoutes() {
	type OperationPath struct {
		Operation input.ID `path:"operation_id" doc:"The id of the operation, from the response that accepted it."`
	}
	type getOperation struct {
		OperationPath
		Prefer string `header:"Prefer" doc:"wait=5 waits up to 5 seconds (maximum 60) for the outcome." example:"wait=5"`
	}
	register(s, route{
		name: "get-operation", tag: tagOperations, access: toFollow,
		method: http.MethodGet, path: "/v1/operations/{operation_id}",
		summary: "Get the status of an operation",
		detail:  "The response for a failed operation is also 200. Its error is the reason of the failure.",
		errors:  []int{http.StatusNotFound},
	}, func(ctx context.Context, c caller, in *getOperation) (*one[Operation], error) {
		op, err := s.waitFor(ctx, c, in.Operation.UUID, waitOf(in.Prefer))
		return &one[Operation]{operationOf(op)}, err
	})
	type listOperations struct {
		Status   vault.OperationSelection `query:"status" enum:"accepted,applied,succeeded,failed,unfinished" doc:"Only operations with this status; unfinished: accepted or applied."`
		Workflow string                   `query:"workflow" maxLength:"50" doc:"Only operations of this workflow." example:"write-value"`
		Customer input.ID                 `query:"customer_id" doc:"Only operations about this customer or a customer merged with it, and those that wrote its values or assets."`
		input.Page
	}
	register(s, route{
		name: "list-operations", method: http.MethodGet, path: "/v1/operations", tag: tagOperations, access: toInspect,
		summary: "List the operations",
		detail: "Newest first, without their results. Finished operations are deleted after some time (by default " +
			"30 days, failed ones 90 days).",
	}, func(ctx context.Context, c caller, in *listOperations) (*page[vault.OperationSummary], error) {
		filter := vault.OperationFilter{Status: in.Status, Workflow: in.Workflow, CustomerID: in.Customer.Pointer()}
		return pageByID(in.Page, func(after *uuid.UUID, limit int) ([]vault.OperationSummary, bool, error) {
			return s.options.Query.OperationsPage(ctx, c.tenant, filter, after, limit)
		}, func(op vault.OperationSummary) uuid.UUID { return op.ID })
	})
	register(s, route{
		name: "get-runs", method: http.MethodGet, path: "/v1/operations/{operation_id}/runs", tag: tagOperations,
		access: toInspect, summary: "Get the runs of an operation in the workflow engine",
		detail: "With their steps, the attempts of each, and the errors of those that failed (a key that " +
			"is limited to agents gets no errors: the run can carry operations of others). The answer is 503 if the " +
			"engine does not answer within two seconds. Everything that decides about the operation is in get-operation.",
		errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, c caller, in *struct{ OperationPath }) (*one[vault.OperationRuns], error) {
		op, err := s.options.Query.Operation(ctx, c.tenant, in.Operation.UUID)
		if err != nil {
			return nil, err
		}
		runs, err := s.options.Trigger.Runs(ctx, op)
		return &one[vault.OperationRuns]{runs}, err
	})
	type changeOperation struct {
		OperationPath
		input.Preferences
	}
	change(s, route{
		name: "replay-operation", tag: tagOperations, access: toAdmin,
		method: http.MethodPost, path: "/v1/operations/{operation_id}/replay",
		summary: "Replay a failed or overdue operation",
		detail: "A failed operation runs again: use it once the cause is fixed. An operation that is unfinished after a " +
			"minute is sent to the workflow engine again; the member replayed says which. The operation keeps its id and its " +
			"position in the order of acceptance.",
	}, func(ctx context.Context, c caller, in *changeOperation, _ []trigger.Option) (trigger.Receipt, error) {
		return s.options.Trigger.Replay(ctx, c.tenant, in.Operation.UUID)
	})
	submit[changeOperation](s, vault.CancelFill, route{
		method: http.MethodPost, path: "/v1/operations/{operation_id}/cancel", tag: tagOperations, access: toWrite,
		summary: "Cancel a gap fill",
		detail: "The gap fill opens no more questions and closes its open question. It ends at once " +
			"with what it has, or when its current write has finished. Other operations cannot be cancelled.",
		into: map[string]string{"operation_id": "fill_id"},
	})
}

const tagAdmin = "Administration"

func (s *Server) adminRoutes() {
	type sweep struct{ input.Preferences }
	allTenants := func(_ context.Context, _ caller, _ *sweep, body *vault.Sweep) error {
		body.AllTenants = true
		return nil
	}
	submit[sweep](s, vault.ExpireValues, route{
		method: http.MethodPost, path: "/admin/profiles/expire-stale", tag: tagAdmin, access: toSweep,
		summary: "Mark the values and assets whose expiry has passed as expired",
		detail:  "In all tenants, so with ADMIN_TOKEN alone. A schedule does the same.",
	}, allTenants)
	submit[sweep](s, vault.DetectOrphans, route{
		method: http.MethodPost, path: "/admin/profiles/detect-orphans", tag: tagAdmin, access: toSweep,
		summary: "Mark items without their source now",
		detail:  "In all tenants, so with ADMIN_TOKEN alone. A schedule does the same.",
	}, allTenants)
	submit[sweep](s, vault.ExpireValues, route{
		name: "expire-own-values", method: http.MethodPost, path: "/v1/sweeps/expire-values", tag: tagAdmin, access: toAdmin,
		summary: "Mark the values and assets of the tenant whose expiry has passed as expired",
		detail:  "In the tenant of the key alone. A schedule does the same in all tenants.",
	})
	submit[sweep](s, vault.DetectOrphans, route{
		name: "detect-own-orphans", method: http.MethodPost, path: "/v1/sweeps/detect-orphans", tag: tagAdmin,
		access:  toAdmin,
		summary: "Mark items of the tenant without their source now",
		detail:  "In the tenant of the key alone. A schedule does the same in all tenants.",
	})
	register(s, route{
		name: "drop-cached-profile", tag: tagAdmin, access: toOperate,
		method: http.MethodDelete, path: "/admin/cache/profiles/{customer_id}",
		summary: "Remove the cache entry of a customer",
		detail: "The next read uses the database. With ADMIN_TOKEN, X-Tenant is the tenant of the customer. This is never " +
			"necessary: the vault invalidates entries itself.",
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

const tagHealth = "Health"

type ready struct {
	Status int
	Body   telemetry.Health
}

func (s *Server) healthRoutes() {
	type alive struct {
		Status string `json:"status" enum:"ok"`
	}
	register(s, route{
		name: "get-health", method: http.MethodGet, path: "/healthz", tag: tagHealth,
		summary: "Check that the process is running",
	}, func(context.Context, caller, *struct{}) (*one[alive], error) { return &one[alive]{alive{"ok"}}, nil })
	h := s.describe(route{
		name: "get-readiness", method: http.MethodGet, path: "/readyz", tag: tagHealth,
		summary: "Check that the server and its dependencies are ready",
		detail:  "The response is 503 if a required dependency is unavailable or the server is stopping.",
	})
	health := s.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[telemetry.Health](), true, "")
	h.Responses["503"] = &huma.Response{
		Description: "A required dependency is unavailable, or the server is stopping.",
		Content:     map[string]*huma.MediaType{"application/json": {Schema: health}},
	}
	huma.Register(s.api, h, func(ctx context.Context, _ *struct{}) (*ready, error) {
		health, status := s.checkReadiness(ctx)
		return &ready{Status: status, Body: health}, nil
	})
	s.mux.Handle("GET /metrics", promhttp.HandlerFor(s.options.Registry, promhttp.HandlerOpts{}))
}

// checkReadiness checks all dependencies concurrently. The status is that of the response.
func (s *Server) checkReadiness(ctx context.Context) (telemetry.Health, int) {
	out := telemetry.CheckDependencies(ctx, s.options.Dependencies)
	if s.stopping.Err() != nil {
		out.Status = telemetry.StatusStopping
	}
	if !out.Ready() {
		return out, http.StatusServiceUnavailable
	}
	return out, http.StatusOK
}
