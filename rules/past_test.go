package rules_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

// replayed is a model of the history of a field: it applies one change after the other, and remembers what was active
// after each.
type replayed struct {
	versions []rules.PastVersion
	active   map[time.Time]uuid.UUID // by the time of the change; no entry: none
	times    []time.Time
}

func (m *replayed) history() []rules.Version {
	out := make([]rules.Version, len(m.versions))
	for i, v := range m.versions {
		out[i] = v.Version
	}
	return out
}

// adopt takes over the states of a history.
func (m *replayed) adopt(history []rules.Version) {
	for i := range m.versions {
		m.versions[i].Version = history[i]
	}
}

// observe remembers what is active at a time.
func (m *replayed) observe(at time.Time) {
	m.times = append(m.times, at)
	for _, v := range m.versions {
		if v.Status == vault.StatusActive && !v.Deleted {
			m.active[at] = v.ID
		}
	}
}

// What was known at a time is what was active then, however the history went on.
func TestActiveAt_KnownAtReplaysTheHistory(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	sources := []vault.ValueSource{vault.ValueHumanEntered, vault.ValueUserProvided, vault.ValueLLMExtracted}
	rapid.Check(t, func(rt *rapid.T) {
		m := replayed{active: map[time.Time]uuid.UUID{}}
		for i := range rapid.IntRange(1, 12).Draw(rt, "changes") {
			at := start.Add(time.Duration(i+1) * time.Hour)
			switch kind := rapid.IntRange(0, 5).Draw(rt, "kind"); {
			case kind == 0 && len(m.versions) > 0: // a deletion of the active one
				for j := range m.versions {
					if m.versions[j].Status == vault.StatusActive && !m.versions[j].Deleted {
						m.versions[j].Deleted, m.versions[j].DeletedAt = true, &at
					}
				}
			case kind == 1 && len(m.versions) > 0: // a decision about a pending one
				for j := range m.versions {
					if m.versions[j].Status != vault.StatusPending {
						continue
					}
					v := m.versions[j].Version
					place := rules.Accept(m.history(), v, true, at)
					others := slices.Delete(m.history(), j, j+1)
					next := rules.Apply(others, v, place)
					decided := next[len(next)-1]
					decided.Claim.Decision = vault.DecisionAccepted
					m.adopt(append(append(next[:j:j], decided), next[j:len(next)-1]...))
					m.versions[j].DecidedAt = &at
					break
				}
			default:
				effective := at
				if rapid.Bool().Draw(rt, "late") {
					effective = start.Add(time.Duration(rapid.IntRange(0, i).Draw(rt, "collected")) * time.Hour)
				}
				v := rules.Version{
					ID: uuid.New(), OperationID: uuid.New(), AcceptedAt: at, EffectiveAt: effective,
					Claim: rules.Claim{
						Value:     json.RawMessage(fmt.Sprintf(`"%d"`, rapid.IntRange(0, 2).Draw(rt, "value"))),
						ValueType: vault.TypeString, Source: rapid.SampledFrom(sources).Draw(rt, "source"), CollectedAt: effective,
					},
				}
				history := rules.Apply(m.history(), v, rules.Place(m.history(), v, rules.Authority{}, true, at))
				m.versions = append(m.versions, rules.PastVersion{})
				m.adopt(history)
			}
			for j := range m.versions {
				if v := &m.versions[j]; v.Status == vault.StatusSuperseded && v.SupersededAt == nil {
					v.SupersededAt = &at
				}
			}
			m.observe(at)
		}
		for _, at := range m.times {
			got, ok := rules.ActiveAt(m.versions, at, at)
			want, active := m.active[at]
			if ok != active || got != want {
				rt.Fatalf("at %s: %s %t, want %s %t", at, got, ok, want, active)
			}
		}
		if _, ok := rules.ActiveAt(m.versions, start, start); ok && m.times[0].After(start) {
			rt.Fatal("something was known before the first change")
		}
	})
}

func TestActiveAt(t *testing.T) {
	t.Parallel()
	day := func(n int) time.Time { return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC) }
	moved, late := uuid.New(), uuid.New()
	versions := []rules.PastVersion{
		{Version: rules.Version{ID: moved, AcceptedAt: day(10), EffectiveAt: day(5), Status: vault.StatusActive}},
		{Version: rules.Version{
			ID: late, AcceptedAt: day(20), EffectiveAt: day(2), Status: vault.StatusSuperseded, SupersededByID: &moved,
		}},
	}
	expired := []rules.PastVersion{{
		Version:   rules.Version{ID: moved, AcceptedAt: day(1), Status: vault.StatusExpired},
		ExpiresAt: new(day(9)),
	}}
	deleted := []rules.PastVersion{
		{Version: rules.Version{ID: late, AcceptedAt: day(1), Status: vault.StatusSuperseded, SupersededByID: &moved}, SupersededAt: new(day(5))},
		{Version: rules.Version{ID: moved, AcceptedAt: day(5), Status: vault.StatusActive, Deleted: true}, DeletedAt: new(day(9))},
	}
	for name, c := range map[string]struct {
		versions      []rules.PastVersion
		asOf, knownAt time.Time
		want          uuid.UUID
	}{
		"true then, known now":         {versions, day(3), day(30), late},
		"true then, known then":        {versions, day(3), day(15), uuid.Nil},
		"true later":                   {versions, day(6), day(30), moved},
		"before everything":            {versions, day(1), day(30), uuid.Nil},
		"known before everything":      {versions, day(6), day(9), uuid.Nil},
		"before its expiry":            {expired, day(8), day(30), moved},
		"at its expiry":                {expired, day(9), day(30), uuid.Nil},
		"known before the deletion":    {deleted, day(8), day(8), moved},
		"known after the deletion":     {deleted, day(8), day(10), uuid.Nil},
		"in effect before the deleted": {deleted, day(2), day(10), late},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, _ := rules.ActiveAt(c.versions, c.asOf, c.knownAt); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}
