package trigger

import (
	"context"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

// ImportValues accepts up to vault.MaxImport facts, that are stored together (workflow import-values).
func (c *Client) ImportValues(ctx context.Context, tenant uuid.UUID, in vault.ImportValuesInput, opts ...Option) (Receipt, error) {
	if err := rules.Check(in); err != nil {
		return Receipt{}, err
	}
	return c.accept(ctx, tenant, db.NewOperation{
		Workflow: vault.WorkflowImportValues, Event: vault.EventValuesImport, Subject: "import", Payload: in,
	}, opts)
}

// VerifyValue accepts that a customer's value was verified (workflow verify-value).
func (c *Client) VerifyValue(ctx context.Context, tenant uuid.UUID, in vault.VerifyValueInput, opts ...Option) (Receipt, error) {
	return checked(ctx, c, tenant, in, vault.WorkflowVerifyValue, vault.EventValueVerify, in.CustomerID, opts)
}

// OpenCustomer gets the customer of a channel identity, or makes one (workflow open-customer). The result names the customer.
func (c *Client) OpenCustomer(ctx context.Context, tenant uuid.UUID, in vault.OpenCustomerInput, opts ...Option) (Receipt, error) {
	return checked(ctx, c, tenant, in, vault.WorkflowOpenCustomer, vault.EventCustomerOpen, uuid.Nil, opts)
}

// LinkChannel accepts that an identity on a channel is a customer's (workflow link-channel).
func (c *Client) LinkChannel(ctx context.Context, tenant uuid.UUID, in vault.LinkChannelInput, opts ...Option) (Receipt, error) {
	return checked(ctx, c, tenant, in, vault.WorkflowLinkChannel, vault.EventChannelLink, in.CustomerID, opts)
}

// RecordConsent accepts what a customer agrees to (workflow record-consent).
func (c *Client) RecordConsent(ctx context.Context, tenant uuid.UUID, in vault.RecordConsentInput, opts ...Option) (Receipt, error) {
	return checked(ctx, c, tenant, in, vault.WorkflowRecordConsent, vault.EventConsentRecord, in.CustomerID, opts)
}

// MergeCustomers accepts that two customers are one (workflow merge-customers).
func (c *Client) MergeCustomers(ctx context.Context, tenant uuid.UUID, in vault.MergeCustomersInput, opts ...Option) (Receipt, error) {
	if in.SourceCustomerID == in.TargetCustomerID && in.SourceCustomerID != uuid.Nil {
		return Receipt{}, vault.Invalid("target_customer_id", "is the source itself; name two different customers")
	}
	return checked(ctx, c, tenant, in, vault.WorkflowMergeCustomers, vault.EventCustomerMerge, in.TargetCustomerID, opts)
}

// UnmergeCustomer accepts that a merge is undone (workflow unmerge-customer).
func (c *Client) UnmergeCustomer(ctx context.Context, tenant uuid.UUID, in vault.UnmergeCustomerInput, opts ...Option) (Receipt, error) {
	return checked(ctx, c, tenant, in, vault.WorkflowUnmergeCustomer, vault.EventCustomerUnmerge, in.CustomerID, opts)
}

// DeleteCustomer accepts that a customer is removed, softly (workflow delete-customer).
func (c *Client) DeleteCustomer(ctx context.Context, tenant uuid.UUID, in vault.DeleteCustomerInput, opts ...Option) (Receipt, error) {
	return checked(ctx, c, tenant, in, vault.WorkflowDeleteCustomer, vault.EventCustomerDelete, in.CustomerID, opts)
}

// RestoreItem accepts that an item is brought back (workflow restore-item). Only for admins: the caller checks that.
func (c *Client) RestoreItem(ctx context.Context, tenant uuid.UUID, in vault.RestoreItemInput, opts ...Option) (Receipt, error) {
	return checked(ctx, c, tenant, in, vault.WorkflowRestoreItem, vault.EventItemRestore, in.ItemID, opts)
}

// DecideReview accepts a person's decision about what was extracted (workflow decide-review).
func (c *Client) DecideReview(ctx context.Context, tenant uuid.UUID, in vault.DecideReviewInput, opts ...Option) (Receipt, error) {
	return checked(ctx, c, tenant, in, vault.WorkflowDecideReview, vault.EventReviewDecided, in.ID, opts)
}

// checked accepts an operation whose input has no rules beyond its tags.
func checked(ctx context.Context, c *Client, tenant uuid.UUID, in any, workflow, event string, subject uuid.UUID, opts []Option) (Receipt, error) {
	if err := rules.Check(in); err != nil {
		return Receipt{}, err
	}
	return c.accept(ctx, tenant, db.NewOperation{Workflow: workflow, Event: event, Subject: subject.String(), Payload: in}, opts)
}
