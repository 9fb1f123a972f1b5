package db

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/vault"
)

// SealValue seals a value whose definition requires encryption. The result is a JSON string that opens only for the
// same item. PostgreSQL and Redis hold this string.
func (s *Sealer) SealValue(
	ctx context.Context, owner Owner, item uuid.UUID, value json.RawMessage,
) (json.RawMessage, error) {
	sealed, err := s.seal(ctx, owner, item, value)
	if err != nil {
		return nil, fmt.Errorf("seal the value of item %s: %w", item, err)
	}
	return json.Marshal(sealed)
}

// OpenValue replaces the sealed value by the plain one. A value that is not encrypted stays unchanged.
func (s *Sealer) OpenValue(ctx context.Context, tenant uuid.UUID, v *vault.Value) error {
	if !v.Encrypted {
		return nil
	}
	var sealed []byte
	err := json.Unmarshal(v.Value, &sealed)
	if err == nil {
		v.Value, err = s.open(ctx, tenant, v.ID, sealed)
	} else {
		err = errAltered
	}
	if err != nil {
		return openError("value of item", v.ID, err)
	}
	return nil
}

// OpenValues opens each value. It reads the keys that are not in memory in one query.
func (s *Sealer) OpenValues(ctx context.Context, tenant uuid.UUID, values []vault.Value) error {
	if err := s.PrepareValues(ctx, tenant, values); err != nil {
		return err
	}
	for i := range values {
		if err := s.OpenValue(ctx, tenant, &values[i]); err != nil {
			return err
		}
	}
	return nil
}

// PrepareValues loads the keys of the values of several customers in one query.
func (s *Sealer) PrepareValues(ctx context.Context, tenant uuid.UUID, values []vault.Value) error {
	var customers []uuid.UUID
	for _, v := range values {
		var sealed []byte
		if !v.Encrypted || json.Unmarshal(v.Value, &sealed) != nil {
			continue
		}
		if customer := OwnerOf(tenant, sealed).CustomerID; len(customers) == 0 || customers[len(customers)-1] != customer {
			customers = append(customers, customer)
		}
	}
	if len(customers) < 2 { // one is read when it is needed
		return nil
	}
	return s.Prepare(ctx, tenant, customers, false)
}

// OpenProfile opens the values of a profile in place. The caller must own the profile.
func (s *Sealer) OpenProfile(ctx context.Context, p *vault.Profile) error {
	for name, v := range p.Fields {
		if !v.Encrypted {
			continue
		}
		if err := s.OpenValue(ctx, p.TenantID, &v); err != nil {
			return err
		}
		p.Fields[name] = v
	}
	return s.OpenValues(ctx, p.TenantID, p.Pending)
}
