package llm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

// statedValue is one entry of the answer to ExtractValues. Pointers tell a missing key from an empty value.
type statedValue struct {
	FieldName  *string         `json:"field_name"`
	Value      json.RawMessage `json:"value"`
	Confidence *float64        `json:"confidence"`
	Quote      *string         `json:"quote"`
	Turn       *int            `json:"turn"`
}

// decodeCandidates checks the answer to ExtractValues against its schema, the fields asked for and their types. Whether the
// quote supports the value is for the caller to judge.
func decodeCandidates(answer string, req ExtractRequest) ([]vault.Candidate, error) {
	var body struct {
		Values *[]statedValue `json:"values"`
	}
	if err := decodeStrict(answer, &body); err != nil {
		return nil, err
	}
	if body.Values == nil {
		return nil, problemf("values is missing")
	}
	found := map[string]vault.Candidate{}
	for i, v := range *body.Values {
		path := fmt.Sprintf("values[%d]", i)
		c, err := v.check(path, req)
		if err != nil {
			return nil, err
		}
		if _, twice := found[c.FieldName]; twice {
			return nil, problemf("%s.field_name was used before in this answer", path)
		}
		found[c.FieldName] = c
	}
	var out []vault.Candidate
	for _, d := range req.Fields {
		if c, ok := found[d.Name]; ok {
			out = append(out, c)
			delete(found, d.Name)
		}
	}
	return out, nil
}

func (v statedValue) check(path string, req ExtractRequest) (vault.Candidate, error) {
	var none vault.Candidate
	err := missing(path, presence{"field_name", v.FieldName != nil}, presence{"value", v.Value != nil},
		presence{"confidence", v.Confidence != nil}, presence{"quote", v.Quote != nil}, presence{"turn", v.Turn != nil})
	if err != nil {
		return none, err
	}
	at := slices.IndexFunc(req.Fields, func(d vault.Definition) bool { return d.Name == *v.FieldName })
	if at < 0 {
		return none, problemf("%s.field_name is not one of the fields asked for", path)
	}
	value, err := checkValueType(path, req.Fields[at].ValueType, v.Value)
	if err != nil {
		return none, err
	}
	if err := checkConfidence(path, *v.Confidence); err != nil {
		return none, err
	}
	if !isText(*v.Quote) {
		return none, problemf("%s.quote is empty", path)
	}
	if !slices.ContainsFunc(req.Turns, func(t vault.Turn) bool { return t.Index == *v.Turn }) {
		return none, problemf("%s.turn is not the index of a turn", path)
	}
	return vault.Candidate{
		FieldName: *v.FieldName, Value: value, Confidence: *v.Confidence, Quote: *v.Quote, Turn: rules.QuotedTurn(*v.Quote, *v.Turn, req.Turns),
	}, nil
}

// checkValueType refuses a value whose JSON type is not the one of the field's type, and unwraps JSON that came as a string.
func checkValueType(path string, t vault.ValueType, value json.RawMessage) (json.RawMessage, error) {
	want := "string"
	switch t {
	case vault.TypeNumber:
		want = "number"
	case vault.TypeBoolean:
		want = "boolean"
	}
	if kindOf(value) != want {
		return nil, problemf("%s.value is not a %s, as the field's type %s needs", path, want, t)
	}
	if t == vault.TypeJSON {
		var text string
		if err := json.Unmarshal(value, &text); err != nil || !json.Valid([]byte(text)) {
			return nil, problemf("%s.value is not a string that holds JSON", path)
		}
		return json.RawMessage(text), nil
	}
	return bytes.TrimSpace(value), nil
}
