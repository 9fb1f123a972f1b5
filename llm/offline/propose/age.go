package propose

import (
	"strconv"
	"strings"

	"github.com/contextvault/contextvault/llm/offline/text"
	"github.com/contextvault/contextvault/rules"
)

// Range of an age in a condition. Numbers outside count other things.
const (
	minAge = 12
	maxAge = 99
)

var (
	ageUnits    = text.NewWordSet("years year yrs")
	ageWords    = text.NewWordSet("old older age aged younger")
	ageFollowed = text.NewWordSet(`years year yrs or and to can may must is are only they the we should then who
		before when at do does old`)
	// ageBetween stand between the customer and "over 18".
	ageBetween = text.NewWordSet(`is are must be who has have to not should was isn't aren't only currently he she
		they yet at if`)
	ageHeads    = text.NewWordSet("proof evidence certificate confirmation")
	spelledAges = map[int]bool{16: true, 18: true, 20: true, 30: true, 60: true}
)

// readFactsAboutCustomer finds conditions on the age and residence of the customer, which no need-verb governs.
func (r *sentenceReader) readFactsAboutCustomer() {
	r.readAges()
	r.readResidence()
}

// addFact appends a mention of a known fact, unless the sentence gave it already.
func (r *sentenceReader) addFact(name string, confidence float64, from, to int) {
	m := r.index.knownMention(mention{definition: text.MustFind(name), known: true, confidence: confidence})
	m.how = MatchedByNothing
	if m.own != nil {
		m.how = MatchedByCondition
	}
	for _, other := range r.found[r.mark:] {
		if other.name(r.index) == m.name(r.index) {
			return
		}
	}
	m.quote, m.offset = r.quote(from, to)
	r.found = append(r.found, m)
}

// readAges finds conditions on the customer's age.
func (r *sentenceReader) readAges() {
	for i := range r.tokens {
		n, ok := r.ageAt(i)
		if !ok {
			continue
		}
		from, to, strong := r.ageContext(i, n)
		if to == 0 {
			continue
		}
		if strong {
			r.addFact("age", confidenceAge, from, to)
		} else {
			r.addFact("age", confidenceOtherNoun, from, to)
		}
	}
	for i, t := range r.tokens {
		switch {
		case t.Word == "born" && (r.word(i+1) == "before" || r.word(i+1) == "after" || r.word(i+1) == "in" ||
			r.word(i+1) == "on"):
			r.addFact("date_of_birth", confidenceAge, i, i+2)
		case t.Word == "legal" && r.word(i+1) == "age", t.Word == "of" && r.word(i+1) == "age" && !ageUnits[r.word(i-1)] &&
			!ageHeads[r.word(i-1)]:
			r.addFact("age", confidenceOtherNoun, i, i+2)
		case t.Word == "minors" || t.Word == "underage" || t.Word == "adults" && r.word(i-1) == "only":
			r.addFact("age", confidenceOtherNoun, i, i+1)
		}
	}
}

// ageAt returns the number of tokens of an age at token i, and whether there is one.
func (r *sentenceReader) ageAt(i int) (int, bool) {
	s := r.tokens[i].Span
	if s.Start > 0 && strings.ContainsRune("$€£#.,", rune(r.text[s.Start-1])) {
		return 0, false
	}
	if s.End < len(r.text) && strings.ContainsRune("%€$°", []rune(r.text[s.End:])[0]) {
		return 0, false
	}
	if r.gap(i) == "," && isNumberWord(r.word(i+1)) || r.gap(i-1) == "," && isNumberWord(r.word(i-1)) {
		return 0, false // a part of 25,000
	}
	n, ok := rules.NumberWords[r.word(i)]
	if !ok || !spelledAges[n] {
		var err error
		if n, err = strconv.Atoi(r.word(i)); err != nil {
			return 0, false
		}
	}
	if n < minAge || n > maxAge {
		return 0, false
	}
	if r.word(i) == "twenty" && r.word(i+1) == "one" {
		return 2, true
	}
	return 1, true
}

