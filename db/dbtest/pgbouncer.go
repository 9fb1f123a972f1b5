package dbtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// PgBouncer starts a PgBouncer in front of a database, with a pool mode (transaction, session or statement) and two
// connections to the server. It returns the URL of the database behind it. PgBouncer stops when the test ends.
//
// It ends the test if PgBouncer is not installed, and skips it where scripts/services cannot install it.
func PgBouncer(t testing.TB, database, mode string) string {
	t.Helper()
	program, err := findPgBouncer()
	if err != nil {
		if errors.Is(err, errNotInstallable) {
			t.Skip(err)
		}
		t.Fatal(err)
	}
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	password, _ := u.User.Password()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = listener.Close()
	dir, err := os.MkdirTemp("", "pgbouncer") // the user of PgBouncer can reach it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	users := filepath.Join(dir, "users.txt")
	config := filepath.Join(dir, "pgbouncer.ini")
	for path, text := range map[string]string{
		users: fmt.Sprintf("%q %q\n%q %q\n%q %q\n", u.User.Username(), password, appLogin, password, systemLogin, password),
		config: fmt.Sprintf("[databases]\n* = host=%s port=%s\n[pgbouncer]\nlisten_addr = %s\nlisten_port = %s\n"+
			"unix_socket_dir =\nauth_type = scram-sha-256\nauth_file = %s\npool_mode = %s\ndefault_pool_size = 2\n"+
			"max_client_conn = 200\nserver_login_retry = 1\n",
			u.Hostname(), u.Port(), host, port, users, mode),
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), program, "-q", config)
	var log strings.Builder
	cmd.Stderr = &log
	if os.Geteuid() == 0 { // PgBouncer refuses to run as root
		if cmd.SysProcAttr, err = unprivileged(dir, users, config); err != nil {
			t.Fatal(err)
		}
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
	})
	u.Host = net.JoinHostPort(host, port)
	awaitPgBouncer(t, u.String(), ended, &log)
	return u.String()
}

func awaitPgBouncer(t testing.TB, pooled string, ended <-chan struct{}, log fmt.Stringer) {
	t.Helper()
	deadline := time.After(timeout)
	for {
		conn, err := pgx.Connect(t.Context(), pooled)
		if err == nil {
			_ = conn.Close(t.Context())
			return
		}
		select {
		case <-ended:
			t.Fatalf("PgBouncer ended: %s", log)
		case <-deadline:
			t.Fatalf("PgBouncer does not answer: %v", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

var (
	errNoPgBouncer = errors.New("pgbouncer is not installed, and this test starts one of its own: " +
		"`scripts/services tools` installs it")
	errNotInstallable = errors.New("pgbouncer is not installed, and cannot be installed here: this needs apt-get and root")
)

func findPgBouncer() (string, error) {
	for _, name := range []string{"pgbouncer", "/usr/sbin/pgbouncer"} { // Debian's folder is not in the PATH of every user
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	if _, err := exec.LookPath("apt-get"); err == nil {
		if os.Geteuid() == 0 || exec.Command("sudo", "-n", "true").Run() == nil {
			return "", errNoPgBouncer
		}
	}
	return "", errNotInstallable
}

// unprivileged gives files to the user postgres or nobody, and returns the attributes of a process of that user.
func unprivileged(files ...string) (*syscall.SysProcAttr, error) {
	account, err := user.Lookup("postgres")
	if err != nil {
		if account, err = user.Lookup("nobody"); err != nil {
			return nil, err
		}
	}
	uid, err := strconv.ParseUint(account.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(account.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		if err := os.Chown(file, int(uid), int(gid)); err != nil {
			return nil, err
		}
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, nil
}
