package api

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"
)

const (
	// drainFor is how long a server that is asked to stop still takes requests, each on its last connection: a load balancer
	// that looks at /readyz every few seconds, or heeds Connection: close, sends nothing to a server that is gone.
	drainFor = 3 * time.Second
	// headerTimeout bounds how long a client may take to say what it wants.
	headerTimeout = 5 * time.Second
	// answerTimeout is what is left to write an answer when the time of a request is over.
	answerTimeout = 5 * time.Second
	idleTimeout   = 2 * time.Minute // longer than that of common load balancers, which close first then
	maxHeader     = 16 << 10        // bytes
)

// Serve serves on a listener until ctx ends. Then it tells by /readyz and Connection: close that it stops, answers those who
// wait for an outcome at once, takes what still comes for a moment, lets the requests in flight finish for as long as the
// grace lasts, and returns.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{
		Handler: s, ReadHeaderTimeout: headerTimeout, ReadTimeout: s.options.RequestTimeout,
		WriteTimeout: s.options.RequestTimeout + MaxWait + answerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(s.options.Log.Handler(), slog.LevelWarn),
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	s.options.Log.InfoContext(ctx, "api_stopping")
	s.stop()
	end := time.Now().Add(s.options.ShutdownGrace)
	drained := time.NewTimer(min(drainFor, s.options.ShutdownGrace/2))
	defer drained.Stop()
	select {
	case err := <-served:
		return err
	case <-drained.C:
	}
	finish, cancel := context.WithDeadline(context.WithoutCancel(ctx), end)
	defer cancel()
	err := server.Shutdown(finish)
	if err != nil {
		_ = server.Close()
	}
	if ended := <-served; err == nil && !errors.Is(ended, http.ErrServerClosed) {
		err = ended
	}
	s.options.Log.InfoContext(ctx, "api_stopped", "finished", err == nil)
	if errors.Is(err, context.DeadlineExceeded) {
		return errors.New("requests were still in flight when the grace was over (api.shutdown_grace_seconds)")
	}
	return err
}
