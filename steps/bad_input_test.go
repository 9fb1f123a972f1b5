package steps_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// badInput is one invalid input.
type badInput struct {
	name string
	// send submits the input. An error means that it was rejected before it was accepted.
	send func(w *world) (trigger.Receipt, error)
	// runs are the steps of its workflow. nil: the input must not be accepted at all.
	runs []string
	code vault.Code
	says []string // parts of the message: the field and the correction
}

// someID is an id that does not exist.
var someID = uuid.MustParse("0198c0de-0000-7000-8000-00000000000a")

func writeOf(change func(w *world, in *vault.WriteValueInput)) func(w *world) (trigger.Receipt, error) {
	return func(w *world) (trigger.Receipt, error) {
		in := vault.WriteValueInput{
			AgentID: w.agent, CustomerID: newID(), Name: "plan", Value: text("gold"), Source: vault.ValueUserProvided,
		}
		change(w, &in)
		return trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.WriteValue, in)
	}
}

// bypassing accepts a write that package trigger would reject, as another program might.
func bypassing(change func(in *vault.WriteValueInput)) func(w *world) (trigger.Receipt, error) {
	return func(w *world) (trigger.Receipt, error) {
		in := vault.WriteValueInput{
			AgentID: w.agent, CustomerID: newID(), Name: "plan", Value: text("gold"), Source: vault.ValueUserProvided,
		}
		change(&in)
		op, err := db.AcceptOperation(w.t.Context(), w.db.Tenant(w.tenant), w.sealer, w.tenant, db.NewOperation{
			Workflow: vault.WriteValue.Name, Event: vault.WriteValue.Event, Subject: in.CustomerID.String(), Payload: in,
		})
		return trigger.Receipt{ID: op.ID, TenantID: w.tenant}, err
	}
}

func definitionOf(change func(d *vault.Definition)) func(w *world) (trigger.Receipt, error) {
	return func(w *world) (trigger.Receipt, error) {
		d := vault.Definition{AgentID: w.agent, Name: "code", ValueType: vault.TypeString, Enabled: true}
		change(&d)
		return trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.SaveDefinition, d)
	}
}

func requirementOf(change func(w *world, r *vault.Requirement)) func(w *world) (trigger.Receipt, error) {
	return func(w *world) (trigger.Receipt, error) {
		r := vault.Requirement{
			AgentID: w.agent, ScenarioID: w.scenarioID(), FieldName: "plan", RequiredLevel: vault.LevelHard,
			FallbackAction: vault.FallbackAsk,
		}
		change(w, &r)
		return trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.SaveRequirement, r)
	}
}

func ruleOf(change func(r *vault.Rule)) func(w *world) (trigger.Receipt, error) {
	return func(w *world) (trigger.Receipt, error) {
		r := vault.Rule{ID: newID(), AgentID: w.agent, ScenarioID: w.scenarioID(), Name: "r", Condition: "age >= 18"}
		change(&r)
		return trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.SaveRule, r)
	}
}

func extractionBy(change func(in *vault.ExtractSchemaInput)) func(w *world) (trigger.Receipt, error) {
	return func(w *world) (trigger.Receipt, error) {
		in := vault.ExtractSchemaInput{AgentID: w.agent, ScenarioID: w.scenarioID()}
		change(&in)
		return trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.ExtractSchema, in)
	}
}

func fillOf(change func(w *world, in *vault.FillGapsInput)) func(w *world) (trigger.Receipt, error) {
	return func(w *world) (trigger.Receipt, error) {
		in := vault.FillGapsInput{CustomerID: w.customer, ScenarioID: w.scenarioID()}
		change(w, &in)
		return trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.FillGaps, in)
	}
}

func sessionOf(change func(w *world, in *vault.SaveSessionInput)) func(w *world) (trigger.Receipt, error) {
	return func(w *world) (trigger.Receipt, error) {
		in := vault.SaveSessionInput{SessionID: newID(), AgentID: w.agent, CustomerID: w.customer}
		change(w, &in)
		return trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.SaveSession, in)
	}
}

func answerOf(question uuid.UUID, value json.RawMessage) func(w *world) (trigger.Receipt, error) {
	return func(w *world) (trigger.Receipt, error) {
		return trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.AnswerQuestion, vault.AnswerQuestionInput{
			QuestionID: question, Value: value,
		})
	}
}

func verificationOf(name, method string) func(w *world) (trigger.Receipt, error) {
	return func(w *world) (trigger.Receipt, error) {
		w.define(vault.Definition{
			Name: "passport", ValueType: vault.TypeString, VerificationMethods: []string{"document", "kyc"},
		})
		w.write("passport", text("C01X"))
		return trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.VerifyValue, vault.VerifyValueInput{
			AgentID: w.agent, CustomerID: w.customer, Name: name, Method: cmp.Or(method, "code"),
		})
	}
}

