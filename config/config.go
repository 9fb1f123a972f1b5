// Package config reads the configuration: the defaults in default.toml, then a file, then the environment.
//
// default.toml documents each key. Load checks the whole configuration and reports all problems at once. Errors, logs
// and String never contain secrets.
//
// To add a key, add a field here and a commented line in default.toml. Its environment variable and its line in
// Reference are derived.
package config

import (
	"cmp"
	_ "embed"
	"log/slog"
	"net"
	"net/url"
	"time"

	"github.com/contextvault/contextvault/vault"
)

//go:embed default.toml
var defaults string

// Config is the whole configuration. Load creates it; the zero value is not usable.
type Config struct {
	Profile    Profile    `toml:"profile"`
	Jobs       Jobs       `toml:"jobs"`
	Sweeps     Sweeps     `toml:"sweeps"`
	Database   Database   `toml:"database"`
	Redis      Redis      `toml:"redis"`
	LLM        LLM        `toml:"llm"`
	Extraction Extraction `toml:"extraction"`
	GapFill    GapFill    `toml:"gap_fill"`
	Operations Operations `toml:"operations"`
	Erasure    Erasure    `toml:"erasure"`
	Events     Events     `toml:"events"`
	Worker     Worker     `toml:"worker"`
	API        API        `toml:"api"`
	Console    Console    `toml:"console"`
	Log        Log        `toml:"log"`
	Tracing    Tracing    `toml:"tracing"`

	// SealingKey seals payloads and encrypted values: a Tink keyset in base64. Every process needs the same one.
	SealingKey Secret `toml:"sealing_key" env:"VAULT_SEALING_KEY" rule:"keyset" doc:"The key that seals the payloads of operations and the values of encrypted fields: a Tink keyset in base64. Every process needs the same one. Without it, encrypted values and unfinished operations are lost."`
}

// Profile configures reads and writes of profiles.
type Profile struct {
	CacheEnabled               bool                 `toml:"cache_enabled"`
	CacheTTLSeconds            int                  `toml:"cache_ttl_seconds" rule:"1..604800"`
	ValidationMode             vault.ValidationMode `toml:"validation_mode" rule:"strict|warn|disabled"`
	ChainDepth                 int                  `toml:"chain_depth" rule:"1..100"` // derivation steps
	FieldDefinitionsTTLSeconds DefinitionsTTL       `toml:"field_definitions_ttl_seconds"`
}

// DefinitionsTTL is the lifetime of cached definitions.
type DefinitionsTTL struct {
	Default int `toml:"default" rule:"1..604800"` // seconds
}

// CacheTTL is the lifetime of a cached profile.
func (p Profile) CacheTTL() time.Duration { return seconds(p.CacheTTLSeconds) }

// DefinitionsTTL is the lifetime of the cached definitions of an agent.
func (p Profile) DefinitionsTTL() time.Duration { return seconds(p.FieldDefinitionsTTLSeconds.Default) }

// Jobs configures the workflows.
type Jobs struct {
	Hatchet Hatchet `toml:"hatchet"`
}

// Hatchet configures the workflow engine and the crons. Crons have five fields, in UTC.
type Hatchet struct {
	ServerURL           string `toml:"server_url" env:"HATCHET_CLIENT_HOST_PORT" rule:"engine-url"`
	CronExpireValues    string `toml:"cron_expire_fields" rule:"cron"`
	CronDetectOrphans   string `toml:"cron_detect_orphans" rule:"cron"`
	CronRelayOperations string `toml:"cron_relay_operations" rule:"cron"`
	CronPurgeOperations string `toml:"cron_purge_operations" rule:"cron"`
	CronRotateKeys      string `toml:"cron_rotate_keys" rule:"cron"`
	CronSealValues      string `toml:"cron_seal_values" rule:"cron"`
	// the sweep that finds quiet sessions
	CronReadQuietSessions string `toml:"cron_read_quiet_sessions" rule:"cron"`
	// CronSealAudit is the schedule of the seals of the audit.
	CronSealAudit string `toml:"cron_seal_audit" rule:"cron"`
	// the sweeps of deleted customers and of expired values
	CronPurgeCustomers string `toml:"cron_purge_customers" rule:"cron"`
	CronRemoveExpired  string `toml:"cron_remove_expired" rule:"cron"`
	// the sweep that delivers what no signal started
	CronDeliverWebhooks string `toml:"cron_deliver_webhooks" rule:"cron"`

	CronProposeMerges string `toml:"cron_propose_merges" rule:"cron"`
	// steps at a time, without those that call the model
	WorkerConcurrency int `toml:"worker_concurrency" rule:"1..1000"`
	ModelConcurrency  int `toml:"model_concurrency" rule:"1..1000"`       // steps that call the model, at a time
	MaxPushes         int `toml:"max_pushes" rule:"1..1000"`              // at a time
	CleanDatabaseURL  URL `toml:"clean_database_url" rule:"postgres-url"` // "": the engine's database is left alone

	// Token is the client token of the engine.
	Token Secret `toml:"token" env:"HATCHET_CLIENT_TOKEN,HATCHET_API_KEY" rule:"token" doc:"The client token of the workflow engine."`
}

