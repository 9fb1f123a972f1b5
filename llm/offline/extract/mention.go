package extract

import (
	"regexp"
	"slices"
	"strings"

	"github.com/contextvault/contextvault/llm/offline/text"
	"github.com/contextvault/contextvault/vault"
)

// surroundings are the words around a mention of a value, in its clause.
type surroundings struct {
	before, after []string
	sides         text.WordSet // senses of direction, the nearest ones
}

// contextWords is the number of words before a mention that can say what it is.
const contextWords = 8

// contextOf returns the words around a span: back to the previous mention or the start of the clause, and on to the end
// of the clause.
func (tr *turnReader) contextOf(s text.Span) surroundings {
	c := tr.sentenceAt(s)
	i, j := tr.tokenAt(s.Start), tr.tokenAt(s.End)
	start := max(c.first, i-contextWords)
	for _, e := range tr.entities {
		if e.End <= s.Start && (e.Kind == text.KindDate || e.Kind == text.KindTime || e.Kind == text.KindMoney) {
			if at := tr.tokenAt(e.End); tr.separates(at, i) {
				start = max(start, at)
			}
		}
	}
	for k := start + 1; k < i; k++ {
		if strings.ContainsAny(tr.text[tr.tokens[k-1].End:tr.tokens[k].Start], ",;:()") && tr.hasContent(k, i) {
			start = k
		}
	}
	end := j
	for end < c.last && end < j+4 {
		if end > 0 && strings.ContainsAny(tr.text[tr.tokens[end-1].End:tr.tokens[end].Start], ",;:()") {
			break
		}
		if w := tr.tokens[end].Word; w == "and" || w == "but" {
			break
		}
		if slices.ContainsFunc(tr.entities, func(e text.Entity) bool { return e.Contains(tr.tokens[end].Span) }) {
			break
		}
		end++
	}
	ctx := surroundings{}
	for _, t := range tr.tokens[start:max(start, i)] {
		ctx.before = append(ctx.before, t.Word)
	}
	for _, t := range tr.tokens[min(j, end):end] {
		ctx.after = append(ctx.after, t.Word)
	}
	ctx.sides = nearestSenses(ctx.before)
	if r := tr.rangeSide(s); r != "" {
		ctx.sides = text.WordSet{r: true}
	}
	if len(ctx.sides) == 0 {
		ctx.sides = sensesIn(ctx.after)
	}
	return ctx
}

// rangeSide returns the sense of a span in a range, "from the 3rd to the 5th": "start", "end", or "" if there is no
// range.
func (tr *turnReader) rangeSide(s text.Span) string {
	at := slices.IndexFunc(tr.entities, func(e text.Entity) bool { return e.Span == s })
	if at < 0 {
		return ""
	}
	joins := func(a, b text.Entity) bool {
		if a.Kind != b.Kind {
			return false
		}
		switch strings.ToLower(strings.TrimSpace(tr.text[a.End:b.Start])) {
		case "to", "-", "–", "until", "till", "through", "thru", "to the", "until the", "till the", "through the":
			return true
		}
		return false
	}
	switch {
	case at > 0 && joins(tr.entities[at-1], tr.entities[at]):
		return "end"
	case at+1 < len(tr.entities) && joins(tr.entities[at], tr.entities[at+1]):
		return "start"
	}
	return ""
}

// separates reports whether words between two mentions separate their clauses: "and leave on". Without one, as in "from
// the 3rd to the 5th", the words before the first belong to it alone anyway.
func (tr *turnReader) separates(from, to int) bool { return to >= from }

// hasContent reports whether tokens contain more than prepositions, so that they say what a mention is.
func (tr *turnReader) hasContent(from, to int) bool {
	return slices.ContainsFunc(tr.tokens[from:to], func(t text.Token) bool {
		_, isSense := senses[t.Word]
		return isSense || !text.PhraseEnds[t.Word] && !functionWords[t.Word] && !interjections[t.Word]
	})
}

// nearestSenses returns the senses of the last word with a sense, and of a verb before its preposition.
func nearestSenses(parts []string) text.WordSet {
	list := joinWords(parts)
	for i := len(list) - 1; i >= 0; i-- {
		s, ok := senses[list[i]]
		if !ok || weakSenses[list[i]] {
			continue
		}
		out := text.WordSet{s: true}
		return out
	}
	return text.WordSet{}
}

