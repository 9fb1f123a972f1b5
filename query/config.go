package query

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/cache"
	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/internal/agents"
	"github.com/contextvault/contextvault/vault"
)

// Definitions returns the definitions of an agent, ordered by name. It reads through the cache.
func (q *Queries) Definitions(ctx context.Context, tenant, agent uuid.UUID) ([]vault.Definition, error) {
	if err := agents.CheckAgent(ctx, agent); err != nil {
		return nil, err
	}
	return cache.Read(ctx, q.cache, cache.DefinitionsKey(tenant, agent), func(
		ctx context.Context,
	) ([]vault.Definition, int64, error) {
		out, err := q.definitions(ctx, tenant, agent)
		return out, 0, err // a change drops the entry, so it needs no version
	})
}

func (q *Queries) definitions(ctx context.Context, tenant, agent uuid.UUID) ([]vault.Definition, error) {
	rows, err := q.db.Tenant(tenant).ListDefinitions(ctx, tenant, agent)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		if err := q.knownAgent(ctx, tenant, agent); err != nil {
			return nil, err
		}
	}
	out := make([]vault.Definition, len(rows))
	for i, row := range rows {
		if out[i], err = db.DefinitionOf(row); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Definition returns one definition of an agent.
func (q *Queries) Definition(ctx context.Context, tenant, agent uuid.UUID, name string) (vault.Definition, error) {
	if err := agents.CheckAgent(ctx, agent); err != nil {
		return vault.Definition{}, err
	}
	row, err := q.db.Tenant(tenant).GetDefinition(ctx, dbgen.GetDefinitionParams{
		TenantID: tenant, AgentID: agent, Name: name,
	})
	if err != nil {
		return vault.Definition{}, db.WrapNotFound(err, "field", name)
	}
	return db.DefinitionOf(row)
}

// Scenario returns a scenario as it was saved.
func (q *Queries) Scenario(ctx context.Context, tenant, scenario uuid.UUID) (vault.Scenario, error) {
	if err := q.checkIDs(ctx, tenant, scenario); err != nil {
		return vault.Scenario{}, err
	}
	row, err := q.db.Tenant(tenant).GetScenario(ctx, tenant, scenario)
	if err != nil {
		return vault.Scenario{}, db.WrapNotFound(err, "scenario", scenario)
	}
	return db.ScenarioOf(row)
}

// Requirements returns the requirements of a scenario and its rules, in order of collection. It reads through the
// cache.
func (q *Queries) Requirements(ctx context.Context, tenant, scenario uuid.UUID) ([]vault.Requirement, error) {
	if err := q.checkIDs(ctx, tenant, scenario); err != nil {
		return nil, err
	}
	return cache.Read(ctx, q.cache, cache.RequirementsKey(tenant, scenario), func(
		ctx context.Context,
	) ([]vault.Requirement, int64, error) {
		out, err := q.requirements(ctx, tenant, scenario)
		return out, 0, err // as Definitions
	})
}

func (q *Queries) requirements(ctx context.Context, tenant, scenario uuid.UUID) ([]vault.Requirement, error) {
	rows, err := q.db.Tenant(tenant).ListRequirements(ctx, tenant, scenario)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		if _, err := q.Scenario(ctx, tenant, scenario); err != nil {
			return nil, err
		}
	}
	out := make([]vault.Requirement, len(rows))
	for i, row := range rows {
		out[i] = db.RequirementOf(row)
	}
	return out, nil
}

// ExplainScenario returns how the newest extraction read the sentences of a scenario and its rules.
func (q *Queries) ExplainScenario(ctx context.Context, tenant, scenario uuid.UUID) (vault.ScenarioExplanation, error) {
	out := vault.ScenarioExplanation{
		ScenarioID: scenario, Current: true, Sentences: []vault.SentenceReading{}, Requirements: []vault.Requirement{},
	}
	if _, err := q.Scenario(ctx, tenant, scenario); err != nil {
		return out, err
	}
	rows, err := q.db.Tenant(tenant).ListExtractions(ctx, tenant, scenario)
	if err != nil {
		return out, err
	}
	for _, row := range rows {
		var readings []vault.SentenceReading
		if err := json.Unmarshal(row.Readings, &readings); err != nil {
			return out, fmt.Errorf("decode the readings of scenario %s: %w", scenario, err)
		}
		for i := range readings {
			if row.RuleID != uuid.Nil {
				readings[i].RuleID = &row.RuleID
				readings[i].Label = "rule " + row.RuleName + ", " + readings[i].Label
			}
		}
		out.Sentences = append(out.Sentences, readings...)
		out.Model, out.Current = row.Model, out.Current && row.Current
	}
	out.Current = out.Current && len(rows) > 0
	out.Requirements, err = q.Requirements(ctx, tenant, scenario)
	return out, err
}

// Configuration returns what persons wrote for an agent.
func (q *Queries) Configuration(ctx context.Context, tenant, agent uuid.UUID) (vault.AgentConfiguration, error) {
	if err := agents.CheckAgent(ctx, agent); err != nil {
		return vault.AgentConfiguration{}, err
	}
	known, err := q.db.Tenant(tenant).AgentExists(ctx, tenant, agent)
	if err == nil && !known {
		err = vault.Unknown("agent", agent)
	}
	if err != nil {
		return vault.AgentConfiguration{}, err
	}
	return db.ConfigurationOf(ctx, q.db.Tenant(tenant), tenant, agent)
}
