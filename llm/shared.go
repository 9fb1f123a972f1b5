package llm

import (
	"math"
	"strings"
	"unicode/utf8"

	"github.com/contextvault/contextvault/vault"
)

// Dependency is the name of the model in errors.
const Dependency = "language model"

// HasText reports whether s contains more than white space.
func HasText(s string) bool { return strings.TrimSpace(s) != "" }

// Truncate returns at most the first limit bytes of s, without splitting a character.
func Truncate(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}

// Squeeze returns s in lower case, with every run of white space as one blank.
func Squeeze(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), " ")) }

// CheckTexts rejects an empty text: an endpoint would reject the whole batch for it.
func CheckTexts(texts []string) error {
	for i, t := range texts {
		if strings.TrimSpace(t) == "" {
			return vault.Invalid("texts", "text %d is empty; there is nothing to embed", i)
		}
	}
	return nil
}

// UnitVector scales v to length 1. It returns false if v has no direction.
func UnitVector(v []float64) ([]float32, bool) {
	var sum float64
	for _, x := range v {
		sum += x * x
	}
	length := math.Sqrt(sum)
	if length == 0 || math.IsNaN(length) || math.IsInf(length, 0) {
		return nil, false
	}
	out := make([]float32, len(v))
	for i, x := range v {
		out[i] = float32(x / length)
	}
	return out, true
}
