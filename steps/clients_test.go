package steps_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// deed is one random operation of a client. It picks existing customers and items.
type deed struct {
	Kind           string
	Customer, Name int
	Pick, Other    int
	Runs           string // "once", "twice", or "at once" by two workers
}

// deedKinds lists the kinds of deeds; a kind that is listed twice is twice as likely.
var deedKinds = []string{
	"write", "write", "write", "write", "derive", "derive", "expiring", "accept", "accept", "run late", "run late",
	"import", "verify",
	"asset", "asset", "replace asset", "delete", "force delete", "restore", "restore", "expire", "orphan", "merge",
	"merge", "unmerge",
	"unmerge", "link", "consent", "read", "read",
}

var deeds = rapid.Custom(func(rt *rapid.T) deed {
	return deed{
		Kind: rapid.SampledFrom(deedKinds).Draw(rt, "kind"), Customer: rapid.IntRange(0, 4).Draw(rt, "customer"),
		Name: rapid.IntRange(0, len(actFields)-1).Draw(rt, "name"), Pick: rapid.IntRange(0, 1000).Draw(rt, "pick"),
		Other: rapid.IntRange(0, 4).Draw(rt, "other"),
		Runs:  rapid.SampledFrom([]string{"once", "once", "twice", "at once"}).Draw(rt, "runs"),
	}
})

// town is a few customers of one tenant and their clients.
type town struct {
	*world
	customers []uuid.UUID

	mu       sync.Mutex
	items    []uuid.UUID // ids of values and assets
	late     []job       // accepted and not run yet
	restored map[uuid.UUID]bool
	unmerged bool
	n        int
}

// job is an accepted operation with its steps.
type job struct {
	ev    vault.Event
	steps []string
}

func (s *town) pick(n int) uuid.UUID {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.items) == 0 {
		return newID()
	}
	return s.items[n%len(s.items)]
}

func (s *town) add(id uuid.UUID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.items = append(s.items, id)
}

func (s *town) value() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n++
	return fmt.Sprintf("v%d@example.com", s.n)
}

// write accepts a write with an id of its own.
func (s *town) write(d deed, change ...func(*vault.WriteValueInput)) job {
	id := newID()
	c := s.as(s.customers[d.Customer])
	ev := c.accept(actFields[d.Name], text(s.value()), append(change, named(id))...)
	s.add(id)
	return job{ev, writeValue}
}

