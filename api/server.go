package api

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/contextvault/contextvault/api/internal/access"
	"github.com/contextvault/contextvault/api/internal/docs"
	"github.com/contextvault/contextvault/api/internal/limit"
	"github.com/contextvault/contextvault/api/internal/problem"
	"github.com/contextvault/contextvault/api/internal/schema"
	fair "github.com/contextvault/contextvault/internal/turns"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/telemetry"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// Options configure a Server.
type Options struct {
	Query   *query.Queries
	Trigger *trigger.Client
	Keys    Keys
	// AdminToken is the bearer token of the operator. "": there is none.
	AdminToken string
	// AdminListener serves /admin and /metrics, and is the only one that accepts AdminToken. It serves all other
	// paths too, so that an operator can follow an operation. nil: the listener of Serve serves everything.
	AdminListener net.Listener
	// OperatorTenant owns the sweeps. It must exist if AdminToken is set.
	OperatorTenant uuid.UUID
	// DropProfile removes the cache entry of a customer. nil: there is no cache.
	DropProfile func(ctx context.Context, tenant, customer uuid.UUID) error
	// Dependencies are checked by /readyz.
	Dependencies []telemetry.Dependency
	// Describe returns the text of an internal error for the log, without customer values. nil: only the type of the
	// error.
	Describe func(error) string
	// Unavailable reports whether an error means that the database is unavailable: the response is 503 with
	// Retry-After. nil: only time-outs.
	Unavailable func(error) bool
	// Registry holds the metrics of /metrics. nil: a new registry.
	Registry *prometheus.Registry
	// Log gets one line per request. nil: slog.Default().
	Log *slog.Logger
	// MaxBodyBytes is the maximum size of a request body. 0: 8 MiB.
	MaxBodyBytes int64
	// RateLimit is the maximum number of requests per second and key, and of requests with unknown keys per address. 0: no
	// limit.
	RateLimit int
	// RequestTimeout is the maximum duration of a request, in addition to its preferred wait. 0: 30 seconds.
	RequestTimeout time.Duration
	// ShutdownGrace is the maximum time for requests in flight when Serve stops. 0: 30 seconds.
	ShutdownGrace time.Duration
}

// Server is the HTTP API. It is safe for concurrent use.
type Server struct {
	options   Options
	api       huma.API
	mux       *http.ServeMux
	handler   *access.Handler
	limits    *limit.Requests[uuid.UUID]
	strangers *limit.Requests[netip.Prefix] // requests with unknown keys, by address
	refusals  *limit.Delays[uuid.UUID]      // answers to requests beyond the limit of their key
	strange   *limit.Delays[netip.Prefix]   // the same for unknown keys, by address
	crowd     *fair.Crowd                   // the tenants that send requests
	large     *fair.Turns                   // requests with large bodies
	pages     *fair.Turns                   // answers with pages of values, and large profiles
	// largeProfiles are profiles that were large when they were last read.
	largeProfiles *lru.Cache[profileOf, struct{}]

	known     *knownKeys
	waiting   waitingRequests
	adminHash []byte
	routes    []Route
	dryRuns   []Route
	bodies    []schema.Body
	mounted   map[string]bool // the paths of Mount
	stopping  context.Context // ends when the server stops
	stop      context.CancelFunc
}

// StatusOf returns the status of the API's answer to an error with a code of the vault, 500 for another code.
func StatusOf(code vault.Code) int {
	if status, known := problem.StatusOf(code); known {
		return status
	}
	return http.StatusInternalServerError
}

// Problem is the body of all errors: problem details as in RFC 9457.
type Problem = problem.Problem

