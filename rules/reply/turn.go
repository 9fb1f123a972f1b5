package reply

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

// Accepts reports whether a candidate that a model read in a conversation may be the value of its field, as far as its
// turn replies to a question of the agent. If the agent asked for the field, the turn is read as the answer to a
// question of a gap fill is: it must state the value. If not, the turn must at least say something: "just a moment"
// holds no value of any field. def is the definition of the candidate's field.
func Accepts(def vault.Definition, c vault.Candidate, turns []vault.Turn) bool {
	at := slices.IndexFunc(turns, func(t vault.Turn) bool {
		return t.Index == c.Turn && t.Speaker == vault.SpeakerCustomer
	})
	if at < 0 {
		return true // the evidence gate finds the turn by the quote
	}
	r := reader{Question: Question{Definition: def}, text: turns[at].Text, find: nil}
	asked := ""
	if at > 0 && turns[at-1].Speaker == vault.SpeakerAgent {
		asked = turns[at-1].Text
	}
	r.addVocabulary()
	r.split()
	switch {
	case def.ValueType == vault.TypeBoolean && strings.Contains(asked, "?"), r.isAskedIn(asked):
		return r.answers(c)
	case hasForm(def):
		return true
	default:
		return r.has(classContent) && r.mayBeValue(plainText(c.Value))
	}
}

// answers reports whether the turn, read as the answer to the question for the field, states the candidate.
func (r *reader) answers(c vault.Candidate) bool {
	raw, err := json.Marshal(r.text)
	if err != nil {
		return false
	}
	c.Confidence = 1 // the caller decides by the confidence
	got := r.Question.Read(raw, func([]vault.Definition, []vault.Turn) []vault.Candidate {
		return []vault.Candidate{c}
	})
	if got.Kind != Value {
		return false
	}
	checked, err := rules.CheckValue(&r.Definition, r.Definition.Name, c.Value, vault.ModeStrict)
	if err != nil {
		return false
	}
	said, read := fold(plainText(got.Value)), fold(plainText(checked.Value))
	return rules.SameValue(r.Definition.ValueType, got.Value, checked.Value) ||
		!hasForm(r.Definition) && (strings.Contains(said, read) || strings.Contains(read, said))
}

// isAskedIn reports whether an agent's turn asks for the field: it contains the collection prompt, or asks with all
// words of the label.
func (r *reader) isAskedIn(text string) bool {
	if text == "" {
		return false
	}
	if prompt := strings.TrimRight(r.Definition.CollectionPrompt, "?.! "); prompt != "" &&
		strings.Contains(fold(text), fold(prompt)) {
		return true
	}
	label := newSet(r.Definition.Noun())
	return slices.ContainsFunc(segments(text), func(s segment) bool {
		if !s.asks {
			return false
		}
		said := newSet(s.words())
		for w := range label {
			if !said[w] {
				return false
			}
		}
		return true
	})
}

// mayBeValue reports whether a text that a model read can be the value of a definition without a form.
func (r *reader) mayBeValue(text string) bool {
	if r.isNarrative() {
		return true
	}
	words := segments(text)
	if len(words) == 1 && (interruptions.whole.MatchString(words[0].words()) || refusals.match(words[0].words()) ||
		doubts.whole.MatchString(words[0].words()) || courtesies[words[0].words()]) {
		return false
	}
	return !r.isName() || r.isPlainText(text, "")
}
