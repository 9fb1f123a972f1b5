package api_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/api"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/embedded/embeddedtest"
	"github.com/contextvault/contextvault/internal/testkit"
	"github.com/contextvault/contextvault/vault"
)

type (
	ctxType = context.Context
	testID  = uuid.UUID
)

func TestAuthorize_ScopesPerRoute(t *testing.T) {
	t.Parallel()
	s := newService(t, kit)
	agent := testkit.ID()
	s.change("PUT", "/v1/agents/"+agent.String()+"/definitions/plan", `{"value_type": "string", "enabled": true}`).
		want(200)
	customer := "/v1/customers/" + testkit.ID().String()
	write := fmt.Sprintf(`{"agent_id": %q, "value": "gold", "source": "user_provided"}`, agent)
	item := s.item(s.change("PUT", customer+"/values/plan", write).want(200))

	expired, expiredID := s.newKey("read")
	dbtest.Exec(t, s.DatabaseURL, "UPDATE api_keys SET expires_at = now() - interval '1 second' WHERE id = $1", expiredID)
	revoked, revokedID := s.newKey("admin")
	if _, err := s.DB.System().RevokeAPIKey(t.Context(), dbgen.RevokeAPIKeyParams{TenantID: s.tenant, ID: revokedID}); err != nil {
		t.Fatal(err)
	}
	reader, _ := s.newKey("read")
	writer, _ := s.newKey("write")
	admin, _ := s.newKey("admin")
	other := newService(t, kit)

	for _, c := range []struct {
		who, header string
		status      [6]int // read, write, force (an item, a customer), sweep, operation
	}{
		{"nobody", "", [6]int{401, 401, 401, 401, 401, 401}},
		{"no bearer", "Basic dXNlcjpwYXNz", [6]int{401, 401, 401, 401, 401, 401}},
		{"nothing after Bearer", "Bearer  ", [6]int{401, 401, 401, 401, 401, 401}},
		{"something that is no key", "Bearer hunter2", [6]int{401, 401, 401, 401, 401, 401}},
		{"a key that was never made", "Bearer " + api.NewKey(), [6]int{401, 401, 401, 401, 401, 401}},
		{"an expired key", "Bearer " + expired, [6]int{401, 401, 401, 401, 401, 401}},
		{"a revoked key", "Bearer " + revoked, [6]int{401, 401, 401, 401, 401, 401}},
		{"a reader", "Bearer " + reader, [6]int{200, 403, 403, 403, 403, 404}},
		{"a writer", "bearer " + writer, [6]int{403, 202, 403, 403, 403, 404}},
		{"an admin", "Bearer " + admin, [6]int{200, 202, 404, 202, 403, 404}},
		{"the operator", "Bearer " + adminToken, [6]int{403, 403, 403, 403, 202, 404}},
		{"a key of another tenant", "Bearer " + other.key, [6]int{404, 202, 404, 202, 403, 404}},
	} {
		auth := "Authorization: " + c.header
		got := [6]int{
			s.do("GET", customer, "", auth).status,
			s.do("PUT", customer+"/values/plan", write, auth).status,
			s.do("DELETE", "/v1/items/"+testkit.ID().String()+"?force=true", "", auth).status,
			s.do("DELETE", "/v1/customers/"+testkit.ID().String()+"?force=true", "", auth).status,
			s.do("POST", "/admin/profiles/expire-stale", "", auth).status,
			s.do("GET", "/v1/operations/"+testkit.ID().String(), "", auth).status,
		}
		if got != c.status {
			t.Errorf("%s: %v, want %v", c.who, got, c.status)
		}
	}

	if a := s.do("GET", customer, "", "Authorization: "); !strings.HasPrefix(a.header.Get("WWW-Authenticate"), "Bearer") {
		t.Errorf("no WWW-Authenticate: %v", a.header)
	}
	for _, path := range []string{"/v1/items/" + item.String() + "/chain", "/v1/items/" + item.String() + "/derived", "/v1/agents/" + agent.String() + "/definitions", customer + "/values/plan/history?limit=1"} {
		other.do("GET", path, "", "X-Tenant: "+s.tenant.String()).problem(404, vault.CodeUnknown)
	}
	other.do("DELETE", "/v1/items/"+item.String(), "").problem(404, vault.CodeUnknown)
	s.do("GET", customer+"/values/plan", "").want(200)
}

