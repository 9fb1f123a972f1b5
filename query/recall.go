package query

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/internal/agents"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

// Turns are sealed, so PostgreSQL cannot search their words. A recall opens the newest turns of its customer, within
// limits, and ranks them in memory; their embeddings, which are not sealed, are ranked by pgvector. Both rankings are
// fused. It reads the sessions of one customer and of those merged with it, and of nobody else.

const (
	// maxRecallTurns and maxRecallBytes bound the turns that a recall opens.
	maxRecallTurns = 2_000
	maxRecallBytes = 4 << 20
	// maxNearest is the number of turns that are ranked by their meaning.
	maxNearest = 50
	// maxSaidValues bounds the versions whose turns can be hidden. Beyond it a recall has no quotes.
	maxSaidValues = 5_000
	// leastHidden is the length, in characters, from which on a text that may not be shown hides the turns with it. A
	// shorter one, such as "7", is in many turns; its own turn is hidden by its source.
	leastHidden = 3
)

// Embedder makes vectors of texts. A process without one recalls by words.
type Embedder interface {
	// Name is the name of the model under which the embeddings of turns are stored.
	Name() string
	Embed(ctx context.Context, tenant uuid.UUID, texts []string) ([][]float32, error)
}

// Embeds makes recalls compare by meaning.
func Embeds(e Embedder) Option { return func(q *Queries) { q.embedder = e } }

// recalled is a turn or a fact, with the text by which it is ranked.
type recalled struct {
	result vault.RecallResult
	text   string
}

// turnID identifies a turn.
type turnID struct {
	session uuid.UUID
	index   int
}

// Recall returns the facts and quotes of a customer that are closest to a question.
func (q *Queries) Recall(
	ctx context.Context, tenant, customer uuid.UUID, in vault.RecallInput,
) (vault.Recalled, error) {
	out := vault.Recalled{Results: []vault.RecallResult{}}
	if strings.TrimSpace(in.Question) == "" {
		return out, vault.Invalid("question", "is empty; ask a question in words")
	}
	limit := cmp.Or(in.Limit, vault.DefaultRecall)
	profile, err := q.openProfile(ctx, tenant, customer)
	if err != nil {
		return out, err
	}
	g, err := q.guard(ctx, tenant)
	if err != nil {
		return out, err
	}
	customers, err := db.MergedCustomers(ctx, q.db.Tenant(tenant), tenant, customer)
	if err != nil {
		return out, err
	}
	facts, err := q.recallFacts(ctx, g, profile)
	if err != nil {
		return out, err
	}
	turns, complete, err := q.recallTurns(ctx, g, tenant, profile, customers)
	if err != nil {
		return out, err
	}
	all := slices.Concat(facts, turns)
	nearest, meaning := q.nearest(ctx, tenant, customers, in.Question, all)
	texts := make([]string, len(all))
	for i, r := range all {
		texts[i] = r.text
	}
	scores := rules.Fuse(rules.RankByWords(in.Question, texts), nearest)
	found := make([]int, 0, len(scores))
	for i := range scores {
		found = append(found, i)
	}
	slices.SortFunc(found, func(a, b int) int {
		return cmp.Or(cmp.Compare(scores[b], scores[a]), cmp.Compare(a, b)) // facts first, then the newest
	})
	for _, i := range found[:min(len(found), limit)] {
		r := all[i].result
		r.Score = scores[i]
		if r.Kind == vault.RecallFact {
			v := profile.Fields[r.Name]
			if _, err := g.value(ctx, profile.CustomerID, &v); err != nil {
				return out, err
			}
			r.Value = v.Value
		} else {
			g.note(profile.CustomerID, vault.AuditedTurns)
		}
		out.Results = append(out.Results, r)
	}
	out.Complete, out.Meaning, out.Withheld = complete, meaning, Withheld(ctx)
	return out, nil
}

