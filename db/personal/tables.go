// Package personal knows where the vault holds something of a customer. One list of tables (Tables) says how the rows
// of a customer are found, exported, erased and scanned for, so that these cannot differ. A table with a customer in it
// that is not in the list makes all of them fail (Check).
//
//   - tables.go: the list;
//   - scope.go: the ids of a customer, by which rows are found;
//   - shared.go: operations that hold several customers;
//   - check.go: compares the list with the tables of the database;
//   - erase.go, scan.go, export.go: what is done with the list.
package personal

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/vault"
)

// Table is a table with rows of customers.
type Table struct {
	Name  string
	Title string // for people, in exports
	// Where selects the rows of a customer. Its parameters are those of Scope.args.
	Where string
	// Order sorts the rows of an export.
	Order string
	// Set erases the rows by an update, which keeps them. Empty: the rows are deleted.
	Set string
	// Left is a condition on rows that are not erased yet. Empty: all that Where selects.
	Left string
	// Flushed rows are removed by the step that invalidates the cache, not by Erase.
	Flushed bool
	// Hidden are columns that exports leave out: they say nothing about the customer.
	Hidden []string
	// Machine data is left out of the page for people.
	Machine bool
	// open replaces the sealed columns of an exported row by what they hold.
	open func(ctx context.Context, s *db.Sealer, tenant uuid.UUID, row map[string]any) error
}

// Tables lists the tables with rows of customers, in the order in which they are erased: rows before those that they
// refer to.
var Tables = []Table{
	{
		Name: "session_turn_embeddings", Title: "Embeddings of conversations", Where: "session_id = ANY (@sessions)",
		Order: "session_id, turn_index", Machine: true,
	},
	{
		Name: "session_turns", Title: "Conversations", Where: "session_id = ANY (@sessions)",
		Order: "session_id, turn_index", open: openTurn,
	},
	{
		Name: "sessions", Title: "Sessions", Where: "id = ANY (@sessions)", Order: "created_at, id",
		Hidden: []string{"variable_accepted_at", "read_to", "read_due_at"}, open: openSession,
	},
	{Name: "questions", Title: "Questions", Where: "id = ANY (@questions)", Order: "opened_at, id"},
	{
		Name: "fill_wakeups", Title: "Wake-ups of gap fills", Where: "fill_id = ANY (@fills)", Order: "id", Machine: true,
	},
	{
		Name: "gap_fill_items", Title: "Results of gap fills", Where: "fill_id = ANY (@fills)",
		Order: "fill_id, field_name",
	},
	{
		Name: "gap_fills", Title: "Gap fills", Where: "operation_id = ANY (@fills)", Order: "operation_id",
		open: openBytes("candidates", "operation_id"),
	},
	{
		Name: "customer_values", Title: "Values", Where: "profile_id = ANY (@profiles)", Order: "name, accepted_at, id",
		Hidden: []string{"blind_key", "match_key"}, open: openValue,
	},
	{
		Name: "customer_assets", Title: "Documents", Where: "profile_id = ANY (@profiles)",
		Order: "name, accepted_at, id",
	},
	{
		Name: "orphan_candidates", Title: "Recently deleted items", Where: "item_id = ANY (@items)", Order: "item_id",
		Machine: true,
	},
	{
		Name: "consents", Title: "Consents", Where: "profile_id = ANY (@profiles)", Order: "accepted_at, id",
	},
	{
		Name: "channel_identities", Title: "Channels", Where: "profile_id = ANY (@profiles)", Order: "channel, external_id",
	},
	{
		// The other customer of a pair is hidden: it may be another person.
		Name: "merge_proposals", Title: "Proposed merges",
		Where: "older_profile_id = ANY (@profiles) OR newer_profile_id = ANY (@profiles)", Order: "proposed_at, id",
		Hidden: []string{"older_profile_id", "newer_profile_id", "kept_profile_id", "ground", "rule_id"},
	},
	{
		Name: "customer_merges", Title: "Merges",
		Where: "source_profile_id = ANY (@profiles) OR target_profile_id = ANY (@profiles)", Order: "merged_at, id",
	},
	{
		Name: "customer_exports", Title: "Exports", Where: "customer_id = ANY (@customers)", Order: "made_at, id",
	},
	{
		Name: "customer_profiles", Title: "Profile", Where: "id = ANY (@profiles)", Order: "created_at, id",
	},
	{
		Name: "holds", Title: "Work in progress", Where: "split_part(key, ':', 2) = ANY (@holders)",
		Order: "key", Machine: true,
	},
	{
		Name: "operations", Title: "Operations",
		Where: "id = ANY (@operations) AND id <> @self", Order: "id",
		Set: `subject = 'erased', idempotency_key = 'erased:' || id, payload = '', prepared = NULL, touched_profiles = '{}',
    result = CASE WHEN result IS NULL THEN NULL ELSE '{}'::jsonb END,
    error = CASE WHEN error IS NULL THEN NULL
        ELSE jsonb_build_object('code', error ->> 'code', 'message', 'the customer was erased') END,
    erased_at = clock_timestamp()`,
		Left: "erased_at IS NULL",
		Hidden: []string{
			"subject", "subject_id", "prepared", "touched_profiles", "touched_pending", "attempts", "carried_by", "batch_id",
			"failures", "enqueued_at", "due_at", "parent_id",
		},
		open: openPayload,
	},
	{
		Name: "webhook_deliveries", Title: "Deliveries to webhooks", Where: "customers && @customers AND " + notErased,
		Order: "seq", Hidden: []string{"seq"}, Machine: true,
	},
	{
		// After the tables whose removed rows add events. customer.erased stays: it has the id of the customer alone.
		Name: "events", Title: "Events",
		Where: `(customer_id = ANY (@customers) OR other_customer_id = ANY (@customers) OR subject_id = ANY (@items)
    OR subject_id = ANY (@questions) OR operation_id = ANY (@operations) OR operation_id = ANY (@fills))
    AND ` + notErased, Order: "seq", Hidden: []string{"seq"}, Machine: true,
	},
	{
		Name: "customer_keys", Title: "Key", Where: "customer_id = ANY (@customers)", Order: "customer_id",
		Hidden: []string{"wrapped", "kek_id"}, Machine: true,
	},
	{
		Name: "pending_invalidations", Title: "Cache entries to invalidate",
		Where: "subject = ANY (@customers) OR subject = ANY (@items)", Order: "added_at", Flushed: true, Machine: true,
	},
}

