package console_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/console"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/internal/app"
	"github.com/contextvault/contextvault/internal/testkit"
)

// The page of an operation has the engine's runs, with the steps, their attempts and what went wrong, and leads to the run
// in the dashboard.
func TestOperation_ShowsTheRunsOfTheEngine(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *console.Options) { o.Dashboard = "https://hatchet.example/" })
	w.define(nil, "plan")
	op := w.undefined("hobby")
	v := w.visitor(w.key)
	p := testkit.Eventually(t, "the engine lists the run", func(context.Context) (page, bool) {
		p := v.get("/operations/" + op.String()).want(200)
		return p, strings.Contains(p.text(), "FAILED")
	})
	p.has("Runs of the workflow engine", "validate", "1 attempt", "hobby", "What to do")
	if !strings.Contains(p.body, `href="https://hatchet.example/tenants/`) || !strings.Contains(p.body, "/runs/") {
		t.Errorf("nothing leads to the dashboard: %s", p.body)
	}
	limited := w.visitor(w.newKey(func(in *dbgen.CreateAPIKeyParams) { in.Agents = []uuid.UUID{w.agent} }, "read"))
	limited.get("/operations/" + op.String()).want(403).lacks("Runs of the workflow engine")
}

// While the engine is away, the page says so and shows the rest.
func TestOperation_EngineIsAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.define(nil, "plan")
	op := w.undefined("hobby")
	r, err := app.ConnectTo(t.Context(), kit.Config, nil, kit.Log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	w.url = serve(t, func(o *console.Options) { o.Trigger = r.Trigger })
	w.visitor(w.key).get("/operations/"+op.String()).want(200).has("does not answer", "write-value", "hobby", "What to do")
}
