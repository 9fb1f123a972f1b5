package personal

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/contextvault/contextvault/db"
)

// Scope has the ids of one person: of a customer and of the customers that share its profile since a merge.
type Scope struct {
	Tenant uuid.UUID `json:"-"`
	// Self is the operation that works on the scope. It is left out.
	Self       uuid.UUID   `json:"-"`
	Customers  []uuid.UUID `json:"customers"`
	Profiles   []uuid.UUID `json:"profiles"`
	Sessions   []uuid.UUID `json:"sessions"`
	Items      []uuid.UUID `json:"items"`
	Fills      []uuid.UUID `json:"fills"`
	Questions  []uuid.UUID `json:"questions"`
	Operations []uuid.UUID `json:"operations"` // those that hold nothing of others
	// Identities are the channel identities. They are personal data and are not stored with the scope.
	Identities []Identity `json:"-"`
	// Shown is the profile that readers see: the target of the merges. Empty: the customer has none.
	Shown []uuid.UUID `json:"-"`
	// worked reports that an operation other than an erasure or an export is about the customer.
	worked bool
	// Shared are operations that hold other customers as well.
	Shared []Shared `json:"-"`
}

// Identity is a channel identity.
type Identity struct{ Channel, ExternalID string }

// args are the parameters of Table.Where.
func (s Scope) args() pgx.NamedArgs {
	return pgx.NamedArgs{
		"tenant": s.Tenant, "self": s.Self, "customers": list(s.Customers), "profiles": list(s.Profiles),
		"sessions": list(s.Sessions), "items": list(s.Items), "fills": list(s.Fills), "questions": list(s.Questions),
		"operations": list(s.Operations), "subjects": s.subjects(),
		"holders": slices.Concat(s.subjects(), texts(s.Operations)), "shared": sharedWorkflows(),
	}
}

// IDs returns the ids that identify the person or what belongs to it, without those of operations and gap fills, which
// stay as bookkeeping.
func (s Scope) IDs() []uuid.UUID {
	return slices.Concat(s.Customers, s.Profiles, s.Sessions, s.Items, s.Questions)
}

// subjects are the ids that operations and holds may have as their subject.
func (s Scope) subjects() []string {
	return texts(slices.Concat(s.Customers, s.Sessions, s.Items, s.Fills, s.Questions))
}

func texts(ids []uuid.UUID) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = id.String()
	}
	return out
}

// Tombstones are the subjects of the tombstones of the person, and of what belongs to it: an answer to one of its
// questions can come late as well.
func (s Scope) Tombstones() []string {
	var out []string
	for _, c := range s.Customers {
		out = append(out, db.CustomerSubject(c))
	}
	for _, i := range s.Identities {
		out = append(out, db.IdentitySubject(i.Channel, i.ExternalID))
	}
	for _, id := range slices.Concat(s.Sessions, s.Items, s.Questions, s.Fills) {
		out = append(out, db.BelongingSubject(id))
	}
	return out
}

func list(ids []uuid.UUID) []uuid.UUID {
	if ids == nil {
		return []uuid.UUID{}
	}
	return ids
}

// Locate finds the ids of a customer. self is the operation that asks. lock locks the profiles against other
// transactions until the end of this one.
func Locate(
	ctx context.Context, tx pgx.Tx, sealer *db.Sealer, tenant, customer, self uuid.UUID, lock bool,
) (Scope, error) {
	s := Scope{Tenant: tenant, Self: self}
	if err := s.people(ctx, tx, customer, lock); err != nil {
		return s, err
	}
	return s, s.belongings(ctx, tx, sealer)
}

// Refresh finds what was added to a scope since it was stored: in it, ids are only added.
func (s *Scope) Refresh(ctx context.Context, tx pgx.Tx, sealer *db.Sealer) error {
	return s.belongings(ctx, tx, sealer)
}

// Empty reports whether nothing was found: the vault does not know the customer.
func (s Scope) Empty() bool {
	return len(s.Profiles) == 0 && len(s.Sessions) == 0 && len(s.Fills) == 0 && len(s.Questions) == 0 &&
		!s.worked && len(s.Shared) == 0
}

// people finds the profiles that share one with the customer.
func (s *Scope) people(ctx context.Context, tx pgx.Tx, customer uuid.UUID, lock bool) error {
	const group = `SELECT id, customer_id, merged_into_id IS NULL FROM customer_profiles
WHERE tenant_id = @tenant AND coalesce(merged_into_id, id) = (
    SELECT coalesce(c.merged_into_id, c.id) FROM customer_profiles c
	WHERE c.tenant_id = @tenant AND c.customer_id = @customer
)
ORDER BY id`
	sql := group
	if lock {
		sql += " FOR UPDATE"
	}
	type profile struct {
		ID, CustomerID uuid.UUID
		Shown          bool
	}
	args := pgx.NamedArgs{"tenant": s.Tenant, "customer": customer}
	for { // a merge may have changed the group while this transaction waited for the locks
		found, err := collect[profile](ctx, tx, sql, args)
		if err != nil {
			return fmt.Errorf("find the profiles: %w", err)
		}
		again, err := collect[profile](ctx, tx, group, args)
		if err != nil {
			return fmt.Errorf("find the profiles: %w", err)
		}
		if !slices.Equal(found, again) {
			continue
		}
		s.Customers, s.Profiles, s.Shown = []uuid.UUID{customer}, nil, nil
		for _, p := range found {
			if p.Shown {
				s.Shown = append(s.Shown, p.ID)
			}
			s.Profiles = append(s.Profiles, p.ID)
			if p.CustomerID != customer {
				s.Customers = append(s.Customers, p.CustomerID)
			}
		}
		return nil
	}
}

