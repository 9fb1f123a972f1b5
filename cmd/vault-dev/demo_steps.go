package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/hatchet-dev/hatchet/pkg/client/rest"

	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// customer holds the values and the utterances of the customer in the demo. None of them may reach the workflow engine;
// a test searches for each.
var customer = struct {
	name, email, country, laterCountry, born string
	notAnAccount, notAnEmail, notADate       string // rejected
	loyaltyNumber                            string // JSON
	wantsSavings, saysEmail                  string // turns of a conversation
}{
	name:          "Ada Marchetti-Quill",
	email:         "ada.quill@example.com",
	country:       "Netherlands",
	laterCountry:  "Iceland",
	born:          "1990-03-14",
	notAnAccount:  "platinum",
	notAnEmail:    "ada(at)example",
	notADate:      "a while ago",
	loyaltyNumber: "7043198522",
	wantsSavings:  "Hi, I want to open a savings account with you.",
	saysEmail:     "My email address is ada.quill@example.com, thanks.",
}

func (d *story) defineFields() error {
	for _, def := range []vault.Definition{
		{
			Name: "email", DisplayName: "Email Address", ValueType: vault.TypeEmail, IsPII: true,
			ValidationRegex: `^[a-zA-Z0-9_.+-]+@[a-zA-Z0-9-]+\.[a-zA-Z0-9-.]+$`, CollectionPrompt: "What is your email address?",
		},
		{
			Name: "legal_name", DisplayName: "Legal Name", ValueType: vault.TypeString, IsPII: true,
			CollectionPrompt: "What is your full legal name?",
		},
		{
			Name: "country", DisplayName: "Country of Residence", ValueType: vault.TypeString,
			CollectionPrompt: "Which country do you live in?",
		},
		{
			Name: "account_type", DisplayName: "Account Type", ValueType: vault.TypeString,
			CollectionPrompt: "Which account would you like?",
			AllowedValues:    []json.RawMessage{text("checking"), text("savings")},
		},
	} {
		def.AgentID, def.Enabled = d.agent, true
		r, err := trigger.Submit(d.ctx, d.Trigger, d.tenant, vault.SaveDefinition, def)
		if _, err := d.done(r, err); err != nil {
			return err
		}
	}
	defs, err := d.Query.Definitions(d.ctx, d.tenant, d.agent)
	for _, def := range defs {
		d.say("%-13s %-7s %q", def.Name, def.ValueType, def.Prompt())
	}
	return err
}

func (d *story) saveScenario() error {
	r, err := trigger.Submit(d.ctx, d.Trigger, d.tenant, vault.SaveScenario, vault.Scenario{
		ID:      d.scenario,
		AgentID: d.agent,
		Name:    "Open an account",
		Description: "Open a bank account for a customer. Only if the customer is over 18, go on. " +
			"We need the customer's e-mail address.",
	})
	op, err := d.done(r, err)
	if err != nil {
		return err
	}
	saved, err := decode[vault.SavedResult](op)
	if err != nil {
		return err
	}
	op, err = d.Trigger.Wait(d.ctx, d.tenant, *saved.Extraction)
	if err != nil {
		return err
	}
	found, err := decode[vault.ExtractResult](op)
	if err != nil {
		return err
	}
	d.say(
		"the event %s ran the workflow %s: %s, with %d model call",
		vault.ExtractSchema.Event,
		op.Workflow,
		found.Outcome,
		found.ModelCalls,
	)
	if err := d.printRequirements(); err != nil {
		return err
	}
	suggested, err := d.Query.Definition(d.ctx, d.tenant, d.agent, "date_of_birth")
	if err != nil {
		return err
	}
	d.say(
		"%s was suggested, of type %s, enabled: %t; saving it enabled approves it:",
		suggested.Name,
		suggested.ValueType,
		suggested.Enabled,
	)
	suggested.Enabled = true
	r, err = trigger.Submit(d.ctx, d.Trigger, d.tenant, vault.SaveDefinition, suggested)
	if _, err := d.done(r, err); err != nil {
		return err
	}
	approved, err := d.Query.Definition(d.ctx, d.tenant, d.agent, "date_of_birth")
	if err != nil {
		return err
	}
	d.say("%s enabled: %t, origin: %s, prompt: %q", approved.Name, approved.Enabled, approved.Origin, approved.Prompt())
	return d.rejectReviews()
}

