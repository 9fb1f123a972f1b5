package cache

import "github.com/google/uuid"

// Kind is a kind of entry. It is the prefix of its keys, and a label for metrics.
type Kind string

// The kinds, with their lifetimes.
const (
	KindProfile      Kind = "profile"       // Options.ProfileTTL
	KindDefinitions  Kind = "field_defs"    // Options.DefinitionsTTL
	KindRequirements Kind = "scenario_reqs" // 3600 s
	KindChain        Kind = "deriv"         // 300 s
)

// Kinds lists them.
var Kinds = []Kind{KindProfile, KindDefinitions, KindRequirements, KindChain}

// Key names one entry. Make it with one of the functions below.
type Key struct {
	kind Kind
	name string
}

// String is the key as Redis knows it: profile:{tenant}:{customer}.
func (k Key) String() string { return string(k.kind) + ":" + k.name }

func newKey(kind Kind, tenant, id uuid.UUID) Key {
	return Key{kind: kind, name: tenant.String() + ":" + id.String()}
}

// ProfileKey is what a reader sees of one customer.
func ProfileKey(tenant, customer uuid.UUID) Key { return newKey(KindProfile, tenant, customer) }

// DefinitionsKey is the field definitions of one agent.
func DefinitionsKey(tenant, agent uuid.UUID) Key { return newKey(KindDefinitions, tenant, agent) }

// RequirementsKey is the requirements of one scenario.
func RequirementsKey(tenant, scenario uuid.UUID) Key {
	return newKey(KindRequirements, tenant, scenario)
}

// ChainKey is the derivation chain of one item.
func ChainKey(tenant, item uuid.UUID) Key { return newKey(KindChain, tenant, item) }
