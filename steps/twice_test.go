package steps_test

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/steps/erasure"
	"github.com/contextvault/contextvault/steps/gapfill"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/steps/schema"
	"github.com/contextvault/contextvault/steps/upkeep"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// stepCase is one situation in which a step runs.
type stepCase struct {
	step      string
	situation string
	arrange   func(w *world) vault.Event
	fails     vault.Code // the code of the step's rejection; "": none
	// again is the output of a second run if it differs from the first: a step that counts its work finds none the second
	// time. nil: the same output.
	again any
}

// cron is the event of a sweep without an operation.
func cron(arrange func(w *world)) func(w *world) vault.Event {
	return func(w *world) vault.Event {
		arrange(w)
		return vault.Event{}
	}
}

// after prepares an operation and runs the steps before the step of the case.
func after(accept func(w *world) vault.Event, names ...string) func(w *world) vault.Event {
	return func(w *world) vault.Event {
		ev := accept(w)
		w.must(w.run(ev, names...))
		return ev
	}
}

func defined(w *world) {
	w.define(vault.Definition{Name: "email", ValueType: vault.TypeEmail, IsPII: true}, vault.Definition{
		Name: "plan", ValueType: vault.TypeString,
	})
}

func aWrite(w *world) vault.Event {
	defined(w)
	w.write("plan", text("silver"))
	return w.accept("plan", text("gold"))
}

func aBadWrite(w *world) vault.Event {
	defined(w)
	return w.accept("email", text("nobody"))
}

func anAsset(w *world) vault.Event {
	return w.event(trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.AddAsset, w.asset()))
}

func aSession(w *world) vault.Event {
	id := w.session(map[string]json.RawMessage{"plan": text("silver")}, "Hello.")
	return w.event(trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.SaveSession, vault.SaveSessionInput{
		SessionID: id, AgentID: w.agent, CustomerID: w.customer, Variables: map[string]json.RawMessage{"plan": text("gold")},
		Turns: []vault.Turn{
			{Speaker: vault.SpeakerAgent, Text: "Hello!"}, {Speaker: vault.SpeakerCustomer, Text: "I am Ada."},
		},
	}))
}

func aReading(w *world) vault.Event {
	defined(w)
	return w.reading(w.session(nil, "My email is ada@example.com and my plan is gold."))
}

func aDefinition(w *world) vault.Event {
	defined(w)
	return w.event(trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.SaveDefinition, vault.Definition{
		AgentID: w.agent, Name: "plan", ValueType: vault.TypeString,
		AllowedValues: []json.RawMessage{text("silver"), text("gold")},
	}))
}

func aRequirement(w *world) vault.Event {
	defined(w)
	return w.event(trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.SaveRequirement, vault.Requirement{
		AgentID: w.agent, ScenarioID: w.scenario("Ask.").ID, FieldName: "plan", RequiredLevel: vault.LevelHard,
		FallbackAction: vault.FallbackAsk, WhenCondition: `has(fields.email)`, DependsOn: []string{"email"},
	}))
}

func aFieldDeletion(w *world) vault.Event {
	defined(w)
	return w.event(
		trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.DeleteDefinition, vault.DeleteDefinitionInput{
			AgentID: w.agent, Name: "plan",
		}),
	)
}

func aNeededFieldsDeletion(w *world) vault.Event {
	w.must(w.run(aRequirement(w), saveRequirement...))
	return aFieldDeletion(w)
}

func aRequirementDeletion(w *world) vault.Event {
	defined(w)
	scenario := w.scenario("Ask.")
	w.require(scenario.ID, vault.Requirement{FieldName: "plan"})
	return w.event(
		trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.DeleteRequirement, vault.DeleteRequirementInput{
			ScenarioID: scenario.ID, FieldName: "plan",
		}),
	)
}

func aScenario(w *world) vault.Event {
	return w.event(trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.SaveScenario, vault.Scenario{
		ID: newID(), AgentID: w.agent, Name: "Open an account", Description: "The customer must be over 18.",
	}))
}

// aConfiguration creates, updates and prunes.
func aConfiguration(w *world) vault.Event {
	defined(w)
	w.define(vault.Definition{Name: "left", ValueType: vault.TypeString})
	scenario := newID()
	in := vault.ApplyConfigurationInput{Prune: true, AgentConfiguration: vault.AgentConfiguration{
		AgentID: w.agent,
		Definitions: vault.ConfiguredDefinitions{
			{Name: "plan", ValueType: vault.TypeString, Description: "changed", Enabled: true},
			{Name: "iban", ValueType: vault.TypeString, Enabled: true},
		},
		Scenarios: []vault.Scenario{{ID: scenario, Name: "Payout", Description: "Take the IBAN."}},
		Rules:     []vault.Rule{{ID: newID(), ScenarioID: scenario, Name: "gold", Condition: `fields.plan == "gold"`}},
		Requirements: []vault.Requirement{{
			ScenarioID: scenario, FieldName: "plan", RequiredLevel: vault.LevelSoft, FallbackAction: vault.FallbackSkip,
			WhenCondition: "has(fields.iabn)",
		}},
	}}
	in.FillAgent()
	return w.event(trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.ApplyConfiguration, in))
}