// ageContext returns the tokens of a condition on the age at token i, n tokens long, and whether it is clearly an
// age. to is 0 if it is not an age.
func (r *sentenceReader) ageContext(i, n int) (from, to int, strong bool) {
	from, to = i, i+n
	plus := strings.HasPrefix(r.text[r.tokens[i+n-1].End:], "+")
	compared := false
	switch before, two := r.word(i-1), r.word(i-2); {
	case before == "over" || before == "above" || before == "under" || before == "below":
		from, compared = i-1, true
		if two == "for" || two == "well" {
			return 0, 0, false
		}
	case (before == "least" || before == "most") && two == "at":
		from, compared = i-2, true
	case before == "than" && (two == "older" || two == "younger"):
		from, compared, strong = i-2, true, true
	case before == "aged" || before == "turned" || before == "age":
		from, compared, strong = i-1, true, true
	case before == "of" && two == "age", before == "is" && two == "age":
		from, compared, strong = i-2, true, true
	}
	next := r.word(to)
	switch {
	case ageUnits[next]:
		if w := r.word(to + 1); w == "old" || w == "of" && r.word(to+2) == "age" {
			strong, compared = true, true
			to += 2
			if w == "of" {
				to++
			}
		} else if w == "or" && ageWords[r.word(to+2)] {
			strong, compared = true, true
			to += 3
		} else {
			to++
		}
	case (next == "or" || next == "and") && (r.word(to+1) == "older" || r.word(to+1) == "over" ||
		r.word(to+1) == "above" || r.word(to+1) == "younger" || r.word(to+1) == "under"):
		compared = true
		strong = strong || ageWords[r.word(to+1)]
		to += 2
	}
	if !compared && !plus || r.isOtherRange(to) {
		return 0, 0, false
	}
	if to < len(r.tokens) && r.adjacent(to-1) && !strong && !ageFollowed[r.word(to)] {
		return 0, 0, false
	}
	if person := r.personBefore(from); person >= 0 {
		return person, to, true
	}
	if ageUnits[r.word(to-1)] && !strong {
		return 0, 0, false // years of another thing
	}
	return from, to, strong
}

// isOtherRange reports whether the number before token i starts a range of something else than years: "over 12 to 84
// months", "under 20-30 kg".
func (r *sentenceReader) isOtherRange(i int) bool {
	at := i
	if w := r.word(i); w == "to" || w == "and" || w == "or" || w == "till" || w == "until" || w == "through" {
		at++
	} else if gap := r.gap(i - 1); gap == "" || !strings.ContainsAny(gap, "-–—") {
		return false
	}
	if !isNumberWord(r.word(at)) {
		return false
	}
	next := r.word(at + 1)
	return next != "" && r.adjacent(at) && !ageFollowed[next] ||
		at+1 < len(r.tokens) && strings.ContainsAny(r.gap(at), "%€$£°")
}

// personBefore returns the first token of the person with the age at token from, article included, or -1.
func (r *sentenceReader) personBefore(from int) int {
	for k := from - 1; k >= 0 && k >= from-6; k-- {
		w := r.word(k)
		if people[w] {
			if r.word(k-1) == "the" || r.word(k-1) == "a" {
				return k - 1
			}
			return k
		}
		if !ageBetween[w] && !ageWords[w] {
			return -1
		}
	}
	return -1
}

// readResidence finds conditions on the customer's residence or nationality.
func (r *sentenceReader) readResidence() {
	for i, t := range r.tokens {
		var name string
		start := i
		switch t.Word {
		case "in":
			switch r.word(i - 1) {
			case "lives", "live", "living", "reside", "resides", "residing", "based", "located", "resident":
				name, start = "country", i-1
			}
		case "of":
			switch r.word(i - 1) {
			case "resident", "residents":
				name, start = "country", i-1
			case "citizen", "citizens", "national", "nationals":
				name, start = "nationality", i-1
			}
		}
		if name == "" {
			continue
		}
		at := i + 1
		if r.word(at) == "the" {
			at++
		}
		if n := text.CountryAt(r.tokens, at); n > 0 {
			r.addFact(name, confidenceDataNoun, start, at+n)
		}
	}
}
