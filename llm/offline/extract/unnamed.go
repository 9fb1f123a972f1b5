package extract

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/llm/offline/text"
	"github.com/contextvault/contextvault/vault"
)

// readCorrections gives a value that corrects an earlier one of its kind to the same target: "no, it's b@x.com".
func (tr *turnReader) readCorrections() {
	for i, e := range tr.entities {
		f, ok := tr.lastKinds[e.Kind]
		ok = ok && !tr.isStated(f, statedByName) && tr.isCorrection(e.Span)
		if before, found := tr.correctedHere(e); found {
			f, ok = before, true
		}
		if !ok || tr.used[i] || tr.sentenceAt(e.Span).isQuestion || tr.isAboutOther(e.Span) {
			continue
		}
		if e.Kind == text.KindNumber || e.Kind == text.KindAge {
			continue // readEntities reads numbers
		}
		if (e.Kind == text.KindDate || e.Kind == text.KindTime) && tr.onlyOfKind(e.Kind) < 0 {
			continue // readEntities chooses between several days
		}
		value, ceiling := tr.targets[f].match(e, tr.text)
		if tr.countOfKind(e.Kind) == 1 &&
			tr.record(f, value, e.Span, tr.quoteAround(e.Span), capConfidence(confidenceOnlyForm, ceiling), statedByName) {
			tr.used[i] = true
		}
	}
}

// readCorrectedCode gives a code that corrects the last one: "my order number is A-12. No wait, it's A-21", "*A-21". It
// has the shape of that code, and nothing else in its sentence has.
func (tr *turnReader) readCorrectedCode() {
	f, ok := tr.lastKinds[text.KindIdentifier]
	before, from := tr.lastCode, 0
	for _, s := range tr.stated {
		if tr.targets[s.target].kind == text.KindIdentifier {
			f, ok, before, from = s.target, true, codeShape(string(s.value)), s.valueSpan.End
		}
	}
	if !ok {
		return
	}
	var only text.Span
	for i := 0; i < len(tr.tokens); i++ {
		start := tr.tokens[i].Start
		if start < from || (!only.IsEmpty() && start < only.End) {
			continue
		}
		code := tr.codeAt(start, len(tr.text), tr.targets[f])
		if code.IsEmpty() || codeShape(string(tr.targets[f].encode(code.In(tr.text), ""))) != before {
			continue
		}
		if !only.IsEmpty() {
			return
		}
		only = code
	}
	if only.IsEmpty() || !tr.isCorrection(only) || tr.sentenceAt(only).isQuestion || tr.isAboutOther(only) {
		return
	}
	value := tr.targets[f].encode(only.In(tr.text), "")
	tr.record(f, value, only, tr.quoteAround(only), confidenceOnlyForm, statedByName)
}

// codeShape replaces each letter of a code by a and each digit by 0.
func codeShape(code string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsDigit(r):
			return '0'
		case unicode.IsLetter(r):
			return 'a'
		default:
			return r
		}
	}, code)
}

// correctedHere returns the target of the last value of e's kind before e, if the words between them are a
// correction: "my email is a@x.com. Sorry, b@x.com".
func (tr *turnReader) correctedHere(e text.Entity) (f int, found bool) {
	at := -1
	for _, s := range tr.stated {
		if tr.targets[s.target].kind == e.Kind && s.valueSpan.End <= e.Start && s.valueSpan.End > at {
			f, at = s.target, s.valueSpan.End
		}
	}
	if at < 0 {
		return 0, false
	}
	between := tr.wordsBetween(at, e.Start)
	return f, len(between) <= 5 &&
		slices.ContainsFunc(between, func(w string) bool { return corrections[w] || w == "no" || w == "nope" })
}

// countOfKind returns the number of unused entities of a kind.
func (tr *turnReader) countOfKind(k text.Kind) int {
	n := 0
	for i, e := range tr.entities {
		if e.Kind == k && !tr.used[i] && !tr.isNegated(e.Span) {
			n++
		}
	}
	return n
}

// countsNoun reports whether a number before the noun w is a value of t.
func (t target) countsNoun(w string) bool {
	unit := text.Singular(w)
	return t.units[unit] || (t.people && personNouns[unit])
}

// partyPattern matches the text before a number of people without a noun: "a table for 4".
var partyPattern = regexp.MustCompile(
	`(?i)\b(?:table|party|reservation|booking|group|seating)\s+(?:for|of)\s+(?:just\s+|only\s+)?$`,
)

// isRemark reports whether the sentence is about the agent's offer: "that's pretty expensive".
func (tr *turnReader) isRemark(s text.Span) bool {
	c := tr.sentenceAt(s)
	return c.first < c.last && remarkStarts[tr.tokens[c.first].Word]
}

var remarkStarts = text.NewWordSet("that's that thats it's its it they they're this those these")

// isAskedAbout reports whether a question asks about the word at token i: "how expensive are they".
func (tr *turnReader) isAskedAbout(i int) bool {
	for k := max(0, i-2); k < i; k++ {
		if w := tr.tokens[k].Word; w == "how" || w == "what" || w == "which" {
			return tr.sentenceAt(tr.tokens[k].Span).first <= k
		}
	}
	return false
}

// partOfName reports whether the words are part of a longer capitalised name: "Park" in "Hyde Park Hotel".
func (tr *turnReader) partOfName(i, n int) bool {
	if !isCapitalised(tr.tokens[i].In(tr.text)) {
		return false
	}
	before := i > 0 && tr.tokens[i].Start-tr.tokens[i-1].End == 1 && isCapitalised(tr.tokens[i-1].In(tr.text)) &&
		tr.sentenceAt(tr.tokens[i].Span).first != i-1 &&
		tr.tokens[i-1].Word != "i"
	after := i+n < len(tr.tokens) && tr.tokens[i+n].Start-tr.tokens[i+n-1].End == 1 &&
		isCapitalised(tr.tokens[i+n].In(tr.text)) &&
		tr.tokens[i+n].Word != "i"
	return before || after
}

