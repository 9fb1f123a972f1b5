package schema

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/google/uuid"
	"github.com/pgvector/pgvector-go"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/llm/offline/propose"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/vault"
)

// Extraction extracts requirements from scenarios and rules.
type Extraction struct {
	Once           once.Runner
	Model          once.Budgeted
	BuiltIn        llm.Model // reads a text for which Model gave no usable answer
	MatchThreshold float64
	Log            *slog.Logger
}

// Loaded is the state of the source of an extraction.
type Loaded struct {
	once.NoEffect

	Outdated  bool `json:"outdated"`  // a newer save replaced this text
	Unchanged bool `json:"unchanged"` // the model has read this content before
}

// Proposed counts the proposed fields.
type Proposed struct {
	once.NoEffect

	Fields     int `json:"fields"`
	ModelCalls int `json:"model_calls"`
}

// Matched counts the matched fields.
type Matched struct {
	once.NoEffect

	Existing  int `json:"existing"`
	Suggested int `json:"suggested"`
}

// source is the scenario or rule that an extraction reads.
type source struct {
	hash    string
	known   string // hash of the definitions that persons saved or approved
	request llm.ProposeRequest
	ruleID  uuid.UUID // zero: the scenario itself
}

// match is one proposed field with its name in this agent.
type match struct {
	Field    vault.ProposedRequirement `json:"field"`
	Proposed string                    `json:"proposed"` // name that the model gave
	Existing bool                      `json:"existing"`
	Rejected bool                      `json:"rejected,omitempty"` // a person rejected the suggestion of this field
	Unproved bool                      `json:"unproved,omitempty"` // the text asks for a verification that the definition does not
	Near     bool                      `json:"near,omitempty"`     // matched by meaning
	Vector   []float32                 `json:"vector,omitempty"`   // embedding of a suggested definition
}

// matched is the data that MatchSchema keeps for PersistSchema.
type matched struct {
	Matches []match `json:"matches"`
	Warning string  `json:"warning,omitempty"` // reason for matching by name only
}

// errNotProposed reports a text that was saved after the model was asked. The next run asks again.
var errNotProposed = errors.New("the text of this extraction changed after the model was asked")

// LoadSchemaSource loads the scenario or rule, and decides whether a model call is needed.
func (s Extraction) LoadSchemaSource(ctx context.Context, ev vault.Event) (Loaded, error) {
	var out Loaded
	err := once.Prepare(ctx, s.Once, ev, func(q *dbgen.Queries, _ dbgen.Operation, in vault.ExtractSchemaInput) error {
		src, err := loadSource(ctx, q, ev.TenantID, in)
		if err != nil {
			return err
		}
		out.Outdated = in.ContentHash != "" && in.ContentHash != src.hash
		_, out.Unchanged, err = s.readBefore(ctx, q, ev.TenantID, in, src)
		return err
	})
	return out, err
}

// ProposeSchema asks the model once per content, and stores its answer.
func (s Extraction) ProposeSchema(ctx context.Context, ev vault.Event) (Proposed, error) {
	var out Proposed
	err := once.Prepare(ctx, s.Once, ev, func(q *dbgen.Queries, op dbgen.Operation, in vault.ExtractSchemaInput) error {
		src, err := loadSource(ctx, q, ev.TenantID, in)
		if err != nil || (in.ContentHash != "" && in.ContentHash != src.hash) {
			return err
		}
		fields, known, err := s.readBefore(ctx, q, ev.TenantID, in, src)
		if err != nil {
			return err
		}
		if known {
			out.Fields = len(fields)
			return nil
		}
		// Two extractions of the same content do not both ask the model.
		key := "propose:" + in.Subject() + ":" + src.hash
		return s.Once.WithHold(ctx, ev, key, func(ctx context.Context, hold once.Hold) error {
			if fields, known, err = s.readBefore(ctx, q, ev.TenantID, in, src); err != nil || known {
				out.Fields = len(fields)
				return err // another extraction asked meanwhile
			}
			row := dbgen.UpsertExtractionParams{
				TenantID: ev.TenantID, ScenarioID: in.ScenarioID, RuleID: src.ruleID, ContentHash: src.hash,
				KnownHash: src.known, OperationID: op.ID,
			}
			if fields, row.Model, row.Warning, err = s.propose(ctx, ev.TenantID, src.request); err != nil {
				return err
			}
			out = Proposed{Fields: len(fields), ModelCalls: 1}
			reader := s.Model.Model
			if row.Model == s.BuiltIn.Name() {
				reader = s.BuiltIn
			}
			return s.storeProposals(ctx, hold, row, fields, llm.ReadSentences(reader, src.request, fields))
		})
	})
	return out, err
}

