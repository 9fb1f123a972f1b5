package evidence

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

var (
	// corrects are words before a value that replaces one said before.
	corrects = newPhrases("i meant, i mean, meant to say, meant to write, i wanted to say, no wait, wait no, " +
		"correction, scratch that, make that, make it, or rather, rather, oops, whoops, " +
		"my mistake, my bad, typo, i misspoke, misspoke, mistyped, it should be, that should be, should have been, " +
		"should read, should say, change that to, change it to, sorry, pardon, actually, wait, nope, no it's, no " +
		"its, " +
		"ich meinte, ich meine, entschuldigung, korrektur, vielmehr, besser gesagt, verzeihung, quatsch, je voulais " +
		"dire, plutôt, désolé, désolée, erreur, " +
		"perdón, quise decir, quería decir, mejor dicho, corrección, digo, scusa, scusi, volevo dire, anzi, " +
		"correzione, desculpe, desculpa, quis dizer, aliás, correção, " +
		"ik bedoel, ik bedoelde, correctie, przepraszam, miałem na myśli, to znaczy, poprawka, raczej, scuze, voiam " +
		"să zic, mai bine zis, corecție, " +
		"извините, то есть, я имел в виду, точнее, поправка, ошибся, вибачте, тобто, я мав на увазі, точніше, demek " +
		"istedim, düzeltme, yani")
	// retracts are words that take a statement back.
	retracts = newPhrases("forget it, forget that, forget about it, forget about that, forget my, forget this, " +
		"please forget, ignore that, ignore it, ignore my, ignore what i, disregard, delete it, delete that, delete " +
		"my, remove it, " +
		"remove that, remove my, erase it, erase that, erase my, take that back, take it back, i take back, scratch " +
		"that, strike that, don't use it, don't use that, do not use it, do not use that, don't save, do not save, " +
		"don't keep, do not keep, don't store, do not store, is wrong, was wrong, that's wrong, is incorrect, was " +
		"incorrect, is not right, isn't right, is not correct, isn't correct, " +
		"is not mine, isn't mine, was not mine, wasn't mine, is no longer mine, is not my, isn't my, was a mistake, " +
		"was a typo, is a mistake, was made up, is made up, made that up, made it up, i lied, is fake, was fake, " +
		"was false, withdraw my, withdrawing my, revoke my, revoking my, i withdraw, i revoke, that's not mine, " +
		"that is not mine, not my own, " +
		"is false, is invalid, no longer valid, is no longer valid, no longer in use, doesn't exist, does not " +
		"exist, doesn't work, does not work, no longer works, isn't valid, is not valid, is outdated, " +
		"vergiss es, vergessen sie, vergiss, ist falsch, war falsch, stimmt nicht, lösche, löschen sie, bitte " +
		"löschen, oubliez, oublie, est faux, est fausse, était faux, supprimez, effacez, " +
		"olvida, olvide, olvídalo, olvídelo, es incorrecto, es incorrecta, está mal, es falso, borra, borre, " +
		"bórralo, elimine, dimentica, dimentichi, è sbagliato, è sbagliata, cancella, cancelli, " +
		"esqueça, esquece, está errado, está errada, apague, vergeet, is fout, klopt niet, verwijder, zapomnij, " +
		"proszę zapomnieć, jest błędny, jest zły, usuń, uită, uitați, este greșit, e greșit, șterge, ștergeți, " +
		"забудьте, забудь, неверный, неправильный, неверно, удалите, видаліть, забудьте, неправильна, неправильний, " +
		"unut, unutun, yanlış, silin")
	// takes are the retractions that need no name of what they take back. "That is wrong" may be of anything.
	takes = newPhrases("forget it, forget that, forget about it, forget about that, forget this, please forget, " +
		"ignore that, ignore it, ignore what i, disregard, delete it, delete that, remove it, remove that, erase " +
		"it, " +
		"erase that, take that back, take it back, i take back, scratch that, strike that, don't use it, don't use " +
		"that, do not use it, do not use that, made that up, made it up, i lied, was made up, is made up, is fake, " +
		"vergiss es, vergiss, vergessen sie, lösche, löschen sie, bitte löschen, oubliez, oublie, supprimez, " +
		"effacez, olvida, olvide, olvídalo, olvídelo, borra, borre, bórralo, dimentica, dimentichi, cancella, " +
		"esqueça, esquece, apague, vergeet, verwijder, zapomnij, usuń, uită, uitați, șterge, ștergeți, забудьте, " +
		"забудь, удалите, видаліть, unut, unutun, silin")
	keeps = regexp.MustCompile(`\b(don't|do not|never|please don't) (delete|remove|erase|forget|ignore|disregard)\b|` +
		`\b(not|isn't|wasn't) (wrong|incorrect|false|fake|a mistake|a typo|invalid)\b`)
)

