package main

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"time"

	"github.com/google/uuid"
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/contextvault/contextvault/cache"
	"github.com/contextvault/contextvault/config"
	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

const (
	profileFields = 20
	chainLength   = 10
	reads         = 2000
	runs          = 40
	imports       = 10 // of vault.MaxImport values
)

// benchmarks holds a customer with a full profile, and the connections of the ceilings.
type benchmarks struct {
	*system
	effort                           effort
	tenant, agent, customer, derived uuid.UUID

	raw      *pgxpool.Pool // as the login role, without row-level security
	redis    *redis.Client
	uncached *query.Queries
	empty    map[int]emptyWorkflow // by number of steps
	stop     func() error
	web      web
	email    vault.Definition
}

// emptyWorkflow is a workflow whose steps do nothing.
type emptyWorkflow struct {
	event string
	done  chan struct{}
}

func newBenchmarks(ctx context.Context, s *system, cfg config.Config, e effort) (*benchmarks, error) {
	id := func() uuid.UUID { return uuid.Must(uuid.NewV7()) }
	b := &benchmarks{
		system: s, effort: e, tenant: id(), agent: id(), customer: id(), empty: map[int]emptyWorkflow{},
		email: vault.Definition{
			Name: "email", ValueType: vault.TypeEmail, Enabled: true,
			ValidationRegex: `^[a-zA-Z0-9_.+-]+@[a-zA-Z0-9-]+\.[a-zA-Z0-9-.]+$`,
		},
	}
	var err error
	if b.raw, err = pgxpool.New(ctx, adminURL(cfg)); err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	opts, err := redis.ParseURL(cfg.Redis.URL.Reveal())
	if err != nil {
		return nil, fmt.Errorf("bench: REDIS_URL: %w", err)
	}
	b.redis = redis.NewClient(opts)
	sealer, err := db.NewSealer(cfg.SealingKey.Reveal())
	if err != nil {
		return nil, err
	}
	b.uncached = query.New(s.DB, nil, sealer.Bind(s.DB))
	if err := b.emptyWorkflows(3, 5); err != nil {
		return nil, err
	}
	if err := b.fill(ctx); err != nil {
		return nil, err
	}
	return b, b.serveHTTP(ctx)
}

func (b *benchmarks) close() {
	b.stopHTTP()
	_ = b.stop()
	b.raw.Close()
	_ = b.redis.Close()
}

// emptyWorkflows registers a workflow of steps that do nothing, for each of the lengths.
func (b *benchmarks) emptyWorkflows(lengths ...int) error {
	var all []hatchet.WorkflowBase
	for _, n := range lengths {
		e := emptyWorkflow{event: fmt.Sprintf("bench:empty-%d", n), done: make(chan struct{}, 1)}
		w := b.engine.NewWorkflow(fmt.Sprintf("bench-empty-%d", n), hatchet.WithWorkflowEvents(e.event))
		var before []*hatchet.Task
		for i := range n {
			last := i == n-1
			task := w.NewTask(fmt.Sprintf("step-%d", i), func(hatchet.Context, vault.Event) (struct{}, error) {
				if last {
					e.done <- struct{}{}
				}
				return struct{}{}, nil
			}, hatchet.WithParents(before...))
			before = []*hatchet.Task{task}
		}
		b.empty[n] = e
		all = append(all, w)
	}
	quiet := zerolog.Nop()
	w, err := b.engine.NewWorker("bench", hatchet.WithWorkflows(all...), hatchet.WithLogger(&quiet))
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	b.stop, err = w.Start()
	return err
}

// runEmpty pushes the event of an empty workflow and waits until its last step runs.
func (b *benchmarks) runEmpty(ctx context.Context, steps int) error {
	e := b.empty[steps]
	if err := b.engine.Events().Push(ctx, e.event, vault.Batch{}); err != nil {
		return err
	}
	select {
	case <-e.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Minute):
		return fmt.Errorf("an empty workflow of %d steps did not end within a minute", steps)
	}
}

