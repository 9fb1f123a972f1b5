package rules_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/nyaruka/phonenumbers"
	"pgregory.net/rapid"

	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

// defined makes an enabled definition of a type.
func defined(t vault.ValueType, change ...func(*vault.Definition)) *vault.Definition {
	d := &vault.Definition{Name: "field", ValueType: t, Enabled: true}
	for _, c := range change {
		c(d)
	}
	return d
}

func matching(regex string) func(*vault.Definition) {
	return func(d *vault.Definition) { d.ValidationRegex = regex }
}

func allowing(values ...string) func(*vault.Definition) {
	return func(d *vault.Definition) {
		for _, v := range values {
			d.AllowedValues = append(d.AllowedValues, json.RawMessage(v))
		}
	}
}

func asError(t rapid.TB, err error) *vault.Error {
	t.Helper()
	e, ok := errors.AsType[*vault.Error](err)
	if !ok {
		t.Fatalf("not a vault error: %v", err)
	}
	return e
}

func TestCheckValue_NormalisesEveryType(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, in, want string
		typ            vault.ValueType
	}{
		{"space around a string is removed", `" Ada  Lovelace "`, `"Ada  Lovelace"`, vault.TypeString},
		{"escapes of a string are resolved", `"\u0041da \u00e9 <b>"`, `"Ada é <b>"`, vault.TypeString},
		{"a pair of surrogates is a character", `"\ud83d\ude00"`, `"😀"`, vault.TypeString},
		{"an email is trimmed and its domain is lower-cased", `" Ada.L@Example.COM "`, `"Ada.L@example.com"`, vault.TypeEmail},
		{"a phone number becomes E.164", `"+1 (415) 555-2671"`, `"+14155552671"`, vault.TypePhone},
		{"a phone number in another country", `"+44 20 7946 0958"`, `"+442079460958"`, vault.TypePhone},
		{"a phone number with its trunk prefix", `"+44 (0)20 7946 0958"`, `"+442079460958"`, vault.TypePhone},
		{"a date", `" 1990-03-31 "`, `"1990-03-31"`, vault.TypeDate},
		{"a leap day", `"2024-02-29"`, `"2024-02-29"`, vault.TypeDate},
		{"a datetime becomes UTC", `"2026-03-31T14:30:00+02:00"`, `"2026-03-31T12:30:00Z"`, vault.TypeDatetime},
		{"a datetime keeps its fraction", `"2026-03-31T12:30:00.120Z"`, `"2026-03-31T12:30:00.12Z"`, vault.TypeDatetime},
		{"a datetime in lower case", `"2026-03-31t12:30:00z"`, `"2026-03-31T12:30:00Z"`, vault.TypeDatetime},
		{"a datetime with a space", `"2026-03-31 12:30:00Z"`, `"2026-03-31T12:30:00Z"`, vault.TypeDatetime},
		{"a number", ` 12.50 `, `12.50`, vault.TypeNumber},
		{"a number in a string", `" 12.50 "`, `12.50`, vault.TypeNumber},
		{"a number beyond a double", `123456789012345678901234567890.123456789`, `123456789012345678901234567890.123456789`, vault.TypeNumber},
		{"a number with a large exponent", `1e999`, `1e999`, vault.TypeNumber},
		{"a negative number", `-0.0`, `-0.0`, vault.TypeNumber},
		{"true", `true`, `true`, vault.TypeBoolean},
		{"Yes", `" Yes "`, `true`, vault.TypeBoolean},
		{"no", `"no"`, `false`, vault.TypeBoolean},
		{"FALSE", `"FALSE"`, `false`, vault.TypeBoolean},
		{"a web address", `" https://example.com/A?b=c#d "`, `"https://example.com/A?b=c#d"`, vault.TypeURL},
		{"json is compacted", `{ "a" : [ 1, "x y" ] }`, `{"a":[1,"x y"]}`, vault.TypeJSON},
		{"json may be any value", `"x"`, `"x"`, vault.TypeJSON},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := rules.CheckValue(defined(tc.typ), "field", json.RawMessage(tc.in), vault.ModeStrict)
			if err != nil {
				t.Fatal(err)
			}
			want := rules.Checked{Value: json.RawMessage(tc.want), ValueType: tc.typ}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCheckValue_StrictRejectsInvalid(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 250)
	for typ, values := range map[vault.ValueType][]string{
		vault.TypeString: {`5`, `true`, `{}`, `[]`, `""`, `"  "`},
		vault.TypeEmail:  {`"x"`, `"a@"`, `"@b.com"`, `"Ada <ada@example.com>"`, `"a b@example.com"`, `5`, `"` + long + `@example.com"`},
		vault.TypePhone:  {`"4155552671"`, `"+1"`, `"+1 415 555"`, `14155552671`, `"my number is +14155552671"`, `"+1 800 FLOWERS"`, `"+999123456789"`, `""`},
		vault.TypeDate:   {`"31.03.1990"`, `"1990-3-31"`, `"1990-02-30"`, `"2023-02-29"`, `"1990-03-31T00:00:00Z"`, `19900331`, `"today"`},
		vault.TypeDatetime: {
			`"2026-03-31"`, `"2026-03-31T14:30:00"`, `"2026-03-31T1:30:00Z"`, `"2026-03-31T25:00:00Z"`, `1700000000`,
			`"0000-01-01T00:00:00+23:00"`, `"9999-12-31T23:59:59-01:00"`,
		},
		vault.TypeNumber:  {`"x"`, `""`, `true`, `"1,5"`, `"0x10"`, `"1e"`, `"NaN"`, `"Infinity"`, `"01"`, `[1]`, `"1e999999"`},
		vault.TypeBoolean: {`"maybe"`, `1`, `0`, `""`, `[true]`, `"y"`},
		vault.TypeURL:     {`"example.com"`, `"ftp://example.com"`, `"https://"`, `"http://:80"`, `"javascript:alert(1)"`, `"https://exa mple.com"`, `"/path"`, `5`},
		"colour":          {`"x"`},
	} {
		for _, value := range values {
			t.Run(string(typ)+" "+value[:min(len(value), 40)], func(t *testing.T) {
				t.Parallel()
				got, err := rules.CheckValue(defined(typ), "field", json.RawMessage(value), vault.ModeStrict)
				if err == nil {
					t.Fatalf("accepted as %s", got.Value)
				}
				if e := asError(t, err); e.Code != vault.CodeInvalid || e.Field != "field" || !vault.Permanent(err) {
					t.Errorf("got %+v", e)
				}
			})
		}
	}
}