func importOf(plans ...json.RawMessage) func(w *world) (trigger.Receipt, error) {
	return func(w *world) (trigger.Receipt, error) {
		var in vault.ImportValuesInput
		for _, plan := range plans {
			in.Writes = append(in.Writes, vault.WriteValueInput{
				AgentID: w.agent, CustomerID: w.customer, Name: "plan", Value: plan, Source: vault.ValueHumanEntered,
			})
		}
		return trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.ImportValues, in)
	}
}

// scenarioID returns the scenario that exists in every case.
func (w *world) scenarioID() uuid.UUID {
	w.t.Helper()
	var id uuid.UUID
	dbtest.Scan(w.t, w.url, &id, "SELECT id FROM scenarios WHERE tenant_id = $1", w.tenant)
	return id
}

func longText(bytes int) json.RawMessage {
	return text(strings.Repeat("a", bytes-2)) // without the quotes
}

var fillGaps = []string{"Gaps.FindMissing", "Gaps.ResolveGaps", "Gaps.AskCustomer"}

var badInputs = []badInput{
	{
		name: "unknown tenant",
		send: func(w *world) (trigger.Receipt, error) {
			return trigger.Submit(w.t.Context(), w.trigger, someID, vault.WriteValue, vault.WriteValueInput{
				AgentID: w.agent, CustomerID: w.customer, Name: "plan", Value: text("gold"), Source: vault.ValueUserProvided,
			})
		},
		code: vault.CodeUnknown, says: []string{"unknown tenant", someID.String(), "vault tenants create"},
	},
	{
		name: "no tenant",
		send: func(w *world) (trigger.Receipt, error) {
			return trigger.Submit(w.t.Context(), w.trigger, uuid.Nil, vault.ExpireValues, vault.Sweep{})
		},
		code: vault.CodeInvalid, says: []string{"tenant", "credential"},
	},
	{
		name: "unknown agent", send: writeOf(func(_ *world, in *vault.WriteValueInput) { in.AgentID = someID }),
		runs: writeValue,
		code: vault.CodeUnknown, says: []string{"unknown agent", someID.String()},
	},
	{
		name: "unknown field", send: writeOf(func(_ *world, in *vault.WriteValueInput) { in.Name = "shoe_size" }),
		runs: writeValue,
		code: vault.CodeInvalid, says: []string{"shoe_size", "is not a field that this agent defines"},
	},
	{
		name: "a field with a disabled definition",
		send: writeOf(func(_ *world, in *vault.WriteValueInput) { in.Name = "disabled" }),
		runs: writeValue, code: vault.CodeInvalid, says: []string{"disabled", "is not a field that this agent defines"},
	},
	{
		name: "no field name", send: writeOf(func(_ *world, in *vault.WriteValueInput) { in.Name = "Date of birth" }),
		code: vault.CodeInvalid, says: []string{"name", "is not a field name", "date_of_birth"},
	},
	{
		name: "no value", send: writeOf(func(_ *world, in *vault.WriteValueInput) { in.Value = nil }),
		code: vault.CodeInvalid, says: []string{"value: is required"},
	},
	{
		name: "malformed JSON",
		send: writeOf(func(_ *world, in *vault.WriteValueInput) { in.Value = json.RawMessage(`{"a":`) }),
		code: vault.CodeInvalid, says: []string{"plan: the value is not valid JSON"},
	},
	{
		name: "null", send: writeOf(func(_ *world, in *vault.WriteValueInput) { in.Value = json.RawMessage(`null`) }),
		code: vault.CodeInvalid, says: []string{"plan: the value is null"},
	},
	{
		name: "a character that PostgreSQL cannot hold",
		send: writeOf(func(_ *world, in *vault.WriteValueInput) { in.Value = json.RawMessage(`"a\u0000b"`) }),
		code: vault.CodeInvalid, says: []string{"plan: the value contains the character U+0000"},
	},
	{
		name: "a value over 64 KiB",
		send: writeOf(func(_ *world, in *vault.WriteValueInput) { in.Value = longText(vault.MaxValueBytes + 1) }),
		code: vault.CodeInvalid, says: []string{"plan: the value is larger than 64 KiB"},
	},
	{
		name: "an accepted value over 64 KiB",
		send: bypassing(func(in *vault.WriteValueInput) { in.Value = longText(vault.MaxValueBytes + 1) }), runs: writeValue,
		code: vault.CodeInvalid, says: []string{"plan: the value is larger than 64 KiB"},
	},
	{
		name: "a number instead of a text",
		send: writeOf(func(_ *world, in *vault.WriteValueInput) { in.Value = json.RawMessage(`12`) }), runs: writeValue,
		code: vault.CodeInvalid, says: []string{"plan", "is not a text"},
	},
	{
		name: "several errors",
		send: writeOf(func(_ *world, in *vault.WriteValueInput) { in.AgentID, in.Source = uuid.Nil, "rumour" }),
		code: vault.CodeInvalid, says: []string{"agent_id: is required", "source: must be user_provided, "},
	},
	{
		name: "an item that is its own source",
		send: writeOf(func(_ *world, in *vault.WriteValueInput) { in.ItemID = &someID; from(someID)(in) }),
		code: vault.CodeInvalid, says: []string{"source_item_id", "an item cannot be derived from itself"},
	},
	{
		name: "an accepted item that is its own source",
		send: bypassing(func(in *vault.WriteValueInput) { in.ItemID = &someID; from(someID)(in) }), runs: writeValue[1:],
		code: vault.CodeInvalid, says: []string{"source_item_id", "name the item it was derived from"},
	},
	{
		name: "a cycle of two",
		send: writeOf(func(w *world, in *vault.WriteValueInput) {
			w.write("plan", text("gold"), from(someID))
			in.ItemID = &someID
			from(w.history("plan")[0].ID)(in)
		}),
		runs: writeValue, code: vault.CodeInvalid, says: []string{"source_item_id", "cycle", "name another source"},
	},
	{
		name: "a cycle of three, through an asset",
		send: writeOf(func(w *world, in *vault.WriteValueInput) {
			asset := w.asset()
			asset.SourceItemID, asset.SourceItemType = &someID, vault.SourceProfileField
			ev := w.event(trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.AddAsset, asset))
			w.must(w.run(ev, addAsset...))
			last := w.write("plan", text("gold"), func(in *vault.WriteValueInput) {
				in.SourceItemID, in.SourceItemType = ptr(resultOf[vault.ItemResult](w, ev).ItemID), vault.SourceProfileAsset
			})
			in.ItemID = &someID
			from(last.ItemID)(in)
		}),
		runs: writeValue, code: vault.CodeInvalid, says: []string{"source_item_id", "cycle", "name another source"},
	},
	{
		name: "the id of another item",
		send: writeOf(func(w *world, in *vault.WriteValueInput) { in.ItemID = ptr(w.write("plan", text("gold")).ItemID) }),
		runs: writeValue,
		code: vault.CodeConflict, says: []string{"item_id", "is the id of another item", "choose a new UUID"},
	},
	{
		name: "the id of an asset",
		send: writeOf(func(w *world, in *vault.WriteValueInput) { in.ItemID = ptr(w.addAsset("card").ItemID) }),
		runs: writeValue,
		code: vault.CodeConflict, says: []string{"item_id", "is the id of another item", "choose a new UUID"},
	},
	{
		name: "an asset without a checksum",
		send: func(w *world) (trigger.Receipt, error) {
			in := w.asset()
			in.Checksum = "abc"
			return trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.AddAsset, in)
		},
		code: vault.CodeInvalid, says: []string{"checksum: must be 64 characters long"},
	},
	{
		name: "an accepted asset without the id of its source",
		send: func(w *world) (trigger.Receipt, error) {
			in := w.asset()
			in.CustomerID, in.SourceItemType = newID(), vault.SourceProfileAsset
			op, err := db.AcceptOperation(w.t.Context(), w.db.Tenant(w.tenant), w.sealer, w.tenant, db.NewOperation{
				Workflow: vault.AddAsset.Name, Event: vault.AddAsset.Event, Subject: in.CustomerID.String(), Payload: in,
			})
			return trigger.Receipt{ID: op.ID, TenantID: w.tenant}, err
		},
		runs: addAsset, code: vault.CodeInvalid,
		says: []string{"source_item_id: is required if source_item_type is profile_asset"},
	},
	{
		name: "a regex that does not compile", send: definitionOf(func(d *vault.Definition) { d.ValidationRegex = `(\d+` }),
		code: vault.CodeInvalid,
		says: []string{"validation_regex", "is not a regular expression in RE2 syntax", "missing closing )"},
	},
	{
		name: "a regex outside RE2", send: definitionOf(func(d *vault.Definition) { d.ValidationRegex = `(?=a)a` }),
		code: vault.CodeInvalid, says: []string{"validation_regex", "RE2"},
	},
	{
		name: "an unknown type", send: definitionOf(func(d *vault.Definition) { d.ValueType = "colour" }),
		code: vault.CodeInvalid,
		says: []string{"value_type: must be string, email, phone, date, datetime, number, boolean, url or json"},
	},
	{
		name: "an allowed value of the wrong type", send: definitionOf(func(d *vault.Definition) {
			d.ValueType, d.AllowedValues = vault.TypeNumber, []json.RawMessage{json.RawMessage("1"), text("two")}
		}),
		code: vault.CodeInvalid, says: []string{"allowed_values[1]: is not a number, such as 12.50"},
	},
	{
		name: "a condition that does not compile",
		send: requirementOf(func(_ *world, r *vault.Requirement) { r.WhenCondition = "fields.age >" }),
		code: vault.CodeInvalid,
		says: []string{"when_condition", "is not a condition in CEL over fields, session and scenario", "at 1:"},
	},
	{
		name: "a condition over an unknown variable",
		send: requirementOf(func(_ *world, r *vault.Requirement) { r.WhenCondition = "customer.age > 18" }),
		code: vault.CodeInvalid, says: []string{"when_condition", "undeclared reference to 'customer'"},
	},
	{
		name: "a condition that is not boolean",
		send: requirementOf(func(_ *world, r *vault.Requirement) { r.WhenCondition = `"yes"` }),
		code: vault.CodeInvalid, says: []string{"when_condition", "must return true or false"},
	},
	{
		name: "unknown scenario of a requirement",
		send: requirementOf(func(_ *world, r *vault.Requirement) { r.ScenarioID = someID }),
		runs: saveRequirement, code: vault.CodeUnknown, says: []string{"unknown scenario", someID.String()},
	},
	{
		name: "unknown field of a requirement",
		send: requirementOf(func(_ *world, r *vault.Requirement) { r.FieldName = "shoe_size" }),
		runs: saveRequirement, code: vault.CodeUnknown,
		says: []string{"unknown field", "shoe_size", "save its definition first"},
	},
	{
		name: "unknown step of a requirement",
		send: requirementOf(func(_ *world, r *vault.Requirement) { r.StepID = "step-z" }),
		runs: saveRequirement, code: vault.CodeInvalid, says: []string{"step_id", `no step "step-z"`, "its steps are step-a"},
	},
	{
		name: "unknown rule of a requirement",
		send: requirementOf(func(_ *world, r *vault.Requirement) { r.RuleID = &someID }),
		runs: saveRequirement, code: vault.CodeUnknown, says: []string{"unknown rule", someID.String()},
	},
	{
		name: "a scenario of another agent", send: requirementOf(func(_ *world, r *vault.Requirement) { r.AgentID = someID }),
		runs: saveRequirement, code: vault.CodeInvalid, says: []string{"agent_id", "belongs to agent"},
	},
	{
		name: "a rule of another scenario",
		send: requirementOf(func(w *world, r *vault.Requirement) {
			other := w.scenario()
			rule := vault.Rule{ID: newID(), AgentID: w.agent, ScenarioID: other.ID, Name: "r", Condition: "c"}
			w.must(w.run(w.event(trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.SaveRule, rule)), saveRule...))
			r.RuleID = &rule.ID
			if r.ScenarioID == other.ID {
				w.t.Fatal("the case needs two scenarios")
			}
		}),
		runs: saveRequirement, code: vault.CodeInvalid, says: []string{"rule_id", "belongs to scenario"},
	},
	{
		name: "the id of another agent's scenario",
		send: func(w *world) (trigger.Receipt, error) {
			return trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.SaveScenario, vault.Scenario{
				ID: w.scenarioID(), AgentID: someID, Name: "mine now",
			})
		},
		runs: saveScenario, code: vault.CodeConflict, says: []string{"agent_id", "belongs to agent"},
	},
	{
		name: "a scenario with a duplicate step id",
		send: func(w *world) (trigger.Receipt, error) {
			return trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.SaveScenario, vault.Scenario{
				ID: newID(), AgentID: w.agent, Name: "s", Steps: []vault.ScenarioStep{{ID: "a"}, {ID: "a"}},
			})
		},
		code: vault.CodeInvalid, says: []string{"steps[1].id", "repeats the id of steps[0]"},
	},
	{
		name: "unknown scenario of a rule", send: ruleOf(func(r *vault.Rule) { r.ScenarioID = someID }), runs: saveRule,
		code: vault.CodeUnknown, says: []string{"unknown scenario", someID.String()},
	},
	{
		name: "a rule for a scenario of another agent", send: ruleOf(func(r *vault.Rule) { r.AgentID = someID }),
		runs: saveRule,
		code: vault.CodeInvalid, says: []string{"agent_id", "belongs to agent"},
	},
	{
		name: "unknown scenario of an extraction",
		send: extractionBy(func(in *vault.ExtractSchemaInput) { in.ScenarioID = someID }), runs: extractSchema,
		code: vault.CodeUnknown, says: []string{"unknown scenario", someID.String()},
	},
	{
		name: "unknown rule of an extraction", send: extractionBy(func(in *vault.ExtractSchemaInput) { in.RuleID = &someID }),
		runs: extractSchema,
		code: vault.CodeUnknown, says: []string{"unknown rule", someID.String()},
	},
	{
		name: "an extraction for another agent",
		send: extractionBy(func(in *vault.ExtractSchemaInput) { in.AgentID = someID }), runs: extractSchema,
		code: vault.CodeInvalid, says: []string{"agent_id", "belongs to agent"},
	},
	{
		name: "unknown scenario of a fill", send: fillOf(func(_ *world, in *vault.FillGapsInput) { in.ScenarioID = someID }),
		runs: fillGaps,
		code: vault.CodeUnknown, says: []string{"unknown scenario", someID.String()},
	},
	{
		name: "unknown session of a fill", send: fillOf(func(_ *world, in *vault.FillGapsInput) { in.SessionID = &someID }),
		runs: fillGaps,
		code: vault.CodeUnknown, says: []string{"unknown session", someID.String()},
	},
	{
		name: "a session of another customer",
		send: fillOf(func(w *world, in *vault.FillGapsInput) { in.SessionID, in.CustomerID = ptr(w.session(nil)), someID }),
		runs: fillGaps,
		code: vault.CodeInvalid, says: []string{"session_id", "belongs to another customer"},
	},
	{
		name: "unknown step of a fill", send: fillOf(func(_ *world, in *vault.FillGapsInput) { in.StepID = "step-z" }),
		runs: fillGaps,
		code: vault.CodeInvalid, says: []string{"step_id", `no step "step-z"`, "its steps are step-a"},
	},
	{
		name: "a fill with an unknown level", send: fillOf(func(_ *world, in *vault.FillGapsInput) { in.Level = "firm" }),
		code: vault.CodeInvalid, says: []string{"level: must be hard or soft"},
	},
	{
		name: "malformed JSON in a session variable", send: sessionOf(func(_ *world, in *vault.SaveSessionInput) {
			in.Variables = map[string]json.RawMessage{"plan": json.RawMessage(`{"a":`)}
		}),
		code: vault.CodeInvalid, says: []string{"variables.plan: is not valid JSON"},
	},
	{
		name: "a turn of an unknown speaker",
		send: sessionOf(func(_ *world, in *vault.SaveSessionInput) { in.Turns = []vault.Turn{{Speaker: "bot", Text: "Hi"}} }),
		code: vault.CodeInvalid, says: []string{"turns[0].speaker: must be customer or agent"},
	},
	{
		name: "a turn in a session of another customer",
		send: sessionOf(func(w *world, in *vault.SaveSessionInput) {
			in.SessionID, in.CustomerID = w.session(nil, "Hello."), someID
		}), runs: saveSession,
		code: vault.CodeConflict, says: []string{"session_id", "belongs to another customer or agent", "use a new id"},
	},
	{
		name: "unknown question", send: answerOf(someID, text("gold")),
		code: vault.CodeUnknown, says: []string{"unknown question", someID.String()},
	},
	{
		name: "malformed JSON in an answer", send: answerOf(someID, json.RawMessage(`{"a":`)),
		code: vault.CodeInvalid, says: []string{"value: is not valid JSON"},
	},
	{
		name: "unknown item",
		send: func(w *world) (trigger.Receipt, error) {
			return trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.DeleteItem, vault.DeleteItemInput{ItemID: someID})
		},
		code: vault.CodeUnknown, says: []string{"unknown item", someID.String()},
	},
	{
		name: "an item with dependents",
		send: func(w *world) (trigger.Receipt, error) {
			source := w.write("plan", text("gold"))
			w.write("email", text("ada@example.com"), from(source.ItemID))
			return trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.DeleteItem, vault.DeleteItemInput{
				ItemID: source.ItemID,
			})
		},
		runs: []string{"Items.DeleteItem"}, code: vault.CodeHasDependents, says: []string{"Cannot delete: has dependents"},
	},
	{
		name: "a verification without a value", send: verificationOf("email", ""),
		runs: []string{"Values.PersistVerification"},
		code: vault.CodeConflict, says: []string{"no active email to verify", "write it first"},
	},
	{
		name: "a verification of an unknown field", send: verificationOf("shoe_size", ""),
		runs: []string{"Values.PersistVerification"},
		code: vault.CodeUnknown, says: []string{"unknown field", "shoe_size"},
	},
	{
		name: "a verification by an unknown method", send: verificationOf("passport", "guess"),
		runs: []string{"Values.PersistVerification"},
		code: vault.CodeInvalid, says: []string{"method", "passport can be verified by document or kyc"},
	},
	{
		name: "a merge of a customer with itself",
		send: func(w *world) (trigger.Receipt, error) {
			return trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.MergeCustomers, vault.MergeCustomersInput{
				SourceCustomerID: w.customer, TargetCustomerID: w.customer,
			})
		},
		code: vault.CodeInvalid, says: []string{"target_customer_id", "use two different customers"},
	},
	{
		name: "a merge of an unknown customer",
		send: func(w *world) (trigger.Receipt, error) {
			w.write("plan", text("gold"))
			return trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.MergeCustomers, vault.MergeCustomersInput{
				SourceCustomerID: w.customer, TargetCustomerID: someID,
			})
		},
		runs: []string{"Merges.MergeCustomers"}, code: vault.CodeUnknown, says: []string{"unknown customer", someID.String()},
	},
	{
		name: "an unmerge without a merge",
		send: func(w *world) (trigger.Receipt, error) {
			w.write("plan", text("gold"))
			return trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.UnmergeCustomer, vault.UnmergeCustomerInput{
				CustomerID: w.customer,
			})
		},
		runs: []string{"Merges.UnmergeCustomer"}, code: vault.CodeConflict,
		says: []string{"customer_id", "is not merged into another"},
	},
	{
		name: "the identity of another customer",
		send: func(w *world) (trigger.Receipt, error) {
			w.must(w.run(aLink(w), "Customers.LinkChannel"))
			return trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.LinkChannel, vault.LinkChannelInput{
				CustomerID: someID, Channel: "whatsapp", ExternalID: "ada",
			})
		},
		runs: []string{"Customers.LinkChannel"}, code: vault.CodeConflict,
		says: []string{"external_id", "merge the two customers if they are one"},
	},
	{
		name: "a review of an unknown row",
		send: func(w *world) (trigger.Receipt, error) {
			return trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.DecideReview, vault.DecideReviewInput{
				Kind: vault.ReviewOfRequirement, ID: someID, Decision: vault.Approve,
			})
		},
		runs: []string{"Definitions.PersistReview"}, code: vault.CodeUnknown,
		says: []string{"unknown requirement", someID.String()},
	},
	{
		name: "an import with a value of the wrong type", send: importOf(json.RawMessage("12")),
		runs: []string{"Imports.ValidateImport", "Imports.PersistImport"},
		code: vault.CodeInvalid, says: []string{"writes[0]: ", "plan: the value is not a text"},
	},
	{
		name: "unknown operation",
		send: func(w *world) (trigger.Receipt, error) { return w.trigger.Replay(w.t.Context(), w.tenant, someID) },
		code: vault.CodeUnknown, says: []string{"unknown operation", someID.String()},
	},
}

