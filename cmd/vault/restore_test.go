package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/embedded/embeddedtest"
	"github.com/contextvault/contextvault/internal/testkit"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// A dump that is restored into a new cluster without the roles of the vault is refused by all, and repaired. Restored as
// docs/backup.md says, it is read with the sealing key, and not without.
func TestRestore_IntoANewCluster(t *testing.T) {
	t.Parallel()
	kit := testkit.On(t, embeddedtest.Start(t))
	s := &system{Kit: kit, t: t, tenant: kit.Tenant(t), agent: testkit.ID()}
	startWorker(t, kit)
	s.applied(trigger.Submit(t.Context(), s.Trigger, s.tenant, vault.SaveDefinition, vault.Definition{
		AgentID: s.agent, Name: "passport", ValueType: vault.TypeString, Enabled: true, EncryptionRequired: true,
	}))
	customer := testkit.ID()
	s.applied(trigger.Submit(t.Context(), s.Trigger, s.tenant, vault.WriteValue, vault.WriteValueInput{
		AgentID: s.agent, CustomerID: customer, Name: "passport", Value: json.RawMessage(`"X4711"`), Source: vault.ValueUserProvided,
	}))
	key, _, err := kit.APIKey(t.Context(), s.tenant, "read")
	if err != nil {
		t.Fatal(err)
	}
	dump := filepath.Join(t.TempDir(), "vault.dump")
	postgres(t, "pg_dump", "--format=custom", "--file="+dump, kit.DatabaseURL)
	if text, err := os.ReadFile(dump); err != nil || strings.Contains(string(text), "X4711") {
		t.Errorf("the dump shows the sealed value (%v)", err)
	}

	cluster := testkit.StartPostgres(t)
	admin := cluster.URL
	withoutRoles(t, admin)

	// Without the roles, the tables and rows are restored, and nothing that protects them.
	lost := createDatabase(t, admin, "lost")
	if out, err := tool("pg_restore", "--dbname="+lost, dump); err == nil || !strings.Contains(out, `role "vault_app" does not exist`) {
		t.Fatalf("pg_restore without roles: %v\n%s", err, out)
	}
	owner := []string{"MIGRATE_DATABASE_URL=" + lost}
	stdout, _, code := run(t, owner, "migrate", "verify")
	for _, want := range []string{
		"role vault_app: is missing; to repair it: CREATE ROLE vault_app NOLOGIN",
		"policy one_tenant on customer_values: is missing", "grant SELECT on TABLE customer_values to vault_app: is missing",
	} {
		if code != 1 || !strings.Contains(stdout, want) {
			t.Errorf("verify exited with %d and does not say %q:\n%s", code, want, stdout)
		}
	}
	if _, stderr, code := run(t, owner, "migrate", "up"); code != 1 || !strings.Contains(stderr, "vault migrate repair") {
		t.Errorf("migrate up exited with %d and said %s", code, stderr)
	}
	createRoles(t, admin)
	serving := func(database string, key string) []string {
		return append(dbtest.Environ(database), "VAULT_SEALING_KEY="+key, "VAULT_API_LISTEN_ADDRESS=127.0.0.1:0")
	}
	sealing := kit.Config.SealingKey.Reveal()
	for _, role := range []string{"serve", "worker"} {
		if _, stderr, code := run(t, append(serving(lost, sealing), kit.Engine.Env()...), role); code != 1 ||
			!strings.Contains(stderr, "vault migrate repair") {
			t.Errorf("%s exited with %d and said %s", role, code, stderr)
		}
	}
	if stdout, stderr, code := run(t, owner, "migrate", "repair"); code != 0 ||
		!strings.Contains(stdout, "repaired  policy one_tenant on customer_values") {
		t.Errorf("migrate repair exited with %d and said %s%s", code, stdout, stderr)
	}
	verified(t, lost)
	if got := passport(t, serving(lost, sealing), key, customer.String()); !strings.Contains(got, `"X4711"`) {
		t.Errorf("after the repair: %s", got)
	}
	// One difference that leaves the grants: the check of the catalogue refuses it, not PostgreSQL.
	dbtest.Exec(t, lost, "ALTER TABLE customer_values NO FORCE ROW LEVEL SECURITY")
	if _, stderr, code := run(t, serving(lost, sealing), "serve"); code != 1 ||
		!strings.Contains(stderr, "row security customer_values") || !strings.Contains(stderr, "docs/backup.md") {
		t.Errorf("serve exited with %d and said %s", code, stderr)
	}
	claims := `{"sub": "01a22600-0000-7000-8000-000000000000", "server_url": "http://127.0.0.1:1", "grpc_broadcast_address": "127.0.0.1:1", "exp": 4102444800}`
	token := "HATCHET_CLIENT_TOKEN=e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".none"
	if _, stderr, code := run(t, append(serving(lost, sealing), token), "worker"); code != 1 ||
		!strings.Contains(stderr, "row security customer_values") || !strings.Contains(stderr, "docs/backup.md") {
		t.Errorf("worker exited with %d and said %s", code, stderr)
	}

	// As docs/backup.md says: the roles exist.
	restored := createDatabase(t, admin, "restored")
	postgres(t, "pg_restore", "--exit-on-error", "--dbname="+restored, dump)
	postgres(t, "psql", "--no-psqlrc", "--quiet", "--file=../../deploy/postgres/database.sql", restored)
	verified(t, restored)
	if got := passport(t, serving(restored, sealing), key, customer.String()); !strings.Contains(got, `"X4711"`) {
		t.Errorf("after the restore: %s", got)
	}
	_, another, _ := strings.Cut(sealingKey(t), "=")
	if got := passport(t, serving(restored, another), key, customer.String()); strings.Contains(got, "X4711") {
		t.Errorf("with another sealing key it is read: %s", got)
	}
}

