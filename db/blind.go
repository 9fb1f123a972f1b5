package db

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/tink-crypto/tink-go/prf"
)

// The blind index finds sealed values without opening them: a row has a keyed hash of its value, and a search computes
// the hash of what it looks for. The key is the tenant's own. It is stored beside the keys of the tenant's customers,
// under the customer id zero, so that a rotation of the tenant's key wraps it again, and no hash changes.

// maxBlindKeys bounds the number of tenants whose key is kept in memory. A key never changes.
const maxBlindKeys = 10_000

func newBlindKeys() *lru.Cache[uuid.UUID, *prf.Set] {
	keys, err := lru.New[uuid.UUID, *prf.Set](maxBlindKeys)
	if err != nil {
		panic(err) // only for a size below 1
	}
	return keys
}

// BlindKey returns the key of a value in the blind index of a tenant: 8 bytes of the HMAC-SHA-256 of the name of its
// field and its text. It is never 0.
func (s *Sealer) BlindKey(ctx context.Context, tenant uuid.UUID, name, text string) (int64, error) {
	hash, err := s.blindHash(ctx, tenant)
	if err != nil {
		return 0, err
	}
	sum, err := hash.ComputePrimaryPRF([]byte(name+"\x1f"+text), 8)
	if err != nil {
		return 0, fmt.Errorf("compute a key of the blind index: %w", err)
	}
	key := int64(binary.BigEndian.Uint64(sum)) //nolint:gosec // any 8 bytes
	if key == 0 {
		key = 1 // statements take 0 for none
	}
	return key, nil
}

// blindHash returns the keyed hash of a tenant. The first call makes its key.
func (s *Sealer) blindHash(ctx context.Context, tenant uuid.UUID) (*prf.Set, error) {
	if known, ok := s.blind.Get(tenant); ok {
		return known, nil
	}
	if s.keys.db == nil {
		return nil, errUnbound
	}
	q, customer := s.keys.db.keyQueries(tenant), []uuid.UUID{uuid.Nil}
	rows, err := q.ListCustomerKeys(ctx, tenant, customer)
	if err != nil {
		return nil, fmt.Errorf("read the key of the blind index: %w", err)
	}
	if len(rows) == 0 {
		if err := s.keys.add(ctx, tenant, customer, prf.HMACSHA256PRFKeyTemplate()); err != nil {
			return nil, err
		}
		// Another process may have been first: then its key stays.
		if rows, err = q.ListCustomerKeys(ctx, tenant, customer); err != nil || len(rows) == 0 {
			return nil, fmt.Errorf("read the key of the blind index: %w", err)
		}
	}
	handle, err := s.keys.unwrap(ctx, tenant, rows[0])
	if err != nil {
		return nil, fmt.Errorf("open the key of the blind index of tenant %s: %w", tenant, err)
	}
	hash, err := prf.NewPRFSet(handle)
	if err != nil {
		return nil, fmt.Errorf("open the key of the blind index: %w", err)
	}
	s.blind.Add(tenant, hash)
	return hash, nil
}
