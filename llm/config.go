package llm

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/contextvault/contextvault/vault"
)

// Names of the providers.
const (
	ProviderOffline = "offline"
	ProviderOpenAI  = "openai"
)

// Defaults of Config.
const (
	DefaultBaseURL        = "https://api.openai.com/v1"
	DefaultModel          = "gpt-4.1-mini"           // structured output, a million tokens of context, low price
	DefaultEmbeddingModel = "text-embedding-3-small" // supports vault.EmbeddingDimensions
	DefaultTimeout        = 30 * time.Second         // ten times the duration of an answer of a few hundred tokens
	DefaultMaxRetries     = 2                        // the workflow engine also retries the step
	DefaultBreakAfter     = 3                        // a lost request can be chance, three in a row are not
	DefaultBreakFor       = 15 * time.Second         // the longest time until a recovered endpoint is used again
)

// Endpoint is an endpoint of the model's API with its own limits, so with its own circuit breaker.
type Endpoint string

const (
	EndpointChat       Endpoint = "chat"
	EndpointEmbeddings Endpoint = "embeddings"
)

// Endpoints lists all endpoints.
var Endpoints = []Endpoint{EndpointChat, EndpointEmbeddings}

// Config selects a model and its settings.
type Config struct {
	// Provider is offline or openai. Empty: openai if APIKey is set, else offline.
	Provider string
	// APIKey is the bearer token. Empty: no token is sent, for a server of your own.
	APIKey string `json:"-"`
	// BaseURL is the URL of the API. Empty: DefaultBaseURL.
	BaseURL string
	// Model is the id of the chat model, which must support structured output. Empty: DefaultModel.
	Model string
	// EmbeddingModel is the id of the embedding model. It must be able to shorten its vectors to
	// vault.EmbeddingDimensions. Empty: DefaultEmbeddingModel.
	EmbeddingModel string
	// Timeout limits an operation, with its retries and its repair. 0: DefaultTimeout.
	Timeout time.Duration
	// MaxRetries limits the retries of a request after 408, 409, 429, 5xx or a lost connection.
	// 0: DefaultMaxRetries. -1: no retries.
	MaxRetries int
	// BreakAfter is the number of consecutive calls that fail, because an endpoint is unavailable, before its circuit
	// breaker opens. 0: DefaultBreakAfter.
	BreakAfter int
	// BreakFor is how long an open circuit breaker fails every call before it lets one pass. 0: DefaultBreakFor.
	BreakFor time.Duration
	// Circuit is called when a circuit breaker opens or closes. It must not block. nil: no call.
	Circuit func(endpoint Endpoint, open bool)
	// HTTPClient sends the requests. nil: a client without a time-out; Timeout limits it.
	HTTPClient *http.Client
	// Usage is called once after each operation, on the caller's goroutine. nil: usage is not reported.
	Usage func(Usage)
}

// Format writes the provider and the model only, so that no log or error shows the API key.
func (c Config) Format(state fmt.State, _ rune) {
	_, _ = fmt.Fprintf(state, "llm.Config{%s %s}", c.Provider, c.Model)
}

// Resolve returns c with its defaults filled in. An error lists every problem of c. MaxRetries keeps -1, so that
// resolving twice changes nothing.
func (c Config) Resolve() (Config, error) {
	if c.Provider == "" {
		c.Provider = ProviderOffline
		if c.APIKey != "" {
			c.Provider = ProviderOpenAI
		}
	}
	if c.BaseURL == "" {
		c.BaseURL = DefaultBaseURL
	}
	if err := c.check(); err != nil {
		return Config{}, err
	}
	if c.Model == "" {
		c.Model = DefaultModel
	}
	if c.EmbeddingModel == "" {
		c.EmbeddingModel = DefaultEmbeddingModel
	}
	if c.Timeout == 0 {
		c.Timeout = DefaultTimeout
	}
	if c.MaxRetries == 0 {
		c.MaxRetries = DefaultMaxRetries
	}
	c.BreakAfter, c.BreakFor = cmp.Or(c.BreakAfter, DefaultBreakAfter), cmp.Or(c.BreakFor, DefaultBreakFor)
	return c, nil
}

// check reports every problem of c. It quotes neither the key nor the base URL, which may contain a key.
func (c Config) check() error {
	var errs []*vault.Error
	if c.Provider != ProviderOffline && c.Provider != ProviderOpenAI {
		errs = append(
			errs,
			vault.Invalid("llm.provider", "%q is unknown; use %s or %s", c.Provider, ProviderOffline, ProviderOpenAI),
		)
	}
	if u, err := url.Parse(c.BaseURL); err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		errs = append(errs, vault.Invalid("llm.base_url", "not an http or https URL; use a URL such as %s", DefaultBaseURL))
	}
	if c.Timeout < 0 {
		errs = append(
			errs,
			vault.Invalid("llm.timeout", "%v is negative; use a duration such as %v", c.Timeout, DefaultTimeout),
		)
	}
	if c.MaxRetries < -1 || c.MaxRetries > 10 {
		errs = append(errs, vault.Invalid("llm.max_retries", "%d is out of range; use -1 (no retries) to 10", c.MaxRetries))
	}
	if c.BreakAfter < 0 || c.BreakFor < 0 {
		errs = append(errs, vault.Invalid("llm.break_after", "or llm.break_for is negative; use 0 for the default"))
	}
	return vault.Join(errs)
}
