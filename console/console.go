package console

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/contextvault/contextvault/api"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/telemetry"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// Path is the address of the console on the server.
const Path = "/console"

// Keys authenticates API keys, within the limits of the API.
type Keys interface {
	// SignIn returns the valid key of a secret.
	SignIn(r *http.Request, secret string) (api.Key, error)
	// Resume returns the valid key with the hash of a secret.
	Resume(r *http.Request, hash []byte) (api.Key, error)
}

// Sealer seals session cookies with a key that all processes of the API share.
type Sealer interface {
	Seal(ctx context.Context, plain []byte) ([]byte, error)
	// Open returns an error for bytes that Seal did not return.
	Open(ctx context.Context, sealed []byte) ([]byte, error)
}

// Mux registers handlers by pattern, as http.ServeMux does.
type Mux interface {
	Handle(pattern string, h http.Handler)
}

// Options configure the console.
type Options struct {
	Query   *query.Queries
	Trigger *trigger.Client
	Keys    Keys
	Sealer  Sealer
	// Dependencies are shown with their state on the page of operations.
	Dependencies []telemetry.Dependency
	// Audit stores entries of the audit. Masked values are revealed only after their entries are stored.
	Audit func(context.Context, []vault.AuditEntry) error
	// Describe returns the text of an internal error for the log, without customer values.
	Describe func(error) string
	// Log gets failures. nil: slog.Default().
	Log *slog.Logger
	// IdleTimeout ends a session without requests. 0: 30 minutes.
	IdleTimeout time.Duration
	// MaxSession ends a session in any case. 0: 12 hours.
	MaxSession time.Duration
	// Wait is the maximum time for which a page waits for the outcome of a change. 0: 10 seconds.
	Wait time.Duration
	// Now is the clock of sessions. nil: time.Now.
	Now func() time.Time
}

// Console serves the pages.
type Console struct {
	options    Options
	crossSites *http.CrossOriginProtection
}

//go:embed static
var files embed.FS

var (
	styles  = asset("console.css", "text/css; charset=utf-8")
	scripts = asset("console.js", "text/javascript; charset=utf-8")
)

// static is an embedded file with an address that changes with its content.
type static struct {
	path, contentType string
	content           []byte
}

func asset(name, contentType string) static {
	content, err := files.ReadFile("static/" + name)
	if err != nil {
		panic(err) // it is embedded
	}
	sum := sha256.Sum256(content)
	return static{Path + "/static/" + hex.EncodeToString(sum[:8]) + "/" + name, contentType, content}
}

func (s static) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", s.contentType)
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(s.content) // the client has gone
}

// Mount adds the console to a server.
func Mount(mux Mux, o Options) {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.IdleTimeout == 0 {
		o.IdleTimeout = 30 * time.Minute
	}
	if o.MaxSession == 0 {
		o.MaxSession = 12 * time.Hour
	}
	if o.Wait == 0 {
		o.Wait = 10 * time.Second
	}
	c := &Console{options: o, crossSites: http.NewCrossOriginProtection()}
	for _, r := range append(c.routes(), schemaRoutes()...) {
		mux.Handle(r.pattern(), c.handler(r))
	}
	mux.Handle("GET "+styles.path, styles)
	mux.Handle("GET "+scripts.path, scripts)
	mux.Handle("GET "+schemaScripts.path, schemaScripts)
}

// route is a page, or an action of a form.
type route struct {
	method, path string
	scope        api.Scope // the scope that it needs; "": no session
	serve        func(*request) error
}

func (r route) pattern() string { return r.method + " " + Path + r.path }

func (c *Console) routes() []route {
	get := func(path string, serve func(*request) error) route {
		return route{http.MethodGet, path, api.ScopeRead, serve}
	}
	post := func(path string, scope api.Scope, serve func(*request) error) route {
		return route{http.MethodPost, path, scope, serve}
	}
	return []route{
		{http.MethodGet, "/sign-in", "", (*request).signInPage},
		{http.MethodPost, "/sign-in", "", (*request).signIn},
		post("/sign-out", api.ScopeRead, (*request).signOut),
		post("/purpose", api.ScopeRead, (*request).setPurpose),
		get("", func(q *request) error { return q.redirect("/inbox") }),
		get("/{$}", func(q *request) error { return q.redirect("/inbox") }),
		get("/", (*request).notFound),

		get("/inbox", (*request).inboxPage),
		post("/inbox/reveal", api.ScopeRead, revealed("reveal-inbox", (*request).inboxPage)),
		post("/inbox", api.ScopeReview, (*request).decide),

		get("/customers", (*request).customersPage),
		post("/customers/find", api.ScopeRead, (*request).findCustomer),
		get("/customers/{id}", (*request).customerPage),
		post("/customers/{id}/reveal", api.ScopeRead, revealed("reveal-customer", (*request).customerPage)),
		get("/customers/{id}/timeline", (*request).timelinePage),
		post("/customers/{id}/timeline/reveal", api.ScopeRead, revealed("reveal-timeline", (*request).timelinePage)),
		{http.MethodGet, "/customers/{id}/values/{name}/correct", api.ScopeReview, (*request).correctPage},
		post("/customers/{id}/values/{name}/reveal", api.ScopeReview, revealed("reveal-value", (*request).correctPage)),
		post("/customers/{id}/values/{name}/correct", api.ScopeReview, (*request).correct),
		{http.MethodGet, "/customers/{id}/values/{name}/verify", api.ScopeVerify, (*request).verifyPage},
		post("/customers/{id}/values/{name}/verify", api.ScopeVerify, (*request).verify),
		post("/customers/{id}/merge", api.ScopeWrite, (*request).merge),
		post("/customers/{id}/unmerge", api.ScopeWrite, (*request).unmerge),
		get("/sessions/{id}", (*request).sessionPage),
		post("/sessions/{id}/reveal", api.ScopeRead, revealed("reveal-conversation", (*request).sessionPage)),
		get("/items/{id}", (*request).itemPage),
		post("/items/{id}/reveal", api.ScopeRead, revealed("reveal-item", (*request).itemPage)),
		{http.MethodGet, "/items/{id}/delete", api.ScopeWrite, (*request).deletePage},
		post("/items/{id}/delete", api.ScopeWrite, (*request).remove),

		get("/operations", (*request).operationsPage),
		post("/operations/replay", api.ScopeAdmin, (*request).replayAll),
		get("/operations/{id}", (*request).operationPage),
		post("/operations/{id}/replay", api.ScopeAdmin, (*request).replay),

		get("/schema", (*request).schemaPage),
		get("/agents/{id}", (*request).agentPage),
		get("/scenarios/{id}", (*request).scenarioPage),
	}
}

// policy allows the console's own files and nothing else: no inline script or style, no frame, no other site.
var policy = strings.Join([]string{
	"default-src 'none'", "style-src 'self'", "script-src 'self'", "img-src 'self'", "connect-src 'self'",
	"form-action 'self'",
	"base-uri 'none'", "frame-ancestors 'none'",
}, "; ")

func (c *Console) handler(r route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, hr *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		q := &request{Console: c, w: w, r: hr, ctx: hr.Context()}
		if err := q.begin(r); err != nil {
			q.fail(err)
			return
		}
		if q.done {
			return
		}
		if err := r.serve(q); err != nil {
			q.fail(err)
		}
	})
}