// New creates a server.
func New(o Options) *Server {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Registry == nil {
		o.Registry = prometheus.NewRegistry()
	}
	if o.Unavailable == nil {
		o.Unavailable = func(error) bool { return false }
	}
	if o.Describe == nil {
		o.Describe = typeOf
	}
	if o.MaxBodyBytes == 0 {
		o.MaxBodyBytes = 8 << 20
	}
	if o.RequestTimeout == 0 {
		o.RequestTimeout = 30 * time.Second
	}
	if o.ShutdownGrace == 0 {
		o.ShutdownGrace = 30 * time.Second
	}
	s := &Server{
		options: o, mux: http.NewServeMux(), adminHash: HashKey(o.AdminToken),
		limits: limit.New[uuid.UUID](o.RateLimit), strangers: limit.New[netip.Prefix](o.RateLimit), known: newKnownKeys(),
		refusals: limit.NewDelays[uuid.UUID](), strange: limit.NewDelays[netip.Prefix](),
		mounted: map[string]bool{}, crowd: &fair.Crowd{}, largeProfiles: newLargeProfiles(),
	}
	s.large = fair.NewWithShare(largeBodies, 1).Resting(restOfLarge, s.crowd)
	s.pages = fair.NewWithShare(largePages, 1).Resting(restOfLarge, s.crowd)
	s.stopping, s.stop = context.WithCancel(context.Background())
	s.handler = &access.Handler{
		Mux: s.mux, Stopping: s.stopping, Metrics: access.NewMetrics(o.Registry), Log: o.Log,
		Timeout: s.timeout,
	}
	s.api = humago.New(s.mux, description())
	schema.Register(s.api.OpenAPI().Components.Schemas)
	for _, add := range []func(){
		s.definitionRoutes, s.scenarioRoutes, s.configurationRoutes, s.requirementRoutes, s.dryRunRoutes,
		s.dryRunDeletionRoutes, s.reviewRoutes,
		s.customerRoutes, s.erasureRoutes, s.valueRoutes, s.itemRoutes,
		s.gapRoutes, s.sessionRoutes, s.turnRoutes, s.questionRoutes,
		s.operationRoutes, s.eventRoutes, s.webhookRoutes, s.mergingRoutes, s.auditRoutes,
		s.keyRoutes, s.adminRoutes, s.healthRoutes,
	} {
		add()
	}
	schema.Finish(s.api.OpenAPI(), s.bodies, operationName)
	s.nameMembers()
	docs.Register(s.mux, s.api.OpenAPI())
	s.mux.HandleFunc("/", s.notServed)
	return s
}

// jsonFormat writes responses without null for an empty list.
var jsonFormat = huma.Format{
	Marshal: func(w io.Writer, v any) error {
		return huma.DefaultJSONFormat.Marshal(w, vault.Filled(v))
	},
	Unmarshal: json.Unmarshal,
}

// description returns the description of the API in OpenAPI.
func description() huma.Config {
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title: "Customer Context Vault", Version: "1.0.0",
				Description: "Verified customer facts for conversational agents, across sessions.\n\n" +
					"The API key determines the tenant: `Authorization: Bearer cv_…`. " +
					"A change is an operation. The API responds with 202 and the id of the operation once it is accepted. " +
					"An accepted operation is never lost. " +
					"With `Prefer: wait=5` the API waits up to 5 seconds (maximum 60) for the outcome. It responds with 200 and " +
					"the result, with the problem of a failed operation, or with 202 if the operation is still running. " +
					"`Idempotency-Key` makes it safe to repeat a request. " +
					"Lists have pages: send `next_cursor` as `cursor` to get the next page. " +
					"Errors are problem details (RFC 9457) with a stable `code`.",
			},
			Servers: []*huma.Server{{URL: "/", Description: "The server of this document."}},
			Components: &huma.Components{
				Schemas: huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
				SecuritySchemes: map[string]*huma.SecurityScheme{
					"key": {
						Type: "http", Scheme: "bearer",
						Description: "An API key of a tenant. `vault keys create` creates one.",
					},
					"admin": {
						Type: "http", Scheme: "bearer",
						Description: "The ADMIN_TOKEN of the operator, for all tenants. X-Tenant selects a tenant.",
					},
				},
			},
			Tags: []*huma.Tag{
				{Name: "Configuration", Description: "Definitions of fields, scenarios, rules and requirements."},
				{Name: "Customers", Description: "Profiles, values, assets, and missing fields."},
				{Name: "Erasure and export", Description: "Erasing a customer for good, and handing out everything about one."},
				{Name: "Lineage", Description: "The sources of values and assets, and the items derived from them."},
				{Name: "Sessions", Description: "Variables and turns of conversations, for gap fill."},
				{Name: "Questions", Description: "Questions of gap fills to customers."},
				{Name: "Reviews", Description: "Extracted definitions and requirements that need a decision."},
				{Name: "Merging", Description: "Rules that find customers who may be the same person, and proposed merges."},
				{Name: "Operations", Description: "The status of operations."},
				{Name: "Events", Description: "The feed of what happens, and webhooks that deliver it."},
				{Name: "Audit", Description: "Who did what to whom, and whether that was changed."},
				{Name: tagKeys, Description: "API keys with their rights, and what was used of the language model."},
				{Name: "Administration", Description: "Maintenance that otherwise runs on a schedule."},
				{Name: "Health", Description: "For orchestrators."},
			},
		},
		Formats: map[string]huma.Format{
			"application/json": jsonFormat, "json": jsonFormat,
		},
		DefaultFormat:                "application/json",
		RejectUnknownQueryParameters: true,
	}
}

