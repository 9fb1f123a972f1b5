package client

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/vault"
)

// CustomersQuery configures ListCustomers.
type CustomersQuery struct {
	Values bool // include the active values
	// Where are conditions on the active values of fields; a customer meets all of them: field=value, field^=beginning,
	// field:verified, field:present, field:missing, field:older_than=30d. Empty: all customers.
	Where []string
}

// valuesPage is the number of customers per request with their values, which have up to 64 KiB each.
const valuesPage = 100

// ListCustomers lists the customers, sorted by id. With conditions they have the order of the index that finds them.
// Merged customers are not included.
func (c *Client) ListCustomers(ctx context.Context, in CustomersQuery) iter.Seq2[vault.Customer, error] {
	query := url.Values{}
	if len(in.Where) > 0 {
		query["where"] = in.Where
	}
	if in.Values {
		query.Set("values", "true")
		query.Set("limit", strconv.Itoa(valuesPage))
	}
	return list[vault.Customer](ctx, c, path("v1", "customers"), query)
}

// CountCustomers counts the customers who meet conditions, which are those of CustomersQuery.
func (c *Client) CountCustomers(ctx context.Context, where ...string) (vault.CustomerCount, error) {
	return get[vault.CustomerCount](ctx, c, path("v1", "customers", "count"), url.Values{"where": where})
}

// FindCustomer returns the customer of a channel identity. It creates none: see OpenCustomer.
func (c *Client) FindCustomer(ctx context.Context, channel, externalID string) (vault.Customer, error) {
	query := url.Values{"external_id": {externalID}}
	return get[vault.Customer](ctx, c, path("v1", "channels", channel, "customer"), query)
}

// Recall returns the facts and quotes of a customer that are closest to a question in words.
func (c *Client) Recall(ctx context.Context, customer uuid.UUID, in vault.RecallInput) (vault.Recalled, error) {
	var out vault.Recalled
	err := c.do(ctx, request{method: http.MethodPost, path: path("v1", "customers", customer, "recall"), body: in}, &out)
	return out, err
}

// GetCustomer returns the profile of a customer: active values and assets, channels, and valid consents.
func (c *Client) GetCustomer(ctx context.Context, customer uuid.UUID) (vault.Profile, error) {
	return get[vault.Profile](ctx, c, path("v1", "customers", customer), nil)
}

// GetCustomerAt is GetCustomer at a moment: what was true then, as the vault knew it then.
func (c *Client) GetCustomerAt(ctx context.Context, customer uuid.UUID, at vault.Moment) (vault.Profile, error) {
	return get[vault.Profile](ctx, c, path("v1", "customers", customer), withMoment(nil, at))
}

// withMoment adds a moment to a query.
func withMoment(query url.Values, at vault.Moment) url.Values {
	for name, t := range map[string]*time.Time{"as_of": at.AsOf, "known_at": at.KnownAt} {
		if t == nil {
			continue
		}
		if query == nil {
			query = url.Values{}
		}
		query.Set(name, t.Format(time.RFC3339Nano))
	}
	return query
}

// ListCustomerHistory lists the versions of all fields of a customer, newest first by the order of acceptance.
func (c *Client) ListCustomerHistory(ctx context.Context, customer uuid.UUID) iter.Seq2[vault.Value, error] {
	return list[vault.Value](ctx, c, path("v1", "customers", customer, "history"), nil)
}

// ListMerges lists the merges of a customer and of the customers who are merged into it, newest first. UnmergeCustomer
// undoes one that is undoable.
func (c *Client) ListMerges(ctx context.Context, customer uuid.UUID) iter.Seq2[vault.Merge, error] {
	return list[vault.Merge](ctx, c, path("v1", "customers", customer, "merges"), nil)
}

// ListSessions lists the sessions of a customer, newest first, without variables and turns.
func (c *Client) ListSessions(ctx context.Context, customer uuid.UUID) iter.Seq2[vault.SessionSummary, error] {
	return list[vault.SessionSummary](ctx, c, path("v1", "customers", customer, "sessions"), nil)
}

// MissingQuery configures GetMissing.
type MissingQuery struct {
	CustomerID uuid.UUID
	ScenarioID uuid.UUID
	SessionID  *uuid.UUID          // the session with the variables for conditions; nil: none
	StepID     string              // only requirements of this step and the whole scenario; "": all steps
	RuleID     *uuid.UUID          // only requirements of this rule and those without a rule; nil: all rules
	Level      vault.RequiredLevel // "": both
}

// MissingFields are the missing fields of a customer for a scenario, in the order of collection.
type MissingFields struct {
	Missing  []vault.Missing `json:"missing"`
	Blocked  bool            `json:"blocked"` // a missing field blocks the scenario
	Warnings []string        `json:"warnings,omitempty"`
	// Withheld are the fields that nobody may ask for, because the customer has not consented to them. They are not in
	// Missing.
	Withheld []vault.Withheld `json:"withheld,omitempty"`
}

// GetMissing returns the missing fields of a customer for a scenario. A customer without values is missing all fields.
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

// ContextQuery configures GetContext and GetContextBlock.
type ContextQuery struct {
	CustomerID uuid.UUID
	ScenarioID *uuid.UUID // what it misses and needs comes first; nil: only what is known
	SessionID  *uuid.UUID // the session with the variables for conditions; nil: none
	MaxTokens  int        // the largest size; 0: vault.DefaultContextTokens
	// Format is that of GetContext. "": vault.ContextText.
	Format vault.ContextFormat
}

// GetContext returns the context block of a customer, for the prompt of a language model.
func (c *Client) GetContext(ctx context.Context, in ContextQuery) (string, error) {
	got, err := c.send(ctx, in.request())
	switch {
	case err != nil:
		return "", err
	case got.status != http.StatusOK:
		return "", problemOf(got)
	case got.header.Get("Vault-Context-Tokens") == "":
		return "", fmt.Errorf("%w: the response of %s is not a context block", ErrNotVault, c.server)
	}
	return string(got.body), nil
}

// GetContextBlock is GetContext as a structure.
func (c *Client) GetContextBlock(ctx context.Context, in ContextQuery) (vault.ContextBlock, error) {
	in.Format = vault.ContextJSON
	var out vault.ContextBlock
	return out, c.do(ctx, in.request(), &out)
}

func (in ContextQuery) request() request {
	query := url.Values{}
	for name, id := range map[string]*uuid.UUID{"scenario": in.ScenarioID, "session_id": in.SessionID} {
		if id != nil {
			query.Set(name, id.String())
		}
	}
	if in.MaxTokens != 0 {
		query.Set("max_tokens", strconv.Itoa(in.MaxTokens))
	}
	if in.Format != "" {
		query.Set("format", string(in.Format))
	}
	return request{method: http.MethodGet, path: path("v1", "customers", in.CustomerID, "context"), query: query}
}
