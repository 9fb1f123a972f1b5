package cli

import (
	"fmt"

	"github.com/google/uuid"
	"github.com/spf13/cobra"
)

func (a *App) idCommand() *cobra.Command {
	return &cobra.Command{
		Use: "id", Short: "Create an id (UUIDv7) for an agent, scenario, customer or session", Args: cobra.NoArgs,
		Example: `  customer=$(vault id)`,
		RunE: func(*cobra.Command, []string) error {
			id, err := uuid.NewV7()
			if err != nil {
				return err
			}
			if a.json {
				return a.print(id)
			}
			_, err = fmt.Fprintln(a.Out, id)
			return err
		},
	}
}
