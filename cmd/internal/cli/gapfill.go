package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/contextvault/contextvault/client"
	"github.com/contextvault/contextvault/vault"
)

func (a *App) missingCommand() *cobra.Command {
	var in client.MissingQuery
	cmd := &cobra.Command{Use: "missing", Short: "List the missing fields of a customer for a scenario"}
	idVar(cmd, &in.CustomerID, "customer", "customer `id`", true)
	idVar(cmd, &in.ScenarioID, "scenario", "scenario `id`", true)
	optionalID(cmd, &in.SessionID, "session", "`id` of the session with the variables for conditions")
	optionalID(cmd, &in.RuleID, "rule", "`id` of a rule: list only its requirements and those without a rule")
	scopeVars(cmd, &in.StepID, &in.Level)
	return a.read(byKey, cmd, func(ctx context.Context, c *client.Client) (any, error) { return c.GetMissing(ctx, in) })
}

// scopeVars adds the flags that select requirements of a scenario.
func scopeVars(cmd *cobra.Command, step *string, level *vault.RequiredLevel) {
	textVar(cmd, step, "step", "`id` of a step: select only its requirements and those of the whole scenario", false)
	enumVar(cmd, level, "level", "", "select only requirements of this level", vault.RequiredLevels)
}

func (a *App) fillCommand() *cobra.Command {
	var in vault.FillGapsInput
	var deadline time.Duration
	cmd := &cobra.Command{
		Use: "fill", Short: "Fill the missing fields of a customer for a scenario",
		Long: "Fill the missing fields of a customer for a scenario, from the profile, the session, the conversation or\n" +
			"questions. The command returns with the outcome, or with the first question to the customer, whichever comes\n" +
			"first. The fill then waits for the answer: see `vault answer` and `vault operations wait`.\n" +
			"`vault operations cancel` ends it.",
	}
	idVar(cmd, &in.CustomerID, "customer", "customer `id`", true)
	idVar(cmd, &in.ScenarioID, "scenario", "scenario `id`", true)
	optionalID(cmd, &in.SessionID, "session", "`id` of the session to read")
	scopeVars(cmd, &in.StepID, &in.Level)
	cmd.Flags().DurationVar(&deadline, "deadline", vault.DefaultQuestionDeadline, "deadline of each question")
	cmd.Flags().IntVar(
		&in.MaxAttempts,
		"attempts",
		vault.DefaultMaxAttempts,
		"maximum number of unclear or invalid answers to one field",
	)
	a.addWaitFlag(cmd)
	a.addKeyFlag(cmd)
	return a.read(byKey, cmd, func(ctx context.Context, c *client.Client) (any, error) {
		in.DeadlineSeconds = int(deadline.Seconds())
		op, err := c.FillGaps(ctx, in, a.options(0)...)
		if err != nil {
			return nil, err
		}
		var out fillOutput
		if a.wait > 0 {
			if op, err = waitOrAsk(ctx, op, a.wait); err != nil {
				return nil, err
			}
			if op.WaitingFor == nil {
				a.noteUnfinished(op.ID, op.Status)
			} else if out.Question, err = a.showQuestion(ctx, c, *op.WaitingFor, op.ID); err != nil {
				return nil, err
			}
		}
		out.Operation, err = untyped(op)
		return out, err
	})
}

// waitOrAsk waits for the outcome or the first question of a fill. The end of the wait is not an error.
func waitOrAsk(
	ctx context.Context, op client.Operation[vault.FillResult], wait time.Duration,
) (client.Operation[vault.FillResult], error) {
	waiting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	op, err := op.WaitOrAsk(waiting)
	if ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		err = nil
	}
	return op, err
}

// showQuestion returns the question that a fill waits for, and says on standard error how to answer it.
func (a *App) showQuestion(
	ctx context.Context, c *client.Client, waiting vault.WaitingFor, fill uuid.UUID,
) (*vault.Question, error) {
	question, err := c.GetQuestion(ctx, waiting.QuestionID)
	if err != nil {
		return nil, err
	}
	_, _ = fmt.Fprintf(a.Err, "the fill waits for the customer: vault answer --question %s --value …\n"+
		"then: vault operations wait --operation %s\n", question.ID, fill)
	return &question, nil
}