func TestBadInput_RejectedWithoutChange(t *testing.T) {
	t.Parallel()
	for _, c := range badInputs {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			defined(w)
			w.scenario("Ask.")
			ctx := t.Context()
			disabled := vault.Definition{AgentID: w.agent, Name: "disabled", ValueType: vault.TypeString}
			w.must(w.run(w.event(trigger.Submit(ctx, w.trigger, w.tenant, vault.SaveDefinition, disabled)), saveDefinition...))

			before := w.dump()
			receipt, err := c.send(w)
			if len(c.runs) == 0 {
				if err == nil {
					t.Fatal("it was accepted")
				}
				w.unchanged(before, "what was refused")
				c.check(t, err)
				return
			}
			ev := w.event(receipt, err)
			before = w.dump() // what the case prepared stays
			first := w.run(ev, c.runs...)
			if first == nil {
				t.Fatal("it was not rejected")
			}
			c.check(t, first)
			w.sameBut(before, "what was rejected", "operations")
			op := w.op(ev)
			if op.Status != vault.OperationFailed || op.Error == nil || op.FinishedAt == nil {
				t.Fatalf("the operation is %s with error %v, want failed", op.Status, op.Error)
			}
			c.check(t, op.Error)
			if safe, permanent := once.Safe(first); !permanent || !strings.HasPrefix(safe, string(c.code)+": ") {
				t.Errorf("the engine is told %q, permanent: %v", safe, permanent)
			}
			if _, err := w.trigger.Wait(t.Context(), ev.TenantID, ev.OperationID); vault.CodeOf(err) != c.code {
				t.Errorf("the waiting caller gets %v", err)
			}
		})
	}
}