// weakSenses are words whose sense holds in definitions only: in a sentence, "go" and "first" say nothing about a side.
var weakSenses = text.NewWordSet("go fly travel first last source collection reach land heading headed towards")

// fit is a target that a mention may be a value of.
type fit struct {
	target int
	score  float64
	sided  bool // the side of the mention is the side of the target
}

// wordsOfSureReply is the length of a turn up to which a value in it answers the question without doubt, in words.
const wordsOfSureReply = 12

// fitMargin is the difference of scores from which a mention is a value of one target and not of another.
const fitMargin = 0.3

// choiceMargin is fitMargin for an allowed value of several definitions: without words around it, it fits them all.
const choiceMargin = 0.5

// fits returns the targets that a mention can be a value of, the best first.
func (tr *turnReader) fits(candidates []int, k text.Kind, ctx surroundings) []fit {
	var out []fit
	way := contextSide(tr.targets, k, ctx.sides)
	for _, f := range candidates {
		t := tr.targets[f]
		score := fit{target: f, score: t.evidence(ctx.before) + t.evidence(ctx.after)/2}
		if tr.question.has(f) {
			score.score++
		}
		if t.plain {
			score.score += 0.35 // "amount" and not "balance"
		}
		switch {
		case shares(ctx.sides, t.profile.sides):
			score.score, score.sided = score.score+1.2, true
		case way != noSide && t.profile.side == way:
			score.score, score.sided = score.score+0.8, true
		case way != noSide && t.profile.side != noSide:
			score.score -= 1.5
		case way == noSide && t.profile.side == endSide:
			score.score -= 0.4 // without a side, it is the start
		}
		out = append(out, score)
	}
	slices.SortStableFunc(out, func(a, b fit) int {
		switch {
		case a.score > b.score:
			return -1
		case a.score < b.score:
			return 1
		}
		return 0
	})
	return out
}

// readEntities reads days, times, numbers and amounts: each is a value of the target whose definition fits its words
// best, among all definitions of the agent.
func (tr *turnReader) readEntities() {
	for i, e := range tr.entities {
		if tr.used[i] || e.Value == "" && e.Kind == text.KindNumber {
			continue
		}
		switch e.Kind {
		case text.KindNumber:
			tr.readNumber(i, e)
		case text.KindDate, text.KindTime, text.KindDatetime, text.KindMoney:
			tr.readEntity(i, e)
		default: // contacts and codes are read by name and form
		}
	}
}

func (tr *turnReader) readEntity(i int, e text.Entity) {
	var candidates []int
	for f, t := range tr.targets {
		if value, _ := t.match(e, tr.text); value != nil && !tr.isStated(f, statedByName) && !t.isAboutCustomer() {
			candidates = append(candidates, f)
		}
	}
	if len(candidates) == 0 || e.Ambiguous || tr.isEnquiry(e.Span) {
		return
	}
	ctx := tr.contextOf(e.Span)
	list := tr.fits(candidates, e.Kind, ctx)
	best := list[0]
	t := tr.targets[best.target]
	asked := tr.question.has(best.target)
	switch {
	case len(list) > 1 && best.score-list[1].score < fitMargin, best.score <= -1:
		return
	case !asked && !best.sided && (e.Kind == text.KindDate || e.Kind == text.KindTime) && tr.isPastOrBound(e.Span):
		return
	case !asked && t.def.ValueType != vault.TypeString && !t.isPartOfRequest():
		return
	case !asked && !tr.isOnTopic(e.Span):
		return
	}
	value, ceiling := t.match(e, tr.text)
	confidence, how := confidenceOnlyForm, statedByForm
	switch {
	case asked && !tr.contradicts(best.target, ctx, e.Kind) &&
		len(tr.tokens) <= wordsOfSureReply &&
		(best.sided || len(tr.question.targets) == 1 && tr.question.unknown == 0 && len(candidates) == 1):
		confidence, how = confidenceAnswered, statedInAnswer
	case best.sided || t.evidence(ctx.before) >= 0.5:
		confidence, how = confidenceCounted, statedInAnswer
	}
	if tr.record(best.target, value, e.Span, tr.quoteAround(e.Span), capConfidence(confidence, ceiling), how) {
		tr.used[i] = true
	}
}

