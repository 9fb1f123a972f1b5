package upkeep

import (
	"context"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db/dbgen"
)

// indexPrefixes makes the index of the beginnings of values right for the fields whose definitions changed.
func (s Keys) indexPrefixes(ctx context.Context) (int, error) {
	fields, err := s.DB.System().ListPrefixFieldsToIndex(ctx, maxFieldsToSeal)
	if err != nil {
		return 0, err
	}
	var due []dueField
	for _, f := range fields {
		due = append(due, dueField{
			name: f.Name, changed: f.IndexDue,
			index: func() (int, error) { return s.indexPrefix(ctx, f) },
			mark: func(q *dbgen.Queries) error {
				return q.MarkPrefixFieldIndexed(ctx, dbgen.MarkPrefixFieldIndexedParams{
					TenantID: f.TenantID, Name: f.Name, IndexDue: &f.IndexDue,
				})
			},
		})
	}
	return s.indexDue(ctx, due)
}

// indexPrefix adds the versions of a field to the index, or removes them from it, in batches.
func (s Keys) indexPrefix(ctx context.Context, f dbgen.ListPrefixFieldsToIndexRow) (int, error) {
	total := 0
	for after := uuid.Nil; ; {
		var ids []uuid.UUID
		err := s.DB.InSystemTx(ctx, func(q *dbgen.Queries) (err error) {
			ids, err = q.SetByPrefix(ctx, dbgen.SetByPrefixParams{
				TenantID: f.TenantID, Name: f.Name, ByPrefix: f.Allowed, AfterID: after, MaxRows: s.Batch,
			})
			return err
		})
		if total += len(ids); err != nil || len(ids) == 0 {
			return total, err
		}
		for _, id := range ids {
			if id.String() > after.String() {
				after = id
			}
		}
	}
}
