package evidence_test

import (
	"encoding/json"
	"testing"

	"github.com/contextvault/contextvault/rules/evidence"
	"github.com/contextvault/contextvault/vault"
)

func TestTakenBack_YesOrNo(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		def    *vault.Definition
		stored string
		later  string
		want   bool
	}{
		{terms, `true`, "I changed my mind, I no longer accept the terms.", true},
		{terms, `true`, "I withdraw my acceptance of the terms.", true},
		{terms, `true`, "I don't accept the terms and conditions.", true},
		{terms, `true`, "I do accept the terms.", false},
		{terms, `true`, "What if I don't accept the terms?", false},
		{terms, `true`, "My wife doesn't accept the terms.", false},
		{terms, `true`, "I no longer live in Oslo.", false},
		{smoker, `true`, "I don't smoke any more.", true},
		{smoker, `false`, "I smoke again, I'm afraid.", true},
		{smoker, `false`, "I still don't smoke.", false},
	} {
		c := evidence.Read(talk("A: "+tc.def.Prompt(), "Yes or no, as stored.", "A: Thank you.", tc.later))
		_, got := c.TakenBack(tc.def, vault.Value{Name: tc.def.Name, Value: json.RawMessage(tc.stored)}, 1, 1)
		if got != tc.want {
			t.Errorf("%s = %s, then %q: taken back %t", tc.def.Name, tc.stored, tc.later, got)
		}
	}
}
