package trigger

import (
	"context"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/vault"
)

// WriteField accepts a fact about a customer (workflow write-field).
func (c *Client) WriteField(ctx context.Context, tenant uuid.UUID, in vault.WriteField, opts ...Option) (Receipt, error) {
	if err := in.Check(); err != nil {
		return Receipt{}, err
	}
	return c.accept(ctx, tenant, db.NewIntent{
		Workflow: vault.WorkflowWriteField, Event: vault.EventFieldWrite, Subject: in.CustomerID.String(), Payload: in,
	}, opts)
}

// AddAsset accepts the reference to a document (workflow add-asset).
func (c *Client) AddAsset(ctx context.Context, tenant uuid.UUID, in vault.AddAsset, opts ...Option) (Receipt, error) {
	if err := in.Check(); err != nil {
		return Receipt{}, err
	}
	return c.accept(ctx, tenant, db.NewIntent{
		Workflow: vault.WorkflowAddAsset, Event: vault.EventAssetAdd, Subject: in.CustomerID.String(), Payload: in,
	}, opts)
}

// DeleteItem accepts the deletion of a field version or an asset (workflow delete-item). Only admins may force it: the caller
// checks that.
func (c *Client) DeleteItem(ctx context.Context, tenant uuid.UUID, in vault.DeleteItem, opts ...Option) (Receipt, error) {
	if err := vault.CheckInput(in); err != nil {
		return Receipt{}, err
	}
	owner, err := c.db.Tenant(tenant).GetItemOwner(ctx, tenant, in.ItemID)
	if err != nil {
		return Receipt{}, db.Found(err, "item", in.ItemID)
	}
	return c.accept(ctx, tenant, db.NewIntent{
		Workflow: vault.WorkflowDeleteItem, Event: vault.EventItemDelete, Subject: owner.CustomerID.String(), Payload: in,
	}, opts)
}

// SaveSession accepts variables and turns of a conversation (workflow save-session).
func (c *Client) SaveSession(ctx context.Context, tenant uuid.UUID, in vault.SaveSession, opts ...Option) (Receipt, error) {
	if err := vault.CheckInput(in); err != nil {
		return Receipt{}, err
	}
	return c.accept(ctx, tenant, db.NewIntent{
		Workflow: vault.WorkflowSaveSession, Event: vault.EventSessionSave, Subject: in.SessionID.String(), Payload: in,
	}, opts)
}

// SaveDefinition accepts a field definition (workflow save-definition).
func (c *Client) SaveDefinition(ctx context.Context, tenant uuid.UUID, in vault.Definition, opts ...Option) (Receipt, error) {
	if err := in.Check(); err != nil {
		return Receipt{}, err
	}
	return c.accept(ctx, tenant, db.NewIntent{
		Workflow: vault.WorkflowSaveDefinition, Event: vault.EventDefinitionSave, Subject: in.AgentID.String(), Payload: in,
	}, opts)
}

// SaveRequirement accepts that a scenario needs a field (workflow save-requirement).
func (c *Client) SaveRequirement(ctx context.Context, tenant uuid.UUID, in vault.Requirement, opts ...Option) (Receipt, error) {
	if err := in.Check(); err != nil {
		return Receipt{}, err
	}
	return c.accept(ctx, tenant, db.NewIntent{
		Workflow: vault.WorkflowSaveRequirement, Event: vault.EventRequirementSave, Subject: in.ScenarioID.String(), Payload: in,
	}, opts)
}

// DeleteDefinition accepts that an agent does not collect a field any more (workflow delete-definition).
func (c *Client) DeleteDefinition(ctx context.Context, tenant uuid.UUID, in vault.DeleteDefinition, opts ...Option) (Receipt, error) {
	return checked(ctx, c, tenant, in, vault.WorkflowDeleteDefinition, vault.EventDefinitionDelete, in.AgentID, opts)
}

// DeleteRequirement accepts that a scenario does not need a field any more (workflow delete-requirement).
func (c *Client) DeleteRequirement(ctx context.Context, tenant uuid.UUID, in vault.DeleteRequirement, opts ...Option) (Receipt, error) {
	return checked(ctx, c, tenant, in, vault.WorkflowDeleteRequirement, vault.EventRequirementDelete, in.ScenarioID, opts)
}

// SaveScenario accepts a scenario; the fields it needs are extracted after it is saved (workflow save-scenario, then
// extract-schema).
func (c *Client) SaveScenario(ctx context.Context, tenant uuid.UUID, in vault.Scenario, opts ...Option) (Receipt, error) {
	if err := in.Check(); err != nil {
		return Receipt{}, err
	}
	return c.accept(ctx, tenant, db.NewIntent{
		Workflow: vault.WorkflowSaveScenario, Event: vault.EventScenarioSave, Subject: in.ID.String(), Payload: in,
	}, opts)
}

// SaveRule accepts a rule of a scenario; the fields it needs are extracted after it is saved (workflow save-rule, then
// extract-schema).
func (c *Client) SaveRule(ctx context.Context, tenant uuid.UUID, in vault.Rule, opts ...Option) (Receipt, error) {
	if err := vault.CheckInput(in); err != nil {
		return Receipt{}, err
	}
	return c.accept(ctx, tenant, db.NewIntent{
		Workflow: vault.WorkflowSaveRule, Event: vault.EventRuleSave, Subject: in.ScenarioID.String(), Payload: in,
	}, opts)
}

