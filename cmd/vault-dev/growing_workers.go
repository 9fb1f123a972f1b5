package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"time"

	"github.com/google/uuid"
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"github.com/contextvault/contextvault/config"
	"github.com/contextvault/contextvault/internal/app"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

const (
	maxWorkers        = 3
	writeRounds       = 5   // the result is the median
	growingWrites     = 200 // each for another customer
	concurrentWriters = 32
)

// byWorkers is the throughput of validated, acknowledged writes at a number of worker processes. The engine, PostgreSQL
// and Redis run on the same machine.
type byWorkers struct {
	Workers     int     `json:"workers"`
	Writes      int     `json:"writes"`
	PerSecond   float64 `json:"writes_per_second"`
	Ratio       float64 `json:"ratio"` // to one worker in the same round, the median of the rounds
	Connections int     `json:"postgres_connections_of_one_worker"`
	WorkerCPU   float64 `json:"worker_cpu_ms_per_write"` // of all workers together
	EngineCPU   float64 `json:"engine_and_load_cpu_ms_per_write"`
	Peak        int64   `json:"worker_peak_mib"` // resident memory of one worker
}

// growWorkers measures one, two and three workers in turn, in several rounds, so that the load of the machine affects
// all.
func growWorkers(ctx context.Context, cfg config.Config) (out []byWorkers, smallest int64, err error) {
	engine, err := startEngine(cfg)
	if err != nil {
		return nil, 0, err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer cancel()
		_ = engine.Close(ctx)
	}()
	r, err := app.Connect(ctx, cfg, engine, quietLog())
	if err != nil {
		return nil, 0, err
	}
	defer r.Close()
	runs := map[int][]byWorkers{}
	for range writeRounds {
		for n := 1; n <= maxWorkers; n++ {
			m, err := measureWorkers(ctx, cfg, r, engine, n)
			if err != nil {
				return nil, 0, err
			}
			fmt.Fprintf(os.Stderr, "%d workers: %.1f writes a second\n", n, m.PerSecond)
			runs[n] = append(runs[n], m)
		}
	}
	for n := 1; n <= maxWorkers; n++ {
		ratios := make([]float64, writeRounds)
		for round, m := range runs[n] {
			ratios[round] = m.PerSecond / runs[1][round].PerSecond
		}
		slices.Sort(ratios)
		out = append(out, byWorkers{Ratio: ratios[writeRounds/2]})
	}
	for i := range out { // sorts the rounds, so it must follow the ratios
		all := runs[i+1]
		slices.SortFunc(all, func(a, b byWorkers) int { return cmp.Compare(a.PerSecond, b.PerSecond) })
		ratio := out[i].Ratio
		out[i] = all[writeRounds/2]
		out[i].Ratio = ratio
	}
	smallest, err = measureSmallestWorker(ctx)
	return out, smallest, err
}

func measureWorkers(
	ctx context.Context,
	cfg config.Config,
	r *app.Runtime,
	engine *hatchet.Client,
	n int,
) (m byWorkers, err error) {
	var workers []*workerProcess
	stop := func() (cpu time.Duration) {
		for _, w := range workers {
			cpu += w.stop()
		}
		workers = nil
		return cpu
	}
	defer stop()
	for i := range n {
		w, err := startWorkerProcess(ctx, cfg, fmt.Sprintf("worker-%d", i))
		if err != nil {
			return m, err
		}
		workers = append(workers, w)
	}
	if err := registered(ctx, engine, n); err != nil {
		return m, err
	}
	tenant, agent := uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7())
	if _, err := r.DB.System().CreateTenant(ctx, tenant, "bench"); err != nil {
		return m, err
	}
	define, err := trigger.Submit(
		ctx,
		r.Trigger,
		tenant,
		vault.SaveDefinition,
		vault.Definition{AgentID: agent, Name: "email", ValueType: vault.TypeEmail, Enabled: true},
	)
	if err == nil {
		_, err = define.Wait(ctx)
	}
	if err != nil {
		return m, err
	}
	if err := writes(ctx, r, tenant, agent, growingWrites/10); err != nil { // warm up
		return m, err
	}
	sampler, err := sampleConnections(ctx, cfg)
	if err != nil {
		return m, err
	}
	before, began := ownCPU(), time.Now()
	err = writes(ctx, r, tenant, agent, growingWrites)
	took, engineCPU := time.Since(began), ownCPU()-before
	connections := sampler()
	if err != nil {
		return m, err
	}
	peak, err := peakMemory(workers[0].cmd.Process.Pid)
	if err != nil {
		return m, err
	}
	perWrite := func(d time.Duration, count int) float64 { return float64(d.Microseconds()) / 1000 / float64(count) }
	return byWorkers{
		Workers: n, Writes: growingWrites, PerSecond: growingWrites / took.Seconds(), Connections: connections,
		WorkerCPU: perWrite(stop(), growingWrites+growingWrites/10), EngineCPU: perWrite(engineCPU, growingWrites),
		Peak: peak,
	}, nil
}

