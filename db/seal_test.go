package db_test

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/tink-crypto/tink-go/aead"
	"github.com/tink-crypto/tink-go/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/keyset"

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

func TestAPayloadOpensOnlyWhereItWasSealed(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	s := sealer(t, key)
	tenant, intent := newID(), newID()
	sealed, err := s.Seal(tenant, intent, map[string]string{"value": "secret"})
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(sealed, []byte("secret")) {
		t.Error("it is not sealed")
	}
	again, err := s.Seal(tenant, intent, map[string]string{"value": "secret"})
	if err != nil || bytes.Equal(sealed, again) {
		t.Errorf("sealing the same twice gives the same, which tells that it is the same (%v)", err)
	}
	var out map[string]string
	if err := sealer(t, key).Open(tenant, intent, sealed, &out); err != nil || out["value"] != "secret" {
		t.Errorf("in another process with the same key: got %v, %v", out, err)
	}
	altered := bytes.Clone(sealed)
	altered[len(altered)-1] ^= 1
	for name, open := range map[string]func() ([]byte, error){
		"in the row of another operation": func() ([]byte, error) { return s.OpenBytes(tenant, newID(), sealed) },
		"in the row of another tenant":    func() ([]byte, error) { return s.OpenBytes(newID(), intent, sealed) },
		"with the ids the other way":      func() ([]byte, error) { return s.OpenBytes(intent, tenant, sealed) },
		"altered":                         func() ([]byte, error) { return s.OpenBytes(tenant, intent, altered) },
		"cut":                             func() ([]byte, error) { return s.OpenBytes(tenant, intent, sealed[:10]) },
		"empty":                           func() ([]byte, error) { return s.OpenBytes(tenant, intent, nil) },
		"with another key":                func() ([]byte, error) { return sealer(t, newKey(t)).OpenBytes(tenant, intent, sealed) },
	} {
		plain, err := open()
		if err == nil || plain != nil || !strings.Contains(err.Error(), "it was sealed with another key, or altered") {
			t.Errorf("%s: got %q, %v", name, plain, err)
		}
	}
	var wrong []int
	if err := s.Open(tenant, intent, sealed, &wrong); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("into the wrong type: got %v, want an error without the payload", err)
	}
}

func TestKeysCanBeRotated(t *testing.T) {
	t.Parallel()
	oldKey := newKey(t)
	raw, err := base64.StdEncoding.DecodeString(oldKey)
	if err != nil {
		t.Fatal(err)
	}
	handle, err := insecurecleartextkeyset.Read(keyset.NewBinaryReader(bytes.NewReader(raw)))
	if err != nil {
		t.Fatal(err)
	}
	manager := keyset.NewManagerFromHandle(handle)
	id, err := manager.Add(aead.AES256GCMKeyTemplate())
	if err != nil {
		t.Fatal(err)
	}
	if err := manager.SetPrimary(id); err != nil { // the old one stays, to open with
		t.Fatal(err)
	}
	if handle, err = manager.Handle(); err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewBinaryWriter(&buf)); err != nil {
		t.Fatal(err)
	}
	before, after := sealer(t, oldKey), sealer(t, base64.StdEncoding.EncodeToString(buf.Bytes()))
	tenant, intent := newID(), newID()
	old, err := before.Seal(tenant, intent, "old")
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := after.OpenBytes(tenant, intent, old); err != nil || string(plain) != `"old"` {
		t.Errorf("what the old key sealed: got %s, %v", plain, err)
	}
	fresh, err := after.Seal(tenant, intent, "new")
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := after.OpenBytes(tenant, intent, fresh); err != nil || string(plain) != `"new"` {
		t.Errorf("what the new key sealed: got %s, %v", plain, err)
	}
	if _, err := before.OpenBytes(tenant, intent, fresh); err == nil {
		t.Error("the old key opens what the new one sealed")
	}
}

func TestAKeyThatIsNoneIsRefusedWithoutQuotingIt(t *testing.T) {
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
