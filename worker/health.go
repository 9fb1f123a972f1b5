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

	"github.com/contextvault/contextvault/telemetry"
)

// needs are what a worker works with: without the engine it has nothing to do.
func needs(r *Runtime, o *observer) []telemetry.Dependency {
	all := r.Dependencies()
	for i := range all {
		if all[i].Name != engineName {
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

// serveHealth serves /healthz (the process lives), /readyz (which of its dependencies answers) and /metrics until ctx ends. Once
// working has ended, it says that it stops.
func serveHealth(ctx, working context.Context, r *Runtime, o *observer) error {
	dependencies := needs(r, o)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]string{"status": "ok"})
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
		answer(w, status, health)
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(prometheus.Gatherers{r.Metrics.Registry, o.registry}, promhttp.HandlerOpts{}))
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", r.Config.Worker.HealthAddress)
	if err != nil {
		return err
	}
	r.Log.InfoContext(ctx, "health_started", "address", listener.Addr().String()) // port 0 is any free one
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

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the caller may be gone
}