// fillOutput is a gap fill with the question that it waits for.
type fillOutput struct {
	client.Operation[json.RawMessage]

	Question *vault.Question `json:"question,omitempty"`
}

func (o fillOutput) table(w io.Writer) {
	table(w, o.Operation)
	if q := o.Question; q != nil {
		line(w, "question", q.ID)
		line(w, "field", q.FieldName)
		line(w, "asked", q.Prompt)
		line(w, "deadline", when(&q.DeadlineAt))
	}
}

func (a *App) questionsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "questions", Short: "List and show questions to customers"}
	var customer *uuid.UUID
	list := &cobra.Command{Use: "list", Short: "List the open questions, oldest first"}
	optionalID(list, &customer, "customer", "`id` of a customer: list only questions to this customer")
	var of uuid.UUID
	var limit int
	closed := withID(&cobra.Command{Use: "closed", Short: "List the closed questions to a customer, newest first"},
		"customer", "customer `id`", &of)
	limitVar(closed, &limit, "questions")
	var question uuid.UUID
	get := withID(&cobra.Command{Use: "get", Short: "Show a question, open or closed"},
		"question", "question `id`", &question)
	var claimed vault.ClaimQuestionInput
	claim := withID(&cobra.Command{Use: "claim", Short: "Claim a question: no other channel asks it for some time"},
		"question", "question `id`", &claimed.QuestionID)
	textVar(claim, &claimed.Channel, "channel", "channel that asks the question", true)
	claim.Flags().IntVar(&claimed.Seconds, "seconds", int(vault.DefaultClaim.Seconds()), "duration of the claim")
	var asked uuid.UUID
	var channel string
	var patience time.Duration
	await := withID(&cobra.Command{Use: "await", Short: "Wait for a question to a customer that a channel may ask"},
		"customer", "customer `id`", &asked)
	textVar(await, &channel, "channel", "channel that asks; default: questions that no channel has claimed", false)
	await.Flags().DurationVar(&patience, "for", client.MaxAwait, "time to wait, at most a minute")
	cmd.AddCommand(
		submit(a, claim, &claimed, (*client.Client).ClaimQuestion),
		a.read(byKey, await, func(ctx context.Context, c *client.Client) (any, error) {
			return c.AwaitQuestions(ctx, asked, channel, patience)
		}),
		a.read(byKey, list, func(ctx context.Context, c *client.Client) (any, error) {
			return client.Collect(c.ListQuestions(ctx, customer))
		}),
		a.read(byKey, closed, func(ctx context.Context, c *client.Client) (any, error) {
			return upTo(c.ListClosedQuestions(ctx, of), limit)
		}),
		a.read(byKey, get, func(ctx context.Context, c *client.Client) (any, error) { return c.GetQuestion(ctx, question) }),
	)
	return cmd
}

func (a *App) answerCommand() *cobra.Command {
	var in vault.AnswerQuestionInput
	var value string
	cmd := withID(&cobra.Command{
		Use:   "answer",
		Short: "Answer a question",
		Long: "Answer a question with a value or in the words of the customer. A question of the kind confirm takes yes,\n" +
			"no, or the right value. A reply such as \"just a moment\" leaves the question open.",
		Example: `  vault answer --question 0198… --value ada@example.com`,
	}, "question", "question `id`", &in.QuestionID)
	textVar(cmd, &value, "value", "answer, as JSON or plain text", true)
	optionalID(cmd, &in.SessionID, "session", "`id` of the session with the answer")
	return submit(a, cmd, &in, (*client.Client).AnswerQuestion, func(in *vault.AnswerQuestionInput) error {
		in.Value = rawValue(value)
		return nil
	})
}

