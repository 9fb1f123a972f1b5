package api

import (
	"testing"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/vault"
)

// A key that waits as often as it can leaves room for the other keys of its tenant, and a tenant for the others.
func TestWaitingRequests_Limits(t *testing.T) {
	t.Parallel()
	tenant := uuid.New()
	newCaller := func(tenant uuid.UUID) caller { return caller{tenant: tenant, actor: vault.KeyActor(uuid.New())} }
	var w waitingRequests
	fill := func(c caller) (n int) {
		for w.enter(c) {
			n++
		}
		return n
	}
	first, second, third := newCaller(tenant), newCaller(tenant), newCaller(tenant)
	if n := fill(first); n != maxKeyWaiting {
		t.Errorf("one key has %d waiting requests", n)
	}
	if n := fill(second); n != maxTenantWaiting-maxKeyWaiting {
		t.Errorf("the second key has %d", n)
	}
	if n := fill(third); n != 0 {
		t.Errorf("the third key has %d beyond those of the tenant", n)
	}
	w.leave(first)
	if n := fill(third); n != 1 {
		t.Errorf("after one request left, %d entered", n)
	}
	others := 0
	for n := -1; n != 0; others += n {
		n = fill(newCaller(uuid.New()))
	}
	if others != maxWaiting-maxTenantWaiting {
		t.Errorf("all other tenants have %d", others)
	}
	for range maxKeyWaiting - 1 {
		w.leave(first)
	}
	if w.byKey[first.actor] != 0 || len(w.byKey) == 0 || w.all != maxWaiting-maxKeyWaiting+1 {
		t.Errorf("%d wait, %d of the first key", w.all, w.byKey[first.actor])
	}
}
