package erasure

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/vault"
)

// A record of erasures leads them over the restore of an old backup. It is a file of JSON Lines with no personal data:
// for each tenant its keys for tombstones and receipts, sealed as in the database, and for each finished erasure its
// receipt and its tombstones. In the restored database, the tombstones say which customers have to be erased again.

// recordLine is a line of a record: the keys of a tenant, or an erasure of a tenant whose keys came before.
type recordLine struct {
	TenantID uuid.UUID `json:"tenant_id"`

	HashKey    []byte `json:"hash_key,omitempty"`
	SigningKey []byte `json:"signing_key,omitempty"`
	PublicKey  string `json:"public_key,omitempty"`

	ErasureID  uuid.UUID           `json:"erasure_id,omitzero"`
	Derived    vault.DerivedAction `json:"derived,omitempty"`
	Counts     json.RawMessage     `json:"counts,omitempty"`
	Mentions   json.RawMessage     `json:"mentions,omitempty"`
	Receipt    string              `json:"receipt,omitempty"`
	BegunAt    time.Time           `json:"begun_at,omitzero"`
	FinishedAt time.Time           `json:"finished_at,omitzero"`
	Tombstones [][]byte            `json:"tombstones,omitempty"`
}

// Recorded counts what Record wrote.
type Recorded struct {
	Tenants  int `json:"tenants"`
	Erasures int `json:"erasures"`
}

// recordPage is the number of erasures, and of customers, that are read at once.
const recordPage = 500

// Record writes the finished erasures of tenants that began at a time or later.
func (s Erasure) Record(ctx context.Context, tenants []uuid.UUID, since time.Time, w io.Writer) (Recorded, error) {
	var out Recorded
	lines := json.NewEncoder(w)
	for _, tenant := range tenants {
		q := s.Once.DB.Tenant(tenant)
		keys, err := q.GetErasureKey(ctx, tenant)
		if db.IsNotFound(err) {
			continue // it has erased nobody
		}
		if err != nil {
			return out, err
		}
		err = lines.Encode(recordLine{
			TenantID: tenant, HashKey: keys.HashKey, SigningKey: keys.SigningKey, PublicKey: keys.PublicKey,
		})
		if err != nil {
			return out, fmt.Errorf("write the record: %w", err)
		}
		out.Tenants++
		n, err := s.recordTenant(ctx, q, tenant, since, lines)
		if out.Erasures += n; err != nil {
			return out, err
		}
	}
	return out, nil
}

func (s Erasure) recordTenant(
	ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, since time.Time, lines *json.Encoder,
) (n int, err error) {
	for after := uuid.Nil; ; {
		rows, err := q.ListFinishedErasures(ctx, dbgen.ListFinishedErasuresParams{
			TenantID: tenant, AfterID: after, Since: since, MaxRows: recordPage,
		})
		if err != nil || len(rows) == 0 {
			return n, err
		}
		ids := make([]uuid.UUID, len(rows))
		for i, r := range rows {
			ids[i] = r.ID
		}
		hashes, err := q.ListTombstonesOfErasures(ctx, tenant, ids)
		if err != nil {
			return n, err
		}
		of := map[uuid.UUID][][]byte{}
		for _, h := range hashes {
			of[h.ErasureID] = append(of[h.ErasureID], h.Hash)
		}
		for _, r := range rows {
			line := recordLine{
				ErasureID: r.ID, TenantID: tenant, Derived: vault.DerivedAction(r.Derived), Counts: r.Counts,
				Mentions: r.Mentions, BegunAt: r.BegunAt, Tombstones: of[r.ID],
			}
			if r.Receipt != nil && r.FinishedAt != nil {
				line.Receipt, line.FinishedAt = *r.Receipt, *r.FinishedAt
			}
			if err := lines.Encode(line); err != nil {
				return n, fmt.Errorf("write the record: %w", err)
			}
			n++
		}
		after = ids[len(ids)-1]
	}
}

