package openai

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/rules/evidence"
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

// contradictedConfidence limits the confidence of a value if the answer also has another value for the same field: at
// the default thresholds the customer is asked to confirm it.
const contradictedConfidence = 0.9

// decodeCandidates takes the valid entries from the answer to ExtractValues: those that match the schema, a requested
// definition and its type. Of several entries for one definition it takes the first. The caller checks that each quote
// supports its value.
func decodeCandidates(answer string, req llm.ExtractRequest) ([]vault.Candidate, llm.Drops, error) {
	found, drops, err := decodeAnswer[statedValue](extractionSchema, answer, func() *candidates {
		return &candidates{req: req, found: map[string][]vault.Candidate{}}
	})
	if err != nil {
		return nil, drops, err
	}
	var out []vault.Candidate
	for _, d := range req.Definitions {
		out = append(out, found.found[d.Name]...)
		delete(found.found, d.Name)
	}
	return out, drops, nil
}

// candidates collects candidates by the names of their fields.
type candidates struct {
	req   llm.ExtractRequest
	found map[string][]vault.Candidate // several only for a field that has a list
}

func (c *candidates) size() int {
	n := 0
	for _, found := range c.found {
		n += len(found)
	}
	return n
}

func (c *candidates) add(path string, entry statedValue) error {
	next, err := entry.candidate(path, c.req)
	if err != nil {
		return err
	}
	known := c.found[next.FieldName]
	if len(known) == 0 || hasList(c.req.Definitions, next.FieldName) {
		c.found[next.FieldName] = append(known, next)
		return nil
	}
	if first := &known[0]; !bytes.Equal(first.Value, next.Value) {
		first.Confidence = min(first.Confidence, contradictedConfidence)
	}
	return dropf(llm.DropRepeated, "%s.field_name was used before in this answer", path)
}

// hasList reports whether a field has a list, with a candidate for each element.
func hasList(defs []vault.Definition, name string) bool {
	return slices.ContainsFunc(defs, func(d vault.Definition) bool { return d.Name == name && d.Multiple })
}

func (v statedValue) candidate(path string, req llm.ExtractRequest) (vault.Candidate, error) {
	var none vault.Candidate
	at := slices.IndexFunc(req.Definitions, func(d vault.Definition) bool { return d.Name == v.FieldName })
	if at < 0 {
		return none, dropf(llm.DropUnknown, "%s.field_name is not one of the requested fields", path)
	}
	value, err := checkValueType(path, req.Definitions[at].ValueType, v.Value)
	if err != nil {
		return none, err
	}
	if err := checkConfidence(path, v.Confidence); err != nil {
		return none, err
	}
	if !llm.HasText(v.Quote) {
		return none, dropf(llm.DropEvidence, "%s.quote is empty", path)
	}
	if !slices.ContainsFunc(req.Turns, func(t vault.Turn) bool { return t.Index == v.Turn }) {
		return none, dropf(llm.DropEvidence, "%s.turn is not the index of a turn", path)
	}
	return vault.Candidate{
		FieldName: v.FieldName, Value: value, Confidence: v.Confidence, Quote: v.Quote,
		Turn: evidence.QuotedTurn(v.Quote, v.Turn, req.Turns),
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
		return nil, dropf(llm.DropType, "%s.value is not a %s, which the type %s needs", path, want, t)
	}
	if t == vault.TypeJSON {
		var text string
		if err := json.Unmarshal(value, &text); err != nil || !json.Valid([]byte(text)) {
			return nil, dropf(llm.DropType, "%s.value is not a string with JSON in it", path)
		}
		return json.RawMessage(text), nil
	}
	return bytes.TrimSpace(value), nil
}
