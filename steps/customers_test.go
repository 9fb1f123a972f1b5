package steps_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

func TestOpenCustomer_ConcurrentCallsMakeOneProfile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const callers = 50
	evs := make([]vault.Event, callers)
	for i := range evs {
		evs[i] = w.event(
			trigger.Submit(t.Context(), w.trigger, w.tenant, vault.OpenCustomer, vault.OpenCustomerInput{
				Channel: "whatsapp", ExternalID: "+41 44",
			}),
		)
	}
	_, errs := w.atOnce(callers, func(i int) (any, error) { return nil, w.run(evs[i], openCustomer...) })
	customers, created := map[uuid.UUID]bool{}, 0
	for i, err := range errs {
		w.must(err)
		got := resultOf[vault.CustomerResult](w, evs[i])
		customers[got.CustomerID] = true
		if got.Created {
			created++
		}
	}
	if len(customers) != 1 || created != 1 || w.count("SELECT count(*) FROM customer_profiles") != 1 ||
		w.count("SELECT count(*) FROM channel_identities") != 1 {
		t.Errorf("%d callers got %d customers, %d of them made", callers, len(customers), created)
	}
}

func TestOpenCustomer_ExistingIdentity(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	ada := w.open("whatsapp", "ada")
	if !ada.Created || ada.Version != 1 {
		t.Errorf("got %+v, want a new customer", ada)
	}
	w.equal("again", vault.CustomerResult{CustomerID: ada.CustomerID, Version: 1}, w.open("whatsapp", "ada"))
	if other := w.open("sms", "ada"); !other.Created || other.CustomerID == ada.CustomerID {
		t.Errorf("the same name on another channel: got %+v", other)
	}
	p, err := w.seen(ada.CustomerID)
	w.must(err)
	if len(p.Channels) != 1 || p.Channels[0].Channel != "whatsapp" || p.Channels[0].ExternalID != "ada" ||
		p.Channels[0].Verified {
		t.Errorf("the channels are %+v", p.Channels)
	}

	t.Run("merged customer", func(t *testing.T) {
		target := newID()
		w.as(target).write("plan", text("gold"))
		w.merge(ada.CustomerID, target)
		if got := w.open("whatsapp", "ada"); got.Created || got.CustomerID != target {
			t.Errorf("got %+v, want %s", got, target)
		}
	})
	t.Run("deleted customer: a new one, not verified", func(t *testing.T) {
		r, err := trigger.Submit(t.Context(), w.trigger, w.tenant, vault.OpenCustomer, vault.OpenCustomerInput{
			Channel: "mail", ExternalID: "ada", Verified: true,
		})
		old := applied[vault.CustomerResult](w, r, err, openCustomer...)
		w.erase(old.CustomerID)
		fresh := w.open("mail", "ada")
		if !fresh.Created || fresh.CustomerID == old.CustomerID {
			t.Errorf("got %+v, want a new customer", fresh)
		}
		p, err := w.seen(fresh.CustomerID)
		w.must(err)
		if len(p.Channels) != 1 || p.Channels[0].Verified {
			t.Errorf("the channels are %+v", p.Channels)
		}
		w.equal("again", vault.CustomerResult{CustomerID: fresh.CustomerID, Version: fresh.Version}, w.open("mail", "ada"))
	})
}

func TestOpenCustomer_ConcurrentDeletion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for round := range 15 {
		was := w.open("whatsapp", "ada").CustomerID
		removal := w.event(
			trigger.Submit(t.Context(), w.trigger, w.tenant, vault.DeleteCustomer, vault.DeleteCustomerInput{CustomerID: was}),
		)
		evs := make([]vault.Event, 4)
		for i := range evs {
			evs[i] = w.event(
				trigger.Submit(t.Context(), w.trigger, w.tenant, vault.OpenCustomer, vault.OpenCustomerInput{
					Channel: "whatsapp", ExternalID: "ada",
				}),
			)
		}
		_, errs := w.atOnce(5, func(i int) (any, error) {
			if i == 4 {
				return nil, w.run(removal, deleteCustomer...)
			}
			return nil, w.run(evs[i], openCustomer...)
		})
		for i, err := range errs {
			if err != nil {
				t.Errorf("round %d, %d: %v", round, i, err)
			}
		}
		if n := w.count("SELECT count(*) FROM customer_profiles WHERE deleted_at IS NULL"); n > 1 {
			t.Fatalf("round %d: %d customers have one identity", round, n)
		}
	}
}