func (c badInput) check(t *testing.T, err error) {
	t.Helper()
	if got := vault.CodeOf(err); got != c.code {
		t.Errorf("got code %q, want %q: %v", got, c.code, err)
	}
	for _, part := range c.says {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the message does not say %q: %s", part, err.Error())
		}
	}
}

func TestPersistValue_64KiBIsTheLimit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	if got := w.write("plan", longText(vault.MaxValueBytes)); got.Status != vault.StatusActive {
		t.Errorf("got %s, want active", got.Status)
	}
}

func TestSteps_RowsOfAnotherTenantAreUnknown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	scenario := w.scenario("Ask.").ID
	session := w.session(nil, "Hello.")
	source := w.write("plan", text("gold"))
	mine := *w // the same agent and customer, under another tenant
	mine.tenant = dbtest.Tenant(t, w.db)
	ctx := t.Context()

	for what, c := range map[string]struct {
		ev   vault.Event
		runs []string
	}{
		"unknown agent": {mine.accept("plan", text("gold")), writeValue},
		"unknown scenario": {mine.event(
			trigger.Submit(ctx, mine.trigger, mine.tenant, vault.FillGaps, vault.FillGapsInput{
				CustomerID: w.customer, ScenarioID: scenario,
			}),
		), fillGaps},
	} {
		if err := mine.run(c.ev, c.runs...); vault.CodeOf(err) != vault.CodeUnknown || !strings.Contains(err.Error(), what) {
			t.Errorf("got %v, want %s", err, what)
		}
	}
	defined(&mine)
	own := mine.scenario("Ask.").ID
	fill := mine.event(
		trigger.Submit(ctx, mine.trigger, mine.tenant, vault.FillGaps, vault.FillGapsInput{
			CustomerID: w.customer, ScenarioID: own, SessionID: &session,
		}),
	)
	if err := mine.run(fill, fillGaps...); vault.CodeOf(err) != vault.CodeUnknown {
		t.Errorf("a session of another tenant: got %v, want unknown", err)
	}
	if got := mine.write("plan", text("gold"), from(source.ItemID)); got.Status != vault.StatusOrphaned {
		t.Errorf("a source of another tenant: got %s, want orphaned", got.Status)
	}
}

