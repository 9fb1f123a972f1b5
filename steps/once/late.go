package once

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/vault"
)

// lateCause returns the error with which an operation fails: vault.CodeErased if it is about a customer who was erased,
// or about something that belonged to one, whatever a step found wrong with it first. Otherwise a late operation that
// is also invalid would leave its payload, its error and the id of the customer behind.
func (o Runner) lateCause(
	ctx context.Context, q *dbgen.Queries, ev vault.Event, cause error,
) (reason, err error) {
	if vault.CodeOf(cause) == vault.CodeErased {
		return cause, nil
	}
	op, err := q.GetOperation(ctx, ev.TenantID, ev.OperationID)
	if db.IsNotFound(err) {
		return cause, nil
	}
	if err != nil {
		return cause, err
	}
	var ids []uuid.UUID
	if owner := db.OwnerOf(op.TenantID, op.Payload); owner.CustomerID != uuid.Nil {
		ids = append(ids, owner.CustomerID)
	}
	for part := range strings.SplitSeq(op.Subject, ":") {
		if id, err := uuid.Parse(part); err == nil {
			ids = append(ids, id)
		}
	}
	var subjects []string
	for _, id := range ids {
		subjects = append(subjects, db.CustomerSubject(id))
		if vault.CodeOf(cause) == vault.CodeUnknown { // a caller may choose an id anew
			subjects = append(subjects, db.BelongingSubject(id))
		}
	}
	found, err := db.FindErased(ctx, q, o.Sealer, op.TenantID, subjects...)
	if err != nil {
		return cause, err
	}
	for _, s := range subjects {
		if erased, ok := found[s]; ok && erased.ErasureID != op.ID { // an erasure finds its own tombstones
			return erased.Error("customer_id"), nil
		}
	}
	return cause, nil
}
