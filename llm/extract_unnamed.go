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
		if !ok || l.used[i] || l.has(f, byName) || !l.isCorrection(e.span) || l.sentenceAt(e.span).enquiry || l.foreign(e.span) {
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
		if t.people && (noun == "" || phraseEnds[noun] || listWords[noun]) && partyPattern.MatchString(l.text[:e.start]) {
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
	if l.asked.has(f) {
		confidence, how = sureAnswered, byQuestion
	}
	if l.state(f, t.choices[at].raw, said, l.context(said), confidence, how) {
		l.use(said)
	}
}

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

// Words that put a date into the past, or make it the end of something.
var pastOrEnd = setOf(`was were did had been ordered bought purchased born received arrived since ago last until till through from between before after by
	to paid sent called happened expired issued got returning leaving checking visited yesterday`)

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
		case kindEmail, kindPhone, kindURL:
			start := l.sentenceAt(e.span).start
			if lead := strings.TrimLeft(l.text[start:e.start], " "); !l.foreign(e.span) && (onlyInterjections(lead) || givesAddress.MatchString(lead)) {
				confidence = sureTyped
			}
		case kindDate, kindTime:
			if !t.forRequest() || t.birth() {
				continue
			}
			c := l.sentenceAt(e.span)
			if !slices.ContainsFunc(l.wordsBetween(l.clauseStart(c, e.start), e.start), func(w string) bool { return pastOrEnd[w] }) &&
				!slices.ContainsFunc(l.tokens[c.first:c.last], func(t token) bool { return closing[t.word] }) {
				confidence = sureTyped
			}
		}
		if l.state(f, value, e.span, l.context(e.span), limited(confidence, ceiling), byForm) {
			l.used[i] = true
		}
	}
}

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
			if said.empty() || l.sentenceAt(said).enquiry || slices.ContainsFunc(l.entities, func(e entity) bool { return e.overlaps(said) }) {
				continue
			}
			l.state(f, t.store(said.in(l.text), ""), said, l.context(said), sureTyped, byForm)
		}
	}
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