func aRule(w *world) vault.Event {
	return w.event(trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.SaveRule, vault.Rule{
		ID: newID(), AgentID: w.agent, ScenarioID: w.scenario().ID, Name: "adults", Condition: "age >= 18",
	}))
}

// anExtraction is an extraction that a save accepted.
func anExtraction(w *world) vault.Event {
	w.define(vault.Definition{Name: "email", ValueType: vault.TypeEmail})
	save := w.save(vault.Scenario{
		ID: newID(), AgentID: w.agent, Name: "Open an account",
		Description: "Only if the customer is over 18 and the email is verified.",
	})
	return extractionOf(w, save)
}

func extractionOf(w *world, save vault.Event) vault.Event {
	w.t.Helper()
	id := resultOf[vault.SavedResult](w, save).Extraction
	if id == nil {
		w.t.Fatal("the save accepted no extraction")
	}
	op := w.op(vault.Event{TenantID: w.tenant, OperationID: *id})
	return vault.Event{TenantID: w.tenant, OperationID: op.ID}
}

// aFill is a fill with a field in the session, a field in the conversation and a field to ask for.
func aFill(w *world) vault.Event {
	w.define(
		vault.Definition{Name: "plan", ValueType: vault.TypeString},
		vault.Definition{Name: "email", ValueType: vault.TypeEmail},
		vault.Definition{Name: "age", ValueType: vault.TypeNumber},
	)
	scenario := w.scenario("Ask.").ID
	w.require(scenario, vault.Requirement{FieldName: "plan"}, vault.Requirement{FieldName: "email"}, vault.Requirement{
		FieldName: "age",
	})
	session := w.session(map[string]json.RawMessage{"plan": text("gold")}, "My email is ada@example.com.")
	return w.event(trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.FillGaps, vault.FillGapsInput{
		CustomerID: w.customer, ScenarioID: scenario, SessionID: &session,
	}))
}

// written is a fill that wrote its values.
func written(w *world) vault.Event {
	ev := aFill(w)
	for _, write := range w.resolve(ev) {
		w.must(w.run(write, writeValue...))
	}
	return ev
}

// answered is a fill with an answered question and nothing left to do.
func answered(w *world) vault.Event {
	ev := written(w)
	question := w.ask(ev)
	w.must(w.run(w.answer(question.QuestionID, json.RawMessage("36")), answerQuestion...))
	return ev
}

func aClaim(w *world) vault.Event {
	return w.claim(w.ask(written(w)).QuestionID, "phone")
}

// aTurn takes turns, and accepts the last one.
func aTurn(said ...string) func(w *world) vault.Event {
	return func(w *world) vault.Event {
		defined(w)
		scenario := w.scenario().ID
		w.require(scenario, vault.Requirement{FieldName: "email"}, vault.Requirement{FieldName: "plan"})
		c := conversing{w, scenario}
		for _, text := range said[:len(said)-1] {
			w.take(c.turn(text))
		}
		return w.accepted(c.turn(said[len(said)-1]))
	}
}

func anAnswer(value json.RawMessage) func(w *world) vault.Event {
	return func(w *world) vault.Event { return w.answer(w.ask(written(w)).QuestionID, value) }
}

// plainVersions stores values of a field whose definition requires encryption since.
func plainVersions(w *world) {
	w.define(vault.Definition{Name: "plan", ValueType: vault.TypeString})
	for range 3 {
		w.write("plan", text("gold"))
	}
	w.define(vault.Definition{Name: "plan", ValueType: vault.TypeString, EncryptionRequired: true})
	w.define(vault.Definition{Name: "city", ValueType: vault.TypeString})
	w.write("city", text("Oslo"))
	w.define(vault.Definition{Name: "city", ValueType: vault.TypeString, PrefixSearch: true})
}

// stale returns three expired values and one that is not.
func stale(w *world) {
	w.define(vault.Definition{Name: "plan", ValueType: vault.TypeString}, vault.Definition{
		Name: "code", ValueType: vault.TypeString,
	})
	soon := time.Now().Add(time.Hour)
	for range 3 {
		w.customer = newID()
		w.write("plan", text("gold"), func(in *vault.WriteValueInput) { in.ExpiresAt = &soon })
		w.write("code", text("A1"))
	}
	in := w.asset()
	in.ExpiresAt = &soon
	w.must(w.run(w.event(trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.AddAsset, in)), addAsset...))
	w.later(2 * time.Hour)
}

