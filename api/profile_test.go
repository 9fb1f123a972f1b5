package api_test

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/contextvault/contextvault/internal/testkit"
	"github.com/contextvault/contextvault/vault"
)

func TestGetCustomer_EntityTag(t *testing.T) {
	t.Parallel()
	s := newService(t, kit)
	agent := testkit.ID()
	for _, d := range []string{"plan", "tax_id"} {
		s.change("PUT", "/v1/agents/"+agent.String()+"/definitions/"+d,
			fmt.Sprintf(`{"value_type": "string", "encryption_required": %t}`, d == "tax_id")).want(200)
	}
	customer := "/v1/customers/" + testkit.ID().String()
	write := func(name, value string) {
		t.Helper()
		s.change("PUT", customer+"/values/"+name,
			fmt.Sprintf(`{"agent_id": %q, "value": %q, "source": "user_provided"}`, agent, value)).want(200)
	}
	write("plan", "gold")
	write("tax_id", "12/345/67890")
	tag := ""
	for range 3 { // from PostgreSQL, then from the cache
		a := s.do("GET", customer, "").want(200).has(`"12/345/67890"`)
		if a.header.Get("Content-Type") != "application/json" || a.header.Get("Cache-Control") != "no-store" ||
			a.header.Get("Content-Length") != strconv.Itoa(len(a.body)) {
			t.Errorf("the headers are %v, the body has %d bytes", a.header, len(a.body))
		}
		if tag == "" {
			tag = a.header.Get("ETag")
		} else if got := a.header.Get("ETag"); got != tag || len(got) < 10 {
			t.Errorf("the tags of one content are %s and %s", tag, got)
		}
	}
	for _, known := range []string{tag, `"other", ` + tag, "W/" + tag, "*"} {
		a := s.do("GET", customer, "", "If-None-Match: "+known)
		if a.status != 304 || len(a.body) != 0 || a.header.Get("ETag") != tag {
			t.Errorf("with %s: got %d, %s, %d bytes", known, a.status, a.header.Get("ETag"), len(a.body))
		}
	}
	for _, known := range []string{`"other"`, "none", tag[1 : len(tag)-1], ","} {
		s.do("GET", customer, "", "If-None-Match: "+known).want(200)
	}
	history := s.do("GET", customer+"?history=true", "", "If-None-Match: "+tag).want(200).header.Get("ETag")
	if a := s.do("GET", customer+"?history=true", "", "If-None-Match: "+history); a.status != 304 {
		t.Errorf("the profile with its history: got %d", a.status)
	}

	// A tag is no permission.
	writer, _ := s.newKey("write")
	s.do("GET", customer, "", "If-None-Match: *", "Authorization: Bearer "+writer).problem(403, vault.CodeNotAllowed)
	s.do("GET", customer, "", "If-None-Match: *", "Authorization: ").problem(401, "unauthenticated")
	newService(t, kit).do("GET", customer, "", "If-None-Match: "+tag).problem(404, vault.CodeUnknown)

	write("plan", "silver")
	if got := s.do("GET", customer, "", "If-None-Match: "+tag).want(200).has(`"silver"`).header.Get("ETag"); got == tag {
		t.Error("a changed profile has the old tag")
	}
	s.change("DELETE", customer, "").want(200)
	s.do("GET", customer, "", "If-None-Match: "+tag).problem(404, vault.CodeUnknown)
}
