package extract

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/vault"
)

// agents are definitions that no data set has: each line is a name, a type, allowed values and a description.
var agents = map[string]string{
	"campsite": `
arrival_day | string | | First day of the stay at the campsite
leaving_day | string | | Last day of the stay at the campsite
pitch_kind | string | tent,caravan,camper van | Kind of pitch at the campsite
campers | number | | Number of people who camp
region | string | | Region in which the campsite is located
electricity | boolean | | Whether the pitch has electricity
`,
	"ferry": `
port_of_departure | string | | Port from which the ferry leaves
port_of_arrival | string | | City where the ferry arrives
sailing_date | string | | Date on which the ferry sails
date_back | string | | Date of the ferry back
vehicles | number | | Number of vehicles on the ferry
insurance | boolean | | Whether the customer takes the travel insurance
ticket_price | string | | Price of the ferry ticket
`,
	"library": `
book_title | string | | Title of the book
author | string | | Person who the book was written by
book_subject | string | | Subject or genre of the book
branch_city | string | | City of the library branch
large_print | boolean | | Whether the book is needed in large print
`,
}

func definitionsOf(agent string) []vault.Definition {
	var out []vault.Definition
	for line := range strings.Lines(strings.TrimSpace(agents[agent])) {
		parts := strings.Split(line, "|")
		d := vault.Definition{
			Name: strings.TrimSpace(parts[0]), ValueType: vault.ValueType(strings.TrimSpace(parts[1])),
			Description: strings.TrimSpace(parts[3]), Enabled: true,
		}
		for v := range strings.SplitSeq(parts[2], ",") {
			if v = strings.TrimSpace(v); v != "" {
				raw, _ := json.Marshal(v)
				d.AllowedValues = append(d.AllowedValues, raw)
			}
		}
		out = append(out, d)
	}
	return out
}

var faultCases = []struct{ agent, talk, want string }{
	// the form of the answer decides, whatever the field is called
	{"ferry", `A: When will you travel back? | On March 10th.`, `date_back="March 10th"`},
	{"campsite", `A: On which day do you arrive? | The 3rd of June`, `arrival_day="3rd of June"`},
	{"campsite", `A: How many of you will camp? | Four`, `campers=4`},
	{"ferry", `A: Where does your ferry leave from? | Harwich`, `port_of_departure="Harwich"`},

	// a field is its whole definition, against the others of the agent
	{
		"ferry", `I'd like a ferry from Dover to Calais on 3 May`,
		`port_of_departure="Dover" port_of_arrival="Calais" sailing_date="3 May"`,
	},
	{"ferry", `We want to return on 9 May.`, `date_back="9 May"`},
	{"campsite", `We arrive on 3 May and stay until 9 May.`, `arrival_day="3 May" leaving_day="9 May"`},
	{"library", `I need the book Moby Dick`, `book_title="Moby Dick"`},

	// requests state facts, enquiries state none
	{"campsite", `Can you find me a pitch for a caravan in Cornwall?`, `pitch_kind="caravan" region="Cornwall"`},
	{"campsite", `Could you book a campsite for two people from 3 May to 9 May?`,
		`arrival_day="3 May" leaving_day="9 May" campers=2`},
	{"campsite", `Is Cornwall expensive?`, ``},
	{"campsite", `Is the tent included?`, ``},

	// what is said about another task fills nothing
	{"campsite", `A: The pitch has electricity. | Great. I also need a flight from Rome for three people.`, ``},
	{"library", `Find me a restaurant in Oakland. | A: What food do you like?`, ``},

	// a whole clause answers yes or no
	{"ferry", `A: Do you want travel insurance? | No preference`, ``},
	{"ferry", `A: Do you want travel insurance? | No clue, let me check`, ``},
	{"ferry", `A: Do you want travel insurance? | No, wait, I do want it`, ``},
	{"ferry", `A: Do you want travel insurance? | No problem`, ``},
	{"ferry", `A: Do you want travel insurance? | No objections`, ``},
	{"ferry", `A: Do you want travel insurance? | No worries`, ``},
	{"ferry", `A: Do you want travel insurance? | Yes, cancel it`, ``},
	{"ferry", `A: Do you want travel insurance? | Yes hello, I have a question first`, ``},
	{"ferry", `A: Do you want travel insurance? | Yes, if it is free`, ``},
	{"ferry", `A: Do you want travel insurance? | Yes, unless it costs more`, ``},
	{"ferry", `A: Do you want travel insurance? | Yes?`, ``},
	{"ferry", `A: Do you want travel insurance? | Sure, but what does it cover?`, ``},
	{"ferry", `A: Do you want travel insurance? | Not yet`, ``},
	{"ferry", `A: Do you want travel insurance? | Yes please`, `insurance=true`},
	{"ferry", `A: Do you want travel insurance? | Yes, that's right, thanks`, `insurance=true`},
	{"ferry", `A: Do you want travel insurance? | No, thank you.`, `insurance=false`},
	{"ferry", `A: Do you want travel insurance? | Well, no.`, `insurance=false`},
	{"ferry", `A: Do you want travel insurance? | I do not require insurance`, `insurance=false`},
	{"ferry", `I do not require insurance.`, `insurance=false`},
	{"ferry", `We don't need the insurance, thanks.`, `insurance=false`},
	{"ferry", `If I do not need insurance, what happens?`, ``},

	// whole names, no verbs, no remarks
	{"campsite", `A: In which region? | In Rio de Janeiro please`, `region="Rio de Janeiro"`},
	{"library", `A: Which city? | Santiago de la Ribera`, `branch_city="Santiago de la Ribera"`},
	{"campsite", `A: In which region would you like to stay? | Sounds great`, ``},
	{"campsite", `A: In which region would you like to stay? | I am heading there tomorrow`, `arrival_day="tomorrow"`},
	{"library", `A: What kind of book would you like? | Poetry books`, `book_subject="Poetry"`},
	{"library", `A: Which book would you like? | War and Peace sounds good`, `book_title="War and Peace"`},
}