// withoutSources returns items with a source that was deleted directly in the database.
func withoutSources(w *world) {
	w.define(vault.Definition{Name: "plan", ValueType: vault.TypeString}, vault.Definition{
		Name: "code", ValueType: vault.TypeString,
	})
	for range 3 {
		w.customer = newID()
		source := w.write("code", text("A1"))
		w.write("plan", text("gold"), from(source.ItemID))
	}
	w.sql("DELETE FROM customer_values WHERE name = 'code'")
}

func byHand(arrange func(w *world), accept func(w *world) vault.Event) func(w *world) vault.Event {
	return func(w *world) vault.Event {
		arrange(w)
		return accept(w)
	}
}

// pendingInvalidations returns pending invalidations of a sweep.
func pendingInvalidations(w *world) {
	stale(w)
	w.must(w.run(vault.Event{}, "Sweeps.ExpireValues"))
}

// dueOperations returns operations that were accepted and not pushed in time.
func dueOperations(w *world) {
	pendingInvalidations(w)
	for range 3 {
		w.accept("plan", text("silver"))
	}
	w.sql("UPDATE operations SET due_at = clock_timestamp() - interval '1 second' WHERE status = 'accepted'")
}

// finished returns operations before and after the end of their retention.
func finished(w *world) {
	ev := answered(w)
	w.must(w.run(ev, "Gaps.AskCustomer"))
	_ = w.run(w.accept("email", text("nobody")), writeValue...)
	w.later(36 * time.Hour) // longer than succeeded ones are kept, shorter than failed ones
}

func aVerification(w *world) vault.Event {
	defined(w)
	w.write("email", text("ada@example.com"))
	return w.event(trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.VerifyValue, vault.VerifyValueInput{
		AgentID: w.agent, CustomerID: w.customer, Name: "email", Method: "code", VerifiedBy: "mailer",
	}))
}

func anExpiry(w *world) vault.Event {
	defined(w)
	source := w.write("email", text("ada@example.com"))
	w.write("plan", text("gold"), from(source.ItemID)) // becomes stale
	return w.event(trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.ExpireValue, vault.ExpireValueInput{
		CustomerID: w.customer, Name: "email",
	}))
}

func aNewKey(w *world) vault.Event {
	return w.event(trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.CreateKey, vault.CreateKeyInput{
		Name: "runtime", KeyHash: strings.ReplaceAll(newID().String()+newID().String(), "-", ""), Scopes: []string{"read"},
	}))
}

func aRevocation(w *world) vault.Event {
	created := aNewKey(w)
	w.must(w.run(created, "APIKeys.CreateKey"))
	return w.event(trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.RevokeKey, vault.RevokeKeyInput{
		KeyID: created.OperationID,
	}))
}

// aDeletion deletes an item, with or without a dependent.
func aDeletion(dependent, force bool) func(w *world) vault.Event {
	return func(w *world) vault.Event {
		defined(w)
		source := w.write("email", text("ada@example.com"))
		if dependent {
			w.customer = newID() // another customer of the tenant
			w.write("plan", text("gold"), from(source.ItemID))
		}
		return w.event(
			trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.DeleteItem, vault.DeleteItemInput{
				ItemID: source.ItemID, Force: force,
			}),
		)
	}
}

func aRestoration(w *world) vault.Event {
	deletion := aDeletion(true, true)(w)
	w.must(w.run(deletion, "Items.DeleteItem"))
	item := resultOf[vault.DeleteResult](w, deletion).ItemID
	return w.event(
		trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.RestoreItem, vault.RestoreItemInput{ItemID: item}),
	)
}

func anImport(email string) func(w *world) vault.Event {
	return func(w *world) vault.Event {
		defined(w)
		w.write("plan", text("silver"))
		in := vault.ImportValuesInput{}
		for _, write := range []vault.WriteValueInput{
			{CustomerID: w.customer, Name: "plan", Value: text("gold")},
			{CustomerID: w.customer, Name: "email", Value: text(email)},
			{CustomerID: newID(), Name: "plan", Value: text("gold")},
		} {
			write.AgentID, write.Source = w.agent, vault.ValueHumanEntered
			in.Writes = append(in.Writes, write)
		}
		return w.event(trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.ImportValues, in))
	}
}

func anOpening(w *world) vault.Event {
	return w.event(
		trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.OpenCustomer, vault.OpenCustomerInput{
			Channel: "whatsapp", ExternalID: "ada",
		}),
	)
}

func manyOpenings(w *world) vault.Event {
	known := anOpening(w)
	w.must(w.run(known, openCustomer...))
	return w.event(trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.OpenCustomers, vault.OpenCustomersInput{
		Identities: []vault.OpenCustomerInput{
			{Channel: "sms", ExternalID: "+4915112345699"},
			{Channel: "email", ExternalID: "new@example.com"},
			{Channel: "sms", ExternalID: "+4915112345699"},
		},
	}))
}

