package console_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/contextvault/contextvault/console"
	"github.com/contextvault/contextvault/vault"
)

// provider is a small issuer of OpenID Connect. It signs everybody in, as the person that the test sets.
type provider struct {
	t      *testing.T
	url    string
	signer jose.Signer
	key    *ecdsa.PrivateKey

	mu     sync.Mutex
	claims map[string]any // of the next ID token, beside those of each
	codes  map[string]url.Values
}

func newProvider(t *testing.T) *provider {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: "1"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	p := &provider{t: t, signer: signer, key: key, codes: map[string]url.Values{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		p.answer(w, 200, map[string]any{
			"issuer": p.url, "authorization_endpoint": p.url + "/authorize", "token_endpoint": p.url + "/token",
			"jwks_uri": p.url + "/keys", "id_token_signing_alg_values_supported": []string{"ES256"},
			"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
		})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		p.answer(w, 200, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "1", Algorithm: "ES256"}}})
	})
	mux.HandleFunc("GET /authorize", p.authorize)
	mux.HandleFunc("POST /token", p.token)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	p.url = server.URL
	return p
}

func (p *provider) answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		p.t.Error(err)
	}
}

func (p *provider) authorize(w http.ResponseWriter, r *http.Request) {
	asked := r.URL.Query()
	if asked.Get("code_challenge_method") != "S256" || asked.Get("code_challenge") == "" || asked.Get("nonce") == "" ||
		len(asked.Get("state")) < 16 || asked.Get("response_type") != "code" {
		p.t.Errorf("the console asks for %v", asked)
	}
	code := rand.Text()
	p.mu.Lock()
	p.codes[code] = asked
	p.mu.Unlock()
	back := asked.Get("redirect_uri") + "?" + url.Values{"code": {code}, "state": {asked.Get("state")}}.Encode()
	http.Redirect(w, r, back, http.StatusSeeOther)
}

func (p *provider) token(w http.ResponseWriter, r *http.Request) {
	id, secret, _ := r.BasicAuth()
	p.mu.Lock()
	asked, known := p.codes[r.PostFormValue("code")]
	delete(p.codes, r.PostFormValue("code"))
	claims := map[string]any{}
	for name, value := range p.claims {
		claims[name] = value
	}
	p.mu.Unlock()
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	if !known || id != "console" || secret != "secret" ||
		base64.RawURLEncoding.EncodeToString(sum[:]) != asked.Get("code_challenge") {
		p.answer(w, 400, map[string]any{"error": "invalid_grant"})
		return
	}
	for name, value := range map[string]any{
		"iss": p.url, "aud": "console", "exp": time.Now().Add(time.Minute).Unix(), "iat": time.Now().Unix(),
		"nonce": asked.Get("nonce"), "sub": "ada",
	} {
		if _, set := claims[name]; !set {
			claims[name] = value
		}
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		p.t.Error(err)
	}
	signed, err := p.signer.Sign(payload)
	if err != nil {
		p.t.Error(err)
	}
	raw, err := signed.CompactSerialize()
	if err != nil {
		p.t.Error(err)
	}
	p.answer(w, 200, map[string]any{"access_token": "x", "token_type": "Bearer", "id_token": raw})
}

// says sets the claims of the next sign-in.
func (p *provider) says(claims map[string]any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.claims = claims
}

// stranger is a client without a session.
func (w *world) stranger() *visitor {
	w.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return &visitor{t: w.t, url: w.url, client: &http.Client{Jar: jar}}
}

func withOIDC(t *testing.T, p *provider) (*world, *console.OIDC) {
	t.Helper()
	groups, err := console.ParseGroups("admins=admin; support=read,review ;blind=read,masked; write-only=write")
	if err != nil {
		t.Fatal(err)
	}
	o := &console.OIDC{
		Issuer: p.url, ClientID: "console", ClientSecret: "secret", GroupsClaim: "groups", Groups: groups,
	}
	w := newWorld(t)
	o.Tenant = w.tenant
	w.url = serveOIDC(t, o)
	return w, o
}

// serveOIDC starts the console at the address that the issuer leads back to.
func serveOIDC(t *testing.T, o *console.OIDC) string {
	t.Helper()
	var handler http.Handler
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	t.Cleanup(s.Close)
	o.RedirectURL = s.URL + "/console/oidc/callback"
	handler = handlerOf(t, func(options *console.Options) { options.OIDC = o })
	return s.URL
}

