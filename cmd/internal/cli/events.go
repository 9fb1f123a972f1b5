package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/contextvault/contextvault/client"
	"github.com/contextvault/contextvault/vault"
)

func (a *App) eventsCommand() *cobra.Command {
	var in client.EventsInput
	var types string
	var limit int
	var follow bool
	cmd := &cobra.Command{
		Use: "events", Short: "List the feed of events, and follow it",
		Long: "List the events of the feed, oldest first, in ids and names. To continue later, pass the id of the last\n" +
			"event as --after. --follow goes on with what happens next, until it is stopped; with --json it prints\n" +
			"one event a line.",
		Example: "  vault events --customer 0198… --types value.changed,question.opened\n  vault events --latest --follow",
	}
	cmd.Flags().Int64Var(&in.After, "after", 0, "begin after the event with this `id` (default: with the oldest event)")
	cmd.Flags().BoolVar(&in.Latest, "latest", false, "begin with what happens from now on; --follow needs it or --after")
	textVar(cmd, &types, "types", "list only events of these `types`, with commas between them", false)
	optionalID(cmd, &in.CustomerID, "customer", "list only events about this customer")
	optionalID(cmd, &in.AgentID, "agent", "list only events of this agent")
	cmd.Flags().BoolVar(&in.Values, "values", false, "show the values that the key may see")
	cmd.Flags().BoolVar(&follow, "follow", false, "go on with what happens next")
	limitVar(cmd, &limit, "events, without --follow")
	cmd = a.read(byKey, cmd, func(ctx context.Context, c *client.Client) (any, error) {
		events, err := upTo(c.ListEvents(ctx, in), limit)
		return feedEvents(events), err
	})
	list := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		for name := range strings.SplitSeq(types, ",") {
			if name = strings.TrimSpace(name); name != "" {
				in.Types = append(in.Types, vault.EventType(name))
			}
		}
		if !follow {
			return list(cmd, args)
		}
		c, err := a.client(byKey)
		if err != nil {
			return err
		}
		return a.followEvents(cmd.Context(), c, in)
	}
	return cmd
}

// followEvents prints events as they happen, until ctx ends.
func (a *App) followEvents(ctx context.Context, c *client.Client, in client.EventsInput) error {
	for e, err := range c.WatchEvents(ctx, in) {
		if errors.Is(err, context.Canceled) {
			return nil // it was stopped
		}
		if err == nil && a.json {
			err = json.NewEncoder(a.Out).Encode(e)
		} else if err == nil {
			w := tabwriter.NewWriter(a.Out, 0, 8, 2, ' ', 0)
			feedEvent(w, e)
			err = w.Flush()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

type feedEvents []vault.FeedEvent

func (all feedEvents) table(w io.Writer) {
	head(w, "ID", "AT", "TYPE", "CUSTOMER", "NAME", "STATUS", "SUBJECT", "VALUE")
	for _, e := range all {
		feedEvent(w, e)
	}
}

func feedEvent(w io.Writer, e vault.FeedEvent) {
	customer := idOrDash(e.CustomerID)
	if e.IntoCustomerID != nil {
		customer = fmt.Sprintf("%s into %s", customer, e.IntoCustomerID)
	}
	line(w, e.ID, when(&e.At), e.Type, customer, dash(e.Name), dash(e.Status),
		idOrDash(e.SubjectID), dash(string(e.Value)))
}

func idOrDash(id *uuid.UUID) string {
	if id == nil {
		return "-"
	}
	return id.String()
}