// rejectReviews rejects the requirements with a low confidence. This scenario opens an account, so it does not ask for
// one.
func (d *story) rejectReviews() error {
	waiting, _, err := d.Query.ReviewsPage(d.ctx, d.tenant, nil, 100)
	if err != nil {
		return err
	}
	for _, req := range waiting.Requirements {
		r, err := trigger.Submit(
			d.ctx,
			d.Trigger,
			d.tenant,
			vault.DecideReview,
			vault.DecideReviewInput{Kind: vault.ReviewOfRequirement, ID: req.ID, Decision: vault.Reject},
		)
		if _, err := d.done(r, err); err != nil {
			return err
		}
		d.say(
			"%s (confidence %.2f) waited for a review and is rejected: the vault does not ask for it, and it does not come back",
			req.FieldName,
			req.Confidence,
		)
	}
	return nil
}

func (d *story) printRequirements() error {
	reqs, err := d.Query.Requirements(d.ctx, d.tenant, d.scenario)
	for _, req := range reqs {
		if req.Review == vault.ReviewRejected {
			continue
		}
		why := ""
		if req.Quote != "" {
			why = fmt.Sprintf(", because the text says %q (confidence %.2f)", req.Quote, req.Confidence)
		}
		d.say(
			"requires %-13s level %s, fallback %s, origin %s%s",
			req.FieldName,
			req.RequiredLevel,
			req.FallbackAction,
			req.Origin,
			why,
		)
	}
	return err
}

func (d *story) requireByHand() error {
	for i, name := range []string{"legal_name", "country", "account_type"} {
		r, err := trigger.Submit(d.ctx, d.Trigger, d.tenant, vault.SaveRequirement, vault.Requirement{
			AgentID: d.agent, ScenarioID: d.scenario, FieldName: name, RequiredLevel: vault.LevelHard,
			FallbackAction: vault.FallbackAsk, Order: 10 + i,
		})
		if _, err := d.done(r, err); err != nil {
			return err
		}
	}
	return d.printRequirements()
}

func (d *story) writeWithLineage() error {
	r, err := trigger.Submit(d.ctx, d.Trigger, d.tenant, vault.AddAsset, vault.AddAssetInput{
		CustomerID:      d.customer,
		Name:            "id_card",
		AssetType:       "image",
		StorageProvider: "s3",
		StoragePath:     "uploads/id_card.jpg",
		MimeType:        "image/jpeg",
		SizeBytes:       182044,
		Checksum:        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
	})
	op, err := d.done(r, err)
	if err != nil {
		return err
	}
	asset, err := decode[vault.ItemResult](op)
	if err != nil {
		return err
	}
	d.document = asset.ItemID
	err = d.write(vault.WriteValueInput{
		Name: "legal_name", Value: text(customer.name), Source: vault.ValueDocumentExtracted,
		Lineage: vault.Lineage{
			SourceItemID: &d.document, SourceItemType: vault.SourceProfileAsset,
			SourceMetadata: json.RawMessage(`{"tool": "ocr_extractor", "confidence": 0.95}`),
		},
	})
	if err != nil {
		return err
	}
	return d.printField("legal_name")
}

func (d *story) printField(name string) error {
	p, err := d.Query.Profile(d.ctx, d.tenant, d.customer)
	if err != nil {
		return err
	}
	f, ok := p.Fields[name]
	if !ok {
		d.say("profile version %d: no active value of %s", p.Version, name)
		return nil
	}
	d.say(
		"profile version %d: %s = %s, %s, source %s, confidence %.2f",
		p.Version,
		f.Name,
		f.Value,
		f.Status,
		f.Source,
		f.Confidence,
	)
	return nil
}

