package evidence

import (
	"regexp"
	"slices"
	"strings"

	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

// certain reports whether a mention needs no confirmation. Four things must come together: a form with a certain end,
// a question about the field or its name in the same sentence, a clause that says nothing else, and no other value of
// the form beside it. A code or free text has no certain end: it is certain only as the entire answer to a question
// about the field, or if the definition has a regular expression.
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
	return r.isPlain(t, m) && !r.competes(t, m)
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

// carriers are words that carry a value and say nothing about it.
var carriers = newPhrases("i live in, " +
	"i live at, live, reside, living, am, called, named, reach me, contact me, call me, " +
	"write to me, use, using, take, put, note, note down, write down, update, change, set, switch, correct, new, " +
	"make it, " +
	"make that, let's say it's, " +
	"go for, go with, go ahead with, choose, pick, prefer, i'd like, i'll take, book, reserve, exactly, precisely, " +
	"great, good, fine, perfect, cool, alright, right, correct, sir, madam, well, oh, ah, um, uh, hm, hmm, yep, yeah, " +
	"yup, absolutely, definitely, certainly, only, both, too, there, here, then, years, year, year old, years old, " +
	"people, persons, of us, ourselves, altogether, total, in total, in all, my answer, answer, following, below, " +
	"wohne, wohnen, lebe, heiße, heißt, lautet, bin, sind, erreichbar, unter, neue, neuen, jahre, alt, gern, gerne, " +
	"genau, habite, vis, m'appelle, suis, ans, né, née, joignable, nouveau, nouvelle, vivo, llamo, soy, tengo, años, " +
	"nací, abito, chiamo, sono, anni, nato, nata, moro, chamo, sou, tenho, anos, nasci, woon, heet, ben, jaar, " +
	"mieszkam, " +
	"jestem, lat, mam, locuiesc, sunt, ani, живу, зовут, лет, года, мне, мой, моя, живу, звати, років, мені, yaşıyorum, " +
	"adım, yaşındayım")

// speaksForOther are words that make what follows a statement about somebody else.
var speaksForOther = newPhrases("on behalf of, in the name of, im namen von, im auftrag von, au nom de, " +
	"en nombre de, " +
	"per conto di, em nome de, namens, w imieniu, în numele, от имени, від імені, adına")

// isPlain reports whether the clause of a mention says nothing but the value: each other word is grammar, a courtesy,
// or one of the field or of the agent's question. Another verb or noun may make the value that of another thing ("my
// passport was issued on …"), of another time ("it was … until it got hacked") or of somebody else ("your form says my
// email is …"), in more ways than a list of such words could hold.
func (r reader) isPlain(t *turn, m mention) bool {
	sentence := t.sentences[t.sentenceAt(m.start)].span
	if speaksForOther.anyIn(t.wordsIn(sentence)) {
		return false
	}
	var asked []word
	if before := r.conversation.previous(t); before != nil && r.isAsked(t) {
		asked = before.wordsIn(before.lastQuestion())
	}
	for _, c := range t.clauses {
		if c.end <= m.start || c.start >= m.end {
			continue
		}
		var rest []word
		for _, w := range c.words {
			if !m.overlaps(w.span) {
				rest = append(rest, w)
			}
		}
		for _, w := range carriers.remove(courtesy.remove(rest)) {
			isAsked := slices.ContainsFunc(asked, func(a word) bool { return sameStem(a.text, w.text) })
			if !isAsked && !r.carries(t, w) {
				return false
			}
		}
	}
	return true
}

// carries reports whether a word is grammar, or one of the field.
func (r reader) carries(t *turn, w word) bool {
	known := grammar
	if t.language == english {
		known = englishGrammar
	}
	if r.isPast() && bornWords[w.text] {
		return true // "I was born on …"
	}
	if known[w.text] {
		return !tells[w.text]
	}
	return r.topic.has(w.text) || r.topic.mentions(w.text) || r.namesField(w.text) || isDigits(w.text) ||
		(r.def.Unit != "" && strings.EqualFold(w.text, r.def.Unit)) || len([]rune(w.text)) == 1
}

var bornWords = setOf("was born birthday geboren wurde né née nací nato nata nasci urodziłem urodziłam")

// tells are words of grammar that say whose, when or whether a value is.
var tells = setOf("not no if they he she him her tell was were did had would could might may should")

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
