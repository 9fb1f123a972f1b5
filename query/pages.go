package query

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

// MaxPage is the maximum number of rows on a page.
const MaxPage = 1000

// CustomersPage returns customers of the tenant in the order of their ids, starting after an id; nil: from the first.
// It omits customers that were merged into another customer.
func (q *Queries) CustomersPage(
	ctx context.Context, tenant uuid.UUID, after *uuid.UUID, limit int,
) (page []vault.Customer, more bool, err error) {
	//nolint:gosec // at most MaxPage
	in := dbgen.PageCustomersParams{TenantID: tenant, AfterID: after, MaxRows: int32(min(limit, MaxPage)) + 1}
	rows, err := q.db.Tenant(tenant).PageCustomers(ctx, in)
	if err != nil {
		return nil, false, err
	}
	page, more = pageOf(rows, limit, customerOf)
	return page, more, nil
}

func customerOf(r dbgen.PageCustomersRow) vault.Customer {
	return vault.Customer{CustomerID: r.CustomerID, Version: r.Version, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt}
}

// Identity is an identity of a customer on a channel.
type Identity struct{ Channel, ExternalID string }

// FindCustomer returns the customer of a channel identity. It creates none.
func (q *Queries) FindCustomer(ctx context.Context, tenant uuid.UUID, in Identity) (vault.Customer, error) {
	if err := cmp.Or(rules.CheckText("channel", in.Channel), rules.CheckText("external_id", in.ExternalID)); err != nil {
		return vault.Customer{}, err
	}
	r, err := q.db.Tenant(tenant).FindCustomer(ctx, dbgen.FindCustomerParams{
		TenantID: tenant, Channel: in.Channel, ExternalID: in.ExternalID,
	})
	if db.IsNotFound(err) { // without the identity, which is data of a person
		return vault.Customer{}, &vault.Error{
			Code: vault.CodeUnknown, Field: "external_id",
			Message: "external_id: no customer has this identity on this channel; open-customer and take-turn create one",
		}
	}
	if err != nil {
		return vault.Customer{}, err
	}
	g, err := q.guard(ctx, tenant)
	if err != nil {
		return vault.Customer{}, err
	}
	g.note(r.CustomerID, vault.AuditedChannels)
	return customerOf(dbgen.PageCustomersRow(r)), nil
}

// customersPerRead is the number of customers whose values are read at once. Several bound the memory of a page.
const customersPerRead = 10

// ActiveValues returns the active values of customers, by customer and name. A customer without a value has no entry.
// It ends early when the values exceed vault.MaxPageBytes: read is the number of customers, in the given order, whose
// values are complete. It is at least 1 if there are customers.
func (q *Queries) ActiveValues(
	ctx context.Context, tenant uuid.UUID, customers []uuid.UUID,
) (values map[uuid.UUID]map[string]vault.Value, read int, err error) {
	out := make(map[uuid.UUID]map[string]vault.Value, len(customers))
	g, err := q.guard(ctx, tenant)
	if err != nil {
		return nil, 0, err
	}
	total := 0
	for chunk := range slices.Chunk(customers, customersPerRead) {
		rows, err := q.db.Tenant(tenant).ListCustomerValues(ctx, tenant, chunk)
		if err != nil {
			return nil, 0, err
		}
		bytes := make(map[uuid.UUID]int, len(chunk))
		for _, r := range rows {
			field := db.ValueOf(r.CustomerValue)
			if err := q.sealer.OpenValue(ctx, tenant, &field); err != nil {
				return nil, 0, err
			}
			if out[r.CustomerID] == nil {
				out[r.CustomerID] = map[string]vault.Value{}
			}
			out[r.CustomerID][field.Name] = field
			bytes[r.CustomerID] += sizeOf(field)
		}
		for customer, fields := range out {
			if slices.Contains(chunk, customer) {
				if err := g.fields(ctx, customer, fields); err != nil {
					return nil, 0, err
				}
			}
		}
		for _, id := range chunk {
			if total += bytes[id]; total > vault.MaxPageBytes && read > 0 {
				return out, read, nil
			}
			read++
		}
	}
	return out, read, nil
}

// sizeOf returns the approximate bytes of a value in an answer, without its fixed parts.
func sizeOf(v vault.Value) int {
	n := len(v.Value) + len(v.SourceMetadata)
	for _, w := range v.Warnings {
		n += len(w)
	}
	return n
}

// HistoryPosition is the position of a version in a history.
type HistoryPosition struct {
	AcceptedAt  time.Time `json:"accepted_at"`
	OperationID uuid.UUID `json:"operation_id"`
	ID          uuid.UUID `json:"id"`
}

