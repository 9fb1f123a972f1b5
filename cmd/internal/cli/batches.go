package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/client"
	"github.com/contextvault/contextvault/vault"
)

const (
	// maxBatchBytes is the maximum size of a batch. It is below the default limit of a request body, 8 MiB.
	maxBatchBytes = 4 << 20
	// slowBatch is the time after which an import warns that a batch is not applied yet.
	slowBatch = 30 * time.Second
)

// importer sends writes in batches. The idempotency key of a batch depends on the run and on its position and content,
// so that a continued run repeats the accepted batches without effect and continues after them.
type importer struct {
	client *client.Client
	runID  string // of the run
	size   int    // writes of a batch
	reject func(reject) error
	warned func(reject) error // gets the warnings of stored values
	warn   func()             // warns once that a batch is slow

	summary importSummary
	window  int
	pending []pendingWrite
	bytes   int
	flying  *sentBatch // is applied while the next one is read and sent; nil: none
}

// sentBatch is a batch whose outcome is not read yet.
type sentBatch struct {
	place     string
	writes    []pendingWrite
	operation client.Operation[vault.ImportResult]
	err       error // of the request
	repeated  bool  // an earlier run sent it
}

// precedes reports whether a batch must be applied before writes are sent: they are of one of its customers, take one
// of its ids, or are derived from other items, which it may contain.
func (b *sentBatch) precedes(writes []pendingWrite) bool {
	taken := map[uuid.UUID]bool{}
	for _, p := range b.writes {
		taken[p.CustomerID] = true
		if p.ItemID != nil {
			taken[*p.ItemID] = true
		}
	}
	return slices.ContainsFunc(writes, func(p pendingWrite) bool {
		return taken[p.CustomerID] || p.ItemID != nil && taken[*p.ItemID] || p.SourceItemID != nil
	})
}

// importSummary is the result of an import.
type importSummary struct {
	Lines      int `json:"lines"`
	Written    int `json:"written"`
	Repeated   int `json:"repeated"`   // part of Written: by an earlier, interrupted run
	Superseded int `json:"superseded"` // part of Written: older than the active value
	Warnings   int `json:"warnings"`   // part of Written: stored with warnings
	Rejected   int `json:"rejected"`
	Operations int `json:"operations"`
}

func (s importSummary) table(w io.Writer) {
	line(w, "lines", s.Lines)
	line(w, "written", s.Written)
	line(w, "repeated", s.Repeated)
	line(w, "superseded", s.Superseded)
	line(w, "with warnings", s.Warnings)
	line(w, "rejected", s.Rejected)
	line(w, "operations", s.Operations)
}

// pendingWrite is a write of the next batch.
type pendingWrite struct {
	vault.WriteValueInput
	line     int
	identity identity
}

// bytes returns the approximate size of the write in a request.
func (p pendingWrite) bytes() int { return len(p.Value) + len(p.SourceMetadata) + 512 } // ids, times and names

// sameCustomer reports whether two writes are of one customer.
func (p pendingWrite) sameCustomer(other pendingWrite) bool {
	return p.CustomerID == other.CustomerID && p.identity == other.identity
}

// add adds the writes of a row. It sends a batch when it is full.
func (im *importer) add(ctx context.Context, r row) error {
	im.summary.Lines++
	for _, bad := range r.rejected {
		if err := im.addReject(bad); err != nil {
			return err
		}
	}
	for _, w := range r.writes {
		next := pendingWrite{w, r.line, r.identity}
		if len(im.pending) == im.size || im.bytes+next.bytes() > maxBatchBytes {
			if err := im.sendFull(ctx, next); err != nil {
				return err
			}
		}
		im.pending, im.bytes = append(im.pending, next), im.bytes+next.bytes()
	}
	return nil
}

// sendFull sends a full batch. The writes of the customer of the next write, which end the batch, wait for the next
// batch, so that consecutive lines of a customer are in one operation. Writes of one customer alone are sent.
func (im *importer) sendFull(ctx context.Context, next pendingWrite) error {
	cut := len(im.pending)
	for cut > 0 && im.pending[cut-1].sameCustomer(next) {
		cut--
	}
	if cut == 0 {
		return im.flush(ctx)
	}
	kept := slices.Clone(im.pending[cut:])
	im.pending = im.pending[:cut]
	if err := im.flush(ctx); err != nil {
		return err
	}
	for _, p := range kept {
		im.pending, im.bytes = append(im.pending, p), im.bytes+p.bytes()
	}
	return nil
}

func (im *importer) addReject(r reject) error {
	im.summary.Rejected++
	return im.reject(r)
}

// flush sends the pending writes, and then reads the outcome of the batch before: two batches are in flight. The vault
// stores several writes of one field in their order.
func (im *importer) flush(ctx context.Context) error {
	window := im.pending
	im.pending, im.bytes = nil, 0
	if len(window) == 0 {
		return nil
	}
	im.window++
	window, err := im.resolve(ctx, window)
	if err != nil {
		return err
	}
	if im.flying != nil && im.flying.precedes(window) {
		if err := im.land(ctx); err != nil {
			return err
		}
	}
	sent := im.submit(ctx, strconv.Itoa(im.window), window)
	err = im.land(ctx)
	im.flying = &sent
	return err
}

// finish sends the pending writes and reads all outcomes.
func (im *importer) finish(ctx context.Context) error {
	if err := im.flush(ctx); err != nil {
		return err
	}
	return im.land(ctx)
}

