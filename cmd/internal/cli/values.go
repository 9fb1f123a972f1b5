package cli

import (
	"context"
	"encoding/json"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/contextvault/contextvault/client"
	"github.com/contextvault/contextvault/vault"
)

func (a *App) valuesCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "values", Short: "facts about a customer"}
	var customer uuid.UUID
	var name string
	one := func(use, short string) *cobra.Command {
		sub := with(&cobra.Command{Use: use, Short: short}, "customer", "customer id", &customer)
		textVar(sub, &name, "name", "the field", true)
		return sub
	}
	cmd.AddCommand(
		a.writeCommand(), a.verifyCommand(),
		a.read(byKey, one("get", "the active value of a field"), func(ctx context.Context, c *client.Client) (any, error) {
			return c.GetValue(ctx, customer, name)
		}),
		a.read(byKey, one("history", "every version of a field, newest first"), func(ctx context.Context, c *client.Client) (any, error) {
			return client.Collect(c.ListHistory(ctx, customer, name))
		}),
		save(a, &cobra.Command{Use: "save", Short: "write a fact with all it can have, from JSON"},
			func(ctx context.Context, c *client.Client, in vault.WriteValueInput, opts ...client.Option) (client.Operation[vault.ItemResult], error) {
				return c.WriteValue(ctx, in, opts...)
			}),
		a.importCustomerCommand(),
	)
	return cmd
}

func (a *App) writeCommand() *cobra.Command {
	var in vault.WriteValueInput
	var value, meta string
	cmd := &cobra.Command{
		Use: "write", Short: "write a fact", Example: `  vault values write --agent 0198… --customer 0198… --name email --value ada@example.com`,
	}
	idVar(cmd, &in.AgentID, "agent", "agent id, whose definitions apply", true)
	idVar(cmd, &in.CustomerID, "customer", "customer id", true)
	optionalID(cmd, &in.SourceItemID, "source-item", "the field or asset it was derived from")
	textVar(cmd, &in.Name, "name", "the field", true)
	textVar(cmd, &value, "value", "its value: JSON, or plain text", true)
	enumVar(cmd, &in.Source, "source", vault.ValueHumanEntered, "who states it", vault.ValueSources)
	enumVar(cmd, &in.SourceItemType, "source-type", "", "what --source-item is", vault.SourceTypes)
	textVar(cmd, &meta, "source-metadata", "a JSON object of the tool's own", false)
	return change(a, cmd, func(ctx context.Context, c *client.Client, opts []client.Option) (client.Operation[vault.ItemResult], error) {
		in.Value = rawValue(value)
		if meta != "" {
			in.SourceMetadata = json.RawMessage(meta)
		}
		return c.WriteValue(ctx, in, opts...)
	})
}

func (a *App) verifyCommand() *cobra.Command {
	var in vault.VerifyValueInput
	cmd := &cobra.Command{
		Use: "verify", Short: "say that the active value of a field was verified",
		Example: `  vault values verify --agent 0198… --customer 0198… --name legal_name --method document --by "back office"`,
	}
	idVar(cmd, &in.AgentID, "agent", "agent id, whose definitions apply", true)
	idVar(cmd, &in.CustomerID, "customer", "customer id", true)
	textVar(cmd, &in.Name, "name", "the field", true)
	textVar(cmd, &in.Method, "method", "how it was verified, such as document or kyc", true)
	textVar(cmd, &in.VerifiedBy, "by", "who verified it", false)
	optionalID(cmd, &in.ItemID, "item", "the version that was verified (default: the active one)")
	return change(a, cmd, func(ctx context.Context, c *client.Client, opts []client.Option) (client.Operation[vault.ItemResult], error) {
		return c.VerifyValue(ctx, in, opts...)
	})
}

func (a *App) importCustomerCommand() *cobra.Command {
	var customer uuid.UUID
	var file string
	cmd := with(&cobra.Command{
		Use: "import", Short: "write many facts about one customer in one transaction, from JSON; `vault import` takes files of any size",
		Example: `  echo '{"writes": [{"agent_id": "0198…", "name": "country", "value": "Norway", "source": "human_entered"}]}' | vault values import --customer 0198…`,
	}, "customer", "customer id", &customer)
	cmd.Flags().StringVarP(&file, "file", "f", "-", "the JSON document; -: standard input")
	return change(a, cmd, func(ctx context.Context, c *client.Client, opts []client.Option) (client.Operation[vault.ImportResult], error) {
		var in vault.ImportValuesInput
		if err := a.input(file, &in); err != nil {
			return client.Operation[vault.ImportResult]{}, err
		}
		for i := range in.Writes {
			if in.Writes[i].CustomerID == uuid.Nil {
				in.Writes[i].CustomerID = customer
			}
		}
		return c.ImportCustomerValues(ctx, customer, in, opts...)
	})
}