// ExtractSchema asks by hand for the fields that a scenario or rule needs. Unchanged content costs no model call.
func (c *Client) ExtractSchema(ctx context.Context, tenant uuid.UUID, in vault.ExtractSchema, opts ...Option) (Receipt, error) {
	if err := vault.CheckInput(in); err != nil {
		return Receipt{}, err
	}
	event := vault.EventScenarioSaved
	if in.RuleID != nil {
		event = vault.EventRuleSaved
	}
	return c.accept(ctx, tenant, db.NewIntent{
		Workflow: vault.WorkflowExtractSchema, Event: event, Subject: in.Subject(), Payload: in,
	}, opts)
}

// FillGaps accepts a gap fill (workflow fill-gaps). Its receipt may take as long as a customer takes to answer.
func (c *Client) FillGaps(ctx context.Context, tenant uuid.UUID, in vault.FillGaps, opts ...Option) (Receipt, error) {
	if err := vault.CheckInput(in); err != nil {
		return Receipt{}, err
	}
	return c.accept(ctx, tenant, db.NewIntent{
		Workflow: vault.WorkflowFillGaps, Event: vault.EventGapsFill, Subject: in.CustomerID.String() + ":" + in.ScenarioID.String(), Payload: in,
	}, opts)
}

// CancelFill stops a gap fill from asking (workflow cancel-fill). The fill's own receipt then gives its result.
func (c *Client) CancelFill(ctx context.Context, tenant uuid.UUID, in vault.CancelFill, opts ...Option) (Receipt, error) {
	if err := vault.CheckInput(in); err != nil {
		return Receipt{}, err
	}
	fill, err := c.db.Tenant(tenant).GetIntent(ctx, tenant, in.FillID)
	if err == nil && fill.Workflow != vault.WorkflowFillGaps {
		return Receipt{}, vault.Unknown("gap fill", in.FillID)
	}
	if err != nil {
		return Receipt{}, db.Found(err, "gap fill", in.FillID)
	}
	return c.accept(ctx, tenant, db.NewIntent{
		Workflow: vault.WorkflowCancelFill, Event: vault.EventGapsCancel, Subject: in.FillID.String(), ParentID: &in.FillID, Payload: in,
	}, opts)
}

// AnswerQuestion accepts a customer's answer (workflow answer-question). The receipt fails with what was wrong with the answer.
func (c *Client) AnswerQuestion(ctx context.Context, tenant uuid.UUID, in vault.AnswerQuestion, opts ...Option) (Receipt, error) {
	if err := vault.CheckInput(in); err != nil {
		return Receipt{}, err
	}
	question, err := c.db.Tenant(tenant).GetQuestion(ctx, tenant, in.QuestionID)
	if err != nil {
		return Receipt{}, db.Found(err, "question", in.QuestionID)
	}
	return c.accept(ctx, tenant, db.NewIntent{
		Workflow: vault.WorkflowAnswerQuestion, Event: vault.EventQuestionAnswered, Subject: question.CustomerID.String(),
		ParentID: &question.FillID, Payload: in,
	}, opts)
}

// ExpireFields asks for a sweep by hand, across tenants; the cron goes on as well (workflow expire-fields).
func (c *Client) ExpireFields(ctx context.Context, tenant uuid.UUID, opts ...Option) (Receipt, error) {
	return c.accept(ctx, tenant, db.NewIntent{
		Workflow: vault.WorkflowExpireFields, Event: vault.EventFieldsExpire, Subject: "all", Payload: vault.Sweep{},
	}, opts)
}

// DetectOrphans asks for a sweep by hand, across tenants; the cron goes on as well (workflow detect-orphans).
func (c *Client) DetectOrphans(ctx context.Context, tenant uuid.UUID, opts ...Option) (Receipt, error) {
	return c.accept(ctx, tenant, db.NewIntent{
		Workflow: vault.WorkflowDetectOrphans, Event: vault.EventOrphansDetect, Subject: "all", Payload: vault.Sweep{},
	}, opts)
}

// Replay makes a rejected operation owed again, after its cause was mended, and pushes it. The same operation keeps its id and
// its place by order of acceptance.
func (c *Client) Replay(ctx context.Context, tenant, operation uuid.UUID) (Receipt, error) {
	q := c.db.Tenant(tenant)
	intent, err := q.GetIntent(ctx, tenant, operation)
	if err != nil {
		return Receipt{}, db.Found(err, "operation", operation)
	}
	reopened, err := q.ReopenIntent(ctx, dbgen.ReopenIntentParams{TenantID: tenant, ID: operation, DueAfter: dueUnpushed})
	if err != nil {
		return Receipt{}, err
	}
	if reopened == 0 {
		return Receipt{}, vault.Conflict("operation_id", "operation_id: operation %s is %s; only a failed one can be replayed", operation, intent.Status)
	}
	c.pushLater(ctx, intent)
	return Receipt{ID: intent.ID, TenantID: tenant, Workflow: intent.Workflow, client: c}, nil
}
