package api_test

import (
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/contextvault/contextvault/internal/testkit"
	"github.com/contextvault/contextvault/vault"
)

func TestPast_Routes(t *testing.T) {
	t.Parallel()
	s := newService(t, kit)
	agent := testkit.ID()
	s.change("PUT", "/v1/agents/"+agent.String()+"/definitions/plan", `{"value_type": "string"}`).want(200)
	customer := "/v1/customers/" + testkit.ID().String()
	write := func(value string) string {
		t.Helper()
		s.change("PUT", customer+"/values/plan",
			fmt.Sprintf(`{"agent_id": %q, "value": %q, "source": "user_provided"}`, agent, value)).want(200)
		var v vault.Value
		s.do("GET", customer+"/values/plan", "").want(200).into(&v)
		return v.ID.String()
	}
	item := write("silver")
	at := url.QueryEscape(time.Now().Format(time.RFC3339Nano))
	write("gold")
	for _, parameter := range []string{"as_of", "known_at"} {
		s.do("GET", customer+"?"+parameter+"="+at, "").want(200).has(`"silver"`)
		s.do("GET", customer+"/values/plan?"+parameter+"="+at, "").want(200).has(`"silver"`)
		s.do("GET", "/v1/items/"+item+"/chain?"+parameter+"="+at, "").want(200).has(item)
		for _, bad := range []string{
			"yesterday", "2026-03-31", url.QueryEscape(time.Now().Add(time.Hour).Format(time.RFC3339)),
		} {
			for _, path := range []string{customer, customer + "/values/plan", "/v1/items/" + item + "/chain"} {
				if p := s.do("GET", path+"?"+parameter+"="+bad, "").problem(400, vault.CodeInvalid); p.Field != parameter {
					t.Errorf("%s: the problem names %q, want %s", bad, p.Field, parameter)
				}
			}
		}
	}
	s.do("GET", customer+"/values/plan?as_of=2020-01-01T00:00:00Z", "").problem(404, vault.CodeUnknown)
	s.do("GET", customer+"?history=true&as_of="+at, "").problem(422, vault.CodeInvalid)
}