// fill creates a profile of profileFields values. The first chainLength of them form a chain.
func (b *benchmarks) fill(ctx context.Context) error {
	if err := b.defineEmail(ctx, b.tenant); err != nil {
		return err
	}
	var source *uuid.UUID
	in := vault.ImportValuesInput{}
	for i := range profileFields {
		d := vault.Definition{
			AgentID:   b.agent,
			Name:      fieldName(i),
			ValueType: vault.TypeString,
			Enabled:   true,
		}
		r, err := trigger.Submit(ctx, b.Trigger, b.tenant, vault.SaveDefinition, d)
		if err != nil {
			return err
		}
		if _, err := r.Wait(ctx); err != nil {
			return err
		}
		id := uuid.Must(uuid.NewV7())
		w := vault.WriteValueInput{
			ItemID:     &id,
			AgentID:    b.agent,
			CustomerID: b.customer,
			Name:       d.Name,
			Value:      text("a value of some length, as people have"),
			Source:     vault.ValueUserProvided,
		}
		if i < chainLength {
			if source != nil {
				w.SourceItemID, w.SourceItemType = source, vault.SourceProfileField
			}
			source, b.derived = &id, id
		}
		in.Writes = append(in.Writes, w)
	}
	r, err := trigger.Submit(ctx, b.Trigger, b.tenant, vault.ImportValues, in)
	if err != nil {
		return err
	}
	_, err = r.Wait(ctx)
	return err
}

// defineEmail creates a tenant with the definition of email.
func (b *benchmarks) defineEmail(ctx context.Context, tenant uuid.UUID) error {
	if _, err := b.DB.System().CreateTenant(ctx, tenant, "bench"); err != nil {
		return err
	}
	def := b.email
	def.AgentID = b.agent
	r, err := trigger.Submit(ctx, b.Trigger, tenant, vault.SaveDefinition, def)
	if err != nil {
		return err
	}
	_, err = r.Wait(ctx)
	return err
}

func fieldName(i int) string { return fmt.Sprintf("field_%02d", i) }

func (b *benchmarks) warmLoad(ctx context.Context) (measured, error) {
	key := cache.ProfileKey(b.tenant, b.customer).String()
	return b.compare(measured{
		Name: "profile load, warm cache", Limit: 10, Ceiling: "raw Redis GET of the same bytes", Target: 1.5,
		Between: "a copy of the profile; for a version that this process has not decoded yet, decoding its JSON",
	}, reads, func() error {
		_, err := b.Query.Profile(ctx, b.tenant, b.customer)
		return err
	}, func() error { return b.redis.Get(ctx, key).Err() })
}

func (b *benchmarks) coldLoad(ctx context.Context) (measured, error) {
	const statement = `SELECT p.id, (
			SELECT json_agg(f) FROM customer_values f
			WHERE f.profile_id = p.id AND f.status = 'active' AND f.deleted_at IS NULL
		)
		FROM customer_profiles p WHERE p.tenant_id = $1 AND p.customer_id = $2`
	return b.compare(measured{
		Name: "profile load, no cache", Limit: 50, Ceiling: "one SQL statement by hand", Target: 1.3,
		Between: "row-level security, the tenant in the same round trip, assets, channels and consents, decoding",
	}, reads, func() error {
		_, err := b.uncached.Profile(ctx, b.tenant, b.customer)
		return err
	}, func() error {
		var id uuid.UUID
		var fields json.RawMessage
		return b.raw.QueryRow(ctx, statement, b.tenant, b.customer).Scan(&id, &fields)
	})
}

func (b *benchmarks) validation(context.Context) (measured, error) {
	re, value := regexp.MustCompile(b.email.ValidationRegex), text("ada.quill@example.com")
	return b.compare(measured{
		Name: "validation of a value", Limit: 5, Ceiling: "only its regular expression",
		Between: "JSON, the e-mail check of the validator, normalisation",
	}, 10*reads, func() error {
		_, err := rules.CheckValue(&b.email, "email", value, vault.ModeStrict)
		return err
	}, func() error {
		if !re.MatchString("ada.quill@example.com") {
			return fmt.Errorf("the regular expression does not match")
		}
		return nil
	})
}

