package api

import (
	"context"
	"net/http"

	"github.com/contextvault/contextvault/api/internal/input"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

const tagOperations = "Operations"

func (s *Server) operationRoutes() {
	type OperationPath struct {
		Operation input.ID `path:"operation_id" doc:"The operation, as the answer to a change named it."`
	}
	type getOperation struct {
		OperationPath
		Prefer string `header:"Prefer" doc:"wait=5 waits up to 5 seconds, at most 60, for the outcome." example:"wait=5"`
	}
	register(s, route{
		name: "get-operation", method: http.MethodGet, path: "/v1/operations/{operation_id}", tag: tagOperations, access: toFollow,
		summary: "Get how a change went, or goes", detail: "An operation that was rejected is no problem here: the answer is 200, and says why it was.",
		errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, c caller, in *getOperation) (*one[Operation], error) {
		op, err := s.settled(ctx, c, in.Operation.UUID, waitOf(in.Prefer))
		return &one[Operation]{operationOf(op)}, err
	})
	type changeOperation struct {
		OperationPath
		input.Preferences
	}
	change(s, route{
		name: "replay-operation", method: http.MethodPost, path: "/v1/operations/{operation_id}/replay", tag: tagOperations, access: toAdmin,
		summary: "Replay a rejected change", detail: "After its cause was mended. It keeps its id, and its place by order of acceptance.",
	}, func(ctx context.Context, c caller, in *changeOperation, _ []trigger.Option) (trigger.Receipt, error) {
		return s.options.Trigger.Replay(ctx, c.tenant, in.Operation.UUID)
	})
	submit[changeOperation](s, vault.CancelFill, route{
		method: http.MethodPost, path: "/v1/operations/{operation_id}/cancel", tag: tagOperations, access: toWrite,
		summary: "Cancel a gap fill",
		detail:  "It asks no more: its open question is closed, what is being written is still written, and it ends with its result. Other operations cannot be cancelled.",
		into:    map[string]string{"operation_id": "fill_id"},
	})
}
