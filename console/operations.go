package console

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/api"
	"github.com/contextvault/contextvault/internal/cursor"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/telemetry"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

const (
	operationsPageSize = 50
	// slowAfter is the age from which an unfinished operation counts as slow: most finish within a second.
	slowAfter = time.Minute
	// verySlowAfter is the age from which somebody should look at the engine and the workers.
	verySlowAfter = time.Hour
)

// operationsPage is the content of the page of operations.
type operationsPage struct {
	Operations             []vault.OperationSummary
	Next, Status, Workflow string
	Workflows              []string
	Kinds                  []kindOfOperation
	Capped                 bool // there are more than the counts say
	Health                 telemetry.Health
	Names                  []string // of the dependencies
	MayReplay              bool
	Token                  string
	Dashboard              string
	SweepErrors            sweepErrors
}

// sweepErrors says what is wrong in the forms of sweeps; "": nothing.
type sweepErrors struct{ Own, All string }

// kindOfOperation counts the operations of a workflow that are not done.
type kindOfOperation struct {
	Workflow                     string
	Owed, Slow, VerySlow, Failed int
	Oldest                       *time.Time // the acceptance of the oldest one that is owed
}

func (q *request) operationsPage() error { return q.showOperations(http.StatusOK, sweepErrors{}) }

func (q *request) showOperations(status int, wrong sweepErrors) error {
	after, err := decodeCursor[uuid.UUID](q.r.FormValue("page"))
	if err != nil {
		return err
	}
	page := operationsPage{
		Status: q.r.FormValue("status"), Workflow: q.r.FormValue("workflow"), Token: q.session.Token,
		MayReplay: q.may(api.ScopeAdmin), Health: telemetry.CheckDependencies(q.ctx, q.options.Dependencies),
	}
	for name := range page.Health.Dependencies {
		page.Names = append(page.Names, name)
	}
	slices.Sort(page.Names)
	for _, o := range vault.Operations() {
		page.Workflows = append(page.Workflows, o.Name)
	}
	slices.Sort(page.Workflows)
	filter := vault.OperationFilter{Status: vault.OperationSelection(page.Status), Workflow: page.Workflow}
	var more bool
	page.Operations, more, err = q.options.Query.OperationsPage(q.ctx, q.key.TenantID, filter, after, operationsPageSize)
	if err != nil {
		return err
	}
	if more {
		page.Next = cursor.Encode(page.Operations[len(page.Operations)-1].ID)
	}
	if page.Kinds, page.Capped, err = q.kinds(); err != nil {
		return err
	}
	page.Dashboard, page.SweepErrors = q.options.Dashboard, wrong
	return q.show(status, "Operations", "operations", operationsContent(page))
}

// kinds counts what is owed, slow and failed, up to query.MaxPage operations of each.
func (q *request) kinds() (out []kindOfOperation, capped bool, err error) {
	byName := map[string]*kindOfOperation{}
	failed := vault.OperationSelection(vault.OperationFailed)
	for _, selection := range []vault.OperationSelection{vault.SelectUnfinished, failed} {
		ops, more, err := q.options.Query.OperationsPage(
			q.ctx, q.key.TenantID, vault.OperationFilter{Status: selection}, nil, query.MaxPage)
		if err != nil {
			return nil, false, err
		}
		capped = capped || more
		for _, op := range ops {
			k := byName[op.Workflow]
			if k == nil {
				k = &kindOfOperation{Workflow: op.Workflow}
				byName[op.Workflow] = k
			}
			if op.Status == vault.OperationFailed {
				k.Failed++
				continue
			}
			k.Owed++
			if time.Since(op.AcceptedAt) > slowAfter {
				k.Slow++
			}
			if time.Since(op.AcceptedAt) > verySlowAfter {
				k.VerySlow++
			}
			if k.Oldest == nil || op.AcceptedAt.Before(*k.Oldest) {
				k.Oldest = &op.AcceptedAt
			}
		}
	}
	for _, k := range byName {
		out = append(out, *k)
	}
	slices.SortFunc(out, func(a, b kindOfOperation) int {
		return cmp.Or(cmp.Compare(b.Failed, a.Failed), cmp.Compare(b.Slow, a.Slow), cmp.Compare(a.Workflow, b.Workflow))
	})
	return out, capped, nil
}

func (q *request) operationPage() error {
	id, err := q.id()
	if err != nil {
		return err
	}
	op, err := q.options.Query.Operation(q.ctx, q.key.TenantID, id)
	if err != nil {
		return err
	}
	return q.showOperation(http.StatusOK, op)
}

