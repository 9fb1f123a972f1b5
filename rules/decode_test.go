package rules_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

func TestDecodeStrict_ReadsMarshalledInput(t *testing.T) {
	t.Parallel()
	in := goodWrite()
	in.Lineage = vault.Lineage{SourceItemID: &otherID, SourceItemType: vault.SourceProfileAsset, SourceMetadata: json.RawMessage(`{"page":1}`)}
	in.CollectedAt = after(0)
	data, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	var out vault.WriteValueInput
	if err := rules.DecodeStrict(data, &out); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(in, out); diff != "" {
		t.Error(diff)
	}
}

func TestDecodeStrict_ErrorNamesPathAndProblem(t *testing.T) {
	t.Parallel()
	const (
		uuidWanted = "is not a UUID, such as 0198c0de-0000-7000-8000-000000000001"
		repeated   = "is repeated; an object may have a member only once, so keep one of them"
		timeWanted = "is not a date and time in RFC 3339, such as 2026-03-31T14:30:00Z"
	)
	for _, tc := range []struct{ name, in, want string }{
		{"empty input", ``, "the input is empty; it must be a JSON object"},
		{"space", " \n", "the input is empty; it must be a JSON object"},
		{"not JSON", `{"name": secret}`, "the input is not valid JSON at byte 10"},
		{"half a document", `{"name": "secret`, "the input is not complete JSON"},
		{"text after the document", `{} {"name":"secret"}`, "the input continues after the JSON document, at byte 3"},
		{"an extra bracket", `{}}`, "the input continues after the JSON document, at byte 3"},
		{"a list", `[1]`, "the input must be a JSON object"},
		{"a string", `"secret"`, "the input must be a JSON object"},
		{"invalid UTF-8", "{\"name\":\"\xff\"}", "the input is not valid UTF-8"},
		{"a malformed UUID", `{"customer_id":"secret"}`, "customer_id: " + uuidWanted},
		{"a UUID that is a number", `{"customer_id":17}`, "customer_id: " + uuidWanted},
		{"an optional UUID", `{"source_item_id":"secret"}`, "source_item_id: " + uuidWanted},
		{"a malformed time", `{"expires_at":"secret"}`, "expires_at: " + timeWanted},
		{"a string that is a number", `{"name":17}`, "name: must be a string"},
		{"a boolean that is a string", `{"verified":"secret"}`, "verified: must be true or false"},
		{"a number that is a string", `{"confidence":"secret"}`, "confidence: must be a number"},
		{"an enum that is a list", `{"source":["secret"]}`, "source: must be a string"},
		{"a member twice", `{"name":"secret","value":1,"name":"x"}`, "name: " + repeated},
		{"a member twice in a value", `{"value":{"a":[{},{"b":1,"b":2}]}}`, "value.a[1].b: " + repeated},
		{"a member twice that is not a name", `{"value":{"ada@example.com":1,"ada@example.com":2}}`, "value.…: " + repeated},
		{"a member twice, once escaped", `{"n\u0061me":"a", "name" :"b"}`, "name: " + repeated},
		{"a member twice in a list", `[{"a":1,"a":2}]`, "[0].a: " + repeated},
		{"several at once", `{"verified":1,"customer_id":"x"}`, "customer_id: " + uuidWanted + "; verified: must be true or false"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var w vault.WriteValueInput
			err := rules.DecodeStrict([]byte(tc.in), &w)
			if err == nil {
				t.Fatal("accepted")
			}
			if diff := cmp.Diff(tc.want, asError(t, err).Message); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(vault.WriteValueInput{}, w); diff != "" {
				t.Errorf("decoded despite the error: %s", diff)
			}
		})
	}
}

func TestDecodeStrict_ListsAndMaps(t *testing.T) {
	t.Parallel()
	var s vault.Scenario
	err := rules.DecodeStrict([]byte(`{"id":"x","steps":[{"id":"a"},{"id":1},"b",{"txt":"secret"}],"variables":{"a":"b","c":1,"ada@example.com":2}}`), &s)
	want := "id: is not a UUID, such as 0198c0de-0000-7000-8000-000000000001; " +
		"steps[1].id: must be a string; steps[2]: must be an object; steps[3].txt: is not a field of the input; the fields are condition, id, text; " +
		"variables.…: must be a string; variables.c: must be a string"
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Error(diff)
	}
	var q struct {
		ID   int    `json:"id"`
		Text string `json:"text"`
	}
	err = rules.DecodeStrict([]byte(`{"id":1,"txt":"secret","ada@example.com":1}`), &q)
	want = "…: is not a field of the input; the fields are id, text; txt: is not a field of the input; the fields are id, text"
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Error(diff)
	}
	var d vault.Definition
	err = rules.DecodeStrict([]byte(`{"retention_days":1.5,"freshness_seconds":"1","allowed_values":{},"verification_methods":[null]}`), &d)
	want = "allowed_values: must be a list; freshness_seconds: must be a whole number; retention_days: must be a whole number"
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Error(diff)
	}
}

// Names are case-sensitive. encoding/json alone would accept a name in another case.
func TestDecodeStrict_NamesAreCaseSensitive(t *testing.T) {
	t.Parallel()
	var s vault.SaveSessionInput
	if err := rules.DecodeStrict([]byte(`{"Session_ID":"0198c0de-0000-7000-8000-000000000001"}`), &s); err == nil {
		t.Error("accepted")
	}
}

func TestDecodeStrict_NeverPanics(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.SampledFrom([]string{"id", "steps", "variables", "name", "x"})
		value := rapid.SampledFrom([]string{`1`, `"a"`, `null`, `[]`, `{}`, `[{}]`, `[null]`, `[[1]]`, `{"a":{}}`, `{"id":[]}`, `[{"id":null}]`})
		doc := []byte(`{"` + key.Draw(t, "key") + `":` + value.Draw(t, "value") + `}`)
		for _, into := range []any{&vault.Scenario{}, &vault.SaveSessionInput{}, &vault.Definition{}, &vault.Requirement{}} {
			_ = rules.DecodeStrict(doc, into)
		}
	})
}

// Any document is accepted as it is, and refused with the path once any of its members is there twice.
func TestCheckDocument_RepeatedMember(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z]{1,4}`), 1, 6, rapid.ID[string]).Draw(t, "names")
		value := rapid.SampledFrom([]string{`1`, `"a"`, `"\"a\":"`, `"\\"`, `[]`, `{}`, `[{"a":1},{"a":1}]`, `{"a":{"a":null}}`})
		var members []string
		for _, name := range names {
			members = append(members, `"`+name+`" : `+value.Draw(t, "value"))
		}
		outer := rapid.SampledFrom([]string{`%`, `[%]`, `[{"x":1},%]`, `{"x":%}`, `{"x":[[],%],"y":1}`}).Draw(t, "outer")
		at := strings.TrimPrefix(map[string]string{
			`%`: "", `[%]`: "[0]", `[{"x":1},%]`: "[1]", `{"x":%}`: "x", `{"x":[[],%],"y":1}`: "x[1]",
		}[outer]+"."+names[0], ".")
		document := func() []byte {
			return []byte(strings.Replace(outer, "%", "{"+strings.Join(members, ",")+"}", 1))
		}
		if err := rules.CheckDocument(document()); err != nil {
			t.Fatalf("%s: %v", document(), err)
		}
		members = append(members, `"`+names[0]+`":`+value.Draw(t, "value"))
		err := rules.CheckDocument(document())
		if err == nil || asError(t, err).Field != at {
			t.Fatalf("%s: %v, want %s", document(), err, at)
		}
	})
}
