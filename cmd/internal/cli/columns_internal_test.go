package cli

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/vault"
)

// jsonMembers lists the JSON members of a struct with their types, embedded structs included.
func jsonMembers(t reflect.Type) map[string]reflect.Type {
	out := map[string]reflect.Type{}
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			for name, member := range jsonMembers(f.Type) {
				out[name] = member
			}
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		out[name] = f.Type
	}
	return out
}

func TestLongColumns_AreTheMembersOfALine(t *testing.T) {
	t.Parallel()
	members := jsonMembers(reflect.TypeFor[fileLine]())
	for name := range members {
		if !slices.Contains(append(longColumns, columnCustomer, columnChannel, columnExternal), name) {
			t.Errorf("longColumns lacks %s", name)
		}
	}
	for _, name := range longColumns {
		member := members[name]
		if member == nil {
			t.Errorf("longColumns has %s, which is not a member of a line", name)
			continue
		}
		if member.Kind() == reflect.Pointer {
			member = member.Elem()
		}
		text := member.Kind() == reflect.String || member == reflect.TypeFor[uuid.UUID]() ||
			member == reflect.TypeFor[time.Time]()
		if name != "value" && text == slices.Contains(jsonColumns, name) {
			t.Errorf("%s is a %s: in jsonColumns it is %t", name, member, !text)
		}
	}
}

// Every member of an exported value is set, so that a new member of a write is not forgotten.
func TestLineOf_SetsEveryColumn(t *testing.T) {
	t.Parallel()
	id, now := uuid.New(), time.Now()
	members, err := membersOf(lineOf(id, vault.Value{
		ID: id, Name: "email", Value: json.RawMessage(`"x"`), Source: vault.ValueUserProvided,
		SourceSessionID: &id, SourceScenarioID: &id, SourceStepID: "s",
		Lineage: vault.Lineage{
			SourceItemID: &id, SourceItemType: vault.SourceTypes[0], SourceMetadata: json.RawMessage(`{"a":1}`),
		},
		Status: vault.StatusActive, Verified: true, VerificationMethod: "m", VerifiedBy: "b", Confidence: 1,
		RequiresConfirmation: true, CollectedAt: now, ExpiresAt: &now, AcceptedAt: now,
	}, true))
	if err != nil {
		t.Fatal(err)
	}
	for _, column := range longColumns {
		if column != "agent_id" && members[column] == nil { // the vault does not store the agent of a value
			t.Errorf("lineOf does not set %s", column)
		}
	}
}
