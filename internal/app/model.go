package app

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/contextvault/contextvault/config"
	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/llm/provider"
	"github.com/contextvault/contextvault/vault"
)

// newModel builds the language model of the configuration. usage counts its calls. log gets a line when a circuit
// breaker opens or closes.
func newModel(cfg config.LLM, usage *llm.Counters, log *slog.Logger) (llm.Model, error) {
	if cfg.Provider == llm.ProviderOpenAI && cfg.APIKey == "" && cfg.BaseURL == llm.DefaultBaseURL {
		// Another base URL may be a local server, which needs no key.
		return nil, fmt.Errorf("language model: llm.provider is openai and llm.api_key is not set: set OPENAI_API_KEY, " +
			"or set llm.provider to offline")
	}
	settings := modelConfig(cfg, usage)
	settings.Circuit = func(endpoint llm.Endpoint, open bool) {
		usage.SetCircuit(endpoint, open)
		if open {
			log.Warn("model_circuit_opened", "endpoint", endpoint)
		} else {
			log.Info("model_circuit_closed", "endpoint", endpoint)
		}
	}
	model, err := provider.New(settings)
	if err != nil {
		return nil, fmt.Errorf("language model: %w", err)
	}
	return model, nil
}

// Model builds the language model of the configuration by itself, for measurements. Nothing counts its calls.
func Model(cfg config.LLM) (llm.Model, error) {
	return newModel(cfg, &llm.Counters{}, slog.New(slog.DiscardHandler))
}

func modelConfig(cfg config.LLM, usage *llm.Counters) llm.Config {
	out := llm.Config{
		Usage:    usage.Count,
		Provider: cfg.Provider, APIKey: cfg.APIKey.Reveal(), BaseURL: cfg.BaseURL.Reveal(), Model: cfg.Model,
		EmbeddingModel: cfg.EmbeddingModel, Timeout: cfg.Timeout(), MaxRetries: cfg.MaxRetries,
	}
	if out.MaxRetries == 0 {
		out.MaxRetries = -1 // 0 is "no retries" in the configuration, and "the default" in llm.Config
	}
	return out
}

// misconfiguredModel fails every call. It stands in for a model with a bad configuration.
type misconfiguredModel struct{ err error }

// Name implements llm.Model.
func (misconfiguredModel) Name() string { return "misconfigured" }

// Reader implements llm.Model.
func (misconfiguredModel) Reader() string { return "misconfigured" }

// ProposeRequirements implements llm.Model.
func (m misconfiguredModel) ProposeRequirements(
	context.Context, llm.ProposeRequest,
) ([]vault.ProposedRequirement, error) {
	return nil, m.err
}

// ExtractValues implements llm.Model.
func (m misconfiguredModel) ExtractValues(context.Context, llm.ExtractRequest) ([]vault.Candidate, error) {
	return nil, m.err
}

// Embed implements llm.Model.
func (m misconfiguredModel) Embed(context.Context, []string) ([][]float32, error) { return nil, m.err }
