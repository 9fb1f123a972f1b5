package extract

import (
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
	unknown int   // questions that ask for none of the targets
	about   bool  // it has a word that sets a definition of the agent apart
	text    string
}

func (a agentQuestion) has(f int) bool { return slices.Contains(a.targets, f) }

// Words of an agent's question.
var (
	requests     = text.NewWordSet("please provide tell give enter share confirm specify need state know")
	openQuestion = text.NewWordSet("what which where when who whom how what's where's when's who's how's whats")
	unclearYesNo = text.NewWordSet(`or not don't doesn't isn't aren't won't mind without instead confirm correct right
		rather`)
)

// Nouns after "which" and "what" that say which form the answer has.
var (
	dayNouns   = text.NewWordSet("day date days dates")
	timeNouns  = text.NewWordSet("time times hour")
	placeNouns = text.NewWordSet(`city town location place area region neighborhood neighbourhood airport station address
		destination cities metropolis venue`)
	nameNouns = text.NewWordSet("name title")
	sortNouns = text.NewWordSet("type kind sort genre style category class types kinds sorts genres")
)

// segment is a part of a question that asks for one thing.
type segment struct {
	tokens  []text.Token
	opener  int         // index of its question word, -1 for none
	kinds   []text.Kind // the forms that the answer can have, nil for any
	request bool
	prefers bool // it asks for a preference without a question word: "do you have a film in mind?"
}

// preferenceWords ask for a preference.
var preferenceWords = text.NewWordSet("mind particular specific preference preferences preferred prefer certain favorite favourite")

// parseQuestion reads which targets the agent's turn asks for.
func parseQuestion(targets []target, question string) agentQuestion {
	a := agentQuestion{text: question}
	if !llm.HasText(question) {
		return a
	}
	u := newUtterance(question, text.Clock{})
	for _, w := range u.tokens {
		s := text.Stem(w.Word)
		a.about = a.about || slices.ContainsFunc(targets, func(t target) bool { return t.profile.own[s] })
	}
	questions, yesNo := 0, false
	for _, s := range u.sentences {
		tokens := u.tokens[s.first:s.last]
		if questions > 0 && isElaboration(tokens) {
			continue
		}
		isQuestion := strings.Contains(s.In(question), "?") || len(tokens) > 0 && openQuestion[tokens[0].Word]
		if !isQuestion && !slices.ContainsFunc(tokens, func(t text.Token) bool { return requests[t.Word] }) {
			continue
		}
		questions++
		yesNo = isQuestion && !slices.ContainsFunc(tokens, func(t text.Token) bool {
			return openQuestion[t.Word] || unclearYesNo[t.Word]
		})
		for _, seg := range u.segments(s) {
			a.ask(targets, seg, u.text)
		}
		for _, f := range targetsNamedIn(targets, tokens, s.In(question)) {
			if !a.has(f) && (len(a.targets) == 0 || yesNo || targets[f].prompt != "" &&
				strings.Contains(llm.Squeeze(s.In(question)), targets[f].prompt)) {
				a.targets = append(a.targets, f)
			}
			if a.has(f) && targets[f].isAskedFor(tokens, s.In(question)) && !slices.Contains(a.open, f) {
				a.open = append(a.open, f)
			}
		}
	}
	slices.Sort(a.targets)
	a.yesNo = yesNo
	a.single = len(a.targets) == 1 && a.unknown == 0
	return a
}

// segments splits a sentence before its question words: "from which city, and on which day?" asks for two things.
func (u utterance) segments(s sentence) []segment {
	var starts []int
	for i := s.first; i < s.last; i++ {
		if !openQuestion[u.tokens[i].Word] {
			continue
		}
		at := i
		for at > s.first && (text.PhraseEnds[u.tokens[at-1].Word] || text.ListWords[u.tokens[at-1].Word]) &&
			!auxiliaryVerb[u.tokens[at-1].Word] {
			at--
		}
		if len(starts) == 0 || at > starts[len(starts)-1] {
			starts = append(starts, at)
		}
	}
	if len(starts) == 0 || starts[0] > s.first && slices.ContainsFunc(u.tokens[s.first:starts[0]], func(t text.Token) bool {
		return auxiliaryVerb[t.Word] && t.Word != "do"
	}) {
		starts = append([]int{s.first}, starts...)
	} else {
		starts[0] = s.first
	}
	var out []segment
	for k, at := range starts {
		end := s.last
		if k+1 < len(starts) {
			end = starts[k+1]
		}
		if at < end {
			out = append(out, newSegment(u.tokens[at:end]))
		}
	}
	return out
}

