package provider

import (
	"testing"

	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/vault"
)

func TestNew_ProviderFollowsKey(t *testing.T) {
	for key, want := range map[string]string{"": llm.ProviderOffline, "sk-test": llm.DefaultEmbeddingModel} {
		m, err := New(llm.Config{APIKey: key})
		if err != nil || m.Name() != want {
			t.Errorf("got %v, %v", m, err)
		}
	}
}

func TestEmbed_EmptyTextIsRejected(t *testing.T) {
	for _, cfg := range []llm.Config{{}, {APIKey: "sk-test"}} {
		m, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Embed(t.Context(), []string{"a", " "}); !vault.Permanent(err) {
			t.Errorf("%s: got %v", m.Name(), err)
		}
	}
}