// TestPII_StaysInItsTables sends valid and invalid values of PII fields through every input of the vault, and searches
// for them everywhere else.
func TestPII_StaysInItsTables(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	w := newWorld(t, func(d *steps.Deps) {
		d.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	w.define(
		vault.Definition{Name: "email", ValueType: vault.TypeEmail, IsPII: true},
		vault.Definition{Name: "phone", ValueType: vault.TypePhone, EncryptionRequired: true},
		vault.Definition{Name: "tax_id", ValueType: vault.TypeString, IsPII: true, ValidationRegex: `[A-Z]{3}[0-9]{6}`},
		vault.Definition{
			Name: "nickname", ValueType: vault.TypeString, IsPII: true, ValidationMode: vault.ModeWarn,
			AllowedValues: []json.RawMessage{text("Al")},
		},
	)
	said := "ada.lovelace@example"
	var told []string // all outputs of the steps
	tell := func(out any, err error) {
		encoded, marshalErr := json.Marshal(out)
		w.must(marshalErr)
		told = append(told, string(encoded))
		if err != nil {
			safe, _ := once.Safe(err)
			told = append(told, err.Error(), safe)
			if e, ok := errors.AsType[*vault.Error](err); ok {
				told = append(told, e.ForCaller(), e.Detail)
			}
		}
	}
	walk := func(ev vault.Event, names ...string) {
		for _, name := range names {
			tell(w.step(name)(t.Context(), ev))
		}
	}
	walk(w.accept("email", text(said)), writeValue...)
	walk(w.accept("email", json.RawMessage(`{"secret":"`+said+`"}`)), writeValue...)
	walk(w.accept("tax_id", text("tax "+said)), writeValue...)
	walk(w.accept("phone", text("+1 "+said)), writeValue...)
	walk(w.accept("undefined_field", text(said)), writeValue...)
	walk(w.accept("nickname", text("nick "+said)), writeValue...) // stored, with warnings
	_, err := trigger.Submit(t.Context(), w.trigger, w.tenant, vault.WriteValue, vault.WriteValueInput{
		AgentID: w.agent, CustomerID: w.customer, Name: "email", Source: vault.ValueUserProvided,
		Value: json.RawMessage(`"` + said + `\u0000"`),
	})
	tell(nil, err)
	for _, skip := range []bool{false, true} {
		writes := []vault.WriteValueInput{
			{AgentID: w.agent, CustomerID: w.customer, Name: "email", Source: vault.ValueHumanEntered, Value: text(said)},
			{AgentID: w.agent, CustomerID: w.customer, Name: "nickname", Source: vault.ValueHumanEntered, Value: text(said)},
		}
		walk(w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.ImportValues, vault.ImportValuesInput{
			SkipInvalid: skip, Writes: writes,
		})), "Imports.ValidateImport", "Imports.PersistImport", "Caches.InvalidateAndAcknowledge")
	}

	scenario := w.scenario("Ask.").ID
	w.require(scenario, vault.Requirement{FieldName: "email"}, vault.Requirement{FieldName: "tax_id"}, vault.Requirement{
		FieldName: "phone",
	})
	session := w.session(
		map[string]json.RawMessage{"email": text(said), "phone": text("+1 " + said)}, "My tax id is "+said+".",
		"My email is "+said+".",
	)
	w.model.extract = func(llm.ExtractRequest) ([]vault.Candidate, error) {
		return []vault.Candidate{
			{FieldName: "tax_id", Value: text(said), Confidence: 0.99, Quote: "My tax id is " + said},
			{FieldName: "email", Value: text(said + ".com"), Confidence: 0.99, Quote: "My email is " + said + ".com"},
		}, nil
	}
	fill := w.event(
		trigger.Submit(t.Context(), w.trigger, w.tenant, vault.FillGaps, vault.FillGapsInput{
			CustomerID: w.customer, ScenarioID: scenario, SessionID: &session, MaxAttempts: 2,
		}),
	)
	for range 8 {
		walk(fill, "Gaps.FindMissing", "Gaps.ResolveGaps")
		out, err := w.steps.Gaps.AskCustomer(t.Context(), fill)
		tell(out, err)
		if out.Question == nil {
			break
		}
		walk(w.answer(out.Question.QuestionID, text("well: "+said)), answerQuestion...)
	}
	if op := w.op(fill); op.Status != vault.OperationSucceeded {
		t.Fatalf("the fill is %s, want succeeded: the test missed a way", op.Status)
	}

	rows := w.dump()
	kept := []string{"customer_values"} // the stored value; the conversation is sealed
	if got := rows.Holding(said); !slices.Equal(got, kept) {
		t.Errorf("the value is in %v, want it only in %v", got, kept)
	}
	if got := rows.Holding(hex.EncodeToString([]byte(said))); len(got) > 0 {
		t.Errorf("the value is in %v, in hexadecimal", got)
	}
	for _, text := range append(told, log.String(), fmt.Sprint(w.engine.taken())) {
		if strings.Contains(text, "lovelace") {
			t.Errorf("a step tells the value: %s", text)
		}
	}
	if !strings.Contains(strings.Join(told, "\n"), "Field validation failed: email: the value is not an email address") {
		t.Errorf("no step says what was wrong:\n%s", strings.Join(told, "\n"))
	}
}

