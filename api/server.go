package api

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/telemetry"
	"github.com/contextvault/contextvault/trigger"
)

// Options are what a Server needs.
type Options struct {
	Query   *query.Queries
	Trigger *trigger.Client
	Keys    Keys
	// AdminToken is the bearer token of an operator. "": nobody has one.
	AdminToken string
	// OperatorTenant is the tenant under which sweeps are accepted that an operator asks for without X-Tenant. It must exist
	// where AdminToken is set.
	OperatorTenant uuid.UUID
	// DropProfile makes the cache forget a customer.
	DropProfile func(ctx context.Context, tenant, customer uuid.UUID) error
	// Dependencies are what /readyz looks at.
	Dependencies []telemetry.Dependency
	// Describe gives what may be logged of an error. nil: the type alone, since the text may quote a value.
	Describe func(error) string
	// Registry is where metrics are registered, and what /metrics shows. nil: one of the server's own.
	Registry *prometheus.Registry
	// Log gets a line for each request. nil: slog.Default().
	Log *slog.Logger
	// MaxBodyBytes bounds a request body. 0: 8 MiB.
	MaxBodyBytes int64
	// RateLimit is how many requests a second one key may make. 0: no limit.
	RateLimit int
	// RequestTimeout bounds a request, beside the time that its caller prefers to wait. 0: 30 seconds.
	RequestTimeout time.Duration
	// ShutdownGrace bounds how long Serve lets requests in flight go on once it is asked to stop. 0: 30 seconds.
	ShutdownGrace time.Duration
}

// Server is the HTTP API. It is safe for concurrent use.
type Server struct {
	options   Options
	api       huma.API
	mux       *http.ServeMux
	metrics   *metrics
	limits    limits
	known     knownKeys
	adminHash []byte
	routes    []Route
	stopping  context.Context // ends when the server is asked to stop
	stop      context.CancelFunc
}

// New makes a server.
func New(o Options) *Server {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Registry == nil {
		o.Registry = prometheus.NewRegistry()
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
		options: o, mux: http.NewServeMux(), metrics: newMetrics(o.Registry), adminHash: HashKey(o.AdminToken),
		limits: limits{perSecond: o.RateLimit},
	}
	s.stopping, s.stop = context.WithCancel(context.Background())
	s.api = humago.New(s.mux, description())
	s.api.OpenAPI().Components.Schemas.RegisterTypeAlias(uuidType, uuidAliasType)
	s.configRoutes()
	s.sessionRoutes()
	s.customerRoutes()
	s.itemRoutes()
	s.questionRoutes()
	s.operationRoutes()
	s.adminRoutes()
	s.healthRoutes()
	s.documentation()
	s.mux.HandleFunc("/", s.notServed)
	return s
}

// description is what OpenAPI says of the whole.
func description() huma.Config {
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title: "Customer Context Vault", Version: "1.0.0",
				Description: "Verified customer facts for conversational agents, kept across sessions.\n\n" +
					"The tenant comes from the API key: `Authorization: Bearer cv_…`. " +
					"A change is answered with 202 and the id of its operation as soon as it is accepted: from then on it is owed, whatever happens. " +
					"`Prefer: wait=5` waits up to 5 seconds (at most 60) for the outcome, and is answered with 200 and the result, with the problem that rejected it, or with 202 when it is still on its way. " +
					"`Idempotency-Key` makes a repeat harmless. Lists are read by the page: pass `next_cursor` on as `cursor`. " +
					"Errors are problem details (RFC 9457) with a stable `code`.",
			},
			Components: &huma.Components{
				Schemas: huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
				SecuritySchemes: map[string]*huma.SecurityScheme{
					"key":   {Type: "http", Scheme: "bearer", Description: "An API key of a tenant; `vault keys create` makes one."},
					"admin": {Type: "http", Scheme: "bearer", Description: "The operator's ADMIN_TOKEN, across tenants. X-Tenant names the tenant, where one is needed."},
				},
			},
			Tags: []*huma.Tag{
				{Name: "Configuration", Description: "What may be collected, and what a scenario needs."},
				{Name: "Customers", Description: "What is known of a customer, and what is missing."},
				{Name: "Lineage", Description: "Where a fact came from, and what was made of it."},
				{Name: "Sessions", Description: "What a conversation knows, for gap fill."},
				{Name: "Questions", Description: "Questions to customers that wait for an answer."},
				{Name: "Reviews", Description: "What was extracted and waits for a person."},
				{Name: "Operations", Description: "How a change went."},
				{Name: "Administration", Description: "By hand, what else runs by the clock."},
				{Name: "Health", Description: "For orchestrators."},
			},
		},
		Formats:                      map[string]huma.Format{"application/json": huma.DefaultJSONFormat, "json": huma.DefaultJSONFormat},
		DefaultFormat:                "application/json",
		RejectUnknownQueryParameters: true,
	}
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.observe(w, r) }

// notServed answers what no route does: an unknown path, or a method that the path does not know.
func (s *Server) notServed(w http.ResponseWriter, r *http.Request) {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		other := r.Clone(r.Context())
		other.Method = method
		if _, pattern := s.mux.Handler(other); pattern != "/" {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) == 0 {
		s.answer(w, problem(http.StatusNotFound, codeNoRoute, "", "nothing is served at this path; /docs lists what is"))
		return
	}
	list := strings.Join(allowed, ", ")
	s.answer(w, problem(http.StatusMethodNotAllowed, codeMethod, "", "this path knows "+list+" only").with("Allow", list))
}

// answer writes a problem outside of Huma.
func (s *Server) answer(w http.ResponseWriter, p *Problem) {
	for name, values := range p.headers {
		w.Header()[name] = slices.Clone(values)
	}
	w.Header().Set("Content-Type", p.ContentType(""))
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the caller may be gone
}

// problem makes the problem of an error, and logs what the caller is not told.
func (s *Server) problem(ctx context.Context, err error) *Problem {
	p, told := problemOf(err)
	if !told {
		s.options.Log.ErrorContext(ctx, "request_failed", "request_id", infoOf(ctx).id, "status", p.Status, "error", s.options.Describe(err))
	}
	return p
}
