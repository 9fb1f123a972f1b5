package db

import (
	"encoding/json"
	"fmt"

	"github.com/google/uuid"
	"github.com/tink-crypto/tink-go/aead"
	"github.com/tink-crypto/tink-go/tink"
)

// Sealer encrypts the payloads of operations and the values of encrypted fields: AEAD (AES-256-GCM), bound to the
// tenant and the id of the row, so that a ciphertext in another row does not open.
//
// Tink is the line without /v2 because the workflow engine, which vault-dev runs in process, needs it: both
// register the same protobuf files, so a program with both panics when it starts.
type Sealer struct{ aead tink.AEAD }

// NewSealer parses a key: a Tink keyset in base64. A keyset of several keys opens with each of them and seals with the
// primary one, so that keys can be rotated.
func NewSealer(key string) (*Sealer, error) {
	handle, err := decodeKeyset(key)
	if err != nil {
		return nil, err
	}
	primitive, err := aead.New(handle)
	if err != nil {
		return nil, errSealingKey
	}
	return &Sealer{aead: primitive}, nil
}

// Seal encodes v as JSON and seals it for one operation.
func (s *Sealer) Seal(tenant, op uuid.UUID, v any) ([]byte, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode the payload of operation %s: %w", op, err)
	}
	return s.SealBytes(tenant, op, plain)
}

// SealBytes seals the JSON of a payload for one operation.
func (s *Sealer) SealBytes(tenant, op uuid.UUID, plain []byte) ([]byte, error) {
	sealed, err := s.aead.Encrypt(plain, binding(tenant, op))
	if err != nil {
		return nil, fmt.Errorf("seal the payload of operation %s: %w", op, err)
	}
	return sealed, nil
}

// Open opens a payload of the same operation and decodes it into v.
func (s *Sealer) Open(tenant, op uuid.UUID, sealed []byte, v any) error {
	plain, err := s.OpenBytes(tenant, op, sealed)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(plain, v); err != nil {
		return fmt.Errorf("decode the payload of operation %s", op) // the cause may quote the payload
	}
	return nil
}

// OpenBytes opens a payload of the same operation and returns its JSON.
func (s *Sealer) OpenBytes(tenant, op uuid.UUID, sealed []byte) ([]byte, error) {
	plain, err := s.aead.Decrypt(sealed, binding(tenant, op))
	if err != nil {
		return nil, fmt.Errorf("open the payload of operation %s: it was sealed with another key, or altered", op)
	}
	return plain, nil
}

func binding(tenant, op uuid.UUID) []byte { return append(tenant[:], op[:]...) }