// Who was erased after a backup is back after its restore, and is erased again from a record of the erasures: also a
// customer who was merged only later. Late imports are refused, the others have everything, and receipts stay.
func TestRestore_ErasesAgain(t *testing.T) {
	t.Parallel()
	kit := testkit.On(t, embeddedtest.Start(t))
	s := &system{Kit: kit, t: t, tenant: kit.Tenant(t), agent: testkit.ID()}
	startWorker(t, kit)
	s.applied(trigger.Submit(t.Context(), s.Trigger, s.tenant, vault.SaveDefinition, vault.Definition{
		AgentID: s.agent, Name: "passport", ValueType: vault.TypeString, Enabled: true,
	}))
	gone, merged, stays := testkit.ID(), testkit.ID(), testkit.ID()
	writing := func(customer uuid.UUID) vault.WriteValueInput {
		return vault.WriteValueInput{
			AgentID: s.agent, CustomerID: customer, Name: "passport",
			Value: json.RawMessage(`"CANARY-` + customer.String() + `"`), Source: vault.ValueUserProvided,
		}
	}
	for _, customer := range []uuid.UUID{gone, merged, stays} {
		s.applied(trigger.Submit(t.Context(), s.Trigger, s.tenant, vault.WriteValue, writing(customer)))
	}
	s.applied(trigger.Submit(t.Context(), s.Trigger, s.tenant, vault.LinkChannel, vault.LinkChannelInput{
		CustomerID: gone, Channel: "sms", ExternalID: "+4915112345678",
	}))
	folder := t.TempDir()
	dump, record := filepath.Join(folder, "vault.dump"), filepath.Join(folder, "erased.jsonl")
	postgres(t, "pg_dump", "--format=custom", "--file="+dump, kit.DatabaseURL)

	// After the backup.
	s.applied(trigger.Submit(t.Context(), s.Trigger, s.tenant, vault.MergeCustomers, vault.MergeCustomersInput{
		SourceCustomerID: merged, TargetCustomerID: gone,
	}))
	erasure, err := trigger.Submit(t.Context(), s.Trigger, s.tenant, vault.EraseCustomer, vault.EraseCustomerInput{
		CustomerID: gone,
	})
	s.applied(erasure, err)
	out, errs, code := run(t, kit.Environ(), "erasure", "record", "--output", record)
	text, err := os.ReadFile(record)
	if code != 0 || err != nil || !strings.Contains(out, "erasures  1") {
		t.Fatalf("record exited with %d, said %s%s, and wrote %s (%v)", code, out, errs, text, err)
	}
	for _, personal := range []string{gone.String(), merged.String(), "CANARY", "4915112345678"} {
		if strings.Contains(string(text), personal) {
			t.Errorf("the record has %s", personal)
		}
	}

	cluster := testkit.StartPostgres(t)
	restored := createDatabase(t, cluster.URL, "restored")
	createRoles(t, cluster.URL)
	postgres(t, "pg_restore", "--exit-on-error", "--dbname="+restored, dump)
	postgres(t, "psql", "--no-psqlrc", "--quiet", "--file=../../deploy/postgres/database.sql", restored)
	environ := append(kit.Environ(), dbtest.Environ(restored)...)
	holders := func(what string) (found []string) {
		for line := range strings.Lines(data(t, restored)) {
			if strings.Contains(line, what) {
				found = append(found, line)
			}
		}
		return found
	}
	if len(holders(gone.String())) == 0 || len(holders("+4915112345678")) == 0 {
		t.Fatal("the backup does not bring them back, so the test proves nothing")
	}
	for i, want := range []string{"customers erased again  2", "customers erased again  0"} {
		out, errs, code := run(t, environ, "erasure", "repeat", "--from", record)
		if code != 0 || !strings.Contains(out, want) {
			t.Fatalf("repeat %d exited with %d and said %s%s", i, code, out, errs)
		}
	}
	for _, personal := range []string{"CANARY-" + gone.String(), "CANARY-" + merged.String(), "+4915112345678"} {
		if found := holders(personal); len(found) != 0 {
			t.Errorf("after the repetition the database has %s: %v", personal, found)
		}
	}
	if len(holders("CANARY-"+stays.String())) == 0 {
		t.Error("the customer who was not erased is gone")
	}
	if len(holders(erasure.ID.String())) == 0 {
		t.Error("the erasure of before is not among the erasures")
	}
	for name, content := range map[string]string{"no record": `{"a": 1}`, "nothing": "", "no JSON": "x"} {
		bad := filepath.Join(folder, "bad")
		if err := os.WriteFile(bad, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, errs, code := run(t, environ, "erasure", "repeat", "--from", bad); code != 1 || !strings.Contains(errs, "vault erasure record") {
			t.Errorf("%s: exited with %d and said %s", name, code, errs)
		}
	}
}

// data returns the rows of a database.
func data(t *testing.T, database string) string {
	t.Helper()
	out, err := tool("pg_dump", "--data-only", database)
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return out
}

func verified(t *testing.T, database string) {
	t.Helper()
	if stdout, stderr, code := run(t, []string{"DATABASE_URL=" + database}, "migrate", "verify"); code != 0 {
		t.Errorf("verify exited with %d and said %s%s", code, stdout, stderr)
	}
}

// passport reads the field from an API on a database, and returns the response.
func passport(t *testing.T, environ []string, key, customer string) string {
	t.Helper()
	server := startWith(t, "serve", environ)
	defer server.kill()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+server.health+"/v1/customers/"+customer, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// withoutRoles removes the roles and logins of the vault, so that the cluster is as initdb makes one.
func withoutRoles(t *testing.T, admin string) {
	t.Helper()
	var roles []string
	dbtest.Scan(t, admin, &roles, "SELECT array_agg(rolname::text) FROM pg_roles WHERE rolname LIKE 'vault\\_%'")
	if !slices.Contains(roles, "vault_app") {
		t.Fatalf("the roles are %v", roles)
	}
	dbtest.Exec(t, admin, "REASSIGN OWNED BY vault_owner TO CURRENT_USER")
	for _, role := range roles {
		dbtest.Exec(t, admin, "DROP OWNED BY "+role)
		dbtest.Exec(t, admin, "DROP ROLE "+role)
	}
}

// createRoles creates the roles with the file of the procedure, and the logins of the tests.
func createRoles(t *testing.T, admin string) {
	t.Helper()
	postgres(t, "psql", "--no-psqlrc", "--quiet", "-v", "owner_password=o", "-v", "app_password=a", "-v", "system_password=s",
		"-v", "hatchet_password=h", "--file=../../deploy/postgres/roles.sql", admin)
	if err := dbtest.CreateLogins(t.Context(), admin); err != nil {
		t.Fatal(err)
	}
}

func createDatabase(t *testing.T, admin, name string) string {
	t.Helper()
	dbtest.Exec(t, admin, "CREATE DATABASE "+name)
	u, err := url.Parse(admin)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

// postgres runs a program of PostgreSQL that must succeed.
func postgres(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := tool(name, args...); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

// tool runs a program of PostgreSQL and returns its output. Debian keeps those of each version in a folder.
func tool(name string, args ...string) (string, error) {
	path := name
	if found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name); len(found) > 0 {
		path = slices.Max(found)
	}
	ctx, cancel := context.WithTimeout(context.Background(), testkit.Patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, args...).CombinedOutput()
	return string(out), err
}
