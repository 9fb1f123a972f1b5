package workflows_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

func TestWriteValue_InvalidValueIsRejected(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	r, err := trigger.Submit(t.Context(), kit.Trigger, s.tenant, vault.WriteValue, s.fact("plan", "bronze"))
	if reason := rejected(t, r, err); reason.Code != vault.CodeInvalid ||
		!strings.Contains(reason.ForCaller(), `"bronze"`) || strings.Contains(reason.Error(), "bronze") {
		t.Errorf("it was rejected with %s: %s; for the caller: %s", reason.Code, reason, reason.ForCaller())
	}
	r, err = trigger.Submit(t.Context(), kit.Trigger, s.tenant, vault.WriteValue, s.fact("email", "ada(at)example"))
	if reason := rejected(t, r, err); reason.Code != vault.CodeInvalid || strings.Contains(reason.ForCaller(), "ada(at)") {
		t.Errorf("it was rejected with %s: %s", reason.Code, reason.ForCaller())
	}
	if _, err := kit.Query.Profile(t.Context(), s.tenant, s.customer); vault.CodeOf(err) != vault.CodeUnknown {
		t.Errorf("rejected writes left a profile behind: %v", err)
	}
}

func TestWriteValue_SupersedesTheOlderValue(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	for _, value := range []string{"France", "Iceland", "Norway"} {
		s.write(s.fact("country", value))
		if got := s.value("country"); got != `"`+value+`"` { // after the acknowledgement, from the cache too
			t.Errorf("a reader sees %s after %s was written", got, value)
		}
	}
	if got, want := s.versions("country"), []string{
		`"Norway" active`, `"Iceland" superseded`, `"France" superseded`,
	}; !slices.Equal(got, want) {
		t.Errorf("the history is %v, want %v", got, want)
	}
}

func TestAddAsset_ReachesTheReader(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	card := s.asset("id_card")
	if p := s.profile(); len(p.Assets) != 1 || p.Assets[0].ID != card || p.Assets[0].Status != vault.StatusActive {
		t.Fatalf("a reader sees the documents %v", p.Assets)
	}
	in := s.fact("name", "Ada Quill")
	in.SourceItemID, in.SourceItemType = &card, vault.SourceProfileAsset
	item := s.write(in)
	chain, err := kit.Query.Chain(t.Context(), s.tenant, item.ItemID, 0)
	if err != nil || len(chain.Links) != 2 || chain.Links[0].ID != card || chain.Links[1].ID != item.ItemID {
		t.Errorf("the name's chain is %v, %v", chain.Links, err)
	}
}

// derived returns a value with an asset as its source.
func (s *scene) derived() (source, dependent uuid.UUID) {
	s.t.Helper()
	source = s.asset("id_card")
	in := s.fact("name", "Ada Quill")
	in.SourceItemID, in.SourceItemType = &source, vault.SourceProfileAsset
	return source, s.write(in).ItemID
}

func TestDeleteItem_WithDependentsIsRejected(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	source, dependent := s.derived()
	r, err := trigger.Submit(t.Context(), kit.Trigger, s.tenant, vault.DeleteItem, vault.DeleteItemInput{ItemID: source})
	reason := rejected(t, r, err)
	if reason.Code != vault.CodeHasDependents || !slices.Equal(reason.Related, []uuid.UUID{dependent}) ||
		!strings.HasPrefix(reason.Message, "Cannot delete: has dependents") {
		t.Errorf("it was refused with %s: %s, %v", reason.Code, reason.Message, reason.Related)
	}
	if p := s.profile(); len(p.Assets) != 1 || p.Fields["name"].ID != dependent {
		t.Errorf("after the refusal a reader sees %v and %v", p.Assets, p.Fields)
	}
}

func TestDeleteItem_ForcedOrphansDependents(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	source, dependent := s.derived()
	s.profile() // fill the cache
	r, err := trigger.Submit(t.Context(), kit.Trigger, s.tenant, vault.DeleteItem, vault.DeleteItemInput{
		ItemID: source, Force: true,
	})
	if got := result[vault.DeleteResult](t, done(t, r, err)); got.ItemID != source || got.Orphaned != 1 {
		t.Errorf("it says %v", got)
	}
	if p := s.profile(); len(p.Assets) != 0 || len(p.Fields) != 0 {
		t.Errorf("a reader still sees %v and %v", p.Assets, p.Fields)
	}
	if h := s.history("name"); len(h) != 1 || h[0].ID != dependent || h[0].Status != vault.StatusOrphaned {
		t.Errorf("the dependent's history is %v", h)
	}
}

