package gapfill

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/vault"
)

// acceptRetractions accepts the deletion of each stored value that the customer takes back in the turns of a new
// reading ("that email is wrong, please forget it"), unless this reading replaces the value. A value that is verified,
// or that came from another source than the customer's own words, stays: a sentence in a chat does not outweigh it.
func (s Gaps) acceptRetractions(ctx context.Context, q *dbgen.Queries, st *gapState, read *reading) error {
	if read == nil || st.fill.CancelledAt != nil {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(st.profile.Fields)) {
		field, def := st.profile.Fields[name], st.definition(name)
		required := slices.ContainsFunc(st.reqs, func(r vault.Requirement) bool { return r.FieldName == name })
		if def == nil || !required || field.Verified || !ownWords(field.Source) || st.isWriting(name) {
			continue
		}
		said := -1
		if h, ok := st.provenanceOf(field); ok {
			said = h.Turn
		}
		turn, ok := st.conversation().TakenBack(def, field, said, max(read.from, st.saidBefore(field)))
		if !ok {
			continue
		}
		child, err := db.AcceptOperation(ctx, q, s.Once.Sealer, st.op.TenantID, db.NewOperation{
			Workflow: vault.DeleteItem.Name, Event: vault.DeleteItem.Event, Subject: field.ID.String(),
			Key: fmt.Sprintf("fill:%s:retract:%s", st.op.ID, field.ID), ParentID: &st.op.ID, Pushing: true,
			Actor:      once.ActorOf(st.op),
			CustomerID: st.in.CustomerID,
			Payload: vault.DeleteItemInput{
				ItemID: field.ID, Reason: fmt.Sprintf("the customer took it back in turn %d of session %s", turn, st.in.SessionID),
			},
		})
		if err != nil {
			return err
		}
		st.follow(child)
	}
	return nil
}

// ownWords reports whether values of a source are the customer's own words.
func ownWords(source vault.ValueSource) bool {
	return source == vault.ValueLLMExtracted || source == vault.ValueUserProvided
}

// isWriting reports whether a write of the fill for a field is in progress.
func (st *gapState) isWriting(name string) bool {
	item, ok := st.items[name]
	if !ok || item.WriteID == nil {
		return false
	}
	child, known := st.children[*item.WriteID]
	return known && child.Status == string(vault.OperationAccepted)
}

// follow adds an operation that this step accepted to those that the fill waits for.
func (st *gapState) follow(child dbgen.Operation) {
	if _, known := st.children[child.ID]; !known {
		st.accepted = append(st.accepted, child)
	}
	st.children[child.ID] = dbgen.ListChildOperationsRow{ID: child.ID, Workflow: child.Workflow, Status: child.Status}
}
