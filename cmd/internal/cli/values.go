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
	cmd := &cobra.Command{Use: "values", Short: "Manage the values of customers"}
	var customer uuid.UUID
	var name string
	one := func(use, short string) *cobra.Command {
		sub := withID(&cobra.Command{Use: use, Short: short}, "customer", "customer `id`", &customer)
		textVar(sub, &name, "name", "name of the field", true)
		return sub
	}
	var at vault.Moment
	active := one("get", "Show the active value of a field")
	momentVars(active, &at)
	cmd.AddCommand(
		a.writeCommand(), a.verifyCommand(), a.expireCommand(), a.correctCommand(), a.proposeDeletionCommand(),
		a.decideValueCommand(),
		a.elementCommand("add", "Add an element to the list of a field", (*client.Client).AddElement),
		a.elementCommand("remove", "Remove an element from the list of a field", (*client.Client).RemoveElement),
		a.read(byKey, active,
			func(ctx context.Context, c *client.Client) (any, error) { return c.GetValueAt(ctx, customer, name, at) }),
		a.read(byKey, one("history", "List the versions of a field, newest first"),
			func(ctx context.Context, c *client.Client) (any, error) {
				return client.Collect(c.ListHistory(ctx, customer, name))
			}),
		save(a, &cobra.Command{Use: "save", Short: "Write a value, like write, from a JSON document with all its members"},
			(*client.Client).WriteValue),
		a.importCustomerCommand(),
	)
	return cmd
}

func (a *App) writeCommand() *cobra.Command {
	var in vault.WriteValueInput
	var value, meta string
	cmd := &cobra.Command{
		Use: "write", Short: "Write a value",
		Example: `  vault values write --agent 0198… --customer 0198… --name email --value ada@example.com`,
	}
	fieldVars(cmd, &in.AgentID, &in.CustomerID, &in.Name)
	optionalID(cmd, &in.SourceItemID, "source-item", "`id` of the value or asset from which it was derived")
	textVar(cmd, &value, "value", "value, as JSON or plain text", true)
	enumVar(cmd, &in.Source, "source", vault.ValueHumanEntered, "source of the value", vault.ValueSources)
	enumVar(cmd, &in.SourceItemType, "source-type", "", "type of --source-item", vault.SourceTypes)
	textVar(cmd, &meta, "source-metadata", "metadata of the source, as a JSON object", false)
	return submit(a, cmd, &in, (*client.Client).WriteValue, func(in *vault.WriteValueInput) error {
		in.Value = rawValue(value)
		if meta != "" {
			in.SourceMetadata = json.RawMessage(meta)
		}
		return nil
	})
}

// elementCommand changes the list of a field with multiple.
func (a *App) elementCommand(
	use, short string, change method[vault.WriteValueInput, vault.ItemResult],
) *cobra.Command {
	var in vault.WriteValueInput
	var value string
	cmd := &cobra.Command{
		Use: use, Short: short,
		Example: "  vault values " + use + " --agent 0198… --customer 0198… --name languages --value Norwegian",
	}
	fieldVars(cmd, &in.AgentID, &in.CustomerID, &in.Name)
	textVar(cmd, &value, "value", "element, as JSON or plain text", true)
	enumVar(cmd, &in.Source, "source", vault.ValueHumanEntered, "source of the change", vault.ValueSources)
	return submit(a, cmd, &in, change, func(in *vault.WriteValueInput) error {
		in.Value = rawValue(value)
		return nil
	})
}

// fieldVars adds the flags that name a field of a customer, and the agent with its definition.
func fieldVars(cmd *cobra.Command, agent, customer *uuid.UUID, name *string) {
	idVar(cmd, agent, "agent", "`id` of the agent whose definitions apply", true)
	idVar(cmd, customer, "customer", "customer `id`", true)
	textVar(cmd, name, "name", "name of the field", true)
}

func (a *App) verifyCommand() *cobra.Command {
	var in vault.VerifyValueInput
	cmd := &cobra.Command{
		Use: "verify", Short: "Mark the active value of a field as verified",
		Example: `  vault values verify --agent 0198… --customer 0198… --name legal_name --method document ` +
			`--by "back office"`,
	}
	fieldVars(cmd, &in.AgentID, &in.CustomerID, &in.Name)
	textVar(cmd, &in.Method, "method", "method of the verification, such as document or kyc", true)
	textVar(cmd, &in.VerifiedBy, "by", "person or system that verified the value", false)
	optionalID(cmd, &in.ItemID, "item", "`id` of the verified version (default: the active version)")
	return submit(a, cmd, &in, (*client.Client).VerifyValue)
}

