package steps_test

import (
	"errors"
	"net"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/contextvault/contextvault/cache"
	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/steps/upkeep"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

func (w *world) statuses() map[string]int {
	w.t.Helper()
	out := map[string]int{}
	for _, table := range []string{"customer_values", "customer_assets"} {
		for _, row := range dbtest.Dump(w.t, w.url)[table] {
			out[table+" "+statusIn(w, row)]++
		}
	}
	return out
}

func TestSweep_MarksOnlyDueItems(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.define(vault.Definition{Name: "plan", ValueType: vault.TypeString}, vault.Definition{
		Name: "code", ValueType: vault.TypeString,
	})
	soon := time.Now().Add(time.Hour)
	expiring := func(in *vault.WriteValueInput) { in.ExpiresAt = &soon }
	var customers []uuid.UUID
	for _, tenant := range []uuid.UUID{w.tenant, dbtest.Tenant(t, w.db)} { // the sweep covers all tenants
		w.tenant, w.customer = tenant, newID()
		customers = append(customers, w.customer)
		defined(w)
		w.define(vault.Definition{Name: "code", ValueType: vault.TypeString})
		w.write("plan", text("old"), expiring) // superseded by the next value; it stays superseded
		w.write("plan", text("gold"), expiring)
		source := w.write("code", text("A1"))
		w.write("email", text("ada@example.com"), from(source.ItemID))
		w.write("email", text("bob@example.com"), from(newID())) // orphaned when it is written
	}
	w.equal(
		"before", map[string]int{"customer_values active": 4, "customer_values superseded": 4, "customer_values orphaned": 2},
		w.statuses(),
	)
	w.later(2 * time.Hour)
	w.must(w.run(vault.Event{}, "Sweeps.ExpireValues"))
	w.must(w.run(vault.Event{}, "Sweeps.DetectOrphans"))
	w.equal("after", map[string]int{
		"customer_values active": 2, "customer_values superseded": 4, "customer_values orphaned": 2,
		"customer_values expired": 2,
	}, w.statuses())

	// Each profile has a new version and a pending invalidation.
	for _, customer := range customers {
		var pending int64
		dbtest.Scan(
			t, w.url, &pending,
			"SELECT count(*) FROM pending_invalidations WHERE to_jsonb(pending_invalidations)::text LIKE '%' || $1 || '%'",
			customer.String(),
		)
		if pending != 1 {
			t.Errorf("customer %s: %d pending invalidations", customer, pending)
		}
	}
	w.sql("DELETE FROM customer_values WHERE name = 'code'")
	w.must(w.run(vault.Event{}, "Sweeps.DetectOrphans")) // its dependent was superseded meanwhile
	w.equal("a superseded item that lost its source", map[string]int{
		"customer_values superseded": 4, "customer_values orphaned": 2, "customer_values expired": 2,
	}, w.statuses())
}

func TestSweep_OperationReportsCounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	stale(w)
	ev := w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.ExpireValues, vault.Sweep{}))
	w.must(w.run(ev, "Sweeps.ExpireValues", "Caches.InvalidateAndAcknowledge"))
	got := resultOf[vault.SweepResult](w, ev)
	if got.Marked != 4 || got.Customers < 3 { // a profile counts once per batch
		t.Errorf("got %+v, want 4 items of 3 profiles", got)
	}
	if op := w.op(ev); op.Status != vault.OperationSucceeded {
		t.Errorf("the operation is %s", op.Status)
	}
}

func TestPurgeOperations_FinishedOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	w.must(w.run(answered(w), "Gaps.AskCustomer"))
	_ = w.run(w.accept("email", text("nobody")), writeValue...)
	w.accept("plan", text("silver"))
	applied := w.accept("plan", text("gold"))
	w.must(w.run(applied, "Values.PersistValue"))
	count := func() map[string]int {
		out := map[string]int{}
		for _, row := range dbtest.Dump(t, w.url)["operations"] {
			out[statusIn(w, row)]++
		}
		out["fills"] = len(dbtest.Dump(t, w.url)["gap_fills"])
		return out
	}
	before := count()
	if before["failed"] != 1 || before["accepted"] == 0 || before["applied"] != 1 || before["fills"] != 1 {
		t.Fatalf("the test arranged %v", before)
	}
	for _, c := range []struct {
		after time.Duration
		gone  []string
	}{
		{23 * time.Hour, nil},
		{2 * time.Hour, []string{"succeeded", "fills"}},
		{24 * time.Hour, []string{"failed"}},
		{1000 * time.Hour, nil},
	} {
		w.later(c.after)
		w.must(w.run(vault.Event{}, "Operations.PurgeOperations"))
		for _, status := range c.gone {
			delete(before, status)
		}
		got := count()
		if got["fills"] == 0 {
			delete(got, "fills")
		}
		w.equal("after another "+c.after.String(), before, got)
	}
	if n := len(w.history("age")); n != 1 {
		t.Errorf("the purge took a customer's value")
	}
}

