package query_test

import (
	"bytes"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/redis/go-redis/v9"

	"github.com/contextvault/contextvault/cache"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/vault"
)

func TestProfileDocument_IsTheProfileFromEverySource(t *testing.T) {
	t.Parallel()
	v := newVault(t, "")
	v.define(
		vault.Definition{Name: "plan", ValueType: vault.TypeString},
		vault.Definition{Name: "tax_id", ValueType: vault.TypeString, IsPII: true, EncryptionRequired: true},
	)
	v.write("plan", "<b>silver</b> & more")
	v.write("tax_id", "12/345/67890")
	v.asset("id card")
	uncached := query.New(v.db, nil, v.sealer)
	tags := map[string]bool{}
	read := func(from string, q *query.Queries) {
		t.Helper()
		profile, err := q.Profile(t.Context(), v.tenant, v.customer)
		v.must(err)
		want, err := cache.EncodeJSON(profile)
		v.must(err)
		document, err := q.ProfileDocument(t.Context(), v.tenant, v.customer)
		v.must(err)
		if !bytes.Equal(document.JSON, want) {
			t.Errorf("%s: got  %s\nwant %s", from, document.JSON, want)
		}
		tags[document.ETag] = true
	}
	all := func(want int) {
		t.Helper()
		read("the first reader", v.Queries)
		read("the cache", v.Queries)
		read("PostgreSQL", uncached)
		if len(tags) != want {
			t.Errorf("%d contents have the tags %v", want, tags)
		}
	}
	all(1)
	if v.cache.Stats().Hits == 0 {
		t.Error("nothing was read from the cache")
	}
	v.write("tax_id", "98/765/43210")
	all(2)

	key := cache.ProfileKey(v.tenant, v.customer).String()
	opts, err := redis.ParseURL(os.Getenv("REDIS_URL"))
	v.must(err)
	client := redis.NewClient(opts)
	defer func() { _ = client.Close() }()
	entry, err := client.Get(t.Context(), key).Bytes()
	v.must(err)
	if bytes.Contains(entry, []byte("98/765")) || !bytes.Contains(entry, []byte("silver")) {
		t.Errorf("Redis must hold the profile with its encrypted value sealed; it holds %s", entry)
	}
}

func TestDocumentWithHistory_AddsMembers(t *testing.T) {
	t.Parallel()
	v := newVault(t, "")
	v.define(vault.Definition{Name: "plan", ValueType: vault.TypeString})
	v.write("plan", "silver & more")
	read := func() query.Document {
		t.Helper()
		profile, err := v.Profile(t.Context(), v.tenant, v.customer)
		v.must(err)
		history, err := v.History(t.Context(), v.tenant, v.customer, "plan")
		v.must(err)
		want, err := cache.EncodeJSON(struct {
			vault.Profile
			History []vault.Value `json:"history,omitempty"`
		}{profile, history})
		v.must(err)
		got, err := v.DocumentWithHistory(t.Context(), v.tenant, v.customer)
		v.must(err)
		if !bytes.Equal(got.JSON, want) {
			t.Errorf("got  %s\nwant %s", got.JSON, want)
		}
		return got
	}
	first := read()
	plain, err := v.ProfileDocument(t.Context(), v.tenant, v.customer)
	v.must(err)
	v.write("plan", "gold")
	if second := read(); first.ETag == second.ETag || first.ETag == plain.ETag {
		t.Errorf("different answers have the tags %s, %s and %s", plain.ETag, first.ETag, second.ETag)
	}
	empty := newID()
	if _, err := v.DocumentWithHistory(t.Context(), v.tenant, empty); vault.CodeOf(err) != vault.CodeUnknown {
		t.Errorf("an unknown customer: got %v", err)
	}
}

func TestProfile_CallerMayChangeItsMaps(t *testing.T) {
	t.Parallel()
	v := newVault(t, "")
	v.define(vault.Definition{Name: "plan", ValueType: vault.TypeString})
	v.write("plan", "silver")
	v.asset("id card")
	var before vault.Profile
	for i := range 4 { // loaded, decoded, and twice decoded before
		p, err := v.Profile(t.Context(), v.tenant, v.customer)
		v.must(err)
		if i == 0 {
			before = p
			before.Fields, before.Assets = map[string]vault.Value{"plan": p.Fields["plan"]}, append([]vault.Asset{}, p.Assets...)
		}
		if diff := cmp.Diff(before, p, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("read %d (- want, + got):\n%s", i, diff)
		}
		delete(p.Fields, "plan")
		p.Assets[0].Name = "changed"
	}
}