func (d *story) showChain() error {
	p, err := d.Query.Profile(d.ctx, d.tenant, d.customer)
	if err != nil {
		return err
	}
	chain, err := d.Query.Chain(d.ctx, d.tenant, p.Fields["legal_name"].ID, 0)
	for _, link := range chain.Links {
		d.say("%s %s %s %s", link.Type, link.Name, link.ID, link.Meta)
	}
	return err
}

func (d *story) writeInvalid() error {
	err := d.write(
		vault.WriteValueInput{Name: "account_type", Value: text(customer.notAnAccount), Source: vault.ValueUserProvided},
	)
	var rejected *vault.Error
	if !errors.As(err, &rejected) {
		return fmt.Errorf("an invalid value was not rejected: %w", err)
	}
	d.say("rejected: %s", rejected.ForCaller())
	err = d.write(
		vault.WriteValueInput{Name: "email", Value: text(customer.notAnEmail), Source: vault.ValueUserProvided},
	)
	if !errors.As(err, &rejected) {
		return fmt.Errorf("an invalid value was not rejected: %w", err)
	}
	d.say("rejected, without the value, because it is PII: %s", rejected.ForCaller())
	return nil
}

func (d *story) listMissing() error {
	out, err := d.Query.Missing(d.ctx, d.tenant, query.MissingInput{CustomerID: d.customer, ScenarioID: d.scenario})
	for _, m := range out.Missing {
		d.say("missing %-13s %s (required_level=%s)", m.Requirement.FieldName, m.Reason, m.Requirement.RequiredLevel)
	}
	d.say("can the scenario start? %t", !out.Blocked)
	return err
}

func (d *story) fillGaps() error {
	r, err := trigger.Submit(d.ctx, d.Trigger, d.tenant, vault.SaveSession, vault.SaveSessionInput{
		SessionID: d.session, AgentID: d.agent, CustomerID: d.customer,
		Variables: map[string]json.RawMessage{"country": text(customer.country)},
		Turns: []vault.Turn{
			{Speaker: vault.SpeakerAgent, Text: "Welcome! How can I help you today?"},
			{Speaker: vault.SpeakerCustomer, Text: customer.wantsSavings},
			{Speaker: vault.SpeakerAgent, Text: "Gladly. What is your email address?"},
			{Speaker: vault.SpeakerCustomer, Text: customer.saysEmail},
		},
	})
	if _, err := d.done(r, err); err != nil {
		return err
	}
	fill, err := trigger.Submit(
		d.ctx,
		d.Trigger,
		d.tenant,
		vault.FillGaps,
		vault.FillGapsInput{CustomerID: d.customer, ScenarioID: d.scenario, SessionID: &d.session},
	)
	if err != nil {
		return err
	}
	first, err := d.question(uuid.Nil)
	if err != nil {
		return err
	}
	d.say("asked: %q", first.Prompt)
	r, err = trigger.Submit(
		d.ctx,
		d.Trigger,
		d.tenant,
		vault.AnswerQuestion,
		vault.AnswerQuestionInput{QuestionID: first.ID, Value: text(customer.notADate)},
	)
	_, err = d.done(r, err)
	var rejected *vault.Error
	if !errors.As(err, &rejected) {
		return fmt.Errorf("an invalid answer was not rejected: %w", err)
	}
	again, err := d.question(first.ID)
	if err != nil {
		return err
	}
	d.say("the answer was invalid; asked again (attempt %d): %q, because: %s", again.Attempt, again.Prompt, again.Reason)
	r, err = trigger.Submit(
		d.ctx,
		d.Trigger,
		d.tenant,
		vault.AnswerQuestion,
		vault.AnswerQuestionInput{QuestionID: again.ID, Value: text(customer.born)},
	)
	if _, err := d.done(r, err); err != nil {
		return err
	}
	confirm, err := d.question(again.ID)
	if err != nil {
		return err
	}
	d.say("the value from the conversation needs confirmation (%s): %q", confirm.Kind, confirm.Prompt)
	r, err = trigger.Submit(
		d.ctx,
		d.Trigger,
		d.tenant,
		vault.AnswerQuestion,
		vault.AnswerQuestionInput{QuestionID: confirm.ID, Value: text("yes")},
	)
	if _, err := d.done(r, err); err != nil {
		return err
	}
	op, err := fill.Wait(d.ctx)
	if err != nil {
		return err
	}
	return d.printFill(op)
}

