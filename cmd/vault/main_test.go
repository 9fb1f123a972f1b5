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

// asCommand makes the test program the command itself, so that tests can run it in processes of its own, and kill those.
const asCommand = "RUN_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
		return
	}
	testkit.Parallel(8)
	os.Exit(m.Run())
}

// process is `vault worker` in a process of its own.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	health string        // host:port
	ended  chan struct{} // closed when it has ended
	log    logged
}

// startWorker starts a worker of the system and waits until it reaches what it needs. It ends with the test at the latest.
func startWorker(t *testing.T, kit *testkit.Kit) *process {
	t.Helper()
	return start(t, kit, "worker", "VAULT_WORKER_HEALTH_ADDRESS",
		// The cron of the relay would make a test depend on the minute's start; the relay of the worker itself goes on.
		"VAULT_JOBS_HATCHET_CRON_RELAY_OPERATIONS=0 0 1 1 *", "VAULT_WORKER_COUNT_INTERVAL_SECONDS=1")
}

// startServe starts `vault serve` of the system and waits until it is ready. It ends with the test at the latest.
func startServe(t *testing.T, kit *testkit.Kit, environ ...string) *process {
	t.Helper()
	return start(t, kit, "serve", "VAULT_API_LISTEN_ADDRESS", environ...)
}

// listening is how a process says where it listens.
var listening = regexp.MustCompile(`"msg":"(?:api|health)_started","address":"([^"]+)"`)

// start starts a role as a process of its own. It listens at a free port, the setting of which is the variable address, and says
// at which: one that is looked for beforehand may be somebody else's by then.
func start(t *testing.T, kit *testkit.Kit, role, address string, environ ...string) *process {
	t.Helper()
	p := &process{t: t, ended: make(chan struct{})}
	p.cmd = exec.Command(os.Args[0], role)
	p.cmd.Env = append(append(kit.Environ(), environ...), asCommand+"=1", address+"=127.0.0.1:0")
	p.cmd.Stderr, p.cmd.Stdout = &p.log, &p.log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait() // the exit code is what counts
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

// tail is the end of a long log.
func tail(log string) string { return log[max(0, len(log)-8<<10):] }

func (p *process) hasEnded() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// get gives the status of a health endpoint, 0 where nobody answers.
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

// kill ends the process as a failing machine does.
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

// wait waits until the process has ended and gives its exit code.
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

// logged keeps what a process writes.
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

// run runs the command to its end and gives what it printed and its exit code.
func run(t *testing.T, environ []string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	return runWith(t, environ, "", args...)
}

// runWith is run with something to read.
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
