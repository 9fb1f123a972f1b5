package config

import (
	"fmt"
	"strconv"
	"strings"
)

// Problem is one thing that is wrong with the configuration.
type Problem struct {
	Key   string // its place in the file, such as "profile.validation_mode"; "": the file itself
	Where string // the variable or the file that sets it; "": nothing does
	Value string // what it holds, quoted; "(not shown)" where it may be secret; "": it is not about a value
	Fault string // what is wrong and what would be right: "is not strict, warn or disabled"
}

// String is one line: key, place, value and what would be right.
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

// Error is everything that is wrong with the configuration.
type Error struct {
	Problems []Problem
}

// Error lists the problems, one a line.
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

// show quotes a value for a message; a long one is cut.
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
	const most = 80
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most]) + "…"
	}
	return strconv.Quote(text)
}
