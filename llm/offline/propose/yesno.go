package propose

import (
	"strings"

	"github.com/contextvault/contextvault/llm/offline/text"
	"github.com/contextvault/contextvault/vault"
)

// Verbs of a yes-or-no question. The object of objectVerbs names the fact: "whether they want breakfast".
var (
	objectVerbs = text.NewWordSet(`want wants need needs like prefer wish require bring brings use uses own owns take takes
		carry carries speak speaks drive drives hold holds keep keeps wear wears book pay pays receive receives`)
	simpleVerbs  = text.NewWordSet("smoke drink drive drives smokes drinks snore snores")
	modalVerbs   = text.NewWordSet("will would can could shall may might")
	yesNoAdverbs = text.NewWordSet("already also currently really still ever usually")
)

// asksYou reports whether a clause is a yes-or-no question to the customer: "Do you need parking?". One that asks
// whether they know or have a fact asks for the fact.
func (r *sentenceReader) asksYou(c *clause) bool {
	w, verb := r.word(c.from), r.word(c.from+2)
	return (w == "do" || w == "are") && r.word(c.from+1) == "you" &&
		(verb == "have" && r.word(c.from+3) != "your" || verb != "have" && !knowing[verb])
}

var knowing = text.NewWordSet("know remember recall mind happen able")

// suggestYesNo makes a yes-or-no definition of "whether they want breakfast". A person reviews it.
func (r *sentenceReader) suggestYesNo(ch chunk) (mention, bool) {
	at := ch.from + 1
	if determiners[r.word(at)] && people[r.word(at+1)] {
		at++
	}
	if at >= ch.to || !people[r.word(at)] && r.word(at) != "you" || owners[r.word(at)] {
		return mention{}, false
	}
	rest := at + 1 // the predicate
	for at++; modalVerbs[r.word(at)] || yesNoAdverbs[r.word(at)]; at++ {
	}
	prefix := ""
	verb := r.word(at)
	if front := r.word(ch.from); front == "are" || front == "is" { // "Are you a student?"
		verb, at = front, at-1
	}
	switch {
	case verb == "are" || verb == "is" || verb == "be":
		prefix = "is_"
	case verb == "have" || verb == "has":
		prefix = "has_"
	case simpleVerbs[verb] && at+1 == ch.to:
		return r.yesNo(strings.TrimSuffix(verb, "s")+"s", rest, ch)
	case !objectVerbs[verb]:
		return mention{}, false
	}
	noun := at + 1
	for noun < ch.to && (determiners[r.word(noun)] || owners[r.word(noun)]) {
		noun++
	}
	var parts []string
	for i := noun; i < ch.to && !text.PhraseEnds[r.word(i)]; i++ {
		if isNumberWord(r.word(i)) || len(parts) == 3 || r.word(i) == "been" {
			return mention{}, false
		}
		parts = append(parts, r.word(i))
	}
	for i := noun + len(parts); i < ch.to; i++ {
		if r.word(i) == "or" || r.word(i) == "to" { // a choice, or an action
			return mention{}, false
		}
	}
	if len(parts) == 0 || !isASCIIWords(parts) || vagueNouns[parts[len(parts)-1]] || people[parts[0]] && prefix == "" {
		return mention{}, false
	}
	return r.yesNo(prefix+strings.Join(parts, "_"), rest, ch)
}

// yesNo makes the mention of a yes-or-no definition. Its predicate starts at token rest.
func (r *sentenceReader) yesNo(name string, rest int, ch chunk) (mention, bool) {
	if len(name) > vault.MaxNameLength || !vault.NamePattern.MatchString(name) {
		return mention{}, false
	}
	said := r.words(rest, ch.to)
	first, after, _ := strings.Cut(said, " ")
	question, front := "Do you "+said, r.word(ch.from)
	switch {
	case modalVerbs[front] || front == "are" || front == "is":
		question = capitalise(strings.Replace(front, "is", "are", 1)) + " you " + said
	case modalVerbs[first]:
		question = capitalise(first) + " you " + after
	case first == "are" || first == "is":
		question = "Are you " + after
	case first == "has":
		question = "Do you have " + after
	}
	f := newDefinition(name)
	f.Type, f.Examples = vault.TypeBoolean, "yes; no"
	f.Prompt = strings.NewReplacer(" their ", " your ", " his ", " your ", " her ", " your ").Replace(question) + "?"
	return mention{definition: f, confidence: confidenceOtherNoun, how: MatchedByNothing}, true
}
