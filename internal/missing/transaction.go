package missing

import (
	"context"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

// Transaction is the Source that reads PostgreSQL directly, in the caller's transaction.
type Transaction struct {
	Queries *dbgen.Queries
	Sealer  *db.Sealer
}

// Scenario implements Source.
func (t Transaction) Scenario(ctx context.Context, tenant, scenario uuid.UUID) (vault.Scenario, error) {
	row, err := t.Queries.GetScenario(ctx, tenant, scenario)
	if err != nil {
		return vault.Scenario{}, db.WrapNotFound(err, "scenario", scenario)
	}
	return db.ScenarioOf(row)
}

// Requirements implements Source.
func (t Transaction) Requirements(ctx context.Context, tenant, scenario uuid.UUID) ([]vault.Requirement, error) {
	rows, err := t.Queries.ListRequirements(ctx, tenant, scenario)
	out := make([]vault.Requirement, len(rows))
	for i, r := range rows {
		out[i] = db.RequirementOf(r)
	}
	return out, err
}

// Definitions implements Source.
func (t Transaction) Definitions(ctx context.Context, tenant, agent uuid.UUID) ([]vault.Definition, error) {
	rows, err := t.Queries.ListDefinitions(ctx, tenant, agent)
	if err != nil {
		return nil, err
	}
	out := make([]vault.Definition, len(rows))
	for i, row := range rows {
		if out[i], err = db.DefinitionOf(row); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Profile implements Source. A deleted customer is unknown.
func (t Transaction) Profile(ctx context.Context, tenant, customer uuid.UUID) (vault.Profile, error) {
	none := vault.Profile{Fields: map[string]vault.Value{}}
	row, err := t.Queries.GetProfile(ctx, tenant, customer)
	if db.IsNotFound(err) {
		deleted, err := t.Queries.CustomerDeleted(ctx, tenant, customer)
		if err == nil && deleted {
			err = vault.Unknown("customer", customer)
		}
		return none, err
	}
	if err != nil {
		return none, err
	}
	profile, err := db.ProfileOf(row)
	if err != nil {
		return none, err
	}
	profile.VerificationLevel = rules.LevelOf(profile.Fields)
	return profile, t.Sealer.OpenProfile(ctx, &profile)
}