// writes submits count writes and waits for their acknowledgement.
func writes(ctx context.Context, r *app.Runtime, tenant, agent uuid.UUID, count int) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(concurrentWriters)
	for range count {
		g.Go(func() error {
			receipt, err := trigger.Submit(ctx, r.Trigger, tenant, vault.WriteValue, vault.WriteValueInput{
				AgentID:    agent,
				CustomerID: uuid.Must(uuid.NewV7()),
				Name:       "email",
				Value:      text("ada.quill@example.com"),
				Source:     vault.ValueUserProvided,
			})
			if err != nil {
				return err
			}
			_, err = receipt.Wait(ctx)
			return err
		})
	}
	return g.Wait()
}

// workerProcess is a process of `vault-dev worker`.
type workerProcess struct{ cmd *exec.Cmd }

func startWorkerProcess(ctx context.Context, cfg config.Config, name string) (*workerProcess, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0") // a port that is free
	if err != nil {
		return nil, err
	}
	health := listener.Addr().String()
	_ = listener.Close()
	app, err := named(cfg.Database.URL.Reveal(), name)
	if err != nil {
		return nil, err
	}
	system, err := named(cfg.Database.SystemURL.Reveal(), name)
	if err != nil {
		return nil, err
	}
	w := &workerProcess{cmd: exec.Command(self, "worker")} //nolint:gosec,noctx // this program; stop ends it
	w.cmd.Env = append(os.Environ(), "DATABASE_URL="+app, "SYSTEM_DATABASE_URL="+system,
		"VAULT_SEALING_KEY="+cfg.SealingKey.Reveal(),
		"VAULT_WORKER_HEALTH_ADDRESS="+health, "VAULT_LOG_LEVEL=error")
	w.cmd.Stderr = os.Stderr
	if err := w.cmd.Start(); err != nil {
		return nil, err
	}
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+health+"/readyz", nil)
		if err != nil {
			return w, err
		}
		res, err := http.DefaultClient.Do(req)
		if err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return w, nil
			}
		}
		select {
		case <-ctx.Done():
			w.stop()
			return nil, ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// named returns the URL of a database with the name of a program. "" stays.
func named(database, name string) (string, error) {
	u, err := url.Parse(database)
	if err != nil || database == "" {
		return "", err
	}
	query := u.Query()
	query.Set("application_name", name)
	u.RawQuery = query.Encode()
	return u.String(), nil
}

// stop stops the worker and returns its CPU time.
func (w *workerProcess) stop() time.Duration {
	_ = w.cmd.Process.Signal(syscall.SIGTERM)
	_ = w.cmd.Wait()
	return w.cmd.ProcessState.UserTime() + w.cmd.ProcessState.SystemTime()
}

// registered waits until the engine has the active workers of n processes.
func registered(ctx context.Context, engine *hatchet.Client, n int) error {
	for range 600 {
		list, err := engine.Workers().List(ctx)
		if err != nil {
			return err
		}
		active := 0
		if list.Rows != nil {
			for _, w := range *list.Rows {
				if w.Status != nil && *w.Status == "ACTIVE" {
					active++
				}
			}
		}
		if active == 2*n { // worker.Name and worker.ModelName of each process
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	return errors.New("the engine has fewer active workers than were started")
}

// sampleConnections samples the number of connections of one worker. The returned function stops the sampling and
// returns the maximum.
func sampleConnections(ctx context.Context, cfg config.Config) (stop func() int, err error) {
	pool, err := pgxpool.New(ctx, adminURL(cfg))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	result := make(chan int)
	go func() {
		defer pool.Close()
		seen := 0
		for ctx.Err() == nil {
			var now int
			err := pool.QueryRow(ctx, `SELECT count(*) FROM pg_stat_activity WHERE application_name = 'worker-0'`).Scan(&now)
			if err == nil {
				seen = max(seen, now)
			}
			select {
			case <-ctx.Done():
			case <-time.After(100 * time.Millisecond):
			}
		}
		result <- seen
	}()
	return func() int {
		cancel()
		return <-result
	}, nil
}

// ownCPU returns the CPU time of this process so far.
func ownCPU() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
