package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/contextvault/contextvault/api/internal/access"
	"github.com/contextvault/contextvault/api/internal/input"
	"github.com/contextvault/contextvault/api/internal/schema"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// MaxWait is the maximum time that a request waits for an outcome. It is below the usual time-outs of proxies.
const MaxWait = 60 * time.Second

// Operation is the status of an operation.
type Operation struct {
	ID         uuid.UUID             `json:"operation_id"`
	Workflow   string                `json:"workflow,omitempty" doc:"The workflow that applies the operation." example:"write-value"`
	Actor      vault.Actor           `json:"actor,omitempty" doc:"Who submitted the operation: key:<id> is an API key, workflow:<name>:<operation> a workflow with the operation that it ran for." example:"key:01920000-0000-7000-8000-000000000001"`
	ParentID   *uuid.UUID            `json:"parent_id,omitempty" doc:"The operation that caused this one."`
	Status     vault.OperationStatus `json:"status" enum:"accepted,applied,succeeded,failed" doc:"accepted: it is stored and will be applied; applied: it is in the database; succeeded: no read returns the old value; failed: see error."`
	Result     json.RawMessage       `json:"result,omitempty" doc:"The result: ids, counts and names."`
	Error      *Rejection            `json:"error,omitempty" doc:"The reason of the failure."`
	Attempts   int                   `json:"attempts,omitempty" doc:"The number of times the operation was pushed to the workflow engine."`
	BatchID    *uuid.UUID            `json:"batch_id,omitempty" doc:"The batch that carried the operation out. Its run in the workflow engine has it as metadata batch_id."`
	AcceptedAt *time.Time            `json:"accepted_at,omitempty"`
	FinishedAt *time.Time            `json:"finished_at,omitempty"`
	WaitingFor *vault.WaitingFor     `json:"waiting_for,omitempty" doc:"The open question that a gap fill waits for."`
	Replayed   vault.ReplayAction    `json:"replayed,omitempty" enum:"reopened,repeated" doc:"What a replay did: reopened: the operation had failed and runs again; repeated: it was unfinished and was sent to the workflow engine again."`
}

// Rejection is the reason why an operation failed.
type Rejection struct {
	Code    vault.Code  `json:"code" example:"invalid_input"`
	Detail  string      `json:"detail"`
	Field   string      `json:"field,omitempty"`
	Related []uuid.UUID `json:"related,omitempty"`
}

func operationOf(op vault.Operation) Operation {
	out := Operation{
		ID: op.ID, Workflow: op.Workflow, Actor: op.Actor, ParentID: op.ParentID, Status: op.Status, Result: op.Result,
		Attempts: op.Attempts,
		BatchID:  op.BatchID, AcceptedAt: &op.AcceptedAt, FinishedAt: op.FinishedAt, WaitingFor: op.WaitingFor,
	}
	if op.Error != nil {
		out.Error = &Rejection{
			Code: op.Error.Code, Detail: op.Error.ForCaller(), Field: op.Error.Field, Related: op.Error.Related,
		}
	}
	return out
}

// changed is the response of a route that submits an operation.
type changed struct {
	Status   int
	Location string `header:"Location" doc:"The path of the operation."`
	Applied  string `header:"Preference-Applied" doc:"The applied preference to wait."`
	Body     Operation
}

// aboutCustomers reports whether a change on a path can be about a customer, who may have been erased.
func aboutCustomers(path string) bool {
	return slices.ContainsFunc([]string{
		"customers", "import", "items", "merge-proposals", "operations", "questions", "sessions", "turns",
	}, func(of string) bool { return path == "/v1/"+of || strings.HasPrefix(path, "/v1/"+of+"/") })
}

// change adds a route that accepts an operation, and waits for its outcome for the preferred time.
func change[I any, P interface {
	*I
	Preferred() *input.Preferences
}](
	s *Server, r route,
	accept func(ctx context.Context, c caller, in *I, opts []trigger.Option) (trigger.Receipt, error),
) {
	r.errors = append(r.errors, http.StatusNotFound, http.StatusConflict)
	if aboutCustomers(r.path) {
		r.errors = append(r.errors, http.StatusGone) // erased
	}
	h := s.describe(r)
	h.DefaultStatus = http.StatusAccepted
	h.Responses["200"] = succeeded(r.operation)
	h.Responses["202"] = &huma.Response{
		Description: "The operation is accepted: operation_id and status. Location is the path of the operation.",
		Content:     map[string]*huma.MediaType{"application/json": {Schema: refer(schema.AcceptedName)}},
	}
	huma.Register(s.api, h, func(ctx context.Context, in *I) (*changed, error) {
		c, pref := callerOf(ctx), P(in).Preferred()
		var opts []trigger.Option
		if pref.Key != "" {
			opts = append(opts, trigger.IdempotencyKey(pref.Key))
		}
		receipt, err := accept(ctx, c, in, opts)
		endTurn(ctx)
		query.ForgetReads(ctx) // a check of the request shows nothing
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		access.InfoOf(ctx).Operation = receipt.ID
		out, err := s.outcome(ctx, c, receipt, pref)
		if err == nil && r.complete != nil && out.Body.Status == vault.OperationSucceeded && out.Body.Result != nil {
			err = r.complete(ctx, c, in, &out.Body)
		}
		if err == nil {
			err = s.options.Query.RecordReads(ctx)
		}
		if err != nil {
			p := s.problem(ctx, err)
			p.Operation = &receipt.ID
			return nil, p
		}
		return out, nil
	})
	s.describeBody(r, h)
}

