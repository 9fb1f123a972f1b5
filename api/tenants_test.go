package api_test

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/contextvault/contextvault/api"
	"github.com/contextvault/contextvault/internal/attack"
	"github.com/contextvault/contextvault/internal/testkit"
	"github.com/contextvault/contextvault/vault"
)

const (
	attackers    = 2       // concurrent attempts
	attackedHeap = 1 << 30 // bytes that the process may grow by: engine, worker, API and attacker
)

// Each attack is refused or bounded, and a second tenant writes and reads during it. The test is not parallel, so that
// the growth of the heap is that of the attack.
func TestTenants_AttackHoldsUpNobodyElse(t *testing.T) {
	s := newService(t, kit, func(o *api.Options) { o.RateLimit = 100 })
	customer, agent := testkit.ID(), testkit.ID()
	path := "/v1/customers/" + customer.String()
	write := func(i int) string {
		return fmt.Sprintf(`{"agent_id": %q, "value": %d, "source": "user_provided"}`, agent, i)
	}
	s.change("PUT", "/v1/agents/"+agent.String()+"/definitions/visits", `{"value_type": "number"}`).want(200)
	var other struct{ Result vault.ItemResult }
	s.change("PUT", path+"/values/visits", write(0)).want(200).into(&other)
	for i, a := range attack.All() {
		if a.Undefined { // the kit has the mode strict
			continue
		}
		t.Run(a.Name, func(t *testing.T) {
			enemy := &service{Kit: kit, t: t, tenant: kit.Tenant(t)}
			key, _ := enemy.newKey("read", "write")
			c, err := a.Start(t.Context(), attack.Client{URL: s.url, Key: key, Other: other.Result.ItemID})
			if err != nil {
				t.Fatal(err)
			}
			if err := a.Try(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			peak := watchHeap(t)
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			var tries atomic.Int64
			var g errgroup.Group
			for range attackers {
				g.Go(func() error {
					for ctx.Err() == nil {
						if err := a.Try(ctx, c); err != nil && ctx.Err() == nil {
							return err
						}
						tries.Add(1)
					}
					return nil
				})
			}
			for n := range 3 {
				before := tries.Load()
				s.t = t
				s.change("PUT", path+"/values/visits", write(10*i+n+1)).want(200)
				s.do("GET", path, "").want(200).has(fmt.Sprintf(`"value":%d`, 10*i+n+1))
				testkit.Eventually(t, "the attack goes on", func(context.Context) (struct{}, bool) {
					return struct{}{}, tries.Load() > before
				})
			}
			stop()
			if err := g.Wait(); err != nil {
				t.Error(err)
			}
			if grown := peak(); grown > attackedHeap {
				t.Errorf("the heap grew by %d MiB", grown>>20)
			}
		})
	}
}

// watchHeap measures the heap. peak ends it, and returns the largest growth in bytes.
func watchHeap(t *testing.T) (peak func() uint64) {
	t.Helper()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	base, most, done, ended := stats.HeapAlloc, stats.HeapAlloc, make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				runtime.ReadMemStats(&stats)
				most = max(most, stats.HeapAlloc)
			}
		}
	}()
	return func() uint64 {
		close(done)
		<-ended
		return most - base
	}
}