// land reads the outcome of the batch in flight.
func (im *importer) land(ctx context.Context) error {
	batch := im.flying
	im.flying = nil
	if batch == nil {
		return nil
	}
	return im.settle(ctx, *batch)
}

// resolve gets or creates the customers of channel identities, in one operation. It returns the writes with a customer.
// The operation needs no key: an identity has one customer, however often it is opened.
func (im *importer) resolve(ctx context.Context, window []pendingWrite) ([]pendingWrite, error) {
	var in vault.OpenCustomersInput
	at := map[identity]int{}
	for _, p := range window {
		if _, known := at[p.identity]; known || p.identity == (identity{}) {
			continue
		}
		at[p.identity] = len(in.Identities)
		in.Identities = append(in.Identities, vault.OpenCustomerInput{
			Channel: p.identity.channel, ExternalID: p.identity.externalID,
		})
	}
	if len(at) == 0 {
		return window, nil
	}
	op, err := im.client.OpenCustomers(ctx, in)
	if err == nil {
		im.summary.Operations++
		op, err = waitForOutcome(ctx, op, im.warn)
	}
	if err != nil {
		return nil, fmt.Errorf("open the customers of the channel identities: %w", err)
	}
	for i, p := range window {
		if p.identity != (identity{}) {
			window[i].CustomerID, window[i].identity = op.Result.CustomerIDs[at[p.identity]], identity{}
		}
	}
	return window, nil
}

// submit sends a batch.
func (im *importer) submit(ctx context.Context, place string, batch []pendingWrite) sentBatch {
	in := vault.ImportValuesInput{SkipInvalid: true}
	for _, p := range batch {
		in.Writes = append(in.Writes, p.WriteValueInput)
	}
	op, err := im.client.ImportValues(ctx, in, im.keyOf(place, in))
	if err == nil {
		im.summary.Operations++
	}
	// A new operation is only accepted so far.
	return sentBatch{place: place, writes: batch, operation: op, err: err, repeated: op.Status.Finished()}
}

// settle reads the outcome of a batch. It splits a rejected batch in halves until the invalid write is alone, so that
// the other writes are applied.
func (im *importer) settle(ctx context.Context, sent sentBatch) error {
	op, err, batch := sent.operation, sent.err, sent.writes
	if err == nil {
		op, err = waitForOutcome(ctx, op, im.warn)
	}
	if p, ok := permanent(err); ok {
		if len(batch) == 1 {
			return im.addReject(reject{
				Line: batch[0].line, Field: batch[0].Name, Code: p.Code, Reason: reasonOf(p.Detail),
			})
		}
		half := len(batch) / 2
		if err := im.settle(ctx, im.submit(ctx, sent.place+"a", batch[:half])); err != nil {
			return err
		}
		return im.settle(ctx, im.submit(ctx, sent.place+"b", batch[half:]))
	}
	if err != nil {
		return err
	}
	im.summary.Written += op.Result.Written
	if sent.repeated {
		im.summary.Repeated += op.Result.Written
	}
	im.summary.Superseded += op.Result.Superseded
	im.summary.Warnings += op.Result.Warnings
	for _, w := range op.Result.Warned {
		if w.Index < 0 || w.Index >= len(batch) {
			return fmt.Errorf("operation %s warns of write %d of a batch of %d", op.ID, w.Index, len(batch))
		}
		p := batch[w.Index]
		if err := im.warned(reject{Line: p.line, Field: p.Name, Code: vault.CodeInvalid, Reason: w.Message}); err != nil {
			return err
		}
	}
	for _, r := range op.Result.Rejected {
		if r.Index < 0 || r.Index >= len(batch) {
			return fmt.Errorf("operation %s rejects write %d of a batch of %d", op.ID, r.Index, len(batch))
		}
		bad := reject{
			Line: batch[r.Index].line, Field: batch[r.Index].Name, Code: r.Code, Reason: reasonOf(r.Message),
		}
		if err := im.addReject(bad); err != nil {
			return err
		}
	}
	return nil
}

// reasonOf returns the message of a rejected write without its index in the batch. It contains no value: the vault
// quotes none in the messages of an import.
func reasonOf(text string) string {
	if strings.HasPrefix(text, "writes[") {
		_, text, _ = strings.Cut(text, ": ")
	}
	return text
}

// keyOf returns the idempotency key of a batch: a hash of the run and the content, with the position in the file.
func (im *importer) keyOf(place string, content any) client.Option {
	encoded, err := json.Marshal(content)
	if err != nil {
		panic("encode a batch") // add has checked that the values are valid JSON
	}
	sum := sha256.Sum256(append([]byte(im.runID+"\x00"), encoded...))
	return client.IdempotencyKey("import/" + place + "/" + hex.EncodeToString(sum[:16]))
}

// permanent reports whether a repeat of the request fails again.
func permanent(err error) (*client.Problem, bool) {
	p, ok := errors.AsType[*client.Problem](err)
	if !ok {
		return nil, false
	}
	switch p.Code {
	case vault.CodeInvalid, vault.CodeConflict, vault.CodeUnknown, client.CodeTooLarge:
		return p, true
	default:
		return p, false
	}
}

// waitForOutcome waits for an outcome without a time limit. It calls warn after slowBatch.
func waitForOutcome[R any](ctx context.Context, op client.Operation[R], warn func()) (client.Operation[R], error) {
	waiting, cancel := context.WithTimeout(ctx, slowBatch)
	defer cancel()
	out, err := op.Wait(waiting)
	if ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		warn()
		return out.Wait(ctx)
	}
	return out, err
}