func TestCheckValue_MessageNamesTheRemedy(t *testing.T) {
	t.Parallel()
	plans := allowing(`"gold"`, `"silver"`)
	for _, tc := range []struct {
		name, value, message, detail string
		def                          *vault.Definition
	}{
		{
			"the value is quoted in the detail only", `"x"`,
			`Field validation failed: field: the value is not an email address, such as name@example.com`,
			`Field validation failed: field: "x" is not an email address, such as name@example.com`,
			defined(vault.TypeEmail),
		},
		{
			"a value that is not a string is quoted as JSON", `{"a": 1}`,
			`Field validation failed: field: the value is not a number, such as 12.50`,
			`Field validation failed: field: {"a":1} is not a number, such as 12.50`,
			defined(vault.TypeNumber),
		},
		{
			"PII is not quoted", `"x"`,
			`Field validation failed: field: the value is not an email address, such as name@example.com`,
			``,
			defined(vault.TypeEmail, func(d *vault.Definition) { d.IsPII = true }),
		},
		{
			"an encrypted field is not quoted", `"x"`,
			`Field validation failed: field: the value is not an email address, such as name@example.com`,
			``,
			defined(vault.TypeEmail, func(d *vault.Definition) { d.EncryptionRequired = true }),
		},
		{
			"a long value is shortened", `"` + strings.Repeat("ä", 100) + `"`,
			`Field validation failed: field: the value is not a date, such as 1990-03-31`,
			`Field validation failed: field: "` + strings.Repeat("ä", 59) + `…" is not a date, such as 1990-03-31`,
			defined(vault.TypeDate),
		},
		{
			"all problems are reported at once, with one prefix", `"tin"`,
			`Field validation failed: field: the value is not one of the allowed values: gold or silver; field: the value does not match the pattern [a-z]{4,}`,
			`Field validation failed: field: "tin" is not one of the allowed values: gold or silver; field: "tin" does not match the pattern [a-z]{4,}`,
			defined(vault.TypeString, plans, matching(`[a-z]{4,}`)),
		},
		{
			"an unknown field is not quoted", `"x"`,
			`Field validation failed: field: is not a field that this agent defines`,
			``,
			nil,
		},
		{
			"a field that is not enabled is unknown", `"x"`,
			`Field validation failed: field: is not a field that this agent defines`,
			``,
			defined(vault.TypeString, func(d *vault.Definition) { d.Enabled = false }),
		},
		{
			"a regex that does not compile rejects", `"x"`,
			`Field validation failed: field: the value cannot be checked, because the validation_regex of its definition does not compile or is too large`,
			`Field validation failed: field: "x" cannot be checked, because the validation_regex of its definition does not compile or is too large`,
			defined(vault.TypeString, matching(`(`)),
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := rules.CheckValue(tc.def, "field", json.RawMessage(tc.value), vault.ModeStrict)
			e := asError(t, err)
			if diff := cmp.Diff([]string{tc.message, tc.detail}, []string{e.Message, e.Detail}); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Every mode rejects values that cannot be stored, and null.
func TestCheckValue_UnstorableIsAlwaysRejected(t *testing.T) {
	t.Parallel()
	big := strings.Repeat("x", vault.MaxValueBytes-1)
	for name, value := range map[string]string{
		"over 64 KiB":                       `"` + big + `"`,
		"over 64 KiB when written out":      `1e65536`,
		"over 64 KiB in many small numbers": `[` + strings.Repeat(`1e999,`, 100) + `1]`,
		"an exponent beyond an int":         `1e99999999999999999999999`,
		"a negative such exponent":          `1e-99999999999999999999999`,
		"too many digits after the point":   `1e-16384`,
		"a zero with such an exponent":      `0e-16384`,
		"such digits written out":           `0.` + strings.Repeat("0", 16384),
		"empty":                             ``,
		"space":                             `  `,
		"null":                              ` null `,
		"not JSON":                          `{`,
		"two values":                        `1 2`,
		"a bare word":                       `hello`,
		"NUL":                               `"a\u0000b"`,
		"NUL in a key":                      `{"\u0000":1}`,
		"NUL behind a backslash":            `"\\\u0000"`,
		"a member twice":                    `{"a":1,"a":2}`,
		"a member twice, once escaped":      `{"a":1,"b":2,"\u0061":3}`,
		"a member twice further down":       `[{"a":[1,{"b":{},"c":"{","b":{}}]}]`,
		"half a surrogate pair":             `"\ud800"`,
		"the other half":                    `"\udc00"`,
		"two first halves":                  `"\ud800\ud800"`,
		"a half before a letter":            `["\ud83dx"]`,
		"a half before another escape":      `"\ud83d\n1234"`,
		"invalid UTF-8":                     "\"\xff\"",
		"nested too deep":                   strings.Repeat("[", 101) + strings.Repeat("]", 101),
		"nested far too deep":               strings.Repeat("[", 30000) + strings.Repeat("]", 30000),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, def := range []*vault.Definition{nil, defined(vault.TypeJSON)} {
				for _, mode := range vault.ValidationModes {
					_, err := rules.CheckValue(def, "field", json.RawMessage(value), mode)
					if err == nil {
						t.Fatalf("mode %s accepts it", mode)
					}
					if e := asError(t, err); !strings.HasPrefix(e.Message, "Field validation failed: field: the value ") || e.Detail != "" {
						t.Errorf("mode %s: %+v", mode, e)
					}
				}
			}
		})
	}
}

func TestCheckValue_LargestStorableIsAccepted(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]string{
		"64 KiB":                    `"` + strings.Repeat("x", vault.MaxValueBytes-2) + `"`,
		"64 KiB when written out":   `1e65535`,
		"digits after the point":    `1e-16383`,
		"an escaped backslash":      `"\\u0000"`,
		"nested as deep as allowed": strings.Repeat("[", 100) + strings.Repeat("]", 100),
		"a member in two objects":   `{"a":{"a":[{"a":1},{"a":"a"}]},"b":"a","c":{"a":1}}`,
		"members in two cases":      `{"a":1,"A":2}`,
		"a string like a member":    `{"a":"\"a\":1,\"a\":2"}`,
		"brackets in a string":      `"` + strings.Repeat("[", 200) + `"`,
	} {
		for _, mode := range vault.ValidationModes {
			if _, err := rules.CheckValue(defined(vault.TypeJSON), "field", json.RawMessage(value), mode); err != nil {
				t.Errorf("%s, mode %s: %v", name, mode, err)
			}
		}
	}
}

