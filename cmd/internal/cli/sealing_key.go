package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/contextvault/contextvault/db"
)

func (a *App) sealingKeyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "sealing-key", Short: "Create or rotate the key for VAULT_SEALING_KEY", Args: cobra.NoArgs,
		Long: "Create a key for VAULT_SEALING_KEY. To rotate the current key, run add and set the result in every\n" +
			"process, then run promote and set the result in every process. docs/upgrading.md explains when to prune.",
		RunE: func(*cobra.Command, []string) error { return a.printKey(db.NewSealingKey()) },
	}
	rotate := func(use, short string, change func(key string) (string, error)) *cobra.Command {
		return &cobra.Command{Use: use, Short: short, Args: cobra.NoArgs, RunE: func(*cobra.Command, []string) error {
			key := a.env("VAULT_SEALING_KEY")
			if key == "" {
				return errors.New("VAULT_SEALING_KEY is not set; set it to the key to rotate")
			}
			return a.printKey(change(key))
		}}
	}
	cmd.AddCommand(
		rotate("add", "Add a new key, which opens but does not seal yet", db.AddSealingKey),
		rotate("promote", "Seal with the newest key; the older keys still open", db.PromoteSealingKey),
		rotate("prune", "Remove all keys except the sealing one; data sealed with them no longer opens", db.PruneSealingKey),
	)
	return cmd
}

func (a *App) printKey(key string, err error) error {
	if err != nil {
		return err
	}
	if a.json {
		return a.print(key)
	}
	_, err = fmt.Fprintln(a.Out, key)
	return err
}
