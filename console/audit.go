package console

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/internal/cursor"
	"github.com/contextvault/contextvault/vault"
)

const auditPageSize = 100

// auditPage is the content of the page of the audit.
type auditPage struct {
	Entries []vault.AuditEntry
	Next    string
	Token   string

	Subject, Actor, Action, Operation, From, To string
	Errors                                      map[string]string // by field

	Expect      string // the head of an earlier verification
	ExpectError string
	Report      *vault.AuditReport // nil: nothing was verified
}

// query returns the address of a page with the same filter.
func (p auditPage) query(page string) string {
	values := url.Values{}
	for name, value := range map[string]string{
		"subject": p.Subject, "actor": p.Actor, "action": p.Action, "operation": p.Operation, "from": p.From, "to": p.To,
		"page": page,
	} {
		if value != "" {
			values.Set(name, value)
		}
	}
	return Path + "/audit?" + values.Encode()
}

// filter reads the filter of the form. What is wrong in it is in Errors.
func (p *auditPage) filter() vault.AuditFilter {
	p.Errors = map[string]string{}
	f := vault.AuditFilter{Subject: p.Subject, Action: vault.AuditAction(p.Action), Operation: p.Operation}
	if p.Action != "" && !slices.Contains(vault.AuditActions, f.Action) {
		p.Errors["action"] = "Choose one of the actions."
	}
	if p.Actor != "" {
		var err error
		if f.Actor, err = vault.ParseActor(p.Actor); err != nil {
			_, p.Errors["actor"] = explain(err)
		}
	}
	day := func(name, text string, add int) *time.Time {
		if text == "" {
			return nil
		}
		at, err := time.Parse(time.DateOnly, text)
		if err != nil {
			p.Errors[name] = "Enter a day, such as 2026-01-31."
			return nil
		}
		at = at.AddDate(0, 0, add)
		return &at
	}
	f.From, f.To = day("from", p.From, 0), day("to", p.To, 1)
	return f
}

func (q *request) auditPage() error {
	return q.showAudit(http.StatusOK, auditPage{})
}

func (q *request) showAudit(status int, p auditPage) error {
	get := func(name string) string { return strings.TrimSpace(q.r.URL.Query().Get(name)) }
	p.Token, p.Subject, p.Actor, p.Action = q.session.Token, get("subject"), get("actor"), get("action")
	p.Operation, p.From, p.To = get("operation"), get("from"), get("to")
	after, err := decodeCursor[uuid.UUID](get("page"))
	if err != nil {
		return err
	}
	filter := p.filter()
	if len(p.Errors) > 0 {
		return q.show(http.StatusUnprocessableEntity, "Audit", "audit", auditContent(p))
	}
	var more bool
	p.Entries, more, err = q.options.Query.AuditPage(q.ctx, q.key.TenantID, filter, after, auditPageSize)
	if err != nil {
		return err
	}
	if more {
		p.Next = cursor.Encode(p.Entries[len(p.Entries)-1].ID)
	}
	return q.show(status, "Audit", "audit", auditContent(p))
}

// verifyAudit compares the audit with its seals.
func (q *request) verifyAudit() error {
	p := auditPage{Expect: strings.TrimSpace(q.r.PostFormValue("expect"))}
	report, err := q.options.Query.VerifyAudit(q.ctx, q.key.TenantID, p.Expect)
	if _, ok := errors.AsType[*vault.Error](err); ok {
		status, text := explain(err)
		p.ExpectError = text
		return q.showAudit(status, p)
	}
	if err != nil {
		return err
	}
	p.Report = &report
	return q.showAudit(http.StatusOK, p)
}
