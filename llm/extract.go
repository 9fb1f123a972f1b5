package llm

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/contextvault/contextvault/vault"
)

// Confidences of the ways in which a customer may state a value. vault.UseThreshold and vault.ConfirmThreshold decide what
// becomes of them: what is under the first is only shown, what is under the second waits for the customer's confirmation.
const (
	sureLabelled  = 0.97 // named and of the field's form: "my order number is A-123"
	sureAnswered  = 0.96 // of the field's form, in answer to the agent's question for it
	sureWords     = 0.9  // named, where the form alone does not say how far the value goes: "my job title is …"
	sureReply     = 0.9  // a short answer in free words to the agent's question for it
	sureTyped     = 0.9  // of the field's form, and the only field of that form
	sureChoice    = 0.9  // an allowed value of one field only
	sureCounted   = 0.93 // a number with what it counts: "3 tickets"
	doubtful      = 0.7  // it may be another's, or another thing's
	ambiguous     = 0.6  // the customer said two different values
	inferredValue = 0.8  // the value holds more than the words: the year of "3 March"
)

// maxTurnBytes is how much of one turn is read. Nobody states a fact after ten pages.
const maxTurnBytes = 16 << 10

// strength orders the ways in which a value may be stated: a weaker statement never displaces a stronger one.
type strength int

const (
	byForm     strength = iota // it only looks like a value of the field
	byQuestion                 // the agent asked for it
	byName                     // the customer named the field
)

// statement is one value that a customer stated for one field.
type statement struct {
	field      int
	value      json.RawMessage
	confidence float64
	strength   strength
	quote      span
	said       span
	turn       int    // position among the turns
	correction bool   // "actually", "I meant"
	same       string // what two ways of saying the same value have in common; empty where that is not known
}

// extract reads what the customer's turns say of the fields, turn by turn; the latest statement counts.
func extract(ctx context.Context, req ExtractRequest) ([]vault.Candidate, error) {
	targets := newTargets(req.Fields)
	now := clock{req.Now}
	stated := make([][]statement, len(targets))
	lastKinds := map[kind]int{} // the field that the last value of a form was stated for
	question := ""
	for at, turn := range req.Turns {
		if err := ctx.Err(); err != nil {
			return nil, vault.Unavailable(dependency, err)
		}
		if turn.Speaker != vault.SpeakerCustomer {
			question = turn.Text
			continue
		}
		u := newUtterance(cut(turn.Text, maxTurnBytes), now)
		l := listener{utterance: u, targets: targets, asked: askedFor(targets, cut(question, maxTurnBytes)), lastKinds: lastKinds, turn: at}
		l.listen()
		for _, f := range overtaken(l, question, now, stated) {
			stated[f] = nil
		}
		for _, s := range l.stated {
			stated[s.field] = append(stated[s.field], s)
			lastKinds[targets[s.field].kind] = s.field
		}
		question = ""
	}
	var out []vault.Candidate
	for i, list := range stated {
		s, ok := settle(targets[i], list)
		if !ok {
			continue
		}
		turn := req.Turns[s.turn]
		out = append(out, vault.Candidate{
			FieldName: targets[i].def.Name, Value: s.value, Confidence: s.confidence, Quote: s.quote.in(turn.Text), Turn: turn.Index,
		})
	}
	return out, nil
}

// settle decides which of the statements for one field counts. The later one does, unless it is the weaker; two of the same
// weight in one turn, or two addresses that nobody named, are ambiguous.
func settle(t target, list []statement) (statement, bool) {
	if len(list) == 0 {
		return statement{}, false
	}
	slices.SortStableFunc(list, func(a, b statement) int {
		return cmp.Or(cmp.Compare(a.turn, b.turn), cmp.Compare(a.said.start, b.said.start))
	})
	best := list[0]
	for _, s := range list[1:] {
		switch {
		case string(s.value) == string(best.value):
			if s.confidence >= best.confidence {
				best = s
			}
		case s.correction && s.confidence >= vault.UseThreshold:
			best = s
		case s.strength < best.strength && s.turn == best.turn, s.confidence < vault.UseThreshold && best.confidence >= vault.UseThreshold:
		case s.strength < best.strength && t.isContact():
		case s.turn == best.turn && s.strength == best.strength, s.strength == byForm && best.strength == byForm && t.isContact():
			s.confidence = min(s.confidence, ambiguous)
			best = s
		default:
			best = s
		}
	}
	return best, true
}

