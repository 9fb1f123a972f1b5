package rules_test

import (
	"slices"
	"testing"

	"github.com/contextvault/contextvault/rules"
)

func TestConditionFields_FieldsRead(t *testing.T) {
	t.Parallel()
	for expr, want := range map[string][]string{
		``:                      nil,
		`fields.plan == "gold"`: {"plan"},
		`fields["plan"] == "gold" && session.channel == "web"`:           {"plan"},
		`has(fields.age) && fields.age >= 18 || "email" in fields`:       {"age", "email"},
		`["a", "b"].exists(x, x == fields.plan) && scenario.name != "x"`: {"plan"},
		`fields.plan ==`: nil,
	} {
		if got := rules.ConditionFields(expr); !slices.Equal(got, want) {
			t.Errorf("%s reads %v, want %v", expr, got, want)
		}
	}
}
