package reply

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"unicode"

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
	case def.ValueType == vault.TypeBoolean && strings.Contains(asked, "?"):
		return r.answers(c)
	case r.isAskedIn(asked):
		return r.answers(c) || !hasForm(def) && r.tells(c)
	default:
		return hasForm(def) || r.tells(c)
	}
}

// tells reports whether the turn states the candidate in a sentence of its own, such as a request ("Can you find one in
// Oslo?"), and not in words that put the question off, refuse it or doubt. The evidence gate decides whether the
// customer asserts it.
func (r *reader) tells(c vault.Candidate) bool {
	text := rules.TextOf(c.Value)
	var holding []part
	for _, p := range r.parts {
		if strings.Contains(fold(r.text[p.start():p.end()]), fold(text)) {
			holding = append(holding, p)
		}
	}
	if len(holding) == 0 && r.has(classYes) && !r.has(classNo) && !r.has(classRefused) {
		return r.mayBeValue(text) || isTitle(text) // a yes to what the agent offered
	}
	if len(holding) == 0 { // the value has parts in several segments, or another spelling
		holding = r.parts
	}
	return slices.ContainsFunc(holding, func(p part) bool { return p.isStatement(text) }) &&
		(r.mayBeValue(text) || isTitle(text) && strings.Contains(r.text, text))
}

// isTitle reports whether a text is written as a title of several words, such as "What Now".
func isTitle(text string) bool {
	words := strings.Fields(text)
	return len(words) > 1 && !courtesies[fold(text)] && !slices.ContainsFunc(words, func(w string) bool {
		return !unicode.IsUpper(firstRune(w))
	})
}

// isStatement reports whether a part says something around a value: "Can you find one in Oslo?", "I want to check in
// today". "Just a moment" says nothing around a moment.
func (p part) isStatement(value string) bool {
	words, value := p.words(), fold(value)
	switch p.class {
	case classContent:
		return true
	case classQuestion:
		return len(p.tokens) > len(strings.Fields(value))
	case classInterruption:
		return !interruptions.whole.MatchString(words) &&
			!slices.ContainsFunc(interruptions.within.FindAllString(words, -1), func(phrase string) bool {
				return strings.Contains(" "+phrase+" ", " "+value+" ") || strings.Contains(value, strings.TrimSpace(phrase))
			})
	case classDoubt:
		return !doubts.match(kindOf.ReplaceAllString(words, " ")) // "some kind of concert", and not "kind of"
	default:
		return false
	}
}

// kindOf matches words that name a class of things, and doubt nothing, if words follow.
var kindOf = regexp.MustCompile(`(?:^| )(?:kind|sort) of `)

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
	said, read := fold(rules.TextOf(got.Value)), fold(rules.TextOf(checked.Value))
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
