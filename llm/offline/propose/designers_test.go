package propose

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/vault"
)

// industry is one file of testdata/designers.
type industry struct {
	Industry    string             `json:"industry"`
	HeldOut     bool               `json:"held_out"`
	Definitions []vault.Definition `json:"definitions"`
	Texts       []struct {
		Name  string   `json:"name"`
		Text  string   `json:"text"`
		Needs []string `json:"needs"`
	} `json:"texts"`
}

// need is one line of the truth.
type need struct {
	names    []string
	isNew    bool
	level    vault.RequiredLevel
	fallback vault.FallbackAction
	verified bool
	when     string
}

func parseNeed(line string) need {
	head, when, _ := strings.Cut(line, " if ")
	n := need{level: vault.LevelHard, fallback: vault.FallbackAsk, when: when}
	if base, block := strings.CutSuffix(head, "=block"); block {
		head, n.fallback = base, vault.FallbackBlock
	}
	if base, fallback, soft := strings.Cut(head, "~"); soft {
		head, n.level = base, vault.LevelSoft
		n.fallback = cmp.Or(vault.FallbackAction(fallback), vault.FallbackSkip)
	}
	head, n.verified = strings.CutSuffix(head, "!")
	head, n.isNew = strings.CutPrefix(head, "+")
	n.names = strings.Split(head, "|")
	return n
}

// guardPattern matches the guards that keep a condition from failing on an absent field.
var guardPattern = regexp.MustCompile(`\bhas\(fields\.[a-z0-9_]+\) && `)

// differences lists the attributes in which a proposal differs from the truth.
func (n need) differences(p vault.ProposedRequirement) []string {
	var out []string
	add := func(what string, want, got any) {
		if want != got {
			out = append(out, fmt.Sprintf("%s %v, want %v", what, got, want))
		}
	}
	add("level", n.level, p.Level)
	add("fallback", n.fallback, p.Fallback)
	add("verified", n.verified, p.Verified)
	when := p.WhenCondition
	for guardPattern.MatchString(when) && !strings.HasPrefix(n.when, "has(") {
		when = guardPattern.ReplaceAllString(when, "")
	}
	add("condition", n.when, when)
	return out
}

// tally counts the outcome of reading texts.
type tally struct{ needs, proposed, right, binding, exact int }

func (t *tally) add(o tally) {
	t.needs, t.proposed, t.right = t.needs+o.needs, t.proposed+o.proposed, t.right+o.right
	t.binding, t.exact = t.binding+o.binding, t.exact+o.exact
}

func (t tally) precision() float64 { return float64(t.right) / float64(max(1, t.proposed)) }
func (t tally) recall() float64    { return float64(t.right) / float64(max(1, t.needs)) }

// exactness is the share of the right proposals with right level, fallback, verification and condition.
func (t tally) exactness() float64 { return float64(t.exact) / float64(max(1, t.right)) }

func (t tally) String() string {
	return fmt.Sprintf("precision %.3f (%d of %d), recall %.3f (%d of %d), binding %d, attributes right %.3f",
		t.precision(), t.right, t.proposed, t.recall(), t.right, t.needs, t.binding, t.exactness())
}

// compare counts the proposals for one text, and lists the mistakes.
func compare(lines []string, proposed []vault.ProposedRequirement, defs []vault.Definition) (t tally, mistakes []string) {
	t.needs, t.proposed = len(lines), len(proposed)
	used := make([]bool, len(proposed))
	for _, line := range lines {
		n := parseNeed(line)
		at := slices.IndexFunc(proposed, func(p vault.ProposedRequirement) bool {
			defined := slices.ContainsFunc(defs, func(d vault.Definition) bool { return d.Name == p.Name })
			return slices.Contains(n.names, p.Name) && defined != n.isNew
		})
		if at < 0 {
			mistakes = append(mistakes, "missed: "+line)
			continue
		}
		used[at] = true
		t.right++
		if proposed[at].Confidence >= vault.ReviewThreshold {
			t.binding++
		}
		if diff := n.differences(proposed[at]); len(diff) > 0 {
			mistakes = append(mistakes, proposed[at].Name+": "+strings.Join(diff, "; "))
		} else {
			t.exact++
		}
	}
	for i, p := range proposed {
		if !used[i] {
			mistakes = append(mistakes, fmt.Sprintf("not needed: %s (%q)", p.Name, p.Quote))
		}
	}
	return t, mistakes
}

// loadIndustries reads testdata/designers.
func loadIndustries(t *testing.T) []industry {
	t.Helper()
	paths, err := filepath.Glob("testdata/designers/*.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatal("no texts of designers:", err)
	}
	var out []industry
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var in industry
		if err := yaml.UnmarshalStrict(content, &in); err != nil {
			t.Fatal(path, err)
		}
		out = append(out, in)
	}
	return out
}

// The floors are what the reader must reach on both halves.
func TestDesigners_PrecisionAndRecall(t *testing.T) {
	var tuned, heldOut tally
	for _, in := range loadIndustries(t) {
		for _, text := range in.Texts {
			got := Propose(llm.ProposeRequest{
				Title: text.Name, Existing: in.Definitions, Texts: []llm.Text{{Label: "description", Text: text.Text}},
			})
			count, mistakes := compare(text.Needs, got, in.Definitions)
			if in.HeldOut {
				heldOut.add(count)
				continue // nobody looks at the mistakes of these
			}
			tuned.add(count)
			for _, m := range mistakes {
				t.Logf("%s, %s: %s", in.Industry, text.Name, m)
			}
		}
	}
	t.Log("tuned:   ", tuned)
	t.Log("held out:", heldOut)
	for name, half := range map[string]tally{"tuned": tuned, "held out": heldOut} {
		if half.precision() < 0.9 || half.recall() < 0.8 {
			t.Errorf("%s: %v; want precision 0.9 and recall 0.8", name, half)
		}
	}
}
