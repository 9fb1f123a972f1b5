// Package app connects a process to the dependencies that the API, the worker and the commands share.
//
//   - app.go: Runtime, with the database, the cache, the trigger, the queries and the steps;
//   - model.go: the language model of the configuration;
//   - engine.go: the client of the workflow engine.
//
// The processes themselves are in package worker (the worker) and in cmd (the API and the commands).
package app

import (
	"context"
	"log/slog"
	"time"

	hatchet "github.com/hatchet-dev/hatchet/sdks/go"

	"github.com/contextvault/contextvault/audit"
	"github.com/contextvault/contextvault/cache"
	"github.com/contextvault/contextvault/config"
	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/internal/enginedb"
	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/metrics"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/telemetry"
	"github.com/contextvault/contextvault/trigger"
)

// Runtime holds the dependencies of one process.
type Runtime struct {
	Config  config.Config
	DB      *db.DB
	Cache   *cache.Cache
	Trigger *trigger.Client
	Query   *query.Queries
	Steps   steps.Steps
	Log     *slog.Logger

	ModelUsage *llm.Counters // the calls of the language model by this process
	Metrics    *metrics.Metrics

	reads *audit.Writer // of the reads of Query

	// ModelError is the problem with the configuration of the language model; nil: none. A process that runs steps
	// refuses to start with it. The API and the commands never call the model, so they start.
	ModelError error
}

// Connect builds a Runtime. A nil engine is for a process that only reads and accepts operations: the relay of a worker
// pushes them. A bad configuration of the language model is no error of Connect but Runtime.ModelError.
//
// Close the Runtime.
func Connect(
	ctx context.Context, cfg config.Config, engine *hatchet.Client, log *slog.Logger,
) (*Runtime, error) {
	if engine == nil {
		return ConnectTo(ctx, cfg, nil, log)
	}
	return ConnectTo(ctx, cfg, trigger.Hatchet(engine), log)
}

// ConnectTo is Connect with any receiver of events as the engine. nil: events are not pushed.
func ConnectTo(
	ctx context.Context, cfg config.Config, engine trigger.Engine, log *slog.Logger,
) (_ *Runtime, err error) {
	if err := cfg.Require("database.url", "sealing_key"); err != nil {
		return nil, err
	}
	sealer, err := db.NewSealer(cfg.SealingKey.Reveal())
	if err != nil {
		return nil, err
	}
	r := &Runtime{Config: cfg, ModelUsage: &llm.Counters{}, Log: log}
	model, err := newModel(cfg.LLM, r.ModelUsage, log)
	if err != nil {
		model, r.ModelError = misconfiguredModel{err}, err
	}
	r.DB, err = db.Open(ctx, cfg.Database.URL.Reveal(), db.Options{
		SystemURL: cfg.Database.SystemURL.Reveal(),
		MaxConns:  int32(cfg.Database.MaxConnections), //nolint:gosec // at most 1000
	})
	if err != nil {
		return nil, err
	}
	sealer.Bind(r.DB)
	defer func() {
		if err != nil {
			r.Close()
		}
	}()
	r.Cache, err = cache.New(cache.Options{
		URL: cfg.Redis.URL.Reveal(), Enabled: cfg.Profile.CacheEnabled, Logger: log,
		OpTimeout: cfg.Redis.Timeout(), ProfileTTL: cfg.Profile.CacheTTL(), DefinitionsTTL: cfg.Profile.DefinitionsTTL(),
		FlushPending: func(ctx context.Context) error {
			_, err := r.Steps.Caches.FlushPending(ctx)
			return err
		},
	})
	if err != nil {
		return nil, err
	}
	if err := r.Cache.CheckServer(ctx); err != nil {
		return nil, err
	}
	r.Trigger = trigger.New(trigger.Options{
		DB: r.DB, Sealer: sealer, Engine: engine, Log: log, MaxPushes: cfg.Jobs.Hatchet.MaxPushes,
	})
	r.Metrics = metrics.New(metrics.Sources{Cache: r.Cache, Model: r.ModelUsage, Dependencies: r.Dependencies()})
	r.reads = audit.NewWriter(audit.Options{Store: r.DB, Log: log})
	r.Query = query.New(r.DB, r.Cache, sealer, query.OnChain(r.Metrics.ChainRead), query.AuditReads(r.reads),
		query.Embeds(once.Budgeted{
			Model: model, DB: r.DB, Limits: settings(cfg).Model, Now: time.Now, Log: log, Observer: r.Metrics,
		}))
	deps := steps.Deps{
		DB: r.DB, Sealer: sealer, Cache: r.Cache, Model: model, Enqueuer: r.Trigger, Settings: settings(cfg), Log: log,
		Observer: r.Metrics, Feed: r.Query,
	}
	if url := cfg.Jobs.Hatchet.CleanDatabaseURL; url != "" {
		deps.Engine = enginedb.Cleaner{URL: url.Reveal()}
	}
	r.Steps = steps.New(deps)
	return r, nil
}

// Close waits for the pushes in progress and closes all connections.
func (r *Runtime) Close() {
	if r.Trigger != nil {
		r.Trigger.Close()
	}
	if r.reads != nil {
		r.reads.Close() // what was read is stored before the database is closed
	}
	r.Cache.Close()
	r.DB.Close()
}

// EngineDependency is the name of the workflow engine in Dependencies.
const EngineDependency = "engine"

// Dependencies lists the external services of the process. Only the database is required. A process that cannot work
// without another one marks it as required itself.
func (r *Runtime) Dependencies() []telemetry.Dependency {
	all := []telemetry.Dependency{
		{Name: "database", Required: true, Check: r.DB.Ping},
		{Name: "redis", Check: r.Cache.Ping},
	}
	if hatchet := r.Config.Jobs.Hatchet; hatchet.Token != "" {
		all = append(all, telemetry.Dependency{Name: EngineDependency, Check: telemetry.Dial(hatchet.HostPort())})
	}
	return all
}

func settings(cfg config.Config) once.Settings {
	return once.Settings{
		Mode:              cfg.Profile.ValidationMode,
		UseThreshold:      cfg.GapFill.UseThreshold,
		ConfirmThreshold:  cfg.GapFill.ConfirmThreshold,
		MatchThreshold:    cfg.Extraction.MatchThreshold,
		ConversationBytes: cfg.GapFill.ConversationBytes,
		QuietAfter:        time.Duration(cfg.GapFill.QuietAfterSeconds) * time.Second,
		TimeZone:          cfg.GapFill.Location(),
		Model: once.ModelLimits{
			DailyTokens:     int64(cfg.LLM.DailyBudgetTokens),
			PromptPrice:     cfg.LLM.PromptPricePerMillion,
			CompletionPrice: cfg.LLM.CompletionPricePerMillion,
		},
		SweepBatch:      cfg.Sweeps.BatchSize,
		TenantKeyLife:   cfg.Sweeps.TenantKeyLife(),
		RetainSucceeded: cfg.Operations.Retention(),
		RetainFailed:    cfg.Operations.FailedRetention(),
		RetainEvents:    cfg.Events.Retention(),
		PrivateWebhooks: cfg.Events.WebhookPrivateAddresses,
		PurgeAfter:      cfg.Erasure.PurgeAfter(),
		ExportFor:       cfg.Erasure.ExportFor(),
	}
}