func (a *App) expireCommand() *cobra.Command {
	var in vault.ExpireValueInput
	cmd := &cobra.Command{
		Use: "expire", Short: "End the active value of a field now; it stays in the history",
		Example: "  vault values expire --customer 0198… --name address",
	}
	idVar(cmd, &in.CustomerID, "customer", "customer `id`", true)
	textVar(cmd, &in.Name, "name", "name of the field", true)
	optionalID(cmd, &in.ItemID, "item", "`id` of the version that expires (default: the active version)")
	return submit(a, cmd, &in, (*client.Client).ExpireValue)
}

func (a *App) correctCommand() *cobra.Command {
	var in vault.CorrectValueInput
	var value string
	cmd := &cobra.Command{
		Use:   "correct",
		Short: "Replace a wrong value, whatever its source; both stay in the history",
		Long: "Replace a wrong value, whatever its source and verification. Both versions stay in the history, the new\n" +
			"one with the reason. Needs the scope review.",
		Example: `  vault values correct --agent 0198… --customer 0198… --name email --value ada@example.com ` +
			`--reason "typing error" --by "back office"`,
	}
	fieldVars(cmd, &in.AgentID, &in.CustomerID, &in.Name)
	textVar(cmd, &value, "value", "right value, as JSON or plain text", true)
	textVar(cmd, &in.Reason, "reason", "why the value was wrong", true)
	textVar(cmd, &in.CorrectedBy, "by", "person who corrected it", false)
	textVar(
		cmd,
		&in.VerificationMethod,
		"method",
		"method by which the right value was verified; needs the scope verify",
		false,
	)
	return submit(a, cmd, &in, (*client.Client).CorrectValue, func(in *vault.CorrectValueInput) error {
		in.Value, in.Verified = rawValue(value), in.VerificationMethod != ""
		return nil
	})
}

func (a *App) proposeDeletionCommand() *cobra.Command {
	var in vault.ProposeDeletionInput
	cmd := withID(&cobra.Command{
		Use:   "propose-deletion",
		Short: "Propose to delete the active value of a field; a person decides",
		Long: "Propose to delete the active value of a field. It deletes nothing: " +
			"`vault reviews list` lists the value, and\n" +
			"`vault values decide` deletes or keeps it.",
	}, "customer", "customer `id`", &in.CustomerID)
	textVar(cmd, &in.Name, "name", "name of the field", true)
	enumVar(cmd, &in.Reason, "reason", vault.DeletionOther, "reason", vault.DeletionReasons)
	return submit(a, cmd, &in, (*client.Client).ProposeDeletion)
}

func (a *App) decideValueCommand() *cobra.Command {
	var in vault.DecideValueInput
	cmd := withID(&cobra.Command{
		Use:   "decide",
		Short: "Approve or reject a pending value, or a proposed deletion",
		Long: "Approve or reject a value that differs from a stronger one. `vault reviews list` lists them. Needs the\n" +
			"scope review.",
		Example: `  vault values decide --item 0198… --decision approve --by "back office"`,
	}, "item", "`id` of the pending version", &in.ItemID)
	enumVar(cmd, &in.Decision, "decision", "", "decision", []vault.Decision{vault.Approve, vault.Reject})
	_ = cmd.MarkFlagRequired("decision")
	textVar(cmd, &in.DecidedBy, "by", "person who decided", false)
	textVar(cmd, &in.Note, "note", "reason of the decision", false)
	return submit(a, cmd, &in, (*client.Client).DecideValue)
}

func (a *App) importCustomerCommand() *cobra.Command {
	var customer uuid.UUID
	cmd := withID(&cobra.Command{
		Use: "import", Short: "Write many values of one customer from JSON, all or none (for files: vault import)",
		Long: "Write many values of one customer in one transaction, from JSON. `vault import` reads files of any size.",
		Example: `  echo '{"writes": [{"agent_id": "0198…", "name": "country", "value": "Norway", ` +
			`"source": "human_entered"}]}' | vault values import --customer 0198…`,
	}, "customer", "customer `id`", &customer)
	call := func(
		c *client.Client, ctx context.Context, in vault.ImportValuesInput, opts ...client.Option,
	) (client.Operation[vault.ImportResult], error) {
		return c.ImportCustomerValues(ctx, customer, in, opts...)
	}
	return save(a, cmd, call, func(in *vault.ImportValuesInput) error {
		for i := range in.Writes {
			if in.Writes[i].CustomerID == uuid.Nil {
				in.Writes[i].CustomerID = customer
			}
		}
		return nil
	})
}
