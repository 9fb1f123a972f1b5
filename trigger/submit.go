package trigger

import (
	"context"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

// Submit accepts an operation: it validates the input, commits the operation, and pushes its event in the background. An
// accepted operation is owed: it ends as succeeded or failed, whether or not the workflow engine is up now.
//
// The error is a *vault.Error where the input is invalid or names something unknown. Submit does not check what only an
// admin may do (a forced deletion, a restore): the caller does.
func Submit[In, Out any](
	ctx context.Context, c *Client, tenant uuid.UUID, spec vault.Spec[In, Out], in In, opts ...Option,
) (Receipt, error) {
	if err := rules.Check(in); err != nil {
		return Receipt{}, err
	}
	op := db.NewOperation{
		Workflow: spec.Name, Event: spec.EventFor(in), Subject: spec.Subject(in), Payload: in,
	}
	if err := resolve(ctx, c.db.Tenant(tenant), tenant, in, &op); err != nil {
		return Receipt{}, err
	}
	return c.accept(ctx, tenant, op, opts)
}

// resolve looks up the subject and the parent of an operation whose input names them only indirectly. It returns an
// unknown error for an id that does not exist in the tenant.
func resolve(ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, input any, op *db.NewOperation) error {
	switch in := input.(type) {
	case vault.DeleteItemInput:
		owner, err := q.GetItemOwner(ctx, tenant, in.ItemID)
		if err != nil {
			return db.WrapNotFound(err, "item", in.ItemID)
		}
		op.Subject = owner.CustomerID.String()
	case vault.AnswerQuestionInput:
		question, err := q.GetQuestion(ctx, tenant, in.QuestionID)
		if err != nil {
			return db.WrapNotFound(err, "question", in.QuestionID)
		}
		op.Subject, op.ParentID = question.CustomerID.String(), &question.FillID
	case vault.CancelFillInput:
		fill, err := q.GetOperation(ctx, tenant, in.FillID)
		if err != nil {
			return db.WrapNotFound(err, "gap fill", in.FillID)
		}
		if fill.Workflow != vault.FillGaps.Name {
			return vault.Unknown("gap fill", in.FillID)
		}
		op.ParentID = &in.FillID
	}
	return nil
}
