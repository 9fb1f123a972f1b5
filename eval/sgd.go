package eval

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/contextvault/contextvault/vault"
)

// Service is a family of scenarios of one agent.
type Service struct {
	Name        string   `json:"service_name"`
	Description string   `json:"description"`
	Slots       []Slot   `json:"slots"`
	Intents     []Intent `json:"intents"`
}

// Slot is a fact that a service knows of.
type Slot struct {
	Name           string   `json:"name"`
	Description    string   `json:"description"`
	Categorical    bool     `json:"is_categorical"`
	PossibleValues []string `json:"possible_values"`
}

// Intent is what a customer may want of a service.
type Intent struct {
	Name          string            `json:"name"`
	Description   string            `json:"description"`
	RequiredSlots []string          `json:"required_slots"`
	OptionalSlots map[string]string `json:"optional_slots"` // with their defaults
}

// Dialogue is one conversation.
type Dialogue struct {
	ID       string         `json:"dialogue_id"`
	Services []string       `json:"services"`
	Turns    []DialogueTurn `json:"turns"`
}

// DialogueTurn is what one side said, with its annotations.
type DialogueTurn struct {
	Speaker   string  `json:"speaker"` // USER or SYSTEM
	Utterance string  `json:"utterance"`
	Frames    []Frame `json:"frames"`
}

// Frame is what a turn means to one service.
type Frame struct {
	Service string   `json:"service"`
	Actions []Action `json:"actions"`
	Slots   []Span   `json:"slots"`
	State   *State   `json:"state"` // after a turn of the customer
}

// Action is one thing that a turn does.
type Action struct {
	Act    string   `json:"act"`
	Slot   string   `json:"slot"`
	Values []string `json:"values"`
}

// Span is where a value of a slot was said, in characters.
type Span struct {
	Slot  string `json:"slot"`
	Start int    `json:"start"`
	End   int    `json:"exclusive_end"`
}

// State is what the customer has made known to a service.
type State struct {
	ActiveIntent string              `json:"active_intent"`
	SlotValues   map[string][]string `json:"slot_values"` // the ways in which each value was said
}

// Acts of the annotations.
const (
	actInform  = "INFORM"
	actRequest = "REQUEST"
	actConfirm = "CONFIRM"
	speakerYou = "USER"
	noIntent   = "NONE"
	anyValue   = "dontcare" // the customer has no preference
)

// Load reads schema.json and dialogues_*.json of a folder, or of its folders train, dev and test.
func Load(dir string) ([]Service, []Dialogue, error) {
	var services []Service
	var dialogues []Dialogue
	for _, sub := range []string{".", "train", "dev", "test"} {
		folder := filepath.Join(dir, sub)
		var more []Service
		switch err := read(filepath.Join(folder, "schema.json"), &more); {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			return nil, nil, err
		}
		for _, s := range more {
			if !slices.ContainsFunc(services, func(known Service) bool { return known.Name == s.Name }) {
				services = append(services, s)
			}
		}
		files, err := filepath.Glob(filepath.Join(folder, "dialogues_*.json"))
		if err != nil {
			return nil, nil, fmt.Errorf("list the dialogues: %w", err)
		}
		slices.Sort(files)
		for _, file := range files {
			var more []Dialogue
			if err := read(file, &more); err != nil {
				return nil, nil, err
			}
			dialogues = append(dialogues, more...)
		}
	}
	if len(services) == 0 || len(dialogues) == 0 {
		return nil, nil, vault.Invalid("data", "the folder holds no schema.json with dialogues_*.json beside it, nor does its folder train, dev or test")
	}
	return services, dialogues, nil
}

func read(path string, into any) error {
	raw, err := os.ReadFile(path) //nolint:gosec // what the caller asked to evaluate
	if err != nil {
		return fmt.Errorf("read the data set: %w", err)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("read the data set: %s: %w", filepath.Base(path), err)
	}
	return nil
}

// turns gives the first n turns as the vault keeps them.
func (d Dialogue) turns(from, to int) []vault.Turn {
	var out []vault.Turn
	for i := from; i < to; i++ {
		speaker := vault.SpeakerAgent
		if d.Turns[i].Speaker == speakerYou {
			speaker = vault.SpeakerCustomer
		}
		out = append(out, vault.Turn{Index: i, Speaker: speaker, Text: d.Turns[i].Utterance})
	}
	return out
}

// stay is how long a customer wants one thing of a service.
type stay struct {
	service, intent string
	first, last     int // turns of the customer
}

// stays gives what the customer wanted, in order. Wanting it again later is another stay.
func (d Dialogue) stays() []stay {
	var out []stay
	open := map[string]int{} // of a service
	for i, turn := range d.Turns {
		if turn.Speaker != speakerYou {
			continue
		}
		active := map[string]bool{}
		for _, f := range turn.Frames {
			if f.State == nil || f.State.ActiveIntent == noIntent {
				continue
			}
			active[f.Service] = true
			at, ok := open[f.Service]
			if ok && out[at].intent == f.State.ActiveIntent {
				out[at].last = i
				continue
			}
			open[f.Service] = len(out)
			out = append(out, stay{f.Service, f.State.ActiveIntent, i, i})
		}
		for service := range open {
			if !active[service] {
				delete(open, service)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b stay) int { return cmp.Or(cmp.Compare(a.last, b.last), cmp.Compare(a.first, b.first)) })
	return out
}

// state gives what a service knew after a turn, the last that says so.
func (d Dialogue) state(service string, after int) map[string][]string {
	for i := after; i >= 0; i-- {
		for _, f := range d.Turns[i].Frames {
			if f.Service == service && f.State != nil {
				return f.State.SlotValues
			}
		}
	}
	return nil
}

// requests gives the slots that the human agent asked for in a stay, in order.
func (d Dialogue) requests(s stay) []string {
	var out []string
	for i := s.first + 1; i < s.last; i++ {
		for _, f := range d.Turns[i].Frames {
			for _, a := range f.Actions {
				if d.Turns[i].Speaker != speakerYou && f.Service == s.service && a.Act == actRequest {
					out = append(out, a.Slot)
				}
			}
		}
	}
	return out
}

// confirmations counts the turns of a stay in which the human agent had values confirmed.
func (d Dialogue) confirmations(s stay) int {
	count := 0
	for i := s.first + 1; i < s.last; i++ {
		if d.Turns[i].Speaker != speakerYou && slices.ContainsFunc(d.Turns[i].Frames, func(f Frame) bool {
			return f.Service == s.service && slices.ContainsFunc(f.Actions, func(a Action) bool { return a.Act == actConfirm })
		}) {
			count++
		}
	}
	return count
}

// said gives the words of a span.
func (t DialogueTurn) said(s Span) string {
	runes := []rune(t.Utterance)
	if s.Start < 0 || s.End > len(runes) || s.Start >= s.End {
		return ""
	}
	return string(runes[s.Start:s.End])
}

// same reports whether two ways of saying a value are the same but for case and spaces.
func same(a, b string) bool {
	return strings.EqualFold(strings.Join(strings.Fields(a), " "), strings.Join(strings.Fields(b), " "))
}
