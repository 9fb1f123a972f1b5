package rules

import (
	"bytes"
	"cmp"
	"encoding/json"
	"math"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/vault"
)

// Claim is what a version says and who said it: the members that decide how strong it is.
type Claim struct {
	Value          json.RawMessage // decrypted
	ValueType      vault.ValueType
	Source         vault.ValueSource
	SourceItemType vault.SourceType
	// SessionID is the conversation of the claim. nil: none.
	SessionID *uuid.UUID
	Verified  bool
	Method    string // of the verification
	// Flawed reports a value with validation warnings, or an empty one.
	Flawed bool
	// Decision is the decision that made the version active although it was weaker.
	Decision    vault.ValueDecision
	CollectedAt time.Time
	ExpiresAt   *time.Time
}

// ClaimOf returns the claim of a stored value.
func ClaimOf(v vault.Value) Claim {
	return Claim{
		Value: v.Value, ValueType: v.ValueType, Source: v.Source, SourceItemType: v.SourceItemType,
		SessionID: v.SourceSessionID, Verified: v.Verified, Method: v.VerificationMethod,
		Flawed:      len(v.Warnings) > 0 || IsEmpty(v.Value),
		Decision:    v.Decision,
		CollectedAt: v.CollectedAt, ExpiresAt: v.ExpiresAt,
	}
}

// Authority is the order of strength among the claims of one field (design, section 3, rule 3).
type Authority struct {
	// OnConflict is the treatment of a weaker claim that differs from the active value.
	OnConflict vault.OnConflict
	// Sources are the sources, the strongest first. Those that are not listed follow, in the order of
	// vault.SourcesByAuthority.
	Sources []vault.ValueSource
	// MaxAge is the age in seconds from which on the active value protects itself no more. 0: no limit.
	MaxAge int64
}

// AuthorityOf returns the authority of a definition. nil: the field has none, and the defaults apply. A value that is
// stale and therefore counts as missing does not protect itself; otherwise the field could never be filled again.
func AuthorityOf(def *vault.Definition) Authority {
	if def == nil {
		return Authority{}
	}
	a := Authority{OnConflict: def.OnConflict, Sources: def.SourcePriority}
	if def.StaleAction == "" || def.StaleAction == vault.StaleBlock {
		a.MaxAge = def.FreshnessSeconds
	}
	return a
}

// rank returns the strength of a source: the lower, the stronger.
func (a Authority) rank(source vault.ValueSource) int {
	if i := slices.Index(a.Sources, source); i >= 0 {
		return i
	}
	rank := len(a.Sources)
	for _, s := range vault.SourcesByAuthority {
		switch {
		case s == source:
			return rank
		case !slices.Contains(a.Sources, s):
			rank++
		}
	}
	return math.MaxInt
}

// compare orders two claims by strength; a negative result means that c is the weaker one. A claim without flaw is
// stronger than a flawed one; then the verification level counts, then the source. Statements of the customer in one
// conversation are equally strong, because people change their minds.
func (a Authority) compare(c, other Claim) int {
	if order := cmp.Or(-compareBool(c.Flawed, other.Flawed), cmp.Compare(c.level(), other.level())); order != 0 {
		return order
	}
	if c.stated() && other.stated() && c.SessionID != nil && other.SessionID != nil && *c.SessionID == *other.SessionID {
		return 0
	}
	return cmp.Compare(a.rankOf(other), a.rankOf(c))
}

// rankOf is the rank of a claim's source. What a person decided is as strong as the strongest source, and what the
// customer confirmed at least as strong as the customer's own statement.
func (a Authority) rankOf(c Claim) int {
	switch {
	case c.decided():
		return 0
	case c.Decision == vault.DecisionConfirmed:
		return min(a.rank(c.Source), a.rank(vault.ValueUserProvided))
	default:
		return a.rank(c.Source)
	}
}

// decided reports whether a person made the version active.
func (c Claim) decided() bool {
	return c.Decision == vault.DecisionAccepted || c.Decision == vault.DecisionCorrected
}

// level is 0 for an unverified claim, and higher for a stronger verification.
func (c Claim) level() int {
	if !c.Verified {
		return 0
	}
	return 1 + verificationRank(c.Method, c.SourceItemType, c.ValueType)
}

// stated reports whether the customer said it, directly or as a model read it.
func (c Claim) stated() bool {
	return c.Source == vault.ValueUserProvided || c.Source == vault.ValueLLMExtracted
}

// protects reports whether an active version can keep a weaker claim from replacing it: it is neither expired nor too
// old.
func (a Authority) protects(v Version, now time.Time) bool {
	return v.Status == vault.StatusActive && !v.Deleted && (v.Claim.ExpiresAt == nil || v.Claim.ExpiresAt.After(now)) &&
		!isStale(now.Sub(v.Claim.CollectedAt), a.MaxAge)
}

// yields reports whether a claim may not replace a version by itself.
func (a Authority) yields(c Claim, to Version, now time.Time) bool {
	return a.OnConflict != vault.ConflictNewest && a.protects(to, now) && a.compare(c, to.Claim) < 0
}

// says reports whether two claims have the same value.
func (c Claim) says(other Claim) bool {
	if c.ValueType != other.ValueType {
		return bytes.Equal(c.Value, other.Value)
	}
	return sameValue(c.ValueType, c.Value, other.Value)
}

// CustomerMayReplace reports whether the customer's own yes to a pending value is enough to replace the active one. It
// is not if the active value is verified or was decided by a person, unless the definition says on_conflict ask.
func (a Authority) CustomerMayReplace(active Claim) bool {
	return a.OnConflict == vault.ConflictAsk || (a.OnConflict == "" && !active.Verified && !active.decided())
}

// compareBool orders false before true.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	default:
		return -1
	}
}