func aLink(w *world) vault.Event {
	return w.event(
		trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.LinkChannel, vault.LinkChannelInput{
			CustomerID: w.customer, Channel: "whatsapp", ExternalID: "ada",
		}),
	)
}

func aConsent(w *world) vault.Event {
	return w.event(
		trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.RecordConsent, vault.RecordConsentInput{
			CustomerID: w.customer, Purpose: "marketing", Granted: true,
		}),
	)
}

// aMerge merges two customers that both have a field, an asset and a channel.
func aMerge(w *world) vault.Event {
	defined(w)
	target := w.customer
	w.write("plan", text("silver"))
	w.customer = newID()
	w.write("plan", text("gold"))
	w.write("email", text("ada@example.com"))
	w.must(w.run(anAsset(w), addAsset...))
	w.must(w.run(aLink(w), "Customers.LinkChannel"))
	return w.event(
		trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.MergeCustomers, vault.MergeCustomersInput{
			SourceCustomerID: w.customer, TargetCustomerID: target,
		}),
	)
}

func anUndoing(w *world) vault.Event {
	w.must(w.run(aMerge(w), "Merges.MergeCustomers"))
	w.write("plan", text("bronze")) // to the target, after the merge
	return w.event(
		trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.UnmergeCustomer, vault.UnmergeCustomerInput{
			CustomerID: w.customer,
		}),
	)
}

func aRemoval(w *world) vault.Event {
	defined(w)
	w.write("plan", text("gold"))
	return w.event(
		trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.DeleteCustomer, vault.DeleteCustomerInput{
			CustomerID: w.customer,
		}),
	)
}

// aDecision reviews an extracted row.
func aDecision(kind vault.ReviewKind) func(w *world) vault.Event {
	return func(w *world) vault.Event {
		scenario := vault.Scenario{ID: newID(), AgentID: w.agent, Name: "Loan"}
		w.proposing(proposed("income", sure(0.5)))
		w.extract(w.described(scenario, "Ask for the income."))
		table := "requirements"
		if kind == vault.ReviewOfDefinition {
			table = "definitions"
		}
		in := vault.DecideReviewInput{Kind: kind, Decision: vault.Approve}
		dbtest.Scan(w.t, w.url, &in.ID, "SELECT id FROM "+table+" WHERE tenant_id = $1", w.tenant)
		return w.event(trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.DecideReview, in))
	}
}

