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

// agent is the agent of the vault for one service.
type agent struct {
	id        uuid.UUID
	service   Service
	defs      map[string]vault.Definition
	scenarios map[string]scenario // by intent
}

// scenario holds the two scenarios of the vault for one intent: listen only reads the conversation, ask also asks
// questions.
type scenario struct {
	intent      Intent
	listen, ask uuid.UUID
}

// newAgent creates the agent of a service, with a definition for each slot. newID generates ids.
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

// newAgents creates the agents of all services, by service.
func newAgents(services []Service) map[string]agent {
	agents := map[string]agent{}
	for _, s := range services {
		agents[s.Name] = newAgent(s, func() uuid.UUID { return uuid.Must(uuid.NewV7()) })
	}
	return agents
}

// quoteMetadata returns the lineage of a value that was read in a conversation, as far as the report needs it.
func quoteMetadata(quote string) json.RawMessage {
	out, _ := json.Marshal(struct{ Quote string }{quote}) // a string always encodes
	return out
}

// definition makes the definition of a slot. A categorical slot becomes a boolean, a number or a choice. Any other slot
// becomes text, including dates and times, because the annotations keep their wording ("next Friday").
func definition(agentID uuid.UUID, s Slot) vault.Definition {
	d := vault.Definition{
		AgentID:     agentID,
		Name:        s.Name,
		DisplayName: vault.DisplayName(s.Name),
		Description: s.Description,
		ValueType:   vault.TypeString,
		Enabled:     true,
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

// encode converts a value of the data set to JSON of the given type.
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

// plain converts a stored value to the form of the data set.
func plain(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	return string(raw)
}

// kind returns the group in which the report counts values of a definition.
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

// requirements makes the requirements of an intent: required slots are hard with the given fallback, optional slots are
// soft and skipped.
func requirements(a agent, s scenario, id uuid.UUID, fallback vault.FallbackAction) []vault.Requirement {
	var out []vault.Requirement
	add := func(name string, level vault.RequiredLevel, fallback vault.FallbackAction) {
		out = append(out, vault.Requirement{
			AgentID:        a.id,
			ScenarioID:     id,
			FieldName:      name,
			RequiredLevel:  level,
			FallbackAction: fallback,
			Order:          len(out),
			Confidence:     1,
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

// slots returns the names of the slots of an intent, required ones first.
func (s scenario) slots() []string {
	return append(slices.Clone(s.intent.RequiredSlots), slices.Sorted(maps.Keys(s.intent.OptionalSlots))...)
}
