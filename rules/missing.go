package rules

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/rules/format"
	"github.com/contextvault/contextvault/vault"
)

// Scope selects requirements of a scenario. The zero Scope selects all.
type Scope struct {
	// StepID selects the requirements of a step and those of the whole scenario. Empty: every step.
	StepID string
	// RuleID selects the requirements of a rule and those without a rule. nil: every rule.
	RuleID *uuid.UUID
	// Level selects the requirements of one level. Empty: both.
	Level vault.RequiredLevel
}

// Known is the data about a customer and the conversation.
type Known struct {
	// Fields are the active values by name. Expired values may be among them.
	Fields map[string]vault.Value
	// Session are the variables of the session.
	Session  map[string]json.RawMessage
	Scenario vault.Scenario
	Now      time.Time
}

// FindMissing returns the unmet requirements, one per field, in the order of collection: by collection_order, then hard
// before soft, then by name.
//
// A value that is empty (see IsEmpty) counts as absent, in conditions and dependencies too: nobody can use it.
//
// A value that mode warn stored with warnings does not meet a hard requirement while it breaks its definition. It meets
// a soft one.
//
// A stale value (vault.Value.StaleSince) does not meet a requirement with RefuseStale.
//
// A requirement applies if the fields it depends on have values and its condition is true. A condition that fails
// counts as true, with a warning. A rejected requirement never applies. A requirement is listed but does not block
// while it waits for a review, or if its suggested definition is pending or rejected.
//
// If several requirements name the same field, the strictest wins: binding before not binding, then hard before soft,
// then by fallback: block, ask, extract, skip.
func FindMissing(
	reqs []vault.Requirement, defs map[string]vault.Definition, known Known, scope Scope,
) (missing []vault.Missing, warnings []string) {
	applicable, warnings := Applicable(reqs, known, scope)
	missing, more := Unmet(applicable, defs, known)
	warnings = append(warnings, more...)
	slices.Sort(warnings)
	return missing, slices.Compact(warnings)
}

// Unmet returns those of the requirements that apply (see Applicable) which are unmet, in the order of FindMissing.
func Unmet(
	applicable map[string]vault.Requirement, defs map[string]vault.Definition, known Known,
) (missing []vault.Missing, warnings []string) {
	missing = []vault.Missing{}
	for name, r := range applicable {
		var def *vault.Definition
		if d, ok := defs[name]; ok && d.Enabled {
			def = &d
		}
		reason := missingReason(known, name, def)
		if reason == vault.MissingStale && def.StaleAction != "" && def.StaleAction != vault.StaleBlock {
			if def.StaleAction == vault.StaleWarn {
				warnings = append(warnings, name+": the value is older than freshness_seconds")
			}
			reason = unverifiedReason(known.Fields[name], *def)
		}
		if (reason == "" || reason == vault.MissingUnverified) && r.RefuseStale && known.Fields[name].StaleSince != nil {
			reason = vault.MissingDerived
		}
		if (reason == "" || reason == vault.MissingUnverified) && r.RequiredLevel == vault.LevelHard &&
			isInvalid(known.Fields[name], name, def) {
			reason = vault.MissingInvalid
		}
		if reason != "" {
			missing = append(missing, vault.Missing{
				Requirement: r, Definition: def, Reason: reason,
				Blocking: r.RequiredLevel == vault.LevelHard && r.Binding() && !isUnreviewed(r, defs[name]),
			})
		}
	}
	slices.SortFunc(missing, func(a, b vault.Missing) int { return ByOrder(a.Requirement, b.Requirement) })
	return missing, warnings
}

// isUnreviewed reports whether an extracted requirement is for a suggested definition that no person approved. Gap fill
// cannot ask for such a field, and no person has decided that it is needed.
func isUnreviewed(r vault.Requirement, def vault.Definition) bool {
	return r.Origin == vault.OriginExtracted && def.Origin == vault.OriginExtracted &&
		(def.Review == vault.ReviewPending || def.Review == vault.ReviewRejected)
}

// Applicable returns the requirements that apply, met or unmet, one per field, by the rules of FindMissing.
func Applicable(
	reqs []vault.Requirement, known Known, scope Scope,
) (byField map[string]vault.Requirement, warnings []string) {
	present := presentFields(known)
	when := newConditions(ConditionVars{Fields: present, Session: known.Session, Scenario: known.Scenario})

	strictest := map[string]vault.Requirement{}
	for _, r := range reqs {
		if r.Review == vault.ReviewRejected || !scope.covers(r) || !hasAll(present, r.DependsOn) {
			continue
		}
		holds, err := when.eval(r.WhenCondition)
		if err != nil {
			warnings = append(warnings, fmt.Sprintf("%s: when_condition failed and counts as true: %v", r.FieldName, err))
			holds = true
		}
		if !holds {
			continue
		}
		if other, ok := strictest[r.FieldName]; !ok || stricter(r, other) < 0 {
			strictest[r.FieldName] = r
		}
	}
	return strictest, warnings
}

