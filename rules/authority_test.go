package rules_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

// proofs are ways to verify a value, the weakest first. Those of one rank are equally strong.
var proofs = []struct {
	name     string
	rank     int
	verified bool
	method   string
	itemType vault.SourceType
}{
	{"unverified", 0, false, "", ""},
	{"verified somehow", 1, true, "call", ""},
	{"verified by document", 2, true, "document", ""},
	{"derived from a document and verified", 2, true, "call", vault.SourceProfileAsset},
	{"verified by kyc", 3, true, "kyc", ""},
}

// strengths are the ranks of the sources as the design lists them.
var strengths = map[vault.ValueSource]int{
	vault.ValueHumanEntered: 6, vault.ValueDocumentExtracted: 5, vault.ValueUserProvided: 4, vault.ValueToolResult: 3,
	vault.ValueSystemInferred: 2, vault.ValueLLMExtracted: 1,
}

func claim(value string, source vault.ValueSource) rules.Claim {
	return rules.Claim{
		Value: json.RawMessage(strconv.Quote(value)), ValueType: vault.TypeString, Source: source, CollectedAt: morning,
	}
}

// versionAt makes a version that was accepted n minutes after morning.
func versionAt(n int, c rules.Claim) rules.Version {
	return rules.Version{ID: numbered(100 + n), OperationID: numbered(n), AcceptedAt: morning.Add(time.Duration(n) * time.Minute), Claim: c}
}

func active(v rules.Version) rules.Version {
	v.Status = vault.StatusActive
	return v
}

// The whole matrix: every pair of sources and proofs, with every treatment of a conflict.
func TestAuthority_Matrix(t *testing.T) {
	t.Parallel()
	conflicts := []vault.OnConflict{"", vault.ConflictAsk, vault.ConflictReview, vault.ConflictKeep, vault.ConflictNewest}
	pairs := 0
	for stored, storedRank := range strengths {
		for incoming, incomingRank := range strengths {
			for _, had := range proofs {
				for _, has := range proofs {
					for _, onConflict := range conflicts {
						for _, same := range []bool{true, false} {
							pairs++
							old, next := claim("Oslo", stored), claim("Bergen", incoming)
							if same {
								next = claim("oslo", incoming)
							}
							old.Verified, old.Method, old.SourceItemType = had.verified, had.method, had.itemType
							next.Verified, next.Method, next.SourceItemType = has.verified, has.method, has.itemType
							weaker := has.rank < had.rank || (has.rank == had.rank && incomingRank < storedRank)
							want := rules.Placement{Status: vault.StatusActive, Supersedes: ptr(numbered(101))}
							switch {
							case !weaker || onConflict == vault.ConflictNewest:
							case same:
								want = rules.Placement{Status: vault.StatusSuperseded, SupersededBy: ptr(numbered(101)), YieldsTo: ptr(numbered(101))}
							default:
								want = rules.Placement{Status: vault.StatusPending, YieldsTo: ptr(numbered(101))}
							}
							got := rules.Place([]rules.Version{active(versionAt(1, old))}, versionAt(2, next), rules.Authority{OnConflict: onConflict}, true, morning)
							if diff := gocmp.Diff(want, got); diff != "" {
								t.Fatalf("%s %s, then %s %s, same %v, on_conflict %q:\n%s", had.name, stored, has.name, incoming, same, onConflict, diff)
							}
						}
					}
				}
			}
		}
	}
	if pairs != 6*6*5*5*5*2 {
		t.Fatalf("tried %d pairs", pairs)
	}
}

func ptr[T any](v T) *T { return &v }