// Operations of a customer are those on an id of the customer, those whose id a row of the customer has, those that
// gap fills started, and the openings that returned the customer.
const ownOperations = `SELECT o.id FROM operations o
WHERE o.tenant_id = @tenant AND o.id <> @self AND NOT o.workflow = ANY (@shared) AND (
    o.subject_id = ANY (@subjects)
    OR o.parent_id = ANY (@fills)
    OR o.id = ANY (@rows)
    OR (o.workflow = 'open-customer' AND o.result ->> 'customer_id' = ANY (@subjects))
)`

const rowOperations = `SELECT operation_id FROM customer_values
	WHERE tenant_id = @tenant AND profile_id = ANY (@profiles)
UNION SELECT operation_id FROM customer_assets WHERE tenant_id = @tenant AND profile_id = ANY (@profiles)
UNION SELECT operation_id FROM consents WHERE tenant_id = @tenant AND profile_id = ANY (@profiles)
UNION SELECT operation_id FROM channel_identities WHERE tenant_id = @tenant AND profile_id = ANY (@profiles)
UNION SELECT operation_id FROM customer_merges WHERE tenant_id = @tenant
    AND (source_profile_id = ANY (@profiles) OR target_profile_id = ANY (@profiles))
UNION SELECT operation_id FROM merge_proposals WHERE tenant_id = @tenant AND operation_id IS NOT NULL
    AND (older_profile_id = ANY (@profiles) OR newer_profile_id = ANY (@profiles))
UNION SELECT operation_id FROM session_turns WHERE tenant_id = @tenant AND session_id = ANY (@sessions)
UNION SELECT id FROM customer_exports WHERE tenant_id = @tenant AND customer_id = ANY (@customers)`

func (s *Scope) belongings(ctx context.Context, tx pgx.Tx, sealer *db.Sealer) error {
	for _, part := range []struct {
		into *[]uuid.UUID
		sql  string
	}{
		{&s.Sessions, "SELECT id FROM sessions WHERE tenant_id = @tenant AND customer_id = ANY (@customers)"},
		{&s.Items, `SELECT id FROM customer_values WHERE tenant_id = @tenant AND profile_id = ANY (@profiles)
UNION ALL SELECT id FROM customer_assets WHERE tenant_id = @tenant AND profile_id = ANY (@profiles)`},
		{&s.Fills, "SELECT operation_id FROM gap_fills WHERE tenant_id = @tenant AND customer_id = ANY (@customers)"},
		{&s.Questions, `SELECT id FROM questions
WHERE tenant_id = @tenant AND (customer_id = ANY (@customers) OR fill_id = ANY (@fills))`},
	} {
		if err := s.add(ctx, tx, part.into, part.sql, s.args()); err != nil {
			return err
		}
	}
	identities, err := collect[Identity](ctx, tx,
		"SELECT channel, external_id FROM channel_identities WHERE tenant_id = @tenant AND profile_id = ANY (@profiles)",
		s.args())
	if err != nil {
		return fmt.Errorf("find the channels: %w", err)
	}
	s.Identities = identities
	var rows []uuid.UUID
	if err := s.add(ctx, tx, &rows, rowOperations, s.args()); err != nil {
		return err
	}
	args := s.args()
	args["rows"] = list(rows)
	if err := s.add(ctx, tx, &s.Operations, ownOperations, args); err != nil {
		return err
	}
	err = tx.QueryRow(ctx, `SELECT EXISTS (
    SELECT FROM operations
    WHERE tenant_id = @tenant AND id = ANY (@operations) AND workflow NOT IN ('erase-customer', 'export-customer')
)`, s.args()).Scan(&s.worked)
	if err != nil {
		return fmt.Errorf("find the operations: %w", err)
	}
	return s.findShared(ctx, tx, sealer)
}

// add adds the ids that a query finds.
func (s *Scope) add(ctx context.Context, tx pgx.Tx, into *[]uuid.UUID, sql string, args pgx.NamedArgs) error {
	rows, err := tx.Query(ctx, sql, args)
	if err != nil {
		return fmt.Errorf("find what belongs to the customer: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return fmt.Errorf("find what belongs to the customer: %w", err)
	}
	known := make(map[uuid.UUID]bool, len(*into))
	for _, id := range *into {
		known[id] = true
	}
	for _, id := range found {
		if !known[id] {
			known[id] = true
			*into = append(*into, id)
		}
	}
	return nil
}

func collect[T any](ctx context.Context, tx pgx.Tx, sql string, args pgx.NamedArgs) ([]T, error) {
	rows, err := tx.Query(ctx, sql, args)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[T])
}
