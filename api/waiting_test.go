package api_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/contextvault/contextvault/api"
	"github.com/contextvault/contextvault/internal/testkit"
	"github.com/contextvault/contextvault/vault"
)

// questionsOf decodes a list of questions.
func (a answer) questionsOf() []vault.Question {
	a.t.Helper()
	var page struct {
		Items []vault.Question `json:"items"`
	}
	a.want(200).into(&page)
	return page.Items
}

func TestCustomerQuestions_WaitAndClaim(t *testing.T) {
	t.Parallel()
	s := newService(t, kit)
	agent, scenario, customer := testkit.ID().String(), testkit.ID().String(), testkit.ID().String()
	s.change("PUT", "/v1/agents/"+agent+"/definitions/email", `{"value_type": "email", "ask_channels": ["phone", "chat"]}`).
		want(200).into(new(api.Operation))
	s.change("PUT", "/v1/agents/"+agent+"/scenarios/"+scenario, `{"name": "Loan"}`).want(200)
	s.change("PUT", "/v1/scenarios/"+scenario+"/requirements/email",
		`{"required_level": "hard", "fallback_action": "ask"}`).want(200)
	list := "/v1/customers/" + customer + "/questions"
	if got := s.do("GET", list, "").want(200).has(`"items":[]`).questionsOf(); len(got) != 0 {
		t.Errorf("got %v", got)
	}
	waited := make(chan answer, 1)
	go func() { waited <- s.do("GET", list+"?wait=60&channel=phone", "") }()
	s.change("POST", "/v1/customers/"+customer+"/fill", fmt.Sprintf(`{"scenario_id": %q}`, scenario), "Prefer: wait=0").
		want(202)
	got := (<-waited).questionsOf() // it does not last a minute: the request times out before
	if len(got) != 1 || got[0].FieldName != "email" || len(got[0].Channels) != 2 {
		t.Fatalf("got %+v", got)
	}
	question := "/v1/questions/" + got[0].ID.String()
	var claimed struct{ Result vault.ClaimResult }
	s.change("POST", question+"/claim", `{"channel": "phone"}`).want(200).into(&claimed)
	if claimed.Result.ClaimedUntil.IsZero() {
		t.Errorf("got %+v", claimed)
	}
	s.change("POST", question+"/claim", `{"channel": "chat"}`).problem(409, vault.CodeConflict)
	s.change("POST", question+"/claim", `{"channel": "letter"}`).problem(422, vault.CodeInvalid)
	s.change("POST", question+"/claim", `{"channel": ""}`).problem(422, vault.CodeInvalid)
	for channel, n := range map[string]int{"phone": 1, "chat": 0, "letter": 0} {
		if got := s.do("GET", list+"?channel="+channel, "").questionsOf(); len(got) != n {
			t.Errorf("%s: %d questions", channel, len(got))
		}
	}
	if got := s.do("GET", list+"?wait=1&channel=chat", "").questionsOf(); len(got) != 0 {
		t.Errorf("a channel got the question of another: %+v", got)
	}
	answered, _ := json.Marshal(map[string]string{"value": "ada@example.com", "channel": "phone"})
	s.change("POST", question+"/answer", string(answered)).want(200)
	s.do("GET", question, "").want(200).has(`"answered_on":"phone"`)
	s.do("GET", list+"?wait=61", "").problem(422, vault.CodeInvalid)
}
