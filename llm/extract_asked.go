package llm

import (
	"encoding/json"
	"slices"
	"strings"
)

// asked is what the agent's turn before asks for.
type asked struct {
	fields []int
	open   []int // of those, the ones that the question asks to name: "what is your …", "which …"
	single bool  // it asks for one thing, so that an answer in free words can only be meant for it
	yesNo  bool  // it can be answered by yes or no, and yes means yes
}

func (a asked) has(field int) bool { return slices.Contains(a.fields, field) }

// only gives the asked field of a form, or -1 where there is none or more than one.
func (a asked) only(targets []target, k kind) int {
	found := -1
	for _, f := range a.fields {
		if targets[f].kind == k {
			if found >= 0 {
				return -1
			}
			found = f
		}
	}
	return found
}

// Words of an agent's question.
var (
	requests     = setOf("please provide tell give enter share confirm specify need")
	openQuestion = setOf("what which where when who how what's where's when's who's")
	twoSided     = setOf("or not don't doesn't isn't aren't won't mind without instead confirm correct right rather")
)

// askedFor reads which fields the agent's turn asks for.
func askedFor(targets []target, question string) asked {
	a := asked{}
	if !isText(question) {
		return a
	}
	u := newUtterance(question, clock{})
	opens, questions := 0, 0
	for _, s := range u.sentences {
		tokens := u.tokens[s.first:s.last]
		if questions > 0 && elaborates(tokens) {
			continue
		}
		isQuestion := strings.Contains(s.in(question), "?")
		if !isQuestion && !slices.ContainsFunc(tokens, func(t token) bool { return requests[t.word] }) {
			continue
		}
		questions++
		yesNo := isQuestion
		for _, t := range tokens {
			if openQuestion[t.word] {
				opens++
				yesNo = false
			}
			if twoSided[t.word] {
				yesNo = false
			}
		}
		a.yesNo = yesNo
		for _, f := range namedIn(targets, tokens, s.in(question)) {
			if a.has(f) {
				continue
			}
			a.fields = append(a.fields, f)
			if targets[f].isAskedToName(tokens, s.in(question)) {
				a.open = append(a.open, f)
			}
		}
		a.byCue(targets, tokens)
	}
	a.single = questions == 1 && opens <= 1 && len(a.fields) == 1
	return a
}

// elaborations begin a sentence that gives examples of what was just asked for.
var elaborations = [][]string{{"for", "example"}, {"for", "instance"}, {"such", "as"}, {"like"}, {"maybe"}, {"perhaps"}, {"something", "like"}, {"you", "can", "say"}, {"say"}, {"e", "g"}}

func elaborates(tokens []token) bool {
	return slices.ContainsFunc(elaborations, func(parts []string) bool { return hasWords(tokens, 0, parts) })
}

// namedIn gives the fields that a question names, or whose collection prompt it is. A name that is a part of a longer one of
// another field does not count: "billing email" does not ask for the email.
func namedIn(targets []target, tokens []token, sentence string) []int {
	type naming struct {
		span
		field int
	}
	var names []naming
	for f, t := range targets {
		if t.prompt != "" && strings.Contains(squeeze(sentence), t.prompt) {
			names = append(names, naming{span{0, len(tokens)}, f})
		}
		for _, parts := range slices.Concat(t.labels, t.asks) {
			for i := range tokens {
				if hasForms(tokens, i, parts) {
					names = append(names, naming{span{i, i + len(parts)}, f})
				}
			}
		}
		for i := range tokens {
			if t.kind == kindNumber && i+2 < len(tokens) && tokens[i].word == "how" && tokens[i+1].word == "many" && t.counts(tokens[i+2].word) {
				names = append(names, naming{span{i, i + 3}, f})
			}
		}
	}
	var out []int
	for _, n := range names {
		longer := slices.ContainsFunc(names, func(o naming) bool { return o.field != n.field && o.contains(n.span) && o.span != n.span })
		if !longer && !slices.Contains(out, n.field) {
			out = append(out, n.field)
		}
	}
	return out
}

// beforeOpen are words between which and the name of a field nothing stands in an open question.
var beforeOpen = setOf("what which your the what's preferred")