func TestLinkChannel_IdentityOfAnotherCustomer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	ada := w.open("whatsapp", "ada").CustomerID
	bob := w.as(newID())
	bob.write("plan", text("gold"))
	w.refused(bob.link("whatsapp", "ada"), vault.CodeConflict, []string{ada.String(), "merge the two"}, linkChannel...)

	w.must(w.twice(bob.link("whatsapp", "bob"), linkChannel...))
	w.must(w.twice(w.as(ada).link("whatsapp", "ada"), linkChannel...)) // her own identity again
	for customer, want := range map[uuid.UUID]string{ada: "ada", bob.customer: "bob"} {
		p, err := w.seen(customer)
		w.must(err)
		if len(p.Channels) != 1 || p.Channels[0].ExternalID != want {
			t.Errorf("the channels of %s are %+v", want, p.Channels)
		}
	}

	w.erase(ada)
	w.must(w.twice(bob.link("whatsapp", "ada"), linkChannel...)) // without an owner now
	p, err := w.seen(bob.customer)
	w.must(err)
	if len(p.Channels) != 2 {
		t.Errorf("the channels are %+v", p.Channels)
	}
}

func TestLinkChannel_ConcurrentCallsLinkOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const customers = 8
	evs := make([]vault.Event, customers)
	for i := range evs {
		evs[i] = w.as(newID()).link("whatsapp", "ada")
	}
	_, errs := w.atOnce(customers, func(i int) (any, error) { return nil, w.run(evs[i], linkChannel...) })
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
			continue
		}
		w.says(err, vault.CodeConflict, "belongs to customer")
	}
	if won != 1 {
		t.Errorf("%d customers have the identity", won)
	}
}

func TestRecordConsent_NewestAcceptedCounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	late := w.consent(true)
	no := w.consent(false)
	inForce := func() bool {
		p, err := w.seen(w.customer)
		w.must(err)
		if len(p.Consents) != 1 || p.Consents[0].Purpose != "marketing" {
			t.Fatalf("the consents are %+v", p.Consents)
		}
		return p.Consents[0].InForce(time.Now())
	}
	w.must(w.twice(no, recordConsent...))
	if inForce() {
		t.Error("a refusal counts as consent")
	}
	w.must(w.twice(late, recordConsent...)) // given before it was withdrawn
	if inForce() {
		t.Error("a late consent came back over a newer refusal")
	}
	w.must(w.twice(w.consent(true), recordConsent...))
	if !inForce() {
		t.Error("a newer consent does not count")
	}
	if n := w.count("SELECT count(*) FROM consents"); n != 3 {
		t.Errorf("the log has %d entries, want 3", n)
	}
	w.erase(w.customer)
	w.refused(w.consent(false), vault.CodeUnknown, []string{w.customer.String()}, recordConsent...)
}