// Sweeps cover all tenants: they are the operator's alone, and so are their counts.
func TestAuthorize_AdminToken(t *testing.T) {
	t.Parallel()
	s := newService(t, kit)
	auth := "Authorization: Bearer " + adminToken
	var op api.Operation
	s.change("POST", "/admin/profiles/expire-stale", "", auth).want(200).into(&op)
	s.do("GET", "/v1/operations/"+op.ID.String(), "", auth).want(200)
	s.do("GET", "/v1/operations/"+op.ID.String(), "").want(404)
	for _, sweep := range []string{"expire-stale", "detect-orphans"} {
		path := "/admin/profiles/" + sweep
		s.do("POST", path, "").want(403).has("ADMIN_TOKEN")
		s.do("POST", path, "", auth, "X-Tenant: "+s.tenant.String()).problem(422, vault.CodeInvalid)
		s.do("POST", path, "", auth, "X-Tenant: x").problem(422, vault.CodeInvalid)
	}
	s.do("DELETE", "/admin/cache/profiles/"+testkit.ID().String(), "", auth).problem(422, vault.CodeInvalid)
	s.do("DELETE", "/admin/cache/profiles/"+testkit.ID().String(), "", auth, "X-Tenant: "+s.tenant.String()).want(204)
	without := newService(t, kit, func(o *api.Options) { o.AdminToken = "" })
	without.do("POST", "/admin/profiles/expire-stale", "", auth).problem(401, "unauthenticated")
	without.do("POST", "/admin/profiles/expire-stale", "", "Authorization: Bearer ").problem(401, "unauthenticated")
}

// A key with the scope admin sweeps its own tenant, and nothing of another one.
// It does not run beside other tests: some of them sweep all tenants.
//
//nolint:paralleltest // see above
func TestAuthorize_SweepOfOneTenant(t *testing.T) {
	s, other := newService(t, kit), newService(t, kit)
	items := map[*service]uuid.UUID{}
	for _, of := range []*service{s, other} {
		agent := testkit.ID()
		of.change("PUT", "/v1/agents/"+agent.String()+"/definitions/plan", `{"value_type": "string", "enabled": true}`).want(200)
		items[of] = of.item(of.change("PUT", "/v1/customers/"+testkit.ID().String()+"/values/plan",
			fmt.Sprintf(`{"agent_id": %q, "value": "gold", "source": "user_provided"}`, agent)).want(200))
		dbtest.Exec(t, of.DatabaseURL,
			"UPDATE customer_values SET expires_at = now() - interval '1 minute' WHERE id = $1", items[of])
	}
	for _, sweep := range []string{"/v1/sweeps/expire-values", "/v1/sweeps/detect-orphans"} {
		for _, scope := range []string{"read", "write", "verify", "review", "erase"} {
			weak, _ := s.newKey(scope)
			s.do("POST", sweep, "", "Authorization: Bearer "+weak).problem(403, vault.CodeNotAllowed)
		}
		s.do("POST", sweep, "", "Authorization: Bearer "+adminToken).problem(403, vault.CodeNotAllowed)
		s.do("POST", sweep, "", "Authorization: ").problem(401, "unauthenticated")
		admin, _ := s.newKey("admin")
		s.change("POST", sweep, `{"all_tenants": true}`, "Authorization: Bearer "+admin).want(200)
	}
	for of, want := range map[*service]string{s: "expired", other: "active"} {
		var status string
		dbtest.Scan(t, of.DatabaseURL, &status, "SELECT status FROM customer_values WHERE id = $1", items[of])
		if status != want {
			t.Errorf("the value of a tenant is %s, want %s", status, want)
		}
	}
}

func TestFindKey_CachesAndRecordsUse(t *testing.T) {
	t.Parallel()
	s := newService(t, kit)
	key, id := s.newKey("read")
	auth := "Authorization: Bearer " + key
	s.do("GET", "/v1/questions", "", auth).want(200)
	rows, err := s.DB.System().ListAPIKeys(t.Context(), s.tenant)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		if row.ID == id && (row.LastUsedAt == nil || time.Since(*row.LastUsedAt) > time.Minute) {
			t.Errorf("last used at %v", row.LastUsedAt)
		}
	}
	if _, err := s.DB.System().RevokeAPIKey(t.Context(), dbgen.RevokeAPIKeyParams{TenantID: s.tenant, ID: id}); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "the revoked key is refused", func(ctxType) (struct{}, bool) {
		return struct{}{}, s.do("GET", "/v1/questions", "", auth).status == 401
	})
}