func TestCheckValue_WarnKeepsValueAndWarnings(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, value string
		def         *vault.Definition
		want        rules.Checked
	}{
		{
			"a value of another type, as received", ` {"a": 1}`, defined(vault.TypeEmail),
			rules.Checked{Value: json.RawMessage(`{"a":1}`), ValueType: vault.TypeJSON, Warnings: []string{"field: the value is not an email address, such as name@example.com"}},
		},
		{
			"a string that is not a date is stored as a string", `"soon"`, defined(vault.TypeDate),
			rules.Checked{Value: json.RawMessage(`"soon"`), ValueType: vault.TypeString, Warnings: []string{"field: the value is not a date, such as 1990-03-31"}},
		},
		{
			"a value that only breaks the pattern is normalised", `" A@B.COM "`, defined(vault.TypeEmail, matching(`.*\.org`)),
			rules.Checked{Value: json.RawMessage(`"A@b.com"`), ValueType: vault.TypeEmail, Warnings: []string{`field: the value does not match the pattern .*\.org`}},
		},
		{
			"an unknown field gets the type of its JSON", `12.50`, nil,
			rules.Checked{Value: json.RawMessage(`12.50`), ValueType: vault.TypeNumber, Warnings: []string{"field: is not a field that this agent defines"}},
		},
		{
			"a valid value, without warnings", `"yes"`, defined(vault.TypeBoolean),
			rules.Checked{Value: json.RawMessage(`true`), ValueType: vault.TypeBoolean},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := rules.CheckValue(tc.def, "field", json.RawMessage(tc.value), vault.ModeWarn)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCheckValue_BlankTextFollowsTheMode(t *testing.T) {
	t.Parallel()
	const problem = "field: the value is a text without a visible character; omit the field if the value is unknown"
	for _, value := range []string{
		`""`, `"  "`, `"\u00a0"`, `"\u200b"`, `"\ufeff"`, `"\u00ad"`, `"\u3164"`, `"\t\r\n"`, `"\u0007"`, `"\u2800 \u202e"`,
	} {
		for _, typ := range vault.ValueTypes {
			_, err := rules.CheckValue(defined(typ), "field", json.RawMessage(value), vault.ModeStrict)
			if err == nil || asError(t, err).Message != "Field validation failed: "+problem {
				t.Errorf("%s %s, strict: %v", typ, value, err)
			}
			got, err := rules.CheckValue(defined(typ), "field", json.RawMessage(value), vault.ModeWarn)
			if diff := cmp.Diff([]string{problem}, got.Warnings); err != nil || diff != "" || string(got.Value) != value {
				t.Errorf("%s %s, warn: %v %s", typ, value, err, diff)
			}
			if _, err := rules.CheckValue(defined(typ), "field", json.RawMessage(value), vault.ModeDisabled); err != nil {
				t.Errorf("%s %s, disabled: %v", typ, value, err)
			}
		}
		got, err := rules.CheckValue(nil, "field", json.RawMessage(value), vault.ModeWarn)
		want := []string{"field: is not a field that this agent defines", problem}
		if diff := cmp.Diff(want, got.Warnings); err != nil || diff != "" {
			t.Errorf("unknown field, %s: %v %s", value, err, diff)
		}
	}
}

func TestCheckValue_DisabledSkipsChecks(t *testing.T) {
	t.Parallel()
	got, err := rules.CheckValue(defined(vault.TypeEmail, matching(`(`)), "field", json.RawMessage(`[1, 2]`), vault.ModeDisabled)
	want := rules.Checked{Value: json.RawMessage(`[1,2]`), ValueType: vault.TypeEmail}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Error(err, diff)
	}
	got, err = rules.CheckValue(nil, "field", json.RawMessage(`true`), vault.ModeDisabled)
	want = rules.Checked{Value: json.RawMessage(`true`), ValueType: vault.TypeBoolean}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Error(err, diff)
	}
}