// takenBack refuses a value that the customer corrects or takes back later, in the same turn or in another.
func (r reader) takenBack(t *turn, s span) problem {
	if r.corrected(t, s) {
		return "the customer corrects it later"
	}
	if r.retracted(t, s) {
		return "the customer takes it back later"
	}
	return ""
}

// corrected reports whether a correction behind a statement replaces its value by another.
func (r reader) corrected(t *turn, s span) bool {
	if r.def.ValueType == vault.TypeBoolean || r.def.ValueType == vault.TypeJSON {
		return false
	}
	if r.correctedIn(t, s.end, s) {
		return true
	}
	at := slices.Index(r.conversation.turns, t)
	answered := false
	for _, u := range r.conversation.turns[at+1:] {
		if u.Speaker != vault.SpeakerCustomer {
			continue
		}
		switch {
		case r.opensCorrection(u) && r.correctedIn(u, 0, span{}) && (r.hasForms() || !answered):
			return true
		case r.hasForms() && !r.isOfOther() && r.restated(u, t.text[s.start:s.end]):
			return true
		}
		if len(r.others(u, t.text[s.start:s.end])) > 0 {
			return false // a later correction is of that one
		}
		answered = true
	}
	return false
}

// hasForms reports whether values of the field are recognised by their form.
func (r reader) hasForms() bool {
	return r.def.ValueType != vault.TypeString || len(r.def.AllowedValues) > 0
}

// others returns the places in a turn that have the form of the field and another text.
func (r reader) others(t *turn, said string) []span {
	if !r.hasForms() {
		return nil
	}
	return slices.DeleteFunc(r.forms(t), func(s span) bool {
		return t.text[s.start:s.end] == said || r.sameForm(t, s)
	})
}

// sameForm reports whether a place states the value itself in another way.
func (r reader) sameForm(t *turn, s span) bool {
	return slices.ContainsFunc(r.mentions(passage{s, t}, r.value), func(m mention) bool { return m.overlaps(s) })
}

// opensCorrection reports whether a turn begins with a correction.
func (r reader) opensCorrection(t *turn) bool {
	words := t.words
	for range 3 {
		if corrects.at(words) > 0 {
			return true
		}
		if len(words) == 0 {
			break
		}
		words = words[1:]
	}
	return strings.HasPrefix(t.text, "*") && !strings.HasSuffix(t.text, "*")
}

// correctedIn reports whether a correction at or behind a position of a turn names another value of the field's
// form; for
// free text, whether it has words of its own.
func (r reader) correctedIn(t *turn, from int, value span) bool {
	text := t.text[value.start:value.end]
	first := t.wordAfter(from)
	begins := strings.HasPrefix(t.text, "*") && from == 0
	for i := first; i < len(t.words); i++ {
		n := corrects.at(t.words[i:])
		if n == 0 && !(begins && i == first) {
			continue
		}
		if r.hasForms() && len(slices.DeleteFunc(r.others(t, text), func(s span) bool {
			return s.start < value.end ||
				s.end > t.words[i].start
		})) > 0 {
			return false // the correction is of another value in between
		}
		at := t.sentenceAt(t.words[i].start)
		end := t.sentences[min(at+1, len(t.sentences)-1)].end
		scope := span{t.words[min(len(t.words)-1, i+max(0, n-1))].end, end}
		if begins && n == 0 {
			scope.start = 0
		}
		if t.sentences[at].asks {
			continue
		}
		for _, s := range r.others(t, text) {
			if s.start >= scope.start && s.end <= scope.end && r.asserts(t, mention{span: s}) {
				return true
			}
		}
		if !r.hasForms() && r.correctsText(t, i, n, span{scope.start, t.sentences[at].end}) {
			return true
		}
	}
	return false
}

// opensClause reports whether a word is the first of its clause, after "oh" or "no".
func (t *turn) opensClause(i int) bool {
	c := t.clauses[t.clauseAt(t.words[i].start)]
	for _, w := range c.words {
		if w.start == t.words[i].start {
			return true
		}
		if w.text != "oh" && w.text != "no" && w.text != "and" && w.text != "but" && w.text != "so" {
			return false
		}
	}
	return false
}

