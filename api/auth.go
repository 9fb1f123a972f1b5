package api

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/contextvault/contextvault/api/internal/access"
	"github.com/contextvault/contextvault/api/internal/input"
	"github.com/contextvault/contextvault/api/internal/limit"
	"github.com/contextvault/contextvault/api/internal/problem"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/vault"
)

// permission is the credential that a route needs.
type permission struct {
	scopes     []Scope // one of them is enough; none: the route needs no key
	operator   bool    // the route also accepts the admin token
	allTenants bool    // the route accepts nothing but the admin token, because it concerns all tenants
	unmasked   bool    // the route refuses a key that sees masked values
}

var (
	toRead   = permission{scopes: []Scope{ScopeRead}}
	toWrite  = permission{scopes: []Scope{ScopeWrite}}
	toVerify = permission{scopes: []Scope{ScopeVerify}}
	toReview = permission{scopes: []Scope{ScopeReview}}
	// toConfigure and toApprove are the permissions to change the configuration, and to try changes. It decides what is
	// masked, and its conditions and patterns tell what values are, so a key that sees masked values has neither.
	toConfigure = permission{scopes: []Scope{ScopeWrite}, unmasked: true}
	toApprove   = permission{scopes: []Scope{ScopeReview}, unmasked: true}
	// toErase is the permission to erase and export customers.
	toErase   = permission{scopes: []Scope{ScopeErase}}
	toAdmin   = permission{scopes: []Scope{ScopeAdmin}}
	toOperate = permission{scopes: []Scope{ScopeAdmin}, operator: true}
	// toSweep is the permission to start what covers all tenants, and to see its counts.
	toSweep = permission{scopes: []Scope{ScopeAdmin}, operator: true, allTenants: true}
	// toInspect is the permission to list operations: an operator looks for failed ones.
	toInspect = permission{scopes: []Scope{ScopeRead}, operator: true}
	// toFollow is the permission to get operations. A key that cannot read must be able to follow its own.
	toFollow = permission{scopes: []Scope{ScopeRead, ScopeWrite, ScopeVerify, ScopeReview}, operator: true}
)

// caller is the tenant and the rights of a request.
type caller struct {
	tenant  uuid.UUID
	actor   vault.Actor
	scopes  []Scope
	sources []vault.ValueSource // see Key.Sources
	agents  []uuid.UUID         // see Key.Agents
	purpose string              // see Key.Purpose
	masked  bool                // see Key.Masked
}

// may reports whether a caller has a scope.
func (c caller) may(s Scope) bool { return includes(c.scopes, s) }

// checkForce returns an error if force is set and the caller lacks the scope admin.
func (c caller) checkForce(force bool) error {
	if force && !c.may(ScopeAdmin) {
		return notAllowed("force", "force needs an API key with the scope admin")
	}
	return nil
}

// purposeHeader states the purpose of a read.
const purposeHeader = "Vault-Purpose"

type callerKey struct{}

func callerOf(ctx context.Context) caller {
	c, _ := ctx.Value(callerKey{}).(caller)
	return c
}

const (
	// keyTTL is the lifetime of a cached key, and so the maximum time that a revoked key remains valid.
	keyTTL = 5 * time.Second
	// touchInterval is the interval at which the use of a key is recorded.
	touchInterval = time.Minute
	// maxKnownKeys bounds the memory of the cache.
	maxKnownKeys = 10_000
)

// knownKeys caches keys for keyTTL. It is safe for concurrent use.
//
// The entries hold their own expiry, instead of those of lru's expirable cache, which starts a goroutine that never
// ends.
type knownKeys struct{ byHash *lru.Cache[string, knownKey] }

type knownKey struct {
	key     Key
	expires time.Time
}

func newKnownKeys() *knownKeys {
	byHash, err := lru.New[string, knownKey](maxKnownKeys)
	if err != nil {
		panic(err) // only for a size below 1
	}
	return &knownKeys{byHash: byHash}
}

func (k *knownKeys) get(hash []byte, now time.Time) (Key, bool) {
	found, ok := k.byHash.Get(string(hash))
	return found.key, ok && now.Before(found.expires)
}

// seen reports whether a key was valid not long ago.
func (k *knownKeys) seen(hash []byte) bool { return k.byHash.Contains(string(hash)) }

func (k *knownKeys) put(key Key, now time.Time) {
	k.byHash.Add(string(key.Hash), knownKey{key: key, expires: now.Add(keyTTL)})
}

// authorize is the middleware that checks the permission of a request.
func (s *Server) authorize(p permission) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		c, err := s.authenticate(ctx, p)
		if err != nil {
			s.writeProblem(ctx, err)
			return
		}
		access := vault.Access{Purpose: c.purpose, Masked: c.masked, Agents: c.agents, Operation: ctx.Operation().OperationID}
		if stated := ctx.Header(purposeHeader); stated != "" {
			if err := s.options.Query.CheckPurpose(ctx.Context(), c.tenant, stated); err != nil {
				s.writeProblem(ctx, err)
				return
			}
			access.Purpose = stated
		}
		seen := vault.WithActor(query.WithAccess(ctx.Context(), access), c.actor)
		next(huma.WithContext(ctx, context.WithValue(seen, callerKey{}, c)))
	}
}