// Mount serves a path by another handler, which checks keys itself. Its requests have no time-out, because they can be
// streams: it ends them when Stopping ends. Call it before the first request.
func (s *Server) Mount(path string, h http.Handler) {
	s.mounted[path] = true
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
		s.mux.Handle(method+" "+path, h)
	}
}

// Stopping returns a context that ends when the server stops.
func (s *Server) Stopping() context.Context { return s.stopping }

// timeout returns the maximum duration of a request. 0: no limit.
func (s *Server) timeout(r *http.Request) time.Duration {
	if s.mounted[r.URL.Path] || isEventStream(r) {
		return 0
	}
	return s.options.RequestTimeout + waitOf(r.Header.Get("Prefer")) + longPollOf(r)
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if refuseLoop(w, r) {
		return
	}
	if isForOperators(r.URL.Path) && !s.isInside(r.Context()) {
		r = r.Clone(r.Context())
		r.URL.Path = "/" // no route: the path does not exist here
	}
	s.handler.ServeHTTP(w, r)
}

// Handle adds a handler for the paths of a pattern, such as "/console/". Call it before the server serves.
func (s *Server) Handle(pattern string, h http.Handler) { s.mux.Handle(pattern, h) }

// isForOperators reports whether a path can have a listener of its own.
func isForOperators(path string) bool {
	path = strings.TrimRight(path, "/")
	return path == "/metrics" || path == "/admin" || strings.HasPrefix(path, "/admin/")
}

// insideKey marks the requests of Options.AdminListener.
type insideKey struct{}

// isInside reports whether a request may concern all tenants: it came by Options.AdminListener, or there is none.
func (s *Server) isInside(ctx context.Context) bool {
	return s.options.AdminListener == nil || ctx.Value(insideKey{}) != nil
}

// notServed responds to requests without a route: an unknown path, or a method that the path does not allow.
func (s *Server) notServed(w http.ResponseWriter, r *http.Request) {
	var allowed []string
	for _, method := range []string{
		http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
	} {
		other := r.Clone(r.Context())
		other.Method = method
		if _, pattern := s.mux.Handler(other); pattern != "/" {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) == 0 {
		problem.Write(w, problem.New(http.StatusNotFound, problem.CodeNoRoute, "",
			"this path does not exist; /docs lists all paths"))
		return
	}
	list := strings.Join(allowed, ", ")
	problem.Write(w, problem.New(http.StatusMethodNotAllowed, problem.CodeMethod, "",
		"this path allows only "+list).With("Allow", list))
}

// problem converts an error to a problem, and logs the cause if the problem hides it.
func (s *Server) problem(ctx context.Context, err error) *problem.Problem {
	p, complete := problem.Of(err, s.options.Unavailable)
	if !complete {
		s.options.Log.ErrorContext(ctx, "request_failed",
			"request_id", access.InfoOf(ctx).RequestID, "status", p.Status, "error", s.options.Describe(err))
	}
	return p
}

func typeOf(err error) string { return fmt.Sprintf("%T", err) }
