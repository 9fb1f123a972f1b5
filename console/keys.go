package console

import (
	"encoding/hex"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/api"
	"github.com/contextvault/contextvault/internal/cursor"
	"github.com/contextvault/contextvault/vault"
)

const (
	keysPageSize  = 50
	usagePageSize = 31
)

// keysPage is the content of the page of API keys.
type keysPage struct {
	Keys      []vault.KeySummary
	Next      string
	Token     string
	Own       uuid.UUID // the key of the session
	MaskedOwn bool
	Now       time.Time

	// What the person typed, and what was wrong with it, by field; "": the whole.
	Name, Purpose, Agents, Expires string
	Scopes                         []string
	Sources                        []string
	Masked                         bool
	Errors                         map[string]string

	// The key that was just created. It is shown once.
	Created *vault.CreateKeyInput
	Secret  string
	Waits   bool // it is accepted, and works soon
}

func (q *request) keysPage() error {
	return q.showKeys(http.StatusOK, keysPage{Scopes: []string{string(api.ScopeRead)}, Masked: q.key.Masked})
}

func (q *request) showKeys(status int, p keysPage) error {
	after, err := decodeCursor[uuid.UUID](q.r.URL.Query().Get("page"))
	if err != nil {
		return err
	}
	var more bool
	if p.Keys, more, err = q.options.Query.KeysPage(q.ctx, q.key.TenantID, after, keysPageSize); err != nil {
		return err
	}
	if more {
		p.Next = cursor.Encode(p.Keys[len(p.Keys)-1].ID)
	}
	p.Token, p.Own, p.MaskedOwn, p.Now = q.session.Token, q.key.ID, q.key.Masked, q.options.Now()
	return q.show(status, "API keys", "keys", keysContent(p))
}

// createKey creates a key. Its secret is made here, is on one page, and is stored nowhere.
func (q *request) createKey() error {
	p := keysPage{
		Name: strings.TrimSpace(q.r.PostFormValue("name")), Purpose: strings.TrimSpace(q.r.PostFormValue("purpose")),
		Agents:  strings.TrimSpace(q.r.PostFormValue("agents")),
		Expires: strings.TrimSpace(q.r.PostFormValue("expires")), Scopes: q.r.PostForm["scope"],
		Sources: q.r.PostForm["source"], Masked: q.r.PostFormValue("masked") != "", Errors: map[string]string{},
	}
	secret := api.NewKey()
	in := vault.CreateKeyInput{
		Name: p.Name, KeyHash: hex.EncodeToString(api.HashKey(secret)), Scopes: p.Scopes, Purpose: p.Purpose,
		Masked: p.Masked,
	}
	for _, source := range p.Sources {
		in.Sources = append(in.Sources, vault.ValueSource(source))
	}
	if p.Name == "" {
		p.Errors["name"] = "Enter the purpose of the key."
	}
	if len(p.Scopes) == 0 {
		p.Errors["scopes"] = "Choose at least one scope."
	}
	if p.Expires != "" {
		at, err := time.Parse(time.DateOnly, p.Expires)
		if err != nil {
			p.Errors["expires"] = "Enter a day, such as " + q.options.Now().AddDate(0, 3, 0).Format(time.DateOnly) + "."
		}
		in.ExpiresAt = &at
	}
	var scopes []api.Scope
	for _, scope := range p.Scopes {
		scopes = append(scopes, api.Scope(scope))
	}
	agents, wrong := api.ParseAgents(p.Agents, scopes)
	if in.Agents = agents; wrong != nil {
		_, p.Errors["agents"] = explain(wrong)
	}
	again := func(status int) error { return q.showKeys(status, p) }
	if len(p.Errors) > 0 {
		return again(http.StatusUnprocessableEntity)
	}
	op, err := uuid.Nil, api.CheckNewKey(q.key.Masked, in, q.options.Now())
	if err == nil {
		err = q.options.Query.CheckKeyPurpose(q.ctx, q.key.TenantID, in.Purpose)
	}
	if err == nil {
		op, err = submit(q, vault.CreateKey, in)
	}
	if e, ok := errors.AsType[*vault.Error](err); ok {
		status, text := explain(err)
		field, _, _ := strings.Cut(e.Field, "[")
		field = map[string]string{
			"name": "name", "scopes": "scopes", "sources": "sources", "purpose": "purpose", "masked": "masked",
			"agents":     "agents",
			"expires_at": "expires",
		}[field]
		p.Errors[field] = text
		return again(status)
	}
	if err != nil {
		return err
	}
	stored, err := q.options.Query.Operation(q.ctx, q.key.TenantID, op)
	if err != nil {
		return err
	}
	return q.showKeys(http.StatusOK, keysPage{
		Created: &in, Secret: secret, Waits: !stored.Status.Finished(), Scopes: []string{string(api.ScopeRead)},
		Masked: q.key.Masked,
	})
}

// revokeKey ends a key. That of the session ends with the session.
func (q *request) revokeKey() error {
	id, err := q.id()
	if err != nil {
		return err
	}
	return submitAndLead(q, "/keys", vault.RevokeKey, vault.RevokeKeyInput{KeyID: id})
}

func (p keysPage) state(k vault.KeySummary) string {
	switch {
	case k.RevokedAt != nil:
		return "revoked"
	case k.ExpiresAt != nil && !k.ExpiresAt.After(p.Now):
		return "expired"
	default:
		return "active"
	}
}

func (p keysPage) has(all []string, one string) bool { return slices.Contains(all, one) }

// usagePage shows what was used of the language model by day.
func (q *request) usagePage() error {
	before, err := decodeCursor[time.Time](q.r.FormValue("page"))
	if err != nil {
		return err
	}
	days, more, err := q.options.Query.UsagePage(q.ctx, q.key.TenantID, before, usagePageSize)
	if err != nil {
		return err
	}
	next := ""
	if more {
		last, err := time.Parse(time.DateOnly, days[len(days)-1].Day)
		if err != nil {
			return err
		}
		next = cursor.Encode(last)
	}
	return q.show(http.StatusOK, "Use of the language model", "usage", usageContent(days, next))
}