var stepCases = []stepCase{
	{step: "Values.ValidateValue", situation: "a good value", arrange: aWrite},
	{step: "Values.ValidateValue", situation: "a bad value", arrange: aBadWrite, fails: vault.CodeInvalid},
	{step: "Values.PersistValue", situation: "a good value", arrange: after(aWrite, "Values.ValidateValue")},
	{step: "Values.PersistValue", situation: "a bad value", arrange: aBadWrite, fails: vault.CodeInvalid},
	{step: "Assets.ValidateAsset", arrange: anAsset},
	{step: "Assets.PersistAsset", arrange: after(anAsset, "Assets.ValidateAsset")},
	{step: "Values.PersistVerification", arrange: aVerification},
	{step: "Values.PersistExpiry", arrange: anExpiry},
	{step: "APIKeys.CreateKey", arrange: aNewKey},
	{step: "APIKeys.RevokeKey", arrange: aRevocation},
	{step: "Values.PersistDecision", situation: "approve", arrange: aValueDecision(vault.Approve)},
	{step: "Values.PersistDecision", situation: "reject", arrange: aValueDecision(vault.Reject)},
	{step: "Values.ValidateElement", arrange: anAddition},
	{step: "Values.PersistAddition", arrange: after(anAddition, "Values.ValidateElement")},
	{step: "Values.PersistRemoval", arrange: after(anElementRemoval, "Values.ValidateElement")},
	{step: "Values.ValidateCorrection", arrange: aCorrection},
	{step: "Values.PersistCorrection", arrange: after(aCorrection, "Values.ValidateCorrection")},
	{step: "Imports.ValidateImport", situation: "good values", arrange: anImport("ada@example.com")},
	{step: "Imports.ValidateImport", situation: "a bad value", arrange: anImport("nobody"), fails: vault.CodeInvalid},
	{
		step: "Imports.PersistImport", situation: "good values",
		arrange: after(anImport("ada@example.com"), "Imports.ValidateImport"),
	},
	{step: "Imports.PersistImport", situation: "a bad value", arrange: anImport("nobody"), fails: vault.CodeInvalid},
	{step: "Items.CheckDependents", situation: "none", arrange: aDeletion(false, false)},
	{step: "Items.CheckDependents", situation: "one", arrange: aDeletion(true, false), fails: vault.CodeHasDependents},
	{
		step: "Items.DeleteItem", situation: "without dependents",
		arrange: after(aDeletion(false, false), "Items.CheckDependents"),
	},
	{step: "Items.DeleteItem", situation: "by force", arrange: after(aDeletion(true, true), "Items.CheckDependents")},
	{
		step: "Items.DeleteItem", situation: "with dependents", arrange: aDeletion(true, false),
		fails: vault.CodeHasDependents,
	},
	{step: "Items.RestoreItem", arrange: aRestoration},
	{step: "Customers.OpenCustomer", situation: "a new identity", arrange: anOpening},
	{step: "Customers.OpenCustomers", situation: "new and known identities", arrange: manyOpenings},
	{step: "Customers.OpenCustomer", situation: "a known identity", arrange: after(anOpening, "Customers.OpenCustomer")},
	{step: "Customers.LinkChannel", arrange: aLink},
	{step: "Customers.RecordConsent", arrange: aConsent},
	{step: "Customers.SetLabel", arrange: aLabel},
	{step: "Values.ProposeDeletion", arrange: aProposedDeletion},
	{step: "Customers.DeleteCustomer", arrange: aRemoval},
	{step: "Merges.MergeCustomers", arrange: aMerge},
	{step: "Merges.UnmergeCustomer", arrange: anUndoing},
	{step: "Merges.SaveMergeRule", arrange: aMergeRule},
	{step: "Merges.DeleteMergeRule", arrange: aMergeRuleDeletion},
	{step: "Merges.ProposeMerges", arrange: aSearchForMerges},
	{step: "Merges.DecideMerge", situation: "an approval", arrange: aMergeDecision(vault.Approve)},
	{step: "Merges.DecideMerge", situation: "a rejection", arrange: aMergeDecision(vault.Reject)},
	{step: "Definitions.PersistReview", situation: "a requirement", arrange: aDecision(vault.ReviewOfRequirement)},
	{step: "Definitions.PersistReview", situation: "a definition", arrange: aDecision(vault.ReviewOfDefinition)},
	{step: "Sessions.PersistSession", arrange: aSession},
	{step: "Conversations.ReadConversation", arrange: aReading},
	{step: "Conversations.PersistConversation", arrange: after(aReading, "Conversations.ReadConversation")},
	{
		step: "Conversations.QueueQuietSessions", again: gapfill.QuietQueued{}, arrange: cron(func(w *world) {
			w.session(nil, "My email is ada@example.com")
			w.sql("UPDATE sessions SET read_due_at = clock_timestamp()")
		}),
	},
	{step: "Definitions.ValidateDefinition", arrange: aDefinition},
	{step: "Definitions.PersistDefinition", arrange: after(aDefinition, "Definitions.ValidateDefinition")},
	{step: "Definitions.ValidateRequirement", arrange: aRequirement},
	{step: "Definitions.PersistRequirement", arrange: after(aRequirement, "Definitions.ValidateRequirement")},
	{step: "Definitions.DeleteDefinition", situation: "one that nothing needs", arrange: aFieldDeletion},
	{
		step: "Definitions.DeleteDefinition", situation: "one that is needed", arrange: aNeededFieldsDeletion,
		fails: vault.CodeConflict,
	},
	{step: "Definitions.DeleteRequirement", arrange: aRequirementDeletion},
	{
		step: "Definitions.PersistDefinition", situation: "based on another version", arrange: aStaleChange("definition"),
		fails: vault.CodeConflict,
	},
	{
		step: "Definitions.PersistRequirement", situation: "based on another version", arrange: aStaleChange("requirement"),
		fails: vault.CodeConflict,
	},
	{
		step: "Scenarios.PersistScenario", situation: "based on another version", arrange: aStaleChange("scenario"),
		fails: vault.CodeConflict,
	},
	{step: "Configuration.ValidateConfiguration", arrange: aConfiguration},
	{step: "Configuration.PersistConfiguration", arrange: aConfiguration},
	{step: "Scenarios.PersistScenario", arrange: aScenario},
	{step: "Scenarios.PersistRule", arrange: aRule},
	{step: "Scenarios.AnnounceSave", situation: "a scenario", arrange: after(aScenario, "Scenarios.PersistScenario")},
	{step: "Scenarios.AnnounceSave", situation: "a rule", arrange: after(aRule, "Scenarios.PersistRule")},
	{step: "Extraction.LoadSchemaSource", arrange: anExtraction},
	// The output counts model calls: the second run needs none.
	{step: "Extraction.ProposeSchema", arrange: anExtraction, again: schema.Proposed{Fields: 2}},
	{step: "Extraction.MatchSchema", arrange: after(anExtraction, "Extraction.ProposeSchema")},
	{step: "Extraction.PersistSchema", arrange: after(anExtraction, "Extraction.ProposeSchema", "Extraction.MatchSchema")},
	{step: "Gaps.FindMissing", arrange: aFill},
	{step: "Gaps.ResolveGaps", arrange: after(aFill, "Gaps.FindMissing")},
	{step: "Gaps.AskCustomer", situation: "writes to run first", arrange: after(aFill, "Gaps.ResolveGaps")},
	{step: "Gaps.AskCustomer", situation: "a question", arrange: written},
	{step: "Gaps.AskCustomer", situation: "nothing left", arrange: answered},
	{step: "Gaps.CancelFill", situation: "with an open question", arrange: aCancellation},
	{step: "Answers.ValidateAnswer", situation: "a yes", arrange: aReply(text("yes"))},
	{step: "Answers.PersistAnswer", situation: "a yes", arrange: after(aReply(text("yes")), "Answers.ValidateAnswer")},
	{step: "Answers.PersistAnswer", situation: "a no", arrange: after(aReply(text("no")), "Answers.ValidateAnswer")},
	{
		step: "Answers.PersistAnswer", situation: "another value",
		arrange: after(aReply(number(37)), "Answers.ValidateAnswer"),
	},
	{step: "Answers.ValidateAnswer", situation: "a good answer", arrange: anAnswer(json.RawMessage("36"))},
	{step: "Answers.ValidateAnswer", situation: "a bad answer", arrange: anAnswer(text("old enough"))},
	{
		step: "Answers.PersistAnswer", situation: "a good answer",
		arrange: after(anAnswer(json.RawMessage("36")), "Answers.ValidateAnswer"),
	},
	{
		step: "Answers.PersistAnswer", situation: "a bad answer",
		arrange: after(anAnswer(text("old enough")), "Answers.ValidateAnswer"),
	},
	{step: "Answers.ClaimQuestion", arrange: aClaim},
	{step: "Turns.ReadTurn", situation: "the first turn", arrange: aTurn("My email is ada@example.com")},
	{
		step: "Turns.PersistTurn", situation: "the first turn",
		arrange: after(aTurn("My email is ada@example.com"), "Turns.ReadTurn"),
	},
	{step: "Turns.ReadTurn", situation: "an answer", arrange: aTurn("Hello", "ada@example.com")},
	{
		step: "Turns.PersistTurn", situation: "an answer",
		arrange: after(aTurn("Hello", "ada@example.com"), "Turns.ReadTurn"),
	},
	{
		step: "Turns.PersistTurn", situation: "an invalid answer", arrange: after(aTurn("Hello", "ada@"), "Turns.ReadTurn"),
	},
	{step: "Sweeps.ExpireValues", situation: "by cron", arrange: cron(stale), again: once.Applied[vault.SweepResult]{}},
	{step: "Sweeps.ExpireValues", situation: "by hand", arrange: byHand(stale, func(w *world) vault.Event {
		return w.event(trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.ExpireValues, vault.Sweep{AllTenants: true}))
	})},
	{step: "Sweeps.ExpireValues", situation: "of one tenant", arrange: byHand(stale, func(w *world) vault.Event {
		return w.event(trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.ExpireValues, vault.Sweep{}))
	})},
	{
		step: "Sweeps.DetectOrphans", situation: "by cron", arrange: cron(withoutSources), again: once.Applied[vault.SweepResult]{},
	},
	{step: "Sweeps.DetectOrphans", situation: "by hand", arrange: byHand(withoutSources, func(w *world) vault.Event {
		return w.event(trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.DetectOrphans, vault.Sweep{AllTenants: true}))
	})},
	{step: "Sweeps.DetectOrphans", situation: "of one tenant", arrange: byHand(withoutSources, func(w *world) vault.Event {
		return w.event(trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.DetectOrphans, vault.Sweep{}))
	})},
	{step: "Caches.InvalidateAndAcknowledge", situation: "a write", arrange: after(aWrite, writeValue[:2]...)},
	{step: "Caches.InvalidateAndAcknowledge", situation: "a rejected write", arrange: func(w *world) vault.Event {
		ev := aBadWrite(w)
		_ = w.run(ev, "Values.PersistValue")
		return ev
	}},
	{
		step: "Caches.InvalidateAndAcknowledge", situation: "a definition", again: upkeep.Invalidated{},
		arrange: after(aDefinition, saveDefinition[:3]...),
	},
	{step: "Caches.InvalidateAndAcknowledge", situation: "by cron", arrange: cron(pendingInvalidations), again: upkeep.Invalidated{}},
	{
		step: "Caches.InvalidateAndAcknowledge", situation: "by hand", again: upkeep.Invalidated{},
		arrange: byHand(stale, func(w *world) vault.Event {
			ev := w.event(trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.ExpireValues, vault.Sweep{AllTenants: true}))
			w.must(w.run(ev, "Sweeps.ExpireValues"))
			return ev
		}),
	},
	{step: "Erasure.Begin", arrange: anErasure},
	{step: "Erasure.EndWork", arrange: after(anErasure, "Erasure.Begin")},
	{step: "Erasure.Erase", arrange: after(anErasure, "Erasure.Begin", "Erasure.EndWork")},
	{step: "Erasure.Scan", arrange: after(anErasure, "Erasure.Begin", "Erasure.EndWork", "Erasure.Erase")},
	{step: "Erasure.Finish", arrange: after(anErasure, eraseCustomer[:4]...)},
	{step: "Exports.RecordExport", arrange: anExport},
	{step: "Exports.AnnounceExport", arrange: after(anExport, "Exports.RecordExport")},
	{step: "Retention.QueueDueErasures", arrange: cron(purgeable), again: erasure.Queued{}},
	{step: "Retention.RemoveExpired", arrange: cron(removable), again: once.Applied[vault.SweepResult]{}},
	{step: "Operations.RelayOperations", arrange: cron(dueOperations), again: upkeep.Relayed{}},
	{step: "Operations.PurgeOperations", arrange: cron(finished), again: upkeep.Purged{}},
	{step: "Webhooks.SaveWebhook", arrange: aWebhook},
	{step: "Webhooks.StopDeliveries", arrange: aWebhookDeletion},
	{step: "Webhooks.DeleteWebhook", arrange: after(aWebhookDeletion, "Webhooks.StopDeliveries")},
	{step: "Webhooks.TestWebhook", arrange: aWebhookTest},
	{step: "Webhooks.ReplayDeliveries", arrange: aReplay},
	{step: "Webhooks.DeliverDue", arrange: cron(undelivered), again: deliveredNothing},
	{step: "Audit.SealAudit", arrange: cron(unsealed), again: upkeep.Sealed{}},
	{step: "Keys.RotateKeys", arrange: cron(stale)},
	{step: "Keys.SealValues", arrange: cron(plainVersions), again: upkeep.SealedValues{}},
}

