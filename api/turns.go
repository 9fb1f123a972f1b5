package api

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/contextvault/contextvault/api/internal/input"
	"github.com/contextvault/contextvault/vault"
)

// TurnOutput selects the context block in the response to a turn.
type TurnOutput struct {
	MaxTokens int                 `query:"max_tokens" minimum:"250" maximum:"100000" default:"2000" doc:"The largest size of the context block, in tokens."`
	Format    vault.ContextFormat `query:"format" enum:"text,markdown,json" default:"text" doc:"The format of the context block."`
}

func (o *TurnOutput) output() TurnOutput { return *o }

func (s *Server) turnRoutes() {
	detail := "One request for each message. It saves the turn, answers the open question of the customer with it if it " +
		"does, stores the facts that it states and proves, starts or moves on the gap fill of the scenario, and asks " +
		"the next question. With Prefer: wait, the response has what was learned, with quotes, what was refused and why, " +
		"what is missing, the next question and the context block; a key without the scope read gets the stored " +
		"result only. " +
		"A repeat with the same Idempotency-Key takes no second turn. " +
		"An unknown channel identity opens a customer. A session of another customer is refused with 409."
	unbind := map[string]string{"max_tokens": unbound, "format": unbound}
	type take struct {
		TurnOutput
		input.Preferences
		input.JSON
	}
	submit[take](s, vault.TakeTurn, route{
		method: http.MethodPost, path: "/v1/turns", tag: tagSessions, access: toWrite,
		summary: "Take a turn of a conversation",
		detail:  detail,
		example: `{
			"channel": "whatsapp", "external_id": "+4915112345678", "session_key": "chat-42",
			"scenario_id": "` + input.ExampleID + `", "text": "My email is ada@example.com"}`,
		into: unbind, complete: s.completeTurn,
	})
	type ofSession struct {
		input.SessionPath
		TurnOutput
		input.Preferences
		input.JSON
	}
	submit[ofSession](s, vault.TakeTurn, route{
		name:   "take-session-turn",
		method: http.MethodPost, path: "/v1/sessions/{session_id}/take-turn", tag: tagSessions, access: toWrite,
		summary: "Take a turn of a session",
		detail:  "take-turn for callers who manage the ids of their sessions. add-turns only saves turns. " + detail,
		example: `{"customer_id": "` + input.ExampleID + `", "agent_id": "` + input.ExampleID + `",
			"text": "My email is ada@example.com"}`,
		into: unbind, complete: s.completeTurn,
	})
}

// completeTurn adds what the reader may see to the result of a turn.
func (s *Server) completeTurn(ctx context.Context, c caller, in any, op *Operation) error {
	if !c.may(ScopeRead) {
		return nil
	}
	out, ok := in.(interface{ output() TurnOutput })
	var result vault.TurnResult
	if !ok || json.Unmarshal(op.Result, &result) != nil {
		return errors.New("the result of a turn cannot be decoded") // the cause may quote it
	}
	o := out.output()
	err := s.options.Query.CompleteTurn(ctx, c.tenant, &result, cmp.Or(o.Format, vault.ContextText), o.MaxTokens)
	if vault.CodeOf(err) == vault.CodeUnknown {
		return nil // deleted since: the result stays as it is
	}
	if err != nil {
		return err
	}
	if op.Result, err = vault.Encode(result); err != nil {
		return errors.New("the result of a turn cannot be encoded")
	}
	return nil
}