// Repeated counts what Repeat did.
type Repeated struct {
	Erasures int `json:"erasures"` // in the record
	// Customers is the number of customers who were there again, and were erased.
	Customers int `json:"customers_erased"`
	// Foreign is the number of tenants whose tombstones have another key here: their customers are erased, and the
	// tombstones of erasures whose customers were not here are not kept.
	Foreign int `json:"tenants_with_another_key"`
}

// record is a record that was read, of one tenant.
type record struct {
	keys     recordLine
	erasures []recordLine
	hashes   map[string]vault.DerivedAction // by tombstone
}

// Repeat erases again who is in a record and in the database, and then keeps the receipts and tombstones of the record,
// so that late imports do not bring the others back. It reads the whole record before it changes anything. A second call
// finds nothing to erase. The steps run in this process; an interrupted call is continued by the next one.
func (s Erasure) Repeat(ctx context.Context, in io.Reader) (Repeated, error) {
	var out Repeated
	records, err := readRecord(in)
	if err != nil {
		return out, err
	}
	for _, r := range records {
		out.Erasures += len(r.erasures)
		// The keys of the backup count, if it has some. Otherwise old receipts and tombstones stay valid with these.
		q, tenant := s.Once.DB.Tenant(r.keys.TenantID), r.keys.TenantID
		hashKey, err := s.Once.Sealer.OpenBytes(ctx, tenant, tenant, r.keys.HashKey)
		if err != nil {
			return out, fmt.Errorf("open the key of tombstones of tenant %s, with the sealing key of this process: %w",
				tenant, err)
		}
		err = q.InsertErasureKey(ctx, dbgen.InsertErasureKeyParams{
			TenantID: tenant, HashKey: r.keys.HashKey, SigningKey: r.keys.SigningKey, PublicKey: r.keys.PublicKey,
		})
		if db.IsForeignKeyViolation(err, "erasure_keys_tenant_id_fkey") {
			continue // the tenant came after the backup, so nobody of it is here
		}
		if err != nil {
			return out, err
		}
		n, err := s.repeatTenant(ctx, r, hashKey)
		if out.Customers += n; err != nil {
			return out, err
		}
		same, err := s.hasHashKey(ctx, q, tenant, hashKey)
		if err != nil {
			return out, err
		}
		if !same {
			out.Foreign++
			continue
		}
		if err := s.keep(ctx, r); err != nil {
			return out, err
		}
	}
	return out, nil
}

func readRecord(in io.Reader) ([]*record, error) {
	byTenant, order := map[uuid.UUID]*record{}, []*record(nil)
	lines := json.NewDecoder(in)
	for n := 1; ; n++ {
		var line recordLine
		err := lines.Decode(&line)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, vault.Invalid("from", "entry %d is not of a record: write one with `vault erasure record`", n)
		}
		r := byTenant[line.TenantID]
		switch {
		case line.TenantID == uuid.Nil || (line.ErasureID == uuid.Nil) == (len(line.HashKey) == 0):
			return nil, vault.Invalid("from", "entry %d is not of a record: write one with `vault erasure record`", n)
		case line.ErasureID == uuid.Nil && r == nil:
			r = &record{keys: line, hashes: map[string]vault.DerivedAction{}}
			byTenant[line.TenantID], order = r, append(order, r)
		case line.ErasureID == uuid.Nil:
			if !bytes.Equal(line.HashKey, r.keys.HashKey) {
				return nil, vault.Invalid("from", "entry %d has other keys of a tenant than an entry before", n)
			}
		case r == nil:
			return nil, vault.Invalid("from", "entry %d is an erasure of a tenant whose keys do not come before", n)
		default:
			r.erasures = append(r.erasures, line)
			for _, hash := range line.Tombstones {
				r.hashes[string(hash)] = line.Derived
			}
		}
	}
	if len(order) == 0 {
		return nil, vault.Invalid("from", "has no entry: write a record with `vault erasure record`")
	}
	return order, nil
}