func (b *benchmarks) chain(ctx context.Context) (measured, error) {
	const statement = `WITH RECURSIVE c AS (
			SELECT f.id, f.name, f.source_item_id FROM customer_values f WHERE f.id = $1
			UNION ALL SELECT f.id, f.name, f.source_item_id FROM c JOIN customer_values f ON f.id = c.source_item_id
		) SELECT id, name FROM c`
	return b.compare(measured{
		Name:    "chain of 10, no cache",
		Limit:   100,
		Ceiling: "one recursive SQL statement by hand",
		Target:  1.5,
		Between: "assets and values at each link, protection against cycles, row-level security, new query plans",
	}, reads/4, func() error {
		chain, err := b.uncached.Chain(ctx, b.tenant, b.derived, 0)
		if err == nil && len(chain.Links) != chainLength {
			err = fmt.Errorf("the chain has %d links, not %d", len(chain.Links), chainLength)
		}
		return err
	}, func() error {
		rows, err := b.raw.Query(ctx, statement, b.derived)
		if err != nil {
			return err
		}
		rows.Close()
		return rows.Err()
	})
}

func (b *benchmarks) write(ctx context.Context) (measured, error) {
	return b.compare(measured{
		Name: "validated write, accepted to acknowledged", Ceiling: "empty Hatchet workflow of 3 steps",
		Target:  1.15,
		Between: "the operation, three transactions, the invalidation in Redis",
	}, runs, func() error {
		r, err := trigger.Submit(ctx, b.Trigger, b.tenant, vault.WriteValue, vault.WriteValueInput{
			AgentID:    b.agent,
			CustomerID: b.customer,
			Name:       "email",
			Value:      text("ada.quill@example.com"),
			Source:     vault.ValueUserProvided,
		})
		if err != nil {
			return err
		}
		_, err = r.Wait(ctx)
		return err
	}, func() error { return b.runEmpty(ctx, 3) })
}

func (b *benchmarks) extraction(ctx context.Context) (measured, error) {
	scenario := vault.Scenario{
		ID:          uuid.Must(uuid.NewV7()),
		AgentID:     b.agent,
		Name:        "Bench",
		Description: "We need the customer's email address.",
	}
	r, err := trigger.Submit(ctx, b.Trigger, b.tenant, vault.SaveScenario, scenario)
	if err != nil {
		return measured{}, err
	}
	if _, err := r.Wait(ctx); err != nil {
		return measured{}, err
	}
	return b.compare(measured{
		Name: "extraction without model time", Ceiling: "empty Hatchet workflow of 5 steps",
		Between: "the operation, the engine's queue of one run at a time per scenario, five transactions",
	}, runs/2, func() error {
		r, err := trigger.Submit(
			ctx,
			b.Trigger,
			b.tenant,
			vault.ExtractSchema,
			vault.ExtractSchemaInput{AgentID: b.agent, ScenarioID: scenario.ID},
		)
		if err != nil {
			return err
		}
		_, err = r.Wait(ctx)
		return err
	}, func() error { return b.runEmpty(ctx, 5) })
}

func (b *benchmarks) importMany(ctx context.Context) (measured, error) {
	drop, err := b.copyTable(ctx)
	if err != nil {
		return measured{}, err
	}
	defer drop()
	rows := b.effort.of(imports) * vault.MaxImport
	return b.compare(measured{
		Name: fmt.Sprintf("import of %d values", rows), Ceiling: "pgx CopyFrom of the same rows", Target: 8,
		Between: "validation, sealing, locks, the place of each value in its history, indexes, one cache entry each",
	}, 3*max(1, 10/b.effort.of(10)), func() error { return b.importRows(ctx, rows) }, func() error {
		return b.copyRows(ctx, rows)
	})
}
