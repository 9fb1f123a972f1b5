package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/contextvault/contextvault/api"
	"github.com/contextvault/contextvault/cmd/internal/cli"
	"github.com/contextvault/contextvault/config"
	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/internal/app"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// trustFile is the file of the results.
const trustFile = "benchmarks/trust.json"

// overhead compares the same work with and without something, in one run: the medians of the rounds.
type overhead struct {
	Name       string  `json:"name"`
	Repeats    int     `json:"repeats"` // of each, in all rounds
	With       float64 `json:"p50_ms"`
	Without    float64 `json:"without_p50_ms"`
	Ratio      float64 `json:"ratio_p50"`
	TargetOver float64 `json:"target_ratio,omitempty"` // 0: none
}

const (
	trustRounds = 5
	trustTarget = 1.05
)

func benchTrustCommand() *cobra.Command {
	return &cobra.Command{
		Use: "bench-trust", Args: cobra.NoArgs,
		Short: "measure what the audit and sealing cost; writes " + trustFile,
		Long: "Measure a write (accepted, validated, stored, acknowledged, without the engine) and a read of PII " +
			"through the\n" +
			"cache, with and without the audit, and of a sealed and a plain field. For the measurement without the audit, a\n" +
			"trigger of this command drops its entries, in sessions of this command alone. It needs a database of its own.",
		RunE: func(cmd *cobra.Command, _ []string) error { return benchTrust(cmd.Context()) },
	}
}

// trustBench is a vault without an engine, and the same one with sessions that store no entry of the audit.
type trustBench struct {
	audited, bare *app.Runtime
	unrecorded    *query.Queries // reads without the audit
	tenant, agent uuid.UUID
	sealed, plain uuid.UUID

	// The API with and without the audit of reads.
	client           *http.Client
	key              string
	served, unserved string
}

// dropEntries makes sessions with bench.audit = off store no entries.
const dropEntries = `
CREATE OR REPLACE FUNCTION bench_drop() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE OR REPLACE TRIGGER bench_drop BEFORE INSERT ON audit_entries
    FOR EACH ROW WHEN (current_setting('bench.audit', true) = 'off') EXECUTE FUNCTION bench_drop()`

func benchTrust(ctx context.Context) (err error) {
	cfg, err := loadConfig(os.Environ())
	if err != nil {
		return err
	}
	cfg.API.RateLimitPerSecond = 0
	drop, err := ownDatabase(ctx, &cfg, "bench_trust")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, drop(context.WithoutCancel(ctx))) }()
	admin, err := pgx.Connect(ctx, cfg.Database.OwnerURL().Reveal())
	if err != nil {
		return fmt.Errorf("bench-trust: %w", err)
	}
	defer func() { _ = admin.Close(context.WithoutCancel(ctx)) }()
	if _, err := admin.Exec(ctx, dropEntries); err != nil {
		return fmt.Errorf("bench-trust: %w", err)
	}
	b, err := newTrustBench(ctx, cfg)
	if err != nil {
		return err
	}
	defer b.audited.Close()
	defer b.bare.Close()
	if err := b.check(ctx, admin); err != nil {
		return fmt.Errorf("bench-trust: %w", err)
	}
	results, err := b.measure(ctx)
	if err != nil {
		return err
	}
	out := struct {
		Go       string     `json:"go"`
		CPUs     int        `json:"cpus"`
		LoadedBy float64    `json:"load_average_at_start"`
		Results  []overhead `json:"results"`
	}{runtime.Version(), runtime.NumCPU(), loadAverage(), results}
	for _, o := range results {
		fmt.Printf("%-40s %7.3f ms, without %7.3f ms: %.3f\n", o.Name, o.With, o.Without, o.Ratio)
	}
	return writeJSON(trustFile, out)
}

// withoutAudit is the configuration of sessions that store no entry.
func withoutAudit(cfg config.Config) (config.Config, error) {
	for _, address := range []*config.URL{&cfg.Database.URL, &cfg.Database.SystemURL} {
		if *address == "" {
			continue
		}
		u, err := url.Parse(address.Reveal())
		if err != nil {
			return cfg, fmt.Errorf("bench-trust: the address of the database is not a URL: %w", err)
		}
		values := u.Query()
		values.Set("options", "-c bench.audit=off")
		u.RawQuery = values.Encode()
		*address = config.URL(u.String())
	}
	return cfg, nil
}

