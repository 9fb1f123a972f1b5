package eval_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/contextvault/contextvault/config"
	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/eval"
	"github.com/contextvault/contextvault/internal/app"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// schema and dataSet make a data set of one service and one dialogue, in the form of the real one. The customer states
// the city, states the party size as a word, only agrees to the restaurant, and changes the city.
const schema = `[{"service_name": "Restaurants_9", "description": "Restaurants", "slots": [
	{"name": "city", "description": "City in which the restaurant is located",
		"is_categorical": false, "possible_values": []},
	{"name": "party_size", "description": "Party size for a reservation",
		"is_categorical": true, "possible_values": ["1", "2", "3", "4"]},
	{"name": "restaurant_name", "description": "Name of the restaurant", "is_categorical": false, "possible_values": []},
	{"name": "serves_alcohol", "description": "Whether the restaurant serves alcohol",
		"is_categorical": true, "possible_values": ["True", "False"]}
], "intents": [
	{"name": "FindRestaurants", "description": "Find a restaurant in a city",
		"required_slots": ["city"], "optional_slots": {"serves_alcohol": "dontcare"}},
	{"name": "ReserveRestaurant", "description": "Reserve a table",
		"required_slots": ["restaurant_name", "city", "party_size"], "optional_slots": {}}
]}]`

type turn struct {
	speaker, words, intent string
	acts                   [][2]string // act and slot, or act, slot and value with = between them
	state                  map[string][]string
}

func dialogue(id string, turns ...turn) map[string]any {
	out := map[string]any{"dialogue_id": id, "services": []string{"Restaurants_9"}}
	var list []any
	for _, t := range turns {
		frame := map[string]any{"service": "Restaurants_9", "slots": []any{}}
		var acts, spans []any
		for _, a := range t.acts {
			slot, value, said := strings.Cut(a[1], "=")
			act := map[string]any{"act": a[0], "slot": slot, "values": []string{}}
			if said {
				act["values"] = []string{value}
				if at := strings.Index(t.words, value); at >= 0 {
					spans = append(spans, map[string]any{"slot": slot, "start": at, "exclusive_end": at + len(value)})
				}
			}
			acts = append(acts, act)
		}
		frame["actions"], frame["slots"] = acts, spans
		if t.speaker == "USER" {
			frame["state"] = map[string]any{"active_intent": t.intent, "slot_values": t.state}
		}
		list = append(list, map[string]any{"speaker": t.speaker, "utterance": t.words, "frames": []any{frame}})
	}
	out["turns"] = list
	return out
}

func dataSet(t *testing.T) string {
	t.Helper()
	talk := dialogue(
		"1_00000",
		turn{speaker: "USER", words: "I am hungry.", intent: "FindRestaurants", state: map[string][]string{}},
		turn{speaker: "SYSTEM", words: "In which city?", acts: [][2]string{{"REQUEST", "city"}}},
		turn{
			speaker: "USER",
			words:   "It should be in San Jose.",
			intent:  "FindRestaurants",
			acts:    [][2]string{{"INFORM", "city=San Jose"}},
			state:   map[string][]string{"city": {"San Jose"}},
		},
		turn{
			speaker: "SYSTEM",
			words:   "There is Blue Door in San Jose.",
			acts:    [][2]string{{"OFFER", "restaurant_name=Blue Door"}},
		},
		turn{
			speaker: "USER", words: "Good. A table for three people, please, but in Oakland.", intent: "ReserveRestaurant",
			acts:  [][2]string{{"INFORM", "party_size=3"}, {"INFORM", "city=Oakland"}},
			state: map[string][]string{"city": {"Oakland"}, "party_size": {"3"}, "restaurant_name": {"Blue Door"}},
		},
		turn{speaker: "SYSTEM", words: "Booked.", acts: [][2]string{{"CONFIRM", "city=Oakland"}}},
		turn{
			speaker: "USER", words: "Thanks!", intent: "ReserveRestaurant",
			state: map[string][]string{"city": {"Oakland"}, "party_size": {"3"}, "restaurant_name": {"Blue Door"}},
		},
	)
	dir := t.TempDir()
	encoded, err := json.Marshal([]any{talk})
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"schema.json": []byte(schema), "dialogues_001.json": encoded} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// system returns a vault with its own database that runs the steps in this process.
func system(t *testing.T, environ ...string) eval.System {
	t.Helper()
	url := dbtest.URL(t)
	key, err := db.NewSealingKey()
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load("", slices.Concat(dbtest.Environ(url), []string{
		"REDIS_URL=" + os.Getenv("REDIS_URL"),
		"VAULT_SEALING_KEY=" + key,
		"VAULT_PROFILE_VALIDATION_MODE=strict",
	}, environ))
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	direct := &eval.Direct{Log: log}
	r, err := app.ConnectTo(t.Context(), cfg, direct, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		direct.Wait()
		r.Close()
	})
	if r.ModelError != nil {
		t.Fatal(r.ModelError)
	}
	direct.Steps = &r.Steps
	return eval.System{Trigger: r.Trigger, Query: r.Query, ModelUsage: r.ModelUsage, Tenant: dbtest.Tenant(t, r.DB)}
}

