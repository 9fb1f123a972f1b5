package db

import (
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
	tinkpb "github.com/tink-crypto/tink-go/proto/tink_go_proto"
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

// customerKeys are the data keys of customers. The database has each of them wrapped by the key of the tenant, bound to
// its tenant and customer. A key is made in a transaction of its own: what a process has in memory is committed.
type customerKeys struct {
	tenants *tenantKeys
	db      *DB
	known   *lru.Cache[Owner, knownKey]

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
	return &customerKeys{tenants: newTenantKeys(s), known: known}
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
	if err := k.add(ctx, tenant, absent, aead.AES256GCMKeyTemplate()); err != nil {
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
		handle, err := k.unwrap(ctx, tenant, row)
		if err != nil {
			return nil, err
		}
		key, err := aead.New(handle)
		if err != nil {
			return nil, fmt.Errorf("open the key of customer %s: %w", row.CustomerID, err)
		}
		found[row.CustomerID] = key
		k.keep(Owner{tenant, row.CustomerID}, key, before)
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

// unwrap opens the key of a customer.
func (k *customerKeys) unwrap(
	ctx context.Context, tenant uuid.UUID, row dbgen.ListCustomerKeysRow,
) (*keyset.Handle, error) {
	kek, err := k.tenants.holding(ctx, tenant, row.KekID)
	if err != nil {
		return nil, err
	}
	return kek.unwrap(row.CustomerID, row.Wrapped)
}

// add makes keys for customers who have none. Another process may make them first: then its keys stay.
func (k *customerKeys) add(
	ctx context.Context, tenant uuid.UUID, customers []uuid.UUID, template *tinkpb.KeyTemplate,
) error {
	for {
		kek, err := k.tenants.get(ctx, tenant)
		if err != nil {
			return err
		}
		in := dbgen.AddCustomerKeysParams{TenantID: tenant, Customers: customers, KekID: kek.primary}
		for _, c := range customers {
			handle, err := keyset.NewHandle(template)
			if err != nil {
				return fmt.Errorf("make the key of customer %s: %w", c, err)
			}
			wrapped, err := kek.wrap(c, handle)
			if err != nil {
				return err
			}
			in.Wrapped = append(in.Wrapped, wrapped)
		}
		wraps, err := k.db.keyQueries(tenant).AddCustomerKeys(ctx, in)
		if err != nil {
			return fmt.Errorf("add the keys of customers: %w", err)
		}
		if wraps {
			return nil
		}
		k.tenants.forget(tenant) // rotated meanwhile
	}
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

// sealedBy returns the id of the sealing key that sealed something itself. 0: another key sealed it.
func sealedBy(sealed []byte) uint32 {
	if len(sealed) < tinkPrefix || sealed[0] != 1 {
		return 0
	}
	return binary.BigEndian.Uint32(sealed[tinkKeyStart:tinkPrefix])
}
