package api

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/contextvault/contextvault/api/internal/input"
	"github.com/contextvault/contextvault/vault"
)

// access is who may call an operation.
type access struct {
	scopes   []Scope // one of them is enough; none: anybody, with no key
	operator bool    // the admin token is good for it
}

var (
	toRead    = access{scopes: []Scope{ScopeRead}}
	toWrite   = access{scopes: []Scope{ScopeWrite}}
	toAdmin   = access{scopes: []Scope{ScopeAdmin}}
	toOperate = access{scopes: []Scope{ScopeAdmin}, operator: true}
	// toFollow is for how a change went: for whoever may make one, or read.
	toFollow = access{scopes: []Scope{ScopeRead, ScopeWrite}, operator: true}
)

// caller is who makes a request.
type caller struct {
	tenant uuid.UUID
	scopes []Scope
}

// may reports whether a caller has a scope. An admin has all.
func (c caller) may(s Scope) bool {
	return slices.Contains(c.scopes, s) || slices.Contains(c.scopes, ScopeAdmin)
}

// mayForce refuses to force a deletion on the word of who is no admin.
func (c caller) mayForce(force bool) error {
	if force && !c.may(ScopeAdmin) {
		return &vault.Error{Code: vault.CodeNotAllowed, Field: "force", Message: "force needs an API key with the scope admin"}
	}
	return nil
}

type callerKey struct{}

func callerOf(ctx context.Context) caller {
	c, _ := ctx.Value(callerKey{}).(caller)
	return c
}

const (
	// keyTTL is how long a key that was looked up is taken to be as it was: how long a revoked one may still be used.
	keyTTL = 5 * time.Second
	// touchEvery is how often it is noted that a key is used.
	touchEvery = time.Minute
	mostKeys   = 10_000 // that are remembered
)

// knownKeys remembers keys for keyTTL.
type knownKeys struct {
	mu    sync.Mutex
	byKey map[string]knownKey // by hash
}

type knownKey struct {
	key  Key
	till time.Time
}

func (k *knownKeys) get(hash []byte, now time.Time) (Key, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	found, ok := k.byKey[string(hash)]
	return found.key, ok && now.Before(found.till)
}

func (k *knownKeys) put(key Key, now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.byKey == nil || len(k.byKey) >= mostKeys {
		k.byKey = map[string]knownKey{}
	}
	k.byKey[string(key.Hash)] = knownKey{key: key, till: now.Add(keyTTL)}
}

// authorize lets a request go on when its caller may make it.
func (s *Server) authorize(a access) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		c, err := s.admit(ctx, a)
		if err != nil {
			s.refuse(ctx, err)
			return
		}
		next(huma.WithValue(ctx, callerKey{}, c))
	}
}

func (s *Server) admit(ctx huma.Context, a access) (caller, error) {
	secret, err := bearer(ctx.Header("Authorization"))
	if err != nil {
		return caller{}, err
	}
	now := time.Now()
	if s.isAdminToken(secret) {
		if !a.operator {
			return caller{}, &vault.Error{Code: vault.CodeNotAllowed, Field: "Authorization", Message: "the admin token opens /admin, and the operations that came of it; use an API key of the tenant here"}
		}
		return s.operator(ctx, now)
	}
	key, err := s.findKey(ctx.Context(), secret, now)
	if err != nil {
		return caller{}, err
	}
	infoOf(ctx.Context()).caller(key.TenantID, key.ID)
	if err := s.withinLimit(key.ID, now); err != nil {
		return caller{}, err
	}
	c := caller{tenant: key.TenantID, scopes: key.Scopes}
	if !slices.ContainsFunc(a.scopes, c.may) {
		return caller{}, &vault.Error{Code: vault.CodeNotAllowed, Field: "Authorization", Message: "this API key has not the scope " + vault.OneOf(a.scopes) + "; `vault keys create --scopes` makes one that has"}
	}
	return c, nil
}