// accepted accepts the operation of a deed.
func (s *town) accepted(d deed) (job, bool) {
	c := s.as(s.customers[d.Customer])
	ctx := s.t.Context()
	switch d.Kind {
	case "write":
		return s.write(d), true
	case "derive":
		return s.write(d, from(s.pick(d.Pick))), true
	case "expiring":
		soon := time.Now().Add(time.Duration(d.Pick%30) * time.Millisecond)
		return s.write(d, func(in *vault.WriteValueInput) { in.ExpiresAt = &soon }), true
	case "accept":
		j := s.write(d)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.late = append(s.late, j)
		return job{}, false
	case "run late":
		s.mu.Lock()
		defer s.mu.Unlock()
		if len(s.late) == 0 {
			return job{}, false
		}
		i := d.Pick % len(s.late)
		j := s.late[i]
		s.late = append(s.late[:i], s.late[i+1:]...)
		return j, true
	case "import":
		var writes []vault.WriteValueInput
		for i := range 3 {
			id := newID()
			writes = append(
				writes, s.as(s.customers[(d.Customer+i)%len(s.customers)]).fact(actFields[d.Name], s.value(), named(id)),
			)
			s.add(id)
		}
		return job{c.importing(d.Pick%2 == 0, writes...), importValues}, true
	case "verify":
		return job{s.event(trigger.Submit(ctx, s.trigger, s.tenant, vault.VerifyValue, vault.VerifyValueInput{
			AgentID: s.agent, CustomerID: c.customer, Name: actFields[d.Name], Method: "code",
		})), verifyValue}, true
	case "asset", "replace asset":
		return job{c.acceptAsset("x", func(in *vault.AddAssetInput) {
			in.Name, in.SupersedeExisting = actFields[d.Name], d.Kind == "replace asset"
			if d.Pick%2 == 0 {
				source := s.pick(d.Pick)
				in.SourceItemID, in.SourceItemType = &source, vault.SourceProfileField
			}
		}), addAsset}, true
	case "delete", "force delete":
		return job{
			s.bypass(vault.DeleteItem.Name, c.customer, vault.DeleteItemInput{
				ItemID: s.pick(d.Pick), Force: d.Kind != "delete",
			}),
			deleteItem,
		}, true
	case "restore":
		item := s.pick(d.Pick)
		s.mu.Lock()
		s.restored[item] = true
		s.mu.Unlock()
		return job{s.bypass(vault.RestoreItem.Name, c.customer, vault.RestoreItemInput{ItemID: item}), restoreItem}, true
	case "expire":
		return job{
			s.event(trigger.Submit(ctx, s.trigger, s.tenant, vault.ExpireValues, vault.Sweep{})),
			[]string{"Sweeps.ExpireValues", "Caches.InvalidateAndAcknowledge"},
		}, true
	case "orphan":
		return job{
			s.event(trigger.Submit(ctx, s.trigger, s.tenant, vault.DetectOrphans, vault.Sweep{})),
			[]string{"Sweeps.DetectOrphans", "Caches.InvalidateAndAcknowledge"},
		}, true
	case "merge":
		source, target := c.customer, s.customers[d.Other]
		if source == target {
			return job{}, false
		}
		return job{s.merging(source, target), mergeCustomers}, true
	case "unmerge":
		s.mu.Lock()
		s.unmerged = true
		s.mu.Unlock()
		return job{s.unmerging(c.customer), unmergeCustomer}, true
	case "link":
		return job{c.link("sms", fmt.Sprint(d.Other)), linkChannel}, true
	case "consent":
		return job{c.consent(d.Pick%2 == 0), recordConsent}, true
	default: // a read fills the cache
		_, _ = readerOf(s.world).Profile(ctx, s.tenant, c.customer)
		_, _ = readerOf(s.world).Chain(ctx, s.tenant, s.pick(d.Pick), 0)
		return job{}, false
	}
}