func newTrustBench(ctx context.Context, cfg config.Config) (*trustBench, error) {
	id := func() uuid.UUID { return uuid.Must(uuid.NewV7()) }
	b := &trustBench{tenant: id(), agent: id(), sealed: id(), plain: id()}
	bare, err := withoutAudit(cfg)
	if err != nil {
		return nil, err
	}
	if b.audited, err = app.ConnectTo(ctx, cfg, nil, quietLog()); err != nil {
		return nil, err
	}
	if b.bare, err = app.ConnectTo(ctx, bare, nil, quietLog()); err != nil {
		return nil, err
	}
	sealer, err := db.NewSealer(cfg.SealingKey.Reveal())
	if err != nil {
		return nil, err
	}
	b.unrecorded = query.New(b.audited.DB, b.audited.Cache, sealer.Bind(b.audited.DB))
	if _, err := b.audited.DB.System().CreateTenant(ctx, b.tenant, "bench-trust"); err != nil {
		return nil, err
	}
	for name, sealed := range map[string]bool{"email": false, "tax_id": true} {
		r, err := trigger.Submit(ctx, b.audited.Trigger, b.tenant, vault.SaveDefinition, vault.Definition{
			AgentID: b.agent, Name: name, ValueType: vault.TypeString, Enabled: true, IsPII: true, EncryptionRequired: sealed,
		})
		if err == nil {
			_, err = b.audited.Steps.Definitions.PersistDefinition(ctx, vault.Event{OperationID: r.ID, TenantID: b.tenant})
		}
		if err == nil {
			err = b.acknowledge(ctx, b.audited, r)
		}
		if err != nil {
			return nil, err
		}
	}
	if err := b.write(ctx, b.audited, b.sealed, "tax_id"); err != nil {
		return nil, err
	}
	if err := b.write(ctx, b.audited, b.plain, "email"); err != nil {
		return nil, err
	}
	return b, b.serve(ctx)
}

// serve serves the API twice: with the audit of reads, and without it.
func (b *trustBench) serve(ctx context.Context) error {
	b.key, b.client = api.NewKey(), &http.Client{}
	err := b.audited.DB.System().CreateAPIKey(ctx, dbgen.CreateAPIKeyParams{
		ID: uuid.Must(uuid.NewV7()), TenantID: b.tenant, Name: "bench", KeyHash: api.HashKey(b.key),
		Scopes: []string{string(api.ScopeRead)},
	})
	if err != nil {
		return err
	}
	unrecorded := *b.bare // it has metrics of its own
	unrecorded.Query = b.unrecorded
	for runtime, address := range map[*app.Runtime]*string{b.audited: &b.served, &unrecorded: &b.unserved} {
		var lc net.ListenConfig
		listener, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		*address = "http://" + listener.Addr().String()
		go func() { _ = cli.Serve(ctx, runtime, listener) }() // it ends with the process
	}
	return nil
}

// get reads a profile over HTTP.
func (b *trustBench) get(ctx context.Context, server string, customer uuid.UUID) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, server+"/v1/customers/"+customer.String(), nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+b.key)
	res, err := b.client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("a read is answered with %d", res.StatusCode)
	}
	return nil
}

// check returns an error if the comparison would compare nothing.
func (b *trustBench) check(ctx context.Context, admin *pgx.Conn) error {
	for r, grows := range map[*app.Runtime]bool{b.audited: true, b.bare: false} {
		var before, after int
		const count = "SELECT count(*) FROM audit_entries"
		if err := admin.QueryRow(ctx, count).Scan(&before); err != nil {
			return err
		}
		if err := b.write(ctx, r, uuid.Must(uuid.NewV7()), "email"); err != nil {
			return err
		}
		if err := admin.QueryRow(ctx, count).Scan(&after); err != nil {
			return err
		}
		if (after > before) != grows {
			return fmt.Errorf("a write added %d entries to the audit", after-before)
		}
	}
	return nil
}

