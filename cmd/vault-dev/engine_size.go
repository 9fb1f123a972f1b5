package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/contextvault/contextvault/internal/enginedb"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// engineSizeFile is the file of the results for docs/growing.md.
const engineSizeFile = "benchmarks/engine.json"

const (
	sizedWarmUp      = 50 // writes before the first measurement: a table begins with several pages
	sizedConcurrency = 16
	settleEvery      = 3 * time.Second
	settleTimes      = 40
)

// engineSize is the content of engineSizeFile: how the engine's database grows, tables with their indexes.
type engineSize struct {
	Writes  int   `json:"writes"`
	Dropped int64 `json:"bytes_per_write_dropped_after_the_retention"`
	Left    int64 `json:"bytes_per_write_never_removed"`
	// Reused is the space of rows that the engine deletes at once, such as those of its queues. Vacuum makes it usable
	// again, so it does not grow with the number of writes for long.
	Reused   int64            `json:"bytes_per_write_reused"`
	PerTable map[string]int64 `json:"bytes_per_write_by_table"`

	kinds map[string]string // by table
}

func engineSizeCommand() *cobra.Command {
	var writes int
	c := &cobra.Command{
		Use:   "bench-engine",
		Short: "measure the growth of the engine's database per write, in new databases; writes " + engineSizeFile,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if writes < 1 {
				return errors.New("--writes must be at least 1")
			}
			out, err := benchEngine(cmd.Context(), writes)
			if err != nil {
				return err
			}
			return out.print()
		},
	}
	c.Flags().IntVar(&writes, "writes", 1000, "number of single writes")
	return c
}

func benchEngine(ctx context.Context, writes int) (out engineSize, err error) {
	cfg, err := loadConfig(os.Environ())
	if err != nil {
		return out, err
	}
	server := os.Getenv(engineDatabaseEnv)
	if server == "" {
		return out, errors.New(engineDatabaseEnv +
			" is not set: it must name a PostgreSQL server; `make bench-engine` sets it")
	}
	own, dropEngine, err := emptyDatabase(ctx, server, "hatchet_bench_engine")
	if err != nil {
		return out, fmt.Errorf("%s: %w", engineDatabaseEnv, err)
	}
	defer func() { err = errors.Join(err, dropEngine(context.WithoutCancel(ctx))) }()
	drop, err := ownDatabase(ctx, &cfg, "vault_bench_growing")
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, drop(context.WithoutCancel(ctx))) }()
	keys, err := os.MkdirTemp("", "hatchet")
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(keys)) }()
	cfg.Jobs.Hatchet.CleanDatabaseURL = ""
	engine, err := startOwnEngine(own, keys)
	if err != nil {
		return out, err
	}
	s, err := start(ctx, cfg, engine, quietLog())
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	conn, err := pgx.Connect(ctx, own)
	if err != nil {
		return out, err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	return s.growth(ctx, conn, writes)
}

// growth measures what single writes add to the engine's database.
func (s *system) growth(ctx context.Context, conn *pgx.Conn, writes int) (engineSize, error) {
	out := engineSize{Writes: writes, PerTable: map[string]int64{}, kinds: map[string]string{}}
	if err := s.writeValues(ctx, sizedWarmUp); err != nil {
		return out, err
	}
	before, err := settled(ctx, conn)
	if err != nil {
		return out, err
	}
	if err := s.writeValues(ctx, writes); err != nil {
		return out, err
	}
	after, err := settled(ctx, conn)
	if err != nil {
		return out, err
	}
	for table, size := range after {
		each := (size.Bytes - before[table].Bytes) / int64(writes)
		if each == 0 {
			continue
		}
		out.PerTable[table] = each
		switch {
		case size.Partitioned:
			out.Dropped += each
			out.kinds[table] = "dropped after the retention"
		case enginedb.Cleans(table):
			out.Left += each
			out.kinds[table] = "never removed"
		default:
			out.Reused += each
			out.kinds[table] = "deleted at once, space reused"
		}
	}
	return out, nil
}

// writeValues writes values of a new tenant and waits until all of them are acknowledged.
func (s *system) writeValues(ctx context.Context, n int) error {
	tenant, agent := uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7())
	if _, err := s.DB.System().CreateTenant(ctx, tenant, "bench"); err != nil {
		return err
	}
	defined, err := trigger.Submit(ctx, s.Trigger, tenant, vault.SaveDefinition, vault.Definition{
		AgentID: agent, Name: "plan", ValueType: vault.TypeString, Enabled: true,
	})
	if err != nil {
		return err
	}
	if _, err := defined.Wait(ctx); err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(sizedConcurrency)
	for range n {
		g.Go(func() error {
			r, err := trigger.Submit(ctx, s.Trigger, tenant, vault.WriteValue, vault.WriteValueInput{
				AgentID: agent, CustomerID: uuid.Must(uuid.NewV7()), Name: "plan", Value: json.RawMessage(`"gold"`),
				Source: vault.ValueUserProvided,
			})
			if err != nil {
				return err
			}
			_, err = r.Wait(ctx)
			return err
		})
	}
	return g.Wait()
}

// settled returns the sizes of the tables once they no longer grow: the engine writes some of them later.
func settled(ctx context.Context, conn *pgx.Conn) (map[string]enginedb.Size, error) {
	var last map[string]enginedb.Size
	for range settleTimes {
		sizes, err := enginedb.Sizes(ctx, conn)
		if err != nil || maps.Equal(sizes, last) {
			return sizes, err
		}
		last = sizes
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(settleEvery):
		}
	}
	return last, nil // the tables of workers and leases change all the time
}

func (e engineSize) print() error {
	encoded, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(engineSizeFile, append(encoded, '\n'), 0o644); err != nil { //nolint:gosec // public results
		return err
	}
	tables := slices.Collect(maps.Keys(e.PerTable))
	slices.SortFunc(tables, func(a, b string) int { return cmp.Compare(e.PerTable[b], e.PerTable[a]) })
	w := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "TABLE\tBYTES/WRITE\tROWS")
	for _, table := range tables {
		_, _ = fmt.Fprintf(w, "%s\t%d\t%s\n", table, e.PerTable[table], e.kinds[table])
	}
	_, _ = fmt.Fprintf(w, "all\t%d\tdropped after the retention\n\t%d\tnever removed\n\t%d\treused\n",
		e.Dropped, e.Left, e.Reused)
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Printf("written to %s\n", engineSizeFile)
	return nil
}
