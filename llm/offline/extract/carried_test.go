package extract

import (
	"strings"
	"testing"
	"time"

	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/vault"
)

// A value that is only likely is a candidate below every threshold at which it is stored, so that the vault asks
// whether it is right.
func TestExtract_Carried(t *testing.T) {
	for _, c := range []struct{ agent, field, talk, want string }{
		{"library", "book_title", `Find me a book | A: How about The Silver Mountain? | That sounds great.`, `"The Silver Mountain"`},
		{"library", "book_title", `Find me a book | A: One is Anna Karenina at the Main Branch. | Sounds very good. | ` +
			`A: Shall I reserve it? | Not now. | A: Anything else? | Yes, some more libraries please.`, `"Anna Karenina"`},
		{"library", "book_title", `Find me a book | A: I have The Silver Mountain. | Please reserve it.`, `"The Silver Mountain"`},
		{"library", "book_title", `Find me a book | A: Middlemarch is a nice one. | Perfect`, `"Middlemarch"`},
		{"library", "book_title", `Find me a book | A: How about The Silver Mountain? | Something else please.`, ``},
		{"library", "book_title", `Find me a book | A: How about The Silver Mountain? | No.`, ``},
		{"library", "book_title", `Find me a book | A: How about The Silver Mountain? | Who wrote it?`, ``},
		{
			"library", "book_title", `Find me a book | A: How about The Silver Mountain? | Another one. | A: What about The Red House? | Good.`,
			`"The Red House"`,
		},
		{"campsite", "region", `How is the weather in Savannah? | A: Sunny. | Great. I need a pitch for a tent there.`, `"Savannah"`},
		{"campsite", "region", `how is the weather in nairobi on friday? | A: Sunny. | Great, now a pitch for a tent.`, `"nairobi"`},
		{"campsite", "region", `I need a pitch for a tent.`, ``},
		{"campsite", "region", `My flight from Savannah was late. I need a pitch for a tent.`, ``},
	} {
		found, err := Extract(t.Context(), llm.ExtractRequest{
			Definitions: definitionsOf(c.agent), Turns: turnsOf(c.talk), Now: time.Date(2024, 2, 1, 9, 0, 0, 0, time.UTC),
		})
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, f := range found {
			if f.FieldName != c.field {
				continue
			}
			got = string(f.Value)
			said := turnsOf(c.talk)[f.Turn]
			if f.Confidence >= vault.UseThreshold || said.Speaker != vault.SpeakerCustomer ||
				!strings.Contains(said.Text, f.Quote) {
				t.Errorf("%q: %+v", c.talk, f)
			}
		}
		if got != c.want {
			t.Errorf("%s: %q: got %s, want %s", c.agent, c.talk, got, c.want)
		}
	}
}
