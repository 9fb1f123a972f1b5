package vault

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// CreateKeyInput is the input of create-key. Whoever creates a key makes its secret, and sends the hash: the secret is
// in no request, no operation and no answer. The id of the key is that of the operation.
type CreateKeyInput struct {
	// Name is the purpose of the key, for people.
	Name string `json:"name" validate:"required,max=200" doc:"The purpose of the key, for people."`
	// KeyHash is the SHA-256 of the secret, in hexadecimal. The secret is cv_ and 32 random bytes in base64url.
	KeyHash string `json:"key_hash" validate:"required,len=64,hexadecimal" doc:"The SHA-256 of the secret, in hexadecimal. The secret is cv_ followed by 32 random bytes in base64url without padding; make it yourself and keep it: the vault never sees it before it is used."`
	// Scopes are the permissions of the key.
	Scopes []string `json:"scopes" validate:"required,min=1,max=6,unique,dive,oneof=read write verify review erase admin" doc:"The permissions of the key: read, write, verify, review, erase, admin."`
	// Sources are the sources that the key may write. Empty: those that are not stronger than the customer's own word.
	Sources []ValueSource `json:"sources,omitempty" validate:"max=6,unique,dive,oneof=user_provided llm_extracted tool_result document_extracted human_entered system_inferred" doc:"The sources of the values that the key may write. Absent: all except human_entered and document_extracted, which are stronger than the customer's own word."`
	// Agents are the agents whose data the key may use. Empty: all agents.
	Agents []uuid.UUID `json:"agents,omitempty" validate:"max=100,unique,dive,required" doc:"The ids of the agents whose data the key may use. Absent: all agents. The scopes admin and erase cover all agents, so they cannot be combined with it."`
	// Purpose is that of reads that state none. Empty: none.
	Purpose string `json:"purpose,omitempty" validate:"max=100" doc:"The purpose of reads that state none. One of the purposes that the definitions of the tenant name."`
	// Masked says that the key sees values of PII fields masked only.
	Masked bool `json:"masked,omitempty" doc:"The key sees values of PII fields masked only. A masked key can create only masked keys."`
	// ExpiresAt is the end of the key. nil: it is valid until it is revoked.
	ExpiresAt *time.Time `json:"expires_at,omitempty" doc:"The end of the key. Absent: it is valid until it is revoked."`
}

// CheckAgentScopes returns an error if a key for some agents has a scope that covers all of them.
func CheckAgentScopes[S ~string](agents []uuid.UUID, scopes []S) error {
	for _, wide := range []S{"admin", "erase"} {
		if len(agents) > 0 && slices.Contains(scopes, wide) {
			return Invalid("agents", "cannot be combined with the scope %s, which covers all agents; omit one of them", wide)
		}
	}
	return nil
}

// CheckKeyPurpose returns an error if the purpose of a key is none of those that the definitions of its tenant name:
// each read by it would withhold what needs a purpose. An empty purpose is none.
func CheckKeyPurpose(purpose string, known []string) error {
	switch {
	case purpose == "" || slices.Contains(known, purpose):
		return nil
	case len(known) == 0:
		return Invalid("purpose", "no definition names a purpose yet; save the definition with its purposes first")
	default:
		shown, rest := known[:min(len(known), MaxProblems)], ""
		if n := len(known) - len(shown); n > 0 {
			rest = fmt.Sprintf(" and %d more", n)
		}
		return Invalid("purpose", "no definition names this purpose; the purposes of the definitions are %s%s",
			strings.Join(shown, ", "), rest)
	}
}

// RevokeKeyInput is the input of revoke-key. The key ends within seconds.
type RevokeKeyInput struct {
	KeyID uuid.UUID `json:"key_id" validate:"required"`
}

// KeyResult is the result of create-key and revoke-key.
type KeyResult struct {
	KeyID uuid.UUID `json:"key_id"`
}

// KeySummary is one entry in the list of API keys: a key without its hash.
type KeySummary struct {
	ID         uuid.UUID     `json:"id"`
	Name       string        `json:"name" doc:"The purpose of the key, for people."`
	Scopes     []string      `json:"scopes"`
	Sources    []ValueSource `json:"sources,omitempty" doc:"The sources of the values that the key may write. Absent: all except human_entered and document_extracted."`
	Agents     []uuid.UUID   `json:"agents,omitempty" doc:"The agents whose data the key may use. Absent: all agents."`
	Purpose    string        `json:"purpose,omitempty" doc:"The purpose of reads that state none."`
	Masked     bool          `json:"masked" doc:"The key sees values of PII fields masked only."`
	CreatedAt  time.Time     `json:"created_at"`
	ExpiresAt  *time.Time    `json:"expires_at,omitempty"`
	RevokedAt  *time.Time    `json:"revoked_at,omitempty"`
	LastUsedAt *time.Time    `json:"last_used_at,omitempty" doc:"The last use, at most a minute old."`
}

// Usage is what a tenant used of the language model on a day.
type Usage struct {
	Day              string `json:"day" format:"date" doc:"The day, in UTC."`
	Calls            int64  `json:"calls"`
	PromptTokens     int64  `json:"prompt_tokens"`
	CompletionTokens int64  `json:"completion_tokens"`
	// CostMicros is the cost in millionths of the currency of the configured prices.
	CostMicros int64 `json:"cost_micros" doc:"The cost, in millionths of the currency of the configured prices."`
}
