package evidence

import (
	"regexp"
	"slices"
	"strings"

	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

// certain reports whether a mention needs no confirmation. Three things must come together: a form with a certain end,
// a question about the field or its name in the same sentence, and no other value of the form beside it. A code or
// free
// text has no certain end: it is certain only as the entire answer to a question about the field, or if the definition
// has a regular expression.
func (r reader) certain(t *turn, m mention) bool {
	if r.isVague(t, m) {
		return false
	}
	asked := r.isAsked(t)
	if r.def.ValueType == vault.TypeString && !m.clear &&
		r.def.ValidationRegex == "" || r.def.ValueType == vault.TypeJSON {
		return asked && t.isOnly(m.span)
	}
	if !asked && !r.isNamed(t, m) {
		return false
	}
	return !r.competes(t, m)
}

// vague are words that make the value near them a guess or a wish.
var vague = newPhrases("about, around, roughly, approximately, approx, circa, ca, maybe, perhaps, probably, " +
	"possibly, think, guess, believe, " +
	"not sure, i'd say, or so, something like, would be, should be, might be, could be, if i remember, ish, more or " +
	"less, ungefähr, etwa, " +
	"vielleicht, glaube, environ, peut être, je crois, circa, forse, credo, quizás, tal vez, creo, aproximadamente, " +
	"talvez, acho, ongeveer, " +
	"misschien, około, może, chyba, aproximativ, poate, cred, примерно, около, наверное, кажется, приблизно, " +
	"мабуть, yaklaşık, belki, says, said")

// isVague reports whether the sentence of a mention has a doubt, or asks for something.
func (r reader) isVague(t *turn, m mention) bool {
	s := t.sentences[t.sentenceAt(m.start)]
	return s.asks || vague.anyIn(t.wordsIn(s.span))
}

var courtesy = newPhrases("it's, it is, its, my, is, i'm, i am, the, a, in, at, on, please, thanks, thank you, thx, " +
	"sure, ok, okay, yes, hi, hello, well, " +
	"that's, that is, that would be, this is, es ist, ist, ja, bitte, danke, c'est, merci, s'il vous plaît, oui, " +
	"es, sí, gracias, por favor, è, sì, grazie, " +
	"it’s, here you go, here it is, of course, live, i live in, from, to")

// isOnly reports whether a turn has nothing but a part of it and courtesies.
func (t *turn) isOnly(s span) bool {
	var rest []word
	for _, w := range t.words {
		if !s.overlaps(w.span) {
			rest = append(rest, w)
		}
	}
	return len(courtesy.remove(rest)) == 0
}

var emailForm = regexp.MustCompile(`[^\s@<>()",;:]+@[^\s@<>()",;:]+\.[^\s@<>()",;:]+`)

// competes reports whether another value of the same form is in the turn, so that either could be meant.
func (r reader) competes(t *turn, m mention) bool {
	for _, s := range r.forms(t) {
		if !m.overlaps(s) && !strings.EqualFold(t.text[s.start:s.end], t.text[m.start:m.end]) {
			return true
		}
	}
	return false
}

// forms returns the places in a turn that have the form of a value of the field.
func (r reader) forms(t *turn) []span {
	var out []span
	switch r.def.ValueType {
	case vault.TypeEmail:
		for _, at := range emailForm.FindAllStringIndex(t.text, -1) {
			out = append(out, span{at[0], at[1]})
		}
	case vault.TypeURL:
		for _, at := range urlForm.FindAllStringIndex(t.text, -1) {
			out = append(out, span{at[0], at[1]})
		}
	case vault.TypePhone:
		for _, at := range phonePattern.FindAllStringIndex(t.text, -1) {
			start := at[0]
			for _, said := range splitPhones(t.text[at[0]:at[1]]) {
				if phoneOf(said, r.def.DefaultRegion) != "" {
					out = append(out, span{start, start + len(strings.TrimRight(said, " ."))})
				}
				start += len(said)
			}
		}
	case vault.TypeDate, vault.TypeDatetime:
		for _, d := range r.daysOf(t) {
			out = append(out, d.span)
		}
	case vault.TypeNumber:
		for _, n := range t.numbers() {
			out = append(out, n.span)
		}
		for i, w := range t.words {
			if n, ok := numberWord(w.text, t.language); ok && n != 1 && !slices.Contains(continuesNumberWord, t.word(i+1)) &&
				t.word(i-1) != "at" {
				out = append(out, w.span)
			}
		}
	case vault.TypeString:
		for _, raw := range r.def.AllowedValues {
			p := passage{span{0, len(t.text)}, t}
			for _, m := range p.allowedMentions(rules.TextOf(raw), r.def.AllowedValues) {
				out = append(out, m.span)
			}
		}
		if len(r.def.AllowedValues) == 0 {
			for _, at := range codeForm.FindAllStringIndex(t.text, -1) {
				out = append(out, span{at[0], at[1]})
			}
		}
	default:
	}
	return out
}

var (
	urlForm  = regexp.MustCompile(`https?://[^\s<>"]+`)
	codeForm = regexp.MustCompile(`[\p{L}\p{N}]*[\p{L}-]?\d[\p{L}\p{N}-]*`)
)

// Offers reports whether an unused candidate may be shown to the customer for confirmation. A text is shown only if it
// is in a turn of the customer, so that nobody else speaks through the vault. A number, a date or an allowed value has
// no words of its own, so it is shown if its quote is in a turn of the customer. A date of the past is not shown with
// a year that nobody said.
func (c *Conversation) Offers(candidate vault.Candidate, def *vault.Definition) bool {
	if def == nil || def.Secret() {
		return false
	}
	checked, err := rules.CheckValue(def, candidate.FieldName, candidate.Value, vault.ModeStrict)
	passages := c.find(candidate.Quote)
	if err != nil || len(passages) == 0 {
		return false
	}
	r := reader{conversation: c, def: *def, topic: topicOf(*def), value: checked.Value}
	for _, p := range passages {
		if p.turn.borrowed(p.span) == "" && r.mayShow(p, candidate) {
			return true
		}
	}
	return false
}

func (r reader) mayShow(p passage, candidate vault.Candidate) bool {
	switch r.def.ValueType {
	case vault.TypeNumber, vault.TypeDatetime:
		return true
	case vault.TypeDate:
		return !r.isPast() || strings.Contains(p.quote(), rules.TextOf(r.value)[:4])
	case vault.TypeBoolean:
		_, why := r.checkBoolean(p, rules.TextOf(r.value) == "true")
		return why == "" || r.asksForYesNo(p.turn) == ""
	case vault.TypeString:
		if len(r.def.AllowedValues) > 0 {
			return true
		}
	default:
	}
	return len(r.mentions(p, candidate.Value)) > 0
}

// isPast reports whether a date is one of birth, which nobody says of a day to come.
func (r reader) isPast() bool {
	for _, w := range append(r.topic.words, r.topic.other...) {
		if w == "birth" || w == "born" || w == "birthday" || w == "dob" || w == "birthdate" || strings.HasPrefix(w, "geb") ||
			strings.HasPrefix(w, "naiss") || strings.HasPrefix(w, "nacim") || strings.HasPrefix(w, "nascit") {
			return true
		}
	}
	return false
}