func TestDeleteCustomer_UnknownAfterwards(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	item := w.write("plan", text("gold"))
	merged := newID()
	w.as(merged).write("email", text("ada@example.com"))
	w.merge(merged, w.customer)
	w.values(w.customer) // now they are in the cache
	w.values(merged)

	ev := w.event(
		trigger.Submit(t.Context(), w.trigger, w.tenant, vault.DeleteCustomer, vault.DeleteCustomerInput{
			CustomerID: w.customer,
		}),
	)
	w.must(w.twice(ev, deleteCustomer...))
	for _, customer := range []uuid.UUID{w.customer, merged} {
		w.gone(customer)
		c := w.as(customer)
		for what, run := range map[string]struct {
			ev    vault.Event
			steps []string
		}{
			"a write":  {c.accept("plan", text("silver")), writeValue},
			"an asset": {c.acceptAsset("1"), addAsset},
			"a verification": {w.event(
				trigger.Submit(t.Context(), w.trigger, w.tenant, vault.VerifyValue, vault.VerifyValueInput{
					AgentID: w.agent, CustomerID: customer, Name: "plan", Method: "m",
				}),
			), verifyValue},
			"an identity": {c.link("whatsapp", "ada"), linkChannel},
			"a deletion": {w.event(
				trigger.Submit(t.Context(), w.trigger, w.tenant, vault.DeleteItem, vault.DeleteItemInput{ItemID: item.ItemID}),
			), deleteItem},
			"another": {w.event(
				trigger.Submit(t.Context(), w.trigger, w.tenant, vault.DeleteCustomer, vault.DeleteCustomerInput{
					CustomerID: customer,
				}),
			), deleteCustomer},
		} {
			t.Run(what, func(*testing.T) { w.refused(run.ev, vault.CodeUnknown, []string{"unknown customer"}, run.steps...) })
		}
	}
	w.refused(
		w.unmerging(merged), vault.CodeConflict, []string{w.customer.String(), "was deleted since"}, unmergeCustomer...,
	)
	never := w.event(
		trigger.Submit(t.Context(), w.trigger, w.tenant, vault.DeleteCustomer, vault.DeleteCustomerInput{
			CustomerID: newID(),
		}),
	)
	w.refused(never, vault.CodeUnknown, []string{"unknown customer"}, deleteCustomer...)
}

// Items of a deleted customer cannot be read by id either: neither values nor their quotes.
func TestDeleteCustomer_DeletesItems(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	value := w.write(
		"plan", text("gold"),
		func(in *vault.WriteValueInput) { in.SourceMetadata = json.RawMessage(`{"quote": "I am Ada Quill"}`) },
	).ItemID
	card := w.addAsset("card").ItemID
	w.write("email", text("ada@example.com"), from(value)) // deleted with the customer
	other, beyond := w.as(newID()), w.as(newID())
	derived := other.write("plan", text("derived"), from(value)).ItemID
	scan := other.addAsset(
		"scan", func(in *vault.AddAssetInput) { in.SourceItemID, in.SourceItemType = &card, vault.SourceProfileAsset },
	).ItemID
	further := beyond.write("plan", text("further"), from(derived)).ItemID
	reader := readerOf(w)
	for _, id := range []uuid.UUID{value, card, derived, scan, further} { // now they are in the cache
		_, err := reader.Chain(t.Context(), w.tenant, id, 0)
		w.must(err)
	}
	w.values(other.customer)

	ev := w.event(
		trigger.Submit(t.Context(), w.trigger, w.tenant, vault.DeleteCustomer, vault.DeleteCustomerInput{
			CustomerID: w.customer,
		}),
	)
	w.refused(
		ev, vault.CodeHasDependents, []string{"Cannot delete: has dependents", derived.String(), scan.String(), "admin"},
		deleteCustomer...,
	)
	w.equal("what was derived", []string{`"derived" active`}, other.standing("plan"))

	ev = w.event(
		trigger.Submit(t.Context(), w.trigger, w.tenant, vault.DeleteCustomer, vault.DeleteCustomerInput{
			CustomerID: w.customer, Force: true,
		}),
	)
	w.must(w.twice(ev, deleteCustomer...))
	for _, id := range []uuid.UUID{value, card} {
		_, err := reader.Chain(t.Context(), w.tenant, id, 0)
		w.says(err, vault.CodeUnknown, id.String())
		_, err = reader.Field(t.Context(), w.tenant, id)
		w.says(err, vault.CodeUnknown, id.String())
		w.refused(w.restoring(id), vault.CodeUnknown, []string{"unknown customer"}, restoreItem...)
	}
	for _, id := range []uuid.UUID{derived, scan, further} {
		chain, err := reader.Chain(t.Context(), w.tenant, id, 0)
		w.must(err)
		if !chain.Missing || strings.Contains(jsonOf(chain), "Quill") {
			t.Errorf("the chain is %s", jsonOf(chain))
		}
	}
	w.equal("what was derived", []string{`"derived" orphaned`}, other.standing("plan"))
	w.equal("the other's values", map[string]string{}, w.values(other.customer))
	w.equal("the other's assets", []string{}, w.assetsOf(other.customer))
	w.equal("what was derived from that", map[string]string{"plan": `"further"`}, w.values(beyond.customer))
	w.must(w.run(vault.Event{}, "Sweeps.DetectOrphans")) // finds nothing to do
	w.equal("what was derived from that", map[string]string{"plan": `"further"`}, w.values(beyond.customer))
}

