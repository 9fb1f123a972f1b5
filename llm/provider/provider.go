// Package provider selects the language model by configuration. It has no other subject.
package provider

import (
	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/llm/offline"
	"github.com/contextvault/contextvault/llm/openai"
)

// New returns the model that cfg selects: the one of cfg.Provider; if that is empty, openai with an API key and
// offline without one. An error lists every problem of cfg.
func New(cfg llm.Config) (llm.Model, error) {
	cfg, err := cfg.Resolve()
	if err != nil {
		return nil, err
	}
	if cfg.Provider == llm.ProviderOpenAI {
		return openai.New(cfg)
	}
	return offline.New(cfg)
}