func TestCheckValue_UnknownModeIsStrict(t *testing.T) {
	t.Parallel()
	if _, err := rules.CheckValue(nil, "field", json.RawMessage(`1`), ""); err == nil {
		t.Error("an unknown field was accepted")
	}
}

func TestEffectiveMode_DefinitionOverridesDefault(t *testing.T) {
	t.Parallel()
	own := func(m vault.ValidationMode, enabled bool) *vault.Definition {
		return &vault.Definition{ValidationMode: m, Enabled: enabled}
	}
	for _, tc := range []struct {
		def              *vault.Definition
		configured, want vault.ValidationMode
	}{
		{nil, vault.ModeWarn, vault.ModeWarn},
		{nil, "", vault.ModeStrict},
		{nil, "loose", vault.ModeStrict},
		{own("", true), vault.ModeDisabled, vault.ModeDisabled},
		{own(vault.ModeStrict, true), vault.ModeDisabled, vault.ModeStrict},
		{own(vault.ModeDisabled, true), vault.ModeStrict, vault.ModeDisabled},
		{own(vault.ModeDisabled, false), vault.ModeWarn, vault.ModeWarn},
		{own("loose", true), vault.ModeWarn, vault.ModeWarn},
	} {
		if got := rules.EffectiveMode(tc.def, tc.configured); got != tc.want {
			t.Errorf("EffectiveMode(%+v, %q) = %q, want %q", tc.def, tc.configured, got, tc.want)
		}
	}
}