// allSteps returns the names of all step methods.
func allSteps() []string {
	var names []string
	for concern := range reflect.TypeFor[steps.Steps]().Fields() {
		for method := range concern.Type.Methods() {
			fn := method.Type
			if fn.NumIn() == 3 && fn.In(2) == reflect.TypeFor[vault.Event]() && fn.NumOut() == 2 {
				names = append(names, concern.Name+"."+method.Name)
			}
		}
	}
	return names
}

func TestStepCases_Complete(t *testing.T) {
	t.Parallel()
	covered := map[string]bool{}
	for _, c := range stepCases {
		covered[c.step] = true
	}
	names := allSteps()
	for _, name := range names {
		if !covered[name] {
			t.Errorf("%s is not among the step cases", name)
		}
	}
	if len(names) < 41 {
		t.Errorf("found only %d steps: is a step still func(context.Context, vault.Event) (Out, error)?", len(names))
	}
}

func TestStep_RepeatedRunsHaveOneEffect(t *testing.T) {
	t.Parallel()
	for _, c := range stepCases {
		t.Run(c.step+" "+c.situation, func(t *testing.T) {
			t.Parallel()
			var once map[string]int // the rows that one run added
			t.Run("one after the other", func(t *testing.T) { once = c.runTwice(t) })
			t.Run("at once", func(t *testing.T) { c.runAtOnce(t, once) })
		})
	}
}

