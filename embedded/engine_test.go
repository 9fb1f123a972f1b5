package embedded_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/hatchet-dev/hatchet/pkg/client/rest"
	"github.com/hatchet-dev/hatchet/pkg/repository"
	hatchet "github.com/hatchet-dev/hatchet/sdks/go"
	"github.com/jackc/pgx/v5"
	"github.com/rs/zerolog"

	"github.com/contextvault/contextvault/embedded"
	"github.com/contextvault/contextvault/embedded/embeddedtest"
)

// helperEnv makes this test binary run helper in another process.
const helperEnv = "EMBEDDED_TEST_HELPER"

func TestMain(m *testing.M) {
	if what := os.Getenv(helperEnv); what != "" {
		if err := helper(what); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// helper starts an engine with the database and directory of the environment. "stop" then stops it; "hang" runs a task,
// prints "ready" and waits for a kill.
func helper(what string) error {
	ctx := context.Background()
	engine, err := embedded.Start(ctx, embedded.Config{
		DatabaseURL:  os.Getenv("TEST_DATABASE_URL"),
		Dir:          os.Getenv("TEST_DIR"),
		SingleEngine: true,
		FastShutdown: true,
	})
	if err != nil {
		return err
	}
	if what == "stop" {
		return engine.Shutdown(ctx)
	}
	client, err := engine.Client()
	if err != nil {
		return err
	}
	g, err := startGreeter(client)
	if err != nil {
		return err
	}
	if err := g.push(ctx, "before"); err != nil {
		return err
	}
	<-g.greeted
	fmt.Println("ready")
	select {}
}

func runHelper(what, databaseURL, dir string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), helperEnv+"="+what, "TEST_DATABASE_URL="+databaseURL, "TEST_DIR="+dir)
	return cmd
}

type greeting struct {
	Name string `json:"name"`
}

// greeter is a worker with one task, started by the event greet, which reports the greeted name.
type greeter struct {
	client  *hatchet.Client
	greeted chan string
	stop    func() error
}

func startGreeter(client *hatchet.Client) (*greeter, error) {
	g := &greeter{client: client, greeted: make(chan string, 100)}
	task := client.NewStandaloneTask("greet", func(_ hatchet.Context, in greeting) (greeting, error) {
		g.greeted <- in.Name
		return in, nil
	}, hatchet.WithWorkflowEvents("greet"))
	silent := zerolog.Nop()
	worker, err := client.NewWorker("greeter", hatchet.WithWorkflows(task), hatchet.WithLogger(&silent))
	if err != nil {
		return nil, err
	}
	g.stop, err = worker.Start()
	return g, err
}

func (g *greeter) push(ctx context.Context, name string) error {
	return g.client.Events().Push(ctx, "greet", greeting{name})
}

// mustGreet pushes an event and waits for the task that it starts.
func (g *greeter) mustGreet(t *testing.T, name string, within time.Duration) {
	t.Helper()
	start := time.Now()
	if err := g.push(t.Context(), name); err != nil {
		t.Fatalf("push: %v", err)
	}
	deadline := time.After(within)
	for {
		select {
		case got := <-g.greeted:
			if got == name {
				t.Logf("%q ran %s after its push", name, time.Since(start).Round(time.Millisecond))
				return
			}
		case <-deadline:
			t.Fatalf("%q did not run within %s", name, within)
		}
	}
}

func mustGreeter(t *testing.T, client *hatchet.Client) *greeter {
	t.Helper()
	g, err := startGreeter(client)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.stop() })
	return g
}

func mustStart(t *testing.T, cfg embedded.Config) *embedded.Engine {
	t.Helper()
	start := time.Now()
	engine, err := embedded.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("started in %s", time.Since(start).Round(time.Millisecond))
	t.Cleanup(func() { mustStop(t, engine) })
	return engine
}

func mustStop(t *testing.T, engine *embedded.Engine) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), maxWait)
	defer cancel()
	start := time.Now()
	if err := engine.Shutdown(ctx); err != nil {
		t.Errorf("shutdown: %v", err)
	}
	t.Logf("stopped in %s", time.Since(start).Round(time.Millisecond))
}

func mustClient(t *testing.T, engine *embedded.Engine) *hatchet.Client {
	t.Helper()
	client, err := engine.Client()
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// newDatabase returns the URL of a database that does not exist, and drops it at the end.
func newDatabase(t *testing.T) string {
	t.Helper()
	server := os.Getenv(embeddedtest.DatabaseURLEnv)
	u, err := url.Parse(server)
	if err != nil || server == "" {
		t.Fatalf("%s is not set: run `make test`", embeddedtest.DatabaseURLEnv)
	}
	u.Path = "/postgres"
	conn, err := pgx.Connect(t.Context(), u.String())
	if err != nil {
		t.Fatal(err)
	}
	name := "hatchet_test_new_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	t.Cleanup(func() {
		if _, err := conn.Exec(context.Background(), "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)"); err != nil {
			t.Errorf("drop: %v", err)
		}
		_ = conn.Close(context.Background())
	})
	u.Path = "/" + name
	return u.String()
}

