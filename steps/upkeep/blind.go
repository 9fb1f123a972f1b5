package upkeep

import (
	"context"
	"encoding/json"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/rules"
)

// searchable reports whether the sealed values of a name can be found.
func (s Keys) searchable(ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, name string) (bool, error) {
	names, err := q.ListSearchableNames(ctx, tenant, []string{name})
	return len(names) > 0, err
}

// blindKey returns the key of a value in the blind index, 0 if it has none.
func (s Keys) blindKey(
	ctx context.Context, tenant uuid.UUID, name string, searchable bool, value json.RawMessage,
) (int64, error) {
	if !searchable {
		return 0, nil
	}
	return s.Sealer.BlindKey(ctx, tenant, name, rules.MatchText(value))
}

// indexFields makes the blind index of the fields right whose definitions changed.
func (s Keys) indexFields(ctx context.Context) (int, error) {
	fields, err := s.DB.System().ListFieldsToIndex(ctx, maxFieldsToSeal)
	if err != nil {
		return 0, err
	}
	var due []dueField
	for _, f := range fields {
		due = append(due, dueField{
			name: f.Name, changed: f.IndexDue,
			index: func() (int, error) { return s.indexField(ctx, f.TenantID, f.Name) },
			mark: func(q *dbgen.Queries) error {
				return q.MarkFieldIndexed(ctx, dbgen.MarkFieldIndexedParams{
					TenantID: f.TenantID, Name: f.Name, IndexDue: &f.IndexDue,
				})
			},
		})
	}
	return s.indexDue(ctx, due)
}

// indexField adds the keys of sealed versions that have none, or removes those that may not be there.
func (s Keys) indexField(ctx context.Context, tenant uuid.UUID, name string) (int, error) {
	total := 0
	for after := uuid.Nil; ; {
		var n int
		err := s.DB.InSystemTx(ctx, func(q *dbgen.Queries) error {
			searchable, err := s.searchable(ctx, q, tenant, name)
			if err != nil {
				return err
			}
			rows, err := q.ListSealedVersions(ctx, dbgen.ListSealedVersionsParams{
				TenantID: tenant, AfterID: after, Name: name, HasKey: !searchable, MaxRows: s.Batch,
			})
			if n = len(rows); err != nil || n == 0 {
				return err
			}
			after = rows[n-1].ID
			in := dbgen.SetBlindKeysParams{TenantID: tenant}
			for _, row := range rows {
				v := db.ValueOf(row)
				if searchable { // what is removed need not be opened
					if err := s.Sealer.OpenValue(ctx, tenant, &v); err != nil {
						return err
					}
				}
				key, err := s.blindKey(ctx, tenant, name, searchable, v.Value)
				if err != nil {
					return err
				}
				in.Ids, in.Vals = append(in.Ids, row.ID), append(in.Vals, string(row.Value))
				in.BlindKeys = append(in.BlindKeys, key)
			}
			return q.SetBlindKeys(ctx, in)
		})
		if total += n; err != nil || n == 0 {
			return total, err
		}
	}
}
