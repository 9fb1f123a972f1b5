package vault

import (
	"context"
	"slices"

	"github.com/google/uuid"
)

// Access is what a reader may see: the rights of its key, and the purpose of the read.
type Access struct {
	// Purpose is the stated purpose. Empty: none.
	Purpose string
	// Masked reports that values of PII fields are masked.
	Masked bool
	// Agents are the agents whose data is shown. Empty: all.
	Agents []uuid.UUID
	// Operation is the name of the read in the audit, such as get-profile.
	Operation string
}

// AgentLimit are the agents to which a caller is limited. The zero value limits nothing.
type AgentLimit []uuid.UUID

// Allows reports whether a caller may use an agent.
func (l AgentLimit) Allows(agent uuid.UUID) bool { return len(l) == 0 || slices.Contains(l, agent) }

type agentsKey struct{}

// WithAgents returns a context whose reads and operations are limited to agents. An empty list limits nothing.
func WithAgents(ctx context.Context, agents []uuid.UUID) context.Context {
	if len(agents) == 0 {
		agents = nil // to queries, an empty list would allow none
	}
	return context.WithValue(ctx, agentsKey{}, AgentLimit(agents))
}

// AgentsOf returns the agents to which a context is limited.
func AgentsOf(ctx context.Context) AgentLimit {
	limit, _ := ctx.Value(agentsKey{}).(AgentLimit)
	return limit
}

// Withheld names a field whose value an answer leaves out, and the reason.
type Withheld struct {
	Name   string         `json:"name"`
	Reason WithheldReason `json:"reason" doc:"purpose_required: the read states no purpose, and the field needs one. purpose_not_allowed: the field may not be used for the stated purpose. no_consent: the customer has not consented to it, has withdrawn the consent, or it has expired."`
}

// PurposeRemedy is the part of an error that says how a request states its purpose. A caller who sends no requests of
// its own replaces it.
const PurposeRemedy = "state it in the header Vault-Purpose"

// WithheldReason is the reason why a value is withheld.
type WithheldReason string

const (
	WithheldPurposeRequired   WithheldReason = "purpose_required"    // the read states no purpose
	WithheldPurposeNotAllowed WithheldReason = "purpose_not_allowed" // the field may not be used for the stated purpose
	WithheldNoConsent         WithheldReason = "no_consent"          // the customer has not consented to the purpose
)
