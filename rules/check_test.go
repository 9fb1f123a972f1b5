package rules_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

var (
	someID  = uuid.MustParse("0198c0de-0000-7000-8000-000000000001")
	otherID = uuid.MustParse("0198c0de-0000-7000-8000-000000000002")
	morning = time.Date(2026, 3, 31, 8, 0, 0, 0, time.UTC)
)

func after(d time.Duration) *time.Time {
	t := morning.Add(d)
	return &t
}

func goodDefinition() vault.Definition {
	return vault.Definition{AgentID: someID, Name: "email", ValueType: vault.TypeEmail}
}

func goodRequirement() vault.Requirement {
	return vault.Requirement{
		AgentID: someID, ScenarioID: someID, FieldName: "email",
		RequiredLevel: vault.LevelHard, FallbackAction: vault.FallbackAsk, Confidence: 1,
	}
}

func goodScenario() vault.Scenario {
	return vault.Scenario{ID: someID, AgentID: someID, Name: "Onboarding", Steps: []vault.ScenarioStep{{ID: "a"}, {ID: "b"}}}
}

func goodWrite() vault.WriteValueInput {
	return vault.WriteValueInput{AgentID: someID, CustomerID: someID, Name: "email", Value: json.RawMessage(`"a@b.com"`), Source: vault.ValueUserProvided}
}

func goodAsset() vault.AddAssetInput {
	return vault.AddAssetInput{
		CustomerID: someID, Name: "id_card", AssetType: "document", StorageProvider: "s3", StoragePath: "a/b",
		Checksum: strings.Repeat("0f", 32),
	}
}

// change applies a change to a copy of a good value.
func change[T any](good T, f func(*T)) T {
	f(&good)
	return good
}

type checker = any

func definition(f func(*vault.Definition)) checker   { return change(goodDefinition(), f) }
func requirement(f func(*vault.Requirement)) checker { return change(goodRequirement(), f) }
func scenario(f func(*vault.Scenario)) checker       { return change(goodScenario(), f) }
func write(f func(*vault.WriteValueInput)) checker   { return change(goodWrite(), f) }
func asset(f func(*vault.AddAssetInput)) checker     { return change(goodAsset(), f) }

