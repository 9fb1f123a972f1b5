package rules_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/contextvault/contextvault/rules"
)

func TestRankByWords_ClosestFirst(t *testing.T) {
	t.Parallel()
	texts := []string{
		"Hello, how can I help you?",
		"I am allergic to peanuts and to penicillin.",
		"My dog has an allergy, and the vet charges a lot for the treatment of allergies in dogs, which take weeks.",
		"Je suis né à Besançon.",
		"We were 8 last time.",
	}
	for question, want := range map[string][]int{
		"Does she have any allergies to penicillin?": {1, 2},
		"BESANCON":               {3},
		"How many were they: 8?": {4},
		"who is she":             nil, // words that say nothing
		"":                       nil,
	} {
		if got := rules.RankByWords(question, texts); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", question, got, want)
		}
	}
}

func TestFuse_BothRanksCount(t *testing.T) {
	t.Parallel()
	scores := rules.Fuse([]int{0, 1, 2}, []int{1, 3})
	if !(scores[1] > scores[0] && scores[0] > scores[3] && scores[3] > scores[2]) {
		t.Errorf("scores are %v", scores)
	}
}

// A text without a word of the question is not ranked, and each other one once.
func TestRankByWords_OnlyWhatMatches(t *testing.T) {
	t.Parallel()
	word := rapid.SampledFrom([]string{"berlin", "porto", "allergy", "dog", "email", "42", "the"})
	rapid.Check(t, func(t *rapid.T) {
		words := func(name string) string { return fmt.Sprint(rapid.SliceOfN(word, 0, 6).Draw(t, name)) }
		texts := []string{words("a"), words("b"), words("c")}
		ranked := rules.RankByWords(words("question"), texts)
		if len(slices.Compact(slices.Sorted(slices.Values(ranked)))) != len(ranked) {
			t.Fatalf("ranked %v", ranked)
		}
		if got := rules.RankByWords("nothing of these", texts); len(got) != 0 {
			t.Fatalf("ranked %v", got)
		}
	})
}
