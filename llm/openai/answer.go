package openai

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/contextvault/contextvault/llm"
)

// problem describes an invalid answer of the model, for the repair request and for the error. It contains paths and
// rules only: the answer itself may contain a customer's words.
type problem struct {
	reason llm.DropReason // "": the whole answer is invalid
	text   string
}

func (p problem) Error() string { return p.text }

// problemf describes an answer that is invalid as a whole.
func problemf(format string, args ...any) error { return problem{text: fmt.Sprintf(format, args...)} }

// dropf describes an invalid entry.
func dropf(reason llm.DropReason, format string, args ...any) error {
	return problem{reason, fmt.Sprintf(format, args...)}
}

// reasonOf returns the reason of a problem of an entry.
func reasonOf(err error) llm.DropReason {
	p, _ := err.(problem) //nolint:errorlint // problems are not wrapped
	return p.reason
}

// maxEntries limits the entries that are examined in one answer, the dropped ones included. It is far more than a
// customer can state or be asked for.
const maxEntries = 1000

// collector gathers the valid entries of one list.
type collector[E any] interface {
	// add takes an entry that matches the schema, or returns why it is dropped.
	add(path string, entry E) error
	// size returns the number of entries taken.
	size() int
}

// reading is what was read from one list of an answer.
type reading[C any] struct {
	found   C
	drops   llm.Drops
	problem error // the first problem; nil: none
	usable  bool
}

// decodeAnswer finds the list of an answer and decodes each entry on its own: an invalid entry is dropped and costs no
// other. Of several lists the last usable one counts, because some models think aloud before they answer. A list is
// usable if it has a valid entry, or if it says that there is none. The error describes an answer without a usable
// list.
func decodeAnswer[E any, C collector[E]](
	schema answerSchema, answer string, begin func() C,
) (found C, drops llm.Drops, err error) {
	var best *reading[C]
	for _, list := range findLists(schema, withoutThoughts(schema, answer)) {
		read := readList[E](schema, list, begin())
		if best == nil || read.usable || !best.usable {
			best = &read
		}
	}
	switch {
	case best == nil && strings.TrimSpace(answer) == "":
		return found, nil, problemf("the answer is empty")
	case best == nil:
		return found, nil, problemf("it is not a JSON object with the list %s", schema.key)
	case best.usable:
		return best.found, best.drops, nil
	}
	return found, best.drops, best.problem
}

// readList decodes the entries of one list into found.
func readList[E any, C collector[E]](schema answerSchema, list entryList, found C) reading[C] {
	read := reading[C]{found: found}
	drop := func(err error) {
		read.drops = read.drops.Add(llm.Drops{reasonOf(err): 1})
		if read.problem == nil && reasonOf(err) != llm.DropNull {
			read.problem = err
		}
	}
	for i, raw := range list.entries {
		path := schema.key + "[" + strconv.Itoa(i) + "]"
		entry, err := decodeEntry[E](schema, path, raw)
		if err == nil {
			err = found.add(path, entry)
		}
		if err != nil {
			drop(err)
		}
	}
	if list.more {
		drop(dropf(llm.DropTooMany, "it has more than %d entries", maxEntries))
	}
	if list.cut {
		drop(errCutOff)
	}
	read.usable = found.size() > 0 || read.problem == nil
	return read
}

// errCutOff describes an answer that ends before its list ends.
var errCutOff = dropf(llm.DropCutOff, "the answer was cut off; give fewer and shorter entries")

// decodeEntry decodes one entry and checks it against the schema. Keys that the schema does not have are ignored.
func decodeEntry[E any](schema answerSchema, path, raw string) (E, error) {
	var typed E
	var untyped any
	if len(raw) > maxEntryBytes {
		return typed, dropf(llm.DropSyntax, "%s is longer than %d KiB", path, maxEntryBytes>>10)
	}
	decoder := json.NewDecoder(strings.NewReader(raw))
	decoder.UseNumber()
	if err := decoder.Decode(&untyped); err != nil || len(strings.TrimSpace(raw[decoder.InputOffset():])) > 0 {
		return typed, dropf(llm.DropSyntax, "%s is not valid JSON", path)
	}
	object, ok := untyped.(map[string]any)
	if !ok {
		return typed, dropf(llm.DropNoObject, "%s is not an object", path)
	}
	if value, set := object["value"]; set && value == nil {
		return typed, dropf(llm.DropNull, "%s.value is null; leave the entry out", path)
	}
	if err := schema.checkEntry(path, plainNumbers(untyped)); err != nil {
		return typed, err
	}
	if err := json.Unmarshal([]byte(raw), &typed); err != nil {
		return typed, dropf(llm.DropType, "%s has a value that is out of range", path)
	}
	return typed, nil
}

// plainNumbers replaces the numbers of a JSON value by int64 and float64. The validator would write out a json.Number
// such as 1e999999 in full to see whether it is an integer. A number beyond float64 becomes infinite: still a number.
func plainNumbers(value any) any {
	switch v := value.(type) {
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return i
		}
		f, _ := v.Float64()
		return f
	case []any:
		for i := range v {
			v[i] = plainNumbers(v[i])
		}
	case map[string]any:
		for key := range v {
			v[key] = plainNumbers(v[key])
		}
	}
	return value
}

// checkConfidence rejects a confidence outside of 0 to 1.
func checkConfidence(path string, c float64) error {
	if c < 0 || c > 1 {
		return dropf(llm.DropConfidence, "%s.confidence is not between 0 and 1", path)
	}
	return nil
}

// kindOf returns the JSON type of raw, which is valid JSON.
func kindOf(raw json.RawMessage) string {
	switch raw = bytes.TrimSpace(raw); raw[0] {
	case '"':
		return "string"
	case '{':
		return "object"
	case '[':
		return "array"
	case 't', 'f':
		return "boolean"
	case 'n':
		return "null"
	}
	return "number"
}
