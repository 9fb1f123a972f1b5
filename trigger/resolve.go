package trigger

import (
	"context"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/vault"
)

// resolve sets the subject, the parent and the customer of an operation if they are not part of its input. The error
// of an id that does not exist in the tenant has vault.CodeUnknown.
func resolve(ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, input any, op *db.NewOperation) error {
	switch in := input.(type) {
	case vault.DeleteItemInput:
		owner, err := q.GetItemOwner(ctx, tenant, in.ItemID)
		if err != nil {
			return db.WrapNotFound(err, "item", in.ItemID)
		}
		op.Subject, op.CustomerID = owner.CustomerID.String(), owner.CustomerID
	case vault.AnswerQuestionInput:
		question, err := q.GetQuestion(ctx, tenant, in.QuestionID)
		if err != nil {
			return db.WrapNotFound(err, "question", in.QuestionID)
		}
		op.Subject, op.ParentID = question.CustomerID.String(), &question.FillID
		op.CustomerID = question.CustomerID
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
