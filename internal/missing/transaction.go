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

// Definitions implements Source. Each definition is as strict as the strictest one of its name in the tenant.
func (t Transaction) Definitions(ctx context.Context, tenant, agent uuid.UUID) ([]vault.Definition, error) {
	rows, err := t.Queries.ListDefinitions(ctx, tenant, agent)
	if err != nil {
		return nil, err
	}
	secrets, err := t.Queries.ListSecretNames(ctx, tenant)
	if err != nil {
		return nil, err
	}
	sealed, pii := map[string]bool{}, map[string]bool{}
	for _, s := range secrets {
		sealed[s.Name], pii[s.Name] = sealed[s.Name] || s.Sealed, pii[s.Name] || s.Pii
	}
	out := make([]vault.Definition, len(rows))
	for i, row := range rows {
		if out[i], err = db.StrictDefinitionOf(row, sealed[row.Name], pii[row.Name]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// OpenSession implements Source.
func (t Transaction) OpenSession(
	ctx context.Context, row dbgen.Session, turns []dbgen.ListTurnsRow,
) (vault.Session, error) {
	return t.Sealer.OpenSession(ctx, row, turns)
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