func TestDeleteCustomer_ClosesQuestions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	scenario := w.scenario("Ask.")
	w.require(scenario.ID, vault.Requirement{FieldName: "plan"}, vault.Requirement{FieldName: "email"})
	filling := func(w *world) vault.Event {
		return w.event(
			trigger.Submit(t.Context(), w.trigger, w.tenant, vault.FillGaps, vault.FillGapsInput{
				CustomerID: w.customer, ScenarioID: scenario.ID,
			}),
		)
	}
	refusal := []string{"unknown customer"}
	unasked := func(customer uuid.UUID) {
		open, err := readerOf(w).Questions(t.Context(), w.tenant, customer)
		w.must(err)
		if len(open) > 0 {
			t.Fatalf("the questions are %+v", open)
		}
	}

	merged := w.as(newID())
	merged.write("email", text("ada@example.com"))
	w.write("email", text("ada@example.com"))
	w.merge(merged.customer, w.customer)
	fills := []vault.Event{filling(w), filling(merged)}
	var questions []uuid.UUID
	for _, fill := range fills {
		w.resolve(fill)
		questions = append(questions, w.ask(fill).QuestionID)
	}
	w.erase(w.customer)
	for i, fill := range fills {
		unasked([]uuid.UUID{w.customer, merged.customer}[i])
		answer := w.answer(questions[i], text("gold"))
		w.must(w.twice(answer, answerQuestion...))
		w.says(w.op(answer).Error, vault.CodeConflict, "is cancelled already")
		w.refused(fill, vault.CodeUnknown, refusal, "Gaps.AskCustomer") // the next round ends the fill
	}
	w.refused(filling(w), vault.CodeUnknown, refusal, fillGaps...)

	for range 20 { // a concurrent question is closed or not opened
		c := w.as(newID())
		c.write("email", text("ada@example.com"))
		fill := filling(c)
		w.resolve(fill)
		removal := w.event(
			trigger.Submit(t.Context(), w.trigger, w.tenant, vault.DeleteCustomer, vault.DeleteCustomerInput{
				CustomerID: c.customer,
			}),
		)
		_, errs := w.atOnce(2, func(i int) (any, error) {
			if i == 0 {
				return nil, w.run(removal, deleteCustomer...)
			}
			return nil, w.run(fill, "Gaps.AskCustomer")
		})
		w.must(errs[0])
		if errs[1] != nil {
			w.says(errs[1], vault.CodeUnknown, refusal...)
		}
		unasked(c.customer)
	}
}

