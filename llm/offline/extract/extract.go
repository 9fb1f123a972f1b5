// Package extract reads the values that a customer states in a conversation. It works turn by turn: turnReader reads
// one turn, and resolveStatements picks the statement that counts for each target, which is a definition to extract.
// Words, dates and numbers are found by package text. Start reading at Extract.
package extract

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/llm/offline/text"
	"github.com/contextvault/contextvault/rules/format"
	"github.com/contextvault/contextvault/vault"
)

// Confidences of the ways to state a value. A value below vault.UseThreshold is not stored; a value below
// vault.ConfirmThreshold waits for the customer's confirmation.
const (
	confidenceLabelled   = 0.97 // named, and of the right kind: "my order number is A-123"
	confidenceAnswered   = 0.96 // of the right kind, in answer to the question for it
	confidenceNamedWords = 0.9  // named, in words without a clear end: "my job title is …"
	confidenceReply      = 0.9  // a short answer in free words to the question for it
	confidenceOnlyForm   = 0.9  // of the kind of only one target
	confidenceChoice     = 0.9  // an allowed value of only one target
	confidenceCounted    = 0.93 // a number with the noun it counts: "3 tickets"
	confidenceDoubtful   = 0.7  // it may belong to another person or thing
	confidenceAmbiguous  = 0.6  // the customer stated two different values
	confidenceInferred   = 0.8  // the value has parts that were not said: the year of "3 March"
)

// maxTurnBytes is the size to which a turn is truncated. Facts are not stated after ten pages.
const maxTurnBytes = 16 << 10

// strength orders the ways to state a value. A weaker statement never replaces a stronger one.
type strength int

const (
	statedByForm   strength = iota // it only has the right kind
	statedInAnswer                 // in answer to the agent's question
	statedByName                   // with the name of the target
)

// statement is one value that the customer stated for one target.
type statement struct {
	target     int
	value      json.RawMessage
	confidence float64
	strength   strength
	quote      text.Span
	valueSpan  text.Span
	turn       int    // index in req.Turns
	correction bool   // "actually", "I meant"
	canonical  string // shared by all ways to say the value; "": unknown
}

// Extract returns the values that the customer stated, at most one per definition, in the order of req.Definitions. A
// later statement replaces an earlier one. It returns an unavailable error if ctx ends.
func Extract(ctx context.Context, req llm.ExtractRequest) ([]vault.Candidate, error) {
	targets := newTargets(req.Definitions, req.Others)
	stated := make([][]statement, len(targets))
	lastKinds := map[text.Kind]int{} // target of the last value of each kind
	lastCode := ""                   // shape of the last code
	question := ""
	about := newTopic(targets)
	memory := newMemory()
	for at, turn := range req.Turns {
		if err := ctx.Err(); err != nil {
			return nil, vault.Unavailable(llm.Dependency, err)
		}
		if turn.Speaker != vault.SpeakerCustomer {
			question = turn.Text
			memory.propose(targets, turn.Text, text.Clock{Now: req.At(turn)}, at)
			continue
		}
		now := text.Clock{Now: req.At(turn)}
		u := newUtterance(llm.Truncate(turn.Text, maxTurnBytes), now)
		about = about.next(u, llm.Truncate(replyTo(req.Turns, at), maxTurnBytes))
		tr := turnReader{
			utterance: u,
			topic:     about,
			targets:   targets,
			question:  parseQuestion(targets, llm.Truncate(question, maxTurnBytes)),
			lastKinds: lastKinds,
			lastCode:  lastCode,
			turn:      at,
		}
		tr.read()
		for _, f := range supersededByProposal(tr, question, now, stated) {
			stated[f] = nil
		}
		memory.hear(&tr)
		for _, s := range tr.stated {
			stated[s.target] = append(stated[s.target], s)
			lastKinds[targets[s.target].kind] = s.target
			if targets[s.target].kind == text.KindIdentifier {
				lastCode = codeShape(string(s.value))
			}
		}
		question = ""
	}
	var out []vault.Candidate
	for i, list := range stated[:len(req.Definitions)] {
		if len(list) == 0 && !targets[i].def.Multiple {
			value, said, ok := memory.carried(targets, i, func(f int) bool { return len(stated[f]) > 0 })
			if ok && value != nil {
				out = append(out, vault.Candidate{
					FieldName: targets[i].def.Name, Value: value, Confidence: confidenceCarried,
					Quote: said.quote, Turn: req.Turns[said.turn].Index,
				})
			}
			continue
		}
		for _, s := range resolveAll(targets[i], list) {
			turn := req.Turns[s.turn]
			out = append(out, vault.Candidate{
				FieldName:  targets[i].def.Name,
				Value:      s.value,
				Confidence: s.confidence,
				Quote:      s.quote.In(turn.Text),
				Turn:       turn.Index,
			})
		}
	}
	return out, nil
}