// operationPage is the content of the page of an operation.
type operationPage struct {
	Operation vault.Operation
	Runs      []vault.EngineRun
	RunsError string // why the engine's runs are not shown; "": they are
	MayReplay bool
	Token     string
	Dashboard string
}

// showOperation shows an operation with what the engine knows of its runs. A page never waits for long for an engine
// that is away: it says so.
func (q *request) showOperation(status int, op vault.Operation) error {
	page := operationPage{
		Operation: op, MayReplay: q.may(api.ScopeAdmin), Token: q.session.Token,
		Dashboard: strings.TrimRight(q.options.Dashboard, "/"),
	}
	runs, err := q.options.Trigger.Runs(q.ctx, op)
	if err != nil {
		page.RunsError = "The workflow engine does not answer, so its runs are not shown. What is shown here is not affected."
	}
	page.Runs = runs.Runs
	return q.show(status, "Operation "+op.Workflow, "operations", operationContent(page))
}

// runAddress returns the address of a run in Hatchet's dashboard.
func (p operationPage) runAddress(r vault.EngineRun) string {
	return p.Dashboard + "/tenants/" + r.EngineTenantID.String() + "/runs/" + r.ID.String()
}

// badgeOfRun returns the kind of the badge of a status of the engine.
func badgeOfRun(status string) string {
	switch status {
	case "COMPLETED":
		return "succeeded"
	case "FAILED", "CANCELLED":
		return "failed"
	default:
		return "accepted"
	}
}

func attempts(n int) string {
	if n == 0 {
		return "not started"
	}
	return counted(n, "attempt")
}

// advice says what a person can do about an operation.
func advice(op vault.Operation) string {
	switch {
	case op.Status == vault.OperationSucceeded:
		return ""
	case op.WaitingFor != nil:
		return "It waits for the answer of a customer. Nothing is to be done."
	case op.Status != vault.OperationFailed:
		return "It runs, or waits for the workflow engine. It is pushed again by itself, and is not lost. " +
			"If it stays like this, look at the state of the engine and at the log of the workers."
	case op.Error == nil:
		return "Replay it once the cause is fixed."
	}
	switch op.Error.Code {
	case vault.CodeInvalid, vault.CodeNotAllowed:
		return "The input breaks a rule, so a replay fails in the same way until the rule is changed. " +
			"Change the definition and replay it, or submit a right input as a new operation."
	case vault.CodeUnknown:
		return "It names something that does not exist. Create or restore that, then replay it."
	case vault.CodeConflict:
		return "It contradicts what is stored by now. Compare it with the current state; often nothing is to be done."
	case vault.CodeHasDependents:
		return "Delete what was derived from the item first, then replay it."
	case vault.CodeConsentRequired:
		return "The customer has not consented. Replay it once a consent is recorded."
	case vault.CodeBudget:
		return "The budget of the language model for the day is used up. Replay it tomorrow, or raise the budget."
	default:
		return "Something that the vault needs did not answer. Replay it once that is back."
	}
}

// deletedItem returns the id of the item that an operation deleted, "" if it deleted none.
func deletedItem(op vault.Operation) string {
	var result vault.DeleteResult
	if op.Workflow != vault.DeleteItem.Name || op.Status != vault.OperationSucceeded ||
		json.Unmarshal(op.Result, &result) != nil {
		return ""
	}
	return result.ItemID.String()
}

// replay runs an operation again.
func (q *request) replay() error {
	id, err := q.id()
	if err != nil {
		return err
	}
	receipt, err := q.options.Trigger.Replay(q.ctx, q.key.TenantID, id)
	if err == nil {
		err = q.await(receipt)
	}
	e, ok := errors.AsType[*vault.Error](err)
	switch {
	case err == nil:
		return q.after("/operations/"+id.String(), id)
	case !ok || receipt.Replayed == "" && e.Code == vault.CodeUnknown: // there is no such operation
		return err
	}
	op, readErr := q.options.Query.Operation(q.ctx, q.key.TenantID, id)
	if readErr != nil {
		return readErr
	}
	text := sentence(e.Error())
	if receipt.Replayed != "" {
		text = "It was replayed, and failed again: " + text
	}
	q.notices = append(q.notices, notice{Kind: "failed", Text: text})
	return q.showOperation(http.StatusConflict, op)
}

