package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/contextvault/contextvault/client"
	"github.com/contextvault/contextvault/vault"
)

func (a *App) channelsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "channels", Short: "identities of customers on channels"}
	var in vault.LinkChannelInput
	link := with(&cobra.Command{
		Use: "link", Short: "say that an identity on a channel is a customer's", Example: `  vault channels link --customer 0198… --channel email --external-id ada@example.com`,
	}, "customer", "customer id", &in.CustomerID)
	textVar(link, &in.Channel, "channel", "such as whatsapp or email", true)
	textVar(link, &in.ExternalID, "external-id", "the customer's identity there", true)
	link.Flags().BoolVar(&in.Verified, "verified", false, "the identity is known to be the customer's")
	cmd.AddCommand(change(a, link, func(ctx context.Context, c *client.Client, opts []client.Option) (client.Operation[vault.CustomerResult], error) {
		return c.LinkChannel(ctx, in, opts...)
	}))
	return cmd
}

func (a *App) consentsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "consents", Short: "what customers agree to"}
	var in vault.RecordConsentInput
	record := with(&cobra.Command{
		Use: "record", Short: "record what a customer agrees to, or with --granted=false does not", Example: `  vault consents record --customer 0198… --purpose marketing --granted`,
	}, "customer", "customer id", &in.CustomerID)
	textVar(record, &in.Purpose, "purpose", "what for", true)
	record.Flags().BoolVar(&in.Granted, "granted", false, "whether the customer agrees")
	_ = record.MarkFlagRequired("granted")
	textVar(record, &in.Source, "source", "where it was given", false)
	timeVar(record, &in.ExpiresAt, "expires-at", "until when it holds (default: for ever)")
	cmd.AddCommand(change(a, record, func(ctx context.Context, c *client.Client, opts []client.Option) (client.Operation[vault.CustomerResult], error) {
		return c.RecordConsent(ctx, in, opts...)
	}))
	return cmd
}
