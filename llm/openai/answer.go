package openai

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// problem describes an invalid answer of the model, for the repair request and for the error. It contains paths and
// rules only: the answer itself may contain a customer's words.
type problem string

func (p problem) Error() string { return string(p) }

func problemf(format string, args ...any) error { return problem(fmt.Sprintf(format, args...)) }

// decodeAnswer checks that answer is one JSON value that matches schema, and decodes it.
func decodeAnswer[T any](schema answerSchema, answer string) (T, error) {
	var typed T
	var untyped any
	decoder := json.NewDecoder(strings.NewReader(answer))
	decoder.UseNumber()
	if err := decoder.Decode(&untyped); err != nil {
		return typed, syntaxProblem(err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return typed, problemf("there is text after the JSON object")
	}
	if err := schema.check(plainNumbers(untyped)); err != nil {
		return typed, err
	}
	if err := json.Unmarshal([]byte(answer), &typed); err != nil {
		return typed, typeProblem(err)
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

func syntaxProblem(err error) error {
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		return problemf("it is not valid JSON (at byte %d)", e.Offset)
	}
	return problemf("the JSON ends before it is complete")
}

// typeProblem describes a value that matches the schema but not its Go type, such as an integer that is too large.
func typeProblem(err error) error {
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return problemf("%s is out of range", e.Field)
	}
	return problemf("the answer does not match the schema")
}

// checkConfidence rejects a confidence outside of 0 to 1.
func checkConfidence(path string, c float64) error {
	if c < 0 || c > 1 {
		return problemf("%s.confidence is not between 0 and 1", path)
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