// isAskedToName reports whether a question asks for the value of the field, rather than speaks of it: "what is your job
// title?" does, "would you like tickets for this event?" does not.
func (t target) isAskedToName(tokens []token, sentence string) bool {
	if t.prompt != "" && strings.Contains(squeeze(sentence), t.prompt) {
		return true
	}
	if !slices.ContainsFunc(tokens, func(t token) bool { return openQuestion[t.word] || t.word == "which" || requests[t.word] }) {
		return false
	}
	for _, parts := range t.labels {
		for i := 1; i < len(tokens); i++ {
			if hasForms(tokens, i, parts) && (beforeOpen[tokens[i-1].word] || tokens[i-1].word == "of" && i > 1 && sortOf[singular(tokens[i-2].word)]) {
				return true
			}
		}
	}
	if len(t.describes) > 0 { // "what kind of food"
		for _, parts := range t.asks {
			if slices.ContainsFunc(indexesOf(tokens), func(i int) bool { return hasForms(tokens, i, parts) }) {
				return true
			}
		}
	}
	return false
}

// hasForms is hasWords, with the plural of the last word allowed.
func hasForms(tokens []token, i int, parts []string) bool {
	n := len(parts) - 1
	return n >= 0 && i+n < len(tokens) && (n == 0 || hasWords(tokens, i, parts[:n])) && singular(tokens[i+n].word) == singular(parts[n])
}

// cues are the question words that ask for the only field of a form, without naming it.
var cues = map[kind][][]string{
	kindDate:   {{"what", "day"}, {"which", "day"}, {"what", "date"}, {"which", "date"}, {"when"}, {"the", "date"}},
	kindTime:   {{"what", "time"}, {"which", "time"}},
	kindPlace:  {{"where"}, {"which", "city"}, {"what", "city"}, {"which", "area"}, {"what", "area"}, {"which", "town"}, {"what", "location"}, {"which", "location"}},
	kindPerson: {{"your", "name"}, {"who", "am", "i"}},
	kindAge:    {{"how", "old"}},
	kindNumber: {{"how", "many", "would"}, {"how", "many", "should"}, {"how", "many", "do"}, {"how", "many", "please"}, {"how", "many", "will"}},
}

// byCue adds the field that a question asks for by a question word, where that can only be one.
func (a *asked) byCue(targets []target, tokens []token) {
	for k, phrases := range cues {
		only := -1
		for f, t := range targets {
			if t.kind == k {
				if only >= 0 {
					only = -2
					break
				}
				only = f
			}
		}
		if only < 0 || a.has(only) || ((k == kindDate || k == kindTime) && !targets[only].isGeneral()) {
			continue
		}
		if slices.ContainsFunc(phrases, func(parts []string) bool {
			return slices.ContainsFunc(indexesOf(tokens), func(i int) bool { return hasWords(tokens, i, parts) })
		}) {
			a.fields = append(a.fields, only)
		}
	}
	slices.Sort(a.fields)
}

func indexesOf(tokens []token) []int {
	out := make([]int, len(tokens))
	for i := range out {
		out[i] = i
	}
	return out
}

// answered states what the customer answers to the question before.
func (l *listener) answered() {
	for _, f := range l.asked.fields {
		if l.has(f, byName) || l.asked.only(l.targets, l.targets[f].kind) != f {
			continue
		}
		switch t := l.targets[f]; t.kind {
		case kindNone, kindChoice:
		case kindBoolean:
			l.answeredYesNo(f)
		case kindIdentifier:
			l.answeredCode(f)
		case kindFree, kindPerson, kindFirstName, kindLastName, kindCountry, kindPlace, kindAddress:
			l.answeredWords(f)
		default:
			l.answeredEntity(f)
		}
	}
}

// answeredEntity takes the only thing of the field's form in the turn.
func (l *listener) answeredEntity(f int) {
	t := l.targets[f]
	only := -1
	for i, e := range l.entities {
		if l.used[i] || l.sentenceAt(e.span).enquiry {
			continue
		}
		if value, _ := t.fits(e, l.text); value == nil {
			continue
		}
		if (t.kind == kindNumber || t.kind == kindAge) && (l.countsOther(f, e) || len(l.tokens) > 14) {
			continue
		}
		if only >= 0 {
			return
		}
		only = i
	}
	if only < 0 {
		return
	}
	e := l.entities[only]
	value, ceiling := t.fits(e, l.text)
	if l.state(f, value, e.span, l.context(e.span), limited(sureAnswered, ceiling), byQuestion) {
		l.used[only] = true
	}
}

