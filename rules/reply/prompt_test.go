package reply_test

import (
	"encoding/json"
	"testing"

	"github.com/contextvault/contextvault/rules/reply"
	"github.com/contextvault/contextvault/vault"
)

func TestConfirmPrompt_HasTheUnit(t *testing.T) {
	t.Parallel()
	d := vault.Definition{ValueType: vault.TypeNumber, Unit: "kg", Enabled: true}
	d.Name = "body_weight"
	if got := reply.ConfirmPrompt(d, json.RawMessage("80")); got != "body weight: 80 kg. Is that right?" {
		t.Error(got)
	}
	if got := d.Prompt(); got != "What is your body weight (in kg)?" {
		t.Error(got)
	}
}
