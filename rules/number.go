package rules

import (
	"encoding/json"
	"strconv"
	"strings"
)

// isNumber reports whether s is exactly one JSON number literal.
func isNumber(s string) bool {
	return s != "" && (s[0] == '-' || isDigit(s[0])) && isDigit(s[len(s)-1]) && json.Valid([]byte(s))
}

// numberParts splits a JSON number literal. An exponent outside the range of int is cut to a value far beyond every
// limit.
func numberParts(literal string) (negative bool, whole, fraction string, exponent int) {
	literal, negative = strings.CutPrefix(literal, "-")
	mantissa := literal
	if e := strings.IndexAny(literal, "eE"); e >= 0 {
		mantissa = literal[:e]
		exponent = parseExponent(literal[e+1:])
	}
	whole, fraction, _ = strings.Cut(mantissa, ".")
	return negative, whole, fraction, exponent
}

func parseExponent(s string) int {
	const beyond = 10_000_000 // far more digits than a value may have
	digits := strings.TrimLeft(strings.TrimLeft(s, "+-"), "0")
	n := beyond
	if len(digits) < len("10000000") {
		n, _ = strconv.Atoi("0" + digits)
	}
	if strings.HasPrefix(s, "-") {
		return -n
	}
	return n
}

// digitCounts returns the number of digits before and after the decimal point when the number is written without an
// exponent.
func digitCounts(literal string) (before, after int) {
	_, whole, fraction, exponent := numberParts(literal)
	return max(1, len(whole)+exponent), max(0, len(fraction)-exponent)
}

// SameNumber reports whether two JSON number literals have exactly the same value, such as 12.50 and 1.25e1.
func SameNumber(a, b string) bool { return canonicalNumber(a) == canonicalNumber(b) }

// canonicalNumber returns the same text for all literals of a number: its significant digits and a power of ten.
func canonicalNumber(literal string) string {
	negative, whole, fraction, exponent := numberParts(literal)
	digits := strings.TrimLeft(whole+fraction, "0")
	exponent -= len(fraction)
	trimmed := strings.TrimRight(digits, "0")
	exponent += len(digits) - len(trimmed)
	if trimmed == "" {
		return "0"
	}
	sign := ""
	if negative {
		sign = "-"
	}
	return sign + trimmed + "e" + strconv.Itoa(exponent)
}
