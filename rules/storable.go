package rules

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/contextvault/contextvault/vault"
)

// Limits of a value, independent of its definition. They are at or below PostgreSQL's own limits, so that every
// accepted value can be stored.
const (
	// maxNesting is the maximum depth of arrays and objects in a value. Real documents are far below. Recursive JSON
	// readers (PostgreSQL, CEL and this package) run out of stack only far above.
	maxNesting = 100
	// maxFractionDigits is PostgreSQL's limit for digits after the decimal point of a number in jsonb.
	maxFractionDigits = 16383
)

// storageProblem returns the reason why PostgreSQL cannot store a JSON value within vault.MaxValueBytes, "" if it can.
// The text follows "the value" in a message and quotes nothing.
func storageProblem(raw json.RawMessage) string {
	switch {
	case len(bytes.TrimSpace(raw)) == 0:
		return "is empty; it must be a JSON value"
	case len(raw) > vault.MaxValueBytes:
		return "is larger than " + kib(vault.MaxValueBytes)
	case !utf8.Valid(raw):
		return "is not valid UTF-8"
	case !json.Valid(raw):
		return "is not valid JSON"
	}
	depth, expanded := 0, len(raw)
	for i := 0; i < len(raw); {
		switch c := raw[i]; {
		case c == '"':
			end, why := scanString(raw, i+1)
			if why != "" {
				return why
			}
			i = end
		case c == '{' || c == '[':
			if depth++; depth > maxNesting {
				return "is nested deeper than " + strconv.Itoa(maxNesting) + " levels"
			}
			i++
		case c == '}' || c == ']':
			depth--
			i++
		case c == '-' || isDigit(c):
			end := i + 1
			for end < len(raw) && (isDigit(raw[end]) || strings.IndexByte("+-.eE", raw[end]) >= 0) {
				end++
			}
			before, after := digitCounts(string(raw[i:end]))
			if after > maxFractionDigits {
				return "contains a number with more than " + strconv.Itoa(maxFractionDigits) + " digits after the decimal point"
			}
			// jsonb stores numbers without an exponent, so 1e999 takes a thousand digits. Without this limit, a few bytes
			// of input could become gigabytes.
			if expanded += max(0, before+after-(end-i)); expanded > vault.MaxValueBytes {
				return "is larger than " + kib(vault.MaxValueBytes) + " when its numbers are written without exponents"
			}
			i = end
		default:
			i++
		}
	}
	if _, repeated := repeatedMember(raw); repeated {
		return "contains an object with a repeated member; an object may have a member only once, so keep one of them"
	}
	return ""
}

// scanString reads a JSON string from the position after its opening quote and returns the position after the closing
// one.
func scanString(raw []byte, i int) (end int, why string) {
	for raw[i] != '"' {
		if raw[i] != '\\' {
			i++
			continue
		}
		if raw[i+1] != 'u' {
			i += 2
			continue
		}
		unit := escapedUnit(raw, i)
		i += 6
		switch {
		case unit == 0:
			return 0, "contains the character U+0000, which cannot be stored"
		case unit >= 0xDC00 && unit <= 0xDFFF:
			return 0, "contains half of a surrogate pair, which is not a character"
		case unit >= 0xD800 && unit <= 0xDBFF:
			if low := escapedUnit(raw, i); low < 0xDC00 || low > 0xDFFF {
				return 0, "contains half of a surrogate pair, which is not a character"
			}
			i += 6
		}
	}
	return i + 1, ""
}

// escapedUnit returns the UTF-16 unit of a \uXXXX escape at i, -1 if there is no such escape.
func escapedUnit(raw []byte, i int) int {
	if i+6 > len(raw) || raw[i] != '\\' || raw[i+1] != 'u' {
		return -1
	}
	unit, err := strconv.ParseUint(string(raw[i+2:i+6]), 16, 16)
	if err != nil {
		return -1
	}
	return int(unit)
}

// CheckText rejects a text that PostgreSQL cannot store. A search for one would fail as well.
func CheckText(field, text string) error {
	if why := textProblem(text); why != "" {
		return vault.Invalid(field, "%s", why)
	}
	return nil
}

// textProblem returns the reason why PostgreSQL cannot store a text, "" if it can.
func textProblem(s string) string {
	switch {
	case !utf8.ValidString(s):
		return "is not valid UTF-8"
	case strings.IndexByte(s, 0) >= 0:
		return "contains the character U+0000, which cannot be stored"
	default:
		return ""
	}
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isNull(raw json.RawMessage) bool { return string(bytes.TrimSpace(raw)) == "null" }

func kib(n int) string { return strconv.Itoa(n>>10) + " KiB" }