func (s *Server) authenticate(ctx huma.Context, p permission) (caller, error) {
	secret, err := bearer(ctx.Header("Authorization"))
	if err != nil {
		return caller{}, err
	}
	now := time.Now()
	if s.isAdminToken(secret) && s.isInside(ctx.Context()) {
		if !p.operator {
			return caller{}, &vault.Error{
				Code: vault.CodeNotAllowed, Field: "Authorization",
				Message: "the admin token is only valid for /admin and its operations; use an API key of the tenant",
			}
		}
		if p.allTenants && ctx.Header("X-Tenant") != "" {
			return caller{}, vault.Invalid("X-Tenant", "is not allowed here: this covers all tenants")
		}
		return s.operator(ctx, now)
	}
	key, err := s.identify(ctx.Context(), ctx.RemoteAddr(), HashKey(secret), looksLikeKey(secret), now)
	if err != nil {
		return caller{}, err
	}
	if err := s.checkRate(ctx, key.ID, now); err != nil {
		return caller{}, err
	}
	if p.allTenants {
		return caller{}, &vault.Error{
			Code: vault.CodeNotAllowed, Field: "Authorization",
			Message: "this covers all tenants, and an API key is of one: it needs the ADMIN_TOKEN of the operator",
		}
	}
	c := caller{
		tenant: key.TenantID, actor: vault.KeyActor(key.ID), scopes: key.Scopes, sources: key.Sources, purpose: key.Purpose,
		masked: key.Masked, agents: key.Agents,
	}
	if !slices.ContainsFunc(p.scopes, c.may) {
		return caller{}, &vault.Error{
			Code: vault.CodeNotAllowed, Field: "Authorization",
			Message: "this API key lacks the scope " + vault.OneOf(p.scopes) +
				"; `vault keys create --scopes` creates a key with it",
		}
	}
	if p.unmasked {
		return c, CheckConfigures(c.masked)
	}
	return c, nil
}

// SignIn returns the valid key of a secret, within the limits of the API. It is for other handlers of the server, such
// as the console. The error is a *Problem.
func (s *Server) SignIn(r *http.Request, secret string) (Key, error) {
	return s.identifyWithin(r, HashKey(secret), looksLikeKey(secret))
}

// Resume is SignIn with the hash of the secret.
func (s *Server) Resume(r *http.Request, hash []byte) (Key, error) {
	return s.identifyWithin(r, hash, true)
}

// Limit takes the cost of a request of a person whom another handler of the server identified, within the limits of a
// key. The error is a *Problem.
func (s *Server) Limit(r *http.Request, person uuid.UUID) error {
	return s.rateProblem(r.Context(), person, s.limits.Take(person, limit.CostOf(r.Method), time.Now()))
}

// Operator returns the tenant of the operator if a secret is the admin token and the request may use it. The error is a
// *Problem, or of the code not_allowed.
func (s *Server) Operator(r *http.Request, secret string) (uuid.UUID, error) {
	address, now := limit.Address(r.RemoteAddr), time.Now()
	if retryAfter, exhausted := s.strangers.Exhausted(address, now); exhausted {
		s.strange.Wait(r.Context(), address)
		return uuid.Nil, problem.New(http.StatusTooManyRequests, problem.CodeRateLimited, "",
			"too many unknown keys from this address; wait and try again").With("Retry-After", retryAfter)
	}
	if !s.isInside(r.Context()) {
		return uuid.Nil, notAllowed(
			"admin_token", "admin_token: it is not accepted at this address; use that of the operators")
	}
	if !s.isAdminToken(secret) {
		s.strangers.Take(address, limit.ChangeCost, now)
		return uuid.Nil, notAllowed("admin_token", "admin_token: this is not the ADMIN_TOKEN of the operator")
	}
	return s.options.OperatorTenant, nil
}

func (s *Server) identifyWithin(r *http.Request, hash []byte, plausible bool) (Key, error) {
	now := time.Now()
	key, err := s.identify(r.Context(), r.RemoteAddr, hash, plausible, now)
	if err != nil {
		return key, err
	}
	return key, s.rateProblem(r.Context(), key.ID, s.limits.Take(key.ID, limit.CostOf(r.Method), now))
}

// identify returns the valid key with the hash of a secret, if the address has not sent too many unknown ones. A secret
// that is not plausible costs no query.
func (s *Server) identify(
	ctx context.Context, remoteAddr string, hash []byte, plausible bool, now time.Time,
) (Key, error) {
	address := limit.Address(remoteAddr)
	if err := s.checkStranger(ctx, address, hash, now); err != nil {
		return Key{}, err
	}
	key, err := Key{}, error(unauthenticated("the API key is not known"))
	if plausible {
		key, err = s.findKey(ctx, hash, now)
	}
	if err != nil {
		s.strangers.Take(address, limit.ChangeCost, now)
		return Key{}, err
	}
	info := access.InfoOf(ctx)
	info.Tenant, info.Key = key.TenantID, key.ID
	s.crowd.See(key.TenantID.String())
	return key, nil
}

