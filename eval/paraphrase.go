package eval

import (
	_ "embed"
	"encoding/json"
	"maps"
	"slices"
)

//go:embed paraphrases.json
var paraphraseFile []byte

// paraphrases holds another name and description for each slot, by service and slot.
var paraphrases = func() (p map[string]map[string][2]string) {
	if err := json.Unmarshal(paraphraseFile, &p); err != nil {
		panic("eval/paraphrases.json: " + err.Error())
	}
	return p
}()

// Paraphrase returns the services with other names and descriptions of their slots, and the dialogues with these names in
// their annotations; what people say stays the same. It returns only the services that have a paraphrase, and their
// dialogues. A model that understands definitions finds as many values as before.
func Paraphrase(services []Service, dialogues []Dialogue) ([]Service, []Dialogue) {
	var renamed []Service
	for _, s := range services {
		names, ok := paraphrases[s.Name]
		if !ok {
			continue
		}
		s.Slots = slices.Clone(s.Slots)
		for i, slot := range s.Slots {
			if p, ok := names[slot.Name]; ok {
				s.Slots[i].Name, s.Slots[i].Description = p[0], p[1]
			}
		}
		s.Intents = slices.Clone(s.Intents)
		for i, intent := range s.Intents {
			s.Intents[i].RequiredSlots = nil
			for _, slot := range intent.RequiredSlots {
				s.Intents[i].RequiredSlots = append(s.Intents[i].RequiredSlots, rename(names, slot))
			}
			s.Intents[i].OptionalSlots = map[string]string{}
			for slot, value := range intent.OptionalSlots {
				s.Intents[i].OptionalSlots[rename(names, slot)] = value
			}
		}
		renamed = append(renamed, s)
	}
	var out []Dialogue
	for _, d := range dialogues {
		if slices.ContainsFunc(d.Services, func(s string) bool { return paraphrases[s] == nil }) {
			continue
		}
		d.Turns = slices.Clone(d.Turns)
		for i := range d.Turns {
			d.Turns[i].Frames = slices.Clone(d.Turns[i].Frames)
			for k, f := range d.Turns[i].Frames {
				d.Turns[i].Frames[k] = f.renamed(paraphrases[f.Service])
			}
		}
		out = append(out, d)
	}
	return renamed, out
}

// renamed returns a frame with other names of its slots.
func (f Frame) renamed(names map[string][2]string) Frame {
	f.Actions, f.Slots = slices.Clone(f.Actions), slices.Clone(f.Slots)
	for i := range f.Actions {
		f.Actions[i].Slot = rename(names, f.Actions[i].Slot)
	}
	for i := range f.Slots {
		f.Slots[i].Slot = rename(names, f.Slots[i].Slot)
	}
	if f.State == nil {
		return f
	}
	state := State{ActiveIntent: f.State.ActiveIntent, SlotValues: map[string][]string{}}
	for _, slot := range slices.Sorted(maps.Keys(f.State.SlotValues)) {
		state.SlotValues[rename(names, slot)] = f.State.SlotValues[slot]
	}
	f.State = &state
	return f
}

func rename(names map[string][2]string, slot string) string {
	if p, ok := names[slot]; ok {
		return p[0]
	}
	return slot
}
