package rules_test

import (
	"bytes"
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

// numbered gives a UUID that sorts by n.
func numbered(n int) uuid.UUID {
	id := someID
	id[14], id[15] = byte(n>>8), byte(n)
	return id
}

func TestPlace_OrderOfAcceptance(t *testing.T) {
	t.Parallel()
	at := func(n int) rules.Version {
		return rules.Version{ID: numbered(100 + n), OperationID: numbered(n), AcceptedAt: morning.Add(time.Duration(n) * time.Minute)}
	}
	past, future := after(-time.Hour), after(time.Hour)
	id := func(n int) *uuid.UUID { v := numbered(100 + n); return &v }
	for _, tc := range []struct {
		name        string
		history     []rules.Version
		accepted    int
		sourceFound bool
		expiresAt   *time.Time
		want        rules.Placement
	}{
		{"the first version is active", nil, 5, true, nil, rules.Placement{Status: vault.StatusActive}},
		{"a newer version supersedes the previous one", []rules.Version{at(1), at(3)}, 5, true, future, rules.Placement{Status: vault.StatusActive, Supersedes: id(3)}},
		{"the history may come in any order", []rules.Version{at(3), at(1)}, 5, true, nil, rules.Placement{Status: vault.StatusActive, Supersedes: id(3)}},
		{"a late version is superseded and placed between its neighbours", []rules.Version{at(1), at(3), at(7), at(9)}, 5, true, nil, rules.Placement{Status: vault.StatusSuperseded, SupersededBy: id(7), Supersedes: id(3)}},
		{"a late version can be the oldest", []rules.Version{at(9), at(7)}, 5, true, nil, rules.Placement{Status: vault.StatusSuperseded, SupersededBy: id(7)}},
		{"a missing source makes it orphaned", []rules.Version{at(1)}, 5, false, nil, rules.Placement{Status: vault.StatusOrphaned, Supersedes: id(1)}},
		{"a past expiry makes it expired", nil, 5, true, past, rules.Placement{Status: vault.StatusExpired}},
		{"an expiry equal to now has passed", nil, 5, true, after(0), rules.Placement{Status: vault.StatusExpired}},
		{"orphaned outranks expired", nil, 5, false, past, rules.Placement{Status: vault.StatusOrphaned}},
		{"superseded outranks both", []rules.Version{at(7)}, 5, false, past, rules.Placement{Status: vault.StatusSuperseded, SupersededBy: id(7)}},
		{"its own earlier attempt does not count", []rules.Version{at(1), at(5)}, 5, true, nil, rules.Placement{Status: vault.StatusActive, Supersedes: id(1)}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			v := at(tc.accepted)
			v.Claim.ExpiresAt = tc.expiresAt
			got := rules.Place(tc.history, v, rules.Authority{}, tc.sourceFound, morning)
			if diff := gocmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPlace_SameInstantOrderedByOperation(t *testing.T) {
	t.Parallel()
	// The second time went through PostgreSQL, which keeps microseconds.
	history := []rules.Version{{ID: numbered(100), OperationID: numbered(5), AcceptedAt: morning.Add(3 * time.Microsecond)}}
	accepted := morning.Add(3*time.Microsecond + 700*time.Nanosecond)
	at := func(n int) rules.Placement {
		v := rules.Version{ID: numbered(95 + n), OperationID: numbered(n), AcceptedAt: accepted}
		return rules.Place(history, v, rules.Authority{}, true, morning)
	}
	if got := at(4); got.Status != vault.StatusSuperseded {
		t.Errorf("the lower operation is %s", got.Status)
	}
	if got := at(6); got.Status != vault.StatusActive {
		t.Errorf("the higher operation is %s", got.Status)
	}
	if got := at(5); got.Status != vault.StatusActive || got.Supersedes != nil {
		t.Errorf("the same version is %+v", got)
	}
}

func TestPlace_SameOperationOrderedByID(t *testing.T) {
	t.Parallel()
	at := func(n int) rules.Version {
		return rules.Version{ID: numbered(n), OperationID: numbered(5), AcceptedAt: morning}
	}
	one, two := numbered(1), numbered(2)
	for name, c := range map[string]struct {
		back rules.Version
		rest []rules.Version
		want rules.Placement
	}{
		"the earlier comes back": {at(1), []rules.Version{at(2)}, rules.Placement{Status: vault.StatusSuperseded, SupersededBy: &two}},
		"the later comes back":   {at(2), []rules.Version{at(1)}, rules.Placement{Status: vault.StatusActive, Supersedes: &one}},
		"it does not count":      {at(2), []rules.Version{at(2)}, rules.Placement{Status: vault.StatusActive}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := gocmp.Diff(c.want, rules.Place(c.rest, c.back, rules.Authority{}, true, morning)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// arrival is a write on its way to the history.
type arrival struct {
	version     rules.Version
	sourceFound bool
	authority   rules.Authority
}

// apply changes a history as the step that persists a write does.
func apply(history []rules.Version, a arrival) []rules.Version {
	p := rules.Place(history, a.version, a.authority, a.sourceFound, morning)
	id := a.version.ID
	for i := range history {
		v := &history[i]
		if (p.Supersedes != nil && v.ID == *p.Supersedes) || slices.Contains(p.Replaces, v.ID) {
			v.Status, v.SupersededByID = vault.StatusSuperseded, &id
		}
		for _, o := range p.Overtakes {
			if o.ID != v.ID {
				continue
			}
			v.Status, v.SupersededByID, v.YieldsToID = o.Status, nil, &id
			if o.Status == vault.StatusSuperseded {
				v.SupersededByID = &id
			}
		}
	}
	v := a.version
	v.Status, v.SupersededByID, v.YieldsToID = p.Status, p.SupersededBy, p.YieldsTo
	return append(history, v)
}

func TestPlace_ArrivalOrderIsIrrelevant(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(t, "writes")
		arrivals := make([]arrival, n)
		for i := range arrivals {
			arrivals[i] = arrival{
				version: rules.Version{
					ID: numbered(1000 + i), OperationID: numbered(i),
					AcceptedAt: morning.Add(time.Duration(rapid.IntRange(0, 4).Draw(t, "accepted at")) * time.Second),
				},
				sourceFound: rapid.Bool().Draw(t, "source found"),
			}
			arrivals[i].version.Claim.ExpiresAt = rapid.SampledFrom([]*time.Time{nil, after(-time.Hour), after(time.Hour)}).Draw(t, "expires at")
		}
		inOrder := slices.Clone(arrivals)
		slices.SortFunc(inOrder, func(a, b arrival) int {
			return cmp.Or(a.version.AcceptedAt.Compare(b.version.AcceptedAt), bytes.Compare(a.version.OperationID[:], b.version.OperationID[:]))
		})
		var want []rules.Version
		for _, a := range inOrder {
			want = apply(want, a)
		}

		var got []rules.Version
		for i, a := range rapid.Permutation(arrivals).Draw(t, "arrival") {
			got = apply(got, a)
			checkChain(t, got, i+1)
		}
		byID := func(a, b rules.Version) int { return bytes.Compare(a.ID[:], b.ID[:]) }
		slices.SortFunc(want, byID)
		slices.SortFunc(got, byID)
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
	})
}

// checkChain checks that a history is one line: exactly one version has no successor, only that version may be active,
// and all others are reachable from it.
func checkChain(t *rapid.T, history []rules.Version, n int) {
	predecessor := map[uuid.UUID]rules.Version{}
	var heads []rules.Version
	for _, v := range history {
		switch {
		case v.SupersededByID == nil:
			heads = append(heads, v)
		case v.Status != vault.StatusSuperseded:
			t.Fatalf("%s has a successor and is %s", v.ID, v.Status)
		default:
			if other, ok := predecessor[*v.SupersededByID]; ok {
				t.Fatalf("%s and %s have the same successor", v.ID, other.ID)
			}
			predecessor[*v.SupersededByID] = v
		}
	}
	if len(heads) != 1 || heads[0].Status == vault.StatusSuperseded {
		t.Fatalf("not one newest version: %+v", heads)
	}
	length := 0
	for v, ok := heads[0], true; ok; v, ok = predecessor[v.ID] {
		length++
	}
	if length != n {
		t.Fatalf("the line has %d of %d versions", length, n)
	}
}

func TestExpiryOf_OwnElseFromRetention(t *testing.T) {
	t.Parallel()
	berlin := time.FixedZone("", 7200)
	own := morning.In(berlin)
	kept := &vault.Definition{RetentionDays: 30, Enabled: true}
	for _, tc := range []struct {
		name  string
		write vault.WriteValueInput
		def   *vault.Definition
		want  *time.Time
	}{
		{"no definition, no expiry", vault.WriteValueInput{}, nil, nil},
		{"no retention, no expiry", vault.WriteValueInput{}, &vault.Definition{}, nil},
		{"retention counts from acceptance", vault.WriteValueInput{}, kept, after(30 * 24 * time.Hour)},
		{"or from the time of collection", vault.WriteValueInput{CollectedAt: after(-time.Hour)}, kept, after(30*24*time.Hour - time.Hour)},
		{"the expiry of the write wins, in UTC", vault.WriteValueInput{ExpiresAt: &own}, kept, after(0)},
		{"retention applies although the definition is not enabled", vault.WriteValueInput{}, &vault.Definition{RetentionDays: 30}, after(30 * 24 * time.Hour)},
	} {
		got := rules.ExpiryOf(tc.write, tc.def, morning)
		if diff := gocmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s: %s", tc.name, diff)
		}
		if got != nil && got.Location() != time.UTC {
			t.Errorf("%s: not in UTC", tc.name)
		}
	}
}

// The order of a history says nothing: PostgreSQL returns the versions in any.
func TestPrevious_IsTheNewest(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var history []rules.Version
	for i := range 5 {
		history = append(history, rules.Version{
			ID: uuid.New(), OperationID: uuid.New(), AcceptedAt: at.Add(time.Duration(i) * time.Hour),
			Status: vault.StatusSuperseded,
		})
	}
	want, deleted := history[3], history[4]
	for range 50 {
		rand.Shuffle(len(history), func(i, j int) { history[i], history[j] = history[j], history[i] })
		got, ok := rules.Previous(history, deleted)
		if !ok || got.ID != want.ID {
			t.Fatalf("of versions in any order the previous one was accepted at %s", got.AcceptedAt)
		}
	}
}
