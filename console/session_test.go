package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/contextvault/contextvault/api"
	"github.com/contextvault/contextvault/console"
	"github.com/contextvault/contextvault/db/dbgen"
)

// A session works with each process of the API, and its cookie holds no key.
func TestSession_WorksWithEachProcess(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.visitor(w.key)
	v.get("/inbox").want(200).has("Inbox", "Grace")
	at, err := url.Parse(w.url + "/console/")
	if err != nil {
		t.Fatal(err)
	}
	cookies := v.client.Jar.Cookies(at)
	if len(cookies) != 1 || strings.Contains(cookies[0].Value, w.key) {
		t.Fatalf("the cookies are %v", cookies)
	}
	other := &visitor{t: t, url: serve(t), client: v.client} // the jar sends cookies to all ports of a host
	other.get("/inbox").want(200).has("Inbox", "Grace")
}

func TestSession_CookieIsProtected(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, proto := range []string{"http", "https"} {
		v := &visitor{t: t, url: w.url, client: &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		}}}
		p := v.do(v.form("/sign-in", url.Values{"key": {w.key}}, "X-Forwarded-Proto", proto)).want(http.StatusSeeOther)
		cookie, err := http.ParseSetCookie(p.header.Get("Set-Cookie"))
		if err != nil {
			t.Fatal(err)
		}
		if !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode || cookie.Path != "/console" ||
			cookie.Secure != (proto == "https") || cookie.MaxAge != 0 {
			t.Errorf("over %s the cookie is %+v", proto, cookie)
		}
	}
}

func TestSession_Ends(t *testing.T) {
	t.Parallel()
	var ahead atomic.Int64
	clock := func(o *console.Options) {
		o.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	}
	w := newWorld(t, clock)
	v := w.visitor(w.key)
	for _, step := range []struct {
		after time.Duration
		open  bool
	}{{20 * time.Minute, true}, {20 * time.Minute, true}, {31 * time.Minute, false}} {
		ahead.Add(int64(step.after))
		if p := v.get("/inbox").want(200); strings.Contains(p.text(), "Sign out") != step.open {
			t.Errorf("after %s: %s", step.after, p.text())
		}
	}
	v = w.visitor(w.key)
	for range 24 {
		ahead.Add(int64(29 * time.Minute))
		v.get("/inbox").want(200)
	}
	ahead.Add(int64(29 * time.Minute))
	v.get("/inbox").want(200).lacks("Sign out").has("API key")
}

func TestSession_SignOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.visitor(w.key)
	v.get("/inbox").want(200)
	v.post("/sign-out").want(200).has("API key")
	if p := v.get("/inbox").want(200); !strings.HasPrefix(p.at, "/console/sign-in?next=") {
		t.Errorf("after the sign-out, the inbox leads to %s", p.at)
	}
}

func TestSession_EndsWithItsKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *console.Options) { o.Keys = uncached{o.Keys} })
	gone := time.Now().Add(-time.Second)
	soon := time.Now().Add(time.Hour)
	var hash []byte
	key := w.newKey(func(in *dbgen.CreateAPIKeyParams) { hash, in.ExpiresAt = in.KeyHash, &soon }, "read")
	v := w.visitor(key)
	v.get("/inbox").want(200).has("Sign out")
	revoked.Store(string(hash), gone)
	v.get("/inbox").want(200).lacks("Sign out").has("API key")
}

func TestSignIn_RefusesOtherKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, c := range map[string]struct {
		key    string
		status int
		says   string
	}{
		"nothing":          {"", 401, "The API key is not known."},
		"not a key":        {"<script>alert(1)</script>", 401, "The API key is not known."},
		"an unknown key":   {api.NewKey(), 401, "The API key is not known."},
		"a key for writes": {w.newKey(nil, "write"), 403, "lacks the scope read"},
	} {
		t.Run(name, func(t *testing.T) {
			v := &visitor{t: t, url: w.url, client: &http.Client{}}
			p := v.post("/sign-in", "key", c.key, "name", `"><b>Grace`).want(c.status).has(c.says)
			if c.key != "" && strings.Contains(p.body, c.key) {
				t.Error("the page repeats the key")
			}
			if !strings.Contains(p.body, `value="&#34;&gt;&lt;b&gt;Grace"`) {
				t.Errorf("the typed name is not kept: %s", p.body)
			}
			if p.header.Get("Set-Cookie") != "" {
				t.Error("there is a session")
			}
		})
	}
}

// The page after the sign-in is always one of the console.
func TestSignIn_LeadsNowhereElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for next, want := range map[string]string{
		"/console/inbox?page=x":         "/console/inbox?page=x",
		"https://evil.example/":         "/console/inbox",
		"//evil.example/console/":       "/console/inbox",
		`/\evil.example`:                "/console/inbox",
		"/console/../v1/customers":      "/console/inbox",
		"/console//evil.example":        "/console/inbox",
		"/console/\r\nX-Evil: 1":        "/console/inbox",
		"/consoles/inbox":               "/console/inbox",
		"javascript:alert(1)":           "/console/inbox",
		"/console/sign-out":             "/console/inbox",
		"\t//evil.example/console/":     "/console/inbox",
		"/console/inbox\\@evil.example": "/console/inbox",
	} {
		v := &visitor{t: t, url: w.url, client: &http.Client{CheckRedirect: stay}}
		p := v.post("/sign-in", "key", w.key, "next", next).want(http.StatusSeeOther)
		if got := p.header.Get("Location"); got != want {
			t.Errorf("next %q leads to %q, want %q", next, got, want)
		}
	}
}

func TestResponses_AreGuarded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.visitor(w.key)
	for _, path := range []string{"/inbox", "/sign-in", "/no-such-page"} {
		h := v.get(path).header
		for _, directive := range []string{
			"default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'",
			"form-action 'self'",
		} {
			if !strings.Contains(h.Get("Content-Security-Policy"), directive) {
				t.Errorf("%s: the policy %q lacks %s", path, h.Get("Content-Security-Policy"), directive)
			}
		}
		if strings.Contains(h.Get("Content-Security-Policy"), "unsafe") || h.Get("X-Frame-Options") != "DENY" ||
			h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: the headers are %v", path, h)
		}
	}
	v.get("/no-such-page").want(404).has("does not exist")
}

var revoked sync.Map

// uncached asks for each key whether the test has revoked it, in place of the five seconds of the API's cache.
type uncached struct{ console.Keys }

func (u uncached) Resume(r *http.Request, hash []byte) (api.Key, error) {
	if _, gone := revoked.Load(string(hash)); gone {
		return u.Keys.Resume(r, api.HashKey(api.NewKey()))
	}
	return u.Keys.Resume(r, hash)
}
