package propose

import (
	"slices"
	"strings"

	"github.com/contextvault/contextvault/llm/offline/text"
	"github.com/contextvault/contextvault/vault"
)

// sharedHeads are nouns that take the modifier of the noun before them: "pick-up location and date".
var sharedHeads = text.NewWordSet("date time location place")

// sharedModifiers are words that take the head of the noun after them: "first and last day".
var sharedModifiers = text.NewWordSet(`first last start end starting ending old new current previous former home work
	billing shipping delivery invoice arrival departure return outbound inbound pickup pick-up dropoff issue expiry
	middle given family daytime evening private business`)

// sharedWords returns the words of the fact that a single word of a list names together with its neighbour, nil if the
// word stands for itself. before is the last noun phrase of the sentence, after the next item of the list.
func (r *sentenceReader) sharedWords(ch chunk, after *chunk) []string {
	if ch.question || ch.to != ch.from+1 {
		return nil
	}
	w := r.word(ch.from)
	if sharedHeads[w] && !determiners[r.word(ch.from-1)] && !owners[r.word(ch.from-1)] && len(r.modifier) > 0 {
		return append(append([]string{}, r.modifier...), w)
	}
	if !sharedModifiers[w] || after == nil || after.question || after.to-after.from != 2 ||
		strings.Trim(r.words(ch.to, after.from), " andor") != "" {
		return nil
	}
	if m := r.word(after.from); !sharedModifiers[m] || !isASCIIWords([]string{r.word(after.to - 1)}) {
		return nil
	}
	return []string{w, r.word(after.to - 1)}
}

// noteModifier remembers the modifier of a noun phrase for the single nouns after it.
func (r *sentenceReader) noteModifier(ch chunk) {
	end := r.headEnd(ch)
	if ch.question || end-ch.from < 2 {
		r.modifier = nil
		return
	}
	var words []string
	for i := ch.from; i < end-1; i++ {
		w := r.word(i)
		if w == "of" || determiners[w] || owners[w] || !isASCIIWords([]string{w}) || isNumberWord(w) {
			r.modifier = nil
			return
		}
		if !text.Adjectives[w] {
			words = append(words, w)
		}
	}
	r.modifier = words
}

// readShared finds the definition that a single word names together with its neighbour.
func (r *sentenceReader) readShared(words []string, ch chunk, scope condition) (mention, bool) {
	p := phrase{words: words, terms: terms(words), head: canonical(words[len(words)-1]), favour: scope.field}
	if found, ok := r.index.find(p); ok && !found.ambiguous {
		return mention{own: found.own, how: found.how, confidence: confidenceOf(found)}, true
	}
	if found, ok := r.index.find(r.phraseOf(ch.from, ch.to, ch.to)); ok {
		return mention{own: found.own, how: found.how, confidence: confidenceOf(found)}, true
	}
	if f, ok := text.Lexicon.Find(strings.Join(words, " ")); ok {
		return mention{definition: f, known: true, confidence: confidenceRequested, how: MatchedByNothing}, true
	}
	if len(words) > 5 || len(words) == 1 {
		return mention{}, false
	}
	return mention{
		definition: newDefinition(strings.Join(words, "_")), confidence: confidenceDataNoun, how: MatchedByNothing,
	}, true
}

// pairDates names the dates of a stay alike. A text that names the arrival before the departure speaks of a stay, and
// one that names the departure first of a journey.
func pairDates(found []mention) {
	at := func(name string) int {
		return slices.IndexFunc(found, func(m mention) bool { return m.own == nil && m.known && m.definition.Name == name })
	}
	arrival, departure := at("check_in_date"), at("departure_date")
	switch {
	case arrival < 0 || departure < 0:
	case arrival < departure:
		found[departure].definition = text.MustFind("check_out_date")
	case strings.Contains(text.Phrase(found[arrival].quote), "arrival"):
		found[arrival].definition, found[arrival].known = newDefinition("arrival_date"), false
	}
}

// suggestConsent returns a yes-or-no definition for "explicit consent to a credit check". end is the token after
// "consent".
func (r *sentenceReader) suggestConsent(ch chunk, end int) (mention, bool) {
	if r.word(end-1) != "consent" || r.word(end) != "to" && r.word(end) != "for" {
		return mention{}, false
	}
	parts := []string{"consent"}
	for i := end + 1; i < ch.to && !text.PhraseEnds[r.word(i)] && !people[r.word(i)] && len(parts) < 5; i++ {
		if !determiners[r.word(i)] && !owners[r.word(i)] {
			parts = append(parts, r.word(i))
		}
	}
	if len(parts) == 1 || !isASCIIWords(parts) {
		return mention{}, false
	}
	if f, n := text.Lexicon.At(r.tokens, end-1); n > 0 {
		return mention{definition: f, known: true, confidence: confidenceRequested, how: MatchedByNothing}, true
	}
	name := strings.Join(parts, "_")
	if len(name) > vault.MaxNameLength || !vault.NamePattern.MatchString(name) {
		return mention{}, false
	}
	f := newDefinition(name)
	f.Type = vault.TypeBoolean
	f.Prompt = "Do you consent to " + r.words(end+1, ch.to) + "?"
	return mention{definition: f, confidence: confidenceDataNoun, how: MatchedByNothing}, true
}
