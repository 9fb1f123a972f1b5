package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/api"
	"github.com/contextvault/contextvault/cmd/internal/cli"
	"github.com/contextvault/contextvault/config"
	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/vault"
)

// devTenant is the tenant of development.
var devTenant = uuid.NewSHA1(uuid.NameSpaceOID, []byte("contextvault development tenant"))

// run runs the system until ctx ends, and prints how to use it from another terminal.
func run(ctx context.Context) error {
	cfg, err := loadConfig(strictByDefault(os.Environ()))
	if err != nil {
		return err
	}
	cfg.Log.Format = "text"
	if cfg.API.AdminToken == "" {
		fresh := func() (string, error) { return rand.Text() + rand.Text(), nil }
		token, err := kept(filepath.Join(devDir, "admin.token"), fresh)
		if err != nil {
			return err
		}
		cfg.API.AdminToken = config.Secret(token)
	}
	cfg.API.ShutdownGraceSeconds = 1 // only this developer's requests are in flight
	listener, err := listen(ctx, os.Getenv("VAULT_API_LISTEN_ADDRESS"))
	if err != nil {
		return err
	}
	engine, err := startEngine(cfg)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	s, err := start(ctx, cfg, engine, cli.Logger(cfg))
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	err = s.serve(ctx, listener, devDir, func(env string) {
		fmt.Printf(
			"The vault is running: API (http://%s/docs), workflow engine and worker in this process.\n"+
				"The console is http://%s/console; sign in with the key in %s.\n"+
				"Validation mode: %s. In another terminal:\n\n"+
				"  . %s\n  bin/vault-dev --help\n\nCtrl-C stops it.\n",
			listener.Addr(),
			listener.Addr(),
			filepath.Join(devDir, "api.key"),
			cfg.Profile.ValidationMode,
			env,
		)
	})
	return errors.Join(err, s.stop())
}

// strictByDefault adds the validation mode strict, as in the other setups that people run, unless the environment sets
// a mode or names a configuration file.
func strictByDefault(environ []string) []string {
	const mode = "VAULT_PROFILE_VALIDATION_MODE"
	for _, variable := range environ {
		if name, _, _ := strings.Cut(variable, "="); name == mode || name == "VAULT_CONFIG" {
			return environ
		}
	}
	return append(environ[:len(environ):len(environ)], mode+"="+string(vault.ModeStrict))
}

// listen listens on address. If address is empty, it listens on loopback port 8000, or on a free loopback port if 8000
// is taken.
func listen(ctx context.Context, address string) (net.Listener, error) {
	var lc net.ListenConfig
	if address != "" {
		return lc.Listen(ctx, "tcp", address)
	}
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:8000")
	if errors.Is(err, syscall.EADDRINUSE) {
		return lc.Listen(ctx, "tcp", "127.0.0.1:0")
	}
	return l, err
}

// serve writes the environment for another terminal to dir, and serves the API until ctx ends.
func (s *system) serve(ctx context.Context, listener net.Listener, dir string, ready func(env string)) error {
	path := filepath.Join(dir, "run.env")
	err := func() error {
		if _, err := s.DB.System().CreateTenant(ctx, devTenant, "development"); err != nil {
			return err
		}
		key, err := devAPIKey(ctx, s.DB, filepath.Join(dir, "api.key"))
		if err != nil {
			return err
		}
		return writeEnv(path, devTenant, "http://"+listener.Addr().String(), key, s.Config.API.AdminToken.Reveal())
	}()
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	ready(path)
	return cli.Serve(ctx, s.Runtime, listener)
}

// devAPIKey returns the API key of this checkout. It creates a key if there is none that is valid in the database.
func devAPIKey(ctx context.Context, database *db.DB, path string) (string, error) {
	kept, err := os.ReadFile(path) //nolint:gosec // a path of this program
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("read the API key: %w", err)
	}
	if err == nil {
		row, err := database.System().FindAPIKey(ctx, api.HashKey(string(kept)))
		if err = db.WrapNotFound(
			err,
			"API key",
			"it",
		); err == nil && row.TenantID == devTenant && row.RevokedAt == nil &&
			row.ExpiresAt == nil {
			return string(kept), nil
		}
		if err != nil && vault.CodeOf(err) != vault.CodeUnknown {
			return "", err
		}
	}
	key := api.NewKey()
	if err := os.WriteFile(path, []byte(key), 0o600); err != nil {
		return "", fmt.Errorf("save the API key: %w", err)
	}
	return key, database.System().CreateAPIKey(ctx, dbgen.CreateAPIKeyParams{
		ID: uuid.Must(
			uuid.NewV7(),
		),
		TenantID: devTenant,
		Name:     "development",
		KeyHash:  api.HashKey(key),
		Scopes:   []string{string(api.ScopeAdmin)},
	})
}

// writeEnv writes the variables that a client in another terminal needs, readable by this user only. It names no server
// behind the API: a later `make run` in that terminal would use them instead of its own.
func writeEnv(path string, tenant uuid.UUID, server, key, adminToken string) error {
	vars := [][2]string{{"VAULT_SERVER", server}, {"VAULT_API_KEY", key}, {"VAULT_TENANT", tenant.String()}}
	if adminToken != "" {
		vars = append(vars, [2]string{"ADMIN_TOKEN", adminToken})
	}
	var b strings.Builder
	for _, v := range vars {
		fmt.Fprintf(&b, "export %s='%s'\n", v[0], strings.ReplaceAll(v[1], "'", `'\''`))
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
