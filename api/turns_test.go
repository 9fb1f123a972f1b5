package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/contextvault/contextvault/api"
	"github.com/contextvault/contextvault/internal/testkit"
	"github.com/contextvault/contextvault/vault"
)

// turnOf decodes the result of a turn.
func (a answer) turnOf() vault.TurnResult {
	a.t.Helper()
	var op api.Operation
	var out vault.TurnResult
	a.want(200).into(&op)
	if err := json.Unmarshal(op.Result, &out); err != nil {
		a.t.Fatal(err)
	}
	return out
}

func TestTakeTurn_OneRequestPerMessage(t *testing.T) {
	t.Parallel()
	s := newService(t, kit)
	agent, scenario := testkit.ID().String(), testkit.ID().String()
	for name, kind := range map[string]string{"email": "email", "plan": "string"} {
		s.change("PUT", "/v1/agents/"+agent+"/definitions/"+name, fmt.Sprintf(`{"value_type": %q, "is_pii": true}`, kind)).want(200)
	}
	s.change("PUT", "/v1/agents/"+agent+"/scenarios/"+scenario, `{"name": "Loan"}`).want(200)
	for order, field := range []string{"email", "plan"} {
		s.change("PUT", "/v1/scenarios/"+scenario+"/requirements/"+field, fmt.Sprintf(
			`{"required_level": "hard", "fallback_action": "ask", "collection_order": %d}`, order)).want(200)
	}
	body := func(text string) string {
		quoted, _ := json.Marshal(text)
		return fmt.Sprintf(`{"channel": "chat", "external_id": "ada", "session_key": "c-1", "scenario_id": %q, "text": %s}`,
			scenario, quoted)
	}
	first := s.change("POST", "/v1/turns", body("Hello!")).turnOf()
	if !first.Created || first.Question == nil || first.Question.FieldName != "email" || len(first.Missing) != 2 ||
		!strings.Contains(first.Context, "- email | blocking | absent") {
		t.Fatalf("the first turn is %+v", first)
	}
	second := s.change("POST", "/v1/turns?format=markdown", body("It is ada@example.com"), "Idempotency-Key: m-2")
	got := second.turnOf()
	if got.Answer == nil || got.Answer.Outcome != vault.TurnAnswered || len(got.Learned) != 1 ||
		string(got.Learned[0].Value) != `"ada@example.com"` || got.Learned[0].Quote != "ada@example.com" ||
		got.Question == nil || got.Question.FieldName != "plan" || len(got.Missing) != 1 ||
		!strings.Contains(got.Context, "### Missing for this scenario") {
		t.Fatalf("the second turn is %s", second.body)
	}
	// Nothing was said in the future; a clock that is a little ahead is none of that.
	late := `, "at": "` + time.Now().Add(time.Hour).Format(time.RFC3339) + `"`
	refused := s.change("POST", "/v1/turns", strings.Replace(body("Tomorrow"), `, "text"`, late+`, "text"`, 1)).
		problem(422, vault.CodeInvalid)
	if refused.Field != "at" || !strings.HasPrefix(refused.Detail, "at: is in the future by more than 5 minutes") {
		t.Errorf("a turn of the future says %+v", refused)
	}
	refused = s.change("PUT", "/v1/sessions/"+testkit.ID().String(), fmt.Sprintf(
		`{"agent_id": %q, "customer_id": %q, "turns": [{"speaker": "customer", "text": "Hi"%s}]}`, agent, first.CustomerID, late)).
		problem(422, vault.CodeInvalid)
	if refused.Field != "turns[0].at" {
		t.Errorf("a session with a turn of the future says %+v", refused)
	}
	// The same turn with the same key is the same operation, and its result the same.
	again := s.change("POST", "/v1/turns?format=markdown", body("It is ada@example.com"), "Idempotency-Key: m-2")
	if string(again.body) != string(second.body) {
		t.Errorf("the same turn answered\n%s\nand then\n%s", second.body, again.body)
	}
	s.change("POST", "/v1/turns", body("Other"), "Idempotency-Key: m-2").problem(409, vault.CodeConflict)

	// The stored result has no value; a key without PII sees a masked one, and a key that only writes sees none.
	var op api.Operation
	second.into(&op)
	if stored := s.do("GET", "/v1/operations/"+op.ID.String(), "").want(200); strings.Contains(string(stored.body), "ada@") {
		t.Errorf("the operation tells %s", stored.body)
	}
	writer, _ := s.newKey("write")
	if a := s.change("POST", "/v1/turns?format=markdown", body("It is ada@example.com"), "Idempotency-Key: m-2",
		"Authorization: Bearer "+writer).want(200); strings.Contains(string(a.body), "ada@") {
		t.Errorf("a key without the scope read sees %s", a.body)
	}

	// For callers with ids of their own, and what is refused.
	session := "/v1/sessions/" + first.SessionID.String() + "/take-turn"
	third := s.change("POST", session, fmt.Sprintf(`{"customer_id": %q, "text": "The gold plan"}`, first.CustomerID)).turnOf()
	if third.TurnIndex != 2 || third.AgentID.String() != agent {
		t.Errorf("the third turn is %+v", third)
	}
	s.change("POST", session, fmt.Sprintf(`{"customer_id": %q, "text": "Hello"}`, testkit.ID())).problem(409, vault.CodeConflict)
	s.change("POST", "/v1/turns", body("")).problem(422, vault.CodeInvalid)
	s.change("POST", "/v1/turns", body(strings.Repeat("a", 1<<20))).problem(422, vault.CodeInvalid)
	s.change("POST", "/v1/turns", `{"text": "Hello", "session_key": "c-1", "channel": "chat", "external_id": "ada"}`).
		problem(422, vault.CodeInvalid)
	s.do("POST", "/v1/turns?max_tokens=10", body("Hello")).problem(422, vault.CodeInvalid)
}
