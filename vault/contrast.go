package vault

import (
	"slices"
	"strings"
)

// contrasts are groups of words of which a name holds one and not another: two fields that differ in them are two facts, however
// close their descriptions are.
var contrasts = [][]string{
	{"date", "time", "type", "name", "address", "price", "number", "city", "country", "status"},
	{"from", "to"}, {"origin", "destination"}, {"start", "end"}, {"begin", "end"}, {"pickup", "dropoff"}, {"in", "out"}, {"checkin", "checkout"},
	{"arrival", "departure"}, {"inbound", "outbound"}, {"first", "last", "middle"}, {"min", "max"}, {"minimum", "maximum"},
	{"billing", "shipping"}, {"billing", "delivery"}, {"sender", "recipient"}, {"buyer", "seller"}, {"home", "work"}, {"old", "new"},
	{"primary", "secondary"}, {"father", "mother"},
}

// Contrasting reports whether two names of fields name two facts that differ in what kind of thing they are (pickup_date,
// pickup_time) or in which one they are (from_station, to_station). It is for names that are close in meaning otherwise.
func Contrasting(a, b string) bool {
	wordsA, wordsB := strings.Split(a, "_"), strings.Split(b, "_")
	for _, group := range contrasts {
		inA, inB := wordsOf(group, wordsA), wordsOf(group, wordsB)
		if len(inA) > 0 && len(inB) > 0 && !slices.ContainsFunc(inA, func(w string) bool { return slices.Contains(inB, w) }) {
			return true
		}
	}
	return false
}

func wordsOf(group, words []string) []string {
	var out []string
	for _, w := range words {
		if slices.Contains(group, w) {
			out = append(out, w)
		}
	}
	return out
}

// Compatible reports whether a field of one type may be what another text calls by another: types that hold the same kind of fact.
func (t ValueType) Compatible(other ValueType) bool {
	return t == other || t == TypeString || other == TypeString || t == TypeJSON || other == TypeJSON ||
		t == TypeDate && other == TypeDatetime || t == TypeDatetime && other == TypeDate
}
