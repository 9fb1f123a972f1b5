package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/contextvault/contextvault/db"
)

func (a *App) sealingKeyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "sealing-key", Short: "make a key for VAULT_SEALING_KEY, or rotate the one in it", Args: cobra.NoArgs,
		Long: "Make a key for VAULT_SEALING_KEY. To rotate the one that is in VAULT_SEALING_KEY: add, give the result to every process,\n" +
			"promote, give the result to every process; docs/upgrading.md says when to prune.",
		RunE: func(*cobra.Command, []string) error { return a.printKey(db.NewSealingKey()) },
	}
	rotate := func(use, short string, change func(key string) (string, error)) *cobra.Command {
		return &cobra.Command{Use: use, Short: short, Args: cobra.NoArgs, RunE: func(*cobra.Command, []string) error {
			key := a.env("VAULT_SEALING_KEY")
			if key == "" {
				return errors.New("VAULT_SEALING_KEY is not set: it is the key to rotate")
			}
			return a.printKey(change(key))
		}}
	}
	cmd.AddCommand(
		rotate("add", "add a new key, which opens and does not seal yet", db.AddSealingKey),
		rotate("promote", "seal with the key that was added last; the others still open", db.PromoteSealingKey),
		rotate("prune", "keep the key that seals, alone; what others sealed does not open any more", db.PruneSealingKey),
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
