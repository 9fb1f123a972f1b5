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

	"github.com/spf13/cobra"

	"github.com/contextvault/contextvault/vault"
)

// benchFile is the file of the results.
const benchFile = "benchmarks/profile.json"

// measured is the result of one benchmark and its ceiling, from the same run: medians over several rounds. The times
// depend on the machine, the ratios less so.
type measured struct {
	Name       string  `json:"name"`
	Count      int     `json:"count"` // in all rounds
	Rounds     int     `json:"rounds"`
	P50        float64 `json:"p50_ms"`
	P99        float64 `json:"p99_ms"`
	Limit      float64 `json:"limit_p99_ms,omitempty"` // of the quickstart; 0: none
	Ceiling    string  `json:"ceiling"`                // the same work without the vault
	CeilingP50 float64 `json:"ceiling_p50_ms"`
	CeilingP99 float64 `json:"ceiling_p99_ms"`
	Ratio      float64 `json:"ratio_p50"`
	RatioP99   float64 `json:"ratio_p99"`
	Target     float64 `json:"target_ratio,omitempty"` // the largest ratio that is good enough; 0: none
	Between    string  `json:"in_the_way"`
}

// report is the content of benchFile.
type report struct {
	Go       string     `json:"go"`
	CPUs     int        `json:"cpus"`
	LoadedBy float64    `json:"load_average_at_start"` // more than the CPUs: other programs took part of them
	Results  []measured `json:"results"`
	Curves   []curve    `json:"curves"`
}

// effort says how long bench measures.
type effort struct {
	short  bool
	rounds int
}

// of returns a number of repetitions: all of them, or a tenth in a short run.
func (e effort) of(n int) int {
	if e.short {
		return max(1, n/10)
	}
	return n
}

func benchCommand() *cobra.Command {
	var short bool
	c := &cobra.Command{
		Use:   "bench",
		Short: "measure the system and compare it with its parts; writes " + benchFile + " and the plots in " + plotDir,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if short {
				return bench(cmd.Context(), effort{short: true, rounds: 3})
			}
			return bench(cmd.Context(), effort{rounds: 5})
		},
	}
	c.Flags().BoolVar(&short, "short", false, "fewer repetitions and smaller loads, less than 3 minutes; writes no file")
	return c
}

// bench measures the whole system and compares it with the cost of its parts.
func bench(ctx context.Context, e effort) error {
	cfg, err := loadConfig(os.Environ())
	if err != nil {
		return err
	}
	cfg.Profile.ValidationMode = vault.ModeStrict
	cfg.API.RateLimitPerSecond = 0
	devNull, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0) // log lines cost what they cost in production
	if err != nil {
		return err
	}
	defer func() { _ = devNull.Close() }()
	engine, err := startEngine(cfg)
	if err != nil {
		return err
	}
	s, err := start(
		ctx,
		cfg,
		engine,
		slog.New(slog.NewMultiHandler(quietLog().Handler(), slog.NewJSONHandler(devNull, nil))),
	)
	if err != nil {
		return err
	}
	defer func() { _ = s.stop() }()
	b, err := newBenchmarks(ctx, s, cfg, e)
	if err != nil {
		return err
	}
	defer b.close()
	out := report{Go: runtime.Version(), CPUs: runtime.NumCPU(), LoadedBy: loadAverage()}
	for _, run := range []func(context.Context) (measured, error){
		b.warmLoad, b.warmHTTP, b.coldLoad, b.validation, b.chain, b.write, b.fillToQuestion, b.answerToQuestion,
		b.turnToQuestion,
		b.extraction, b.importMany,
	} {
		m, err := run(ctx)
		if err != nil {
			return err
		}
		fmt.Fprintf(os.Stderr, "%s: done\n", m.Name)
		out.Results = append(out.Results, m)
	}
	for _, run := range []func(context.Context) (curve, error){
		b.writesByClients, b.writesInFlight, b.writesBesideSingleRuns, b.httpWritesByClients, b.readsByClients,
		b.importByRows, b.latencyByLoad,
	} {
		c, err := run(ctx)
		if err != nil {
			return err
		}
		fmt.Fprintf(os.Stderr, "%s: done\n", c.Name)
		out.Curves = append(out.Curves, c)
	}
	if err := out.print(); err != nil || e.short {
		return err
	}
	if err := writeJSON(benchFile, out); err != nil {
		return err
	}
	fmt.Printf("written to %s\n", benchFile)
	return plotAll()
}

