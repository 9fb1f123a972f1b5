package workflows_test

import (
	"slices"
	"testing"

	"github.com/contextvault/contextvault/internal/testkit"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

func TestImportValues_AllOrNone(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	in := vault.ImportValuesInput{
		Writes: []vault.WriteValueInput{
			s.fact("country", "Norway"), s.fact("plan", "gold"), s.fact("email", "ada(at)example"),
		},
	}
	r, err := trigger.Submit(t.Context(), kit.Trigger, s.tenant, vault.ImportValues, in)
	rejected(t, r, err)
	if _, err := kit.Query.Profile(t.Context(), s.tenant, s.customer); vault.CodeOf(err) != vault.CodeUnknown {
		t.Errorf("a rejected import left something behind: %v", err)
	}
	in.SkipInvalid = true
	r, err = trigger.Submit(t.Context(), kit.Trigger, s.tenant, vault.ImportValues, in)
	got := result[vault.ImportResult](t, done(t, r, err))
	if got.Written != 2 || got.Customers != 1 || len(got.Rejected) != 1 || got.Rejected[0].Index != 2 {
		t.Errorf("it says %+v", got)
	}
	if s.value("country") != `"Norway"` || s.value("plan") != `"gold"` || s.value("email") != "" {
		t.Errorf("a reader sees %v", s.profile().Fields)
	}
}

func TestVerifyValue_ReachesTheReader(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.write(s.fact("email", "ada@example.com"))
	if s.profile().Fields["email"].Verified { // fill the cache
		t.Error("it is verified already")
	}
	r, err := trigger.Submit(t.Context(), kit.Trigger, s.tenant, vault.VerifyValue, vault.VerifyValueInput{
		AgentID: s.agent, CustomerID: s.customer, Name: "email", Method: "link", VerifiedBy: "the mailer",
	})
	done(t, r, err)
	if f := s.profile().Fields["email"]; !f.Verified || f.VerificationMethod != "link" || f.VerifiedBy != "the mailer" {
		t.Errorf("verified: %t by %q, %q", f.Verified, f.VerificationMethod, f.VerifiedBy)
	}
	if h := s.history("email"); len(h) != 1 {
		t.Errorf("the verification made %d versions", len(h))
	}
}

func TestRestoreItem_DeletedValue(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	item := s.write(s.fact("country", "Norway")).ItemID
	r, err := trigger.Submit(t.Context(), kit.Trigger, s.tenant, vault.DeleteItem, vault.DeleteItemInput{ItemID: item})
	done(t, r, err)
	if s.value("country") != "" {
		t.Error("a reader sees it after it was deleted")
	}
	r, err = trigger.Submit(t.Context(), kit.Trigger, s.tenant, vault.RestoreItem, vault.RestoreItemInput{ItemID: item})
	done(t, r, err)
	if got := s.profile().Fields["country"]; got.ID != item {
		t.Errorf("a reader sees %s, want %s", got.ID, item)
	}
}

func (s *scene) open(channel, external string) vault.CustomerResult {
	s.t.Helper()
	r, err := trigger.Submit(s.t.Context(), kit.Trigger, s.tenant, vault.OpenCustomer, vault.OpenCustomerInput{
		Channel: channel, ExternalID: external,
	})
	return result[vault.CustomerResult](s.t, done(s.t, r, err))
}

func TestOpenCustomer_SameIdentity(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	first, second, other := s.open(
		"email", "ada@example.com",
	), s.open("email", "ada@example.com"), s.open("phone", "ada@example.com")
	if !first.Created || second.Created || first.CustomerID != second.CustomerID {
		t.Errorf("the same identity opened %+v, then %+v", first, second)
	}
	if !other.Created || other.CustomerID == first.CustomerID {
		t.Errorf("another channel opened %+v", other)
	}
}

func TestLinkChannel_OpensTheCustomer(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.write(s.fact("country", "Norway"))
	r, err := trigger.Submit(t.Context(), kit.Trigger, s.tenant, vault.LinkChannel, vault.LinkChannelInput{
		CustomerID: s.customer, Channel: "email", ExternalID: "ada@example.com",
	})
	done(t, r, err)
	if got := s.open("email", "ada@example.com"); got.CustomerID != s.customer || got.Created {
		t.Errorf("the identity opens %+v, want customer %s", got, s.customer)
	}
	if p := s.profile(); len(p.Channels) != 1 || p.Channels[0].Channel != "email" {
		t.Errorf("a reader sees the channels %v", p.Channels)
	}
}

func TestRecordConsent_ReachesTheReader(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	for _, granted := range []bool{true, false} {
		r, err := trigger.Submit(t.Context(), kit.Trigger, s.tenant, vault.RecordConsent, vault.RecordConsentInput{
			CustomerID: s.customer, Purpose: "marketing", Granted: granted, Source: "form",
		})
		done(t, r, err)
		p := s.profile()
		if i := slices.IndexFunc(p.Consents, func(c vault.Consent) bool { return c.Purpose == "marketing" }); i < 0 ||
			p.Consents[i].Granted != granted {
			t.Errorf("after %t a reader sees the consents %v", granted, p.Consents)
		}
	}
}

func TestMergeCustomers_AndUnmerge(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.write(s.fact("country", "Norway"))
	source := *s
	source.customer = testkit.ID()
	source.write(source.fact("plan", "gold"))
	source.profile() // fill the cache with both
	s.profile()

	r, err := trigger.Submit(t.Context(), kit.Trigger, s.tenant, vault.MergeCustomers, vault.MergeCustomersInput{
		SourceCustomerID: source.customer, TargetCustomerID: s.customer,
	})
	done(t, r, err)
	for _, asked := range []*scene{s, &source} { // the source's id resolves to the target
		p := asked.profile()
		if p.CustomerID != s.customer || asked.value("country") != `"Norway"` || asked.value("plan") != `"gold"` {
			t.Errorf("customer %s is %s with %v", asked.customer, p.CustomerID, p.Fields)
		}
	}
	r, err = trigger.Submit(t.Context(), kit.Trigger, s.tenant, vault.UnmergeCustomer, vault.UnmergeCustomerInput{
		CustomerID: source.customer,
	})
	done(t, r, err)
	if s.value("country") != `"Norway"` || s.value("plan") != "" || source.value("plan") != `"gold"` ||
		source.value("country") != "" {
		t.Errorf("after the undoing the target has %v, the source %v", s.profile().Fields, source.profile().Fields)
	}
}

func TestDeleteCustomer_IsUnknown(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.write(s.fact("country", "Norway"))
	s.profile() // fill the cache
	r, err := trigger.Submit(t.Context(), kit.Trigger, s.tenant, vault.DeleteCustomer, vault.DeleteCustomerInput{
		CustomerID: s.customer,
	})
	done(t, r, err)
	if p, err := kit.Query.Profile(t.Context(), s.tenant, s.customer); vault.CodeOf(err) != vault.CodeUnknown {
		t.Errorf("a reader sees %v, %v", p.Fields, err)
	}
}

func TestDecideReview_RequirementBinds(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	scenario := testkit.ID()
	r, err := trigger.Submit(t.Context(), kit.Trigger, s.tenant, vault.SaveScenario, vault.Scenario{
		ID: scenario, AgentID: s.agent, Name: "Delivery",
		Description: "Ask for the IMEI of the old handset.",
	})
	if found := s.extraction(done(t, r, err)); len(found.NeedReview) == 0 {
		t.Fatalf("nothing waits for a person: %+v", found)
	}
	waiting, _, err := kit.Query.ReviewsPage(t.Context(), s.tenant, nil, 10)
	if err != nil || len(waiting.Requirements) != 1 {
		t.Fatalf("these wait for a person: %v, %v", waiting, err)
	}
	before := waiting.Requirements[0]
	if before.Binding() {
		t.Error("it is binding before a person has decided")
	}
	r, err = trigger.Submit(t.Context(), kit.Trigger, s.tenant, vault.DecideReview, vault.DecideReviewInput{
		Kind: vault.ReviewOfRequirement, ID: before.ID, Decision: vault.Approve,
	})
	done(t, r, err)
	if after := s.requirement(scenario, before.FieldName); after.ID != before.ID || !after.Binding() ||
		after.Review != vault.ReviewApproved {
		t.Errorf("after the approval it is %s, binding: %t", after.Review, after.Binding())
	}
}

func TestCancelFill_WaitingFill(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	fill := s.fill(vault.FillGapsInput{ScenarioID: s.scenario(asked("plan", "country")...)})
	q := kit.Question(t, s.tenant, s.customer)
	r, err := trigger.Submit(t.Context(), kit.Trigger, s.tenant, vault.CancelFill, vault.CancelFillInput{FillID: fill.ID})
	if got := result[vault.CancelResult](t, done(t, r, err)); got.FillID != fill.ID || got.QuestionID == nil ||
		*got.QuestionID != q.ID {
		t.Errorf("it says %+v", got)
	}
	got := result[vault.FillResult](t, done(t, fill, nil))
	if !got.Cancelled || !got.Blocked || outcomes(got)["plan"] != "cancelled" {
		t.Errorf("the fill ended with %+v", got)
	}
	if reason := rejected(t, s.answer(q, "gold"), nil); reason.Code != vault.CodeConflict {
		t.Errorf("an answer to a closed question was rejected with %s: %s", reason.Code, reason)
	}
	if open, err := kit.Query.Questions(t.Context(), s.tenant, s.customer); err != nil || len(open) != 0 {
		t.Errorf("still open: %v, %v", open, err)
	}
}
