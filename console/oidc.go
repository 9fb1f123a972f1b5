package console

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/google/uuid"
	"golang.org/x/oauth2"

	"github.com/contextvault/contextvault/api"
	"github.com/contextvault/contextvault/vault"
)

// OIDC configures the sign-in by OpenID Connect.
type OIDC struct {
	Issuer, ClientID string
	ClientSecret     string // "": a public client, with PKCE alone
	RedirectURL      string // of /console/oidc/callback, as browsers see it
	Tenant           uuid.UUID
	GroupsClaim      string
	Groups           Groups
	// Client sends the requests to the issuer. nil: one with a time-out.
	Client *http.Client
}

// Groups are the rights of groups of people.
type Groups map[string]Grant

// Grant is what a group may do.
type Grant struct {
	Scopes []api.Scope
	Masked bool // it sees masked values only
}

// ParseGroups reads a list such as "admins=admin; support=read,review,masked".
func ParseGroups(text string) (Groups, error) {
	out := Groups{}
	for entry := range strings.SplitSeq(text, ";") {
		if strings.TrimSpace(entry) == "" {
			continue
		}
		name, list, ok := strings.Cut(entry, "=")
		if name = strings.TrimSpace(name); !ok || name == "" {
			return nil, vault.Invalid("oidc_groups", "%q is not of the form group=scope,scope", strings.TrimSpace(entry))
		}
		var g Grant
		var scopes []string
		for word := range strings.SplitSeq(list, ",") {
			if word = strings.TrimSpace(word); word == "masked" {
				g.Masked = true
				continue
			}
			scopes = append(scopes, word)
		}
		var err error
		if g.Scopes, err = api.ParseScopes(strings.Join(scopes, ",")); err != nil {
			return nil, fmt.Errorf("oidc_groups: group %q: %w", name, err)
		}
		out[name] = g
	}
	return out, nil
}

// of returns the groups that grant something, and the rights of a person in them.
func (g Groups) of(names []string) (granting []string, rights Grant) {
	rights.Masked = true
	for _, name := range names {
		grant, ok := g[name]
		if !ok || slices.Contains(granting, name) {
			continue
		}
		granting = append(granting, name)
		rights.Masked = rights.Masked && grant.Masked
		for _, scope := range grant.Scopes {
			if !slices.Contains(rights.Scopes, scope) {
				rights.Scopes = append(rights.Scopes, scope)
			}
		}
	}
	return granting, rights
}

// issuer is the issuer of OpenID Connect, found when somebody first signs in.
type issuer struct {
	options OIDC

	mu       sync.Mutex
	provider *oidc.Provider
}

const (
	oidcCookie  = "vault_console_oidc"
	oidcPath    = Path + "/oidc"
	oidcTimeout = 10 * time.Second
	// signInFor is the time for which a person can be at the issuer.
	signInFor = 10 * time.Minute
)

// within returns a context whose requests to the issuer end in time.
func (i *issuer) within(ctx context.Context) context.Context {
	client := i.options.Client
	if client == nil {
		client = &http.Client{Timeout: oidcTimeout}
	}
	return oidc.ClientContext(ctx, client)
}

func (i *issuer) find(ctx context.Context) (*oidc.Provider, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.provider != nil {
		return i.provider, nil
	}
	p, err := oidc.NewProvider(i.within(context.WithoutCancel(ctx)), i.options.Issuer) // it fetches keys later too
	if err != nil {
		return nil, vault.Unavailable("the issuer of the sign-in", err)
	}
	i.provider = p
	return p, nil
}

func (i *issuer) config(p *oidc.Provider) oauth2.Config {
	return oauth2.Config{
		ClientID: i.options.ClientID, ClientSecret: i.options.ClientSecret, Endpoint: p.Endpoint(),
		RedirectURL: i.options.RedirectURL, Scopes: []string{oidc.ScopeOpenID, "profile"},
	}
}

// signingIn is what a browser keeps while its person is at the issuer. It is sealed.
type signingIn struct {
	State    string `json:"state"`
	Nonce    string `json:"nonce"`
	Verifier string `json:"verifier"` // of PKCE
	Next     string `json:"next"`
	Ends     int64  `json:"ends"` // seconds since 1970
}

// oidcStart leads to the issuer.
func (q *request) oidcStart() error {
	if q.issuer == nil {
		return q.notFound()
	}
	p, err := q.issuer.find(q.ctx)
	if err != nil {
		return err
	}
	s := signingIn{
		State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(), Next: q.next(),
		Ends: q.options.Now().Add(signInFor).Unix(),
	}
	sealed, err := q.sealed(s)
	if err != nil {
		return err
	}
	q.setOIDCCookie(sealed, int(signInFor.Seconds()))
	config := q.issuer.config(p)
	http.Redirect(q.w, q.r, config.AuthCodeURL(
		s.State, oidc.Nonce(s.Nonce), oauth2.S256ChallengeOption(s.Verifier)), http.StatusSeeOther)
	return nil
}

// setOIDCCookie sets the cookie of a person at the issuer. It is not strict: the person comes back from another site.
func (q *request) setOIDCCookie(value string, maxAge int) {
	http.SetCookie(q.w, &http.Cookie{
		Name: oidcCookie, Value: value, Path: oidcPath, MaxAge: maxAge, HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Secure: q.isSecure(),
	})
}

