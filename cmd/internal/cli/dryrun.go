package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/contextvault/contextvault/client"
	"github.com/contextvault/contextvault/vault"
)

// dryRun makes a command that says what a document would break if it were saved. example is such a document.
func dryRun[In any](
	a *App, what, example string,
	run func(c *client.Client, ctx context.Context, in In, look client.Look) (vault.DryRun, error),
) *cobra.Command {
	var file string
	var look client.Look
	cmd := &cobra.Command{
		Use: "dry-run", Short: "Say what a changed " + what + " would break; changes nothing",
		Example: "  echo '" + example + "' | vault " + what + "s dry-run",
	}
	cmd.Flags().StringVarP(&file, "file", "f", "-", "JSON document; -: standard input")
	lookVars(cmd, &look)
	return a.read(byKey, cmd, func(ctx context.Context, c *client.Client) (any, error) {
		var in In
		if err := a.input(file, &in); err != nil {
			return nil, err
		}
		out, err := run(c, ctx, in, look)
		return foreseen{out}, err
	})
}

// dryRunDelete makes a command that says what a deletion would break. The flags of cmd set in.
func dryRunDelete[In any](
	a *App, cmd *cobra.Command, in *In,
	run func(c *client.Client, ctx context.Context, in In, look client.Look) (vault.DryRun, error),
) *cobra.Command {
	var look client.Look
	lookVars(cmd, &look)
	return a.read(byKey, cmd, func(ctx context.Context, c *client.Client) (any, error) {
		out, err := run(c, ctx, *in, look)
		return foreseen{out}, err
	})
}

// lookVars adds the flags that select the customers of a dry run.
func lookVars(cmd *cobra.Command, look *client.Look) {
	cmd.Flags().IntVar(&look.Customers, "customers", vault.DefaultDryRunCustomers,
		"maximum number of customers to look at, in the order of their ids")
	optionalID(cmd, &look.After, "after", "`id` of a customer: look at those that follow")
}

// foreseen prints a dry run.
type foreseen struct{ vault.DryRun }

func (f foreseen) table(w io.Writer) {
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format+"\n", args...) }
	members := ""
	if len(f.Members) > 0 {
		members = ": " + strings.Join(f.Members, ", ")
	}
	say("%s %s: %s%s", f.Kind, f.Name, f.Action, members)
	for _, e := range f.Effects {
		say("  %s: %s", e.Member, e.Text)
	}
	if v := f.Values; v != nil {
		say("values: %d checked, %d would be invalid (of %d customers), %d are invalid already",
			v.Checked, v.Invalid, v.Customers, v.Broken)
		for _, r := range v.Reasons {
			say("  %d: %s", r.Values, r.Text)
		}
		for _, e := range v.Examples {
			say("  customer %s, item %s: %s", e.CustomerID, e.ItemID, e.Value)
		}
	}
	for _, s := range f.Scenarios {
		say("scenario %s: could no longer start for %d customers, %d would be asked for more, %d are unblocked",
			s.Name, s.Blocked, s.Asked, s.Unblocked)
		for _, m := range s.Missing {
			say("  %s would be %s for %d customers", m.FieldName, m.Reason, m.Customers)
		}
		for _, id := range s.Examples {
			say("  customer %s", id)
		}
	}
	for _, r := range f.References {
		problem := ""
		if r.Problem != "" {
			problem = ": " + r.Problem
		}
		say("%s of scenario %s%s%s", r.Kind, r.ScenarioName, partOf(r), problem)
	}
	if f.ExamplesHidden {
		say("customers are not named: the key sees masked values only")
	}
	if !f.Complete {
		say("%d customers were looked at, and there are more: continue with --after %s", f.Customers, uuidOf(f.Next))
		return
	}
	say("%d customers were looked at", f.Customers)
}

// partOf names the part of a scenario that a reference is in.
func partOf(r vault.DryRunReference) string {
	var parts []string
	if r.FieldName != "" {
		parts = append(parts, "field "+r.FieldName)
	}
	if r.StepID != "" {
		parts = append(parts, "step "+r.StepID)
	}
	if r.RuleName != "" {
		parts = append(parts, "rule "+r.RuleName)
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

func uuidOf(id *uuid.UUID) string {
	if id == nil {
		return ""
	}
	return id.String()
}
