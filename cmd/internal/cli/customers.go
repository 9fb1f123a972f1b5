package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/contextvault/contextvault/client"
	"github.com/contextvault/contextvault/vault"
)

func (a *App) customersCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "customers", Short: "Manage customers"}
	var customer uuid.UUID
	var deleted vault.DeleteCustomerInput
	var unmerged vault.UnmergeCustomerInput
	var labelled vault.SetCustomerLabelInput
	one := func(use, short string, id *uuid.UUID) *cobra.Command {
		return withID(&cobra.Command{Use: use, Short: short}, "customer", "customer `id`", id)
	}
	remove := one("delete", "Delete a customer with its values and assets, reversibly", &deleted.CustomerID)
	remove.Long = "Delete a customer with its values and assets. No read returns them any more, and the rows stay " +
		"in the\n" +
		"database, so an operator can restore them. `vault customers erase` removes a customer for good."
	timeVar(remove, &deleted.PurgeAfter, "purge-after",
		"`time` from which on the customer is erased for good (default: as configured, else never)")
	remove.Flags().BoolVar(&deleted.Force, "force", false,
		"delete it even if items of other customers were derived from it; they become orphaned; needs the scope admin")
	label := one("label", "Set the label of a customer; an empty one removes it", &labelled.CustomerID)
	textVar(label, &labelled.Label, "label", "the label, at most 100 characters", true)
	merges := one("merges", "List the merges of a customer, and which of them can be undone", &customer)
	unmerge := one("unmerge", "Undo the merge of a customer into another customer", &unmerged.CustomerID)
	unmerge.Long = "Undo the merge of a customer into another customer. --customer is the customer who was merged:\n" +
		"`vault customers merges` lists the merges that can be undone."
	var at vault.Moment
	profile := one("get", "Show the profile of a customer, and what waits", &customer)
	momentVars(profile, &at)
	cmd.AddCommand(
		submit(a, label, &labelled, (*client.Client).SetCustomerLabel),
		a.listCustomersCommand(),
		a.countCustomersCommand(),
		a.findCustomerCommand(),
		a.contextCommand(),
		a.recallCommand(),
		a.openCommand(),
		a.openManyCommand(),
		a.mergeCommand(),
		a.read(byKey, profile, func(ctx context.Context, c *client.Client) (any, error) {
			if !at.IsZero() {
				return c.GetCustomerAt(ctx, customer, at)
			}
			return getCustomer(ctx, c, customer)
		}),
		a.read(byKey, merges, func(ctx context.Context, c *client.Client) (any, error) {
			return client.Collect(c.ListMerges(ctx, customer))
		}),
		a.read(byKey, one("history", "List the versions of all fields of a customer, newest first", &customer),
			func(ctx context.Context, c *client.Client) (any, error) {
				return client.Collect(c.ListCustomerHistory(ctx, customer))
			}),
		submit(a, remove, &deleted, (*client.Client).DeleteCustomer),
		a.eraseCommand(),
		a.exportCustomerCommand(),
		submit(a, unmerge, &unmerged, (*client.Client).UnmergeCustomer),
	)
	return cmd
}

func (a *App) listCustomersCommand() *cobra.Command {
	var limit int
	var where []string
	cmd := &cobra.Command{
		Use: "list", Short: "List the customers, in the order of their ids",
		Long: "List the customers, in the order of their ids. With --where only those who meet each condition, in the\n" +
			"order of the index that finds them.",
	}
	limitVar(cmd, &limit, "customers")
	whereVar(cmd, &where)
	return a.read(byKey, cmd, func(ctx context.Context, c *client.Client) (any, error) {
		return upTo(c.ListCustomers(ctx, client.CustomersQuery{Where: where}), limit)
	})
}

// whereVar adds the flag with conditions on customers.
func whereVar(cmd *cobra.Command, where *[]string) {
	cmd.Flags().StringArrayVar(where, "where", nil,
		"`condition` on a field, repeatable: country=DE, name^=Ad (the beginning), email:verified, "+
			"email:present, email:missing, email:older_than=30d")
}

func (a *App) countCustomersCommand() *cobra.Command {
	var where []string
	cmd := &cobra.Command{Use: "count", Short: "Count the customers who meet conditions"}
	whereVar(cmd, &where)
	return a.read(byKey, cmd, func(ctx context.Context, c *client.Client) (any, error) {
		return c.CountCustomers(ctx, where...)
	})
}

