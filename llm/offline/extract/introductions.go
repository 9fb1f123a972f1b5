package extract

import (
	"regexp"
	"strings"

	"github.com/contextvault/contextvault/llm/offline/text"
	"github.com/contextvault/contextvault/rules"
)

// Phrases by which people introduce themselves. The group, or the text after the match, is the value.
var (
	namePattern = regexp.MustCompile(
		`(?i:\b(?:my name is|my name's|i am called|i'm called|i’m called|they call me|my full name is` +
			`|this is))\s+([^.,;!?()\n]+?)(?i:\s+(?:speaking|here|by the way))?\s*(?:[.,;!?()\n]|$|\s(?i:and|but)\s)`,
	)
	bornPattern = regexp.MustCompile(`(?i)\b(?:i was|i am|i'm|i’m) born(?: on)?(?: the)?\s+`)
	agePattern  = regexp.MustCompile(
		`(?i)\b(?:i am|i'm|i’m)\s+(?:now\s+)?(\d{1,3})(?:\s+years?(?:\s+old|\s+of\s+age)?|\s*yo)?\s*(?:[.,;!?)\n]|$` +
			`|\s(?:and|but|years|year)\b)`,
	)
	countryPattern = regexp.MustCompile(
		`(?i)\b(?:i live|i'm living|i’m living|i am living|i reside|i'm based|i’m based|i am based|we live)\s+` +
			`(?:here\s+)?in\s+(?:the\s+)?`,
	)
	streetPattern = regexp.MustCompile(`(?i)\b(?:i live|i'm living|i reside|we live)\s+(?:here\s+)?at\s+`)
	shipPattern   = regexp.MustCompile(
		`(?i)\b(?:ship|deliver|send)\s+(?:it|them|this|that|everything|my order|the order|the package|the parcel)\s+to\s+`,
	)
)

// readIntroductions reads facts that customers state about themselves without a name for them: "I was born on …", "I
// live in …".
func (tr *turnReader) readIntroductions() {
	for f, t := range tr.targets {
		switch t.kind {
		case text.KindPerson, text.KindFirstName, text.KindLastName:
			if t.def.Name != "emergency_contact" {
				tr.readName(f)
			}
		case text.KindDate:
			if t.isBirthDate() {
				tr.readBirthDate(f)
			}
		case text.KindAge:
			tr.readAge(f)
		case text.KindCountry, text.KindPlace:
			tr.readResidence(f)
		case text.KindAddress:
			tr.readAddress(f)
		default: // the other kinds need the name of the target
		}
	}
}

func (tr *turnReader) readName(f int) {
	t := tr.targets[f]
	if t.kind == text.KindPerson && !tr.isOnlyOfKind(f) || tr.isStated(f, statedByName) {
		return
	}
	for _, at := range namePattern.FindAllStringSubmatchIndex(tr.text, -1) {
		said := text.TrimPunctuation(tr.text, text.Span{Start: at[2], End: at[3]})
		if tr.sentenceAt(said).isQuestion {
			continue
		}
		lower := text.Fold(tr.text[at[0]:at[2]])
		value, confidence := parsePerson(t, said.In(tr.text))
		tokens := text.Tokenize(said.In(tr.text))
		if value == nil ||
			(len(lower) >= 7 && lower[:7] == "this is" && (confidence < confidenceLabelled || len(tokens) > 3)) {
			continue
		}
		if t.kind != text.KindPerson {
			// Of two names the first is the given name. With three names it is unclear.
			part := 0
			if t.kind == text.KindLastName {
				part = 1
			}
			if len(tokens) > 2 || part >= len(tokens) {
				continue
			}
			tok := tokens[part]
			said = text.Span{Start: said.Start + tok.Start, End: said.Start + tok.End}
			value, confidence = t.encode(said.In(tr.text), ""), confidenceNamedWords
		}
		tr.record(f, value, said, text.Span{Start: at[0], End: said.End}, min(confidence, confidenceLabelled), statedByName)
	}
}

// isOnlyOfKind reports whether no other target has the kind of target f.
func (tr *turnReader) isOnlyOfKind(f int) bool {
	for i, t := range tr.targets {
		if i != f && t.kind == tr.targets[f].kind {
			return false
		}
	}
	return true
}

func (tr *turnReader) readBirthDate(f int) {
	for _, at := range bornPattern.FindAllStringIndex(tr.text, -1) {
		for i, e := range tr.entities {
			if e.Kind != text.KindDate || e.Start < at[1] || e.Start > at[1]+1 || e.Inferred {
				continue
			}
			value, _ := tr.targets[f].match(e, tr.text)
			tr.used[i] = true
			tr.record(f, value, e.Span, text.Span{Start: at[0], End: e.End}, confidenceLabelled, statedByName)
		}
	}
}

