package personal

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/vault"
)

// Shared is an operation that holds several customers, or a channel identity instead of a customer.
type Shared struct {
	ID       uuid.UUID
	Workflow string
	// Own is what the payload says of the customer.
	Own json.RawMessage
	// Rest is the payload without the customer. nil: nothing would be left.
	Rest json.RawMessage
}

// split divides the payload of an operation into what it says of a person and the rest. own is nil if it says nothing.
type split func(s Scope, payload json.RawMessage) (own, rest json.RawMessage, err error)

// splits has the operations whose input can name several customers, or none.
var splits = map[string]split{
	vault.ImportValues.Name: func(s Scope, payload json.RawMessage) (own, rest json.RawMessage, err error) {
		return splitList(payload, func(in *vault.ImportValuesInput) *[]vault.WriteValueInput { return &in.Writes },
			func(w vault.WriteValueInput) bool { return slices.Contains(s.Customers, w.CustomerID) })
	},
	vault.OpenCustomers.Name: func(s Scope, payload json.RawMessage) (own, rest json.RawMessage, err error) {
		return splitList(payload, func(in *vault.OpenCustomersInput) *[]vault.OpenCustomerInput { return &in.Identities },
			func(i vault.OpenCustomerInput) bool {
				return slices.Contains(s.Identities, Identity{i.Channel, i.ExternalID})
			})
	},
	vault.OpenCustomer.Name: func(s Scope, payload json.RawMessage) (own, rest json.RawMessage, err error) {
		var in vault.OpenCustomerInput
		if err := json.Unmarshal(payload, &in); err != nil {
			return nil, nil, errSealed
		}
		if slices.Contains(s.Identities, Identity{in.Channel, in.ExternalID}) {
			return payload, nil, nil
		}
		return nil, payload, nil
	},
	vault.TakeTurn.Name: func(s Scope, payload json.RawMessage) (own, rest json.RawMessage, err error) {
		var in vault.TakeTurnInput
		if err := json.Unmarshal(payload, &in); err != nil {
			return nil, nil, errSealed
		}
		if slices.Contains(s.Customers, in.CustomerID) || slices.Contains(s.Sessions, in.SessionID) ||
			(in.SessionKey != "" && slices.Contains(s.Sessions, vault.SessionOfKey(in.AgentID, in.SessionKey))) ||
			(in.CustomerID == uuid.Nil && slices.Contains(s.Identities, Identity{in.Channel, in.ExternalID})) {
			return payload, nil, nil
		}
		return nil, payload, nil
	},
}

// sharedWorkflows are those whose operations never belong to one customer alone.
func sharedWorkflows() []string { return []string{vault.ImportValues.Name, vault.OpenCustomers.Name} }

func splitList[In, E any](
	payload json.RawMessage, members func(*In) *[]E, mine func(E) bool,
) (own, rest json.RawMessage, err error) {
	var in In
	if err := json.Unmarshal(payload, &in); err != nil {
		return nil, nil, errSealed // the cause may quote the payload
	}
	var taken, left []E
	for _, e := range *members(&in) {
		if mine(e) {
			taken = append(taken, e)
		} else {
			left = append(left, e)
		}
	}
	if len(taken) == 0 {
		return nil, payload, nil
	}
	*members(&in) = taken
	if own, err = json.Marshal(in); err != nil || len(left) == 0 {
		return own, nil, err
	}
	*members(&in) = left
	rest, err = json.Marshal(in)
	return own, rest, err
}

// findShared opens the payloads of the operations of the tenant that can name the person among others. Their number is
// that of the imports and openings of many within the retention of operations, and of unfinished and failed openings
// and turns: those that succeeded are found by what they stored.
func (s *Scope) findShared(ctx context.Context, tx pgx.Tx, sealer *db.Sealer) error {
	rows, err := tx.Query(ctx, `SELECT id, workflow, payload FROM operations
WHERE tenant_id = @tenant AND workflow = ANY (@workflows) AND id <> @self AND NOT id = ANY (@operations)
  AND erased_at IS NULL AND (workflow = ANY (@several) OR status IN ('accepted', 'failed'))
ORDER BY id`, pgx.NamedArgs{
		"tenant": s.Tenant, "self": s.Self, "workflows": slices.Collect(maps.Keys(splits)), "operations": list(s.Operations),
		"several": sharedWorkflows(),
	})
	if err != nil {
		return fmt.Errorf("read operations of several customers: %w", err)
	}
	defer rows.Close()
	s.Shared = nil
	for rows.Next() {
		var one Shared
		var sealed []byte
		if err := rows.Scan(&one.ID, &one.Workflow, &sealed); err != nil {
			return fmt.Errorf("read operations of several customers: %w", err)
		}
		payload, err := sealer.OpenBytes(ctx, s.Tenant, one.ID, sealed)
		if vault.CodeOf(err) == vault.CodeUnknown { // of another customer, whose key is gone
			continue
		}
		if err != nil {
			return err
		}
		if one.Own, one.Rest, err = splits[one.Workflow](*s, payload); err != nil {
			return fmt.Errorf("operation %s: %w", one.ID, err)
		}
		if one.Own != nil {
			s.Shared = append(s.Shared, one)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read operations of several customers: %w", err)
	}
	return nil
}
