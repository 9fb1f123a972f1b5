package console

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// notice is the outcome of an action.
type notice struct {
	Kind string // done, waits or failed
	Text string
	Link string // the page with more; "": none
}

// maxOutcomes is the maximum number of operations whose outcome a page says.
const maxOutcomes = 50

// submit accepts an operation and waits for its outcome. The error of a failed operation is a *vault.Error. An
// operation that is not finished after the wait is no error: it is never lost.
func submit[In, Out any](q *request, spec vault.Spec[In, Out], in In) (uuid.UUID, error) {
	receipt, err := trigger.Submit(q.ctx, q.options.Trigger, q.key.TenantID, spec, in)
	if err != nil {
		return uuid.Nil, err
	}
	return receipt.ID, q.await(receipt)
}

func (q *request) await(receipt trigger.Receipt) error {
	waiting, cancel := context.WithTimeout(q.ctx, q.options.Wait)
	defer cancel()
	_, err := receipt.Wait(waiting)
	if _, failed := errors.AsType[*vault.Error](err); !failed && waiting.Err() != nil && q.ctx.Err() == nil {
		return nil
	}
	return err
}

// after leads to a page that says the outcome of operations.
func (q *request) after(page string, ops ...uuid.UUID) error {
	ops = ops[:min(len(ops), maxOutcomes)]
	params := url.Values{}
	for _, op := range ops {
		params.Add("op", op.String())
	}
	return q.redirect(page + "?" + params.Encode())
}

// submitAndLead submits an operation, and leads to a page that says its outcome.
func submitAndLead[In, Out any](q *request, page string, spec vault.Spec[In, Out], in In) error {
	op, err := submit(q, spec, in)
	if err != nil {
		return err
	}
	return q.after(page, op)
}

// addOutcomes adds the outcomes of the operations that the address of the page names, by workflow and status.
func (q *request) addOutcomes() {
	type kind struct {
		workflow string
		status   vault.OperationStatus
	}
	counts, order, links := map[kind]int{}, []kind{}, map[kind]uuid.UUID{}
	if q.key.ID == uuid.Nil {
		return
	}
	wanted := q.r.URL.Query()["op"]
	for _, text := range wanted[:min(len(wanted), maxOutcomes)] {
		id, err := uuid.Parse(text)
		if err != nil {
			continue
		}
		op, err := q.options.Query.Operation(q.ctx, q.key.TenantID, id)
		if err != nil {
			continue
		}
		k := kind{op.Workflow, op.Status}
		if counts[k]++; counts[k] == 1 {
			order = append(order, k)
		}
		links[k] = id
	}
	for _, k := range order {
		n := notice{Kind: "waits", Link: Path + "/operations/" + links[k].String()}
		what := k.workflow
		if counts[k] > 1 {
			what = fmt.Sprintf("%d × %s", counts[k], k.workflow)
		}
		switch k.status {
		case vault.OperationSucceeded:
			n.Kind, n.Text = "done", what+" succeeded."
		case vault.OperationFailed:
			n.Kind, n.Text = "failed", what+" failed."
		default:
			n.Text = what + " is accepted and still runs. It is not lost."
		}
		q.notices = append(q.notices, n)
	}
}

// failed adds the notice of an action that changed nothing.
func (q *request) failed(err error) (status int) {
	status, text := explain(err)
	q.notices = append(q.notices, notice{Kind: "failed", Text: text})
	return status
}
