package api_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/contextvault/contextvault/api"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/internal/testkit"
	"github.com/contextvault/contextvault/vault"
)

// A key claims a source and a verification only with the right to do so, in a write and in an import.
func TestClaims_RightsOfKeys(t *testing.T) {
	t.Parallel()
	s := newService(t, kit)
	agent, customer := testkit.ID(), testkit.ID()
	s.change("PUT", fmt.Sprintf("/v1/agents/%s/definitions/email", agent), `{"value_type": "email", "display_name": "Email"}`).want(200)
	limited := func(scopes []string, sources ...string) string {
		secret := api.NewKey()
		err := s.DB.System().CreateAPIKey(t.Context(), dbgen.CreateAPIKeyParams{
			ID: testkit.ID(), TenantID: s.tenant, Name: "limited", KeyHash: api.HashKey(secret), Scopes: scopes, Sources: sources,
		})
		if err != nil {
			t.Fatal(err)
		}
		return secret
	}
	write, verify, review := []string{"write"}, []string{"write", "verify"}, []string{"write", "review"}
	verified := `, "verified": true, "verification_method": "kyc"`
	for _, tc := range []struct {
		name    string
		key     string
		source  string
		more    string
		refused string // the field; "": it is accepted
	}{
		{"the customer's word", limited(write), "user_provided", "", ""},
		{"a tool", limited(write), "tool_result", "", ""},
		{"a guess", limited(write), "system_inferred", "", ""},
		{"a person", limited(write), "human_entered", "", "source"},
		{"a document", limited(write), "document_extracted", "", "source"},
		{"a person who reviews", limited(review), "human_entered", "", ""},
		{"a reviewer's document", limited(review), "document_extracted", "", "source"},
		{"a key for documents", limited(write, "document_extracted"), "document_extracted", "", ""},
		{"a key for documents claims nothing else", limited(write, "document_extracted"), "user_provided", "", "source"},
		{"a verification without the right", limited(write), "user_provided", verified, "verified"},
		{"a method alone", limited(write), "user_provided", `, "verification_method": "kyc"`, "verification_method"},
		{"a verifier alone", limited(write), "user_provided", `, "verified_by": "me"`, "verified_by"},
		{"a verification with the right", limited(verify), "user_provided", verified, ""},
		{"a reviewer verifies nothing", limited(review), "human_entered", verified, "verified"},
		{"an admin", s.key, "human_entered", verified, ""},
	} {
		auth := "Authorization: Bearer " + tc.key
		body := fmt.Sprintf(`{"agent_id": %q, "value": "ada@example.com", "source": %q%s}`, agent, tc.source, tc.more)
		single := s.do("PUT", "/v1/customers/"+customer.String()+"/values/email", body, auth)
		named := strings.Replace(body, "{", fmt.Sprintf(`{"customer_id": %q, "name": "email", `, customer), 1)
		many := s.do("POST", "/v1/import", `{"writes": [`+named+`]}`, auth)
		if tc.refused == "" {
			single.want(202)
			many.want(202)
			continue
		}
		if p := single.problem(403, vault.CodeNotAllowed); p.Field != tc.refused {
			t.Errorf("%s: the field is %s", tc.name, p.Field)
		}
		if p := many.problem(403, vault.CodeNotAllowed); p.Field != "writes[0]."+tc.refused {
			t.Errorf("%s: the field of the import is %s", tc.name, p.Field)
		}
	}
	for path, needs := range map[string]string{
		"/v1/customers/" + customer.String() + "/values/email/verify":     "verify",
		"/v1/customers/" + customer.String() + "/values/email/correction": "review",
		"/v1/items/" + testkit.ID().String() + "/decision":                "review",
		"/v1/reviews/" + testkit.ID().String() + "/decision":              "review",
	} {
		p := s.do("POST", path, `{}`, "Authorization: Bearer "+limited(write)).problem(403, vault.CodeNotAllowed)
		if !strings.Contains(p.Detail, "scope "+needs) {
			t.Errorf("%s: %s", path, p.Detail)
		}
	}
}

