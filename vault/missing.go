package vault

// MissingReason says why a field counts as missing.
type MissingReason string

const (
	MissingAbsent     MissingReason = "absent"     // there is no active value
	MissingExpired    MissingReason = "expired"    // there is one past its expires_at
	MissingStale      MissingReason = "stale"      // it is older than the definition's freshness_seconds
	MissingUnverified MissingReason = "unverified" // the definition requires a verification that it does not have
)

// Missing is a requirement that is unmet.
type Missing struct {
	Requirement Requirement   `json:"requirement"`
	Definition  *Definition   `json:"definition,omitempty"` // nil: the agent defines no such field, or has not enabled it
	Reason      MissingReason `json:"reason"`
	Blocking    bool          `json:"blocking"` // the scenario may not start without it: hard, and no person's review of it or its field is pending
}