func (d *story) printFill(op vault.Operation) error {
	result, err := decode[vault.FillResult](op)
	if err != nil {
		return err
	}
	for _, f := range result.Fields {
		if !f.Filled {
			return fmt.Errorf("could not fill %s: %s %v", f.FieldName, f.Action, f.Errors)
		}
		quote := ""
		if f.Source == vault.GapFromConversation {
			field, err := d.Query.Field(d.ctx, d.tenant, *f.ItemID)
			if err != nil {
				return err
			}
			var meta struct{ Quote string }
			if err := json.Unmarshal(field.SourceMetadata, &meta); err != nil {
				return err
			}
			quote = fmt.Sprintf(", quote %q", meta.Quote)
		}
		d.say("filled %-13s from %s (confidence %.2f)%s", f.FieldName, f.Source, f.Confidence, quote)
	}
	d.say("model calls: %d; can the scenario start? %t", result.ModelCalls, !result.Blocked)
	return nil
}

// question waits for an open question other than known.
func (d *story) question(known uuid.UUID) (vault.Question, error) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		open, err := d.Query.Questions(d.ctx, d.tenant, d.customer)
		if err != nil {
			return vault.Question{}, err
		}
		for _, q := range open {
			if q.ID != known {
				return q, nil
			}
		}
		select {
		case <-d.ctx.Done():
			return vault.Question{}, fmt.Errorf("no question was asked: %w", d.ctx.Err())
		case <-tick.C:
		}
	}
}

func (d *story) expire() error {
	soon := time.Now().Add(time.Second)
	if err := d.write(
		vault.WriteValueInput{
			Name:      "country",
			Value:     text(customer.laterCountry),
			Source:    vault.ValueUserProvided,
			ExpiresAt: &soon,
		},
	); err != nil {
		return err
	}
	if err := d.printField("country"); err != nil {
		return err
	}
	select {
	case <-d.ctx.Done():
		return d.ctx.Err()
	case <-time.After(time.Until(soon)):
	}
	r, err := trigger.Submit(d.ctx, d.Trigger, d.tenant, vault.ExpireValues, vault.Sweep{})
	op, err := d.done(r, err)
	if err != nil {
		return err
	}
	swept, err := decode[vault.SweepResult](op)
	if err != nil {
		return err
	}
	d.say("%s marked %d item(s) in %d customer(s)", op.Workflow, swept.Marked, swept.Customers)
	// A sweep at its scheduled time may have been first: the status counts, not the number.
	if err := d.checkStatus("country", vault.StatusExpired); err != nil {
		return err
	}
	return d.printField("country")
}

// checkStatus fails unless the newest version of a field has a status, so that the demo shows what its steps say.
func (d *story) checkStatus(name string, want vault.ItemStatus) error {
	versions, err := d.Query.History(d.ctx, d.tenant, d.customer, name)
	if err != nil {
		return err
	}
	if len(versions) == 0 || versions[0].Status != want {
		return fmt.Errorf("no version of %s became %s", name, want)
	}
	return nil
}

func (d *story) orphan() error {
	r, err := trigger.Submit(d.ctx, d.Trigger, d.tenant, vault.DeleteItem, vault.DeleteItemInput{ItemID: d.document})
	_, err = d.done(r, err)
	if vault.CodeOf(err) != vault.CodeHasDependents {
		return fmt.Errorf("the deletion of a source was not rejected: %w", err)
	}
	d.say("rejected: %s", err)
	r, err = trigger.Submit(
		d.ctx,
		d.Trigger,
		d.tenant,
		vault.DeleteItem,
		vault.DeleteItemInput{ItemID: d.document, Force: true},
	)
	op, err := d.done(r, err)
	if err != nil {
		return err
	}
	deleted, err := decode[vault.DeleteResult](op)
	if err != nil {
		return err
	}
	d.say("an admin forced it: %d item(s) orphaned", deleted.Orphaned)
	if err := d.checkStatus("legal_name", vault.StatusOrphaned); err != nil {
		return err
	}
	versions, err := d.Query.History(d.ctx, d.tenant, d.customer, "legal_name")
	for _, v := range versions {
		d.say("%s = %s is %s", v.Name, v.Value, v.Status)
	}
	return err
}

