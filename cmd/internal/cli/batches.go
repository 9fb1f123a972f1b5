package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/contextvault/contextvault/client"
	"github.com/contextvault/contextvault/vault"
)

const (
	// maxBatchBytes bounds a batch well below the largest body that the API takes unless configured otherwise, 8 MiB.
	maxBatchBytes = 4 << 20
	// opensAtOnce is how many channel identities are looked up at a time: as many as the engine keeps busy with.
	opensAtOnce = 8
	// sayAfter is how long a batch may take before it is said that it does.
	sayAfter = 30 * time.Second
)

// importer sends writes in batches. Each batch has an idempotency key of its place and its content, so that a second run over the
// same file repeats what was accepted, and goes on behind it.
type importer struct {
	client *client.Client
	label  string
	size   int // writes of a batch
	reject func(reject) error
	say    func() // that a batch takes long; said once

	summary importSummary
	window  int
	pending []pendingWrite
	bytes   int
}

// importSummary is what an import came to.
type importSummary struct {
	Lines      int `json:"lines"`
	Written    int `json:"written"`
	Superseded int `json:"superseded"` // of these, those that entered behind a newer value
	Warnings   int `json:"warnings"`   // of these, those that were stored with warnings
	Rejected   int `json:"rejected"`
	Operations int `json:"operations"`
}

func (s importSummary) table(w io.Writer) {
	line(w, "lines", s.Lines)
	line(w, "written", s.Written)
	line(w, "superseded", s.Superseded)
	line(w, "with warnings", s.Warnings)
	line(w, "rejected", s.Rejected)
	line(w, "operations", s.Operations)
}

// pendingWrite is a write that waits for its batch.
type pendingWrite struct {
	vault.WriteValueInput
	line     int
	identity identity
}

// key is what one batch may write once.
func (p pendingWrite) key() string {
	if p.identity != (identity{}) {
		return strings.Join([]string{p.identity.channel, p.identity.externalID, p.Name}, "\x00")
	}
	return p.CustomerID.String() + "\x00" + p.Name
}

// add takes a row. It sends what is full.
func (im *importer) add(ctx context.Context, r row) error {
	im.summary.Lines++
	for _, bad := range r.rejected {
		if err := im.refuse(bad); err != nil {
			return err
		}
	}
	for _, w := range r.writes {
		size := len(w.Value) + len(w.SourceMetadata) + 512 // and ids, times and names
		if len(im.pending) == im.size || im.bytes+size > maxBatchBytes {
			if err := im.flush(ctx); err != nil {
				return err
			}
		}
		im.pending, im.bytes = append(im.pending, pendingWrite{w, r.line, r.identity}), im.bytes+size
	}
	return nil
}

func (im *importer) refuse(r reject) error {
	im.summary.Rejected++
	return im.reject(r)
}

// flush sends what waits. A field that is written several times goes into as many batches, one after the other, so that the
// order of the file is the order of the history.
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
	var layers [][]pendingWrite
	seen := map[string]int{}
	for _, p := range window {
		at := seen[p.key()]
		seen[p.key()]++
		if at == len(layers) {
			layers = append(layers, nil)
		}
		layers[at] = append(layers[at], p)
	}
	for i, layer := range layers {
		if err := im.send(ctx, fmt.Sprintf("%d.%d", im.window, i), layer); err != nil {
			return err
		}
	}
	return nil
}

// resolve finds the customers of channel identities, and makes those that are new. It gives the writes that have one.
func (im *importer) resolve(ctx context.Context, window []pendingWrite) ([]pendingWrite, error) {
	type answer struct {
		customer uuid.UUID
		problem  *client.Problem
	}
	found := map[identity]*answer{}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(opensAtOnce)
	for _, p := range window {
		if p.identity == (identity{}) || found[p.identity] != nil {
			continue
		}
		who, into := p.identity, &answer{}
		found[who] = into
		g.Go(func() error {
			in := vault.OpenCustomerInput{Channel: who.channel, ExternalID: who.externalID}
			op, err := im.client.OpenCustomer(gctx, in, im.keyOf("open", in))
			if err == nil {
				op, err = settled(gctx, op, im.say)
			}
			if p, ok := permanent(err); ok {
				into.problem = p
				return nil
			}
			into.customer = op.Result.CustomerID
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	kept := window[:0]
	for _, p := range window {
		if a := found[p.identity]; a != nil && a.problem != nil {
			if err := im.refuse(reject{Line: p.line, Field: p.Name, Code: a.problem.Code, Reason: "the customer of the channel identity could not be opened"}); err != nil {
				return nil, err
			}
			continue
		} else if a != nil {
			p.CustomerID, p.identity = a.customer, identity{}
		}
		kept = append(kept, p)
	}
	return kept, nil
}

// send writes a batch and takes its outcome. One that is rejected whole is halved until what is wrong stands alone, so that it
// stops nothing else.
func (im *importer) send(ctx context.Context, place string, batch []pendingWrite) error {
	in := vault.ImportValuesInput{SkipInvalid: true}
	for _, p := range batch {
		in.Writes = append(in.Writes, p.WriteValueInput)
	}
	op, err := im.client.ImportValues(ctx, in, im.keyOf(place, in))
	if err == nil {
		im.summary.Operations++
		op, err = settled(ctx, op, im.say)
	}
	if p, ok := permanent(err); ok {
		if len(batch) == 1 {
			return im.refuse(reject{Line: batch[0].line, Field: batch[0].Name, Code: p.Code, Reason: reasonOf(p.Detail)})
		}
		half := len(batch) / 2
		if err := im.send(ctx, place+"a", batch[:half]); err != nil {
			return err
		}
		return im.send(ctx, place+"b", batch[half:])
	}
	if err != nil {
		return err
	}
	im.summary.Written += op.Result.Written
	im.summary.Superseded += op.Result.Superseded
	im.summary.Warnings += op.Result.Warnings
	for _, r := range op.Result.Rejected {
		if r.Index < 0 || r.Index >= len(batch) {
			return fmt.Errorf("operation %s rejects a write that it was not given", op.ID)
		}
		if err := im.refuse(reject{Line: batch[r.Index].line, Field: batch[r.Index].Name, Code: r.Code, Reason: reasonOf(r.Message)}); err != nil {
			return err
		}
	}
	return nil
}

// reasonOf is what an import says is wrong with one of its writes, without its place in the batch. It quotes no value: of an
// import, the vault says nothing that does.
func reasonOf(text string) string {
	if strings.HasPrefix(text, "writes[") {
		_, text, _ = strings.Cut(text, ": ")
	}
	return text
}

// keyOf is the idempotency key of a batch: of its place in the file, and its content.
func (im *importer) keyOf(place string, content any) client.Option {
	encoded, err := json.Marshal(content)
	if err != nil {
		panic("encode what was decoded") // values are valid JSON: each was checked
	}
	sum := sha256.Sum256(append([]byte(im.label+"\x00"), encoded...))
	return client.IdempotencyKey("import/" + place + "/" + hex.EncodeToString(sum[:16]))
}

// permanent reports whether a repeat must fail again.
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

// settled waits for an outcome for as long as it takes.
func settled[R any](ctx context.Context, op client.Operation[R], say func()) (client.Operation[R], error) {
	patient, cancel := context.WithTimeout(ctx, sayAfter)
	defer cancel()
	out, err := op.Wait(patient)
	if ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		say()
		return out.Wait(ctx)
	}
	return out, err
}