func (a *App) sessionsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "sessions", Short: "Manage conversations, from which vault fill takes missing values"}
	var session, customer uuid.UUID
	var limit int
	get := withID(&cobra.Command{Use: "get", Short: "Show a session"}, "session", "session `id`", &session)
	list := withID(&cobra.Command{Use: "list", Short: "List the sessions of a customer, newest first"},
		"customer", "customer `id`", &customer)
	limitVar(list, &limit, "sessions")
	var reading vault.ReadConversationInput
	read := withID(&cobra.Command{
		Use: "read", Short: "Read the new facts of a session now, for all definitions of its agent",
	}, "session", "session `id`", &reading.SessionID)
	cmd.AddCommand(
		submit(a, read, &reading, (*client.Client).ReadConversation),
		a.read(byKey, list, func(ctx context.Context, c *client.Client) (any, error) {
			return upTo(c.ListSessions(ctx, customer), limit)
		}),
		a.read(byKey, get, func(ctx context.Context, c *client.Client) (any, error) { return c.GetSession(ctx, session) }),
		save(a, &cobra.Command{
			Use: "save", Short: "Save the variables of a session and add turns",
			Example: `  echo '{"session_id": "0198…", "agent_id": "0198…", "customer_id": "0198…", ` +
				`"variables": {"plan": "gold"}}' | vault sessions save`,
		}, (*client.Client).SaveSession),
	)
	return cmd
}

// takeTurnCommand takes a turn. The ids that are optional are the zero UUID if they are not given.
func (a *App) takeTurnCommand() *cobra.Command {
	var in vault.TakeTurnInput
	cmd := &cobra.Command{
		Use: "take", Short: "Take a turn: save it, answer the open question with it, store its facts, ask the next question",
		Example: `  vault turns take --channel whatsapp --identity +4915112345678 --session-key chat-42 --scenario 0198… ` +
			`--text "My email is ada@example.com"`,
	}
	idVar(cmd, &in.CustomerID, "customer", "customer `id`; default: the customer of the identity", false)
	textVar(cmd, &in.Channel, "channel", "channel of the identity", false)
	textVar(cmd, &in.ExternalID, "identity", "identity of the customer on the channel", false)
	idVar(cmd, &in.SessionID, "session", "session `id`", false)
	textVar(cmd, &in.SessionKey, "session-key", "your own name of the conversation, in place of --session", false)
	idVar(cmd, &in.AgentID, "agent", "agent `id`; default: that of the scenario or the session", false)
	idVar(cmd, &in.ScenarioID, "scenario", "scenario `id`: start or move on its gap fill", false)
	enumVar(cmd, &in.Speaker, "speaker", vault.SpeakerCustomer, "speaker",
		[]vault.Speaker{vault.SpeakerCustomer, vault.SpeakerAgent})
	textVar(cmd, &in.Text, "text", "text of the turn", true)
	return change(a, byKey, cmd, func(
		ctx context.Context, c *client.Client, opts []client.Option,
	) (client.Operation[vault.TurnResult], error) {
		if in.SessionID != uuid.Nil {
			return c.TakeSessionTurn(ctx, in.SessionID, in, opts...)
		}
		return c.TakeTurn(ctx, in, opts...)
	})
}

func (a *App) turnsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "turns", Short: "Add the messages of a conversation to its session"}
	var session uuid.UUID
	var turn vault.Turn
	add := withID(&cobra.Command{
		Use: "add", Short: "Add a turn to a session",
		Example: `  vault turns add --session 0198… --speaker customer --text "My email is ada@example.com"`,
	}, "session", "session `id`", &session)
	enumVar(add, &turn.Speaker, "speaker", vault.SpeakerCustomer, "speaker",
		[]vault.Speaker{vault.SpeakerCustomer, vault.SpeakerAgent})
	textVar(add, &turn.Text, "text", "text of the turn", true)
	cmd.AddCommand(a.takeTurnCommand(), change(a, byKey, add, func(
		ctx context.Context, c *client.Client, opts []client.Option,
	) (client.Operation[vault.SavedResult], error) {
		return c.AddTurns(ctx, session, []vault.Turn{turn}, opts...)
	}))
	return cmd
}
