package db

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/tink-crypto/tink-go/aead"
	"github.com/tink-crypto/tink-go/keyset"
	"github.com/tink-crypto/tink-go/tink"

	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/vault"
)

const (
	// customerKeyTTL is the time for which a process keeps a customer's key. It bounds how long a deleted key still opens
	// in a process that did not hear of the deletion: one behind a pooler, or one whose listening connection is down.
	customerKeyTTL = 30 * time.Second
	// maxCustomerKeys bounds the memory of the keys: about 2 KB each.
	maxCustomerKeys = 10_000
	// keyConns is the size of the pool that reads keys. A step reads a key while it holds a connection of the other pool;
	// were it the same pool, all its connections could wait for one more.
	keyConns = 2
)

// customerKeys are the data keys of customers. The database has each of them wrapped by the sealing key, bound to its
// tenant and customer. A key is made in a transaction of its own: what a process has in memory is committed.
type customerKeys struct {
	sealer *Sealer
	db     *DB
	known  *lru.Cache[Owner, knownKey]

	mu        sync.Mutex
	deletions uint64 // a key that was read before a deletion was heard is not kept
}

type knownKey struct {
	aead    tink.AEAD
	expires time.Time
}

func newCustomerKeys(s *Sealer) *customerKeys {
	known, err := lru.New[Owner, knownKey](maxCustomerKeys)
	if err != nil {
		panic(err) // only for a size below 1
	}
	return &customerKeys{sealer: s, known: known}
}

var errUnbound = errors.New("the sealer has no database with the keys of customers")

// get returns the key of a customer. make makes it if there is none; otherwise the error has vault.CodeUnknown.
func (k *customerKeys) get(ctx context.Context, owner Owner, make bool) (tink.AEAD, error) {
	if known, ok := k.known.Get(owner); ok && time.Now().Before(known.expires) {
		return known.aead, nil
	}
	found, err := k.load(ctx, owner.TenantID, []uuid.UUID{owner.CustomerID}, make)
	if err != nil {
		return nil, err
	}
	key, ok := found[owner.CustomerID]
	if !ok {
		return nil, vault.Unknown("customer", owner.CustomerID)
	}
	return key, nil
}

// load returns the keys of customers: from memory, else from the database in one query. A customer without a key has no
// entry, unless make makes it.
func (k *customerKeys) load(
	ctx context.Context, tenant uuid.UUID, customers []uuid.UUID, make bool,
) (map[uuid.UUID]tink.AEAD, error) {
	found := map[uuid.UUID]tink.AEAD{}
	var absent []uuid.UUID
	now := time.Now()
	for _, c := range customers {
		if c == uuid.Nil || found[c] != nil {
			continue
		}
		if known, ok := k.known.Get(Owner{tenant, c}); ok && now.Before(known.expires) {
			found[c] = known.aead
		} else if !slices.Contains(absent, c) {
			absent = append(absent, c)
		}
	}
	if len(absent) == 0 {
		return found, nil
	}
	if k.db == nil {
		return nil, errUnbound
	}
	absent, err := k.read(ctx, tenant, absent, found)
	if err != nil || len(absent) == 0 || !make {
		return found, err
	}
	if err := k.add(ctx, tenant, absent); err != nil {
		return nil, err
	}
	if absent, err = k.read(ctx, tenant, absent, found); err == nil && len(absent) > 0 {
		err = vault.Unknown("customer", absent[0]) // deleted meanwhile
	}
	return found, err
}

// read adds the keys of customers to found, and returns the customers who have none.
func (k *customerKeys) read(
	ctx context.Context, tenant uuid.UUID, customers []uuid.UUID, found map[uuid.UUID]tink.AEAD,
) (absent []uuid.UUID, err error) {
	k.mu.Lock()
	before := k.deletions
	k.mu.Unlock()
	rows, err := k.db.keyQueries(tenant).ListCustomerKeys(ctx, tenant, customers)
	if err != nil {
		return nil, fmt.Errorf("read the keys of customers: %w", err)
	}
	for _, row := range rows {
		owner := Owner{tenant, row.CustomerID}
		key, err := k.sealer.unwrap(owner, row.Wrapped)
		if err != nil {
			return nil, err
		}
		found[row.CustomerID] = key
		k.keep(owner, key, before)
	}
	for _, c := range customers {
		if found[c] == nil {
			absent = append(absent, c)
		}
	}
	return absent, nil
}

// keep keeps a key in memory, unless a deletion was heard since it was read.
func (k *customerKeys) keep(owner Owner, key tink.AEAD, before uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.deletions == before {
		k.known.Add(owner, knownKey{key, time.Now().Add(customerKeyTTL)})
	}
}

