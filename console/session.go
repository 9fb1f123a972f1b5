package console

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/contextvault/contextvault/api"
	"github.com/contextvault/contextvault/vault"
)

// session is the content of the session cookie. The cookie is sealed, so that no process keeps a session and each of
// them can serve it. It holds the hash of the API key, never the key: the cookie opens no other door, and it ends when
// the key is revoked, because each request looks the key up.
type session struct {
	KeyHash []byte `json:"k,omitempty"`
	// Person and Groups are of a session by OpenID Connect, which has no key: who it is, and the groups that grant rights.
	Person  string   `json:"o,omitempty"`
	Groups  []string `json:"g,omitempty"`
	Name    string   `json:"n,omitempty"` // as the person typed it, for people
	Purpose string   `json:"p,omitempty"`
	Token   string   `json:"t"` // of the forms of the session
	Started int64    `json:"s"` // seconds since 1970
	Seen    int64    `json:"l"` // the last request, in seconds since 1970
}

const (
	cookieName = "vault_console"
	// seenEvery is the interval at which the cookie is renewed, so that not every response sets it.
	seenEvery = time.Minute
	maxName   = 100
)

// sealed returns the value of a cookie that only the console can read and write.
func (q *request) sealed(v any) (string, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	sealed, err := q.options.Sealer.Seal(q.ctx, plain)
	return base64.RawURLEncoding.EncodeToString(sealed), err
}

// openCookie reads what sealed made. It reports whether the cookie is there and is the console's.
func (q *request) openCookie(name string, into any) bool {
	cookie, err := q.r.Cookie(name)
	if err != nil {
		return false
	}
	sealed, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	if err != nil {
		return false
	}
	plain, err := q.options.Sealer.Open(q.ctx, sealed)
	return err == nil && json.Unmarshal(plain, into) == nil
}

// openSession returns the session of a request. ok is false if there is none that is valid.
func (q *request) openSession() (s session, ok bool) {
	if !q.openCookie(cookieName, &s) {
		return s, false
	}
	now := q.options.Now()
	idle, age := now.Sub(time.Unix(s.Seen, 0)), now.Sub(time.Unix(s.Started, 0))
	return s, idle < q.options.IdleTimeout && age < q.options.MaxSession
}

// keepSession sets the cookie of a session.
func (q *request) keepSession(s session) error {
	s.Seen = q.options.Now().Unix()
	sealed, err := q.sealed(s)
	if err != nil {
		return err
	}
	q.setCookie(sealed, 0)
	return nil
}

// setCookie sets the session cookie; a negative age deletes it. It ends with the browser at the latest.
func (q *request) setCookie(value string, maxAge int) {
	http.SetCookie(q.w, &http.Cookie{
		Name: cookieName, Value: value, Path: Path, MaxAge: maxAge, HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Secure: q.isSecure(),
	})
}

// isSecure reports whether the browser came over TLS.
func (q *request) isSecure() bool {
	return q.r.TLS != nil || strings.EqualFold(q.r.Header.Get("X-Forwarded-Proto"), "https")
}

// checkToken compares the token of a form with that of the session.
func (q *request) checkToken() error {
	if subtle.ConstantTimeCompare([]byte(q.r.PostFormValue("token")), []byte(q.session.Token)) != 1 {
		return &vault.Error{
			Code: vault.CodeNotAllowed, Field: "token",
			Message: "this form is not of your session, so nothing was changed; open the page again",
		}
	}
	return nil
}

func (q *request) signInPage() error {
	return q.render(http.StatusOK, signInPage(signInForm{Next: q.next(), OIDC: q.issuer != nil}))
}

type signInForm struct {
	Next, Name string
	Error      string // about the key
	NameError  string
	OIDC       bool // there is a sign-in by OpenID Connect
	OIDCError  string
}

// signIn starts a session. An error says the same for each key that is not valid.
func (q *request) signIn() error {
	form := signInForm{OIDC: q.issuer != nil, Next: q.next(), Name: strings.TrimSpace(q.r.PostFormValue("name"))}
	if utf8.RuneCountInString(form.Name) > maxName {
		form.NameError = "The name has more than 100 characters; use a shorter one."
		return q.render(http.StatusUnprocessableEntity, signInPage(form))
	}
	secret := strings.TrimSpace(q.r.PostFormValue("key"))
	key, err := q.options.Keys.SignIn(q.r, secret)
	if err != nil {
		status, text := explain(err)
		if status >= http.StatusInternalServerError {
			return err
		}
		form.Error = text
		return q.render(status, signInPage(form))
	}
	if !key.May(api.ScopeRead) {
		form.Error = "This API key lacks the scope read, which the console needs."
		return q.render(http.StatusForbidden, signInPage(form))
	}
	now := q.options.Now().Unix()
	started := session{KeyHash: api.HashKey(secret), Name: form.Name, Token: rand.Text(), Started: now}
	if err := q.keepSession(started); err != nil {
		return err
	}
	http.Redirect(q.w, q.r, form.Next, http.StatusSeeOther)
	return nil
}

func (q *request) signOut() error {
	q.setCookie("", -1)
	return q.redirect("/sign-in")
}

// setPurpose sets the purpose of the reads of the session.
func (q *request) setPurpose() error {
	purpose := strings.TrimSpace(q.r.PostFormValue("purpose"))
	if purpose != "" {
		if err := q.options.Query.CheckPurpose(q.ctx, q.key.TenantID, purpose); err != nil {
			return err
		}
	}
	q.session.Purpose = purpose
	if err := q.keepSession(q.session); err != nil {
		return err
	}
	http.Redirect(q.w, q.r, q.next(), http.StatusSeeOther)
	return nil
}

// next returns the page of the console after a sign-in, from the parameter next. An address that is not of the console
// is the inbox, so that no link leads elsewhere.
func (q *request) next() string {
	wanted := q.r.FormValue("next")
	if !strings.HasPrefix(wanted, Path+"/") || strings.ContainsAny(wanted, "\\\r\n\t") ||
		strings.Contains(wanted, "/..") || strings.Contains(wanted, "//") || strings.HasPrefix(wanted, Path+"/sign-") {
		return Path + "/inbox"
	}
	return wanted
}
