package steps

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/vault"
)

// Sessions keeps what conversations know.
type Sessions struct{ once intentOnce }

// PersistSession merges the variables of a session and adds its turns.
func (s Sessions) PersistSession(ctx context.Context, ev vault.Event) (vault.SavedResult, error) {
	return apply(ctx, s.once, ev, func(q *dbgen.Queries, intent dbgen.Intent, in vault.SaveSession) (vault.SavedResult, error) {
		if err := vault.CheckInput(in); err != nil {
			return vault.SavedResult{}, err
		}
		variables := json.RawMessage("{}")
		if len(in.Variables) > 0 {
			encoded, err := json.Marshal(in.Variables)
			if err != nil {
				return vault.SavedResult{}, vault.Invalid("variables", "are not JSON values")
			}
			variables = encoded
		}
		_, err := q.UpsertSession(ctx, dbgen.UpsertSessionParams{
			TenantID: ev.TenantID, ID: in.SessionID, AgentID: in.AgentID, CustomerID: in.CustomerID, Variables: variables,
		})
		if db.NoRow(err) {
			return vault.SavedResult{}, vault.Conflict("session_id", "session_id: session %s belongs to another customer or agent; use a new id", in.SessionID)
		}
		if err != nil {
			return vault.SavedResult{}, err
		}
		for i, turn := range in.Turns {
			err := q.AppendTurn(ctx, dbgen.AppendTurnParams{
				TenantID: ev.TenantID, SessionID: in.SessionID, Speaker: string(turn.Speaker), Text: turn.Text, IntentID: intent.ID,
			})
			if err != nil {
				return vault.SavedResult{}, fmt.Errorf("add turn %d: %w", i, err)
			}
		}
		return vault.SavedResult{ID: in.SessionID}, nil
	})
}