// operator returns the caller of the admin token: the tenant of X-Tenant, or the tenant of the operator without the
// header.
func (s *Server) operator(ctx huma.Context, now time.Time) (caller, error) {
	c := caller{tenant: s.options.OperatorTenant, actor: vault.ActorAdmin, scopes: []Scope{ScopeAdmin}}
	if text := ctx.Header("X-Tenant"); text != "" {
		var tenant input.ID
		if err := tenant.UnmarshalText([]byte(text)); err != nil {
			return c, vault.Invalid("X-Tenant", "%s", err)
		}
		c.tenant = tenant.UUID
	}
	access.InfoOf(ctx.Context()).Tenant = c.tenant
	return c, s.checkRate(ctx, uuid.Nil, now)
}

// checkRate takes the cost of a request, and sets the fields that say what is left
// (draft-ietf-httpapi-ratelimit-headers).
func (s *Server) checkRate(ctx huma.Context, key uuid.UUID, now time.Time) error {
	units := s.limits.Units()
	if units == 0 {
		return nil
	}
	taken := s.limits.Take(key, limit.CostOf(ctx.Method()), now)
	ctx.SetHeader("RateLimit-Policy", fmt.Sprintf(`"key";q=%d;w=1`, units))
	ctx.SetHeader("RateLimit", fmt.Sprintf(`"key";r=%d;t=1`, taken.Left))
	return s.rateProblem(ctx.Context(), key, taken)
}

// rateProblem is the problem of a request beyond the limit of its key, after a delay; nil within the limit.
func (s *Server) rateProblem(ctx context.Context, key uuid.UUID, taken limit.Taken) error {
	if taken.OK {
		return nil
	}
	s.refusals.Wait(ctx, key)
	return problem.New(http.StatusTooManyRequests, problem.CodeRateLimited, "",
		"this key exceeds its limit of requests per second; wait for the time in Retry-After").
		With("Retry-After", taken.RetryAfter)
}

// checkStranger refuses a key that this process has not seen before, if its address has sent too many unknown keys:
// each costs a query. Keys that were valid once are not refused, because many clients may share the address of a proxy.
func (s *Server) checkStranger(ctx context.Context, address netip.Prefix, hash []byte, now time.Time) error {
	retryAfter, exhausted := s.strangers.Exhausted(address, now)
	if !exhausted || s.known.seen(hash) {
		return nil
	}
	s.strange.Wait(ctx, address)
	return problem.New(http.StatusTooManyRequests, problem.CodeRateLimited, "",
		"too many unknown API keys from this address; wait for the time in Retry-After").
		With("Retry-After", retryAfter)
}

// isAdminToken compares in constant time.
func (s *Server) isAdminToken(secret string) bool {
	return s.options.AdminToken != "" && subtle.ConstantTimeCompare(HashKey(secret), s.adminHash) == 1
}

// findKey returns the valid key with the hash of a secret.
func (s *Server) findKey(ctx context.Context, hash []byte, now time.Time) (Key, error) {
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
		if key.LastUsedAt == nil || now.Sub(*key.LastUsedAt) > touchInterval {
			if err := s.options.Keys.TouchKey(ctx, key.ID); err != nil { // only informative: no reason to fail the request
				s.options.Log.WarnContext(ctx, "key_not_touched", "key_id", key.ID)
			}
		}
	}
	switch {
	case subtle.ConstantTimeCompare(key.Hash, hash) != 1:
		return Key{}, unauthenticated("the API key is not known")
	case key.RevokedAt != nil:
		return Key{}, unauthenticated("the API key was revoked; `vault keys create` creates a new one")
	case key.ExpiresAt != nil && !key.ExpiresAt.After(now):
		return Key{}, unauthenticated("the API key has expired; `vault keys create` creates a new one")
	}
	return key, nil
}

// bearer returns the secret of an Authorization header.
func bearer(header string) (string, error) {
	if header == "" {
		return "", unauthenticated(
			"the API key is missing; send Authorization: Bearer cv_…, with a key of `vault keys create`")
	}
	scheme, secret, _ := strings.Cut(header, " ")
	if secret = strings.TrimSpace(secret); !strings.EqualFold(scheme, "Bearer") || secret == "" {
		return "", unauthenticated("the Authorization header must have the form Bearer cv_…")
	}
	return secret, nil
}

func unauthenticated(detail string) *problem.Problem {
	return problem.New(http.StatusUnauthorized, problem.CodeUnauthenticated, "Authorization", detail).
		With("WWW-Authenticate", `Bearer realm="contextvault"`)
}

// writeProblem responds with a problem before the handler runs.
func (s *Server) writeProblem(ctx huma.Context, err error) {
	p := s.problem(ctx.Context(), err)
	for name, values := range p.GetHeaders() {
		for _, value := range values {
			ctx.SetHeader(name, value)
		}
	}
	if writeErr := huma.WriteErr(s.api, ctx, p.Status, p.Detail, p); writeErr != nil &&
		!errors.Is(writeErr, context.Canceled) {
		s.options.Log.WarnContext(ctx.Context(), "answer_not_written")
	}
}
