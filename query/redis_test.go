package query_test

import (
	"net"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/vault"
)

func TestRead_WithoutRedis(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]syscall.Signal{"it was killed": syscall.SIGKILL, "it hangs": syscall.SIGSTOP} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, redisServer := startRedis(t)
			v := newVault(t, url)
			v.define(vault.Definition{Name: "plan", ValueType: vault.TypeString}, vault.Definition{
				Name: "code", ValueType: vault.TypeString,
			})
			scenario := v.scenario().ID
			v.require(scenario, vault.Requirement{FieldName: "code"})
			item := v.write("plan", "silver")
			read := func() {
				t.Helper()
				p, err := v.Profile(t.Context(), v.tenant, v.customer)
				v.must(err)
				h, err := v.History(t.Context(), v.tenant, v.customer, "plan")
				v.must(err)
				if string(p.Fields["plan"].Value) != string(h[0].Value) {
					t.Errorf("the profile says %s, the history %s", p.Fields["plan"].Value, h[0].Value)
				}
				if c, err := v.Chain(t.Context(), v.tenant, item, 0); err != nil || len(c.Links) != 1 {
					t.Errorf("got chain %+v, %v", c, err)
				}
				m, err := v.Missing(t.Context(), v.tenant, query.MissingInput{CustomerID: v.customer, ScenarioID: scenario})
				if err != nil || len(m.Missing) != 1 {
					t.Errorf("got missing %+v, %v", m, err)
				}
			}
			read()
			read()
			if err := redisServer.Signal(end); err != nil {
				t.Fatal(err)
			}
			read() // the first reads find that Redis is down
			before := v.cache.Stats()
			const rounds = 20
			for range rounds {
				read()
			}
			after := v.cache.Stats()
			if after.Bypassed == before.Bypassed {
				t.Errorf("no read bypassed Redis: %+v, before %+v", after, before)
			}
			if after.Bypassed = before.Bypassed; after != before {
				t.Errorf("reads still ask a Redis that is away, and wait for it: %+v, before %+v", after, before)
			}
			v.write("plan", "gold")
			read()
			p, err := v.Profile(t.Context(), v.tenant, v.customer)
			v.must(err)
			if string(p.Fields["plan"].Value) != `"gold"` {
				t.Errorf("after a write without Redis: got %s", p.Fields["plan"].Value)
			}
		})
	}
}

// startRedis starts a Redis process for this test.
func startRedis(t *testing.T) (url string, server *os.Process) {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}

	cmd := exec.Command(
		"redis-server", "--port", port, "--bind", "127.0.0.1", "--dir", t.TempDir(), "--save", "", "--appendonly", "no",
	)
	if err := cmd.Start(); err != nil {
		t.Fatalf("redis-server: %v (`make services` installs it)", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	url = "redis://127.0.0.1:" + port + "/0"
	opts, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(opts)
	defer func() { _ = client.Close() }()
	for deadline := time.Now().Add(20 * time.Second); client.Ping(t.Context()).Err() != nil; time.Sleep(
		5 * time.Millisecond,
	) {
		if time.Now().After(deadline) {
			t.Fatal("redis-server does not answer")
		}
	}
	return url, cmd.Process
}
