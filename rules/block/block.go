// Package block renders the context block: what an agent needs to know of a customer, for the prompt of its language
// model, within a number of tokens.
//
//   - block.go: the entries and their order;
//   - render.go: the three formats, and the choice of the entries that fit;
//   - fence.go: values cannot act as instructions;
//   - tokens.go: the estimate of tokens.
package block

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

// Facts are what the block is made of, as the reader may see it.
type Facts struct {
	Profile vault.Profile
	// Scenario, Definitions, Missing and Needed are those of the scenario. Without one they are empty.
	Scenario    *vault.Scenario
	Definitions map[string]vault.Definition
	Missing     []vault.Missing // in the order of collection
	Needed      map[string]bool // the fields of the requirements that apply
	Withheld    []vault.Withheld
	Now         time.Time
}

// Entries returns the entries of the block, the most useful first: what the scenario misses, blocking fields first;
// what it needs and is known; what is uncertain; what is withheld; everything else that is known, the verified and the
// newest first; documents.
func Entries(f Facts) []vault.ContextEntry {
	bySection := map[vault.ContextSection][]vault.ContextEntry{vault.SectionMissing: missingOf(f)}
	add := func(section vault.ContextSection, e vault.ContextEntry) {
		e.Section = section
		bySection[section] = append(bySection[section], e)
	}
	for _, name := range slices.Sorted(maps.Keys(f.Profile.Fields)) {
		v := f.Profile.Fields[name]
		if rules.IsEmpty(v.Value) {
			continue
		}
		e := f.value(v)
		switch {
		case isUncertain(e.Certainty):
			add(vault.SectionUncertain, e)
		case f.Needed[name]:
			add(vault.SectionNeeded, e)
		default:
			add(vault.SectionKnown, e)
		}
	}
	for _, v := range f.Profile.Pending {
		e := f.value(v)
		e.Certainty = vault.CertainPending
		add(vault.SectionUncertain, e)
	}
	for _, w := range f.Withheld {
		add(vault.SectionWithheld, vault.ContextEntry{Name: w.Name, Label: f.label(w.Name), Reason: string(w.Reason)})
	}
	for _, a := range f.Profile.Assets {
		add(vault.SectionDocuments, f.asset(a))
	}
	for _, section := range []vault.ContextSection{
		vault.SectionNeeded, vault.SectionUncertain, vault.SectionKnown, vault.SectionDocuments,
	} {
		slices.SortFunc(bySection[section], byUse)
	}
	var out []vault.ContextEntry
	for _, section := range vault.ContextSections {
		out = append(out, bySection[section]...)
	}
	return out
}

// byUse compares entries of a section: the more certain first, then the newer, then by name and id.
func byUse(a, b vault.ContextEntry) int {
	return cmp.Or(
		cmp.Compare(certaintyRank(a.Certainty), certaintyRank(b.Certainty)),
		-a.CollectedAt.Compare(*b.CollectedAt),
		cmp.Compare(a.Name, b.Name),
		cmp.Compare(a.ItemID.String(), b.ItemID.String()),
	)
}

var certainties = []vault.Certainty{
	vault.CertainVerified, vault.CertainStated, vault.CertainDerived, vault.CertainUnconfirmed, vault.CertainPending,
	vault.CertainStale, vault.CertainExpired, vault.CertainInvalid,
}

func certaintyRank(c vault.Certainty) int { return slices.Index(certainties, c) }

func isUncertain(c vault.Certainty) bool {
	return certaintyRank(c) >= certaintyRank(vault.CertainUnconfirmed)
}

