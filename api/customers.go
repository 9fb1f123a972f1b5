package api

import (
	"context"
	"fmt"
	"net/http"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/api/internal/input"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

const tagCustomers = "Customers"

func (s *Server) customerRoutes() {
	s.profileRoutes()
	s.valueRoutes()
	s.importRoutes()
	s.identityRoutes()
	s.gapRoutes()
}

// CustomerProfile is a profile, with its history where that was asked for.
type CustomerProfile struct {
	vault.Profile
	History          []vault.Value `json:"history,omitempty" doc:"Every version of every field, newest first, at most 1,000; all of them are read by the page at …/history."`
	HistoryTruncated bool          `json:"history_truncated,omitempty" doc:"There are more than 1,000 versions."`
}

// profileChange is the input of changes to a customer that have no body.
type profileChange struct {
	input.CustomerPath
	input.Preferences
}

// profileBody is the input of changes to a customer that have one.
type profileBody struct {
	input.CustomerPath
	input.Preferences
	input.JSON
}

func (s *Server) profileRoutes() {
	type open struct {
		input.Preferences
		input.JSON
	}
	submit[open](s, vault.OpenCustomer, route{
		method: http.MethodPost, path: "/v1/customers", tag: tagCustomers, access: toWrite,
		summary: "Get the customer of a channel identity, or make one",
		detail:  "The result names the customer.",
		example: `{"channel": "whatsapp", "external_id": "+4915112345678", "verified": true}`,
	})
	type list struct {
		Values bool `query:"values" doc:"Their active values, too."`
		input.Page
	}
	register(s, route{
		name: "list-customers", method: http.MethodGet, path: "/v1/customers", tag: tagCustomers, access: toRead,
		summary: "List the customers", detail: "In the order of their ids. Who was merged into another customer is not among them.",
	}, func(ctx context.Context, c caller, in *list) (*page[vault.Customer], error) {
		after, err := decodeCursor[afterID](in.Cursor)
		if err != nil {
			return nil, err
		}
		var from *uuid.UUID
		if after != nil {
			from = &after.ID
		}
		items, more, err := s.options.Query.CustomersPage(ctx, c.tenant, from, in.Limit)
		out := &page[vault.Customer]{listOf[vault.Customer]{Items: items}}
		if more {
			out.Body.Next = encodeCursor(afterID{items[len(items)-1].CustomerID})
		}
		if err != nil || !in.Values {
			return out, err
		}
		customers := make([]uuid.UUID, len(items))
		for i, item := range items {
			customers[i] = item.CustomerID
		}
		values, err := s.options.Query.ActiveValues(ctx, c.tenant, customers)
		for i := range items {
			items[i].Fields = values[items[i].CustomerID]
		}
		return out, err
	})
	type get struct {
		input.CustomerPath
		History bool `query:"history" doc:"Every version of every field, too."`
	}
	register(s, route{
		name: "get-customer", method: http.MethodGet, path: "/v1/customers/{customer_id}", tag: tagCustomers, access: toRead,
		summary: "Get what is known of a customer", detail: "Active values and assets, channels, and the consents in force.", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, c caller, in *get) (*one[CustomerProfile], error) {
		profile, err := s.options.Query.Profile(ctx, c.tenant, in.Customer.UUID)
		out := &one[CustomerProfile]{CustomerProfile{Profile: profile}}
		if err != nil || !in.History {
			return out, err
		}
		out.Body.History, out.Body.HistoryTruncated, err = s.options.Query.HistoryPage(ctx, c.tenant, in.Customer.UUID, "", nil, query.MaxPage)
		return out, err
	})
	type remove struct {
		input.CustomerPath
		Force bool `query:"force" doc:"Delete it although other customers' items were derived from its: they become orphaned, and stay. Needs the scope admin."`
		input.Preferences
	}
	submit[remove](s, vault.DeleteCustomer, route{
		method: http.MethodDelete, path: "/v1/customers/{customer_id}", tag: tagCustomers, access: toWrite,
		summary: "Delete a customer",
		detail:  "Its values and assets go with it; the rows stay, unseen. Where other customers' items were derived from them, the answer is 409 has_dependents, with their ids.",
	}, func(_ context.Context, c caller, in *remove, _ *vault.DeleteCustomerInput) error {
		return c.mayForce(in.Force)
	})
	submit[profileBody](s, vault.MergeCustomers, route{
		method: http.MethodPost, path: "/v1/customers/{customer_id}/merge", tag: tagCustomers, access: toWrite,
		summary: "Merge another customer into this one",
		detail:  "The other one's id leads to this one from then on.",
		example: `{"source_customer_id": "` + input.ExampleID + `"}`,
		into:    map[string]string{"customer_id": "target_customer_id"},
	})
	submit[profileChange](s, vault.UnmergeCustomer, route{
		method: http.MethodPost, path: "/v1/customers/{customer_id}/unmerge", tag: tagCustomers, access: toWrite,
		summary: "Undo the merge that took this customer away",
		detail:  "Exact for all that happened before the merge; what was written since stays with the other one.",
	})
}

func (s *Server) valueRoutes() {
	type FieldOfCustomer struct {
		input.CustomerPath
		input.FieldPath
	}
	type write struct {
		FieldOfCustomer
		input.Preferences
		input.JSON
	}
	submit[write](s, vault.WriteValue, route{
		method: http.MethodPut, path: "/v1/customers/{customer_id}/values/{name}", tag: tagCustomers, access: toWrite,
		summary: "Write a value",
		detail:  "The profile is made at the first write. The version before it becomes superseded, and stays in the history.",
		example: `{
			"agent_id": "` + input.ExampleID + `", "value": "ada@example.com", "source": "user_provided"}`,
	})
	register(s, route{
		name: "get-value", method: http.MethodGet, path: "/v1/customers/{customer_id}/values/{name}", tag: tagCustomers, access: toRead,
		summary: "Get the active value of a field", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, c caller, in *FieldOfCustomer) (*one[vault.Value], error) {
		profile, err := s.options.Query.Profile(ctx, c.tenant, in.Customer.UUID)
		field, ok := profile.Fields[in.Name]
		if err == nil && !ok {
			err = vault.Unknown("field", in.Name)
		}
		return &one[vault.Value]{field}, err
	})
	type wholeHistory struct {
		input.CustomerPath
		input.Page
	}
	register(s, route{
		name: "list-customer-history", method: http.MethodGet, path: "/v1/customers/{customer_id}/history", tag: tagCustomers, access: toRead,
		summary: "List the versions of all fields", detail: "Newest first, by order of acceptance.", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, c caller, in *wholeHistory) (*page[vault.Value], error) {
		return s.historyPage(ctx, c, in.Customer, "", in.Page)
	})
	type history struct {
		FieldOfCustomer
		input.Page
	}
	register(s, route{
		name: "list-history", method: http.MethodGet, path: "/v1/customers/{customer_id}/values/{name}/history", tag: tagCustomers, access: toRead,
		summary: "List the versions of a field", detail: "Newest first, by order of acceptance.", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, c caller, in *history) (*page[vault.Value], error) {
		return s.historyPage(ctx, c, in.Customer, in.Name, in.Page)
	})
	submit[write](s, vault.VerifyValue, route{
		method: http.MethodPost, path: "/v1/customers/{customer_id}/values/{name}/verify", tag: tagCustomers, access: toWrite,
		summary: "Say that the active value of a field was verified",
		example: `{
			"agent_id": "` + input.ExampleID + `", "method": "document", "verified_by": "back office"}`,
	})
}

// historyPage is a page of the versions of a field, or of all fields where name is empty.
func (s *Server) historyPage(ctx context.Context, c caller, customer input.ID, name string, in input.Page) (*page[vault.Value], error) {
	after, err := decodeCursor[query.HistoryPosition](in.Cursor)
	if err != nil {
		return nil, err
	}
	items, more, err := s.options.Query.HistoryPage(ctx, c.tenant, customer.UUID, name, after, in.Limit)
	out := &page[vault.Value]{listOf[vault.Value]{Items: items}}
	if more {
		last := items[len(items)-1]
		out.Body.Next = encodeCursor(query.HistoryPosition{AcceptedAt: last.AcceptedAt, OperationID: last.OperationID, ID: last.ID})
	}
	return out, err
}

func (s *Server) importRoutes() {
	submit[profileBody](s, vault.ImportValues, route{
		name:   "import-customer-values",
		method: http.MethodPost, path: "/v1/customers/{customer_id}/import", tag: tagCustomers, access: toWrite,
		summary: "Write many values of a customer",
		detail:  "In one transaction: all of them, or none, unless skip_invalid is set.",
		example: `{"writes": [
			{"agent_id": "` + input.ExampleID + `", "name": "email", "value": "ada@example.com", "source": "human_entered"},
			{"agent_id": "` + input.ExampleID + `", "name": "country", "value": "Norway", "source": "human_entered"}]}`,
		fromPath: []string{"writes.customer_id"}, into: map[string]string{"customer_id": unbound},
	}, func(_ context.Context, _ caller, in *profileBody, body *vault.ImportValuesInput) error {
		for i := range body.Writes {
			member := fmt.Sprintf("writes[%d].customer_id", i)
			if err := fromPath(&body.Writes[i].CustomerID, in.Customer, member); err != nil {
				return err
			}
		}
		return nil
	})
	type many struct {
		input.Preferences
		input.JSON
	}
	submit[many](s, vault.ImportValues, route{
		method: http.MethodPost, path: "/v1/import", tag: tagCustomers, access: toWrite,
		summary: "Write values of many customers",
		detail:  "In one transaction, at most 1,000: all of them, or none, unless skip_invalid is set.",
		example: `{"skip_invalid": true, "writes": [
			{"customer_id": "` + input.ExampleID + `", "agent_id": "` + input.ExampleID + `", "name": "email", "value": "ada@example.com", "source": "human_entered"}]}`,
	})
}

func (s *Server) identityRoutes() {
	submit[profileBody](s, vault.AddAsset, route{
		method: http.MethodPost, path: "/v1/customers/{customer_id}/assets", tag: tagCustomers, access: toWrite,
		summary: "Add the reference to a document",
		detail:  "The bytes live elsewhere.",
		example: `{
			"name": "id_card", "asset_type": "image", "storage_provider": "s3", "storage_path": "s3://documents/id-card.png", "size_bytes": 48213,
			"checksum": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}`,
	})
	submit[profileBody](s, vault.LinkChannel, route{
		method: http.MethodPost, path: "/v1/customers/{customer_id}/channels", tag: tagCustomers, access: toWrite,
		summary: "Say that an identity on a channel is this customer's",
		example: `{"channel": "email", "external_id": "ada@example.com"}`,
	})
	submit[profileBody](s, vault.RecordConsent, route{
		method: http.MethodPost, path: "/v1/customers/{customer_id}/consents", tag: tagCustomers, access: toWrite,
		summary: "Record what a customer agrees to, or does not",
		example: `{"purpose": "marketing", "granted": true, "source": "web form"}`,
	})
}

func (s *Server) gapRoutes() {
	type missing struct {
		input.CustomerPath
		Scenario input.ID            `query:"scenario_id" required:"true" doc:"The scenario that is to start."`
		Step     string              `query:"step_id" maxLength:"100" doc:"Only what this step needs, and the whole scenario."`
		Rule     input.ID            `query:"rule_id" doc:"Only what this rule needs, and what belongs to no rule."`
		Session  input.ID            `query:"session_id" doc:"The session whose variables conditions see."`
		Level    vault.RequiredLevel `query:"level" enum:"hard,soft" doc:"Only requirements of this level."`
	}
	register(s, route{
		name: "get-missing", method: http.MethodGet, path: "/v1/customers/{customer_id}/missing", tag: tagCustomers, access: toRead,
		summary: "Get what a scenario still needs of a customer", detail: "Unmet requirements, in the order of collection. A customer nothing was written for yet is missing everything.",
		errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, c caller, in *missing) (*one[query.MissingFields], error) {
		out, err := s.options.Query.Missing(ctx, c.tenant, query.MissingInput{
			CustomerID: in.Customer.UUID, ScenarioID: in.Scenario.UUID, SessionID: in.Session.Given(),
			Scope: rules.Scope{StepID: in.Step, RuleID: in.Rule.Given(), Level: in.Level},
		})
		return &one[query.MissingFields]{out}, err
	})
	submit[profileBody](s, vault.FillGaps, route{
		method: http.MethodPost, path: "/v1/customers/{customer_id}/fill", tag: tagCustomers, access: toWrite,
		summary: "Fill what a scenario still needs of a customer",
		detail:  "From the profile, the session and the conversation; the rest is asked for (GET /v1/questions), and the operation succeeds once that is settled.",
		example: `{"scenario_id": "` + input.ExampleID + `", "session_id": "` + input.ExampleID + `"}`,
	})
}
