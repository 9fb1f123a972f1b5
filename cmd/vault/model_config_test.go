package main

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/internal/testkit"
)

// The API never calls the language model, so a bad configuration of the model does not stop it. The worker refuses it
// (package worker, TestRun_BadModelConfiguration).
func TestServe_BadModelConfiguration(t *testing.T) {
	t.Parallel()
	p := &process{t: t, ended: make(chan struct{})}
	p.cmd = exec.Command(os.Args[0], "serve")
	url := dbtest.URL(t)
	p.cmd.Env = []string{
		asCommand + "=1", "DATABASE_URL=" + dbtest.App(url), "SYSTEM_DATABASE_URL=" + dbtest.System(url), sealingKey(t), "VAULT_API_LISTEN_ADDRESS=127.0.0.1:0",
		"VAULT_LLM_PROVIDER=openai", // without OPENAI_API_KEY
	}
	p.cmd.Stderr, p.cmd.Stdout = &p.log, &p.log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait() // the test checks the exit code
		close(p.ended)
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.ended
	})
	testkit.Eventually(t, "the API is ready", func(ctx context.Context) (struct{}, bool) {
		if p.hasEnded() {
			t.Fatalf("the API ended:\n%s", p.log.String())
		}
		if at := listening.FindStringSubmatch(p.log.String()); at != nil {
			p.health = at[1]
		}
		return struct{}{}, p.health != "" && p.get(ctx, "/readyz") == http.StatusOK
	})
	p.signal(syscall.SIGTERM)
	if code := p.wait(); code != 0 {
		t.Errorf("it exited with %d:\n%s", code, p.log.String())
	}
}
