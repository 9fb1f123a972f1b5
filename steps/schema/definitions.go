package schema

import (
	"context"
	"encoding/json"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/internal/required"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/vault"
)

// Definitions saves and deletes definitions and requirements, and stores reviews of them.
type Definitions struct {
	Once once.Runner
}

// ValidateDefinition validates a definition.
func (s Definitions) ValidateDefinition(ctx context.Context, ev vault.Event) (once.Validated, error) {
	return once.Validated{}, once.Prepare(
		ctx, s.Once, ev, func(_ *dbgen.Queries, _ dbgen.Operation, in vault.Definition) error { return rules.Check(in) },
	)
}

// PersistDefinition stores a definition. MatchSchema embeds its meaning when it needs it, so no save waits for a model.
func (s Definitions) PersistDefinition(ctx context.Context, ev vault.Event) (once.Applied[vault.SavedResult], error) {
	return once.Apply(ctx, s.Once, ev, func(
		t *once.Touched, q *dbgen.Queries, op dbgen.Operation, in vault.Definition,
	) (vault.SavedResult, error) {
		if err := rules.Check(in); err != nil {
			return vault.SavedResult{}, err
		}
		if err := checkDefinition(ctx, q, ev.TenantID, in.Based, in.AgentID, in.Name); err != nil {
			return vault.SavedResult{}, err
		}
		row, err := definitionRow(op, in)
		if err != nil {
			return vault.SavedResult{}, err
		}
		others, err := q.CountOtherDefinitions(ctx, dbgen.CountOtherDefinitionsParams{
			TenantID: ev.TenantID, AgentID: in.AgentID, Name: in.Name,
		})
		if err == nil && others >= vault.MaxDefinitions {
			err = vault.Invalid(
				"agent_id",
				"the agent has %d definitions; the limit is %d, so delete those that it does not use",
				others,
				vault.MaxDefinitions,
			)
		}
		if err != nil {
			return vault.SavedResult{}, err
		}
		id, err := q.UpsertDefinition(ctx, row)
		if db.IsNotFound(err) && in.IfVersion != nil {
			err = overtaken(checkDefinition(ctx, q, ev.TenantID, in.Based, in.AgentID, in.Name), "definition "+in.Name)
		}
		if db.IsNotFound(err) { // a newer save or deletion is stored
			current, err := q.LockDefinitionByName(ctx, dbgen.LockDefinitionByNameParams{
				TenantID: ev.TenantID, AgentID: in.AgentID, Name: in.Name,
			})
			return vault.SavedResult{ID: current.ID}, err
		}
		if err != nil {
			return vault.SavedResult{}, err
		}
		// After the row, as in reviews and extractions: with another lock order they could deadlock.
		return vault.SavedResult{ID: id}, t.Definitions(ctx, q, ev.TenantID, in.AgentID)
	})
}

// ValidateRequirement validates a requirement: its scenario, step, rule and fields exist, and its condition compiles.
func (s Definitions) ValidateRequirement(ctx context.Context, ev vault.Event) (once.Validated, error) {
	return once.Validated{}, once.Prepare(ctx, s.Once, ev, func(
		q *dbgen.Queries, _ dbgen.Operation, in vault.Requirement,
	) error {
		return required.Check(ctx, q, ev.TenantID, in)
	})
}

// PersistRequirement stores a requirement that a person saved.
func (s Definitions) PersistRequirement(ctx context.Context, ev vault.Event) (once.Applied[vault.SavedResult], error) {
	return once.Apply(ctx, s.Once, ev, func(
		t *once.Touched, q *dbgen.Queries, op dbgen.Operation, in vault.Requirement,
	) (vault.SavedResult, error) {
		if err := required.Check(ctx, q, ev.TenantID, in); err != nil {
			return vault.SavedResult{}, err
		}
		if err := checkRequirement(ctx, q, ev.TenantID, in.Based, requirementKey(in)); err != nil {
			return vault.SavedResult{}, err
		}
		stored, err := q.UpsertRequirement(ctx, requirementRow(op, in))
		if db.IsNotFound(err) && in.IfVersion != nil {
			err = overtaken(
				checkRequirement(ctx, q, ev.TenantID, in.Based, requirementKey(in)), "requirement of "+in.FieldName)
		}
		if db.IsNotFound(err) { // a newer save or deletion is stored
			return vault.SavedResult{ID: in.ScenarioID}, nil
		}
		if err != nil {
			return vault.SavedResult{}, err
		}
		warnings, err := referenceWarnings(ctx, q, ev.TenantID, in)
		if err != nil {
			return vault.SavedResult{}, err
		}
		return vault.SavedResult{ID: stored, Warnings: warnings}, t.Requirements(ctx, q, ev.TenantID, in.ScenarioID)
	})
}

