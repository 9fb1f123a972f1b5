package eval

import (
	"slices"
	"strings"

	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

// Why the vault does not store what the annotations say is known.
const (
	whyUnsaid   = "the agent offered it and the customer agreed: no words of the customer hold it"
	whyImplied  = "the customer's words mean it, and do not hold it"
	whyInvalid  = "it is not a value of its slot"
	whyAnything = "the customer has no preference, which is no value"
)

// fact is what the annotations say of one slot after a turn.
type fact struct {
	slot      string
	variants  []string        // the ways in which the value was said
	candidate vault.Candidate // what a perfect model reads
	why       string          // why the vault may not store it; "" where it must
}

// matches reports whether a stored value is the fact's.
func (f fact) matches(value string) bool {
	return slices.ContainsFunc(f.variants, func(v string) bool { return same(v, value) })
}

// annotate gives what the annotations say about slots of a service after a turn of the customer.
func (d Dialogue) annotate(a agent, slots []string, after int) []fact {
	var out []fact
	state := d.state(a.service.Name, after)
	turns := d.turns(0, after+1)
	for _, slot := range slots {
		variants := state[slot]
		def, known := a.defs[slot]
		if len(variants) == 0 || !known {
			continue
		}
		f := fact{slot: slot, variants: variants}
		if slices.Contains(variants, anyValue) {
			f.why = whyAnything
			out = append(out, f)
			continue
		}
		f.candidate, f.why = d.find(def, a.service.Name, variants, after)
		if f.why == "" {
			if _, problem := rules.CheckValue(&def, slot, f.candidate.Value, vault.ModeStrict); problem != nil {
				f.why = whyInvalid
			} else if _, problem := rules.GroundCandidate(f.candidate, &def, turns); problem != nil {
				f.why = whyImplied
			}
		}
		out = append(out, f)
	}
	return out
}

// find gives the words that say a value, the customer's latest first: where the annotations mark them, then where they say that the
// customer informed, then wherever the customer said it, for another service. Else it gives the agent's words, and why they do not
// do.
func (d Dialogue) find(def vault.Definition, service string, variants []string, after int) (vault.Candidate, string) {
	candidate := func(value, quote string, turn int) vault.Candidate {
		return vault.Candidate{FieldName: def.Name, Value: encode(def.ValueType, value), Confidence: 1, Quote: quote, Turn: turn}
	}
	for i := after; i >= 0; i-- {
		turn := d.Turns[i]
		for _, f := range turn.Frames {
			if turn.Speaker != speakerYou || f.Service != service {
				continue
			}
			for _, s := range f.Slots {
				words := turn.said(s)
				if s.Slot == def.Name && slices.ContainsFunc(variants, func(v string) bool { return same(v, words) }) {
					return candidate(words, words, i), ""
				}
			}
			for _, act := range f.Actions {
				if act.Act == actInform && act.Slot == def.Name && len(act.Values) > 0 && slices.ContainsFunc(variants, func(v string) bool { return same(v, act.Values[0]) }) {
					return candidate(act.Values[0], turn.Utterance, i), ""
				}
			}
		}
	}
	for i := after; i >= 0; i-- {
		for _, f := range d.Turns[i].Frames {
			for _, s := range f.Slots {
				words := d.Turns[i].said(s)
				if d.Turns[i].Speaker == speakerYou && slices.ContainsFunc(variants, func(v string) bool { return same(v, words) }) {
					return candidate(words, words, i), ""
				}
			}
		}
	}
	for i := after; i >= 0; i-- {
		if d.Turns[i].Speaker == speakerYou {
			continue
		}
		for _, v := range variants {
			if strings.Contains(strings.ToLower(d.Turns[i].Utterance), strings.ToLower(v)) {
				return candidate(v, v, i), whyUnsaid
			}
		}
	}
	return candidate(variants[0], variants[0], after), whyUnsaid
}
