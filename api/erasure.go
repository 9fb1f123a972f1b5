package api

import (
	"bytes"
	"context"
	"io"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/contextvault/contextvault/api/internal/input"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/vault"
)

const tagErasure = "Erasure and export"

// streamed is an answer that a handler writes itself.
type streamed struct{ Body func(huma.Context) }

// ReceiptKey is the public key of receipts.
type ReceiptKey struct {
	PublicKey string `json:"public_key" doc:"The public key that checks the receipts of this tenant: a keyset of Tink in JSON, as vault erasure verify reads it."`
}

// erasurePath is the path of an erasure.
type erasurePath struct {
	Erasure input.ID `path:"erasure_id" doc:"The id of the erasure: that of its operation."`
}

func (s *Server) erasureRoutes() {
	submit[customerBody](s, vault.EraseCustomer, route{
		method: http.MethodPost, path: "/v1/customers/{customer_id}/erasure", tag: tagErasure, access: toErase,
		summary: "Erase a customer for good",
		detail: "Removes everything that the vault holds of the customer and of the customers merged with it, in all " +
			"tables and in the cache, and signs a receipt. It cannot be undone: DELETE /v1/customers/{customer_id} is the " +
			"reversible deletion. From its start on nothing can be stored for the customer: later operations fail with " +
			"erased. The id of the operation is the id of the erasure.",
		example: `{"derived": "stale"}`, optionalBody: true,
	})
	type list struct{ input.Page }
	register(s, route{
		name: "list-erasures", method: http.MethodGet, path: "/v1/erasures", tag: tagErasure, access: toErase,
		summary: "List the erasures", detail: "Newest first, without their receipts. They name no customer.",
	}, func(ctx context.Context, c caller, in *list) (*page[vault.Erasure], error) {
		return pageByID(in.Page, func(before *uuid.UUID, limit int) ([]vault.Erasure, bool, error) {
			return s.options.Query.ErasuresPage(ctx, c.tenant, before, limit)
		}, func(e vault.Erasure) uuid.UUID { return e.ID })
	})
	register(s, route{
		name: "get-erasure", method: http.MethodGet, path: "/v1/erasures/{erasure_id}", tag: tagErasure, access: toErase,
		summary: "Get an erasure with its receipt",
		detail: "The receipt is signed (Ed25519) and contains counts and no personal data. `vault erasure verify` checks " +
			"it without the vault.",
		errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, c caller, in *erasurePath) (*one[vault.Erasure], error) {
		e, err := s.options.Query.Erasure(ctx, c.tenant, in.Erasure.UUID)
		return &one[vault.Erasure]{e}, err
	})
	register(s, route{
		name: "get-receipt-key", method: http.MethodGet, path: "/v1/receipt-key", tag: tagErasure, access: toErase,
		summary: "Get the public key of receipts",
		detail:  "Each tenant has its own key; its first erasure makes it.",
		errors:  []int{http.StatusNotFound, http.StatusUnprocessableEntity},
	}, func(ctx context.Context, c caller, _ *struct{}) (*one[ReceiptKey], error) {
		key, err := s.options.Query.ReceiptKey(ctx, c.tenant)
		return &one[ReceiptKey]{ReceiptKey{key}}, err
	})
	s.exportRoutes()
}

func (s *Server) exportRoutes() {
	submit[customerChange](s, vault.ExportCustomer, route{
		method: http.MethodPost, path: "/v1/customers/{customer_id}/exports", tag: tagErasure, access: toErase,
		summary: "Export everything that the vault holds of a customer",
		detail: "For requests of access and portability. Records that the export was asked for; GET …/exports/{export_id} " +
			"then returns it, as long as expires_at of the result says. The id of the operation is the id of the export. " +
			"Needs a key that sees PII.",
	}, func(_ context.Context, c caller, _ *customerChange, _ *vault.ExportCustomerInput) error {
		return c.checkPII()
	})
	type get struct {
		input.CustomerPath
		Export input.ID `path:"export_id" doc:"The id of the export: that of its operation."`
		Format string   `query:"format" enum:"json,html" doc:"json (default) for machines, with lineage; html for people."`
	}
	register(s, route{
		name:    "get-customer-export",
		method:  http.MethodGet,
		path:    "/v1/customers/{customer_id}/exports/{export_id}",
		tag:     tagErasure,
		access:  toErase,
		summary: "Get an export of a customer",
		detail: "Everything that an erasure would remove, read in one snapshot, encrypted values included. The vault " +
			"stores no copy of it. The last member of the JSON is complete: without it, the response was cut off.",
		errors: []int{http.StatusNotFound},
		answers: map[string]*huma.Response{"200": {
			Description: "The export.",
			Content: map[string]*huma.MediaType{
				"application/json": {Schema: &huma.Schema{Type: huma.TypeObject}},
				"text/html":        {Schema: &huma.Schema{Type: huma.TypeString}},
			},
		}},
	}, func(ctx context.Context, c caller, in *get) (*streamed, error) {
		if err := c.checkPII(); err != nil {
			return nil, err
		}
		export, err := s.options.Query.CustomerExport(ctx, c.tenant, in.Export.UUID)
		if err != nil {
			return nil, err
		}
		if export.CustomerID != in.Customer.UUID {
			return nil, vault.Unknown("export", in.Export.UUID)
		}
		return &streamed{func(out huma.Context) { s.writeExport(out, export, in.Format) }}, nil
	})
}

// writeExport streams an export. An error before its first bytes is a problem; a later one cuts the export off, which
// its end shows.
func (s *Server) writeExport(out huma.Context, export query.CustomerExport, format string) {
	write, kind := export.WriteJSON, "application/json"
	if format == "html" {
		write, kind = export.WriteHTML, "text/html; charset=utf-8"
	}
	w := &lateHeader{out: out, kind: kind}
	err := write(out.Context(), w)
	if err == nil {
		err = w.flush()
	}
	if err == nil {
		return
	}
	if !w.begun {
		s.writeProblem(out, err)
		return
	}
	s.options.Log.WarnContext(out.Context(), "export_cut_off", "export_id", export.ID, "error_code", vault.CodeOf(err))
}

// lateHeader sends the status with the first full buffer.
type lateHeader struct {
	out   huma.Context
	kind  string
	buf   bytes.Buffer
	begun bool
}

// exportBuffer is the number of bytes from which an export is sent.
const exportBuffer = 64 << 10

// Write implements io.Writer.
func (l *lateHeader) Write(p []byte) (int, error) {
	_, _ = l.buf.Write(p)
	if l.buf.Len() >= exportBuffer {
		if err := l.flush(); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

func (l *lateHeader) flush() error {
	if !l.begun {
		l.begun = true
		l.out.SetHeader("Content-Type", l.kind)
		l.out.SetHeader("Content-Disposition", "attachment")
		l.out.SetStatus(http.StatusOK)
	}
	_, err := io.Copy(l.out.BodyWriter(), &l.buf)
	return err
}

// checkPII returns an error if the key of the caller does not see PII.
func (c caller) checkPII() error {
	if c.masked {
		return notAllowed("Authorization", "an export contains everything, so it needs a key that sees PII")
	}
	return nil
}
