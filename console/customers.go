package console

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/api"
	"github.com/contextvault/contextvault/internal/cursor"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/vault"
)

const (
	customersPageSize = 50
	timelinePageSize  = 50
	mergesPageSize    = 20
	sessionsPageSize  = 20
)

// customerList is the page to find a customer.
type customerList struct {
	Customers                              []vault.Customer
	Next, Token                            string
	ID, Channel, ExternalID                string
	IDError, ChannelError, ExternalIDError string
}

func (q *request) customersPage() error { return q.showCustomers(http.StatusOK, customerList{}) }

func (q *request) showCustomers(status int, list customerList) error {
	after, err := decodeCursor[uuid.UUID](q.r.URL.Query().Get("page"))
	if err != nil {
		return err
	}
	list.Token = q.session.Token
	var more bool
	if list.Customers, more, err = q.options.Query.CustomersPage(
		q.ctx, q.key.TenantID, after, customersPageSize); err != nil {
		return err
	}
	if more {
		list.Next = cursor.Encode(list.Customers[len(list.Customers)-1].CustomerID)
	}
	return q.show(status, "Customers", "customers", customersContent(list))
}

// findCustomer leads to the customer with an id or a channel identity. The identity travels in the body of the form,
// so that it stands in no log and no history.
func (q *request) findCustomer() error {
	form := customerList{
		ID: strings.TrimSpace(q.r.PostFormValue("id")), Channel: strings.TrimSpace(q.r.PostFormValue("channel")),
		ExternalID: strings.TrimSpace(q.r.PostFormValue("external_id")),
	}
	var found uuid.UUID
	var err error
	switch {
	case form.ID != "":
		found, err = uuid.Parse(form.ID)
		if err != nil {
			form.IDError = "This is not the id of a customer; it has the form 01920000-0000-7000-8000-000000000001."
			return q.showCustomers(http.StatusUnprocessableEntity, form)
		}
		_, err = q.options.Query.Profile(q.ctx, q.key.TenantID, found)
		if vault.CodeOf(err) == vault.CodeUnknown {
			form.IDError = "There is no customer with this id."
		}
	case form.Channel == "" && form.ExternalID == "":
		form.IDError = "Enter the id of a customer, or a channel and an identity."
		return q.showCustomers(http.StatusUnprocessableEntity, form)
	case form.Channel == "":
		form.ChannelError = "Enter the channel of the identity, such as phone."
		return q.showCustomers(http.StatusUnprocessableEntity, form)
	case form.ExternalID == "":
		form.ExternalIDError = "Enter the identity on the channel, such as a phone number."
		return q.showCustomers(http.StatusUnprocessableEntity, form)
	default:
		var customer vault.Customer
		customer, err = q.options.Query.FindCustomer(q.ctx, q.key.TenantID, query.Identity{
			Channel: form.Channel, ExternalID: form.ExternalID,
		})
		found = customer.CustomerID
		if vault.CodeOf(err) == vault.CodeUnknown {
			form.ExternalIDError = "No customer has this identity on this channel."
		}
	}
	switch {
	case vault.CodeOf(err) == vault.CodeUnknown:
		return q.showCustomers(http.StatusNotFound, form)
	case err != nil:
		return err
	}
	return q.redirect("/customers/" + found.String())
}

// customerPage is the content of the page of a customer.
type customerPage struct {
	Profile                        vault.Profile
	Fields                         []vault.Value // by name
	Merges                         []vault.Merge
	Questions                      []vault.Question
	Sessions                       []vault.SessionSummary
	Token                          string
	Revealed, CanReveal            bool
	MayWrite, MayReview, MayVerify bool
	MergeID, MergeError            string
	Now                            time.Time
}

func (p customerPage) path() string { return Path + "/customers/" + p.Profile.CustomerID.String() }

func (q *request) customerPage() error {
	id, err := q.id()
	if err != nil {
		return err
	}
	page, err := q.readCustomer(id)
	if err != nil {
		return err
	}
	return q.showCustomer(http.StatusOK, page)
}

func (q *request) showCustomer(status int, page customerPage) error {
	return q.show(status, "Customer", "customers", customerContent(page))
}

