package eval_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/contextvault/contextvault/eval"
)

// byWord is an embedding with one dimension for each of its words.
type byWord []string

func (words byWord) Embed(_ context.Context, texts []string) ([][]float32, error) {
	out := make([][]float32, len(texts))
	for i, t := range texts {
		v := make([]float32, len(words)+1)
		at := len(words)
		for k, w := range words {
			if strings.Contains(strings.ToLower(t), w) {
				at = k
			}
		}
		v[at] = 1
		out[i] = v
	}
	return out, nil
}

// The service is held out. Both cities have one vector, and the first of them is the closest to "departure_city" and
// "arrival_city". The names of the two directions contrast, so they are no confused pair.
func TestMatchNames_CountsRightAndWrong(t *testing.T) {
	services := []eval.Service{{Name: "Buses_1", Slots: []eval.Slot{
		{Name: "from_location", Description: "City of the origin"},
		{Name: "to_location", Description: "City of the destination"},
		{Name: "fare", Description: "Price"},
	}}, {Name: "Unknown_9", Slots: []eval.Slot{{Name: "fare"}}}}
	for name, c := range map[string]struct {
		words                 byWord
		closest, right, wrong int
	}{
		"the name of the fare is unlike": {byWord{"fare", "ticket"}, 1, 1, 1},
		"the name of the fare is alike":  {byWord{"city", "price"}, 2, 2, 1},
	} {
		got, err := eval.MatchNames(t.Context(), c.words, services)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != 1 || got[0].Group != eval.GroupHeldOut || got[0].Names != 3 || got[0].Pairs != 3 {
			t.Fatalf("%s: %+v", name, got)
		}
		held := got[0]
		for _, at := range held.At {
			if held.Closest != c.closest || at.Right != c.right || at.Wrong != c.wrong || at.Confused != 0 {
				t.Errorf("%s: %+v", name, held)
			}
		}
		var printed bytes.Buffer
		if err := eval.PrintNames(&printed, got); err != nil || !strings.Contains(printed.String(), "held_out: 3 other names") {
			t.Errorf("%s: printed %s, %v", name, printed.String(), err)
		}
	}
}