func isCapitalised(w string) bool { return w != "" && w[0] >= 'A' && w[0] <= 'Z' }

// givesAddress matches the words before an address that the customer gives as their own.
var givesAddress = regexp.MustCompile(
	`(?i)(?:\b(?:reach|contact|e-?mail|mail|write(?:\s+to)?|text|call|ring|phone|message)\s+me(?:\s+back)?(?:\s+` +
		`(?:at|on|via|to|under|with))?|\bsend\s+(?:it|them|that|this|everything|the\s+\w+)\s+to|\buse|\bit'?s` +
		`|\bit\s+is|\bhere'?s|\bhere\s+is|\bhere\s+you\s+go|\bthat'?s|\bmine\s+is|\bis|^)(?:\s+(?:my|at|on))?[\s:,\-–]*$`,
)

// Words that put a day into the past, and words right before a day that make it a limit of a period.
var (
	pastWords = text.NewWordSet(`was were did had been ordered bought purchased born received arrived since ago last
		paid sent called happened expired issued got returning leaving checking visited yesterday`)
	boundWords = text.NewWordSet("until till through from between before after by since to")
)

// isPastOrBound reports whether a day or time is not a wish: it is past, it limits a period, or the sentence ends the
// conversation.
func (tr *turnReader) isPastOrBound(s text.Span) bool {
	c := tr.sentenceAt(s)
	before := tr.wordsBetween(tr.clauseStart(c, s.Start), s.Start)
	if slices.ContainsFunc(before, func(w string) bool { return pastWords[w] }) {
		return true
	}
	if n := len(before); n > 0 && boundWords[before[n-1]] && !(before[n-1] == "to" && tr.isCorrecting(c)) {
		return true
	}
	return slices.ContainsFunc(tr.tokens[c.first:c.last], func(t text.Token) bool { return closingWords[t.Word] })
}

// closingWords end a conversation: "that is all I need today".
var closingWords = text.NewWordSet("all help bye goodbye")

// readUnnamed reads entities by their form alone, if only one target has their kind.
func (tr *turnReader) readUnnamed() {
	for i, e := range tr.entities {
		if tr.used[i] || tr.sentenceAt(e.Span).isQuestion {
			continue
		}
		f := tr.onlyOfKind(e.Kind)
		if f < 0 || tr.isStated(f, statedInAnswer) {
			continue
		}
		t := tr.targets[f]
		value, ceiling := t.match(e, tr.text)
		if value == nil || e.Ambiguous {
			continue
		}
		confidence := confidenceDoubtful
		switch e.Kind {
		case text.KindNumber, text.KindAge:
			continue // a number alone fits anything
		case text.KindEmail, text.KindPhone, text.KindURL:
			if !tr.isAboutOther(e.Span) && tr.isGivenAsOwn(e) && tr.countOfKind(e.Kind) == 1 {
				confidence = confidenceOnlyForm
			}
		case text.KindDate, text.KindTime, text.KindDatetime, text.KindMoney:
			continue // readEntities reads them
		default: // doubtful
		}
		if tr.record(f, value, e.Span, tr.quoteAround(e.Span), capConfidence(confidence, ceiling), statedByForm) {
			tr.used[i] = true
		}
	}
}

// isGivenAsOwn reports whether the words before an address give it as the customer's own. In "reach me at … or …"
// they do so for both addresses.
func (tr *turnReader) isGivenAsOwn(e text.Entity) bool {
	start := tr.sentenceAt(e.Span).Start
	for _, s := range tr.stated {
		if s.turn == tr.turn && s.valueSpan.End <= e.Start && s.valueSpan.Start >= start && s.strength == statedByForm &&
			s.confidence >= confidenceOnlyForm &&
			tr.onlyWords(s.valueSpan.End, e.Start, joiningWords, 3) {
			return true
		}
	}
	lead := strings.TrimLeft(tr.text[max(start, e.Start-120):e.Start], " ")
	return onlyInterjections(lead) || givesAddress.MatchString(lead)
}

// joiningWords stand between two alternative addresses.
var joiningWords = text.NewWordSet("or and at by on via email phone")

func onlyInterjections(s string) bool {
	return !slices.ContainsFunc(text.Words(s), func(w string) bool { return !interjections[w] })
}

// onlyOfKind returns the only target of a kind, or -1.
func (tr *turnReader) onlyOfKind(k text.Kind) int {
	found := -1
	for f, t := range tr.targets {
		if t.kind == k {
			if found >= 0 {
				return -1
			}
			found = f
		}
	}
	return found
}

// isAboutCustomer reports whether t is a fact about the customer and not part of a request: a date of birth, a home
// town.
func (t target) isAboutCustomer() bool {
	parts := text.Words(vault.DisplayName(t.def.Name) + " . " + t.def.Description)
	for i, w := range parts {
		if aboutCustomer[w] ||
			w == "of" && i+2 < len(parts) && parts[i+1] == "the" && people[parts[i+2]] && i+3 == len(parts) {
			return true
		}
	}
	return false
}

var (
	aboutCustomer = text.NewWordSet(
		"customer's user's client's member's home lives residence residential birth birthday born",
	)
	people = text.NewWordSet("customer user client caller member")
)

// isPartOfRequest reports whether t is part of the customer's request (the date of a reservation) and not a fact
// about the customer. Customers state such a value without naming it. Only a description can tell.
func (t target) isPartOfRequest() bool { return llm.HasText(t.def.Description) && !t.isAboutCustomer() }