func TestVerifyValue_LateVerificationIsIgnored(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	w.write("plan", text("gold"))
	verify := func(method string) vault.Event {
		return w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.VerifyValue, vault.VerifyValueInput{
			AgentID: w.agent, CustomerID: w.customer, Name: "plan", Method: method,
		}))
	}
	late, newer := verify("code"), verify("document")
	for _, ev := range []vault.Event{newer, late} {
		w.must(w.twice(ev, verifyValue...))
		p, err := w.seen(w.customer)
		w.must(err)
		if got := p.Fields["plan"]; got.VerificationMethod != "document" || !got.Verified {
			t.Errorf("it is verified %t by %q", got.Verified, got.VerificationMethod)
		}
		if got := resultOf[vault.ItemResult](w, ev); got.ProfileVersion != p.Version {
			t.Errorf("the result says version %d, the profile has %d", got.ProfileVersion, p.Version)
		}
	}
	w.must(w.run(verify("link"), verifyValue...)) // an even newer one counts
	p, err := w.seen(w.customer)
	w.must(err)
	w.equal("method", "link", p.Fields["plan"].VerificationMethod)

	// A value that was written as verified can be verified again, whatever its collected_at.
	soon := time.Now().Add(time.Hour)
	w.write("email", text("ada@example.com"), func(in *vault.WriteValueInput) {
		in.Verified, in.VerificationMethod, in.CollectedAt = true, "link", &soon
	})
	w.must(w.run(w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.VerifyValue, vault.VerifyValueInput{
		AgentID: w.agent, CustomerID: w.customer, Name: "email", Method: "code",
	})), verifyValue...))
	p, err = w.seen(w.customer)
	w.must(err)
	w.equal("method", "code", p.Fields["email"].VerificationMethod)
}

func TestVerifyValue_ActiveValueOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.define(
		vault.Definition{
			Name: "email", ValueType: vault.TypeEmail, VerificationMethods: []string{"code", "link"}, RequiredVerification: true,
		},
		vault.Definition{Name: "plan", ValueType: vault.TypeString},
	)
	verify := func(change ...func(*vault.VerifyValueInput)) vault.Event {
		in := vault.VerifyValueInput{
			AgentID: w.agent, CustomerID: w.customer, Name: "email", Method: "code", VerifiedBy: "mailer",
		}
		for _, c := range change {
			c(&in)
		}
		return w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.VerifyValue, in))
	}
	w.refused(verify(), vault.CodeUnknown, []string{w.customer.String()}, verifyValue...)
	w.write("plan", text("gold"))
	w.refused(verify(), vault.CodeConflict, []string{"no active email", "write it first"}, verifyValue...)
	first := w.write("email", text("ada@example.com"), func(in *vault.WriteValueInput) { in.RequiresConfirmation = true })
	w.refused(
		verify(func(in *vault.VerifyValueInput) { in.Method = "guess" }), vault.CodeInvalid,
		[]string{"method", "code or link"}, verifyValue...,
	)
	w.refused(
		verify(func(in *vault.VerifyValueInput) { in.Name = "colour" }), vault.CodeUnknown, []string{"colour"},
		verifyValue...,
	)
	w.refused(
		verify(func(in *vault.VerifyValueInput) { in.CustomerID = newID() }), vault.CodeUnknown, []string{"unknown customer"},
		verifyValue...,
	)

	p, err := w.seen(w.customer)
	w.must(err)
	w.equal("level before", vault.VerificationNone, p.VerificationLevel)
	late := verify() // of the first value
	w.must(w.twice(verify(), verifyValue...))
	p, err = w.seen(w.customer)
	w.must(err)
	f := p.Fields["email"]
	if !f.Verified || f.VerificationMethod != "code" || f.VerifiedBy != "mailer" || f.VerifiedAt == nil ||
		f.RequiresConfirmation || f.ID != first.ItemID {
		t.Errorf("the value is %+v", f)
	}
	w.equal("level", vault.VerificationEmail, p.VerificationLevel)

	correction := w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.CorrectValue, vault.CorrectValueInput{
		AgentID: w.agent, CustomerID: w.customer, Name: "email", Value: text("bob@example.com"), Reason: "a typing error",
	}))
	w.must(w.run(correction, correctValue...))
	second := resultOf[vault.ItemResult](w, correction)
	for what, ev := range map[string]vault.Event{
		"accepted before the value was replaced": late,
		"names the replaced value":               verify(func(in *vault.VerifyValueInput) { in.ItemID = &first.ItemID }),
	} {
		t.Run(what, func(*testing.T) {
			w.refused(ev, vault.CodeConflict, []string{second.ItemID.String(), "verify that one"}, verifyValue...)
		})
	}
	p, err = w.seen(w.customer)
	w.must(err)
	if p.Fields["email"].Verified || p.VerificationLevel != vault.VerificationNone {
		t.Error("the new value counts as verified")
	}
}

