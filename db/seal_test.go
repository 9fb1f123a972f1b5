package db_test

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/contextvault/contextvault/db"
)

func sealer(t *testing.T, key string) *db.Sealer {
	t.Helper()
	s, err := db.NewSealer(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newKey(t *testing.T) string {
	t.Helper()
	key, err := db.NewSealingKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestSealer_OpensOnlySameOperation(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	s := sealer(t, key)
	tenant, op := newID(), newID()
	sealed, err := s.Seal(t.Context(), db.Owner{TenantID: tenant}, op, map[string]string{"value": "secret"})
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(sealed, []byte("secret")) {
		t.Error("it is not sealed")
	}
	again, err := s.Seal(t.Context(), db.Owner{TenantID: tenant}, op, map[string]string{"value": "secret"})
	if err != nil || bytes.Equal(sealed, again) {
		t.Errorf("sealing the same twice gives the same, which tells that it is the same (%v)", err)
	}
	var out map[string]string
	if err := sealer(t, key).Open(t.Context(), tenant, op, sealed, &out); err != nil || out["value"] != "secret" {
		t.Errorf("in another process with the same key: got %v, %v", out, err)
	}
	altered := bytes.Clone(sealed)
	altered[len(altered)-1] ^= 1
	for name, open := range map[string]func() ([]byte, error){
		"in the row of another operation": func() ([]byte, error) { return s.OpenBytes(t.Context(), tenant, newID(), sealed) },
		"in the row of another tenant":    func() ([]byte, error) { return s.OpenBytes(t.Context(), newID(), op, sealed) },
		"with the ids the other way":      func() ([]byte, error) { return s.OpenBytes(t.Context(), op, tenant, sealed) },
		"altered":                         func() ([]byte, error) { return s.OpenBytes(t.Context(), tenant, op, altered) },
		"cut":                             func() ([]byte, error) { return s.OpenBytes(t.Context(), tenant, op, sealed[:10]) },
		"empty":                           func() ([]byte, error) { return s.OpenBytes(t.Context(), tenant, op, nil) },
		"with another key":                func() ([]byte, error) { return sealer(t, newKey(t)).OpenBytes(t.Context(), tenant, op, sealed) },
	} {
		plain, err := open()
		if err == nil || plain != nil || !strings.Contains(err.Error(), "it was sealed with another key, or altered") {
			t.Errorf("%s: got %q, %v", name, plain, err)
		}
	}
	var wrong []int
	if err := s.Open(t.Context(), tenant, op, sealed, &wrong); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("into the wrong type: got %v, want an error without the payload", err)
	}
}

// TestSealingKey_Rotation goes through a rotation as an operator does: at each step processes with the key from before
// and with the new one are there side by side.
func TestSealingKey_Rotation(t *testing.T) {
	t.Parallel()
	rotated := func(key string, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	first := newKey(t)
	added := rotated(db.AddSealingKey(first))
	promoted := rotated(db.PromoteSealingKey(added))
	pruned := rotated(db.PruneSealingKey(promoted))
	tenant, op := newID(), newID()
	opens := func(sealedBy, openedBy string) bool {
		t.Helper()
		sealed, err := sealer(t, sealedBy).Seal(t.Context(), db.Owner{TenantID: tenant}, op, "kept")
		if err != nil {
			t.Fatal(err)
		}
		plain, err := sealer(t, openedBy).OpenBytes(t.Context(), tenant, op, sealed)
		return err == nil && string(plain) == `"kept"`
	}
	for _, side := range []struct {
		what     string
		a, b     string
		bothWays bool
	}{
		{"the new key is added", first, added, true},
		{"it is promoted", added, promoted, true},
		{"the old one is taken away", promoted, pruned, true},
		{"a step is left out", first, promoted, false},
		{"all is over", first, pruned, false},
	} {
		if got := opens(side.a, side.b) && opens(side.b, side.a); got != side.bothWays {
			t.Errorf("%s: each opens what the other sealed: %t, want %t", side.what, got, side.bothWays)
		}
	}
	if !opens(first, promoted) {
		t.Error("what was sealed before the rotation does not open")
	}
	if _, err := db.AddSealingKey("no key"); err == nil || strings.Contains(err.Error(), "no key") {
		t.Errorf("what is no key: %v", err)
	}
}

func TestNewSealer_BadKeyIsNotQuoted(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"", "not base64!", "c2VjcmV0", base64.StdEncoding.EncodeToString([]byte("a secret that is no keyset")), newKey(t)[:40]} {
		s, err := db.NewSealer(key)
		if err == nil || s != nil || !strings.Contains(err.Error(), "VAULT_SEALING_KEY") || !strings.Contains(err.Error(), "vault sealing-key") {
			t.Errorf("%q: got %v", key, err)
		}
		if err != nil && len(key) > 8 && strings.Contains(err.Error(), key[:8]) {
			t.Errorf("the error quotes the key: %v", err)
		}
	}
}
