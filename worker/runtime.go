// Package worker is the process that does the work: it builds what the steps need, registers the workflows with the engine,
// tells how it is (health and metrics), and stops without leaving steps half done.
//
//   - runtime.go: the dependencies, built once; the command line uses the same;
//   - engine.go: the client of the workflow engine;
//   - worker.go: Run;
//   - health.go: what it serves over HTTP;
//   - observe.go: what each step goes through: its turn, metrics, log and trace.
package worker

import (
	"context"
	"fmt"
	"log/slog"

	hatchet "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/contextvault/contextvault/cache"
	"github.com/contextvault/contextvault/config"
	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/llm/provider"
	"github.com/contextvault/contextvault/metrics"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/telemetry"
	"github.com/contextvault/contextvault/trigger"
)

// Runtime is everything a process of the vault works with.
type Runtime struct {
	Config  config.Config
	DB      *db.DB
	Cache   *cache.Cache
	Trigger *trigger.Client
	Query   *query.Queries
	Steps   steps.Steps
	Log     *slog.Logger

	ModelUsage *llm.Counters // what the language model was asked for by this process
	Metrics    *metrics.Metrics
}

// Connect builds a Runtime. engine may be nil for a process that only reads and accepts: the relay of a worker pushes what it
// accepts. Close the Runtime.
func Connect(ctx context.Context, cfg config.Config, engine *hatchet.Client, log *slog.Logger) (*Runtime, error) {
	if engine == nil {
		return ConnectTo(ctx, cfg, nil, log)
	}
	return ConnectTo(ctx, cfg, trigger.Hatchet(engine), log)
}

// ConnectTo is Connect with anything that takes events, nil for nothing.
func ConnectTo(ctx context.Context, cfg config.Config, push trigger.Engine, log *slog.Logger) (_ *Runtime, err error) {
	if err := cfg.Require("database.url", "sealing_key"); err != nil {
		return nil, err
	}
	sealer, err := db.NewSealer(cfg.SealingKey.Reveal())
	if err != nil {
		return nil, err
	}
	usage := &llm.Counters{}
	model, err := provider.New(modelConfig(cfg.LLM, usage))
	if err != nil {
		return nil, fmt.Errorf("language model: %w", err)
	}
	database, err := db.Open(ctx, cfg.Database.URL.Reveal(), db.Options{MaxConns: int32(cfg.Database.MaxConnections)}) //nolint:gosec // at most 1000
	if err != nil {
		return nil, err
	}
	r := &Runtime{Config: cfg, DB: database, ModelUsage: usage, Log: log}
	defer func() {
		if err != nil {
			r.Close()
		}
	}()
	r.Cache, err = cache.New(cache.Options{
		URL: cfg.Redis.URL.Reveal(), Enabled: cfg.Profile.CacheEnabled, Logger: log,
		OpTimeout: cfg.Redis.Timeout(), ProfileTTL: cfg.Profile.CacheTTL(), DefinitionsTTL: cfg.Profile.DefinitionsTTL(),
		OnRecover: func(ctx context.Context) error {
			_, err := r.Steps.Caches.FlushPending(ctx)
			return err
		},
	})
	if err != nil {
		return nil, err
	}
	r.Trigger = trigger.New(trigger.Options{DB: database, Sealer: sealer, Engine: push, Log: log})
	r.Metrics = metrics.New(metrics.Sources{Cache: r.Cache, Model: usage, Dependencies: r.Dependencies()})
	r.Query = query.New(database, r.Cache, sealer, query.OnChain(r.Metrics.ChainRead))
	r.Steps = steps.New(steps.Deps{
		DB: database, Sealer: sealer, Cache: r.Cache, Model: model, Enqueuer: r.Trigger, Settings: settings(cfg), Log: log,
		Observer: r.Metrics,
	})
	return r, nil
}

// Close lets what is under way end and closes all connections.
func (r *Runtime) Close() {
	if r.Trigger != nil {
		r.Trigger.Close()
	}
	r.Cache.Close()
	r.DB.Close()
}

// Dependencies are what the process works with. None of them is required but the database: who cannot do without another says
// so itself.
func (r *Runtime) Dependencies() []telemetry.Dependency {
	all := []telemetry.Dependency{
		{Name: "database", Required: true, Check: r.DB.Ping},
		{Name: "redis", Check: r.Cache.Ping},
	}
	if hatchet := r.Config.Jobs.Hatchet; hatchet.Token != "" {
		all = append(all, telemetry.Dependency{Name: engineName, Check: telemetry.Dial(hatchet.HostPort())})
	}
	return all
}

const engineName = "engine"

func settings(cfg config.Config) once.Settings {
	return once.Settings{
		Mode:              cfg.Profile.ValidationMode,
		UseThreshold:      cfg.GapFill.UseThreshold,
		ConfirmThreshold:  cfg.GapFill.ConfirmThreshold,
		MatchThreshold:    cfg.Extraction.MatchThreshold,
		ConversationBytes: cfg.GapFill.ConversationBytes,
		Model: once.ModelLimits{
			DailyTokens: int64(cfg.LLM.DailyBudgetTokens), PromptPrice: cfg.LLM.PromptPricePerMillion, CompletionPrice: cfg.LLM.CompletionPricePerMillion,
		},
		SweepBatch:      cfg.Sweeps.BatchSize,
		RetainSucceeded: cfg.Operations.Retention(),
		RetainFailed:    cfg.Operations.FailedRetention(),
	}
}

func modelConfig(cfg config.LLM, usage *llm.Counters) llm.Config {
	out := llm.Config{
		Usage:    usage.Count,
		Provider: cfg.Provider, APIKey: cfg.APIKey.Reveal(), BaseURL: cfg.BaseURL.Reveal(), Model: cfg.Model,
		EmbeddingModel: cfg.EmbeddingModel, Timeout: cfg.Timeout(), MaxRetries: cfg.MaxRetries,
	}
	if out.MaxRetries == 0 {
		out.MaxRetries = -1 // the configuration's "never"
	}
	return out
}
