package db

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/vault"
)

// ValueOf converts a row of customer_values.
func ValueOf(r dbgen.CustomerValue) vault.Value {
	return vault.Value{
		ID:               r.ID,
		ProfileID:        r.ProfileID,
		Name:             r.Name,
		Value:            r.Value,
		Encrypted:        r.Encrypted,
		ValueType:        vault.ValueType(r.ValueType),
		Source:           vault.ValueSource(r.Source),
		SourceSessionID:  r.SourceSessionID,
		SourceScenarioID: r.SourceScenarioID,
		SourceStepID:     r.SourceStepID,
		Lineage: vault.Lineage{
			SourceItemID: r.SourceItemID, SourceItemType: vault.SourceType(r.SourceItemType), SourceMetadata: r.SourceMetadata,
		},
		Status:               vault.ItemStatus(r.Status),
		SupersededByID:       r.SupersededByID,
		SupersededAt:         r.SupersededAt,
		YieldsToID:           r.YieldsToID,
		Decision:             vault.ValueDecision(r.Decision),
		DecidedBy:            r.DecidedBy,
		DecidedAt:            r.DecidedAt,
		DecisionNote:         r.DecisionNote,
		Verified:             r.Verified,
		VerificationMethod:   r.VerificationMethod,
		VerifiedAt:           r.VerifiedAt,
		VerifiedBy:           r.VerifiedBy,
		Confidence:           r.Confidence,
		RequiresConfirmation: r.RequiresConfirmation,
		CollectedAt:          r.CollectedAt,
		UpdatedAt:            r.UpdatedAt,
		ExpiresAt:            r.ExpiresAt,
		DefinitionID:         r.DefinitionID,
		Warnings:             r.Warnings,
		OperationID:          r.OperationID,
		Actor:                vault.Actor(r.Actor),
		AcceptedAt:           r.AcceptedAt,
		StaleSince:           r.StaleSince,
		DeletionProposedAt:   r.DeletionProposedAt,
		DeletionReason:       vault.DeletionReason(r.DeletionReason),
	}
}

// ProfileOf converts the row of GetProfile.
func ProfileOf(r dbgen.GetProfileRow) (vault.Profile, error) {
	p := vault.Profile{
		ID:         r.ID,
		TenantID:   r.TenantID,
		CustomerID: r.CustomerID,
		Version:    r.Version,
		Label:      r.Label,
		CreatedAt:  r.CreatedAt,
		UpdatedAt:  r.UpdatedAt,
		Fields:     map[string]vault.Value{},

		MergedCustomers: r.MergedCustomers,
	}
	if r.RequestedID != r.CustomerID {
		p.RequestedCustomerID = &r.RequestedID
	}
	var values []vault.Value
	if err := json.Unmarshal(r.Fields, &values); err != nil {
		return p, fmt.Errorf("decode the values of profile %s", r.ID) // the cause may quote a value
	}
	for _, v := range values {
		p.Fields[v.Name] = v
	}
	if err := json.Unmarshal(r.Pending, &p.Pending); err != nil {
		return p, fmt.Errorf("decode the pending values of profile %s", r.ID) // the cause may quote a value
	}
	for what, part := range map[string]struct {
		raw  json.RawMessage
		into any
	}{"assets": {r.Assets, &p.Assets}, "channels": {r.Channels, &p.Channels}, "consents": {r.Consents, &p.Consents}} {
		if err := json.Unmarshal(part.raw, part.into); err != nil {
			return p, fmt.Errorf("decode the %s of profile %s", what, r.ID)
		}
	}
	return p, nil
}

