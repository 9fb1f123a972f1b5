package api

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/rules/evidence"
	"github.com/contextvault/contextvault/vault"
)

// heard is a session that was read, and its turns taken apart for the evidence gate.
type heard struct {
	session      vault.Session
	conversation *evidence.Conversation
}

// stated is what source_metadata of a write with the source llm_extracted must contain.
type stated struct {
	Quote string `json:"quote"`
	Turn  *int   `json:"turn"`
}

// checkEvidence returns an error if a write with the source llm_extracted does not name the session, the turn and the
// quote of its value, or if the quote does not state the value. The evidence gate is that of the gap fill. A key that
// was created with llm_extracted among its sources is trusted as an extractor, and is not checked. prefix is the place
// of the write in the body, read the sessions that were read before.
func (s *Server) checkEvidence(
	ctx context.Context, c caller, prefix string, w vault.WriteValueInput, read map[uuid.UUID]heard,
) error {
	if w.Source != vault.ValueLLMExtracted || slices.Contains(c.sources, vault.ValueLLMExtracted) {
		return nil
	}
	var said stated
	switch {
	case w.SourceSessionID == nil:
		return vault.Invalid(prefix+"source_session_id",
			"is required with the source llm_extracted: the session whose turns state the value")
	case json.Unmarshal(w.SourceMetadata, &said) != nil || said.Quote == "" || said.Turn == nil:
		return vault.Invalid(prefix+"source_metadata",
			`must name the quote that states the value and its turn, such as {"quote": "I am 36", "turn": 4}`)
	}
	in, ok := read[*w.SourceSessionID]
	if !ok {
		session, err := s.options.Query.WholeSession(ctx, c.tenant, *w.SourceSessionID)
		if err != nil {
			return err
		}
		in = heard{session, evidence.Read(session.Turns)}
		read[session.ID] = in
	}
	if in.session.CustomerID != w.CustomerID {
		return vault.Invalid(prefix+"source_session_id", "is a session of another customer")
	}
	if turn := evidence.QuotedTurn(said.Quote, *said.Turn, in.session.Turns); turn != *said.Turn {
		return vault.Invalid(
			prefix+"source_metadata", "the quote is in turn %d, and not in turn %d", turn, *said.Turn)
	}
	def, err := s.definitionFor(ctx, c, w)
	if err != nil {
		return err
	}
	candidate := vault.Candidate{FieldName: w.Name, Value: w.Value, Quote: said.Quote, Turn: *said.Turn, Confidence: 1}
	if _, problem := in.conversation.Check(candidate, &def); problem != nil {
		return vault.Invalid(prefix+"source_metadata", "%s", problem.Message)
	}
	return nil
}

// definitionFor returns the definition of a write, or a plain one for a field that the agent does not define.
func (s *Server) definitionFor(ctx context.Context, c caller, w vault.WriteValueInput) (vault.Definition, error) {
	def, err := s.options.Query.Definition(ctx, c.tenant, w.AgentID, w.Name)
	if vault.CodeOf(err) != vault.CodeUnknown {
		return def, err
	}
	def = vault.Definition{AgentID: w.AgentID, Name: w.Name, ValueType: vault.TypeJSON, Enabled: true}
	if bytes.HasPrefix(bytes.TrimSpace(w.Value), []byte(`"`)) {
		def.ValueType = vault.TypeString
	}
	return def, nil
}