func (tr *turnReader) readAge(f int) {
	for _, at := range agePattern.FindAllStringSubmatchIndex(tr.text, -1) {
		said := text.Span{Start: at[2], End: at[3]}
		tr.markUsed(said)
		tr.record(
			f,
			tr.targets[f].encode(said.In(tr.text), said.In(tr.text)),
			said,
			text.Span{Start: at[0], End: said.End},
			confidenceLabelled,
			statedByName,
		)
	}
}

func (tr *turnReader) readResidence(f int) {
	t := tr.targets[f]
	if !tr.isOnlyOfKind(f) ||
		(t.kind == text.KindPlace && t.def.Name != "city" && t.def.Name != "home_city" && t.def.Name != "town") {
		return
	}
	for _, at := range countryPattern.FindAllStringIndex(tr.text, -1) {
		i := tr.tokenAt(at[1])
		n := text.CountryAt(tr.tokens, i)
		switch {
		case n > 0 && t.kind == text.KindCountry:
			said := text.SpanOf(tr.tokens, i, i+n)
			tr.record(
				f,
				t.encode(said.In(tr.text), ""),
				said,
				text.Span{Start: at[0], End: said.End},
				confidenceLabelled,
				statedByName,
			)
		case n == 0 && t.kind == text.KindPlace:
			if said := tr.capitalisedRun(i); !said.IsEmpty() {
				tr.record(
					f,
					t.encode(said.In(tr.text), ""),
					said,
					text.Span{Start: at[0], End: said.End},
					confidenceNamedWords,
					statedByName,
				)
			}
		}
	}
}

func (tr *turnReader) readAddress(f int) {
	t := tr.targets[f]
	pattern := streetPattern
	if t.def.Name == "shipping_address" || t.def.Name == "delivery_address" {
		pattern = shipPattern
	} else if t.def.Name == "billing_address" || !tr.isOnlyOfKind(f) && t.def.Name != "address" &&
		t.def.Name != "home_address" {
		return
	}
	for _, at := range pattern.FindAllStringIndex(tr.text, -1) {
		said := tr.valueExtent(at[1], tr.sentenceAt(text.Span{Start: at[0], End: at[1]}).End, t)
		value, _ := tr.parseWords(t, said)
		if value != nil && len(text.Words(said.In(tr.text))) >= 2 {
			tr.record(f, value, said, text.Span{Start: at[0], End: said.End}, confidenceNamedWords, statedByName)
		}
	}
}

// capitalisedRun returns the capitalised words from token i on, with a region after a comma.
func (tr *turnReader) capitalisedRun(i int) text.Span {
	j := i
	for j < len(tr.tokens) && j < i+4 && isCapitalised(tr.tokens[j].In(tr.text)) && !notPlaces[tr.tokens[j].Word] &&
		(j == i || tr.isAdjacent(j)) {
		j++
	}
	if j == i || j == i+4 {
		return text.Span{}
	}
	s := text.SpanOf(tr.tokens, i, j)
	if tail := tr.nameTailAt(s.End); tail != "" {
		s.End += len(tail) // "D.C.", "-town"
		return s
	}
	if j < len(tr.tokens) && tr.text[s.End:tr.tokens[j].Start] == ", " && tr.isRegion(s.End) {
		n := max(1, text.CountryAt(tr.tokens, j))
		s.End = tr.tokens[j+n-1].End
	}
	return s
}

// nameTail matches the rest of a name that is not a capitalised word.
var nameTail = regexp.MustCompile(`^(?:(?:\.[A-Z])+\.?|-\p{Ll}+)`)

// nameTailAt returns the rest of a name after a byte position: the "C." of "D.C.", but not the next sentence in "SF.I
// will".
func (tr *turnReader) nameTailAt(end int) string {
	tail := nameTail.FindString(tr.text[end:])
	if strings.HasPrefix(tail, ".") && (end < 2 || text.IsAlphanumeric(tr.text[end-2])) {
		return ""
	}
	return tail
}

func (tr *turnReader) isAdjacent(j int) bool {
	gap := tr.text[tr.tokens[j-1].End:tr.tokens[j].Start]
	return gap == " " || gap == "-" || (gap == ". " && tr.tokens[j-1].Word == "st")
}

// notPlaces are capitalised words that do not name a place.
var notPlaces = text.NewWordSet("today tomorrow english french german spanish i " +
	strings.Join(rules.Months, " ") + " " + strings.Join(rules.Weekdays, " "))
