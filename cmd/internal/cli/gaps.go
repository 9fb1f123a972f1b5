package cli

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
	"github.com/contextvault/contextvault/worker"
)

func (a *App) missingCommand() *cobra.Command {
	flags := ids{}
	var step, level string
	cmd := &cobra.Command{Use: "missing", Short: "what a scenario still needs of a customer", Args: cobra.NoArgs,
		RunE: a.read(func(ctx context.Context, r *worker.Runtime, tenant uuid.UUID) (any, error) {
			in := query.MissingInput{Scope: vault.Scope{StepID: step, Level: vault.RequiredLevel(level)}}
			var err error
			if in.CustomerID, err = flags.get("customer"); err != nil {
				return nil, err
			}
			if in.ScenarioID, err = flags.get("scenario"); err != nil {
				return nil, err
			}
			if in.SessionID, err = flags.optional("session"); err != nil {
				return nil, err
			}
			return r.Query.Missing(ctx, tenant, in)
		})}
	flags.add(cmd, "customer", "customer id", true)
	flags.add(cmd, "scenario", "scenario id", true)
	flags.add(cmd, "session", "session id, whose variables conditions see", false)
	cmd.Flags().StringVar(&step, "step", "", "only what this step needs, and the whole scenario")
	cmd.Flags().StringVar(&level, "level", "", "only this level: "+vault.OneOf(vault.RequiredLevels))
	return cmd
}

func (a *App) fillCommand() *cobra.Command {
	flags := ids{}
	var in vault.FillGaps
	var deadline time.Duration
	cmd := &cobra.Command{Use: "fill", Short: "fill what a scenario needs, asking where it must", Args: cobra.NoArgs,
		Long: "Fill what a scenario needs of a customer: from the profile, the session, the conversation, or a question.\n" +
			"Where it asks, the operation waits for the answer: `vault questions`, `vault answer`, `vault operations wait`.",
		RunE: a.change(func(ctx context.Context, c *trigger.Client, tenant uuid.UUID, opts []trigger.Option) (trigger.Receipt, error) {
			var err error
			if in.CustomerID, err = flags.get("customer"); err != nil {
				return trigger.Receipt{}, err
			}
			if in.ScenarioID, err = flags.get("scenario"); err != nil {
				return trigger.Receipt{}, err
			}
			if in.SessionID, err = flags.optional("session"); err != nil {
				return trigger.Receipt{}, err
			}
			in.DeadlineSeconds = int(deadline.Seconds())
			return c.FillGaps(ctx, tenant, in, opts...)
		})}
	flags.add(cmd, "customer", "customer id", true)
	flags.add(cmd, "scenario", "scenario id", true)
	flags.add(cmd, "session", "session id to look into", false)
	cmd.Flags().StringVar(&in.StepID, "step", "", "only what this step needs, and the whole scenario")
	cmd.Flags().DurationVar(&deadline, "deadline", vault.DefaultQuestionDeadline, "how long one question waits")
	cmd.Flags().IntVar(&in.MaxAttempts, "attempts", vault.DefaultMaxAttempts, "how often one field is asked for")
	return cmd
}

func (a *App) questionsCommand() *cobra.Command {
	flags := ids{}
	cmd := &cobra.Command{Use: "questions", Short: "what waits for a customer's answer", Args: cobra.NoArgs,
		RunE: a.read(func(ctx context.Context, r *worker.Runtime, tenant uuid.UUID) (any, error) {
			customer, err := flags.get("customer")
			if err != nil {
				return nil, err
			}
			return r.Query.Questions(ctx, tenant, customer)
		})}
	flags.add(cmd, "customer", "customer id", true)
	return cmd
}

func (a *App) answerCommand() *cobra.Command {
	flags := ids{}
	var value string
	cmd := &cobra.Command{Use: "answer", Short: "answer a question", Args: cobra.NoArgs,
		RunE: a.change(func(ctx context.Context, c *trigger.Client, tenant uuid.UUID, opts []trigger.Option) (trigger.Receipt, error) {
			question, err := flags.get("question")
			if err != nil {
				return trigger.Receipt{}, err
			}
			return c.AnswerQuestion(ctx, tenant, vault.AnswerQuestion{QuestionID: question, Value: rawValue(value)}, opts...)
		})}
	flags.add(cmd, "question", "question id", true)
	cmd.Flags().StringVar(&value, "value", "", "the answer: JSON, or plain text")
	_ = cmd.MarkFlagRequired("value")
	return cmd
}
