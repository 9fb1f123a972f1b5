package cache

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/contextvault/contextvault/vault"
)

func openCache(t *testing.T, url string) *Cache {
	t.Helper()
	c, err := New(Options{Enabled: true, URL: url, Logger: slog.New(slog.DiscardHandler), OpTimeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// A cluster and a sentinel are refused with the reason; a standalone server, and one that is down, are not.
func TestCheckServer_Modes(t *testing.T) {
	t.Parallel()
	sentinel := filepath.Join(t.TempDir(), "sentinel.conf")
	if err := os.WriteFile(sentinel, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"standalone": {nil, ""},
		"cluster":    {[]string{"--cluster-enabled", "yes"}, "Redis Cluster"},
	} {
		err := openCache(t, startServer(t, c.args...).URL).CheckServer(t.Context())
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s := newServer(t)
	s.args = append([]string{sentinel, "--sentinel"}, "--port", strings.Split(strings.TrimSuffix(s.URL, "/0"), ":")[2])
	s.start()
	if err := openCache(t, s.URL).CheckServer(t.Context()); vault.CodeOf(err) != vault.CodeInvalid ||
		!strings.Contains(err.Error(), "Redis Sentinel") {
		t.Errorf("sentinel: %v", err)
	}
	if err := openCache(t, "redis://127.0.0.1:1/0").CheckServer(t.Context()); err != nil {
		t.Errorf("a server that is down: %v", err)
	}
}