func TestAuthority_Kinds(t *testing.T) {
	t.Parallel()
	chat, other := uuid.MustParse("0190a7c2-0000-7000-8000-000000000001"), uuid.MustParse("0190a7c2-0000-7000-8000-000000000002")
	said := func(value string, source vault.ValueSource, session *uuid.UUID) rules.Claim {
		c := claim(value, source)
		c.SessionID = session
		return c
	}
	verified := func(c rules.Claim) rules.Claim { c.Verified, c.Method = true, "kyc"; return c }
	flawed := func(c rules.Claim) rules.Claim { c.Flawed = true; return c }
	decided := func(c rules.Claim) rules.Claim { c.Decision = vault.DecisionAccepted; return c }
	expired := func(c rules.Claim) rules.Claim { c.ExpiresAt = ptr(morning); return c }
	user, human, read, inferred := vault.ValueUserProvided, vault.ValueHumanEntered, vault.ValueLLMExtracted, vault.ValueSystemInferred
	for _, tc := range []struct {
		name        string
		old, next   rules.Claim
		authority   rules.Authority
		want        vault.ItemStatus
		sourceFound bool
	}{
		{"a guess never replaces a verified value", verified(claim("Oslo", human)), claim("Bergen", inferred), rules.Authority{}, vault.StatusPending, true},
		{"people change their minds within a conversation", said("Oslo", user, &chat), said("Bergen", read, &chat), rules.Authority{}, vault.StatusActive, true},
		{"what a model reads in another conversation is weaker than an answer", said("Oslo", user, &chat), said("Bergen", read, &other), rules.Authority{}, vault.StatusPending, true},
		{"without a conversation nothing is of the same one", said("Oslo", user, nil), said("Bergen", read, nil), rules.Authority{}, vault.StatusPending, true},
		{"a verified value stays, also in its own conversation", verified(said("Oslo", user, &chat)), said("Bergen", user, &chat), rules.Authority{}, vault.StatusPending, true},
		{"a tool of the conversation is not the customer", said("Oslo", user, &chat), said("Bergen", vault.ValueToolResult, &chat), rules.Authority{}, vault.StatusPending, true},
		{"a value with warnings does not displace a valid one", claim("Oslo", read), flawed(claim("Bergen", human)), rules.Authority{}, vault.StatusPending, true},
		{"nor a verified one with warnings", claim("Oslo", read), flawed(verified(claim("Bergen", human))), rules.Authority{}, vault.StatusPending, true},
		{"a valid value displaces a stronger one with warnings", flawed(verified(claim("Oslo", human))), claim("Bergen", read), rules.Authority{}, vault.StatusActive, true},
		{"with warnings on both the source counts", flawed(claim("Oslo", human)), flawed(claim("Bergen", read)), rules.Authority{}, vault.StatusPending, true},
		{"an expired value protects itself no more", expired(claim("Oslo", human)), claim("Bergen", read), rules.Authority{}, vault.StatusActive, true},
		{"nor one that is too old to count", claim("Oslo", human), claim("Bergen", read), rules.Authority{MaxAge: 60}, vault.StatusActive, true},
		{"a young one does", claim("Oslo", human), claim("Bergen", read), rules.Authority{MaxAge: 86400}, vault.StatusPending, true},
		{"a definition sets its own order", claim("Oslo", human), claim("Bergen", vault.ValueToolResult), rules.Authority{Sources: []vault.ValueSource{vault.ValueToolResult}}, vault.StatusActive, true},
		{"and the rest follows in the usual order", claim("Oslo", human), claim("Bergen", user), rules.Authority{Sources: []vault.ValueSource{vault.ValueToolResult}}, vault.StatusPending, true},
		{"what a person decided is as strong as a person", decided(claim("Oslo", read)), claim("Bergen", user), rules.Authority{}, vault.StatusPending, true},
		{"and a person can replace it", decided(claim("Oslo", read)), claim("Bergen", human), rules.Authority{}, vault.StatusActive, true},
		{"a decision is weaker than a verification", verified(claim("Oslo", user)), decided(claim("Bergen", user)), rules.Authority{}, vault.StatusPending, true},
		{"a weaker claim without its source waits as well", claim("Oslo", human), claim("Bergen", user), rules.Authority{}, vault.StatusPending, false},
	} {
		now := morning.Add(time.Hour)
		got := rules.Place([]rules.Version{active(versionAt(1, tc.old))}, versionAt(2, tc.next), tc.authority, tc.sourceFound, now)
		if got.Status != tc.want {
			t.Errorf("%s: got %s, want %s", tc.name, got.Status, tc.want)
		}
	}
}

