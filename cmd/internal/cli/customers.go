package cli

import (
	"context"
	"encoding/json"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
	"github.com/contextvault/contextvault/worker"
)

func (a *App) valuesCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "values", Short: "facts about a customer"}
	cmd.AddCommand(a.writeCommand(), a.historyCommand(), save(a, "write a fact with all it can have, from JSON", "",
		func(ctx context.Context, c *trigger.Client, tenant uuid.UUID, in vault.WriteField, opts ...trigger.Option) (trigger.Receipt, error) {
			return c.WriteField(ctx, tenant, in, opts...)
		}))
	return cmd
}

func (a *App) writeCommand() *cobra.Command {
	flags := ids{}
	var name, value, source, sourceType, meta string
	cmd := &cobra.Command{Use: "write", Short: "write a fact", Args: cobra.NoArgs,
		Example: `  vault values write --agent 0198… --customer 0198… --name email --value ada@example.com`,
		RunE: a.change(func(ctx context.Context, c *trigger.Client, tenant uuid.UUID, opts []trigger.Option) (trigger.Receipt, error) {
			in := vault.WriteField{Name: name, Value: rawValue(value), Source: vault.FieldSource(source)}
			var err error
			if in.AgentID, err = flags.get("agent"); err != nil {
				return trigger.Receipt{}, err
			}
			if in.CustomerID, err = flags.get("customer"); err != nil {
				return trigger.Receipt{}, err
			}
			if in.SourceItemID, err = flags.optional("source-item"); err != nil {
				return trigger.Receipt{}, err
			}
			in.SourceItemType = vault.SourceType(sourceType)
			if meta != "" {
				in.SourceMetadata = json.RawMessage(meta)
			}
			return c.WriteField(ctx, tenant, in, opts...)
		})}
	flags.add(cmd, "agent", "agent id, whose definitions apply", true)
	flags.add(cmd, "customer", "customer id", true)
	flags.add(cmd, "source-item", "the field or asset it was derived from", false)
	cmd.Flags().StringVar(&name, "name", "", "the field")
	cmd.Flags().StringVar(&value, "value", "", "its value: JSON, or plain text")
	cmd.Flags().StringVar(&source, "source", string(vault.FieldHumanEntered), "who states it: "+vault.OneOf(vault.FieldSources))
	cmd.Flags().StringVar(&sourceType, "source-type", "", "what --source-item is: "+vault.OneOf(vault.SourceTypes))
	cmd.Flags().StringVar(&meta, "source-metadata", "", "a JSON object of the tool's own")
	_ = cmd.MarkFlagRequired("name")
	_ = cmd.MarkFlagRequired("value")
	return cmd
}

// rawValue takes what a person typed for JSON where it is JSON, else for a string.
func rawValue(text string) json.RawMessage {
	if json.Valid([]byte(text)) {
		return json.RawMessage(text)
	}
	encoded, _ := json.Marshal(text) // a string always encodes
	return encoded
}

func (a *App) historyCommand() *cobra.Command {
	flags := ids{}
	var name string
	cmd := &cobra.Command{Use: "history", Short: "every version of a field, newest first", Args: cobra.NoArgs,
		RunE: a.read(func(ctx context.Context, r *worker.Runtime, tenant uuid.UUID) (any, error) {
			customer, err := flags.get("customer")
			if err != nil {
				return nil, err
			}
			return r.Query.History(ctx, tenant, customer, name)
		})}
	flags.add(cmd, "customer", "customer id", true)
	cmd.Flags().StringVar(&name, "name", "", "the field")
	_ = cmd.MarkFlagRequired("name")
	return cmd
}

func (a *App) profileCommand() *cobra.Command {
	flags := ids{}
	cmd := &cobra.Command{Use: "profile", Short: "what is known of a customer", Args: cobra.NoArgs,
		RunE: a.read(func(ctx context.Context, r *worker.Runtime, tenant uuid.UUID) (any, error) {
			customer, err := flags.get("customer")
			if err != nil {
				return nil, err
			}
			return r.Query.Profile(ctx, tenant, customer)
		})}
	flags.add(cmd, "customer", "customer id", true)
	return cmd
}

func (a *App) chainCommand() *cobra.Command {
	flags := ids{}
	var depth int
	cmd := &cobra.Command{Use: "chain", Short: "where an item came from, the origin first", Args: cobra.NoArgs,
		RunE: a.read(func(ctx context.Context, r *worker.Runtime, tenant uuid.UUID) (any, error) {
			item, err := flags.get("item")
			if err != nil {
				return nil, err
			}
			return r.Query.Chain(ctx, tenant, item, depth)
		})}
	flags.add(cmd, "item", "field or asset id", true)
	cmd.Flags().IntVar(&depth, "depth", vault.DefaultChainDepth, "how many links to read")
	return cmd
}

func (a *App) derivedCommand() *cobra.Command {
	flags := ids{}
	cmd := &cobra.Command{Use: "derived", Short: "what was derived from an item", Args: cobra.NoArgs,
		RunE: a.read(func(ctx context.Context, r *worker.Runtime, tenant uuid.UUID) (any, error) {
			item, err := flags.get("item")
			if err != nil {
				return nil, err
			}
			return r.Query.Derived(ctx, tenant, item)
		})}
	flags.add(cmd, "item", "field or asset id", true)
	return cmd
}
