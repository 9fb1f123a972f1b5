// Package unit compares the units of numbers, such as kg or EUR per month: the unit of a definition, and the one that
// stands beside a number in a text. It knows many spellings of common units. Another unit is compared by its letters.
package unit

import (
	"regexp"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/currency"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// spellings are the known units other than currencies: each line has the spellings of one unit, without case.
const spellings = `
	mg milligram milligrams
	g gr gram grams gramm gramme
	kg kgs kilo kilos kilogram kilograms kilogramm kilogramme
	t ton tons tonne tonnes
	lb lbs pound pounds
	oz ounce ounces
	stone stones
	mm millimeter millimeters millimetre millimetres
	cm centimeter centimeters centimetre centimetres zentimeter
	m meter meters metre metres
	km kms kilometer kilometers kilometre kilometres
	inch inches
	ft foot feet
	yd yard yards
	mi mile miles
	m² m2 sqm qm
	km² km2 sqkm
	ft² ft2 sqft
	ha hectare hectares
	acre acres
	ml milliliter milliliters millilitre millilitres
	l liter liters litre litres
	gal gallon gallons
	m³ m3
	s sec secs second seconds sekunde sekunden
	min mins minute minutes minuten
	h hr hrs hour hours stunde stunden
	d day days tag tage
	week weeks wk wks woche wochen
	month months mo monat monate
	quarter quarters
	y yr yrs year years jahr jahre
	% percent pct prozent
	°c celsius
	°f fahrenheit
	wh
	kwh
	w watt watts
	kw kilowatt kilowatts
	ps hp horsepower
	kb kilobyte kilobytes
	mb megabyte megabytes
	gb gigabyte gigabytes
	tb terabyte terabytes
	km/h kmh kph
	mph
	person persons people
	child children
	night nights
	room rooms
	piece pieces pcs
`

// currencyWords are words for currencies, where one currency has the word to itself in most texts, and symbols that
// several share. A word that several currencies share is none of them for certain, so it is another unit than each.
const currencyWords = `
	eur euro euros €
	usd $ us$ dollar dollars buck bucks
	gbp £ sterling quid
	jpy yen
	inr ₹ rupee rupees
	chf franken
	pln zł zloty
	cents cent
`

// otherWords are codes of currencies that are other words in most texts. In a definition they are still the currency.
var otherWords = map[string]bool{
	"all": true, "bam": true, "bob": true, "cup": true, "gel": true, "mad": true, "mop": true, "pen": true, "ron": true,
	"sos": true, "top": true, "try": true,
}

// periods are the units of time that an amount can be per.
const periods = `
	second secondly
	minute
	hour hourly
	day daily pd
	week weekly pw
	month monthly pm
	quarter quarterly
	year yearly annually annual annum pa
`

// table returns the names of the units by their spellings.
func table(lines string) map[string]string {
	names := map[string]string{}
	for line := range strings.SplitSeq(strings.TrimSpace(lines), "\n") {
		words := strings.Fields(line)
		for _, word := range words {
			names[word] = words[0]
		}
	}
	return names
}

var (
	known = sync.OnceValue(func() map[string]string {
		names := table(spellings)
		for spelling, name := range table(currencyWords) {
			names[spelling] = name
		}
		symbols := message.NewPrinter(language.English)
		for codes := currency.Query(); codes.Next(); {
			code := fold(codes.Unit().String())
			if _, taken := names[code]; !taken && !otherWords[code] {
				names[code] = code
			}
			symbol := fold(symbols.Sprint(currency.NarrowSymbol(codes.Unit())))
			if r, _ := utf8.DecodeRuneInString(symbol); symbol != "" && unicode.Is(unicode.Sc, r) {
				if _, taken := names[symbol]; !taken {
					names[symbol] = code
				}
			}
		}
		return names
	})
	knownPeriods = sync.OnceValue(func() map[string]string { return table(periods) })
)

// measure is a unit, and the period that it is per. Both are empty if unknown.
type measure struct {
	unit   string
	period string
}

var (
	// perPattern splits EUR/month, EUR per month and EUR a month.
	perPattern = regexp.MustCompile(`^ ?(?:/|per |a |an |each |every |p\.) ?(\pL+)`)
	// unitPattern matches a word or a sign that can be a unit, at the start of a text.
	unitPattern = regexp.MustCompile(`^(?:km/h|[°]? ?\pL+[²³]?\d?|\p{Sc}|%)`)
	// signPattern matches a currency before a number, at the end of a text.
	signPattern = regexp.MustCompile(`(?:^|[^\pL])(\pL{0,3}\p{Sc}|\pL{3}) ?$`)
)

// Fits reports whether a number in a text can be in the unit of a definition. before and after are the text around the
// number, folded. A number fits if it has the same unit, or none that is known, and the same period, or none. It does
// not fit if the text names another unit or another period. An empty unit fits everything.
func Fits(unit, before, after string) bool {
	if unit == "" {
		return true
	}
	want, said := parse(unit), measure{}
	if sign := signPattern.FindStringSubmatch(before); sign != nil {
		said.unit = known()[sign[1]]
	}
	next := readAfter(after, want.unit)
	if next.unit != "" {
		said.unit = next.unit
	}
	said.period = next.period
	return (said.unit == "" || said.unit == want.unit) && (said.period == "" || said.period == want.period)
}

// Trim returns the number in a text such as 80 kg, without its unit. ok is false if the text names another unit.
func Trim(unit, text string) (number string, ok bool) {
	text = strings.TrimSpace(text)
	if unit == "" {
		return text, true
	}
	want := parse(unit)
	end := strings.LastIndexAny(text, "0123456789") + 1
	start := strings.IndexAny(text, "+-0123456789")
	if end == 0 || start < 0 || start > end {
		return text, true
	}
	before, after := strings.TrimSpace(fold(text[:start])), strings.TrimSpace(fold(text[end:]))
	if before != "" && name(before) != want.unit {
		return "", false
	}
	if after != "" && after != fold(unit) {
		said := parse(after)
		if before != "" && said.unit == "" {
			said.unit = want.unit
		}
		if said.unit != want.unit || said.period != "" && said.period != want.period {
			return "", false
		}
	}
	return text[start:end], true
}

// parse reads the unit of a definition, such as kg, EUR/month or EUR per month.
func parse(unit string) measure {
	unit = fold(unit)
	if at := unitPattern.FindString(unit); at != "" {
		if per := perPattern.FindStringSubmatch(unit[len(at):]); per != nil {
			if period, ok := knownPeriods()[singular(per[1])]; ok {
				return measure{name(at), period}
			}
		}
	}
	if per := perPattern.FindStringSubmatch(" " + unit); per != nil && len(per[0]) == len(unit)+1 {
		return measure{period: knownPeriods()[singular(per[1])]}
	}
	return measure{unit: name(unit)}
}

// readAfter reads what follows a number. want is the name of a unit that counts as known.
func readAfter(after, want string) measure {
	var said measure
	rest := strings.TrimLeft(after, " -")
	if word := unitPattern.FindString(rest); word != "" {
		if unit := name(word); unit == want || known()[unit] != "" && word != "in" {
			said.unit, rest = unit, rest[len(word):]
		} else {
			rest = " " + rest
		}
	}
	if per := perPattern.FindStringSubmatch(rest); per != nil {
		said.period = knownPeriods()[singular(per[1])]
	} else if word := strings.TrimLeft(unitPattern.FindString(strings.TrimLeft(rest, " ")), " "); word != "" {
		said.period = adverbs()[word]
	}
	return said
}

// adverbs are the words for periods that need no "per": monthly.
var adverbs = sync.OnceValue(func() map[string]string {
	words := map[string]string{}
	for word, period := range knownPeriods() {
		if word != period {
			words[word] = period
		}
	}
	return words
})

// name returns the name that all spellings of a unit share.
func name(spelling string) string {
	if spelling = strings.TrimSpace(spelling); spelling == "in" { // the word in, unless it is the unit of a definition
		return "inch"
	}
	if unit, ok := known()[spelling]; ok {
		return unit
	}
	return singular(spelling)
}

func singular(word string) string {
	if len(word) > 3 && !strings.HasSuffix(word, "ss") {
		return strings.TrimSuffix(word, "s")
	}
	return word
}

func fold(s string) string { return cases.Fold().String(strings.Join(strings.Fields(s), " ")) }