// add makes keys for customers who have none. Another process may make them first: then its keys stay.
func (k *customerKeys) add(ctx context.Context, tenant uuid.UUID, customers []uuid.UUID) error {
	in := dbgen.AddCustomerKeysParams{TenantID: tenant, Customers: customers, KekID: int64(k.sealer.primary)}
	for _, c := range customers {
		wrapped, err := k.sealer.newCustomerKey(Owner{tenant, c})
		if err != nil {
			return err
		}
		in.Wrapped = append(in.Wrapped, wrapped)
	}
	if err := k.db.keyQueries(tenant).AddCustomerKeys(ctx, in); err != nil {
		if IsForeignKeyViolation(err, "customer_keys_tenant_id_fkey") {
			return unknownTenant(tenant)
		}
		return fmt.Errorf("add the keys of customers: %w", err)
	}
	return nil
}

// forget drops a key from memory.
func (k *customerKeys) forget(owner Owner) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.deletions++
	k.known.Remove(owner)
}

// forgetAll drops all keys from memory: deletions may have been missed.
func (k *customerKeys) forgetAll() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.deletions++
	k.known.Purge()
}

// newCustomerKey makes a key for a customer and returns it wrapped.
func (s *Sealer) newCustomerKey(owner Owner) ([]byte, error) {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("make the key of customer %s: %w", owner.CustomerID, err)
	}
	return s.wrap(owner, handle)
}

func (s *Sealer) wrap(owner Owner, handle *keyset.Handle) ([]byte, error) {
	var buf bytes.Buffer
	bound := binding(owner.TenantID, owner.CustomerID)
	if err := handle.WriteWithAssociatedData(keyset.NewBinaryWriter(&buf), s.aead, bound); err != nil {
		return nil, fmt.Errorf("wrap the key of customer %s: %w", owner.CustomerID, err)
	}
	return buf.Bytes(), nil
}

func (s *Sealer) unwrapHandle(owner Owner, wrapped []byte) (*keyset.Handle, error) {
	bound := binding(owner.TenantID, owner.CustomerID)
	handle, err := keyset.ReadWithAssociatedData(keyset.NewBinaryReader(bytes.NewReader(wrapped)), s.aead, bound)
	if err != nil {
		return nil, fmt.Errorf("open the key of customer %s: it was sealed with another key, or altered", owner.CustomerID)
	}
	return handle, nil
}

func (s *Sealer) unwrap(owner Owner, wrapped []byte) (tink.AEAD, error) {
	handle, err := s.unwrapHandle(owner, wrapped)
	if err != nil {
		return nil, err
	}
	key, err := aead.New(handle)
	if err != nil {
		return nil, fmt.Errorf("open the key of customer %s: %w", owner.CustomerID, err)
	}
	return key, nil
}

// keyQueries returns queries on the keys of a tenant's customers. Each is a transaction of its own.
func (d *DB) keyQueries(tenant uuid.UUID) *dbgen.Queries {
	conn := localConn{pool: d.keys, set: setTenant, args: []any{tenant.String()}}
	if d.pooled {
		conn.set = setTenantPooled
	}
	return dbgen.New(conn)
}

// observeKeys tells keys of deletions that ListenOperations hears of.
func (d *DB) observeKeys(keys *customerKeys) {
	d.keyObserversMu.Lock()
	defer d.keyObserversMu.Unlock()
	d.keyObservers = append(d.keyObservers, keys)
}

func (d *DB) eachKeyObserver(fn func(*customerKeys)) {
	d.keyObserversMu.Lock()
	defer d.keyObserversMu.Unlock()
	for _, keys := range d.keyObservers {
		fn(keys)
	}
}

// keyHandler hears of deleted keys.
type keyHandler struct{ db *DB }

// HandleNotification implements pgxlisten.Handler.
func (h keyHandler) HandleNotification(_ context.Context, n *pgconn.Notification, _ *pgx.Conn) error {
	tenant, customer, _ := strings.Cut(n.Payload, ":")
	if uuid.Validate(tenant) != nil || uuid.Validate(customer) != nil {
		return nil //nolint:nilerr // it names no customer
	}
	owner := Owner{TenantID: uuid.MustParse(tenant), CustomerID: uuid.MustParse(customer)}
	h.db.eachKeyObserver(func(k *customerKeys) { k.forget(owner) })
	return nil
}

// HandleBacklog implements pgxlisten.BacklogHandler.
func (h keyHandler) HandleBacklog(context.Context, string, *pgx.Conn) error {
	h.db.eachKeyObserver((*customerKeys).forgetAll)
	return nil
}

// sealedBy returns the id of the sealing key that sealed something directly, or wrapped a key. 0: it is not one.
func sealedBy(sealed []byte) uint32 {
	if len(sealed) < tinkPrefix || sealed[0] != 1 {
		return 0
	}
	return binary.BigEndian.Uint32(sealed[tinkKeyStart:tinkPrefix])
}