// notErased leaves out the events that tell of an erasure, which outlive the customer.
const notErased = "type <> 'customer.erased'"

// Others lists the tables without rows of customers, with the reason. A test compares both lists with the database.
var Others = map[string]string{
	"tenants":               "companies",
	"api_keys":              "keys of a company",
	"llm_usage":             "counts by tenant and day",
	"definitions":           "configuration",
	"definition_embeddings": "configuration",
	"scenarios":             "configuration",
	"rules":                 "configuration",
	"requirements":          "configuration",
	"prefix_fields":         "names of fields",
	"sealed_fields":         "names of fields",
	"audit_seals":           "hashes of the audit",
	"schema_extractions":    "configuration",
	"erasures":              "the scope of an erasure is removed when it finishes; counts stay",
	"erasure_tombstones":    "keyed hashes, which keep the customer from coming back",
	"erasure_keys":          "sealed keys of a tenant",
	"tenant_keys":           "sealed keys of a tenant",
	"event_heads":           "positions of the feed of a tenant",
	"webhooks":              "configuration",
	"merge_rules":           "configuration",
	"goose_db_version":      "the version of the schema",
}

// Kept lists the tables that outlive a customer and may name it, with the reason. A scan does not search them.
var Kept = map[string]string{
	"audit_entries": "the audit outlives the customer: ids and names of fields, no values",
}

var errSealed = errors.New("a sealed column has an unexpected form")

