package openai

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/llm/llmtest"
	"github.com/contextvault/contextvault/vault"
)

// Entries of answers to ExtractValues for answerRequest, by the field that they name.
const (
	emailEntry = `{"field_name":"email","value":"ada@example.org","confidence":0.97,"quote":"write to ada@example.org","turn":1}`
	sizeEntry  = `{"field_name":"party_size","value":3,"confidence":0.9,"quote":"3 of us","turn":1}`
	petsEntry  = `{"field_name":"has_pets","value":true,"confidence":0.9,"quote":"with our dog","turn":1}`
)

func answerRequest() llm.ExtractRequest {
	return llm.ExtractRequest{
		Definitions: llmtest.Definitions("email:email party_size:number has_pets:boolean notes:json city:string"),
		Turns: []vault.Turn{
			{Index: 0, Speaker: vault.SpeakerAgent, Text: "How many are you?"},
			{Index: 1, Speaker: vault.SpeakerCustomer, Text: "3 of us with our dog, write to ada@example.org"},
		},
	}
}

func valuesOf(entries ...string) string { return `{"values":[` + strings.Join(entries, ",") + `]}` }

// namesOf returns the fields of candidates.
func namesOf(found []vault.Candidate) string {
	names := make([]string, len(found))
	for i, c := range found {
		names[i] = c.FieldName
	}
	return strings.Join(names, " ")
}