// HistoryPage returns versions of a customer's fields, newest first: of one field, or of all fields if name is empty.
// The page starts after a position; nil: with the newest version. It ends early when its values exceed
// vault.MaxPageBytes. more reports whether older versions follow.
func (q *Queries) HistoryPage(
	ctx context.Context, tenant, customer uuid.UUID, name string, after *HistoryPosition, limit int,
) (page []vault.Value, more bool, err error) {
	limit, page = min(limit, MaxPage), []vault.Value{}
	if name != "" {
		if err := q.checkFields(ctx, tenant, name); err != nil {
			return nil, false, err
		}
	}
	g, err := q.guard(ctx, tenant)
	if err != nil {
		return nil, false, err
	}
	for total := 0; ; {
		rows, err := q.historyRows(ctx, g, tenant, customer, name, after, min(limit-len(page), versionsPerRead)+1)
		if err != nil {
			return nil, false, err
		}
		if len(rows) == 0 && len(page) == 0 {
			_, err := q.profile(ctx, tenant, customer)
			return page, false, err
		}
		full := len(rows) > versionsPerRead || len(page)+len(rows) > limit
		if full {
			rows = rows[:len(rows)-1]
		}
		part := make([]vault.Value, len(rows))
		for i, row := range rows {
			part[i] = db.ValueOf(row)
		}
		if err := q.sealer.OpenValues(ctx, tenant, part); err != nil {
			return nil, false, err
		}
		if err := g.history(ctx, customer, part); err != nil {
			return nil, false, err
		}
		for _, v := range part {
			if total += sizeOf(v); total > vault.MaxPageBytes && len(page) > 0 {
				return page, true, nil
			}
			page = append(page, v)
		}
		if !full || len(page) >= limit {
			return page, full, nil
		}
		last := page[len(page)-1]
		after = &HistoryPosition{AcceptedAt: last.AcceptedAt, OperationID: last.OperationID, ID: last.ID}
	}
}

// versionsPerRead is the number of versions that are read at once. Several bound the memory of a page.
const versionsPerRead = 32

func (q *Queries) historyRows(
	ctx context.Context, g *guard, tenant, customer uuid.UUID, name string, after *HistoryPosition, rows int,
) ([]dbgen.CustomerValue, error) {
	//nolint:gosec // at most versionsPerRead
	in := dbgen.PageHistoryParams{TenantID: tenant, CustomerID: customer, MaxRows: int32(rows)}
	if name != "" {
		in.Name = &name
	}
	if g != nil {
		in.Names = g.names
	}
	if after != nil {
		in.BeforeAcceptedAt, in.BeforeOperationID, in.BeforeID = &after.AcceptedAt, &after.OperationID, &after.ID
	}
	return q.db.Tenant(tenant).PageHistory(ctx, in)
}

// QuestionPosition is a position in the list of open questions.
type QuestionPosition struct {
	OpenedAt time.Time `json:"opened_at"`
	ID       uuid.UUID `json:"id"`
}

// Questions returns up to MaxPage open questions of a customer, oldest first.
func (q *Queries) Questions(ctx context.Context, tenant, customer uuid.UUID) ([]vault.Question, error) {
	page, _, err := q.QuestionsPage(ctx, tenant, &customer, nil, MaxPage)
	return page, err
}

// QuestionsPage returns open questions, oldest first: of one customer and the customers merged with it, or of all
// customers if customer is nil.
func (q *Queries) QuestionsPage(
	ctx context.Context, tenant uuid.UUID, customer *uuid.UUID, after *QuestionPosition, limit int,
) (page []vault.Question, more bool, err error) {
	//nolint:gosec // at most MaxPage
	in := dbgen.PageOpenQuestionsParams{TenantID: tenant, CustomerID: customer, MaxRows: int32(min(limit, MaxPage)) + 1}
	in.Agents = vault.AgentsOf(ctx)
	if after != nil {
		in.AfterOpenedAt, in.AfterID = &after.OpenedAt, &after.ID
	}
	rows, err := q.db.Tenant(tenant).PageOpenQuestions(ctx, in)
	if err != nil {
		return nil, false, err
	}
	return q.questionsPage(ctx, tenant, rows, limit)
}

// ClosedQuestionsPage returns closed questions to a customer and the customers merged with it, newest first, starting
// after a position; nil: with the newest.
func (q *Queries) ClosedQuestionsPage(
	ctx context.Context, tenant, customer uuid.UUID, after *QuestionPosition, limit int,
) (page []vault.Question, more bool, err error) {
	//nolint:gosec // at most MaxPage
	in := dbgen.PageClosedQuestionsParams{TenantID: tenant, CustomerID: customer, MaxRows: int32(min(limit, MaxPage)) + 1}
	in.Agents = vault.AgentsOf(ctx)
	if after != nil {
		in.BeforeOpenedAt, in.BeforeID = &after.OpenedAt, &after.ID
	}
	rows, err := q.db.Tenant(tenant).PageClosedQuestions(ctx, in)
	if err != nil {
		return nil, false, err
	}
	return q.questionsPage(ctx, tenant, rows, limit)
}

// questionsPage returns a page of questions as the reader may see them.
func (q *Queries) questionsPage(
	ctx context.Context, tenant uuid.UUID, rows []dbgen.Question, limit int,
) (page []vault.Question, more bool, err error) {
	page, more = pageOf(rows, limit, db.QuestionOf)
	g, err := q.guard(ctx, tenant)
	if err != nil {
		return nil, false, err
	}
	return page, more, g.questions(ctx, page)
}

// Rule returns a rule as it was saved.
func (q *Queries) Rule(ctx context.Context, tenant, rule uuid.UUID) (vault.Rule, error) {
	if err := q.checkIDs(ctx, tenant, rule); err != nil {
		return vault.Rule{}, err
	}
	row, err := q.db.Tenant(tenant).GetRule(ctx, tenant, rule)
	if err != nil {
		return vault.Rule{}, db.WrapNotFound(err, "rule", rule)
	}
	return db.RuleOf(row)
}

// pageOf converts the rows of a page. The query reads one row more than the page holds, which sets more.
func pageOf[R, T any](rows []R, limit int, convert func(R) T) (page []T, more bool) {
	limit = min(limit, MaxPage)
	if more = len(rows) > limit; more {
		rows = rows[:limit]
	}
	page = make([]T, len(rows))
	for i, row := range rows {
		page[i] = convert(row)
	}
	return page, more
}