// openValue opens a value whose definition requires encryption.
func openValue(ctx context.Context, s *db.Sealer, tenant uuid.UUID, row map[string]any) error {
	if encrypted, ok := row["encrypted"].(bool); !ok || !encrypted {
		return nil
	}
	id, err := uuid.Parse(textOf(row["id"]))
	if err != nil {
		return errSealed
	}
	v := vault.Value{ID: id, Encrypted: true, DecisionNote: textOf(row["decision_note"])}
	if v.Value, err = json.Marshal(row["value"]); err != nil {
		return errSealed
	}
	if v.SourceMetadata, err = json.Marshal(row["source_metadata"]); err != nil {
		return errSealed
	}
	if err := s.OpenValue(ctx, tenant, &v); err != nil {
		return err
	}
	row["decision_note"] = v.DecisionNote
	for column, plain := range map[string]json.RawMessage{"value": v.Value, "source_metadata": v.SourceMetadata} {
		var opened any
		if err := decode(plain, &opened); err != nil {
			return err
		}
		row[column] = opened
	}
	return nil
}

// openTurn opens the text of a turn.
func openTurn(ctx context.Context, s *db.Sealer, tenant uuid.UUID, row map[string]any) error {
	session, err := uuid.Parse(textOf(row["session_id"]))
	if err != nil {
		return errSealed
	}
	sealed, err := hex.DecodeString(strings.TrimPrefix(textOf(row["text"]), `\x`))
	if err != nil {
		return errSealed
	}
	row["text"], err = s.OpenTurn(ctx, tenant, session, sealed)
	return err
}

// openSession opens the variables of a session.
func openSession(ctx context.Context, s *db.Sealer, tenant uuid.UUID, row map[string]any) error {
	id, err := uuid.Parse(textOf(row["id"]))
	if err != nil {
		return errSealed
	}
	sealed, err := json.Marshal(row["variables"])
	if err != nil {
		return errSealed
	}
	variables, err := s.OpenVariables(ctx, tenant, id, sealed)
	if err != nil {
		return err
	}
	opened := make(map[string]any, len(variables))
	for name, raw := range variables {
		var value any
		if err := decode(raw, &value); err != nil {
			return err
		}
		opened[name] = value
	}
	row["variables"] = opened
	return nil
}

func textOf(v any) string {
	s, _ := v.(string) // another type is no text
	return s
}

// openBytes opens a sealed column of type bytea. id is the column that it is bound to.
func openBytes(column, id string) func(context.Context, *db.Sealer, uuid.UUID, map[string]any) error {
	return func(ctx context.Context, s *db.Sealer, tenant uuid.UUID, row map[string]any) error {
		if row[column] == nil {
			return nil
		}
		text, ok := row[column].(string)
		if !ok {
			return errSealed
		}
		sealed, err := hex.DecodeString(strings.TrimPrefix(text, `\x`))
		if err != nil {
			return errSealed
		}
		return openInto(ctx, s, tenant, row, column, id, sealed)
	}
}

// openPayload opens the payload of an operation, unless it was erased.
func openPayload(ctx context.Context, s *db.Sealer, tenant uuid.UUID, row map[string]any) error {
	if row["payload"] == `\x` || row["erased_at"] != nil {
		row["payload"] = nil
		return nil
	}
	return openBytes("payload", "id")(ctx, s, tenant, row)
}

func openInto(
	ctx context.Context, s *db.Sealer, tenant uuid.UUID, row map[string]any, column, id string, sealed []byte,
) error {
	text, ok := row[id].(string)
	if !ok {
		return errSealed
	}
	bound, err := uuid.Parse(text)
	if err != nil {
		return errSealed
	}
	plain, err := s.OpenBytes(ctx, tenant, bound, sealed)
	if err != nil {
		return fmt.Errorf("export %s %s: %w", column, bound, err)
	}
	var value any
	if err := decode(plain, &value); err != nil {
		return err
	}
	row[column] = value
	return nil
}
