package llm

import (
	"regexp"
	"slices"
	"strings"

	"github.com/contextvault/contextvault/vault"
)

// corrected gives a value that corrects an earlier one of its form to the field of that one: "no, it's b@x.com".
func (l *listener) corrected() {
	for i, e := range l.entities {
		f, ok := l.lastKinds[e.kind]
		ok = ok && !l.has(f, byName) && l.isCorrection(e.span)
		if before, found := l.correctedHere(e); found {
			f, ok = before, true
		}
		if !ok || l.used[i] || l.sentenceAt(e.span).enquiry || l.foreign(e.span) {
			continue
		}
		if e.kind == kindNumber || e.kind == kindAge {
			continue // counted() knows what a number counts
		}
		value, ceiling := l.targets[f].fits(e, l.text)
		if l.countForm(e.kind) == 1 && l.state(f, value, e.span, l.context(e.span), limited(sureTyped, ceiling), byName) {
			l.used[i] = true
		}
	}
}

// correctedHere gives the field of the value of e's form just before it, where the words between them correct it: "my email is a@x.com.
// Sorry, b@x.com".
func (l *listener) correctedHere(e entity) (field int, found bool) {
	at := -1
	for _, s := range l.stated {
		if l.targets[s.field].kind == e.kind && s.said.end <= e.start && s.said.end > at {
			field, at = s.field, s.said.end
		}
	}
	if at < 0 {
		return 0, false
	}
	between := l.wordsBetween(at, e.start)
	return field, len(between) <= 5 && slices.ContainsFunc(between, func(w string) bool { return corrections[w] || w == "no" || w == "nope" })
}

// countForm gives how many unused entities of a form the turn has.
func (l *listener) countForm(k kind) int {
	n := 0
	for i, e := range l.entities {
		if e.kind == k && !l.used[i] && !l.denied(e.span) {
			n++
		}
	}
	return n
}

// counts reports whether a number before the word w is a number of this field.
func (t target) counts(w string) bool {
	unit := singular(w)
	return t.units[unit] || (t.people && counted[unit])
}

// partyPattern is what stands before a number of people that has no noun of its own: "a table for 4".
var partyPattern = regexp.MustCompile(`(?i)\b(?:table|party|reservation|booking|group|seating)\s+(?:for|of)\s+(?:just\s+|only\s+)?$`)

// counted states numbers with what they count: "3 tickets".
func (l *listener) counted() {
	for i, e := range l.entities {
		if e.kind != kindNumber || e.value == "" || l.used[i] {
			continue
		}
		f := l.countedField(e)
		if f < 0 {
			continue
		}
		if l.sentenceAt(e.span).enquiry {
			continue
		}
		t := l.targets[f]
		value, _ := t.fits(e, l.text)
		if l.state(f, value, e.span, l.context(e.span), sureCounted, byQuestion) {
			l.used[i] = true
		}
	}
}

// countedField gives the only field that a number counts, by the noun behind it, or -1.
func (l *listener) countedField(e entity) int {
	i := l.tokenAt(e.end)
	noun, next := "", ""
	if i < len(l.tokens) && strings.TrimSpace(l.text[e.end:l.tokens[i].start]) == "" {
		noun = l.tokens[i].word
		if i+1 < len(l.tokens) {
			next = l.tokens[i+1].word
		}
	}
	found := -1
	for f, t := range l.targets {
		if t.kind != kindNumber {
			continue
		}
		matches := noun != "" && t.counts(noun)
		if t.people && noun == "of" && next == "us" {
			matches = true
		}
		if t.people && (noun == "" || phraseEnds[noun] || listWords[noun]) && partyPattern.MatchString(l.text[max(0, e.start-60):e.start]) {
			matches = true
		}
		if !matches {
			continue
		}
		if found >= 0 {
			return -1
		}
		found = f
	}
	return found
}

// chosen states allowed values that are mentioned: the longest that fits, of one field only.
func (l *listener) chosen() {
	for i := 0; i < len(l.tokens); {
		n := l.choiceAt(i)
		if n == 0 {
			i++
			continue
		}
		l.chooseAt(i, n)
		i += n
	}
}

// choiceAt gives the number of words of the longest allowed value at token i.
func (l *listener) choiceAt(i int) int {
	longest := 0
	for _, t := range l.targets {
		if t.kind != kindChoice {
			continue
		}
		for _, c := range t.choices {
			if len(c.words) > longest && hasForms(l.tokens, i, c.words) {
				longest = len(c.words)
			}
		}
	}
	return longest
}