func TestExpireValue_ActiveValueOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	expire := func(item *uuid.UUID) vault.Event {
		return w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.ExpireValue, vault.ExpireValueInput{
			CustomerID: w.customer, Name: "email", ItemID: item,
		}))
	}
	w.refused(expire(nil), vault.CodeUnknown, []string{w.customer.String()}, expireValue...)
	w.write("plan", text("gold"))
	w.refused(expire(nil), vault.CodeConflict, []string{"no active email"}, expireValue...)
	first := w.write("email", text("ada@example.com"))
	w.customer = newID()
	w.refused(expire(&first.ItemID), vault.CodeUnknown, []string{"unknown customer"}, expireValue...)
}

// An expired value leaves the profile at once and stays in the history; what was derived from it is stale.
func TestExpireValue_EndsItNow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	first := w.write("email", text("ada@example.com"))
	second := w.write("email", text("bob@example.com"))
	w.write("plan", text("gold"), from(second.ItemID))
	expire := func(item *uuid.UUID) vault.Event {
		return w.event(trigger.Submit(t.Context(), w.trigger, w.tenant, vault.ExpireValue, vault.ExpireValueInput{
			CustomerID: w.customer, Name: "email", ItemID: item,
		}))
	}
	w.refused(expire(&first.ItemID), vault.CodeConflict, []string{second.ItemID.String(), "expire that one"}, expireValue...)
	ev := expire(&second.ItemID)
	w.must(w.twice(ev, expireValue...))
	p, err := w.seen(w.customer)
	w.must(err)
	if _, active := p.Fields["email"]; active || p.Fields["plan"].StaleSince == nil {
		t.Errorf("the profile is %+v", p.Fields)
	}
	got := resultOf[vault.ItemResult](w, ev)
	if got.ItemID != second.ItemID || got.Status != vault.StatusExpired || got.ProfileVersion != p.Version {
		t.Errorf("the result is %+v, the profile has version %d", got, p.Version)
	}
	w.refused(expire(nil), vault.CodeConflict, []string{"no active email"}, expireValue...)
	third := w.write("email", text("cy@example.com"))
	p, err = w.seen(w.customer)
	w.must(err)
	w.equal("the next value", third.ItemID, p.Fields["email"].ID)
}

func TestAddAsset_SupersedesInAnyOrder(t *testing.T) {
	t.Parallel()
	replaces := func(in *vault.AddAssetInput) { in.SupersedeExisting = true }
	beside := func(*vault.AddAssetInput) {}
	for _, c := range []struct {
		name  string
		kinds []func(*vault.AddAssetInput)
		want  []string
	}{
		{"the last replaces", []func(*vault.AddAssetInput){beside, beside, replaces}, []string{"2"}},
		{"the first replaces", []func(*vault.AddAssetInput){replaces, beside, beside}, []string{"0", "1", "2"}},
		{"the middle replaces", []func(*vault.AddAssetInput){beside, replaces, beside}, []string{"1", "2"}},
		{"all replace", []func(*vault.AddAssetInput){replaces, replaces, replaces}, []string{"2"}},
		{"none replaces", []func(*vault.AddAssetInput){beside, beside, beside}, []string{"0", "1", "2"}},
	} {
		for _, order := range [][]int{{0, 1, 2}, {2, 1, 0}, {1, 2, 0}, {2, 0, 1}} {
			t.Run(fmt.Sprint(c.name, order), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				var evs []vault.Event
				for i, kind := range c.kinds {
					evs = append(evs, w.acceptAsset(fmt.Sprint(i), kind))
				}
				other := w.addAsset("other", func(in *vault.AddAssetInput) { in.Name = "passport" })
				for _, i := range order {
					w.must(w.twice(evs[i], addAsset...))
				}
				w.equal("assets", append(append([]string{}, c.want...), "other"), w.assetsOf(w.customer))
				if n := w.count(`SELECT count(*) FROM customer_assets a LEFT JOIN customer_assets b ON b.id = a.superseded_by_id
					WHERE (a.status = 'superseded') <> (b.id IS NOT NULL)
						OR (b.accepted_at, b.operation_id) < (a.accepted_at, a.operation_id)`); n > 0 {
					t.Errorf("%d documents are superseded by none, or by an older one", n)
				}
				_ = other
			})
		}
	}
}

