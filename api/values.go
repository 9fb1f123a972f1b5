package api

import (
	"context"
	"fmt"
	"net/http"

	"github.com/contextvault/contextvault/api/internal/input"
	"github.com/contextvault/contextvault/internal/cursor"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/vault"
)

const historyDetail = "Newest first, by the order of acceptance."

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
		detail: "The first write creates the profile. The previous version becomes superseded and remains in the " +
			"history. A value that differs from a stronger active one does not replace it: its status is pending, and a " +
			"person or the customer decides. Strength is the verification first, then the source.",
		example: `{
			"agent_id": "` + input.ExampleID + `", "value": "ada@example.com", "source": "user_provided"}`,
	}, func(ctx context.Context, c caller, _ *write, body *vault.WriteValueInput) error {
		return s.checkClaim(ctx, c, *body)
	})
	submit[write](s, vault.AddElement, route{
		method: http.MethodPost, path: "/v1/customers/{customer_id}/values/{name}/elements",
		tag: tagCustomers, access: toWrite,
		summary: "Add an element to the list of a field",
		detail: "value is the element. The definition has multiple. The list with the element is a new version. An element " +
			"that the list has already changes nothing.",
		example: `{
			"agent_id": "` + input.ExampleID + `", "value": "Norwegian", "source": "user_provided"}`,
	}, func(ctx context.Context, c caller, _ *write, body *vault.WriteValueInput) error {
		return s.checkClaim(ctx, c, *body)
	})
	submit[write](s, vault.RemoveElement, route{
		method:  http.MethodPost,
		path:    "/v1/customers/{customer_id}/values/{name}/elements/remove",
		tag:     tagCustomers,
		access:  toWrite,
		summary: "Remove an element from the list of a field",
		detail: "value is the element. The list without it is a new version. An element that the list does not have " +
			"changes nothing.",
		example: `{
			"agent_id": "` + input.ExampleID + `", "value": "Norwegian", "source": "user_provided"}`,
	}, func(ctx context.Context, c caller, _ *write, body *vault.WriteValueInput) error {
		return s.checkClaim(ctx, c, *body)
	})
	type getValue struct {
		FieldOfCustomer
		input.Moment
	}
	register(s, route{
		name: "get-value", tag: tagCustomers, access: toRead,
		method: http.MethodGet, path: "/v1/customers/{customer_id}/values/{name}",
		summary: "Get the active value of a field", detail: "With as_of and known_at: the value that was active then.",
		errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, c caller, in *getValue) (*one[vault.Value], error) {
		at, err := in.At()
		if err != nil {
			return nil, err
		}
		value, err := s.options.Query.ValueAt(ctx, c.tenant, in.Customer.UUID, in.Name, at)
		return &one[vault.Value]{value}, err
	})
	type wholeHistory struct {
		input.CustomerPath
		input.Page
	}
	register(s, route{
		name: "list-customer-history", tag: tagCustomers, access: toRead, values: true,
		method: http.MethodGet, path: "/v1/customers/{customer_id}/history",
		summary: "List the versions of all fields of a customer", detail: historyDetail,
		errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, c caller, in *wholeHistory) (*page[vault.Value], error) {
		return s.historyPage(ctx, c, in.Customer, "", in.Page)
	})
	type history struct {
		FieldOfCustomer
		input.Page
	}
	register(s, route{
		name: "list-history", tag: tagCustomers, access: toRead, values: true,
		method: http.MethodGet, path: "/v1/customers/{customer_id}/values/{name}/history",
		summary: "List the versions of a field", detail: historyDetail, errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, c caller, in *history) (*page[vault.Value], error) {
		return s.historyPage(ctx, c, in.Customer, in.Name, in.Page)
	})
	submit[write](s, vault.VerifyValue, route{
		method: http.MethodPost, path: "/v1/customers/{customer_id}/values/{name}/verify",
		tag: tagCustomers, access: toVerify,
		summary: "Mark the active value of a field as verified",
		example: `{
			"agent_id": "` + input.ExampleID + `", "method": "document", "verified_by": "back office"}`,
	})
	submit[write](s, vault.ExpireValue, route{
		method: http.MethodPost, path: "/v1/customers/{customer_id}/values/{name}/expiry",
		tag: tagCustomers, access: toWrite,
		summary: "End the active value of a field now",
		detail: "As if its expires_at had passed: the value stays in the history as expired, the field is missing until " +
			"the next write, and what was derived from the value becomes stale.",
		example: `{"item_id": "` + input.ExampleID + `"}`, optionalBody: true,
	})
	submit[write](s, vault.CorrectValue, route{
		method: http.MethodPost, path: "/v1/customers/{customer_id}/values/{name}/correction",
		tag: tagCustomers, access: toReview,
		summary: "Replace a wrong value",
		detail:  "Whatever its strength. Both versions remain in the history, the new one with the reason.",
		example: `{
			"agent_id": "` + input.ExampleID + `", "value": "ada@example.com", "reason": "The customer showed the letter.",
			"corrected_by": "back office"}`,
	}, func(_ context.Context, c caller, _ *write, body *vault.CorrectValueInput) error {
		return c.checkVerified("", body.Verified, body.VerificationMethod, "")
	})
	submit[write](s, vault.ProposeDeletion, route{
		method: http.MethodPost, path: "/v1/customers/{customer_id}/values/{name}/propose-deletion",
		tag: tagReviews, access: toWrite,
		summary: "Propose to delete the active value of a field",
		detail: "It deletes nothing. The value appears in the reviews with deletion_proposed_at, and a person decides with " +
			"decide-value.",
		example: `{"reason": "customer_asked"}`,
	})
	type decide struct {
		input.ItemPath
		input.Preferences
		input.JSON
	}
	submit[decide](s, vault.DecideValue, route{
		method: http.MethodPost, path: "/v1/items/{item_id}/decision", tag: tagReviews, access: toReview,
		summary: "Approve or reject a pending value or a proposed deletion",
		detail: "An approved value becomes active with its own lineage, and the version that it replaces superseded. A " +
			"rejected one remains in the history. An approved deletion deletes the value, a rejected one keeps it.",
		example: `{"decision": "approve", "decided_by": "back office"}`,
	})
	s.importRoutes()
}