// maxCorrection is the number of words that a correction of free text has; a longer sentence says something else.
const maxCorrection = 6

// correctsText reports whether a correction of free text has words of its own, and is no apology for something else.
func (r reader) correctsText(t *turn, i, n int, rest span) bool {
	words := courtesy.remove(t.wordsIn(rest))
	weak := n == 1
	switch t.words[i].text {
	case "make", "should", "change":
		return false
	case "sorry", "actually", "wait", "oops", "pardon", "rather", "nope":
		for k := range words {
			if corrects.at(words[k:]) > 1 {
				weak = false
			}
		}
	default:
		weak = false
	}
	if len(words) == 0 || len(words) > maxCorrection || weak && !t.opensClause(i) {
		return false
	}
	if r.codeField() && !slices.ContainsFunc(words, func(w word) bool { return hasDigit(w.text) }) {
		return false
	}
	return !weak || len(words) <= 2 && !smallTalk.anyIn(words)
}

var smallTalk = newPhrases("late, bother, trouble, confusion, delay, minute, moment, second, i, you, question, no, " +
	"not, don't, can, could, that, about, for, to, hear")

// codeField reports whether the value has a digit, so that only words with a digit correct it.
func (r reader) codeField() bool { return hasDigit(rules.TextOf(r.value)) }

// asserts reports whether a mention asserts a value, apart from later corrections.
func (r reader) asserts(t *turn, m mention) bool {
	return t.borrowed(m.span) == "" && r.denied(t, m) == "" && r.supposed(t, m) == "" && r.asked(t, m) == "" &&
		r.bounded(t, m) == "" && r.owned(t, m) == ""
}

// restated reports whether a later turn names the field with another value.
func (r reader) restated(t *turn, said string) bool {
	for _, s := range r.others(t, said) {
		m := mention{span: s}
		if r.isNamed(t, m) && speaksOfSelf(t, t.wordsIn(t.sentences[t.sentenceAt(s.start)].span)) && r.asserts(t, m) &&
			r.measured(t, m) == "" {
			return true
		}
	}
	return false
}

// retracted looks for words behind a statement that take it back. They name the field, or say "it" or "that" directly
// behind the statement.
func (r reader) retracted(t *turn, s span) bool {
	for i := t.sentenceAt(max(s.start, s.end-1)); i >= 0 && i < len(t.sentences); i++ {
		from := max(t.sentences[i].start, s.end)
		if from < t.sentences[i].end && r.retracts(t, span{from, t.sentences[i].end}, true) {
			return true
		}
	}
	at := slices.Index(r.conversation.turns, t)
	near := true
	for _, u := range r.conversation.turns[at+1:] {
		if u.Speaker != vault.SpeakerCustomer {
			continue
		}
		if r.retractedIn(u, near) || r.deniedIn(u) {
			return true
		}
		if r.hasForms() && len(r.others(u, t.text[s.start:s.end])) > 0 {
			return false
		}
		near = false
	}
	return false
}

// retractedIn reports whether a sentence of a turn takes the field back. near allows "it" and "that" for the field.
func (r reader) retractedIn(t *turn, near bool) bool {
	return slices.ContainsFunc(t.sentences, func(s sentence) bool { return r.retracts(t, s.span, near) })
}

// retracts reports whether a part of a turn takes the field back.
func (r reader) retracts(t *turn, s span, near bool) bool {
	words := t.wordsIn(s)
	at, n := retracts.in(words)
	if at < 0 || t.sentences[t.sentenceAt(s.start)].asks || keeps.MatchString(t.text[s.start:s.end]) ||
		t.borrowed(s) != "" {
		return false
	}
	m := mention{span: span{words[at].start, words[at+n-1].end}}
	if r.supposed(t, m) != "" {
		return false
	}
	named := false
	for i, w := range words {
		if !grammar[w.text] && r.namesField(w.text) {
			named = true
		}
		if r.people(t, words[i:]) > 0 && r.def.About == "" && !named {
			return false // "my wife's email is wrong"
		}
	}
	if named {
		return true
	}
	if !near || !takes.anyIn(words) {
		return false
	}
	for _, w := range words {
		switch w.text {
		case "it", "that", "this", "that's", "es", "das", "cela", "ça", "eso", "esto", "questo", "isso", "dat", "to",
			"это", "це", "bunu", "asta":
			return !slices.ContainsFunc(words, r.namesOther)
		}
	}
	return at == 0 && n > 1 && len(words) <= maxCorrection && !slices.ContainsFunc(words, r.namesOther)
}

