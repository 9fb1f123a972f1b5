package evidence

import (
	"regexp"
	"slices"
	"strings"

	"github.com/contextvault/contextvault/vault"
)

// unit is a unit of measure. Units of one dimension exclude each other.
type unit struct{ name, dimension string }

// periods are the periods, by their words.
var periods = func() map[string]string {
	out := map[string]string{}
	for _, line := range []string{
		"hour hours hourly hr h stunde heure hora ora uur godzinę час",
		"day daily days tag täglich jour día giorno dia dag dzień день",
		"week weekly weeks woche wöchentlich semaine semana settimana tydzień неделю тиждень",
		"month monthly months pcm pm monat monatlich mois mensuel mes mensual mese mensile mês maand maandelijks " +
			"miesiąc miesięcznie lună месяц місяць ay",
		"quarter quarterly quartal trimestre",
		"year yearly years annual annually annum pa jahr jährlich an année annuel año anual anno annuo ano jaar " +
			"jaarlijks rok rocznie год рік yıl",
		"night nightly nacht nuit noche notte noite",
		"person head pax guest",
	} {
		words := strings.Fields(line)
		for _, w := range words {
			out[w] = words[0]
		}
	}
	return out
}()

// units are the units, by their words.
var units = func() map[string]unit {
	out := map[string]unit{}
	for dimension, lines := range map[string][]string{
		"length": {"km kilometer kilometers kilometre kilometres", "mile miles mi", "m meter meters metre " +
			"metres", "cm centimeter centimeters centimetre centimetres", "ft feet foot", "inch inches", "yard yards"},
		"weight": {"kg kilo kilos kilogram kilograms", "lb lbs pound_weight", "gram grams g", "stone " +
			"stones", "ton tons tonne tonnes", "oz ounce ounces"},
		"money": {"usd dollar dollars $ us$", "eur euro euros €", "gbp pound pounds £ quid", "chf franc " +
			"francs franken", "jpy yen ¥", "pln złoty złotych zł", "rub ruble rubles рублей", "uah гривень", "ron " +
			"lei", "try lira", "cent cents", "inr rupee rupees ₹"},
		"time": {"second seconds sec", "minute minutes min mins", "hour hours hr hrs", "day days", "week " +
			"weeks", "month months", "year years yr yrs"},
		"temperature": {"celsius °c", "fahrenheit °f"},
		"share":       {"percent % per_cent"},
		"area":        {"sqm m²", "sqft", "acre acres", "hectare hectares"},
		"volume":      {"liter liters litre litres l", "gallon gallons"},
	} {
		for _, line := range lines {
			words := strings.Fields(line)
			for _, w := range words {
				out[w] = unit{words[0], dimension}
			}
		}
	}
	return out
}()

var (
	perAfter = regexp.MustCompile(`^ ?(?:[€$£]|[\pL]+)? ?(?:,? ?(?:per|an|a|each|every|/|pro|im|par|por|al|à la|la|` +
		`in de|na|pe|в|на)) ?(\pL+)\b?`)
	adverb = regexp.MustCompile(`^ ?(?:[€$£]|\pL+)? ?(hourly|daily|weekly|monthly|quarterly|yearly|annually|` +
		`annual|nightly|p\.?a\b|pcm|täglich|wöchentlich|monatlich|jährlich|mensuel|mensual|anual|maandelijks|jaarlijks|` +
		`miesięcznie|rocznie)`)
	adjective = regexp.MustCompile(`\b(hourly|daily|weekly|monthly|quarterly|yearly|annual|annually|nightly|` +
		`monatlich\pL*|jährlich\pL*|mensuel\pL*|mensual\pL*|anual\pL*)\b`)
)

// measured refuses a number whose unit or period is not that of the field: 4,500 a month is no annual income.
func (r reader) measured(t *turn, m mention) problem {
	if r.def.ValueType != vault.TypeNumber {
		return ""
	}
	if said := t.periodAt(m); said != "" && said != r.period() {
		return "the number is for another period than the field's value"
	}
	if said, ok := t.unitAt(m); ok && !r.fitsUnit(said) {
		return "the number has another unit than the field's value"
	}
	return ""
}

// periodAt returns the period of a number: month in "4,500 a month" and in "my monthly income is 4,500".
func (t *turn) periodAt(m mention) string {
	after := t.text[m.end:]
	if g := perAfter.FindStringSubmatch(after); g != nil {
		if p, ok := periods[g[1]]; ok {
			return p
		}
	}
	if g := adverb.FindStringSubmatch(after); g != nil {
		return periods[strings.ReplaceAll(g[1], ".", "")]
	}
	s := t.clauses[t.clauseAt(m.start)]
	if found := adjective.FindAllStringSubmatch(t.text[min(s.start, m.start):m.start], -1); found != nil {
		word := found[len(found)-1][1]
		for w, p := range periods {
			if strings.HasPrefix(word, w) && len(w) > 4 {
				return p
			}
		}
	}
	return ""
}

// period returns the period in the words of the field, "" for none.
func (r reader) period() string {
	for _, w := range slices.Concat(r.topic.names, r.topic.words, r.topic.other) {
		if p, ok := periods[w]; ok && w != "guest" && w != "head" && w != "pm" && w != "an" && w != "person" || ok &&
			strings.Contains(r.def.Name, "per_"+w) {
			return p
		}
	}
	return ""
}

// unitAt returns the unit directly behind or, for a currency, before a number.
func (t *turn) unitAt(m mention) (unit, bool) {
	after := t.text[m.end:]
	for _, sign := range []string{"%", "°c", "°f", "€", "$", "£"} {
		if strings.HasPrefix(strings.TrimLeft(after, " "), sign) || strings.HasSuffix(t.text[m.start:m.end], sign) {
			return units[sign], true
		}
	}
	if before := strings.TrimRight(t.text[:m.start], " "); before != "" {
		for _, sign := range []string{"€", "$", "£"} {
			if strings.HasSuffix(before, sign) {
				return units[sign], true
			}
		}
	}
	last := t.wordBefore(m.end)
	if last < 0 || last+1 >= len(t.words) || strings.Trim(t.text[m.end:max(m.end, t.words[last+1].start)], " "+
		"-") != "" {
		return unit{}, false
	}
	u, ok := units[t.word(last+1)]
	return u, ok
}

// fitsUnit reports whether a unit does not contradict the field: its words name the unit, or no other unit of its
// dimension. An age is in years.
func (r reader) fitsUnit(said unit) bool {
	same, other := false, false
	for _, w := range slices.Concat(r.topic.names, r.topic.words, r.topic.other, allWords(
		r.def.Name+" "+r.def.Description+" "+r.def.CollectionPrompt)) {
		u, ok := units[w]
		if !ok && w == "age" {
			u, ok = units["years"], true
		}
		if ok && len(w) > 1 && u.dimension == said.dimension {
			same = same || u.name == said.name
			other = other || u.name != said.name
		}
	}
	return same || !other
}
