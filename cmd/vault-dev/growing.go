package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"runtime"
	"text/tabwriter"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/contextvault/contextvault/config"
	"github.com/contextvault/contextvault/db"
)

// growingFile is the file of the results for docs/growing.md.
const growingFile = "benchmarks/growing.json"

// growth is the content of growingFile. Each list is ordered by size; ratios are relative to its first entry, from the
// same run. The times depend on the machine.
type growth struct {
	Go      string        `json:"go"`
	CPUs    int           `json:"cpus"`
	Workers []byWorkers   `json:"writes_by_worker_processes"`
	Least   int64         `json:"smallest_worker_peak_mib"` // of the SDK, with one empty step
	Reads   []byRows      `json:"profile_load_by_rows"`
	Sweeps  []byRows      `json:"expiry_of_1000_values_by_rows"`
	Idle    []byRows      `json:"sweep_with_nothing_stale_by_rows"`
	Counts  []byRows      `json:"count_by_status_by_rows"`
	Bytes   map[int]int64 `json:"bytes_of_customer_values_by_rows"`
}

// byRows is the cost of a function at a number of stored value versions.
type byRows struct {
	Rows  int     `json:"rows"`
	Times int     `json:"times"`
	P50   float64 `json:"p50_ms"`
	P99   float64 `json:"p99_ms"`
	Ratio float64 `json:"ratio_p50"` // to the first
}

func growingCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "bench-growing",
		Short: "measure the effect of more workers and more rows, in a new database; writes " + growingFile,
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return benchGrowing(cmd.Context()) },
	}
}

func benchGrowing(ctx context.Context) (err error) {
	cfg, err := loadConfig(os.Environ())
	if err != nil {
		return err
	}
	drop, err := ownDatabase(ctx, &cfg, "vault_bench_growing")
	if err != nil {
		return err
	}
	defer func() {
		if dropErr := drop(context.WithoutCancel(ctx)); err == nil {
			err = dropErr
		}
	}()
	out := growth{Go: runtime.Version(), CPUs: runtime.NumCPU()}
	if err := growRows(ctx, cfg, &out); err != nil {
		return err
	}
	if out.Workers, out.Least, err = growWorkers(ctx, cfg); err != nil {
		return err
	}
	return out.print()
}

// adminEnv is the variable with the login of the server's administrator, who creates the databases of measurements.
const adminEnv = "ADMIN_DATABASE_URL"

// adminURL returns the address of the vault's database with the login of the administrator, or of the owner if none is
// set.
func adminURL(cfg config.Config) string {
	return cmp.Or(os.Getenv(adminEnv), cfg.Database.OwnerURL().Reveal())
}

// ownDatabase creates a migrated database on the configured server, and sets it in cfg with the logins of cfg. The
// administrator owns it.
func ownDatabase(ctx context.Context, cfg *config.Config, name string) (drop func(context.Context) error, err error) {
	_, drop, err = emptyDatabase(ctx, adminURL(*cfg), name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", adminEnv, err)
	}
	own, err := useDatabase(cfg, name)
	if err != nil {
		return nil, err
	}
	return drop, db.Migrate(ctx, own)
}

// useDatabase makes the configuration use a database of the server of adminURL, and returns the URL of its owner.
func useDatabase(cfg *config.Config, name string) (own string, err error) {
	u, err := url.Parse(adminURL(*cfg))
	if err != nil {
		return "", err
	}
	u.Path = "/" + name
	own = u.String()
	for _, address := range []*config.URL{&cfg.Database.URL, &cfg.Database.SystemURL} {
		u, err := url.Parse(address.Reveal())
		if err != nil || *address == "" {
			continue
		}
		u.Path = "/" + name
		*address = config.URL(u.String())
	}
	cfg.Database.MigrateURL = config.URL(own)
	return own, nil
}

// emptyDatabase creates an empty database on a server, and returns its URL.
func emptyDatabase(ctx context.Context, server, name string) (own string, drop func(context.Context) error, err error) {
	u, err := url.Parse(server)
	if err != nil {
		return "", nil, err
	}
	u.Path = "/" + name
	exec := func(ctx context.Context, statement string) error {
		conn, err := pgx.Connect(ctx, server)
		if err != nil {
			return err
		}
		defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
		_, err = conn.Exec(ctx, statement)
		return err
	}
	drop = func(ctx context.Context) error { return exec(ctx, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)") }
	if err := drop(ctx); err != nil {
		return "", nil, err
	}
	return u.String(), drop, exec(ctx, "CREATE DATABASE "+name)
}

func quietLog() *slog.Logger {
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
}

func (g growth) print() error {
	if err := writeJSON(growingFile, g); err != nil {
		return err
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)
	_, _ = fmt.Fprintln(
		w,
		"WORKERS\tWRITES/S\tRATIO\tCONNECTIONS EACH\tCPU OF WORKERS, ms/WRITE\tCPU OF ENGINE AND LOAD, ms/WRITE\tPEAK, MiB",
	)
	for _, r := range g.Workers {
		_, _ = fmt.Fprintf(
			w,
			"%d\t%.1f\t%.2f\t%d\t%.1f\t%.1f\t%d\n",
			r.Workers,
			r.PerSecond,
			r.Ratio,
			r.Connections,
			r.WorkerCPU,
			r.EngineCPU,
			r.Peak,
		)
	}
	_, _ = fmt.Fprintf(w, "smallest worker of the SDK: %d MiB\n", g.Least)
	for _, list := range []struct {
		name string
		rows []byRows
	}{
		{"profile load, no cache", g.Reads},
		{"expiry of 1,000 values", g.Sweeps},
		{"sweep with nothing stale", g.Idle},
		{"count by status", g.Counts},
	} {
		_, _ = fmt.Fprintf(w, "\n%s\nROWS\tP50 ms\tP99 ms\tRATIO\n", list.name)
		for _, r := range list.rows {
			_, _ = fmt.Fprintf(w, "%d\t%.3f\t%.3f\t%.2f\n", r.Rows, r.P50, r.P99, r.Ratio)
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Printf("written to %s\n", growingFile)
	return plotAll()
}