func TestError_OnlyTheCallerSeesAValue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.define(vault.Definition{Name: "age", ValueType: vault.TypeNumber})
	ev := w.accept("age", text("forty"))
	err := w.run(ev, writeValue...)
	if err == nil || strings.Contains(err.Error(), "forty") {
		t.Errorf("got %v, want an error without the value", err)
	}
	if got := w.op(ev).Error.ForCaller(); !strings.Contains(got, `age: "forty" is not a number`) {
		t.Errorf("the caller is told %s", got)
	}
}

func TestSafe_OmitsValues(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	_, timeout := w.steps.Values.PersistValue(ctx, w.accept("plan", text("gold")))
	ev := w.accept("plan", text("gold"))
	w.sql("ALTER TABLE customer_values ADD CONSTRAINT no_gold CHECK (value <> '\"gold\"')")
	t.Cleanup(func() { w.sql("ALTER TABLE customer_values DROP CONSTRAINT no_gold") })
	_, database := w.steps.Values.PersistValue(t.Context(), ev)
	for want, err := range map[string]error{
		"database error 23514 (constraint no_gold)": database,
		"time-out":          timeout,
		"conflict: taken":   vault.Conflict("f", "taken"),
		"the row is broken": errors.New("the row is broken"),
	} {
		if got, permanent := once.Safe(err); got != want || permanent != (vault.CodeOf(err) != "") {
			t.Errorf("%v: the engine is told %q (permanent: %v), want %q", err, got, permanent, want)
		}
	}
	if op := w.op(ev); op.Status != vault.OperationAccepted {
		t.Errorf("after a transient error the operation is %s, want accepted", op.Status)
	}
}
