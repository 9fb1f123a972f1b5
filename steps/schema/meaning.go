package schema

import (
	"context"
	"crypto/sha256"
	"encoding/hex"

	"github.com/google/uuid"
	"github.com/pgvector/pgvector-go"

	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/vault"
)

// unembedded returns the definitions of rows without an embedding of their present meaning by this model.
func (s Extraction) unembedded(
	ctx context.Context, q *dbgen.Queries, tenant, agent uuid.UUID, rows []dbgen.Definition,
) ([]dbgen.Definition, error) {
	embedded, err := q.ListDefinitionEmbeddings(ctx, dbgen.ListDefinitionEmbeddingsParams{
		TenantID: tenant, AgentID: agent, Model: s.Model.Name(),
	})
	if err != nil {
		return nil, err
	}
	hashes := map[uuid.UUID]string{}
	for _, e := range embedded {
		hashes[e.DefinitionID] = e.ContentHash
	}
	var out []dbgen.Definition
	for _, row := range rows {
		if hashes[row.ID] != hashText(meaningOf(row).Meaning()) {
			out = append(out, row)
		}
	}
	return out, nil
}

// meaningOf returns the parts of a definition that have a meaning.
func meaningOf(row dbgen.Definition) vault.Definition {
	return vault.Definition{Name: row.Name, DisplayName: row.DisplayName, Description: row.Description}
}

// embedWarning returns a warning about missing embeddings: their consequence and their cause. err is nil if the model
// returned an unexpected number of vectors.
func embedWarning(consequence string, err error) string {
	if err == nil {
		return consequence + ": the language model returned no vector for each of them"
	}
	return consequence + ": " + err.Error()
}

func storeMeaning(
	ctx context.Context, q *dbgen.Queries, tenant, id uuid.UUID, model string, d vault.Definition, vector []float32,
) error {
	return q.UpsertDefinitionEmbedding(ctx, dbgen.UpsertDefinitionEmbeddingParams{
		DefinitionID: id, TenantID: tenant, Model: model, ContentHash: hashText(d.Meaning()),
		Embedding: pgvector.NewVector(vector),
	})
}

func hashText(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
