package client

import (
	"context"
	"iter"
	"net/url"
	"time"

	"github.com/contextvault/contextvault/vault"
)

// ListAudit lists the entries of the audit, newest first.
func (c *Client) ListAudit(ctx context.Context, filter vault.AuditFilter) iter.Seq2[vault.AuditEntry, error] {
	query := url.Values{}
	for name, text := range map[string]string{
		"subject": filter.Subject, "actor": string(filter.Actor), "action": string(filter.Action),
		"operation": filter.Operation, "purpose": filter.Purpose,
	} {
		if text != "" {
			query.Set(name, text)
		}
	}
	for name, at := range map[string]*time.Time{"from": filter.From, "to": filter.To} {
		if at != nil {
			query.Set(name, at.UTC().Format(time.RFC3339Nano))
		}
	}
	return list[vault.AuditEntry](ctx, c, path("v1", "audit"), query)
}

// VerifyAudit compares the audit with its seals. expect is the head of an earlier verification; "": none.
func (c *Client) VerifyAudit(ctx context.Context, expect string) (vault.AuditReport, error) {
	query := url.Values{}
	if expect != "" {
		query.Set("expect", expect)
	}
	return get[vault.AuditReport](ctx, c, path("v1", "audit", "verification"), query)
}
