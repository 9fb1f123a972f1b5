package api_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/internal/testkit"
	"github.com/contextvault/contextvault/vault"

	"github.com/contextvault/contextvault/api"
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