// outcome waits for an operation for the preferred time. An operation that is not finished by then is not an error.
func (s *Server) outcome(
	ctx context.Context, c caller, receipt trigger.Receipt, pref *input.Preferences,
) (*changed, error) {
	out := &changed{
		Status: http.StatusAccepted, Location: operationPath(receipt.ID),
		Body: Operation{ID: receipt.ID, Status: vault.OperationAccepted, Replayed: receipt.Replayed},
	}
	wait := waitOf(pref.Prefer)
	if wait == 0 {
		if pref.Key == "" {
			return out, nil
		}
		// The request can be a repeat of an operation that has finished.
		// With the same content as that one, it is the caller's, whoever submitted it first.
		op, err := s.options.Query.Operation(vault.WithAgents(ctx, nil), c.tenant, receipt.ID)
		out.Body.Status = op.Status
		return out, err
	}
	out.Applied = "wait=" + strconv.Itoa(int(wait.Seconds()))
	waiting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	defer context.AfterFunc(s.stopping, cancel)() // a server that stops responds at once
	op, err := receipt.Wait(waiting)
	switch {
	case err == nil:
		out.Status, out.Body = http.StatusOK, operationOf(op)
		out.Body.Replayed = receipt.Replayed
		return out, nil
	case waiting.Err() != nil && ctx.Err() == nil && !isVault(err):
		if op.Status != "" {
			out.Body.Status = op.Status
		}
		return out, nil
	default:
		return nil, err
	}
}

// waitFor returns an operation once it has finished, or its state after wait.
func (s *Server) waitFor(
	ctx context.Context, c caller, id uuid.UUID, wait time.Duration,
) (vault.Operation, error) {
	if wait == 0 || len(vault.AgentsOf(ctx)) > 0 { // a caller who is limited may not see each operation
		if op, err := s.options.Query.Operation(ctx, c.tenant, id); wait == 0 || err != nil {
			return op, err
		}
	}
	waiting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	defer context.AfterFunc(s.stopping, cancel)()
	op, err := s.options.Trigger.Wait(waiting, c.tenant, id)
	if op.Status.Finished() {
		return op, nil // also if it has failed
	}
	if waiting.Err() != nil && ctx.Err() == nil && !isVault(err) {
		return s.options.Query.Operation(ctx, c.tenant, id)
	}
	return op, err
}

func isVault(err error) bool {
	_, ok := errors.AsType[*vault.Error](err)
	return ok
}

// waitOf parses the Prefer header (RFC 7240). As the RFC requires, it ignores invalid preferences.
func waitOf(prefer string) time.Duration {
	for preference := range strings.SplitSeq(prefer, ",") {
		preference, _, _ = strings.Cut(preference, ";")
		name, value, _ := strings.Cut(preference, "=")
		if !strings.EqualFold(strings.TrimSpace(name), "wait") {
			continue
		}
		seconds, err := strconv.ParseUint(strings.Trim(strings.TrimSpace(value), `"`), 10, 31)
		if err != nil {
			return 0
		}
		return min(time.Duration(seconds)*time.Second, MaxWait)
	}
	return 0
}

func operationPath(id uuid.UUID) string { return "/v1/operations/" + id.String() }

// succeeded describes the response with the outcome of an operation. "": of any operation.
func succeeded(operation string) *huma.Response {
	name := operationName
	if operation != "" {
		name = schema.OperationName(operation)
	}
	return &huma.Response{
		Description: "The operation has succeeded.",
		Content:     map[string]*huma.MediaType{"application/json": {Schema: refer(name)}},
	}
}

// operationName is the name of the component of Operation.
const operationName = "Operation"

func refer(name string) *huma.Schema { return &huma.Schema{Ref: "#/components/schemas/" + name} }
