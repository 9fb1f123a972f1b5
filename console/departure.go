package console

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/api"
	"github.com/contextvault/contextvault/internal/cursor"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/vault"
)

const (
	dependentsShown  = 50
	erasuresPageSize = 50
)

// departure is the content of the pages that delete, export and erase a customer.
type departure struct {
	Customer   uuid.UUID
	Values     int
	Assets     int
	Merged     int // the customers merged into it
	Dependents []vault.Dependent
	More       bool // there are more dependents
	MayForce   bool
	PurgeAfter time.Duration // the default; 0: never
	Token      string

	// What the person typed, and what was wrong with it, by field; "": the whole.
	Purge, Confirm, Derived string
	Errors                  map[string]string
}

func (d departure) path() string { return Path + "/customers/" + d.Customer.String() }

func (q *request) readDeparture() (departure, error) {
	id, err := q.id()
	if err != nil {
		return departure{}, err
	}
	profile, err := q.options.Query.Profile(q.ctx, q.key.TenantID, id)
	if err != nil {
		return departure{}, err
	}
	d := departure{
		Customer: id, Values: len(profile.Fields) + len(profile.Pending), Assets: len(profile.Assets),
		MayForce: q.may(api.ScopeAdmin), PurgeAfter: q.options.PurgeAfter, Token: q.session.Token,
		Derived: string(vault.DerivedStale), Errors: map[string]string{},
	}
	merges, _, err := q.options.Query.MergesPage(q.ctx, q.key.TenantID, id, nil, query.MaxPage)
	if err != nil {
		return d, err
	}
	for _, m := range merges {
		if m.TargetCustomerID == profile.CustomerID && m.UndoneAt == nil {
			d.Merged++
		}
	}
	d.Dependents, d.More, err = q.options.Query.Dependents(q.ctx, q.key.TenantID, id, dependentsShown)
	return d, err
}

func (q *request) deleteCustomerPage() error {
	d, err := q.readDeparture()
	if err != nil {
		return err
	}
	return q.show(http.StatusOK, "Delete the customer", "customers", deleteCustomerContent(d))
}

// deleteCustomer hides a customer, reversibly. One on whom items of others depend is deleted by an admin who says so.
func (q *request) deleteCustomer() error {
	d, err := q.readDeparture()
	if err != nil {
		return err
	}
	again := func(status int) error {
		return q.show(status, "Delete the customer", "customers", deleteCustomerContent(d))
	}
	in := vault.DeleteCustomerInput{CustomerID: d.Customer, Force: q.r.PostFormValue("force") != ""}
	if in.Force && !d.MayForce {
		return &vault.Error{
			Code: vault.CodeNotAllowed, Message: "force needs an API key with the scope admin; nothing was changed",
		}
	}
	if d.Purge = strings.TrimSpace(q.r.PostFormValue("purge_after")); d.Purge != "" {
		at, err := time.Parse(time.DateOnly, d.Purge)
		if err != nil || !at.After(q.options.Now()) {
			d.Errors["purge"] = "Enter a later day, such as " + q.options.Now().AddDate(0, 0, 30).Format(time.DateOnly) + "."
			return again(http.StatusUnprocessableEntity)
		}
		in.PurgeAfter = &at
	}
	op, err := submit(q, vault.DeleteCustomer, in)
	if _, ok := errors.AsType[*vault.Error](err); ok {
		status, text := explain(err)
		d.Errors[""] = text
		return again(status)
	}
	if err != nil {
		return err
	}
	return q.after("/customers", op)
}

func (q *request) exportPage() error {
	d, err := q.readDeparture()
	if err != nil {
		return err
	}
	return q.show(http.StatusOK, "Export the customer", "customers", exportContent(d, q.key.Masked))
}

// exportCustomer records that an export was asked for, and leads to it.
func (q *request) exportCustomer() error {
	d, err := q.readDeparture()
	if err != nil {
		return err
	}
	if q.key.Masked {
		return &vault.Error{
			Code:    vault.CodeNotAllowed,
			Message: "an export contains everything, so it needs a key that sees PII; nothing was changed",
		}
	}
	op, err := submit(q, vault.ExportCustomer, vault.ExportCustomerInput{CustomerID: d.Customer})
	if _, ok := errors.AsType[*vault.Error](err); ok {
		status, text := explain(err)
		d.Errors[""] = text
		return q.show(status, "Export the customer", "customers", exportContent(d, q.key.Masked))
	}
	if err != nil {
		return err
	}
	return q.after("/exports/"+op.String(), op)
}

// export returns the export of the path, if this person may have it.
func (q *request) export() (query.CustomerExport, error) {
	id, err := q.id()
	if err != nil {
		return query.CustomerExport{}, err
	}
	if q.key.Masked {
		return query.CustomerExport{}, &vault.Error{
			Code: vault.CodeNotAllowed, Message: "an export contains everything, so it needs a key that sees PII",
		}
	}
	return q.options.Query.CustomerExport(q.ctx, q.key.TenantID, id)
}