// countsOther reports whether the number counts something that is not the field's: "at 7", "2 nights" for a number of guests.
func (l *listener) countsOther(f int, e entity) bool {
	i := l.tokenAt(e.end)
	if i >= len(l.tokens) || strings.TrimSpace(l.text[e.end:l.tokens[i].start]) != "" {
		return false
	}
	w := l.tokens[i].word
	if l.targets[f].counts(w) || phraseEnds[w] || interjections[w] || w == "years" || w == "year" {
		return false
	}
	for g, t := range l.targets {
		if g != f && t.counts(w) {
			return true
		}
	}
	return pluralCounts[w] || (strings.HasSuffix(w, "s") && w != "yes" && w != "thanks")
}

// answeredCode takes the only code in a short turn.
func (l *listener) answeredCode(f int) {
	t := l.targets[f]
	var only span
	for i := 0; i < len(l.tokens); i++ {
		start := l.tokens[i].start
		if !only.empty() && start < only.end {
			continue
		}
		code := l.codeAt(start, len(l.text), t)
		if code.empty() || len(code.in(l.text)) < 3 || l.sentenceAt(code).enquiry || strings.ContainsRune(l.text, '@') {
			continue
		}
		if !only.empty() {
			return
		}
		only = code
	}
	if !only.empty() && len(l.tokens) <= 14 {
		l.state(f, t.store(only.in(l.text), ""), only, l.context(only), sureAnswered, byQuestion)
	}
}

// Words by which people say yes and no.
var (
	yesWords   = setOf("yes yeah yep yup yea sure absolutely definitely certainly correct")
	noWords    = setOf("no nope nah never")
	unsureWord = setOf("maybe perhaps unsure possibly probably depends")
)

// answeredYesNo reads a yes or a no at the beginning of the answer to a question that can be answered so.
func (l *listener) answeredYesNo(f int) {
	if !l.asked.single || !l.asked.yesNo || len(l.sentences) == 0 {
		return
	}
	first := l.sentences[0]
	if first.first >= first.last || l.sentences[0].enquiry {
		return
	}
	said, yes, no := l.tokens[first.first], false, false
	for i, t := range l.tokens {
		if unsureWord[t.word] || (t.word == "not" && i+1 < len(l.tokens) && l.tokens[i+1].word == "sure") || t.word == "know" {
			return
		}
		yes = yes || yesWords[t.word]
		no = no || noWords[t.word] || denials[t.word]
	}
	var value string
	switch w := said.word; {
	case yesWords[w] && !no:
		value = "true"
	case noWords[w] && !yes:
		value = "false"
	case w == "i" && l.claims(first, "do am have would will") && !no && first.last-first.first <= 3:
		value = "true"
	case w == "i" && l.claims(first, "don't haven't wouldn't won't") && !yes:
		value = "false"
	default:
		return
	}
	t := l.targets[f]
	raw := json.RawMessage(value)
	if len(t.choices) > 0 {
		if raw = t.choose(value); raw == nil {
			raw = t.choose(map[string]string{"true": "yes", "false": "no"}[value])
		}
	}
	if raw == nil {
		return
	}
	// What denies is the answer itself here.
	l.stated = append(l.stated, statement{
		field: f, value: raw, confidence: sureAnswered, strength: byQuestion, quote: first.span, said: said.span, turn: l.turn,
	})
}

// claims reports whether the second word of a sentence is one of a list.
func (l *listener) claims(s sentence, list string) bool {
	return s.last-s.first >= 2 && setOf(list)[l.tokens[s.first+1].word]
}

// Words around an answer in free words that are not a part of it.
var (
	answerLeads = []string{
		"it's", "it is", "it would be", "it will be", "that's", "that is", "that would be", "that will be", "this is", "the answer is", "i'd like it in", "i'd like to",
		"i would like", "i'd like", "i want", "i need", "i prefer", "i'd prefer", "i would prefer", "i live in", "i live at", "i'm in", "i am in", "i'm from", "i am from",
		"i'm looking for", "i am looking for", "looking for", "i would love", "i'd love", "i love", "i like", "i usually like", "i really enjoy", "i enjoy", "i would prefer", "i feel like",
		"i'm in the mood for", "i am in the mood for", "something like", "let's do", "let's go with", "let's say", "make it", "make that", "how about", "what about", "try",
		"please use", "use", "in", "at", "to", "from", "for", "near", "around", "my name is", "i'm", "i am", "some", "search in", "look in", "please search in", "somewhere in",
	}
	answerTails = []string{
		"please", "thanks", "thank you", "if possible", "would be great", "would be fine", "would be nice", "would be good", "would be perfect", "is fine", "is good",
		"sounds good right now", "sounds good", "sounds great", "sounds perfect", "sounds nice", "is the best", "best", "the most", "right now", "tonight", "works for me", "works", "will do", "for me", "will be fine", "will be perfect", "would work", "area", "actually", "instead", "will be great",
	}
)