func (l *listener) chooseAt(i, n int) {
	said := spanOf(l.tokens, i, i+n)
	var fields []int
	for f, t := range l.targets {
		if t.kind == kindChoice && slices.ContainsFunc(t.choices, func(c choice) bool { return len(c.words) == n && hasForms(l.tokens, i, c.words) }) {
			fields = append(fields, f)
		}
	}
	if len(fields) > 1 {
		fields = slices.DeleteFunc(fields, func(f int) bool { return !l.asked.has(f) })
	}
	if len(fields) != 1 || l.has(fields[0], byName) || l.isInquired(i) || l.sentenceAt(said).enquiry || l.partOfName(i, n) {
		return
	}
	f := fields[0]
	t := l.targets[f]
	at := slices.IndexFunc(t.choices, func(c choice) bool { return len(c.words) == n && hasForms(l.tokens, i, c.words) })
	confidence, how := sureChoice, byForm
	if !l.asked.has(f) && l.isRemark(said) {
		return
	}
	if l.asked.has(f) {
		confidence, how = sureAnswered, byQuestion
	}
	if l.state(f, t.choices[at].raw, said, l.context(said), confidence, how) {
		l.use(said)
	}
}

// isRemark reports whether the sentence speaks of what the agent offered: "that's pretty expensive".
func (l *listener) isRemark(s span) bool {
	c := l.sentenceAt(s)
	return c.first < c.last && remarks[l.tokens[c.first].word]
}

var remarks = setOf("that's that thats it's its it they they're this those these")

// isInquired reports whether the word at token i is what a question in the sentence is about: "how expensive are they".
func (l *listener) isInquired(i int) bool {
	for k := max(0, i-2); k < i; k++ {
		if w := l.tokens[k].word; w == "how" || w == "what" || w == "which" {
			return l.sentenceAt(l.tokens[k].span).first <= k
		}
	}
	return false
}

// partOfName reports whether the words are a part of a longer capitalised name: "Park" in "Hyde Park Hotel".
func (l *listener) partOfName(i, n int) bool {
	if !isCapitalised(l.tokens[i].in(l.text)) {
		return false
	}
	before := i > 0 && l.tokens[i].start-l.tokens[i-1].end == 1 && isCapitalised(l.tokens[i-1].in(l.text)) && l.sentenceAt(l.tokens[i].span).first != i-1 && l.tokens[i-1].word != "i"
	after := i+n < len(l.tokens) && l.tokens[i+n].start-l.tokens[i+n-1].end == 1 && isCapitalised(l.tokens[i+n].in(l.text)) && l.tokens[i+n].word != "i"
	return before || after
}

func isCapitalised(w string) bool { return w != "" && w[0] >= 'A' && w[0] <= 'Z' }

// Words before an address by which the customer gives it as their own.
var givesAddress = regexp.MustCompile(`(?i)(?:\b(?:reach|contact|e-?mail|mail|write(?:\s+to)?|text|call|ring|phone|message)\s+me(?:\s+back)?(?:\s+(?:at|on|via|to|under|with))?|\bsend\s+(?:it|them|that|this|everything|the\s+\w+)\s+to|\buse|\bit'?s|\bit\s+is|\bhere'?s|\bhere\s+is|\bhere\s+you\s+go|\bthat'?s|\bmine\s+is|\bis|^)(?:\s+(?:my|at|on))?[\s:,\-–]*$`)

// Words that put a day into the past, and those right before a day that make it a bound of something.
var (
	pastWords = setOf(`was were did had been ordered bought purchased born received arrived since ago last paid sent called happened expired issued got
		returning leaving checking visited yesterday`)
	boundWords = setOf("until till through from between before after by since to")
)

// isPastOrBound reports whether a day or time is no wish: it is over, it bounds something, or it ends the conversation.
func (l *listener) isPastOrBound(s span) bool {
	c := l.sentenceAt(s)
	before := l.wordsBetween(l.clauseStart(c, s.start), s.start)
	if slices.ContainsFunc(before, func(w string) bool { return pastWords[w] }) {
		return true
	}
	if n := len(before); n > 0 && boundWords[before[n-1]] && !(before[n-1] == "to" && l.corrects(c)) {
		return true
	}
	return slices.ContainsFunc(l.tokens[c.first:c.last], func(t token) bool { return closing[t.word] })
}

// closing are words with which a conversation ends: "that is all I need today".
var closing = setOf("all help bye goodbye")