var clientVariables = []string{
	"HATCHET_CLIENT_TOKEN", "HATCHET_CLIENT_HOST_PORT", "HATCHET_CLIENT_SERVER_URL", "HATCHET_CLIENT_TLS_STRATEGY",
	"HATCHET_CLIENT_LOG_LEVEL",
}

// Through the SDK's hook only: an event starts a task, and the environment is correct before, during and after the run.
func TestRegister_HookRunsEngine(t *testing.T) {
	cfg := embeddedtest.Config(t)
	t.Setenv("DATABASE_URL", "postgres://the-application")
	for _, name := range clientVariables {
		t.Setenv(name, "") // so that it is put back
		if err := os.Unsetenv(name); err != nil {
			t.Fatal(err)
		}
	}
	before := os.Environ()

	embedded.Register(embedded.Config{Dir: cfg.Dir, SingleEngine: true, FastShutdown: true})
	client, err := hatchet.NewClient(hatchet.WithEmbedded(hatchet.WithEmbeddedDatabaseURL(cfg.DatabaseURL)))
	if err != nil {
		t.Fatal(err)
	}
	mustGreeter(t, client).mustGreet(t, "hook", maxWait)

	if got := os.Getenv("DATABASE_URL"); got != "postgres://the-application" {
		t.Errorf("DATABASE_URL became %q", got)
	}
	var added []string
	for _, entry := range os.Environ() {
		if name, _, _ := strings.Cut(entry, "="); !contains(before, entry) {
			added = append(added, name)
		}
	}
	if diff := cmp.Diff(sorted(clientVariables), sorted(added)); diff != "" {
		t.Errorf("variables set while the engine runs (-want +got):\n%s", diff)
	}
	keys, err := embedded.LoadKeys(cfg.Dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{keys.Master, keys.PrivateJWT, keys.Cookie} {
		if strings.Contains(strings.Join(os.Environ(), "\n"), secret) {
			t.Error("a key is in the environment")
		}
	}

	ctx, cancel := context.WithTimeout(t.Context(), maxWait)
	defer cancel()
	if err := client.Close(ctx); err != nil {
		t.Errorf("close: %v", err)
	}
	if diff := cmp.Diff(sorted(before), sorted(os.Environ())); diff != "" {
		t.Errorf("environment after Close (-before +after):\n%s", diff)
	}
}

// A client and a worker outlive their engine: the next one has the same address and accepts the same token.
func TestStart_RestartKeepsClients(t *testing.T) {
	cfg := embeddedtest.Config(t)
	first := mustStart(t, cfg)
	client := mustClient(t, first)
	g := mustGreeter(t, client)
	g.mustGreet(t, "first", maxWait)

	mustStop(t, first)
	second := mustStart(t, cfg)
	if first.Token() != second.Token() || first.GRPCAddress() != second.GRPCAddress() ||
		first.APIURL() != second.APIURL() {
		t.Fatalf(
			"the second engine has another identity: %s %s, was %s %s (same token: %v)",
			second.GRPCAddress(),
			second.APIURL(),
			first.GRPCAddress(),
			first.APIURL(),
			first.Token() == second.Token(),
		)
	}
	g.mustGreet(t, "second", time.Minute)
	if _, err := client.Workflows().List(t.Context(), nil); err != nil {
		t.Errorf("the API refuses the old client: %v", err)
	}
}

// The database also assigns the tenant to the scheduler, so the scheduler's next poll does not drop it.
func TestStart_SchedulerKeepsTenant(t *testing.T) {
	cfg := embeddedtest.Config(t)
	for range 2 { // the second engine finds the rows of the first
		engine := mustStart(t, cfg)
		conn, err := pgx.Connect(t.Context(), cfg.DatabaseURL)
		if err != nil {
			t.Fatal(err)
		}
		var unassigned int
		err = conn.QueryRow(t.Context(), `SELECT count(*) FROM "Tenant" WHERE "slug" <> 'internal'
			AND "schedulerPartitionId" IS DISTINCT FROM (SELECT "id" FROM "SchedulerPartition")`).Scan(&unassigned)
		if err != nil || unassigned != 0 {
			t.Errorf("%d tenants have no scheduler, %v", unassigned, err)
		}
		_ = conn.Close(t.Context())
		mustStop(t, engine)
	}
}

// An engine killed with -9 keeps its leases, which would delay the next one by a minute.
func TestStart_AfterKilledEngine(t *testing.T) {
	cfg := embeddedtest.Config(t)
	killed := runHelper("hang", cfg.DatabaseURL, cfg.Dir)
	killed.Stderr = os.Stderr
	out, err := killed.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := killed.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || line != "ready\n" {
		t.Errorf("helper said %q, %v", line, err)
	}
	if err := killed.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = killed.Wait()
	if t.Failed() {
		t.FailNow()
	}

	conn := mustConnect(t, cfg.DatabaseURL)
	var leases int
	if err := conn.QueryRow(t.Context(), `SELECT count(*) FROM "Lease"`).Scan(&leases); err != nil || leases == 0 {
		t.Fatalf("the killed engine left %d leases (%v): this test shows nothing", leases, err)
	}
	engine := mustStart(t, cfg)
	mustGreeter(t, mustClient(t, engine)).mustGreet(t, "after", 40*time.Second) // it would take a minute
}

// Replay uses the API server, unlike the other tests.
func TestReplay_RunsTaskAgain(t *testing.T) {
	engine := embeddedtest.Start(t)
	client := mustClient(t, engine)
	runs := make(chan struct{}, 2)
	var fixed atomic.Bool
	task := client.NewStandaloneTask("fix", func(hatchet.Context, greeting) (greeting, error) {
		defer func() { runs <- struct{}{} }()
		if !fixed.Swap(true) {
			return greeting{}, errors.New("not yet")
		}
		return greeting{"fixed"}, nil
	})
	silent := zerolog.Nop()
	worker, err := client.NewWorker("fixer", hatchet.WithWorkflows(task), hatchet.WithLogger(&silent))
	if err != nil {
		t.Fatal(err)
	}
	stop, err := worker.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stop() }()

	run, err := task.RunNoWait(t.Context(), greeting{})
	if err != nil {
		t.Fatal(err)
	}
	wait(t, runs, "first run")
	// The API reads what the engine has written for it a moment later: replay when it knows of the failure.
	eventually(t, "failed", func() string {
		details, err := client.Runs().GetDetails(t.Context(), uuid.MustParse(run.RunId))
		if err != nil {
			return err.Error()
		}
		return strings.ToLower(string(details.Status))
	})
	ids := []uuid.UUID{uuid.MustParse(run.RunId)}
	if _, err := client.Runs().Replay(t.Context(), rest.V1ReplayTaskRequest{ExternalIds: &ids}); err != nil {
		t.Fatal(err)
	}
	wait(t, runs, "replay")
}

