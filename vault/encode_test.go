package vault_test

import (
	"encoding/json"
	"testing"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/vault"
)

func TestEncode_EmptyIsNeverNull(t *testing.T) {
	t.Parallel()
	type inner struct {
		List []string        `json:"list"`
		Map  map[string]int  `json:"map"`
		Rest []int           `json:"rest,omitempty"`
		Raw  json.RawMessage `json:"raw"`
	}
	type outer struct {
		ID     uuid.UUID        `json:"id"`
		In     *inner           `json:"in"`
		None   *inner           `json:"none,omitempty"`
		Many   []inner          `json:"many,omitempty"`
		ByName map[string]inner `json:"by_name,omitempty"`
		Any    any              `json:"any,omitempty"`
	}
	full := `{"list":[],"map":{},"raw":null}`
	for _, test := range []struct {
		in   any
		want string
	}{
		{nil, "null"},
		{inner{}, full},
		{&inner{}, full},
		{[]inner(nil), "[]"},
		{[]inner{{}, {}}, "[" + full + "," + full + "]"},
		{inner{List: []string{"a"}, Map: map[string]int{"b": 1}}, `{"list":["a"],"map":{"b":1},"raw":null}`},
		{
			outer{In: &inner{}, Many: []inner{{}}, ByName: map[string]inner{"x": {}}, Any: []inner{{}}},
			`{"id":"00000000-0000-0000-0000-000000000000","in":` + full +
				`,"many":[` + full + `],"by_name":{"x":` + full + `},"any":[` + full + `]}`,
		},
	} {
		got, err := vault.Encode(test.in)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != test.want {
			t.Errorf("got  %s\nwant %s", got, test.want)
		}
	}
}

// Encode writes a copy: values that others read at the same time stay as they are.
func TestEncode_LeavesItsInput(t *testing.T) {
	t.Parallel()
	shared := []vault.FillResult{{}}
	if _, err := vault.Encode(shared); err != nil {
		t.Fatal(err)
	}
	if shared[0].Fields != nil {
		t.Error("the list was changed")
	}
}
