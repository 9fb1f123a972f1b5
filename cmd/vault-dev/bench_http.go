package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/api"
	"github.com/contextvault/contextvault/cache"
	"github.com/contextvault/contextvault/cmd/internal/cli"
	"github.com/contextvault/contextvault/db/dbgen"
)

// web is the API, and a server of the ceiling, which has only a handler.
type web struct {
	client   *http.Client
	api, raw string // addresses
	key      string
	stop     context.CancelFunc
	done     chan error
}

// serveHTTP starts both servers in this process.
func (b *benchmarks) serveHTTP(ctx context.Context) error {
	key := api.NewKey()
	if err := b.DB.System().CreateAPIKey(ctx, dbgen.CreateAPIKeyParams{
		ID: uuid.Must(uuid.NewV7()), TenantID: b.tenant, Name: "bench", KeyHash: api.HashKey(key),
		Scopes: []string{string(api.ScopeAdmin)},
	}); err != nil {
		return err
	}
	var lc net.ListenConfig
	apiListener, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	rawListener, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return errors.Join(err, apiListener.Close())
	}
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	b.web = web{
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}},
		api:    "http://" + apiListener.Addr().String(), raw: "http://" + rawListener.Addr().String(), key: key,
		stop: stop, done: make(chan error, 2),
	}
	raw := &http.Server{Handler: http.HandlerFunc(b.rawGet), ReadHeaderTimeout: time.Minute}
	go func() { b.web.done <- cli.Serve(serving, b.Runtime, apiListener) }()
	go func() {
		<-serving.Done()
		_ = raw.Close()
	}()
	go func() { b.web.done <- raw.Serve(rawListener) }()
	return nil
}

func (b *benchmarks) stopHTTP() {
	if b.web.stop == nil {
		return
	}
	b.web.client.CloseIdleConnections()
	b.web.stop()
	for range cap(b.web.done) {
		<-b.web.done
	}
}

// rawGet answers with the bytes of Redis: no key, no limit, no log, no metrics.
func (b *benchmarks) rawGet(w http.ResponseWriter, r *http.Request) {
	body, err := b.redis.Get(r.Context(), cache.ProfileKey(b.tenant, b.customer).String()).Bytes()
	if err != nil {
		http.Error(w, "no entry", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body)
}

// call sends a request and reads the answer whole.
func (b *benchmarks) call(ctx context.Context, method, url string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+b.web.key)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Prefer", "wait=60")
	}
	res, err := b.web.client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers with %s", method, res.Status)
	}
	return nil
}

func (b *benchmarks) warmHTTP(ctx context.Context) (measured, error) {
	url := b.web.api + "/v1/customers/" + b.customer.String()
	return b.compare(measured{
		Name: "profile load through HTTP, warm cache", Target: 1.3,
		Ceiling: "an HTTP handler that answers a raw Redis GET",
		Between: "the key, the limits, the routes, the log line, metrics",
	}, reads, func() error { return b.call(ctx, http.MethodGet, url, nil) },
		func() error { return b.call(ctx, http.MethodGet, b.web.raw, nil) })
}

// putOne writes a value through HTTP and waits for its acknowledgement.
func (b *benchmarks) putOne(ctx context.Context) error {
	in := b.newWrite()
	body, err := json.Marshal(map[string]any{"agent_id": in.AgentID, "value": in.Value, "source": in.Source})
	if err != nil {
		return err
	}
	url := fmt.Sprintf("%s/v1/customers/%s/values/%s", b.web.api, in.CustomerID, in.Name)
	return b.call(ctx, http.MethodPut, url, body)
}