// referenceWarnings names the fields that a requirement's condition and dependencies read and that its agent does not
// define, each with the defined field of the closest name. Such a condition or dependency never sees a value. It also
// warns of a requirement that only an extraction can fill, which the definition forbids. Neither is an error: the
// definition may be saved later.
func referenceWarnings(
	ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, in vault.Requirement,
) ([]string, error) {
	read := rules.ConditionFields(in.WhenCondition)
	onlyExtracted := in.FallbackAction == vault.FallbackExtract
	if len(read)+len(in.DependsOn) == 0 && !onlyExtracted {
		return nil, nil
	}
	rows, err := q.ListDefinitions(ctx, tenant, in.AgentID)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(rows))
	var warnings []string
	for i, row := range rows {
		names[i] = row.Name
		if onlyExtracted && row.Name == in.FieldName && row.ForbidExtraction {
			warnings = append(warnings, "fallback_action: the definition of "+in.FieldName+" has forbid_extraction, so "+
				"no conversation fills the requirement; use ask, skip or block")
		}
	}
	return append(rules.UndefinedReferences(in, names), warnings...), nil
}

func requirementRow(op dbgen.Operation, in vault.Requirement) dbgen.UpsertRequirementParams {
	return dbgen.UpsertRequirementParams{
		ID: once.NewID(), TenantID: op.TenantID, AgentID: in.AgentID, ScenarioID: in.ScenarioID, StepID: in.StepID,
		RuleID: in.RuleID, FieldName: in.FieldName, RequiredLevel: string(in.RequiredLevel),
		FallbackAction: string(in.FallbackAction), WhenCondition: in.WhenCondition,
		DependsOnFields: once.NonNil(in.DependsOn),
		CollectionOrder: int32(in.Order), //nolint:gosec // checked by Requirement.Check
		RefuseStale:     in.RefuseStale,
		OperationID:     op.ID, AcceptedAt: op.AcceptedAt, OnlyNew: in.OnlyNew(),
	}
}

func definitionRow(op dbgen.Operation, in vault.Definition) (dbgen.UpsertDefinitionParams, error) {
	allowed := json.RawMessage("[]")
	if len(in.AllowedValues) > 0 {
		encoded, err := json.Marshal(in.AllowedValues)
		if err != nil {
			return dbgen.UpsertDefinitionParams{}, vault.Invalid("allowed_values", "are not JSON values")
		}
		allowed = encoded
	}
	return dbgen.UpsertDefinitionParams{
		ID:                   once.NewID(),
		TenantID:             op.TenantID,
		AgentID:              in.AgentID,
		Name:                 in.Name,
		DisplayName:          in.DisplayName,
		Description:          in.Description,
		ValueType:            string(in.ValueType),
		ValidationRegex:      in.ValidationRegex,
		AllowedValues:        allowed,
		Unit:                 in.Unit,
		Minimum:              optional(in.Minimum),
		Maximum:              optional(in.Maximum),
		TimeZone:             in.TimeZone,
		DefaultRegion:        in.DefaultRegion,
		JsonSchema:           optional(in.JSONSchema),
		WriteOnce:            in.WriteOnce,
		Multiple:             in.Multiple,
		MaxElements:          int32(in.MaxElements), //nolint:gosec // at most 1000
		ValidationMode:       string(in.ValidationMode),
		RequiredVerification: in.RequiredVerification,
		AskChannels:          once.NonNil(in.AskChannels),
		VerificationMethods: once.NonNil(
			in.VerificationMethods,
		),
		CollectionPrompt: in.CollectionPrompt,
		RetryPrompt:      in.RetryPrompt,
		ExtractionExamples: once.NonNil(
			in.ExtractionExamples,
		),
		ExtractionPromptHint: in.ExtractionPromptHint,
		ForbidExtraction:     in.ForbidExtraction,
		About:                in.About,
		IsPii:                in.IsPII,
		Purposes:             once.NonNil(in.Purposes),
		EncryptionRequired:   in.EncryptionRequired,
		Searchable:           in.Searchable,
		PrefixSearch:         in.PrefixSearch,
		RetentionDays:        int32(in.RetentionDays),   //nolint:gosec // at most 36500
		RemoveAfterDays:      int32(in.RemoveAfterDays), //nolint:gosec // at most 36500
		EraseOnWithdrawal:    in.EraseOnWithdrawal,
		FreshnessSeconds:     in.FreshnessSeconds,
		StaleAction:          string(in.StaleAction),
		OnConflict:           string(in.OnConflict),
		SourcePriority:       namesOf(in.SourcePriority),
		Enabled:              in.Enabled,
		Origin:               string(vault.OriginHuman),
		ReviewState:          string(vault.ReviewNone),
		OperationID:          op.ID,
		AcceptedAt:           op.AcceptedAt,
		OnlyNew:              in.OnlyNew(),
	}, nil
}

// optional returns a JSON value for a column that is NULL without one.
func optional(raw json.RawMessage) json.RawMessage {
	if string(raw) == "null" {
		return nil
	}
	return raw
}

func namesOf(sources []vault.ValueSource) []string {
	out := make([]string, len(sources))
	for i, s := range sources {
		out[i] = string(s)
	}
	return out
}
