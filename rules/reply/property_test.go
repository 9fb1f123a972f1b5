package reply_test

import (
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/rules/reply"
	"github.com/contextvault/contextvault/vault"
)

// dressed draws what a customer types around a phrase: case, punctuation, courtesy and emoji.
func dressed(t *rapid.T, phrase string) string {
	out := rapid.SampledFrom([]func(string) string{
		func(s string) string { return s }, strings.ToUpper, strings.ToLower,
	}).Draw(t, "case")(phrase)
	out = rapid.SampledFrom([]string{"", "", "Hi, ", "Oh, ", "Thanks. ", "  "}).Draw(t, "before") + out
	return out + rapid.SampledFrom([]string{"", ".", "!", "!!", " please", " 🙂", ", thank you", "…", " "}).Draw(t, "after")
}

// nothing are replies that state no value, by what they are.
var nothing = map[reply.Kind][]string{
	reply.Interrupted: {
		"stop", "cancel", "just a moment", "hold on", "ask my wife", "one sec", "later", "let me check", "einen Moment",
		"un momento", "I have a question first", "attendez",
	},
	reply.Refused: {
		"I'd rather not say", "none of your business", "no comment", "skip this one", "prefer not to answer",
		"keine Angabe", "I won't tell you",
	},
	reply.Unclear: {"maybe", "I don't know", "not sure", "whatever", "keine Ahnung", "it depends", "who knows"},
}

func drawNothing(t *rapid.T) (string, reply.Kind) {
	kind := rapid.SampledFrom([]reply.Kind{reply.Interrupted, reply.Refused, reply.Unclear}).Draw(t, "kind")
	return dressed(t, rapid.SampledFrom(nothing[kind]).Draw(t, "phrase")), kind
}

// Replies that state nothing are never a value, a yes or a no, whatever is asked and however they are typed.
func TestRead_NothingStatedIsNeverAValue(t *testing.T) {
	t.Parallel()
	defs := readDefinitions(t)
	names := []string{"city", "first_name", "email", "date_of_birth", "guests", "terms_accepted", "vehicle_type", "order_number"}
	find := offline(t)
	rapid.Check(t, func(t *rapid.T) {
		def := defs[rapid.SampledFrom(names).Draw(t, "field")]
		said, kind := drawNothing(t)
		raw, err := json.Marshal(said)
		if err != nil {
			t.Fatal(err)
		}
		q := reply.Question{Definition: def}
		if rapid.Bool().Draw(t, "confirm") && def.ValueType == vault.TypeString && len(def.AllowedValues) == 0 {
			q.Confirm, q.Candidate = true, json.RawMessage(`"Berlin"`)
		}
		if got := q.Read(raw, find); got.Kind != kind {
			t.Errorf("%s: %q is read as %s with %s, want %s", def.Name, said, got.Kind, got.Value, kind)
		}
	})
}

// A value is taken from a reply only if the reply states it: each word of a stored text is a word of the reply.
func TestRead_ValueIsInTheReply(t *testing.T) {
	t.Parallel()
	defs := readDefinitions(t)
	find := offline(t)
	word := rapid.SampledFrom(strings.Fields(`Berlin Hamburg yes no not it's I live in my name is Ada and or maybe the wife
		was 12 B-12345 ada@example.com ask please thanks , . ? ! - 👍 born on 14 March 1990 car van never sure`))
	rapid.Check(t, func(t *rapid.T) {
		def := defs[rapid.SampledFrom([]string{"city", "first_name", "email", "order_number", "vehicle_type"}).Draw(t, "field")]
		said := strings.Join(rapid.SliceOfN(word, 1, 10).Draw(t, "words"), " ")
		raw, err := json.Marshal(said)
		if err != nil {
			t.Fatal(err)
		}
		q := reply.Question{Definition: def, Confirm: rapid.Bool().Draw(t, "confirm"), Candidate: json.RawMessage(`"Berlin"`)}
		got := q.Read(raw, find)
		if got.Kind != reply.Value {
			return
		}
		var text string
		if err := json.Unmarshal(got.Value, &text); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(strings.ToLower(said), strings.ToLower(text)) {
			t.Errorf("%s: %q holds no %q", def.Name, said, text)
		}
		if _, err := rules.CheckValue(&def, def.Name, got.Value, vault.ModeStrict); err != nil {
			t.Errorf("%s: %q is read as the invalid %q: %v", def.Name, said, text, err)
		}
	})
}

// Any text is read without a panic, and never as a yes if it has no word for it.
func TestRead_AnyText(t *testing.T) {
	t.Parallel()
	defs := readDefinitions(t)
	rapid.Check(t, func(t *rapid.T) {
		raw, err := json.Marshal(rapid.String().Draw(t, "text"))
		if err != nil {
			t.Fatal(err)
		}
		for _, def := range defs {
			reply.Question{Definition: def}.Read(raw, nil)
			reply.Question{Definition: def, Confirm: true, Candidate: json.RawMessage(`"x"`)}.Read(raw, nil)
		}
	})
}