// repeatTenant erases the customers of a tenant who are in a record.
func (s Erasure) repeatTenant(ctx context.Context, r *record, hashKey []byte) (n int, err error) {
	tenant := r.keys.TenantID
	for after := uuid.Nil; ; {
		known, err := s.Once.DB.Tenant(tenant).ListKnownCustomers(ctx, dbgen.ListKnownCustomersParams{
			TenantID: tenant, AfterID: after, MaxRows: recordPage,
		})
		if err != nil || len(known) == 0 {
			return n, err
		}
		for _, customer := range known {
			derived, gone := r.hashes[string(db.Tombstone(hashKey, db.CustomerSubject(customer)))]
			if !gone {
				continue
			}
			err := db.CheckErased(ctx, s.Once.DB.Tenant(tenant), s.Once.Sealer, tenant, customer)
			if err == nil {
				err = s.eraseNow(ctx, tenant, vault.EraseCustomerInput{CustomerID: customer, Derived: derived})
			}
			if vault.CodeOf(err) == vault.CodeErased {
				continue // with a customer whom it was merged with
			}
			if err != nil {
				return n, fmt.Errorf("erase a customer of tenant %s again: %w", tenant, err)
			}
			n++
		}
		after = known[len(known)-1]
	}
}

// eraseNow accepts an erasure and runs its steps.
func (s Erasure) eraseNow(ctx context.Context, tenant uuid.UUID, in vault.EraseCustomerInput) error {
	var ev vault.Event
	err := s.Once.DB.InTx(ctx, tenant, func(q *dbgen.Queries) error {
		row, err := db.AcceptOperation(ctx, q, s.Once.Sealer, tenant, db.NewOperation{
			Workflow: vault.EraseCustomer.Name, Event: vault.EraseCustomer.EventFor(in),
			Subject: vault.EraseCustomer.Subject(in), Payload: in, Key: "repeat:" + in.CustomerID.String(),
			Actor: vault.ActorOf(ctx), CustomerID: vault.EraseCustomer.CustomerOf(in),
		})
		ev = db.EventOf(row)
		return err
	})
	if err != nil {
		return err
	}
	for _, step := range []func(context.Context, vault.Event) (Stage, error){s.Begin, s.EndWork, s.Erase, s.Scan} {
		if _, err := step(ctx, ev); err != nil {
			return s.failed(ctx, ev, err)
		}
	}
	if _, err := s.Finish(ctx, ev); err != nil {
		return err
	}
	_, err = s.Caches.InvalidateAndAcknowledge(ctx, vault.BatchOf(ev))
	return err
}

// failed ends an operation whose error is permanent. Others are continued by the next call, or by a worker.
func (s Erasure) failed(ctx context.Context, ev vault.Event, cause error) error {
	if !vault.Permanent(cause) {
		return cause
	}
	err := s.Once.DB.InTx(ctx, ev.TenantID, func(q *dbgen.Queries) error {
		_, err := once.MarkFailed(ctx, q, ev, once.AsError(cause))
		return err
	})
	return errors.Join(cause, err)
}

func (s Erasure) hasHashKey(ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, hashKey []byte) (bool, error) {
	row, err := q.GetErasureKey(ctx, tenant)
	if err != nil {
		return false, err
	}
	own, err := s.Once.Sealer.OpenBytes(ctx, tenant, tenant, row.HashKey)
	return bytes.Equal(own, hashKey), err
}

// keep stores the receipts and tombstones of a record.
func (s Erasure) keep(ctx context.Context, r *record) error {
	tenant := r.keys.TenantID
	for _, e := range r.erasures {
		err := s.Once.DB.InTx(ctx, tenant, func(q *dbgen.Queries) error {
			receipt, finished := e.Receipt, e.FinishedAt
			err := q.RecordFinishedErasure(ctx, dbgen.RecordFinishedErasureParams{
				ID: e.ErasureID, TenantID: tenant, Derived: string(e.Derived), Counts: db.JSON(e.Counts),
				Mentions: db.JSON(e.Mentions), Receipt: &receipt, BegunAt: e.BegunAt, FinishedAt: &finished,
			})
			if err != nil {
				return err
			}
			return q.InsertTombstones(ctx, dbgen.InsertTombstonesParams{
				TenantID: tenant, ErasureID: e.ErasureID, Hashes: e.Tombstones,
			})
		})
		if err != nil {
			return fmt.Errorf("keep erasure %s: %w", e.ErasureID, err)
		}
	}
	return nil
}
