package worker

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/contextvault/contextvault/internal/app"
	"github.com/contextvault/contextvault/telemetry"
)

// workerDependencies lists the dependencies of a worker. It requires the engine, other than the API.
func workerDependencies(r *app.Runtime, o *observer) []telemetry.Dependency {
	all := r.Dependencies()
	for i := range all {
		if all[i].Name != app.EngineDependency {
			continue
		}
		check := all[i].Check
		all[i].Required, all[i].Check = true, func(ctx context.Context) error {
			if !o.registered.Load() {
				return errors.New("the workflows are not registered yet")
			}
			return check(ctx)
		}
	}
	return all
}

// serveHealth serves /healthz (the process runs), /readyz (the state of the dependencies) and /metrics until ctx ends.
// When working has ended, /readyz answers "stopping".
func serveHealth(ctx, working context.Context, r *app.Runtime, o *observer) error {
	dependencies := workerDependencies(r, o)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, req *http.Request) {
		health := telemetry.CheckDependencies(req.Context(), dependencies)
		if working.Err() != nil {
			health.Status = telemetry.StatusStopping
		}
		status := http.StatusOK
		if !health.Ready() {
			status = http.StatusServiceUnavailable
		}
		writeJSON(w, status, health)
	})
	gatherers := prometheus.Gatherers{r.Metrics.Registry, o.registry}
	mux.Handle("GET /metrics", promhttp.HandlerFor(gatherers, promhttp.HandlerOpts{}))
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", r.Config.Worker.HealthAddress)
	if err != nil {
		return err
	}
	// the address of port 0 is known only now
	r.Log.InfoContext(ctx, "health_started", "address", listener.Addr().String())
	server := &http.Server{
		Handler: mux, ReadHeaderTimeout: 5 * time.Second,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the caller may have disconnected
}