func (a *App) findCustomerCommand() *cobra.Command {
	var channel, externalID string
	cmd := &cobra.Command{Use: "find", Short: "Find the customer of a channel identity"}
	textVar(cmd, &channel, "channel", "channel, such as whatsapp", true)
	textVar(cmd, &externalID, "external-id", "identity on the channel, such as a phone number", true)
	return a.read(byKey, cmd, func(ctx context.Context, c *client.Client) (any, error) {
		return c.FindCustomer(ctx, channel, externalID)
	})
}

func (a *App) recallCommand() *cobra.Command {
	var customer uuid.UUID
	var in vault.RecallInput
	cmd := &cobra.Command{
		Use: "recall", Short: "Find the facts and quotes of a customer that are closest to a question",
	}
	idVar(cmd, &customer, "customer", "customer `id`", true)
	textVar(cmd, &in.Question, "question", "question in words", true)
	cmd.Flags().IntVar(&in.Limit, "limit", vault.DefaultRecall, "maximum number of results")
	return a.read(byKey, cmd, func(ctx context.Context, c *client.Client) (any, error) {
		return c.Recall(ctx, customer, in)
	})
}

func (a *App) contextCommand() *cobra.Command {
	var in client.ContextQuery
	cmd := &cobra.Command{
		Use: "context", Short: "Show the context block of a customer, for the prompt of a language model",
		Long: "Show the context block of a customer, for the prompt of a language model: what a scenario misses, what is\n" +
			"known, uncertain or withheld, the most useful first. With --json it is a structure.",
	}
	idVar(cmd, &in.CustomerID, "customer", "customer `id`", true)
	optionalID(cmd, &in.ScenarioID, "scenario", "scenario `id`: show what it misses and needs first")
	optionalID(cmd, &in.SessionID, "session", "`id` of the session with the variables for conditions")
	cmd.Flags().IntVar(&in.MaxTokens, "max-tokens", vault.DefaultContextTokens, "largest size, in tokens")
	enumVar(cmd, &in.Format, "format", vault.ContextText, "format", []vault.ContextFormat{
		vault.ContextText, vault.ContextMarkdown,
	})
	return a.read(byKey, cmd, func(ctx context.Context, c *client.Client) (any, error) {
		if a.json {
			return c.GetContextBlock(ctx, in)
		}
		text, err := c.GetContext(ctx, in)
		return contextOutput(text), err
	})
}

// contextOutput is a context block as lines.
type contextOutput string

func (o contextOutput) table(w io.Writer) { _, _ = io.WriteString(w, string(o)) }

// customerOutput is a profile with what waits: for the customer, for the vault and for reviewers.
type customerOutput struct {
	vault.Profile

	Questions      []vault.Question         `json:"open_questions,omitempty"`
	Unfinished     []vault.OperationSummary `json:"unfinished_operations,omitempty"`
	PendingReviews int                      `json:"pending_reviews,omitempty"` // of the tenant, up to waitingShown
}

// waitingShown is the maximum number of waiting entries of each kind that `customers get` shows.
const waitingShown = 100

// getCustomer returns the profile of a customer with what waits.
func getCustomer(ctx context.Context, c *client.Client, customer uuid.UUID) (customerOutput, error) {
	var out customerOutput
	var err error
	if out.Profile, err = c.GetCustomer(ctx, customer); err != nil {
		return out, err
	}
	if out.Questions, err = upTo(c.ListQuestions(ctx, &customer), waitingShown); err != nil {
		return out, err
	}
	out.Unfinished, err = upTo(c.ListOperations(ctx, vault.OperationFilter{
		Status: vault.SelectUnfinished, CustomerID: &customer,
	}), waitingShown)
	if err != nil {
		return out, err
	}
	reviews, err := upTo(c.ListReviews(ctx), waitingShown)
	out.PendingReviews = len(reviews)
	return out, err
}

func (o customerOutput) table(w io.Writer) {
	table(w, o.Profile)
	if len(o.Questions) > 0 {
		_, _ = fmt.Fprint(w, "\f") // ends the columns before it
		table(w, o.Questions)
	}
	if len(o.Unfinished) > 0 {
		_, _ = fmt.Fprint(w, "\f")
		table(w, o.Unfinished)
	}
	if o.PendingReviews > 0 {
		_, _ = fmt.Fprint(w, "\f")
		line(w, fmt.Sprintf("%s pending, of all agents: vault reviews list", countOf(o.PendingReviews, "review")))
	}
}

