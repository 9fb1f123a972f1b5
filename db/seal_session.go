package db

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/vault"
)

// The turns and variables of sessions are always sealed, with the key of the customer under whose id the session began:
// an encrypted value is often said in a conversation first.

var ofTurn = uuid.UUID{15: 3}

// SealTurn seals the text of a turn. It opens only in the same session.
func (s *Sealer) SealTurn(ctx context.Context, owner Owner, session uuid.UUID, text string) ([]byte, error) {
	sealed, err := s.seal(ctx, owner, partOf(session, ofTurn), []byte(text))
	if err != nil {
		return nil, fmt.Errorf("seal a turn of session %s: %w", session, err)
	}
	return sealed, nil
}

// SealVariables returns the JSON object of the variables of a session with sealed values. Each value opens only as the
// same variable.
func (s *Sealer) SealVariables(
	ctx context.Context, owner Owner, session uuid.UUID, variables map[string]json.RawMessage,
) (json.RawMessage, error) {
	out := make(map[string][]byte, len(variables))
	for name, value := range variables {
		plain, err := json.Marshal(value)
		if err != nil {
			return nil, vault.Invalid("variables", "are not JSON values")
		}
		if out[name], err = s.seal(ctx, owner, variableOf(session, name), plain); err != nil {
			return nil, fmt.Errorf("seal the variables of session %s: %w", session, err)
		}
	}
	return json.Marshal(out)
}

// variableOf returns the id to which a variable of a session is bound.
func variableOf(session uuid.UUID, name string) uuid.UUID { return uuid.NewSHA1(session, []byte(name)) }

// OpenSession converts a session and its turns, and opens them.
func (s *Sealer) OpenSession(
	ctx context.Context, r dbgen.Session, turns []dbgen.ListTurnsRow,
) (vault.Session, error) {
	out := vault.Session{
		ID: r.ID, CustomerID: r.CustomerID, AgentID: r.AgentID, Turns: make([]vault.Turn, len(turns)),
	}
	var err error
	if out.Variables, err = s.OpenVariables(ctx, r.TenantID, r.ID, r.Variables); err != nil {
		return out, err
	}
	for i, t := range turns {
		text, err := s.OpenTurn(ctx, r.TenantID, r.ID, t.Text)
		if err != nil {
			return out, err
		}
		out.Turns[i] = vault.Turn{
			Index: int(t.TurnIndex), Speaker: vault.Speaker(t.Speaker), Text: text, At: &t.SaidAt,
		}
	}
	return out, nil
}

// OpenVariables opens the variables of a session.
func (s *Sealer) OpenVariables(
	ctx context.Context, tenant, session uuid.UUID, sealed json.RawMessage,
) (map[string]json.RawMessage, error) {
	out := map[string]json.RawMessage{}
	var variables map[string][]byte
	if err := json.Unmarshal(sealed, &variables); err != nil {
		return out, fmt.Errorf("decode the variables of session %s", session)
	}
	for name, sealed := range variables {
		plain, err := s.open(ctx, tenant, variableOf(session, name), sealed)
		if err != nil {
			return out, openError("variables of session", session, err)
		}
		out[name] = plain
	}
	return out, nil
}

// OpenTurn opens the text of a turn of a session.
func (s *Sealer) OpenTurn(ctx context.Context, tenant, session uuid.UUID, sealed []byte) (string, error) {
	text, err := s.open(ctx, tenant, partOf(session, ofTurn), sealed)
	if err != nil {
		return "", openError("turns of session", session, err)
	}
	return string(text), nil
}