// propose returns the model's proposals and the name of the model that made them. A model whose answer and its repair
// contain nothing usable would answer no better next time, so the built-in model reads the text then. A model that
// does not answer is an error: the step runs again.
func (s Extraction) propose(
	ctx context.Context, tenant uuid.UUID, req llm.ProposeRequest,
) (fields []vault.ProposedRequirement, model, warning string, err error) {
	var usage llm.Usage
	fields, err = s.Model.ProposeRequirements(llm.WithUsage(ctx, func(u llm.Usage) { usage = u }), tenant, req)
	if err == nil || usage.Outcome != llm.OutcomeMalformed {
		return fields, s.Model.Name(), usage.Drops.Warning(), err
	}
	warning = "the built-in model read the text, because the " + err.Error()
	fields, err = s.BuiltIn.ProposeRequirements(ctx, req)
	return fields, s.BuiltIn.Name(), warning, err
}

// storeProposals stores the model's answer, unless another run has taken over the work.
func (s Extraction) storeProposals(
	ctx context.Context, hold once.Hold, row dbgen.UpsertExtractionParams, fields []vault.ProposedRequirement,
	readings []vault.SentenceReading,
) error {
	var err error
	if row.Proposals, err = json.Marshal(fields); err != nil {
		return fmt.Errorf("encode the proposals: %w", err)
	}
	if row.Readings, err = json.Marshal(once.NonNil(readings)); err != nil {
		return fmt.Errorf("encode the readings: %w", err)
	}
	return s.Once.DB.InTx(ctx, row.TenantID, func(q *dbgen.Queries) error {
		if err := hold.Check(ctx, q); err != nil {
			return err
		}
		return q.UpsertExtraction(ctx, row)
	})
}

// MatchSchema matches each proposed field to a definition of the agent, first by name, then by meaning.
func (s Extraction) MatchSchema(ctx context.Context, ev vault.Event) (Matched, error) {
	var out Matched
	err := once.Prepare(ctx, s.Once, ev, func(q *dbgen.Queries, op dbgen.Operation, in vault.ExtractSchemaInput) error {
		src, err := loadSource(ctx, q, ev.TenantID, in)
		if err != nil {
			return err
		}
		fields, known, err := s.proposals(ctx, q, ev.TenantID, in, src)
		if err != nil {
			return err
		}
		if !known && (in.ContentHash == "" || in.ContentHash == src.hash) {
			return errNotProposed
		}
		matches, warning, err := s.match(ctx, q, ev, in.AgentID, fields)
		if err != nil {
			return err
		}
		for _, m := range matches {
			if m.Existing || m.Rejected {
				out.Existing++
			} else {
				out.Suggested++
			}
		}
		sealed, err := s.Once.Sealer.Seal(ctx, db.Owner{TenantID: ev.TenantID}, ev.OperationID, matched{matches, warning})
		if err != nil {
			return err
		}
		return q.SetOperationPrepared(ctx, dbgen.SetOperationPreparedParams{
			TenantID: ev.TenantID, ID: ev.OperationID, Prepared: sealed,
		})
	})
	return out, err
}

