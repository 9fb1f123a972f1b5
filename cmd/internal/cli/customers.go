package cli

import (
	"context"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/contextvault/contextvault/client"
	"github.com/contextvault/contextvault/vault"
)

func (a *App) customersCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "customers", Short: "customers and what is known of them"}
	var customer uuid.UUID
	one := func(use, short string) *cobra.Command {
		return with(&cobra.Command{Use: use, Short: short}, "customer", "customer id", &customer)
	}
	remove := one("delete", "delete a customer with its items; the rows stay, unseen")
	var force bool
	remove.Flags().BoolVar(&force, "force", false, "although other customers' items were derived from them, which become orphaned; needs the scope admin")
	cmd.AddCommand(
		a.listCustomersCommand(), a.openCommand(), a.mergeCommand(),
		a.read(byKey, one("get", "what is known of a customer"), func(ctx context.Context, c *client.Client) (any, error) {
			return c.GetCustomer(ctx, customer)
		}),
		a.read(byKey, one("history", "every version of every field, newest first"), func(ctx context.Context, c *client.Client) (any, error) {
			return client.Collect(c.ListCustomerHistory(ctx, customer))
		}),
		change(a, remove, func(ctx context.Context, c *client.Client, opts []client.Option) (client.Operation[vault.CustomerResult], error) {
			return c.DeleteCustomer(ctx, vault.DeleteCustomerInput{CustomerID: customer, Force: force}, opts...)
		}),
		change(a, one("unmerge", "undo the merge that took this customer away"), func(ctx context.Context, c *client.Client, opts []client.Option) (client.Operation[vault.CustomerResult], error) {
			return c.UnmergeCustomer(ctx, vault.UnmergeCustomerInput{CustomerID: customer}, opts...)
		}),
	)
	return cmd
}

func (a *App) listCustomersCommand() *cobra.Command {
	var limit int
	cmd := &cobra.Command{Use: "list", Short: "list the customers, in the order of their ids"}
	cmd.Flags().IntVar(&limit, "limit", 100, "the most that are listed; 0: all")
	return a.read(byKey, cmd, func(ctx context.Context, c *client.Client) (any, error) {
		out := []vault.Customer{}
		for customer, err := range c.ListCustomers(ctx, client.CustomersQuery{}) {
			if err != nil {
				return nil, err
			}
			if limit > 0 && len(out) == limit {
				break
			}
			out = append(out, customer)
		}
		return out, nil
	})
}

func (a *App) openCommand() *cobra.Command {
	var in vault.OpenCustomerInput
	cmd := &cobra.Command{
		Use: "open", Short: "get the customer of a channel identity, or make one", Example: `  vault customers open --channel whatsapp --external-id +4915112345678`,
	}
	textVar(cmd, &in.Channel, "channel", "such as whatsapp or email", true)
	textVar(cmd, &in.ExternalID, "external-id", "the customer's identity there", true)
	cmd.Flags().BoolVar(&in.Verified, "verified", false, "the identity is known to be the customer's")
	return change(a, cmd, func(ctx context.Context, c *client.Client, opts []client.Option) (client.Operation[vault.CustomerResult], error) {
		return c.OpenCustomer(ctx, in, opts...)
	})
}

func (a *App) mergeCommand() *cobra.Command {
	var in vault.MergeCustomersInput
	cmd := with(&cobra.Command{Use: "merge", Short: "merge another customer into this one"}, "customer", "the customer that stays", &in.TargetCustomerID)
	idVar(cmd, &in.SourceCustomerID, "source", "the customer that is taken away: its id leads to the other one from then on", true)
	return change(a, cmd, func(ctx context.Context, c *client.Client, opts []client.Option) (client.Operation[vault.CustomerResult], error) {
		return c.MergeCustomers(ctx, in, opts...)
	})
}
