package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/contextvault/contextvault/internal/testkit"
)

// typescriptSDK is the MCP client of another make.
const typescriptSDK = "@modelcontextprotocol/sdk@1.32.2"

// The walk-through of docs/mcp.md: the TypeScript SDK of MCP, over stdio and over HTTP.
func agentsByMCP(t *testing.T, s *system, server *process) {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not installed, so the MCP client in TypeScript cannot run")
	}
	npm, err := exec.LookPath("npm")
	if err != nil {
		t.Skip("npm is not installed, so the MCP client in TypeScript cannot be installed")
	}
	ctx, cancel := context.WithTimeout(t.Context(), testkit.Patience)
	defer cancel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "package.json"), []byte(`{"private": true}`), 0o600); err != nil {
		t.Fatal(err)
	}
	install := exec.CommandContext(ctx, npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", typescriptSDK)
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("npm: %v: %s", err, out)
	}
	program, err := os.ReadFile("testdata/mcp.mjs")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "mcp.mjs"), program, 0o600); err != nil {
		t.Fatal(err)
	}

	tenant, agent, scenario := testkit.ID().String(), testkit.ID().String(), testkit.ID().String()
	if _, errs, code := run(t, s.Environ(), "tenants", "create", "--id", tenant, "--name", "Agents"); code != 0 {
		t.Fatal(errs)
	}
	_, key := newKey(t, s.Environ(), tenant, "read,write,admin")
	c := newClient(t, server, key)
	for name, kind := range map[string]string{"email": "email", "plan": "string"} {
		c.do("PUT", "/v1/agents/"+agent+"/definitions/"+name, `{"value_type": "`+kind+`"}`, 200, nil)
	}
	c.do("PUT", "/v1/agents/"+agent+"/scenarios/"+scenario, `{"name": "Loan"}`, 200, nil)
	c.do("PUT", "/v1/scenarios/"+scenario+"/requirements/email", `{"required_level": "hard", "fallback_action": "ask"}`, 200, nil)

	walk := exec.CommandContext(ctx, node, "mcp.mjs")
	walk.Dir = dir
	walk.Env = append(os.Environ(), asCommand+"=1", "VAULT="+os.Args[0], "VAULT_SERVER=http://"+server.health,
		"VAULT_API_KEY="+key, "AGENT="+agent, "SCENARIO="+scenario)
	out, err := walk.CombinedOutput()
	if err != nil || string(out) != "stdio: ok\nhttp: ok\n" {
		t.Errorf("the walk-through: %v\n%s", err, out)
	}
}
