package rules_test

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

func ExampleCheckValue() {
	phone := &vault.Definition{Name: "phone", ValueType: vault.TypePhone, Enabled: true}
	for _, value := range []string{`"+1 (415) 555-2671"`, `"555-2671"`} {
		checked, err := rules.CheckValue(phone, "phone", json.RawMessage(value), vault.ModeStrict)
		if e, ok := errors.AsType[*vault.Error](err); ok {
			fmt.Println(e.ForCaller())
			continue
		}
		fmt.Println(string(checked.Value))
	}
	// Output:
	// "+14155552671"
	// Field validation failed: phone: "555-2671" is not a phone number in international format, such as +14155552671
}

func ExampleFindMissing() {
	requirements := []vault.Requirement{
		{FieldName: "email", RequiredLevel: vault.LevelHard, Order: 1},
		{FieldName: "guardian", RequiredLevel: vault.LevelHard, WhenCondition: "fields.age < 18", DependsOn: []string{"age"}},
		{FieldName: "age", RequiredLevel: vault.LevelSoft},
	}
	known := rules.Known{Fields: map[string]vault.Value{"age": {Value: json.RawMessage(`17`)}}}
	missing, _ := rules.FindMissing(requirements, nil, known, rules.Scope{})
	for _, m := range missing {
		fmt.Println(m.Requirement.FieldName, m.Reason, m.Blocking)
	}
	// Output:
	// guardian absent true
	// email absent true
}
