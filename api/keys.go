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

// Scope is a permission of an API key.
type Scope string

// Scopes of API keys.
const (
	ScopeRead   Scope = "read"   // read the data of the tenant
	ScopeWrite  Scope = "write"  // submit operations and get their status
	ScopeVerify Scope = "verify" // verify values, and write values as verified
	ScopeReview Scope = "review" // decide reviews and pending values, correct values, write values as human_entered
	ScopeErase  Scope = "erase"  // erase customers for good
	ScopeAdmin  Scope = "admin"  // all scopes; also force deletions, restore, replay, and use /admin
)

// Scopes lists all scopes.
var Scopes = []Scope{ScopeRead, ScopeWrite, ScopeVerify, ScopeReview, ScopeErase, ScopeAdmin}

// Key is a stored API key of a tenant.
type Key struct {
	ID       uuid.UUID
	TenantID uuid.UUID
	Hash     []byte // see HashKey
	Scopes   []Scope
	// Sources are the sources that the key may write. Empty: those that are not stronger than the customer's own word.
	Sources []vault.ValueSource
	// Agents are the agents whose data the key may use. Empty: all agents. Such a key has neither ScopeAdmin nor
	// ScopeErase, which cover all agents.
	Agents []uuid.UUID
	// Purpose is that of reads that state none. Empty: none.
	Purpose string
	// Masked reports that the key sees values of PII fields masked only.
	Masked     bool
	ExpiresAt  *time.Time // nil: never
	RevokedAt  *time.Time // nil: it is valid
	LastUsedAt *time.Time
}

// May reports whether a key has a scope.
func (k Key) May(s Scope) bool { return includes(k.Scopes, s) }

// includes reports whether scopes include one. The scope admin includes all others.
func includes(scopes []Scope, s Scope) bool {
	return slices.Contains(scopes, s) || slices.Contains(scopes, ScopeAdmin)
}

// Keys stores API keys.
type Keys interface {
	// FindKey returns the key with a hash, also if it is revoked or expired. The error of an unknown key has
	// vault.CodeUnknown.
	FindKey(ctx context.Context, hash []byte) (Key, error)
	// TouchKey records the use of a key.
	TouchKey(ctx context.Context, id uuid.UUID) error
}

const (
	// keyPrefix identifies keys for people and for scanners of leaked secrets.
	keyPrefix = "cv_"
	keyBytes  = 32
)

// NewKey creates the secret of a key. The vault stores only its hash. The secret has 256 random bits, so that a fast
// hash is as safe as a slow one.
func NewKey() string {
	raw := make([]byte, keyBytes)
	_, _ = rand.Read(raw) // never fails
	return keyPrefix + base64.RawURLEncoding.EncodeToString(raw)
}

// HashKey returns the stored hash of a secret.
func HashKey(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// looksLikeKey avoids database queries for texts that cannot be keys.
func looksLikeKey(secret string) bool {
	return len(secret) == len(keyPrefix)+base64.RawURLEncoding.EncodedLen(keyBytes) && strings.HasPrefix(secret, keyPrefix)
}

// ParseSources parses a list such as "user_provided,document_extracted". An empty text is an empty list.
func ParseSources(text string) ([]vault.ValueSource, error) {
	var out []vault.ValueSource
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	for word := range strings.SplitSeq(text, ",") {
		source := vault.ValueSource(strings.TrimSpace(word))
		if !source.Valid() {
			return nil, vault.Invalid("sources", "%q is not %s", word, vault.OneOf(vault.ValueSources))
		}
		if !slices.Contains(out, source) {
			out = append(out, source)
		}
	}
	return out, nil
}

// ParseAgents parses a list of ids. An empty text is an empty list, and limits nothing.
func ParseAgents(text string, scopes []Scope) ([]uuid.UUID, error) {
	var out []uuid.UUID
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	for word := range strings.SplitSeq(text, ",") {
		word = strings.TrimSpace(word)
		id, err := uuid.Parse(word)
		if err != nil || len(word) != len(uuid.Nil.String()) || id == uuid.Nil {
			return nil, vault.Invalid("agents", "%q is not the id of an agent; use ids with commas between them", word)
		}
		if !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	if err := vault.CheckAgentScopes(out, scopes); err != nil {
		return nil, err
	}
	return out, nil
}

// ParseScopes parses a list such as "read,write".
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
