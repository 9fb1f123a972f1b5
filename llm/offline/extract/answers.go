package extract

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/llm/offline/text"
)

// agentQuestion is the agent's turn before the turn of the customer, as a question.
type agentQuestion struct {
	targets []int
	open    []int // targets of an open question: "what is your …", "which …"
	single  bool  // it asks for one target, so that a free answer is for that one
	yesNo   bool  // it can be answered by yes or no, and yes is not ambiguous
}

func (a agentQuestion) has(f int) bool { return slices.Contains(a.targets, f) }

// only returns the requested target of kind k, or -1 if there is none or more than one.
func (a agentQuestion) only(targets []target, k text.Kind) int {
	found := -1
	for _, f := range a.targets {
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
	requests     = text.NewWordSet("please provide tell give enter share confirm specify need")
	openQuestion = text.NewWordSet("what which where when who how what's where's when's who's")
	unclearYesNo = text.NewWordSet(`or not don't doesn't isn't aren't won't mind without instead confirm correct right
		rather`)
)

// parseQuestion reads which targets the agent's turn asks for.
func parseQuestion(targets []target, question string) agentQuestion {
	a := agentQuestion{}
	if !llm.HasText(question) {
		return a
	}
	u := newUtterance(question, text.Clock{})
	opens, questions := 0, 0
	for _, s := range u.sentences {
		tokens := u.tokens[s.first:s.last]
		if questions > 0 && isElaboration(tokens) {
			continue
		}
		isQuestion := strings.Contains(s.In(question), "?")
		if !isQuestion && !slices.ContainsFunc(tokens, func(t text.Token) bool { return requests[t.Word] }) {
			continue
		}
		questions++
		yesNo := isQuestion
		for _, t := range tokens {
			if openQuestion[t.Word] {
				opens++
				yesNo = false
			}
			if unclearYesNo[t.Word] {
				yesNo = false
			}
		}
		a.yesNo = yesNo
		for _, f := range targetsNamedIn(targets, tokens, s.In(question)) {
			if a.has(f) {
				continue
			}
			a.targets = append(a.targets, f)
			if targets[f].isAskedFor(tokens, s.In(question)) {
				a.open = append(a.open, f)
			}
		}
		a.addCued(targets, tokens)
	}
	a.single = questions == 1 && opens <= 1 && len(a.targets) == 1
	return a
}

// elaborations begin a sentence with examples of the value just requested.
var elaborations = [][]string{
	{"for", "example"},
	{"for", "instance"},
	{"such", "as"},
	{"like"},
	{"maybe"},
	{"perhaps"},
	{"something", "like"},
	{"you", "can", "say"},
	{"say"},
	{"e", "g"},
}

func isElaboration(tokens []text.Token) bool {
	return slices.ContainsFunc(elaborations, func(parts []string) bool { return text.HasWords(tokens, 0, parts) })
}

// targetsNamedIn returns the targets that a question names, by name or by collection prompt. A name inside a longer
// name of another target does not count: "billing email" does not ask for the email.
func targetsNamedIn(targets []target, tokens []text.Token, sentence string) []int {
	type naming struct {
		text.Span
		target int
	}
	var names []naming
	for f, t := range targets {
		if t.prompt != "" && strings.Contains(llm.Squeeze(sentence), t.prompt) {
			names = append(names, naming{text.Span{Start: 0, End: len(tokens)}, f})
		}
		for _, parts := range slices.Concat(t.labels, t.asks) {
			for i := range tokens {
				if hasInflectedWords(tokens, i, parts) {
					names = append(names, naming{text.Span{Start: i, End: i + len(parts)}, f})
				}
			}
		}
		for i := range tokens {
			if t.kind == text.KindNumber && i+2 < len(tokens) && tokens[i].Word == "how" && tokens[i+1].Word == "many" &&
				t.countsNoun(tokens[i+2].Word) {
				names = append(names, naming{text.Span{Start: i, End: i + 3}, f})
			}
		}
	}
	var out []int
	for _, n := range names {
		longer := slices.ContainsFunc(
			names,
			func(o naming) bool { return o.target != n.target && o.Contains(n.Span) && o.Span != n.Span },
		)
		if !longer && !slices.Contains(out, n.target) {
			out = append(out, n.target)
		}
	}
	return out
}

// labelLeads are the words right before the name of a target in an open question.
var labelLeads = text.NewWordSet("what which your the what's preferred")

// isAskedFor reports whether a question asks for the value of t and does not just mention it: "what is your job
// title?" asks, "would you like tickets for this event?" does not.
func (t target) isAskedFor(tokens []text.Token, sentence string) bool {
	if t.prompt != "" && strings.Contains(llm.Squeeze(sentence), t.prompt) {
		return true
	}
	if !slices.ContainsFunc(
		tokens,
		func(t text.Token) bool { return openQuestion[t.Word] || t.Word == "which" || requests[t.Word] },
	) {
		return false
	}
	for _, parts := range t.labels {
		for i := 1; i < len(tokens); i++ {
			if hasInflectedWords(tokens, i, parts) &&
				(labelLeads[tokens[i-1].Word] || tokens[i-1].Word == "of" && i > 1 && sortOf[text.Singular(tokens[i-2].Word)]) {
				return true
			}
		}
	}
	if len(t.describes) > 0 { // "what kind of food"
		for _, parts := range t.asks {
			if slices.ContainsFunc(indexesOf(tokens), func(i int) bool { return hasInflectedWords(tokens, i, parts) }) {
				return true
			}
		}
	}
	return false
}

// hasInflectedWords is text.HasWords with singular and plural of the last word equal.
func hasInflectedWords(tokens []text.Token, i int, parts []string) bool {
	n := len(parts) - 1
	return n >= 0 && i+n < len(tokens) && (n == 0 || text.HasWords(tokens, i, parts[:n])) &&
		text.Singular(tokens[i+n].Word) == text.Singular(parts[n])
}

// cues are question words that ask for the only target of a kind without its name.
var cues = map[text.Kind][][]string{
	text.KindDate: {{"what", "day"}, {"which", "day"}, {"what", "date"}, {"which", "date"}, {"when"}, {"the", "date"}},
	text.KindTime: {{"what", "time"}, {"which", "time"}},
	text.KindPlace: {
		{"where"},
		{"which", "city"},
		{"what", "city"},
		{"which", "area"},
		{"what", "area"},
		{"which", "town"},
		{"what", "location"},
		{"which", "location"},
	},
	text.KindPerson: {{"your", "name"}, {"who", "am", "i"}},
	text.KindAge:    {{"how", "old"}},
	text.KindNumber: {
		{"how", "many", "would"},
		{"how", "many", "should"},
		{"how", "many", "do"},
		{"how", "many", "please"},
		{"how", "many", "will"},
	},
}

// addCued adds the targets with a cue in the question.
func (a *agentQuestion) addCued(targets []target, tokens []text.Token) {
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
		if only < 0 || a.has(only) || ((k == text.KindDate || k == text.KindTime) && !targets[only].isRequestTime()) {
			continue
		}
		if slices.ContainsFunc(phrases, func(parts []string) bool {
			return slices.ContainsFunc(indexesOf(tokens), func(i int) bool { return text.HasWords(tokens, i, parts) })
		}) {
			a.targets = append(a.targets, only)
		}
	}
	slices.Sort(a.targets)
}