func TestRateLimit_ExceededKeyIsRefused(t *testing.T) {
	t.Parallel()
	s := newService(t, kit, func(o *api.Options) { o.RateLimit = 1 })
	other, _ := s.newKey("read")
	held := testkit.Eventually(t, "a request is held back", func(ctxType) (answer, bool) {
		a := s.do("GET", "/v1/questions", "")
		return a, a.status == 429
	})
	held.problem(429, "rate_limited")
	if held.header.Get("Retry-After") != "1" {
		t.Errorf("Retry-After: %s", held.header.Get("Retry-After"))
	}
	if policy, left := held.header.Get("RateLimit-Policy"), held.header.Get("RateLimit"); policy != `"key";q=10;w=1` ||
		left != `"key";r=0;t=1` {
		t.Errorf("the policy is %s, and left is %s", policy, left)
	}
	free := s.do("GET", "/v1/questions", "", "Authorization: Bearer "+other).want(200)
	if left := free.header.Get("RateLimit"); left != `"key";r=9;t=1` {
		t.Errorf("after one read there is left %s", left)
	}
	// A change costs as much as ten reads.
	writer, _ := s.newKey("write")
	changed := s.do("PUT", "/v1/customers/"+testkit.ID().String()+"/label", `{"label": "VIP"}`, "Authorization: Bearer "+writer)
	if left := changed.header.Get("RateLimit"); changed.status != 202 || left != `"key";r=0;t=1` {
		t.Errorf("after one change, %d, there is left %s", changed.status, left)
	}
	s.do("GET", "/healthz", "", "Authorization: ").want(200)
}

func TestRateLimit_UnknownKeys(t *testing.T) {
	t.Parallel()
	s := newService(t, kit, func(o *api.Options) { o.RateLimit = 10 })
	s.do("GET", "/v1/questions", "").want(200) // the key is known now
	held := testkit.Eventually(t, "unknown keys are held back", func(ctxType) (answer, bool) {
		a := s.do("GET", "/v1/questions", "", "Authorization: Bearer "+api.NewKey())
		return a, a.status == 429
	})
	held.problem(429, "rate_limited")
	if held.header.Get("Retry-After") != "1" {
		t.Errorf("Retry-After: %s", held.header.Get("Retry-After"))
	}
	s.do("GET", "/v1/questions", "").want(200) // of the same address
}

func TestServer_WorksWithoutEngine(t *testing.T) {
	t.Parallel()
	engine := embeddedtest.Start(t)
	k := testkit.On(t, engine)
	s := newService(t, k)
	if err := k.StartWorker(); err != nil {
		t.Fatal(err)
	}
	agent, customer := testkit.ID(), "/v1/customers/"+testkit.ID().String()
	s.change("PUT", "/v1/agents/"+agent.String()+"/definitions/plan", `{"value_type": "string", "enabled": true}`).
		want(200)
	write := fmt.Sprintf(`{"agent_id": %q, "value": "gold", "source": "user_provided"}`, agent)
	s.change("PUT", customer+"/values/plan", write).want(200)
	if err := k.StopWorker(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), testkit.Patience)
	defer cancel()
	if err := engine.Shutdown(ctx); err != nil {
		t.Logf("stop engine: %v", err)
	}
	start := time.Now()
	for range 10 {
		s.do("GET", customer, "").want(200)
		var op api.Operation
		s.do("PUT", customer+"/values/plan", write).want(202).into(&op)
		s.do("GET", "/v1/operations/"+op.ID.String(), "").want(200).into(&op)
		if op.Status != vault.OperationAccepted {
			t.Errorf("without the engine the write is %s", op.Status)
		}
	}
	// a push to a missing engine takes 17 seconds; no request waits for it
	if took := time.Since(start); took > testkit.Patience {
		t.Errorf("ten reads and writes took %s", took)
	}
	a := s.do("PUT", customer+"/values/plan", write, "Prefer: wait=1").want(202)
	if a.header.Get("Preference-Applied") != "wait=1" {
		t.Errorf("got %v", a.header)
	}
	s.do("GET", "/readyz", "").want(200)
}
