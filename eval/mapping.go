package eval

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/vault"
)

// agent is a service as the vault knows it.
type agent struct {
	id        uuid.UUID
	service   Service
	defs      map[string]vault.Definition
	scenarios map[string]scenario // by intent
}

// scenario is an intent as the vault knows it, twice: listen fills from the conversation alone, ask asks for the rest.
type scenario struct {
	intent      Intent
	listen, ask uuid.UUID
}

// newAgent makes definitions of the slots of a service. newID makes ids.
func newAgent(s Service, newID func() uuid.UUID) agent {
	a := agent{id: newID(), service: s, defs: map[string]vault.Definition{}, scenarios: map[string]scenario{}}
	for _, slot := range s.Slots {
		a.defs[slot.Name] = definition(a.id, slot)
	}
	for _, intent := range s.Intents {
		a.scenarios[intent.Name] = scenario{intent: intent, listen: newID(), ask: newID()}
	}
	return a
}

// definition makes a definition of a slot: a categorical one is a boolean, a number or a choice; any other is text, dates and times
// included, since the annotations keep them as they were said ("next Friday").
func definition(agentID uuid.UUID, s Slot) vault.Definition {
	d := vault.Definition{
		AgentID: agentID, Name: s.Name, DisplayName: vault.DisplayName(s.Name), Description: s.Description, ValueType: vault.TypeString, Enabled: true,
	}
	if !s.Categorical || len(s.PossibleValues) == 0 {
		return d
	}
	switch {
	case allOf(s.PossibleValues, func(v string) bool { return v == "True" || v == "False" }):
		d.ValueType = vault.TypeBoolean
		return d
	case allOf(s.PossibleValues, isNumber):
		d.ValueType = vault.TypeNumber
	}
	for _, v := range s.PossibleValues {
		d.AllowedValues = append(d.AllowedValues, encode(d.ValueType, v))
	}
	return d
}

func allOf(values []string, is func(string) bool) bool {
	return !slices.ContainsFunc(values, func(v string) bool { return !is(v) })
}

func isNumber(s string) bool {
	_, err := strconv.ParseFloat(s, 64)
	return err == nil
}

// encode writes a value of the data set as a value of a type.
func encode(t vault.ValueType, value string) json.RawMessage {
	switch {
	case t == vault.TypeBoolean:
		return json.RawMessage(strings.ToLower(value))
	case t == vault.TypeNumber && isNumber(value):
		return json.RawMessage(value)
	}
	out, _ := json.Marshal(value) // a string always encodes
	return out
}

// plain writes a stored value as the data set does.
func plain(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	return string(raw)
}

// kind is what values are added up by.
func kind(d vault.Definition) string {
	switch {
	case d.ValueType == vault.TypeString && len(d.AllowedValues) > 0:
		return "choice"
	case d.ValueType == vault.TypeNumber, d.ValueType == vault.TypeBoolean:
		return string(d.ValueType)
	case strings.HasSuffix(d.Name, "date") || strings.HasSuffix(d.Name, "day"):
		return "text: date"
	case strings.HasSuffix(d.Name, "time"):
		return "text: time"
	case strings.Contains(d.Name, "number_of"):
		return "text: number"
	default:
		return "text"
	}
}

// requirements makes requirements of the slots of an intent: those required are hard and asked for, the others soft and not.
func requirements(a agent, s scenario, id uuid.UUID, fallback vault.FallbackAction) []vault.Requirement {
	var out []vault.Requirement
	add := func(name string, level vault.RequiredLevel, fallback vault.FallbackAction) {
		out = append(out, vault.Requirement{
			AgentID: a.id, ScenarioID: id, FieldName: name, RequiredLevel: level, FallbackAction: fallback, Order: len(out), Confidence: 1,
		})
	}
	for _, name := range s.intent.RequiredSlots {
		add(name, vault.LevelHard, fallback)
	}
	for _, name := range slices.Sorted(maps.Keys(s.intent.OptionalSlots)) {
		add(name, vault.LevelSoft, vault.FallbackSkip)
	}
	return out
}

// slots gives the names of the slots of an intent, those required first.
func (s scenario) slots() []string {
	return append(slices.Clone(s.intent.RequiredSlots), slices.Sorted(maps.Keys(s.intent.OptionalSlots))...)
}
