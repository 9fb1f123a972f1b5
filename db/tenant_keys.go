package db

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/tink-crypto/tink-go/aead"
	"github.com/tink-crypto/tink-go/keyset"
	tinkpb "github.com/tink-crypto/tink-go/proto/tink_go_proto"
	"github.com/tink-crypto/tink-go/tink"

	"github.com/contextvault/contextvault/db/dbgen"
)

// maxTenantKeys bounds the memory of the keys: about 2 KB each.
const maxTenantKeys = 10_000

// tenantKeys are the key encryption keys of tenants, which wrap the keys of their customers. The database has each of
// them encrypted by the sealing key, bound to its tenant. What is in memory may be older than the database: it still
// unwraps what it wrapped, and the database accepts nothing that an older key wraps.
type tenantKeys struct {
	sealer *Sealer
	db     *DB
	known  *lru.Cache[uuid.UUID, *tenantKey]
}

// tenantKey unwraps with each of its keys, and wraps with the primary one.
type tenantKey struct {
	tenant  uuid.UUID
	handle  *keyset.Handle
	aead    tink.AEAD
	primary int64 // the id of the key that wraps
}

func newTenantKeys(s *Sealer) *tenantKeys {
	known, err := lru.New[uuid.UUID, *tenantKey](maxTenantKeys)
	if err != nil {
		panic(err) // only for a size below 1
	}
	return &tenantKeys{sealer: s, known: known}
}

// get returns the key of a tenant, and makes it if there is none.
func (k *tenantKeys) get(ctx context.Context, tenant uuid.UUID) (*tenantKey, error) {
	if known, ok := k.known.Get(tenant); ok {
		return known, nil
	}
	key, err := k.read(ctx, tenant)
	if !IsNotFound(err) {
		return key, err
	}
	if err := k.add(ctx, tenant); err != nil {
		return nil, err
	}
	return k.read(ctx, tenant) // of another process, if that was first
}

// holding returns the key of a tenant that has the key with an id.
func (k *tenantKeys) holding(ctx context.Context, tenant uuid.UUID, id int64) (*tenantKey, error) {
	if known, ok := k.known.Get(tenant); ok && known.holds(id) {
		return known, nil
	}
	key, err := k.read(ctx, tenant)
	if IsNotFound(err) || err == nil && !key.holds(id) {
		return nil, fmt.Errorf("the key %d of tenant %s is missing, which wrapped the key of a customer: restore "+
			"tenant_keys and customer_keys from the same dump", id, tenant)
	}
	return key, err
}

// read reads the key of a tenant from the database.
func (k *tenantKeys) read(ctx context.Context, tenant uuid.UUID) (*tenantKey, error) {
	if k.db == nil {
		return nil, errUnbound
	}
	row, err := k.db.keyQueries(tenant).GetTenantKey(ctx, tenant)
	if err != nil {
		return nil, fmt.Errorf("read the key of tenant %s: %w", tenant, err)
	}
	key, err := k.sealer.openTenantKey(row)
	if err != nil {
		return nil, err
	}
	k.known.Add(tenant, key)
	return key, nil
}

func (k *tenantKeys) add(ctx context.Context, tenant uuid.UUID) error {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return fmt.Errorf("make the key of tenant %s: %w", tenant, err)
	}
	sealed, err := k.sealer.sealTenantKey(tenant, handle)
	if err != nil {
		return err
	}
	err = k.db.keyQueries(tenant).AddTenantKey(ctx, dbgen.AddTenantKeyParams{
		TenantID: tenant, Sealed: sealed, SealedBy: int64(k.sealer.primary),
		PrimaryID: int64(handle.KeysetInfo().GetPrimaryKeyId()),
	})
	if IsForeignKeyViolation(err, "tenant_keys_tenant_id_fkey") {
		return unknownTenant(tenant)
	}
	if err != nil {
		return fmt.Errorf("add the key of tenant %s: %w", tenant, err)
	}
	return nil
}

