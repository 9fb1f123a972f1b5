package trigger_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// sizes returns the number of operations of each run.
func (e *engine) sizes() []int {
	e.mu.Lock()
	defer e.mu.Unlock()
	sizes := make([]int, len(e.runs))
	for i, r := range e.runs {
		sizes[i] = len(r.Operations)
	}
	return sizes
}

func sum(of []int) int {
	n := 0
	for _, i := range of {
		n += i
	}
	return n
}

func TestDispatch_IdlePushesAtOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for range 3 {
		r := b.accept()
		b.eventually("the push", func() bool { return b.engine.taken()[r.ID] == 1 })
		b.finish(r.ID, nil)
		_, err := r.Wait(t.Context())
		b.must(err)
	}
	if sizes := b.engine.sizes(); len(sizes) != 3 {
		t.Errorf("the runs carry %v operations", sizes)
	}
}

// While runs are in flight operations gather, until they are more than those in flight. The end of a run pushes them.
func TestDispatch_GathersWhileRunsAreInFlight(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	receipts := make([]trigger.Receipt, 30)
	for i := range receipts {
		receipts[i] = b.accept()
	}
	b.eventually("some runs", func() bool { return sum(b.engine.sizes()) >= 15 })
	if sizes := b.engine.sizes(); len(sizes) > 6 {
		t.Errorf("while runs are in flight the runs carry %v operations", sizes)
	}
	for i, r := range receipts[:15] { // a failure ends a run as well
		var failure *vault.Error
		if i%2 == 0 {
			failure = vault.Invalid("value", "no")
		}
		b.finish(r.ID, failure)
	}
	b.eventually("all pushes", func() bool { return sum(b.engine.sizes()) == len(receipts) })
	if sizes := b.engine.sizes(); len(sizes) > 8 {
		t.Errorf("the runs carry %v operations", sizes)
	}
	for id, n := range b.engine.taken() {
		if n != 1 {
			t.Errorf("operation %s was pushed %d times", id, n)
		}
	}
}

// Runs that never end hold up nothing for long.
func TestDispatch_LostRunsDoNotHoldUpOthers(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for range 5 {
		b.accept()
	}
	b.eventually("all pushes", func() bool { return sum(b.engine.sizes()) == 5 })
}

func TestDispatch_BatchHasOneTenantAndKind(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	other := dbtest.Tenant(t, b.db)
	atOnce(120, func(i int) {
		tenant := b.tenant
		if i%2 == 0 {
			tenant = other
		}
		switch i % 3 {
		case 0:
			_, err := trigger.Submit(t.Context(), b.Client, tenant, vault.WriteValue, write(`"gold"`))
			b.must(err)
		case 1:
			_, err := trigger.Submit(t.Context(), b.Client, tenant, vault.RecordConsent, vault.RecordConsentInput{
				CustomerID: customer, Purpose: "marketing",
			})
			b.must(err)
		default:
			_, err := trigger.Submit(t.Context(), b.Client, tenant, vault.FillGaps, vault.FillGapsInput{
				CustomerID: customer, ScenarioID: uuid.New(),
			})
			b.must(err)
		}
	})
	b.Client.Close() // pushes what is gathered
	b.engine.mu.Lock()
	defer b.engine.mu.Unlock()
	pushed := 0
	for _, run := range b.engine.runs {
		b.must(run.Check())
		kinds := map[string]bool{}
		for _, o := range run.Operations {
			op, err := b.db.Tenant(run.TenantID).GetOperation(t.Context(), run.TenantID, o.ID)
			b.must(err)
			kinds[op.Workflow] = true
			pushed++
		}
		if len(kinds) != 1 || (kinds[vault.FillGaps.Name] && len(run.Operations) != 1) {
			t.Errorf("a run carries %d operations of %v", len(run.Operations), kinds)
		}
	}
	if pushed != 120 {
		t.Errorf("%d operations were pushed", pushed)
	}
}

