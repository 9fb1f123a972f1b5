package steps

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

// Values writes facts.
type Values struct {
	once Runner
	mode vault.ValidationMode
	now  func() time.Time

	observer Observer
}

// ValidateValue looks at a write before anything is locked.
func (s Values) ValidateValue(ctx context.Context, ev vault.Event) (Validated, error) {
	var out Validated
	err := prepare(ctx, s.once, ev, func(q *dbgen.Queries, _ dbgen.Operation, in vault.WriteValueInput) error {
		if err := rules.Check(in); err != nil {
			return err
		}
		_, checked, err := s.checkValue(ctx, q, ev.TenantID, in.AgentID, in.Name, in)
		observeValue(s.observer, vault.WriteValue.Name, checked, err)
		out.Warnings = checked.Warnings
		return err
	})
	return out, err
}

// PersistValue stores a write as a version of its field, in its place by order of acceptance.
func (s Values) PersistValue(ctx context.Context, ev vault.Event) (Applied[vault.ItemResult], error) {
	return apply(ctx, s.once, ev, func(t *Touched, q *dbgen.Queries, op dbgen.Operation, in vault.WriteValueInput) (vault.ItemResult, error) {
		return s.write(ctx, t, q, op, in)
	})
}

// checkValue finds the definition of a field and looks at the value with it.
func (s Values) checkValue(ctx context.Context, q *dbgen.Queries, tenant, agent uuid.UUID, name string, in vault.WriteValueInput) (*vault.Definition, rules.Checked, error) {
	def, err := findDefinition(ctx, q, tenant, agent, name)
	if err != nil {
		return nil, rules.Checked{}, err
	}
	mode := rules.EffectiveMode(def, s.mode)
	if def == nil && mode != vault.ModeDisabled {
		if err := agentKnown(ctx, q, tenant, agent); err != nil {
			return nil, rules.Checked{}, err
		}
	}
	checked, err := rules.CheckValue(def, name, in.Value, mode)
	return def, checked, err
}

// write stores one version, in the caller's transaction. The profile is made at its first write, and locked: writers of one
// profile take turns.
func (s Values) write(ctx context.Context, t *Touched, q *dbgen.Queries, op dbgen.Operation, in vault.WriteValueInput) (vault.ItemResult, error) {
	tenant := op.TenantID
	def, checked, err := s.checkValue(ctx, q, tenant, in.AgentID, in.Name, in)
	if err != nil {
		return vault.ItemResult{}, err
	}
	profile, err := lockProfile(ctx, q, tenant, in.CustomerID)
	if err != nil {
		return vault.ItemResult{}, err
	}
	id := NewID()
	if in.ItemID != nil {
		id = *in.ItemID
		taken, err := q.ListTakenItems(ctx, tenant, []uuid.UUID{id})
		if err != nil {
			return vault.ItemResult{}, err
		}
		if len(taken) > 0 {
			return vault.ItemResult{}, takenError(id)
		}
	}
	sourceFound, err := checkSource(ctx, q, tenant, id, in.Lineage)
	if err != nil {
		return vault.ItemResult{}, err
	}
	rows, err := q.ListVersions(ctx, dbgen.ListVersionsParams{TenantID: tenant, ProfileID: profile.ID, Name: in.Name})
	if err != nil {
		return vault.ItemResult{}, err
	}
	history := make([]rules.Version, len(rows))
	for i, row := range rows {
		history[i] = db.VersionOf(row)
	}
	expires := rules.ExpiryOf(in, def, op.AcceptedAt)
	place := rules.Place(history, op.ID, op.AcceptedAt, sourceFound, expires, s.now())
	if place.Supersedes != nil {
		err := q.SupersedeValue(ctx, dbgen.SupersedeValueParams{TenantID: tenant, ID: *place.Supersedes, SupersededByID: &id})
		if err != nil {
			return vault.ItemResult{}, err
		}
	}
	row, err := s.row(id, profile.ID, op, in, def, checked, place, expires)
	if err != nil {
		return vault.ItemResult{}, err
	}
	if place.SupersededBy != nil {
		now := db.UTC(s.now())
		row.SupersededAt = &now
	}
	if err := q.InsertValue(ctx, row); err != nil {
		if db.Duplicate(err) {
			return vault.ItemResult{}, takenError(id)
		}
		return vault.ItemResult{}, err
	}
	version, err := t.profile(ctx, q, tenant, profile.ID)
	return vault.ItemResult{ItemID: id, Status: place.Status, ProfileVersion: version, Warnings: checked.Warnings}, err
}

// takenError refuses an id that another item has: a field or an asset, of another tenant too.
func takenError(id uuid.UUID) error {
	return vault.Conflict("item_id", "item_id: %s is the id of another item; leave it out, or choose a new UUID", id)
}

