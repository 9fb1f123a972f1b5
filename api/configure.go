package api

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

// CheckConfigures refuses changes of the configuration by a key that sees masked values. The configuration decides what
// is masked, and its conditions and patterns tell what values are.
func CheckConfigures(masked bool) error {
	if !masked {
		return nil
	}
	return notAllowed("Authorization", "this API key sees masked values only, so it may neither change the configuration "+
		"nor try changes: they decide what is masked, and tell what values are; use a key that sees PII")
}

// CheckLoosens refuses a change by which a definition protects its values less, unless the key has the scope admin.
// prefix is the place of the definition in the body, such as "definitions[3].", or empty; now is nil if it is deleted.
func CheckLoosens(isAdmin bool, prefix string, was vault.Definition, now *vault.Definition) error {
	member := rules.Loosened(was, now)
	if isAdmin || member == "" {
		return nil
	}
	return notAllowed(prefix+member, fmt.Sprintf("%s%s: the change shows values of %s to more readers, so it needs an "+
		"API key with the scope admin; without it, keep %s as it is", prefix, member, was.Name, member))
}

// checkLoosens is CheckLoosens with the stored definition.
func (s *Server) checkLoosens(
	ctx context.Context, c caller, prefix string, agent uuid.UUID, name string, now *vault.Definition,
) error {
	if c.may(ScopeAdmin) {
		return nil
	}
	was, err := s.options.Query.Definition(ctx, c.tenant, agent, name)
	if vault.CodeOf(err) == vault.CodeUnknown {
		return nil
	}
	if err != nil {
		return err
	}
	return CheckLoosens(false, prefix, was, now)
}

// checkConfiguration is checkLoosens for the definitions that a configuration changes or deletes.
func (s *Server) checkConfiguration(ctx context.Context, c caller, in *vault.ApplyConfigurationInput) error {
	if c.may(ScopeAdmin) {
		return nil
	}
	stored, err := s.options.Query.Definitions(ctx, c.tenant, in.AgentID)
	if err != nil && vault.CodeOf(err) != vault.CodeUnknown {
		return err
	}
	for _, was := range stored {
		prefix, now := "", (*vault.Definition)(nil)
		i := slices.IndexFunc(in.Definitions, func(d vault.Definition) bool { return d.Name == was.Name })
		switch {
		case i >= 0:
			prefix, now = fmt.Sprintf("definitions[%d].", i), &in.Definitions[i]
		case !in.Prune:
			continue
		}
		if err := CheckLoosens(false, prefix, was, now); err != nil {
			return err
		}
	}
	return nil
}
