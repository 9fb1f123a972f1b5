package llm

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/contextvault/contextvault/vault"
)

const aKey = "sk-test-0123456789abcdef"

func TestConfig_ReportsAllProblems(t *testing.T) {
	_, err := Config{
		Provider:   "oracle",
		BaseURL:    "ftp://" + aKey + "@x",
		Timeout:    -1,
		MaxRetries: 11,
		APIKey:     aKey,
	}.Resolve()
	if vault.CodeOf(err) != vault.CodeInvalid {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{"llm.provider", "llm.base_url", "llm.timeout", "llm.max_retries"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not name %s: %v", want, err)
		}
	}
	if text := fmt.Sprintf("%v %+v %#v", err, err, err); strings.Contains(text, aKey) {
		t.Errorf("the error contains the key: %s", text)
	}
}

func TestConfig_HidesKey(t *testing.T) {
	cfg := Config{APIKey: aKey}
	var logged strings.Builder
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("llm", "config", cfg)
	slog.New(slog.NewTextHandler(&logged, nil)).Info("llm", "config", cfg)
	for _, text := range []string{fmt.Sprint(cfg), fmt.Sprintf("%+v %#v", cfg, &cfg), logged.String()} {
		if strings.Contains(text, aKey) {
			t.Errorf("%s", text)
		}
	}
}
