package vault

// TraceState is what becomes of one requirement for a customer.
type TraceState string

const (
	TraceMet       TraceState = "met"       // the customer has the value
	TraceMissing   TraceState = "missing"   // the scenario lacks it
	TraceWithheld  TraceState = "withheld"  // the customer has not consented to the field, so nobody asks for it
	TraceWaits     TraceState = "waits"     // a field that it depends on has no value
	TraceNotNow    TraceState = "not_now"   // its condition is false
	TraceOverruled TraceState = "overruled" // a stricter requirement names the same field
	TraceRejected  TraceState = "rejected"  // a person rejected it
)

// Traced says why a requirement is met or not.
type Traced struct {
	Requirement Requirement
	Definition  *Definition // nil: the agent defines no such field, or it is disabled
	State       TraceState
	Reason      MissingReason // of TraceMissing
	Blocking    bool          // of TraceMissing: the scenario cannot start without it
	WaitsFor    []string      // of TraceWaits: the fields without a value
	// Failed is the problem of a condition that failed and counts as true. Empty: it did not fail.
	Failed string
}