// A value with the source llm_extracted names its evidence, and the evidence states it. A key may be trusted instead.
func TestClaims_ExtractedValuesNeedEvidence(t *testing.T) {
	t.Parallel()
	s := newService(t, kit)
	agent, customer, session, another := testkit.ID(), testkit.ID(), testkit.ID(), testkit.ID()
	s.change("PUT", fmt.Sprintf("/v1/agents/%s/definitions/email", agent), `{"value_type": "email", "display_name": "Email"}`).want(200)
	for id, of := range map[string]string{session.String(): customer.String(), another.String(): testkit.ID().String()} {
		s.change("PUT", "/v1/sessions/"+id, fmt.Sprintf(`{"agent_id": %q, "customer_id": %q, "turns": [
			{"speaker": "agent", "text": "What is your email address?"},
			{"speaker": "customer", "text": "It is ada@example.com, and my wife's is eve@example.com."}]}`, agent, of)).want(200)
	}
	write := func(value, session, metadata string) string {
		body := fmt.Sprintf(`{"agent_id": %q, "value": %q, "source": "llm_extracted"`, agent, value)
		if session != "" {
			body += fmt.Sprintf(`, "source_session_id": %q`, session)
		}
		if metadata != "" {
			body += `, "source_metadata": ` + metadata
		}
		return body + "}"
	}
	const quote = `{"quote": "It is ada@example.com", "turn": 1}`
	for name, tc := range map[string]struct{ body, field string }{
		"evidence":                 {write("ada@example.com", session.String(), quote), ""},
		"no session":               {write("ada@example.com", "", quote), "source_session_id"},
		"another customer's":       {write("ada@example.com", another.String(), quote), "source_session_id"},
		"no quote":                 {write("ada@example.com", session.String(), `{"turn": 1}`), "source_metadata"},
		"no turn":                  {write("ada@example.com", session.String(), `{"quote": "It is ada@example.com"}`), "source_metadata"},
		"no metadata":              {write("ada@example.com", session.String(), ""), "source_metadata"},
		"the wrong turn":           {write("ada@example.com", session.String(), strings.Replace(quote, "1", "0", 1)), "source_metadata"},
		"a quote that nobody said": {write("ada@example.com", session.String(), `{"quote": "mail ada@example.com", "turn": 1}`), "source_metadata"},
		"another value":            {write("bob@example.com", session.String(), quote), "source_metadata"},
		"another person's":         {write("eve@example.com", session.String(), `{"quote": "my wife's is eve@example.com", "turn": 1}`), "source_metadata"},
	} {
		path := "/v1/customers/" + customer.String() + "/values/email"
		many := `{"writes": [` + strings.Replace(tc.body, "{", fmt.Sprintf(`{"customer_id": %q, "name": "email", `, customer), 1) + `]}`
		if tc.field == "" {
			s.change("PUT", path, tc.body).want(200)
			s.change("POST", "/v1/import", many).want(200)
			continue
		}
		if p := s.do("PUT", path, tc.body).problem(422, vault.CodeInvalid); p.Field != tc.field || strings.Contains(p.Detail, "@") {
			t.Errorf("%s: %s: %s", name, p.Field, p.Detail)
		}
		if p := s.do("POST", "/v1/import", many).problem(422, vault.CodeInvalid); p.Field != "writes[0]."+tc.field {
			t.Errorf("%s: %s: %s", name, p.Field, p.Detail)
		}
	}
	secret := api.NewKey()
	err := s.DB.System().CreateAPIKey(t.Context(), dbgen.CreateAPIKeyParams{
		ID: testkit.ID(), TenantID: s.tenant, Name: "extractor", KeyHash: api.HashKey(secret), Scopes: []string{"write"},
		Sources: []string{"llm_extracted"},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.do("PUT", "/v1/customers/"+customer.String()+"/values/email", write("bob@example.com", "", ""), "Authorization: Bearer "+secret).want(202)
}
