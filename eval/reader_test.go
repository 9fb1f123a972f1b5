package eval_test

import (
	"testing"

	"github.com/contextvault/contextvault/eval"
	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/llm/offline"
)

func TestRead_CountsByGroup(t *testing.T) {
	services, dialogues, err := eval.Load(dataSet(t))
	if err != nil {
		t.Fatal(err)
	}
	model, err := offline.New(llm.Config{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := eval.Read(t.Context(), model, services, dialogues, eval.ReadOptions{Model: "offline", Joint: true})
	if err != nil {
		t.Fatal(err)
	}
	g := r.Groups[eval.GroupHeldOut] // the split does not name the service
	if len(r.Groups) != 1 || g == nil || g.Services != 1 || g.Dialogues != 1 {
		t.Fatalf("groups %v", r.Groups)
	}
	if g.All.Stored == 0 || g.All.Correct != g.All.Stored || g.All.WrongRate != 0 || g.All.Found != 3 || g.All.Storable != 3 {
		t.Errorf("values %+v", g.All)
	}
	if g.Joint.Turns != 4 || g.Joint.ExactSaid == 0 || g.Joint.Exact > g.Joint.ExactSaid {
		t.Errorf("joint goals %+v", g.Joint)
	}
	if r.Evidence != 1 || r.Unexpected != 0 {
		t.Errorf("evidence %v", r.Evidence)
	}
}

func TestOnly_KeepsDialoguesOfOneGroup(t *testing.T) {
	all := []eval.Dialogue{
		{ID: "a", Services: []string{"Hotels_2"}},
		{ID: "b", Services: []string{"Hotels_2", "Buses_1"}},
		{ID: "c", Services: []string{"Buses_1", "Trains_1"}},
		{ID: "d", Services: []string{"Hotels_21"}}, // a variant of Hotels_2
	}
	for group, want := range map[string]string{eval.GroupTuned: "ad", eval.GroupHeldOut: "c"} {
		got := ""
		for _, d := range eval.Only(group, all) {
			got += d.ID
		}
		if got != want {
			t.Errorf("%s: %s, want %s", group, got, want)
		}
	}
}

func TestParaphrase_RenamesSlotsEverywhere(t *testing.T) {
	services := []eval.Service{
		{
			Name: "Buses_2", Slots: []eval.Slot{{Name: "origin", Description: "Origin city"}},
			Intents: []eval.Intent{{Name: "FindBus", RequiredSlots: []string{"origin"}}},
		},
		{Name: "Unknown_1"},
	}
	dialogues := []eval.Dialogue{
		{ID: "a", Services: []string{"Buses_2"}, Turns: []eval.DialogueTurn{{Frames: []eval.Frame{{
			Service: "Buses_2", Actions: []eval.Action{{Slot: "origin"}}, Slots: []eval.Span{{Slot: "origin"}},
			State: &eval.State{SlotValues: map[string][]string{"origin": {"Reno"}}},
		}}}}},
		{ID: "b", Services: []string{"Unknown_1"}},
	}
	s, d := eval.Paraphrase(services, dialogues)
	if len(s) != 1 || len(d) != 1 {
		t.Fatalf("%d services, %d dialogues", len(s), len(d))
	}
	name := s[0].Slots[0].Name
	f := d[0].Turns[0].Frames[0]
	if name == "origin" || s[0].Intents[0].RequiredSlots[0] != name || f.Actions[0].Slot != name || f.Slots[0].Slot != name ||
		len(f.State.SlotValues[name]) != 1 {
		t.Errorf("%s: %+v", name, f)
	}
	if dialogues[0].Turns[0].Frames[0].Slots[0].Slot != "origin" || services[0].Slots[0].Name != "origin" {
		t.Error("the arguments changed")
	}
}