// recallFacts returns the active values that the reader may see. One that is masked is ranked by its name alone: the
// ranking would tell its value.
func (q *Queries) recallFacts(ctx context.Context, g *guard, p vault.Profile) ([]recalled, error) {
	var out []recalled
	names := make([]string, 0, len(p.Fields))
	for name := range p.Fields {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if g.foreign(name) {
			continue
		}
		hidden, err := g.withholds(ctx, p.CustomerID, name)
		if err != nil {
			return nil, err
		}
		if hidden {
			continue
		}
		v := p.Fields[name]
		r := recalled{text: vault.DisplayName(name), result: vault.RecallResult{
			Kind: vault.RecallFact, ItemID: &v.ID, Name: name, Source: v.Source, Confidence: v.Confidence, Verified: v.Verified,
			SessionID: v.SourceSessionID, At: v.CollectedAt,
		}}
		if !g.masks(name) {
			r.text += " " + rules.TextOf(v.Value)
			r.result.Turn = TurnOf(v.SourceMetadata)
		}
		out = append(out, r)
	}
	return out, nil
}

// TurnOf returns the index of the turn that the metadata of a value names, nil if it names none.
func TurnOf(metadata json.RawMessage) *int {
	var said struct {
		Turn any `json:"turn"`
	}
	if json.Unmarshal(metadata, &said) != nil {
		return nil
	}
	switch turn := said.Turn.(type) {
	case float64:
		n := int(turn)
		return &n
	case string:
		if n, err := strconv.Atoi(turn); err == nil {
			return &n
		}
	}
	return nil
}

// recallTurns returns the turns of customers, the newest first, without those that say what may not be shown. complete
// is false if there are more turns than it reads.
func (q *Queries) recallTurns(
	ctx context.Context, g *guard, tenant uuid.UUID, p vault.Profile, customers []uuid.UUID,
) (out []recalled, complete bool, err error) {
	if g != nil && g.reader.access.Masked { // what a turn says is personal
		return nil, false, nil
	}
	hidden, err := q.hiddenTurns(ctx, g, tenant, p.CustomerID, true)
	if err != nil || hidden == nil {
		return nil, false, err
	}
	rows, err := q.db.Tenant(tenant).ListCustomerTurns(ctx, dbgen.ListCustomerTurnsParams{
		TenantID: tenant, Customers: customers, MaxRows: maxRecallTurns + 1,
	})
	if err != nil {
		return nil, false, err
	}
	if err := q.sealer.Prepare(ctx, tenant, customers, false); err != nil {
		return nil, false, err
	}
	foreign, err := q.foreignSessions(ctx, tenant, rows)
	if err != nil {
		return nil, false, err
	}
	complete = len(rows) <= maxRecallTurns
	bytes := 0
	for _, row := range rows[:min(len(rows), maxRecallTurns)] {
		if foreign[row.SessionID] != "" {
			continue
		}
		if bytes += len(row.Text); bytes > maxRecallBytes {
			return out, false, nil
		}
		text, err := q.sealer.OpenTurn(ctx, tenant, row.SessionID, row.Text)
		if err != nil {
			return nil, false, err
		}
		session, index := row.SessionID, int(row.TurnIndex)
		if hidden.has(turnID{session, index}, text) {
			continue
		}
		out = append(out, recalled{text: text, result: vault.RecallResult{
			Kind: vault.RecallQuote, Text: text, Speaker: vault.Speaker(row.Speaker), SessionID: &session, Turn: &index,
			At: row.SaidAt,
		}})
	}
	return out, complete, nil
}

// foreignSessions returns the sessions of turns that belong to agents that the reader may not use.
func (q *Queries) foreignSessions(
	ctx context.Context, tenant uuid.UUID, rows []dbgen.ListCustomerTurnsRow,
) (map[uuid.UUID]string, error) {
	var ids []uuid.UUID
	for _, row := range rows {
		if !slices.Contains(ids, row.SessionID) {
			ids = append(ids, row.SessionID)
		}
	}
	return agents.Foreign(ctx, q.db.Tenant(tenant), tenant, ids)
}

