package openai

import (
	"strings"
	"testing"

	"github.com/contextvault/contextvault/llm"
)

// A model that leaves out the condition of a proposal sets none. The proposal counts.
func TestDecodeProposals_WithoutCondition(t *testing.T) {
	t.Parallel()
	const entry = `{"fields":[{"name":"income","display_name":"","description":"","value_type":"number","allowed_values":[],` +
		`"validation_regex":"","collection_prompt":"What is it?","examples":[],"is_pii":true,"required_level":"hard",` +
		`"fallback_action":"ask","when_condition":"","required_verification":false,"confidence":0.9,"quote":"the income"}]}`
	for _, answer := range []string{entry, strings.Replace(entry, `"when_condition":"",`, "", 1)} {
		got, _, err := decodeProposals(answer, llm.ProposeRequest{Texts: []llm.Text{{Text: "We need the income."}}})
		if err != nil || len(got) != 1 || got[0].WhenCondition != "" {
			t.Errorf("%s: got %+v, %v", answer, got, err)
		}
	}
}
