package console

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/google/uuid"

	"github.com/contextvault/contextvault/api"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/vault"
)

// maxForm is the maximum size of a form, in bytes. A value has at most 64 KiB; as a form it can be three times as long.
const maxForm = 1 << 20

// request is one request of a person.
type request struct {
	*Console

	w       http.ResponseWriter
	r       *http.Request
	ctx     context.Context //nolint:containedctx // of the request
	key     api.Key
	session session
	notices []notice
	reveal  string                        // the name of the read of masked values that the person asked for; "": none
	shown   map[uuid.UUID]map[string]bool // the fields on the page, by customer
	isLive  bool                          // the page is loaded again after changes
	done    bool                          // the response is complete
}

// begin authenticates a request and checks that it may be served. It completes the response of a request without a
// session.
func (q *request) begin(r route) error {
	q.r.Body = http.MaxBytesReader(q.w, q.r.Body, maxForm)
	if err := q.r.ParseForm(); err != nil {
		return vault.Invalid("form", "cannot be read; it must have at most %d bytes", maxForm)
	}
	if err := q.crossSites.Check(q.r); err != nil {
		return &vault.Error{
			Code:    vault.CodeNotAllowed,
			Message: "this form came from another site, so nothing was changed; open the console and try again",
		}
	}
	if r.scope == "" {
		return nil
	}
	s, ok := q.openSession()
	if !ok {
		return q.toSignIn()
	}
	key, err := q.resume(s)
	if err != nil {
		if status, _ := explain(err); status == http.StatusUnauthorized {
			return q.toSignIn()
		}
		return err
	}
	q.key, q.session = key, s
	q.ctx = q.reading(false)
	if !q.may(r.scope) {
		return &vault.Error{
			Code: vault.CodeNotAllowed, Message: "your API key lacks the scope " + string(r.scope) + ", so nothing was changed",
		}
	}
	if r.configures {
		if err := api.CheckConfigures(q.key.Masked); err != nil {
			return err
		}
	}
	if r.method == http.MethodPost {
		if err := q.checkToken(); err != nil {
			return err
		}
	}
	// A page that is open and does nothing does not keep its session.
	if r.path != livePath && q.options.Now().Sub(time.Unix(s.Seen, 0)) > seenEvery {
		return q.keepSession(s)
	}
	return nil
}

// resume returns the rights of a session.
func (q *request) resume(s session) (api.Key, error) {
	if s.Person == "" {
		return q.options.Keys.Resume(q.r, s.KeyHash)
	}
	key, ok := q.resumePerson(s)
	if !ok {
		return key, &api.Problem{Status: http.StatusUnauthorized, Detail: "your groups have no rights here any more"}
	}
	return key, q.options.Keys.Limit(q.r, key.ID)
}

// toSignIn redirects to the sign-in, and back to a page. What a form wanted is not done after it.
func (q *request) toSignIn() error {
	q.done = true
	if _, err := q.r.Cookie(cookieName); err == nil { // a link from another site sends none, and must not end the session
		q.setCookie("", -1)
	}
	next := ""
	if q.r.Method == http.MethodGet {
		next = "?" + url.Values{"next": {q.r.URL.RequestURI()}}.Encode()
	}
	return q.redirect("/sign-in" + next)
}

// reading returns the context of the reads of the person: masked, unless the person asked for the values and the key
// may see them.
func (q *request) reading(reveal bool) context.Context { return q.readingAs("", reveal) }

// readingAs is reading with the name of the read in the audit, for reads that query records itself.
func (q *request) readingAs(operation string, reveal bool) context.Context {
	access := vault.Access{
		Purpose: q.purpose(), Masked: q.key.Masked || !reveal, Agents: q.key.Agents, Operation: operation,
	}
	return vault.WithActor(query.WithAccess(q.r.Context(), access), q.actor())
}

// purpose is that of the reads of the person.
func (q *request) purpose() string {
	if q.session.Purpose != "" {
		return q.session.Purpose
	}
	return q.key.Purpose
}

