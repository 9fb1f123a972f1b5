package db

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/tink-crypto/tink-go/aead"
	"github.com/tink-crypto/tink-go/prf"
	"github.com/tink-crypto/tink-go/tink"

	"github.com/contextvault/contextvault/vault"
)

// Sealer encrypts what the vault keeps sealed: AEAD (AES-256-GCM), bound to the tenant and the id of the row, so that a
// ciphertext in another row does not open.
//
// Data of a customer is sealed with the customer's own key (customer_keys.go), which the key of the tenant wraps
// (tenant_keys.go), which the sealing key encrypts. Data that belongs to no customer is sealed with the sealing key
// itself. Opening finds the right key by the ciphertext.
//
// Tink is the line without /v2 because the workflow engine, which vault-dev runs in process, needs it: both
// register the same protobuf files, so a program with both panics when it starts.
type Sealer struct {
	aead    tink.AEAD
	primary uint32 // id of the key that seals
	keys    *customerKeys
	blind   *lru.Cache[uuid.UUID, *prf.Set] // the keyed hashes of the blind index, by tenant
}

// NewSealer parses a sealing key: a Tink keyset in base64. A keyset of several keys opens with each of them and seals
// with the primary one, so that keys can be rotated. Until Bind, the sealer knows no customers' keys.
func NewSealer(key string) (*Sealer, error) {
	handle, err := decodeKeyset(key)
	if err != nil {
		return nil, err
	}
	primitive, err := aead.New(handle)
	if err != nil {
		return nil, errSealingKey
	}
	s := &Sealer{aead: primitive, primary: handle.KeysetInfo().GetPrimaryKeyId(), blind: newBlindKeys()}
	s.keys = newCustomerKeys(s)
	return s, nil
}

// Bind gives the sealer the database that holds the customers' keys. It is called once, before the sealer is used.
func (s *Sealer) Bind(d *DB) *Sealer {
	s.keys.db, s.keys.tenants.db = d, d
	d.observeKeys(s.keys)
	return s
}

// Owner is whose data is sealed.
type Owner struct {
	TenantID   uuid.UUID
	CustomerID uuid.UUID // uuid.Nil: it belongs to no customer, and the sealing key itself seals it
}

// A ciphertext of a customer's key starts with ownedMark and the customer's id. One of the sealing key starts with
// Tink's own prefix, which is 0 or 1.
const (
	ownedMark    = 0xC1
	ownedPrefix  = 1 + len(uuid.UUID{})
	tinkKeyStart = 1 // of the id of the key in Tink's prefix
	tinkPrefix   = 5
)

// OwnerOf returns the owner of what is sealed in a row of a tenant.
func OwnerOf(tenant uuid.UUID, sealed []byte) Owner {
	out := Owner{TenantID: tenant}
	if len(sealed) >= ownedPrefix && sealed[0] == ownedMark {
		out.CustomerID = uuid.UUID(sealed[1:ownedPrefix])
	}
	return out
}

// Seal encodes v as JSON and seals it for one operation.
func (s *Sealer) Seal(ctx context.Context, owner Owner, op uuid.UUID, v any) ([]byte, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode the payload of operation %s: %w", op, err)
	}
	return s.SealBytes(ctx, owner, op, plain)
}

// SealBytes seals the JSON of a payload for one operation.
func (s *Sealer) SealBytes(ctx context.Context, owner Owner, op uuid.UUID, plain []byte) ([]byte, error) {
	sealed, err := s.seal(ctx, owner, op, plain)
	if err != nil {
		return nil, fmt.Errorf("seal the payload of operation %s: %w", op, err)
	}
	return sealed, nil
}

// Open opens a payload of the same operation and decodes it into v.
func (s *Sealer) Open(ctx context.Context, tenant, op uuid.UUID, sealed []byte, v any) error {
	plain, err := s.OpenBytes(ctx, tenant, op, sealed)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(plain, v); err != nil {
		return fmt.Errorf("decode the payload of operation %s", op) // the cause may quote the payload
	}
	return nil
}

// OpenBytes opens a payload of the same operation and returns its JSON. If the key of the customer was deleted, the
// error is a *vault.Error with vault.CodeUnknown.
func (s *Sealer) OpenBytes(ctx context.Context, tenant, op uuid.UUID, sealed []byte) ([]byte, error) {
	plain, err := s.open(ctx, tenant, op, sealed)
	if err != nil {
		return nil, openError("payload of operation", op, err)
	}
	return plain, nil
}

func (s *Sealer) seal(ctx context.Context, owner Owner, row uuid.UUID, plain []byte) ([]byte, error) {
	bound := binding(owner.TenantID, row)
	if owner.CustomerID == uuid.Nil {
		return s.aead.Encrypt(plain, bound)
	}
	key, err := s.keys.get(ctx, owner, true)
	if err != nil {
		return nil, err
	}
	sealed, err := key.Encrypt(plain, bound)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, ownedPrefix+len(sealed))
	out = append(append(out, ownedMark), owner.CustomerID[:]...)
	return append(out, sealed...), nil
}

func (s *Sealer) open(ctx context.Context, tenant, row uuid.UUID, sealed []byte) ([]byte, error) {
	owner, bound := OwnerOf(tenant, sealed), binding(tenant, row)
	if owner.CustomerID == uuid.Nil {
		plain, err := s.aead.Decrypt(sealed, bound)
		if err != nil {
			err = errAltered
		}
		return plain, err
	}
	key, err := s.keys.get(ctx, owner, false)
	if err != nil {
		return nil, err
	}
	plain, err := key.Decrypt(sealed[ownedPrefix:], bound)
	if err != nil {
		return nil, errAltered
	}
	return plain, nil
}

// Prepare loads the keys of customers in one query, so that sealing or opening their data reads nothing. make makes the
// missing ones: give it before sealing.
func (s *Sealer) Prepare(ctx context.Context, tenant uuid.UUID, customers []uuid.UUID, make bool) error {
	_, err := s.keys.load(ctx, tenant, customers, make)
	return err
}

// Forget drops the keys of customers from the memory of this process at once. The others do it when they hear of the
// deletion.
func (s *Sealer) Forget(tenant uuid.UUID, customers ...uuid.UUID) {
	for _, c := range customers {
		s.keys.forget(Owner{tenant, c})
	}
}

// errAltered reports a ciphertext that does not open.
var errAltered = fmt.Errorf("it was sealed with another key, or altered")

// openError is the error of a ciphertext in a row, such as "value of item". Errors of the database and deleted keys
// stay what they are.
func openError(what string, row uuid.UUID, err error) error {
	if err == errAltered || vault.CodeOf(err) == "" { //nolint:errorlint // it is not wrapped
		return fmt.Errorf("open the %s %s: %w", what, row, err)
	}
	return err
}

func binding(tenant, op uuid.UUID) []byte {
	return bytes.Join([][]byte{tenant[:], op[:]}, nil)
}
