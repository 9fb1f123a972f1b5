package testkit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/contextvault/contextvault/db/dbtest"
)

// Postgres is a PostgreSQL server of one test, which the test may kill.
type Postgres struct {
	// URL and EngineURL name the databases of the vault, with the login of the administrator, and of the engine.
	URL, EngineURL string

	dir, root string
}

// StartPostgres starts a PostgreSQL server. It stops when the test ends.
func StartPostgres(t testing.TB) *Postgres {
	t.Helper()
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	p := &Postgres{dir: t.TempDir(), root: root}
	t.Cleanup(func() {
		if _, err := p.services("stop"); err != nil {
			t.Logf("stop PostgreSQL: %v", err)
		}
	})
	p.Start(t)
	out, err := p.run("bash", "-c",
		`eval "$(scripts/services env)" && printf '%s\n' "$ADMIN_DATABASE_URL" "$HATCHET_DATABASE_URL"`)
	if err != nil {
		t.Fatal(err)
	}
	urls := strings.Fields(string(out))
	if len(urls) != 2 {
		t.Fatalf("scripts/services env names no databases: %s", out)
	}
	p.URL, p.EngineURL = urls[0], urls[1]
	if err := dbtest.CreateLogins(t.Context(), p.URL); err != nil {
		t.Fatal(err)
	}
	return p
}

// Start starts the server after a Kill, on the same port and data.
func (p *Postgres) Start(t testing.TB) {
	t.Helper()
	if out, err := p.services("start"); err != nil {
		t.Fatalf("start PostgreSQL: %v\n%s", err, out)
	}
}

// Stop stops the server as an administrator does: sessions end with an error.
func (p *Postgres) Stop(t testing.TB) {
	t.Helper()
	if out, err := p.services("stop"); err != nil {
		t.Fatalf("stop PostgreSQL: %v\n%s", err, out)
	}
}

// Kill kills the server and its children with SIGKILL, as a crash of the machine does.
func (p *Postgres) Kill(t testing.TB) {
	t.Helper()
	record, err := os.ReadFile(filepath.Join(p.dir, "postgres.pid"))
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(record), " ")
	pid, err := strconv.Atoi(first)
	if err != nil {
		t.Fatal(err)
	}
	// A stopped server starts no child: one that survived would keep the shared memory, and the next start would fail.
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	children := childrenOf(t, pid)
	for _, pid := range append([]int{pid}, children...) {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			t.Fatal(err)
		}
	}
	port, err := os.ReadFile(filepath.Join(p.dir, "postgres.port"))
	if err != nil {
		t.Fatal(err)
	}
	address := net.JoinHostPort("127.0.0.1", strings.TrimSpace(string(port)))
	Eventually(t, "the port of PostgreSQL is free", func(ctx context.Context) (struct{}, bool) {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err == nil {
			_ = conn.Close()
		}
		return struct{}{}, err != nil
	})
}

// childrenOf lists the children of a process (Linux).
func childrenOf(t testing.TB, parent int) []int {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, path := range stats {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		// pid (name) state ppid …; the name can contain spaces and parentheses.
		after := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
		if len(after) < 2 || after[1] != strconv.Itoa(parent) {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

func (p *Postgres) services(command string) ([]byte, error) {
	return p.run(filepath.Join("scripts", "services"), command)
}

// run runs a command in the root of the module and returns its output, or its log after an error.
func (p *Postgres) run(command string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, command, args...)
	cmd.Dir = p.root
	for _, entry := range os.Environ() {
		if name, _, _ := strings.Cut(entry, "="); !strings.HasSuffix(name, "DATABASE_URL") {
			cmd.Env = append(cmd.Env, entry) // REDIS_URL stays: no private Redis
		}
	}
	cmd.Env = append(cmd.Env, "SERVICES_DIR="+p.dir)
	var out, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &log
	if err := cmd.Run(); err != nil {
		return log.Bytes(), fmt.Errorf("%s %s: %w", command, strings.Join(args, " "), err)
	}
	return out.Bytes(), nil
}

// moduleRoot returns the folder of go.mod.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if filepath.Dir(dir) == dir {
			return "", errors.New("no go.mod above the working directory")
		}
		dir = filepath.Dir(dir)
	}
}