// answeredWords takes a short answer in free words, without what stands around it.
func (l *listener) answeredWords(f int) {
	t := l.targets[f]
	if !l.asked.single || (t.kind == kindFree && !slices.Contains(l.asked.open, f)) {
		return
	}
	sentence, ok := l.answerSentence()
	if !ok {
		return
	}
	i, j := l.answerCore(sentence)
	if t.kind == kindPlace {
		for k := i + 1; k < j-1; k++ {
			if w := l.tokens[k].word; w == "in" || w == "at" || w == "near" || w == "around" {
				i = k + 1
			}
		}
		for k := i + 1; k < j; k++ {
			if phraseEnds[l.tokens[k].word] && !(l.text[l.tokens[k-1].end:l.tokens[k].start] == ", " && l.isRegion(l.tokens[k-1].end)) { // "Portland, OR"
				j = k
			}
		}
	}
	if t.kind == kindFree && (j-i > 3 || slices.ContainsFunc(l.tokens[i:max(i, j)], func(t token) bool { return notFree[t.word] || phraseEnds[t.word] })) {
		return
	}
	if i >= j {
		return
	}
	said := trimPunctuation(l.text, span{l.tokens[i].start, l.tokens[j-1].end})
	if strings.ContainsAny(said.in(l.text), "?!;:") || (strings.Contains(said.in(l.text), ",") && t.kind != kindAddress && !l.isRegion(l.tokens[i].start+strings.Index(l.text[l.tokens[i].start:], ","))) {
		return
	}
	if slices.ContainsFunc(l.entities, func(e entity) bool {
		return e.overlaps(said) && t.kind != kindAddress && !(t.kind == kindFree && e.kind == kindNumber)
	}) {
		return
	}
	value, confidence := l.wordsValue(t, said)
	if value == nil || (j-i > 5 && t.kind != kindAddress) {
		return
	}
	l.state(f, value, said, l.context(said), min(confidence, sureReply), byQuestion)
}

// notFree are words of an answer that says something else than the value that was asked for.
var notFree = setOf(`look looks looking find search searching go going see get buy purchase book sounds great good perfect fine nice cool works later
	perhaps probably anything something nothing any some another more other else event events ticket tickets restaurant restaurants place places
	movie movies hotel hotels food one two three four five help sure thing things a an`)

// answerSentence gives the one sentence that is not a mere interjection.
func (l *listener) answerSentence() (sentence, bool) {
	var found []sentence
	for _, s := range l.sentences {
		core := 0
		for i := s.first; i < s.last; i++ {
			if !interjections[l.tokens[i].word] && l.tokens[i].word != "you" && l.tokens[i].word != "thank" {
				core++
			}
		}
		if core > 0 {
			found = append(found, s)
		}
	}
	if len(found) != 1 || found[0].enquiry {
		return sentence{}, false
	}
	return found[0], true
}

// answerCore takes the words around an answer off.
func (l *listener) answerCore(s sentence) (int, int) {
	i, j := s.first, s.last
	for changed := true; changed && i < j; {
		changed = false
		if interjections[l.tokens[i].word] {
			i++
			changed = true
			continue
		}
		for _, lead := range answerLeads {
			if parts := strings.Fields(lead); hasWords(l.tokens, i, parts) && i+len(parts) < j {
				i += len(parts)
				changed = true
				break
			}
		}
	}
	for changed := true; changed && i < j; {
		changed = false
		for _, tail := range answerTails {
			if parts := strings.Fields(tail); j-len(parts) > i && hasWords(l.tokens, j-len(parts), parts) {
				j -= len(parts)
				changed = true
				break
			}
		}
	}
	return i, j
}
