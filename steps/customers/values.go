package customers

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/vault"
)

// Values writes values.
type Values struct {
	Once once.Runner
	Mode vault.ValidationMode
	Now  func() time.Time

	Observer once.Observer
}

// ValidateValue validates a write before anything is locked.
func (s Values) ValidateValue(ctx context.Context, ev vault.Event) (once.Validated, error) {
	var out once.Validated
	err := once.Prepare(ctx, s.Once, ev, func(q *dbgen.Queries, _ dbgen.Operation, in vault.WriteValueInput) error {
		if err := rules.Check(in); err != nil {
			return err
		}
		_, checked, err := s.checkValue(ctx, q, ev.TenantID, in)
		once.ObserveValue(s.Observer, vault.WriteValue.Name, checked, err)
		out.Warnings = checked.Warnings
		return err
	})
	return out, err
}

// PersistValue stores a write as a version of its field, ordered by acceptance.
func (s Values) PersistValue(ctx context.Context, ev vault.Event) (once.Applied[vault.ItemResult], error) {
	return once.Apply(ctx, s.Once, ev, func(
		t *once.Touched, q *dbgen.Queries, op dbgen.Operation, in vault.WriteValueInput,
	) (vault.ItemResult, error) {
		return s.Write(ctx, t, q, op, in)
	})
}

// checkValue finds the definition of a field and validates the value.
func (s Values) checkValue(
	ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, in vault.WriteValueInput,
) (*vault.Definition, rules.Checked, error) {
	def, err := FindDefinition(ctx, q, tenant, in.AgentID, in.Name)
	if err != nil {
		return nil, rules.Checked{}, err
	}
	mode := rules.EffectiveMode(def, s.Mode)
	if def == nil && mode != vault.ModeDisabled {
		if err := checkAgentExists(ctx, q, tenant, in.AgentID); err != nil {
			return nil, rules.Checked{}, err
		}
	}
	checked, err := rules.CheckValue(def, in.Name, in.Value, mode)
	return def, checked, err
}

// Write stores one version in the caller's transaction. It creates the profile at the first write and locks it, so the
// writers of one profile run one at a time.
func (s Values) Write(
	ctx context.Context, t *once.Touched, q *dbgen.Queries, op dbgen.Operation, in vault.WriteValueInput,
) (vault.ItemResult, error) {
	return s.write(ctx, t, q, op, in, nil)
}

// write is Write with a decision. A decision makes the version active whatever is stronger; decide adds it to the row.
// nil: no decision.
func (s Values) write(
	ctx context.Context, t *once.Touched, q *dbgen.Queries, op dbgen.Operation, in vault.WriteValueInput,
	decide func(*dbgen.InsertValueParams),
) (vault.ItemResult, error) {
	tenant := op.TenantID
	def, checked, err := s.checkValue(ctx, q, tenant, in)
	if err != nil {
		return vault.ItemResult{}, err
	}
	profile, err := LockProfile(ctx, s.Once, q, tenant, in.CustomerID)
	if err != nil {
		return vault.ItemResult{}, err
	}
	if err := checkConsent(ctx, q, tenant, profile.ID, in.Name, s.Now()); err != nil {
		return vault.ItemResult{}, err
	}
	id := once.NewID()
	if in.ItemID != nil {
		id = *in.ItemID
		taken, err := q.ListExistingItemIDs(ctx, tenant, []uuid.UUID{id})
		if err != nil {
			return vault.ItemResult{}, err
		}
		if len(taken) > 0 {
			return vault.ItemResult{}, idTakenError(id)
		}
	}
	sourceFound, err := checkSource(ctx, q, tenant, id, in.Lineage)
	if err != nil {
		return vault.ItemResult{}, err
	}
	key := fieldKey{profile.ID, in.Name}
	histories, err := loadRecent(ctx, q, s.Once.Sealer, tenant, map[fieldKey]time.Time{key: effectiveTime(op, in)})
	if err != nil {
		return vault.ItemResult{}, err
	}
	if len(histories[key]) == 0 {
		if err := checkFieldCount(ctx, q, tenant, profile.ID); err != nil {
			return vault.ItemResult{}, err
		}
	}
	now := s.Now()
	version := newVersion(id, op, in, def, checked)
	authority := rules.AuthorityOf(def)
	if decide != nil {
		authority.OnConflict = vault.ConflictNewest
	} else if err := rules.CheckWriteOnce(def, histories[key], version, now); err != nil {
		return vault.ItemResult{}, err
	}
	place := rules.Place(histories[key], version, authority, sourceFound, now)
	if err := makeRoom(ctx, q, tenant, id, place, now); err != nil {
		return vault.ItemResult{}, err
	}
	row := s.row(version, profile.ID, op, in, def, checked, place)
	if decide != nil {
		decide(&row)
	}
	sealed, err := isSealed(ctx, q, tenant, def, in.Name)
	if err != nil {
		return vault.ItemResult{}, err
	}
	if sealed {
		owner := db.Owner{TenantID: tenant, CustomerID: profile.CustomerID}
		if err := s.indexBlind(ctx, q, tenant, &row); err != nil {
			return vault.ItemResult{}, err
		}
		if err := s.Once.Sealer.SealVersion(ctx, owner, &row); err != nil {
			return vault.ItemResult{}, err
		}
	}
	if err := q.InsertValue(ctx, row); err != nil {
		if db.IsDuplicate(err) {
			return vault.ItemResult{}, idTakenError(id)
		}
		return vault.ItemResult{}, err
	}
	changed := changedBy(place)
	if in.SourceItemID != nil {
		changed = append(changed, id)
	}
	if err := RefreshStale(ctx, t, q, tenant, changed, profile.ID); err != nil {
		return vault.ItemResult{}, err
	}
	profileVersion, err := t.Profile(ctx, q, tenant, profile.ID)
	return vault.ItemResult{
		ItemID: id, Status: place.Status, ProfileVersion: profileVersion, Warnings: checked.Warnings,
	}, err
}