// newSegment reads the form of the answer from the question word and the noun after it.
func newSegment(tokens []text.Token) segment {
	seg := segment{tokens: tokens, opener: slices.IndexFunc(tokens, func(t text.Token) bool { return openQuestion[t.Word] })}
	seg.request = slices.ContainsFunc(tokens, func(t text.Token) bool { return requests[t.Word] })
	seg.prefers = slices.ContainsFunc(tokens, func(t text.Token) bool { return preferenceWords[t.Word] })
	if seg.opener < 0 {
		return seg
	}
	word := func(k int) string {
		if seg.opener+k < len(tokens) {
			return tokens[seg.opener+k].Word
		}
		return ""
	}
	has := func(set text.WordSet, n int) bool {
		for k := 1; k <= n; k++ {
			if set[word(k)] {
				return true
			}
			if text.PhraseEnds[word(k)] && !articles[word(k)] && k > 1 {
				return false
			}
		}
		return false
	}
	switch w := strings.TrimSuffix(tokens[seg.opener].Word, "'s"); {
	case w == "when":
		seg.kinds = []text.Kind{text.KindDate, text.KindTime, text.KindDatetime}
	case w == "where":
		seg.kinds = []text.Kind{text.KindPlace, text.KindAddress, text.KindCountry}
	case w == "who" || w == "whom":
		seg.kinds = []text.Kind{text.KindPerson, text.KindFree, text.KindFirstName, text.KindLastName}
	case w == "how" && word(1) == "many", w == "how" && word(1) == "long":
		seg.kinds = []text.Kind{text.KindNumber}
	case w == "how" && word(1) == "much":
		seg.kinds = []text.Kind{text.KindMoney, text.KindNumber}
	case w == "how" && word(1) == "old":
		seg.kinds = []text.Kind{text.KindAge, text.KindNumber}
	case w == "how":
	case has(dayNouns, 3):
		seg.kinds = []text.Kind{text.KindDate, text.KindDatetime}
	case has(timeNouns, 3):
		seg.kinds = []text.Kind{text.KindTime, text.KindDatetime}
	case has(sortNouns, 2):
		seg.kinds = []text.Kind{text.KindFree, text.KindChoice}
	case has(placeNouns, 4):
		seg.kinds = []text.Kind{text.KindPlace, text.KindAddress, text.KindCountry}
	}
	return seg
}

// ask adds the target that a segment asks for: the one whose definition fits best. Nothing is added if two fit alike.
func (a *agentQuestion) ask(targets []target, seg segment, content string) {
	words := make([]string, len(seg.tokens))
	for i, t := range seg.tokens {
		words[i] = t.Word
	}
	if seg.opener < 0 && !seg.prefers {
		return // named targets only, added by the caller
	}
	best, second, found := 0.0, 0.0, -1
	sides := sensesIn(words)
	for f, t := range targets {
		s := t.askedScore(targets, seg, words, sides)
		switch {
		case s <= 0:
		case s > best:
			best, second, found = s, best, f
		case s > second:
			second = s
		}
	}
	if found < 0 || best-second < askMargin {
		if seg.opener >= 0 {
			a.unknown++
		}
		return
	}
	if !a.has(found) {
		a.targets = append(a.targets, found)
		a.open = append(a.open, found)
	}
}

// askMargin is the difference of scores from which a question is for one target and not for another.
const askMargin = 0.15

