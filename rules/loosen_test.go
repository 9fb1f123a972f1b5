package rules_test

import (
	"testing"

	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

func TestLoosened(t *testing.T) {
	t.Parallel()
	def := func(pii bool, purposes ...string) vault.Definition {
		return vault.Definition{Origin: vault.OriginHuman, IsPII: pii, Purposes: purposes}
	}
	deleted := (*vault.Definition)(nil)
	for name, c := range map[string]struct {
		was  vault.Definition
		now  *vault.Definition
		want string
	}{
		"nothing":              {def(false), new(def(false)), ""},
		"nothing, deleted":     {def(false), deleted, ""},
		"stricter":             {def(false), new(def(true, "support")), ""},
		"no PII any more":      {def(true), new(def(false)), "is_pii"},
		"PII, deleted":         {def(true), deleted, "is_pii"},
		"fewer purposes":       {def(false, "support", "offers"), new(def(false, "offers")), ""},
		"another purpose":      {def(false, "support"), new(def(false, "offers")), "purposes"},
		"one purpose more":     {def(false, "support"), new(def(false, "support", "offers")), "purposes"},
		"no purposes any more": {def(false, "support"), new(def(false)), "purposes"},
		"purposes, deleted":    {def(false, "support"), deleted, "purposes"},
		"suggested": {
			vault.Definition{Origin: vault.OriginExtracted, Review: vault.ReviewPending, IsPII: true}, new(def(false)), "",
		},
		"suggested and approved": {
			vault.Definition{Origin: vault.OriginExtracted, Review: vault.ReviewApproved, IsPII: true}, deleted, "is_pii",
		},
	} {
		if got := rules.Loosened(c.was, c.now); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}