// An engine starts without a database, prints nothing, and creates no login.
func TestStart_FreshDatabaseIsQuiet(t *testing.T) {
	databaseURL := newDatabase(t)
	cmd := runHelper("stop", databaseURL, filepath.Join(t.TempDir(), "made", "too"))
	start := time.Now()
	out, err := cmd.CombinedOutput()
	t.Logf("start on an empty server, and stop: %s", time.Since(start).Round(time.Millisecond))
	if err != nil || len(out) > 0 {
		t.Fatalf("%v, printed:\n%s", err, out)
	}

	conn := mustConnect(t, databaseURL)
	var logins, members int
	err = conn.QueryRow(
		t.Context(),
		`SELECT (SELECT count(*) FROM "User"), (SELECT count(*) FROM "TenantMember")`,
	).Scan(
		&logins,
		&members,
	)
	if err != nil || logins != 0 || members != 0 {
		t.Errorf("%d logins, %d members, %v", logins, members, err)
	}
}

// A database seeded by Hatchet itself has a login with a public password.
func TestPrepare_DisablesDefaultLogin(t *testing.T) {
	cfg := embeddedtest.Config(t)
	conn := mustConnect(t, cfg.DatabaseURL)
	hash, err := repository.HashPassword(embedded.DefaultPassword)
	if err != nil {
		t.Fatal(err)
	}
	id := uuid.New()
	batch := &pgx.Batch{}
	batch.Queue(`INSERT INTO "User" (id, email, "emailVerified") VALUES ($1, $2, true)`, id, embedded.DefaultEmail)
	batch.Queue(`INSERT INTO "UserPassword" ("userId", hash) VALUES ($1, $2)`, id, *hash)
	if err := conn.SendBatch(t.Context(), batch).Close(); err != nil {
		t.Fatal(err)
	}
	if err := embedded.Prepare(t.Context(), cfg.DatabaseURL); err != nil {
		t.Fatal(err)
	}
	var now string
	if err := conn.QueryRow(
		t.Context(),
		`SELECT hash FROM "UserPassword" WHERE "userId" = $1`,
		id,
	).Scan(
		&now,
	); err != nil {
		t.Fatal(err)
	}
	if known, _ := repository.VerifyPassword(now, embedded.DefaultPassword); known {
		t.Error("the known password still works")
	}
}

