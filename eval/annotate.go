package eval

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/contextvault/contextvault/llm/offline/text"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/rules/evidence"
	"github.com/contextvault/contextvault/vault"
)

// Reasons why the vault does not store a value that the annotations contain.
const (
	reasonUnsaid       = "the agent offered it and the customer agreed: no words of the customer contain it"
	reasonImplied      = "the customer's words imply it and do not contain it"
	reasonInvalid      = "it is not a value of its slot"
	reasonNoPreference = "the customer has no preference, which is not a value"
	reasonBound        = "the customer named a limit (4.1 or higher), which is not the value"
	reasonAlternative  = "the customer named it as one of two alternatives"
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
			said := d.Turns[f.candidate.Turn].Utterance
			if _, problem := rules.CheckValue(&def, slot, f.candidate.Value, vault.ModeStrict); problem != nil {
				f.reason = reasonInvalid
			} else if isLimit(said, f.candidate.Quote) {
				f.reason = reasonBound
			} else if d.isAlternative(f.candidate) {
				f.reason = reasonAlternative
			} else if _, problem := evidence.Read(turns).Check(f.candidate, &def); problem != nil {
				f.reason = reasonImplied
			}
		}
		out = append(out, f)
	}
	return out
}

// limit matches the words after a number that is only a limit, within a few words.
var limit = regexp.MustCompile(`^(?: \w+){0,2},? (?:or|and) ` +
	`(?:higher|more|above|better|up|over|greater|lower|less|below)\b`)

// isLimit reports whether the words of a number are followed by words that make it a limit: "a 4.1 rating or higher".
func isLimit(utterance, words string) bool {
	_, after, found := strings.Cut(strings.ToLower(utterance), strings.ToLower(words))
	return found && strings.ContainsAny(words, "0123456789") && limit.MatchString(after)
}

// alternative matches what stands between two values of which the customer wants either.
var alternative = regexp.MustCompile(`^[\w ]{0,20}\bor (?:also )?(?:\w+ ){0,2}$`)

// isAlternative reports whether "or" joins the marked words of a candidate to those of another annotation of its turn:
// "directed by Anna Boden or any adventure".
func (d Dialogue) isAlternative(c vault.Candidate) bool {
	turn := d.Turns[c.Turn]
	before, _, found := strings.Cut(turn.Utterance, c.Quote)
	if !found {
		return false
	}
	at := utf8.RuneCountInString(before) // the positions of annotations count runes
	end := at + utf8.RuneCountInString(c.Quote)
	between := func(from, to int) bool {
		return alternative.MatchString(turn.said(Span{Start: from, End: to}))
	}
	return slices.ContainsFunc(turn.Frames, func(f Frame) bool {
		return slices.ContainsFunc(f.Slots, func(s Span) bool { return between(end, s.Start) || between(s.End, at) })
	})
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
