package rules_test

import (
	"strings"
	"testing"

	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

func TestCheckConditionTypes_FitDefinitions(t *testing.T) {
	t.Parallel()
	defined := map[string]vault.ValueType{
		"age": vault.TypeNumber, "income": vault.TypeNumber, "plan": vault.TypeString, "email": vault.TypeEmail,
		"member": vault.TypeBoolean, "born": vault.TypeDate, "extra": vault.TypeJSON,
	}
	for _, c := range []struct {
		condition string
		names     string // in the error; "": it fits
	}{
		{"", ""},
		{"fields.age >= 18", ""},
		{"fields.age == 18 && fields.income > 12.5", ""},
		{"fields.age == 18.5 && fields.income == 1", ""},
		{"fields.age + 1 > fields.income", ""},
		{"fields.age > fields.income", ""},
		{`has(fields.plan) && fields.plan == "gold"`, ""},
		{`fields.plan.startsWith("g") || "plan" in fields`, ""},
		{`fields.born < "2000-01-01"`, ""},
		{`timestamp(fields.born + "T00:00:00Z") < timestamp("2000-01-01T00:00:00Z")`, ""},
		{"fields.member", ""},
		{"!fields.member && fields.extra.size > 1", ""},
		{"fields.unknown > 5", ""},
		{"session.plan == 5", ""},
		{`fields["age"] >= 18 && fields["plan"] == "gold"`, ""},
		{`fields["extra"]["size"] > 1 && fields["not a name"] == 1`, ""},
		{`["age", "plan"].exists(n, n in fields) && fields["age"] > 1`, ""},
		{`fields.age + fields["income"] > 1`, ""},
		{`fields["plan"] > 5`, "fields.plan"},
		{`5 < fields["plan"]`, "fields.plan"},
		{`fields['age'] == "18"`, "fields.age"},
		{`[1].exists(n, fields["plan"] > n)`, "fields.plan"},
		{`fields["age"] > fields.plan`, "fields.age"},
		{`!(fields["member"] > 1)`, "fields.member"},
		{`fields["member"] && fields["plan"].size() > 1`, ""},
		{`fields["age"].size() > 1`, "fields.age"},
		{"fields.plan > 5", "fields.plan"},
		{"fields.email == 5", "fields.email"},
		{`fields.age == "18"`, "fields.age"},
		{`fields.age.startsWith("1")`, "fields.age"},
		{"fields.member > 1", "fields.member"},
		{"fields.born < 2000", "fields.born"},
		{"fields.age > fields.plan", "fields.age"},
		{"fields.age", "fields.age"},
	} {
		err := rules.CheckConditionTypes(c.condition, defined)
		switch {
		case c.names == "" && err != nil:
			t.Errorf("%s: %v", c.condition, err)
		case c.names != "" && (vault.CodeOf(err) != vault.CodeInvalid || !strings.Contains(err.Error(), c.names)):
			t.Errorf("%s: got %v, want an error that names %s", c.condition, err, c.names)
		}
	}
}
