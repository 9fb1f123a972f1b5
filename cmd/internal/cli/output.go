package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/contextvault/contextvault/client"
	"github.com/contextvault/contextvault/vault"
)

// print writes the result of a command, as a table or as JSON.
func (a *App) print(v any) error {
	if a.json {
		enc := json.NewEncoder(a.Out)
		enc.SetIndent("", "  ")
		return enc.Encode(v)
	}
	w := tabwriter.NewWriter(a.Out, 0, 8, 2, ' ', 0)
	table(w, v)
	return w.Flush()
}

func table(w io.Writer, v any) {
	switch v := v.(type) {
	case interface{ table(w io.Writer) }:
		v.table(w)
	case client.Operation[json.RawMessage]:
		line(w, "operation", v.ID)
		if v.Workflow != "" {
			line(w, "workflow", v.Workflow)
		}
		if v.Actor != "" {
			line(w, "actor", v.Actor)
		}
		if v.ParentID != nil {
			line(w, "parent", v.ParentID)
		}
		line(w, "status", v.Status)
		if len(v.Result) > 0 {
			line(w, "result", string(v.Result))
		}
		if v.Rejection != nil {
			line(w, "error", v.Rejection.Detail)
		}
		if q := v.WaitingFor; q != nil {
			line(w, "waits for", fmt.Sprintf("the answer to question %s (%s), until %s", q.QuestionID, q.FieldName,
				when(&q.DeadlineAt)))
		}
	case vault.Profile:
		line(w, "customer", v.CustomerID)
		if id := v.RequestedCustomerID; id != nil {
			line(w, "merged", fmt.Sprintf("%s was merged into this customer; vault customers unmerge --customer %s undoes it",
				id, id))
		}
		for _, id := range v.MergedCustomers {
			if v.RequestedCustomerID == nil || id != *v.RequestedCustomerID {
				line(w, "merged", fmt.Sprintf("%s was merged into this customer", id))
			}
		}
		line(w, "version", v.Version)
		line(w, "identity", v.VerificationLevel)
		for _, c := range v.Channels {
			line(w, "channel", c.Channel+" "+c.ExternalID)
		}
		for _, c := range v.Consents {
			line(w, "consent", fmt.Sprintf("%s: %s", c.Purpose, yesNo(c.Granted)))
		}
		head(w, "FIELD", "VALUE", "SOURCE", "VERIFIED", "COLLECTED", "EXPIRES", "ID")
		for _, name := range slices.Sorted(maps.Keys(v.Fields)) {
			f := v.Fields[name]
			line(w, name, string(f.Value), f.Source, f.Verified, when(&f.CollectedAt), when(f.ExpiresAt), f.ID)
		}
		if len(v.Assets) > 0 {
			_, _ = fmt.Fprint(w, "\f") // ends the columns of the fields
			head(w, "ASSET", "TYPE", "STORED AT", "STATUS", "UPLOADED", "EXPIRES", "ID")
		}
		for _, as := range v.Assets {
			line(w, as.Name, as.AssetType, as.StorageProvider+":"+as.StoragePath, as.Status, when(&as.UploadedAt),
				when(as.ExpiresAt), as.ID)
		}
	case []vault.Value:
		head(w, "FIELD", "VALUE", "STATUS", "SOURCE", "ACTOR", "ACCEPTED", "SUPERSEDED BY", "ID")
		for _, f := range v {
			by := "-"
			if f.SupersededByID != nil {
				by = f.SupersededByID.String()
			}
			line(w, f.Name, string(f.Value), f.Status, f.Source, dash(string(f.Actor)), when(&f.AcceptedAt), by, f.ID)
		}
	case vault.Chain:
		links(w, v.Links)
		if v.Truncated {
			line(w, "(the chain is longer: increase --depth)")
		}
		if v.Missing {
			line(w, "(the source of the origin no longer exists)")
		}
	case []vault.ChainLink:
		links(w, v)
	case []vault.Definition:
		head(w, "FIELD", "TYPE", "ENABLED", "ORIGIN", "REVIEW", "PROMPT")
		for _, d := range v {
			line(w, d.Name, d.ValueType, d.Enabled, d.Origin, d.Review, d.Prompt())
		}
	case []vault.Requirement:
		head(w, "FIELD", "LEVEL", "FALLBACK", "WHEN", "CONFIDENCE", "ORIGIN", "REVIEW", "QUOTE")
		for _, r := range v {
			line(w, r.FieldName, r.RequiredLevel, r.FallbackAction, dash(r.WhenCondition), r.Confidence, r.Origin, r.Review,
				dash(r.Quote))
		}
	case client.MissingFields:
		head(w, "FIELD", "LEVEL", "REASON", "BLOCKING", "FALLBACK")
		for _, m := range v.Missing {
			line(w, m.Requirement.FieldName, m.Requirement.RequiredLevel, m.Reason, m.Blocking, m.Requirement.FallbackAction)
		}
		for _, warning := range v.Warnings {
			line(w, "warning: "+warning)
		}
	case []vault.Question:
		head(w, "QUESTION", "FIELD", "KIND", "CANDIDATE", "PROMPT", "REASON", "ATTEMPT", "DEADLINE", "ITEM")
		for _, q := range v {
			item := "-"
			if q.ItemID != nil {
				item = q.ItemID.String()
			}
			line(w, q.ID, q.FieldName, q.Kind, dash(string(q.Candidate)), q.Prompt, dash(q.Reason), q.Attempt,
				when(&q.DeadlineAt), item)
		}
	case []client.Review:
		head(w, "REVIEW", "KIND", "FIELD", "TYPE", "LEVEL", "WHEN", "CONFIDENCE", "QUOTE")
		for _, r := range v {
			if d := r.Definition; d != nil {
				line(w, r.ID, r.Kind, d.Name, d.ValueType, "-", "-", "-", "-")
			} else if q := r.Requirement; q != nil {
				line(w, r.ID, r.Kind, q.FieldName, "-", q.RequiredLevel, dash(q.WhenCondition), q.Confidence,
					dash(q.Quote))
			} else if p := r.Value; p != nil {
				against := "no active value"
				if p.Active != nil {
					against = "differs from " + string(p.Active.Source)
				}
				line(w, r.ID, r.Kind, p.Pending.Name, p.Pending.ValueType, "-", "-", p.Pending.Confidence,
					string(p.Pending.Source)+", "+against)
			}
		}
	case []vault.Customer:
		head(w, "CUSTOMER", "VERSION", "CREATED", "UPDATED")
		for _, c := range v {
			line(w, c.CustomerID, c.Version, when(&c.CreatedAt), when(&c.UpdatedAt))
		}
	case []vault.OperationSummary:
		head(w, "OPERATION", "WORKFLOW", "SUBJECT", "ACTOR", "STATUS", "PUSHES", "ACCEPTED", "FINISHED", "ERROR")
		for _, o := range v {
			failure := "-"
			if o.Error != nil {
				failure = o.Error.Detail
			}
			line(w, o.ID, o.Workflow, o.Subject, dash(string(o.Actor)), o.Status, o.Attempts, when(&o.AcceptedAt),
				when(o.FinishedAt), failure)
		}
	case vault.OperationRuns:
		head(w, "RUN", "STEP", "STATUS", "ATTEMPTS", "STARTED", "FINISHED", "ERRORS")
		for _, run := range v.Runs {
			for _, s := range run.Steps {
				var failures []string
				for _, f := range s.Failures {
					failures = append(failures, f.Error)
				}
				line(w, run.ID, s.Name, s.Status, s.Attempts, when(s.StartedAt), when(s.FinishedAt),
					dash(strings.Join(failures, "; ")))
			}
		}
	case []vault.AgentSummary:
		head(w, "AGENT", "DEFINITIONS", "SCENARIOS")
		for _, agent := range v {
			line(w, agent.AgentID, agent.Definitions, agent.Scenarios)
		}
	case []vault.ScenarioSummary:
		head(w, "SCENARIO", "NAME", "RULES", "REQUIREMENTS", "UPDATED")
		for _, s := range v {
			line(w, s.ID, s.Name, s.Rules, s.Requirements, when(&s.UpdatedAt))
		}
	case []vault.RuleSummary:
		head(w, "RULE", "SCENARIO", "NAME", "UPDATED")
		for _, r := range v {
			line(w, r.ID, r.ScenarioID, r.Name, when(&r.UpdatedAt))
		}
	case []vault.SessionSummary:
		head(w, "SESSION", "CUSTOMER", "AGENT", "TURNS", "CREATED", "UPDATED")
		for _, s := range v {
			line(w, s.ID, s.CustomerID, s.AgentID, s.Turns, when(&s.CreatedAt), when(&s.UpdatedAt))
		}
	case []vault.Merge:
		head(w, "MERGED CUSTOMER", "INTO", "STATE", "MERGED", "UNDONE")
		for _, m := range v {
			line(w, m.SourceCustomerID, m.TargetCustomerID, m.State, when(&m.MergedAt), when(m.UndoneAt))
		}
	case client.Health:
		line(w, "status", v.Status)
		for _, name := range slices.Sorted(maps.Keys(v.Dependencies)) {
			line(w, name, v.Dependencies[name])
		}
	default:
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		if err := enc.Encode(v); err != nil {
			line(w, err)
		}
	}
}

func links(w io.Writer, all []vault.ChainLink) {
	head(w, "TYPE", "NAME", "STATUS", "ID", "ACTOR", "METADATA")
	for _, l := range all {
		line(w, l.Type, dash(l.Name), dash(string(l.Status)), l.ID, dash(string(l.Actor)), dash(string(l.Meta)))
	}
}

func head(w io.Writer, columns ...string) { _, _ = fmt.Fprintln(w, strings.Join(columns, "\t")) }

func line(w io.Writer, cells ...any) {
	texts := make([]string, len(cells))
	for i, c := range cells {
		texts[i] = printable(fmt.Sprint(c))
	}
	_, _ = fmt.Fprintln(w, strings.Join(texts, "\t"))
}

// printable replaces control characters by spaces: the words of a customer must not control the terminal or end the
// line of a table.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, text)
}

func dash(text string) string {
	if text == "" || text == "{}" {
		return "-"
	}
	return text
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func when(t *time.Time) string {
	if t == nil {
		return "-"
	}
	return t.UTC().Format(time.RFC3339)
}
