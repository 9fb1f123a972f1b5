package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"strconv"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/vault"
)

// OpenCustomer gets the customer of a channel identity, or makes one. The result names the customer.
func (c *Client) OpenCustomer(ctx context.Context, in vault.OpenCustomerInput, opts ...Option) (Operation[vault.CustomerResult], error) {
	return change[vault.CustomerResult](ctx, c, request{method: http.MethodPost, path: path("v1", "customers"), body: in}, opts)
}

// CustomersQuery says what is listed of customers.
type CustomersQuery struct {
	Values bool // their active values, too
}

// valuesPage is how many customers one request reads with their values, which are up to 64 KiB each.
const valuesPage = 100

// ListCustomers gives the customers in the order of their ids. Who was merged into another customer is not among them.
func (c *Client) ListCustomers(ctx context.Context, in CustomersQuery) iter.Seq2[vault.Customer, error] {
	query := url.Values{}
	if in.Values {
		query.Set("values", "true")
		query.Set("limit", strconv.Itoa(valuesPage))
	}
	return list[vault.Customer](ctx, c, path("v1", "customers"), query)
}

// GetCustomer gives what is known of a customer: active values and assets, channels, and the consents in force.
func (c *Client) GetCustomer(ctx context.Context, customer uuid.UUID) (vault.Profile, error) {
	return get[vault.Profile](ctx, c, path("v1", "customers", customer), nil)
}

// ListCustomerHistory gives the versions of all fields of a customer, the newest first by order of acceptance.
func (c *Client) ListCustomerHistory(ctx context.Context, customer uuid.UUID) iter.Seq2[vault.Value, error] {
	return list[vault.Value](ctx, c, path("v1", "customers", customer, "history"), nil)
}

// DeleteCustomer deletes a customer with its items. The rows stay, unseen. Where items of other customers were derived from them,
// the problem is has_dependents, with their ids; Force, which needs the scope admin, orphans them.
func (c *Client) DeleteCustomer(ctx context.Context, in vault.DeleteCustomerInput, opts ...Option) (Operation[vault.CustomerResult], error) {
	return change[vault.CustomerResult](ctx, c, forced(request{method: http.MethodDelete, path: path("v1", "customers", in.CustomerID)}, in.Force), opts)
}

// MergeCustomers says that two customers are one. The source's id leads to the target from then on.
func (c *Client) MergeCustomers(ctx context.Context, in vault.MergeCustomersInput, opts ...Option) (Operation[vault.CustomerResult], error) {
	return change[vault.CustomerResult](ctx, c, request{method: http.MethodPost, path: path("v1", "customers", in.TargetCustomerID, "merge"), body: in}, opts)
}

// UnmergeCustomer undoes the merge that took a customer away: exact for all that happened before the merge.
func (c *Client) UnmergeCustomer(ctx context.Context, customer uuid.UUID, opts ...Option) (Operation[vault.CustomerResult], error) {
	return change[vault.CustomerResult](ctx, c, request{method: http.MethodPost, path: path("v1", "customers", customer, "unmerge")}, opts)
}

// AddAsset adds the reference to a document. The bytes live elsewhere.
func (c *Client) AddAsset(ctx context.Context, in vault.AddAssetInput, opts ...Option) (Operation[vault.ItemResult], error) {
	return change[vault.ItemResult](ctx, c, request{method: http.MethodPost, path: path("v1", "customers", in.CustomerID, "assets"), body: in}, opts)
}

// LinkChannel says that an identity on a channel is a customer's.
func (c *Client) LinkChannel(ctx context.Context, in vault.LinkChannelInput, opts ...Option) (Operation[vault.CustomerResult], error) {
	return change[vault.CustomerResult](ctx, c, request{method: http.MethodPost, path: path("v1", "customers", in.CustomerID, "channels"), body: in}, opts)
}

// RecordConsent records what a customer agrees to, or does not.
func (c *Client) RecordConsent(ctx context.Context, in vault.RecordConsentInput, opts ...Option) (Operation[vault.CustomerResult], error) {
	return change[vault.CustomerResult](ctx, c, request{method: http.MethodPost, path: path("v1", "customers", in.CustomerID, "consents"), body: in}, opts)
}

// MissingQuery says for whom and for what.
type MissingQuery struct {
	CustomerID uuid.UUID
	ScenarioID uuid.UUID
	SessionID  *uuid.UUID          // its variables are seen by conditions; nil: none
	StepID     string              // only what this step needs, and the whole scenario; empty: every step
	RuleID     *uuid.UUID          // only what this rule needs, and what belongs to no rule; nil: every rule
	Level      vault.RequiredLevel // empty: both
}

// MissingFields is what a scenario still needs of a customer, in the order in which to collect it.
type MissingFields struct {
	Missing  []vault.Missing `json:"missing"`
	Blocked  bool            `json:"blocked"` // one of them holds the customer back
	Warnings []string        `json:"warnings,omitempty"`
}

// GetMissing gives what a scenario still needs of a customer. A customer nothing was written for yet is missing everything.
func (c *Client) GetMissing(ctx context.Context, in MissingQuery) (MissingFields, error) {
	query := url.Values{"scenario_id": {in.ScenarioID.String()}}
	for name, id := range map[string]*uuid.UUID{"session_id": in.SessionID, "rule_id": in.RuleID} {
		if id != nil {
			query.Set(name, id.String())
		}
	}
	for name, text := range map[string]string{"step_id": in.StepID, "level": string(in.Level)} {
		if text != "" {
			query.Set(name, text)
		}
	}
	return get[MissingFields](ctx, c, path("v1", "customers", in.CustomerID, "missing"), query)
}

// FillGaps fills what a scenario still needs of a customer, from the profile, the session and the conversation. The rest is asked
// for (ListQuestions), and the operation succeeds once that is settled: its outcome may take as long as the customer does.
func (c *Client) FillGaps(ctx context.Context, in vault.FillGapsInput, opts ...Option) (Operation[vault.FillResult], error) {
	return change[vault.FillResult](ctx, c, request{method: http.MethodPost, path: path("v1", "customers", in.CustomerID, "fill"), body: in}, opts)
}
