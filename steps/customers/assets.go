package customers

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/steps/once"
	"github.com/contextvault/contextvault/vault"
)

// Assets stores references to documents.
type Assets struct {
	Once once.Runner
	Now  func() time.Time
}

// ValidateAsset validates an asset before anything is locked.
func (s Assets) ValidateAsset(ctx context.Context, ev vault.Event) (once.Validated, error) {
	return once.Validated{}, once.Prepare(
		ctx, s.Once, ev, func(_ *dbgen.Queries, _ dbgen.Operation, in vault.AddAssetInput) error { return rules.Check(in) },
	)
}

// PersistAsset stores the reference to a document.
func (s Assets) PersistAsset(ctx context.Context, ev vault.Event) (once.Applied[vault.ItemResult], error) {
	return once.Apply(ctx, s.Once, ev, func(
		t *once.Touched, q *dbgen.Queries, op dbgen.Operation, in vault.AddAssetInput,
	) (vault.ItemResult, error) {
		profile, err := LockProfile(ctx, s.Once, q, ev.TenantID, in.CustomerID)
		if err != nil {
			return vault.ItemResult{}, err
		}
		id := once.NewID()
		found, err := checkSource(ctx, q, ev.TenantID, id, in.Lineage)
		if err != nil {
			return vault.ItemResult{}, err
		}
		status := rules.StatusOf(found, in.ExpiresAt, s.Now())
		row := dbgen.InsertAssetParams{
			ID: id, TenantID: ev.TenantID, ProfileID: profile.ID, Name: in.Name, AssetType: in.AssetType,
			StorageProvider: in.StorageProvider, StoragePath: in.StoragePath, MimeType: in.MimeType, SizeBytes: in.SizeBytes,
			Checksum: in.Checksum, UploadedAt: op.AcceptedAt, UploadSessionID: in.UploadSessionID,
			UploadScenarioID: in.UploadScenarioID, SourceItemID: in.SourceItemID, SourceItemType: string(in.SourceItemType),
			SourceMetadata: db.JSON(in.SourceMetadata), Status: string(status), ExpiresAt: in.ExpiresAt,
			OperationID: op.ID, Actor: op.Actor, AcceptedAt: op.AcceptedAt,
		}
		if in.UploadedAt != nil {
			row.UploadedAt = *in.UploadedAt
		}
		row.SupersedesOlder = in.SupersedeExisting
		changed, err := s.placeAsset(ctx, q, &row)
		if err != nil {
			return vault.ItemResult{}, err
		}
		if err := q.InsertAsset(ctx, row); err != nil {
			return vault.ItemResult{}, err
		}
		if row.SourceItemID != nil {
			changed = append(changed, id)
		}
		if err := RefreshStale(ctx, t, q, ev.TenantID, changed, profile.ID); err != nil {
			return vault.ItemResult{}, err
		}
		version, err := t.Profile(ctx, q, ev.TenantID, profile.ID)
		return vault.ItemResult{ItemID: id, Status: vault.ItemStatus(row.Status), ProfileVersion: version}, err
	})
}

// placeAsset places an asset among the assets of its name, by order of acceptance. An asset that supersedes older ones
// also supersedes older ones that arrive later. It returns the superseded ones.
func (s Assets) placeAsset(
	ctx context.Context, q *dbgen.Queries, row *dbgen.InsertAssetParams,
) ([]uuid.UUID, error) {
	newer, err := q.GetNewerAsset(ctx, dbgen.GetNewerAssetParams{
		TenantID: row.TenantID, ProfileID: row.ProfileID, Name: row.Name, AcceptedAt: row.AcceptedAt,
		OperationID: row.OperationID,
	})
	switch {
	case err == nil:
		now := db.UTC(s.Now())
		row.Status, row.SupersededByID, row.SupersededAt = string(vault.StatusSuperseded), &newer, &now
	case !db.IsNotFound(err):
		return nil, err
	}
	if !row.SupersedesOlder {
		return nil, nil
	}
	return q.SupersedeAssets(ctx, dbgen.SupersedeAssetsParams{
		TenantID: row.TenantID, ProfileID: row.ProfileID, Name: row.Name, AcceptedAt: row.AcceptedAt,
		OperationID:    row.OperationID,
		SupersededByID: &row.ID,
	})
}