// DefinitionOf converts a row of definitions.
func DefinitionOf(r dbgen.Definition) (vault.Definition, error) {
	d := vault.Definition{
		ID:                   r.ID,
		AgentID:              r.AgentID,
		Name:                 r.Name,
		DisplayName:          r.DisplayName,
		Description:          r.Description,
		ValueType:            vault.ValueType(r.ValueType),
		ValidationRegex:      r.ValidationRegex,
		Unit:                 r.Unit,
		Minimum:              r.Minimum,
		Maximum:              r.Maximum,
		TimeZone:             r.TimeZone,
		DefaultRegion:        r.DefaultRegion,
		JSONSchema:           r.JsonSchema,
		WriteOnce:            r.WriteOnce,
		Multiple:             r.Multiple,
		MaxElements:          int(r.MaxElements),
		ValidationMode:       vault.ValidationMode(r.ValidationMode),
		RequiredVerification: r.RequiredVerification,
		VerificationMethods:  r.VerificationMethods,
		AskChannels:          r.AskChannels,
		CollectionPrompt:     r.CollectionPrompt,
		RetryPrompt:          r.RetryPrompt,
		ExtractionExamples:   r.ExtractionExamples,
		ExtractionPromptHint: r.ExtractionPromptHint,
		ForbidExtraction:     r.ForbidExtraction,
		About:                r.About,
		IsPII:                r.IsPii,
		Purposes:             r.Purposes,
		EncryptionRequired:   r.EncryptionRequired,
		Searchable:           r.Searchable,
		PrefixSearch:         r.PrefixSearch,
		RetentionDays:        int(r.RetentionDays),
		RemoveAfterDays:      int(r.RemoveAfterDays),
		EraseOnWithdrawal:    r.EraseOnWithdrawal,
		FreshnessSeconds:     r.FreshnessSeconds,
		StaleAction:          vault.StaleAction(r.StaleAction),
		OnConflict:           vault.OnConflict(r.OnConflict),
		SourcePriority:       sourcesOf(r.SourcePriority),
		Enabled:              r.Enabled,
		Origin:               vault.Origin(r.Origin),
		Review:               vault.ReviewState(r.ReviewState),
		UpdatedAt:            r.UpdatedAt,
		Version:              r.OperationID,
	}
	if err := json.Unmarshal(r.AllowedValues, &d.AllowedValues); err != nil {
		return d, fmt.Errorf("decode allowed_values of definition %s: %w", r.ID, err)
	}
	return d, nil
}

func sourcesOf(names []string) []vault.ValueSource {
	var out []vault.ValueSource
	for _, name := range names {
		out = append(out, vault.ValueSource(name))
	}
	return out
}

// RequirementOf converts a row of requirements.
func RequirementOf(r dbgen.Requirement) vault.Requirement {
	return vault.Requirement{
		ID:             r.ID,
		AgentID:        r.AgentID,
		ScenarioID:     r.ScenarioID,
		StepID:         r.StepID,
		RuleID:         r.RuleID,
		FieldName:      r.FieldName,
		RequiredLevel:  vault.RequiredLevel(r.RequiredLevel),
		FallbackAction: vault.FallbackAction(r.FallbackAction),
		WhenCondition:  r.WhenCondition,
		DependsOn:      r.DependsOnFields,
		Order:          int(r.CollectionOrder),
		RefuseStale:    r.RefuseStale,
		Confidence:     r.Confidence,
		NeedsReview:    r.NeedsHumanReview,
		Origin:         vault.Origin(r.Origin),
		Review:         vault.ReviewState(r.ReviewState),
		Quote:          r.Quote,
		Version:        r.OperationID,
	}
}

// ScenarioOf converts a row of scenarios.
func ScenarioOf(r dbgen.Scenario) (vault.Scenario, error) {
	var s vault.Scenario
	if err := json.Unmarshal(r.Content, &s); err != nil {
		return s, fmt.Errorf("decode scenario %s: %w", r.ID, err)
	}
	s.Version = r.OperationID
	return s, nil
}

// RuleOf converts a row of rules.
func RuleOf(r dbgen.Rule) (vault.Rule, error) {
	var out vault.Rule
	if err := json.Unmarshal(r.Content, &out); err != nil {
		return out, fmt.Errorf("decode rule %s: %w", r.ID, err)
	}
	out.Version = r.OperationID
	return out, nil
}

// StrictDefinitionOf converts a row of definitions. sealed and pii say what the name is in the tenant: the strictest
// definition of any agent decides.
func StrictDefinitionOf(r dbgen.Definition, sealed, pii bool) (vault.Definition, error) {
	def, err := DefinitionOf(r)
	def.EncryptionRequired = def.EncryptionRequired || sealed
	def.IsPII = def.IsPII || pii
	return def, err
}

// QuestionOf converts a row of questions.
func QuestionOf(r dbgen.Question) vault.Question {
	return vault.Question{
		ID:         r.ID,
		CustomerID: r.CustomerID,
		AgentID:    r.AgentID,
		ScenarioID: r.ScenarioID,
		FieldName:  r.FieldName,
		Kind:       vault.QuestionKind(r.Kind),
		Candidate:  r.Candidate,
		ItemID:     r.ItemID,
		Prompt:     r.Prompt,
		Reason:     r.Reason,
		Attempt: int(
			r.Attempt,
		),
		Status:     vault.QuestionStatus(r.Status),
		FillID:     r.FillID,
		OpenedAt:   r.OpenedAt,
		DeadlineAt: r.DeadlineAt,
		Channels:   r.Channels, ClaimedBy: r.ClaimedBy, ClaimedUntil: r.ClaimedUntil, AnsweredOn: r.AnsweredOn,
		Rejection: r.Rejection, ClosedAt: r.ClosedAt,
	}
}

