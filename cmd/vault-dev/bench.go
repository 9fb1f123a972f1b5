package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/contextvault/contextvault/vault"
)

// benchFile is the file of the results.
const benchFile = "benchmarks/profile.json"

// measured is the result of one benchmark and its ceiling, from the same run. The times depend on the machine, the
// ratio less so.
type measured struct {
	Name       string  `json:"name"`
	Count      int     `json:"count"`
	P50        float64 `json:"p50_ms"`
	P99        float64 `json:"p99_ms"`
	Limit      float64 `json:"limit_p99_ms,omitempty"` // of the quickstart; 0: none
	Ceiling    string  `json:"ceiling"`                // the same work without the vault
	CeilingP50 float64 `json:"ceiling_p50_ms"`
	CeilingP99 float64 `json:"ceiling_p99_ms"`
	Ratio      float64 `json:"ratio_p50"`
	Between    string  `json:"in_the_way"`
}

// report is the content of benchFile.
type report struct {
	Go      string     `json:"go"`
	CPUs    int        `json:"cpus"`
	Results []measured `json:"results"`
}

// bench measures the whole system and compares it with the cost of its parts.
func bench(ctx context.Context) error {
	cfg, err := loadConfig(os.Environ())
	if err != nil {
		return err
	}
	cfg.Profile.ValidationMode = vault.ModeStrict
	engine, err := startEngine(cfg)
	if err != nil {
		return err
	}
	s, err := start(
		ctx,
		cfg,
		engine,
		slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
	)
	if err != nil {
		return err
	}
	defer func() { _ = s.stop() }()
	b, err := newBenchmarks(ctx, s, cfg)
	if err != nil {
		return err
	}
	defer b.close()
	out := report{Go: runtime.Version(), CPUs: runtime.NumCPU()}
	for _, run := range []func(context.Context) (measured, error){
		b.warmLoad, b.coldLoad, b.validation, b.chain, b.write, b.extraction, b.importMany,
	} {
		m, err := run(ctx)
		if err != nil {
			return err
		}
		fmt.Fprintf(os.Stderr, "%s: done\n", m.Name)
		out.Results = append(out.Results, m)
	}
	return out.print()
}

func (r report) print() error {
	encoded, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(benchFile), 0o755); err != nil { //nolint:gosec // public results
		return err
	}
	if err := os.WriteFile(benchFile, append(encoded, '\n'), 0o644); err != nil { //nolint:gosec // as above
		return err
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "WHAT\tP50 ms\tP99 ms\tLIMIT\tCEILING\tP50 ms\tRATIO\tIN THE WAY")
	for _, m := range r.Results {
		limit := "-"
		if m.Limit > 0 {
			limit = fmt.Sprintf("%.0f", m.Limit)
		}
		_, _ = fmt.Fprintf(
			w,
			"%s\t%.4f\t%.4f\t%s\t%s\t%.4f\t%.1f\t%s\n",
			m.Name,
			m.P50,
			m.P99,
			limit,
			m.Ceiling,
			m.CeilingP50,
			m.Ratio,
			m.Between,
		)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Printf("written to %s\n", benchFile)
	return nil
}

// compare measures two functions in turn, so that the load of the machine affects both.
func compare(m measured, count int, fn, ceiling func() error) (measured, error) {
	for range max(1, count/20) { // warm up
		if err := fn(); err != nil {
			return m, fmt.Errorf("%s: %w", m.Name, err)
		}
		if err := ceiling(); err != nil {
			return m, fmt.Errorf("%s: ceiling: %w", m.Name, err)
		}
	}
	var times, ceilingTimes []time.Duration
	for range count {
		start := time.Now()
		if err := fn(); err != nil {
			return m, fmt.Errorf("%s: %w", m.Name, err)
		}
		times = append(times, time.Since(start))
		start = time.Now()
		if err := ceiling(); err != nil {
			return m, fmt.Errorf("%s: ceiling: %w", m.Name, err)
		}
		ceilingTimes = append(ceilingTimes, time.Since(start))
	}
	m.Count = count
	m.P50, m.P99 = percentiles(times)
	m.CeilingP50, m.CeilingP99 = percentiles(ceilingTimes)
	m.Ratio = m.P50 / m.CeilingP50
	return m, nil
}

// percentiles returns the median and the 99th percentile in milliseconds.
func percentiles(times []time.Duration) (p50, p99 float64) {
	slices.SortFunc(times, cmp.Compare[time.Duration])
	at := func(q float64) float64 {
		return float64(times[min(len(times)-1, int(q*float64(len(times))))].Nanoseconds()) / 1e6
	}
	return at(0.5), at(0.99)
}