// An odd entry costs that entry only, and its reason is counted.
func TestDecodeCandidates_OddEntry(t *testing.T) {
	change := func(entry string, pairs ...string) string { return strings.NewReplacer(pairs...).Replace(entry) }
	for name, c := range map[string]struct {
		entry string
		want  string // the reason, "" for an entry that is no loss
	}{
		"null value":              {`{"field_name":"city","value":null,"confidence":0,"quote":"","turn":0}`, "1 null_value"},
		"null value and quote":    {`{"field_name":"city","value":null,"confidence":null,"quote":null,"turn":null}`, "1 null_value"},
		"null value only":         {`{"field_name":"city","value":null}`, "1 null_value"},
		"null value, unknown":     {`{"field_name":"shoe_size","value":null}`, "1 null_value"},
		"null entry":              {`null`, "1 not_an_object"},
		"text":                    {`"nothing else was stated"`, "1 not_an_object"},
		"number":                  {`42`, "1 not_an_object"},
		"boolean":                 {`false`, "1 not_an_object"},
		"list":                    {`["city","Oslo"]`, "1 not_an_object"},
		"nested list of entries":  {`[` + petsEntry + `]`, "1 not_an_object"},
		"empty object":            {`{}`, "1 missing_key"},
		"no value":                {`{"field_name":"city","confidence":0.9,"quote":"us","turn":1}`, "1 missing_key"},
		"no confidence":           {`{"field_name":"city","value":"Oslo","quote":"us","turn":1}`, "1 missing_key"},
		"no quote":                {`{"field_name":"city","value":"Oslo","confidence":0.9,"turn":1}`, "1 missing_key"},
		"no turn":                 {`{"field_name":"city","value":"Oslo","confidence":0.9,"quote":"us"}`, "1 missing_key"},
		"other keys":              {`{"field":"city","answer":"Oslo"}`, "1 missing_key"},
		"text for a number":       {change(petsEntry, "has_pets", "party_size", "true", `"3"`), "1 wrong_type"},
		"words for a number":      {change(petsEntry, "has_pets", "party_size", "true", `"three"`), "1 wrong_type"},
		"text for a boolean":      {change(petsEntry, "true", `"true"`), "1 wrong_type"},
		"number for a boolean":    {change(petsEntry, "true", `1`), "1 wrong_type"},
		"number for a text":       {change(petsEntry, "has_pets", "city", "true", "5"), "1 wrong_type"},
		"boolean for a text":      {change(petsEntry, "has_pets", "city"), "1 wrong_type"},
		"object for a text":       {change(petsEntry, "has_pets", "city", "true", `{"name":"Oslo"}`), "1 wrong_type"},
		"list for a text":         {change(petsEntry, "has_pets", "city", "true", `["Oslo"]`), "1 wrong_type"},
		"object for JSON":         {change(petsEntry, "has_pets", "notes", "true", `{"a":1}`), "1 wrong_type"},
		"broken JSON for JSON":    {change(petsEntry, "has_pets", "notes", "true", `"{"`), "1 wrong_type"},
		"confidence in words":     {change(petsEntry, "0.9", `"high"`), "1 wrong_type"},
		"confidence as text":      {change(petsEntry, "0.9", `"0.9"`), "1 wrong_type"},
		"confidence beyond float": {change(petsEntry, "0.9", `1e999`), "1 wrong_type"},
		"confidence in percent":   {change(petsEntry, "0.9", `97`), "1 bad_confidence"},
		"negative confidence":     {change(petsEntry, "0.9", `-0.1`), "1 bad_confidence"},
		"turn in words":           {change(petsEntry, `"turn":1`, `"turn":"last"`), "1 wrong_type"},
		"turn is null":            {change(petsEntry, `"turn":1`, `"turn":null`), "1 wrong_type"},
		"fractional turn":         {change(petsEntry, `"turn":1`, `"turn":0.5`), "1 wrong_type"},
		"huge turn":               {change(petsEntry, `"turn":1`, `"turn":1e19`), "1 wrong_type"},
		"no such turn":            {change(petsEntry, `"turn":1`, `"turn":7`), "1 bad_evidence"},
		"negative turn":           {change(petsEntry, `"turn":1`, `"turn":-1`), "1 bad_evidence"},
		"empty quote":             {change(petsEntry, "with our dog", ""), "1 bad_evidence"},
		"blank quote":             {change(petsEntry, "with our dog", ` \n`), "1 bad_evidence"},
		"quote is a list":         {change(petsEntry, `"with our dog"`, `["with our dog"]`), "1 wrong_type"},
		"unknown field":           {change(petsEntry, "has_pets", "shoe_color"), "1 unknown_field"},
		"display name":            {change(petsEntry, "has_pets", "Has pets"), "1 unknown_field"},
		"field in capitals":       {change(petsEntry, "has_pets", "HAS_PETS"), "1 unknown_field"},
		"empty field name":        {change(petsEntry, "has_pets", ""), "1 unknown_field"},
		"field is a number":       {change(petsEntry, `"has_pets"`, "3"), "1 wrong_type"},
		"repeated":                {sizeEntry, "1 repeated"},
		"unquoted value":          {`{"field_name":"city","value":Oslo,"confidence":0.9,"quote":"us","turn":1}`, "1 not_json"},
		"unquoted keys":           {`{field_name:"city",value:"Oslo"}`, "1 not_json"},
		"single quotation marks":  {`{'field_name':'city','value':'Oslo'}`, "1 not_json"},
		"missing comma":           {`{"field_name":"city" "value":"Oslo"}`, "1 not_json"},
		"trailing comma":          {`{"field_name":"city","value":"Oslo",}`, "1 not_json"},
		"NaN":                     {change(petsEntry, "0.9", "NaN"), "1 not_json"},
		"comment":                 {`{"field_name":"city" /* guessed */,"value":"Oslo"}`, "1 not_json"},
		"two brackets more":       {`{"field_name":"city"}}}`, "1 missing_key"},
		"dots":                    {`...`, "1 not_json"},
		"quote within a quote": {
			`{"field_name":"city","value":"Oslo","confidence":0.9,"quote":"I say "Oslo" now","turn":1}`, "1 not_json",
		},
		"one quotation mark more": {
			`{"field_name":"city","value":"Oslo"","confidence":0.9,"quote":"us","turn":1}`, "1 not_json",
		},
		"one quotation mark less": {
			`{"field_name":"city","value":"Oslo,"confidence":0.9,"quote":"us","turn":1}`, "1 not_json",
		},
		"too large": {
			change(petsEntry, "has_pets", "city", "true", `"`+strings.Repeat("x", maxEntryBytes)+`"`), "1 not_json",
		},
		"deep": {strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000), "1 not_json"},
	} {
		for place, entries := range map[string][]string{
			"middle": {sizeEntry, c.entry, emailEntry}, "end": {sizeEntry, emailEntry, c.entry},
			"start": {c.entry, sizeEntry, emailEntry},
		} {
			found, drops, err := decodeCandidates(valuesOf(entries...), answerRequest())
			if err != nil || namesOf(found) != "email party_size" || drops.String() != c.want {
				// What follows the last entry belongs to it if a quotation mark is missing.
				lastIsCut := place == "end" && drops.String() == "1 cut_off" && c.want == "1 not_json"
				if err != nil || namesOf(found) != "email party_size" || !lastIsCut {
					t.Errorf("%s at the %s: got %s, dropped %s, %v", name, place, namesOf(found), drops, err)
				}
			}
		}
	}
}

