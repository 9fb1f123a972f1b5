package console

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/contextvault/contextvault/internal/cursor"
	"github.com/contextvault/contextvault/vault"
)

// display returns a value as a person reads it: a string without quotation marks, anything else as JSON.
func display(raw json.RawMessage) string {
	var text string
	switch {
	case len(raw) == 0:
		return ""
	case string(raw) == "null":
		return "withheld"
	case json.Unmarshal(raw, &text) == nil:
		return text
	}
	var compact bytes.Buffer
	if json.Compact(&compact, raw) != nil {
		return string(raw)
	}
	return compact.String()
}

// typed returns the JSON of what a person typed for a value of a type. An element of a list is on a line of its own.
func typed(text string, of vault.ValueType, list bool) (json.RawMessage, error) {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	if !list {
		return typedOne(strings.TrimSpace(text), of)
	}
	elements := []json.RawMessage{}
	for line := range strings.SplitSeq(text, "\n") {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		element, err := typedOne(line, of)
		if err != nil {
			return nil, err
		}
		elements = append(elements, element)
	}
	return json.Marshal(elements)
}

func typedOne(text string, of vault.ValueType) (json.RawMessage, error) {
	if text == "" {
		return nil, vault.Invalid("value", "is required")
	}
	switch of {
	case vault.TypeNumber, vault.TypeBoolean, vault.TypeJSON:
		if !json.Valid([]byte(text)) {
			return nil, vault.Invalid("value", "is not a JSON %s; write it as in %s", of,
				map[vault.ValueType]string{
					vault.TypeNumber: "12.5", vault.TypeBoolean: "true", vault.TypeJSON: `{"name": "value"}`,
				}[of])
		}
		return json.RawMessage(text), nil
	default:
		return json.Marshal(text)
	}
}

// editable returns a value as typed reads it back.
func editable(raw json.RawMessage, list bool) string {
	var elements []json.RawMessage
	if !list || json.Unmarshal(raw, &elements) != nil {
		return display(raw)
	}
	lines := make([]string, len(elements))
	for i, e := range elements {
		lines[i] = display(e)
	}
	return strings.Join(lines, "\n")
}

// moment returns a time for people, in UTC.
func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// age returns the time since or until t, in the largest unit that fits.
func age(t time.Time) string {
	d := time.Since(t)
	suffix := " ago"
	if d < 0 {
		d, suffix = -d, " from now"
	}
	for _, unit := range []struct {
		length time.Duration
		name   string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}} {
		if n := int(d / unit.length); n == 1 {
			return "1 " + unit.name + suffix
		} else if n > 1 {
			return fmt.Sprintf("%d %ss%s", n, unit.name, suffix)
		}
	}
	if suffix == " ago" {
		return "just now"
	}
	return "in less than a minute"
}

// counted is a number of things, such as "1 turn" or "2 turns".
func counted[N int | int64](n N, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}

// words makes a name of the vault readable: "user provided" for user_provided.
func words[T ~string](name T) string { return strings.ReplaceAll(string(name), "_", " ") }

// part is a part of a text; marked: it is evidence.
type part struct {
	Text   string
	Marked bool
}

// mark splits a text at the first place that has a quote, regardless of case and white space. A quote that the text
// lacks marks nothing.
func mark(text, quote string) (parts []part, found bool) {
	tokens := strings.Fields(quote)
	if len(tokens) == 0 {
		return []part{{Text: text}}, false
	}
	for i, token := range tokens {
		tokens[i] = regexp.QuoteMeta(token)
	}
	pattern, err := regexp.Compile(`(?i)` + strings.Join(tokens, `\s+`))
	if err != nil { // the quote is too long for a pattern
		return []part{{Text: text}}, false
	}
	at := pattern.FindStringIndex(text)
	if at == nil {
		return []part{{Text: text}}, false
	}
	return []part{{Text: text[:at[0]]}, {Text: text[at[0]:at[1]], Marked: true}, {Text: text[at[1]:]}}, true
}

// markAll splits a text at the places that have one of the quotes, as mark does.
func markAll(text string, quotes []string) (parts []part, found bool) {
	marked := make([]bool, len(text))
	for _, quote := range quotes {
		pieces, has := mark(text, quote)
		if !has {
			continue
		}
		found = true
		from := len(pieces[0].Text)
		for i := from; i < from+len(pieces[1].Text); i++ {
			marked[i] = true
		}
	}
	for start := 0; start < len(text); {
		end := start + 1
		for end < len(text) && marked[end] == marked[start] {
			end++
		}
		parts = append(parts, part{text[start:end], marked[start]})
		start = end
	}
	return parts, found
}

// quoteOf returns the quote in the metadata of a derived value, "" if there is none.
func quoteOf(meta json.RawMessage) string {
	var m struct {
		Quote string `json:"quote"`
	}
	if json.Unmarshal(meta, &m) != nil {
		return ""
	}
	return m.Quote
}

// decodeCursor returns the position of a page, nil for the first one.
func decodeCursor[T any](text string) (*T, error) {
	position, ok := cursor.Decode[T](text)
	if !ok {
		return nil, vault.Invalid("page", "is not a page of this list; open the list again")
	}
	return position, nil
}
