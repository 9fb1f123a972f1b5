package steps

import (
	"log/slog"
	"time"

	"github.com/contextvault/contextvault/cache"
	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/llm/offline"
	"github.com/contextvault/contextvault/steps/customers"
	"github.com/contextvault/contextvault/steps/erasure"
	"github.com/contextvault/contextvault/steps/gapfill"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/steps/schema"
	"github.com/contextvault/contextvault/steps/upkeep"
	"github.com/contextvault/contextvault/steps/webhooks"
)

// Deps holds the dependencies of the steps.
type Deps struct {
	DB       *db.DB
	Sealer   *db.Sealer
	Cache    *cache.Cache
	Model    llm.Model
	Enqueuer once.Enqueuer
	Settings once.Settings
	Log      *slog.Logger
	Observer once.Observer    // nil: nothing is observed
	Now      func() time.Time // nil: time.Now
	// Engine cleans the workflow engine's database. nil: it is left alone.
	Engine upkeep.EngineCleaner
	// Feed reads the events that webhooks deliver.
	Feed webhooks.Feed
}

// Steps holds every step, grouped by subject.
type Steps struct {
	Values        customers.Values
	Assets        customers.Assets
	Items         customers.Items
	Imports       customers.Imports
	Customers     customers.Customers
	Merges        customers.Merges
	Sessions      gapfill.Sessions
	Definitions   schema.Definitions
	Scenarios     schema.Scenarios
	Extraction    schema.Extraction
	Configuration schema.Configuration
	Gaps          gapfill.Gaps
	Conversations gapfill.Conversations
	Answers       gapfill.Answers
	Turns         gapfill.Turns
	Sweeps        upkeep.Sweeps
	Caches        upkeep.Caches
	Operations    upkeep.Operations
	Audit         upkeep.Audit
	Keys          upkeep.Keys
	APIKeys       upkeep.APIKeys
	Erasure       erasure.Erasure
	Exports       erasure.Exports
	Retention     erasure.Sweeps
	Webhooks      webhooks.Webhooks
}

// New builds the steps, once per process.
func New(d Deps) Steps {
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Observer == nil {
		d.Observer = once.NopObserver{}
	}
	runner := once.Runner{DB: d.DB, Sealer: d.Sealer, Enqueuer: d.Enqueuer}
	values := customers.Values{Once: runner, Mode: d.Settings.Mode, Now: d.Now, Observer: d.Observer}
	caches := upkeep.Caches{Once: runner, Cache: d.Cache, Enqueuer: d.Enqueuer, Log: d.Log}
	model := once.Budgeted{
		Model: d.Model, DB: d.DB, Limits: d.Settings.Model, Now: d.Now, Log: d.Log, Observer: d.Observer,
	}
	gaps := gapfill.Gaps{
		Once: runner, Model: model, Settings: d.Settings, Enqueuer: d.Enqueuer, Now: d.Now, Log: d.Log, Observer: d.Observer,
	}
	sessions := gapfill.Sessions{Once: runner, QuietAfter: d.Settings.QuietAfter}
	conversations := gapfill.Conversations{Gaps: gaps}
	answers := gapfill.Answers{
		Once: runner, Values: values, Gaps: gaps, Model: model, BuiltIn: offline.Builtin(), Settings: d.Settings,
		Now: d.Now, Log: d.Log,
	}
	return Steps{
		Values:      values,
		Assets:      customers.Assets{Once: runner, Now: d.Now},
		Items:       customers.Items{Once: runner, Now: d.Now},
		Imports:     customers.Imports{Values: values},
		Customers:   customers.Customers{Once: runner, Now: d.Now, PurgeAfter: d.Settings.PurgeAfter},
		Merges:      customers.Merges{Once: runner, Now: d.Now, Log: d.Log},
		Sessions:    sessions,
		Definitions: schema.Definitions{Once: runner},
		Scenarios:   schema.Scenarios{Once: runner, Enqueuer: d.Enqueuer},
		Configuration: schema.Configuration{
			Definitions: schema.Definitions{Once: runner}, Scenarios: schema.Scenarios{Once: runner},
		},
		Extraction: schema.Extraction{
			Once: runner, Model: model, BuiltIn: offline.Builtin(), MatchThreshold: d.Settings.MatchThreshold, Log: d.Log,
		},
		Gaps:          gaps,
		Conversations: conversations,
		Answers:       answers,
		Turns:         gapfill.Turns{Sessions: sessions, Conversations: conversations, Answers: answers},
		//nolint:gosec // bounded by the configuration
		Sweeps: upkeep.Sweeps{Once: runner, Batch: int32(d.Settings.SweepBatch), Now: d.Now},
		Audit:  upkeep.Audit{Once: runner, Log: d.Log},
		//nolint:gosec // as above
		Keys: upkeep.Keys{
			DB: d.DB, Sealer: d.Sealer, Caches: caches, Batch: int32(d.Settings.SweepBatch),
			TenantKeyLife: d.Settings.TenantKeyLife, Now: d.Now,
		},
		APIKeys: upkeep.APIKeys{Once: runner},
		Retention: erasure.Sweeps{
			Once: runner, Enqueuer: d.Enqueuer, Batch: int32(d.Settings.SweepBatch), Now: d.Now, Log: d.Log,
		},
		Erasure: erasure.Erasure{Once: runner, Cache: d.Cache, Caches: caches, Now: d.Now},
		Webhooks: webhooks.New(webhooks.Webhooks{
			Once: runner, Feed: d.Feed, Private: d.Settings.PrivateWebhooks, Now: d.Now, Log: d.Log,
		}),
		Exports: erasure.Exports{Once: runner, Now: d.Now, For: d.Settings.ExportFor},
		Caches:  caches,
		Operations: upkeep.Operations{
			DB: d.DB, Enqueuer: d.Enqueuer, Caches: caches, Settings: d.Settings, Engine: d.Engine, Now: d.Now,
		},
	}
}
