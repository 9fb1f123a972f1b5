package llm

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestOfflineCountsItsCalls(t *testing.T) {
	var got []Usage
	m, err := New(Config{Usage: func(u Usage) {
		u.Duration = 0
		got = append(got, u)
	}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.ProposeFields(t.Context(), proposeRequest()); err != nil {
		t.Fatal(err)
	}
	if _, err := m.ExtractValues(t.Context(), extractRequest()); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Embed(t.Context(), []string{"a"}); err != nil {
		t.Fatal(err)
	}
	var want []Usage
	for _, op := range []Operation{OperationPropose, OperationExtract, OperationEmbed} {
		want = append(want, Usage{Operation: op, Model: ProviderOffline, Calls: 1, Outcome: OutcomeOK})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
