package trigger

import (
	"context"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

// WriteValue accepts a fact about a customer (workflow write-value).
func (c *Client) WriteValue(ctx context.Context, tenant uuid.UUID, in vault.WriteValueInput, opts ...Option) (Receipt, error) {
	if err := rules.Check(in); err != nil {
		return Receipt{}, err
	}
	return c.accept(ctx, tenant, db.NewOperation{
		Workflow: vault.WorkflowWriteValue, Event: vault.EventValueWrite, Subject: in.CustomerID.String(), Payload: in,
	}, opts)
}

// AddAsset accepts the reference to a document (workflow add-asset).
func (c *Client) AddAsset(ctx context.Context, tenant uuid.UUID, in vault.AddAssetInput, opts ...Option) (Receipt, error) {
	if err := rules.Check(in); err != nil {
		return Receipt{}, err
	}
	return c.accept(ctx, tenant, db.NewOperation{
		Workflow: vault.WorkflowAddAsset, Event: vault.EventAssetAdd, Subject: in.CustomerID.String(), Payload: in,
	}, opts)
}

// DeleteItem accepts the deletion of a field version or an asset (workflow delete-item). Only admins may force it: the caller
// checks that.
func (c *Client) DeleteItem(ctx context.Context, tenant uuid.UUID, in vault.DeleteItemInput, opts ...Option) (Receipt, error) {
	if err := rules.Check(in); err != nil {
		return Receipt{}, err
	}
	owner, err := c.db.Tenant(tenant).GetItemOwner(ctx, tenant, in.ItemID)
	if err != nil {
		return Receipt{}, db.WrapNotFound(err, "item", in.ItemID)
	}
	return c.accept(ctx, tenant, db.NewOperation{
		Workflow: vault.WorkflowDeleteItem, Event: vault.EventItemDelete, Subject: owner.CustomerID.String(), Payload: in,
	}, opts)
}

// SaveSession accepts variables and turns of a conversation (workflow save-session).
func (c *Client) SaveSession(ctx context.Context, tenant uuid.UUID, in vault.SaveSessionInput, opts ...Option) (Receipt, error) {
	if err := rules.Check(in); err != nil {
		return Receipt{}, err
	}
	return c.accept(ctx, tenant, db.NewOperation{
		Workflow: vault.WorkflowSaveSession, Event: vault.EventSessionSave, Subject: in.SessionID.String(), Payload: in,
	}, opts)
}

// SaveDefinition accepts a field definition (workflow save-definition).
func (c *Client) SaveDefinition(ctx context.Context, tenant uuid.UUID, in vault.Definition, opts ...Option) (Receipt, error) {
	if err := rules.Check(in); err != nil {
		return Receipt{}, err
	}
	return c.accept(ctx, tenant, db.NewOperation{
		Workflow: vault.WorkflowSaveDefinition, Event: vault.EventDefinitionSave, Subject: in.AgentID.String(), Payload: in,
	}, opts)
}

// SaveRequirement accepts that a scenario needs a field (workflow save-requirement).
func (c *Client) SaveRequirement(ctx context.Context, tenant uuid.UUID, in vault.Requirement, opts ...Option) (Receipt, error) {
	if err := rules.Check(in); err != nil {
		return Receipt{}, err
	}
	return c.accept(ctx, tenant, db.NewOperation{
		Workflow: vault.WorkflowSaveRequirement, Event: vault.EventRequirementSave, Subject: in.ScenarioID.String(), Payload: in,
	}, opts)
}

// DeleteDefinition accepts that an agent does not collect a field any more (workflow delete-definition).
func (c *Client) DeleteDefinition(ctx context.Context, tenant uuid.UUID, in vault.DeleteDefinitionInput, opts ...Option) (Receipt, error) {
	return checked(ctx, c, tenant, in, vault.WorkflowDeleteDefinition, vault.EventDefinitionDelete, in.AgentID, opts)
}

// DeleteRequirement accepts that a scenario does not need a field any more (workflow delete-requirement).
func (c *Client) DeleteRequirement(ctx context.Context, tenant uuid.UUID, in vault.DeleteRequirementInput, opts ...Option) (Receipt, error) {
	return checked(ctx, c, tenant, in, vault.WorkflowDeleteRequirement, vault.EventRequirementDelete, in.ScenarioID, opts)
}

// SaveScenario accepts a scenario; the fields it needs are extracted after it is saved (workflow save-scenario, then
// extract-schema).
func (c *Client) SaveScenario(ctx context.Context, tenant uuid.UUID, in vault.Scenario, opts ...Option) (Receipt, error) {
	if err := rules.Check(in); err != nil {
		return Receipt{}, err
	}
	return c.accept(ctx, tenant, db.NewOperation{
		Workflow: vault.WorkflowSaveScenario, Event: vault.EventScenarioSave, Subject: in.ID.String(), Payload: in,
	}, opts)
}

// SaveRule accepts a rule of a scenario; the fields it needs are extracted after it is saved (workflow save-rule, then
// extract-schema).
func (c *Client) SaveRule(ctx context.Context, tenant uuid.UUID, in vault.Rule, opts ...Option) (Receipt, error) {
	if err := rules.Check(in); err != nil {
		return Receipt{}, err
	}
	return c.accept(ctx, tenant, db.NewOperation{
		Workflow: vault.WorkflowSaveRule, Event: vault.EventRuleSave, Subject: in.ScenarioID.String(), Payload: in,
	}, opts)
}

// ExtractSchema asks by hand for the fields that a scenario or rule needs. Unchanged content costs no model call.
func (c *Client) ExtractSchema(ctx context.Context, tenant uuid.UUID, in vault.ExtractSchemaInput, opts ...Option) (Receipt, error) {
	if err := rules.Check(in); err != nil {
		return Receipt{}, err
	}
	event := vault.EventScenarioSaved
	if in.RuleID != nil {
		event = vault.EventRuleSaved
	}
	return c.accept(ctx, tenant, db.NewOperation{
		Workflow: vault.WorkflowExtractSchema, Event: event, Subject: in.Subject(), Payload: in,
	}, opts)
}

// FillGaps accepts a gap fill (workflow fill-gaps). Its receipt may take as long as a customer takes to answer.
func (c *Client) FillGaps(ctx context.Context, tenant uuid.UUID, in vault.FillGapsInput, opts ...Option) (Receipt, error) {
	if err := rules.Check(in); err != nil {
		return Receipt{}, err
	}
	return c.accept(ctx, tenant, db.NewOperation{
		Workflow: vault.WorkflowFillGaps, Event: vault.EventGapsFill, Subject: in.CustomerID.String() + ":" + in.ScenarioID.String(), Payload: in,
	}, opts)
}

// CancelFill stops a gap fill from asking (workflow cancel-fill). The fill's own receipt then gives its result.
func (c *Client) CancelFill(ctx context.Context, tenant uuid.UUID, in vault.CancelFillInput, opts ...Option) (Receipt, error) {
	if err := rules.Check(in); err != nil {
		return Receipt{}, err
	}
	fill, err := c.db.Tenant(tenant).GetOperation(ctx, tenant, in.FillID)
	if err == nil && fill.Workflow != vault.WorkflowFillGaps {
		return Receipt{}, vault.Unknown("gap fill", in.FillID)
	}
	if err != nil {
		return Receipt{}, db.WrapNotFound(err, "gap fill", in.FillID)
	}
	return c.accept(ctx, tenant, db.NewOperation{
		Workflow: vault.WorkflowCancelFill, Event: vault.EventGapsCancel, Subject: in.FillID.String(), ParentID: &in.FillID, Payload: in,
	}, opts)
}

// AnswerQuestion accepts a customer's answer (workflow answer-question). The receipt fails with what was wrong with the answer.
func (c *Client) AnswerQuestion(ctx context.Context, tenant uuid.UUID, in vault.AnswerQuestionInput, opts ...Option) (Receipt, error) {
	if err := rules.Check(in); err != nil {
		return Receipt{}, err
	}
	question, err := c.db.Tenant(tenant).GetQuestion(ctx, tenant, in.QuestionID)
	if err != nil {
		return Receipt{}, db.WrapNotFound(err, "question", in.QuestionID)
	}
	return c.accept(ctx, tenant, db.NewOperation{
		Workflow: vault.WorkflowAnswerQuestion, Event: vault.EventQuestionAnswered, Subject: question.CustomerID.String(),
		ParentID: &question.FillID, Payload: in,
	}, opts)
}

// ExpireValues asks for a sweep by hand, across tenants; the cron goes on as well (workflow expire-values).
func (c *Client) ExpireValues(ctx context.Context, tenant uuid.UUID, opts ...Option) (Receipt, error) {
	return c.accept(ctx, tenant, db.NewOperation{
		Workflow: vault.WorkflowExpireValues, Event: vault.EventValuesExpire, Subject: "all", Payload: vault.Sweep{},
	}, opts)
}

// DetectOrphans asks for a sweep by hand, across tenants; the cron goes on as well (workflow detect-orphans).
func (c *Client) DetectOrphans(ctx context.Context, tenant uuid.UUID, opts ...Option) (Receipt, error) {
	return c.accept(ctx, tenant, db.NewOperation{
		Workflow: vault.WorkflowDetectOrphans, Event: vault.EventOrphansDetect, Subject: "all", Payload: vault.Sweep{},
	}, opts)
}

// Replay makes a rejected operation owed again, after its cause was mended, and pushes it. The same operation keeps its id and
// its place by order of acceptance.
func (c *Client) Replay(ctx context.Context, tenant, id uuid.UUID) (Receipt, error) {
	q := c.db.Tenant(tenant)
	op, err := q.GetOperation(ctx, tenant, id)
	if err != nil {
		return Receipt{}, db.WrapNotFound(err, "operation", id)
	}
	reopened, err := q.ReopenOperation(ctx, dbgen.ReopenOperationParams{TenantID: tenant, ID: id, DueAfter: dueUnpushed})
	if err != nil {
		return Receipt{}, err
	}
	if reopened == 0 {
		return Receipt{}, vault.Conflict("operation_id", "operation_id: operation %s is %s; only a failed one can be replayed", id, op.Status)
	}
	c.pushLater(ctx, op)
	return Receipt{ID: op.ID, TenantID: tenant, Workflow: op.Workflow, client: c}, nil
}
