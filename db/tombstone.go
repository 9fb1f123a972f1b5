package db

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/vault"
)

// A tombstone is a keyed hash of something that identified an erased customer. It keeps late retries, replays and
// imports from bringing the customer back, and says nothing to a reader without the sealed key of the tenant.

// hashKeySize is the size of the key of tombstones, in bytes: that of a SHA-256 block of output.
const hashKeySize = 32

// CustomerSubject is the subject of the tombstone of a customer.
func CustomerSubject(customer uuid.UUID) string { return "customer\x1f" + customer.String() }

// BelongingSubject is the subject of the tombstone of a session, an item or a question of a customer.
func BelongingSubject(id uuid.UUID) string { return "belonging\x1f" + id.String() }

// IdentitySubject is the subject of the tombstone of a channel identity.
func IdentitySubject(channel, external string) string {
	return "identity\x1f" + channel + "\x1f" + external
}

// Erased is what a tombstone says about a subject.
type Erased struct {
	ErasureID uuid.UUID
	Finished  bool // false: the erasure is under way
}

// Error returns the error of an operation on an erased customer. field is the member of the input that names it.
func (e Erased) Error(field string) *vault.Error {
	if !e.Finished {
		return &vault.Error{Code: vault.CodeErased, Field: field, Message: fmt.Sprintf(
			"%s: this customer is being erased by operation %s; nothing can be stored for it", field, e.ErasureID)}
	}
	return &vault.Error{Code: vault.CodeErased, Field: field, Message: fmt.Sprintf(
		"%s: this customer was erased by operation %s; nothing can be stored for it. A person who comes back is a new "+
			"customer: open-customer with after_erasure", field, e.ErasureID)}
}

// FindErased returns the subjects that were erased. It costs one query for a tenant that has erased nobody, and two for
// others.
//
// A caller that creates something for a customer calls it after the insert, in the same transaction: the erasure
// commits its tombstones before it removes rows, so an insert that succeeds after a removal finds them.
func FindErased(
	ctx context.Context, q *dbgen.Queries, sealer *Sealer, tenant uuid.UUID, subjects ...string,
) (map[string]Erased, error) {
	row, err := q.GetErasureKey(ctx, tenant)
	if IsNotFound(err) || (err == nil && len(subjects) == 0) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	hashes, err := hashSubjects(ctx, sealer, row, subjects)
	if err != nil {
		return nil, err
	}
	found, err := q.ListTombstones(ctx, tenant, hashes)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	byHash := make(map[string]Erased, len(found))
	for _, f := range found {
		byHash[string(f.Hash)] = Erased{ErasureID: f.ErasureID, Finished: f.Finished}
	}
	out := map[string]Erased{}
	for i, s := range subjects {
		if e, ok := byHash[string(hashes[i])]; ok {
			out[s] = e
		}
	}
	return out, nil
}

// CheckErased returns vault.CodeErased if a customer was erased. Call it as FindErased.
func CheckErased(
	ctx context.Context, q *dbgen.Queries, sealer *Sealer, tenant, customer uuid.UUID,
) error {
	return checkSubject(ctx, q, sealer, tenant, CustomerSubject(customer), "customer_id")
}

// CheckErasedIdentity is CheckErased for a channel identity.
func CheckErasedIdentity(
	ctx context.Context, q *dbgen.Queries, sealer *Sealer, tenant uuid.UUID, channel, external string,
) error {
	return checkSubject(ctx, q, sealer, tenant, IdentitySubject(channel, external), "external_id")
}

func checkSubject(
	ctx context.Context, q *dbgen.Queries, sealer *Sealer, tenant uuid.UUID, subject, field string,
) error {
	found, err := FindErased(ctx, q, sealer, tenant, subject)
	if err != nil {
		return err
	}
	if e, ok := found[subject]; ok {
		return e.Error(field)
	}
	return nil
}

// AddTombstones adds the tombstones of an erasure. The keys of the tenant exist (EnsureErasureKey).
func AddTombstones(
	ctx context.Context, q *dbgen.Queries, sealer *Sealer, tenant, erasure uuid.UUID, subjects []string,
) error {
	row, err := q.GetErasureKey(ctx, tenant)
	if err != nil {
		return err
	}
	hashes, err := hashSubjects(ctx, sealer, row, subjects)
	if err != nil {
		return err
	}
	return q.InsertTombstones(ctx, dbgen.InsertTombstonesParams{TenantID: tenant, ErasureID: erasure, Hashes: hashes})
}

// EnsureErasureKey returns the keys of a tenant for tombstones and receipts, and makes them at the first call.
func EnsureErasureKey(
	ctx context.Context, q *dbgen.Queries, sealer *Sealer, tenant uuid.UUID,
) (dbgen.ErasureKey, error) {
	row, err := q.GetErasureKey(ctx, tenant)
	if !IsNotFound(err) {
		return row, err
	}
	hashKey := make([]byte, hashKeySize)
	if _, err := rand.Read(hashKey); err != nil {
		return row, fmt.Errorf("make the key of tombstones: %w", err)
	}
	signing, public, err := newSigningKey()
	if err != nil {
		return row, err
	}
	in := dbgen.InsertErasureKeyParams{TenantID: tenant, PublicKey: public}
	if in.HashKey, err = sealer.SealBytes(ctx, Owner{TenantID: tenant}, tenant, hashKey); err != nil {
		return row, err
	}
	if in.SigningKey, err = sealer.SealBytes(ctx, Owner{TenantID: tenant}, tenant, signing); err != nil {
		return row, err
	}
	if err := q.InsertErasureKey(ctx, in); err != nil {
		return row, err
	}
	return q.GetErasureKey(ctx, tenant) // of another transaction if that was first
}

func hashSubjects(ctx context.Context, sealer *Sealer, row dbgen.ErasureKey, subjects []string) ([][]byte, error) {
	key, err := sealer.OpenBytes(ctx, row.TenantID, row.TenantID, row.HashKey)
	if err != nil {
		return nil, fmt.Errorf("open the key of tombstones: %w", err)
	}
	out := make([][]byte, len(subjects))
	for i, s := range subjects {
		out[i] = Tombstone(key, s)
	}
	return out, nil
}

// Tombstone returns the tombstone of a subject, with the opened key of a tenant.
func Tombstone(key []byte, subject string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(subject))
	return mac.Sum(nil)
}