// resolveAll returns the statements that count for t: one, or one for each element of a list.
func resolveAll(t target, list []statement) []statement {
	if !t.def.Multiple {
		if s, ok := resolveStatements(t, list); ok {
			return []statement{s}
		}
		return nil
	}
	var out []statement
	for _, s := range list {
		if !slices.ContainsFunc(out, func(o statement) bool { return string(o.value) == string(s.value) }) {
			out = append(out, s)
		}
	}
	return out
}

// replyTo returns the agent's turn after turn i, "" if there is none.
func replyTo(turns []vault.Turn, i int) string {
	if i+1 < len(turns) && turns[i+1].Speaker != vault.SpeakerCustomer {
		return turns[i+1].Text
	}
	return ""
}

// resolveStatements returns the statement that counts for t, and false if there is none. The later statement wins
// unless it is weaker. Two of the same strength in one turn, or two unnamed contacts, are ambiguous.
func resolveStatements(t target, list []statement) (statement, bool) {
	if len(list) == 0 {
		return statement{}, false
	}
	slices.SortStableFunc(list, func(a, b statement) int {
		return cmp.Or(cmp.Compare(a.turn, b.turn), cmp.Compare(a.valueSpan.Start, b.valueSpan.Start))
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
		case s.strength < best.strength && s.turn == best.turn,
			s.confidence < vault.UseThreshold && best.confidence >= vault.UseThreshold:
		case s.strength < best.strength && t.isContact():
		case s.turn == best.turn && s.strength == best.strength,
			s.strength == statedByForm && best.strength == statedByForm && t.isContact():
			s.confidence = min(s.confidence, confidenceAmbiguous)
			best = s
		default:
			best = s
		}
	}
	return best, true
}

// isContact reports whether people have several values of this kind for different purposes.
func (t target) isContact() bool {
	return t.kind == text.KindEmail || t.kind == text.KindPhone || t.kind == text.KindURL || t.kind == text.KindIdentifier
}

// turnReader reads one turn of the customer.
type turnReader struct {
	utterance
	targets   []target
	topic     topic
	question  agentQuestion
	lastKinds map[text.Kind]int
	lastCode  string // see codeShape
	turn      int
	labels    []label
	onTopic   map[int]bool // by the first token of a sentence
	used      []bool       // entities that belong to a definition, requested or not
	stated    []statement
}

// read finds the statements of the turn: named values first, then answers, then values recognised by their form.
func (tr *turnReader) read() {
	tr.used = make([]bool, len(tr.entities))
	tr.onTopic = map[int]bool{}
	tr.labels = tr.findLabels()
	tr.readNamed()
	tr.readIntroductions()
	tr.readCorrections()
	tr.readCorrectedCode()
	tr.readAnswers()
	tr.readEntities()
	tr.readChoices()
	tr.readNames()
	tr.readDescribed()
	tr.readUnnamed()
	tr.readDenials()
	tr.readFeatures()
}

// record adds a statement and reports whether it did. A negated value is not a statement.
func (tr *turnReader) record(
	f int,
	value json.RawMessage,
	said, quote text.Span,
	confidence float64,
	how strength,
) bool {
	if value == nil || tr.isNegated(said) {
		return false
	}
	tr.stated = append(tr.stated, statement{
		target: f, value: value, confidence: confidence, strength: how, quote: quote, valueSpan: said, turn: tr.turn,
		correction: tr.isCorrection(said), canonical: tr.canonicalForm(value, said),
	})
	return true
}