// refused is the page of a sign-in that did not succeed.
func (q *request) refused(status int, text string) error {
	return q.render(status, signInPage(signInForm{Next: Path + "/inbox", OIDC: true, OIDCError: text}))
}

// oidcCallback starts the session of a person who comes back from the issuer.
func (q *request) oidcCallback() error {
	if q.issuer == nil {
		return q.notFound()
	}
	s, ok := q.signingIn()
	q.setOIDCCookie("", -1) // it is for one try
	if !ok || subtle.ConstantTimeCompare([]byte(q.r.FormValue("state")), []byte(s.State)) != 1 {
		return q.refused(http.StatusBadRequest, "This sign-in was not started here, or took too long. Start it again.")
	}
	if q.r.FormValue("code") == "" {
		return q.refused(http.StatusForbidden, "The issuer did not sign you in. Try again, or use an API key.")
	}
	person, err := q.identify(s)
	if err != nil {
		if vault.CodeOf(err) == vault.CodeUnavailable {
			return err
		}
		q.options.Log.WarnContext(q.ctx, "console_sign_in_refused", "error", fmt.Sprintf("%T", err))
		return q.refused(http.StatusForbidden, "The answer of the issuer is not valid. Start the sign-in again.")
	}
	granting, rights := q.issuer.options.Groups.of(person.groups)
	if !(api.Key{Scopes: rights.Scopes}).May(api.ScopeRead) {
		return q.refused(http.StatusForbidden,
			"None of your groups may read here. The operator maps groups to rights (console.oidc_groups).")
	}
	started := session{
		Person: person.id, Groups: granting, Name: person.name, Token: rand.Text(), Started: q.options.Now().Unix(),
	}
	if err := q.keepSession(started); err != nil {
		return err
	}
	// A redirect would still belong to the navigation from the issuer, which sends no strict cookie.
	return q.render(http.StatusOK, signedInPage(s.Next))
}

// signingIn opens the cookie of a person at the issuer.
func (q *request) signingIn() (s signingIn, ok bool) {
	if !q.openCookie(oidcCookie, &s) {
		return s, false
	}
	return s, s.State != "" && s.Nonce != "" && q.options.Now().Unix() < s.Ends
}

// person is who the issuer says.
type person struct {
	id, name string
	groups   []string
}

var errIDToken = errors.New("the ID token is missing, or of another sign-in")

// identify exchanges the code of the issuer for an ID token, and checks it.
func (q *request) identify(s signingIn) (person, error) {
	p, err := q.issuer.find(q.ctx)
	if err != nil {
		return person{}, err
	}
	ctx, config := q.issuer.within(q.ctx), q.issuer.config(p)
	token, err := config.Exchange(ctx, q.r.FormValue("code"), oauth2.VerifierOption(s.Verifier))
	if err != nil {
		return person{}, err
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return person{}, errIDToken
	}
	verified, err := p.Verifier(&oidc.Config{ClientID: config.ClientID}).Verify(ctx, raw)
	if err != nil {
		return person{}, err
	}
	if subtle.ConstantTimeCompare([]byte(verified.Nonce), []byte(s.Nonce)) != 1 || verified.Subject == "" {
		return person{}, errIDToken
	}
	var claims map[string]json.RawMessage
	if err := verified.Claims(&claims); err != nil {
		return person{}, err
	}
	out := person{id: personID(verified.Issuer, verified.Subject), groups: textsOf(claims[q.issuer.options.GroupsClaim])}
	for _, name := range []string{"name", "preferred_username"} {
		if all := textsOf(claims[name]); out.name == "" && len(all) == 1 {
			out.name = short(strings.TrimSpace(all[0]), maxName)
		}
	}
	return out, nil
}

// textsOf returns the texts of a claim: a list, or one.
func textsOf(claim json.RawMessage) []string {
	var all []string
	var one string
	switch {
	case json.Unmarshal(claim, &all) == nil:
		return all
	case json.Unmarshal(claim, &one) == nil && one != "":
		return []string{one}
	default:
		return nil
	}
}

var plainSubject = regexp.MustCompile(`^[A-Za-z0-9._@|:-]{1,150}$`)

// personID names a person in the audit: by the subject of the issuer, or by a hash of it if that is long or odd.
func personID(issuer, subject string) string {
	if plainSubject.MatchString(subject) {
		return "oidc:" + subject
	}
	return "oidc:" + uuid.NewSHA1(uuid.NameSpaceURL, []byte(issuer+"\n"+subject)).String()
}

// resumePerson returns the rights of a session that the issuer started, as the configuration grants them now. ok is
// false if it grants none.
func (q *request) resumePerson(s session) (key api.Key, ok bool) {
	if q.issuer == nil {
		return key, false
	}
	o := q.issuer.options
	_, rights := o.Groups.of(s.Groups)
	key = api.Key{
		ID: uuid.NewSHA1(uuid.NameSpaceURL, []byte(o.Issuer+"\n"+s.Person)), TenantID: o.Tenant, Scopes: rights.Scopes,
		Masked: rights.Masked,
	}
	return key, key.May(api.ScopeRead)
}
