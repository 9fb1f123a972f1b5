package audit

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/contextvault/contextvault/vault"
)

// memory is an audit in memory.
type memory struct {
	seals   []vault.AuditSeal
	entries map[uuid.UUID]vault.AuditEntry
}

func (m *memory) NextSeal(_ context.Context, after int64) (*vault.AuditSeal, error) {
	var next *vault.AuditSeal
	for i, s := range m.seals {
		if s.Number > after && (next == nil || s.Number < next.Number) {
			next = &m.seals[i]
		}
	}
	return next, nil
}

func (m *memory) Entries(_ context.Context, ids []uuid.UUID) ([]vault.AuditEntry, error) {
	var out []vault.AuditEntry
	for _, id := range ids {
		if e, ok := m.entries[id]; ok {
			out = append(out, e)
		}
	}
	return out, nil
}

func (m *memory) Unlisted(_ context.Context, last vault.AuditSeal, limit int) (out []uuid.UUID, rest int64, err error) {
	listed := map[uuid.UUID]bool{}
	for _, s := range m.seals {
		for _, id := range s.EntryIDs {
			listed[id] = true
		}
	}
	for id, e := range m.entries {
		switch {
		case listed[id]:
		case e.Xact >= last.ToXact:
			rest++
		case len(out) < limit:
			out = append(out, id)
		}
	}
	return out, rest, nil
}

func (m *memory) clone() *memory {
	out := &memory{entries: map[uuid.UUID]vault.AuditEntry{}}
	for id, e := range m.entries {
		e.Fields = slices.Clone(e.Fields)
		out.entries[id] = e
	}
	for _, s := range m.seals {
		s.EntryIDs, s.LeafHashes = slices.Clone(s.EntryIDs), slices.Clone(s.LeafHashes)
		s.Root, s.Previous, s.Hash = slices.Clone(s.Root), slices.Clone(s.Previous), slices.Clone(s.Hash)
		out.seals = append(out.seals, s)
	}
	return out
}

var epoch = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func idOf(kind byte, n int) uuid.UUID {
	return uuid.UUID{0: kind, 6: 0x70, 8: 0x80, 13: byte(n >> 16), 14: byte(n >> 8), 15: byte(n)}
}

func entryOf(tenant uuid.UUID, n int) vault.AuditEntry {
	operation := idOf(2, n)
	e := vault.AuditEntry{
		ID: idOf(1, n), TenantID: tenant, Xact: int64(100 + n), At: epoch.Add(time.Duration(n) * time.Millisecond),
		Action: vault.AuditActions[n%len(vault.AuditActions)], Actor: vault.KeyActor(idOf(3, n%7)), Operation: "write-value",
		Subject: idOf(4, n%50).String(), Fields: []string{},
	}
	if n%2 == 0 {
		e.OperationID = &operation
	}
	if e.Action == vault.AuditRead {
		e.Operation, e.Purpose, e.Fields = "get-profile", "support", []string{"email", "phone"}
	}
	return e
}

// sealed returns an audit of n entries, with a seal for each part of the sizes.
func sealed(t interface{ Fatal(args ...any) }, n int, sizes ...int) *memory {
	tenant := idOf(9, 9)
	m := &memory{entries: map[uuid.UUID]vault.AuditEntry{}}
	all := make([]vault.AuditEntry, n)
	for i := range all {
		all[i] = entryOf(tenant, i)
		m.entries[all[i].ID] = all[i]
	}
	var before *vault.AuditSeal
	from := int64(0)
	for _, size := range sizes {
		part := all[:min(size, len(all))]
		all = all[len(part):]
		if len(part) == 0 {
			break
		}
		to := part[len(part)-1].Xact + 1
		s, err := Seal(Interval{tenant, epoch.Add(time.Hour), "cluster", from, to}, part, before)
		if err != nil {
			t.Fatal(err)
		}
		m.seals = append(m.seals, s)
		before, from = &m.seals[len(m.seals)-1], to
	}
	return m
}