// A person signs in at the issuer, has the rights of their groups and is named by the issuer's subject in the audit.
func TestOIDC_RightsFollowTheGroups(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	w, _ := withOIDC(t, p)
	w.define(func(d *vault.Definition) { d.IsPII = true }, "passport")
	passport := w.write("passport", "X1234567")
	at := "/customers/" + w.customer.String()

	p.says(map[string]any{"groups": []string{"others", "support"}, "name": "Ada <b>Quill"})
	v := w.stranger()
	v.get("/sign-in").want(200).has("Sign in with your organisation")
	done := v.get("/oidc/start?next=" + url.QueryEscape("/console"+at)).want(200).has("You are signed in")
	if !strings.Contains(done.body, `content="0;url=/console`+at+`"`) {
		t.Errorf("the page after the sign-in is %s", done.body)
	}
	v.get(at).want(200).has("Ada <b>Quill", "console:oidc:ada", "Correct").lacks("Erase for good", "X1234567")
	v.post(at + "/reveal").want(200).has("X1234567")
	v.get("/keys").want(403)
	v.get(at + "/values/passport/correct").want(200)
	v.post(at+"/values/passport/correct", "seen", passport.String(), "agent", w.agent.String(), "value", "X7654321",
		"reason", "typing error").want(200).has("correct-value succeeded.")
	entries, _, err := kit.Query.AuditPage(t.Context(), w.tenant, vault.AuditFilter{Actor: "console:oidc:ada"}, nil, 10)
	if err != nil || len(entries) < 2 {
		t.Errorf("the audit has %v of the person, %v", entries, err)
	}

	p.says(map[string]any{"groups": []string{"blind"}})
	blind := w.stranger()
	blind.get("/oidc/start").want(200)
	blind.get(at).want(200).lacks("Reveal")
	blind.post(at + "/reveal").want(403).lacks("X1234567")

	p.says(map[string]any{"groups": "admins"})
	admin := w.stranger()
	admin.get("/oidc/start").want(200)
	admin.get("/keys").want(200).has("API keys")

	for _, groups := range []any{nil, "nobody", []string{"write-only"}, 7} {
		p.says(map[string]any{"groups": groups})
		none := w.stranger()
		none.get("/oidc/start").want(403).has("None of your groups may read here.")
		none.get("/inbox").want(200).has("API key")
	}
}

// A callback that this browser did not start, or whose token is of another sign-in, starts no session.
func TestOIDC_RefusesForgedAnswers(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	w, o := withOIDC(t, p)
	closed := func(v *visitor) {
		t.Helper()
		v.get("/inbox").want(200).has("API key").lacks("Sign out")
	}
	for name, claims := range map[string]map[string]any{
		"another nonce":    {"nonce": "forged"},
		"another audience": {"aud": "someone else"},
		"another issuer":   {"iss": "https://evil.example"},
		"expired":          {"exp": time.Now().Add(-time.Hour).Unix()},
		"no subject":       {"sub": ""},
	} {
		claims["groups"] = "admins"
		p.says(claims)
		v := w.stranger()
		if page := v.get("/oidc/start").want(403); !strings.Contains(page.text(), "not valid") {
			t.Errorf("%s: %s", name, page.text())
		}
		closed(v)
	}
	p.says(map[string]any{"groups": "admins"})
	v := w.stranger()
	v.get("/oidc/callback?code=x&state=y").want(400).has("was not started here")
	closed(v)

	// The state of one browser is of no use to another, and a code is for the browser with its verifier.
	stop := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	ada, eve := w.stranger(), w.stranger()
	ada.client.CheckRedirect, eve.client.CheckRedirect = stop, stop
	callback := func(v *visitor) string {
		t.Helper()
		at := v.get("/oidc/start").want(http.StatusSeeOther).header.Get("Location")
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, at, nil)
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimPrefix(v.do(r).want(http.StatusSeeOther).header.Get("Location"), w.url+"/console")
	}
	adas := callback(ada)
	callback(eve)
	eve.get(adas).want(400)
	_, query, _ := strings.Cut(adas, "?")
	stolen, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	path, query, _ := strings.Cut(callback(eve), "?")
	mixed, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	mixed.Set("code", stolen.Get("code"))
	eve.get(path + "?" + mixed.Encode()).want(403)
	closedWithout := w.stranger()
	closed(closedWithout)
	ada.get(callback(ada)).want(200).has("You are signed in")

	// An address elsewhere is not followed after the sign-in.
	w2 := w.stranger()
	page := w2.get("/oidc/start?next=" + url.QueryEscape("https://evil.example/")).want(200)
	if strings.Contains(page.body, "evil") || !strings.Contains(page.body, `url=/console/inbox"`) {
		t.Errorf("the sign-in leads to %s", page.body)
	}

	// Rights that the configuration takes away are gone at the next request.
	w2.get("/inbox").want(200).has("Sign out")
	delete(o.Groups, "admins")
	closed(w2)
}

func TestOIDC_IsAbsentWithoutItsConfiguration(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.stranger()
	v.get("/sign-in").want(200).lacks("organisation")
	v.get("/oidc/start").want(404)
	v.get("/oidc/callback?code=x&state=y").want(404)
}

func TestParseGroups_Refuses(t *testing.T) {
	t.Parallel()
	for text, says := range map[string]string{
		"admins":      "group=scope",
		"=read":       "group=scope",
		"admins=root": `"root"`,
		"admins=":     "scopes",
	} {
		if _, err := console.ParseGroups(text); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if got, err := console.ParseGroups(" a = read , masked ; ; b=admin;"); err != nil || len(got) != 2 || !got["a"].Masked {
		t.Errorf("got %v, %v", got, err)
	}
}
