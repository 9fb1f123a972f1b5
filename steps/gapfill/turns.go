package gapfill

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/pgvector/pgvector-go"

	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/vault"
)

// DefaultConversationBytes is about 15,000 tokens: it fits every model's context and costs little. Most conversations
// are a tenth of it.
const DefaultConversationBytes = 60_000

// lastTurns is the number of final turns that are read first: they correct earlier statements and answer recent
// questions.
const lastTurns = 20

// turnBudgetDivisor: a turn is cut to this fraction of the budget (a quarter), so that one pasted text leaves room for
// others.
const turnBudgetDivisor = 4 // one quarter

// budgetTurns returns the turns for the model to read. If the conversation exceeds the budget, these are the last turns
// and the exchanges closest in meaning to the fields; without embeddings, only the last turns.
func (s Gaps) budgetTurns(
	ctx context.Context, q *dbgen.Queries, st *gapState, fields []vault.Definition,
) (turns []vault.Turn, warning string) {
	budget := s.Settings.ConversationBytes
	if budget == 0 {
		budget = DefaultConversationBytes
	}
	all := st.session.Turns
	if bytesOf(all) <= budget {
		return all, ""
	}
	closest, err := s.closestTurns(ctx, q, st, fields)
	if err != nil {
		s.Log.WarnContext(ctx, "turns_not_embedded", "operation_id", st.op.ID, "error_code", vault.CodeOf(err))
		warning = "the conversation is long and only its end was read: " + err.Error()
	}
	return chooseTurns(all, closest, budget), warning
}

// closestTurns returns the indexes of customer turns, ordered by similarity to the closest field. It computes and
// stores missing embeddings.
func (s Gaps) closestTurns(
	ctx context.Context, q *dbgen.Queries, st *gapState, fields []vault.Definition,
) ([]int, error) {
	tenant, session := st.op.TenantID, st.session.ID
	stored := st.session.Turns[:len(st.session.Turns)-st.unsaved]
	if err := s.embedTurns(ctx, q, tenant, session, stored); err != nil {
		return nil, err
	}
	texts := make([]string, len(fields))
	for i, d := range fields {
		texts[i] = d.Meaning() + " / " + d.Prompt()
	}
	vectors, err := s.Model.Embed(ctx, tenant, texts)
	if err != nil {
		return nil, err
	}
	rows, err := q.NearestTurns(ctx, dbgen.NearestTurnsParams{
		TenantID: tenant, SessionID: session, Model: s.Model.Name(), Wanted: vectorTexts(vectors), MaxRows: maxNearestTurns,
	})
	closest := make([]int, len(rows))
	for i, turn := range rows {
		closest[i] = int(turn)
	}
	return closest, err
}

// maxNearestTurns limits the ranked turns. It is far more than a budget holds.
const maxNearestTurns = 2000

func (s Gaps) embedTurns(ctx context.Context, q *dbgen.Queries, tenant, session uuid.UUID, turns []vault.Turn) error {
	known, err := q.ListEmbeddedTurns(ctx, dbgen.ListEmbeddedTurnsParams{
		TenantID: tenant, SessionID: session, Model: s.Model.Name(),
	})
	if err != nil {
		return err
	}
	var indexes []int32
	var texts []string
	for at, turn := range turns {
		text := exchange(turns, at)
		if text != "" && !slices.Contains(known, int32(turn.Index)) { //nolint:gosec // an integer column
			indexes, texts = append(indexes, int32(turn.Index)), append(texts, text) //nolint:gosec // as above
		}
	}
	for len(texts) > 0 {
		n := min(len(texts), embedBatch)
		vectors, err := s.Model.Embed(ctx, tenant, texts[:n])
		if err != nil {
			return err
		}
		err = q.StoreTurnEmbeddings(ctx, dbgen.StoreTurnEmbeddingsParams{
			TenantID: tenant, SessionID: session, Model: s.Model.Name(), Turns: indexes[:n], Embeddings: vectorTexts(vectors),
		})
		if err != nil {
			return err
		}
		indexes, texts = indexes[n:], texts[n:]
	}
	return nil
}

// embedBatch is the number of turns embedded in one model call. Each batch is stored, so that a retry after a time-out
// or a model failure does not pay for the stored turns again.
const embedBatch = 100

// exchange returns the text to embed for a customer's turn. It includes the preceding agent turn, because an answer
// such as "the third of March" has little meaning of its own. It is empty for other speakers and for turns without
// words.
func exchange(turns []vault.Turn, at int) string {
	turn := turns[at]
	if turn.Speaker != vault.SpeakerCustomer || !hasWords(turn.Text) {
		return ""
	}
	text := cutText(turn.Text, maxEmbedded)
	if at > 0 && turns[at-1].Speaker == vault.SpeakerAgent {
		text = cutText(turns[at-1].Text, maxEmbedded) + " / " + text
	}
	return text
}

// maxEmbedded is the number of bytes of a turn that are embedded. The topic of a turn is usually at its beginning.
const maxEmbedded = 2000

// chooseTurns selects turns within a budget of bytes: first the last turns, up to half of the budget, then the closest
// turns, each with the preceding agent turn. It returns them in the order of the conversation.
func chooseTurns(turns []vault.Turn, closest []int, budget int) []vault.Turn {
	place := make(map[int]int, len(turns)) // position by turn index
	for at, turn := range turns {
		place[turn.Index] = at
	}
	taken := make(map[int]string, len(turns))
	left := budget
	take := func(limit int, at ...int) bool {
		size := 0
		for _, i := range at {
			if _, ok := taken[i]; !ok {
				size += min(len(turns[i].Text), budget/turnBudgetDivisor)
			}
		}
		if size > limit {
			return false
		}
		for _, i := range at {
			taken[i] = cutText(turns[i].Text, budget/turnBudgetDivisor)
		}
		left -= size
		return true
	}
	for at := len(turns) - 1; at >= 0 && len(turns)-at <= lastTurns; at-- {
		if !take(left-budget/2, at) {
			break
		}
	}
	for _, index := range closest {
		at, ok := place[index]
		if !ok {
			continue
		}
		if at > 0 && turns[at-1].Speaker == vault.SpeakerAgent && take(left, at-1, at) {
			continue
		}
		take(left, at)
	}
	for at := len(turns) - 1; at >= 0; at-- { // fill the remaining budget with recent turns
		if !take(left, at) {
			break
		}
	}
	var out []vault.Turn
	for at, turn := range turns {
		if text, ok := taken[at]; ok {
			turn.Text = text
			out = append(out, turn)
		}
	}
	return out
}

func bytesOf(turns []vault.Turn) int {
	size := 0
	for _, turn := range turns {
		size += len(turn.Text)
	}
	return size
}

func vectorTexts(vectors [][]float32) []string {
	out := make([]string, len(vectors))
	for i, v := range vectors {
		out[i] = pgvector.NewVector(v).String()
	}
	return out
}

// cutText cuts a text to a limit in bytes, at a character boundary.
func cutText(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit]
}

func hasWords(text string) bool { return strings.TrimSpace(text) != "" }
