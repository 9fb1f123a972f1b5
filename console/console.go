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

	"github.com/google/uuid"

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
	// Limit takes the cost of a request of a person without a key.
	Limit(r *http.Request, person uuid.UUID) error
	// Operator returns the tenant of the operator if a secret is the admin token.
	Operator(r *http.Request, secret string) (uuid.UUID, error)
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
	// PurgeAfter is the time from the deletion of a customer to its erasure, unless the deletion names another. 0: never.
	PurgeAfter time.Duration
	// Dashboard is the address of Hatchet's dashboard. "": there is no link to it.
	Dashboard string
	// Describe returns the text of an internal error for the log, without customer values.
	Describe func(error) string
	// OIDC is the sign-in by OpenID Connect. nil: people sign in with API keys only.
	OIDC *OIDC
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
	pulses     *pulses
	issuer     *issuer // nil: there is no sign-in by OpenID Connect
}

//go:embed static
var files embed.FS

var (
	styles  = asset("console.css", "text/css; charset=utf-8")
	scripts = asset("console.js", "text/javascript; charset=utf-8")
	refresh = asset("live.js", "text/javascript; charset=utf-8")
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
	c.pulses = &pulses{newest: c.newestEntry, every: pulseEvery}
	if o.OIDC != nil {
		c.issuer = &issuer{options: *o.OIDC}
	}
	for _, r := range append(c.routes(), schemaRoutes()...) {
		mux.Handle(r.pattern(), c.handler(r))
	}
	mux.Handle("GET "+styles.path, styles)
	mux.Handle("GET "+scripts.path, scripts)
	mux.Handle("GET "+refresh.path, refresh)
	mux.Handle("GET "+schemaScripts.path, schemaScripts)
}

// route is a page, or an action of a form.
type route struct {
	method, path string
	scope        api.Scope // the scope that it needs; "": no session
	serve        func(*request) error
	live         bool // the page is loaded again after changes
	configures   bool // it changes the configuration, or tries changes
}

func (r route) pattern() string { return r.method + " " + Path + r.path }

