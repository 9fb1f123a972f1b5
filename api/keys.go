package api

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/vault"
)

// Scope is what an API key may do.
type Scope string

// Scopes of API keys.
const (
	ScopeRead  Scope = "read"  // read what the tenant has
	ScopeWrite Scope = "write" // change it, and ask how a change went
	ScopeAdmin Scope = "admin" // all of it; also force a deletion, restore, replay, and use /admin
)

// Scopes lists them.
var Scopes = []Scope{ScopeRead, ScopeWrite, ScopeAdmin}

// Key is an API key of a tenant, as it is stored.
type Key struct {
	ID         uuid.UUID
	TenantID   uuid.UUID
	Hash       []byte // see HashKey
	Scopes     []Scope
	ExpiresAt  *time.Time // nil: never
	RevokedAt  *time.Time // nil: it is not
	LastUsedAt *time.Time
}

// Keys is where API keys are kept.
type Keys interface {
	// FindKey gives the key with a hash, revoked and expired ones too. A key that does not exist is a vault.CodeUnknown.
	FindKey(ctx context.Context, hash []byte) (Key, error)
	// TouchKey notes that a key was used.
	TouchKey(ctx context.Context, id uuid.UUID) error
}

const (
	// keyPrefix tells people, and scanners of leaked secrets, what a key is.
	keyPrefix = "cv_"
	keyBytes  = 32
)

// NewKey makes the secret of a key. It is shown once, and only its hash is kept: it is random enough that nobody guesses it,
// so that a plain hash is as good as a slow one.
func NewKey() string {
	raw := make([]byte, keyBytes)
	_, _ = rand.Read(raw) // it never fails
	return keyPrefix + base64.RawURLEncoding.EncodeToString(raw)
}

// HashKey gives what is kept of a key.
func HashKey(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// looksLikeKey spares the database what cannot be a key.
func looksLikeKey(secret string) bool {
	return len(secret) == len(keyPrefix)+base64.RawURLEncoding.EncodedLen(keyBytes) && strings.HasPrefix(secret, keyPrefix)
}

// ParseScopes reads a list such as "read,write".
func ParseScopes(text string) ([]Scope, error) {
	var out []Scope
	for word := range strings.SplitSeq(text, ",") {
		scope := Scope(strings.TrimSpace(word))
		if !slices.Contains(Scopes, scope) {
			return nil, vault.Invalid("scopes", "%q is not %s", word, vault.OneOf(Scopes))
		}
		if !slices.Contains(out, scope) {
			out = append(out, scope)
		}
	}
	return out, nil
}
