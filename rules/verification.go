package rules

import "github.com/contextvault/contextvault/vault"

// Verification methods that prove the customer's identity, not only that a value is correct.
const (
	MethodDocument = "document"
	MethodKYC      = "kyc"
)

// LevelOf derives the verification level of a customer: the highest level of all active verified values. A verified
// email address or phone number gives its own level. The method document, or a document as the source, gives the level
// document. The method kyc gives the highest level.
func LevelOf(fields map[string]vault.Value) vault.VerificationLevel {
	best := 0
	for _, f := range fields {
		if f.Verified && isActive(f) {
			best = max(best, verificationRank(f.VerificationMethod, f.SourceItemType, f.ValueType))
		}
	}
	return verificationLevels[best]
}

// verificationLevels are in ascending order.
var verificationLevels = []vault.VerificationLevel{
	vault.VerificationNone, vault.VerificationEmail, vault.VerificationPhone, vault.VerificationDocument,
	vault.VerificationKYC,
}

// verificationRank is the index in verificationLevels that a verified value proves.
func verificationRank(method string, source vault.SourceType, valueType vault.ValueType) int {
	switch {
	case method == MethodKYC:
		return 4
	case method == MethodDocument || source == vault.SourceProfileAsset:
		return 3
	case valueType == vault.TypePhone:
		return 2
	case valueType == vault.TypeEmail:
		return 1
	default:
		return 0
	}
}
