package api

import (
	"context"
	"net/http"
	"reflect"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

const tagHealth = "Health"

// Dependency is something that the API works with.
type Dependency struct {
	Name string
	// Required says that no request can be answered without it. The others are reported, and done without.
	Required bool
	Check    func(ctx context.Context) error
}

// dependencyTimeout bounds one look at a dependency.
const dependencyTimeout = 2 * time.Second

// Health is how the server is.
type Health struct {
	Status       string            `json:"status" enum:"ready,degraded,unavailable,stopping" doc:"degraded: something is missing that can be done without; stopping: it takes no more requests soon."`
	Dependencies map[string]string `json:"dependencies" doc:"Each dependency: ok, or what is wrong with it."`
}

type ready struct {
	Status int
	Body   Health
}

func (s *Server) healthRoutes() {
	type alive struct {
		Status string `json:"status" enum:"ok"`
	}
	register(s, operation{
		name: "get-health", method: http.MethodGet, path: "/healthz", tag: tagHealth, summary: "Whether the process lives",
	}, func(context.Context, caller, *struct{}) (*one[alive], error) { return &one[alive]{alive{"ok"}}, nil })
	h := s.describe(operation{
		name: "get-readiness", method: http.MethodGet, path: "/readyz", tag: tagHealth, summary: "Whether the server can answer, and which dependency is missing",
		detail: "503 where it cannot, or is about to stop.",
	})
	h.Responses["503"] = &huma.Response{
		Description: "It cannot answer, or is about to stop.",
		Content:     map[string]*huma.MediaType{"application/json": {Schema: s.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Health](), true, "")}},
	}
	huma.Register(s.api, h, func(ctx context.Context, _ *struct{}) (*ready, error) {
		health, status := s.look(ctx)
		return &ready{Status: status, Body: health}, nil
	})
	s.mux.Handle("GET /metrics", promhttp.HandlerFor(s.options.Registry, promhttp.HandlerOpts{}))
}

// look asks all dependencies at once.
func (s *Server) look(ctx context.Context) (Health, int) {
	ctx, cancel := context.WithTimeout(ctx, dependencyTimeout)
	defer cancel()
	faults := make([]error, len(s.options.Dependencies))
	var all sync.WaitGroup
	for i, d := range s.options.Dependencies {
		all.Go(func() { faults[i] = d.Check(ctx) })
	}
	all.Wait()
	out, status := Health{Status: "ready", Dependencies: map[string]string{}}, http.StatusOK
	for i, d := range s.options.Dependencies {
		out.Dependencies[d.Name] = "ok"
		if faults[i] == nil {
			continue
		}
		out.Dependencies[d.Name] = "does not answer"
		if d.Required {
			out.Status, status = "unavailable", http.StatusServiceUnavailable
		} else if status == http.StatusOK {
			out.Status = "degraded"
		}
	}
	if s.stopping.Err() != nil {
		out.Status, status = "stopping", http.StatusServiceUnavailable
	}
	return out, status
}
