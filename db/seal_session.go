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
		Variables: map[string]json.RawMessage{},
	}
	var variables map[string][]byte
	if err := json.Unmarshal(r.Variables, &variables); err != nil {
		return out, fmt.Errorf("decode the variables of session %s", r.ID)
	}
	for name, sealed := range variables {
		plain, err := s.open(ctx, r.TenantID, variableOf(r.ID, name), sealed)
		if err != nil {
			return out, openError("variables of session", r.ID, err)
		}
		out.Variables[name] = plain
	}
	for i, t := range turns {
		text, err := s.open(ctx, r.TenantID, partOf(r.ID, ofTurn), t.Text)
		if err != nil {
			return out, openError("turns of session", r.ID, err)
		}
		out.Turns[i] = vault.Turn{
			Index: int(t.TurnIndex), Speaker: vault.Speaker(t.Speaker), Text: string(text), At: &t.SaidAt,
		}
	}
	return out, nil
}
