package schema

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/vault"
)

// Scenarios saves and announces scenarios and rules.
type Scenarios struct {
	Once     once.Runner
	Enqueuer once.Enqueuer
}

// PersistScenario stores a scenario and, in the same transaction, accepts the extraction of its requirements.
func (s Scenarios) PersistScenario(ctx context.Context, ev vault.Event) (once.Stored[vault.SavedResult], error) {
	return once.Store(ctx, s.Once, ev, func(
		q *dbgen.Queries, op dbgen.Operation, in vault.Scenario,
	) (vault.SavedResult, error) {
		if err := rules.Check(in); err != nil {
			return vault.SavedResult{}, err
		}
		if err := checkScenario(ctx, q, ev.TenantID, in); err != nil {
			return vault.SavedResult{}, err
		}
		content, hash, err := contentOf(in)
		if err != nil {
			return vault.SavedResult{}, err
		}
		_, err = q.UpsertScenario(ctx, dbgen.UpsertScenarioParams{
			TenantID: ev.TenantID, ID: in.ID, AgentID: in.AgentID, Name: in.Name, Content: content, ContentHash: hash,
			OperationID: op.ID, AcceptedAt: op.AcceptedAt, OnlyNew: in.OnlyNew(),
		})
		if db.IsNotFound(err) {
			return s.explainUnsaved(ctx, q, ev.TenantID, in)
		}
		if err != nil {
			return vault.SavedResult{}, err
		}
		extraction, err := s.acceptExtraction(ctx, q, op, vault.ExtractSchemaInput{
			AgentID: in.AgentID, ScenarioID: in.ID, ContentHash: hash,
		})
		return vault.SavedResult{ID: in.ID, Extraction: extraction}, err
	})
}

// explainUnsaved returns an error if the scenario belongs to another agent. Otherwise a newer save is stored, which is
// no error.
func (s Scenarios) explainUnsaved(
	ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, in vault.Scenario,
) (vault.SavedResult, error) {
	row, err := q.GetScenario(ctx, tenant, in.ID)
	if err == nil && row.AgentID != in.AgentID {
		err = vault.Conflict("agent_id", "agent_id: scenario %s belongs to agent %s", in.ID, row.AgentID)
	}
	if err == nil && in.IfVersion != nil {
		err = overtaken(checkScenario(ctx, q, tenant, in), "scenario "+in.ID.String())
	}
	return vault.SavedResult{ID: in.ID}, err
}

// PersistRule stores a rule and accepts the extraction of its requirements.
func (s Scenarios) PersistRule(ctx context.Context, ev vault.Event) (once.Stored[vault.SavedResult], error) {
	return once.Store(ctx, s.Once, ev, func(
		q *dbgen.Queries, op dbgen.Operation, in vault.Rule,
	) (vault.SavedResult, error) {
		if err := rules.Check(in); err != nil {
			return vault.SavedResult{}, err
		}
		scenario, err := q.GetScenario(ctx, ev.TenantID, in.ScenarioID)
		if err != nil {
			return vault.SavedResult{}, db.WrapNotFound(err, "scenario", in.ScenarioID)
		}
		if scenario.AgentID != in.AgentID {
			return vault.SavedResult{}, vault.Invalid(
				"agent_id", "scenario %s belongs to agent %s", in.ScenarioID, scenario.AgentID,
			)
		}
		if err := checkRule(ctx, q, ev.TenantID, in); err != nil {
			return vault.SavedResult{}, err
		}
		content, hash, err := contentOf(in)
		if err != nil {
			return vault.SavedResult{}, err
		}
		_, err = q.UpsertRule(ctx, dbgen.UpsertRuleParams{
			TenantID: ev.TenantID, ID: in.ID, AgentID: in.AgentID, ScenarioID: in.ScenarioID, Name: in.Name, Content: content,
			ContentHash: hash, OperationID: op.ID, AcceptedAt: op.AcceptedAt, OnlyNew: in.OnlyNew(),
		})
		if db.IsNotFound(err) {
			current, err := q.GetRule(ctx, ev.TenantID, in.ID)
			if err == nil && current.ScenarioID != in.ScenarioID {
				err = vault.Conflict("scenario_id", "scenario_id: rule %s belongs to scenario %s", in.ID, current.ScenarioID)
			}
			if err == nil && in.IfVersion != nil {
				err = overtaken(checkRule(ctx, q, ev.TenantID, in), "rule "+in.ID.String())
			}
			return vault.SavedResult{ID: in.ID}, err
		}
		if err != nil {
			return vault.SavedResult{}, err
		}
		extraction, err := s.acceptExtraction(ctx, q, op, vault.ExtractSchemaInput{
			AgentID: in.AgentID, ScenarioID: in.ScenarioID, RuleID: &in.ID, ContentHash: hash,
		})
		return vault.SavedResult{ID: in.ID, Extraction: extraction}, err
	})
}

// AnnounceSave pushes scenario:saved or rule:saved with the accepted extraction. If the push is lost, the relay pushes
// it.
func (s Scenarios) AnnounceSave(ctx context.Context, ev vault.Event) (vault.SavedResult, error) {
	q := s.Once.DB.Tenant(ev.TenantID)
	op, err := s.Once.Get(ctx, q, ev)
	if err != nil {
		return vault.SavedResult{}, err
	}
	var saved vault.SavedResult
	if err := json.Unmarshal(op.Result, &saved); err != nil {
		return saved, fmt.Errorf("decode the result of operation %s: %w", ev.OperationID, err)
	}
	if saved.Extraction != nil && op.Status == string(vault.OperationApplied) {
		extraction, err := q.GetOperation(ctx, ev.TenantID, *saved.Extraction)
		if err != nil {
			return saved, db.WrapNotFound(err, "operation", *saved.Extraction)
		}
		_ = s.Enqueuer.Enqueue(ctx, extraction) // after an error the relay pushes it
	}
	return saved, q.AcknowledgeOperations(ctx, ev.TenantID, []uuid.UUID{ev.OperationID})
}

func (s Scenarios) acceptExtraction(
	ctx context.Context, q *dbgen.Queries, save dbgen.Operation, in vault.ExtractSchemaInput,
) (*uuid.UUID, error) {
	op, err := db.AcceptOperation(ctx, q, s.Once.Sealer, save.TenantID, db.NewOperation{
		Workflow: vault.ExtractSchema.Name, Event: vault.ExtractSchema.EventFor(in), Subject: in.Subject(),
		Key:      "save:" + save.ID.String(),
		ParentID: &save.ID, Actor: once.ActorOf(save), Payload: in, Pushing: true,
	})
	return &op.ID, err
}

// contentOf returns the content of a scenario or rule as it is stored, and its hash.
func contentOf[T interface{ Content() T }](v T) (json.RawMessage, string, error) {
	content, err := json.Marshal(v.Content())
	if err != nil {
		return nil, "", fmt.Errorf("encode the content: %w", err)
	}
	return content, hashText(string(content)), nil
}