// contradicts reports whether the words around an answer name another side than the question did, or two values of the
// kind answer.
func (tr *turnReader) contradicts(f int, ctx surroundings, k text.Kind) bool {
	way := contextSide(tr.targets, k, ctx.sides)
	return way != noSide && tr.targets[f].profile.side != noSide && way != tr.targets[f].profile.side || tr.countOfKind(k) > 1
}

// readNumber reads a number by the noun that it counts, by the words around it, or as an answer.
func (tr *turnReader) readNumber(i int, e text.Entity) {
	if tr.isEnquiry(e.Span) {
		return
	}
	nouns := tr.countedNouns(e)
	ctx := tr.contextOf(e.Span)
	var list []fit
	for f, t := range tr.targets {
		value, _ := t.match(e, tr.text)
		if value == nil || t.kind != text.KindNumber && t.kind != text.KindMoney || tr.isStated(f, statedByName) {
			continue
		}
		s := tr.numberScore(f, e, nouns, ctx)
		if s > 0 {
			list = append(list, fit{target: f, score: s})
		}
	}
	slices.SortStableFunc(list, func(a, b fit) int {
		switch {
		case a.score > b.score:
			return -1
		case a.score < b.score:
			return 1
		}
		return 0
	})
	if len(list) == 0 || len(list) > 1 && list[0].score-list[1].score < fitMargin {
		return
	}
	f := list[0].target
	asked := tr.question.has(f)
	if !asked && !tr.isOnTopic(e.Span) {
		return
	}
	value, ceiling := tr.targets[f].match(e, tr.text)
	confidence := confidenceCounted
	if asked && tr.countOfKind(text.KindNumber) == 1 && len(tr.tokens) <= wordsOfSureReply {
		confidence = confidenceAnswered
	}
	if tr.record(f, value, e.Span, tr.quoteAround(e.Span), capConfidence(confidence, ceiling), statedInAnswer) {
		tr.used[i] = true
	}
}

// countedNouns returns the words that a number counts: up to three words after it, without a mark between them.
func (tr *turnReader) countedNouns(e text.Entity) []string {
	var out []string
	end := e.End
	for i := tr.tokenAt(e.End); i < len(tr.tokens) && len(out) < 3; i++ {
		if len(out) == 0 && tr.tokens[i].Word == "of" && i+1 < len(tr.tokens) && tr.tokens[i+1].Word == "us" {
			return []string{"people"}
		}
		gap := tr.text[end:tr.tokens[i].Start]
		if strings.TrimSpace(gap) != "" && gap != "-" || text.PhraseEnds[tr.tokens[i].Word] ||
			text.ListWords[tr.tokens[i].Word] || interjections[tr.tokens[i].Word] {
			break
		}
		out = append(out, tr.tokens[i].Word)
		end = tr.tokens[i].End
	}
	return out
}

// numberScore returns how well a number fits target f, 0 if it does not.
func (tr *turnReader) numberScore(f int, e text.Entity, nouns []string, ctx surroundings) float64 {
	t := tr.targets[f]
	counted := 0.0
	for k, w := range nouns {
		if t.countsNoun(w) {
			counted = max(counted, 2-0.3*float64(k))
		}
	}
	lead := tr.text[max(0, e.Start-60):e.Start]
	switch {
	case counted > 0:
	case len(nouns) > 0 && personNouns[text.Singular(nouns[0])] && t.people:
		counted = 1.8
	case len(nouns) > 0 && personNouns[text.Singular(nouns[0])] && t.holdsPeople() && !tr.hasPeople():
		counted = 1.2
	case len(nouns) > 0 && t.people && (holders[text.Singular(nouns[0])] || len(nouns) > 1 && holders[text.Singular(nouns[1])]) &&
		!tr.countsAny(nouns[0]):
		counted = 1.2
	case len(nouns) == 0 && t.people && forPattern.MatchString(lead):
		counted = 1.2
	case len(nouns) == 0 && partyPattern.MatchString(lead) && (t.people || t.holdsPeople() && !tr.hasPeople()):
		counted = 1.5
	}
	named := 0.0
	if before := t.evidence(lastWords(ctx.before, 5)); before >= 0.5 && (len(nouns) == 0 || counted > 0) {
		named = before
	}
	if after := t.evidence(nouns); after >= 0.5 && counted == 0 && t.kind == text.KindNumber && len(t.units) == 0 {
		named = max(named, after)
	}
	asked := 0.0
	if tr.question.has(f) && (len(nouns) == 0 || counted > 0 || !tr.countsSomethingElse(f, e)) && len(tr.tokens) <= 16 {
		asked = 1
	}
	if counted == 0 && strings.EqualFold(e.In(tr.text), "one") && (asked == 0 || len(tr.tokens) > 6) {
		return 0 // "that is the one"
	}
	if t.kind == text.KindMoney && asked == 0 {
		return 0
	}
	if strings.ContainsRune(e.In(tr.text), '.') && len(t.units) > 0 {
		return 0 // nobody has 2.5 tickets
	}
	return counted + named + asked
}