// ByOrder compares requirements by the order of collection: by collection_order, then hard before soft, then by name.
func ByOrder(a, b vault.Requirement) int {
	return cmp.Or(
		cmp.Compare(a.Order, b.Order),
		cmp.Compare(levelRank(a), levelRank(b)),
		strings.Compare(a.FieldName, b.FieldName),
	)
}

// covers reports whether a requirement is in the scope.
func (s Scope) covers(r vault.Requirement) bool {
	return (s.Level == "" || s.Level == r.RequiredLevel) &&
		(s.StepID == "" || r.StepID == "" || s.StepID == r.StepID) &&
		(s.RuleID == nil || r.RuleID == nil || *s.RuleID == *r.RuleID)
}

// missingReason returns the reason why a field does not meet a requirement, "" if it does.
func missingReason(known Known, name string, def *vault.Definition) vault.MissingReason {
	f, ok := known.Fields[name]
	switch {
	case !ok || !isActive(f) || IsEmpty(f.Value):
		return vault.MissingAbsent
	case f.Expired(known.Now):
		return vault.MissingExpired
	case def == nil:
		return ""
	case isStale(known.Now.Sub(f.CollectedAt), def.FreshnessSeconds):
		return vault.MissingStale
	default:
		return unverifiedReason(f, *def)
	}
}

// isInvalid reports whether a value was stored with warnings and still breaks its definition, which may have changed
// since.
func isInvalid(f vault.Value, name string, def *vault.Definition) bool {
	if len(f.Warnings) == 0 {
		return false
	}
	_, err := CheckValue(def, name, f.Value, vault.ModeStrict)
	return err != nil
}

func unverifiedReason(f vault.Value, def vault.Definition) vault.MissingReason {
	if def.RequiredVerification && !isVerified(f, def) {
		return vault.MissingUnverified
	}
	return ""
}

// isStale reports whether a value of this age is too old. A limit beyond the range of time.Duration, some 300 years,
// never applies.
func isStale(age time.Duration, freshnessSeconds int64) bool {
	return freshnessSeconds > 0 && freshnessSeconds <= int64(math.MaxInt64/time.Second) &&
		age > time.Duration(freshnessSeconds)*time.Second
}

// isVerified reports whether a value is verified by a method that its definition accepts.
func isVerified(f vault.Value, def vault.Definition) bool {
	anyMethod := len(def.VerificationMethods) == 0
	return f.Verified && (anyMethod || slices.Contains(def.VerificationMethods, f.VerificationMethod))
}

// IsEmpty reports whether a JSON value says nothing: null, a text without a visible character, or a list or object with
// only such entries or none. It is false for an absent value and for invalid JSON.
func IsEmpty(value json.RawMessage) bool {
	dec := json.NewDecoder(bytes.NewReader(value))
	dec.UseNumber() // a number may be beyond a float64
	var decoded any
	return dec.Decode(&decoded) == nil && saysNothing(decoded)
}

func saysNothing(decoded any) bool {
	switch v := decoded.(type) {
	case nil:
		return true
	case string:
		return format.IsBlank(v)
	case []any:
		return !slices.ContainsFunc(v, func(entry any) bool { return !saysNothing(entry) })
	case map[string]any:
		for _, member := range v {
			if !saysNothing(member) {
				return false
			}
		}
		return true
	default:
		return false
	}
}

func isActive(f vault.Value) bool { return f.Status == vault.StatusActive || f.Status == "" }

func hasAll(present map[string]json.RawMessage, names []string) bool {
	return !slices.ContainsFunc(names, func(name string) bool { _, ok := present[name]; return !ok })
}

// stricter compares requirements for the same field, the strictest first. It ends with the id, so that the result does
// not depend on the order of the requirements.
func stricter(a, b vault.Requirement) int {
	return cmp.Or(
		cmp.Compare(bindingRank(a), bindingRank(b)),
		cmp.Compare(levelRank(a), levelRank(b)),
		cmp.Compare(slices.Index(fallbackOrder, a.FallbackAction), slices.Index(fallbackOrder, b.FallbackAction)),
		cmp.Compare(a.Order, b.Order),
		strings.Compare(a.ID.String(), b.ID.String()),
	)
}

// fallbackOrder lists the fallback actions, the strictest first.
var fallbackOrder = []vault.FallbackAction{
	vault.FallbackBlock, vault.FallbackAsk, vault.FallbackExtract, vault.FallbackSkip,
}

func bindingRank(r vault.Requirement) int {
	if r.Binding() {
		return 0
	}
	return 1
}

func levelRank(r vault.Requirement) int {
	if r.RequiredLevel == vault.LevelHard {
		return 0
	}
	return 1
}