// What is around the list costs nothing.
func TestDecodeCandidates_Wrapping(t *testing.T) {
	good := valuesOf(emailEntry, sizeEntry)
	draft := valuesOf(petsEntry)
	for name, answer := range map[string]string{
		"nothing":                   good,
		"white space":               "\n\n  " + good + "\n",
		"byte order mark":           "\ufeff" + good,
		"fence":                     "```json\n" + good + "\n```",
		"fence without language":    "```\n" + good + "\n```",
		"fence on one line":         "```json " + good + "```",
		"fence in capitals":         "```JSON\n" + good + "\n```",
		"fence without end":         "```json\n" + good,
		"fence and text":            "Here is what I found:\n\n```json\n" + good + "\n```\n\nLet me know if you need more.",
		"text before":               "Sure! Here you are: " + good,
		"text with braces":          "The {customer} said {\"a\": 1}: " + good,
		"text after":                good + "\nThe customer also mentioned {a dog}.",
		"thoughts":                  "<think>They say 3.</think>" + good,
		"thoughts with a draft":     "<think>Maybe " + draft + "? No.</think>\n" + good,
		"thoughts in capitals":      "<THINK>\nhm\n</THINK>\n" + good,
		"empty thoughts":            "<think>\n\n</think>\n\n" + good,
		"thinking":                  "<thinking>" + draft + "</thinking>" + good,
		"reasoning":                 "<reasoning>because</reasoning>```json\n" + good + "\n```",
		"thoughts in brackets":      "[THINK]" + draft + "[/THINK]" + good,
		"thoughts without tag":      "They say " + draft + "?\n</think>\n" + good,
		"two thoughts":              "<think>a</think>\n<think>" + draft + "</think>" + good,
		"thoughts and a fence":      "<think>a</think>\n```json\n" + good + "\n```",
		"draft without tags":        "First: " + draft + "\nBut they did not say that. Final answer: " + good,
		"schema and answer":         `{"properties":{"values":{"type":"array"}}} ` + good,
		"other keys":                `{"note":"x",` + good[1:len(good)-1] + `,"count":2}`,
		"within an object":          `{"result":` + good + `}`,
		"as a function call":        `{"name":"stated_values","arguments":` + good + `}`,
		"list only":                 "[" + emailEntry + "," + sizeEntry + "]",
		"list in a fence":           "```json\n[" + emailEntry + ",\n" + sizeEntry + "]\n```",
		"lines":                     emailEntry + "\n" + sizeEntry,
		"lines in a fence":          "```\n" + emailEntry + "\n" + sizeEntry + "\n```",
		"indented":                  strings.NewReplacer(`[{`, "[\n  {\n", `":`, `" :  `, `},{`, "\n  },\n  {\n").Replace(good),
		"trailing comma":            `{"values":[` + emailEntry + "," + sizeEntry + ",]}",
		"missing comma":             `{"values":[` + emailEntry + " " + sizeEntry + "]}",
		"one brace too many":        good + "}",
		"empty list after the list": good[:len(good)-1] + `,"missing":[]}`,
		"extra keys of entries":     strings.ReplaceAll(good, `"turn":1`, `"turn":1,"reason":"stated"`),
	} {
		found, drops, err := decodeCandidates(answer, answerRequest())
		if err != nil || namesOf(found) != "email party_size" || drops != nil {
			t.Errorf("%s: got %s, dropped %s, %v", name, namesOf(found), drops, err)
		}
	}
}

// Tags of thoughts in a quote are the customer's words.
func TestDecodeCandidates_TagsInQuotes(t *testing.T) {
	for _, tag := range []string{"<think>", "</think>", "<think>a</think>", "[/THINK]", "```json", `\"values\":[`} {
		entry := strings.Replace(emailEntry, "write to", "write "+tag+" to", 1)
		for _, answer := range []string{valuesOf(entry, sizeEntry), "```json\n" + valuesOf(sizeEntry, entry) + "\n```"} {
			found, drops, err := decodeCandidates(answer, answerRequest())
			if err != nil || namesOf(found) != "email party_size" || drops != nil {
				t.Errorf("%s: got %s, dropped %s, %v", tag, namesOf(found), drops, err)
			}
		}
	}
}