// runs runs the steps of an operation in order. A rejection is an outcome, not an error.
func (s *town) runs(ctx context.Context, j job) error {
	for _, name := range j.steps {
		if _, err := s.step(name)(ctx, j.ev); err != nil {
			if vault.Permanent(err) {
				return nil
			}
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func (s *town) do(ctx context.Context, d deed) error {
	j, ok := s.accepted(d)
	if !ok {
		return nil
	}
	again := make(chan error, 1)
	if d.Runs == "at once" {
		go func() { again <- s.runs(ctx, j) }()
	} else {
		again <- nil
	}
	err := s.runs(ctx, j)
	if second := <-again; err == nil {
		err = second
	}
	if err == nil && d.Runs == "twice" {
		err = s.runs(ctx, j)
	}
	return err
}

// clients runs the deeds of several clients concurrently and returns the first error of each.
func (s *town) clients(ctx context.Context, scripts [][]deed) []string {
	failed := make([]error, len(scripts))
	var wg sync.WaitGroup
	for i, script := range scripts {
		wg.Go(func() {
			for _, d := range script {
				if err := s.do(ctx, d); err != nil {
					failed[i] = fmt.Errorf("%+v: %w", d, err)
					return
				}
			}
		})
	}
	wg.Wait()
	var out []string
	for _, err := range failed {
		if err != nil {
			out = append(out, err.Error())
		}
	}
	return out
}

// profileVersions returns the version of every profile.
func (s *town) profileVersions() map[string]int {
	s.t.Helper()
	out := map[string]int{}
	for _, c := range s.customers {
		out[c.String()] = s.count("SELECT coalesce(max(version), 0) FROM customer_profiles WHERE customer_id = $1", c)
	}
	return out
}

// revived returns the versions that were superseded before and are active now.
func revived(before, after map[uuid.UUID]version, restored map[uuid.UUID]bool) []string {
	var out []string
	for id, was := range before {
		if now := after[id]; was.Status == "superseded" && now.Status != "superseded" && !restored[id] {
			out = append(out, fmt.Sprintf("was %s, is %s", was, now))
		}
	}
	return out
}

// The rules hold for concurrent clients, in any order and with repeated runs of steps.
func TestSteps_RulesHoldForConcurrentClients(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.define(
		vault.Definition{Name: "plan", ValueType: vault.TypeString},
		vault.Definition{Name: "email", ValueType: vault.TypeString},
		vault.Definition{Name: "code", ValueType: vault.TypeString},
	)
	rapid.Check(t, func(rt *rapid.T) {
		s := &town{world: w, restored: map[uuid.UUID]bool{}}
		for range 5 {
			s.customers = append(s.customers, newID())
			w.as(s.customers[len(s.customers)-1]).write("plan", text("first"))
		}
		versions, was := s.versions(), s.profileVersions()
		for round := range 2 {
			scripts := rapid.SliceOfN(rapid.SliceOfN(deeds, 2, 10), 2, 4).Draw(rt, fmt.Sprint("clients ", round))
			s.unmerged = false
			if failed := s.clients(t.Context(), scripts); len(failed) > 0 {
				rt.Fatalf("failed: %s", strings.Join(failed, "\n"))
			}
			if round == 1 { // accepted operations run later
				for _, j := range s.late {
					if err := s.runs(t.Context(), j); err != nil {
						rt.Fatal(err)
					}
				}
			}
			after := s.versions()
			if back := revived(versions, after, s.restored); len(back) > 0 && !s.unmerged {
				rt.Fatalf("superseded, and active again: %s", strings.Join(back, "\n"))
			}
			now := s.profileVersions()
			for customer, version := range was {
				if now[customer] < version {
					rt.Fatalf("the profile of %s went from version %d to %d", customer, version, now[customer])
				}
			}
			versions, was = after, now
			if broken := s.brokenHistories(); len(broken) > 0 {
				rt.Fatalf("histories: %s", strings.Join(broken, "\n"))
			}
			if n := s.count(strandedAssets, s.tenant); n > 0 {
				rt.Fatalf("%d documents are superseded by none, by an older one, or by one of another customer", n)
			}
			if n := s.count(sourceless, s.tenant); n > 0 {
				rt.Fatalf("%d items are active without their source", n)
			}
			if n := s.count(`SELECT count(*) FROM customer_profiles a JOIN customer_profiles b ON b.id = a.merged_into_id
				WHERE b.merged_into_id IS NOT NULL OR a.deleted_at IS NULL`); n > 0 {
				rt.Fatalf("%d profiles lead to one that leads on", n)
			}
			if stale := s.staleReads(t.Context(), s.customers); len(stale) > 0 {
				rt.Fatalf("the cache and the database differ: %s", strings.Join(stale, "\n"))
			}
		}
		w.sql("DELETE FROM customer_assets")
		w.sql("DELETE FROM customer_values")
		w.sql("DELETE FROM channel_identities")
	})
}

// sourceless counts active items without a source: a deletion must orphan them in its transaction.
const sourceless = `
	SELECT count(*) FROM (
	    SELECT tenant_id, source_item_id FROM customer_values WHERE status = 'active' AND deleted_at IS NULL
	    UNION ALL
	    SELECT tenant_id, source_item_id FROM customer_assets WHERE status = 'active' AND deleted_at IS NULL
	) i
	WHERE tenant_id = $1 AND source_item_id IS NOT NULL
	  AND NOT EXISTS (SELECT 1 FROM customer_values s WHERE s.id = i.source_item_id AND s.deleted_at IS NULL)
	  AND NOT EXISTS (SELECT 1 FROM customer_assets s WHERE s.id = i.source_item_id AND s.deleted_at IS NULL)`

// strandedAssets counts assets with a wrong place in the history of their name.
const strandedAssets = `
	SELECT count(*) FROM customer_assets a LEFT JOIN customer_assets b ON b.id = a.superseded_by_id
	WHERE a.tenant_id = $1 AND (
	    (a.status = 'superseded') <> (b.id IS NOT NULL)
	    OR (b.accepted_at, b.operation_id) < (a.accepted_at, a.operation_id)
	    OR b.profile_id <> a.profile_id OR b.name <> a.name)`