// replayAll replays the failed operations of a workflow. It does not wait for their outcome.
func (q *request) replayAll() error {
	filter := vault.OperationFilter{
		Status: vault.OperationSelection(vault.OperationFailed), Workflow: q.r.PostFormValue("workflow"),
	}
	if filter.Workflow == "" {
		return vault.Invalid("workflow", "is required")
	}
	ops, more, err := q.options.Query.OperationsPage(q.ctx, q.key.TenantID, filter, nil, query.MaxPage)
	if err != nil {
		return err
	}
	replayed := 0
	for _, op := range ops {
		_, err := q.options.Trigger.Replay(q.ctx, q.key.TenantID, op.ID)
		if _, ok := errors.AsType[*vault.Error](err); err != nil && !ok {
			return err
		}
		if err == nil { // else somebody else replayed it meanwhile
			replayed++
		}
	}
	text := fmt.Sprintf("%d of %d failed %s operations run again.", replayed, len(ops), filter.Workflow)
	if more {
		text += " There are more: replay them in the same way."
	}
	q.notices = append(q.notices, notice{Kind: "waits", Text: text})
	return q.operationsPage()
}

// relay pushes the operations of the tenant that are owed for longer than a minute to the engine again, and the gap
// fills that have something new to look at. It does not wait for their outcome.
func (q *request) relay() error {
	ops, more, err := q.options.Query.OperationsPage(
		q.ctx, q.key.TenantID, vault.OperationFilter{Status: vault.SelectUnfinished}, nil, query.MaxPage)
	if err != nil {
		return err
	}
	pushed := 0
	for _, op := range ops {
		if time.Since(op.AcceptedAt) <= slowAfter {
			continue
		}
		_, err := q.options.Trigger.Replay(q.ctx, q.key.TenantID, op.ID)
		if _, ok := errors.AsType[*vault.Error](err); err != nil && !ok {
			return err
		}
		if err == nil { // else it finished meanwhile, or was pushed just now
			pushed++
		}
	}
	woken, err := q.options.Trigger.Wake(q.ctx, q.key.TenantID)
	if err != nil {
		return err
	}
	text := fmt.Sprintf("%d owed operations are pushed again, and %d gap fills.", pushed, woken)
	if more {
		text += " There are more: push them in the same way."
	}
	q.notices = append(q.notices, notice{Kind: "waits", Text: text})
	return q.operationsPage()
}

// sweepOwn starts a sweep of the tenant of the session.
func (q *request) sweepOwn() error {
	spec, ok := sweeps[q.r.PostFormValue("sweep")]
	if !ok {
		return q.showOperations(http.StatusUnprocessableEntity, sweepErrors{Own: chooseSweep})
	}
	return q.runSweep(q.key.TenantID, spec, vault.Sweep{})
}

// sweep starts a sweep of all tenants. It needs the admin token beside the session: a key is of one tenant.
func (q *request) sweep() error {
	tenant, err := q.options.Keys.Operator(q.r, strings.TrimSpace(q.r.PostFormValue("admin_token")))
	if err != nil {
		status, text := explain(err)
		if status >= http.StatusInternalServerError {
			return err
		}
		return q.showOperations(status, sweepErrors{All: text + " Nothing was changed."})
	}
	spec, ok := sweeps[q.r.PostFormValue("sweep")]
	if !ok {
		return q.showOperations(http.StatusUnprocessableEntity, sweepErrors{All: chooseSweep})
	}
	return q.runSweep(tenant, spec, vault.Sweep{AllTenants: true})
}

// sweeps are the sweeps that a person can start, by their names.
var sweeps = map[string]vault.Spec[vault.Sweep, vault.SweepResult]{
	vault.ExpireValues.Name: vault.ExpireValues, vault.DetectOrphans.Name: vault.DetectOrphans,
}

const chooseSweep = "Choose a sweep. Nothing was changed."

// runSweep submits a sweep as an operation of a tenant, and says what it marked.
func (q *request) runSweep(
	tenant uuid.UUID, spec vault.Spec[vault.Sweep, vault.SweepResult], in vault.Sweep,
) error {
	receipt, err := trigger.Submit(q.ctx, q.options.Trigger, tenant, spec, in)
	if err == nil {
		err = q.await(receipt)
	}
	if err != nil {
		return err
	}
	op, err := q.options.Query.Operation(q.ctx, tenant, receipt.ID)
	if err != nil {
		return err
	}
	text := spec.Name + " is accepted and still runs. It is not lost."
	kind := "waits"
	var result vault.SweepResult
	if op.Status == vault.OperationSucceeded && json.Unmarshal(op.Result, &result) == nil {
		kind = "done"
		text = fmt.Sprintf("%s succeeded. Items marked: %d. Customers: %d.", spec.Name, result.Marked, result.Customers)
	}
	q.notices = append(q.notices, notice{Kind: kind, Text: text})
	return q.operationsPage()
}