// actor is the person, named by the issuer or by the key: a name that a person typed proves nothing.
func (q *request) actor() vault.Actor {
	if q.session.Person != "" {
		return vault.Actor("console:" + q.session.Person)
	}
	return vault.Actor("console:" + q.key.ID.String())
}

// decider is the name of the person for other people: the typed one, or the key.
func (q *request) decider() string {
	if q.session.Name != "" {
		return q.session.Name
	}
	return string(q.actor())
}

func (q *request) may(scope api.Scope) bool { return q.key.May(scope) }

// id returns the id in the path.
func (q *request) id() (uuid.UUID, error) {
	id, err := uuid.Parse(q.r.PathValue("id"))
	if err != nil || len(q.r.PathValue("id")) != len(uuid.Nil.String()) {
		return uuid.Nil, vault.Unknown("page", "it")
	}
	return id, nil
}

// redirect leads to a page of the console.
func (q *request) redirect(page string) error {
	http.Redirect(q.w, q.r, Path+page, http.StatusSeeOther)
	return nil
}

func (q *request) notFound() error { return vault.Unknown("page", "it") }

// render responds with a page.
func (q *request) render(status int, page templ.Component) error {
	var body bytes.Buffer
	if err := page.Render(q.ctx, &body); err != nil {
		return err
	}
	q.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	q.w.WriteHeader(status)
	_, _ = q.w.Write(body.Bytes()) // the client has gone
	return nil
}

// show responds with a page in the frame of the console.
func (q *request) show(status int, title, section string, content templ.Component) error {
	if err := q.recordShown(); err != nil {
		return err
	}
	q.addOutcomes()
	return q.render(status, framed(frame{
		Title: title, Section: section, Token: q.session.Token, Name: q.session.Name, Actor: string(q.actor()),
		Scopes: q.key.Scopes, Purpose: q.session.Purpose, Notices: q.notices, Here: q.here(), CanReveal: !q.key.Masked,
		Live: q.isLive && status == http.StatusOK,
	}, content))
}

// here is the address of the page, for forms that lead back to it.
func (q *request) here() string {
	if q.r.Method != http.MethodGet {
		return Path + "/inbox"
	}
	return q.r.URL.RequestURI()
}

// fail responds with the page of an error.
func (q *request) fail(err error) {
	if errors.Is(err, context.Canceled) {
		return
	}
	q.reveal = "" // the page of an error shows no values
	status, text := explain(err)
	if status >= http.StatusInternalServerError {
		q.options.Log.ErrorContext(q.ctx, "console_failed", "page", q.r.Pattern, "error", q.describe(err))
	}
	var out error
	if q.key.ID == uuid.Nil {
		out = q.render(status, plainPage(http.StatusText(status), text))
	} else {
		out = q.show(status, http.StatusText(status), "", errorPage(http.StatusText(status), text))
	}
	if out != nil {
		q.options.Log.ErrorContext(q.ctx, "console_failed", "page", q.r.Pattern, "error", q.describe(out))
	}
}

func (q *request) describe(err error) string {
	if q.options.Describe == nil {
		return fmt.Sprintf("%T", err)
	}
	return q.options.Describe(err)
}

// explain returns the status of a response to an error and a text for the person.
func explain(err error) (status int, text string) {
	if p, ok := errors.AsType[*api.Problem](err); ok {
		return p.Status, sentence(p.Detail)
	}
	e, ok := errors.AsType[*vault.Error](err)
	switch {
	case !ok && errors.Is(err, context.DeadlineExceeded):
		return http.StatusServiceUnavailable, "The vault did not answer in time. Try again."
	case !ok:
		return http.StatusInternalServerError, "The vault failed to answer. The log of the server has the cause."
	}
	return api.StatusOf(e.Code), sentence(e.ForCaller())
}

// sentence starts a text with a capital letter and ends it with a full stop.
func sentence(text string) string {
	if text == "" {
		return text
	}
	if !strings.ContainsAny(text[len(text)-1:], ".?!") {
		text += "."
	}
	return strings.ToUpper(text[:1]) + text[1:]
}
