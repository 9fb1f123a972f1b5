package main

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/contextvault/contextvault/api"
	"github.com/contextvault/contextvault/config"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/internal/testkit"
	"github.com/contextvault/contextvault/vault"
)

// asCommand makes the test program run the command itself.
const asCommand = "RUN_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// readmeEmail is the customer's email in the README.
const readmeEmail = "ada@example.com"

// readmeQuickstart runs the quickstart of the README as written, in a terminal beside `make run`.
func readmeQuickstart(t *testing.T, s *system) {
	t.Helper()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(readme), "\n## Quickstart\n")
	_, script, opened := strings.Cut(section, "```bash\n")
	script, _, closed := strings.Cut(script, "```")
	if !found || !opened || !closed || !strings.Contains(script, readmeEmail) {
		t.Fatal("the README has no quickstart")
	}
	dir := t.TempDir() // like a checkout, with .dev/run.env and bin/vault-dev
	dev := filepath.Join(dir, ".dev")
	for _, d := range []string{dev, filepath.Join(dir, "bin")} {
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(os.Args[0], filepath.Join(dir, "bin", "vault-dev")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	listener, err := listen(ctx, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ready, served := make(chan string, 1), make(chan error, 1)
	go func() { served <- s.serve(ctx, listener, dev, func(env string) { ready <- env }) }()
	select {
	case <-ready:
	case err := <-served:
		t.Fatal(err)
	}
	runScript(t, dir, script)
	cancel()
	if err := <-served; err != nil {
		t.Fatal(err)
	}

	// A restart keeps the key.
	path := filepath.Join(dev, "api.key")
	kept, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	again, err := devAPIKey(t.Context(), s.DB, path)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := s.DB.System().ListAPIKeys(t.Context(), devTenant)
	if err != nil || len(rows) != 1 || again != string(kept) {
		t.Errorf("there are %d keys, %v", len(rows), err)
	}
	// A revoked key is replaced.
	if _, err := s.DB.System().RevokeAPIKey(t.Context(), dbgen.RevokeAPIKeyParams{TenantID: devTenant, ID: rows[0].ID}); err != nil {
		t.Fatal(err)
	}
	key, err := devAPIKey(t.Context(), s.DB, path)
	if err != nil || key == again {
		t.Errorf("a revoked key is kept, %v", err)
	}
	if row, err := s.DB.System().FindAPIKey(t.Context(), api.HashKey(key)); err != nil || row.TenantID != devTenant {
		t.Errorf("the new key is %v, %v", row.ID, err)
	}
}

func runScript(t *testing.T, dir, script string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testkit.Patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", script)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), asCommand + "=1"}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("the README's quickstart: %v\n%s", err, out)
	}
	for _, want := range []string{
		"save-definition", "over 18", `"` + readmeEmail + `"`, "date_of_birth", "What is your date of birth?",
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the README's quickstart does not print %q:\n%s", want, out)
		}
	}
}

func TestListen_DefaultPortIsTaken(t *testing.T) {
	t.Parallel()
	first, err := listen(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	second, err := listen(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	for _, l := range []net.Listener{first, second} {
		if host, _, err := net.SplitHostPort(l.Addr().String()); err != nil || host != "127.0.0.1" {
			t.Errorf("it listens at %s", l.Addr())
		}
	}
}

func TestStrictByDefault_UnlessTheEnvironmentDecides(t *testing.T) {
	t.Parallel()
	const database = "DATABASE_URL=postgres://localhost/x"
	for _, tc := range []struct {
		environ []string
		want    vault.ValidationMode
	}{
		{[]string{database}, vault.ModeStrict},
		{[]string{database, "VAULT_PROFILE_VALIDATION_MODE=warn"}, vault.ModeWarn},
		{[]string{database, "VAULT_PROFILE_VALIDATION_MODE=disabled"}, vault.ModeDisabled},
		{[]string{database, "VAULT_CONFIG=../../config/default.toml"}, vault.ModeWarn},
	} {
		cfg, err := config.Load("", strictByDefault(tc.environ))
		if err != nil || cfg.Profile.ValidationMode != tc.want {
			t.Errorf("%v: mode %s, %v", tc.environ, cfg.Profile.ValidationMode, err)
		}
	}
}