func TestCheckValue_RegexMatchesWholeValue(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		typ          vault.ValueType
		regex, value string
		ok           bool
	}{
		{vault.TypeString, `[a-z]+`, `"abc"`, true},
		{vault.TypeString, `[a-z]+`, `"abc1"`, false},
		{vault.TypeString, `[a-z]+`, `"1abc"`, false},
		{vault.TypeString, `a|ab`, `"ab"`, true}, // leftmost-first would stop at a
		{vault.TypeString, `a|b`, `"ab"`, false},
		{vault.TypeString, `^abc$`, `"abc"`, true},
		{vault.TypeString, `abc`, `"abc\n"`, true}, // space around a value is removed first
		{vault.TypeString, `abc`, `"abc\nx"`, false},
		{vault.TypeString, `(?m)^abc$`, `"x\nabc"`, false},
		{vault.TypeString, `(?i)ABC`, `"abc"`, true},
		{vault.TypeString, `\Qa.c`, `"a.c"`, true},
		{vault.TypeString, `\Qa.c`, `"abc"`, false},
		{vault.TypeString, `a*?`, `"aaa"`, true},
		{vault.TypeNumber, `\d+\.\d\d`, `"12.50"`, true},
		{vault.TypeNumber, `\d+\.\d\d`, `12.5`, false},
		{vault.TypeBoolean, `true`, `"Yes"`, true},
		{vault.TypePhone, `\+1\d+`, `"+1 415 555 2671"`, true},
		{vault.TypePhone, `\+44\d+`, `"+1 415 555 2671"`, false},
		{vault.TypeJSON, `\{"a":\d\}`, `{ "a" : 1 }`, true},
		{vault.TypeEmail, `^[a-zA-Z0-9_.+-]+@[a-zA-Z0-9-]+\.[a-zA-Z0-9-.]+$`, `"name@example.com"`, true},
	} {
		_, err := rules.CheckValue(defined(tc.typ, matching(tc.regex)), "field", json.RawMessage(tc.value), vault.ModeStrict)
		if (err == nil) != tc.ok {
			t.Errorf("%s against %s: %v", tc.value, tc.regex, err)
		}
	}
}