func TestDecodeCandidates_NothingStated(t *testing.T) {
	null := `{"field_name":"city","value":null,"confidence":0.9,"quote":"","turn":1}`
	for _, answer := range []string{
		`{"values":[]}`, `{"values": [ ] }`, `{"values":null}`, "```json\n{\"values\":[]}\n```", `[]`, "```\n[]\n```",
		`<think>nothing</think>{"values":[]}`, `{"values":[],"note":"ada@example.org"}`, valuesOf(null), valuesOf(null, null),
		`First: ` + valuesOf(emailEntry) + `. But that is another person's. Final answer: {"values":[]}`,
	} {
		found, _, err := decodeCandidates(answer, answerRequest())
		if err != nil || len(found) > 0 {
			t.Errorf("%s: got %v, %v", answer, found, err)
		}
	}
}

func TestDecodeCandidates_NothingUsable(t *testing.T) {
	for _, answer := range []string{
		``, ` `, `null`, `true`, `"values"`, `{}`, `{"values":{}}`, `{"values":"none"}`, `{"value":[]}`, `I cannot do that.`,
		`<think>hm`, `<think>` + valuesOf(emailEntry), `<think></think>`, "```json\n```", `<html><body>login</body></html>`,
		`{"error":{"message":"overloaded"}}`, `{"$defs":{},"properties":{"values":{}}}`, string(extractionSchema.withNames([]string{"email"})),
		`{"values":[`, `{"values":[{`, valuesOf(`{"field_name":"email"`), valuesOf(`{}`, `null`),
		valuesOf(strings.Replace(emailEntry, "0.97", "97", 1)),
		`{"values":` + strings.Repeat("[", 100_000), strings.Repeat(`{"values":[`, 50_000), strings.Repeat(`{"a},{"`, 50_000),
		`{"values":[` + strings.Repeat(`{"a},{"`, 50_000),
	} {
		found, _, err := decodeCandidates(answer, answerRequest())
		if err == nil || len(found) > 0 {
			t.Errorf("%.60s: got %v, %v", answer, found, err)
		}
		if err != nil && (strings.Contains(err.Error(), "ada") || strings.Contains(err.Error(), "overloaded")) {
			t.Errorf("the problem contains the answer: %v", err)
		}
	}
}

// A contradiction is a doubt: the first value stays, and needs a confirmation.
func TestDecodeCandidates_Repeated(t *testing.T) {
	for name, c := range map[string]struct {
		again      string
		confidence float64
	}{
		"same value":    {emailEntry, 0.97},
		"another value": {strings.Replace(emailEntry, `"ada@`, `"eve@`, 1), contradictedConfidence},
	} {
		found, drops, err := decodeCandidates(valuesOf(emailEntry, c.again), answerRequest())
		if err != nil || len(found) != 1 || string(found[0].Value) != `"ada@example.org"` ||
			found[0].Confidence != c.confidence || drops.String() != "1 repeated" {
			t.Errorf("%s: got %+v, dropped %s, %v", name, found, drops, err)
		}
	}
	invalid := strings.Replace(emailEntry, "0.97", "97", 1)
	found, _, err := decodeCandidates(valuesOf(invalid, emailEntry), answerRequest())
	if err != nil || len(found) != 1 || found[0].Confidence != 0.97 {
		t.Errorf("after an invalid entry: got %+v, %v", found, err)
	}
}

