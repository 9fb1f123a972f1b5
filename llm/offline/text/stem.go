package text

import (
	"github.com/kljensen/snowball/english"
)

// Stem returns the stem of a folded English word, by the Snowball algorithm: "departure" and "departures" have one
// stem, as have "book" and "booking". It is for comparison, not for display.
func Stem(word string) string { return english.Stem(word, true) }
