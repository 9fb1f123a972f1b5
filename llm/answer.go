package llm

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
)

// problem says what is wrong with a model's answer, for the repair and for the error. It names paths and rules, and holds
// nothing of the answer itself, which may hold a customer's words.
type problem string

func (p problem) Error() string { return string(p) }

func problemf(format string, args ...any) error { return problem(fmt.Sprintf(format, args...)) }

// decodeStrict reads answer as exactly one JSON value into v: no unknown keys, nothing after it.
func decodeStrict(answer string, v any) error {
	decoder := json.NewDecoder(strings.NewReader(answer))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(v); err != nil {
		return describeJSON(err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return problemf("there is something after the JSON object")
	}
	return nil
}

func describeJSON(err error) error {
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		return problemf("it is not valid JSON (at byte %d)", e.Offset)
	}
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return problemf("%s is not of type %s", e.Field, jsonName(e.Type.Kind().String()))
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return problemf("the JSON ends before it is complete")
	}
	// The only other error of the decoder names a key that is not in the schema; the key is the model's own text.
	return problemf("it has a key that is not in the schema")
}

func jsonName(kind string) string {
	switch kind {
	case "slice":
		return "array"
	case "struct", "map":
		return "object"
	case "float64":
		return "number"
	case "int":
		return "integer"
	case "bool":
		return "boolean"
	}
	return kind
}

// presence says whether a key was there.
type presence struct {
	key   string
	there bool
}

// missing names the first key that is absent.
func missing(path string, keys ...presence) error {
	for _, k := range keys {
		if !k.there {
			return problemf("%s.%s is missing", path, k.key)
		}
	}
	return nil
}

// checkConfidence refuses what is not a share of certainty.
func checkConfidence(path string, c float64) error {
	if math.IsNaN(c) || c < 0 || c > 1 {
		return problemf("%s.confidence is not between 0 and 1", path)
	}
	return nil
}

// kindOf names the JSON type of raw.
func kindOf(raw json.RawMessage) string {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 {
		return "nothing"
	}
	switch raw[0] {
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
