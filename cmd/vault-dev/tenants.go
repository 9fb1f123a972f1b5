package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/contextvault/contextvault/api"
	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/embedded"
	"github.com/contextvault/contextvault/internal/attack"
	"github.com/contextvault/contextvault/vault"
)

// tenantsFile is the file of the results.
const tenantsFile = "benchmarks/tenants.json"

const (
	attackTries  = 2 // concurrent attempts of the attacker
	tenantWarmUp = 10
	roleTimeout  = 2 * time.Minute
)

// attacked is what a second tenant sees during one attack, compared with the calm just before it.
type attacked struct {
	Attack     string  `json:"attack"`
	Attempts   int64   `json:"attempts"`
	CalmWrite  float64 `json:"calm_write_p50_ms"`
	Write      float64 `json:"write_p50_ms"`
	WriteRatio float64 `json:"write_ratio"`
	CalmRead   float64 `json:"calm_read_p50_ms"`
	Read       float64 `json:"read_p50_ms"`
	ReadRatio  float64 `json:"read_ratio"`
	APIPeak    int64   `json:"api_peak_mib"` // resident memory
	WorkerPeak int64   `json:"worker_peak_mib"`
}

// tenantsReport is the content of tenantsFile.
type tenantsReport struct {
	Go      string     `json:"go"`
	CPUs    int        `json:"cpus"`
	Load    string     `json:"load_average_at_start"`
	Rounds  int        `json:"writes_and_reads_per_measurement"`
	Results []attacked `json:"results"`
}

func tenantsCommand() *cobra.Command {
	var rounds int
	var only string
	c := &cobra.Command{
		Use:   "bench-tenants",
		Short: "measure a tenant's writes and reads while another attacks, in new databases; writes " + tenantsFile,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if rounds < 1 {
				return errors.New("--rounds must be at least 1")
			}
			attacks := slices.DeleteFunc(attack.All(), func(a attack.Attack) bool { return !strings.Contains(a.Name, only) })
			if len(attacks) == 0 {
				return fmt.Errorf("--only: no attack has %q in its name", only)
			}
			out, err := benchTenants(cmd.Context(), rounds, attacks)
			if err != nil {
				return err
			}
			if only == "" {
				if err := writeJSON(tenantsFile, out); err != nil {
					return err
				}
			}
			return out.print()
		},
	}
	c.Flags().IntVar(&rounds, "rounds", 40, "number of writes and reads for each measurement")
	c.Flags().StringVar(&only, "only", "", "measure only the attacks with this text in their name, and write no file")
	return c
}

func benchTenants(ctx context.Context, rounds int, attacks []attack.Attack) (out tenantsReport, err error) {
	load, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return out, err
	}
	out = tenantsReport{
		Go: runtime.Version(), CPUs: runtime.NumCPU(), Load: strings.TrimSpace(string(load)), Rounds: rounds,
	}
	cfg, err := loadConfig(os.Environ())
	if err != nil {
		return out, err
	}
	server := os.Getenv(engineDatabaseEnv)
	if server == "" {
		return out, errors.New(engineDatabaseEnv +
			" is not set: it must name a PostgreSQL server; `make bench-tenants` sets it")
	}
	engineURL, dropEngine, err := emptyDatabase(ctx, server, "hatchet_bench_tenants")
	if err != nil {
		return out, fmt.Errorf("%s: %w", engineDatabaseEnv, err)
	}
	defer func() { err = errors.Join(err, dropEngine(context.WithoutCancel(ctx))) }()
	drop, err := ownDatabase(ctx, &cfg, "vault_bench_tenants")
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, drop(context.WithoutCancel(ctx))) }()
	url, systemURL := cfg.Database.URL.Reveal(), cfg.Database.SystemURL.Reveal()
	keys, err := os.MkdirTemp("", "hatchet")
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(keys)) }()
	engine, err := embedded.Start(ctx, embedded.Config{
		DatabaseURL: engineURL, Dir: keys, SingleEngine: true, FastShutdown: true,
	})
	if err != nil {
		return out, err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer cancel()
		err = errors.Join(err, engine.Shutdown(ctx))
	}()
	// In the mode warn, fields without a definition are stored, so more attacks get further.
	environ := append(os.Environ(), engine.Env()...)
	environ = append(environ, "DATABASE_URL="+url, "SYSTEM_DATABASE_URL="+systemURL,
		"VAULT_SEALING_KEY="+cfg.SealingKey.Reveal(),
		"VAULT_PROFILE_VALIDATION_MODE=warn", "VAULT_LOG_LEVEL=error")
	worker, err := startRole(ctx, "worker", "VAULT_WORKER_HEALTH_ADDRESS", environ)
	if err != nil {
		return out, err
	}
	defer func() { _ = worker.stop() }()
	serve, err := startRole(ctx, "serve", "VAULT_API_LISTEN_ADDRESS", environ)
	if err != nil {
		return out, err
	}
	defer func() { _ = serve.stop() }()
	b := tenantsBench{api: serve, worker: worker, rounds: rounds}
	database, err := db.Open(ctx, url, db.Options{MaxConns: 2, SystemURL: systemURL})
	if err != nil {
		return out, err
	}
	defer database.Close()
	out.Results, err = b.run(ctx, database, attacks)
	return out, err
}