// row makes the row of one version. Its value is sealed where the definition requires encryption.
func (s Values) row(id, profile uuid.UUID, op dbgen.Operation, in vault.WriteValueInput, def *vault.Definition, checked rules.Checked, place rules.Placement, expires *time.Time) (dbgen.InsertValueParams, error) {
	row := dbgen.InsertValueParams{
		ID: id, TenantID: op.TenantID, ProfileID: profile, Name: in.Name, Value: checked.Value,
		ValueType: string(checked.ValueType), Source: string(in.Source), SourceSessionID: in.SourceSessionID,
		SourceScenarioID: in.SourceScenarioID, SourceStepID: in.SourceStepID, SourceItemID: in.SourceItemID,
		SourceItemType: string(in.SourceItemType), SourceMetadata: db.JSON(in.SourceMetadata), Status: string(place.Status),
		SupersededByID: place.SupersededBy, Verified: in.Verified, VerificationMethod: in.VerificationMethod,
		VerifiedBy: in.VerifiedBy, Confidence: 1, RequiresConfirmation: in.RequiresConfirmation, CollectedAt: op.AcceptedAt,
		ExpiresAt: expires, Warnings: checked.Warnings, OperationID: op.ID, AcceptedAt: op.AcceptedAt,
	}
	if in.Confidence != nil {
		row.Confidence = *in.Confidence
	}
	if in.CollectedAt != nil {
		row.CollectedAt = *in.CollectedAt
	}
	if in.Verified {
		row.VerifiedAt = &row.CollectedAt
	}
	if row.Warnings == nil {
		row.Warnings = []string{}
	}
	if def == nil {
		return row, nil
	}
	row.DefinitionID = &def.ID
	if !def.EncryptionRequired {
		return row, nil
	}
	var err error
	row.Encrypted = true
	row.Value, err = s.once.sealer.SealValue(op.TenantID, id, checked.Value)
	return row, err
}

// lockProfile makes the profile where there is none, and locks the one that the customer leads to.
func lockProfile(ctx context.Context, q *dbgen.Queries, tenant, customer uuid.UUID) (dbgen.CustomerProfile, error) {
	if err := q.EnsureProfile(ctx, dbgen.EnsureProfileParams{ID: NewID(), TenantID: tenant, CustomerID: customer}); err != nil {
		return dbgen.CustomerProfile{}, err
	}
	for {
		profile, err := q.LockProfile(ctx, tenant, customer)
		switch {
		case err != nil:
			return profile, err
		case profile.MergedIntoID != nil: // merged while the lock was waited for
			continue
		case profile.DeletedAt != nil:
			return profile, vault.Unknown("customer", customer)
		case profile.CustomerID == customer:
			return profile, nil
		}
		led, err := q.ResolveCustomers(ctx, tenant, []uuid.UUID{customer})
		if err != nil || led[0].ProfileID == profile.ID {
			return profile, err
		} // else the merge was undone while the lock was waited for
	}
}

// checkSource says whether the item that lineage names exists in the tenant. One that would make a cycle is refused; only
// fields and assets live in the vault, so a session, tool or external source counts as found.
func checkSource(ctx context.Context, q *dbgen.Queries, tenant, item uuid.UUID, in vault.Lineage) (bool, error) {
	if in.SourceItemID == nil || (in.SourceItemType != vault.SourceProfileField && in.SourceItemType != vault.SourceProfileAsset) {
		return true, nil
	}
	if *in.SourceItemID == item {
		return false, vault.Invalid("source_item_id", "an item cannot be its own source; name the item it was derived from")
	}
	chain, err := heldChain(ctx, q, tenant, *in.SourceItemID)
	if err == nil && dangles(chain) {
		// Somebody may be storing what is missing, with this very item as its source.
		if err := q.LockLineage(ctx, tenant); err != nil {
			return false, err
		}
		chain, err = heldChain(ctx, q, tenant, *in.SourceItemID)
	}
	if err != nil {
		return false, err
	}
	for _, link := range chain {
		if link.SourceItemID == item {
			return false, cycleError(link.ID)
		}
	}
	return len(chain) > 0, nil
}

// heldChain reads where a source came from. The source is held until the transaction ends, so that it cannot be deleted as one that
// nothing was derived from.
func heldChain(ctx context.Context, q *dbgen.Queries, tenant, source uuid.UUID) ([]dbgen.GetChainRow, error) {
	if err := q.HoldSource(ctx, tenant, source); err != nil {
		return nil, err
	}
	return q.GetChain(ctx, dbgen.GetChainParams{TenantID: tenant, ItemID: source, Depth: maxCycleDepth})
}

// dangles reports whether a chain ends at a field or an asset that is not there.
func dangles(chain []dbgen.GetChainRow) bool {
	if len(chain) == 0 {
		return true
	}
	switch origin := chain[len(chain)-1]; vault.SourceType(origin.SourceItemType) {
	case vault.SourceProfileField, vault.SourceProfileAsset:
		return origin.SourceItemID != uuid.Nil
	default:
		return false
	}
}

// cycleError names the item that was derived from the one that is to be derived from it.
func cycleError(by uuid.UUID) error {
	return &vault.Error{
		Code: vault.CodeInvalid, Field: "source_item_id", Related: []uuid.UUID{by},
		Message: "source_item_id: the source was derived from this very item, which would make a cycle; name another source",
	}
}

// maxCycleDepth is how far a source is followed in search of a cycle: far beyond any chain that people make.
const maxCycleDepth = 1000

// findDefinition returns the definition of a field, or nil if the agent defines none.
func findDefinition(ctx context.Context, q *dbgen.Queries, tenant, agent uuid.UUID, name string) (*vault.Definition, error) {
	row, err := q.GetDefinition(ctx, dbgen.GetDefinitionParams{TenantID: tenant, AgentID: agent, Name: name})
	if db.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	def, err := db.DefinitionOf(row)
	return &def, err
}

// agentKnown tells a field that an agent does not define from an agent that nobody configured.
func agentKnown(ctx context.Context, q *dbgen.Queries, tenant, agent uuid.UUID) error {
	known, err := q.AgentExists(ctx, tenant, agent)
	if err == nil && !known {
		err = vault.Unknown("agent", agent)
	}
	return err
}