// HostPort is the address of the engine in the format of its SDK (HATCHET_CLIENT_HOST_PORT).
func (h Hatchet) HostPort() string {
	u, err := url.Parse(h.ServerURL)
	if err != nil {
		return "" // Load has refused it
	}
	port := u.Port()
	switch {
	case port != "":
	case u.Scheme == "https":
		port = "443"
	default:
		port = "80"
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// TLS reports whether the connection to the engine uses TLS. Without TLS, the SDK needs
// HATCHET_CLIENT_TLS_STRATEGY=none.
func (h Hatchet) TLS() bool {
	u, err := url.Parse(h.ServerURL)
	return err == nil && u.Scheme == "https"
}

// Sweeps configures the sweeps.
type Sweeps struct {
	BatchSize     int `toml:"batch_size" rule:"1..10000"`      // rows per transaction
	TenantKeyDays int `toml:"tenant_key_days" rule:"0..36500"` // 0: never
}

// TenantKeyLife is the age at which the key of a tenant is rotated. 0: only on request.
func (s Sweeps) TenantKeyLife() time.Duration { return days(s.TenantKeyDays) }

// Database configures PostgreSQL.
type Database struct {
	URL            URL `toml:"url" env:"DATABASE_URL" rule:"postgres-url"`                 // "": not set
	SystemURL      URL `toml:"system_url" env:"SYSTEM_DATABASE_URL" rule:"postgres-url"`   // "": URL
	MigrateURL     URL `toml:"migrate_url" env:"MIGRATE_DATABASE_URL" rule:"postgres-url"` // "": URL
	MaxConnections int `toml:"max_connections" rule:"2..1000"`
}

// OwnerURL is the address with the login that migrates.
func (d Database) OwnerURL() URL { return cmp.Or(d.MigrateURL, d.URL) }

// Redis configures the cache.
type Redis struct {
	URL                 URL `toml:"url" env:"REDIS_URL" rule:"redis-url"` // "": no cache
	TimeoutMilliseconds int `toml:"timeout_milliseconds" rule:"1..10000"`
}

// Timeout is the limit of one exchange with Redis.
func (r Redis) Timeout() time.Duration {
	return time.Duration(r.TimeoutMilliseconds) * time.Millisecond
}

// LLM configures the language model.
type LLM struct {
	Provider       string `toml:"provider" rule:"|openai|offline"` // "": openai with a key, else offline
	BaseURL        URL    `toml:"base_url" env:"OPENAI_BASE_URL" rule:"http-url"`
	Model          string `toml:"model" rule:"name"`
	EmbeddingModel string `toml:"embedding_model" rule:"name"`
	TimeoutSeconds int    `toml:"timeout_seconds" rule:"1..600"`
	MaxRetries     int    `toml:"max_retries" rule:"0..10"` // 0: no retries

	DailyBudgetTokens         int     `toml:"daily_budget_tokens" rule:"0..1000000000000"` // per tenant; 0: no limit
	PromptPricePerMillion     float64 `toml:"prompt_price_per_million" rule:"0..1000000"`
	CompletionPricePerMillion float64 `toml:"completion_price_per_million" rule:"0..1000000"`

	// APIKey is the bearer token of the model's API. "": no token.
	APIKey Secret `toml:"api_key" env:"OPENAI_API_KEY" rule:"token" doc:"The API key of the language model. Empty: no key is sent, and without a provider the built-in model is used."`
}

// Timeout is the limit of one operation of the model.
func (l LLM) Timeout() time.Duration { return seconds(l.TimeoutSeconds) }

// Extraction configures the extraction of requirements from scenarios and rules.
type Extraction struct {
	MatchThreshold float64 `toml:"match_threshold" rule:"0..1"` // cosine similarity
}

// GapFill configures values from conversations.
type GapFill struct {
	UseThreshold     float64 `toml:"use_threshold" rule:"0..1"`
	ConfirmThreshold float64 `toml:"confirm_threshold" rule:"0..1"` // not below UseThreshold

	ConversationBytes int `toml:"conversation_bytes" rule:"1000..10000000"` // limit per call of the model
	QuietAfterSeconds int `toml:"quiet_after_seconds" rule:"0..2592000"`    // 0: sessions are read on request only

	TimeZone string `toml:"time_zone" rule:"time-zone"` // of customers whose time zone is unknown
}

// Location returns the time zone, UTC for an unknown one, which the check of the configuration reports.
func (g GapFill) Location() *time.Location {
	zone, err := time.LoadLocation(g.TimeZone)
	if err != nil {
		return time.UTC
	}
	return zone
}

// Operations configures the retention of operations.
type Operations struct {
	RetentionDays       int `toml:"retention_days" rule:"1..3650"`
	FailedRetentionDays int `toml:"failed_retention_days" rule:"1..3650"`
}

// Retention is the retention of succeeded operations.
func (i Operations) Retention() time.Duration { return days(i.RetentionDays) }

// FailedRetention is the retention of failed operations.
func (i Operations) FailedRetention() time.Duration { return days(i.FailedRetentionDays) }

// Erasure configures the erasure and the export of customers.
type Erasure struct {
	PurgeAfterDays int `toml:"purge_after_days" rule:"0..36500"` // 0: never
	ExportHours    int `toml:"export_hours" rule:"1..8760"`
}

// PurgeAfter is the time from a deletion to the erasure. 0: never.
func (e Erasure) PurgeAfter() time.Duration { return days(e.PurgeAfterDays) }

// ExportFor is how long an export can be fetched.
func (e Erasure) ExportFor() time.Duration { return time.Duration(e.ExportHours) * time.Hour }

// Events configures the feed of events.
type Events struct {
	RetentionDays           int  `toml:"retention_days" rule:"1..3650"`
	WebhookPrivateAddresses bool `toml:"webhook_private_addresses"`
}

// Retention is how long an event is kept.
func (e Events) Retention() time.Duration { return days(e.RetentionDays) }

// Worker configures the worker process.
type Worker struct {
	HealthAddress        string `toml:"health_address" rule:"address"` // host:port
	ShutdownGraceSeconds int    `toml:"shutdown_grace_seconds" rule:"1..3600"`
	CountIntervalSeconds int    `toml:"count_interval_seconds" rule:"1..86400"`
}

// Counts is the interval of the counts in the database.
func (w Worker) Counts() time.Duration { return seconds(w.CountIntervalSeconds) }

// ShutdownGrace is the grace period for running steps at shutdown.
func (w Worker) ShutdownGrace() time.Duration { return seconds(w.ShutdownGraceSeconds) }

// API configures the HTTP server.
type API struct {
	ListenAddress         string `toml:"listen_address" rule:"address"`        // host:port
	AdminAddress          string `toml:"admin_address" rule:"address-or-none"` // host:port; "": ListenAddress
	MaxBodyBytes          int    `toml:"max_body_bytes" rule:"1..268435456"`
	RateLimitPerSecond    int    `toml:"rate_limit_per_second" rule:"0..1000000"` // per key; 0: no limit
	RequestTimeoutSeconds int    `toml:"request_timeout_seconds" rule:"1..600"`
	ShutdownGraceSeconds  int    `toml:"shutdown_grace_seconds" rule:"1..3600"`

	// AdminToken gives access to /admin across tenants. "": nobody has it.
	AdminToken Secret `toml:"admin_token" env:"ADMIN_TOKEN" rule:"long-token" doc:"The bearer token of an operator for /admin, across tenants: 32 characters or more, such as from openssl rand -hex 32. Empty: nobody starts sweeps by hand."`
}

// RequestTimeout is the limit of a request, without the wait of Prefer: wait.
func (a API) RequestTimeout() time.Duration { return seconds(a.RequestTimeoutSeconds) }

// ShutdownGrace is the grace period for requests in flight at shutdown.
func (a API) ShutdownGrace() time.Duration { return seconds(a.ShutdownGraceSeconds) }

// Console configures the web console.
type Console struct {
	DashboardURL    string `toml:"dashboard_url" rule:"collector-url"`
	OIDCIssuer      string `toml:"oidc_issuer" rule:"collector-url"`
	OIDCClientID    string `toml:"oidc_client_id" rule:"word-or-none"`
	OIDCRedirectURL string `toml:"oidc_redirect_url" rule:"collector-url"`
	OIDCTenant      string `toml:"oidc_tenant" rule:"word-or-none"`
	OIDCGroupsClaim string `toml:"oidc_groups_claim" rule:"name"`
	OIDCGroups      string `toml:"oidc_groups" rule:"groups"`

	// OIDCClientSecret is the secret of the console at the issuer.
	OIDCClientSecret Secret `toml:"oidc_client_secret" env:"VAULT_CONSOLE_OIDC_CLIENT_SECRET" rule:"token" doc:"The secret of the console at the issuer of OpenID Connect (console.oidc_issuer). Empty: a public client, with PKCE alone."`
}

// Log configures the log lines on standard error.
type Log struct {
	Level  string `toml:"level" rule:"debug|info|warn|error"`
	Format string `toml:"format" rule:"json|text"`
}

// Tracing configures the export of OpenTelemetry traces.
type Tracing struct {
	// "": no traces
	Endpoint    URL     `toml:"endpoint" env:"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT,OTEL_EXPORTER_OTLP_ENDPOINT" rule:"collector-url"`
	Protocol    string  `toml:"protocol" env:"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL,OTEL_EXPORTER_OTLP_PROTOCOL" rule:"grpc|http/protobuf"`
	SampleRatio float64 `toml:"sample_ratio" env:"OTEL_TRACES_SAMPLER_ARG" rule:"0..1"`
}

// SlogLevel returns the level as a slog.Level.
func (l Log) SlogLevel() slog.Level {
	var level slog.Level
	_ = level.UnmarshalText([]byte(l.Level)) // Load has checked it
	return level
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }

func days(n int) time.Duration { return time.Duration(n) * 24 * time.Hour }
