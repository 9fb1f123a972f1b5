package api

import (
	"context"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/contextvault/contextvault/telemetry"
)

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
		name: "get-health", method: http.MethodGet, path: "/healthz", tag: tagHealth, summary: "Whether the process lives",
	}, func(context.Context, caller, *struct{}) (*one[alive], error) { return &one[alive]{alive{"ok"}}, nil })
	h := s.describe(route{
		name: "get-readiness", method: http.MethodGet, path: "/readyz", tag: tagHealth, summary: "Whether the server can answer, and which dependency is missing",
		detail: "503 where it cannot, or is about to stop.",
	})
	h.Responses["503"] = &huma.Response{
		Description: "It cannot answer, or is about to stop.",
		Content:     map[string]*huma.MediaType{"application/json": {Schema: s.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[telemetry.Health](), true, "")}},
	}
	huma.Register(s.api, h, func(ctx context.Context, _ *struct{}) (*ready, error) {
		health, status := s.look(ctx)
		return &ready{Status: status, Body: health}, nil
	})
	s.mux.Handle("GET /metrics", promhttp.HandlerFor(s.options.Registry, promhttp.HandlerOpts{}))
}

// look asks all dependencies at once.
func (s *Server) look(ctx context.Context) (telemetry.Health, int) {
	out := telemetry.CheckDependencies(ctx, s.options.Dependencies)
	if s.stopping.Err() != nil {
		out.Status = telemetry.StatusStopping
	}
	if !out.Ready() {
		return out, http.StatusServiceUnavailable
	}
	return out, http.StatusOK
}