// CheckWriteOnce rejects a value of a customer that would change one that is written once. It locks nothing; Write
// checks again.
func (s Values) CheckWriteOnce(
	ctx context.Context, q *dbgen.Queries, tenant, customer uuid.UUID, def *vault.Definition, checked rules.Checked,
) error {
	if def == nil || !def.WriteOnce {
		return nil
	}
	known, err := q.ResolveCustomers(ctx, tenant, []uuid.UUID{customer})
	if err != nil || len(known) == 0 {
		return err
	}
	key := fieldKey{known[0].ProfileID, def.Name}
	histories, err := loadHistories(ctx, q, s.Once.Sealer, tenant, key)
	if err != nil {
		return err
	}
	claim := rules.Claim{Value: checked.Value, ValueType: checked.ValueType}
	return rules.CheckWriteOnce(def, histories[key], rules.Version{Claim: claim}, s.Now())
}

// checkFieldCount rejects a new field of a customer with vault.MaxFields.
func checkFieldCount(ctx context.Context, q *dbgen.Queries, tenant, profile uuid.UUID) error {
	counts, err := q.CountFields(ctx, []uuid.UUID{profile}, tenant)
	if err == nil && len(counts) > 0 && counts[0].Fields >= vault.MaxFields {
		err = tooManyFieldsError()
	}
	return err
}

func tooManyFieldsError() error {
	return vault.Invalid("name", "the customer has %d fields already, which is the limit; delete some that are not needed",
		vault.MaxFields)
}

// idTakenError rejects an item id that is already in use by a value or an asset of the tenant.
func idTakenError(id uuid.UUID) error {
	return vault.Conflict("item_id", "item_id: %s is the id of another item; leave it out, or choose a new UUID", id)
}

// effectiveTime returns the time from which on the value of a write holds.
func effectiveTime(op dbgen.Operation, in vault.WriteValueInput) time.Time {
	if in.CollectedAt == nil {
		return op.AcceptedAt
	}
	return rules.EffectiveTime(*in.CollectedAt, op.AcceptedAt)
}

// newVersion returns the version that a write makes, before it is placed.
func newVersion(
	id uuid.UUID, op dbgen.Operation, in vault.WriteValueInput, def *vault.Definition, checked rules.Checked,
) rules.Version {
	collected := op.AcceptedAt
	if in.CollectedAt != nil {
		collected = *in.CollectedAt
	}
	return rules.Version{
		ID: id, OperationID: op.ID, AcceptedAt: op.AcceptedAt,
		EffectiveAt: rules.EffectiveTime(collected, op.AcceptedAt),
		Claim: rules.Claim{
			Value: checked.Value, ValueType: checked.ValueType, Source: in.Source, SourceItemType: in.SourceItemType,
			SessionID: in.SourceSessionID, Verified: in.Verified, Method: in.VerificationMethod,
			Flawed:      len(checked.Warnings) > 0 || rules.IsEmpty(checked.Value),
			CollectedAt: collected, ExpiresAt: rules.ExpiryOf(in, def, op.AcceptedAt),
		},
	}
}