func TestRestoreItem_ReplacedAssetStaysSuperseded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	old := w.addAsset("old")
	w.remove(old.ItemID, false)
	w.addAsset("new", func(in *vault.AddAssetInput) { in.SupersedeExisting = true })
	if got := w.restore(old.ItemID); got.Status != vault.StatusSuperseded {
		t.Errorf("it is %s", got.Status)
	}
	w.equal("assets", []string{"new"}, w.assetsOf(w.customer))
}

func TestDeleteItem_ForcedInvalidatesDependents(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	source := w.write("plan", text("gold"))
	others := []*world{w.as(newID()), w.as(newID()), w}
	var items []uuid.UUID
	for _, o := range others {
		items = append(items, o.write("email", text("ada@example.com"), from(source.ItemID)).ItemID)
		o.values(o.customer) // now it is in the cache
		_, err := query.New(w.db, w.cache, w.sealer).Chain(t.Context(), w.tenant, items[len(items)-1], 0)
		w.must(err)
	}
	refusal := w.event(
		trigger.Submit(t.Context(), w.trigger, w.tenant, vault.DeleteItem, vault.DeleteItemInput{ItemID: source.ItemID}),
	)
	w.refused(
		refusal, vault.CodeHasDependents,
		[]string{"Cannot delete: has dependents", items[0].String(), items[1].String(), items[2].String()}, deleteItem...,
	)

	w.equal("result", vault.DeleteResult{ItemID: source.ItemID, Orphaned: 3}, w.remove(source.ItemID, true))
	for i, o := range others {
		w.equal("values", map[string]string{}, o.values(o.customer))
		w.equal("history", []string{`"ada@example.com" orphaned`}, o.standing("email"))
		chain, err := query.New(w.db, w.cache, w.sealer).Chain(t.Context(), w.tenant, items[i], 0)
		w.must(err)
		if !chain.Missing || len(chain.Links) != 1 {
			t.Errorf("the chain is %+v", chain)
		}
	}
	again := w.event(
		trigger.Submit(t.Context(), w.trigger, w.tenant, vault.DeleteItem, vault.DeleteItemInput{
			ItemID: source.ItemID, Force: true,
		}),
	)
	w.refused(again, vault.CodeConflict, []string{"deleted already"}, deleteItem...)
}

func TestDeleteItem_ConcurrentCallsDeleteOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	defined(w)
	item := w.write("plan", text("gold"))
	evs := make([]vault.Event, 6)
	for i := range evs {
		evs[i] = w.event(
			trigger.Submit(t.Context(), w.trigger, w.tenant, vault.DeleteItem, vault.DeleteItemInput{ItemID: item.ItemID}),
		)
	}
	_, errs := w.atOnce(len(evs), func(i int) (any, error) { return nil, w.run(evs[i], deleteItem[1:]...) })
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else {
			w.says(err, vault.CodeConflict, "deleted already")
		}
	}
	if won != 1 {
		t.Errorf("%d deletions of one item succeeded", won)
	}
}
