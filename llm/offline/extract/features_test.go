package extract_test

import (
	"encoding/json"
	"testing"

	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/llm/offline/extract"
	"github.com/contextvault/contextvault/vault"
)

// A wish for a thing with a feature is a yes to the feature, and a wish without it a no. What somebody asks or says of
// a thing is neither.
func TestExtract_Features(t *testing.T) {
	t.Parallel()
	defs := []vault.Definition{
		{Name: "has_garage", ValueType: vault.TypeBoolean, Enabled: true},
		{Name: "sea_view", ValueType: vault.TypeBoolean, Enabled: true},
		{Name: "dogs_allowed", ValueType: vault.TypeBoolean, Enabled: true},
		{Name: "city", ValueType: vault.TypeString, Enabled: true},
	}
	for _, tc := range []struct{ said, want string }{
		{"I need a flat with a garage.", "has_garage=true"},
		{"Can you find me a house in Oslo that has a garage?", "city=Oslo has_garage=true"},
		{"I'd prefer a sea view.", "sea_view=true"},
		{"Please book a room with a sea view and a garage.", "has_garage=true sea_view=true"},
		{"We want a place where dogs are allowed.", ""},
		{"I am looking for a place that allows dogs.", "dogs_allowed=true"},
		{"I want a room without a sea view.", "sea_view=false"},
		{"I'd like one with no garage please.", "has_garage=false"},
		{"Does it have a garage?", ""},
		{"The last one had a garage.", ""},
		{"They have a garage.", ""},
		{"I want a room, with or without a sea view.", ""},
		{"If it has a garage I want it.", ""},
		{"I want to know whether it has a garage.", ""},
		{"I like the sea view or the garage.", ""},
		{"I need it because my garage burned down.", ""},
		{"I don't want a flat with a garage.", ""},
	} {
		got, err := extract.Extract(t.Context(), llm.ExtractRequest{Definitions: defs, Turns: []vault.Turn{
			{Index: 0, Speaker: vault.SpeakerCustomer, Text: tc.said},
		}})
		if err != nil {
			t.Fatal(err)
		}
		found := map[string]json.RawMessage{}
		for _, c := range got {
			found[c.FieldName] = c.Value
		}
		said := ""
		for _, name := range []string{"city", "has_garage", "sea_view", "dogs_allowed"} {
			if v := found[name]; v != nil {
				var text any
				_ = json.Unmarshal(v, &text)
				if said != "" {
					said += " "
				}
				said += name + "=" + toText(text)
			}
		}
		if said != tc.want {
			t.Errorf("%q: got %q, want %q", tc.said, said, tc.want)
		}
	}
}

func toText(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	b, _ := json.Marshal(v)
	return string(b)
}
