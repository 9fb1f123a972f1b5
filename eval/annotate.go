package eval

import (
	"slices"
	"strings"

	"github.com/contextvault/contextvault/llm/offline/text"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

// Reasons why the vault does not store a value that the annotations contain.
const (
	reasonUnsaid       = "the agent offered it and the customer agreed: no words of the customer contain it"
	reasonImplied      = "the customer's words imply it and do not contain it"
	reasonInvalid      = "it is not a value of its slot"
	reasonNoPreference = "the customer has no preference, which is not a value"
)

// fact is the value of one slot after a turn, from the annotations.
type fact struct {
	slot      string
	variants  []string        // the wordings of the value
	candidate vault.Candidate // the answer of a faultless model
	reason    string          // why the vault must not store it; "": it must store it
}

// matches reports whether a stored value equals the fact: one of its wordings, or another wording of the same day, such
// as "11th of March" for "March 11th".
func (f fact) matches(value string) bool {
	day := dayOf(value)
	return slices.ContainsFunc(f.variants, func(v string) bool { return same(v, value) || day != "" && day == dayOf(v) })
}

// dayOf returns the day that a text is, relative to Clock, as 2006-01-02. It returns "" for any other text.
func dayOf(value string) string {
	found := text.FindEntities(value, text.Clock{Now: Clock})
	if len(found) != 1 || found[0].Kind != text.KindDate || len(found[0].In(value)) < len(value)-len("the ") {
		return ""
	}
	return found[0].Value
}

// annotate returns the facts about slots of a service after a turn of the customer, from the annotations.
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
			f.reason = reasonNoPreference
			out = append(out, f)
			continue
		}
		f.candidate, f.reason = d.find(def, a.service.Name, variants, after)
		if f.reason == "" {
			if _, problem := rules.CheckValue(&def, slot, f.candidate.Value, vault.ModeStrict); problem != nil {
				f.reason = reasonInvalid
			} else if _, problem := rules.GroundCandidate(f.candidate, &def, turns); problem != nil {
				f.reason = reasonImplied
			}
		}
		out = append(out, f)
	}
	return out
}

// find returns the words that contain a value, the customer's latest first: the marked words, then a turn in which the
// customer informed the agent, then the customer's words for another service. Otherwise it returns the agent's words
// and the reason why the vault must not store the value.
func (d Dialogue) find(def vault.Definition, service string, variants []string, after int) (vault.Candidate, string) {
	candidate := func(value, quote string, turn int) vault.Candidate {
		return vault.Candidate{
			FieldName:  def.Name,
			Value:      encode(def.ValueType, value),
			Confidence: 1,
			Quote:      quote,
			Turn:       turn,
		}
	}
	for i := after; i >= 0; i-- {
		turn := d.Turns[i]
		for _, f := range turn.Frames {
			if turn.Speaker != speakerUser || f.Service != service {
				continue
			}
			for _, s := range f.Slots {
				words := turn.said(s)
				if s.Slot == def.Name && slices.ContainsFunc(variants, func(v string) bool { return same(v, words) }) {
					return candidate(words, words, i), ""
				}
			}
			for _, act := range f.Actions {
				if act.Act == actInform && act.Slot == def.Name && len(act.Values) > 0 &&
					slices.ContainsFunc(variants, func(v string) bool { return same(v, act.Values[0]) }) {
					return candidate(act.Values[0], turn.Utterance, i), ""
				}
			}
		}
	}
	for i := after; i >= 0; i-- {
		for _, f := range d.Turns[i].Frames {
			for _, s := range f.Slots {
				words := d.Turns[i].said(s)
				if d.Turns[i].Speaker == speakerUser &&
					slices.ContainsFunc(variants, func(v string) bool { return same(v, words) }) {
					return candidate(words, words, i), ""
				}
			}
		}
	}
	for i := after; i >= 0; i-- {
		if d.Turns[i].Speaker == speakerUser {
			continue
		}
		for _, v := range variants {
			if strings.Contains(strings.ToLower(d.Turns[i].Utterance), strings.ToLower(v)) {
				return candidate(v, v, i), reasonUnsaid
			}
		}
	}
	return candidate(variants[0], variants[0], after), reasonUnsaid
}