func TestShutdown_LeavesNothing(t *testing.T) {
	cfg := embeddedtest.Config(t)
	var goroutines []int
	for range 3 {
		engine := mustStart(t, cfg)
		g := mustGreeter(t, mustClient(t, engine))
		g.mustGreet(t, "busy", maxWait)
		_ = g.stop()
		mustStop(t, engine)
		goroutines = append(goroutines, runtime.NumGoroutine())

		conn := mustConnect(t, cfg.DatabaseURL)
		eventually(t, "1", func() string { // this one
			var n string
			_ = conn.QueryRow(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()").Scan(&n)
			return n
		})
		_ = conn.Close(t.Context())
		for _, address := range []string{engine.GRPCAddress(), strings.TrimPrefix(engine.APIURL(), "http://")} {
			if l, err := net.Listen("tcp", address); err != nil {
				t.Errorf("%s is still open: %v", address, err)
			} else {
				_ = l.Close()
			}
		}
	}
	// Caches of the engine have a timer each that nothing stops, and the SDK's client cannot be closed: 25 or so.
	t.Logf("goroutines after each stop: %v", goroutines)
	if grown := goroutines[2] - goroutines[1]; grown > 40 {
		t.Errorf("%d goroutines more with every engine", grown)
	}
}

// Under load, Hatchet's own shutdown panics (a send on a closed channel) or waits forever.
func TestShutdown_UnderLoad(t *testing.T) {
	engine := mustStart(t, embeddedtest.Config(t))
	g := mustGreeter(t, mustClient(t, engine))
	g.mustGreet(t, "first", maxWait)

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	busy := make(chan struct{}, 1000)
	for range 20 {
		go func() {
			for ctx.Err() == nil && g.push(ctx, "more") == nil {
				busy <- struct{}{}
			}
		}()
	}
	go func() {
		for range g.greeted {
		}
	}()
	for range 100 {
		wait(t, busy, "push")
	}
	mustStop(t, engine)
}

func TestStart_SecondEngineIsRefused(t *testing.T) {
	cfg := embeddedtest.Config(t)
	mustStart(t, cfg)
	defer embedded.SetLockTimeout(100 * time.Millisecond)()
	for _, single := range []bool{true, false} {
		cfg.Dir, cfg.SingleEngine = t.TempDir(), single
		_, err := embedded.Start(t.Context(), cfg)
		if err == nil || !strings.Contains(err.Error(), "another engine is running") {
			t.Errorf("a second engine (SingleEngine: %v): %v", single, err)
		}
	}
}

func TestStart_Ports(t *testing.T) {
	cfg := embeddedtest.Config(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := taken.Addr().(*net.TCPAddr).Port

	for name, set := range map[string]func(*embedded.Config){
		"gRPC": func(c *embedded.Config) { c.GRPCPort = port },
		"API":  func(c *embedded.Config) { c.APIPort = port },
	} {
		wrong := cfg
		set(&wrong)
		want := fmt.Sprintf("%s port %d cannot be opened", name, port)
		if _, err := embedded.Start(t.Context(), wrong); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}

	engine := mustStart(t, cfg)
	_, apiPort, _ := strings.Cut(strings.TrimPrefix(engine.APIURL(), "http://"), ":")
	_, grpcPort, _ := strings.Cut(engine.GRPCAddress(), ":")
	outside := outsideAddress(t)
	for _, port := range []string{apiPort, grpcPort} {
		if conn, err := net.DialTimeout("tcp", net.JoinHostPort(outside, port), time.Second); err == nil {
			_ = conn.Close()
			t.Errorf("port %s answers on %s", port, outside)
		}
	}
}

func TestConfig_ReportsAllProblems(t *testing.T) {
	_, err := embedded.Start(t.Context(), embedded.Config{GRPCPort: 7, APIPort: 7, LogLevel: "loud"})
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{"DatabaseURL", "Dir", "are both 7", "loud"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q says nothing about %s", err, want)
		}
	}
}

func TestLoadKeys_ConcurrentCallsAgree(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	type result struct {
		master string
		err    error
	}
	results := make(chan result)
	const racers = 8
	for range racers {
		go func() {
			k, err := embedded.LoadKeys(dir)
			results <- result{k.Master, err}
		}()
	}
	first := <-results
	for range racers - 1 {
		if r := <-results; r != first || r.err != nil {
			t.Errorf("got %v, want %v", r, first)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Fatalf("%v, %v", entries, err)
	}
	info, err := entries[0].Info()
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestEngineVersion_MatchesGoMod(t *testing.T) {
	mod, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	if want := "github.com/hatchet-dev/hatchet " + embedded.EngineVersion + "\n"; !bytes.Contains(mod, []byte(want)) {
		t.Errorf(
			"go.mod has another version than %s: change EngineVersion, and read the engine's changes",
			embedded.EngineVersion,
		)
	}
}
