package mcp

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/contextvault/contextvault/client"
	"github.com/contextvault/contextvault/vault"
)

// rememberAtOnce is the number of facts that one call of remember writes at the same time.
const rememberAtOnce = 8

type rememberInput struct {
	Customer uuid.UUID       `json:"customer_id"`
	Session  uuid.UUID       `json:"session_id"`
	Facts    map[string]fact `json:"facts"`
}

type fact struct {
	Value      json.RawMessage `json:"value"`
	Quote      string          `json:"quote"`
	Turn       *int            `json:"turn"`
	Confidence *float64        `json:"confidence"`
}

type object = map[string]any

// rememberSchema returns the schema of the arguments of remember: a property for each enabled definition. typed adds
// the types of the values. The server checks arguments without them, because the API checks values, with the modes and
// the forms that it accepts.
func rememberSchema(fields []vault.Definition, typed bool) object {
	facts := object{}
	for _, def := range fields {
		if !def.Enabled {
			continue
		}
		value := object{}
		if typed {
			value = valueSchema(def)
		}
		facts[def.Name] = object{
			"type": "object", "additionalProperties": false, "required": []string{"value"},
			"description": describeField(def),
			"properties": object{
				"value": value,
				"quote": object{
					"type":        "string",
					"description": "The words of the customer that state the value, exactly as said.",
				},
				"turn": object{"type": "integer", "minimum": 0, "description": "The index of the turn with the quote."},
				"confidence": object{
					"type": "number", "minimum": 0, "maximum": 1, "description": "How sure you are, from 0 to 1. Absent: 1.",
				},
			},
		}
	}
	return object{
		"type": "object", "additionalProperties": false, "required": []string{"customer_id", "facts"},
		"properties": object{
			"customer_id": object{"type": "string", "format": "uuid", "description": "The id of the customer."},
			"session_id": object{
				"type": "string", "format": "uuid",
				"description": "The session whose turns state the facts, as of take_turn. " +
					"Required, with quote and turn, unless the API key is trusted as an extractor.",
			},
			"facts": object{
				"type": "object", "additionalProperties": false, "minProperties": 1, "properties": facts,
				"description": "The facts by the name of the field.",
			},
		},
	}
}

func describeField(def vault.Definition) string {
	text := def.Label()
	if def.Description != "" {
		text += ": " + strings.TrimSuffix(def.Description, ".")
	}
	if def.About != "" {
		text += ", about: " + def.About
	}
	return text + "."
}

// valueSchema returns the schema of the values of a definition.
func valueSchema(def vault.Definition) object {
	if !def.Multiple {
		return elementSchema(def)
	}
	return object{
		"type": "array", "items": elementSchema(def), "uniqueItems": true, "minItems": 1, "maxItems": def.ElementLimit(),
		"description": "The whole list.",
	}
}

var formats = map[vault.ValueType]object{
	vault.TypeString:   {"type": "string"},
	vault.TypeEmail:    {"type": "string", "format": "email"},
	vault.TypePhone:    {"type": "string", "description": "A phone number, with its country code where it was said."},
	vault.TypeDate:     {"type": "string", "format": "date"},
	vault.TypeDatetime: {"type": "string", "format": "date-time"},
	vault.TypeNumber:   {"type": "number"},
	vault.TypeBoolean:  {"type": "boolean"},
	vault.TypeURL:      {"type": "string", "format": "uri"},
	vault.TypeJSON:     {},
}

func elementSchema(def vault.Definition) object {
	out := maps.Clone(formats[def.ValueType])
	if out == nil {
		out = object{}
	}
	if len(def.AllowedValues) > 0 {
		out["enum"] = def.AllowedValues
	}
	if def.Minimum != nil {
		out["minimum"] = def.Minimum
	}
	if def.Maximum != nil {
		out["maximum"] = def.Maximum
	}
	var notes []string
	if text, ok := out["description"].(string); ok {
		notes = append(notes, text)
	}
	if def.Unit != "" {
		notes = append(notes, "In "+def.Unit+".")
	}
	if def.ValidationRegex != "" {
		// Not as pattern: the expression has the syntax of RE2, which other clients cannot compile.
		notes = append(notes, "Matches the regular expression "+def.ValidationRegex+" as a whole.")
	}
	if def.JSONSchema != nil && !bytes.Contains(def.JSONSchema, []byte(`"$`)) {
		var schema object
		if json.Unmarshal(def.JSONSchema, &schema) == nil {
			out = schema
		}
	} else if def.JSONSchema != nil { // its references begin at its own root
		notes = append(notes, "Matches the JSON Schema "+string(def.JSONSchema))
	}
	if len(notes) > 0 {
		out["description"] = strings.Join(notes, " ")
	}
	return out
}

