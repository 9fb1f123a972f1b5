package mcp

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/contextvault/contextvault/client"
	"github.com/contextvault/contextvault/vault"
)

const (
	// Path is the path of the MCP server in the API.
	Path = "/mcp"
	// AgentHeader and ScenarioHeader select the agent and the scenario. The parameters agent and scenario of the address
	// do the same.
	AgentHeader    = "Vault-Agent"
	ScenarioHeader = "Vault-Scenario"

	purposeHeader = "Vault-Purpose"
	sessionHeader = "Mcp-Session-Id"

	// inProcess is the address of the API for its own process.
	inProcess = "http://contextvault.internal"
	// maxMessage is in bytes of a message. A turn has up to 64 KiB.
	maxMessage = 1 << 20
	// idleSession is the time after which a session without messages ends. The client then begins another one.
	idleSession = 30 * time.Minute
	// maxSessions is the maximum number of open sessions of one key in this process.
	maxSessions = 500
)

// HandlerOptions configure a Handler.
type HandlerOptions struct {
	// API serves the requests of the tools. It checks the keys.
	API http.Handler
	// Stopping ends when the server stops: streams end then. nil: never.
	Stopping context.Context
	// Log is that of the servers. nil: slog.Default().
	Log *slog.Logger
}

// Handler serves MCP over streamable HTTP. Each session belongs to the key, the purpose, the agent and the scenario
// that opened it. Sessions live in this process: behind a load balancer, requests with the same Mcp-Session-Id go to
// the same process, or the client is told to begin another session.
type Handler struct {
	options HandlerOptions
	sdk     *sdk.StreamableHTTPHandler

	mu       sync.Mutex
	sessions map[string]*session
}

// session is a server with its owner.
type session struct {
	server *Server
	owner  owner
	stop   context.CancelFunc // ends the watch of the definitions
}

// owner is what a session belongs to. Key is a hash.
type owner struct {
	key             [sha256.Size]byte
	purpose         string
	agent, scenario string
}

type serverKey struct{}

// NewHandler returns the handler of Path.
func NewHandler(o HandlerOptions) *Handler {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Stopping == nil {
		o.Stopping = context.Background()
	}
	h := &Handler{options: o, sessions: map[string]*session{}}
	h.sdk = sdk.NewStreamableHTTPHandler(func(r *http.Request) *sdk.Server {
		server, _ := r.Context().Value(serverKey{}).(*sdk.Server)
		return server
	}, &sdk.StreamableHTTPOptions{
		SessionTimeout: idleSession,
		// Each request needs a key, which a page that rebinds a name does not have. A proxy on this machine forwards
		// other hosts.
		DisableLocalhostProtection: true,
	})
	context.AfterFunc(o.Stopping, h.close)
	return h
}

// close ends all sessions.
func (h *Handler) close() {
	h.mu.Lock()
	var all []*session
	for _, s := range h.sessions {
		all = append(all, s)
	}
	h.mu.Unlock()
	for _, s := range all {
		s.server.close()
	}
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxMessage))
	if err != nil {
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			refuse(w, http.StatusRequestEntityTooLarge, client.CodeTooLarge, "", "the message exceeds the limit of 1 MiB")
		}
		return // the client has gone
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	// Streams and long calls outlive the time-outs of the server. The calls have their own.
	control := http.NewResponseController(w)
	_, _ = control.SetReadDeadline(time.Time{}), control.SetWriteDeadline(time.Time{})
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(h.options.Stopping, cancel)()
	r = r.WithContext(ctx)
	who, err := ownerOf(r)
	if err != nil {
		refuse(w, http.StatusUnprocessableEntity, vault.CodeOf(err), fieldOf(err), err.Error())
		return
	}
	id := r.Header.Get(sessionHeader)
	if id == "" {
		h.open(w, r, who)
		return
	}
	h.mu.Lock()
	s := h.sessions[id]
	h.mu.Unlock()
	if s == nil || s.owner.key != who.key {
		refuse(w, http.StatusNotFound, vault.CodeUnknown, sessionHeader, "the session does not exist; begin another one")
		return
	}
	if s.owner != who {
		refuse(w, http.StatusConflict, vault.CodeConflict, sessionHeader,
			"the session was opened for another purpose, agent or scenario; begin another one")
		return
	}
	h.sdk.ServeHTTP(w, r)
}

// ownerOf returns to whom the session of a request belongs.
func ownerOf(r *http.Request) (owner, error) {
	query := r.URL.Query()
	for name := range query {
		if name != "agent" && name != "scenario" {
			return owner{}, vault.Invalid(name, "is not a parameter of %s; use agent or scenario", Path)
		}
	}
	who := owner{key: sha256.Sum256([]byte(r.Header.Get("Authorization"))), purpose: r.Header.Get(purposeHeader)}
	for _, p := range []struct {
		into         *string
		header, name string
	}{{&who.agent, AgentHeader, "agent"}, {&who.scenario, ScenarioHeader, "scenario"}} {
		text := r.Header.Get(p.header)
		if text == "" {
			text = query.Get(p.name)
		}
		if text == "" {
			continue
		}
		id, err := uuid.Parse(text)
		if err != nil {
			return who, vault.Invalid(p.name, "must be a UUID, such as 01920000-0000-7000-8000-000000000001")
		}
		*p.into = id.String()
	}
	return who, nil
}