// runTwice runs the step repeatedly and returns how many rows the first run added.
func (c stepCase) runTwice(t *testing.T) map[string]int {
	w := newWorld(t)
	ev := c.arrange(w)
	arranged := w.dump().Counts()
	first, firstErr := w.step(c.step)(t.Context(), ev)
	c.checkError(t, firstErr)
	before, pushed := w.dump(), len(w.engine.taken())
	for range 2 {
		again, err := w.step(c.step)(t.Context(), ev)
		want := first
		if c.again != nil {
			want = c.again
		}
		if diff := cmp.Diff(want, again); diff != "" {
			t.Errorf("output (- want, + got):\n%s", diff)
		}
		if textOf(err) != textOf(firstErr) {
			t.Errorf("got error %v, want %v", err, firstErr)
		}
	}
	w.unchanged(before, "a second run")
	if n := len(w.engine.taken()); n != pushed {
		t.Errorf("a second run pushed %d events", n-pushed)
	}
	return added(arranged, before.Counts())
}

// added returns how many rows each table gained. Worlds of the same arrangement may differ in their rows: a sweep that
// prepared them writes an audit entry for each customer of a batch, and its batches go by random ids.
func added(before, after map[string]int) map[string]int {
	n := map[string]int{}
	for table := range after {
		n[table] = after[table] - before[table]
	}
	for table := range before {
		n[table] = after[table] - before[table]
	}
	return n
}