// loadAverage returns the load of the machine over the last minute, 0 if it is unknown.
func loadAverage() (load float64) {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0
	}
	_, _ = fmt.Sscan(string(text), &load)
	return load
}

// writeJSON writes results to a file.
func writeJSON(path string, results any) error {
	encoded, err := json.MarshalIndent(results, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // public results
		return err
	}
	return os.WriteFile(path, append(encoded, '\n'), 0o644) //nolint:gosec // as above
}

func (r report) print() error {
	w := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "WHAT\tP50 ms\tP99 ms\tLIMIT\tCEILING\tP50 ms\tRATIO\tRATIO P99\tTARGET")
	for _, m := range r.Results {
		_, _ = fmt.Fprintf(w, "%s\t%.4f\t%.4f\t%s\t%s\t%.4f\t%.2f\t%.2f\t%s\n",
			m.Name, m.P50, m.P99, orDash("%.0f", m.Limit), m.Ceiling, m.CeilingP50, m.Ratio, m.RatioP99,
			orDash("<= %.2f", m.Target))
	}
	for _, c := range r.Curves {
		_, _ = fmt.Fprintf(w, "\n%s\n%s\t%s\t%s\tRATIO\n", c.Name, c.X, c.Y, c.Ceiling)
		for _, p := range c.Points {
			_, _ = fmt.Fprintf(w, "%.0f\t%.2f\t%.2f\t%.3f\n", p.X, p.Value, p.Ceiling, p.Ratio)
		}
	}
	return w.Flush()
}

func orDash(format string, value float64) string {
	if value == 0 {
		return "-"
	}
	return fmt.Sprintf(format, value)
}

// compare measures two functions in turn, so that the load of the machine affects both. It does so in several rounds
// and returns the medians of the rounds.
func (b *benchmarks) compare(m measured, count int, fn, ceiling func() error) (measured, error) {
	perRound := max(1, b.effort.of(count)/b.effort.rounds)
	timed := func(what string, fn func() error) (time.Duration, error) {
		start := time.Now()
		if err := fn(); err != nil {
			return 0, fmt.Errorf("%s%s: %w", m.Name, what, err)
		}
		return time.Since(start), nil
	}
	var p50, p99, ceilingP50, ceilingP99, ratio, ratioP99 []float64
	for round := range b.effort.rounds + 1 { // the first one warms up
		var times, ceilingTimes []time.Duration
		for range perRound {
			took, err := timed("", fn)
			if err != nil {
				return m, err
			}
			ceilingTook, err := timed(": ceiling", ceiling)
			if err != nil {
				return m, err
			}
			times, ceilingTimes = append(times, took), append(ceilingTimes, ceilingTook)
		}
		if round == 0 {
			continue
		}
		of50, of99 := percentiles(times)
		ceiling50, ceiling99 := percentiles(ceilingTimes)
		p50, p99 = append(p50, of50), append(p99, of99)
		ceilingP50, ceilingP99 = append(ceilingP50, ceiling50), append(ceilingP99, ceiling99)
		ratio, ratioP99 = append(ratio, of50/ceiling50), append(ratioP99, of99/ceiling99)
	}
	m.Count, m.Rounds = perRound*b.effort.rounds, b.effort.rounds
	m.P50, m.P99, m.CeilingP50, m.CeilingP99 = median(p50), median(p99), median(ceilingP50), median(ceilingP99)
	m.Ratio, m.RatioP99 = median(ratio), median(ratioP99)
	return m, nil
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// percentiles returns the median and the 99th percentile in milliseconds.
func percentiles(times []time.Duration) (p50, p99 float64) {
	slices.SortFunc(times, cmp.Compare[time.Duration])
	at := func(q float64) float64 {
		return float64(times[min(len(times)-1, int(q*float64(len(times))))].Nanoseconds()) / 1e6
	}
	return at(0.5), at(0.99)
}
