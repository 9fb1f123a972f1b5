package reply_test

import (
	"encoding/json"
	"testing"

	"github.com/contextvault/contextvault/rules/reply"
	"github.com/contextvault/contextvault/vault"
)

// A sentence of the customer's own states a value, whether or not the agent asked for the field. Words that put the
// question off, refuse it or doubt state none.
func TestAccepts_Sentences(t *testing.T) {
	t.Parallel()
	city := vault.Definition{Name: "city", DisplayName: "City", ValueType: vault.TypeString, Enabled: true}
	song := vault.Definition{Name: "song_name", DisplayName: "Song name", ValueType: vault.TypeString, Enabled: true}
	event := vault.Definition{Name: "category", DisplayName: "Category", ValueType: vault.TypeString, Enabled: true}
	hour := vault.Definition{Name: "start_time", DisplayName: "Start time", ValueType: vault.TypeString, Enabled: true}
	seats := vault.Definition{Name: "seats", DisplayName: "Seats", ValueType: vault.TypeNumber, Enabled: true}
	agrees := vault.Definition{Name: "terms", DisplayName: "Terms", ValueType: vault.TypeBoolean, Enabled: true}
	subtitles := vault.Definition{Name: "subtitles", DisplayName: "Subtitles", ValueType: vault.TypeBoolean, Enabled: true}
	for _, tc := range []struct {
		def          vault.Definition
		value        string
		asked, reply string
		want         bool
	}{
		{city, `"Oslo"`, "", "Can you find me a room in Oslo?", true},
		{city, `"Oslo"`, "Which city?", "I want to find something in Oslo.", true},
		{city, `"Oslo"`, "Which city?", "What is on in Oslo this week?", true},
		{city, `"Oslo"`, "Which city?", "Oslo", true},
		{city, `"Oslo"`, "Which city?", "maybe Oslo", false},
		{city, `"moment"`, "Which city?", "just a moment", false},
		{city, `"wife"`, "Which city?", "ask my wife", false},
		{city, `"wife"`, "Which city?", "I have to ask my wife", false},
		{city, `"why"`, "Which city?", "why?", false},
		{city, `"no idea"`, "Which city?", "no idea", false},
		{city, `"Oslo"`, "Which city?", "I think I would like to go to Oslo", true},
		{city, `"Oslo"`, "Which city?", "I think I'd like Oslo.", true},
		{city, `"Oslo"`, "Which city?", "I think it's Oslo.", false},
		{city, `"Oslo"`, "Which city?", "I think I maybe want Oslo.", false},
		{city, `"Oslo"`, "Which city?", "I'd like one in Oslo, if possible.", true},
		{city, `"Oslo"`, "Which city?", "Oslo if it is cheap", false},
		{city, `"Oslo"`, "Which city?", "Oslo would be great, and if you could, book a regular room.", true},
		{song, `"What Now"`, "Which song?", "Play me What Now.", true},
		{song, `"Thank You"`, "Which song name?", "Thank You", false},
		{song, `"Josie and the Pussycats"`, "Which song name?", "Josie and the Pussycats would be perfect. I want it.", true},
		{song, `"tea for two at mine"`, "Which song name?", "Please call it tea for two at mine, and start.", true},
		{event, `"concert"`, "What kind of event?", "I want to see some kind of concert.", true},
		{event, `"concert"`, "What kind of event?", "A concert or a play", false},
		{hour, `"11:00"`, "Which start time?", "I need it for 11:00.", true},
		{hour, `"11:00"`, "Which start time?", "11:00", true},
		{seats, `2`, "How many seats?", "Two seats", true},
		{agrees, `true`, "Do you accept the terms?", "Yes, if it is free", false},
		{agrees, `true`, "Do you accept the terms?", "Yes, if possible", false},
		{subtitles, `true`, "You'd like to watch it without subtitles?", "No, I'd like to watch it with subtitles.", true},
		{subtitles, `true`, "You'd like to watch it without subtitles?", "No, I'd like to watch it without subtitles.", false},
		{subtitles, `true`, "You'd like to watch it without subtitles?", "No", false},
		{subtitles, `true`, "Do you want subtitles?", "No, I'd like to watch it with my wife.", false},
		{subtitles, `true`, "Shall I book the flight?", "Great. Find me a film to see with subtitles.", true},
		{subtitles, `true`, "Shall I book the flight?", "Yes. I also need to find a film for two that has subtitles.", true},
		{subtitles, `true`, "Shall I book the flight?", "I need to find my glasses, for the subtitles.", false},
		{subtitles, `true`, "Shall I book the flight?", "Yes, if it has subtitles.", false},
		{agrees, `true`, "Do you accept?", "Yes, the terms, if they are fair", false},
		{city, `"daly city"`, "Anything else?", "How about a dermatologist in daly city?", true},
		{song, `"Breakthrough"`, "I suggest Breakthrough?", "I think Breakthrough is perfect, good choice.", true},
		{song, `"Breakthrough"`, "I suggest Breakthrough?", "I think Breakthrough is wrong.", false},
	} {
		turns := []vault.Turn{
			{Index: 0, Speaker: vault.SpeakerAgent, Text: tc.asked},
			{Index: 1, Speaker: vault.SpeakerCustomer, Text: tc.reply},
		}
		c := vault.Candidate{FieldName: tc.def.Name, Value: json.RawMessage(tc.value), Confidence: 0.9, Quote: tc.reply, Turn: 1}
		if got := reply.Accepts(tc.def, c, turns); got != tc.want {
			t.Errorf("%s = %s in %q after %q: %t", tc.def.Name, tc.value, tc.reply, tc.asked, got)
		}
	}
}