// open serves a request without a session: it begins one, or stands alone.
func (h *Handler) open(w http.ResponseWriter, r *http.Request, who owner) {
	way := local{api: h.options.API, remote: r.RemoteAddr}
	if !h.admit(w, r, way) {
		return
	}
	if h.count(who) >= maxSessions {
		refuse(w, http.StatusTooManyRequests, client.CodeRateLimited, "", "this key has too many open sessions; end some")
		return
	}
	_, secret, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	api, err := client.New(client.Options{
		Server: inProcess, Key: strings.TrimSpace(secret), Purpose: who.purpose, Transport: way,
	})
	if err != nil {
		refuse(w, http.StatusUnauthorized, client.CodeUnauthenticated, "Authorization", err.Error())
		return
	}
	id := ""
	o := Options{Client: api, Log: h.options.Log, sessionID: func() string {
		id = uuid.NewString()
		return id
	}}
	if who.agent != "" {
		o.Agent = uuid.MustParse(who.agent) // ownerOf has parsed it
	}
	if who.scenario != "" {
		o.Scenario = uuid.MustParse(who.scenario)
	}
	server, err := New(r.Context(), o)
	if err != nil {
		refuseError(w, err)
		return
	}
	// A request that stands alone can be one that listens to changes.
	alone, done := context.WithCancel(r.Context())
	var watching sync.WaitGroup
	watching.Go(func() { server.watch(alone) })
	h.sdk.ServeHTTP(&keeper{ResponseWriter: w, keep: func() { h.keep(id, server, who) }},
		r.WithContext(context.WithValue(r.Context(), serverKey{}, server.sdk)))
	done()
	watching.Wait()
	h.keep(id, server, who)
}

// admit asks the API whether the key is valid and may read. If not, it passes the answer on.
func (h *Handler) admit(w http.ResponseWriter, r *http.Request, way local) bool {
	req, err := http.NewRequestWithContext(r.Context(), http.MethodGet, inProcess+"/v1/agents?limit=1", nil)
	if err != nil {
		refuse(w, http.StatusInternalServerError, client.CodeInternal, "", "the key cannot be checked")
		return false
	}
	for _, name := range []string{"Authorization", purposeHeader} {
		if text := r.Header.Get(name); text != "" {
			req.Header.Set(name, text)
		}
	}
	res, err := way.RoundTrip(req)
	if err != nil {
		refuse(w, http.StatusServiceUnavailable, vault.CodeUnavailable, "", "the key cannot be checked")
		return false
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusOK {
		return true
	}
	for _, name := range []string{"Content-Type", "WWW-Authenticate", "Retry-After", "RateLimit", "RateLimit-Policy"} {
		if text := res.Header.Get(name); text != "" {
			w.Header().Set(name, text)
		}
	}
	w.WriteHeader(res.StatusCode)
	_, _ = io.Copy(w, res.Body) // the client has gone
	return false
}

// count returns the number of open sessions of a key.
func (h *Handler) count(who owner) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for _, s := range h.sessions {
		if s.owner.key == who.key {
			n++
		}
	}
	return n
}

// keep remembers a session until it ends, and watches the definitions for it. A server without a session is forgotten.
func (h *Handler) keep(id string, server *Server, who owner) {
	open := slices.Collect(server.sdk.Sessions())
	if id == "" || len(open) == 0 {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.sessions[id] != nil {
		return
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(h.options.Stopping))
	h.sessions[id] = &session{server: server, owner: who, stop: stop}
	go server.watch(ctx)
	go func() {
		_ = open[0].Wait() // however it ended
		stop()
		h.mu.Lock()
		delete(h.sessions, id)
		h.mu.Unlock()
	}()
}

// keeper remembers the session before the client learns its id, so that the next request finds it.
type keeper struct {
	http.ResponseWriter
	keep func()
}

// WriteHeader implements http.ResponseWriter.
func (k *keeper) WriteHeader(status int) {
	k.keep()
	k.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (k *keeper) Write(p []byte) (int, error) {
	k.keep()
	return k.ResponseWriter.Write(p)
}

// Flush implements http.Flusher.
func (k *keeper) Flush() {
	k.keep()
	_ = http.NewResponseController(k.ResponseWriter).Flush() // the client has gone
}

// Unwrap supports http.ResponseController.
func (k *keeper) Unwrap() http.ResponseWriter { return k.ResponseWriter }

// refuse answers with a problem (RFC 9457).
func refuse(w http.ResponseWriter, status int, code vault.Code, field, detail string) {
	body, err := json.Marshal(client.Problem{
		Status: status, Code: code, Title: http.StatusText(status), Detail: detail, Field: field,
	})
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client has gone
}

// refuseError answers with the problem of an error.
func refuseError(w http.ResponseWriter, err error) {
	f := failureOf(err, map[string]string{"scenario": "scenario"}) // the parameter, and not an argument
	status := http.StatusUnprocessableEntity
	if p, ok := errors.AsType[*client.Problem](err); ok {
		status = p.Status
	} else if f.Code == client.CodeInternal {
		status = http.StatusInternalServerError
	}
	refuse(w, status, f.Code, f.Argument, f.Detail)
}

func fieldOf(err error) string {
	if e, ok := errors.AsType[*vault.Error](err); ok {
		return e.Field
	}
	return ""
}
