package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/config"
	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// Sizes of the storm.
const (
	stormFills   = 40
	stormChanges = 40 // of each kind, per measurement
)

// stormTimeoutSeconds is the time-out of the model. It is longer than the measurement, so that every fill hangs.
const stormTimeoutSeconds = 600

// hungModel is the server of a model that hangs.
type hungModel struct {
	release chan struct{} // closed at the end
	hanging atomic.Int64
}

// ServeHTTP implements http.Handler.
func (m *hungModel) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.hanging.Add(1)
	defer m.hanging.Add(-1)
	select {
	case <-m.release:
	case <-r.Context().Done():
	}
	w.WriteHeader(http.StatusServiceUnavailable)
}

// storm measures changes while gap fills wait for a model that hangs, and compares them with the same changes in a calm
// system.
func storm(ctx context.Context) error {
	cfg, err := loadConfig(os.Environ())
	if err != nil {
		return err
	}
	model := &hungModel{release: make(chan struct{})}
	server := httptest.NewServer(model)
	defer server.CloseClientConnections()
	cfg.LLM.Provider, cfg.LLM.BaseURL, cfg.LLM.APIKey = llm.ProviderOpenAI, config.URL(server.URL+"/v1"), "none"
	cfg.LLM.TimeoutSeconds, cfg.LLM.MaxRetries = stormTimeoutSeconds, 0
	engine, err := startEngine(cfg)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	s, err := start(ctx, cfg, engine, log)
	if err != nil {
		return err
	}
	defer func() { _ = s.stop() }()
	run := stormRun{system: s, tenant: newStormID(), agent: newStormID(), scenario: newStormID()}
	err = run.measure(ctx, model)
	close(model.release)
	return err
}

func newStormID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

// stormRun is one tenant with a scenario that needs an e-mail address.
type stormRun struct {
	*system
	tenant, agent, scenario uuid.UUID
}

// stormTimes are the durations of changes from acceptance to acknowledgement, by kind.
type stormTimes map[string][]time.Duration

func (r stormRun) measure(ctx context.Context, model *hungModel) error {
	if err := r.prepare(ctx); err != nil {
		return err
	}
	if _, err := r.changes(ctx); err != nil { // warm up
		return err
	}
	calm, err := r.changes(ctx)
	if err != nil {
		return err
	}
	fills, err := r.fills(ctx, model)
	if err != nil {
		return err
	}
	hanging, err := r.changes(ctx)
	if err != nil {
		return err
	}
	left := 0
	for _, f := range fills {
		op, err := r.Query.Operation(ctx, r.tenant, f.ID)
		if err != nil {
			return err
		}
		if !op.Status.Finished() {
			left++
		}
	}
	fmt.Printf("%d of %d fills waited for the model during the measurement\n", left, len(fills))
	return printStorm(calm, hanging)
}

// prepare creates the tenant, the definition, the scenario and the requirement.
func (r stormRun) prepare(ctx context.Context) error {
	if _, err := r.DB.System().CreateTenant(ctx, r.tenant, "storm"); err != nil {
		return err
	}
	return errors.Join(
		submitted(ctx, r, vault.SaveDefinition, vault.Definition{
			AgentID: r.agent, Name: "email", ValueType: vault.TypeEmail, Enabled: true,
		}),
		submitted(ctx, r, vault.SaveScenario, vault.Scenario{ID: r.scenario, AgentID: r.agent, Name: "Order"}),
		submitted(ctx, r, vault.SaveRequirement, vault.Requirement{
			AgentID: r.agent, ScenarioID: r.scenario, FieldName: "email", RequiredLevel: vault.LevelSoft,
			FallbackAction: vault.FallbackSkip,
		}),
	)
}

// submitted submits an operation and waits for its outcome.
func submitted[In, Out any](ctx context.Context, r stormRun, spec vault.Spec[In, Out], in In) error {
	receipt, err := trigger.Submit(ctx, r.Trigger, r.tenant, spec, in)
	if err != nil {
		return err
	}
	_, err = receipt.Wait(ctx)
	return err
}

// changes makes changes of each kind, one after the other.
func (r stormRun) changes(ctx context.Context) (stormTimes, error) {
	times := stormTimes{}
	for i := range stormChanges {
		for kind, change := range map[string]func() error{
			"write": func() error {
				return submitted(ctx, r, vault.WriteValue, vault.WriteValueInput{
					AgentID: r.agent, CustomerID: newStormID(), Name: "email", Value: text("eve@example.org"),
					Source: vault.ValueUserProvided,
				})
			},
			"definition": func() error {
				return submitted(ctx, r, vault.SaveDefinition, vault.Definition{
					AgentID: r.agent, Name: fmt.Sprint("extra_", i), ValueType: vault.TypeString, Enabled: true,
				})
			},
			"scenario without text": func() error {
				return submitted(ctx, r, vault.SaveScenario, vault.Scenario{ID: newStormID(), AgentID: r.agent, Name: "More"})
			},
		} {
			start := time.Now()
			if err := change(); err != nil {
				return nil, fmt.Errorf("%s: %w", kind, err)
			}
			times[kind] = append(times[kind], time.Since(start))
		}
	}
	return times, nil
}

// fills starts gap fills with a conversation and waits until the model hangs for as many as may call it.
func (r stormRun) fills(ctx context.Context, model *hungModel) ([]trigger.Receipt, error) {
	var fills []trigger.Receipt
	for range stormFills {
		customer, session := newStormID(), newStormID()
		err := submitted(ctx, r, vault.SaveSession, vault.SaveSessionInput{
			SessionID: session, AgentID: r.agent, CustomerID: customer,
			Turns: []vault.Turn{{Speaker: vault.SpeakerCustomer, Text: "my email is ada@example.org"}},
		})
		if err != nil {
			return nil, err
		}
		fill, err := trigger.Submit(ctx, r.Trigger, r.tenant, vault.FillGaps, vault.FillGapsInput{
			CustomerID: customer, ScenarioID: r.scenario, SessionID: &session,
		})
		if err != nil {
			return nil, err
		}
		fills = append(fills, fill)
	}
	share := int64(r.Config.Jobs.Hatchet.ModelConcurrency) / 2 // of one tenant it is more
	for model.hanging.Load() < share {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
	time.Sleep(3 * time.Second) // until the other fills wait for a slot
	return fills, nil
}

func printStorm(calm, hanging stormTimes) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)
	_, _ = fmt.Fprintf(w, "WHAT\tCALM P50 ms\tP99 ms\t%d FILLS HANG P50 ms\tP99 ms\tRATIO P50\n", stormFills)
	for _, kind := range []string{"write", "definition", "scenario without text"} {
		before, before99 := percentiles(calm[kind])
		after, after99 := percentiles(hanging[kind])
		_, _ = fmt.Fprintf(w, "%s\t%.0f\t%.0f\t%.0f\t%.0f\t%.2f\n", kind, before, before99, after, after99, after/before)
	}
	return w.Flush()
}
