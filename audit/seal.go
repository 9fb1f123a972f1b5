package audit

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"

	"github.com/contextvault/contextvault/vault"
)

// MaxEntries is the maximum number of entries of a seal, unless one transaction wrote more. It bounds the size of a
// seal to half a megabyte.
const MaxEntries = 10_000

// Interval is what a seal closes.
type Interval struct {
	Tenant   uuid.UUID
	ClosedAt time.Time
	Cluster  string
	From, To int64 // transactions, To is excluded
}

// Seal closes an interval with its entries, after the seal before it. nil: it is the first.
func Seal(in Interval, entries []vault.AuditEntry, before *vault.AuditSeal) (vault.AuditSeal, error) {
	s := vault.AuditSeal{
		TenantID: in.Tenant, Number: 1, ClosedAt: in.ClosedAt, Cluster: in.Cluster, FromXact: in.From, ToXact: in.To,
		EntryIDs:   make([]uuid.UUID, len(entries)),
		LeafHashes: make([]byte, 0, len(entries)*vault.AuditHashSize),
		Previous:   []byte{},
	}
	if before != nil {
		s.Number, s.Previous = before.Number+1, before.Hash
	}
	for i, e := range entries {
		s.EntryIDs[i] = e.ID
		s.LeafHashes = append(s.LeafHashes, leafHash(e)...)
	}
	var err error
	if s.Root, err = merkleRoot(s.LeafHashes); err != nil {
		return s, err
	}
	s.Hash = sealHash(s)
	return s, nil
}

// merkleRoot returns the root of the tree of RFC 6962 over leaf hashes.
func merkleRoot(leaves []byte) ([]byte, error) {
	if len(leaves) == 0 {
		return rfc6962.DefaultHasher.EmptyRoot(), nil
	}
	tree := (&compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}).NewEmptyRange(0)
	for at := 0; at+vault.AuditHashSize <= len(leaves); at += vault.AuditHashSize {
		if err := tree.Append(leaves[at:at+vault.AuditHashSize], nil); err != nil {
			return nil, fmt.Errorf("make the Merkle tree of the audit: %w", err)
		}
	}
	return tree.GetRootHash(nil)
}

// HeadOf returns a seal as number:hash.
func HeadOf(s vault.AuditSeal) string {
	return strconv.FormatInt(s.Number, 10) + ":" + hex.EncodeToString(s.Hash)
}

// ParseHead reads what HeadOf returned.
func ParseHead(text string) (number int64, hash []byte, err error) {
	first, rest, _ := strings.Cut(text, ":")
	number, err = strconv.ParseInt(first, 10, 64)
	if err == nil {
		hash, err = hex.DecodeString(rest)
	}
	if err != nil || number < 1 || len(hash) != vault.AuditHashSize {
		return 0, nil, vault.Invalid("expect", "must be a head as a verification shows it: number:hash")
	}
	return number, hash, nil
}
