package app

import (
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/contextvault/contextvault/config"
	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/llm"
)

func newKey(t *testing.T) string {
	t.Helper()
	key, err := db.NewSealingKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// connectTo builds a Runtime from environment variables.
func connectTo(t *testing.T, url, sealingKey, redisURL string, environ ...string) (*Runtime, error) {
	t.Helper()
	cfg, err := config.Load("", slices.Concat(dbtest.Environ(url), []string{
		"REDIS_URL=" + redisURL, "VAULT_SEALING_KEY=" + sealingKey,
	}, environ))
	if err != nil {
		t.Fatal(err)
	}
	return Connect(t.Context(), cfg, nil, slog.New(slog.DiscardHandler))
}

// A bad configuration of the language model does not stop a process that never calls the model.
func TestConnect_BadModelConfiguration(t *testing.T) {
	t.Parallel()
	url, key := dbtest.URL(t), newKey(t)
	for name, c := range map[string]struct {
		environ []string
		want    string // "": a good configuration
	}{
		"no key for openai":   {[]string{"VAULT_LLM_PROVIDER=openai"}, "OPENAI_API_KEY"},
		"a key for openai":    {[]string{"VAULT_LLM_PROVIDER=openai", "OPENAI_API_KEY=sk-test"}, ""},
		"a server without it": {[]string{"VAULT_LLM_PROVIDER=openai", "OPENAI_BASE_URL=http://localhost:11434/v1"}, ""},
		"offline":             {nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := connectTo(t, url, key, "", c.environ...)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			if err := r.DB.Ping(t.Context()); err != nil {
				t.Error(err)
			}
			if c.want == "" {
				if r.ModelError != nil {
					t.Errorf("ModelError is %v", r.ModelError)
				}
				return
			}
			if r.ModelError == nil || !strings.Contains(r.ModelError.Error(), c.want) {
				t.Errorf("ModelError is %v, want %q", r.ModelError, c.want)
			}
		})
	}
}

// An unknown provider, which only a caller that bypasses config.Load can give, is a ModelError too.
func TestNewModel_UnknownProvider(t *testing.T) {
	t.Parallel()
	cfg, err := config.Load("", nil)
	if err != nil {
		t.Fatal(err)
	}
	cfg.LLM.Provider = "azure"
	if _, err := newModel(cfg.LLM, &llm.Counters{}, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "llm.provider") {
		t.Errorf("got %v", err)
	}
}

func TestConnect_MissingDependencies(t *testing.T) {
	t.Parallel()
	url, key, redisURL := dbtest.URL(t), newKey(t), os.Getenv("REDIS_URL")
	for name, c := range map[string]struct{ url, key, redisURL, want string }{
		"no database":           {"", key, redisURL, "database.url: is not set"},
		"no sealing key":        {url, "", redisURL, "sealing_key: is not set"},
		"no such server":        {"postgres://vault@127.0.0.1:1/vault", key, redisURL, "open database"},
		"no Redis is all right": {url, key, "redis://127.0.0.1:1", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := connectTo(t, c.url, c.key, c.redisURL)
			if err == nil {
				r.Close()
			}
			if c.want == "" {
				if err != nil {
					t.Errorf("it was refused: %v", err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("it was refused with %v, want %q", err, c.want)
			}
		})
	}
}

func TestNewEngine_HidesToken(t *testing.T) {
	t.Parallel()
	cfg, err := config.Load("", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewEngine(cfg); err == nil || !strings.Contains(err.Error(), "HATCHET_CLIENT_TOKEN") {
		t.Errorf("without a token it says %v", err)
	}
	cfg.Jobs.Hatchet.Token = "not-a-token-at-all"
	if _, err := NewEngine(cfg); err == nil || !strings.Contains(err.Error(), "HATCHET_CLIENT_TOKEN is no client token") || strings.Contains(err.Error(), "not-a-token-at-all") {
		t.Errorf("with a wrong token it says %v", err)
	}
}
