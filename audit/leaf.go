package audit

import (
	"encoding/binary"
	"slices"

	"github.com/google/uuid"
	"github.com/transparency-dev/merkle/rfc6962"

	"github.com/contextvault/contextvault/vault"
)

// leafVersion is the first byte of an encoded entry. Another encoding needs another version.
const leafVersion = 1

// encoder writes members so that two different lists of members never have the same bytes: each has its length before
// it, or a fixed size.
type encoder struct{ bytes []byte }

func (e *encoder) number(n int64) {
	e.bytes = binary.BigEndian.AppendUint64(e.bytes, uint64(n)) //nolint:gosec // its bits
}

func (e *encoder) id(id uuid.UUID) { e.bytes = append(e.bytes, id[:]...) }

func (e *encoder) text(text string) {
	e.number(int64(len(text)))
	e.bytes = append(e.bytes, text...)
}

// leafHash returns the hash of an entry as a leaf of the tree of its interval. Every member of the entry is part of it.
// The time is that of PostgreSQL, in microseconds.
func leafHash(in vault.AuditEntry) []byte {
	e := encoder{bytes: []byte{leafVersion}}
	e.id(in.TenantID)
	e.id(in.ID)
	e.number(in.Xact)
	e.number(in.At.UnixMicro())
	e.text(string(in.Action))
	e.text(string(in.Actor))
	e.text(in.Operation)
	if in.OperationID == nil {
		e.number(0)
	} else {
		e.number(1)
		e.id(*in.OperationID)
	}
	e.text(in.Subject)
	e.number(int64(len(in.Fields)))
	for _, name := range in.Fields {
		e.text(name)
	}
	e.text(in.Purpose)
	e.text(in.Code)
	return rfc6962.DefaultHasher.HashLeaf(e.bytes)
}

// sealHash returns the hash of a seal: of every member but the hash itself.
func sealHash(s vault.AuditSeal) []byte {
	e := encoder{bytes: slices.Grow([]byte{leafVersion}, len(s.LeafHashes)+len(s.EntryIDs)*len(uuid.UUID{})+256)}
	e.id(s.TenantID)
	e.number(s.Number)
	e.number(s.ClosedAt.UnixMicro())
	e.text(s.Cluster)
	e.number(s.FromXact)
	e.number(s.ToXact)
	e.number(int64(len(s.EntryIDs)))
	for _, id := range s.EntryIDs {
		e.id(id)
	}
	e.text(string(s.LeafHashes))
	e.text(string(s.Root))
	e.text(string(s.Previous))
	return rfc6962.DefaultHasher.HashLeaf(e.bytes)
}