// row returns the row of one version, which is not sealed yet.
func (s Values) row(
	version rules.Version, profile uuid.UUID, op dbgen.Operation, in vault.WriteValueInput, def *vault.Definition,
	checked rules.Checked, place rules.Placement,
) dbgen.InsertValueParams {
	row := dbgen.InsertValueParams{
		ID:                   version.ID,
		TenantID:             op.TenantID,
		ProfileID:            profile,
		Name:                 in.Name,
		Value:                checked.Value,
		ValueType:            string(checked.ValueType),
		Source:               string(in.Source),
		SourceSessionID:      in.SourceSessionID,
		SourceScenarioID:     in.SourceScenarioID,
		SourceStepID:         in.SourceStepID,
		SourceItemID:         in.SourceItemID,
		SourceItemType:       string(in.SourceItemType),
		SourceMetadata:       db.JSON(in.SourceMetadata),
		Status:               string(place.Status),
		SupersededByID:       place.SupersededBy,
		YieldsToID:           place.YieldsTo,
		Verified:             in.Verified,
		VerificationMethod:   in.VerificationMethod,
		VerifiedBy:           in.VerifiedBy,
		Confidence:           1,
		RequiresConfirmation: in.RequiresConfirmation,
		CollectedAt:          version.Claim.CollectedAt,
		ExpiresAt:            version.Claim.ExpiresAt,
		Warnings:             checked.Warnings,
		OperationID:          op.ID,
		Actor:                op.Actor,
		AcceptedAt:           op.AcceptedAt,
	}
	if in.Confidence != nil {
		row.Confidence = *in.Confidence
	}
	if place.SupersededBy != nil {
		now := db.UTC(s.Now())
		row.SupersededAt = &now
	}
	if in.Verified {
		row.VerifiedAt = &row.CollectedAt
	}
	if row.Warnings == nil {
		row.Warnings = []string{}
	}
	if def != nil {
		row.DefinitionID = &def.ID
	}
	return row
}

// FindDefinition returns the definition of a field, or nil if the agent does not define it. The definition is as strict
// as the strictest one of the name in the tenant: in encryption and in PII.
func FindDefinition(
	ctx context.Context, q *dbgen.Queries, tenant, agent uuid.UUID, name string,
) (*vault.Definition, error) {
	row, err := q.GetFieldDefinition(ctx, dbgen.GetFieldDefinitionParams{TenantID: tenant, AgentID: agent, Name: name})
	if db.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	def, err := db.StrictDefinitionOf(row.Definition, row.Sealed, row.Pii)
	return &def, err
}

// isSealed reports whether a field is sealed: a definition has this from FindDefinition. An undefined field is sealed
// if any agent sealed its name.
func isSealed(
	ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, def *vault.Definition, name string,
) (bool, error) {
	if def != nil {
		return def.EncryptionRequired, nil
	}
	names, err := q.ListSealedNames(ctx, tenant, []string{name})
	return len(names) > 0, err
}

// indexBlind adds versions that are about to be sealed to the blind index, where their definitions allow it.
func (s Values) indexBlind(ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, rows ...*dbgen.InsertValueParams) error {
	names := make([]string, len(rows))
	for i, row := range rows {
		names[i] = row.Name
	}
	searchable, err := q.ListSearchableNames(ctx, tenant, names)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if !slices.Contains(searchable, row.Name) {
			continue
		}
		key, err := s.Once.Sealer.BlindKey(ctx, tenant, row.Name, rules.MatchText(row.Value))
		if err != nil {
			return err
		}
		row.BlindKey = &key
	}
	return nil
}

// checkAgentExists distinguishes an undefined field from an unknown agent, for which it returns an error.
func checkAgentExists(ctx context.Context, q *dbgen.Queries, tenant, agent uuid.UUID) error {
	known, err := q.AgentExists(ctx, tenant, agent)
	if err == nil && !known {
		err = vault.Unknown("agent", agent)
	}
	return err
}