// hiddenTurns are the turns that are not shown: those from which a value was read that the reader may not see, and
// those that contain such a value. To a recall, a value that was deleted since is one of these.
type hiddenTurns struct {
	turns map[turnID]bool
	texts []string // in lower case
}

func (h hiddenTurns) has(id turnID, text string) bool {
	if h.turns[id] {
		return true
	}
	text = strings.ToLower(text)
	return slices.ContainsFunc(h.texts, func(hidden string) bool { return strings.Contains(text, hidden) })
}

// hiddenTurns returns what may not be shown of the turns of a customer, nil if there are too many values to tell. With
// deleted, that includes what was deleted.
func (q *Queries) hiddenTurns(
	ctx context.Context, g *guard, tenant, customer uuid.UUID, deleted bool,
) (*hiddenTurns, error) {
	rows, err := q.db.Tenant(tenant).ListSaidValues(ctx, dbgen.ListSaidValuesParams{
		TenantID: tenant, CustomerID: customer, MaxRows: maxSaidValues + 1,
	})
	if err != nil || len(rows) > maxSaidValues {
		return nil, err
	}
	values := make([]vault.Value, len(rows))
	for i, r := range rows {
		values[i] = vault.Value{ID: r.ID, Name: r.Name, Value: r.Value, Encrypted: r.Encrypted}
		values[i].SourceMetadata = r.SourceMetadata
	}
	if err := q.sealer.OpenValues(ctx, tenant, values); err != nil {
		return nil, err
	}
	out, shown := &hiddenTurns{turns: map[turnID]bool{}}, map[string]bool{}
	hides := make([]bool, len(rows))
	for i, r := range rows {
		withheld, err := g.withholds(ctx, customer, r.Name)
		if err != nil {
			return nil, err
		}
		if hides[i] = r.Deleted && deleted || withheld || g.masks(r.Name); !hides[i] {
			shown[strings.ToLower(rules.TextOf(values[i].Value))] = true
		}
	}
	for i, r := range rows {
		if !hides[i] {
			continue
		}
		if turn := TurnOf(values[i].SourceMetadata); turn != nil && r.SourceSessionID != nil {
			out.turns[turnID{*r.SourceSessionID, *turn}] = true
		}
		text := strings.ToLower(strings.TrimSpace(rules.TextOf(values[i].Value)))
		if utf8.RuneCountInString(text) >= leastHidden && !shown[text] && !slices.Contains(out.texts, text) {
			out.texts = append(out.texts, text)
		}
	}
	return out, nil
}

// nearest returns the indexes of the turns that are closest in meaning to a question, the closest first, and of the
// facts that were read from them. ok is false if the question could not be embedded.
func (q *Queries) nearest(
	ctx context.Context, tenant uuid.UUID, customers []uuid.UUID, question string, all []recalled,
) (ranked []int, ok bool) {
	if q.embedder == nil {
		return nil, false
	}
	vectors, err := q.embedder.Embed(ctx, tenant, []string{question})
	if err != nil || len(vectors) != 1 {
		return nil, false // a failing model does not fail a read
	}
	rows, err := q.db.Tenant(tenant).NearestCustomerTurns(ctx, dbgen.NearestCustomerTurnsParams{
		TenantID: tenant, Customers: customers, Model: q.embedder.Name(), Wanted: vectorText(vectors[0]), MaxRows: maxNearest,
	})
	if err != nil {
		return nil, false
	}
	at := map[turnID][]int{}
	for i, r := range all {
		if r.result.SessionID != nil && r.result.Turn != nil {
			id := turnID{*r.result.SessionID, *r.result.Turn}
			at[id] = append(at[id], i)
		}
	}
	for _, r := range rows {
		ranked = append(ranked, at[turnID{r.SessionID, int(r.TurnIndex)}]...)
	}
	return ranked, true
}

// vectorText is the text form of pgvector.
func vectorText(vector []float32) string {
	parts := make([]string, len(vector))
	for i, x := range vector {
		parts[i] = strconv.FormatFloat(float64(x), 'g', -1, 32)
	}
	return "[" + strings.Join(parts, ",") + "]"
}