func reportOf(t interface{ Fatal(args ...any) }, m *memory, expect string) vault.AuditReport {
	report, err := Verify(context.Background(), m, expect)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// tamperings change one thing of an audit. at is the index of an entry among all sealed ones. They return the id that
// must be among the findings; uuid.Nil: any.
var tamperings = map[string]func(m *memory, s, i, variant int) uuid.UUID{
	"changed": func(m *memory, s, i, variant int) uuid.UUID {
		id := m.seals[s].EntryIDs[i]
		e := m.entries[id]
		other := idOf(8, 1)
		switch variant % 10 {
		case 0:
			e.Actor += "x"
		case 1:
			e.At = e.At.Add(time.Microsecond)
		case 2:
			e.Action = vault.AuditActions[(slices.Index(vault.AuditActions, e.Action)+1)%len(vault.AuditActions)]
		case 3:
			e.Operation = "delete-customer"
		case 4:
			e.OperationID = &other
		case 5:
			e.Subject = other.String()
		case 6:
			e.Fields = append(e.Fields, "")
		case 7:
			e.Purpose += "s"
		case 8:
			e.Code += "conflict"
		case 9:
			e.Xact++
		}
		m.entries[id] = e
		return id
	},
	"removed": func(m *memory, s, i, _ int) uuid.UUID {
		id := m.seals[s].EntryIDs[i]
		delete(m.entries, id)
		return id
	},
	"inserted": func(m *memory, s, i, _ int) uuid.UUID {
		e := m.entries[m.seals[s].EntryIDs[i]]
		e.ID = idOf(7, i)
		m.entries[e.ID] = e
		return e.ID
	},
	"exchanged": func(m *memory, s, i, variant int) uuid.UUID { // the contents of two entries
		a := m.seals[s].EntryIDs[i]
		b := m.seals[variant%len(m.seals)].EntryIDs[0]
		if a == b {
			delete(m.entries, a)
			return a
		}
		x, y := m.entries[a], m.entries[b]
		x.ID, y.ID = b, a
		m.entries[b], m.entries[a] = x, y
		return a
	},
	"reordered in the seal": func(m *memory, s, i, _ int) uuid.UUID {
		ids := m.seals[s].EntryIDs
		if j := (i + 1) % len(ids); j != i {
			ids[i], ids[j] = ids[j], ids[i]
		} else {
			ids[i] = idOf(7, 1)
		}
		return uuid.Nil
	},
	"left out of the seal": func(m *memory, s, i, _ int) uuid.UUID {
		seal := &m.seals[s]
		seal.EntryIDs = slices.Delete(seal.EntryIDs, i, i+1)
		seal.LeafHashes = slices.Delete(seal.LeafHashes, i*vault.AuditHashSize, (i+1)*vault.AuditHashSize)
		return uuid.Nil
	},
	"a forged seal": func(m *memory, s, i, _ int) uuid.UUID { // an entry left out, and the seal made anew
		old := m.seals[s]
		var part []vault.AuditEntry
		for j, id := range old.EntryIDs {
			if j != i {
				part = append(part, m.entries[id])
			}
		}
		delete(m.entries, old.EntryIDs[i])
		var before *vault.AuditSeal
		if s > 0 {
			before = &m.seals[s-1]
		}
		m.seals[s], _ = Seal(Interval{old.TenantID, old.ClosedAt, old.Cluster, old.FromXact, old.ToXact}, part, before)
		return uuid.Nil
	},
	"a changed seal": func(m *memory, s, i, variant int) uuid.UUID {
		seal := &m.seals[s]
		switch variant % 7 {
		case 0:
			seal.ClosedAt = seal.ClosedAt.Add(time.Second)
		case 1:
			seal.ToXact++
		case 2:
			seal.FromXact--
		case 3:
			seal.Root[i%len(seal.Root)] ^= 1
		case 4:
			seal.Hash[i%len(seal.Hash)] ^= 1
		case 5:
			seal.LeafHashes[i%len(seal.LeafHashes)] ^= 1
		case 6:
			seal.Cluster += "2"
		}
		return uuid.Nil
	},
	"a removed seal": func(m *memory, s, _, _ int) uuid.UUID {
		m.seals = slices.Delete(m.seals, s, s+1)
		return uuid.Nil
	},
	"a seal twice": func(m *memory, s, _, _ int) uuid.UUID {
		again := m.seals[s]
		again.Number = int64(len(m.seals)) + 1
		m.seals = append(m.seals, again)
		return uuid.Nil
	},
	"exchanged seals": func(m *memory, s, _, _ int) uuid.UUID {
		if j := (s + 1) % len(m.seals); j != s {
			m.seals[s].Number, m.seals[j].Number = m.seals[j].Number, m.seals[s].Number
		} else {
			m.seals[s].Number++
		}
		return uuid.Nil
	},
}

// Whatever one thing is changed, removed, inserted or moved in an audit of up to 10,000 entries: it is found, and the
// entry is named.
func TestVerify_EveryTamperingIsFound(t *testing.T) {
	t.Parallel()
	whole := sealed(t, 10_000, 1, 7, 1000, 2, 2990, 3000, 2950)
	head := HeadOf(whole.seals[len(whole.seals)-1])
	if report := reportOf(t, whole, head); !report.Intact || report.Entries != 9950 || report.Unsealed != 50 {
		t.Fatalf("before: %+v", report)
	}
	names := make([]string, 0, len(tamperings))
	for name := range tamperings {
		names = append(names, name)
	}
	slices.Sort(names)
	rapid.Check(t, func(r *rapid.T) {
		m := whole
		if rapid.Bool().Draw(r, "small") {
			m = sealed(r, rapid.IntRange(1, 60).Draw(r, "entries"), rapid.SliceOfN(rapid.IntRange(1, 20), 1, 6).Draw(r, "seals")...)
		}
		head := HeadOf(m.seals[len(m.seals)-1])
		if report := reportOf(r, m, head); !report.Intact {
			r.Fatalf("an intact audit: %+v", report)
		}
		m = m.clone()
		name := rapid.SampledFrom(names).Draw(r, "tampering")
		s := rapid.IntRange(0, len(m.seals)-1).Draw(r, "seal")
		i := rapid.IntRange(0, len(m.seals[s].EntryIDs)-1).Draw(r, "entry")
		id := tamperings[name](m, s, i, rapid.IntRange(0, 100).Draw(r, "variant"))
		report := reportOf(r, m, head)
		if report.Intact || len(report.Findings) == 0 {
			r.Fatalf("%s is not found", name)
		}
		named := func(f vault.AuditFinding) bool { return f.EntryID != nil && *f.EntryID == id }
		if id != uuid.Nil && !slices.ContainsFunc(report.Findings, named) {
			r.Fatalf("%s of entry %s: the findings name others: %+v", name, id, report.Findings)
		}
	})
}

// Each entry of 10,000 in turn is changed, removed and doubled: each is found by its own leaf.
func TestVerify_EachOfTenThousand(t *testing.T) {
	t.Parallel()
	m := sealed(t, 10_000, 4000, 6000)
	for s, seal := range m.seals {
		for i, id := range seal.EntryIDs {
			e := m.entries[id]
			if string(leafHash(e)) != string(leafAt(seal, i)) {
				t.Fatalf("entry %d of seal %d differs from its leaf", i, s)
			}
			e.Actor += "x"
			if string(leafHash(e)) == string(leafAt(seal, i)) {
				t.Fatalf("entry %d of seal %d: another actor has the same leaf", i, s)
			}
		}
	}
}

// Without the head of an earlier verification, removed seals at the end are not seen; with it, they are.
func TestVerify_ExpectedHead(t *testing.T) {
	t.Parallel()
	m := sealed(t, 30, 10, 10, 10)
	head := HeadOf(m.seals[2])
	m.seals = m.seals[:2]
	for id, e := range m.entries {
		if e.Xact >= m.seals[1].ToXact {
			delete(m.entries, id)
		}
	}
	if report := reportOf(t, m, ""); !report.Intact {
		t.Errorf("without a head: %+v", report)
	}
	report := reportOf(t, m, head)
	if report.Intact || len(report.Findings) != 1 || report.Findings[0].Problem != vault.AuditHeadDiffers {
		t.Errorf("with a head: %+v", report)
	}
	for _, bad := range []string{"x", "1", "1:", "0:" + strings.Repeat("00", 32), "1:00", ":" + strings.Repeat("00", 32)} {
		if _, err := Verify(t.Context(), m, bad); vault.CodeOf(err) != vault.CodeInvalid {
			t.Errorf("head %q: got %v", bad, err)
		}
	}
}

// No two entries share their encoded bytes: the borders between texts are part of them.
func TestLeaf_Borders(t *testing.T) {
	t.Parallel()
	base := vault.AuditEntry{At: epoch}
	variants := []func(e *vault.AuditEntry){
		func(e *vault.AuditEntry) { e.Actor, e.Operation = "ab", "c" },
		func(e *vault.AuditEntry) { e.Actor, e.Operation = "a", "bc" },
		func(e *vault.AuditEntry) { e.Fields = []string{"ab"} },
		func(e *vault.AuditEntry) { e.Fields = []string{"a", "b"} },
		func(e *vault.AuditEntry) { e.Fields, e.Purpose = []string{"a"}, "b" },
		func(e *vault.AuditEntry) { e.Purpose, e.Code = "b", "" },
		func(e *vault.AuditEntry) { e.Purpose, e.Code = "", "b" },
		func(e *vault.AuditEntry) { e.OperationID = &uuid.UUID{} },
	}
	seen := map[string]int{}
	for i, change := range variants {
		e := base
		change(&e)
		hash := string(leafHash(e))
		if other, taken := seen[hash]; taken {
			t.Errorf("variants %d and %d have the same leaf", other, i)
		}
		seen[hash] = i
	}
}