// Wherever an answer ends, its complete entries are used and no part of another one is.
func TestDecodeCandidates_CutOff(t *testing.T) {
	for _, before := range []string{"", "```json\n", "<think>hm</think>\n", "Sure: "} {
		answer := before + valuesOf(emailEntry, sizeEntry, petsEntry)
		ends := map[string]int{}
		for _, entry := range []string{emailEntry, sizeEntry, petsEntry} {
			ends[entry] = strings.Index(answer, entry) + len(entry)
		}
		for n := range len(answer) {
			var want []string
			for entry, name := range map[string]string{emailEntry: "email", sizeEntry: "party_size", petsEntry: "has_pets"} {
				if n >= ends[entry] {
					want = append(want, name)
				}
			}
			found, drops, err := decodeCandidates(answer[:n], answerRequest())
			names := strings.Fields(namesOf(found))
			slices.Sort(want)
			slices.Sort(names)
			if !slices.Equal(names, want) || (len(want) == 0) != (err != nil) {
				t.Fatalf("cut at %d: got %v, %v, want %v", n, names, err, want)
			}
			if complete := n >= len(answer)-1; len(want) > 0 && (drops[llm.DropCutOff] == 1) == complete {
				t.Fatalf("cut at %d: dropped %s", n, drops)
			}
		}
	}
}

func TestDecodeCandidates_TooManyEntries(t *testing.T) {
	answer := valuesOf(append(slices.Repeat([]string{emailEntry}, 30_000), sizeEntry)...)
	found, drops, err := decodeCandidates(answer, answerRequest())
	if err != nil || namesOf(found) != "email" || drops.String() != "999 repeated, 1 too_many" {
		t.Errorf("got %s, dropped %s, %v", namesOf(found), drops, err)
	}
}

// Any valid entries among any other entries are used, in any wrapping, and nothing else is.
func TestDecodeCandidates_ValidEntriesAreKept(t *testing.T) {
	req := answerRequest()
	rapid.Check(t, func(t *rapid.T) {
		valid := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"email", "party_size", "has_pets", "city"}), 0, 4,
			rapid.ID[string]).Draw(t, "valid")
		entries := []string{}
		want := map[string]string{}
		for _, name := range valid {
			value := validValue(name).Draw(t, "value")
			confidence := rapid.Float64Range(0, 1).Draw(t, "confidence")
			entries = append(entries, encoded(t, map[string]any{
				"field_name": name, "value": json.RawMessage(value), "confidence": confidence,
				"quote": "x" + rapid.String().Draw(t, "quote"), "turn": rapid.IntRange(0, 1).Draw(t, "turn"),
			}))
			want[name] = value
		}
		odd := rapid.SliceOfN(oddEntry(), 0, 12).Draw(t, "odd")
		entries = append(entries, odd...)
		if len(entries) == 0 {
			return
		}
		entries = rapid.Permutation(entries).Draw(t, "entries")
		before := rapid.SampledFrom([]string{
			"", "```json\n", "<think>\n[{\"a\"</think>", "Here you are {1}: ", "\ufeff", "<thinking>x</thinking>\n```\n",
		}).Draw(t, "before")
		after := rapid.SampledFrom([]string{"", "\n```", "\nThat is all.", "}"}).Draw(t, "after")
		separator := rapid.SampledFrom([]string{",", ", ", ",\n  "}).Draw(t, "separator")
		answer := before + `{"values": [` + strings.Join(entries, separator) + "]}" + after

		found, drops, err := decodeCandidates(answer, req)
		got := map[string]string{}
		for _, c := range found {
			got[c.FieldName] = string(c.Value)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%s\n%s\ndropped %s, %v", answer, diff, drops, err)
		}
		if (drops == nil) != (len(odd) == 0) { // a broken entry can swallow an odd one after it
			t.Fatalf("%s\ndropped %s of %d", answer, drops, len(odd))
		}
	})
}

// Any text is decoded without a panic, and no candidate is invalid.
func TestDecodeCandidates_AnyText(t *testing.T) {
	req := answerRequest()
	pieces := rapid.OneOf(rapid.String(), oddEntry(), rapid.SampledFrom([]string{
		`{"values":[`, `"values":`, `]`, `}`, `{`, `[`, `"`, `,`, `\`, `<think>`, `</think>`, "```", emailEntry, sizeEntry, `null`,
	}))
	rapid.Check(t, func(t *rapid.T) {
		answer := strings.Join(rapid.SliceOfN(pieces, 0, 20).Draw(t, "pieces"), "")
		found, _, _ := decodeCandidates(answer, req)
		for _, c := range found {
			if !json.Valid(c.Value) || c.Confidence < 0 || c.Confidence > 1 || strings.TrimSpace(c.Quote) == "" {
				t.Fatalf("%s: got %+v", answer, c)
			}
		}
	})
}

