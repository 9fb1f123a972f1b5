package steps_test

import (
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/query"
)

// propertyChecks is the number of random scripts per property, each with some tens of operations. -rapid.checks=1000
// runs more.
const propertyChecks = "20"

func init() { _ = flag.Set("rapid.checks", propertyChecks) }

// version is a row of customer_values.
type version struct {
	ID           uuid.UUID  `json:"id"`
	Customer     uuid.UUID  `json:"customer_id"` // the customer of its profile
	Name         string     `json:"name"`
	Status       string     `json:"status"`
	SupersededBy *uuid.UUID `json:"superseded_by_id"`
	YieldsTo     *uuid.UUID `json:"yields_to_id"`
	Source       *uuid.UUID `json:"source_item_id"`
	EffectiveAt  time.Time  `json:"effective_at"`
	AcceptedAt   time.Time  `json:"accepted_at"`
	OperationID  uuid.UUID  `json:"operation_id"`
	Deleted      bool       `json:"deleted"`
}

func (v version) String() string {
	by := "none"
	if v.SupersededBy != nil {
		by = v.SupersededBy.String()
	}
	return fmt.Sprintf("%s %s %s by %s deleted %t", v.Name, v.ID, v.Status, by, v.Deleted)
}

// versions returns every version of every field of the tenant.
func (w *world) versions() map[uuid.UUID]version {
	w.t.Helper()
	var raw json.RawMessage
	dbtest.Scan(w.t, w.url, &raw, `
		SELECT coalesce(jsonb_agg(to_jsonb(r)), '[]') FROM (
		    SELECT f.id, p.customer_id, f.name, f.status, f.superseded_by_id, f.yields_to_id, f.source_item_id,
		        least(f.collected_at, f.accepted_at) AS effective_at,
		        f.accepted_at, f.operation_id, f.deleted_at IS NOT NULL AS deleted
		    FROM customer_values f JOIN customer_profiles p ON p.id = f.profile_id
		    WHERE f.tenant_id = $1
		) r`, w.tenant)
	var list []version
	w.must(json.Unmarshal(raw, &list))
	out := map[uuid.UUID]version{}
	for _, v := range list {
		out[v.ID] = v
	}
	return out
}

// sourceGone reports whether a version names a source that is deleted or not in all.
func (v version) sourceGone(all map[uuid.UUID]version) bool {
	if v.Source == nil {
		return false
	}
	source, ok := all[*v.Source]
	return !ok || source.Deleted
}

func older(a, b version) int {
	if c := cmp.Or(a.EffectiveAt.Compare(b.EffectiveAt), a.AcceptedAt.Compare(b.AcceptedAt)); c != 0 {
		return c
	}
	// An import to two customers that were merged later has two versions in one history.
	return cmp.Or(
		strings.Compare(a.OperationID.String(), b.OperationID.String()), strings.Compare(a.ID.String(), b.ID.String()),
	)
}

// brokenHistories describes violations in the histories of the tenant. In a history, each version that is not deleted
// is superseded by the next newer one or by a newer deleted one; only a deleted version can supersede the newest. A
// version that yielded to a stronger one is beside the history: it is never active.
func (w *world) brokenHistories() []string {
	w.t.Helper()
	var broken []string
	all := w.versions()
	histories := map[string][]version{}
	for _, v := range all {
		if v.YieldsTo != nil {
			if v.Status == "active" {
				broken = append(broken, fmt.Sprintf("%s: it yields and is active", v))
			}
			continue
		}
		if v.Status == "pending" {
			broken = append(broken, fmt.Sprintf("%s: it yields to none", v))
		}
		if v.SupersededBy != nil {
			by, ok := all[*v.SupersededBy]
			switch {
			case !ok:
				broken = append(broken, fmt.Sprintf("%s: what superseded it is not there", v))
			case by.Customer != v.Customer || by.Name != v.Name:
				broken = append(broken, fmt.Sprintf("%s: %s of another history superseded it", v, by))
			case older(v, by) >= 0:
				broken = append(broken, fmt.Sprintf("%s: %s is older and superseded it", v, by))
			}
		}
		if !v.Deleted {
			key := v.Customer.String() + " " + v.Name
			histories[key] = append(histories[key], v)
		}
	}
	for key, history := range histories {
		slices.SortFunc(history, older)
		active := 0
		for i, v := range history {
			if v.Status == "active" {
				active++
			}
			if (v.Status == "superseded") != (v.SupersededBy != nil) {
				broken = append(broken, fmt.Sprintf("%s: superseded and by none, or the other way round", v))
				continue
			}
			byDeleted := v.SupersededBy != nil && all[*v.SupersededBy].Deleted
			switch last := i == len(history)-1; {
			case last && v.Status == "superseded" && !byDeleted:
				broken = append(broken, fmt.Sprintf("%s: the newest is superseded", v))
			case !last && (v.SupersededBy == nil || (!byDeleted && *v.SupersededBy != history[i+1].ID)):
				broken = append(broken, fmt.Sprintf("%s: the next newer is %s", v, history[i+1]))
			}
		}
		if active > 1 {
			broken = append(broken, fmt.Sprintf("%s: %d active versions", key, active))
		}
	}
	slices.Sort(broken)
	return broken
}

// staleReads describes differences between the cache and the database after all pending invalidations are flushed.
func (w *world) staleReads(ctx context.Context, customers []uuid.UUID) []string {
	w.t.Helper()
	var stale []string
	if _, err := w.steps.Caches.FlushPending(ctx); err != nil {
		return []string{err.Error()}
	}
	cached, direct := query.New(w.db, w.cache, w.sealer), query.New(w.db, nil, w.sealer)
	for _, c := range customers {
		for range 2 {
			a, errA := cached.Profile(ctx, w.tenant, c)
			b, errB := direct.Profile(ctx, w.tenant, c)
			if textOf(errA) != textOf(errB) || jsonOf(a) != jsonOf(b) {
				stale = append(
					stale,
					fmt.Sprintf(
						"customer %s: version %d of the cache, %d of the database (%v, %v)", c, a.Version, b.Version, errA, errB,
					),
				)
			}
		}
	}
	for id := range w.versions() {
		for range 2 {
			a, errA := cached.Chain(ctx, w.tenant, id, 0)
			b, errB := direct.Chain(ctx, w.tenant, id, 0)
			if textOf(errA) != textOf(errB) || jsonOf(a) != jsonOf(b) {
				stale = append(stale, fmt.Sprintf("the chain of %s: %s in the cache, %s in the database", id, jsonOf(a), jsonOf(b)))
			}
		}
	}
	return stale
}