// forget drops a key from memory, because it was rotated.
func (k *tenantKeys) forget(tenant uuid.UUID) { k.known.Remove(tenant) }

// holds reports whether a key with an id is in it.
func (k *tenantKey) holds(id int64) bool {
	return slices.ContainsFunc(k.handle.KeysetInfo().GetKeyInfo(), func(key *tinkpb.KeysetInfo_KeyInfo) bool {
		return int64(key.GetKeyId()) == id
	})
}

// wrap wraps the key of a customer.
func (k *tenantKey) wrap(customer uuid.UUID, handle *keyset.Handle) ([]byte, error) {
	var buf bytes.Buffer
	bound := binding(k.tenant, customer)
	if err := handle.WriteWithAssociatedData(keyset.NewBinaryWriter(&buf), k.aead, bound); err != nil {
		return nil, fmt.Errorf("wrap the key of customer %s: %w", customer, err)
	}
	return buf.Bytes(), nil
}

// unwrap opens the wrapped key of a customer.
func (k *tenantKey) unwrap(customer uuid.UUID, wrapped []byte) (*keyset.Handle, error) {
	bound := binding(k.tenant, customer)
	handle, err := keyset.ReadWithAssociatedData(keyset.NewBinaryReader(bytes.NewReader(wrapped)), k.aead, bound)
	if err != nil {
		return nil, fmt.Errorf("open the key of customer %s: %w", customer, errAltered)
	}
	return handle, nil
}

func (s *Sealer) sealTenantKey(tenant uuid.UUID, handle *keyset.Handle) ([]byte, error) {
	var buf bytes.Buffer
	if err := handle.WriteWithAssociatedData(keyset.NewBinaryWriter(&buf), s.aead, tenantBinding(tenant)); err != nil {
		return nil, fmt.Errorf("seal the key of tenant %s: %w", tenant, err)
	}
	return buf.Bytes(), nil
}

func (s *Sealer) openTenantKey(row dbgen.TenantKey) (*tenantKey, error) {
	reader := keyset.NewBinaryReader(bytes.NewReader(row.Sealed))
	handle, err := keyset.ReadWithAssociatedData(reader, s.aead, tenantBinding(row.TenantID))
	if err != nil {
		return nil, fmt.Errorf("open the key of tenant %s: %w", row.TenantID, errAltered)
	}
	primitive, err := aead.New(handle)
	if err != nil {
		return nil, fmt.Errorf("open the key of tenant %s: %w", row.TenantID, err)
	}
	return &tenantKey{
		tenant: row.TenantID, handle: handle, aead: primitive, primary: int64(handle.KeysetInfo().GetPrimaryKeyId()),
	}, nil
}

func tenantBinding(tenant uuid.UUID) []byte { return append([]byte("tenant key "), tenant[:]...) }

// RotateTenantKey begins a rotation of a tenant's key if the one that wraps was made before a time: a new one wraps
// from now on, and the others only unwrap, until RewrapKeys and RetireTenantKeys finish it. It reports whether it did.
// A tenant without a key gets one when it needs it. q is a transaction.
func (s *Sealer) RotateTenantKey(
	ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, before time.Time,
) (bool, error) {
	row, err := q.LockTenantKey(ctx, tenant)
	if IsNotFound(err) || err == nil && !row.RotatedAt.Before(before) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	err = s.changeTenantKey(ctx, q, row, func(m *keyset.Manager) error {
		id, err := m.Add(aead.AES256GCMKeyTemplate())
		if err != nil {
			return err
		}
		return m.SetPrimary(id)
	})
	return err == nil, err
}

