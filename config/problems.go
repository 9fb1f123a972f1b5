package config

import (
	"fmt"
	"strconv"
	"strings"
)

// Problem is one problem of the configuration.
type Problem struct {
	Key   string // its path in the file, such as "profile.validation_mode"; "": the file itself
	Where string // the variable or the file that sets it; "": not set
	Value string // the value, quoted; "(not shown)" if it may be a secret; "": the problem is not a value
	Fault string // the problem and the valid values: "is not strict, warn or disabled"
}

// String returns one line: key, place, value and fault.
func (p Problem) String() string {
	var b strings.Builder
	switch {
	case p.Key == "":
		b.WriteString(p.Where)
	case p.Where == "":
		b.WriteString(p.Key)
	default:
		fmt.Fprintf(&b, "%s (%s)", p.Key, p.Where)
	}
	b.WriteString(": ")
	if p.Value != "" {
		b.WriteString(p.Value + " ")
	}
	b.WriteString(p.Fault)
	return b.String()
}

// Error lists all problems of the configuration.
type Error struct {
	Problems []Problem
}

// Error returns the problems, one per line.
func (e *Error) Error() string {
	if len(e.Problems) == 1 {
		return "configuration: " + e.Problems[0].String()
	}
	lines := make([]string, 0, len(e.Problems)+1)
	lines = append(lines, fmt.Sprintf("configuration: %d problems", len(e.Problems)))
	for _, p := range e.Problems {
		lines = append(lines, "  "+p.String())
	}
	return strings.Join(lines, "\n")
}

// show quotes a value for a message. A long value is truncated.
func show(k key, raw any) string {
	if k.secret {
		return notShown
	}
	text, isText := raw.(string)
	if !isText {
		switch v := raw.(type) {
		case map[string]any:
			return "a table"
		case []any:
			return "a list"
		default:
			text = fmt.Sprint(v)
			if k.isURL() {
				return notShown
			}
			return text
		}
	}
	if k.isURL() {
		shown, ok := redactURL(text)
		if !ok {
			return notShown
		}
		text = shown
	}
	const limit = 80
	if runes := []rune(text); len(runes) > limit {
		text = string(runes[:limit]) + "…"
	}
	return strconv.Quote(text)
}