func missingOf(f Facts) []vault.ContextEntry {
	out := make([]vault.ContextEntry, len(f.Missing))
	for i, m := range f.Missing {
		def := vault.Definition{Name: m.Requirement.FieldName}
		if m.Definition != nil {
			def = *m.Definition
		}
		out[i] = vault.ContextEntry{
			Section: vault.SectionMissing, Name: def.Name, Label: f.label(def.Name), Reason: string(m.Reason),
			Level: m.Requirement.RequiredLevel, Blocking: m.Blocking, Prompt: cutText(def.Prompt(), maxPromptTokens),
		}
	}
	slices.SortStableFunc(out, func(a, b vault.ContextEntry) int {
		switch {
		case a.Blocking == b.Blocking:
			return 0
		case a.Blocking:
			return -1
		default:
			return 1
		}
	})
	return out
}

func (f Facts) value(v vault.Value) vault.ContextEntry {
	e := vault.ContextEntry{
		Name: v.Name, Label: f.label(v.Name), ItemID: &v.ID, Certainty: f.certainty(v), Source: v.Source,
		CollectedAt: utc(v.CollectedAt), Age: Age(f.Now.Sub(v.CollectedAt)),
	}
	if v.Confidence < 1 {
		e.Confidence = v.Confidence
	}
	e.Value, e.Cut = cutValue(v.Value)
	return e
}

func (f Facts) asset(a vault.Asset) vault.ContextEntry {
	e := vault.ContextEntry{
		Name: a.Name, ItemID: &a.ID, CollectedAt: utc(a.UploadedAt), Age: Age(f.Now.Sub(a.UploadedAt)),
		Certainty: vault.CertainStated,
	}
	if a.StaleSince != nil {
		e.Certainty = vault.CertainStale
	}
	if a.ExpiresAt != nil && !a.ExpiresAt.After(f.Now) {
		e.Certainty = vault.CertainExpired
	}
	e.Value, e.Cut = cutValue(json.RawMessage(FenceText(a.AssetType)))
	return e
}

func utc(t time.Time) *time.Time {
	t = t.UTC()
	return &t
}

// certainty returns how far an active value can be relied on.
func (f Facts) certainty(v vault.Value) vault.Certainty {
	def, defined := f.Definitions[v.Name]
	tooOld := defined && def.Enabled && def.StaleAction != vault.StaleIgnore && def.FreshnessSeconds > 0 &&
		f.Now.Sub(v.CollectedAt).Seconds() > float64(def.FreshnessSeconds)
	switch {
	case v.Expired(f.Now):
		return vault.CertainExpired
	case v.StaleSince != nil || tooOld:
		return vault.CertainStale
	case len(v.Warnings) > 0:
		return vault.CertainInvalid
	case v.RequiresConfirmation:
		return vault.CertainUnconfirmed
	case v.Verified:
		return vault.CertainVerified
	case v.Source == vault.ValueUserProvided || v.Source == vault.ValueHumanEntered:
		return vault.CertainStated
	default:
		return vault.CertainDerived
	}
}

// label returns the label of a field, "" if it says no more than the name.
func (f Facts) label(name string) string {
	def, ok := f.Definitions[name]
	if !ok || def.DisplayName == "" || def.DisplayName == vault.DisplayName(name) {
		return ""
	}
	return cutText(def.DisplayName, maxLabelTokens)
}

// Age returns an age in words. It changes at most once a day.
func Age(age time.Duration) string {
	const day = 24 * time.Hour
	days := int(age / day)
	count := func(n int, unit string) string {
		if n != 1 {
			unit += "s"
		}
		return fmt.Sprintf("%d %s old", n, unit)
	}
	switch {
	case days < 1:
		return "today"
	case days < 60:
		return count(days, "day")
	case days < 730:
		return count(days/30, "month")
	default:
		return count(days/365, "year")
	}
}

// newBlock returns the block of the entries that fit.
func newBlock(f Facts, entries []vault.ContextEntry, leftOut int) vault.ContextBlock {
	b := vault.ContextBlock{CustomerID: f.Profile.CustomerID, Entries: entries, LeftOut: leftOut}
	if f.Scenario != nil {
		b.ScenarioID = &f.Scenario.ID
	}
	return b
}
