package llm

import (
	"strconv"
	"strings"
)

// Bounds of an age that a condition may ask for. Other numbers count something else.
const (
	minAge = 12
	maxAge = 99
)

var (
	ageUnits    = setOf("years year yrs")
	ageWords    = setOf("old older age aged younger")
	ageFollowed = setOf("years year yrs or and to can may must is are only they the we should then who before when at do does old")
	// words between the customer and "over 18"
	ageBetween = setOf("is are must be who has have to not should was isn't aren't only currently he she they yet at if")
	spelled    = map[string]int{"sixteen": 16, "eighteen": 18, "twenty": 20, "thirty": 30, "sixty": 60}
)

// ages finds what depends on how old the customer is.
func (r *reader) ages() {
	for i := range r.tokens {
		n, ok := r.ageAt(i)
		if !ok || r.isTaken(i, i+1) {
			continue
		}
		from, to, strong := r.ageContext(i, n)
		if to == 0 {
			continue
		}
		m := mention{field: mustKnow("age"), known: true, confidence: unsureNoun}
		if strong {
			m.confidence = sureAge
		}
		r.add(m, from, to)
		if last := &r.found[len(r.found)-1]; strings.HasPrefix(r.text[r.tokens[to-1].end:], "+") {
			last.quote += "+"
		}
		r.take(i, i+n)
	}
	for i, t := range r.tokens {
		switch {
		case t.word == "born" && (r.word(i+1) == "before" || r.word(i+1) == "after" || r.word(i+1) == "in" || r.word(i+1) == "on"):
			r.add(mention{field: mustKnow("date_of_birth"), known: true, confidence: sureAge}, i, i+2)
		case (t.word == "legal" && r.word(i+1) == "age") || (t.word == "of" && r.word(i+1) == "age" && !ageUnits[r.word(i-1)]):
			r.add(mention{field: mustKnow("age"), known: true, confidence: unsureNoun}, i, i+2)
			r.take(i, i+2)
		case t.word == "minors" || t.word == "underage" || t.word == "adults" || (t.word == "adult" && !r.adjacent(i)):
			r.add(mention{field: mustKnow("age"), known: true, confidence: unsureNoun}, i, i+1)
		}
	}
}

// ageAt gives the number of tokens of an age at token i.
func (r *reader) ageAt(i int) (int, bool) {
	s := r.tokens[i].span
	if s.start > 0 && strings.ContainsRune("$€£#.,", rune(r.text[s.start-1])) {
		return 0, false
	}
	if s.end < len(r.text) && strings.ContainsRune("%€$°", []rune(r.text[s.end:])[0]) {
		return 0, false
	}
	n, ok := spelled[r.word(i)]
	if !ok {
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

// ageContext reads what stands around the number at token i, n tokens long; to is 0 where it is no age.
func (r *reader) ageContext(i, n int) (from, to int, strong bool) {
	from, to = i, i+n
	plus := strings.HasPrefix(r.text[r.tokens[i+n-1].end:], "+")
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
	case (next == "or" || next == "and") && (r.word(to+1) == "older" || r.word(to+1) == "over" || r.word(to+1) == "above" || r.word(to+1) == "younger" || r.word(to+1) == "under"):
		compared = true
		strong = strong || ageWords[r.word(to+1)]
		to += 2
	}
	if !compared && !plus {
		return 0, 0, false
	}
	if to < len(r.tokens) && r.adjacent(to-1) && !strong && !ageFollowed[r.word(to)] {
		return 0, 0, false
	}
	if person := r.personBefore(from); person >= 0 {
		return person, to, true
	}
	if ageUnits[r.word(to-1)] && !strong {
		return 0, 0, false // years of something else
	}
	return from, to, strong
}

// personBefore finds the person of whom the age at token from is said, with the article, or -1.
func (r *reader) personBefore(from int) int {
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

// residence finds what depends on where the customer lives.
func (r *reader) residence() {
	for i, t := range r.tokens {
		var field string
		start := i
		switch t.word {
		case "in":
			switch r.word(i - 1) {
			case "lives", "live", "living", "reside", "resides", "residing", "based", "located", "resident":
				field, start = "country", i-1
			}
		case "of":
			switch r.word(i - 1) {
			case "resident", "residents":
				field, start = "country", i-1
			case "citizen", "citizens", "national", "nationals":
				field, start = "nationality", i-1
			}
		}
		if field == "" {
			continue
		}
		at := i + 1
		if r.word(at) == "the" {
			at++
		}
		if n := countryAt(r.tokens, at); n > 0 {
			r.add(mention{field: mustKnow(field), known: true, confidence: sureNoun}, start, at+n)
			r.take(start, at+n)
		}
	}
}
