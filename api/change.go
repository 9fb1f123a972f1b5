package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/contextvault/contextvault/api/internal/input"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// MaxWait is the longest that a request waits for an outcome, whatever it prefers: well inside the time-outs of proxies.
const MaxWait = 60 * time.Second

// Operation is how a change went, or goes.
type Operation struct {
	ID         uuid.UUID             `json:"operation_id"`
	Workflow   string                `json:"workflow,omitempty" doc:"The workflow that carries it out." example:"write-value"`
	Status     vault.OperationStatus `json:"status" enum:"accepted,applied,succeeded,failed" doc:"accepted: it is owed; applied: it is in the database; succeeded: no reader sees the old value any more; failed: it was rejected."`
	Result     json.RawMessage       `json:"result,omitempty" doc:"What came of it: ids, counts and names."`
	Error      *Rejection            `json:"error,omitempty" doc:"Why it was rejected."`
	Attempts   int                   `json:"attempts,omitempty" doc:"How often it was handed to the workflow engine."`
	AcceptedAt *time.Time            `json:"accepted_at,omitempty"`
	FinishedAt *time.Time            `json:"finished_at,omitempty"`
}

// Rejection is why an operation was rejected.
type Rejection struct {
	Code    vault.Code  `json:"code" example:"invalid_input"`
	Detail  string      `json:"detail"`
	Field   string      `json:"field,omitempty"`
	Related []uuid.UUID `json:"related,omitempty"`
}

func operationOf(op vault.Operation) Operation {
	out := Operation{
		ID: op.ID, Workflow: op.Workflow, Status: op.Status, Result: op.Result, Attempts: op.Attempts,
		AcceptedAt: &op.AcceptedAt, FinishedAt: op.FinishedAt,
	}
	if op.Error != nil {
		out.Error = &Rejection{Code: op.Error.Code, Detail: op.Error.ForCaller(), Field: op.Error.Field, Related: op.Error.Related}
	}
	return out
}

// changed is the answer to a change.
type changed struct {
	Status   int
	Location string `header:"Location" doc:"Where to ask how the operation goes."`
	Applied  string `header:"Preference-Applied" doc:"How long was waited at most."`
	Body     Operation
}

// change adds a route that accepts an operation and waits for its outcome as long as the caller prefers.
func change[I any, P interface {
	*I
	Preferred() *input.Preferences
}](s *Server, r route, accept func(ctx context.Context, c caller, in *I, opts []trigger.Option) (trigger.Receipt, error)) {
	r.errors = append(r.errors, http.StatusNotFound, http.StatusConflict)
	h := s.describe(r)
	h.DefaultStatus = http.StatusAccepted
	h.Responses["200"] = s.succeeded(r.result)
	h.Responses["202"] = &huma.Response{Description: "Accepted, and owed: operation_id and status. Location says where to ask how it goes."}
	huma.Register(s.api, h, func(ctx context.Context, in *I) (*changed, error) {
		c, pref := callerOf(ctx), P(in).Preferred()
		var opts []trigger.Option
		if pref.Key != "" {
			opts = append(opts, trigger.IdempotencyKey(pref.Key))
		}
		receipt, err := accept(ctx, c, in, opts)
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		infoOf(ctx).operation = receipt.ID
		out, err := s.outcome(ctx, c, receipt, pref)
		if err != nil {
			p := s.problem(ctx, err)
			p.Operation = &receipt.ID
			return nil, p
		}
		return out, nil
	})
	describeBody(r, h)
}

// outcome waits for an operation. What is still on its way is no error: it is accepted, and owed.
func (s *Server) outcome(ctx context.Context, c caller, receipt trigger.Receipt, pref *input.Preferences) (*changed, error) {
	out := &changed{
		Status: http.StatusAccepted, Location: operationPath(receipt.ID),
		Body: Operation{ID: receipt.ID, Status: vault.OperationAccepted},
	}
	wait := waitOf(pref.Prefer)
	if wait == 0 {
		if pref.Key == "" {
			return out, nil
		}
		// A repeat is told how far the first has come.
		op, err := s.options.Query.Operation(ctx, c.tenant, receipt.ID)
		out.Body.Status = op.Status
		return out, err
	}
	out.Applied = "wait=" + strconv.Itoa(int(wait.Seconds()))
	waiting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	defer context.AfterFunc(s.stopping, cancel)() // a server that stops answers at once
	op, err := receipt.Wait(waiting)
	switch {
	case err == nil:
		out.Status, out.Body = http.StatusOK, operationOf(op)
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

// settled gives an operation once its outcome is known, or as it is after wait.
func (s *Server) settled(ctx context.Context, c caller, id uuid.UUID, wait time.Duration) (vault.Operation, error) {
	if wait == 0 {
		return s.options.Query.Operation(ctx, c.tenant, id)
	}
	waiting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	defer context.AfterFunc(s.stopping, cancel)()
	op, err := s.options.Trigger.Wait(waiting, c.tenant, id)
	if op.Status.Finished() {
		return op, nil // a rejected one, too, is the answer
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

// waitOf reads the Prefer header (RFC 7240): what is not understood is ignored, as the RFC wants it.
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

// succeeded describes the answer of a change whose outcome was waited for: an operation with a result of its own.
func (s *Server) succeeded(result reflect.Type) *huma.Response {
	schemas := s.api.OpenAPI().Components.Schemas
	general := schemas.Schema(reflect.TypeFor[Operation](), false, "")
	ref := schemas.Schema(reflect.TypeFor[Operation](), true, "")
	if result != nil {
		own := *general
		own.Properties = map[string]*huma.Schema{}
		for name, property := range general.Properties {
			own.Properties[name] = property
		}
		own.Properties["result"] = schemas.Schema(result, true, "")
		name := "OperationOf" + strings.TrimSuffix(result.Name(), "Result")
		schemas.Map()[name] = &own
		ref = &huma.Schema{Ref: "#/components/schemas/" + name}
	}
	return &huma.Response{
		Description: "The outcome that was waited for.",
		Content:     map[string]*huma.MediaType{"application/json": {Schema: ref}},
	}
}