func indexesOf(tokens []text.Token) []int {
	out := make([]int, len(tokens))
	for i := range out {
		out[i] = i
	}
	return out
}

// readAnswers reads the customer's answers to the agent's question.
func (tr *turnReader) readAnswers() {
	for _, f := range tr.question.targets {
		if tr.isStated(f, statedByName) || tr.question.only(tr.targets, tr.targets[f].kind) != f {
			continue
		}
		switch t := tr.targets[f]; t.kind {
		case text.KindNone, text.KindChoice:
		case text.KindBoolean:
			tr.readYesNoAnswer(f)
		case text.KindIdentifier:
			tr.readCodeAnswer(f)
		case text.KindFree,
			text.KindPerson,
			text.KindFirstName,
			text.KindLastName,
			text.KindCountry,
			text.KindPlace,
			text.KindAddress:
			tr.readWordsAnswer(f)
		default:
			tr.readEntityAnswer(f)
		}
	}
}

// readEntityAnswer takes the only entity in the turn that fits target f.
func (tr *turnReader) readEntityAnswer(f int) {
	t := tr.targets[f]
	only := -1
	for i, e := range tr.entities {
		if tr.used[i] || tr.sentenceAt(e.Span).isQuestion {
			continue
		}
		if value, _ := t.match(e, tr.text); value == nil {
			continue
		}
		if (t.kind == text.KindNumber || t.kind == text.KindAge) && (tr.countsSomethingElse(f, e) || len(tr.tokens) > 14) {
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
	e := tr.entities[only]
	value, ceiling := t.match(e, tr.text)
	if tr.record(f, value, e.Span, tr.quoteAround(e.Span), capConfidence(confidenceAnswered, ceiling), statedInAnswer) {
		tr.used[only] = true
	}
}

// countsSomethingElse reports whether the number e counts other things than target f: "2 nights" for a number of
// guests.
func (tr *turnReader) countsSomethingElse(f int, e text.Entity) bool {
	i := tr.tokenAt(e.End)
	if i >= len(tr.tokens) || strings.TrimSpace(tr.text[e.End:tr.tokens[i].Start]) != "" {
		return false
	}
	w := tr.tokens[i].Word
	if tr.targets[f].countsNoun(w) || text.PhraseEnds[w] || interjections[w] || w == "years" || w == "year" {
		return false
	}
	for g, t := range tr.targets {
		if g != f && t.countsNoun(w) {
			return true
		}
	}
	return text.CountedPlurals[w] || (strings.HasSuffix(w, "s") && w != "yes" && w != "thanks")
}

// readCodeAnswer takes the only code of a short turn.
func (tr *turnReader) readCodeAnswer(f int) {
	t := tr.targets[f]
	var only text.Span
	for i := 0; i < len(tr.tokens); i++ {
		start := tr.tokens[i].Start
		if !only.IsEmpty() && start < only.End {
			continue
		}
		code := tr.codeAt(start, len(tr.text), t)
		if code.IsEmpty() || len(code.In(tr.text)) < 3 || tr.sentenceAt(code).isQuestion ||
			strings.ContainsRune(tr.text, '@') {
			continue
		}
		if !only.IsEmpty() {
			return
		}
		only = code
	}
	if !only.IsEmpty() && len(tr.tokens) <= 14 {
		tr.record(f, t.encode(only.In(tr.text), ""), only, tr.quoteAround(only), confidenceAnswered, statedInAnswer)
	}
}

// Words for yes, no and uncertainty.
var (
	yesWords   = text.NewWordSet("yes yeah yep yup yea sure absolutely definitely certainly correct")
	noWords    = text.NewWordSet("no nope nah never")
	unsureWord = text.NewWordSet("maybe perhaps unsure possibly probably depends")
)

// readYesNoAnswer reads a yes or no at the start of the answer to a yes/no question.
func (tr *turnReader) readYesNoAnswer(f int) {
	if !tr.question.single || !tr.question.yesNo || len(tr.sentences) == 0 {
		return
	}
	first := tr.sentences[0]
	if first.first >= first.last || tr.sentences[0].isQuestion {
		return
	}
	said, yes, no := tr.tokens[first.first], false, false
	for i, t := range tr.tokens {
		if unsureWord[t.Word] || (t.Word == "not" && i+1 < len(tr.tokens) && tr.tokens[i+1].Word == "sure") ||
			t.Word == "know" {
			return
		}
		yes = yes || yesWords[t.Word]
		no = no || noWords[t.Word] || negations[t.Word]
	}
	var value string
	switch w := said.Word; {
	case yesWords[w] && !no:
		value = "true"
	case noWords[w] && !yes:
		value = "false"
	case w == "i" && tr.secondWordIn(first, "do am have would will") && !no && first.last-first.first <= 3:
		value = "true"
	case w == "i" && tr.secondWordIn(first, "don't haven't wouldn't won't") && !yes:
		value = "false"
	default:
		return
	}
	t := tr.targets[f]
	raw := json.RawMessage(value)
	if len(t.choices) > 0 {
		if raw = t.matchChoice(value); raw == nil {
			raw = t.matchChoice(map[string]string{"true": "yes", "false": "no"}[value])
		}
	}
	if raw == nil {
		return
	}
	// record would drop the statement, because a "no" negates its clause.
	tr.stated = append(tr.stated, statement{
		target:     f,
		value:      raw,
		confidence: confidenceAnswered,
		strength:   statedInAnswer,
		quote:      first.Span,
		valueSpan:  said.Span,
		turn:       tr.turn,
	})
}

// secondWordIn reports whether the second word of a sentence is in list.
func (tr *turnReader) secondWordIn(s sentence, list string) bool {
	return s.last-s.first >= 2 && text.NewWordSet(list)[tr.tokens[s.first+1].Word]
}

// Phrases before and after an answer in free words.
var (
	answerLeads = phrases(`it's, it is, it would be, it will be, that's, that is, that would be, that will be, this is,
		the answer is, i'd like it in, i'd like to, i would like, i'd like, i want, i need, i prefer,
		i'd prefer, i would prefer, i live in, i live at, i'm in, i am in, i'm from, i am from,
		i'm looking for, i am looking for, looking for, i would love, i'd love, i love, i like, i usually like,
		i really enjoy, i enjoy, i would prefer, i feel like, i'm in the mood for, i am in the mood for,
		something like, let's do, let's go with, let's say, make it, make that, how about, what about, try,
		please use, use, in, at, to, from, for, near, around, my name is, i'm, i am, some, search in, look in,
		please search in, somewhere in`)
	answerTails = phrases(
		`please, thanks, thank you, if possible, would be great, would be fine, would be nice, would be good,
		would be perfect, is fine, is good, sounds good right now, sounds good, sounds great, sounds perfect,
		sounds nice, is the best, best, the most, right now, tonight, works for me, works, will do, for me,
		will be fine, will be perfect, would work, area, actually, instead, will be great`,
	)
)

// phrases splits a list of phrases, separated by commas, into their words.
func phrases(list string) [][]string {
	var out [][]string
	for phrase := range strings.SplitSeq(list, ",") {
		out = append(out, strings.Fields(phrase))
	}
	return out
}

// readWordsAnswer takes a short answer in free words, without the phrases around it.
func (tr *turnReader) readWordsAnswer(f int) {
	t := tr.targets[f]
	if !tr.question.single || (t.kind == text.KindFree && !slices.Contains(tr.question.open, f)) {
		return
	}
	sentence, ok := tr.answerSentence()
	if !ok {
		return
	}
	i, j := tr.answerCore(sentence)
	if t.kind == text.KindPlace {
		for k := i + 1; k < j-1; k++ {
			if w := tr.tokens[k].Word; w == "in" || w == "at" || w == "near" || w == "around" {
				i = k + 1
			}
		}
		for k := i + 1; k < j; k++ {
			if text.PhraseEnds[tr.tokens[k].Word] &&
				!(tr.text[tr.tokens[k-1].End:tr.tokens[k].Start] == ", " && tr.isRegion(tr.tokens[k-1].End)) { // "Portland, OR"
				j = k
			}
		}
	}
	if t.kind == text.KindFree &&
		(j-i > 3 || slices.ContainsFunc(tr.tokens[i:max(i, j)], func(t text.Token) bool {
			return notFree[t.Word] ||
				text.PhraseEnds[t.Word]
		})) {
		return
	}
	if i >= j {
		return
	}
	said := text.TrimPunctuation(tr.text, text.Span{Start: tr.tokens[i].Start, End: tr.tokens[j-1].End})
	if strings.ContainsAny(said.In(tr.text), "?!;:") ||
		(strings.Contains(said.In(tr.text), ",") && t.kind != text.KindAddress &&
			!tr.isRegion(tr.tokens[i].Start+strings.Index(tr.text[tr.tokens[i].Start:], ","))) {
		return
	}
	if slices.ContainsFunc(tr.entities, func(e text.Entity) bool {
		return e.Overlaps(said) && t.kind != text.KindAddress && !(t.kind == text.KindFree && e.Kind == text.KindNumber)
	}) {
		return
	}
	value, confidence := tr.parseWords(t, said)
	if value == nil || (j-i > 5 && t.kind != text.KindAddress) {
		return
	}
	tr.record(f, value, said, tr.quoteAround(said), min(confidence, confidenceReply), statedInAnswer)
}

// notFree are words of an answer that is not a value.
var notFree = text.NewWordSet(`look looks looking find search searching go going see get buy purchase book sounds
	great good perfect fine nice cool works later perhaps probably anything something nothing any some another more
	other else event events ticket tickets restaurant restaurants place places movie movies hotel hotels food one
	two three four five help sure thing things a an`)

// answerSentence returns the only sentence with more than interjections.
func (tr *turnReader) answerSentence() (sentence, bool) {
	var found []sentence
	for _, s := range tr.sentences {
		core := 0
		for i := s.first; i < s.last; i++ {
			if !interjections[tr.tokens[i].Word] && tr.tokens[i].Word != "you" && tr.tokens[i].Word != "thank" {
				core++
			}
		}
		if core > 0 {
			found = append(found, s)
		}
	}
	if len(found) != 1 || found[0].isQuestion {
		return sentence{}, false
	}
	return found[0], true
}

// answerCore returns the tokens of a sentence without the phrases around the answer.
func (tr *turnReader) answerCore(s sentence) (int, int) {
	i, j := s.first, s.last
	for changed := true; changed && i < j; {
		changed = false
		if interjections[tr.tokens[i].Word] {
			i++
			changed = true
			continue
		}
		for _, parts := range answerLeads {
			if text.HasWords(tr.tokens, i, parts) && i+len(parts) < j {
				i += len(parts)
				changed = true
				break
			}
		}
	}
	for changed := true; changed && i < j; {
		changed = false
		for _, parts := range answerTails {
			if j-len(parts) > i && text.HasWords(tr.tokens, j-len(parts), parts) {
				j -= len(parts)
				changed = true
				break
			}
		}
	}
	return i, j
}
