package client

import (
	"context"
	"iter"
	"net/url"
	"strconv"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/vault"
)

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
