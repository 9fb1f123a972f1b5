package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/contextvault/contextvault/client"
	"github.com/contextvault/contextvault/vault"
)

func (a *App) auditCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "audit", Short: "List the audit, and verify that it was not changed"}
	var filter vault.AuditFilter
	var actor, expect string
	var limit int
	list := &cobra.Command{
		Use: "list", Short: "List the entries of the audit, newest first",
		Example: "  vault audit list --subject 0198… --action read",
	}
	textVar(list, &filter.Subject, "subject", "list only entries about this customer, or another thing, by its id", false)
	textVar(list, &actor, "actor", "list only entries of this actor, such as key:0198…", false)
	enumVar(list, &filter.Action, "action", "", "list only entries with this action", vault.AuditActions)
	textVar(list, &filter.Operation, "operation", "list only entries of this workflow or read", false)
	textVar(list, &filter.Purpose, "purpose", "list only reads for this purpose", false)
	timeVar(list, &filter.From, "from", "list only entries from this `time` on")
	timeVar(list, &filter.To, "to", "list only entries before this `time`")
	limitVar(list, &limit, "entries")
	verify := &cobra.Command{
		Use: "verify", Short: "Compare the audit with its seals, and name what was changed",
		Long: "Compare the audit with its seals. Keep the head that it shows elsewhere, and pass it to a later\n" +
			"verification by --expect: then seals that were removed or made anew are noticed too. The exit code\n" +
			"is not 0 if anything was changed.",
	}
	textVar(verify, &expect, "expect", "head of an earlier verification, as number:hash", false)
	for _, sub := range []*cobra.Command{list, verify} {
		a.addTenantFlag(sub.Flags())
	}
	cmd.AddCommand(
		a.read(byOperator, list, func(ctx context.Context, c *client.Client) (any, error) {
			if actor != "" {
				var err error
				if filter.Actor, err = vault.ParseActor(actor); err != nil {
					return nil, err
				}
			}
			entries, err := upTo(c.ListAudit(ctx, filter), limit)
			return auditEntries(entries), err
		}),
		a.read(byOperator, verify, func(ctx context.Context, c *client.Client) (any, error) {
			report, err := c.VerifyAudit(ctx, expect)
			if err == nil && !report.Intact {
				err = withOutput{errors.New("the audit was changed")}
			}
			return auditReport(report), err
		}),
	)
	return cmd
}

type auditEntries []vault.AuditEntry

func (e auditEntries) table(w io.Writer) {
	head(w, "AT", "ACTION", "OPERATION", "ACTOR", "SUBJECT", "FIELDS", "PURPOSE", "CODE", "OPERATION ID", "ID")
	for _, entry := range e {
		operation := "-"
		if entry.OperationID != nil {
			operation = entry.OperationID.String()
		}
		line(w, when(&entry.At), entry.Action, entry.Operation, entry.Actor, dash(entry.Subject),
			dash(strings.Join(entry.Fields, ",")), dash(entry.Purpose), dash(entry.Code), operation, entry.ID)
	}
}

type auditReport vault.AuditReport

func (r auditReport) table(w io.Writer) {
	line(w, "intact", yesNo(r.Intact))
	line(w, "checked", fmt.Sprintf("%d entries in %d seals", r.Entries, r.Seals))
	line(w, "unsealed", r.Unsealed)
	line(w, "head", dash(r.Head))
	for _, f := range r.Findings {
		line(w, f.Problem, f.Detail)
	}
}