func TestCheck_ValidPasses(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]checker{
		"definition": goodDefinition(),
		"definition with everything": definition(func(d *vault.Definition) {
			d.ValueType, d.ValidationRegex, d.AllowedValues = vault.TypeString, `[a-z]+`, []json.RawMessage{json.RawMessage(`"gold"`), json.RawMessage(`"No match"`)}
			d.ValidationMode, d.RequiredVerification, d.VerificationMethods = vault.ModeWarn, true, []string{"sms", "email_link"}
			d.RetentionDays, d.FreshnessSeconds, d.Origin, d.Review = 30, 60, vault.OriginExtracted, vault.ReviewPending
		}),
		"requirement": goodRequirement(),
		"requirement with everything": requirement(func(r *vault.Requirement) {
			r.WhenCondition, r.DependsOn, r.Order, r.Review = `fields.age >= 18`, []string{"age", "country"}, -5, vault.ReviewApproved
		}),
		"scenario": goodScenario(),
		"write":    goodWrite(),
		"write from an asset": write(func(w *vault.WriteValueInput) {
			w.Lineage = vault.Lineage{SourceItemID: &otherID, SourceItemType: vault.SourceProfileAsset, SourceMetadata: json.RawMessage(`{"tool": "ocr"}`)}
			w.CollectedAt, w.ExpiresAt, w.Verified, w.VerificationMethod = after(0), after(time.Hour), true, "document"
		}),
		"write from a tool without an id": write(func(w *vault.WriteValueInput) { w.SourceItemType = vault.SourceTool }),
		"write from a session":            write(func(w *vault.WriteValueInput) { w.SourceItemType, w.SourceSessionID = vault.SourceSession, &otherID }),
		"asset":                           goodAsset(),
	} {
		if err := rules.Check(in); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCheck_InvalidNamesTheRemedy(t *testing.T) {
	t.Parallel()
	const notAName = "is not a field name: use small letters, digits and _, with no digit first, such as date_of_birth"
	for _, tc := range []struct {
		name, want string
		in         checker
	}{
		{"an empty definition", "agent_id: is required; name: is required; value_type: is required", vault.Definition{}},
		{"a name with capitals", "name: " + notAName, definition(func(d *vault.Definition) { d.Name = "Email" })},
		{"a name with a digit first", "name: " + notAName, definition(func(d *vault.Definition) { d.Name = "2nd" })},
		{"a long name", "name: is longer than 50 characters", definition(func(d *vault.Definition) { d.Name = strings.Repeat("a", 51) })},
		{"an unknown type", "value_type: must be string, email, phone, date, datetime, number, boolean, url or json", definition(func(d *vault.Definition) { d.ValueType = "colour" })},
		{"an unknown mode", "validation_mode: must be strict, warn or disabled", definition(func(d *vault.Definition) { d.ValidationMode = "loose" })},
		{"a regex that does not compile", "validation_regex: is not a regular expression in RE2 syntax: error parsing regexp: missing closing ): `(`", definition(func(d *vault.Definition) { d.ValidationRegex = "(" })},
		{"a regex that RE2 does not support", "validation_regex: is not a regular expression in RE2 syntax: error parsing regexp: invalid or unsupported Perl syntax: `(?=`", definition(func(d *vault.Definition) { d.ValidationRegex = "(?=a)" })},
		{"a long regex", "validation_regex: is longer than 500 characters", definition(func(d *vault.Definition) { d.ValidationRegex = strings.Repeat("(", 501) })},
		{"an allowed value of another type", "allowed_values[1]: is not an email address, such as name@example.com", definition(func(d *vault.Definition) {
			d.AllowedValues = []json.RawMessage{json.RawMessage(`"a@b.com"`), json.RawMessage(`"x"`)}
		})},
		{"an allowed value that is null", "allowed_values[0]: is null, which is not a value", definition(func(d *vault.Definition) {
			d.ValueType, d.AllowedValues = vault.TypeJSON, []json.RawMessage{json.RawMessage(`null`)}
		})},
		{"an allowed value that is not JSON", "allowed_values[0]: is not valid JSON", definition(func(d *vault.Definition) { d.AllowedValues = []json.RawMessage{json.RawMessage(`gold`)} })},
		{"a regex that no allowed value matches", "validation_regex: matches none of the allowed values, so no value could be stored", definition(func(d *vault.Definition) {
			d.ValidationRegex, d.AllowedValues = `.*\.org`, []json.RawMessage{json.RawMessage(`"a@b.com"`)}
		})},
		{"a method twice", "verification_methods[2]: repeats verification_methods[0]", definition(func(d *vault.Definition) { d.VerificationMethods = []string{"sms", "link", "sms"} })},
		{"an empty method", "verification_methods[0]: is required", definition(func(d *vault.Definition) { d.VerificationMethods = []string{""} })},
		{"too long a retention", "retention_days: must be at most 36500", definition(func(d *vault.Definition) { d.RetentionDays = 36501 })},
		{"a negative freshness", "freshness_seconds: must be at least 0", definition(func(d *vault.Definition) { d.FreshnessSeconds = -1 })},
		{"NUL in a text", "collection_prompt: contains the character U+0000, which cannot be stored", definition(func(d *vault.Definition) { d.CollectionPrompt = "a\x00b" })},
		{"an unknown origin", "origin: must be human or extracted", definition(func(d *vault.Definition) { d.Origin = "x" })},
		{"an unknown review state", "review_state: must be none, pending, approved or rejected", definition(func(d *vault.Definition) { d.Review = "x" })},

		{"an empty requirement", "agent_id: is required; scenario_id: is required; field_name: is required; required_level: is required; fallback_action: is required", vault.Requirement{}},
		{"a condition that does not compile", "when_condition: is not a condition in CEL over fields, session and scenario, such as fields.age >= 18: at 1:1: undeclared reference to 'age' (in container '')", requirement(func(r *vault.Requirement) { r.WhenCondition = "age >= 18" })},
		{"a condition that does not return true or false", "when_condition: must return true or false, such as fields.age >= 18; this one returns string", requirement(func(r *vault.Requirement) { r.WhenCondition = `"a" + "b"` })},
		{"a field that depends on itself", "depends_on_fields[0]: is the field itself; a field cannot depend on itself", requirement(func(r *vault.Requirement) { r.DependsOn = []string{"email"} })},
		{"a dependency twice", "depends_on_fields[1]: repeats depends_on_fields[0]", requirement(func(r *vault.Requirement) { r.DependsOn = []string{"age", "age"} })},
		{"a dependency that is not a name", "depends_on_fields[0]: " + notAName, requirement(func(r *vault.Requirement) { r.DependsOn = []string{"Age"} })},
		{"a confidence above one", "confidence: must be at most 1", requirement(func(r *vault.Requirement) { r.Confidence = 1.1 })},
		{"a collection order out of range", "collection_order: must be between -1000000 and 1000000", requirement(func(r *vault.Requirement) { r.Order = 1 << 40 })},
		{"a zero rule", "rule_id: is the zero UUID; omit the field instead", requirement(func(r *vault.Requirement) { r.RuleID = &uuid.UUID{} })},

		{"a step id twice", "steps[1].id: repeats the id of steps[0]; each step needs its own", scenario(func(s *vault.Scenario) { s.Steps[1].ID = "a" })},
		{"steps without ids", "steps[0].id: is required; steps[1].id: is required", scenario(func(s *vault.Scenario) { s.Steps = make([]vault.ScenarioStep, 2) })},
		{"NUL in a step", "steps[1].text: contains the character U+0000, which cannot be stored", scenario(func(s *vault.Scenario) { s.Steps = []vault.ScenarioStep{{ID: "x"}, {ID: "y", Text: "\x00"}} })},
		{"NUL in a variable", "variables.tier: contains the character U+0000, which cannot be stored", scenario(func(s *vault.Scenario) { s.Variables = map[string]string{"tier": "\x00"} })},
		{"invalid UTF-8", "name: is not valid UTF-8", scenario(func(s *vault.Scenario) { s.Name = "\xff" })},

		{"an empty write", "agent_id: is required; customer_id: is required; name: is required; value: is required; source: is required", vault.WriteValueInput{}},
		{"a zero customer", "customer_id: is required", write(func(w *vault.WriteValueInput) { w.CustomerID = uuid.Nil })},
		{"a value over 64 KiB", "Field validation failed: email: the value is larger than 64 KiB", write(func(w *vault.WriteValueInput) { w.Value = json.RawMessage(`"` + strings.Repeat("x", 64<<10) + `"`) })},
		{"a null value", "Field validation failed: email: the value is null, which is not a value", write(func(w *vault.WriteValueInput) { w.Value = json.RawMessage(`null`) })},
		{"an unknown source", "source: must be user_provided, llm_extracted, tool_result, document_extracted, human_entered or system_inferred", write(func(w *vault.WriteValueInput) { w.Source = "rumour" })},
		{"a source item without its type", "source_item_type: is required with source_item_id; it must be profile_field, profile_asset, session, tool or external", write(func(w *vault.WriteValueInput) { w.SourceItemID = &otherID })},
		{"an asset as source without its id", "source_item_id: is required if source_item_type is profile_asset", write(func(w *vault.WriteValueInput) { w.SourceItemType = vault.SourceProfileAsset })},
		{"a session as source without its id", "source_item_id: is required if source_item_type is session", write(func(w *vault.WriteValueInput) { w.SourceItemType = vault.SourceSession })},
		{"an unknown source type", "source_item_type: must be profile_field, profile_asset, session, tool or external", write(func(w *vault.WriteValueInput) { w.SourceItemID, w.SourceItemType = &otherID, "x" })},
		{"a zero source", "source_item_id: is the zero UUID; omit the field instead", write(func(w *vault.WriteValueInput) {
			w.SourceItemID, w.SourceItemType = &uuid.UUID{}, vault.SourceProfileField
		})},
		{"a source that is the item itself", "source_item_id: is the item itself; an item cannot be derived from itself", write(func(w *vault.WriteValueInput) {
			w.ItemID, w.SourceItemID, w.SourceItemType = &otherID, &otherID, vault.SourceProfileField
		})},
		{"metadata that is not an object", `source_metadata: must be a JSON object, such as {"tool": "ocr"}`, write(func(w *vault.WriteValueInput) { w.SourceMetadata = json.RawMessage(`[1]`) })},
		{"NUL in metadata", "source_metadata: contains the character U+0000, which cannot be stored", write(func(w *vault.WriteValueInput) { w.SourceMetadata = json.RawMessage(`{"a":"\u0000"}`) })},
		{"large metadata", "source_metadata: is larger than 64 KiB", write(func(w *vault.WriteValueInput) {
			w.SourceMetadata = json.RawMessage(`{"a":"` + strings.Repeat("x", 64<<10) + `"}`)
		})},
		{"an expiry before the collection", "expires_at: must be later than collected_at", write(func(w *vault.WriteValueInput) { w.CollectedAt, w.ExpiresAt = after(0), after(0) })},
		{"verified without a method", "verification_method: is required if verified is true", write(func(w *vault.WriteValueInput) { w.Verified = true })},
		{"several at once", "customer_id: is required; confidence: must be at least 0; Field validation failed: email: the value is not valid JSON", write(func(w *vault.WriteValueInput) {
			minus := -0.5
			w.CustomerID, w.Confidence, w.Value = uuid.Nil, &minus, json.RawMessage(`{`)
		})},

		{"a source twice", "source_priority: has an entry twice; keep one of them", vault.Definition{
			AgentID: uuid.New(), Name: "x", ValueType: vault.TypeString,
			SourcePriority: []vault.ValueSource{vault.ValueToolResult, vault.ValueToolResult},
		}},
		{"a short checksum", "checksum: must be 64 characters long", asset(func(a *vault.AddAssetInput) { a.Checksum = "0f" })},
		{"a checksum that is not hexadecimal", "checksum: must be hexadecimal: digits and the letters a to f", asset(func(a *vault.AddAssetInput) { a.Checksum = strings.Repeat("xy", 32) })},
		{"an asset with a source id without its type", "source_item_type: is required with source_item_id; it must be profile_field, profile_asset, session, tool or external", asset(func(a *vault.AddAssetInput) { a.SourceItemID = &otherID })},
		{"an asset that expires before its upload", "expires_at: must be later than uploaded_at", asset(func(a *vault.AddAssetInput) { a.UploadedAt, a.ExpiresAt = after(time.Hour), after(0) })},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			err := rules.Check(tc.in)
			if err == nil {
				t.Fatal("it passes")
			}
			e := asError(t, err)
			if diff := cmp.Diff(tc.want, e.Message); diff != "" {
				t.Error(diff)
			}
			if e.Code != vault.CodeInvalid || e.Field == "" {
				t.Errorf("got %+v", e)
			}
		})
	}
}

