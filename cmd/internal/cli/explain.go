package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/contextvault/contextvault/vault"
)

// explanation prints a vault.ScenarioExplanation sentence by sentence.
type explanation struct{ vault.ScenarioExplanation }

func (e explanation) table(w io.Writer) {
	if e.Model == "" {
		_, _ = fmt.Fprintln(w, "no extraction has read this scenario yet")
		return
	}
	if !e.Current {
		_, _ = fmt.Fprintln(w, "a text was saved after it was read; its extraction is still to come, or failed")
	}
	label := ""
	for _, s := range e.Sentences {
		if s.Label != label {
			label = s.Label
			_, _ = fmt.Fprintf(w, "[%s]\n", label)
		}
		_, _ = fmt.Fprintln(w, strings.Join(strings.Fields(s.Text), " "))
		for _, g := range s.Gave {
			_, _ = fmt.Fprintf(w, "  + %s\n", givenText(g))
		}
		for _, p := range s.PassedOver {
			if p.Text == s.Text {
				_, _ = fmt.Fprintf(w, "  - %s\n", p.Reason)
				continue
			}
			_, _ = fmt.Fprintf(w, "  - %q: %s\n", strings.Join(strings.Fields(p.Text), " "), p.Reason)
		}
	}
}

func givenText(g vault.GivenRequirement) string {
	parts := []string{string(g.RequiredLevel), string(g.FallbackAction)}
	if g.Verified {
		parts = append(parts, "verified")
	}
	out := g.FieldName + " (" + strings.Join(parts, ", ") + ")"
	if g.WhenCondition != "" {
		out += " when " + g.WhenCondition
	}
	if g.UnboundCondition != "" {
		out += fmt.Sprintf(", soft because no definition decides %q", g.UnboundCondition)
	}
	how := "matched by " + string(g.MatchedBy)
	if !g.Existing {
		how = "a new definition, which waits for a review"
	}
	out += "; " + how
	if g.Confidence < vault.ReviewThreshold {
		out += "; the requirement waits for a review"
	}
	return out + fmt.Sprintf("; %q", strings.Join(strings.Fields(g.Quote), " "))
}
