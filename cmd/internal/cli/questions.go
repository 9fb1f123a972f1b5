package cli

import (
	"context"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/contextvault/contextvault/client"
	"github.com/contextvault/contextvault/vault"
)

func (a *App) questionsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "questions", Short: "what waits for a customer's answer"}
	var customer *uuid.UUID
	list := &cobra.Command{Use: "list", Short: "list the questions that wait, the oldest first"}
	optionalID(list, &customer, "customer", "only those to this customer")
	var question uuid.UUID
	get := with(&cobra.Command{Use: "get", Short: "show a question, open or not"}, "question", "question id", &question)
	cmd.AddCommand(
		a.read(byKey, list, func(ctx context.Context, c *client.Client) (any, error) {
			return client.Collect(c.ListQuestions(ctx, customer))
		}),
		a.read(byKey, get, func(ctx context.Context, c *client.Client) (any, error) {
			q, err := c.GetQuestion(ctx, question)
			return q, err
		}),
	)
	return cmd
}

func (a *App) answerCommand() *cobra.Command {
	var in vault.AnswerQuestionInput
	var value string
	cmd := with(&cobra.Command{
		Use: "answer", Short: "answer a question", Long: "Answer a question. One of the kind confirm takes yes, no, or the right value.",
		Example: `  vault answer --question 0198… --value ada@example.com`,
	}, "question", "question id", &in.QuestionID)
	textVar(cmd, &value, "value", "the answer: JSON, or plain text", true)
	optionalID(cmd, &in.SessionID, "session", "the session in which it was given")
	return change(a, cmd, func(ctx context.Context, c *client.Client, opts []client.Option) (client.Operation[vault.ItemResult], error) {
		in.Value = rawValue(value)
		return c.AnswerQuestion(ctx, in, opts...)
	})
}