// runAtOnce runs the step several times concurrently, with the result of one run.
func (c stepCase) runAtOnce(t *testing.T, once map[string]int) {
	w := newWorld(t)
	ev := c.arrange(w)
	arranged := w.dump().Counts()
	outs, errs := w.atOnce(4, func(int) (any, error) { return w.step(c.step)(t.Context(), ev) })
	for i, err := range errs {
		c.checkError(t, err)
		if c.again != nil {
			continue
		}
		if diff := cmp.Diff(outs[0], outs[i]); diff != "" {
			t.Errorf("outputs of two runs at once differ:\n%s", diff)
		}
	}
	before := w.dump()
	counts := added(arranged, before.Counts())
	// A sweep writes an entry for each customer of a batch, and runs at once share the rows.
	if strings.HasPrefix(c.step, "Sweeps.") || c.step == "Operations.RelayOperations" {
		counts["audit_entries"] = once["audit_entries"]
	}
	if diff := cmp.Diff(once, counts); diff != "" {
		t.Errorf("rows added (- by one run, + by four at once):\n%s", diff)
	}
	_, err := w.step(c.step)(t.Context(), ev)
	c.checkError(t, err)
	w.unchanged(before, "one more run")
}

func (c stepCase) checkError(t *testing.T, err error) {
	t.Helper()
	if vault.CodeOf(err) != c.fails || (c.fails == "") != (err == nil) {
		t.Fatalf("got error %v, want code %q", err, c.fails)
	}
}

func textOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// atOnce runs fn n times concurrently.
func (w *world) atOnce(n int, fn func(i int) (any, error)) ([]any, []error) {
	outs, errs := make([]any, n), make([]error, n)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			outs[i], errs[i] = fn(i)
		})
	}
	close(start)
	wg.Wait()
	return outs, errs
}

func TestStep_UnknownOperationChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	other := w.accept("plan", text("gold")) // runs below under another tenant
	w.must(w.run(vault.Event{}, "Caches.InvalidateAndAcknowledge"))
	w.sql("UPDATE operations SET due_at = clock_timestamp() + interval '1 hour'")
	stranger := vault.Event{OperationID: other.OperationID, TenantID: newID()}
	before := w.dump()
	for _, name := range allSteps() {
		if name == "Audit.SealAudit" { // it seals what was audited before
			continue
		}
		for _, ev := range []vault.Event{{OperationID: newID(), TenantID: w.tenant}, stranger} {
			_, err := w.step(name)(t.Context(), ev)
			switch name {
			case "Caches.InvalidateAndAcknowledge", "Operations.RelayOperations", "Operations.PurgeOperations",
				"Keys.RotateKeys", "Keys.SealValues", "Retention.QueueDueErasures", "Retention.RemoveExpired",
				"Conversations.QueueQuietSessions", "Webhooks.DeliverDue":
				if err != nil { // they acknowledge applied operations, and none was applied
					t.Errorf("%s: %v", name, err)
				}
			default:
				if vault.CodeOf(err) != vault.CodeUnknown {
					t.Errorf("%s: got %v, want unknown", name, err)
				}
			}
		}
	}
	w.unchanged(before, "a step of an unknown operation")
}

func TestStep_CancelledRunIsAtomic(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ev := aWrite(w)
	before := w.dump()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.steps.Values.PersistValue(ctx, ev); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want canceled", err)
	}
	w.unchanged(before, "a cancelled step")
	w.must(w.run(ev, writeValue...))
}

// resolve runs the first half of a fill round and returns the writes to run.
func (w *world) resolve(fill vault.Event) []vault.Event {
	w.t.Helper()
	w.must(w.run(fill, "Gaps.FindMissing"))
	out, err := w.steps.Gaps.ResolveGaps(w.t.Context(), fill)
	w.must(err)
	var writes []vault.Event
	for _, id := range out.Writes {
		writes = append(writes, w.eventOf(id))
	}
	return writes
}

// eventOf returns the event of an operation.
func (w *world) eventOf(id uuid.UUID) vault.Event {
	return vault.Event{OperationID: id, TenantID: w.tenant}
}

// ask runs the second half of a fill round and returns the open question.
func (w *world) ask(fill vault.Event) gapfill.Waiting {
	w.t.Helper()
	out, err := w.steps.Gaps.AskCustomer(w.t.Context(), fill)
	w.must(err)
	if out.Question == nil {
		w.t.Fatalf("got %+v, want a question", out)
	}
	return *out.Question
}

// answer accepts the answer to a question without running its steps.
func (w *world) answer(question uuid.UUID, value json.RawMessage) vault.Event {
	w.t.Helper()
	return w.event(
		trigger.Submit(w.t.Context(), w.trigger, w.tenant, vault.AnswerQuestion, vault.AnswerQuestionInput{
			QuestionID: question, Value: value,
		}),
	)
}

// unsealed leaves entries that no transaction of another test keeps from being sealed: the first run may seal them all.
func unsealed(w *world) {
	w.accept("plan", text("gold"))
	deadline := time.Now().Add(time.Minute)
	for time.Now().Before(deadline) {
		bounds, err := w.db.System().GetAuditBounds(w.t.Context())
		w.must(err)
		if entries := w.auditOf(vault.AuditFilter{}); entries[len(entries)-1].Xact < bounds.Oldest {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	w.t.Fatal("a transaction stays open")
}
