package vault

// MissingReason is the reason why a field counts as missing.
type MissingReason string

const (
	MissingAbsent     MissingReason = "absent"     // the field has no active value
	MissingExpired    MissingReason = "expired"    // the value is past its expires_at
	MissingStale      MissingReason = "stale"      // the value is older than freshness_seconds of its definition
	MissingDerived    MissingReason = "derived"    // the source of the value changed (StaleSince), and refuse_stale is set
	MissingInvalid    MissingReason = "invalid"    // the value was stored with warnings, and the requirement is hard
	MissingUnverified MissingReason = "unverified" // the definition requires a verification that the value lacks
)

// Missing is an unmet requirement.
type Missing struct {
	Requirement Requirement `json:"requirement"`
	// Definition is the enabled definition of the field. nil: the agent has none.
	Definition *Definition   `json:"definition,omitempty"`
	Reason     MissingReason `json:"reason"`
	// Blocking reports that the scenario may not start: the requirement is hard, and no review of it or of its field is
	// pending.
	Blocking bool `json:"blocking"`
}
