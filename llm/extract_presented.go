package llm

import "regexp"

// presentations are sentences by which people say who they are and where they live. The group is the value.
var (
	namePattern    = regexp.MustCompile(`(?i:\b(?:my name is|my name's|i am called|i'm called|i’m called|they call me|my full name is|this is))\s+([^.,;!?()\n]+?)(?i:\s+(?:speaking|here|by the way))?\s*(?:[.,;!?()\n]|$|\s(?i:and|but)\s)`)
	bornPattern    = regexp.MustCompile(`(?i)\b(?:i was|i am|i'm|i’m) born(?: on)?(?: the)?\s+`)
	agePattern     = regexp.MustCompile(`(?i)\b(?:i am|i'm|i’m)\s+(?:now\s+)?(\d{1,3})(?:\s+years?(?:\s+old|\s+of\s+age)?|\s*yo)?\s*(?:[.,;!?)\n]|$|\s(?:and|but|years|year)\b)`)
	countryPattern = regexp.MustCompile(`(?i)\b(?:i live|i'm living|i’m living|i am living|i reside|i'm based|i’m based|i am based|we live)\s+(?:here\s+)?in\s+(?:the\s+)?`)
	streetPattern  = regexp.MustCompile(`(?i)\b(?:i live|i'm living|i reside|we live)\s+(?:here\s+)?at\s+`)
	shipPattern    = regexp.MustCompile(`(?i)\b(?:ship|deliver|send)\s+(?:it|them|this|that|everything|my order|the order|the package|the parcel)\s+to\s+`)
)

// presented states what the customer says of themselves without naming a field.
func (l *listener) presented() {
	for f, t := range l.targets {
		switch t.kind {
		case kindPerson, kindFirstName, kindLastName:
			if t.def.Name != "emergency_contact" {
				l.presentsName(f)
			}
		case kindDate:
			if t.birth() {
				l.presentsBirth(f)
			}
		case kindAge:
			l.presentsAge(f)
		case kindCountry, kindPlace:
			l.presentsHome(f)
		case kindAddress:
			l.presentsAddress(f)
		}
	}
}

func (l *listener) presentsName(f int) {
	t := l.targets[f]
	if t.kind == kindPerson && !l.onlyOf(f) || l.has(f, byName) {
		return
	}
	for _, at := range namePattern.FindAllStringSubmatchIndex(l.text, -1) {
		said := trimPunctuation(l.text, span{at[2], at[3]})
		if l.sentenceAt(said).enquiry {
			continue
		}
		lower := fold(l.text[at[0]:at[2]])
		value, confidence := personValue(t, said.in(l.text))
		tokens := tokenize(said.in(l.text))
		if value == nil || (len(lower) >= 7 && lower[:7] == "this is" && (confidence < sureLabelled || len(tokens) > 3)) {
			continue
		}
		if t.kind != kindPerson {
			// Of two names the first is the given one; of three nobody can know.
			part := 0
			if t.kind == kindLastName {
				part = 1
			}
			if len(tokens) > 2 || part >= len(tokens) {
				continue
			}
			tok := tokens[part]
			said = span{said.start + tok.start, said.start + tok.end}
			value, confidence = t.store(said.in(l.text), ""), sureWords
		}
		l.state(f, value, said, span{at[0], said.end}, min(confidence, sureLabelled), byName)
	}
}

// onlyOf reports whether no other field has the form of field f.
func (l *listener) onlyOf(f int) bool {
	for i, t := range l.targets {
		if i != f && t.kind == l.targets[f].kind {
			return false
		}
	}
	return true
}

func (l *listener) presentsBirth(f int) {
	for _, at := range bornPattern.FindAllStringIndex(l.text, -1) {
		for i, e := range l.entities {
			if e.kind != kindDate || e.start < at[1] || e.start > at[1]+1 || e.inferred {
				continue
			}
			value, _ := l.targets[f].fits(e, l.text)
			l.used[i] = true
			l.state(f, value, e.span, span{at[0], e.end}, sureLabelled, byName)
		}
	}
}

func (l *listener) presentsAge(f int) {
	for _, at := range agePattern.FindAllStringSubmatchIndex(l.text, -1) {
		said := span{at[2], at[3]}
		l.use(said)
		l.state(f, l.targets[f].store(said.in(l.text), said.in(l.text)), said, span{at[0], said.end}, sureLabelled, byName)
	}
}

func (l *listener) presentsHome(f int) {
	t := l.targets[f]
	if !l.onlyOf(f) || (t.kind == kindPlace && t.def.Name != "city" && t.def.Name != "home_city" && t.def.Name != "town") {
		return
	}
	for _, at := range countryPattern.FindAllStringIndex(l.text, -1) {
		i := l.tokenAt(at[1])
		n := countryAt(l.tokens, i)
		switch {
		case n > 0 && t.kind == kindCountry:
			said := spanOf(l.tokens, i, i+n)
			l.state(f, t.store(said.in(l.text), ""), said, span{at[0], said.end}, sureLabelled, byName)
		case n == 0 && t.kind == kindPlace:
			if said := l.capitalised(i); !said.empty() {
				l.state(f, t.store(said.in(l.text), ""), said, span{at[0], said.end}, sureWords, byName)
			}
		}
	}
}

func (l *listener) presentsAddress(f int) {
	t := l.targets[f]
	pattern := streetPattern
	if t.def.Name == "shipping_address" || t.def.Name == "delivery_address" {
		pattern = shipPattern
	} else if t.def.Name == "billing_address" || !l.onlyOf(f) && t.def.Name != "address" && t.def.Name != "home_address" {
		return
	}
	for _, at := range pattern.FindAllStringIndex(l.text, -1) {
		said := l.extent(at[1], l.sentenceAt(span{at[0], at[1]}).end, t)
		value, _ := l.wordsValue(t, said)
		if value != nil && len(words(said.in(l.text))) >= 2 {
			l.state(f, value, said, span{at[0], said.end}, sureWords, byName)
		}
	}
}

// capitalised gives the run of capitalised words from token i on, with a region behind a comma.
func (l *listener) capitalised(i int) span {
	j := i
	for j < len(l.tokens) && j < i+4 && isCapitalised(l.tokens[j].in(l.text)) && !months[l.tokens[j].word] && (j == i || l.adjacentTo(j)) {
		j++
	}
	if j == i || j == i+4 {
		return span{}
	}
	s := spanOf(l.tokens, i, j)
	if tail := nameTail.FindString(l.text[s.end:]); tail != "" {
		s.end += len(tail) // "D.C.", "-town"
		return s
	}
	if j < len(l.tokens) && l.text[s.end:l.tokens[j].start] == ", " && l.isRegion(s.end) {
		n := max(1, countryAt(l.tokens, j))
		s.end = l.tokens[j+n-1].end
	}
	return s
}

// nameTail is what belongs to a name though it is no capitalised word.
var nameTail = regexp.MustCompile(`^(?:(?:\.[A-Z])+\.?|-\p{Ll}+)`)

func (l *listener) adjacentTo(j int) bool {
	gap := l.text[l.tokens[j-1].end:l.tokens[j].start]
	return gap == " " || gap == "-" || (gap == ". " && l.tokens[j-1].word == "st")
}

// months and days are capitalised, and no places.
var months = setOf(`january february march april may june july august september october november december monday tuesday wednesday thursday friday
	saturday sunday today tomorrow english french german spanish i`)
