package rules

import "github.com/contextvault/contextvault/vault"

// Methods of verification that prove more than that one value is the customer's own.
const (
	MethodDocument = "document"
	MethodKYC      = "kyc"
)

// LevelOf derives how far a customer's identity is proven from what is verified: the highest that any active field gives. A
// verified e-mail address or phone number gives its own level, the method document or a document as source the third, and
// the method kyc the last.
func LevelOf(fields map[string]vault.Value) vault.VerificationLevel {
	best := 0
	for _, f := range fields {
		if f.Verified && isActive(f) {
			best = max(best, levelRankOf(f))
		}
	}
	return verificationLevels[best]
}

// verificationLevels, each proving more than the one before.
var verificationLevels = []vault.VerificationLevel{vault.VerificationNone, vault.VerificationEmail, vault.VerificationPhone, vault.VerificationDocument, vault.VerificationKYC}

func levelRankOf(f vault.Value) int {
	switch {
	case f.VerificationMethod == MethodKYC:
		return 4
	case f.VerificationMethod == MethodDocument || f.SourceItemType == vault.SourceProfileAsset:
		return 3
	case f.ValueType == vault.TypePhone:
		return 2
	case f.ValueType == vault.TypeEmail:
		return 1
	default:
		return 0
	}
}
