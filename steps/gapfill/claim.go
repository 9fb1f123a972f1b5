package gapfill

import (
	"context"
	"slices"
	"time"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/vault"
)

// ClaimQuestion claims an open question for a channel, so that no other channel asks it for some time. The channel that
// has the claim may renew it. A claim keeps nobody from answering: what a customer says counts on every channel.
func (s Answers) ClaimQuestion(ctx context.Context, ev vault.Event) (once.Stored[vault.ClaimResult], error) {
	return once.Store(ctx, s.Once, ev, func(
		q *dbgen.Queries, op dbgen.Operation, in vault.ClaimQuestionInput,
	) (vault.ClaimResult, error) {
		out := vault.ClaimResult{QuestionID: in.QuestionID, Channel: in.Channel}
		if err := rules.Check(in); err != nil {
			return out, err
		}
		question, err := q.LockQuestion(ctx, ev.TenantID, in.QuestionID)
		if err != nil {
			return out, db.WrapNotFound(err, "question", in.QuestionID)
		}
		if problem := checkOpen(question, op.AcceptedAt); problem != nil {
			return out, problem
		}
		if len(question.Channels) > 0 && !slices.Contains(question.Channels, in.Channel) {
			return out, vault.Invalid("channel", "the question may be asked on %s", vault.OneOf(question.Channels))
		}
		if !db.QuestionOf(question).MayAsk(in.Channel, s.Now()) {
			return out, vault.Conflict("question_id", "question_id: question %s is claimed by another channel until %s",
				in.QuestionID, question.ClaimedUntil.UTC().Format(time.RFC3339))
		}
		out.ClaimedUntil, err = q.ClaimQuestion(ctx, dbgen.ClaimQuestionParams{
			TenantID: ev.TenantID, ID: in.QuestionID, Channel: in.Channel, ForTime: in.Duration(),
		})
		return out, err
	})
}
