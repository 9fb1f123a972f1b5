package gapfill

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/contextvault/contextvault/vault"
)

func conversation(texts ...string) []vault.Turn {
	turns := make([]vault.Turn, len(texts))
	for i, text := range texts {
		speaker := vault.SpeakerAgent
		if i%2 == 1 {
			speaker = vault.SpeakerCustomer
		}
		turns[i] = vault.Turn{Index: i, Speaker: speaker, Text: text}
	}
	return turns
}

func TestChooseTurns_ClosestAndLast(t *testing.T) {
	t.Parallel()
	var texts []string
	for range 50 {
		texts = append(texts, "How is the weather?", "It is fine.")
	}
	texts[20], texts[21] = "When were you born?", "14 March 1990"
	turns := conversation(texts...)
	chosen := chooseTurns(turns, []int{21}, 400)
	var indexes []int
	for _, turn := range chosen {
		indexes = append(indexes, turn.Index)
	}
	if len(indexes) < 4 || indexes[0] != 20 || indexes[1] != 21 || indexes[len(indexes)-1] != 99 {
		t.Errorf("chose the turns %v", indexes)
	}
}

func TestChooseTurns_BudgetAndOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		turns := conversation(rapid.SliceOfN(rapid.StringMatching(`[a-zäöü ]{0,60}`), 1, 60).Draw(t, "texts")...)
		budget := rapid.IntRange(20, 2000).Draw(t, "budget")
		closest := rapid.SliceOf(rapid.IntRange(-1, len(turns)+1)).Draw(t, "closest")
		chosen := chooseTurns(turns, closest, budget)
		if bytesOf(chosen) > budget {
			t.Fatalf("%d bytes of a budget of %d", bytesOf(chosen), budget)
		}
		last := -1
		for _, turn := range chosen {
			of := turns[turn.Index]
			if turn.Index <= last || turn.Speaker != of.Speaker || !strings.HasPrefix(of.Text, turn.Text) ||
				!strings.HasPrefix(turn.Text, cutText(of.Text, budget/turnBudgetDivisor)) {
				t.Fatalf("turn %d after %d is %q, of %q", turn.Index, last, turn.Text, of.Text)
			}
			last = turn.Index
		}
		if end := turns[len(turns)-1]; bytesOf(turns) <= budget && len(end.Text) <= budget/turnBudgetDivisor &&
			last != end.Index {
			t.Fatalf("the last turn %d is not among those chosen, up to %d", end.Index, last)
		}
	})
}