func lastWords(parts []string, n int) []string { return parts[max(0, len(parts)-n):] }

// holders are things of which each person has one.
var holders = text.NewWordSet("ticket seat spot")

// countsAny reports whether a target counts things of that name.
func (tr *turnReader) countsAny(noun string) bool {
	return slices.ContainsFunc(tr.targets, func(t target) bool { return t.units[text.Singular(noun)] })
}

// forPattern matches the text before a number of people without a noun: "a house for 2".
var forPattern = regexp.MustCompile(`(?i)\b[a-z]{2,} for (?:just |only )?$`)

// holdsPeople reports whether the things that t counts are one for each person: seats and tickets.
func (t target) holdsPeople() bool {
	return t.units["seat"] || t.units["ticket"] || t.units["spot"] || t.units["place"]
}

// hasPeople reports whether a target counts people.
func (tr *turnReader) hasPeople() bool {
	return slices.ContainsFunc(tr.targets, func(t target) bool { return t.kind == text.KindNumber && t.people })
}

// readChoices reads allowed values. The longest match at a place wins.
func (tr *turnReader) readChoices() {
	for i := 0; i < len(tr.tokens); {
		n := tr.choiceAt(i)
		if n == 0 {
			i++
			continue
		}
		tr.readChoiceAt(i, n)
		i += n
	}
}

// choiceAt returns the number of words of the longest allowed value at token i, 0 for none.
func (tr *turnReader) choiceAt(i int) int {
	longest := 0
	for _, t := range tr.targets {
		if t.kind != text.KindChoice {
			continue
		}
		for _, c := range t.choices {
			if len(c.words) > longest && hasInflectedWords(tr.tokens, i, c.words) {
				longest = len(c.words)
			}
		}
	}
	return longest
}

func (tr *turnReader) readChoiceAt(i, n int) {
	said := text.SpanOf(tr.tokens, i, i+n)
	has := func(c choice) bool { return len(c.words) == n && hasInflectedWords(tr.tokens, i, c.words) }
	var candidates []int
	for f, t := range tr.targets {
		if t.kind == text.KindChoice && slices.ContainsFunc(t.choices, has) && !tr.isStated(f, statedByName) {
			candidates = append(candidates, f)
		}
	}
	if len(candidates) == 0 || tr.isAskedAbout(i) || tr.isEnquiry(said) || tr.partOfName(i, n) {
		return
	}
	ctx := tr.contextOf(said)
	list := tr.fits(candidates, text.KindChoice, ctx)
	margin := choiceMargin
	if slices.ContainsFunc(lastWords(ctx.before, 2), func(w string) bool { return firstPerson[w] }) {
		margin = fitMargin // "my savings account" is not the account of another person
	}
	if len(list) > 1 && list[0].score-list[1].score < margin {
		return
	}
	f := list[0].target
	asked := tr.question.has(f)
	if !asked && (tr.isRemark(said) || !tr.isOnTopic(said)) {
		return
	}
	confidence, how := confidenceChoice, statedByForm
	if asked {
		confidence, how = confidenceAnswered, statedInAnswer
	}
	t := tr.targets[f]
	raw := t.choices[slices.IndexFunc(t.choices, has)].raw
	if tr.record(f, raw, said, tr.quoteAround(said), confidence, how) {
		tr.markUsed(said)
	}
}
