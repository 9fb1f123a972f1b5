package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/embedded/embeddedtest"
	"github.com/contextvault/contextvault/internal/testkit"
	"github.com/contextvault/contextvault/vault"
)

// customerValues returns all values of the demo that only the customer and the vault may know.
func customerValues() []string {
	c := customer
	return []string{
		c.name,
		c.email,
		c.country,
		c.laterCountry,
		c.born,
		c.notAnAccount,
		c.notAnEmail,
		c.notADate,
		c.loyaltyNumber,
		c.wantsSavings,
		c.saysEmail,
		"Marchetti",
		"ada.quill",
		readmeEmail,
	}
}

// The engine keeps its inputs in plain text for weeks, and shows them in its dashboard. So after the whole quickstart,
// no value of the customer may be in a table of the engine, a log, a Redis key or an operation.
func TestDemo_LeaksNoCustomerValue(t *testing.T) {
	logs := captureStderr(t)
	databaseURL := dbtest.URL(t)
	cfg, err := testkit.Config(databaseURL, "MIGRATE_DATABASE_URL="+databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	cfg.API.ShutdownGraceSeconds = 1 // no requests are in flight
	engine := embeddedtest.Start(t)
	client, err := engine.Client()
	if err != nil {
		t.Fatal(err)
	}
	s, err := start(
		t.Context(),
		cfg,
		client,
		slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug})),
	)
	if err != nil {
		t.Fatal(err)
	}

	// The canaries prove the search: they reach the engine like a customer's value that leaked into an event.
	const canary, input = "Canary Of An Event", "Canary Of An Input"
	event := struct {
		vault.Batch
		Subject string `json:"subject"`
	}{vault.BatchOf(vault.Event{OperationID: testkit.ID(), TenantID: testkit.ID()}), canary}
	if err := client.Events().Push(t.Context(), "nobody:listens", event); err != nil {
		t.Fatal(err)
	}
	event.Subject = input
	if err := client.Events().Push(
		t.Context(),
		vault.WriteValue.Event,
		event,
	); err != nil { // fails: there is no such operation
		t.Fatal(err)
	}
	readmeQuickstart(t, s)
	var printed bytes.Buffer
	story := newDemo(s, &printed)
	if err := story.run(t.Context()); err != nil {
		t.Fatalf("the demo failed: %v\n%s", err, &printed)
	}
	if !strings.Contains(printed.String(), "\n12. ") || !strings.Contains(printed.String(), customer.loyaltyNumber) {
		t.Errorf("the demo printed\n%s", &printed)
	}
	for _, text := range []string{canary, input} {
		found := testkit.Eventually(
			t,
			fmt.Sprintf("%q is found in the engine's tables", text),
			func(context.Context) ([]hit, bool) {
				hits := search(t, engine.DatabaseURL(), text)
				return hits, len(hits) > 0
			},
		)
		t.Logf("the search works: %v", found)
	}

	values := customerValues()
	for _, h := range search(t, engine.DatabaseURL(), values...) {
		t.Errorf("the engine's table %s", h)
	}
	for _, h := range ourOperations(t, databaseURL, values) {
		// The error for the caller may quote a rejected value that is not PII.
		if h.column != "error" || h.found != customer.notAnAccount {
			t.Errorf("our table %s", h)
		}
	}
	for _, key := range redisKeys(t) {
		for _, value := range values {
			if strings.Contains(key, value) {
				t.Errorf("the Redis key %s holds %q", key, value)
			}
		}
	}
	if err := s.stop(); err != nil {
		t.Error(err)
	}
	log := logs()
	if !strings.Contains(log, "worker_stopped") {
		t.Errorf("the log was not captured:\n%s", log)
	}
	for _, value := range values {
		if strings.Contains(log, value) {
			t.Errorf("the log holds %q:\n%s", value, log)
		}
	}
	complete(t, databaseURL, values)
}