// unnamed states what is recognised by its form alone, where only one field has that form.
func (l *listener) unnamed() {
	for i, e := range l.entities {
		if l.used[i] || l.sentenceAt(e.span).enquiry {
			continue
		}
		f := l.onlyForm(e.kind)
		if f < 0 || l.has(f, byQuestion) {
			continue
		}
		t := l.targets[f]
		value, ceiling := t.fits(e, l.text)
		if value == nil || e.plain {
			continue
		}
		confidence := doubtful
		switch e.kind {
		case kindNumber, kindAge:
			continue // a number alone says nothing
		case kindEmail, kindPhone, kindURL:
			if !l.foreign(e.span) && l.givesOwn(e) && l.countForm(e.kind) == 1 {
				confidence = sureTyped
			}
		case kindDate, kindTime:
			if !t.forRequest() || !t.isGeneral() {
				continue
			}
			if !l.isPastOrBound(e.span) {
				confidence = sureTyped
			}
		}
		if l.state(f, value, e.span, l.context(e.span), limited(confidence, ceiling), byForm) {
			l.used[i] = true
		}
	}
}

// givesOwn reports whether the words before an address give it as the customer's own. In "reach me at … or …" they do so for both.
func (l *listener) givesOwn(e entity) bool {
	start := l.sentenceAt(e.span).start
	for _, s := range l.stated {
		if s.turn == l.turn && s.said.end <= e.start && s.said.start >= start && s.strength == byForm && s.confidence >= sureTyped && l.onlyWords(s.said.end, e.start, joining, 3) {
			return true
		}
	}
	lead := strings.TrimLeft(l.text[max(start, e.start-120):e.start], " ")
	return onlyInterjections(lead) || givesAddress.MatchString(lead)
}

// joining are words between two addresses of which one is as good as the other.
var joining = setOf("or and at by on via email phone")

func onlyInterjections(s string) bool {
	return !slices.ContainsFunc(words(s), func(w string) bool { return !interjections[w] })
}

// onlyForm gives the only field of a form, or -1.
func (l *listener) onlyForm(k kind) int {
	found := -1
	for f, t := range l.targets {
		if t.kind == k {
			if found >= 0 {
				return -1
			}
			found = f
		}
	}
	return found
}

// aboutCustomer are words of a description that says what a field is of the customer, not of what they ask for.
var aboutCustomer = setOf("customer customer's user's home live lives residence birth")

// forRequest reports whether the field is a part of what the customer asks for (the date of a reservation) and not a fact about
// them. Only its description can say so; what a customer asks for they say without naming it.
func (t target) forRequest() bool {
	return isText(t.def.Description) && !slices.ContainsFunc(words(t.def.Description), func(w string) bool { return aboutCustomer[w] })
}

// places states where something is to be: "in San Jose", "from Berlin to Rome".
func (l *listener) places() {
	for f, t := range l.targets {
		if t.kind != kindPlace || !t.forRequest() || l.has(f, byQuestion) {
			continue
		}
		prepositions := t.prepositions(l.onlyOf(f))
		for i := 0; i+1 < len(l.tokens); i++ {
			if !prepositions[l.tokens[i].word] || (i > 0 && l.tokens[i-1].word == "interested") || l.text[l.tokens[i].end:l.tokens[i+1].start] != " " {
				continue
			}
			said := l.capitalised(i + 1)
			if said.empty() || l.isOther(said) || l.sentenceAt(said).enquiry || slices.ContainsFunc(l.entities, func(e entity) bool { return e.overlaps(said) }) {
				continue
			}
			l.state(f, t.store(said.in(l.text), ""), said, l.context(said), sureTyped, byForm)
		}
	}
}

// isOther reports whether capitalised words are something else than a place: an allowed value of a field, or what describes a
// noun, as in "in Thai cuisine".
func (l *listener) isOther(said span) bool {
	for _, t := range l.targets {
		if t.kind == kindChoice && t.choose(said.in(l.text)) != nil {
			return true
		}
	}
	i := l.tokenAt(said.end)
	return i < len(l.tokens) && described[l.tokens[i].word] && strings.TrimSpace(l.text[said.end:l.tokens[i].start]) == ""
}

var described = setOf("cuisine food foods restaurant restaurants style language class music movies movie dishes size")

// general are words of a field's name that say nothing more than that it is a day or time of what is asked for.
var general = setOf("date time day event show appointment visit booking reservation preferred desired requested start the of")

// isGeneral reports whether the field is the day or time of the request, not one of several: the date of a visit, but not the
// date of a return.
func (t target) isGeneral() bool {
	return !slices.ContainsFunc(words(vault.DisplayName(t.def.Name)), func(w string) bool { return !general[w] })
}

// prepositions are those that lead to a place of the field's.
func (t target) prepositions(only bool) wordSet {
	for _, w := range words(vault.DisplayName(t.def.Name)) {
		switch w {
		case "from", "origin", "leaving", "departure":
			return setOf("from")
		case "to", "destination", "arrival":
			if only {
				return setOf("to in near around")
			}
			return setOf("to")
		}
	}
	if only {
		return setOf("in near around")
	}
	return nil
}