func TestPlace_OldCollectionDisplacesNothing(t *testing.T) {
	t.Parallel()
	yesterday := active(versionAt(1, claim("Oslo", vault.ValueUserProvided)))
	imported := versionAt(2, claim("Bergen", vault.ValueHumanEntered))
	imported.EffectiveAt = morning.AddDate(-2, 0, 0)
	got := rules.Place([]rules.Version{yesterday}, imported, rules.Authority{}, true, morning)
	want := rules.Placement{Status: vault.StatusSuperseded, SupersededBy: &yesterday.ID}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestPlace_PendingClaims(t *testing.T) {
	t.Parallel()
	pending := func(n int, value string, source vault.ValueSource) rules.Version {
		v := versionAt(n, claim(value, source))
		v.Status, v.YieldsToID = vault.StatusPending, ptr(numbered(101))
		return v
	}
	stored := active(versionAt(1, claim("Oslo", vault.ValueHumanEntered)))
	for _, tc := range []struct {
		name    string
		history []rules.Version
		next    rules.Version
		want    rules.Placement
	}{
		{
			"a newer claim replaces an older one of its strength",
			[]rules.Version{stored, pending(2, "Bergen", vault.ValueUserProvided)}, versionAt(3, claim("Moss", vault.ValueUserProvided)),
			rules.Placement{Status: vault.StatusPending, YieldsTo: ptr(numbered(101)), Replaces: []uuid.UUID{numbered(102)}},
		},
		{
			"a weaker one waits beside a stronger one",
			[]rules.Version{stored, pending(2, "Bergen", vault.ValueUserProvided)}, versionAt(3, claim("Moss", vault.ValueLLMExtracted)),
			rules.Placement{Status: vault.StatusPending, YieldsTo: ptr(numbered(101))},
		},
		{
			"a weaker one that says the same adds nothing",
			[]rules.Version{stored, pending(2, "Bergen", vault.ValueUserProvided)}, versionAt(3, claim("Bergen", vault.ValueLLMExtracted)),
			rules.Placement{Status: vault.StatusSuperseded, SupersededBy: ptr(numbered(102)), YieldsTo: ptr(numbered(101))},
		},
		{
			"a late one is superseded by a newer one of its strength",
			[]rules.Version{stored, pending(4, "Bergen", vault.ValueUserProvided)}, versionAt(3, claim("Moss", vault.ValueUserProvided)),
			rules.Placement{Status: vault.StatusSuperseded, SupersededBy: ptr(numbered(104)), YieldsTo: ptr(numbered(101))},
		},
		{
			"a new active value ends the claims before it",
			[]rules.Version{stored, pending(2, "Bergen", vault.ValueUserProvided)}, versionAt(3, claim("Moss", vault.ValueHumanEntered)),
			rules.Placement{Status: vault.StatusActive, Supersedes: ptr(numbered(101)), Replaces: []uuid.UUID{numbered(102)}},
		},
		{
			"and leaves those after it",
			[]rules.Version{stored, pending(4, "Bergen", vault.ValueUserProvided)}, versionAt(3, claim("Moss", vault.ValueHumanEntered)),
			rules.Placement{Status: vault.StatusActive, Supersedes: ptr(numbered(101))},
		},
	} {
		if diff := gocmp.Diff(tc.want, rules.Place(tc.history, tc.next, rules.Authority{}, true, morning)); diff != "" {
			t.Errorf("%s: %s", tc.name, diff)
		}
	}
}

var anySource = rapid.SampledFrom(vault.ValueSources)

// anyClaim draws an unverified claim.
func anyClaim(t *rapid.T) rules.Claim {
	return claim(rapid.SampledFrom([]string{"Oslo", "Bergen", "Moss"}).Draw(t, "value"), anySource.Draw(t, "source"))
}

// No sequence of writes, late or in time, and no merge changes a verified value if every other claim is weaker.
func TestAuthority_StrongerValueStays(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		strong := claim("Oslo", rapid.SampledFrom(vault.ValueSources).Draw(t, "strong source"))
		strong.Verified, strong.Method = true, "kyc"
		authority := rules.Authority{OnConflict: rapid.SampledFrom([]vault.OnConflict{"", "ask", "review", "keep"}).Draw(t, "on_conflict")}
		known := versionAt(50, strong)
		history := apply(nil, arrival{version: known, sourceFound: true})
		weak := func(n int) arrival {
			v := versionAt(rapid.IntRange(0, 99).Draw(t, "accepted"), anyClaim(t))
			v.ID = numbered(1000 + n)
			if rapid.Bool().Draw(t, "collected before") {
				v.EffectiveAt = v.AcceptedAt.Add(-time.Duration(rapid.IntRange(0, 90).Draw(t, "age")) * time.Minute)
			}
			return arrival{version: v, sourceFound: rapid.Bool().Draw(t, "source found"), authority: authority}
		}
		n := rapid.IntRange(1, 8).Draw(t, "writes")
		for i := range n {
			history = apply(history, weak(i))
		}
		checkActive(t, history, known.ID)
		var another []rules.Version
		for i := range rapid.IntRange(0, 5).Draw(t, "writes to the other customer") {
			another = apply(another, weak(100+i))
		}
		both := rapid.Permutation(append(history, another...)).Draw(t, "order")
		merged := relinked(both, rules.Relink(both, authority, morning))
		checkActive(t, merged, known.ID)
		if again := rules.Relink(merged, authority, morning); len(again) > 0 {
			t.Fatalf("applied to its own outcome Relink gives %v", again)
		}
		checkActive(t, apply(merged, weak(200)), known.ID)
	})
}