// canonicalForm returns a form that all ways to say the value share.
func (tr *turnReader) canonicalForm(value json.RawMessage, said text.Span) string {
	for _, e := range tr.entities {
		if e.Span == said {
			return e.Value
		}
	}
	return llm.Squeeze(string(value))
}

// isStated reports whether the turn states a target at least this strongly.
func (tr *turnReader) isStated(f int, how strength) bool {
	return slices.ContainsFunc(tr.stated, func(s statement) bool { return s.target == f && s.strength >= how })
}

// quoteAround returns the sentence around s, or s alone if the sentence is long.
func (tr *turnReader) quoteAround(s text.Span) text.Span {
	if c := tr.sentenceAt(s); c.End-c.Start <= 200 {
		return c.Span
	}
	return s
}

// corrections are words that correct an earlier statement.
var corrections = text.NewWordSet("actually sorry meant mean correction wait instead rather oops change changed typo")

// isCorrection reports whether the sentence of s, or a short one before it, corrects an earlier statement. So does a
// turn that begins with an asterisk, as people correct themselves in a chat: "*jane@example.com".
func (tr *turnReader) isCorrection(s text.Span) bool {
	if said := strings.TrimSpace(tr.text); strings.HasPrefix(said, "*") && !strings.HasSuffix(said, "*") {
		return true
	}
	for i, c := range tr.sentences {
		if c.Start <= s.Start && s.End <= c.End {
			if tr.isCorrecting(c) {
				return true
			}
			return i > 0 && tr.sentences[i-1].last-tr.sentences[i-1].first <= 4 && tr.isCorrecting(tr.sentences[i-1])
		}
	}
	return false
}

func (tr *turnReader) isCorrecting(c sentence) bool {
	for i := c.first; i < c.last; i++ {
		if corrections[tr.tokens[i].Word] {
			return true
		}
	}
	return c.first < c.last && (tr.tokens[c.first].Word == "no" || tr.tokens[c.first].Word == "nope")
}

// match returns the value of an entity for t, nil if it does not fit, and the highest confidence of an inferred
// value, 0 for no limit.
func (t target) match(e text.Entity, content string) (json.RawMessage, float64) {
	said := e.In(content)
	factor := 0.0
	if number := t.nationalPhone(e, said); number != "" {
		e.Kind, e.Value = text.KindPhone, number
	}
	switch {
	case t.kind == text.KindDate && e.Kind == text.KindDatetime:
		said, e.Value = said[:10], e.Value[:10]
	case t.kind == text.KindAge && e.Kind == text.KindNumber:
	case t.kind == text.KindNumber && e.Kind == text.KindMoney && t.def.ValueType == vault.TypeNumber:
	case t.kind == text.KindMoney && e.Kind == text.KindNumber && !e.Ambiguous:
	case t.kind != e.Kind:
		return nil, 0
	}
	if t.def.ValueType == vault.TypeString {
		return t.encode(said, e.Value), 0
	}
	if e.Inferred {
		factor = confidenceInferred
	}
	if e.Value == "" {
		return nil, 0
	}
	return t.encode(said, e.Value), factor
}

// minPhoneDigits is the number of digits from which digits alone can be a phone number.
const minPhoneDigits = 9

// nationalPhone returns the phone number of the region of t that e is, "" if it is none.
func (t target) nationalPhone(e text.Entity, said string) string {
	isDigits := e.Kind == text.KindNumber && len(said) >= minPhoneDigits
	if t.kind != text.KindPhone || t.def.DefaultRegion == "" || !isDigits && (e.Kind != text.KindPhone || e.Value != "") {
		return ""
	}
	number, _ := format.Phone(strings.TrimSpace(said), t.def.DefaultRegion)
	return number
}

// capConfidence limits confidence to ceiling. 0: no limit.
func capConfidence(confidence, ceiling float64) float64 {
	if ceiling > 0 {
		return min(confidence, ceiling)
	}
	return confidence
}
