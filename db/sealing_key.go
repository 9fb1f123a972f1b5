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

var errSealingKey = errors.New("VAULT_SEALING_KEY is not a sealing key: create one with `vault sealing-key`")

// NewSealingKey creates a key for NewSealer. Without the key, nothing that it sealed can be opened.
func NewSealingKey() (string, error) {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return "", fmt.Errorf("make a sealing key: %w", err)
	}
	return encodeKeyset(handle)
}

// AddSealingKey begins a rotation: it adds a new key that opens, and the old key still seals. Every process must have
// the result before PromoteSealingKey.
func AddSealingKey(key string) (string, error) {
	return changeKeyset(key, func(m *keyset.Manager, _ *keyset.Handle) error {
		_, err := m.Add(aead.AES256GCMKeyTemplate())
		return err
	})
}

// PromoteSealingKey continues a rotation: the newest key seals, and the others still open.
func PromoteSealingKey(key string) (string, error) {
	return changeKeyset(key, func(m *keyset.Manager, h *keyset.Handle) error {
		keys := h.KeysetInfo().GetKeyInfo()
		return m.SetPrimary(keys[len(keys)-1].GetKeyId())
	})
}

// PruneSealingKey ends a rotation: it removes all keys except the one that seals. Data that the others sealed is lost.
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
