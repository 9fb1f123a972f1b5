package cli

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/vault"
)

func TestLongColumns_OfAWrite(t *testing.T) {
	t.Parallel()
	for name, json := range map[string]bool{
		"name": false, "value": true, "value_type": false, "confidence": true, "verified": true, "source_metadata": true,
		"collected_at": false, "source_session_id": false, "agent_id": false, "status": false,
	} {
		if !slices.Contains(allColumns(), column{name, json}) {
			t.Errorf("there is no column %s with JSON: %t; the columns are %v", name, json, allColumns())
		}
	}
	for _, name := range []string{columnCustomer, columnChannel, columnExternal} {
		if slices.Contains(longColumns(), name) {
			t.Errorf("%s identifies the customer, and is among the columns of a value", name)
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
	for _, column := range longColumns() {
		// the vault does not store the agent of a value, and the cell has the type
		if column != "agent_id" && column != columnValueType && members[column] == nil {
			t.Errorf("lineOf does not set %s", column)
		}
	}
}
