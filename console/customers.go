package console

import (
	"cmp"
	"errors"
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
	closedShown       = 5
	// endedSearched is the number of a customer's newest versions among which expired and orphaned ones are searched.
	endedSearched = 32
	// heardSearched is the number of a customer's newest versions among which those of a conversation are searched.
	heardSearched = 500
)

// customerList is the page to find a customer.
type customerList struct {
	Customers                              []vault.Customer
	Next, Token                            string
	ID, Channel, ExternalID                string
	IDError, ChannelError, ExternalIDError string
	Field, Value, FieldError, ValueError   string
	Begins                                 bool // Value is the beginning of a value
	Found                                  bool // Customers are those who have the value
	More                                   bool // there are more of them
}

func (q *request) customersPage() error { return q.showCustomers(http.StatusOK, customerList{}) }

func (q *request) showCustomers(status int, list customerList) error {
	after, err := decodeCursor[uuid.UUID](q.r.URL.Query().Get("page"))
	if err != nil {
		return err
	}
	list.Token = q.session.Token
	if list.Found {
		return q.show(status, "Customers", "customers", customersContent(list))
	}
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
		Field:      strings.TrimSpace(q.r.PostFormValue("field")), Value: strings.TrimSpace(q.r.PostFormValue("value")),
		Begins: q.r.PostFormValue("begins") != "",
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
	case form.Field != "" || form.Value != "":
		return q.findByValue(form)
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

// findByValue lists the customers with a value of a field. To find a customer by a personal value tells that value, so
// the audit has it like a read.
func (q *request) findByValue(form customerList) error {
	switch {
	case form.Field == "":
		form.FieldError = "Enter the name of the field, such as email."
		return q.showCustomers(http.StatusUnprocessableEntity, form)
	case form.Value == "":
		form.ValueError = "Enter the value, or its beginning."
		return q.showCustomers(http.StatusUnprocessableEntity, form)
	}
	condition := vault.FieldCondition{Field: form.Field, Kind: vault.ConditionEquals, Text: form.Value}
	if form.Begins {
		condition.Kind = vault.ConditionBegins
	}
	q.ctx = q.readingAs("find-customers", true)
	found, err := q.options.Query.FindCustomers(
		q.ctx, q.key.TenantID, []vault.FieldCondition{condition}, nil, customersPageSize)
	if _, ok := errors.AsType[*vault.Error](err); ok {
		status, text := explain(err)
		form.FieldError = text
		return q.showCustomers(status, form)
	}
	if err == nil {
		err = q.options.Query.RecordReads(q.ctx)
	}
	if err != nil {
		return err
	}
	form.Found, form.Customers, form.More = true, found.Customers, found.Next != nil
	return q.showCustomers(http.StatusOK, form)
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
	MayErase                       bool
	Ended                          []vault.Value    // the newest versions of fields whose value expired or lost its source
	Closed                         []vault.Question // newest first
	MoreClosed                     bool
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
		MayReview: q.may(api.ScopeReview), MayVerify: q.may(api.ScopeVerify), MayErase: q.may(api.ScopeErase),
		Now: time.Now(),
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
	page.Closed, page.MoreClosed, err = q.options.Query.ClosedQuestionsPage(q.ctx, tenant, id, nil, closedShown)
	if err != nil {
		return page, err
	}
	if page.Ended, err = q.readEnded(page.Profile); err != nil {
		return page, err
	}
	page.Sessions, _, err = q.options.Query.SessionsPage(q.ctx, tenant, id, nil, sessionsPageSize)
	return page, err
}

// readEnded returns the newest versions of fields without an active value, as far as they are among the newest versions
// of the customer.
func (q *request) readEnded(p vault.Profile) ([]vault.Value, error) {
	versions, _, err := q.options.Query.HistoryPage(q.ctx, q.key.TenantID, p.CustomerID, "", nil, endedSearched)
	if vault.CodeOf(err) == vault.CodeUnknown { // nothing was ever written
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var ended []vault.Value
	seen := map[string]bool{}
	for _, v := range versions {
		if _, active := p.Fields[v.Name]; active || seen[v.Name] {
			continue
		}
		if v.Status == vault.StatusExpired || v.Status == vault.StatusOrphaned {
			seen[v.Name] = true
			ended = append(ended, v)
			q.sees(p.CustomerID, v.Name)
		}
	}
	return ended, nil
}

// questionsPage lists the closed questions to a customer.
func (q *request) questionsPage() error {
	id, err := q.id()
	if err != nil {
		return err
	}
	after, err := decodeCursor[query.QuestionPosition](q.r.FormValue("page"))
	if err != nil {
		return err
	}
	if _, err := q.options.Query.Profile(q.ctx, q.key.TenantID, id); err != nil {
		return err
	}
	all, more, err := q.options.Query.ClosedQuestionsPage(q.ctx, q.key.TenantID, id, after, questionPageSize)
	if err != nil {
		return err
	}
	next := ""
	if more {
		last := all[len(all)-1]
		next = cursor.Encode(query.QuestionPosition{OpenedAt: last.OpenedAt, ID: last.ID})
	}
	return q.show(http.StatusOK, "Closed questions", "customers", questionsContent(id.String(), all, next))
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
	Heard               []vault.Value // the values that come from the conversation
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
		if err := q.readHeard(&page); err != nil {
			return err
		}
		for _, turn := range page.Session.Turns {
			parts, found := markAll(turn.Text, page.quotesOf(turn.Index))
			page.Turns = append(page.Turns, spoken{turn, parts, found})
		}
	}
	return q.show(http.StatusOK, "Conversation", "customers", conversationContent(page))
}

// readHeard adds the values that come from a conversation: the one of the address, and those among the newest versions
// of the customer.
func (q *request) readHeard(page *conversation) error {
	seen := map[uuid.UUID]bool{}
	add := func(v vault.Value) {
		if v.SourceSessionID != nil && *v.SourceSessionID == page.Session.ID && !seen[v.ID] {
			seen[v.ID] = true
			page.Heard = append(page.Heard, v)
			q.sees(page.Session.CustomerID, v.Name)
		}
	}
	if item, err := uuid.Parse(page.Item); err == nil {
		if v, err := q.options.Query.Field(q.ctx, q.key.TenantID, item); err == nil {
			add(v)
		}
	}
	versions, _, err := q.options.Query.HistoryPage(
		q.ctx, q.key.TenantID, page.Session.CustomerID, "", nil, heardSearched)
	if vault.CodeOf(err) == vault.CodeUnknown { // nothing was ever written
		return nil
	}
	for _, v := range versions {
		add(v)
	}
	return err
}

// quotesOf returns what was heard in a turn. A quote without a turn can be in each.
func (c conversation) quotesOf(turn int) []string {
	var quotes []string
	for _, v := range c.Heard {
		quote, at := quoteOf(v.SourceMetadata), query.TurnOf(v.SourceMetadata)
		if quote != "" && (at == nil || *at == turn) {
			quotes = append(quotes, quote)
		}
	}
	return quotes
}