func (q *request) exportedPage() error {
	id, err := q.id()
	if err != nil {
		return err
	}
	op, err := q.options.Query.Operation(q.ctx, q.key.TenantID, id)
	if err != nil || op.Workflow != vault.ExportCustomer.Name {
		return vault.Unknown("export", id)
	}
	if !op.Status.Finished() {
		return q.show(http.StatusOK, "Export", "customers", exportRunsContent(id))
	}
	e, err := q.export()
	if err != nil {
		return err
	}
	return q.show(http.StatusOK, "Export", "customers", exportedContent(e))
}

func (q *request) exportJSON() error {
	return q.download(query.CustomerExport.WriteJSON, "application/json", "customer.json")
}

func (q *request) exportHTML() error {
	return q.download(query.CustomerExport.WriteHTML, "text/html; charset=utf-8", "customer.html")
}

// download streams an export as a file. An error before its first bytes is a page; a later one cuts the file off, which
// its end shows.
func (q *request) download(
	write func(query.CustomerExport, context.Context, io.Writer) error, contentType, name string,
) error {
	e, err := q.export()
	if err != nil {
		return err
	}
	w := &lateWriter{w: q.w, contentType: contentType, name: name}
	err = write(e, q.ctx, w)
	if err != nil && w.begun {
		q.options.Log.WarnContext(q.ctx, "export_cut_off", "export_id", e.ID, "error_code", vault.CodeOf(err))
		return nil
	}
	return err
}

// lateWriter sets the headers of a file with its first bytes.
type lateWriter struct {
	w                 http.ResponseWriter
	contentType, name string
	begun             bool
}

// Write implements io.Writer.
func (l *lateWriter) Write(p []byte) (int, error) {
	if !l.begun {
		l.begun = true
		l.w.Header().Set("Content-Type", l.contentType)
		l.w.Header().Set("Content-Disposition", `attachment; filename="`+l.name+`"`)
	}
	return l.w.Write(p)
}

func (q *request) erasePage() error {
	d, err := q.readDeparture()
	if err != nil {
		return err
	}
	return q.show(http.StatusOK, "Erase the customer", "customers", eraseContent(d))
}

// erase removes a customer for good, once the person has typed its id.
func (q *request) erase() error {
	d, err := q.readDeparture()
	if err != nil {
		return err
	}
	d.Confirm, d.Derived = strings.TrimSpace(q.r.PostFormValue("confirm")), q.r.PostFormValue("derived")
	if d.Confirm != d.Customer.String() {
		d.Errors["confirm"] = "This is not the id of the customer. Nothing was changed."
	}
	if d.Derived != string(vault.DerivedStale) && d.Derived != string(vault.DerivedErase) {
		d.Errors["derived"] = "Choose what happens to what was derived."
	}
	again := func(status int) error {
		return q.show(status, "Erase the customer", "customers", eraseContent(d))
	}
	if len(d.Errors) > 0 {
		return again(http.StatusUnprocessableEntity)
	}
	op, err := submit(q, vault.EraseCustomer, vault.EraseCustomerInput{
		CustomerID: d.Customer, Derived: vault.DerivedAction(d.Derived),
	})
	if _, ok := errors.AsType[*vault.Error](err); ok {
		status, text := explain(err)
		d.Errors[""] = text
		return again(status)
	}
	if err != nil {
		return err
	}
	return q.after("/erasures/"+op.String(), op)
}

func (q *request) erasuresPage() error {
	before, err := decodeCursor[uuid.UUID](q.r.FormValue("page"))
	if err != nil {
		return err
	}
	all, more, err := q.options.Query.ErasuresPage(q.ctx, q.key.TenantID, before, erasuresPageSize)
	if err != nil {
		return err
	}
	next := ""
	if more {
		next = cursor.Encode(all[len(all)-1].ID)
	}
	return q.show(http.StatusOK, "Erasures", "customers", erasuresContent(all, next))
}

func (q *request) erasurePage() error {
	id, err := q.id()
	if err != nil {
		return err
	}
	e, err := q.options.Query.Erasure(q.ctx, q.key.TenantID, id)
	if vault.CodeOf(err) == vault.CodeUnknown { // it is accepted, and has not begun
		op, opErr := q.options.Query.Operation(q.ctx, q.key.TenantID, id)
		if opErr != nil || op.Workflow != vault.EraseCustomer.Name {
			return err
		}
		e, err = vault.Erasure{ID: id, BegunAt: op.AcceptedAt}, nil
	}
	if err != nil {
		return err
	}
	return q.show(http.StatusOK, "Erasure", "customers", erasureContent(e))
}

// receipt returns the signed receipt of an erasure as a file.
func (q *request) receipt() error {
	id, err := q.id()
	if err != nil {
		return err
	}
	e, err := q.options.Query.Erasure(q.ctx, q.key.TenantID, id)
	if err == nil && e.Receipt == "" {
		err = vault.Unknown("receipt", id)
	}
	if err != nil {
		return err
	}
	w := &lateWriter{w: q.w, contentType: "application/json", name: "receipt.json"}
	_, _ = io.WriteString(w, e.Receipt) // the client has gone
	return nil
}
