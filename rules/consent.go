package rules

import (
	"slices"
	"time"

	"github.com/contextvault/contextvault/vault"
)

// FieldPolicy is what a field needs of its readers. It belongs to the name of the field in a tenant: of several
// definitions of one name, of any agent, each counts.
type FieldPolicy struct {
	// Purposes has the purposes of each definition that needs one. Empty: no consent is needed.
	Purposes [][]string
	PII      bool
}

// Add adds a definition of the field.
func (p FieldPolicy) Add(purposes []string, pii bool) FieldPolicy {
	if len(purposes) > 0 {
		p.Purposes = append(slices.Clone(p.Purposes), purposes)
	}
	p.PII = p.PII || pii
	return p
}

// Allows reports whether the field may be used for a purpose.
func (p FieldPolicy) Allows(purpose string) bool {
	return !slices.ContainsFunc(p.Purposes, func(of []string) bool { return !slices.Contains(of, purpose) })
}

// Withhold returns the reason why the value of a customer is withheld, "" if it is not. consents are those of the
// customer; the latest of a purpose counts.
func (p FieldPolicy) Withhold(purpose string, consents []vault.Consent, now time.Time) vault.WithheldReason {
	switch {
	case len(p.Purposes) == 0:
		return ""
	case purpose == "":
		return vault.WithheldPurposeRequired
	case !p.Allows(purpose):
		return vault.WithheldPurposeNotAllowed
	case !Consented(consents, purpose, now):
		return vault.WithheldNoConsent
	default:
		return ""
	}
}

// Refuses reports whether the value of a customer may not be collected: a definition needs a consent to one of its
// purposes, and none is in force.
func (p FieldPolicy) Refuses(consents []vault.Consent, now time.Time) bool {
	return slices.ContainsFunc(p.Purposes, func(of []string) bool {
		return !slices.ContainsFunc(of, func(purpose string) bool { return Consented(consents, purpose, now) })
	})
}

// Consented reports whether the latest consent to a purpose is granted and has not expired.
func Consented(consents []vault.Consent, purpose string, now time.Time) bool {
	var latest *vault.Consent
	for i, c := range consents {
		if c.Purpose == purpose && (latest == nil || c.AcceptedAt.After(latest.AcceptedAt)) {
			latest = &consents[i]
		}
	}
	return latest != nil && latest.InForce(now)
}
