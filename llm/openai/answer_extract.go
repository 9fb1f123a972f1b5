package openai

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

// extractionAnswer is the answer to ExtractValues. Its JSON Schema is made from these types.
type extractionAnswer struct {
	Values []statedValue `json:"values"`
}

type statedValue struct {
	FieldName  string          `json:"field_name"`
	Value      json.RawMessage `json:"value"`
	Confidence float64         `json:"confidence"`
	Quote      string          `json:"quote"`
	Turn       int             `json:"turn"`
}

// decodeCandidates checks the answer to ExtractValues against its schema, the requested definitions and their types.
// The caller checks that each quote supports its value.
func decodeCandidates(answer string, req llm.ExtractRequest) ([]vault.Candidate, error) {
	body, err := decodeAnswer[extractionAnswer](extractionSchema, answer)
	if err != nil {
		return nil, err
	}
	found := map[string][]vault.Candidate{}
	for i, v := range body.Values {
		path := fmt.Sprintf("values[%d]", i)
		c, err := v.candidate(path, req)
		if err != nil {
			return nil, err
		}
		if len(found[c.FieldName]) > 0 && !hasList(req.Definitions, c.FieldName) {
			return nil, problemf("%s.field_name was used before in this answer", path)
		}
		found[c.FieldName] = append(found[c.FieldName], c)
	}
	var out []vault.Candidate
	for _, d := range req.Definitions {
		out = append(out, found[d.Name]...)
		delete(found, d.Name)
	}
	return out, nil
}

// hasList reports whether a field has a list, with a candidate for each element.
func hasList(defs []vault.Definition, name string) bool {
	return slices.ContainsFunc(defs, func(d vault.Definition) bool { return d.Name == name && d.Multiple })
}

func (v statedValue) candidate(path string, req llm.ExtractRequest) (vault.Candidate, error) {
	var none vault.Candidate
	at := slices.IndexFunc(req.Definitions, func(d vault.Definition) bool { return d.Name == v.FieldName })
	if at < 0 {
		return none, problemf("%s.field_name is not one of the requested fields", path)
	}
	value, err := checkValueType(path, req.Definitions[at].ValueType, v.Value)
	if err != nil {
		return none, err
	}
	if err := checkConfidence(path, v.Confidence); err != nil {
		return none, err
	}
	if !llm.HasText(v.Quote) {
		return none, problemf("%s.quote is empty", path)
	}
	if !slices.ContainsFunc(req.Turns, func(t vault.Turn) bool { return t.Index == v.Turn }) {
		return none, problemf("%s.turn is not the index of a turn", path)
	}
	return vault.Candidate{
		FieldName: v.FieldName, Value: value, Confidence: v.Confidence, Quote: v.Quote,
		Turn: rules.QuotedTurn(v.Quote, v.Turn, req.Turns),
	}, nil
}

// checkValueType rejects a value if its JSON type does not fit t. For vault.TypeJSON it decodes the string that
// contains the JSON.
func checkValueType(path string, t vault.ValueType, value json.RawMessage) (json.RawMessage, error) {
	want := "string"
	switch t {
	case vault.TypeNumber:
		want = "number"
	case vault.TypeBoolean:
		want = "boolean"
	default: // a string
	}
	if kindOf(value) != want {
		return nil, problemf("%s.value is not a %s, which the type %s needs", path, want, t)
	}
	if t == vault.TypeJSON {
		var text string
		if err := json.Unmarshal(value, &text); err != nil || !json.Valid([]byte(text)) {
			return nil, problemf("%s.value is not a string with JSON in it", path)
		}
		return json.RawMessage(text), nil
	}
	return bytes.TrimSpace(value), nil
}