func checkActive(t *rapid.T, history []rules.Version, id uuid.UUID) {
	t.Helper()
	var got []string
	for _, v := range history {
		if v.Status == vault.StatusActive {
			got = append(got, v.ID.String())
		}
	}
	if !slices.Equal(got, []string{id.String()}) {
		t.Fatalf("active are %v, not %s:\n%s", got, id, show(history))
	}
}

func show(history []rules.Version) string {
	out := ""
	for _, v := range history {
		out += fmt.Sprintf("%s %s effective %s accepted %s %s %s yields %v by %v\n", v.ID, v.Status, v.EffectiveAt.Format("15:04"),
			v.AcceptedAt.Format("15:04"), v.Claim.Source, v.Claim.Value, v.YieldsToID, v.SupersededByID)
	}
	return out
}

// Writes may arrive in any order: the same version is active, if no source is missing.
func TestAuthority_ArrivalOrderIsIrrelevant(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var arrivals []arrival
		for i := range rapid.IntRange(1, 9).Draw(t, "writes") {
			v := versionAt(i, anyClaim(t))
			if v.Claim.Verified = rapid.IntRange(0, 3).Draw(t, "verified") == 0; v.Claim.Verified {
				v.Claim.Method = "kyc"
			}
			arrivals = append(arrivals, arrival{version: v, sourceFound: true})
		}
		var want, got []rules.Version
		for _, a := range arrivals {
			want = apply(want, a)
		}
		for _, a := range rapid.Permutation(arrivals).Draw(t, "arrival") {
			got = apply(got, a)
		}
		i := slices.IndexFunc(want, func(v rules.Version) bool { return v.Status == vault.StatusActive })
		checkActive(t, got, want[i].ID)
	})
}

func TestAuthority_CustomerMayReplace(t *testing.T) {
	t.Parallel()
	plain, proven := claim("Oslo", vault.ValueHumanEntered), claim("Oslo", vault.ValueHumanEntered)
	proven.Verified = true
	for _, tc := range []struct {
		onConflict    vault.OnConflict
		plain, proven bool
	}{{"", true, false}, {vault.ConflictAsk, true, true}, {vault.ConflictReview, false, false}, {vault.ConflictKeep, false, false}} {
		a := rules.Authority{OnConflict: tc.onConflict}
		if got := a.CustomerMayReplace(plain); got != tc.plain {
			t.Errorf("%q: got %v for an unverified value", tc.onConflict, got)
		}
		if got := a.CustomerMayReplace(proven); got != tc.proven {
			t.Errorf("%q: got %v for a verified value", tc.onConflict, got)
		}
	}
}