func TestCheckValue_AllowedComparedNormalised(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		typ         vault.ValueType
		allowed     []string
		value, want string // want is empty where the value is not allowed
	}{
		{vault.TypeString, []string{`"Gold"`, `"Silver"`}, `" gOLD "`, `"Gold"`},
		{vault.TypeString, []string{`"Gold"`, `"gold"`}, `"gold"`, `"gold"`},
		{vault.TypeString, []string{`"Gold"`}, `"golden"`, ``},
		{vault.TypeString, []string{`"Café"`}, `"cafe\u0301"`, `"Café"`},
		{vault.TypeNumber, []string{`12.50`, `1e3`}, `12.5`, `12.50`},
		{vault.TypeNumber, []string{`12.50`, `1e3`}, `"1000.0"`, `1e3`},
		{vault.TypeNumber, []string{`0`}, `-0.00`, `0`},
		{vault.TypeNumber, []string{`12.50`}, `12.500000000000000000001`, ``},
		{vault.TypePhone, []string{`"+1 415 555 2671"`}, `"+1-415-555-2671"`, `"+14155552671"`},
		{vault.TypeDatetime, []string{`"2026-01-01T01:00:00+01:00"`}, `"2026-01-01T00:00:00Z"`, `"2026-01-01T00:00:00Z"`},
		{vault.TypeJSON, []string{`{"a":1,"b":[2]}`}, `{"b":[2.0],"a":1}`, `{"a":1,"b":[2]}`},
		{vault.TypeBoolean, []string{`true`}, `"yes"`, `true`},
		{vault.TypeBoolean, []string{`true`}, `false`, ``},
		{vault.TypeEmail, []string{`"broken"`, `"a@b.com"`}, `"a@B.com"`, `"a@b.com"`},
	} {
		got, err := rules.CheckValue(defined(tc.typ, allowing(tc.allowed...)), "field", json.RawMessage(tc.value), vault.ModeStrict)
		if string(got.Value) != tc.want || (err == nil) != (tc.want != "") {
			t.Errorf("%s among %v: got %s, %v, want %s", tc.value, tc.allowed, got.Value, err, tc.want)
		}
	}
}

func TestCheckValue_PhoneOfEveryCountry(t *testing.T) {
	t.Parallel()
	for region := range phonenumbers.GetSupportedRegions() {
		number := phonenumbers.GetExampleNumber(region)
		e164 := phonenumbers.Format(number, phonenumbers.E164)
		for _, format := range []phonenumbers.PhoneNumberFormat{phonenumbers.E164, phonenumbers.INTERNATIONAL} {
			raw, _ := json.Marshal(phonenumbers.Format(number, format))
			got, err := rules.CheckValue(defined(vault.TypePhone), "field", raw, vault.ModeStrict)
			if err != nil || string(got.Value) != `"`+e164+`"` {
				t.Errorf("%s: %s became %s, %v", region, raw, got.Value, err)
			}
		}
	}
}

