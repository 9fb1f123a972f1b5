package query

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/contextvault/contextvault/cache"
	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/vault"
)

// drawProfile returns a profile with sealed values among others, and the same profile with these values opened. Texts
// resemble the members of a value, to mislead a search for them.
func drawProfile(t *rapid.T, sealer *db.Sealer, tenant uuid.UUID) (sealed, plain vault.Profile) {
	texts := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
		`"value":`, `"value":"x","encrypted":true`, `{"value":"AAAA","encrypted":true}`, "<b>&", "\\\"", "\u2028", "}",
	}))
	value := func(name string) (stored, opened vault.Value) {
		encoded, err := cache.EncodeJSON(texts.Draw(t, "text"))
		if err != nil {
			t.Fatal(err)
		}
		if rapid.Bool().Draw(t, "is an object") {
			encoded = fmt.Appendf(nil, `{"value":%s,"encrypted":true}`, encoded)
		}
		v := vault.Value{ID: uuid.Must(uuid.NewV7()), Name: name, Value: encoded}
		if rapid.Bool().Draw(t, "has metadata") {
			v.SourceMetadata = fmt.Appendf(nil, `{"quote":%s}`, encoded)
		}
		if rapid.Bool().Draw(t, "has a note") {
			v.DecisionNote = texts.Draw(t, "note")
		}
		opened = v
		if rapid.Bool().Draw(t, "is encrypted") {
			row := dbgen.InsertValueParams{
				ID: v.ID, Value: v.Value, SourceMetadata: v.SourceMetadata, DecisionNote: v.DecisionNote,
			}
			if err := sealer.SealVersion(t.Context(), db.Owner{TenantID: tenant}, &row); err != nil {
				t.Fatal(err)
			}
			v.Value, v.SourceMetadata, v.DecisionNote = row.Value, row.SourceMetadata, row.DecisionNote
			v.Encrypted, opened.Encrypted = true, true
		}
		return v, opened
	}
	sealed = vault.Profile{TenantID: tenant, Fields: map[string]vault.Value{}, Label: texts.Draw(t, "label")}
	plain = sealed
	plain.Fields = map[string]vault.Value{}
	for i := range rapid.IntRange(0, 5).Draw(t, "fields") {
		name := fmt.Sprintf("field_%d", i)
		sealed.Fields[name], plain.Fields[name] = value(name)
	}
	for range rapid.IntRange(0, 3).Draw(t, "pending") {
		stored, opened := value("field_0")
		sealed.Pending, plain.Pending = append(sealed.Pending, stored), append(plain.Pending, opened)
	}
	return sealed, plain
}

// The document of a stored profile is the JSON of the profile with its values opened, and its size is that of the
// opened values. The stored bytes decode to the profile.
func TestStored_DocumentIsTheOpenedProfile(t *testing.T) {
	t.Parallel()
	sealer, tenant := dbtest.Sealer(t, nil), uuid.Must(uuid.NewV7())
	decoded := newDecodedProfiles()
	rapid.Check(t, func(t *rapid.T) {
		sealed, plain := drawProfile(t, sealer, tenant)
		stored := &stored{profile: &sealed}
		encoded, err := storedCodec.Encode(stored)
		if err != nil {
			t.Fatal(err)
		}
		read, err := storedCodec.Decode(encoded)
		if err != nil {
			t.Fatal(err)
		}
		document, err := read.document(t.Context(), sealer, tenant)
		if err != nil {
			t.Fatal(err)
		}
		want, err := cache.EncodeJSON(plain)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(document.JSON, want) {
			t.Errorf("got  %s\nwant %s", document.JSON, want)
		}
		size := 0
		for v := range valuesOf(&plain) {
			size += len(v.Value) + len(v.SourceMetadata)
		}
		if document.ValueBytes != size {
			t.Errorf("got %d bytes of values, want %d", document.ValueBytes, size)
		}
		for range 2 { // the second one is decoded already
			profile, err := decoded.decode(tenant, read)
			if err == nil {
				err = sealer.OpenProfile(t.Context(), &profile)
			}
			if err != nil {
				t.Fatal(err)
			}
			got, err := cache.EncodeJSON(profile)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Error(diff)
			}
		}
	})
}

// Bytes of another length or with wrong positions are an error, not a panic.
func TestStored_DamagedBytes(t *testing.T) {
	t.Parallel()
	sealer, tenant := dbtest.Sealer(t, nil), uuid.Must(uuid.NewV7())
	id := uuid.Must(uuid.NewV7())
	value, err := sealer.SealValue(t.Context(), db.Owner{TenantID: tenant}, id, json.RawMessage(`"secret"`))
	if err != nil {
		t.Fatal(err)
	}
	whole, err := storedCodec.Encode(&stored{profile: &vault.Profile{
		Fields: map[string]vault.Value{"a": {ID: id, Name: "a", Value: value, Encrypted: true}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		damaged := bytes.Clone(whole[:rapid.IntRange(0, len(whole)).Draw(t, "length")])
		if at := rapid.IntRange(digestSize+8, len(whole)).Draw(t, "at"); at < len(damaged) {
			damaged[at] ^= rapid.Byte().Draw(t, "change")
		}
		s, err := storedCodec.Decode(damaged)
		if err != nil {
			return
		}
		_, _ = s.document(t.Context(), sealer, tenant)
		_, _ = newDecodedProfiles().decode(tenant, s)
	})
}
