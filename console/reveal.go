package console

import (
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/vault"
)

// revealed serves a page with the masked values. The audit names the read, the customers and the fields before the
// person sees them.
func revealed(name string, serve func(*request) error) func(*request) error {
	return func(q *request) error {
		if q.key.Masked {
			return &vault.Error{Code: vault.CodeNotAllowed, Message: "your API key sees masked values only"}
		}
		q.reveal, q.ctx = name, q.reading(true)
		return serve(q)
	}
}

// sees notes fields of a customer that are on the page.
func (q *request) sees(customer uuid.UUID, fields ...string) {
	if q.shown == nil {
		q.shown = map[uuid.UUID]map[string]bool{}
	}
	if q.shown[customer] == nil {
		q.shown[customer] = map[string]bool{}
	}
	for _, field := range fields {
		q.shown[customer][field] = true
	}
}

// recordShown stores the entries of the audit about the personal fields on a page that shows them unmasked. After an
// error the page must not be shown.
func (q *request) recordShown() error {
	if q.reveal == "" || len(q.shown) == 0 {
		return nil
	}
	personal, err := q.options.Query.PersonalFields(q.ctx, q.key.TenantID)
	if err != nil {
		return err
	}
	var entries []vault.AuditEntry
	for customer, fields := range q.shown {
		masked := slices.DeleteFunc(slices.Sorted(maps.Keys(fields)), func(field string) bool {
			return !personal[field] && field != vault.AuditedTurns && field != vault.AuditedChannels
		})
		if len(masked) == 0 {
			continue
		}
		id, err := uuid.NewV7()
		if err != nil {
			return err
		}
		entries = append(entries, vault.AuditEntry{
			ID: id, TenantID: q.key.TenantID, At: time.Now().UTC().Truncate(time.Microsecond), Action: vault.AuditRead,
			Actor: q.actor(), Operation: q.reveal, Subject: customer.String(), Fields: masked, Purpose: q.purpose(),
		})
	}
	if len(entries) == 0 {
		return nil
	}
	return q.options.Audit(q.ctx, entries)
}
