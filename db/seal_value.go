package db

import (
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/vault"
)

// SealValue seals the value of a field whose definition requires encryption: a JSON string that opens for this very version of
// the field alone. It is what PostgreSQL and Redis hold.
func (s *Sealer) SealValue(tenant, item uuid.UUID, value json.RawMessage) (json.RawMessage, error) {
	sealed, err := s.aead.Encrypt(value, binding(tenant, item))
	if err != nil {
		return nil, fmt.Errorf("seal the value of item %s: %w", item, err)
	}
	return json.Marshal(sealed)
}

// OpenField puts the value in the place of the sealed one. A field that is not encrypted stays as it is.
func (s *Sealer) OpenField(tenant uuid.UUID, f *vault.Value) error {
	if !f.Encrypted {
		return nil
	}
	var sealed []byte
	err := json.Unmarshal(f.Value, &sealed)
	if err == nil {
		f.Value, err = s.aead.Decrypt(sealed, binding(tenant, f.ID))
	}
	if err != nil {
		return fmt.Errorf("open the value of item %s: it was sealed with another key, or altered", f.ID)
	}
	return nil
}

// OpenFields opens each of them.
func (s *Sealer) OpenFields(tenant uuid.UUID, fields []vault.Value) error {
	for i := range fields {
		if err := s.OpenField(tenant, &fields[i]); err != nil {
			return err
		}
	}
	return nil
}

// OpenCustomer opens the values of a profile that is the caller's own.
func (s *Sealer) OpenCustomer(p *vault.Profile) error {
	for name, f := range p.Fields {
		if !f.Encrypted {
			continue
		}
		if err := s.OpenField(p.TenantID, &f); err != nil {
			return err
		}
		p.Fields[name] = f
	}
	return nil
}
