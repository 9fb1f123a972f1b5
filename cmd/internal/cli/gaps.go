package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/contextvault/contextvault/client"
	"github.com/contextvault/contextvault/vault"
)

func (a *App) missingCommand() *cobra.Command {
	var in client.MissingQuery
	cmd := &cobra.Command{Use: "missing", Short: "what a scenario still needs of a customer"}
	idVar(cmd, &in.CustomerID, "customer", "customer id", true)
	idVar(cmd, &in.ScenarioID, "scenario", "scenario id", true)
	optionalID(cmd, &in.SessionID, "session", "session id, whose variables conditions see")
	optionalID(cmd, &in.RuleID, "rule", "only what this rule needs, and what belongs to no rule")
	textVar(cmd, &in.StepID, "step", "only what this step needs, and the whole scenario", false)
	enumVar(cmd, &in.Level, "level", "", "only this level", vault.RequiredLevels)
	return a.read(byKey, cmd, func(ctx context.Context, c *client.Client) (any, error) { return c.GetMissing(ctx, in) })
}

func (a *App) fillCommand() *cobra.Command {
	var in vault.FillGapsInput
	var deadline time.Duration
	cmd := &cobra.Command{
		Use: "fill", Short: "fill what a scenario needs, asking where it must",
		Long: "Fill what a scenario needs of a customer: from the profile, the session, the conversation, or a question.\n" +
			"Where it asks, the operation waits for the answer: `vault questions list`, `vault answer`, `vault operations wait`;\n" +
			"`vault operations cancel` ends it.",
	}
	idVar(cmd, &in.CustomerID, "customer", "customer id", true)
	idVar(cmd, &in.ScenarioID, "scenario", "scenario id", true)
	optionalID(cmd, &in.SessionID, "session", "session id to look into")
	textVar(cmd, &in.StepID, "step", "only what this step needs, and the whole scenario", false)
	enumVar(cmd, &in.Level, "level", "", "only this level", vault.RequiredLevels)
	cmd.Flags().DurationVar(&deadline, "deadline", vault.DefaultQuestionDeadline, "how long one question waits")
	cmd.Flags().IntVar(&in.MaxAttempts, "attempts", vault.DefaultMaxAttempts, "how often one field is asked for")
	return change(a, cmd, func(ctx context.Context, c *client.Client, opts []client.Option) (client.Operation[vault.FillResult], error) {
		in.DeadlineSeconds = int(deadline.Seconds())
		return c.FillGaps(ctx, in, opts...)
	})
}
