package llm

import (
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
	DefaultModel          = "gpt-4.1-mini"           // structured output, and a context of a million tokens, at a low price
	DefaultEmbeddingModel = "text-embedding-3-small" // can be shortened to vault.EmbeddingDimensions
	DefaultTimeout        = 30 * time.Second         // ten times what an answer of a few hundred tokens takes
	DefaultMaxRetries     = 2                        // the workflow engine retries the step as well
)

// Config says which model to use and how.
type Config struct {
	Provider       string        // offline or openai; empty: openai if APIKey is set, else offline
	APIKey         string        `json:"-"` // sent as a bearer token; empty: no token is sent, for a server of one's own
	BaseURL        string        // empty: DefaultBaseURL
	Model          string        // for chat completions with structured output; empty: DefaultModel
	EmbeddingModel string        // must be able to shorten its vectors to vault.EmbeddingDimensions; empty: DefaultEmbeddingModel
	Timeout        time.Duration // bounds a whole operation, with its retries and its repair; 0: DefaultTimeout
	MaxRetries     int           // how often a request is sent again after 408, 409, 429, 5xx or a lost connection; 0: DefaultMaxRetries, -1: never
	HTTPClient     *http.Client  // nil: one of its own
	Usage          func(Usage)   // called once after each operation, on the caller's goroutine; nil: nobody counts
}

// Format keeps the key out of any text that Config is formatted into.
func (c Config) Format(state fmt.State, _ rune) {
	_, _ = fmt.Fprintf(state, "llm.Config{%s %s}", c.Provider, c.Model)
}

// New makes the model that cfg describes. Everything that is wrong with cfg is reported at once.
func New(cfg Config) (Model, error) {
	if cfg.Provider == "" {
		cfg.Provider = ProviderOffline
		if cfg.APIKey != "" {
			cfg.Provider = ProviderOpenAI
		}
	}
	if cfg.BaseURL == "" {
		cfg.BaseURL = DefaultBaseURL
	}
	if err := cfg.check(); err != nil {
		return nil, err
	}
	if cfg.Model == "" {
		cfg.Model = DefaultModel
	}
	if cfg.EmbeddingModel == "" {
		cfg.EmbeddingModel = DefaultEmbeddingModel
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = DefaultTimeout
	}
	switch cfg.MaxRetries {
	case 0:
		cfg.MaxRetries = DefaultMaxRetries
	case -1:
		cfg.MaxRetries = 0
	}
	if cfg.Provider == ProviderOpenAI {
		return newOpenAI(cfg), nil
	}
	return &offline{usage: cfg.Usage, timeout: cfg.Timeout}, nil
}

// check reports everything that is wrong with c. It does not quote the key, nor the base URL, which may hold one.
func (c Config) check() error {
	var errs []*vault.Error
	if c.Provider != ProviderOffline && c.Provider != ProviderOpenAI {
		errs = append(errs, vault.Invalid("llm.provider", "%q is not a provider; use %s or %s", c.Provider, ProviderOffline, ProviderOpenAI))
	}
	if u, err := url.Parse(c.BaseURL); err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		errs = append(errs, vault.Invalid("llm.base_url", "it is not an http or https address, such as %s", DefaultBaseURL))
	}
	if c.Timeout < 0 {
		errs = append(errs, vault.Invalid("llm.timeout", "%v is negative; use a duration such as %v", c.Timeout, DefaultTimeout))
	}
	if c.MaxRetries < -1 || c.MaxRetries > 10 {
		errs = append(errs, vault.Invalid("llm.max_retries", "%d is not between -1 (never) and 10", c.MaxRetries))
	}
	return vault.Join(errs)
}