// historyPage returns a page of the versions of a field, or of all fields if name is empty.
func (s *Server) historyPage(
	ctx context.Context, c caller, customer input.ID, name string, in input.Page,
) (*page[vault.Value], error) {
	after, err := decodeCursor[query.HistoryPosition](in.Cursor)
	if err != nil {
		return nil, err
	}
	items, more, err := s.options.Query.HistoryPage(ctx, c.tenant, customer.UUID, name, after, in.Limit)
	out := &page[vault.Value]{listOf[vault.Value]{Items: items}}
	if more {
		last := items[len(items)-1]
		out.Body.Next = cursor.Encode(query.HistoryPosition{
			AcceptedAt: last.AcceptedAt, OperationID: last.OperationID, ID: last.ID,
		})
	}
	return out, err
}

func (s *Server) importRoutes() {
	submit[customerBody](s, vault.ImportValues, route{
		name:   "import-customer-values",
		method: http.MethodPost, path: "/v1/customers/{customer_id}/import", tag: tagCustomers, access: toWrite,
		summary: "Write many values of a customer",
		detail:  "In one transaction. One invalid write rejects all, unless skip_invalid is set.",
		example: `{"writes": [
			{"agent_id": "` + input.ExampleID + `", "name": "email", "value": "ada@example.com", "source": "human_entered"},
			{"agent_id": "` + input.ExampleID + `", "name": "country", "value": "Norway", "source": "human_entered"}]}`,
		fromPath: []string{"writes.customer_id"}, into: map[string]string{"customer_id": unbound},
	}, func(ctx context.Context, c caller, in *customerBody, body *vault.ImportValuesInput) error {
		for i := range body.Writes {
			member := fmt.Sprintf("writes[%d].customer_id", i)
			if err := fromPath(&body.Writes[i].CustomerID, in.Customer, member); err != nil {
				return err
			}
		}
		return s.checkClaims(ctx, c, body.Writes)
	})
	type many struct {
		input.Preferences
		input.JSON
	}
	submit[many](s, vault.ImportValues, route{
		method: http.MethodPost, path: "/v1/import", tag: tagCustomers, access: toWrite,
		summary: "Write values of many customers",
		detail:  "In one transaction, up to 1,000 values. One invalid write rejects all, unless skip_invalid is set.",
		example: `{"skip_invalid": true, "writes": [{
			"customer_id": "` + input.ExampleID + `", "agent_id": "` + input.ExampleID + `",
			"name": "email", "value": "ada@example.com", "source": "human_entered"}]}`,
	}, func(ctx context.Context, c caller, _ *many, body *vault.ImportValuesInput) error {
		return s.checkClaims(ctx, c, body.Writes)
	})
}