func TestRelayOperations_PushesDueOperations(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dueOperations(w)
	out, err := w.steps.Operations.RelayOperations(t.Context(), vault.Event{})
	w.must(err)
	w.equal("output", upkeep.Relayed{Pushed: 3, Invalidated: 3}, out)
	if n := len(w.engine.taken()); n != 3 {
		t.Errorf("%d events were pushed", n)
	}
	owedAgain := w.accept("plan", text("gold"))
	w.sql("UPDATE operations SET due_at = clock_timestamp() WHERE id = $1", owedAgain.OperationID)
	w.engine.mu.Lock()
	w.engine.err = errors.New("the engine is down")
	w.engine.mu.Unlock()
	if _, err := w.steps.Operations.RelayOperations(t.Context(), vault.Event{}); err == nil {
		t.Error("the relay does not report that the engine is down")
	}
	if op := w.op(owedAgain); op.Status != vault.OperationAccepted {
		t.Errorf("what could not be pushed is %s", op.Status)
	}
}

func TestInvalidate_NoOldReadAfterAcknowledgement(t *testing.T) {
	t.Parallel()
	for name, redisIs := range map[string]func(*redisServer){
		"Redis answers":         func(*redisServer) {},
		"Redis does not answer": (*redisServer).hang,
		"Redis is gone":         (*redisServer).kill,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := startRedis(t)
			patience := 300 * time.Millisecond
			if name == "Redis answers" {
				patience = 5 * time.Second // enough for a busy machine
			}
			w := newWorld(t, func(d *steps.Deps) {
				// Steps and readers are in two processes.
				d.Cache = (&world{t: t}).newCache(cache.Options{URL: server.url, OpTimeout: patience})
			})
			reader := query.New(w.db, w.newCache(cache.Options{URL: server.url, OpTimeout: patience}), w.sealer)
			read := func() string {
				t.Helper()
				p, err := reader.Profile(t.Context(), w.tenant, w.customer)
				w.must(err)
				return string(p.Fields["plan"].Value)
			}
			defined(w)
			w.write("plan", text("silver"))
			for range 3 { // fill the cache with the old value
				w.equal("before", `"silver"`, read())
			}
			ev := w.accept("plan", text("gold"))
			w.must(w.run(ev, writeValue[:2]...))
			redisIs(server)
			first, err := w.steps.Caches.InvalidateAndAcknowledge(t.Context(), vault.BatchOf(ev))
			w.must(err)
			if op := w.op(ev); op.Status != vault.OperationSucceeded {
				t.Fatalf("the write is %s", op.Status)
			}
			w.equal("after it was acknowledged", `"gold"`, read())

			before := w.dump()
			again, err := w.steps.Caches.InvalidateAndAcknowledge(t.Context(), vault.BatchOf(ev))
			w.must(err)
			w.equal("a second run", first, again)
			w.unchanged(before, "a second run")
			if pending := w.dump().Counts()["pending_invalidations"]; (pending == 1) != (name != "Redis answers") ||
				pending != first.Pending {
				t.Errorf("%d invalidations are pending, the step reports %d", pending, first.Pending)
			}

			server.revive()
			for range 20 { // a reader with a new lease has flushed the pending invalidations
				w.equal("when Redis is back", `"gold"`, read())
				time.Sleep(10 * time.Millisecond)
			}
			deadline := time.Now().Add(20 * time.Second)
			for w.dump().Counts()["pending_invalidations"] > 0 {
				w.must(w.run(vault.Event{}, "Operations.RelayOperations"))
				if time.Now().After(deadline) {
					t.Fatal("the relay does not work off the note")
				}
				time.Sleep(50 * time.Millisecond)
			}
			w.equal("at last", `"gold"`, read())
		})
	}
}

// redisServer is a Redis process of one test.
type redisServer struct {
	t    *testing.T
	args []string
	url  string
	cmd  *exec.Cmd
}

func startRedis(t *testing.T) *redisServer {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	s := &redisServer{
		t: t, url: "redis://127.0.0.1:" + port + "/0",
		args: []string{"--port", port, "--bind", "127.0.0.1", "--dir", t.TempDir(), "--save", "", "--appendonly", "no"},
	}
	s.start()
	t.Cleanup(func() {
		s.signal(syscall.SIGCONT)
		s.kill()
	})
	return s
}

func (s *redisServer) start() {
	s.t.Helper()
	s.cmd = exec.Command("redis-server", s.args...)
	if err := s.cmd.Start(); err != nil {
		s.t.Fatalf("redis-server: %v (`make services` installs it)", err)
	}
	opts, err := redis.ParseURL(s.url)
	if err != nil {
		s.t.Fatal(err)
	}
	client := redis.NewClient(opts)
	defer func() { _ = client.Close() }()
	deadline := time.Now().Add(20 * time.Second)
	for client.Ping(s.t.Context()).Err() != nil {
		if time.Now().After(deadline) {
			s.t.Fatal("redis-server does not answer")
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func (s *redisServer) signal(sig syscall.Signal) {
	if s.cmd != nil {
		_ = s.cmd.Process.Signal(sig)
	}
}

// hang makes the server accept connections without answering.
func (s *redisServer) hang() { s.signal(syscall.SIGSTOP) }

func (s *redisServer) kill() {
	if s.cmd == nil {
		return
	}
	s.signal(syscall.SIGKILL)
	_ = s.cmd.Wait()
	s.cmd = nil
}

// revive makes the server answer again, with its data if it only hung.
func (s *redisServer) revive() {
	if s.cmd == nil {
		s.start()
	}
	s.signal(syscall.SIGCONT)
}
