package db

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"

	"github.com/tink-crypto/tink-go/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/keyset"
	"github.com/tink-crypto/tink-go/signature"

	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/vault"
)

// newSigningKey makes a key for the receipts of a tenant: Ed25519. public is its public half as JSON.
func newSigningKey() (private []byte, public string, err error) {
	handle, err := keyset.NewHandle(signature.ED25519KeyTemplate())
	if err != nil {
		return nil, "", fmt.Errorf("make the key of receipts: %w", err)
	}
	var plain, open bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewBinaryWriter(&plain)); err != nil {
		return nil, "", fmt.Errorf("encode the key of receipts: %w", err)
	}
	pub, err := handle.Public()
	if err == nil {
		err = pub.WriteWithNoSecrets(keyset.NewJSONWriter(&open))
	}
	if err != nil {
		return nil, "", fmt.Errorf("encode the public key of receipts: %w", err)
	}
	return plain.Bytes(), open.String(), nil
}

// SignReceipt returns the signed form of a receipt: the text that VerifyReceipt checks.
func SignReceipt(ctx context.Context, sealer *Sealer, key dbgen.ErasureKey, r vault.ErasureReceipt) (string, error) {
	private, err := sealer.OpenBytes(ctx, key.TenantID, key.TenantID, key.SigningKey)
	if err != nil {
		return "", fmt.Errorf("open the key of receipts: %w", err)
	}
	handle, err := insecurecleartextkeyset.Read(keyset.NewBinaryReader(bytes.NewReader(private)))
	if err != nil {
		return "", fmt.Errorf("read the key of receipts: %w", err)
	}
	signer, err := signature.NewSigner(handle)
	if err != nil {
		return "", fmt.Errorf("sign the receipt: %w", err)
	}
	signed := vault.SignedReceipt{Receipt: r}
	content, err := signed.Content()
	if err != nil {
		return "", err
	}
	sig, err := signer.Sign(content)
	if err != nil {
		return "", fmt.Errorf("sign the receipt: %w", err)
	}
	signed.Signature = base64.StdEncoding.EncodeToString(sig)
	return signed.Text()
}

// VerifyReceipt checks the signature of a receipt with a public key, offline. Each changed byte is an error.
func VerifyReceipt(publicKey, text []byte) (vault.ErasureReceipt, error) {
	handle, err := keyset.ReadWithNoSecrets(keyset.NewJSONReader(bytes.NewReader(publicKey)))
	if err != nil {
		return vault.ErasureReceipt{}, vault.Invalid("public_key",
			"is no public key of receipts: get it with `vault erasure public-key`")
	}
	verifier, err := signature.NewVerifier(handle)
	if err != nil {
		return vault.ErasureReceipt{}, vault.Invalid("public_key", "is no key for Ed25519 signatures")
	}
	signed, err := vault.ParseReceipt(text)
	if err != nil {
		return vault.ErasureReceipt{}, err
	}
	content, err := signed.Content()
	if err != nil {
		return vault.ErasureReceipt{}, err
	}
	sig, err := base64.StdEncoding.Strict().DecodeString(signed.Signature)
	if err != nil || verifier.Verify(sig, content) != nil {
		return vault.ErasureReceipt{}, vault.Invalid("receipt",
			"the signature is wrong: the receipt was changed, or another key signed it")
	}
	return signed.Receipt, nil
}
