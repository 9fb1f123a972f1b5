package audit

import (
	"bytes"
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/vault"
)

// Source reads the audit of one tenant.
type Source interface {
	// NextSeal returns the seal with the lowest number above after. nil: there is none.
	NextSeal(ctx context.Context, after int64) (*vault.AuditSeal, error)
	// Entries returns the entries with these ids that exist, in any order.
	Entries(ctx context.Context, ids []uuid.UUID) ([]vault.AuditEntry, error)
	// Unlisted returns up to limit ids of the entries that no seal lists although the seals cover them, and the number of
	// entries that no seal covers yet.
	Unlisted(ctx context.Context, last vault.AuditSeal, limit int) (inserted []uuid.UUID, unsealed int64, err error)
}

// Verify compares the audit of a tenant with its seals. expect is the head of an earlier verification, as number:hash;
// "": none.
func Verify(ctx context.Context, source Source, expect string) (vault.AuditReport, error) {
	v := verifier{report: vault.AuditReport{Findings: []vault.AuditFinding{}}, sealed: map[uuid.UUID]int64{}}
	if expect != "" {
		var err error
		if v.expected, v.expectedHash, err = ParseHead(expect); err != nil {
			return v.report, err
		}
	}
	for {
		next, err := source.NextSeal(ctx, v.last.Number)
		if err != nil {
			return v.report, err
		}
		if next == nil {
			break
		}
		entries, err := source.Entries(ctx, next.EntryIDs)
		if err != nil {
			return v.report, err
		}
		v.seal(*next, entries)
	}
	inserted, unsealed, err := source.Unlisted(ctx, v.last, vault.MaxAuditFindings)
	if err != nil {
		return v.report, err
	}
	for _, id := range inserted {
		v.find(vault.AuditEntryInserted, 0, &id, "entry %s is in a closed interval, and no seal lists it", id)
	}
	if v.expected > v.last.Number {
		v.find(vault.AuditHeadDiffers, v.expected, nil, "seal %d does not exist: the newest is %d", v.expected, v.last.Number)
	}
	v.report.Unsealed = unsealed
	if v.last.Number > 0 {
		v.report.Head = HeadOf(v.last)
	}
	v.report.Intact = v.report.Found == 0
	return v.report, nil
}

// verifier checks seals in their order.
type verifier struct {
	report vault.AuditReport
	last   vault.AuditSeal
	sealed map[uuid.UUID]int64 // the seal of each entry

	expected     int64 // the number of the expected seal; 0: none
	expectedHash []byte
}

func (v *verifier) find(problem vault.AuditProblem, seal int64, entry *uuid.UUID, format string, args ...any) {
	v.report.Found++
	if len(v.report.Findings) < vault.MaxAuditFindings {
		v.report.Findings = append(v.report.Findings, vault.AuditFinding{
			Problem: problem, Seal: seal, EntryID: entry, Detail: fmt.Sprintf(format, args...),
		})
	}
}

func (v *verifier) seal(s vault.AuditSeal, entries []vault.AuditEntry) {
	for number := v.last.Number + 1; number < s.Number; number++ {
		v.find(vault.AuditSealMissing, number, nil, "seal %d does not exist", number)
		if v.report.Found > vault.MaxAuditFindings {
			break
		}
	}
	if !bytes.Equal(s.Previous, v.last.Hash) {
		v.find(vault.AuditSealUnchained, s.Number, nil, "seal %d does not continue the seal before it", s.Number)
	}
	if s.Number == v.expected && !bytes.Equal(s.Hash, v.expectedHash) {
		v.find(vault.AuditHeadDiffers, s.Number, nil, "seal %d has another hash than expected", s.Number)
	}
	if !v.isSound(s) {
		v.find(vault.AuditSealChanged, s.Number, nil, "seal %d, closed at %s, was changed", s.Number, s.ClosedAt.UTC())
	}
	byID := make(map[uuid.UUID]vault.AuditEntry, len(entries))
	for _, e := range entries {
		byID[e.ID] = e
	}
	for i, id := range s.EntryIDs {
		if other, twice := v.sealed[id]; twice {
			v.find(vault.AuditEntryRepeated, s.Number, &id, "entry %s is listed by seal %d already", id, other)
		}
		v.sealed[id] = s.Number
		entry, exists := byID[id]
		switch {
		case !exists:
			v.find(vault.AuditEntryRemoved, s.Number, &id, "entry %s of seal %d does not exist", id, s.Number)
		case !bytes.Equal(leafAt(s, i), leafHash(entry)):
			v.find(vault.AuditEntryChanged, s.Number, &id, "entry %s of seal %d was changed", id, s.Number)
		}
	}
	v.report.Seals++
	v.report.Entries += int64(len(s.EntryIDs))
	v.last = s
}

// isSound reports whether a seal agrees with its own root and hash.
func (v *verifier) isSound(s vault.AuditSeal) bool {
	if len(s.LeafHashes) != len(s.EntryIDs)*vault.AuditHashSize || !bytes.Equal(s.Hash, sealHash(s)) {
		return false
	}
	root, err := merkleRoot(s.LeafHashes)
	return err == nil && bytes.Equal(root, s.Root)
}

// leafAt returns the hash of an entry of a seal. nil: the seal has none.
func leafAt(s vault.AuditSeal, i int) []byte {
	from := i * vault.AuditHashSize
	if from+vault.AuditHashSize > len(s.LeafHashes) {
		return nil
	}
	return s.LeafHashes[from : from+vault.AuditHashSize]
}
