package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// stepTimeout limits one step of the demo, at a hundred times its usual duration.
const stepTimeout = 60 * time.Second

// demo starts the whole system, runs the quickstart and stops the system. It prints only results read back from the
// system.
func demo(ctx context.Context) error {
	cfg, err := loadConfig(os.Environ())
	if err != nil {
		return err
	}
	cfg.Profile.ValidationMode = vault.ModeStrict // as in production
	started := time.Now()
	engine, err := startEngine(cfg)
	if err != nil {
		return err
	}
	log := slog.New(
		slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}),
	) // the demo itself prints the rejections
	s, err := start(ctx, cfg, engine, log)
	if err != nil {
		return err
	}
	fmt.Printf(
		"The system is up after %s: PostgreSQL, Redis, the Hatchet engine and a worker.\n",
		time.Since(started).Round(100*time.Millisecond),
	)
	d := newDemo(s, os.Stdout)
	err = errors.Join(d.run(ctx), s.stop())
	if err != nil {
		return fmt.Errorf("demo: failed: %w", err)
	}
	fmt.Print(consoleTour)
	fmt.Println("demo: ok")
	return nil
}

// consoleTour says where the console is and what to look at there.
const consoleTour = "" +
	"`make run` serves the console at http://127.0.0.1:8000/console, and names the file with the key to sign in. " +
	"Look at\n" +
	"  /console/inbox       what waits for a person, with the sentence that it comes from: approve one with the key a\n" +
	"  /console/customers   a customer: its values, the timeline, and the chain of a value as a drawing\n" +
	"  /console/schema      an agent: change a definition and preview what it would break; try a scenario\n" +
	"  /console/operations  what is owed or failed, and the engine's run of each operation, step by step\n" +
	"  /console/audit       who did what, compared with its seals\n" +
	"docs/console.md has pictures.\n"

// story is one run of the quickstart: a customer of a bank, in a new tenant.
type story struct {
	*system
	out io.Writer
	ctx context.Context // of the current step, with its timeout

	tenant, agent, customer, scenario, session uuid.UUID
	document                                   uuid.UUID // the ID card
}

func newDemo(s *system, out io.Writer) *story {
	id := func() uuid.UUID { return uuid.Must(uuid.NewV7()) }
	return &story{system: s, out: out, tenant: id(), agent: id(), customer: id(), scenario: id(), session: id()}
}

// run executes the steps. An error names the step that failed or timed out.
func (d *story) run(ctx context.Context) error {
	if _, err := d.DB.System().CreateTenant(ctx, d.tenant, "demo"); err != nil {
		return fmt.Errorf("create a tenant: %w", err)
	}
	for i, step := range []struct {
		title string
		run   func() error
	}{
		{"Define the values to collect", d.defineFields},
		{"Save a scenario: its requirements are extracted from its text", d.saveScenario},
		{"Add requirements by hand", d.requireByHand},
		{"Write a name from an ID card, with its lineage", d.writeWithLineage},
		{"Read the chain of sources of the name", d.showChain},
		{"Write invalid values", d.writeInvalid},
		{"List the missing values", d.listMissing},
		{"Fill the missing values from profile, session, conversation and questions", d.fillGaps},
		{"Let a value expire", d.expire},
		{"Delete the source of a value", d.orphan},
		{"Read the history of a field", d.history},
		{"Replay a failed run after fixing its cause", d.replay},
	} {
		_, _ = fmt.Fprintf(d.out, "\n%d. %s\n", i+1, step.title)
		if err := d.bounded(ctx, step.run); err != nil {
			return fmt.Errorf("step %d (%s): %w", i+1, step.title, err)
		}
	}
	return nil
}

// bounded runs one step, and returns after stepTimeout even if the step ignores its context.
func (d *story) bounded(ctx context.Context, step func() error) error {
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	d.ctx = ctx
	done := make(chan error, 1)
	go func() { done <- step() }()
	select {
	case err := <-done:
		if ctx.Err() != nil && err != nil {
			return fmt.Errorf("timed out after %s: %w", stepTimeout, err)
		}
		return err
	case <-time.After(stepTimeout + time.Second):
		return fmt.Errorf("timed out after %s", stepTimeout)
	}
}

func (d *story) say(format string, args ...any) {
	_, _ = fmt.Fprintf(d.out, "   "+format+"\n", args...)
}

// done waits for the outcome of an accepted operation.
func (d *story) done(r trigger.Receipt, err error) (vault.Operation, error) {
	if err != nil {
		return vault.Operation{}, err
	}
	return r.Wait(d.ctx)
}

// write writes a value and waits for the outcome.
func (d *story) write(in vault.WriteValueInput) error {
	in.AgentID, in.CustomerID = d.agent, d.customer
	r, err := trigger.Submit(d.ctx, d.Trigger, d.tenant, vault.WriteValue, in)
	_, err = d.done(r, err)
	return err
}

func decode[T any](op vault.Operation) (T, error) {
	var out T
	if err := json.Unmarshal(op.Result, &out); err != nil {
		return out, fmt.Errorf("read the result of operation %s: %w", op.ID, err)
	}
	return out, nil
}

func text(s string) json.RawMessage {
	out, _ := json.Marshal(s) // a string always encodes
	return out
}
