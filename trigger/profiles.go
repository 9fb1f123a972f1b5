package trigger

import (
	"context"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/vault"
)

// ImportFields accepts up to vault.MaxImport facts, that are stored together (workflow import-fields).
func (c *Client) ImportFields(ctx context.Context, tenant uuid.UUID, in vault.ImportFields, opts ...Option) (Receipt, error) {
	if err := in.Check(); err != nil {
		return Receipt{}, err
	}
	return c.accept(ctx, tenant, db.NewIntent{
		Workflow: vault.WorkflowImportFields, Event: vault.EventFieldsImport, Subject: "import", Payload: in,
	}, opts)
}

// VerifyField accepts that a customer's value was verified (workflow verify-field).
func (c *Client) VerifyField(ctx context.Context, tenant uuid.UUID, in vault.VerifyField, opts ...Option) (Receipt, error) {
	return checked(ctx, c, tenant, in, vault.WorkflowVerifyField, vault.EventFieldVerify, in.CustomerID, opts)
}

// OpenProfile gets the customer of a channel identity, or makes one (workflow open-profile). The result names the customer.
func (c *Client) OpenProfile(ctx context.Context, tenant uuid.UUID, in vault.OpenProfile, opts ...Option) (Receipt, error) {
	return checked(ctx, c, tenant, in, vault.WorkflowOpenProfile, vault.EventProfileOpen, uuid.Nil, opts)
}

// LinkChannel accepts that an identity on a channel is a customer's (workflow link-channel).
func (c *Client) LinkChannel(ctx context.Context, tenant uuid.UUID, in vault.LinkChannel, opts ...Option) (Receipt, error) {
	return checked(ctx, c, tenant, in, vault.WorkflowLinkChannel, vault.EventChannelLink, in.CustomerID, opts)
}

// RecordConsent accepts what a customer agrees to (workflow record-consent).
func (c *Client) RecordConsent(ctx context.Context, tenant uuid.UUID, in vault.RecordConsent, opts ...Option) (Receipt, error) {
	return checked(ctx, c, tenant, in, vault.WorkflowRecordConsent, vault.EventConsentRecord, in.CustomerID, opts)
}

// MergeProfiles accepts that two customers are one (workflow merge-profiles).
func (c *Client) MergeProfiles(ctx context.Context, tenant uuid.UUID, in vault.MergeProfiles, opts ...Option) (Receipt, error) {
	if in.SourceCustomerID == in.TargetCustomerID && in.SourceCustomerID != uuid.Nil {
		return Receipt{}, vault.Invalid("target_customer_id", "is the source itself; name two different customers")
	}
	return checked(ctx, c, tenant, in, vault.WorkflowMergeProfiles, vault.EventProfileMerge, in.TargetCustomerID, opts)
}

// UnmergeProfile accepts that a merge is undone (workflow unmerge-profile).
func (c *Client) UnmergeProfile(ctx context.Context, tenant uuid.UUID, in vault.UnmergeProfile, opts ...Option) (Receipt, error) {
	return checked(ctx, c, tenant, in, vault.WorkflowUnmergeProfile, vault.EventProfileUnmerge, in.CustomerID, opts)
}

// DeleteProfile accepts that a customer is removed, softly (workflow delete-profile).
func (c *Client) DeleteProfile(ctx context.Context, tenant uuid.UUID, in vault.DeleteProfile, opts ...Option) (Receipt, error) {
	return checked(ctx, c, tenant, in, vault.WorkflowDeleteProfile, vault.EventProfileDelete, in.CustomerID, opts)
}

// RestoreItem accepts that an item is brought back (workflow restore-item). Only for admins: the caller checks that.
func (c *Client) RestoreItem(ctx context.Context, tenant uuid.UUID, in vault.RestoreItem, opts ...Option) (Receipt, error) {
	return checked(ctx, c, tenant, in, vault.WorkflowRestoreItem, vault.EventItemRestore, in.ItemID, opts)
}

// DecideReview accepts a person's decision about what was extracted (workflow decide-review).
func (c *Client) DecideReview(ctx context.Context, tenant uuid.UUID, in vault.DecideReview, opts ...Option) (Receipt, error) {
	return checked(ctx, c, tenant, in, vault.WorkflowDecideReview, vault.EventReviewDecided, in.ID, opts)
}

// checked accepts an operation whose input has no rules beyond its tags.
func checked(ctx context.Context, c *Client, tenant uuid.UUID, in any, workflow, event string, subject uuid.UUID, opts []Option) (Receipt, error) {
	if err := vault.CheckInput(in); err != nil {
		return Receipt{}, err
	}
	return c.accept(ctx, tenant, db.NewIntent{Workflow: workflow, Event: event, Subject: subject.String(), Payload: in}, opts)
}
