package api

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"reflect"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/api/internal/input"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/trigger"
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
	change(s, operation{
		name: "open-customer", method: http.MethodPost, path: "/v1/customers", tag: tagCustomers, access: toWrite,
		summary: "Get the customer of a channel identity, or make one", detail: "The result names the customer.",
		body:   &bodyOf{of: vault.OpenCustomerInput{}, example: `{"channel": "whatsapp", "external_id": "+4915112345678", "verified": true}`},
		result: reflect.TypeFor[vault.CustomerResult](),
	}, func(ctx context.Context, c caller, in *open, opts []trigger.Option) (trigger.Receipt, error) {
		body, err := decode[vault.OpenCustomerInput](in.JSON)
		if err != nil {
			return trigger.Receipt{}, err
		}
		return trigger.Submit(ctx, s.options.Trigger, c.tenant, vault.OpenCustomer, body, opts...)
	})
	type list struct {
		Values bool `query:"values" doc:"Their active values, too."`
		input.Page
	}
	register(s, operation{
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
	register(s, operation{
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
	change(s, operation{
		name: "delete-customer", method: http.MethodDelete, path: "/v1/customers/{customer_id}", tag: tagCustomers, access: toWrite,
		summary: "Delete a customer", detail: "Its values and assets go with it; the rows stay, unseen. Where other customers' items were derived from them, the answer is 409 has_dependents, with their ids.",
		result: reflect.TypeFor[vault.CustomerResult](),
	}, func(ctx context.Context, c caller, in *remove, opts []trigger.Option) (trigger.Receipt, error) {
		if err := c.mayForce(in.Force); err != nil {
			return trigger.Receipt{}, err
		}
		return trigger.Submit(ctx, s.options.Trigger, c.tenant, vault.DeleteCustomer, vault.DeleteCustomerInput{CustomerID: in.Customer.UUID, Force: in.Force}, opts...)
	})
	change(s, operation{
		name: "merge-customers", method: http.MethodPost, path: "/v1/customers/{customer_id}/merge", tag: tagCustomers, access: toWrite,
		summary: "Merge another customer into this one", detail: "The other one's id leads to this one from then on.",
		body:   &bodyOf{of: vault.MergeCustomersInput{}, omit: []string{"target_customer_id"}, example: `{"source_customer_id": "` + input.ExampleID + `"}`},
		result: reflect.TypeFor[vault.CustomerResult](),
	}, func(ctx context.Context, c caller, in *profileBody, opts []trigger.Option) (trigger.Receipt, error) {
		body, err := decode[vault.MergeCustomersInput](in.JSON)
		if err := cmp.Or(err, from(&body.TargetCustomerID, in.Customer, "target_customer_id")); err != nil {
			return trigger.Receipt{}, err
		}
		return trigger.Submit(ctx, s.options.Trigger, c.tenant, vault.MergeCustomers, body, opts...)
	})
	change(s, operation{
		name: "unmerge-customer", method: http.MethodPost, path: "/v1/customers/{customer_id}/unmerge", tag: tagCustomers, access: toWrite,
		summary: "Undo the merge that took this customer away", detail: "Exact for all that happened before the merge; what was written since stays with the other one.",
		result: reflect.TypeFor[vault.CustomerResult](),
	}, func(ctx context.Context, c caller, in *profileChange, opts []trigger.Option) (trigger.Receipt, error) {
		return trigger.Submit(ctx, s.options.Trigger, c.tenant, vault.UnmergeCustomer, vault.UnmergeCustomerInput{CustomerID: in.Customer.UUID}, opts...)
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
	change(s, operation{
		name: "write-value", method: http.MethodPut, path: "/v1/customers/{customer_id}/values/{name}", tag: tagCustomers, access: toWrite,
		summary: "Write a value", detail: "The profile is made at the first write. The version before it becomes superseded, and stays in the history.",
		body: &bodyOf{of: vault.WriteValueInput{}, omit: []string{"customer_id", "name"}, example: `{
			"agent_id": "` + input.ExampleID + `", "value": "ada@example.com", "source": "user_provided"}`},
		result: reflect.TypeFor[vault.ItemResult](),
	}, func(ctx context.Context, c caller, in *write, opts []trigger.Option) (trigger.Receipt, error) {
		body, err := decode[vault.WriteValueInput](in.JSON)
		if err := cmp.Or(err, from(&body.CustomerID, in.Customer, "customer_id")); err != nil {
			return trigger.Receipt{}, err
		}
		if body.Name != "" && body.Name != in.Name {
			return trigger.Receipt{}, vault.Invalid("name", "is another one than in the path; leave it out of the body")
		}
		body.Name = in.Name
		return trigger.Submit(ctx, s.options.Trigger, c.tenant, vault.WriteValue, body, opts...)
	})
	register(s, operation{
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
	register(s, operation{
		name: "list-customer-history", method: http.MethodGet, path: "/v1/customers/{customer_id}/history", tag: tagCustomers, access: toRead,
		summary: "List the versions of all fields", detail: "Newest first, by order of acceptance.", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, c caller, in *wholeHistory) (*page[vault.Value], error) {
		return s.historyPage(ctx, c, in.Customer, "", in.Page)
	})
	type history struct {
		FieldOfCustomer
		input.Page
	}
	register(s, operation{
		name: "list-history", method: http.MethodGet, path: "/v1/customers/{customer_id}/values/{name}/history", tag: tagCustomers, access: toRead,
		summary: "List the versions of a field", detail: "Newest first, by order of acceptance.", errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, c caller, in *history) (*page[vault.Value], error) {
		return s.historyPage(ctx, c, in.Customer, in.Name, in.Page)
	})
	change(s, operation{
		name: "verify-value", method: http.MethodPost, path: "/v1/customers/{customer_id}/values/{name}/verify", tag: tagCustomers, access: toWrite,
		summary: "Say that the active value of a field was verified",
		body: &bodyOf{of: vault.VerifyValueInput{}, omit: []string{"customer_id", "name"}, example: `{
			"agent_id": "` + input.ExampleID + `", "method": "document", "verified_by": "back office"}`},
		result: reflect.TypeFor[vault.ItemResult](),
	}, func(ctx context.Context, c caller, in *write, opts []trigger.Option) (trigger.Receipt, error) {
		body, err := decode[vault.VerifyValueInput](in.JSON)
		if err := cmp.Or(err, from(&body.CustomerID, in.Customer, "customer_id")); err != nil {
			return trigger.Receipt{}, err
		}
		if body.Name != "" && body.Name != in.Name {
			return trigger.Receipt{}, vault.Invalid("name", "is another one than in the path; leave it out of the body")
		}
		body.Name = in.Name
		return trigger.Submit(ctx, s.options.Trigger, c.tenant, vault.VerifyValue, body, opts...)
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
	change(s, operation{
		name: "import-customer-values", method: http.MethodPost, path: "/v1/customers/{customer_id}/import", tag: tagCustomers, access: toWrite,
		summary: "Write many values of a customer", detail: "In one transaction: all of them, or none, unless skip_invalid is set.",
		body: &bodyOf{of: vault.ImportValuesInput{}, omit: []string{"writes.customer_id"}, example: `{"writes": [
			{"agent_id": "` + input.ExampleID + `", "name": "email", "value": "ada@example.com", "source": "human_entered"},
			{"agent_id": "` + input.ExampleID + `", "name": "country", "value": "Norway", "source": "human_entered"}]}`},
		result: reflect.TypeFor[vault.ImportResult](),
	}, func(ctx context.Context, c caller, in *profileBody, opts []trigger.Option) (trigger.Receipt, error) {
		body, err := decode[vault.ImportValuesInput](in.JSON)
		if err != nil {
			return trigger.Receipt{}, err
		}
		for i := range body.Writes {
			if err := from(&body.Writes[i].CustomerID, in.Customer, fmt.Sprintf("writes[%d].customer_id", i)); err != nil {
				return trigger.Receipt{}, err
			}
		}
		return trigger.Submit(ctx, s.options.Trigger, c.tenant, vault.ImportValues, body, opts...)
	})
	type many struct {
		input.Preferences
		input.JSON
	}
	change(s, operation{
		name: "import-values", method: http.MethodPost, path: "/v1/import", tag: tagCustomers, access: toWrite,
		summary: "Write values of many customers", detail: "In one transaction, at most 1,000: all of them, or none, unless skip_invalid is set.",
		body: &bodyOf{of: vault.ImportValuesInput{}, example: `{"skip_invalid": true, "writes": [
			{"customer_id": "` + input.ExampleID + `", "agent_id": "` + input.ExampleID + `", "name": "email", "value": "ada@example.com", "source": "human_entered"}]}`},
		result: reflect.TypeFor[vault.ImportResult](),
	}, func(ctx context.Context, c caller, in *many, opts []trigger.Option) (trigger.Receipt, error) {
		body, err := decode[vault.ImportValuesInput](in.JSON)
		if err != nil {
			return trigger.Receipt{}, err
		}
		return trigger.Submit(ctx, s.options.Trigger, c.tenant, vault.ImportValues, body, opts...)
	})
}

func (s *Server) identityRoutes() {
	change(s, operation{
		name: "add-asset", method: http.MethodPost, path: "/v1/customers/{customer_id}/assets", tag: tagCustomers, access: toWrite,
		summary: "Add the reference to a document", detail: "The bytes live elsewhere.",
		body: &bodyOf{of: vault.AddAssetInput{}, omit: []string{"customer_id"}, example: `{
			"name": "id_card", "asset_type": "image", "storage_provider": "s3", "storage_path": "s3://documents/id-card.png", "size_bytes": 48213,
			"checksum": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}`},
		result: reflect.TypeFor[vault.ItemResult](),
	}, func(ctx context.Context, c caller, in *profileBody, opts []trigger.Option) (trigger.Receipt, error) {
		body, err := decode[vault.AddAssetInput](in.JSON)
		if err := cmp.Or(err, from(&body.CustomerID, in.Customer, "customer_id")); err != nil {
			return trigger.Receipt{}, err
		}
		return trigger.Submit(ctx, s.options.Trigger, c.tenant, vault.AddAsset, body, opts...)
	})
	change(s, operation{
		name: "link-channel", method: http.MethodPost, path: "/v1/customers/{customer_id}/channels", tag: tagCustomers, access: toWrite,
		summary: "Say that an identity on a channel is this customer's",
		body:    &bodyOf{of: vault.LinkChannelInput{}, omit: []string{"customer_id"}, example: `{"channel": "email", "external_id": "ada@example.com"}`},
		result:  reflect.TypeFor[vault.CustomerResult](),
	}, func(ctx context.Context, c caller, in *profileBody, opts []trigger.Option) (trigger.Receipt, error) {
		body, err := decode[vault.LinkChannelInput](in.JSON)
		if err := cmp.Or(err, from(&body.CustomerID, in.Customer, "customer_id")); err != nil {
			return trigger.Receipt{}, err
		}
		return trigger.Submit(ctx, s.options.Trigger, c.tenant, vault.LinkChannel, body, opts...)
	})
	change(s, operation{
		name: "record-consent", method: http.MethodPost, path: "/v1/customers/{customer_id}/consents", tag: tagCustomers, access: toWrite,
		summary: "Record what a customer agrees to, or does not",
		body:    &bodyOf{of: vault.RecordConsentInput{}, omit: []string{"customer_id"}, example: `{"purpose": "marketing", "granted": true, "source": "web form"}`},
		result:  reflect.TypeFor[vault.CustomerResult](),
	}, func(ctx context.Context, c caller, in *profileBody, opts []trigger.Option) (trigger.Receipt, error) {
		body, err := decode[vault.RecordConsentInput](in.JSON)
		if err := cmp.Or(err, from(&body.CustomerID, in.Customer, "customer_id")); err != nil {
			return trigger.Receipt{}, err
		}
		return trigger.Submit(ctx, s.options.Trigger, c.tenant, vault.RecordConsent, body, opts...)
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
	register(s, operation{
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
	change(s, operation{
		name: "fill-gaps", method: http.MethodPost, path: "/v1/customers/{customer_id}/fill", tag: tagCustomers, access: toWrite,
		summary: "Fill what a scenario still needs of a customer",
		detail:  "From the profile, the session and the conversation; the rest is asked for (GET /v1/questions), and the operation succeeds once that is settled.",
		body:    &bodyOf{of: vault.FillGapsInput{}, omit: []string{"customer_id"}, example: `{"scenario_id": "` + input.ExampleID + `", "session_id": "` + input.ExampleID + `"}`},
		result:  reflect.TypeFor[vault.FillResult](),
	}, func(ctx context.Context, c caller, in *profileBody, opts []trigger.Option) (trigger.Receipt, error) {
		body, err := decode[vault.FillGapsInput](in.JSON)
		if err := cmp.Or(err, from(&body.CustomerID, in.Customer, "customer_id")); err != nil {
			return trigger.Receipt{}, err
		}
		return trigger.Submit(ctx, s.options.Trigger, c.tenant, vault.FillGaps, body, opts...)
	})
}