// operator is whoever has the admin token: of the tenant of X-Tenant, else of the operator's own.
func (s *Server) operator(ctx huma.Context, now time.Time) (caller, error) {
	c := caller{tenant: s.options.OperatorTenant, scopes: []Scope{ScopeAdmin}}
	if text := ctx.Header("X-Tenant"); text != "" {
		var tenant input.ID
		if err := tenant.UnmarshalText([]byte(text)); err != nil {
			return c, vault.Invalid("X-Tenant", "%s", err)
		}
		c.tenant = tenant.UUID
	}
	infoOf(ctx.Context()).caller(c.tenant, uuid.Nil)
	return c, s.withinLimit(uuid.Nil, now)
}

func (s *Server) withinLimit(key uuid.UUID, now time.Time) error {
	retryAfter, ok := s.limits.take(key, now)
	if ok {
		return nil
	}
	return problem(http.StatusTooManyRequests, codeRateLimited, "", "this key made more requests than it may in a second; wait as Retry-After says").with("Retry-After", retryAfter)
}

// isAdminToken compares in constant time.
func (s *Server) isAdminToken(secret string) bool {
	return s.options.AdminToken != "" && subtle.ConstantTimeCompare(HashKey(secret), s.adminHash) == 1
}

// findKey gives the key of a secret, if it is good.
func (s *Server) findKey(ctx context.Context, secret string, now time.Time) (Key, error) {
	if !looksLikeKey(secret) {
		return Key{}, unauthenticated("the API key is not known")
	}
	hash := HashKey(secret)
	key, known := s.known.get(hash, now)
	if !known {
		var err error
		if key, err = s.options.Keys.FindKey(ctx, hash); err != nil {
			if vault.CodeOf(err) == vault.CodeUnknown {
				err = unauthenticated("the API key is not known")
			}
			return Key{}, err
		}
		s.known.put(key, now)
		if key.LastUsedAt == nil || now.Sub(*key.LastUsedAt) > touchEvery {
			if err := s.options.Keys.TouchKey(ctx, key.ID); err != nil { // it is for people to look at: no request fails by it
				s.options.Log.WarnContext(ctx, "key_not_touched", "key_id", key.ID)
			}
		}
	}
	switch {
	case subtle.ConstantTimeCompare(key.Hash, hash) != 1:
		return Key{}, unauthenticated("the API key is not known")
	case key.RevokedAt != nil:
		return Key{}, unauthenticated("the API key was revoked; `vault keys create` makes a new one")
	case key.ExpiresAt != nil && !key.ExpiresAt.After(now):
		return Key{}, unauthenticated("the API key has expired; `vault keys create` makes a new one")
	}
	return key, nil
}

// bearer takes the secret out of an Authorization header.
func bearer(header string) (string, error) {
	if header == "" {
		return "", unauthenticated("there is no API key; send Authorization: Bearer cv_…, as `vault keys create` showed it")
	}
	scheme, secret, _ := strings.Cut(header, " ")
	if secret = strings.TrimSpace(secret); !strings.EqualFold(scheme, "Bearer") || secret == "" {
		return "", unauthenticated("the Authorization header is not of the form Bearer cv_…")
	}
	return secret, nil
}

func unauthenticated(detail string) *Problem {
	return problem(http.StatusUnauthorized, codeUnauthenticated, "Authorization", detail).with("WWW-Authenticate", `Bearer realm="contextvault"`)
}

// refuse answers with a problem before the handler runs.
func (s *Server) refuse(ctx huma.Context, err error) {
	p := s.problem(ctx.Context(), err)
	for name, values := range p.headers {
		for _, value := range values {
			ctx.SetHeader(name, value)
		}
	}
	if writeErr := huma.WriteErr(s.api, ctx, p.Status, p.Detail, p); writeErr != nil && !errors.Is(writeErr, context.Canceled) {
		s.options.Log.WarnContext(ctx.Context(), "answer_not_written")
	}
}
