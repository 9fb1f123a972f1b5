package api

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/api/internal/input"
	"github.com/contextvault/contextvault/vault"
)

const tagAudit = "Audit"

func (s *Server) auditRoutes() {
	type listAudit struct {
		Subject   string            `query:"subject" maxLength:"100" doc:"Only entries about this customer, or another thing, by its id."`
		Actor     string            `query:"actor" maxLength:"200" doc:"Only entries of this actor." example:"key:01920000-0000-7000-8000-000000000001"`
		Action    vault.AuditAction `query:"action" enum:"accepted,forced,applied,rejected,replayed,read,exported,erased,key_created,key_revoked" doc:"Only entries with this action."`
		Operation string            `query:"operation" maxLength:"100" doc:"Only entries of this workflow or read." example:"write-value"`
		Purpose   string            `query:"purpose" maxLength:"100" doc:"Only reads for this purpose."`
		From      time.Time         `query:"from" doc:"Only entries from this time on."`
		To        time.Time         `query:"to" doc:"Only entries before this time."`
		input.Page
	}
	register(s, route{
		name: "list-audit", method: http.MethodGet, path: "/v1/audit", tag: tagAudit, access: toOperate,
		summary: "List the entries of the audit",
		detail:  "Newest first: who did what to whom, without values. Entries outlive the customer.",
	}, func(ctx context.Context, c caller, in *listAudit) (*page[vault.AuditEntry], error) {
		filter := vault.AuditFilter{
			Subject: in.Subject, Action: in.Action, Operation: in.Operation, Purpose: in.Purpose,
		}
		if in.Actor != "" {
			var err error
			if filter.Actor, err = vault.ParseActor(in.Actor); err != nil {
				return nil, err
			}
		}
		if !in.From.IsZero() {
			filter.From = &in.From
		}
		if !in.To.IsZero() {
			filter.To = &in.To
		}
		return pageByID(in.Page, func(after *uuid.UUID, limit int) ([]vault.AuditEntry, bool, error) {
			return s.options.Query.AuditPage(ctx, c.tenant, filter, after, limit)
		}, func(e vault.AuditEntry) uuid.UUID { return e.ID })
	})
	type verifyAudit struct {
		Expect string `query:"expect" maxLength:"100" doc:"The head of an earlier verification: number:hash. With it, removed or new seals are noticed too."`
	}
	register(s, route{
		name: "verify-audit", method: http.MethodGet, path: "/v1/audit/verification", tag: tagAudit, access: toOperate,
		summary: "Compare the audit with its seals",
		detail: "It reads the whole audit of the tenant, and names each entry that was changed, removed or inserted, and " +
			"each seal that was changed or removed.",
	}, func(ctx context.Context, c caller, in *verifyAudit) (*one[vault.AuditReport], error) {
		report, err := s.options.Query.VerifyAudit(ctx, c.tenant, in.Expect)
		return &one[vault.AuditReport]{report}, err
	})
}
