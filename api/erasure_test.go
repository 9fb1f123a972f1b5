package api_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/contextvault/contextvault/internal/testkit"
	"github.com/contextvault/contextvault/vault"
)

// An erasure of an unknown customer changes nothing. One of a customer who is erased, or half erased, names the erasure
// before.
func TestErasure_Refused(t *testing.T) {
	t.Parallel()
	s := newService(t, kit)
	unknown := testkit.ID()
	if p := s.change("POST", "/v1/customers/"+unknown.String()+"/erasure", "").problem(404, vault.CodeUnknown); !strings.Contains(
		p.Detail, unknown.String()) {
		t.Errorf("it says %q", p.Detail)
	}
	s.do("GET", "/v1/erasures", "").want(200).has(`"items":[]`)

	s.change("PUT", "/v1/agents/"+testkit.ID().String()+"/definitions/plan", `{"value_type": "string"}`).want(200)
	id := testkit.ID()
	customer := "/v1/customers/" + id.String()
	s.change("POST", customer+"/consents", `{"purpose": "support", "granted": true}`).want(200)
	conn, err := pgx.Connect(t.Context(), s.DatabaseURL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	// The erasure begins, and waits for this row.
	for _, sql := range []string{
		"BEGIN", "SELECT FROM consents WHERE profile_id = (SELECT id FROM customer_profiles WHERE customer_id = '" + id.String() +
			"') FOR UPDATE",
	} {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	var first struct {
		ID uuid.UUID `json:"operation_id"`
	}
	s.do("POST", customer+"/erasure", "").want(http.StatusAccepted).into(&first)
	testkit.Eventually(t, "the erasure has begun", func(context.Context) (answer, bool) {
		a := s.do("GET", "/v1/erasures/"+first.ID.String(), "")
		return a, a.status == 200 && strings.Contains(string(a.body), `"begun"`)
	})
	refused := func(how string) {
		t.Helper()
		p := s.change("POST", customer+"/erasure", "").problem(410, vault.CodeErased)
		if !strings.Contains(p.Detail, first.ID.String()) || !strings.Contains(p.Detail, how) {
			t.Errorf("a second erasure says %q", p.Detail)
		}
	}
	refused("is being erased")
	if _, err := conn.Exec(t.Context(), "COMMIT"); err != nil {
		t.Fatal(err)
	}
	s.Operation(t, s.tenant, first.ID, vault.OperationSucceeded)
	refused("was erased")
	var list struct{ Items []json.RawMessage }
	s.do("GET", "/v1/erasures", "").want(200).into(&list)
	if len(list.Items) != 1 {
		t.Errorf("there are %d erasures", len(list.Items))
	}
}

// An order of sources with an unknown one changes nothing.
func TestDefinitions_UnknownSource(t *testing.T) {
	t.Parallel()
	s := newService(t, kit)
	path := "/v1/agents/" + testkit.ID().String() + "/definitions/plan"
	s.change("PUT", path, `{"value_type": "string", "source_priority": ["tool_result"]}`).want(200)
	before := string(s.do("GET", path, "").want(200).body)
	p := s.change("PUT", path, `{"value_type": "string", "source_priority": ["tool_result", "gossip"]}`)
	if p.status/100 != 4 || !strings.Contains(string(p.body), "source_priority[1]") || !strings.Contains(string(p.body), "llm_extracted") {
		t.Errorf("it says %d %s", p.status, p.body)
	}
	if after := string(s.do("GET", path, "").want(200).body); after != before {
		t.Errorf("the definition was %s, and is %s", before, after)
	}
}
