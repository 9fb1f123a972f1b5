package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/vault"
)

// print shows what a command found out.
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

// Message is the text of an error for a person.
func Message(err error) string {
	if e, ok := errors.AsType[*vault.Error](err); ok {
		return e.ForCaller()
	}
	return err.Error()
}

func table(w io.Writer, v any) {
	switch v := v.(type) {
	case interface{ table(w io.Writer) }:
		v.table(w)
	case vault.Operation:
		line(w, "operation", v.ID)
		line(w, "workflow", v.Workflow)
		line(w, "status", v.Status)
		if len(v.Result) > 0 {
			line(w, "result", string(v.Result))
		}
		if v.Error != nil {
			line(w, "error", v.Error.ForCaller())
		}
	case vault.Profile:
		line(w, "customer", v.CustomerID)
		line(w, "version", v.Version)
		head(w, "FIELD", "VALUE", "SOURCE", "VERIFIED", "COLLECTED", "EXPIRES", "ID")
		for _, name := range sortedKeys(v.Fields) {
			f := v.Fields[name]
			line(w, name, string(f.Value), f.Source, f.Verified, when(&f.CollectedAt), when(f.ExpiresAt), f.ID)
		}
		for _, as := range v.Assets {
			line(w, as.Name, as.AssetType, as.StorageProvider+":"+as.StoragePath, as.Status, when(&as.UploadedAt), when(as.ExpiresAt), as.ID)
		}
	case []vault.Field:
		head(w, "VALUE", "STATUS", "SOURCE", "ACCEPTED", "SUPERSEDED BY", "ID")
		for _, f := range v {
			by := "-"
			if f.SupersededByID != nil {
				by = f.SupersededByID.String()
			}
			line(w, string(f.Value), f.Status, f.Source, when(&f.AcceptedAt), by, f.ID)
		}
	case vault.Chain:
		links(w, v.Links)
		if v.Truncated {
			line(w, "(the chain goes on: raise --depth)")
		}
		if v.Missing {
			line(w, "(its origin names a source that does not exist any more)")
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
			line(w, r.FieldName, r.RequiredLevel, r.FallbackAction, dash(r.WhenCondition), r.Confidence, r.Origin, r.Review, dash(r.Quote))
		}
	case query.MissingFields:
		head(w, "FIELD", "LEVEL", "REASON", "BLOCKING", "FALLBACK")
		for _, m := range v.Missing {
			line(w, m.Requirement.FieldName, m.Requirement.RequiredLevel, m.Reason, m.Blocking, m.Requirement.FallbackAction)
		}
		for _, warning := range v.Warnings {
			line(w, "warning: "+warning)
		}
	case []vault.Question:
		head(w, "QUESTION", "FIELD", "PROMPT", "REASON", "ATTEMPT", "DEADLINE")
		for _, q := range v {
			line(w, q.ID, q.FieldName, q.Prompt, dash(q.Reason), q.Attempt, when(&q.DeadlineAt))
		}
	default:
		out, err := json.MarshalIndent(v, "", "  ")
		if err != nil {
			line(w, err)
			return
		}
		line(w, string(out))
	}
}

func links(w io.Writer, all []vault.ChainLink) {
	head(w, "TYPE", "NAME", "STATUS", "ID", "METADATA")
	for _, l := range all {
		line(w, l.Type, dash(l.Name), dash(string(l.Status)), l.ID, dash(string(l.Meta)))
	}
}

func head(w io.Writer, columns ...string) { _, _ = fmt.Fprintln(w, strings.Join(columns, "\t")) }

func line(w io.Writer, cells ...any) {
	texts := make([]string, len(cells))
	for i, c := range cells {
		texts[i] = fmt.Sprint(c)
	}
	_, _ = fmt.Fprintln(w, strings.Join(texts, "\t"))
}

func dash(text string) string {
	if text == "" || text == "{}" {
		return "-"
	}
	return text
}

func when(t *time.Time) string {
	if t == nil {
		return "-"
	}
	return t.UTC().Format(time.RFC3339)
}
