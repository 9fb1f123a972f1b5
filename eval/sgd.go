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

// Service is a group of intents. It becomes one agent.
type Service struct {
	Name        string   `json:"service_name"`
	Description string   `json:"description"`
	Slots       []Slot   `json:"slots"`
	Intents     []Intent `json:"intents"`
}

// Slot is a fact that a service uses. It becomes a definition.
type Slot struct {
	Name           string   `json:"name"`
	Description    string   `json:"description"`
	Categorical    bool     `json:"is_categorical"`
	PossibleValues []string `json:"possible_values"`
}

// Intent is a task that a customer can ask a service for. It becomes a scenario.
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

// DialogueTurn is one utterance with its annotations.
type DialogueTurn struct {
	Speaker   string  `json:"speaker"` // USER or SYSTEM
	Utterance string  `json:"utterance"`
	Frames    []Frame `json:"frames"`
}

// Frame is the annotation of a turn for one service.
type Frame struct {
	Service string   `json:"service"`
	Actions []Action `json:"actions"`
	Slots   []Span   `json:"slots"`
	State   *State   `json:"state"` // after a turn of the customer
}

// Action is one dialogue act of a turn.
type Action struct {
	Act    string   `json:"act"`
	Slot   string   `json:"slot"`
	Values []string `json:"values"`
}

// Span is the position of a value in an utterance, in characters.
type Span struct {
	Slot  string `json:"slot"`
	Start int    `json:"start"`
	End   int    `json:"exclusive_end"`
}

// State holds the intent and the values that the customer has given to a service.
type State struct {
	ActiveIntent string              `json:"active_intent"`
	SlotValues   map[string][]string `json:"slot_values"` // the wordings of each value
}

// Acts of the annotations.
const (
	actInform   = "INFORM"
	actRequest  = "REQUEST"
	actConfirm  = "CONFIRM"
	speakerUser = "USER"
	noIntent    = "NONE"
	anyValue    = "dontcare" // the customer has no preference
)

// Load reads schema.json and dialogues_*.json from dir and from its subfolders train, dev and test.
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
		return nil, nil, vault.Invalid(
			"data",
			"must name a folder with schema.json and dialogues_*.json, directly or in its subfolder train, dev or test",
		)
	}
	return services, dialogues, nil
}

func read(path string, into any) error {
	raw, err := os.ReadFile(path) //nolint:gosec // the caller's data set
	if err != nil {
		return fmt.Errorf("read the data set: %w", err)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("read the data set: %s: %w", filepath.Base(path), err)
	}
	return nil
}

// turns returns the turns from from up to, but not including, to, in the vault's form.
func (d Dialogue) turns(from, to int) []vault.Turn {
	var out []vault.Turn
	at := Clock
	for i := from; i < to; i++ {
		speaker := vault.SpeakerAgent
		if d.Turns[i].Speaker == speakerUser {
			speaker = vault.SpeakerCustomer
		}
		out = append(out, vault.Turn{Index: i, Speaker: speaker, Text: d.Turns[i].Utterance, At: &at})
	}
	return out
}

// goal is a period in which a customer has one intent.
type goal struct {
	service, intent string
	first, last     int // turns of the customer
}

// goals returns the goals of the customer in order. A repeated intent later in the dialogue is another goal.
func (d Dialogue) goals() []goal {
	var out []goal
	open := map[string]int{} // by service: the index in out
	for i, turn := range d.Turns {
		if turn.Speaker != speakerUser {
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
			out = append(out, goal{f.Service, f.State.ActiveIntent, i, i})
		}
		for service := range open {
			if !active[service] {
				delete(open, service)
			}
		}
	}
	slices.SortStableFunc(
		out,
		func(a, b goal) int { return cmp.Or(cmp.Compare(a.last, b.last), cmp.Compare(a.first, b.first)) },
	)
	return out
}

// state returns the slot values of a service after a turn, from the last annotation.
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

// requests returns the slots that the human agent asked for during a goal, in order.
func (d Dialogue) requests(s goal) []string {
	var out []string
	for i := s.first + 1; i < s.last; i++ {
		for _, f := range d.Turns[i].Frames {
			for _, a := range f.Actions {
				if d.Turns[i].Speaker != speakerUser && f.Service == s.service && a.Act == actRequest {
					out = append(out, a.Slot)
				}
			}
		}
	}
	return out
}

// confirmations counts the turns of a goal in which the human agent asked for confirmation.
func (d Dialogue) confirmations(s goal) int {
	count := 0
	for i := s.first + 1; i < s.last; i++ {
		if d.Turns[i].Speaker != speakerUser && slices.ContainsFunc(d.Turns[i].Frames, func(f Frame) bool {
			return f.Service == s.service && slices.ContainsFunc(f.Actions, func(a Action) bool { return a.Act == actConfirm })
		}) {
			count++
		}
	}
	return count
}

// said returns the words of a span.
func (t DialogueTurn) said(s Span) string {
	runes := []rune(t.Utterance)
	if s.Start < 0 || s.End > len(runes) || s.Start >= s.End {
		return ""
	}
	return string(runes[s.Start:s.End])
}

// same reports whether two wordings of a value are equal, ignoring case and spaces.
func same(a, b string) bool {
	return strings.EqualFold(strings.Join(strings.Fields(a), " "), strings.Join(strings.Fields(b), " "))
}
