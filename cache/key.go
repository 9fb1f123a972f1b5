package cache

import "github.com/google/uuid"

// Kind is a kind of cache entry. It is the prefix of the keys in Redis, and a label of the metrics.
type Kind string

// The kinds, with their lifetimes.
const (
	KindProfile      Kind = "profile"       // Options.ProfileTTL
	KindDefinitions  Kind = "field_defs"    // Options.DefinitionsTTL
	KindRequirements Kind = "scenario_reqs" // 3600 s
	KindChain        Kind = "deriv"         // 300 s
)

// Kinds lists all kinds.
var Kinds = []Kind{KindProfile, KindDefinitions, KindRequirements, KindChain}

// Key identifies one entry. The functions below build it.
type Key struct {
	kind Kind
	name string
}

// String returns the key in Redis: profile:{tenant}:{customer}.
func (k Key) String() string { return string(k.kind) + ":" + k.name }

func newKey(kind Kind, tenant, id uuid.UUID) Key {
	return Key{kind: kind, name: tenant.String() + ":" + id.String()}
}

// ProfileKey is the key of the profile of one customer.
func ProfileKey(tenant, customer uuid.UUID) Key { return newKey(KindProfile, tenant, customer) }

// DefinitionsKey is the key of the definitions of one agent.
func DefinitionsKey(tenant, agent uuid.UUID) Key { return newKey(KindDefinitions, tenant, agent) }

// RequirementsKey is the key of the requirements of one scenario.
func RequirementsKey(tenant, scenario uuid.UUID) Key {
	return newKey(KindRequirements, tenant, scenario)
}

// ChainKey is the key of the derivation chain of one item.
func ChainKey(tenant, item uuid.UUID) Key { return newKey(KindChain, tenant, item) }
