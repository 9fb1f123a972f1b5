package api

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	// drainTime is the time for which a stopping server still accepts requests. It closes each connection after one
	// response. Load balancers that poll /readyz every few seconds, or honour Connection: close, lose no request.
	drainTime = 3 * time.Second
	// headerTimeout is the maximum time to read the headers of a request.
	headerTimeout = 5 * time.Second
	// responseTimeout is the additional time to write a response after the time-out of a request.
	responseTimeout = 5 * time.Second
	// idleTimeout is longer than that of common load balancers, so that they close a connection first.
	idleTimeout = 2 * time.Minute
	maxHeader   = 16 << 10 // bytes
)

// Serve serves on a listener, and on Options.AdminListener, until ctx ends. Then /readyz reports that the server stops, responses close their
// connections, and requests that wait for an outcome respond at once. Serve accepts requests for a short drain time,
// waits up to ShutdownGrace for the requests in flight, and returns. The error says if some were still in flight.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	listeners := []net.Listener{l}
	if s.options.AdminListener != nil {
		listeners = append(listeners, s.options.AdminListener)
	}
	servers := make([]*http.Server, len(listeners))
	served := make(chan error, len(listeners))
	for i, listener := range listeners {
		servers[i] = s.newServer(i > 0)
		go func() { served <- servers[i].Serve(listener) }()
	}
	closeAll := func() {
		for _, server := range servers {
			_ = server.Close()
		}
	}
	select {
	case err := <-served:
		closeAll()
		return err
	case <-ctx.Done():
	}
	s.options.Log.InfoContext(ctx, "api_stopping")
	s.stop()
	end := time.Now().Add(s.options.ShutdownGrace)
	drained := time.NewTimer(min(drainTime, s.options.ShutdownGrace/2))
	defer drained.Stop()
	select {
	case err := <-served:
		closeAll()
		return err
	case <-drained.C:
	}
	finish, cancel := context.WithDeadline(context.WithoutCancel(ctx), end)
	defer cancel()
	var stopping errgroup.Group
	for _, server := range servers {
		stopping.Go(func() error { return server.Shutdown(finish) })
	}
	err := stopping.Wait()
	if err != nil {
		closeAll()
	}
	for range servers {
		if ended := <-served; err == nil && !errors.Is(ended, http.ErrServerClosed) {
			err = ended
		}
	}
	s.options.Log.InfoContext(ctx, "api_stopped", "finished", err == nil)
	if errors.Is(err, context.DeadlineExceeded) {
		return errors.New("requests were still in flight after the grace period (api.shutdown_grace_seconds)")
	}
	return err
}

// newServer returns the server of a listener. The requests of an inside one may concern all tenants.
func (s *Server) newServer(inside bool) *http.Server {
	server := &http.Server{
		Handler: s, ReadHeaderTimeout: headerTimeout, ReadTimeout: s.options.RequestTimeout,
		WriteTimeout: s.options.RequestTimeout + MaxWait + responseTimeout,
		IdleTimeout:  idleTimeout, MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(s.options.Log.Handler(), slog.LevelWarn),
	}
	if inside {
		server.BaseContext = func(net.Listener) context.Context {
			return context.WithValue(context.Background(), insideKey{}, true)
		}
	}
	return server
}
