package evidence_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/contextvault/contextvault/rules/evidence"
	"github.com/contextvault/contextvault/vault"
)

// A relative day is the day that it is at the time of its turn, in the customer's time zone.
func TestCheck_RelativeDay(t *testing.T) {
	t.Parallel()
	auckland, err := time.LoadLocation("Pacific/Auckland")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2030, 5, 1, 13, 0, 0, 0, time.UTC) // a Wednesday; 2 May in Auckland
	for _, tc := range []struct {
		text, value string
		zone        *time.Location
		want        bool
	}{
		{"I'd like to come tomorrow", "2030-05-02", time.UTC, true},
		{"I'd like to come tomorrow", "2030-05-03", time.UTC, false},
		{"I'd like to come tomorrow", "2030-05-03", auckland, true},
		{"the day after tomorrow please", "2030-05-03", time.UTC, true},
		{"the day after tomorrow please", "2030-05-02", time.UTC, false},
		{"today", "2030-05-01", time.UTC, true},
		{"on Friday", "2030-05-03", time.UTC, true},
		{"on Wednesday", "2030-05-08", time.UTC, true},
		{"next Friday", "2030-05-03", time.UTC, false},
		{"next Friday", "2030-05-10", time.UTC, false},
		{"the 3rd would be fine", "2030-05-03", time.UTC, true},
		{"on the 1st of next month", "2030-06-01", time.UTC, true},
		{"on the 3rd of June", "2030-05-03", time.UTC, false},
		{"Friday, June the 7th", "2030-05-03", time.UTC, false},
		{"my flat is on the 3rd floor", "2030-05-03", time.UTC, false},
		{"the 31st of this month", "2030-05-31", time.UTC, true},
		{"not tomorrow", "2030-05-02", time.UTC, false},
		{"Ich komme übermorgen", "2030-05-03", time.UTC, true},
	} {
		def := &vault.Definition{Name: "visit_date", ValueType: vault.TypeDate, Enabled: true}
		said := at.In(tc.zone)
		turns := []vault.Turn{{Index: 0, Speaker: vault.SpeakerCustomer, Text: tc.text, At: &said}}
		value, err := json.Marshal(tc.value)
		if err != nil {
			t.Fatal(err)
		}
		c := vault.Candidate{FieldName: def.Name, Value: value, Confidence: 1, Quote: tc.text}
		if _, problem := evidence.Read(turns).Check(c, def); (problem == nil) != tc.want {
			t.Errorf("%s in %q: %v", tc.value, tc.text, problem)
		}
		turns[0].At = nil
		if _, problem := evidence.Read(turns).Check(c, def); problem == nil {
			t.Errorf("%s in %q without a time is accepted", tc.value, tc.text)
		}
	}
}

// A day that the customer replaces in a later turn no longer counts, in other words too.
func TestCheck_RelativeDayIsOvertaken(t *testing.T) {
	t.Parallel()
	def := &vault.Definition{Name: "visit_date", ValueType: vault.TypeDate, Enabled: true}
	first, second := time.Date(2030, 5, 1, 9, 0, 0, 0, time.UTC), time.Date(2030, 5, 2, 9, 0, 0, 0, time.UTC)
	turns := []vault.Turn{
		{Index: 0, Speaker: vault.SpeakerCustomer, Text: "I'd like to come tomorrow", At: &first},
		{Index: 1, Speaker: vault.SpeakerAgent, Text: "Noted."},
		{Index: 2, Speaker: vault.SpeakerCustomer, Text: "Sorry, I meant the day after tomorrow", At: &second},
	}
	for value, want := range map[string]bool{`"2030-05-02"`: false, `"2030-05-04"`: true} {
		c := vault.Candidate{FieldName: def.Name, Value: json.RawMessage(value), Confidence: 1, Quote: turns[0].Text}
		if want {
			c.Quote, c.Turn = turns[2].Text, 2
		}
		if _, problem := evidence.Read(turns).Check(c, def); (problem == nil) != want {
			t.Errorf("%s: %v", value, problem)
		}
	}
}