// role is a process of the vault.
type role struct {
	cmd     *exec.Cmd
	address string
}

// startRole starts `vault serve` or `vault worker` and waits until it is ready. variable sets its address.
func startRole(ctx context.Context, name, variable string, environ []string) (*role, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0") // a port that is free
	if err != nil {
		return nil, err
	}
	r := &role{address: listener.Addr().String()}
	r.cmd = exec.Command(self, name) //nolint:gosec,noctx // this program; stop ends it
	_ = listener.Close()
	r.cmd.Env = append(slices.Clone(environ), variable+"="+r.address)
	r.cmd.Stderr = os.Stderr
	if err := r.cmd.Start(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, roleTimeout)
	defer cancel()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+r.address+"/readyz", nil)
		if err != nil {
			return nil, errors.Join(err, r.stop())
		}
		if res, err := http.DefaultClient.Do(req); err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return r, nil
			}
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("%s is not ready: %w", name, ctx.Err()), r.stop())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (r *role) stop() error {
	_ = r.cmd.Process.Signal(syscall.SIGTERM)
	return r.cmd.Wait()
}

// resetPeak sets the peak of the resident memory to its current size.
func (r *role) resetPeak() error {
	path := filepath.Join("/proc", strconv.Itoa(r.cmd.Process.Pid), "clear_refs")
	return os.WriteFile(path, []byte("5"), 0) //nolint:gosec // a file of the kernel
}

func (r *role) peak() (int64, error) { return peakMemory(r.cmd.Process.Pid) }

// peakMemory returns the peak of the resident memory of a process in MiB.
func peakMemory(pid int) (int64, error) {
	status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kib >> 10, err
		}
	}
	return 0, errors.New("the kernel does not tell the peak of the resident memory")
}

type tenantsBench struct {
	api, worker *role
	rounds      int

	key      string // of the tenant that is measured
	agent    uuid.UUID
	customer uuid.UUID
	visits   int
}

func (b *tenantsBench) run(ctx context.Context, database *db.DB, attacks []attack.Attack) ([]attacked, error) {
	var err error
	if b.key, err = newTenantKey(ctx, database); err != nil {
		return nil, err
	}
	b.agent, b.customer = uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7())
	definition := "/v1/agents/" + b.agent.String() + "/definitions/visits"
	if _, err := b.send(ctx, http.MethodPut, definition, `{"value_type": "number"}`); err != nil {
		return nil, err
	}
	first, err := b.write(ctx)
	if err != nil {
		return nil, err
	}
	if _, _, err := b.measure(ctx, tenantWarmUp); err != nil {
		return nil, err
	}
	var out []attacked
	for _, a := range attacks {
		key, err := newTenantKey(ctx, database)
		if err != nil {
			return nil, err
		}
		c, err := a.Start(ctx, attack.Client{URL: "http://" + b.api.address, Key: key, Other: first})
		if err != nil {
			return nil, err
		}
		m, err := b.during(ctx, a, c)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", a.Name, err)
		}
		fmt.Fprintf(os.Stderr, "%s: write %.1f×, read %.1f×\n", m.Attack, m.WriteRatio, m.ReadRatio)
		out = append(out, m)
	}
	return out, nil
}