// isContact reports whether people tell several values of the field's form for different purposes.
func (t target) isContact() bool {
	return t.kind == kindEmail || t.kind == kindPhone || t.kind == kindURL || t.kind == kindIdentifier
}

// listener reads one turn of the customer's.
type listener struct {
	utterance
	targets   []target
	asked     asked
	lastKinds map[kind]int
	turn      int
	labels    []label
	used      []bool // entities that belong to a field, ours or another
	stated    []statement
}

// listen finds the statements of the turn: what is named first, then what was asked for, then what only looks like it.
func (l *listener) listen() {
	l.used = make([]bool, len(l.entities))
	l.labels = l.findLabels()
	l.named()
	l.presented()
	l.corrected()
	l.answered()
	l.counted()
	l.chosen()
	l.described()
	l.unnamed()
	l.places()
}

// state records a statement unless the clause takes it back.
func (l *listener) state(field int, value json.RawMessage, said, quote span, confidence float64, how strength) bool {
	if value == nil || l.denied(said) {
		return false
	}
	l.stated = append(l.stated, statement{
		field: field, value: value, confidence: confidence, strength: how, quote: quote, said: said, turn: l.turn,
		correction: l.isCorrection(said), same: l.sameAs(value, said),
	})
	return true
}

// sameAs gives what other ways of saying the value have in common with it.
func (l *listener) sameAs(value json.RawMessage, said span) string {
	for _, e := range l.entities {
		if e.span == said {
			return e.value
		}
	}
	return squeeze(string(value))
}

// has reports whether the field was stated in this turn, at least as strongly.
func (l *listener) has(field int, how strength) bool {
	return slices.ContainsFunc(l.stated, func(s statement) bool { return s.field == field && s.strength >= how })
}

// context is the sentence around a part of the turn, or the part alone where the sentence is long.
func (l *listener) context(s span) span {
	if c := l.sentenceAt(s); c.end-c.start <= 200 {
		return c.span
	}
	return s
}

// corrections are words with which a customer corrects what was said before.
var corrections = setOf("actually sorry meant mean correction wait instead rather oops change changed typo")

// isCorrection reports whether the sentence of s, or the one before it, corrects.
func (l *listener) isCorrection(s span) bool {
	for i, c := range l.sentences {
		if c.start <= s.start && s.end <= c.end {
			if l.corrects(c) {
				return true
			}
			return i > 0 && l.sentences[i-1].last-l.sentences[i-1].first <= 4 && l.corrects(l.sentences[i-1])
		}
	}
	return false
}

func (l *listener) corrects(c sentence) bool {
	for i := c.first; i < c.last; i++ {
		if corrections[l.tokens[i].word] {
			return true
		}
	}
	return c.first < c.last && (l.tokens[c.first].word == "no" || l.tokens[c.first].word == "nope")
}

// fits reports whether an entity has the form of the field's values, and gives the value.
func (t target) fits(e entity, text string) (json.RawMessage, float64) {
	said := e.in(text)
	factor := 0.0
	switch {
	case t.kind == kindDate && e.kind == kindDatetime:
		said, e.value = said[:10], e.value[:10]
	case t.kind == kindAge && e.kind == kindNumber:
	case t.kind != e.kind:
		return nil, 0
	}
	if t.def.ValueType == vault.TypeString {
		return t.store(said, e.value), 0
	}
	if e.inferred {
		factor = inferredValue
	}
	if e.value == "" {
		return nil, 0
	}
	return t.store(said, e.value), factor
}

// limited applies the ceiling that an inferred value has.
func limited(confidence, ceiling float64) float64 {
	if ceiling > 0 {
		return min(confidence, ceiling)
	}
	return confidence
}

func trimPunctuation(text string, s span) span {
	s = trim(text, s)
	for s.start < s.end && strings.ContainsRune(`"'“”«»:(`, []rune(text[s.start:])[0]) {
		s.start += len(string([]rune(text[s.start:])[0]))
	}
	for s.end > s.start {
		r := []rune(text[s.start:s.end])
		last := r[len(r)-1]
		if !strings.ContainsRune(`.,;:!?"'“”«») `, last) {
			break
		}
		s.end -= len(string(last))
	}
	return s
}
