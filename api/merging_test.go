package api_test

import (
	"fmt"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/internal/testkit"
	"github.com/contextvault/contextvault/vault"
)

// proposedMerges goes from a merge rule to a merge, through the workflow engine.
func (s *service) proposedMerges(agent uuid.UUID) {
	s.t.Helper()
	s.change("PUT", "/v1/agents/"+agent.String()+"/definitions/badge", `{"value_type": "string", "enabled": true}`).want(200)
	rule := "/v1/merge-rules/" + testkit.ID().String()
	s.change("PUT", rule, `{"fields": ["nothing"]}`).problem(422, vault.CodeInvalid)
	s.change("PUT", rule, `{"name": "Same badge", "fields": ["badge"]}`).want(200)
	s.do("GET", "/v1/merge-rules", "").want(200).has(`"fields":["badge"]`)
	for range 2 {
		s.change("PUT", "/v1/customers/"+testkit.ID().String()+"/values/badge", fmt.Sprintf(`{"agent_id": %q,
			"value": "B-77", "source": "user_provided", "verified": true, "verification_method": "card"}`, agent)).want(200)
	}
	s.change("POST", "/v1/merge-proposals", "").want(200).has(`"proposed":1`)
	var list struct{ Items []vault.MergeProposal }
	s.do("GET", "/v1/merge-proposals?status=pending", "").want(200).into(&list)
	if len(list.Items) != 1 {
		s.t.Fatalf("the proposals are %+v", list.Items)
	}
	s.do("GET", "/v1/reviews", "").want(200).has(list.Items[0].ID.String())
	decision := "/v1/merge-proposals/" + list.Items[0].ID.String() + "/decision"
	s.change("POST", decision, `{"decision": "perhaps"}`).problem(422, vault.CodeInvalid)
	s.change("POST", decision, `{"decision": "approve"}`).want(200).has(`"approved"`, list.Items[0].OlderCustomerID.String())
	s.change("POST", decision, `{"decision": "reject"}`).problem(409, vault.CodeConflict)
	s.do("GET", "/v1/merge-proposals?customer_id="+list.Items[0].NewerCustomerID.String(), "").want(200).has(`"approved"`)
	s.do("GET", "/v1/events?types=review.opened", "").want(200).has(`"kind":"merge"`)
	s.change("DELETE", rule, "").want(200)
	s.change("DELETE", rule, "").problem(404, vault.CodeUnknown)
}