// askedScore returns how well a question fits t, 0 if not at all.
func (t target) askedScore(targets []target, seg segment, words []string, sides text.WordSet) float64 {
	named := 0.0
	for _, parts := range slices.Concat(t.labels, t.asks) {
		for i := range seg.tokens {
			if hasInflectedWords(seg.tokens, i, parts) {
				named = max(named, 1+0.5*float64(len(parts)))
			}
		}
	}
	for i, w := range words {
		sorted := slices.ContainsFunc(words[max(0, i-3):i], func(s string) bool { return sortNouns[s] })
		if len(t.describes) > 0 && sorted && isThing(targets, text.Singular(w)) {
			named = max(named, 1.2)
		}
		if t.entity[text.Singular(w)] && t.kind != text.KindBoolean && !(sorted && t.kind != text.KindChoice) {
			bonus := 0.6
			if i > 0 && (openQuestion[words[i-1]] || i > 1 && openQuestion[words[i-2]]) {
				bonus = 1.5 // "which restaurant"
			}
			named = max(named, bonus)
		}
		if t.kind == text.KindNumber && i > 1 && words[i-1] == "many" && t.countsNoun(w) {
			named = max(named, 2)
		}
		if len(t.describes) > 0 && t.describes[text.Singular(w)] && slices.ContainsFunc(words[:i], func(s string) bool {
			return sortNouns[s]
		}) {
			named = max(named, 1.5) // "what kind of movie"
		}
	}
	if len(t.describes) > 0 && slices.Contains(seg.kinds, text.KindChoice) && onlyDescribing(targets) {
		named = max(named, 1) // "what type would you like?"
	}
	evidence := t.evidence(words)
	fits := slices.Contains(seg.kinds, t.kind)
	switch {
	case t.kind == text.KindNone:
		return 0
	case seg.kinds != nil && !fits && named < 1:
		return 0
	case seg.kinds == nil && named == 0 && evidence < 0.6:
		return 0
	case t.kind == text.KindFree && fits && named+evidence == 0:
		return 0
	}
	score := named + evidence
	if fits {
		score++
		if t.kind == text.KindTime && len(seg.kinds) > 0 && seg.kinds[0] == text.KindDate {
			score -= 0.4 // "when" asks for a day, if there is one
		}
	}
	ctx := contextSide(targets, t.kind, sides)
	switch {
	case shares(sides, t.profile.sides):
		score += 0.8
	case ctx != noSide && t.profile.side == ctx:
		score += 0.6
	case ctx != noSide && t.profile.side != noSide:
		score -= 1
	case ctx == noSide && t.profile.side == endSide:
		score -= 0.3 // without a side, a question is about the start
	}
	if (t.site || t.kind == text.KindAddress) && !slices.ContainsFunc(words, func(w string) bool { return siteWords[w] }) {
		score -= 0.4
	}
	return score
}

// onlyDescribing reports whether only one target describes something.
func onlyDescribing(targets []target) bool {
	count := 0
	for _, t := range targets {
		if len(t.describes) > 0 || t.kind == text.KindChoice && len(t.entity) > 0 {
			count++
		}
	}
	return count == 1
}

func shares(a, b text.WordSet) bool {
	for w := range a {
		if b[w] {
			return true
		}
	}
	return false
}

// contextSide returns the side that senses mean among the targets of a kind: "leaving" is the end of a stay and the
// start of a way.
func contextSide(targets []target, k text.Kind, sides text.WordSet) side {
	if len(sides) == 0 {
		return noSide
	}
	resolved := text.WordSet{}
	named := text.WordSet{}
	for _, t := range targets {
		if t.kind != k {
			continue
		}
		for s := range t.profile.sides {
			named[s] = true
		}
	}
	for s := range sides {
		switch {
		case s == "depart" && !named["depart"] && (named["checkout"] || named["checkin"]):
			resolved["end"] = true
		case s == "arrive" && k != text.KindPlace && !named["arrive"] && named["checkin"]:
			resolved["start"] = true
		default:
			resolved[s] = true
		}
	}
	return sideOf(resolved, k)
}

// elaborations begin a sentence with examples of the value just requested.
var elaborations = phrases("for example, for instance, such as, like, maybe, perhaps, something like, you can say, say, e g")

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
		if t.kind == text.KindBoolean && t.isNamedByOwnWords(tokens) {
			names = append(names, naming{text.Span{Start: 0, End: 0}, f})
		}
	}
	var out []int
	for _, n := range names {
		longer := slices.ContainsFunc(
			names,
			func(o naming) bool { return o.target != n.target && o.Contains(n.Span) && o.Span != n.Span },
		)
		if (!longer || n.Span.IsEmpty()) && !slices.Contains(out, n.target) {
			out = append(out, n.target)
		}
	}
	return out
}

// isNamedByOwnWords reports whether words contain what sets a boolean target apart: "laundry", "refundable".
func (t target) isNamedByOwnWords(tokens []text.Token) bool {
	return slices.ContainsFunc(tokens, func(w text.Token) bool { return t.essence[text.Stem(w.Word)] })
}

// labelLeads are the words right before the name of a target in an open question.
var labelLeads = text.NewWordSet("what which your the what's preferred")

// isAskedFor reports whether a question asks for the value of t and does not just mention it: "what is your job
// title?" asks, "would you like tickets for this event?" does not.
func (t target) isAskedFor(tokens []text.Token, sentence string) bool {
	if t.prompt != "" && strings.Contains(llm.Squeeze(sentence), t.prompt) {
		return true
	}
	if !slices.ContainsFunc(tokens, func(t text.Token) bool { return openQuestion[t.Word] || requests[t.Word] }) {
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
			for i := range tokens {
				if hasInflectedWords(tokens, i, parts) {
					return true
				}
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
