package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/contextvault/contextvault/config"
)

func (a *App) configCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: "Show the configuration"}
	cmd.AddCommand(
		&cobra.Command{
			Use: "show", Short: "Show the active settings, without secrets", Args: cobra.NoArgs,
			RunE: func(*cobra.Command, []string) error {
				cfg, err := a.config()
				if err != nil {
					return err
				}
				if a.json {
					return a.print(cfg.Shown())
				}
				_, err = fmt.Fprint(a.Out, cfg)
				return err
			},
		},
		&cobra.Command{
			Use: "reference", Short: "List all settings with their variables and defaults", Args: cobra.NoArgs,
			RunE: func(*cobra.Command, []string) error {
				if a.json {
					return a.print(config.Reference())
				}
				_, err := fmt.Fprint(a.Out, config.Reference())
				return err
			},
		},
	)
	return cmd
}