// PersistSchema replaces the rows of earlier extractions of the same source. It changes no row that a person saved or
// reviewed. For a field that the agent does not define it suggests a definition, which is disabled until a person
// approves it. At the limit of definitions it suggests none, and warns.
func (s Extraction) PersistSchema(ctx context.Context, ev vault.Event) (once.Applied[vault.ExtractResult], error) {
	return once.Apply(ctx, s.Once, ev, func(
		t *once.Touched, q *dbgen.Queries, op dbgen.Operation, in vault.ExtractSchemaInput,
	) (vault.ExtractResult, error) {
		// Lock the source: a save committed after the content check would otherwise be overtaken by this older extraction.
		if err := holdSource(ctx, q, ev.TenantID, in); err != nil {
			return vault.ExtractResult{}, err
		}
		src, err := loadSource(ctx, q, ev.TenantID, in)
		if err != nil {
			return vault.ExtractResult{}, err
		}
		if in.ContentHash != "" && in.ContentHash != src.hash {
			return vault.ExtractResult{Outcome: vault.ExtractOutdated}, nil
		}
		var found matched
		if len(op.Prepared) == 0 {
			return vault.ExtractResult{}, errors.New(
				"the proposals of this extraction are not matched yet; run MatchSchema first",
			)
		}
		if err := s.Once.Sealer.Open(ctx, ev.TenantID, ev.OperationID, op.Prepared, &found); err != nil {
			return vault.ExtractResult{}, err
		}
		asked, err := q.GetExtraction(ctx, dbgen.GetExtractionParams{
			TenantID: ev.TenantID, ScenarioID: in.ScenarioID, RuleID: src.ruleID,
		})
		if db.IsNotFound(err) || (err == nil && asked.ContentHash != src.hash) {
			return vault.ExtractResult{}, errNotProposed
		}
		if err != nil {
			return vault.ExtractResult{}, fmt.Errorf("read the proposals: %w", err)
		}
		out := vault.ExtractResult{Outcome: vault.ExtractUnchanged}
		if asked.OperationID == op.ID {
			out.Outcome, out.ModelCalls = vault.ExtractDone, 1
		}
		for _, warning := range []string{asked.Warning, found.Warning} {
			if warning != "" {
				out.Warnings = append(out.Warnings, warning)
			}
		}
		for i, m := range found.Matches {
			if m.Rejected {
				continue
			}
			if err := s.persistMatch(ctx, q, op, in, i, m, &out); err != nil {
				return out, err
			}
		}
		if err := s.storeReadings(ctx, q, asked, found.Matches); err != nil {
			return out, err
		}
		_, err = q.DeleteOutdatedRequirements(ctx, dbgen.DeleteOutdatedRequirementsParams{
			TenantID: ev.TenantID, ScenarioID: in.ScenarioID, RuleID: in.RuleID, OperationID: op.ID,
		})
		if err != nil {
			return out, err
		}
		// Always in this order and after the rows: two changes of a scenario could deadlock otherwise.
		if err := t.Definitions(ctx, q, ev.TenantID, in.AgentID); err != nil {
			return out, err
		}
		return out, t.Requirements(ctx, q, ev.TenantID, in.ScenarioID)
	})
}

func (s Extraction) persistMatch(
	ctx context.Context, q *dbgen.Queries, op dbgen.Operation, in vault.ExtractSchemaInput, order int, m match,
	out *vault.ExtractResult,
) error {
	f := m.Field
	if !m.Existing {
		others, err := q.CountOtherDefinitions(ctx, dbgen.CountOtherDefinitionsParams{
			TenantID: op.TenantID, AgentID: in.AgentID, Name: f.Name,
		})
		if err != nil {
			return err
		}
		if others >= vault.MaxDefinitions {
			out.Warnings = append(out.Warnings, fmt.Sprintf("%s is not required: the agent has %d definitions, suggested "+
				"ones included, and the limit is %d; delete those that it does not use, then extract again",
				f.Name, others, vault.MaxDefinitions))
			return nil
		}
	}
	review := vault.ReviewNone
	if f.Confidence < vault.ReviewThreshold {
		review = vault.ReviewPending
		out.NeedReview = append(out.NeedReview, f.Name)
	}
	_, err := q.UpsertExtractedRequirement(ctx, dbgen.UpsertExtractedRequirementParams{
		ID: once.NewID(), TenantID: op.TenantID, AgentID: in.AgentID, ScenarioID: in.ScenarioID, RuleID: in.RuleID,
		//nolint:gosec // few
		FieldName: f.Name, RequiredLevel: string(f.Level), FallbackAction: string(f.Fallback), CollectionOrder: int32(order),
		WhenCondition: f.WhenCondition,
		Confidence:    f.Confidence, NeedsHumanReview: review == vault.ReviewPending, ReviewState: string(review),
		Quote:       f.Quote,
		OperationID: op.ID, AcceptedAt: op.AcceptedAt,
	})
	if err != nil {
		return err
	}
	out.Requirements = append(out.Requirements, f.Name)
	if m.Unproved {
		out.Warnings = append(out.Warnings, f.Name+": the text asks for a verified value, but the definition accepts any; "+
			"save it with required_verification true")
	}
	if m.Existing {
		return nil
	}
	out.Suggested = append(out.Suggested, f.Name)
	return s.suggest(ctx, q, op, in.AgentID, m)
}

