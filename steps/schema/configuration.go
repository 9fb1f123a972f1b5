package schema

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/internal/required"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/vault"
)

// Configuration applies the configuration of an agent as a whole.
type Configuration struct {
	Definitions Definitions
	Scenarios   Scenarios
}

// ValidateConfiguration validates each part of a configuration and the references between them.
func (s Configuration) ValidateConfiguration(ctx context.Context, ev vault.Event) (once.Validated, error) {
	return once.Validated{}, once.Prepare(ctx, s.Definitions.Once, ev, func(
		_ *dbgen.Queries, _ dbgen.Operation, in vault.ApplyConfigurationInput,
	) error {
		return rules.Check(in)
	})
}

// changedNames returns the names of the created and updated parts of one kind.
func changedNames(changes []vault.ConfigurationChange, kind string) map[string]bool {
	names := map[string]bool{}
	for _, c := range changes {
		if c.Kind == kind && (c.Action == vault.ChangeCreate || c.Action == vault.ChangeUpdate) {
			names[c.Name] = true
		}
	}
	return names
}

// PersistConfiguration stores the changed parts of a configuration in one transaction, and accepts the extraction of
// the changed texts. Definitions come first, so that conditions and requirements find them, and are deleted last.
func (s Configuration) PersistConfiguration(
	ctx context.Context, ev vault.Event,
) (once.Applied[vault.ApplyConfigurationResult], error) {
	return once.Apply(ctx, s.Definitions.Once, ev, func(
		t *once.Touched, q *dbgen.Queries, op dbgen.Operation, in vault.ApplyConfigurationInput,
	) (vault.ApplyConfigurationResult, error) {
		out := vault.ApplyConfigurationResult{}
		if err := rules.Check(in); err != nil {
			return out, err
		}
		stored, err := db.ConfigurationOf(ctx, q, ev.TenantID, in.AgentID)
		if err != nil {
			return out, err
		}
		a := applying{Configuration: s, q: q, op: op, in: in, stored: stored, out: &out}
		out.Changes = rules.DiffConfiguration(stored, in.AgentConfiguration, in.Prune)
		for _, step := range []func(context.Context) error{
			a.saveDefinitions, a.saveScenarios, a.saveRules, a.pruneRequirements, a.saveRequirements, a.pruneDefinitions,
			a.checkCount,
		} {
			if err := step(ctx); err != nil {
				return out, err
			}
		}
		if err := t.Definitions(ctx, q, ev.TenantID, in.AgentID); err != nil {
			return out, err
		}
		slices.SortFunc(a.touched, func(x, y uuid.UUID) int { return slices.Compare(x[:], y[:]) })
		for _, scenario := range slices.Compact(a.touched) {
			if err := t.Requirements(ctx, q, ev.TenantID, scenario); err != nil {
				return out, err
			}
		}
		return out, nil
	})
}

// applying is one run of PersistConfiguration.
type applying struct {
	Configuration

	q       *dbgen.Queries
	op      dbgen.Operation
	in      vault.ApplyConfigurationInput
	stored  vault.AgentConfiguration
	out     *vault.ApplyConfigurationResult
	touched []uuid.UUID // scenarios with changed requirements
}

// outdated reports a save or deletion of a part that was accepted later. The configuration is not applied over it.
func outdated(kind, name string) error {
	return vault.Conflict("", "%s %s was changed after this configuration was accepted; apply it again", kind, name)
}

// inPart makes an error about one part of a configuration name the part.
func inPart(kind string, i int, name string, err error) error {
	e, ok := errors.AsType[*vault.Error](err)
	if !ok {
		return err
	}
	named := *e
	named.Field = fmt.Sprintf("%s[%d]", kind, i)
	named.Message = fmt.Sprintf("%s (%s): %s", named.Field, name, e.Message)
	if e.Field != "" {
		named.Field += "." + e.Field
	}
	return &named
}

// checkCount refuses more definitions than an agent may have.
func (a *applying) checkCount(ctx context.Context) error {
	if len(changedNames(a.out.Changes, vault.KindDefinition)) == 0 {
		return nil
	}
	count, err := a.q.CountOtherDefinitions(ctx, dbgen.CountOtherDefinitionsParams{
		TenantID: a.op.TenantID, AgentID: a.in.AgentID,
	})
	if err == nil && count > vault.MaxDefinitions {
		err = vault.Invalid("definitions", "the agent would have %d definitions; the limit is %d, so delete those that it "+
			"does not use, with prune for those that the configuration lacks", count, vault.MaxDefinitions)
	}
	return err
}