func newTenantKey(ctx context.Context, database *db.DB) (string, error) {
	tenant, key := uuid.Must(uuid.NewV7()), api.NewKey()
	if _, err := database.System().CreateTenant(ctx, tenant, "bench"); err != nil {
		return "", err
	}
	return key, database.System().CreateAPIKey(ctx, dbgen.CreateAPIKeyParams{
		ID: uuid.Must(uuid.NewV7()), TenantID: tenant, Name: "bench", KeyHash: api.HashKey(key),
		Scopes: []string{string(api.ScopeRead), string(api.ScopeWrite)},
	})
}

// during measures the calm, and then the attack.
func (b *tenantsBench) during(ctx context.Context, a attack.Attack, c *attack.Client) (m attacked, err error) {
	m.Attack = a.Name
	if m.CalmWrite, m.CalmRead, err = b.measure(ctx, b.rounds); err != nil {
		return m, err
	}
	if err := errors.Join(b.api.resetPeak(), b.worker.resetPeak()); err != nil {
		return m, err
	}
	attacking, stop := context.WithCancel(ctx)
	var tries atomic.Int64
	var failed error
	var once sync.Once
	var all sync.WaitGroup
	for range attackTries {
		all.Go(func() {
			for attacking.Err() == nil {
				if err := a.Try(attacking, c); err != nil && attacking.Err() == nil {
					once.Do(func() { failed = err })
					return
				}
				tries.Add(1)
			}
		})
	}
	m.Write, m.Read, err = b.measure(ctx, b.rounds)
	stop()
	all.Wait()
	if err := errors.Join(err, failed); err != nil {
		return m, err
	}
	m.Attempts, m.WriteRatio, m.ReadRatio = tries.Load(), m.Write/m.CalmWrite, m.Read/m.CalmRead
	if m.APIPeak, err = b.api.peak(); err != nil {
		return m, err
	}
	m.WorkerPeak, err = b.worker.peak()
	return m, err
}

// measure returns the medians of acknowledged writes, and of reads of the value just written, in milliseconds.
func (b *tenantsBench) measure(ctx context.Context, rounds int) (write, read float64, err error) {
	var writes, reads []time.Duration
	for range rounds {
		start := time.Now()
		if _, err := b.write(ctx); err != nil {
			return 0, 0, err
		}
		writes = append(writes, time.Since(start))
		start = time.Now()
		body, err := b.send(ctx, http.MethodGet, "/v1/customers/"+b.customer.String(), "")
		if err != nil {
			return 0, 0, err
		}
		reads = append(reads, time.Since(start))
		if !strings.Contains(string(body), fmt.Sprintf(`"value":%d,`, b.visits)) {
			return 0, 0, errors.New("a read does not show the value of an acknowledged write")
		}
	}
	write, _ = percentiles(writes)
	read, _ = percentiles(reads)
	return write, read, nil
}

func (b *tenantsBench) write(ctx context.Context) (item uuid.UUID, err error) {
	b.visits++
	body, err := b.send(ctx, http.MethodPut, "/v1/customers/"+b.customer.String()+"/values/visits",
		fmt.Sprintf(`{"agent_id": %q, "value": %d, "source": "user_provided"}`, b.agent, b.visits))
	if err != nil {
		return item, err
	}
	var op struct{ Result vault.ItemResult }
	err = json.Unmarshal(body, &op)
	return op.Result.ItemID, err
}

// send sends a request that must succeed. A change waits for its outcome.
func (b *tenantsBench) send(ctx context.Context, method, path, body string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://"+b.api.address+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+b.key)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Prefer", "wait=60")
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("the second tenant got %d: %.300s", res.StatusCode, got)
	}
	return got, err
}

func (r tenantsReport) print() error {
	w := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "ATTACK\tATTEMPTS\tWRITE ms\tRATIO\tREAD ms\tRATIO\tAPI MiB\tWORKER MiB")
	for _, m := range r.Results {
		_, _ = fmt.Fprintf(w, "%s\t%d\t%.1f\t%.2f\t%.2f\t%.2f\t%d\t%d\n", m.Attack, m.Attempts, m.Write, m.WriteRatio,
			m.Read, m.ReadRatio, m.APIPeak, m.WorkerPeak)
	}
	return w.Flush()
}