func (s Extraction) suggest(ctx context.Context, q *dbgen.Queries, op dbgen.Operation, agent uuid.UUID, m match) error {
	f := m.Field
	allowed := json.RawMessage("[]")
	if len(f.AllowedValues) > 0 {
		encoded, err := json.Marshal(f.AllowedValues)
		if err != nil {
			return fmt.Errorf("encode the allowed values of %s: %w", f.Name, err)
		}
		allowed = encoded
	}
	id, err := q.SuggestDefinition(ctx, dbgen.SuggestDefinitionParams{
		ID: once.NewID(), TenantID: op.TenantID, AgentID: agent, Name: f.Name, DisplayName: f.DisplayName,
		Description: f.Description,
		ValueType:   string(f.ValueType), ValidationRegex: f.ValidationRegex, AllowedValues: allowed,
		CollectionPrompt: f.CollectionPrompt, ExtractionExamples: once.NonNil(f.Examples),
		IsPii:                f.IsPII || propose.IsPersonal(f),
		RequiredVerification: f.Verified, OperationID: op.ID, AcceptedAt: op.AcceptedAt,
	})
	if db.IsNotFound(err) { // it exists already
		return nil
	}
	if err != nil || len(m.Vector) == 0 {
		return err
	}
	return storeMeaning(ctx, q, op.TenantID, id, s.Model.Name(), suggested(f), m.Vector)
}

// match finds the definition that means the same as each proposed field. A model that cannot embed leaves the names,
// with a warning.
func (s Extraction) match(
	ctx context.Context, q *dbgen.Queries, ev vault.Event, agent uuid.UUID, fields []vault.ProposedRequirement,
) (out []match, warning string, err error) {
	rows, err := q.ListDefinitions(ctx, ev.TenantID, agent)
	if err != nil {
		return nil, "", err
	}
	var unknown []int
	seen := map[string]bool{}
	for _, f := range fields {
		m := match{Field: f, Proposed: f.Name}
		for _, row := range rows {
			if row.Name == f.Name || (!m.Existing && rules.SameName(row.Name, f.Name)) {
				m.matches(row.Name, row)
			}
		}
		if seen[m.Field.Name] {
			continue
		}
		seen[m.Field.Name] = true
		if !m.Existing {
			unknown = append(unknown, len(out))
		}
		out = append(out, m)
	}
	if len(unknown) == 0 {
		return out, "", nil
	}
	// One call for the proposals and for the definitions that were saved since the last one.
	saved, err := s.unembedded(ctx, q, ev.TenantID, agent, rows)
	if err != nil {
		return nil, "", err
	}
	texts := make([]string, 0, len(unknown)+len(saved))
	for _, at := range unknown {
		texts = append(texts, suggested(out[at].Field).Meaning())
	}
	for _, row := range saved {
		texts = append(texts, meaningOf(row).Meaning())
	}
	vectors, err := s.Model.Embed(ctx, ev.TenantID, texts)
	if err != nil || len(vectors) != len(texts) {
		s.Log.WarnContext(ctx, "proposals_not_embedded", "operation_id", ev.OperationID, "error_code", vault.CodeOf(err))
		return out, embedWarning("the fields of the text were matched with the agent's definitions by name only", err), nil
	}
	return out, "", s.Once.DB.InTx(ctx, ev.TenantID, func(q *dbgen.Queries) error {
		for i, row := range saved {
			vector := vectors[len(unknown)+i]
			if err := storeMeaning(ctx, q, ev.TenantID, row.ID, s.Model.Name(), meaningOf(row), vector); err != nil {
				return err
			}
		}
		if err := q.EnableIterativeScan(ctx); err != nil {
			return err
		}
		for i, at := range unknown {
			near, err := s.nearest(ctx, q, ev.TenantID, agent, out[at].Field, vectors[i])
			switch {
			case err != nil:
				return err
			case near != nil && !seen[near.Name]:
				seen[near.Name] = true
				f := &out[at].Field
				out[at].Near = true
				for _, row := range rows {
					if row.Name == near.Name {
						out[at].matches(near.Name, row)
					}
				}
				f.Confidence = min(f.Confidence, near.Similarity) // a match by meaning is at most as certain as its similarity
			default:
				out[at].Vector = vectors[i]
			}
		}
		return nil
	})
}