// countOf returns a number of waiting things in words.
func countOf(n int, what string) string {
	switch {
	case n == 1:
		return "1 " + what + " is"
	case n >= waitingShown:
		return fmt.Sprintf("%d %ss or more are", n, what)
	default:
		return fmt.Sprintf("%d %ss are", n, what)
	}
}

func (a *App) agentsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "agents", Short: "List the agents"}
	cmd.AddCommand(a.read(byKey,
		&cobra.Command{Use: "list", Short: "List the agents that have a definition or a scenario"},
		func(ctx context.Context, c *client.Client) (any, error) { return client.Collect(c.ListAgents(ctx)) }))
	return cmd
}

func (a *App) openCommand() *cobra.Command {
	var in vault.OpenCustomerInput
	cmd := &cobra.Command{
		Use: "open", Short: "Get the customer of a channel identity, or create one",
		Example: `  vault customers open --channel whatsapp --external-id +4915112345678`,
	}
	identityVars(cmd, &in.Channel, &in.ExternalID, &in.Verified, &in.AfterErasure)
	return submit(a, cmd, &in, (*client.Client).OpenCustomer)
}

func (a *App) openManyCommand() *cobra.Command {
	return save(a, &cobra.Command{
		Use: "open-many", Short: "Get the customers of many channel identities, or create them",
		Example: `  echo '{"identities": [{"channel": "whatsapp", "external_id": "+4915112345678"}]}' ` +
			`| vault customers open-many`,
	}, (*client.Client).OpenCustomers)
}

func (a *App) mergeCommand() *cobra.Command {
	var in vault.MergeCustomersInput
	cmd := withID(&cobra.Command{Use: "merge", Short: "Merge one customer into another customer"},
		"customer", "`id` of the customer that remains", &in.TargetCustomerID)
	idVar(cmd, &in.SourceCustomerID, "source",
		"`id` of the customer that is merged; afterwards it refers to the remaining customer", true)
	return submit(a, cmd, &in, (*client.Client).MergeCustomers)
}

func (a *App) channelsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "channels", Short: "Manage the addresses of customers on channels, such as a phone number"}
	var in vault.LinkChannelInput
	link := withID(&cobra.Command{
		Use: "link", Short: "Link a channel identity to a customer",
		Example: `  vault channels link --customer 0198… --channel email --external-id ada@example.com`,
	}, "customer", "customer `id`", &in.CustomerID)
	identityVars(link, &in.Channel, &in.ExternalID, &in.Verified, &in.AfterErasure)
	cmd.AddCommand(submit(a, link, &in, (*client.Client).LinkChannel))
	return cmd
}

// identityVars adds the flags of a channel identity.
func identityVars(cmd *cobra.Command, channel, externalID *string, verified, after *bool) {
	textVar(cmd, channel, "channel", "channel, such as whatsapp or email", true)
	textVar(cmd, externalID, "external-id", "identity of the customer on the channel", true)
	cmd.Flags().BoolVar(verified, "verified", false, "the identity is verified")
	cmd.Flags().BoolVar(after, "after-erasure", false,
		"accept the identity of an erased customer: the person came back, as a new customer")
}

func (a *App) consentsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "consents", Short: "Manage the consents of customers"}
	var in vault.RecordConsentInput
	record := withID(&cobra.Command{
		Use: "record", Short: "Record that a customer grants or, with --granted=false, refuses a consent",
		Example: `  vault consents record --customer 0198… --purpose marketing --granted`,
	}, "customer", "customer `id`", &in.CustomerID)
	textVar(record, &in.Purpose, "purpose", "purpose of the consent, such as marketing", true)
	record.Flags().BoolVar(&in.Granted, "granted", false, "the customer grants the consent")
	_ = record.MarkFlagRequired("granted")
	textVar(record, &in.Source, "source", "where the customer gave the consent", false)
	timeVar(record, &in.ExpiresAt, "expires-at", "`time` when the consent expires (default: never)")
	cmd.AddCommand(submit(a, record, &in, (*client.Client).RecordConsent))
	return cmd
}