func validValue(name string) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		switch name {
		case "party_size":
			return encoded(t, rapid.IntRange(-1000, 1000).Draw(t, "number"))
		case "has_pets":
			return encoded(t, rapid.Bool().Draw(t, "boolean"))
		}
		return encoded(t, rapid.String().Draw(t, "text"))
	})
}

// oddEntry generates entries that are not valid: other JSON values, entries with an odd part, and broken JSON.
func oddEntry() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		switch rapid.IntRange(0, 4).Draw(t, "kind") {
		case 0:
			return rapid.SampledFrom([]string{"null", "true", "1.5e3", "-0", `""`, "[]", "{}", `[[{"a":[]}]]`, `{"a":{"b":{}}}`}).Draw(t, "json")
		case 1:
			return encoded(t, rapid.String().Draw(t, "text"))
		case 2:
			return encoded(t, rapid.MapOf(rapid.String(), rapid.String()).Draw(t, "object"))
		case 3:
			entry := map[string]any{"field_name": "notes", "value": "{}", "confidence": 0.5, "quote": "x", "turn": 1}
			part := rapid.SampledFrom([]string{"field_name", "value", "confidence", "quote", "turn"}).Draw(t, "part")
			entry[part] = rapid.SampledFrom([]any{nil, []string{"a"}, map[string]int{"b": 1}, -7.5, " "}).Draw(t, "odd part")
			return encoded(t, entry)
		}
		return rapid.SampledFrom([]string{
			`{"field_name":"email",}`, `{"field_name":email}`, `{'field_name':'email'}`, `{"field_name" "email"}`,
			`{"field_name":"email","value":"say "hi" now"}`, `{"a":[1,2}`, `{"a":NaN}`, `undefined`, `{...}`, `{"a":"b" // c` + "\n}",
		}).Draw(t, "broken")
	})
}

func encoded(t *rapid.T, value any) string {
	raw, err := json.Marshal(value)
	if err != nil {
		t.Fatalf("encode: %v", err)
	}
	return string(raw)
}

// proposalEntry returns an entry of an answer to ProposeRequirements.
func proposalEntry(name string, pairs ...string) string {
	return strings.NewReplacer(pairs...).Replace(fmt.Sprintf(`{"name":%q,"display_name":"","description":"","value_type":"string",`+
		`"allowed_values":[],"validation_regex":"","collection_prompt":"What is it?","examples":[],"is_pii":false,`+
		`"required_level":"hard","fallback_action":"ask","when_condition":"","required_verification":false,"confidence":0.95,`+
		`"quote":"the customer is over 18"}`, name))
}

func fieldsOf(entries ...string) string { return `{"fields":[` + strings.Join(entries, ",") + `]}` }

func TestDecodeProposals_OddEntry(t *testing.T) {
	for name, c := range map[string]struct{ entry, want string }{
		"capitals":         {proposalEntry("Order-Number!"), "1 bad_definition"},
		"blanks":           {proposalEntry("order number"), "1 bad_definition"},
		"empty name":       {proposalEntry(""), "1 bad_definition"},
		"long name":        {proposalEntry(strings.Repeat("a", 60)), "1 bad_definition"},
		"digit first":      {proposalEntry("1st_order"), "1 bad_definition"},
		"other alphabet":   {proposalEntry("größe"), "1 bad_definition"},
		"unknown type":     {proposalEntry("total", `"string"`, `"money"`), "1 bad_definition"},
		"unknown level":    {proposalEntry("total", `"hard"`, `"firm"`), "1 bad_definition"},
		"unknown fallback": {proposalEntry("total", `"ask"`, `"guess"`), "1 bad_definition"},
		"no question":      {proposalEntry("total", "What is it?", " "), "1 bad_definition"},
		"long text":        {proposalEntry("total", "What is it?", strings.Repeat("x", 2001)), "1 bad_definition"},
		"confidence":       {proposalEntry("total", "0.95", "95"), "1 bad_confidence"},
		"allowed numbers":  {proposalEntry("total", `"allowed_values":[]`, `"allowed_values":[3]`), "1 wrong_type"},
		"allowed is null":  {proposalEntry("total", `"allowed_values":[]`, `"allowed_values":null`), "1 wrong_type"},
		"is_pii in words":  {proposalEntry("total", `"is_pii":false`, `"is_pii":"no"`), "1 wrong_type"},
		"no is_pii":        {proposalEntry("total", `"is_pii":false,`, ""), "1 missing_key"},
		"no name":          {proposalEntry("total", `"name":"total",`, ""), "1 missing_key"},
		"repeated":         {proposalEntry("email"), "1 repeated"},
		"text":             {`"total"`, "1 not_an_object"},
		"null":             {`null`, "1 not_an_object"},
		"broken":           {`{"name":"total",`, "1 not_json"},
	} {
		entries := []string{proposalEntry("order_number"), proposalEntry("email"), c.entry, proposalEntry("phone")}
		got, drops, err := decodeProposals(fieldsOf(entries...), proposeRequest())
		if diff := cmp.Diff([]string{"order_number", "email", "phone"}, llmtest.Sketch(got)); err != nil || diff != "" ||
			drops.String() != c.want {
			t.Errorf("%s: dropped %s, %v, %s", name, drops, err, diff)
		}
	}
}

