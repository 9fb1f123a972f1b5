package rules

import (
	"cmp"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/contextvault/contextvault/vault"
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

// compareNumbers compares two JSON number literals exactly.
func compareNumbers(a, b string) int {
	negativeA, digitsA, exponentA := significantDigits(a)
	negativeB, digitsB, exponentB := significantDigits(b)
	sign := func(negative bool, digits string) int {
		switch {
		case digits == "":
			return 0
		case negative:
			return -1
		default:
			return 1
		}
	}
	signA, signB := sign(negativeA, digitsA), sign(negativeB, digitsB)
	if signA != signB || signA == 0 {
		return cmp.Compare(signA, signB)
	}
	// Without leading zeros, the place of the first digit decides, then the digits from the left.
	return signA * cmp.Or(
		cmp.Compare(len(digitsA)+exponentA, len(digitsB)+exponentB), strings.Compare(digitsA, digitsB),
	)
}

// canonicalNumber returns the same text for all literals of a number: its significant digits and a power of ten.
func canonicalNumber(literal string) string {
	negative, digits, exponent := significantDigits(literal)
	if digits == "" {
		return "0"
	}
	sign := ""
	if negative {
		sign = "-"
	}
	return sign + digits + "e" + strconv.Itoa(exponent)
}

// significantDigits returns the digits of a number without zeros at both ends, and the power of ten that they are
// multiplied by. Zero has no digits.
func significantDigits(literal string) (negative bool, digits string, exponent int) {
	negative, whole, fraction, exponent := numberParts(literal)
	all := strings.TrimLeft(whole+fraction, "0")
	digits = strings.TrimRight(all, "0")
	return negative, digits, exponent - len(fraction) + len(all) - len(digits)
}

// rangeProblem returns the reason why a normalised value is outside the range of its definition, "" if it is inside.
func rangeProblem(d vault.Definition, value json.RawMessage) string {
	if d.ValueType != vault.TypeNumber {
		return ""
	}
	switch {
	case isSet(d.Minimum) && compareNumbers(string(value), string(d.Minimum)) < 0:
		return "is less than the minimum, " + withUnit(d, string(d.Minimum))
	case isSet(d.Maximum) && compareNumbers(string(value), string(d.Maximum)) > 0:
		return "is more than the maximum, " + withUnit(d, string(d.Maximum))
	default:
		return ""
	}
}

// withUnit returns a number with the unit of its definition, as text.
func withUnit(d vault.Definition, number string) string {
	if d.Unit == "" {
		return number
	}
	return number + " " + d.Unit
}
