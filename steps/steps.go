package steps

import (
	"log/slog"
	"time"

	"github.com/contextvault/contextvault/cache"
	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/llm"
)

// Deps is what steps work with.
type Deps struct {
	DB       *db.DB
	Sealer   *db.Sealer
	Cache    *cache.Cache
	Model    llm.Model
	Enqueuer Enqueuer
	Settings Settings
	Log      *slog.Logger
	Observer Observer         // nil: nobody is told
	Now      func() time.Time // nil: time.Now
}

// Steps is every step, by concern.
type Steps struct {
	Values      Values
	Assets      Assets
	Items       Items
	Imports     Imports
	Customers   Customers
	Merges      Merges
	Sessions    Sessions
	Definitions Definitions
	Scenarios   Scenarios
	Extraction  Extraction
	Gaps        Gaps
	Answers     Answers
	Sweeps      Sweeps
	Caches      Caches
	Operations  Operations
}

// New builds the steps, once per process.
func New(d Deps) Steps {
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Observer == nil {
		d.Observer = unobserved{}
	}
	once := Runner{db: d.DB, sealer: d.Sealer}
	values := Values{once: once, mode: d.Settings.Mode, now: d.Now, observer: d.Observer}
	caches := Caches{db: d.DB, cache: d.Cache, log: d.Log}
	model := budgeted{Model: d.Model, db: d.DB, limits: d.Settings.Model, now: d.Now, log: d.Log, observer: d.Observer}
	return Steps{
		Values:      values,
		Assets:      Assets{once: once, now: d.Now},
		Items:       Items{once: once, now: d.Now},
		Imports:     Imports{values: values},
		Customers:   Customers{once: once},
		Merges:      Merges{once: once, now: d.Now},
		Sessions:    Sessions{once: once},
		Definitions: Definitions{once: once, model: model, log: d.Log},
		Scenarios:   Scenarios{once: once, enqueuer: d.Enqueuer},
		Extraction:  Extraction{once: once, model: model, matchThreshold: d.Settings.MatchThreshold, log: d.Log},
		Gaps:        Gaps{once: once, model: model, settings: d.Settings, enqueuer: d.Enqueuer, now: d.Now, log: d.Log, observer: d.Observer},
		Answers:     Answers{once: once, values: values, enqueuer: d.Enqueuer},
		Sweeps:      Sweeps{once: once, batch: int32(d.Settings.SweepBatch), now: d.Now}, //nolint:gosec // bounded by the configuration
		Caches:      caches,
		Operations:  Operations{db: d.DB, enqueuer: d.Enqueuer, caches: caches, settings: d.Settings, now: d.Now},
	}
}