// deniedIn reports whether a sentence of a turn states the opposite of a yes or no: "I no longer accept the terms".
func (r reader) deniedIn(t *turn) bool {
	if r.def.ValueType != vault.TypeBoolean {
		return false
	}
	opposite := yes
	if rules.TextOf(r.value) == "true" {
		opposite = no
	}
	return slices.ContainsFunc(t.sentences, func(s sentence) bool {
		p := passage{s.span, t}
		if s.asks || t.borrowed(s.span) != "" || r.supposed(t, mention{span: s.span}) != "" {
			return false
		}
		return r.statedIn(p) == opposite && r.owned(t, mention{span: r.topicIn(p)}) == ""
	})
}

// partDenied matches what a customer says a value is not: "not .com". A full stop at the end belongs to the sentence.
var partDenied = regexp.MustCompile(
	`(?i)(?:^|[\s,;(–—-])(?:not|nicht|pas|non|niet|nie|não|nu|не)\s+["'“”‘’]?([.@]?[\p{L}\p{N}][^\s,;!?"'“”‘’)]*)`)

// deniesPart reports whether a short turn corrects a part of the value: "Typo: .org, not .com". The value has the part
// once, as a whole word, beside others.
func (r reader) deniesPart(t *turn) bool {
	value := strings.ToLower(rules.TextOf(r.value))
	if len(t.words) > maxCorrection || t.borrowed(span{0, len(t.text)}) != "" {
		return false
	}
	for i, s := range t.sentences {
		if t.sentences[i].asks {
			continue
		}
		for _, m := range partDenied.FindAllStringSubmatch(t.text[s.start:s.end], -1) {
			part := strings.TrimRight(strings.ToLower(m[1]), ".")
			at := strings.Index(value, part)
			if at < 0 || strings.Count(value, part) > 1 || len(part) < 2 || len(part) == len(value) {
				continue
			}
			before, _ := utf8.DecodeLastRuneInString(value[:at])
			after, _ := utf8.DecodeRuneInString(value[at+len(part):])
			first, _ := utf8.DecodeRuneInString(part)
			if (at == 0 || !isWordRune(before) || !isWordRune(first)) && (after == utf8.RuneError || !isWordRune(after)) {
				return true
			}
		}
	}
	return false
}

// namesField reports whether a word is one of the field's name, or the usual word for its type.
func (r reader) namesField(word string) bool {
	if hasStem(r.topic.names, word) {
		return true
	}
	switch r.def.ValueType {
	case vault.TypeEmail:
		return word == "email" || word == "mail" || word == "emailadresse" || word == "correo" || word == "address"
	case vault.TypePhone:
		return word == "phone" || word == "number" || word == "telephone" || word == "mobile" || word == "cell"
	default:
		return false
	}
}

// fieldNouns are nouns for fields, so that "that number is wrong" takes back no address.
var fieldNouns = newPhrases("email, mail, address, number, phone, name, date, birthday, city, order, code, plan, " +
	"account, card, booking, answer, amount, income, budget, price, age, " +
	"invoice, bill, charge, delivery, package, parcel, product, item, website, page, link, app, message, letter, " +
	"information, statement, product, size, color, colour")

func (r reader) namesOther(w word) bool { return fieldNouns.at([]word{w}) > 0 && !r.namesField(w.text) }

// TakenBack reports whether the customer takes back a value that is stored, and returns the index of the turn. said is
// the index of the turn that stated the value, or -1 if it was stated elsewhere; then the words must name the field.
// Only turns after the index read are considered.
func (c *Conversation) TakenBack(def *vault.Definition, stored vault.Value, said, read int) (turn int, ok bool) {
	if def == nil {
		return 0, false
	}
	r := reader{conversation: c, def: *def, topic: topicOf(*def), value: stored.Value}
	if checked, err := rules.CheckValue(def, def.Name, stored.Value, vault.ModeStrict); err == nil {
		r.value = checked.Value
	}
	near := said >= 0
	for _, t := range c.turns {
		if t.Speaker != vault.SpeakerCustomer || t.Index <= said {
			continue
		}
		if t.Index > read && (r.retractedIn(t, near) || r.deniedIn(t) || near && r.deniesPart(t)) {
			return t.Index, true
		}
		near = false
	}
	return 0, false
}
