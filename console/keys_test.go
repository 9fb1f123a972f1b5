package console_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/vault"
)

var secretOf = regexp.MustCompile(`id="secret" class="id">(cv_[^<]+)<`)

// A key is created with its rights, is shown once, opens a session and is revoked.
func TestKeys_CreateAndRevoke(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.visitor(w.key)
	v.get("/keys").want(200).has("API keys", "of this session")
	v.post("/keys", "name", hostile, "purpose", "kept").want(422).has("Choose at least one scope.")
	v.post("/keys", "name", "runtime", "scope", "read", "purpose", "offers").want(422).has("save the definition")
	v.post("/keys", "scope", "read").want(422).has("Enter the purpose of the key.")
	v.post("/keys", "name", "late", "scope", "read", "expires", "2001-01-01").want(422).has("is in the past")
	odd := v.post("/keys", "name", "odd", "scope", "root").want(422)
	if !regexp.MustCompile(`id="scopes-error" class="error">\s*[^<\s]`).MatchString(odd.body) ||
		!strings.Contains(odd.body, `value="odd"`) {
		t.Errorf("the error is not beside its field, or what was typed is gone: %s", odd.body)
	}
	p := v.post("/keys", "name", "night shift", "scope", "read", "scope", "review", "masked", "yes",
		"expires", time.Now().AddDate(0, 1, 0).Format(time.DateOnly)).want(200).has("The new key: night shift", "Store it now")
	secret := secretOf.FindStringSubmatch(p.body)
	if secret == nil {
		t.Fatalf("the page has no key: %s", p.body)
	}
	v.get("/keys").want(200).has("night shift", "read, review", "masked values only").lacks(secret[1])
	w.visitor(secret[1]).get("/keys").want(403)
	keys, _, err := kit.Query.KeysPage(t.Context(), w.tenant, nil, 10)
	if err != nil || len(keys) != 2 || keys[0].Name != "night shift" || !keys[0].Masked {
		t.Fatalf("the keys are %+v, %v", keys, err)
	}
	v.post("/keys/"+keys[0].ID.String()+"/revoke").want(200).has("revoke-key succeeded.", "revoked")
	entries, _, err := kit.Query.AuditPage(t.Context(), w.tenant, vault.AuditFilter{Subject: keys[0].ID.String()}, nil, 10)
	if err != nil {
		t.Fatal(err)
	}
	var actions []string
	for _, e := range entries {
		if !strings.HasPrefix(string(e.Actor), "console:") {
			t.Errorf("the entry %+v has another actor", e)
		}
		actions = append(actions, string(e.Action))
	}
	if got := strings.Join(actions, " "); !strings.Contains(got, "key_created") || !strings.Contains(got, "key_revoked") {
		t.Errorf("the audit has %s", got)
	}
}

// A key that sees masked values only makes none that sees them.
func TestKeys_MaskedMakesMasked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	masked := w.visitor(w.newKey(func(in *dbgen.CreateAPIKeyParams) { in.Masked = true }, "admin"))
	masked.get("/keys").want(200)
	masked.post("/keys", "name", "eyes", "scope", "read").want(403).has("can create only masked keys")
	masked.post("/keys", "name", "none", "scope", "read", "masked", "yes").want(200).has("The new key")
}

// The audit is filtered, read page by page and verified.
func TestAudit_FiltersAndVerification(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.define(nil, "plan")
	for range 60 {
		w.write("plan", "gold")
	}
	v := w.visitor(w.key)
	p := v.get("/audit?operation=write-value").want(200).has("write-value").lacks("save-definition")
	next := regexp.MustCompile(`href="/console(/audit\?[^"]*page=[^"]+)"`).FindStringSubmatch(p.body)
	if next == nil {
		t.Fatalf("there is no next page: %s", p.body)
	}
	v.get(strings.ReplaceAll(next[1], "&amp;", "&")).want(200).has("write-value")
	v.get("/audit?actor=nobody").want(422).has("is not an actor")
	v.get("/audit?from=yesterday").want(422).has("Enter a day")
	v.get("/audit?action=stolen").want(422).has("Choose one of the actions.")
	v.get("/audit?page=x").want(422)
	v.post("/audit/verify").want(200).has("Nothing was changed:")
	v.post("/audit/verify", "expect", "1").want(422)
	v.get("/usage").want(200).has("The language model was not used.")
}

// Owed operations are pushed, and the tenant is swept, by an admin of the tenant. A sweep of all tenants needs the admin
// token too.
func TestOperations_RelayAndSweep(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.visitor(w.key)
	v.get("/operations").want(200).has("Push what is owed", "Sweep this tenant", "Sweep all tenants")
	v.post("/operations/relay").want(200).has("0 owed operations are pushed again")
	other := newWorld(t)
	for _, of := range []*world{w, other} {
		of.define(nil, "plan")
		dbtest.Exec(t, kit.DatabaseURL,
			"UPDATE customer_values SET expires_at = now() - interval '1 minute' WHERE id = $1", of.write("plan", "gold"))
	}
	v.post("/operations/sweep-own", "sweep", "drop-tables").want(422).has("Choose a sweep.")
	v.post("/operations/sweep-own", "sweep", "expire-values").want(200).
		has("expire-values succeeded. Items marked: 1. Customers: 1.")
	v.post("/operations/sweep-own", "sweep", "detect-orphans").want(200).has("detect-orphans succeeded. Items marked: 0.")
	for of, want := range map[*world]string{w: "expired", other: "active"} {
		var status string
		dbtest.Scan(t, kit.DatabaseURL, &status, "SELECT status FROM customer_values WHERE tenant_id = $1", of.tenant)
		if status != want {
			t.Errorf("the value of a tenant is %s, want %s", status, want)
		}
	}
	v.post("/operations/sweep", "sweep", "expire-values", "admin_token", w.key).want(403).
		has("not the ADMIN_TOKEN", "Nothing was changed.")
	v.post("/operations/sweep", "sweep", "drop-tables", "admin_token", adminToken).want(422).has("Choose a sweep.")
	v.post("/operations/sweep", "sweep", "expire-values", "admin_token", adminToken).want(200).
		has("expire-values succeeded. Items marked: ")
}