// captureStderr redirects standard error to a file. The returned function reads the file.
func captureStderr(t *testing.T) func() string {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	stderr := os.Stderr
	os.Stderr = file
	t.Cleanup(func() {
		os.Stderr = stderr
		_ = file.Close()
	})
	return func() string {
		text, err := os.ReadFile(file.Name())
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
}

func ourOperations(t *testing.T, databaseURL string, values []string) []hit {
	t.Helper()
	hits := search(t, databaseURL, values...)
	if !slices.Contains(hits, hit{"customer_values", "value", customer.name}) {
		t.Errorf("the search does not find the customer's name in customer_values: %v", hits)
	}
	return slices.DeleteFunc(hits, func(h hit) bool { return h.table != "operations" })
}

func redisKeys(t *testing.T) []string {
	t.Helper()
	opts, err := redis.ParseURL(os.Getenv("REDIS_URL"))
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(opts)
	defer client.Close()
	var keys []string
	scan := client.Scan(t.Context(), 0, "*", 1000).Iterator()
	for scan.Next(t.Context()) {
		keys = append(keys, scan.Val())
	}
	if err := scan.Err(); err != nil {
		t.Fatal(err)
	}
	if len(keys) == 0 {
		t.Error("there are no keys in Redis")
	}
	return keys
}

// complete checks that values holds everything that the demo stored of its customer, except allowed values of a
// definition.
func complete(t *testing.T, databaseURL string, values []string) {
	t.Helper()
	rows := dbtest.Dump(t, databaseURL)
	for _, row := range rows["customer_values"] {
		var field struct{ Value json.RawMessage }
		if err := json.Unmarshal([]byte(row), &field); err != nil {
			t.Fatal(err)
		}
		value := strings.Trim(string(field.Value), `"`)
		if value != "savings" && !slices.Contains(values, value) {
			t.Errorf("customerValues lacks %s", value)
		}
	}
	for _, row := range rows["session_turns"] {
		var turn struct{ Speaker, Text string }
		if err := json.Unmarshal([]byte(row), &turn); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(turn.Text, `\xc1`) {
			t.Errorf("a turn of the %s is not sealed", turn.Speaker)
		}
	}
	if len(rows["customer_values"]) < 7 || len(rows["session_turns"]) < 4 {
		t.Errorf("the demo stored %v", rows.Counts())
	}
}

// The file is readable by this user only, and its values can contain a quotation mark.
func TestWriteEnv_IsPrivateAndQuoted(t *testing.T) {
	t.Setenv("HATCHET_CLIENT_TOKEN", "a token") // of the engine: not for a client
	path, tenant := filepath.Join(t.TempDir(), "run.env"), uuid.New()
	if err := writeEnv(path, tenant, "http://127.0.0.1:8000", "it's a key", ""); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("its mode is %v, %v", info.Mode(), err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := "export VAULT_SERVER='http://127.0.0.1:8000'\n" + `export VAULT_API_KEY='it'\''s a key'` +
		"\nexport VAULT_TENANT='" + tenant.String() + "'\n"
	if string(text) != want {
		t.Errorf("it is\n%s, not\n%s", text, want)
	}
}

func TestStartEngine_UnreachableIsNamed(t *testing.T) {
	t.Parallel()
	closed, err := listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := closed.Addr().String()
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	err = reachable(address)
	if err == nil || !strings.Contains(err.Error(), address) || !strings.Contains(err.Error(), "HATCHET_CLIENT_TOKEN") {
		t.Errorf("the error is %v", err)
	}
}

func TestDevSealingKey_IsGeneratedOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "dev", "sealing.key")
	made, err := kept(path, db.NewSealingKey)
	if err != nil || made == "" {
		t.Fatalf("made %q, %v", made, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("its mode is %v, %v", info.Mode(), err)
	}
	if again, err := kept(path, db.NewSealingKey); err != nil || again != made {
		t.Errorf("the second time it is another one, %v", err)
	}
}
