package upkeep

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/vault"
)

// Keys keeps what is sealed up to date: with the sealing key, and with the definitions. Its steps work in batches, each
// of which is a transaction: an interrupted step keeps its finished batches, and several can run at the same time.
type Keys struct {
	DB     *db.DB
	Sealer *db.Sealer
	Caches Caches
	Batch  int32
	// TenantKeyLife is the age at which RotateKeys rotates the key of a tenant. 0: only on request.
	TenantKeyLife time.Duration
	Now           func() time.Time
}

// SealedValues counts the work of SealValues.
type SealedValues struct {
	Values int `json:"values"` // versions that were plain
	Fields int `json:"fields"` // names of which no plain version is left
	// Indexed counts the sealed versions whose key of the blind index was added or removed.
	Indexed int `json:"indexed"`
	// Prefixed counts the versions that were added to the index of beginnings or removed from it.
	Prefixed int `json:"prefixed"`
}

// maxFieldsToSeal bounds the fields of one run.
const maxFieldsToSeal = 1000

// SealValues seals the versions of fields that were stored before a definition required encryption, and removes their
// values from questions and errors. A field is done once no plain version is left and every write that began before has
// ended. It also adds the versions of fields that became searchable to the blind index, and removes those of fields
// that are not searchable any more, and does the same for the fields that can be found by the beginning of their
// values.
func (s Keys) SealValues(ctx context.Context, _ vault.Event) (SealedValues, error) {
	var out SealedValues
	fields, err := s.DB.System().ListFieldsToSeal(ctx, maxFieldsToSeal)
	if err != nil {
		return out, err
	}
	for _, f := range fields {
		n, err := s.sealField(ctx, f)
		if out.Values += n; err != nil {
			return out, fmt.Errorf("seal the versions of %s: %w", f.Name, err)
		}
		done, err := s.finishField(ctx, f)
		if err != nil {
			return out, fmt.Errorf("seal the versions of %s: %w", f.Name, err)
		}
		if done {
			out.Fields++
		}
	}
	if out.Values > 0 {
		if _, err = s.Caches.FlushPending(ctx); err != nil {
			return out, err
		}
	}
	if out.Indexed, err = s.indexFields(ctx); err != nil {
		return out, err
	}
	out.Prefixed, err = s.indexPrefixes(ctx)
	return out, err
}

func (s Keys) sealField(ctx context.Context, f dbgen.ListFieldsToSealRow) (int, error) {
	total := 0
	for after := uuid.Nil; ; {
		rows, err := s.DB.System().ListPlainVersions(ctx, dbgen.ListPlainVersionsParams{
			TenantID: f.TenantID, AfterID: after, Name: f.Name, MaxRows: s.Batch,
		})
		if err != nil || len(rows) == 0 {
			return total, err
		}
		ids, profiles := make([]uuid.UUID, len(rows)), make([]uuid.UUID, len(rows))
		for i, r := range rows {
			ids[i], profiles[i] = r.ID, r.ProfileID
		}
		n := 0
		err = s.DB.InSystemTx(ctx, func(q *dbgen.Queries) (err error) {
			n, err = s.sealVersions(ctx, q, f.TenantID, f.Name, ids, profiles)
			return err
		})
		if total += n; err != nil {
			return total, err
		}
		after = ids[len(ids)-1]
	}
}

// sealVersions seals versions that are still plain, and drops what caches hold of them.
func (s Keys) sealVersions(
	ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, name string, ids, profiles []uuid.UUID,
) (int, error) {
	if _, err := q.LockProfilesByID(ctx, tenant, profiles); err != nil {
		return 0, err
	}
	rows, err := q.LockPlainVersions(ctx, tenant, ids)
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	customers := make([]uuid.UUID, len(rows))
	for i, r := range rows {
		customers[i] = r.CustomerID
	}
	if err := s.Sealer.Prepare(ctx, tenant, customers, true); err != nil {
		return 0, err
	}
	in := dbgen.SealVersionsParams{TenantID: tenant}
	searchable, err := s.searchable(ctx, q, tenant, name)
	if err != nil {
		return 0, err
	}
	for _, r := range rows {
		key, err := s.blindKey(ctx, tenant, name, searchable, r.Value)
		if err != nil {
			return 0, err
		}
		in.BlindKeys = append(in.BlindKeys, key)
		version := dbgen.InsertValueParams{
			ID: r.ID, Value: r.Value, SourceMetadata: r.SourceMetadata, DecisionNote: r.DecisionNote,
		}
		owner := db.Owner{TenantID: tenant, CustomerID: r.CustomerID}
		if err := s.Sealer.SealVersion(ctx, owner, &version); err != nil {
			return 0, err
		}
		in.Ids, in.Vals = append(in.Ids, r.ID), append(in.Vals, string(version.Value))
		in.Metadata, in.Notes = append(in.Metadata, string(version.SourceMetadata)), append(in.Notes, version.DecisionNote)
	}
	if err := q.SealVersions(ctx, in); err != nil {
		return 0, err
	}
	if _, err := q.BumpProfiles(ctx, profiles); err != nil {
		return 0, err
	}
	return len(rows), q.AddPendingChainInvalidations(ctx, in.Ids)
}

// finishField removes the values from questions and errors, and marks the field if nothing plain can come any more.
func (s Keys) finishField(ctx context.Context, f dbgen.ListFieldsToSealRow) (done bool, err error) {
	err = s.DB.InSystemTx(ctx, func(q *dbgen.Queries) error {
		if err := q.ClearQuestions(ctx, f.TenantID, f.Name); err != nil {
			return err
		}
		if err := q.ClearErrorDetails(ctx, f.TenantID, f.Name); err != nil {
			return err
		}
		open, err := q.HasPlainQuestion(ctx, f.TenantID, f.Name)
		if err != nil || open || s.Now().Before(f.AddedAt.Add(maxWriteDuration)) {
			return err
		}
		plain, err := q.ListPlainVersions(ctx, dbgen.ListPlainVersionsParams{
			TenantID: f.TenantID, AfterID: uuid.Nil, Name: f.Name, MaxRows: 1,
		})
		if err != nil || len(plain) > 0 {
			return err
		}
		done = true
		return q.MarkFieldSealed(ctx, f.TenantID, f.Name)
	})
	return done, err
}