func (c *Console) routes() []route {
	get := func(path string, serve func(*request) error) route {
		return route{method: http.MethodGet, path: path, scope: api.ScopeRead, serve: serve}
	}
	only := func(path string, scope api.Scope, serve func(*request) error) route {
		return route{method: http.MethodGet, path: path, scope: scope, serve: serve}
	}
	live := func(r route) route {
		r.live = true
		return r
	}
	post := func(path string, scope api.Scope, serve func(*request) error) route {
		return route{method: http.MethodPost, path: path, scope: scope, serve: serve}
	}
	return []route{
		{method: http.MethodGet, path: "/sign-in", serve: (*request).signInPage},
		{method: http.MethodPost, path: "/sign-in", serve: (*request).signIn},
		{method: http.MethodGet, path: "/oidc/start", serve: (*request).oidcStart},
		{method: http.MethodGet, path: "/oidc/callback", serve: (*request).oidcCallback},
		post("/sign-out", api.ScopeRead, (*request).signOut),
		post("/purpose", api.ScopeRead, (*request).setPurpose),
		get(livePath, (*request).live),
		get("", func(q *request) error { return q.redirect("/inbox") }),
		get("/{$}", func(q *request) error { return q.redirect("/inbox") }),
		get("/", (*request).notFound),

		live(get("/inbox", (*request).inboxPage)),
		post("/inbox/reveal", api.ScopeRead, revealed("reveal-inbox", (*request).inboxPage)),
		post("/inbox", api.ScopeReview, (*request).decide),

		live(get("/customers", (*request).customersPage)),
		post("/customers/find", api.ScopeRead, (*request).findCustomer),
		live(get("/customers/{id}", (*request).customerPage)),
		post("/customers/{id}/reveal", api.ScopeRead, revealed("reveal-customer", (*request).customerPage)),
		live(get("/customers/{id}/timeline", (*request).timelinePage)),
		post("/customers/{id}/timeline/reveal", api.ScopeRead, revealed("reveal-timeline", (*request).timelinePage)),
		only("/customers/{id}/values/{name}/correct", api.ScopeReview, (*request).correctPage),
		post("/customers/{id}/values/{name}/reveal", api.ScopeReview, revealed("reveal-value", (*request).correctPage)),
		post("/customers/{id}/values/{name}/correct", api.ScopeReview, (*request).correct),
		only("/customers/{id}/values/{name}/verify", api.ScopeVerify, (*request).verifyPage),
		post("/customers/{id}/values/{name}/verify", api.ScopeVerify, (*request).verify),
		post("/customers/{id}/merge", api.ScopeWrite, (*request).merge),
		post("/customers/{id}/unmerge", api.ScopeWrite, (*request).unmerge),
		only("/customers/{id}/values/{name}/expire", api.ScopeWrite, (*request).expirePage),
		post("/customers/{id}/values/{name}/expire", api.ScopeWrite, (*request).expire),
		only("/customers/{id}/delete", api.ScopeWrite, (*request).deleteCustomerPage),
		post("/customers/{id}/delete", api.ScopeWrite, (*request).deleteCustomer),
		only("/customers/{id}/export", api.ScopeErase, (*request).exportPage),
		post("/customers/{id}/export", api.ScopeErase, (*request).exportCustomer),
		only("/customers/{id}/erase", api.ScopeErase, (*request).erasePage),
		post("/customers/{id}/erase", api.ScopeErase, (*request).erase),
		live(get("/customers/{id}/questions", (*request).questionsPage)),
		live(only("/exports/{id}", api.ScopeErase, (*request).exportedPage)),
		only("/exports/{id}/customer.json", api.ScopeErase, (*request).exportJSON),
		only("/exports/{id}/customer.html", api.ScopeErase, (*request).exportHTML),
		live(only("/erasures", api.ScopeErase, (*request).erasuresPage)),
		live(only("/erasures/{id}", api.ScopeErase, (*request).erasurePage)),
		only("/erasures/{id}/receipt.json", api.ScopeErase, (*request).receipt),
		get("/sessions/{id}", (*request).sessionPage),
		post("/sessions/{id}/reveal", api.ScopeRead, revealed("reveal-conversation", (*request).sessionPage)),
		get("/items/{id}", (*request).itemPage),
		post("/items/{id}/reveal", api.ScopeRead, revealed("reveal-item", (*request).itemPage)),
		only("/items/{id}/delete", api.ScopeWrite, (*request).deletePage),
		post("/items/{id}/delete", api.ScopeWrite, (*request).remove),
		post("/items/{id}/restore", api.ScopeAdmin, (*request).restore),

		live(get("/operations", (*request).operationsPage)),
		post("/operations/replay", api.ScopeAdmin, (*request).replayAll),
		post("/operations/relay", api.ScopeAdmin, (*request).relay),
		post("/operations/sweep-own", api.ScopeAdmin, (*request).sweepOwn),
		post("/operations/sweep", api.ScopeAdmin, (*request).sweep),
		live(get("/operations/{id}", (*request).operationPage)),
		post("/operations/{id}/replay", api.ScopeAdmin, (*request).replay),

		only("/keys", api.ScopeAdmin, (*request).keysPage),
		post("/keys", api.ScopeAdmin, (*request).createKey),
		post("/keys/{id}/revoke", api.ScopeAdmin, (*request).revokeKey),
		only("/webhooks", api.ScopeAdmin, (*request).webhooksPage),
		only("/webhooks/{id}", api.ScopeAdmin, (*request).webhookPage),
		post("/webhooks/{id}/test", api.ScopeAdmin, (*request).testWebhook),
		post("/webhooks/{id}/replay", api.ScopeAdmin, (*request).replayDeliveries),
		post("/webhooks/{id}/delete", api.ScopeAdmin, (*request).deleteWebhook),
		only("/audit", api.ScopeAdmin, (*request).auditPage),
		post("/audit/verify", api.ScopeAdmin, (*request).verifyAudit),
		only("/usage", api.ScopeAdmin, (*request).usagePage),

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
		q := &request{Console: c, w: w, r: hr, ctx: hr.Context(), isLive: r.live}
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