// drawJSON draws JSON values. Many of them are valid or almost valid for a type.
func drawJSON() *rapid.Generator[json.RawMessage] {
	text := rapid.Map(rapid.OneOf(
		rapid.String(),
		rapid.SampledFrom([]string{"true", " YES", "no", "Gold ", "silver", "", " ", "\u2028", "<>&", "İ@İ.com"}),
		rapid.StringMatching(`[A-Za-z.+]{1,9}@[A-Za-z]{1,9}\.(com|ORG)`),
		rapid.StringMatching(` ?\+1 ?\(?(415|212)\)?[ -]555-?[0-9]{4}`),
		rapid.StringMatching(`[0-9]{4}-(0[1-9]|1[0-2])-[0-3][0-9]`),
		rapid.StringMatching(`[0-9]{4}-(0[1-9]|1[0-2])-[0-2][0-9][Tt ][0-2][0-9]:[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?([zZ]|[+-]0[0-9]:[0-5]0)`),
		rapid.StringMatching(`(http|HTTPS)://[a-zA-Z]{1,9}(\.com)?(:80)?/[a-z %]{0,5}`),
		rapid.StringMatching(`-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?`),
	), func(s string) json.RawMessage {
		raw, _ := json.Marshal(s)
		return raw
	})
	number := rapid.Map(rapid.StringMatching(`-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?`), func(s string) json.RawMessage { return json.RawMessage(s) })
	constant := rapid.SampledFrom([]json.RawMessage{json.RawMessage(`true`), json.RawMessage(`false`), json.RawMessage(`{"b": [1.0, "x"], "a": {}}`), json.RawMessage(`[]`)})
	return rapid.OneOf(text, number, constant)
}

// drawDefinition draws a definition, often with a regex and allowed values.
func drawDefinition() *rapid.Generator[*vault.Definition] {
	return rapid.Custom(func(t *rapid.T) *vault.Definition {
		d := defined(rapid.SampledFrom(vault.ValueTypes).Draw(t, "type"))
		d.IsPII = rapid.Bool().Draw(t, "pii")
		if rapid.Bool().Draw(t, "with a regex") {
			d.ValidationRegex = rapid.SampledFrom([]string{`.*`, `.{2,}`, `[a-z]+`, `(?i)[^x]*`}).Draw(t, "regex")
		}
		if rapid.IntRange(0, 3).Draw(t, "with allowed values") == 0 {
			d.AllowedValues = rapid.SliceOfN(drawJSON(), 1, 4).Draw(t, "allowed")
		}
		return d
	})
}

func TestCheckValue_Idempotent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		def := drawDefinition().Draw(t, "definition")
		raw := drawJSON().Draw(t, "value")
		if len(def.AllowedValues) > 0 && rapid.Bool().Draw(t, "an allowed one") {
			raw = rapid.SampledFrom(def.AllowedValues).Draw(t, "value")
		}
		once, err := rules.CheckValue(def, "field", raw, vault.ModeStrict)
		if err != nil {
			return
		}
		if once.Warnings != nil {
			t.Fatalf("strict gave warnings: %v", once.Warnings)
		}
		twice, err := rules.CheckValue(def, "field", once.Value, vault.ModeStrict)
		if diff := cmp.Diff(once, twice); err != nil || diff != "" {
			t.Fatal(err, diff)
		}
		if once.ValueType == vault.TypeJSON || len(def.AllowedValues) > 0 {
			return
		}
		var s string
		if json.Unmarshal(raw, &s) != nil && string(raw) != string(once.Value) {
			t.Fatalf("%s became %s: only texts are rewritten", raw, once.Value)
		}
	})
}