// OperationOf converts a row of operations.
func OperationOf(r dbgen.Operation) (vault.Operation, error) {
	op := vault.Operation{
		ID: r.ID, TenantID: r.TenantID, Workflow: r.Workflow, Actor: vault.Actor(r.Actor), ParentID: r.ParentID,
		Status: vault.OperationStatus(r.Status), Result: r.Result, Attempts: int(r.Attempts), BatchID: r.BatchID,
		AcceptedAt: r.AcceptedAt, FinishedAt: r.FinishedAt, Failures: int(r.Failures), PushedAt: r.EnqueuedAt,
		DueAt: r.DueAt, AppliedAt: r.AppliedAt,
	}
	if len(r.Error) > 0 {
		if err := json.Unmarshal(r.Error, &op.Error); err != nil {
			return op, fmt.Errorf("decode the error of operation %s: %w", r.ID, err)
		}
	}
	return op, nil
}

// ChainOf converts the rows of GetChain, which begin with the item, to a chain that begins with the origin. More rows
// than depth mean that the chain is truncated. A chain has no statuses of its items, so that it can be cached: it
// changes only when an item is added, deleted, restored or marked as stale, or no longer stale, which drops it.
func ChainOf(rows []dbgen.GetChainRow, depth int) vault.Chain {
	var chain vault.Chain
	if len(rows) > depth {
		rows, chain.Truncated = rows[:depth], true
	}
	for i := len(rows) - 1; i >= 0; i-- {
		r := rows[i]
		chain.Links = append(chain.Links, vault.ChainLink{
			ID: r.ID, Type: vault.SourceType(r.Kind), Name: r.Name, Meta: r.SourceMetadata, Actor: vault.Actor(r.Actor),
			StaleSince: r.StaleSince,
		})
	}
	if len(rows) == 0 || chain.Truncated {
		return chain
	}
	origin := rows[len(rows)-1]
	switch kind := vault.SourceType(origin.SourceItemType); kind {
	case vault.SourceProfileField, vault.SourceProfileAsset:
		chain.Missing = origin.SourceItemID != uuid.Nil
	case vault.SourceSession, vault.SourceTool, vault.SourceExternal:
		first := vault.ChainLink{ID: origin.SourceItemID, Type: kind, Meta: origin.SourceMetadata}
		chain.Links = append([]vault.ChainLink{first}, chain.Links...)
	}
	return chain
}

// JSON returns a value for a jsonb column that is NOT NULL: nil becomes an empty object.
func JSON(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 {
		return json.RawMessage("{}")
	}
	return raw
}

// UTC returns the time in UTC, truncated to the precision of PostgreSQL (microseconds).
func UTC(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// AssetOf converts a row of customer_assets.
func AssetOf(r dbgen.CustomerAsset) vault.Asset {
	return vault.Asset{
		ID: r.ID, ProfileID: r.ProfileID, Name: r.Name, AssetType: r.AssetType, StorageProvider: r.StorageProvider,
		StoragePath: r.StoragePath, MimeType: r.MimeType, SizeBytes: r.SizeBytes, Checksum: r.Checksum,
		UploadedAt: r.UploadedAt, UploadSessionID: r.UploadSessionID, UploadScenarioID: r.UploadScenarioID,
		Lineage: vault.Lineage{
			SourceItemID: r.SourceItemID, SourceItemType: vault.SourceType(r.SourceItemType), SourceMetadata: r.SourceMetadata,
		},
		Status: vault.ItemStatus(r.Status), ExpiresAt: r.ExpiresAt, OperationID: r.OperationID, Actor: vault.Actor(r.Actor),
		AcceptedAt: r.AcceptedAt, StaleSince: r.StaleSince,
	}
}

// ConsentOf converts a row of consents.
func ConsentOf(r dbgen.Consent) vault.Consent {
	return vault.Consent{
		ID: r.ID, Purpose: r.Purpose, Granted: r.Granted, Source: r.Source, AcceptedAt: r.AcceptedAt, ExpiresAt: r.ExpiresAt,
	}
}