// RewrapKeys wraps, with the key of their tenant that wraps, one batch of customers' keys that another one wrapped, and
// returns their number. The keys stay the same, so nothing that they sealed changes. q is a transaction.
func (s *Sealer) RewrapKeys(ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, batch int32) (int, error) {
	row, err := q.ShareTenantKey(ctx, tenant)
	if IsNotFound(err) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	rows, err := q.ListKeysToRewrap(ctx, dbgen.ListKeysToRewrapParams{
		TenantID: tenant, Retiring: row.Retiring, MaxRows: batch,
	})
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	kek, err := s.openTenantKey(row)
	if err != nil {
		return 0, err
	}
	in := dbgen.RewrapKeysParams{TenantID: tenant, KekID: kek.primary}
	for _, r := range rows {
		handle, err := kek.unwrap(r.CustomerID, r.Wrapped)
		if err != nil {
			return 0, err
		}
		wrapped, err := kek.wrap(r.CustomerID, handle)
		if err != nil {
			return 0, err
		}
		in.Customers, in.Wrapped = append(in.Customers, r.CustomerID), append(in.Wrapped, wrapped)
	}
	return len(rows), q.RewrapKeys(ctx, in)
}

// RetireTenantKeys ends the rotation of a tenant's key, if there is one: it removes the keys that only unwrap. It does
// nothing while one of them still wraps the key of a customer. q is a transaction.
func (s *Sealer) RetireTenantKeys(ctx context.Context, q *dbgen.Queries, tenant uuid.UUID) error {
	row, err := q.LockTenantKey(ctx, tenant) // from here on, nothing is wrapped by another key than the primary one
	if IsNotFound(err) || err == nil && len(row.Retiring) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	left, err := q.HasKeysToRewrap(ctx, tenant, row.Retiring)
	if err != nil || left {
		return err
	}
	return s.changeTenantKey(ctx, q, row, func(m *keyset.Manager) error {
		for _, id := range row.Retiring {
			if err := m.Delete(uint32(id)); err != nil { //nolint:gosec // it was made from a uint32
				return err
			}
		}
		return nil
	})
}

// TenantKeysToReseal returns the tenants whose key another sealing key than the primary one encrypted. q sees all
// tenants.
func (s *Sealer) TenantKeysToReseal(ctx context.Context, q *dbgen.Queries) ([]uuid.UUID, error) {
	return q.ListTenantKeysToReseal(ctx, int64(s.primary))
}

// ResealTenantKey encrypts the key of a tenant with the primary key of the sealing key. The key stays the same. q is a
// transaction.
func (s *Sealer) ResealTenantKey(ctx context.Context, q *dbgen.Queries, tenant uuid.UUID) error {
	row, err := q.LockTenantKey(ctx, tenant)
	if err != nil {
		return err
	}
	return s.changeTenantKey(ctx, q, row, func(*keyset.Manager) error { return nil })
}

// changeTenantKey changes the keys in the key of a tenant, which the caller has locked.
func (s *Sealer) changeTenantKey(
	ctx context.Context, q *dbgen.Queries, row dbgen.TenantKey, change func(*keyset.Manager) error,
) error {
	key, err := s.openTenantKey(row)
	if err != nil {
		return err
	}
	m := keyset.NewManagerFromHandle(key.handle)
	if err := change(m); err != nil {
		return fmt.Errorf("change the key of tenant %s: %w", row.TenantID, err)
	}
	changed, err := m.Handle()
	if err != nil {
		return fmt.Errorf("change the key of tenant %s: %w", row.TenantID, err)
	}
	in := dbgen.SetTenantKeyParams{
		TenantID: row.TenantID, SealedBy: int64(s.primary), PrimaryID: int64(changed.KeysetInfo().GetPrimaryKeyId()),
		Retiring: []int64{},
	}
	for _, k := range changed.KeysetInfo().GetKeyInfo() {
		if id := int64(k.GetKeyId()); id != in.PrimaryID {
			in.Retiring = append(in.Retiring, id)
		}
	}
	if in.Sealed, err = s.sealTenantKey(row.TenantID, changed); err != nil {
		return err
	}
	return q.SetTenantKey(ctx, in)
}
