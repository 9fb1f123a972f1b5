package vault

// Access is what a reader may see: the rights of its key, and the purpose of the read.
type Access struct {
	// Purpose is the stated purpose. Empty: none.
	Purpose string
	// Masked reports that values of PII fields are masked.
	Masked bool
	// Operation is the name of the read in the audit, such as get-profile.
	Operation string
}

// Withheld names a field whose value an answer leaves out, and the reason.
type Withheld struct {
	Name   string         `json:"name"`
	Reason WithheldReason `json:"reason" doc:"purpose_required: the read states no purpose, and the field needs one. purpose_not_allowed: the field may not be used for the stated purpose. no_consent: the customer has not consented to it, has withdrawn the consent, or it has expired."`
}

// WithheldReason is the reason why a value is withheld.
type WithheldReason string

const (
	WithheldPurposeRequired   WithheldReason = "purpose_required"    // the read states no purpose
	WithheldPurposeNotAllowed WithheldReason = "purpose_not_allowed" // the field may not be used for the stated purpose
	WithheldNoConsent         WithheldReason = "no_consent"          // the customer has not consented to the purpose
)
