package cli

import (
	"io"
	"log/slog"
	"os/signal"
	"syscall"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/contextvault/contextvault/mcp"
)

func (a *App) mcpCommand() *cobra.Command {
	var agent, scenario *uuid.UUID
	cmd := &cobra.Command{
		Use:   "mcp",
		Short: "Serve a vault to an agent by the Model Context Protocol, over standard input and output",
		Args:  cobra.NoArgs,
		Long: "Serve a vault to an agent by the Model Context Protocol (MCP), over standard input and output. It " +
			"calls the API\n" +
			"with VAULT_API_KEY, so the agent has the rights, the purpose and the limits of the key. `vault serve` serves\n" +
			"the same over HTTP, at /mcp. The log goes to standard error.",
		Example: `  VAULT_API_KEY=cv_… vault mcp --agent 0198… --scenario 0198…`,
	}
	optionalID(cmd, &agent, "agent", "`id` of the agent whose fields can be remembered (default: the only agent)")
	optionalID(cmd, &scenario, "scenario", "`id` of the scenario of tools that are called without one")
	a.addServerFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
		defer stop()
		c, err := a.client(byKey)
		if err != nil {
			return err
		}
		o := mcp.Options{Client: c, Log: slog.New(slog.NewJSONHandler(a.Err, nil))}
		if agent != nil {
			o.Agent = *agent
		}
		if scenario != nil {
			o.Scenario = *scenario
		}
		server, err := mcp.New(ctx, o)
		if err != nil {
			return err
		}
		return server.Run(ctx, io.NopCloser(a.In), nopCloser{a.Out})
	}
	return cmd
}

// nopCloser leaves standard output open.
type nopCloser struct{ io.Writer }

// Close implements io.Closer.
func (nopCloser) Close() error { return nil }