func (q *request) readCustomer(id uuid.UUID) (customerPage, error) {
	tenant := q.key.TenantID
	page := customerPage{
		Token: q.session.Token, Revealed: q.reveal != "", CanReveal: !q.key.Masked, MayWrite: q.may(api.ScopeWrite),
		MayReview: q.may(api.ScopeReview), MayVerify: q.may(api.ScopeVerify), Now: time.Now(),
	}
	var err error
	if page.Profile, err = q.options.Query.Profile(q.ctx, tenant, id); err != nil {
		return page, err
	}
	q.sees(page.Profile.CustomerID, namesOf(page.Profile)...)
	for _, v := range page.Profile.Pending {
		q.sees(page.Profile.CustomerID, v.Name)
	}
	if len(page.Profile.Channels) > 0 {
		q.sees(page.Profile.CustomerID, vault.AuditedChannels)
	}
	page.Fields = slices.SortedFunc(maps.Values(page.Profile.Fields), func(a, b vault.Value) int {
		return cmp.Compare(a.Name, b.Name)
	})
	if page.Merges, _, err = q.options.Query.MergesPage(q.ctx, tenant, id, nil, mergesPageSize); err != nil {
		return page, err
	}
	page.Questions, _, err = q.options.Query.QuestionsPage(q.ctx, tenant, &id, nil, questionPageSize)
	if err != nil {
		return page, err
	}
	page.Sessions, _, err = q.options.Query.SessionsPage(q.ctx, tenant, id, nil, sessionsPageSize)
	return page, err
}

// timeline is the content of the page with the versions of a customer's fields.
type timeline struct {
	Customer            uuid.UUID
	Field, Next         string
	Versions            []vault.Value
	Withheld            []vault.Withheld
	Token, Here         string
	Revealed, CanReveal bool
}

func (q *request) timelinePage() error {
	id, err := q.id()
	if err != nil {
		return err
	}
	after, err := decodeCursor[query.HistoryPosition](q.r.FormValue("page"))
	if err != nil {
		return err
	}
	page := timeline{
		Customer: id, Field: q.r.FormValue("field"), Token: q.session.Token, Here: q.r.FormValue("page"),
		Revealed: q.reveal != "", CanReveal: !q.key.Masked,
	}
	if page.Field != "" && !vault.NamePattern.MatchString(page.Field) {
		return vault.Unknown("field", "it")
	}
	var more bool
	page.Versions, more, err = q.options.Query.HistoryPage(
		q.ctx, q.key.TenantID, id, page.Field, after, timelinePageSize)
	if err != nil {
		return err
	}
	if more {
		last := page.Versions[len(page.Versions)-1]
		page.Next = cursor.Encode(query.HistoryPosition{
			AcceptedAt: last.AcceptedAt, OperationID: last.OperationID, ID: last.ID,
		})
	}
	for _, v := range page.Versions {
		q.sees(id, v.Name)
	}
	page.Withheld = query.Withheld(q.ctx)
	return q.show(http.StatusOK, "Timeline", "customers", timelineContent(page))
}

// conversation is the content of the page of a session.
type conversation struct {
	Session             vault.Session
	Turns               []spoken
	Token, Item         string
	Revealed, CanReveal bool
}

// spoken is a turn with the evidence marked in it.
type spoken struct {
	Turn  vault.Turn
	Parts []part
	Found bool
}

// sessionPage shows a conversation once the person asks for it: what customers say is personal.
func (q *request) sessionPage() error {
	id, err := q.id()
	if err != nil {
		return err
	}
	page := conversation{
		Token: q.session.Token, Item: q.r.FormValue("item"), Revealed: q.reveal != "", CanReveal: !q.key.Masked,
	}
	if page.Session, err = q.options.Query.Session(q.ctx, q.key.TenantID, id); err != nil {
		return err
	}
	if page.Revealed {
		q.sees(page.Session.CustomerID, vault.AuditedTurns)
		quote := ""
		if item, err := uuid.Parse(page.Item); err == nil {
			v, err := q.options.Query.Field(q.ctx, q.key.TenantID, item)
			if err == nil {
				quote = quoteOf(v.SourceMetadata)
			}
		}
		for _, turn := range page.Session.Turns {
			parts, found := mark(turn.Text, quote)
			page.Turns = append(page.Turns, spoken{turn, parts, found})
		}
	}
	return q.show(http.StatusOK, "Conversation", "customers", conversationContent(page))
}
