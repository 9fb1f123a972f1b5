package db

import (
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/vault"
)

// SealValue seals a value whose definition requires encryption. The result is a JSON string that opens only for the
// same item. PostgreSQL and Redis hold this string.
func (s *Sealer) SealValue(tenant, item uuid.UUID, value json.RawMessage) (json.RawMessage, error) {
	sealed, err := s.aead.Encrypt(value, binding(tenant, item))
	if err != nil {
		return nil, fmt.Errorf("seal the value of item %s: %w", item, err)
	}
	return json.Marshal(sealed)
}

// OpenValue replaces the sealed value by the plain one. A value that is not encrypted stays unchanged.
func (s *Sealer) OpenValue(tenant uuid.UUID, v *vault.Value) error {
	if !v.Encrypted {
		return nil
	}
	var sealed []byte
	err := json.Unmarshal(v.Value, &sealed)
	if err == nil {
		v.Value, err = s.aead.Decrypt(sealed, binding(tenant, v.ID))
	}
	if err != nil {
		return fmt.Errorf("open the value of item %s: it was sealed with another key, or altered", v.ID)
	}
	return nil
}

// OpenValues opens each value.
func (s *Sealer) OpenValues(tenant uuid.UUID, values []vault.Value) error {
	for i := range values {
		if err := s.OpenValue(tenant, &values[i]); err != nil {
			return err
		}
	}
	return nil
}

// OpenProfile opens the values of a profile in place. The caller must own the profile.
func (s *Sealer) OpenProfile(p *vault.Profile) error {
	for name, v := range p.Fields {
		if !v.Encrypted {
			continue
		}
		if err := s.OpenValue(p.TenantID, &v); err != nil {
			return err
		}
		p.Fields[name] = v
	}
	return s.OpenValues(p.TenantID, p.Pending)
}
