package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/contextvault/contextvault/internal/testkit"
)

// asCommand makes the test program run the command, so that tests can start it as a process and kill it.
const asCommand = "RUN_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
		return
	}
	testkit.Parallel(8)
	os.Exit(m.Run())
}

// process is `vault worker` or `vault serve` in a separate process.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	health string        // host:port
	ended  chan struct{} // closed once it has ended
	log    logged
}

// startWorker starts a worker and waits until it is ready. The test ends it.
func startWorker(t *testing.T, kit *testkit.Kit, environ ...string) *process {
	t.Helper()
	return start(t, kit, "worker", "VAULT_WORKER_HEALTH_ADDRESS", append(environ,
		// With these crons, a test would depend on the start of the minute. The relay of the worker still runs.
		"VAULT_JOBS_HATCHET_CRON_RELAY_OPERATIONS=0 0 1 1 *", "VAULT_JOBS_HATCHET_CRON_DELIVER_WEBHOOKS=0 0 1 1 *",
		"VAULT_WORKER_COUNT_INTERVAL_SECONDS=1")...)
}

// startServe starts `vault serve` and waits until it is ready. The test ends it.
func startServe(t *testing.T, kit *testkit.Kit, environ ...string) *process {
	t.Helper()
	return start(t, kit, "serve", "VAULT_API_LISTEN_ADDRESS", environ...)
}

// listening matches the log line with the address of a process.
var listening = regexp.MustCompile(`"msg":"(?:api|health)_started","address":"([^"]+)"`)

// start starts a role as a separate process. The process chooses a free port (the variable address sets it to 0) and
// logs it: a port that the test chose could be taken by then.
func start(t *testing.T, kit *testkit.Kit, role, address string, environ ...string) *process {
	t.Helper()
	return startWith(t, role, append(append(kit.Environ(), environ...), address+"=127.0.0.1:0"))
}

// startWith is start with the whole environment.
func startWith(t *testing.T, role string, environ []string) *process {
	t.Helper()
	p := &process{t: t, ended: make(chan struct{})}
	p.cmd = exec.Command(os.Args[0], role)
	p.cmd.Env = append([]string{asCommand + "=1"}, environ...)
	p.cmd.Stderr, p.cmd.Stdout = &p.log, &p.log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait() // only the exit code matters
		close(p.ended)
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.ended
		if t.Failed() {
			t.Logf("%s %d:\n%s", role, p.cmd.Process.Pid, tail(p.log.String()))
		}
	})
	testkit.Eventually(t, "the "+role+" is ready", func(ctx context.Context) (struct{}, bool) {
		if p.hasEnded() {
			t.Fatal("the " + role + " ended")
		}
		if at := listening.FindStringSubmatch(p.log.String()); at != nil {
			p.health = at[1]
		}
		return struct{}{}, p.health != "" && p.get(ctx, "/readyz") == http.StatusOK
	})
	return p
}

// tail returns the end of a long log.
func tail(log string) string { return log[max(0, len(log)-8<<10):] }

func (p *process) hasEnded() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// get returns the status of a health endpoint, 0 without a response.
func (p *process) get(ctx context.Context, path string) int {
	p.t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.health+path, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	return res.StatusCode
}

// kill kills the process, like a failing machine.
func (p *process) kill() {
	p.t.Helper()
	p.signal(syscall.SIGKILL)
	p.wait()
}

func (p *process) signal(s os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// wait waits for the end of the process and returns its exit code.
func (p *process) wait() int {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), testkit.Patience)
	defer cancel()
	select {
	case <-p.ended:
		return p.cmd.ProcessState.ExitCode()
	case <-ctx.Done():
		p.t.Fatal("the worker did not end")
		return 0
	}
}

// logged records the output of a process.
type logged struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// run runs the command and returns its output and exit code.
func run(t *testing.T, environ []string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	return runWith(t, environ, "", args...)
}

// runWith is run with standard input.
func runWith(t *testing.T, environ []string, stdin string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testkit.Patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Env = append([]string{asCommand + "=1"}, environ...)
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(fmt.Errorf("vault %v: %w", args, err))
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}
