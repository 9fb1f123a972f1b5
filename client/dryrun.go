package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/vault"
)

// Look selects the customers that a dry run looks at, in the order of their ids.
type Look struct {
	// After is the Next of the previous answer. nil: from the first customer.
	After *uuid.UUID
	// Customers is the maximum number of customers, up to vault.MaxDryRunCustomers. 0: vault.DefaultDryRunCustomers.
	Customers int
}

// DryRunDefinition says what a changed definition would break. It changes nothing.
func (c *Client) DryRunDefinition(ctx context.Context, in vault.Definition, look Look) (vault.DryRun, error) {
	return c.dryRun(ctx, path("v1", "agents", in.AgentID, "definitions", in.Name, "dry-run"), in, look)
}

// DryRunRequirement says for whom a scenario would ask for something else if a requirement were saved.
func (c *Client) DryRunRequirement(ctx context.Context, in vault.Requirement, look Look) (vault.DryRun, error) {
	return c.dryRun(ctx, path("v1", "scenarios", in.ScenarioID, "requirements", in.FieldName, "dry-run"), in, look)
}

// DryRunScenario says what would become of requirements and customers if a scenario were saved.
func (c *Client) DryRunScenario(ctx context.Context, in vault.Scenario, look Look) (vault.DryRun, error) {
	return c.dryRun(ctx, path("v1", "agents", in.AgentID, "scenarios", in.ID, "dry-run"), in, look)
}

// DryRunRule says what would become of the requirements of a rule if it were saved. It looks at no customer.
func (c *Client) DryRunRule(ctx context.Context, in vault.Rule) (vault.DryRun, error) {
	return c.dryRun(ctx, path("v1", "agents", in.AgentID, "rules", in.ID, "dry-run"), in, Look{})
}

// DryRunDeleteDefinition says what the deletion of a definition would break. It changes nothing.
func (c *Client) DryRunDeleteDefinition(
	ctx context.Context, in vault.DeleteDefinitionInput, look Look,
) (vault.DryRun, error) {
	return c.dryRun(ctx, path("v1", "agents", in.AgentID, "definitions", in.Name, "dry-run-delete"), nil, look)
}

// DryRunDeleteRequirement says for whom a scenario would ask for something else if a requirement were deleted.
func (c *Client) DryRunDeleteRequirement(
	ctx context.Context, in vault.DeleteRequirementInput, look Look,
) (vault.DryRun, error) {
	query := url.Values{}
	if in.StepID != "" {
		query.Set("step_id", in.StepID)
	}
	if in.RuleID != nil {
		query.Set("rule_id", in.RuleID.String())
	}
	at := path("v1", "scenarios", in.ScenarioID, "requirements", in.FieldName, "dry-run-delete")
	return c.dryRunOf(ctx, at, query, nil, look)
}

func (c *Client) dryRun(ctx context.Context, path string, body any, look Look) (vault.DryRun, error) {
	return c.dryRunOf(ctx, path, url.Values{}, body, look)
}

func (c *Client) dryRunOf(
	ctx context.Context, path string, query url.Values, body any, look Look,
) (vault.DryRun, error) {
	if look.After != nil {
		query.Set("after", look.After.String())
	}
	if look.Customers != 0 {
		query.Set("customers", strconv.Itoa(look.Customers))
	}
	var out vault.DryRun
	return out, c.do(ctx, request{method: http.MethodPost, path: path, query: query, body: body}, &out)
}