func (b *trustBench) acknowledge(ctx context.Context, r *app.Runtime, of trigger.Receipt) error {
	_, err := r.Steps.Caches.InvalidateAndAcknowledge(ctx, vault.BatchOf(vault.Event{
		OperationID: of.ID, TenantID: b.tenant,
	}))
	return err
}

// write accepts a write and runs its steps.
func (b *trustBench) write(ctx context.Context, r *app.Runtime, customer uuid.UUID, name string) error {
	op, err := trigger.Submit(ctx, r.Trigger, b.tenant, vault.WriteValue, vault.WriteValueInput{
		AgentID: b.agent, CustomerID: customer, Name: name, Value: text("ada.quill@example.com"),
		Source: vault.ValueUserProvided,
	})
	if err != nil {
		return err
	}
	ev := vault.Event{OperationID: op.ID, TenantID: b.tenant}
	if _, err := r.Steps.Values.ValidateValue(ctx, ev); err != nil {
		return err
	}
	if _, err := r.Steps.Values.PersistValue(ctx, ev); err != nil {
		return err
	}
	return b.acknowledge(ctx, r, op)
}

// read reads a profile through the cache, as a request does.
func (b *trustBench) read(ctx context.Context, q *query.Queries, customer uuid.UUID) error {
	ctx = vault.WithActor(query.WithAccess(ctx, vault.Access{Operation: "get-customer"}), vault.ActorProcess)
	if _, err := q.ProfileDocument(ctx, b.tenant, customer); err != nil {
		return err
	}
	return q.RecordReads(ctx)
}

func (b *trustBench) measure(ctx context.Context) ([]overhead, error) {
	// Each write is the first of a new customer, so that no history grows.
	write := func(r *app.Runtime, name string) func() error {
		return func() error { return b.write(ctx, r, uuid.Must(uuid.NewV7()), name) }
	}
	read := func(q *query.Queries, customer uuid.UUID) func() error {
		return func() error { return b.read(ctx, q, customer) }
	}
	var out []overhead
	for _, m := range []struct {
		name          string
		repeats       int
		target        float64
		with, without func() error
	}{
		{"audit of a write", 150, trustTarget, write(b.audited, "email"), write(b.bare, "email")},
		{
			"audit of a read of PII in the process", 2000, 0, read(b.audited.Query, b.plain), read(b.unrecorded, b.plain),
		},
		{
			"audit of a read of PII over HTTP", 600, trustTarget,
			func() error { return b.get(ctx, b.served, b.plain) }, func() error { return b.get(ctx, b.unserved, b.plain) },
		},
		{"sealing of a write", 150, 0, write(b.audited, "tax_id"), write(b.audited, "email")},
		{"sealing of a read of PII in the process", 2000, 0, read(b.audited.Query, b.sealed), read(b.audited.Query, b.plain)},
	} {
		with, without, err := alternate(m.repeats, m.with, m.without)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.name, err)
		}
		out = append(out, overhead{
			Name: m.name, Repeats: m.repeats * trustRounds, With: with, Without: without, Ratio: with / without,
			TargetOver: m.target,
		})
	}
	return out, nil
}

// alternate runs two functions in turn and returns the medians of the rounds' medians, in milliseconds. A first round
// is not counted.
func alternate(repeats int, with, without func() error) (a, b float64, err error) {
	var medians [2][]float64
	for round := range trustRounds + 1 {
		var times [2][]time.Duration
		for i := range 2 * repeats {
			which := (i + i/2) % 2 // with, without, without, with …
			run := with
			if which == 1 {
				run = without
			}
			start := time.Now()
			if err := run(); err != nil {
				return 0, 0, err
			}
			times[which] = append(times[which], time.Since(start))
		}
		if round == 0 {
			continue
		}
		for which := range times {
			p50, _ := percentiles(times[which])
			medians[which] = append(medians[which], p50)
		}
	}
	return median(medians[0]), median(medians[1]), nil
}
