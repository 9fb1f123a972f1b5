package client

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
	"net/url"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/vault"
)

// exportTimeout is the maximum duration of the transfer of an export, in addition to that of a request.
const exportTimeout = 10 * time.Minute

// ErrIncomplete is the error of an export that was cut off.
var ErrIncomplete = errors.New("the export was cut off; get it again")

// ListErasures lists the erasures of the tenant, newest first, without their receipts.
func (c *Client) ListErasures(ctx context.Context) iter.Seq2[vault.Erasure, error] {
	return list[vault.Erasure](ctx, c, path("v1", "erasures"), nil)
}

// GetErasure returns an erasure, with its receipt once it has finished.
func (c *Client) GetErasure(ctx context.Context, erasure uuid.UUID) (vault.Erasure, error) {
	return get[vault.Erasure](ctx, c, path("v1", "erasures", erasure), nil)
}

// GetReceiptKey returns the public key that checks the receipts of the tenant.
func (c *Client) GetReceiptKey(ctx context.Context) (string, error) {
	out, err := get[struct {
		PublicKey string `json:"public_key"`
	}](ctx, c, path("v1", "receipt-key"), nil)
	return out.PublicKey, err
}

// ExportFormat is a format of an export of a customer.
type ExportFormat string

const (
	ExportJSON ExportFormat = "json" // for machines, with lineage
	ExportHTML ExportFormat = "html" // for people
)

// The ends of complete exports.
var exportEnds = map[ExportFormat]string{ExportJSON: `"complete": true}`, ExportHTML: "</html>"}

// GetCustomerExport writes an export that ExportCustomer recorded. ErrIncomplete: the server could not finish it.
func (c *Client) GetCustomerExport(
	ctx context.Context, customer, export uuid.UUID, format ExportFormat, w io.Writer,
) error {
	end := &tail{w: w}
	got, err := c.send(ctx, request{
		method: http.MethodGet, path: path("v1", "customers", customer, "exports", export),
		query: url.Values{"format": {string(format)}}, wait: exportTimeout, once: true, into: end,
	})
	if err != nil {
		return err
	}
	if got.status != http.StatusOK {
		return problemOf(got)
	}
	if !bytes.HasSuffix(bytes.TrimSpace(end.last), []byte(exportEnds[format])) {
		return ErrIncomplete
	}
	return nil
}

// tail passes bytes on, and keeps the last of them.
type tail struct {
	w    io.Writer
	last []byte
}

// tailBytes is enough for the end of an export.
const tailBytes = 64

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	n, err := t.w.Write(p)
	t.last = append(t.last, p[max(0, n-tailBytes):n]...)
	t.last = t.last[max(0, len(t.last)-tailBytes):]
	return n, err
}