func (a *applying) saveDefinitions(ctx context.Context) error {
	changed := changedNames(a.out.Changes, vault.KindDefinition)
	for i, d := range a.in.Definitions {
		if !changed[d.Name] {
			continue
		}
		if err := checkDefinition(ctx, a.q, a.op.TenantID, d.Based, d.AgentID, d.Name); err != nil {
			return inPart("definitions", i, d.Name, err)
		}
		row, err := definitionRow(a.op, d)
		if err != nil {
			return err
		}
		_, err = a.q.UpsertDefinition(ctx, row)
		if db.IsNotFound(err) {
			return outdated(vault.KindDefinition, d.Name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// changes reports whether the parts with this key differ.
func changes[T any](stored []T, wanted T, same func(a, b T) bool) bool {
	return !slices.ContainsFunc(stored, func(s T) bool { return same(s, wanted) })
}

func (a *applying) saveScenarios(ctx context.Context) error {
	for i, scenario := range a.in.Scenarios {
		content, hash, err := contentOf(scenario)
		if err != nil {
			return err
		}
		if !changes(a.stored.Scenarios, scenario, sameContent[vault.Scenario]) {
			continue
		}
		if err := checkScenario(ctx, a.q, a.op.TenantID, scenario); err != nil {
			return inPart("scenarios", i, scenario.Name, err)
		}
		_, err = a.q.UpsertScenario(ctx, dbgen.UpsertScenarioParams{
			TenantID: a.op.TenantID, ID: scenario.ID, AgentID: scenario.AgentID, Name: scenario.Name, Content: content,
			ContentHash: hash, OperationID: a.op.ID, AcceptedAt: a.op.AcceptedAt, OnlyNew: scenario.OnlyNew(),
		})
		if db.IsNotFound(err) {
			if _, err := a.Scenarios.explainUnsaved(ctx, a.q, a.op.TenantID, scenario); err != nil {
				return inPart("scenarios", i, scenario.Name, err)
			}
			return outdated(vault.KindScenario, scenario.Name)
		}
		if err != nil {
			return err
		}
		if err := a.extract(ctx, vault.ExtractSchemaInput{
			AgentID: scenario.AgentID, ScenarioID: scenario.ID, ContentHash: hash,
		}); err != nil {
			return err
		}
	}
	return nil
}

func sameContent[T interface{ Content() T }](x, y T) bool {
	_, one, err := contentOf(x)
	_, other, err2 := contentOf(y)
	return err == nil && err2 == nil && one == other
}

func (a *applying) saveRules(ctx context.Context) error {
	for i, rule := range a.in.Rules {
		if !changes(a.stored.Rules, rule, sameContent[vault.Rule]) {
			continue
		}
		scenario, err := a.q.GetScenario(ctx, a.op.TenantID, rule.ScenarioID)
		if err != nil {
			return inPart("rules", i, rule.Name, db.WrapNotFound(err, "scenario", rule.ScenarioID))
		}
		if scenario.AgentID != a.in.AgentID {
			return inPart("rules", i, rule.Name, vault.Invalid("scenario_id", "scenario %s belongs to agent %s",
				rule.ScenarioID, scenario.AgentID))
		}
		content, hash, err := contentOf(rule)
		if err != nil {
			return err
		}
		if err := checkRule(ctx, a.q, a.op.TenantID, rule); err != nil {
			return inPart("rules", i, rule.Name, err)
		}
		_, err = a.q.UpsertRule(ctx, dbgen.UpsertRuleParams{
			TenantID: a.op.TenantID, ID: rule.ID, AgentID: rule.AgentID, ScenarioID: rule.ScenarioID, Name: rule.Name,
			Content: content, ContentHash: hash, OperationID: a.op.ID, AcceptedAt: a.op.AcceptedAt, OnlyNew: rule.OnlyNew(),
		})
		if db.IsNotFound(err) {
			return outdated(vault.KindRule, rule.Name)
		}
		if err != nil {
			return err
		}
		if err := a.extract(ctx, vault.ExtractSchemaInput{
			AgentID: rule.AgentID, ScenarioID: rule.ScenarioID, RuleID: &rule.ID, ContentHash: hash,
		}); err != nil {
			return err
		}
	}
	return nil
}

// extract accepts the extraction of a changed text. The relay pushes it.
func (a *applying) extract(ctx context.Context, in vault.ExtractSchemaInput) error {
	op, err := db.AcceptOperation(ctx, a.q, a.Scenarios.Once.Sealer, a.op.TenantID, db.NewOperation{
		Workflow: vault.ExtractSchema.Name, Event: vault.ExtractSchema.EventFor(in), Subject: in.Subject(),
		Key: "apply:" + a.op.ID.String() + ":" + in.Subject(), ParentID: &a.op.ID, Payload: in,
		Actor: once.ActorOf(a.op),
	})
	a.out.Extractions = append(a.out.Extractions, op.ID)
	return err
}

func (a *applying) saveRequirements(ctx context.Context) error {
	stored := map[string]vault.Requirement{}
	for _, r := range a.stored.Requirements {
		stored[rules.RequirementKey(r)] = r
	}
	for i, r := range a.in.Requirements {
		one := vault.AgentConfiguration{Requirements: []vault.Requirement{r}}
		before := vault.AgentConfiguration{}
		if s, ok := stored[rules.RequirementKey(r)]; ok {
			before.Requirements = []vault.Requirement{s}
		}
		if len(rules.DiffConfiguration(before, one, false)) == 0 {
			continue
		}
		if err := required.Check(ctx, a.q, a.op.TenantID, r); err != nil {
			return inPart("requirements", i, r.FieldName, err)
		}
		if err := checkRequirement(ctx, a.q, a.op.TenantID, r.Based, requirementKey(r)); err != nil {
			return inPart("requirements", i, r.FieldName, err)
		}
		_, err := a.q.UpsertRequirement(ctx, requirementRow(a.op, r))
		if db.IsNotFound(err) {
			return outdated(vault.KindRequirement, r.FieldName)
		}
		if err != nil {
			return err
		}
		warnings, err := referenceWarnings(ctx, a.q, a.op.TenantID, r)
		if err != nil {
			return err
		}
		for _, w := range warnings {
			a.out.Warnings = append(a.out.Warnings, "requirement "+r.FieldName+": "+w)
		}
		a.touched = append(a.touched, r.ScenarioID)
	}
	return nil
}

// pruneRequirements deletes the saved requirements that the configuration lacks.
func (a *applying) pruneRequirements(ctx context.Context) error {
	if !a.in.Prune {
		return nil
	}
	for _, r := range a.stored.Requirements {
		if slices.ContainsFunc(a.in.Requirements, func(w vault.Requirement) bool {
			return rules.RequirementKey(w) == rules.RequirementKey(r)
		}) {
			continue
		}
		err := a.q.DeleteRequirement(ctx, dbgen.DeleteRequirementParams{
			TenantID: a.op.TenantID, ID: r.ID, OperationID: a.op.ID, AcceptedAt: a.op.AcceptedAt,
		})
		if err != nil {
			return err
		}
		a.touched = append(a.touched, r.ScenarioID)
	}
	return nil
}

// pruneDefinitions deletes the saved definitions that the configuration lacks. It refuses to delete one that a
// requirement still needs.
func (a *applying) pruneDefinitions(ctx context.Context) error {
	if !a.in.Prune {
		return nil
	}
	for _, d := range a.stored.Definitions {
		if slices.ContainsFunc(a.in.Definitions, func(w vault.Definition) bool { return w.Name == d.Name }) {
			continue
		}
		err := checkNotRequired(ctx, a.q, a.op.TenantID, vault.DeleteDefinitionInput{AgentID: a.in.AgentID, Name: d.Name})
		if err != nil {
			return fmt.Errorf("prune definition %s: %w", d.Name, err)
		}
		err = a.q.DeleteDefinition(ctx, dbgen.DeleteDefinitionParams{
			TenantID: a.op.TenantID, ID: d.ID, OperationID: a.op.ID, AcceptedAt: a.op.AcceptedAt,
		})
		if err != nil {
			return err
		}
	}
	return nil
}