func (d *story) history() error {
	versions, err := d.Query.History(d.ctx, d.tenant, d.customer, "country")
	for _, v := range versions {
		d.say("%s %-13s %s, source %s", v.AcceptedAt.Format(time.TimeOnly), v.Value, v.Status, v.Source)
	}
	return err
}

func (d *story) replay() error {
	r, err := trigger.Submit(d.ctx, d.Trigger, d.tenant, vault.WriteValue, vault.WriteValueInput{
		AgentID:    d.agent,
		CustomerID: d.customer,
		Name:       "loyalty_number",
		Value:      json.RawMessage(customer.loyaltyNumber),
		Source:     vault.ValueUserProvided,
	})
	op, err := d.done(r, err)
	var rejected *vault.Error
	if !errors.As(err, &rejected) {
		return fmt.Errorf("a write of an undefined field was not rejected: %w", err)
	}
	d.say("operation %s %s: %s", op.ID, op.Status, rejected.ForCaller())
	saved, err := trigger.Submit(
		d.ctx,
		d.Trigger,
		d.tenant,
		vault.SaveDefinition,
		vault.Definition{AgentID: d.agent, Name: "loyalty_number", ValueType: vault.TypeNumber, Enabled: true},
	)
	if _, err := d.done(saved, err); err != nil {
		return err
	}
	run, err := d.runOf(op.ID)
	if err != nil {
		return err
	}
	if _, err := d.engine.Runs().Replay(d.ctx, rest.V1ReplayTaskRequest{ExternalIds: &[]uuid.UUID{run}}); err != nil {
		return fmt.Errorf("replay run %s: %w", run, err)
	}
	d.say("saved the definition and replayed run %s, as from Hatchet's dashboard", run)
	if err := d.untilSucceeded(op.ID); err != nil {
		return err
	}
	return d.printField("loyalty_number")
}

// runOf returns the failed run of an operation. Every run carries the operation's id as metadata.
func (d *story) runOf(op uuid.UUID) (uuid.UUID, error) {
	tick := time.NewTicker(100 * time.Millisecond) // the engine lists a run shortly after its end
	defer tick.Stop()
	metadata := []string{"operation_id:" + op.String()}
	for {
		runs, err := d.engine.Runs().List(d.ctx, rest.V1WorkflowRunListParams{
			Since: time.Now().Add(
				-time.Hour,
			),
			AdditionalMetadata: &metadata,
			Statuses:           &[]rest.V1TaskStatus{rest.V1TaskStatusFAILED},
		})
		if err != nil {
			return uuid.Nil, fmt.Errorf("list the runs of operation %s: %w", op, err)
		}
		if len(runs.Rows) > 0 {
			return runs.Rows[0].WorkflowRunExternalId, nil
		}
		select {
		case <-d.ctx.Done():
			return uuid.Nil, fmt.Errorf("no failed run of operation %s: %w", op, d.ctx.Err())
		case <-tick.C:
		}
	}
}

// untilSucceeded waits for a replayed operation. Its status is still failed until its run starts.
func (d *story) untilSucceeded(id uuid.UUID) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		op, err := d.Query.Operation(d.ctx, d.tenant, id)
		if err != nil {
			return err
		}
		if op.Status == vault.OperationSucceeded {
			d.say("operation %s %s", op.ID, op.Status)
			return nil
		}
		select {
		case <-d.ctx.Done():
			return fmt.Errorf("operation %s is still %s: %w", id, op.Status, d.ctx.Err())
		case <-tick.C:
		}
	}
}
