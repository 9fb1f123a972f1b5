package rules_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

func TestFieldPolicy(t *testing.T) {
	t.Parallel()
	now := time.Now()
	granted := func(purpose string) vault.Consent {
		return vault.Consent{Purpose: purpose, Granted: true, AcceptedAt: now.Add(-time.Hour)}
	}
	withdrawn := vault.Consent{Purpose: "support", AcceptedAt: now.Add(-time.Minute)}
	expired := granted("support")
	expired.ExpiresAt = new(now.Add(-time.Second))
	support := rules.FieldPolicy{}.Add([]string{"support", "offers"}, false)
	both := support.Add([]string{"support"}, true)
	for name, c := range map[string]struct {
		policy   rules.FieldPolicy
		purpose  string
		consents []vault.Consent
		want     vault.WithheldReason
		refused  bool
	}{
		"no purpose needed":        {rules.FieldPolicy{}.Add(nil, true), "", nil, "", false},
		"no purpose stated":        {support, "", []vault.Consent{granted("support")}, vault.WithheldPurposeRequired, false},
		"another purpose":          {support, "research", []vault.Consent{granted("support")}, vault.WithheldPurposeNotAllowed, false},
		"consented":                {support, "support", []vault.Consent{granted("support")}, "", false},
		"consented to the other":   {support, "support", []vault.Consent{granted("offers")}, vault.WithheldNoConsent, false},
		"no record":                {support, "support", nil, vault.WithheldNoConsent, true},
		"withdrawn":                {support, "support", []vault.Consent{granted("support"), withdrawn}, vault.WithheldNoConsent, true},
		"withdrawn, listed first":  {support, "support", []vault.Consent{withdrawn, granted("support")}, vault.WithheldNoConsent, true},
		"expired":                  {support, "support", []vault.Consent{expired}, vault.WithheldNoConsent, true},
		"the strictest definition": {both, "offers", []vault.Consent{granted("offers")}, vault.WithheldPurposeNotAllowed, true},
		"both definitions":         {both, "support", []vault.Consent{granted("support")}, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := c.policy.Withhold(c.purpose, c.consents, now); got != c.want {
				t.Errorf("withheld because of %q, want %q", got, c.want)
			}
			if got := c.policy.Refuses(c.consents, now); got != c.refused {
				t.Errorf("refused: %t, want %t", got, c.refused)
			}
		})
	}
}

func TestMask(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind        vault.ValueType
		value, want string
	}{
		{vault.TypeEmail, `"ada@example.com"`, `"a•••@example.com"`},
		{vault.TypeEmail, `"a@example.com"`, `"•••@example.com"`},
		{vault.TypeEmail, `"nobody"`, `"•••"`},
		{vault.TypePhone, `"+4915112345678"`, `"•••78"`},
		{vault.TypePhone, `"+4911"`, `"•••"`},
		{vault.TypeDate, `"1984-05-06"`, `"1984-•••"`},
		{vault.TypeDatetime, `"1984-05-06T10:00:00Z"`, `"1984-•••"`},
		{vault.TypeDate, `"yesterday"`, `"•••"`},
		{vault.TypeString, `"Lovelace"`, `"L•••"`},
		{vault.TypeString, `"Ada"`, `"•••"`},
		{vault.TypeNumber, `42`, `"•••"`},
		{vault.TypeBoolean, `true`, `"•••"`},
		{vault.TypeURL, `"https://example.com/ada"`, `"•••"`},
		{vault.TypeJSON, `{"street": "Main Street 1"}`, `"•••"`},
		{vault.TypeJSON, `["Main Street 1"]`, `"•••"`},
		{vault.TypeEmail, `["ada@example.com", "eve@example.com"]`, `["a•••@example.com","e•••@example.com"]`},
		{vault.TypeString, `""`, `""`},
		{vault.TypeString, `null`, `null`},
	} {
		if got := string(rules.Mask(c.kind, json.RawMessage(c.value))); got != c.want {
			t.Errorf("%s %s: got %s, want %s", c.kind, c.value, got, c.want)
		}
	}
}

// A masked text shows its first letter at most, whatever it contains.
func TestMask_ShowsOneLetter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		text := rapid.StringN(2, 40, -1).Draw(rt, "text")
		value, err := json.Marshal(text)
		if err != nil || rules.IsEmpty(value) {
			return
		}
		var out string
		if err := json.Unmarshal(rules.Mask(vault.TypeString, value), &out); err != nil {
			rt.Fatal(err)
		}
		if rest := strings.TrimSuffix(out, "•••"); len([]rune(rest)) > 1 || !strings.HasSuffix(out, "•••") {
			rt.Fatalf("the mask shows %q", rest)
		}
	})
}