func TestDecodeProposals_Wrapping(t *testing.T) {
	good := fieldsOf(proposalEntry("order_number"), proposalEntry("email"))
	for _, answer := range []string{
		"```json\n" + good + "\n```", "<think>" + fieldsOf(proposalEntry("phone")) + "</think>" + good, "Sure: " + good + " Bye.",
		"[" + proposalEntry("order_number") + "," + proposalEntry("email") + "]",
		string(mustMarshal(proposalSchema.schema)) + good, good[:len(good)-1], good[:len(good)-2],
	} {
		got, _, err := decodeProposals(answer, proposeRequest())
		if diff := cmp.Diff([]string{"order_number", "email"}, llmtest.Sketch(got)); err != nil || diff != "" {
			t.Errorf("%.60s: %v, %s", answer, err, diff)
		}
	}
	for _, answer := range []string{
		string(mustMarshal(proposalSchema.schema)), `{"$defs":{},"properties":{"fields":{}}}`, `{"fields":{"email":{}}}`,
	} {
		if got, _, err := decodeProposals(answer, proposeRequest()); err == nil {
			t.Errorf("%.60s: got %v", answer, got)
		}
	}
}

func TestDecodeProposals_TooMany(t *testing.T) {
	entries := make([]string, maxProposals+7)
	for i := range entries {
		entries[i] = proposalEntry(fmt.Sprint("field_", i))
	}
	got, drops, err := decodeProposals(fieldsOf(entries...), proposeRequest())
	if err != nil || len(got) != maxProposals || drops.String() != "7 too_many" {
		t.Errorf("got %d, dropped %s, %v", len(got), drops, err)
	}
}

// A usable answer is not repaired, and its dropped entries are reported.
func TestExtractValues_PartlyValidAnswer(t *testing.T) {
	odd := strings.Replace(petsEntry, "true", `"yes"`, 1)
	for name, c := range map[string]struct {
		answer, reason, want string
		calls                int
	}{
		"an odd entry":              {valuesOf(emailEntry, odd), "stop", "1 wrong_type", 1},
		"fenced":                    {"```json\n" + valuesOf(emailEntry) + "\n```", "stop", "", 1},
		"cut off":                   {`{"values":[` + emailEntry + "," + sizeEntry[:20], "length", "1 cut_off", 1},
		"complete at the limit":     {valuesOf(emailEntry), "length", "", 1},
		"cut off before any entry":  {`{"values":[{"fie`, "length", "", 2},
		"cut off in thoughts":       {`<think>` + valuesOf(sizeEntry), "length", "", 2},
		"nothing before the limit":  {``, "length", "", 2},
		"odd entries only":          {valuesOf(odd), "stop", "", 2},
		"null for what is unstated": {valuesOf(emailEntry, `{"field_name":"city","value":null}`), "stop", "1 null_value", 1},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEndpoint(t, finishes(c.answer, c.reason), says(valuesOf(emailEntry)))
			m, usages := e.model(t, nil)
			found, err := m.ExtractValues(t.Context(), answerRequest())
			if err != nil || namesOf(found) != "email" {
				t.Fatalf("got %v, %v", found, err)
			}
			if u := (*usages)[0]; len(e.seen()) != c.calls || u.Drops.String() != c.want || u.Calls != c.calls {
				t.Errorf("%d requests, dropped %s", len(e.seen()), u.Drops)
			}
		})
	}
}
