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

// DefaultConversationBytes is how much of a conversation a model reads at once: some 15,000 tokens, which every model takes, and
// which costs little. Most conversations are a tenth of it.
const DefaultConversationBytes = 60_000

// lastTurns are always read: what was said last corrects what was said before, and answers what was just asked.
const lastTurns = 20

// turnBudgetDivisor is the part of the budget from which a turn is cut: one that was pasted in must not crowd out the conversation.
const turnBudgetDivisor = 4 // a quarter

// budgetTurns gives the turns that a model reads. Where the conversation is longer than the budget, those are the last ones, and
// then the exchanges closest in meaning to the fields; without a model that can say which, the last ones alone.
func (s Gaps) budgetTurns(ctx context.Context, q *dbgen.Queries, st *gapState, fields []vault.Definition) (turns []vault.Turn, warning string) {
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
		warning = "the conversation is long, and only its end was read: " + err.Error()
	}
	return chooseTurns(all, closest, budget), warning
}

// closestTurns gives the indexes of customer turns, the closest in meaning to one of the fields first. It computes the meanings
// that are not there yet, and keeps them.
func (s Gaps) closestTurns(ctx context.Context, q *dbgen.Queries, st *gapState, fields []vault.Definition) ([]int, error) {
	tenant, session := st.op.TenantID, st.session.ID
	if err := s.embedTurns(ctx, q, tenant, session, st.session.Turns); err != nil {
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
		TenantID: tenant, SessionID: session, Model: s.Model.Name(), Wanted: vectorTexts(vectors), Most: maxNearestTurns,
	})
	closest := make([]int, len(rows))
	for i, turn := range rows {
		closest[i] = int(turn)
	}
	return closest, err
}

// maxNearestTurns bounds what is ranked: far more turns than a budget holds.
const maxNearestTurns = 2000

func (s Gaps) embedTurns(ctx context.Context, q *dbgen.Queries, tenant, session uuid.UUID, turns []vault.Turn) error {
	known, err := q.ListEmbeddedTurns(ctx, dbgen.ListEmbeddedTurnsParams{TenantID: tenant, SessionID: session, Model: s.Model.Name()})
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

// embedBatch is how many turns are embedded in one operation. What is done is kept, so that a conversation which takes longer than
// one operation may, or than the model is up, is not paid for again from its start.
const embedBatch = 100

// exchange is what is embedded of a customer's turn: with the agent's turn before it, since "the third of March" alone is close to
// nothing. It is empty for what is no customer's turn, or has no words.
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

// maxEmbedded is how much of a turn is embedded: what it is about is said before.
const maxEmbedded = 2000

// chooseTurns takes turns within a budget of bytes: the last ones first, with half of the budget at most, then the closest ones,
// each with the agent's turn before it. They come in the order of the conversation.
func chooseTurns(turns []vault.Turn, closest []int, budget int) []vault.Turn {
	place := make(map[int]int, len(turns)) // of a turn's index
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
	for at := len(turns) - 1; at >= 0; at-- { // what room is left is for what was said lately
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

// cutText cuts a text to a number of bytes, between two characters.
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
