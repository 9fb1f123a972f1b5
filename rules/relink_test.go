package rules_test

import (
	"bytes"
	"cmp"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

// line makes a history of n writes as their steps would. The first id is numbered(first). Writes of two lines may
// belong to the same operation: one import can write to two customers.
func line(t *rapid.T, label string, first int) []rules.Version {
	var history []rules.Version
	for i, op := range rapid.SliceOfNDistinct(rapid.IntRange(0, 20), 0, 8, rapid.ID).Draw(t, label) {
		v := rules.Version{ID: numbered(first + i), OperationID: numbered(op), AcceptedAt: morning.Add(time.Duration(op/2) * time.Second)}
		v.Claim.ExpiresAt = rapid.SampledFrom([]*time.Time{nil, after(-time.Hour)}).Draw(t, "expires at")
		history = apply(history, arrival{version: v, sourceFound: rapid.Bool().Draw(t, "source found")})
	}
	return history
}

func relinked(history []rules.Version, changes []rules.Relinked) []rules.Version {
	out := slices.Clone(history)
	for _, c := range changes {
		for i := range out {
			if out[i].ID == c.ID {
				out[i].Status, out[i].SupersededByID, out[i].YieldsToID = c.Status, c.SupersededBy, c.YieldsTo
			}
		}
	}
	return out
}

func byAcceptance(a, b rules.Version) int {
	return cmp.Or(a.AcceptedAt.Compare(b.AcceptedAt), bytes.Compare(a.OperationID[:], b.OperationID[:]), bytes.Compare(a.ID[:], b.ID[:]))
}

func TestRelink_TwoHistoriesFollowAcceptance(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		both := append(line(t, "source", 1000), line(t, "target", 2000)...)
		if len(both) == 0 {
			return
		}
		mixed := rapid.Permutation(both).Draw(t, "order")
		changes := rules.Relink(mixed, rules.Authority{}, morning)
		together := relinked(both, changes)
		slices.SortFunc(together, byAcceptance)
		checkChain(t, together, len(together))
		for i, v := range together[:len(together)-1] {
			if *v.SupersededByID != together[i+1].ID {
				t.Fatalf("%s is superseded by %s, and the next is %s", v.ID, *v.SupersededByID, together[i+1].ID)
			}
		}
		newest := together[len(together)-1]
		if was := both[slices.IndexFunc(both, func(v rules.Version) bool { return v.ID == newest.ID })]; was.Status != newest.Status {
			t.Fatalf("the newest was %s and is %s", was.Status, newest.Status)
		}
		if again := rules.Relink(together, rules.Authority{}, morning); len(again) > 0 {
			t.Fatalf("applied to its own outcome it gives %v", again)
		}
		if diff := gocmp.Diff(rules.Relink(both, rules.Authority{}, morning), changes); diff != "" {
			t.Fatalf("the order in which the versions come matters:\n%s", diff)
		}

		// The history goes on from there, whenever the next write was accepted.
		op := rapid.IntRange(30, 60).Draw(t, "next")
		next := arrival{version: rules.Version{
			ID: numbered(3000), OperationID: numbered(op), AcceptedAt: morning.Add(time.Duration(op-30) * time.Second / 2),
		}, sourceFound: true}
		checkChain(t, apply(together, next), len(together)+1)
	})
}

func TestRelink_LinearHistoryIsUnchanged(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		if changes := rules.Relink(line(t, "history", 1000), rules.Authority{}, morning); len(changes) > 0 {
			t.Fatalf("got %v", changes)
		}
	})
}

func TestRelink_DeletedVersionSupersedesOlder(t *testing.T) {
	t.Parallel()
	deleted := rules.Version{ID: numbered(100), OperationID: numbered(5), AcceptedAt: morning, Status: vault.StatusActive, Deleted: true}
	late := rules.Place([]rules.Version{deleted}, rules.Version{ID: numbered(101), OperationID: numbered(4), AcceptedAt: morning.Add(-time.Hour)}, rules.Authority{}, true, morning)
	if late.Status != vault.StatusSuperseded || *late.SupersededBy != deleted.ID {
		t.Errorf("a late write is %+v", late)
	}
	newer := rules.Place([]rules.Version{deleted}, rules.Version{ID: numbered(102), OperationID: numbered(6), AcceptedAt: morning.Add(time.Hour)}, rules.Authority{}, true, morning)
	if newer.Status != vault.StatusActive || newer.Supersedes != nil {
		t.Errorf("a newer write is %+v", newer)
	}
}
