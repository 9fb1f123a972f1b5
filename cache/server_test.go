package cache

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// server is a Redis of one test, which it may stop.
type server struct {
	t    testing.TB
	port int
	args []string
	cmd  *exec.Cmd
	URL  string
}

// newServer chooses a port; start starts the server.
func newServer(t testing.TB, args ...string) *server {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Fatal("redis-server is not installed, and this test stops a Redis of its own: `scripts/services install` installs it")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	_ = listener.Close()
	s := &server{t: t, port: port, args: args, URL: fmt.Sprintf("redis://127.0.0.1:%d/0", port)}
	s.args = append([]string{"--port", fmt.Sprint(port), "--bind", "127.0.0.1", "--dir", t.TempDir(), "--save", "", "--appendonly", "no"}, args...)
	t.Cleanup(s.kill)
	return s
}

func startServer(t testing.TB, args ...string) *server {
	t.Helper()
	s := newServer(t, args...)
	s.start()
	return s
}

func (s *server) start() {
	s.t.Helper()
	s.cmd = exec.Command("redis-server", s.args...)
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	client := redis.NewClient(&redis.Options{Addr: fmt.Sprintf("127.0.0.1:%d", s.port)})
	defer func() { _ = client.Close() }()
	deadline := time.Now().Add(20 * time.Second)
	for {
		_, err := client.Ping(context.Background()).Result()
		if _, answered := errors.AsType[redis.Error](err); err == nil || answered && !redis.HasErrorPrefix(err, "LOADING") {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("redis-server on port %d: %v", s.port, err)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func (s *server) signal(sig syscall.Signal) {
	if s.cmd != nil {
		_ = s.cmd.Process.Signal(sig)
	}
}

func (s *server) kill() {
	if s.cmd == nil {
		return
	}
	s.signal(syscall.SIGKILL)
	_ = s.cmd.Wait()
	s.cmd = nil
}

// hang makes the server take connections and answer nothing, until resume.
func (s *server) hang()   { s.signal(syscall.SIGSTOP) }
func (s *server) resume() { s.signal(syscall.SIGCONT) }

// wire is a connection to a Redis that can be cut, for one process and not for others.
type wire struct {
	listener net.Listener
	to       string
	URL      string

	mu    sync.Mutex
	isCut bool
	conns map[net.Conn]bool
	wg    sync.WaitGroup
}

func newWire(t testing.TB, s *server) *wire {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{listener: listener, to: fmt.Sprintf("127.0.0.1:%d", s.port), URL: "redis://" + listener.Addr().String() + "/0", conns: map[net.Conn]bool{}}
	w.wg.Go(w.serve)
	t.Cleanup(func() {
		_ = listener.Close()
		w.cut(true)
		w.wg.Wait()
	})
	return w
}

func (w *wire) serve() {
	for {
		near, err := w.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", w.to)
		if err != nil || !w.hold(near, far) {
			_ = near.Close()
			if err == nil {
				_ = far.Close()
			}
			continue
		}
		for _, pair := range [][2]net.Conn{{near, far}, {far, near}} {
			w.wg.Go(func() {
				_, _ = io.Copy(pair[0], pair[1])
				_ = pair[0].Close()
				_ = pair[1].Close()
			})
		}
	}
}

func (w *wire) hold(conns ...net.Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, conn := range conns {
		w.conns[conn] = true
	}
	return !w.isCut
}

// cut ends all connections and lets in no new ones, or lets them in again.
func (w *wire) cut(is bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.isCut = is
	if is {
		for conn := range w.conns {
			_ = conn.Close()
		}
		clear(w.conns)
	}
}
