package db

import (
	"context"
	"encoding/binary"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db/dbgen"
)

// Rotation is what is left to do until the sealing key needs its primary key only, and each tenant's key as well.
type Rotation struct {
	// KeyID is the id of the primary key in VAULT_SEALING_KEY.
	KeyID uint32 `json:"key_id"`
	// TenantKeys is the number of tenants' keys that another key encrypted.
	TenantKeys int64 `json:"tenant_keys"`
	// Operations is the number of operations with data that another key sealed.
	Operations int64 `json:"operations"`
	// Webhooks is the number of webhooks with a secret that another key sealed.
	Webhooks int64 `json:"webhooks"`
	// ErasureKeys is the number of tenants whose keys for tombstones and receipts another key sealed.
	ErasureKeys int64 `json:"erasure_keys"`
	// CustomerKeys is the number of customers' keys that an older key of their tenant wrapped. They do not need the
	// sealing key.
	CustomerKeys int64 `json:"customer_keys"`
}

// Done reports whether the other keys can be removed from the sealing key.
func (r Rotation) Done() bool {
	return r.TenantKeys == 0 && r.Operations == 0 && r.ErasureKeys == 0 && r.Webhooks == 0
}

// prefix is what Tink puts before a ciphertext of the primary key.
func (s *Sealer) prefix() []byte { return binary.BigEndian.AppendUint32([]byte{1}, s.primary) }

// Rotation counts what is left of a rotation. q sees all tenants.
func (s *Sealer) Rotation(ctx context.Context, q *dbgen.Queries) (Rotation, error) {
	row, err := q.CountRotation(ctx, int64(s.primary), s.prefix())
	return Rotation{
		KeyID: s.primary, TenantKeys: row.TenantKeys, CustomerKeys: row.CustomerKeys, Operations: row.Operations,
		ErasureKeys: row.ErasureKeys, Webhooks: row.Webhooks,
	}, err
}

// ResealOperations seals again, with the primary key, one batch of operations of which another key sealed something
// itself. It returns the id of the last one and their number; after is the last id of the batch before. q is a
// transaction that sees all tenants.
func (s *Sealer) ResealOperations(
	ctx context.Context, q *dbgen.Queries, after uuid.UUID, batch int32,
) (last uuid.UUID, n int, err error) {
	rows, err := q.ListOperationsToReseal(ctx, dbgen.ListOperationsToResealParams{
		AfterID: after, Prefix: s.prefix(), MaxRows: batch,
	})
	if err != nil || len(rows) == 0 {
		return after, 0, err
	}
	var in dbgen.ResealOperationsParams
	for _, r := range rows {
		payload, err := s.reseal(ctx, r.TenantID, r.ID, r.Payload)
		if err != nil {
			return after, 0, err
		}
		prepared, err := s.reseal(ctx, r.TenantID, r.ID, r.Prepared)
		if err != nil {
			return after, 0, err
		}
		in.Ids, in.Payloads, in.Prepared = append(in.Ids, r.ID), append(in.Payloads, payload), append(in.Prepared, prepared)
		last = r.ID
	}
	return last, len(rows), q.ResealOperations(ctx, in)
}

// ResealWebhooks seals again, with the primary key, one batch of webhooks' secrets, and returns their number. q is a
// transaction that sees all tenants.
func (s *Sealer) ResealWebhooks(ctx context.Context, q *dbgen.Queries, batch int32) (int, error) {
	rows, err := q.ListWebhooksToReseal(ctx, s.prefix(), batch)
	for _, r := range rows {
		if err != nil {
			break
		}
		in := dbgen.ResealWebhookParams{TenantID: r.TenantID, ID: r.ID}
		if in.Secret, err = s.reseal(ctx, r.TenantID, r.ID, r.Secret); err != nil {
			break
		}
		if in.PreviousSecret, err = s.reseal(ctx, r.TenantID, r.ID, r.PreviousSecret); err == nil {
			err = q.ResealWebhook(ctx, in)
		}
	}
	return len(rows), err
}

// ResealErasureKeys seals again, with the primary key, one batch of the tenants' keys for tombstones and receipts, and
// returns their number. The keys stay the same: old tombstones are found, and old receipts verify. q is a transaction
// that sees all tenants.
func (s *Sealer) ResealErasureKeys(ctx context.Context, q *dbgen.Queries, batch int32) (int, error) {
	rows, err := q.ListErasureKeysToReseal(ctx, s.prefix(), batch)
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	var in dbgen.ResealErasureKeysParams
	for _, r := range rows {
		hash, err := s.reseal(ctx, r.TenantID, r.TenantID, r.HashKey)
		if err != nil {
			return 0, err
		}
		signing, err := s.reseal(ctx, r.TenantID, r.TenantID, r.SigningKey)
		if err != nil {
			return 0, err
		}
		in.Tenants = append(in.Tenants, r.TenantID)
		in.HashKeys, in.SigningKeys = append(in.HashKeys, hash), append(in.SigningKeys, signing)
	}
	return len(rows), q.ResealErasureKeys(ctx, in)
}

// reseal returns what is sealed of a row, such as an operation, sealed by the primary key if the sealing key itself
// sealed it.
func (s *Sealer) reseal(ctx context.Context, tenant, row uuid.UUID, sealed []byte) ([]byte, error) {
	by := sealedBy(sealed)
	switch {
	case len(sealed) == 0:
		return []byte{}, nil
	case by == 0 || by == s.primary:
		return sealed, nil
	}
	plain, err := s.OpenBytes(ctx, tenant, row, sealed)
	if err != nil {
		return nil, err
	}
	return s.SealBytes(ctx, Owner{TenantID: tenant}, row, plain)
}
