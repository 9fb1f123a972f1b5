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

// Rotated counts the work of RotateKeys.
type Rotated struct {
	TenantKeys   int         `json:"tenant_keys"`   // encrypted by the primary key
	Rotations    int         `json:"rotations"`     // of tenants' keys that began, because the keys were old
	CustomerKeys int         `json:"customer_keys"` // wrapped by the new key of their tenant
	Operations   int         `json:"operations"`    // sealed by the primary key
	Webhooks     int         `json:"webhooks"`      // whose secrets were sealed by the primary key
	ErasureKeys  int         `json:"erasure_keys"`  // of tenants, sealed by the primary key
	Left         db.Rotation `json:"left"`
}

// RotateKeys makes the primary key of the sealing key the only one that is needed: it encrypts the keys of tenants
// again, and seals again what the sealing key sealed itself. It also rotates the keys of tenants that are older than
// TenantKeyLife, and finishes the rotations that have begun. Rows that others hold are left to the next run.
func (s Keys) RotateKeys(ctx context.Context, _ vault.Event) (Rotated, error) {
	var out Rotated
	for _, part := range []struct {
		what string
		run  func(context.Context, *Rotated) error
	}{
		{"encrypt the keys of tenants again", s.resealTenantKeys},
		{"rotate the keys of tenants", s.rotateOldTenantKeys},
		{"wrap the keys of customers again", s.finishTenantKeys},
		{"seal the keys of receipts again", s.resealErasureKeys},
		{"seal operations again", s.resealOperations},
		{"seal the secrets of webhooks again", s.resealWebhooks},
	} {
		if err := part.run(ctx, &out); err != nil {
			return out, fmt.Errorf("%s: %w", part.what, err)
		}
	}
	var err error
	out.Left, err = s.Sealer.Rotation(ctx, s.DB.System())
	return out, err
}

// RotateTenantKey rotates the key of one tenant, however old it is, and reports how many keys of customers were wrapped
// again. An interrupted run is finished by RotateKeys.
func (s Keys) RotateTenantKey(ctx context.Context, tenant uuid.UUID) (Rotated, error) {
	var out Rotated
	if err := s.rotateTenantKey(ctx, tenant, s.Now().Add(time.Hour), &out); err != nil { // whatever the clocks say
		return out, fmt.Errorf("rotate the key of tenant %s: %w", tenant, err)
	}
	if err := s.finishTenantKey(ctx, tenant, &out); err != nil {
		return out, fmt.Errorf("wrap the keys of customers again: %w", err)
	}
	var err error
	out.Left, err = s.Sealer.Rotation(ctx, s.DB.System())
	return out, err
}

func (s Keys) resealTenantKeys(ctx context.Context, out *Rotated) error {
	tenants, err := s.Sealer.TenantKeysToReseal(ctx, s.DB.System())
	if err != nil {
		return err
	}
	for _, tenant := range tenants {
		err := s.DB.InSystemTx(ctx, func(q *dbgen.Queries) error { return s.Sealer.ResealTenantKey(ctx, q, tenant) })
		if err != nil {
			return err
		}
		out.TenantKeys++
	}
	return nil
}

func (s Keys) rotateOldTenantKeys(ctx context.Context, out *Rotated) error {
	if s.TenantKeyLife == 0 {
		return nil
	}
	before := s.Now().Add(-s.TenantKeyLife)
	tenants, err := s.DB.System().ListTenantKeysToRotate(ctx, before)
	if err != nil {
		return err
	}
	for _, tenant := range tenants {
		if err := s.rotateTenantKey(ctx, tenant, before, out); err != nil {
			return err
		}
	}
	return nil
}

func (s Keys) rotateTenantKey(ctx context.Context, tenant uuid.UUID, before time.Time, out *Rotated) error {
	return s.DB.InSystemTx(ctx, func(q *dbgen.Queries) error {
		began, err := s.Sealer.RotateTenantKey(ctx, q, tenant, before)
		if began {
			out.Rotations++
		}
		return err
	})
}

// finishTenantKeys finishes the rotations of tenants' keys.
func (s Keys) finishTenantKeys(ctx context.Context, out *Rotated) error {
	tenants, err := s.DB.System().ListTenantKeysInRotation(ctx)
	if err != nil {
		return err
	}
	for _, tenant := range tenants {
		if err := s.finishTenantKey(ctx, tenant, out); err != nil {
			return err
		}
	}
	return nil
}

func (s Keys) finishTenantKey(ctx context.Context, tenant uuid.UUID, out *Rotated) error {
	err := s.inBatches(ctx, &out.CustomerKeys, func(ctx context.Context, q *dbgen.Queries, batch int32) (int, error) {
		return s.Sealer.RewrapKeys(ctx, q, tenant, batch)
	})
	if err != nil {
		return err
	}
	return s.DB.InSystemTx(ctx, func(q *dbgen.Queries) error { return s.Sealer.RetireTenantKeys(ctx, q, tenant) })
}

func (s Keys) resealErasureKeys(ctx context.Context, out *Rotated) error {
	return s.inBatches(ctx, &out.ErasureKeys, s.Sealer.ResealErasureKeys)
}

func (s Keys) resealOperations(ctx context.Context, out *Rotated) error {
	after := uuid.Nil
	return s.inBatches(ctx, &out.Operations, func(ctx context.Context, q *dbgen.Queries, batch int32) (n int, err error) {
		after, n, err = s.Sealer.ResealOperations(ctx, q, after, batch)
		return n, err
	})
}

func (s Keys) resealWebhooks(ctx context.Context, out *Rotated) error {
	return s.inBatches(ctx, &out.Webhooks, s.Sealer.ResealWebhooks)
}

// inBatches runs batches, each in a transaction of its own that sees all tenants, until one finds nothing. It adds the
// numbers of their rows to done.
func (s Keys) inBatches(
	ctx context.Context, done *int, batch func(ctx context.Context, q *dbgen.Queries, batch int32) (int, error),
) error {
	for {
		var n int
		err := s.DB.InSystemTx(ctx, func(q *dbgen.Queries) (err error) {
			n, err = batch(ctx, q, s.Batch)
			return err
		})
		if *done += n; err != nil || n == 0 {
			return err
		}
	}
}
