package main

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/hatchet-dev/hatchet/pkg/client/rest"

	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// lateRetries tries to bring the erased back.
func (d *drill) lateRetries(t *testing.T) {
	t.Helper()
	var mu sync.Mutex
	var late []trigger.Receipt
	d.each(t, d.erased, func(ctx context.Context, p *person) error {
		for _, r := range p.writes {
			if _, err := d.Trigger.Replay(ctx, d.tenant, r.ID); vault.CodeOf(err) != vault.CodeErased {
				t.Errorf("a replay of %s says %v", r.Workflow, err)
			}
		}
		again := *p
		again.writes = nil
		for _, err := range d.comeBack(ctx, &again) {
			if err != nil {
				return err
			}
		}
		mu.Lock()
		defer mu.Unlock()
		late = append(late, again.writes...)
		return nil
	})
	ids := make([]uuid.UUID, len(late))
	for i, r := range late {
		ids[i] = r.ID
	}
	d.ended(t, ids, vault.OperationFailed)
	for _, r := range late {
		op, err := d.Query.Operation(t.Context(), d.tenant, r.ID)
		if err != nil || op.Error == nil || op.Error.Code != vault.CodeErased {
			t.Errorf("a late %s failed with %v, %v", r.Workflow, op.Error, err)
		}
	}
	d.replayShared(t)
	d.lateImport(t)
}

// comeBack submits what would bring a customer back.
func (d *drill) comeBack(ctx context.Context, p *person) []error {
	write := vault.WriteValueInput{
		AgentID: d.agent, CustomerID: p.id, Name: "note", Value: quoted(p.canary), Source: vault.ValueHumanEntered,
	}
	out := []error{
		submit(ctx, d, p, vault.WriteValue, write),
		submit(ctx, d, p, vault.SaveSession, vault.SaveSessionInput{
			SessionID: p.session, AgentID: d.agent, CustomerID: p.id,
			Turns: []vault.Turn{{Speaker: vault.SpeakerCustomer, Text: p.canary}},
		}),
		submit(ctx, d, p, vault.OpenCustomer, vault.OpenCustomerInput{Channel: "sms", ExternalID: p.canary}),
	}
	if !p.whole {
		return out
	}
	imported := vault.ImportValuesInput{Writes: []vault.WriteValueInput{write}}
	write.CustomerID = p.alias
	return append(out,
		submit(ctx, d, p, vault.ImportValues, imported),
		submit(ctx, d, p, vault.WriteValue, write),
		submit(ctx, d, p, vault.OpenCustomer, vault.OpenCustomerInput{Channel: "web", ExternalID: p.canary}),
		submit(ctx, d, p, vault.TakeTurn, vault.TakeTurnInput{
			CustomerID: p.id, SessionID: p.session, AgentID: d.agent, Text: "It is " + p.canary,
		}),
		submit(ctx, d, p, vault.TakeTurn, vault.TakeTurnInput{
			Channel: "sms", ExternalID: p.canary, SessionKey: p.canary, AgentID: d.agent, Text: "It is " + p.canary,
		}),
		submit(ctx, d, p, vault.AddAsset, vault.AddAssetInput{
			CustomerID: p.id, Name: "id_card", AssetType: "document", StorageProvider: "s3", StoragePath: p.canary,
			SizeBytes: 1, Checksum: strings.Repeat("a", 64),
		}),
		submit(ctx, d, p, vault.RecordConsent, vault.RecordConsentInput{
			CustomerID: p.id, Purpose: "support", Granted: true, Source: p.canary,
		}),
		submit(ctx, d, p, vault.LinkChannel, vault.LinkChannelInput{
			CustomerID: p.partner.id, Channel: "mail", ExternalID: "at " + p.canary,
		}),
		submit(ctx, d, p, vault.FillGaps, vault.FillGapsInput{
			CustomerID: p.id, ScenarioID: d.scenario, SessionID: &p.session,
		}),
		submit(ctx, d, p, vault.SetCustomerLabel, vault.SetCustomerLabelInput{CustomerID: p.id, Label: p.canary}),
		submit(ctx, d, p, vault.MergeCustomers, vault.MergeCustomersInput{
			SourceCustomerID: p.id, TargetCustomerID: p.partner.id,
		}),
		submit(ctx, d, p, vault.ExportCustomer, vault.ExportCustomerInput{CustomerID: p.id}),
		submit(ctx, d, p, vault.EraseCustomer, vault.EraseCustomerInput{CustomerID: p.id}),
	)
}

// replayShared replays the runs of the operations that held all customers, as the engine's dashboard does. They were
// applied, and change nothing.
func (d *drill) replayShared(t *testing.T) {
	t.Helper()
	for _, r := range d.shared {
		run := d.Run(t, r.ID, rest.V1TaskStatusCOMPLETED)
		d.Replay(t, run)
		d.Rerun(t, run, rest.V1TaskStatusCOMPLETED)
	}
}

// lateImport imports values of all customers, and replays an import of all that had failed, once its cause is gone. They
// store those of the customers who stayed.
func (d *drill) lateImport(t *testing.T) {
	t.Helper()
	in := vault.ImportValuesInput{SkipInvalid: true}
	for _, p := range d.people {
		in.Writes = append(in.Writes, vault.WriteValueInput{
			AgentID: d.agent, CustomerID: p.id, Name: "load", Value: quoted("late " + p.canary), Source: vault.ValueHumanEntered,
		})
	}
	var out vault.ImportResult
	r, err := trigger.Submit(t.Context(), d.Trigger, d.tenant, vault.ImportValues, in)
	if err := json.Unmarshal(d.applied(r, err).Result, &out); err != nil || out.Written != len(d.kept) ||
		len(out.Rejected) != len(d.erased) || out.Rejected[0].Code != vault.CodeErased {
		t.Errorf("a late import of all says %+v, %v", out, err)
	}
	d.applied(trigger.Submit(t.Context(), d.Trigger, d.tenant, vault.SaveDefinition, vault.Definition{
		AgentID: d.agent, Name: "later", ValueType: vault.TypeString, Enabled: true,
	}))
	if _, err := d.Trigger.Replay(t.Context(), d.tenant, d.failedImport.ID); err != nil {
		t.Fatal(err)
	}
	d.applied(d.failedImport, nil)
	for _, p := range d.kept {
		got, err := d.Query.Profile(t.Context(), d.tenant, p.id)
		if err != nil || string(got.Fields["later"].Value) != string(quoted("later "+p.canary)) {
			t.Errorf("the late import left %s, %v", got.Fields["later"].Value, err)
		}
	}
}