func run(t *testing.T, dir string, sys eval.System) *eval.Report {
	t.Helper()
	services, dialogues, err := eval.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	progress := 0
	report, err := eval.Run(
		t.Context(),
		sys,
		services,
		dialogues,
		eval.Options{Model: "test", MatchThreshold: 0.3, Progress: func(done, _ int) { progress = done }},
	)
	if err != nil {
		t.Fatal(err)
	}
	if progress != len(dialogues) || report.Dialogues != len(dialogues) {
		t.Errorf("%d of %d dialogues were replayed", progress, len(dialogues))
	}
	return report
}

// With a faultless model, the vault stores every value that the customer stated, and no value that only the agent said.
func TestRun_FaultlessModel(t *testing.T) {
	dir := dataSet(t)
	services, dialogues, err := eval.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	server, err := eval.Serve(context.WithoutCancel(t.Context()), services, dialogues)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = server.Close() }()
	r := run(t, dir, system(t, "VAULT_LLM_PROVIDER=openai", "OPENAI_BASE_URL="+server.URL, "OPENAI_API_KEY=none"))

	if v := r.All; v.Stored != 3 || v.Correct != 3 || v.Storable != 3 || v.Found != 3 || v.Known != 4 ||
		v.Precision != 1 ||
		v.Recall != 1 {
		t.Errorf("values: %+v", v)
	}
	if r.Missing.Goals != 2 || r.Missing.Exact != 1 || r.Missing.ExactButFor != 2 {
		t.Errorf("missing fields: %+v", r.Missing)
	}
	if len(r.Exceptions) != 1 ||
		!slices.Equal(r.Exceptions[0].Slots, []string{"Restaurants_9.restaurant_name 1: 1_00000"}) {
		t.Errorf("exceptions: %+v", r.Exceptions)
	}
	r.Wrong = append(
		r.Wrong,
		eval.Example{
			Dialogue: "1_00000",
			Slot:     "Restaurants_9.city",
			Truth:    "Oakland",
			Stored:   "San Jose",
			Quote:    "in San Jose",
		},
	)
	kept, err := json.Marshal(r.WithoutWords())
	if err != nil || !strings.Contains(string(kept), "Restaurants_9.city") ||
		slices.ContainsFunc(
			[]string{"Blue Door", "San Jose", "Oakland"},
			func(words string) bool { return strings.Contains(string(kept), words) },
		) {
		t.Errorf("the report without words: %s, %v", kept, err)
	}
	r.Wrong = nil
	// One question for the city before it is stated, one for the restaurant, which only the agent named, and one to
	// confirm Oakland, which answered no question.
	if a := r.Asking; a.Vault != 3 || a.Confirms != 1 || a.Reasked != 1 || a.Human != 1 || a.HumanConfirm != 1 ||
		a.Unanswerable != 0 {
		t.Errorf("asking: %+v", a)
	}
	if f := r.Fills; f.Fills != 4 || f.Max != 1 {
		t.Errorf("fills: %+v", f)
	}
	if s := r.Saves; s.Scenarios != 4 || s.CallsPerSave != 1 || s.CallsPerUnchangedSave != 0 {
		t.Errorf("saves: %+v", s)
	}
	// The slots of the one service share words of their descriptions.
	if m := r.Matching; m.Pairs != 6 || m.Close == 0 || m.Confused > m.Close || m.Threshold != 0.3 {
		t.Errorf("matching: %+v", m)
	}
	if r.Unexpected != 0 || len(r.Wrong)+len(r.Missed)+len(r.Inexact) != 0 {
		t.Errorf("wrong %+v, missed %+v, inexact %+v", r.Wrong, r.Missed, r.Inexact)
	}
	var printed bytes.Buffer
	if err := r.Print(&printed); err != nil || !strings.Contains(printed.String(), "no words of the customer contain it") {
		t.Errorf("printed %s, %v", printed.String(), err)
	}
}

func TestRun_OfflineModelStoresNothingWrong(t *testing.T) {
	r := run(t, dataSet(t), system(t, "VAULT_LLM_PROVIDER=offline"))
	if v := r.All; v.Stored == 0 || v.Correct != v.Stored || r.Unexpected != 0 {
		t.Errorf("values: %+v; wrong: %+v", v, r.Wrong)
	}
}

func TestLoad_FolderWithoutDataSet(t *testing.T) {
	for _, content := range []string{"", "{"} {
		dir := t.TempDir()
		if content != "" {
			if err := os.WriteFile(filepath.Join(dir, "schema.json"), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		_, _, err := eval.Load(dir)
		if err == nil || strings.Contains(fmt.Sprint(err), dir) {
			t.Errorf("got %v", err)
		}
	}
}