func TestDispatch_BatchIsBounded(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.accept()
	b.accept() // two runs in flight, which never end
	atOnce(2*vault.MaxBatch+50, func(int) { b.accept() })
	large := write(`"` + strings.Repeat("x", 40<<10) + `"`)
	atOnce(60, func(int) {
		_, err := trigger.Submit(t.Context(), b.Client, b.tenant, vault.WriteValue, large)
		b.must(err)
	})
	b.Client.Close()
	sizes := b.engine.sizes()
	if n := sum(sizes); n != 2+2*vault.MaxBatch+50+60 {
		t.Errorf("%d operations were pushed", n)
	}
	for _, run := range b.engine.runs {
		encoded, err := json.Marshal(run)
		b.must(err)
		if n := len(run.Operations); n > vault.MaxBatch || len(encoded) > 256+80*n {
			t.Errorf("a run carries %d operations in %d bytes", n, len(encoded))
		}
		bytes := 0
		for _, o := range run.Operations {
			bytes += len(b.op(o.ID).Payload)
		}
		if bytes > 1<<20 {
			t.Errorf("the payloads of a run have %d bytes", bytes)
		}
	}
}

func TestClose_PushesWhatIsGathered(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for range 30 {
		b.accept()
	}
	b.Client.Close()
	if n := sum(b.engine.sizes()); n != 30 {
		t.Errorf("%d of 30 operations were pushed", n)
	}
}

// Operations that are accepted at once share commits; a repeated key, a conflict and an unknown tenant do not disturb
// the others.
func TestSubmit_ConcurrentOperationsFailAlone(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	atOnce(100, func(i int) {
		switch i % 4 {
		case 0:
			_, err := trigger.Submit(t.Context(), b.Client, b.tenant, vault.WriteValue, write(`"gold"`), trigger.IdempotencyKey("same"))
			b.must(err)
		case 1:
			_, err := trigger.Submit(t.Context(), b.Client, uuid.New(), vault.WriteValue, write(`"gold"`))
			b.code(err, vault.CodeUnknown)
		case 2: // PostgreSQL holds no NUL in a text
			_, err := trigger.Submit(
				t.Context(), b.Client, b.tenant, vault.WriteValue, write(`"gold"`), trigger.IdempotencyKey("a\x00b"))
			if err == nil {
				t.Error("a key with a NUL was accepted")
			}
		default:
			b.accept()
		}
	})
	if n := b.operations(); n != 1+25 {
		t.Errorf("%d operations were accepted", n)
	}
	b.Client.Close()
	for id, n := range b.engine.taken() {
		if n != 1 {
			t.Errorf("operation %s was pushed %d times", id, n)
		}
	}
	for _, run := range b.engine.runs {
		b.must(run.Check())
	}
}

func TestBatch_Check(t *testing.T) {
	t.Parallel()
	one := vault.BatchOf(vault.Event{OperationID: uuid.New(), TenantID: uuid.New()})
	if err := one.Check(); err != nil {
		t.Error(err)
	}
	many := vault.Batch{TenantID: uuid.New()}
	for range vault.MaxBatch + 1 {
		many.Operations = append(many.Operations, vault.Pushed{ID: uuid.New()})
	}
	twice := one
	twice.Operations = append(twice.Operations, twice.Operations...)
	for what, b := range map[string]vault.Batch{
		"no tenant": {Operations: one.Operations}, "no operation": {TenantID: uuid.New()}, "too many": many, "one twice": twice,
		"a zero id": {TenantID: uuid.New(), Operations: make([]vault.Pushed, 1)},
	} {
		if err := b.Check(); vault.CodeOf(err) != vault.CodeInvalid {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// Large operations are accepted beside small ones, each in a commit of its own.
func TestSubmit_LargePayloads(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	large := vault.ImportValuesInput{}
	for range 100 {
		large.Writes = append(large.Writes, write(`"`+strings.Repeat("x", 1<<10)+`"`))
	}
	atOnce(40, func(i int) {
		if i%2 == 0 {
			b.accept()
			return
		}
		r, err := trigger.Submit(t.Context(), b.Client, b.tenant, vault.ImportValues, large, trigger.IdempotencyKey("file"))
		b.must(err)
		var stored vault.ImportValuesInput
		b.must(b.sealer.Open(t.Context(), b.tenant, r.ID, b.op(r.ID).Payload, &stored))
		if len(stored.Writes) != len(large.Writes) {
			t.Errorf("%d writes are stored", len(stored.Writes))
		}
	})
	if n := b.operations(); n != 21 {
		t.Errorf("%d operations were accepted", n)
	}
}
