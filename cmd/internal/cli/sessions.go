package cli

import (
	"context"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/contextvault/contextvault/client"
	"github.com/contextvault/contextvault/vault"
)

func (a *App) sessionsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "sessions", Short: "variables and turns of conversations, for gap fill"}
	var session uuid.UUID
	get := with(&cobra.Command{Use: "get", Short: "show a session"}, "session", "session id", &session)
	cmd.AddCommand(
		a.read(byKey, get, func(ctx context.Context, c *client.Client) (any, error) { return c.GetSession(ctx, session) }),
		save(a, &cobra.Command{
			Use: "save", Short: "save variables and add turns",
			Example: `  echo '{"session_id": "0198…", "agent_id": "0198…", "customer_id": "0198…", "variables": {"plan": "gold"}}' | vault sessions save`,
		}, func(ctx context.Context, c *client.Client, in vault.SaveSessionInput, opts ...client.Option) (client.Operation[vault.SavedResult], error) {
			return c.SaveSession(ctx, in, opts...)
		}),
	)
	return cmd
}

func (a *App) turnsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "turns", Short: "what was said in a session"}
	var session uuid.UUID
	var turn vault.Turn
	add := with(&cobra.Command{
		Use: "add", Short: "add a turn to a session", Example: `  vault turns add --session 0198… --speaker customer --text "My email is ada@example.com"`,
	}, "session", "session id", &session)
	enumVar(add, &turn.Speaker, "speaker", vault.SpeakerCustomer, "who said it", []vault.Speaker{vault.SpeakerCustomer, vault.SpeakerAgent})
	textVar(add, &turn.Text, "text", "what was said", true)
	cmd.AddCommand(change(a, add, func(ctx context.Context, c *client.Client, opts []client.Option) (client.Operation[vault.SavedResult], error) {
		return c.AddTurns(ctx, session, []vault.Turn{turn}, opts...)
	}))
	return cmd
}