func TestExtract_Faults(t *testing.T) {
	for _, c := range faultCases {
		found, err := Extract(t.Context(), llm.ExtractRequest{
			Definitions: definitionsOf(c.agent), Turns: turnsOf(c.talk), Now: time.Date(2024, 2, 1, 9, 0, 0, 0, time.UTC),
		})
		if err != nil {
			t.Fatal(err)
		}
		want := []string{}
		if c.want != "" {
			want = splitWant(c.want)
		}
		if diff := cmp.Diff(want, used(found)); diff != "" {
			t.Errorf("%s: %q: %s", c.agent, c.talk, diff)
		}
	}
}

// The agent's other definitions take what is theirs.
func TestExtract_OtherDefinitionFitsAsWell(t *testing.T) {
	all := definitionsOf("ferry")
	for i, d := range all {
		if d.Name != "sailing_date" {
			continue
		}
		others := append(append([]vault.Definition{}, all[:i]...), all[i+1:]...)
		found, err := Extract(t.Context(), llm.ExtractRequest{
			Definitions: all[i : i+1], Others: others, Turns: turnsOf(`The ferry back should be on 9 May.`),
		})
		if err != nil || len(found) != 0 {
			t.Errorf("got %v, %v", found, err)
		}
	}
}

// Relative days count from the time of their turn, in the customer's time zone.
func TestExtract_RelativeDayFromTurn(t *testing.T) {
	auckland, err := time.LoadLocation("Pacific/Auckland")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2024, 5, 1, 13, 0, 0, 0, time.UTC) // 2 May in Auckland
	fields := []vault.Definition{{Name: "visit_date", ValueType: vault.TypeDate, Description: "Date of the visit"}}
	for _, c := range []struct {
		at   *time.Time
		zone *time.Location
		want string
	}{
		{&at, nil, `"2024-05-02"`},
		{&at, auckland, `"2024-05-03"`},
		{nil, auckland, `"2030-01-02"`},
	} {
		turns := turnsOf("I'd like to come tomorrow")
		turns[0].At = c.at
		found, err := Extract(t.Context(), llm.ExtractRequest{
			Definitions: fields, Turns: turns, Now: time.Date(2029, 12, 31, 12, 0, 0, 0, time.UTC), Zone: c.zone,
		})
		if err != nil || len(found) != 1 || string(found[0].Value) != c.want {
			t.Errorf("at %v in %v: %v, %v, want %s", c.at, c.zone, found, err, c.want)
		}
	}
}
