package evidence

import (
	"maps"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/contextvault/contextvault/rules/internal/fold"
	"github.com/contextvault/contextvault/vault"
)

// topic is what a definition is about, in words without grammar.
type topic struct {
	names []string // words of the name and the label
	words []string // words of the name, the label and the question
	other []string // words of the description, the hint and the examples
	label [][]string
}

func topicOf(d vault.Definition) topic {
	var t topic
	t.names = append(contentWords(splitName(d.Name)), contentWords(d.DisplayName)...)
	t.words = append(append(t.words, t.names...), contentWords(d.CollectionPrompt)...)
	t.other = contentWords(
		d.Description + " " + d.ExtractionPromptHint + " " + strings.ReplaceAll(d.Unit, "/", " ") + " " +
			strings.Join(d.ExtractionExamples, " "),
	)
	t.label = [][]string{allWords(splitName(d.Name)), allWords(d.DisplayName)}
	return t
}

// splitName returns the words of a field name: "over 18" for over18.
func splitName(name string) string {
	var b strings.Builder
	var last rune
	for _, r := range strings.ReplaceAll(name, "_", " ") {
		if unicode.IsDigit(r) != unicode.IsDigit(last) && last != 0 && last != ' ' && r != ' ' {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
		last = r
	}
	return b.String()
}

func allWords(text string) []string {
	var out []string
	for _, w := range wordsOf(fold.Text(text), 0) {
		out = append(out, w.text)
	}
	return out
}

// contentWords returns the words of a text that carry its subject.
func contentWords(text string) []string {
	var out []string
	for _, w := range allWords(text) {
		if !grammar[w] && (utf8.RuneCountInString(w) > 1 || isDigits(w)) {
			out = append(out, w)
		}
	}
	return out
}

// grammar are words without a subject of their own.
var grammar = func() map[string]bool {
	out := maps.Clone(englishGrammar)
	for _, l := range languages[1:] {
		for w := range l.commonSet {
			out[w] = true
		}
		for _, list := range []string{l.ask, l.self, l.other} {
			for _, phrase := range strings.Split(list, ",") {
				if w := strings.TrimSpace(phrase); w != "" && !strings.Contains(w, " ") {
					out[w] = true
				}
			}
		}
	}
	return out
}()

var englishGrammar = setOf("the a an of and or for to in on at with by from as is are was were be been am do does " +
	"did you your yours " +
	"we our ours i my me mine it its this that these those what which when where who whose how why please can could " +
	"would will may " +
	"might shall should have has had any some all not no if there their they he she him her his us tell give know " +
	"like want need get " +
	"many much long far old often kind sort type name's so hi hello thanks thank now also still already currently " +
	"ever just really " +
	"ok okay yes field value customer's customer user wish i'm it's that's i've i'd")

// sameStem reports whether two words are forms of one: accept and accepted, smoker and smoke.
func sameStem(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if a == b || a+"s" == b && len(a) > 2 {
		return true
	}
	common := 0
	for common < len(a) && a[common] == b[common] {
		common++
	}
	const stem, ending = 4, 5 // bytes that are the same, bytes of a suffix
	return common >= stem && len(a)-common <= 2 && len(b)-common <= ending
}

func hasStem(words []string, word string) bool {
	for _, w := range words {
		if sameStem(w, word) {
			return true
		}
	}
	return false
}

// has reports whether a word is one of the name, the label or the question of the field.
func (t topic) has(word string) bool { return hasStem(t.words, word) }

// mentions reports whether a word is one of the description, the hint or the examples.
func (t topic) mentions(word string) bool { return hasStem(t.other, word) }

// isLabel reports whether a text is only the name of the field.
func (t topic) isLabel(text string) bool {
	words := allWords(text)
	for _, label := range t.label {
		if len(words) == 0 || len(words) > len(label) || len(label) == 0 {
			continue
		}
		if strings.Join(words, " ") == strings.Join(label, " ") {
			return true
		}
	}
	return false
}

// isAsked reports whether the agent's turn before a turn of the customer asks for the field: its last question has a
// word of the field's name or label, or most words of its question.
func (r reader) isAsked(t *turn) bool {
	before := r.conversation.previous(t)
	if before == nil {
		return false
	}
	last := before.lastQuestion()
	if r.isPrompt(before) {
		return true
	}
	shared, all := 0, 0
	for _, w := range before.wordsIn(last) {
		if grammar[w.text] {
			continue
		}
		all++
		if hasStem(r.topic.names, w.text) {
			return true
		}
		if hasStem(r.topic.words, w.text) {
			shared++
		}
	}
	return all > 0 && shared*2 > all
}

// isPrompt reports whether a turn of the agent ends with the field's own question.
func (r reader) isPrompt(t *turn) bool {
	prompt := fold.Text(r.def.Prompt())
	return prompt != "" && strings.HasSuffix(t.text, prompt)
}

// lastQuestion returns the last sentence with a question mark, the last sentence for none.
func (t *turn) lastQuestion() span {
	for i := len(t.sentences) - 1; i >= 0; i-- {
		if t.sentences[i].asks {
			return t.sentences[i].span
		}
	}
	for i := len(t.sentences) - 1; i >= 0; i-- {
		if len(t.wordsIn(t.sentences[i].span)) > 0 {
			return t.sentences[i].span
		}
	}
	return span{}
}

// isNamed reports whether the customer names the field in the sentence of a mention, before or directly after it.
func (r reader) isNamed(t *turn, m mention) bool {
	at := t.sentenceAt(m.start)
	for _, w := range t.wordsIn(t.sentences[at].span) {
		if !m.overlaps(w.span) && !grammar[w.text] && hasStem(r.topic.names, w.text) {
			return true
		}
	}
	return false
}