// addRemember adds the tool, or replaces it by one with another schema.
func (s *Server) addRemember(schema json.RawMessage) {
	t := tool{
		name:  "remember",
		title: "Remember facts that the customer stated",
		description: "Stores facts of a customer by the fields that this agent collects. Each needs the session, the " +
			"turn and " +
			"the exact quote of the customer's words that state it. A value that was not said is refused. A value that " +
			"differs from a stronger one is pending until somebody decides.",
	}
	s.sdk.AddTool(t.describe(schema), s.handler(t, s.rememberFacts))
}

// remembered is what became of a fact.
type remembered struct {
	Field    string           `json:"field"`
	ItemID   *uuid.UUID       `json:"item_id,omitempty"`
	Status   vault.ItemStatus `json:"status,omitempty"`
	Warnings []string         `json:"warnings,omitempty"`
	Waiting  *unfinished      `json:"unfinished,omitempty"`
	Error    *failure         `json:"error,omitempty"`
}

func (s *Server) rememberFacts(ctx context.Context, raw json.RawMessage) (answer, error) {
	if err := s.refresh(ctx); err != nil {
		return answer{}, err
	}
	s.mu.Lock()
	checked := s.remember
	s.mu.Unlock()
	var in rememberInput
	if err := checked.decode(raw, &in); err != nil {
		return answer{}, err
	}
	names := slices.Sorted(maps.Keys(in.Facts))
	results := make([]remembered, len(names))
	var writing errgroup.Group
	writing.SetLimit(rememberAtOnce)
	for i, name := range names {
		writing.Go(func() error {
			results[i] = s.rememberFact(ctx, in, name)
			return nil
		})
	}
	_ = writing.Wait() // each result has its own error
	var out struct {
		Remembered []remembered `json:"remembered"`
		Refused    []remembered `json:"refused"`
	}
	out.Remembered, out.Refused = []remembered{}, []remembered{}
	for _, r := range results {
		if r.Error != nil {
			out.Refused = append(out.Refused, r)
		} else {
			out.Remembered = append(out.Remembered, r)
		}
	}
	text, err := data(out)
	text.failed = len(out.Refused) > 0
	return text, err
}

func (s *Server) rememberFact(ctx context.Context, in rememberInput, name string) remembered {
	f, out := in.Facts[name], remembered{Field: name}
	write := vault.WriteValueInput{
		AgentID: s.agent, CustomerID: in.Customer, Name: name, Value: f.Value, Source: vault.ValueLLMExtracted,
		SourceSessionID: pointer(in.Session), Confidence: f.Confidence,
	}
	if f.Quote != "" || f.Turn != nil {
		said := object{}
		if f.Quote != "" {
			said["quote"] = f.Quote
		}
		if f.Turn != nil {
			said["turn"] = *f.Turn
		}
		write.SourceMetadata, _ = json.Marshal(said) // a text and a number
	}
	op, err := s.client.WriteValue(ctx, write, client.Wait(changeWait))
	place := fmt.Sprintf("facts.%s.", name)
	if err != nil {
		problem := failureOf(err, map[string]string{
			"source_session_id": "session_id", "source_metadata": place + "quote", "value": place + "value",
			"confidence": place + "confidence", "name": place + "value", name: place + "value",
		})
		problem.Argument = cmp.Or(problem.Argument, strings.TrimSuffix(place, "."))
		out.Error = &problem
		return out
	}
	if !op.Status.Finished() {
		state := waiting(op)
		out.Waiting = &state
		return out
	}
	out.ItemID, out.Status, out.Warnings = &op.Result.ItemID, op.Result.Status, op.Result.Warnings
	return out
}
