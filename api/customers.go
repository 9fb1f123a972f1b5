package api

import (
	"context"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/contextvault/contextvault/api/internal/input"
	"github.com/contextvault/contextvault/internal/cursor"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

const tagCustomers = "Customers"

// CustomerProfile is a profile, with its history on request.
type CustomerProfile struct {
	vault.Profile
	History          []vault.Value    `json:"history,omitempty" doc:"The versions of all fields, newest first, up to 1,000. GET …/history returns all of them in pages."`
	HistoryWithheld  []vault.Withheld `json:"history_withheld,omitempty" doc:"The fields with versions that are not shown, and why."`
	HistoryTruncated bool             `json:"history_truncated,omitempty" doc:"There are more than 1,000 versions."`
}

// customerChange is the input of operations on a customer without a body.
type customerChange struct {
	input.CustomerPath
	input.Preferences
}

// customerBody is the input of operations on a customer with a body.
type customerBody struct {
	input.CustomerPath
	input.Preferences
	input.JSON
}

func (s *Server) customerRoutes() {
	type open struct {
		input.Preferences
		input.JSON
	}
	submit[open](s, vault.OpenCustomer, route{
		method: http.MethodPost, path: "/v1/customers", tag: tagCustomers, access: toWrite,
		summary: "Get the customer of a channel identity, or create one",
		detail:  "The result contains the id of the customer.",
		example: `{"channel": "whatsapp", "external_id": "+4915112345678", "verified": true}`,
	})
	type openMany struct {
		input.Preferences
		input.JSON
	}
	submit[openMany](s, vault.OpenCustomers, route{
		method: http.MethodPost, path: "/v1/customers/open", tag: tagCustomers, access: toWrite,
		summary: "Get the customers of many channel identities, or create them",
		detail:  "At most 1000. The result contains the ids of the customers, in the order of the identities.",
		example: `{"identities": [{"channel": "whatsapp", "external_id": "+4915112345678"}]}`,
	})
	s.customerReads()
	type remove struct {
		input.CustomerPath
		Purge time.Time `query:"purge_after" doc:"The time from which on the deleted customer is erased for good. Absent: the configured default, see purge_after of the result."`
		Force bool      `query:"force" doc:"Delete the customer even if items of other customers were derived from its items; they become orphaned. Needs the scope admin."`
		input.Preferences
	}
	submit[remove](s, vault.DeleteCustomer, route{
		method: http.MethodDelete, path: "/v1/customers/{customer_id}", tag: tagCustomers, access: toWrite,
		summary: "Delete a customer",
		detail: "Also deletes its values and assets. It is reversible by an operator: the rows remain in the database, but " +
			"no read returns them, until purge_after, when the customer is erased for good. POST …/erasure erases at once. " +
			"If items " +
			"of other customers were derived from them, the response is 409 has_dependents with the ids of those items.",
	}, func(_ context.Context, c caller, in *remove, _ *vault.DeleteCustomerInput) error {
		return c.checkForce(in.Force)
	})
	submit[customerBody](s, vault.MergeCustomers, route{
		method: http.MethodPost, path: "/v1/customers/{customer_id}/merge", tag: tagCustomers, access: toWrite,
		summary: "Merge another customer into this customer",
		detail:  "Afterwards the id of the other customer refers to this customer.",
		example: `{"source_customer_id": "` + input.ExampleID + `"}`,
		into:    map[string]string{"customer_id": "target_customer_id"},
	})
	submit[customerChange](s, vault.UnmergeCustomer, route{
		method: http.MethodPost, path: "/v1/customers/{customer_id}/unmerge", tag: tagCustomers, access: toWrite,
		summary: "Undo the merge of this customer into another customer",
		detail: "Restores the exact state before the merge. Values that were written after the merge remain with the " +
			"other customer. GET …/merges lists the merges that can be undone.",
	})
	submit[customerBody](s, vault.SetCustomerLabel, route{
		method:  http.MethodPut,
		path:    "/v1/customers/{customer_id}/label",
		tag:     tagCustomers,
		access:  toWrite,
		summary: "Set the label of a customer",
		detail: "A short text for the people who work with the customer. The profile contains it. An empty label " +
			"removes it.",
		example: `{"label": "VIP, call back on Monday"}`,
	})
	submit[customerBody](s, vault.LinkChannel, route{
		method: http.MethodPost, path: "/v1/customers/{customer_id}/channels", tag: tagCustomers, access: toWrite,
		summary: "Link a channel identity to a customer",
		example: `{"channel": "email", "external_id": "ada@example.com"}`,
	})
	submit[customerBody](s, vault.RecordConsent, route{
		method: http.MethodPost, path: "/v1/customers/{customer_id}/consents", tag: tagCustomers, access: toWrite,
		summary: "Record that a customer grants or refuses a consent",
		example: `{"purpose": "marketing", "granted": true, "source": "web form"}`,
	})
}

// withValues adds the active values to a page of customers. The page ends early if they are too large.
func (s *Server) withValues(
	ctx context.Context, tenant uuid.UUID, items []vault.Customer, more bool,
) ([]vault.Customer, bool, error) {
	customers := make([]uuid.UUID, len(items))
	for i, item := range items {
		customers[i] = item.CustomerID
	}
	values, read, err := s.options.Query.ActiveValues(ctx, tenant, customers)
	if err != nil {
		return nil, false, err
	}
	more, items = more || read < len(items), items[:read]
	for i := range items {
		items[i].Fields = values[items[i].CustomerID]
	}
	return items, more, nil
}

// searchCustomers is the page of customers who meet conditions.
func (s *Server) searchCustomers(
	ctx context.Context, c caller, where []vault.FieldCondition, values bool, in input.Page,
) (*page[vault.Customer], error) {
	after, err := decodeCursor[vault.CustomerPosition](in.Cursor)
	if err != nil {
		return nil, err
	}
	found, err := s.options.Query.FindCustomers(ctx, c.tenant, where, after, in.Limit)
	if err != nil {
		return nil, err
	}
	if values {
		items, more, err := s.withValues(ctx, c.tenant, found.Customers, false)
		if err != nil {
			return nil, err
		}
		if found.Customers = items; more {
			found.Next = &found.Positions[len(items)-1]
		}
	}
	out := &page[vault.Customer]{listOf[vault.Customer]{Items: found.Customers}}
	if found.Next != nil {
		out.Body.Next = cursor.Encode(found.Next)
	}
	return out, nil
}

func (s *Server) customerReads() {
	type list struct {
		Values bool `query:"values" doc:"Include the active values."`
		input.Conditions
		input.Page
	}
	type count struct{ input.Conditions }
	register(s, route{
		name:    "count-customers",
		method:  http.MethodGet,
		path:    "/v1/customers/count",
		tag:     tagCustomers,
		access:  toRead,
		values:  true,
		summary: "Count the customers who meet conditions",
		detail: "The conditions are those of list-customers. Merged customers are not counted. The count ends after " +
			"200,000 candidates.",
		errors: []int{http.StatusForbidden, http.StatusUnprocessableEntity},
	}, func(ctx context.Context, c caller, in *count) (*one[vault.CustomerCount], error) {
		where, err := rules.ParseConditions(in.Where)
		if err != nil {
			return nil, err
		}
		out, err := s.options.Query.CountCustomers(ctx, c.tenant, where)
		return &one[vault.CustomerCount]{out}, err
	})
	register(s, route{
		name:    "list-customers",
		method:  http.MethodGet,
		path:    "/v1/customers",
		tag:     tagCustomers,
		access:  toRead,
		values:  true,
		summary: "List the customers",
		detail: "Sorted by id; with conditions, in the order of the index that finds them: the customers with an old " +
			"value begin with the oldest. Merged customers are not included. With conditions a page reads up to 5,000 " +
			"candidates: it can have fewer entries than its limit, or none, and still have a next_cursor. A key can use " +
			"only fields that it may see: a masked field is refused, a field with purposes needs one of them, and the " +
			"customers who have not consented to it are left out.",
		errors: []int{http.StatusForbidden, http.StatusUnprocessableEntity},
	}, func(ctx context.Context, c caller, in *list) (*page[vault.Customer], error) {
		if len(in.Where) > 0 {
			where, err := rules.ParseConditions(in.Where)
			if err != nil {
				return nil, err
			}
			return s.searchCustomers(ctx, c, where, in.Values, in.Page)
		}
		return pageByID(in.Page, func(after *uuid.UUID, limit int) ([]vault.Customer, bool, error) {
			items, more, err := s.options.Query.CustomersPage(ctx, c.tenant, after, limit)
			if err == nil && in.Values {
				items, more, err = s.withValues(ctx, c.tenant, items, more)
			}
			return items, more, err
		}, func(customer vault.Customer) uuid.UUID { return customer.CustomerID })
	})
	type find struct {
		Channel    string `path:"channel" maxLength:"50" doc:"The channel of the identity, such as whatsapp."`
		ExternalID string `query:"external_id" required:"true" minLength:"1" maxLength:"500" doc:"The identity on the channel, such as a phone number."`
	}
	register(s, route{
		name:    "find-customer",
		method:  http.MethodGet,
		path:    "/v1/channels/{channel}/customer",
		tag:     tagCustomers,
		access:  toRead,
		summary: "Find the customer of a channel identity",
		detail:  "It changes nothing: open-customer creates a customer for an unknown identity, this route answers 404.",
		errors:  []int{http.StatusNotFound, http.StatusUnprocessableEntity},
	}, func(ctx context.Context, c caller, in *find) (*one[vault.Customer], error) {
		out, err := s.options.Query.FindCustomer(ctx, c.tenant, query.Identity{
			Channel: in.Channel, ExternalID: in.ExternalID,
		})
		return &one[vault.Customer]{out}, err
	})
	s.profileRoute()
	s.contextRoute()
	type merges struct {
		input.CustomerPath
		input.Page
	}
	register(s, route{
		name: "list-merges", tag: tagCustomers, access: toRead,
		method: http.MethodGet, path: "/v1/customers/{customer_id}/merges",
		summary: "List the merges of a customer",
		detail: "Newest first: the merges into this customer, the merge of this customer into another one, and those of " +
			"the customers who are merged into it. unmerge-customer undoes a merge with the state undoable.",
		errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, c caller, in *merges) (*page[vault.Merge], error) {
		return pageByID(in.Page, func(after *uuid.UUID, limit int) ([]vault.Merge, bool, error) {
			return s.options.Query.MergesPage(ctx, c.tenant, in.Customer.UUID, after, limit)
		}, func(m vault.Merge) uuid.UUID { return m.ID })
	})
}

// rawAnswer writes its body itself.
type rawAnswer struct{ Body func(huma.Context) }

func (s *Server) profileRoute() {
	type get struct {
		input.CustomerPath
		input.Moment
		History bool   `query:"history" doc:"Include the versions of all fields."`
		Known   string `header:"If-None-Match" doc:"Entity tags of answers that the caller has. The response is 304, without a body, if the answer would be one of them."`
	}
	register(s, route{
		name: "get-customer", method: http.MethodGet, path: "/v1/customers/{customer_id}", tag: tagCustomers, access: toRead,
		summary: "Get the profile of a customer",
		detail: "Active values and assets, channels, and valid consents. The profile of a customer who has a session or a " +
			"gap fill, and no value yet, is empty. The profile of a merged customer is that of the customer it was merged " +
			"into; requested_customer_id then says that it was merged. A profile with more than 16 MiB of values is refused " +
			"with 413: read its values one by one, or in the pages of its history. The header ETag identifies the answer. " +
			"With as_of and known_at the profile is the one of then, without pending values; that cannot be combined with " +
			"history.",
		errors:  []int{http.StatusNotFound, http.StatusRequestEntityTooLarge},
		answers: map[string]*huma.Response{"200": s.profileResponse(), "304": {Description: "The caller has this answer."}},
	}, func(ctx context.Context, c caller, in *get) (*rawAnswer, error) {
		at, err := in.At()
		if err != nil {
			return nil, err
		}
		if in.History && !at.IsZero() {
			return nil, vault.Invalid("history", "cannot be combined with as_of or known_at; read the history without them")
		}
		profile, err := s.readProfile(ctx, profileOf{c.tenant, in.Customer.UUID}, func() (query.Document, error) {
			if in.History {
				return s.options.Query.DocumentWithHistory(ctx, c.tenant, in.Customer.UUID)
			}
			return s.options.Query.ProfileDocumentAt(ctx, c.tenant, in.Customer.UUID, at)
		})
		if err != nil {
			return nil, err
		}
		return tagged(ctx, in.Known, "application/json", profile.ETag, profile.JSON, nil), nil
	})
}

// profileResponse describes the answer with a profile.
func (s *Server) profileResponse() *huma.Response {
	schemas := s.api.OpenAPI().Components.Schemas
	return &huma.Response{
		Description: http.StatusText(http.StatusOK),
		Headers:     map[string]*huma.Param{"ETag": tagHeader},
		Content: map[string]*huma.MediaType{
			"application/json": {Schema: schemas.Schema(reflect.TypeFor[CustomerProfile](), true, "")},
		},
	}
}

var tagHeader = &huma.Param{
	Description: "A strong entity tag. Two answers with the same tag are the same.",
	Schema:      &huma.Schema{Type: huma.TypeString},
}

// tagged is an answer with a body and headers, or 304 if its tag is among those that the caller knows. A 304 shows
// nothing, so it is no read.
func tagged(
	ctx context.Context, known, contentType, tag string, body []byte, headers map[string]string,
) *rawAnswer {
	isKnown := hasTag(known, tag)
	if isKnown {
		query.ForgetReads(ctx)
	}
	return &rawAnswer{func(out huma.Context) {
		for name, value := range headers {
			out.SetHeader(name, value)
		}
		out.SetHeader("ETag", tag)
		if isKnown {
			out.SetStatus(http.StatusNotModified)
			return
		}
		out.SetHeader("Content-Type", contentType)
		out.SetHeader("Content-Length", strconv.Itoa(len(body)))
		out.SetStatus(http.StatusOK)
		_, _ = out.BodyWriter().Write(body) // the client has gone
	}}
}

// hasTag reports whether an If-None-Match header has a tag. As RFC 9110 requires, the comparison is the weak one: a
// proxy that compresses answers marks their tags as weak.
func hasTag(header, tag string) bool {
	for known := range strings.SplitSeq(header, ",") {
		known = strings.TrimPrefix(strings.TrimSpace(known), "W/")
		if known == tag || known == "*" {
			return true
		}
	}
	return false
}