// nearest returns the definition with the same meaning as a proposed field, nil if there is none. A definition with
// another type or a contrasting name is another field, however close.
func (s Extraction) nearest(
	ctx context.Context, q *dbgen.Queries, tenant, agent uuid.UUID, f vault.ProposedRequirement, vector []float32,
) (*dbgen.NearestDefinitionsRow, error) {
	rows, err := q.NearestDefinitions(ctx, dbgen.NearestDefinitionsParams{
		Embedding: pgvector.NewVector(vector), TenantID: tenant, AgentID: agent, Model: s.Model.Name(),
		MaxRows: maxNearestDefinitions,
	})
	for _, row := range rows {
		if row.Similarity >= s.MatchThreshold && f.ValueType.Compatible(vault.ValueType(row.ValueType)) &&
			!rules.Contrasting(f.Name, row.Name) {
			return &row, nil
		}
	}
	return nil, err
}

// maxNearestDefinitions limits the compared definitions: more distant ones are increasingly unlikely to match.
const maxNearestDefinitions = 5

// matches makes m a requirement of an existing definition.
func (m *match) matches(name string, row dbgen.Definition) {
	m.Field.Name, m.Existing = name, true
	m.Rejected = row.Origin == string(vault.OriginExtracted) && row.ReviewState == string(vault.ReviewRejected)
	m.Unproved = m.Field.Verified && !row.RequiredVerification
}

// storeReadings stores how the sentences were read, with the names and matches of the stored requirements.
func (s Extraction) storeReadings(
	ctx context.Context, q *dbgen.Queries, asked dbgen.SchemaExtraction, matches []match,
) error {
	var readings []vault.SentenceReading
	if err := json.Unmarshal(asked.Readings, &readings); err != nil {
		return fmt.Errorf("decode the readings of scenario %s: %w", asked.ScenarioID, err)
	}
	byName := map[string]match{}
	for _, m := range matches {
		byName[m.Proposed] = m
	}
	for i := range readings {
		r := &readings[i]
		var gave []vault.GivenRequirement
		for _, g := range r.Gave {
			m, ok := byName[g.FieldName]
			if ok && m.Rejected {
				r.PassedOver = append(r.PassedOver, vault.PassedOver{
					Text: g.Quote, Reason: "a person rejected the definition " + m.Field.Name,
				})
				continue
			}
			if ok && m.Field.Name != g.FieldName || m.Near {
				g.FieldName, g.Existing = m.Field.Name, true
				if m.Near {
					g.MatchedBy, g.Confidence = vault.MatchedByMeaning, min(g.Confidence, m.Field.Confidence)
				}
			}
			gave = append(gave, g)
		}
		r.Gave = gave
	}
	encoded, err := json.Marshal(once.NonNil(readings))
	if err != nil {
		return fmt.Errorf("encode the readings: %w", err)
	}
	return q.SetExtractionReadings(ctx, dbgen.SetExtractionReadingsParams{
		TenantID: asked.TenantID, ScenarioID: asked.ScenarioID, RuleID: asked.RuleID, ContentHash: asked.ContentHash,
		Readings: encoded,
	})
}

// readBefore returns the stored answer of the model for this content, if the model need not be asked again. The
// built-in model costs nothing and matches by the agent's definitions, so it reads the text again after a change of
// them.
func (s Extraction) readBefore(
	ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, in vault.ExtractSchemaInput, src source,
) ([]vault.ProposedRequirement, bool, error) {
	if s.Model.Name() == llm.ProviderOffline {
		row, err := q.GetExtraction(ctx, dbgen.GetExtractionParams{
			TenantID: tenant, ScenarioID: in.ScenarioID, RuleID: src.ruleID,
		})
		if err != nil && !db.IsNotFound(err) || err == nil && row.KnownHash != src.known {
			return nil, false, err
		}
	}
	return s.proposals(ctx, q, tenant, in, src)
}

