package db

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/tink-crypto/tink-go/aead"
	"github.com/tink-crypto/tink-go/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/keyset"
)

var errSealingKey = errors.New("VAULT_SEALING_KEY is not a sealing key: make one with `vault sealing-key`")

// NewSealingKey makes a key for NewSealer. Keep it: what it sealed opens with nothing else.
func NewSealingKey() (string, error) {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return "", fmt.Errorf("make a sealing key: %w", err)
	}
	return encodeKeyset(handle)
}

// AddSealingKey begins a rotation: the result opens what is sealed with a new key, too, and goes on sealing with the old one. Every
// process must have it before PromoteSealingKey.
func AddSealingKey(key string) (string, error) {
	return changeKeyset(key, func(m *keyset.Manager, _ *keyset.Handle) error {
		_, err := m.Add(aead.AES256GCMKeyTemplate())
		return err
	})
}

// PromoteSealingKey has the key that was added last seal from now on. The others still open.
func PromoteSealingKey(key string) (string, error) {
	return changeKeyset(key, func(m *keyset.Manager, h *keyset.Handle) error {
		keys := h.KeysetInfo().GetKeyInfo()
		return m.SetPrimary(keys[len(keys)-1].GetKeyId())
	})
}

// PruneSealingKey ends a rotation: only the key that seals is left. What others sealed does not open any more.
func PruneSealingKey(key string) (string, error) {
	return changeKeyset(key, func(m *keyset.Manager, h *keyset.Handle) error {
		info := h.KeysetInfo()
		for _, k := range info.GetKeyInfo() {
			if k.GetKeyId() == info.GetPrimaryKeyId() {
				continue
			}
			if err := m.Delete(k.GetKeyId()); err != nil {
				return err
			}
		}
		return nil
	})
}

func changeKeyset(key string, change func(*keyset.Manager, *keyset.Handle) error) (string, error) {
	handle, err := decodeKeyset(key)
	if err != nil {
		return "", err
	}
	m := keyset.NewManagerFromHandle(handle)
	if err := change(m, handle); err != nil {
		return "", fmt.Errorf("rotate the sealing key: %w", err)
	}
	if handle, err = m.Handle(); err != nil {
		return "", fmt.Errorf("rotate the sealing key: %w", err)
	}
	return encodeKeyset(handle)
}

func decodeKeyset(key string) (*keyset.Handle, error) {
	raw, err := base64.StdEncoding.DecodeString(key)
	if err != nil || len(raw) == 0 {
		return nil, errSealingKey
	}
	handle, err := insecurecleartextkeyset.Read(keyset.NewBinaryReader(bytes.NewReader(raw)))
	if err != nil {
		return nil, errSealingKey
	}
	return handle, nil
}

func encodeKeyset(handle *keyset.Handle) (string, error) {
	var buf bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewBinaryWriter(&buf)); err != nil {
		return "", fmt.Errorf("encode the sealing key: %w", err)
	}
	return base64.StdEncoding.EncodeToString(buf.Bytes()), nil
}