func TestDeleteItem_WithoutDependents(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	_, dependent := s.derived()
	r, err := trigger.Submit(t.Context(), kit.Trigger, s.tenant, vault.DeleteItem, vault.DeleteItemInput{
		ItemID: dependent,
	})
	done(t, r, err)
	if p := s.profile(); len(p.Fields) != 0 || len(p.Assets) != 1 {
		t.Errorf("a reader sees %v and %v", p.Fields, p.Assets)
	}
}

// past moves an expiry into the past.
func (s *scene) past(item uuid.UUID) {
	s.t.Helper()
	dbtest.Exec(
		s.t, kit.DatabaseURL, "UPDATE customer_values SET expires_at = now() - interval '1 minute' WHERE id = $1", item,
	)
}

func (s *scene) expiring() vault.ItemResult {
	s.t.Helper()
	in, tomorrow := s.fact("country", "Iceland"), time.Now().Add(24*time.Hour)
	in.ExpiresAt = &tomorrow
	item := s.write(in)
	if s.value("country") == "" { // fill the cache
		s.t.Fatal("it was not written")
	}
	s.past(item.ItemID)
	return item
}

func TestExpireValues_ByEvent(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.expiring()
	r, err := trigger.Submit(t.Context(), kit.Trigger, s.tenant, vault.ExpireValues, vault.Sweep{})
	op := done(t, r, err)
	if op.Workflow != vault.ExpireValues.Name {
		t.Errorf("the operation is of workflow %s", op.Workflow)
	}
	if got := s.versions("country"); !slices.Equal(got, []string{`"Iceland" expired`}) || s.value("country") != "" {
		t.Errorf("after the sweep the history is %v, and a reader sees %q", got, s.value("country"))
	}
}

func TestExpireValues_ByCron(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.expiring()
	cron(t, vault.ExpireValues.Name)
	if got := s.versions("country"); !slices.Equal(got, []string{`"Iceland" expired`}) || s.value("country") != "" {
		t.Errorf("after the sweep the history is %v, and a reader sees %q", got, s.value("country"))
	}
}

// lose deletes a source directly in the database, so no operation orphans its dependents.
func (s *scene) lose(asset uuid.UUID) {
	s.t.Helper()
	dbtest.Exec(s.t, kit.DatabaseURL, "DELETE FROM customer_assets WHERE id = $1", asset)
}

func TestDetectOrphans_ByEvent(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	source, _ := s.derived()
	s.profile() // fill the cache
	s.lose(source)
	r, err := trigger.Submit(t.Context(), kit.Trigger, s.tenant, vault.DetectOrphans, vault.Sweep{})
	if op := done(t, r, err); op.Workflow != vault.DetectOrphans.Name {
		t.Errorf("the operation is of workflow %s", op.Workflow)
	}
	if got := s.versions("name"); !slices.Equal(got, []string{`"Ada Quill" orphaned`}) || s.value("name") != "" {
		t.Errorf("after the sweep the history is %v, and a reader sees %q", got, s.value("name"))
	}
}

func TestDetectOrphans_ByCron(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	source, _ := s.derived()
	s.profile() // fill the cache
	s.lose(source)
	cron(t, vault.DetectOrphans.Name)
	if got := s.versions("name"); !slices.Equal(got, []string{`"Ada Quill" orphaned`}) || s.value("name") != "" {
		t.Errorf("after the sweep the history is %v, and a reader sees %q", got, s.value("name"))
	}
}

func TestSaveSession_MergesVariables(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	session := s.session(map[string]json.RawMessage{"country": text("Norway"), "plan": text("gold")}, "Hi, I am Ada.")
	r, err := trigger.Submit(t.Context(), kit.Trigger, s.tenant, vault.SaveSession, vault.SaveSessionInput{
		SessionID: session, AgentID: s.agent, CustomerID: s.customer,
		Variables: map[string]json.RawMessage{"plan": text("silver")},
		Turns:     []vault.Turn{{Speaker: vault.SpeakerAgent, Text: "Hello, Ada."}},
	})
	done(t, r, err)
	got, err := kit.Query.Session(t.Context(), s.tenant, session)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Variables) != 2 || string(got.Variables["plan"]) != `"silver"` ||
		string(got.Variables["country"]) != `"Norway"` {
		t.Errorf("the variables are %s", got.Variables)
	}
	if len(got.Turns) != 2 || got.Turns[0].Text != "Hi, I am Ada." || got.Turns[1].Speaker != vault.SpeakerAgent ||
		got.Turns[1].Index != 1 {
		t.Errorf("the turns are %v", got.Turns)
	}
}