// proposals returns the stored answer of the model for this content, if it was asked before.
func (s Extraction) proposals(
	ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, in vault.ExtractSchemaInput, src source,
) ([]vault.ProposedRequirement, bool, error) {
	row, err := q.GetExtraction(ctx, dbgen.GetExtractionParams{
		TenantID: tenant, ScenarioID: in.ScenarioID, RuleID: src.ruleID,
	})
	if db.IsNotFound(err) || (err == nil && row.ContentHash != src.hash) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	var fields []vault.ProposedRequirement
	if err := json.Unmarshal(row.Proposals, &fields); err != nil {
		return nil, false, fmt.Errorf("decode the proposals of scenario %s: %w", in.ScenarioID, err)
	}
	return fields, true, nil
}

func holdSource(ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, in vault.ExtractSchemaInput) error {
	if in.RuleID != nil {
		return q.ShareLockRule(ctx, tenant, *in.RuleID)
	}
	return q.ShareLockScenario(ctx, tenant, in.ScenarioID)
}

func loadSource(ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, in vault.ExtractSchemaInput) (source, error) {
	row, err := q.GetScenario(ctx, tenant, in.ScenarioID)
	if err != nil {
		return source{}, db.WrapNotFound(err, "scenario", in.ScenarioID)
	}
	if row.AgentID != in.AgentID {
		return source{}, vault.Invalid("agent_id", "scenario %s belongs to agent %s", in.ScenarioID, row.AgentID)
	}
	rows, err := q.ListDefinitions(ctx, tenant, row.AgentID)
	if err != nil {
		return source{}, err
	}
	var existing []vault.Definition
	var known []string
	for _, r := range rows {
		d, err := db.DefinitionOf(r)
		if err != nil {
			return source{}, err
		}
		existing = append(existing, d)
		if d.Origin == vault.OriginHuman || d.Review == vault.ReviewApproved {
			known = append(known, d.Meaning(), string(d.ValueType), string(r.AllowedValues))
		}
	}
	definitions := hashText(strings.Join(known, "\n"))
	if in.RuleID != nil {
		row, err := q.GetRule(ctx, tenant, *in.RuleID)
		if err != nil {
			return source{}, db.WrapNotFound(err, "rule", *in.RuleID)
		}
		rule, err := db.RuleOf(row)
		return source{
			hash: row.ContentHash, known: definitions, ruleID: rule.ID, request: ruleRequest(rule, existing),
		}, err
	}
	scenario, err := db.ScenarioOf(row)
	return source{hash: row.ContentHash, known: definitions, request: scenarioRequest(scenario, existing)}, err
}

func scenarioRequest(s vault.Scenario, existing []vault.Definition) llm.ProposeRequest {
	req := llm.ProposeRequest{Title: s.Name, Existing: existing}
	if s.Description != "" {
		req.Texts = append(req.Texts, llm.Text{Label: "description", Text: s.Description})
	}
	for _, step := range s.Steps {
		if step.Text != "" {
			req.Texts = append(req.Texts, llm.Text{Label: "step " + step.ID, Text: step.Text})
		}
		if step.Condition != "" {
			req.Texts = append(req.Texts, llm.Text{Label: "condition of step " + step.ID, Text: step.Condition, Condition: true})
		}
	}
	return req
}

func ruleRequest(r vault.Rule, existing []vault.Definition) llm.ProposeRequest {
	req := llm.ProposeRequest{Title: r.Name, Existing: existing}
	req.Texts = append(req.Texts, llm.Text{Label: "condition", Text: r.Condition, Condition: true})
	if r.Action != "" {
		req.Texts = append(req.Texts, llm.Text{Label: "action", Text: r.Action})
	}
	return req
}

func suggested(f vault.ProposedRequirement) vault.Definition {
	return vault.Definition{Name: f.Name, DisplayName: f.DisplayName, Description: f.Description}
}
