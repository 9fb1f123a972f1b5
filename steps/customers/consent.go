package customers

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/vault"
)

// checkConsent rejects a write of a field that needs a consent which the customer has not given or has withdrawn.
func checkConsent(
	ctx context.Context, q *dbgen.Queries, tenant, profile uuid.UUID, name string, now time.Time,
) error {
	refused, err := refusedFields(ctx, q, tenant, []fieldKey{{profile, name}}, now)
	if err == nil && len(refused) > 0 {
		err = consentRequired(name)
	}
	return err
}

// refusedFields returns the fields that may not be written.
func refusedFields(
	ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, keys []fieldKey, now time.Time,
) (map[fieldKey]bool, error) {
	at := db.UTC(now)
	in := dbgen.ListRefusedFieldsParams{TenantID: tenant, Now: &at}
	for _, k := range keys {
		in.Profiles, in.Names = append(in.Profiles, k.profile), append(in.Names, k.name)
	}
	rows, err := q.ListRefusedFields(ctx, in)
	out := make(map[fieldKey]bool, len(rows))
	for _, r := range rows {
		out[fieldKey{r.ProfileID, r.Name}] = true
	}
	return out, err
}

func consentRequired(name string) error {
	return &vault.Error{
		Code: vault.CodeConsentRequired, Field: "name",
		Message: "name: consent required: the customer has not consented to any purpose of the field " + name +
			", or has withdrawn it; record the consent first",
	}
}

// dropRefused removes the writes of fields that need a consent.
func dropRefused(
	ctx context.Context, q *dbgen.Queries, tenant uuid.UUID, writes []checkedWrite, profiles map[uuid.UUID]uuid.UUID,
	refused *rejections, now time.Time,
) ([]checkedWrite, error) {
	keys := make([]fieldKey, len(writes))
	for i, w := range writes {
		keys[i] = fieldKey{profiles[w.CustomerID], w.Name}
	}
	forbidden, err := refusedFields(ctx, q, tenant, keys, now)
	if err != nil || len(forbidden) == 0 {
		return writes, err
	}
	kept := make([]checkedWrite, 0, len(writes))
	for i, w := range writes {
		if !forbidden[keys[i]] {
			kept = append(kept, w)
		} else if err := refused.add(w.index, consentRequired(w.Name)); err != nil {
			return nil, err
		}
	}
	return kept, nil
}