func TestCheck_ChecksNestedMembers(t *testing.T) {
	t.Parallel()
	session := vault.SaveSessionInput{
		SessionID: someID, AgentID: someID, CustomerID: someID,
		Variables: map[string]json.RawMessage{
			"plan":            json.RawMessage(`"gold"`),
			"none":            json.RawMessage(`null`),
			"bad":             json.RawMessage(`"\u0000"`),
			"ada@example.com": json.RawMessage(`{`),
		},
		Turns: []vault.Turn{{Speaker: "robot", Text: "hello"}, {Speaker: vault.SpeakerCustomer, Text: "a\x00"}},
	}
	want := "turns[0].speaker: must be customer or agent; variables.…: is not valid JSON; " +
		"variables.bad: contains the character U+0000, which cannot be stored; turns[1].text: contains the character U+0000, which cannot be stored"
	if diff := cmp.Diff(want, rules.Check(session).Error()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want, rules.Check(&session).Error()); diff != "" {
		t.Error(diff)
	}
	for _, in := range []any{nil, (*vault.Rule)(nil), 5, "x"} {
		if rules.Check(in) == nil {
			t.Errorf("%#v passes", in)
		}
	}
}

func TestRequirement_Binding(t *testing.T) {
	t.Parallel()
	for state, want := range map[vault.ReviewState]bool{
		"": true, vault.ReviewNone: true, vault.ReviewApproved: true, vault.ReviewPending: false, vault.ReviewRejected: false,
	} {
		if got := (vault.Requirement{Review: state}).Binding(); got != want {
			t.Errorf("%q: %v", state, got)
		}
	}
}