func TestCheckValue_NumberIsNeverRounded(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		literal := rapid.StringMatching(`-?(0|[1-9][0-9]{0,60})(\.[0-9]{1,60})?([eE][+-]?[0-9]{1,4})?`).Draw(t, "number")
		for _, raw := range []string{literal, `"` + literal + `"`} {
			for _, mode := range []vault.ValidationMode{vault.ModeStrict, vault.ModeWarn} {
				got, err := rules.CheckValue(defined(vault.TypeNumber), "field", json.RawMessage(raw), mode)
				if err != nil || string(got.Value) != literal || got.Warnings != nil {
					t.Fatalf("%s became %s, %v", raw, got.Value, err)
				}
			}
		}
	})
}

func TestCheckValue_StrictAndWarnAgree(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		def := drawDefinition().Draw(t, "definition")
		if rapid.IntRange(0, 9).Draw(t, "unknown") == 0 {
			def = nil
		}
		raw := drawJSON().Draw(t, "value")
		strict, strictErr := rules.CheckValue(def, "field", raw, vault.ModeStrict)
		warned, warnErr := rules.CheckValue(def, "field", raw, vault.ModeWarn)
		switch {
		case warnErr != nil:
			if strictErr == nil || strictErr.Error() != warnErr.Error() {
				t.Fatalf("warn rejects a value that strict accepts: %v, %v", warnErr, strictErr)
			}
		case strictErr == nil:
			if diff := cmp.Diff(strict, warned); diff != "" {
				t.Fatal(diff)
			}
		default:
			if want := "Field validation failed: " + strings.Join(warned.Warnings, "; "); strictErr.Error() != want {
				t.Fatalf("strict says %q, warn %q", strictErr.Error(), want)
			}
		}
	})
}

// Errors and warnings may be logged, so they must not contain the value.
func TestCheckValue_MessageHoldsNoValue(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		def := drawDefinition().Draw(t, "definition")
		if rapid.IntRange(0, 9).Draw(t, "unknown") == 0 {
			def = nil
		}
		secret := rapid.StringMatching(`[QXZ]{3}[a-z0-9]{6,80}`).Draw(t, "secret")
		raw := json.RawMessage(rapid.SampledFrom([]string{
			`"` + secret + `"`, `"` + secret + `@"`, `"+1 ` + secret + `"`, `{"` + secret + `": 1}`, `["` + secret + `"]`,
			`{"a": "` + secret, secret, `"` + secret + `\u0000"`, `"` + secret + `\ud800"`, `{"` + secret + `": 1e99999}`, "\"" + secret + "\xff\"",
		}).Draw(t, "shape"))
		for _, mode := range vault.ValidationModes {
			got, err := rules.CheckValue(def, "field", raw, mode)
			texts := got.Warnings
			if err != nil {
				e := asError(t, err)
				texts = append(texts, e.Message)
				if strings.Count(e.Message, "Field validation failed: ") != 1 {
					t.Fatalf("the prefix must stand once: %s", e.Message)
				}
				if def == nil || def.IsPII {
					texts = append(texts, e.Detail)
				}
			}
			for _, text := range texts {
				if strings.Contains(text, secret) {
					t.Fatalf("%q holds %q", text, secret)
				}
			}
		}
	})
}

func FuzzCheckValue(f *testing.F) {
	for _, seed := range []string{`"a@b.com"`, `1e999`, `"\ud83d\ude00"`, `{"a":[1,null]}`, `"\u0000"`, `"+14155552671"`, `nul`, `"`, `"\u`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, typ := range vault.ValueTypes {
			for _, mode := range vault.ValidationModes {
				got, err := rules.CheckValue(defined(typ, matching(`.*`)), "field", raw, mode)
				if err == nil && !json.Valid(got.Value) {
					t.Fatalf("%q became %q, which is not JSON", raw, got.Value)
				}
			}
		}
	})
}
