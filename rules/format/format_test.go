package format_test

import (
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/contextvault/contextvault/rules/format"
)

// invisible are characters that show nothing and are not space.
var invisible = []string{
	"\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u180e", "\u200e", "\u200f", "\u202a", "\u202e", "\u2066",
	"\u2069", "\u061c", "\u115f", "\u1160", "\u3164", "\uffa0", "\u2800", "\u034f", "\ufe0f", "\x01", "\x7f", "\u009f",
	"\U000e0020", "\ufffe", "\u17b4",
}

var spaces = []string{" ", "\t", "\n", "\r", "\u00a0", "\u0085", "\u2003", "\u2028", "\u202f", "\u3000", "\u1680"}

func TestIsBlank_Texts(t *testing.T) {
	t.Parallel()
	for _, s := range append(append([]string{""}, invisible...), spaces...) {
		if !format.IsBlank(s) || !format.IsBlank(" "+s+"\u200b") {
			t.Errorf("%+q is not blank", s)
		}
		if format.IsBlank(s + "x") {
			t.Errorf("%+q with a letter is blank", s)
		}
	}
	for _, s := range []string{"0", "-", ".", "é", "日", "😀", "👩\u200d🔬", "می\u200cخواهم", "\u0600", "\ufffd", "\u2801", "\ue000"} {
		if format.IsBlank(s) {
			t.Errorf("%+q is blank", s)
		}
	}
}

func TestEmail_Valid(t *testing.T) {
	t.Parallel()
	label := strings.Repeat("a", 63)
	for in, want := range map[string]string{
		"ada@example.com":                           "ada@example.com",
		"Ada.L+tag@Mail.Example.COM":                "Ada.L+tag@mail.example.com",
		"o'brien_1@example.co.uk":                   "o'brien_1@example.co.uk",
		strings.Repeat("a", 64) + "@example.com":    strings.Repeat("a", 64) + "@example.com",
		"ada@" + label + ".com":                     "ada@" + label + ".com",
		"ada@xn--mnchen-3ya.de":                     "ada@xn--mnchen-3ya.de",
		"ada@münchen.de":                            "ada@münchen.de",
		"用户@例え.jp":                                  "用户@例え.jp",
		"jürgen@example.com":                        "jürgen@example.com",
		"ada@a-b.example":                           "ada@a-b.example",
		"ada@1.example.com":                         "ada@1.example.com",
		"ada@r3---sn-4g5e6nsz.c.example.com":        "ada@r3---sn-4g5e6nsz.c.example.com",
		"почта@пример.рф":                           "почта@пример.рф",
		"a@b.co":                                    "a@b.co",
		strings.Repeat("a", 60) + "@" + label + ".": "",
	} {
		got, why := format.Email(in)
		if got != want || (why == "") != (want != "") {
			t.Errorf("%q: got %q, %s", in, got, why)
		}
	}
}

func TestEmail_Invalid(t *testing.T) {
	t.Parallel()
	for in, part := range map[string]string{
		"ada":                                    "is not an email address",
		"ada@":                                   "is not an email address",
		"@example.com":                           "is not an email address",
		"ada@localhost":                          "is not an email address",
		"ada@example.com,b@c.com":                "is not an email address",
		"ada@example..com":                       "is not an email address",
		"ada@.example.com":                       "is not an email address",
		"ada@exa mple.com":                       "is not an email address",
		"ada@exa<b>mple.com":                     "is not an email address",
		"ada@192.0.2.1":                          "is not an email address",
		"ada@exam_ple.com":                       "is not an email address",
		"ada@exam~ple.com":                       "its domain must consist of letters, digits and hyphens",
		"ada@exam。.com":                          "its domain must consist of letters, digits and hyphens",
		"ada@exam\u2100ple.com":                  "its domain must consist of letters, digits and hyphens",
		"ada@xn--a.com":                          "its domain must consist of letters, digits and hyphens",
		"ada@a-.com":                             "is not an email address",
		strings.Repeat("a", 65) + "@example.com": "has more than 64 bytes before the @",
		strings.Repeat("é", 33) + "@example.com":                         "has more than 64 bytes before the @",
		"ada@" + strings.Repeat("a", 64) + ".com":                        "more than 63 bytes",
		"ada@" + strings.Repeat("ü", 60) + ".com":                        "more than 63 bytes",
		"ada@" + strings.Repeat(strings.Repeat("a", 60)+".", 4) + ".com": "is not an email address",
		"ada@" + strings.Repeat(strings.Repeat("a", 60)+".", 5) + "com":  "is longer than 254 bytes",
	} {
		if got, why := format.Email(in); !strings.Contains(why, part) || got != "" {
			t.Errorf("%q: got %q, %q, want %q", in, got, why, part)
		}
	}
}

func TestURL_Valid(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		"https://example.com", "http://example.com/", "HTTPS://Example.COM/A?b=c#d", "https://example.com./", "https://localhost:8080/x",
		"https://example.com:1/", "https://example.com:65535/", "https://example.com:/", "https://user:pass@example.com/", "https://user@example.com/",
		"https://192.0.2.1:8443/a", "https://[2001:db8::1]/", "https://[2001:db8::1]:443/a", "https://[::ffff:192.0.2.1]/", "https://[fe80::1%25eth0]/",
		"https://xn--mnchen-3ya.de/", "https://münchen.de/straße", "https://例え.jp/", "https://m%C3%BCnchen.de/", "https://my_bucket.example.com/",
		"https://r3---sn-4g5e6nsz.example.com/", "https://1.example.com/", "https://example.com/a%20b?c=%22d%22&e=1,2,3;4", "https://example.com/a/https://b.example/c",
		"https://example.com/?next=https://b.example/", "https://example.com/~ada/(a)/*?q={x}|y", "https://" + strings.Repeat("a", 63) + ".com/",
		"https://3.example.123abc/",
	} {
		if got, why := format.URL(in); got != in || why != "" {
			t.Errorf("%q: got %q, %s", in, got, why)
		}
	}
}

func TestURL_Invalid(t *testing.T) {
	t.Parallel()
	for in, part := range map[string]string{
		"":                           "is not a web address",
		"example.com":                "is not a web address",
		"ftp://example.com/":         "is not a web address",
		"https:example.com":          "is not a web address",
		"https:///path":              "is not a web address",
		"https://:80/":               "is not a web address",
		"https://example.com:http/":  "is not a web address",
		"https://[::1/":              "is not a web address",
		"https://[v1.x]/":            "is not a web address",
		"https://[192.0.2.1]/":       "is not a web address",
		"https://example.com:0/":     "a port is a number from 1 to 65535",
		"https://example.com:65536/": "a port is a number from 1 to 65535",
		"https://example.com:99999999999999999999999/": "a port is a number from 1 to 65535",
		"https://./":             "its host must consist of",
		"https://a..b/":          "its host must consist of",
		"https://.example.com/":  "its host must consist of",
		"https://example.com../": "its host must consist of",
		"https://*.example.com/": "its host must consist of",
		"https://exam!ple.com/":  "its host must consist of",
		"https://a,b/":           "its host must consist of",
		"https://xn--a/":         "its host must consist of",
		"https://-a.com/":        "a hyphen",
		"https://a-.com/":        "a hyphen",
		"https://256.1.1.1/":     "ends with a number",
		"https://1.2.3/":         "ends with a number",
		"https://example.1/":     "ends with a number",
		"https://" + strings.Repeat("a", 64) + ".com/":                       "more than 63 bytes",
		"https://" + strings.Repeat(strings.Repeat("a", 60)+".", 5) + "com/": "longer than 253 bytes",
		"https://exa mple.com/":                                              "contains a space",
		"https://example.com/a b":                                            "contains a space",
		"https://<b>.com/":                                                   "angle bracket",
		"https://example.com/<b>":                                            "angle bracket",
		`https://example.com/?q="x"`:                                         "quotation mark",
		`https://example.com\@b.example/`:                                    "backslash",
		"https://a.example/,https://b.example/":                              "is not one web address",
		"https://a.example;http://b.example":                                 "is not one web address",
		"https://a.example/|HTTPS://b.example":                               "is not one web address",
		"https://a.examplehttps://b.example/":                                "is not one web address",
		"https://a.example/?x=1,https://b.example":                           "is not one web address",
	} {
		if got, why := format.URL(in); !strings.Contains(why, part) || got != "" {
			t.Errorf("%q: got %q, %q, want %q", in, got, why, part)
		}
	}
}

func TestDatetime_Offsets(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"2024-01-01T00:00:00+14:00": "2023-12-31T10:00:00Z",
		"2024-01-01T00:00:00-12:00": "2024-01-01T12:00:00Z",
		"2024-01-01T00:00:00+05:45": "2023-12-31T18:15:00Z",
		"2024-01-01T00:00:00+23:59": "2023-12-31T00:01:00Z",
		"2024-01-01T00:00:00-00:00": "2024-01-01T00:00:00Z",
		"2024-01-01T00:00:00+24:00": "", "2024-01-01T00:00:00-24:00": "", "2024-01-01T00:00:00+99:00": "",
		"2024-01-01T00:00:00+01:60": "", "2024-01-01T00:00:00-01:99": "", "2024-01-01T00:00:00+0100": "",
	} {
		if got, why := format.Datetime(in, ""); got != want || (why == "") != (want != "") {
			t.Errorf("%s: got %q, %s", in, got, why)
		}
	}
}

// An invisible character makes an address invalid, wherever it stands.
func TestAddresses_InvisibleCharacter(t *testing.T) {
	t.Parallel()
	hidden := rapid.SampledFrom(append(append([]string{}, invisible...), spaces...))
	rapid.Check(t, func(t *rapid.T) {
		insert := func(s string) string {
			at := rapid.IntRange(0, len(s)).Draw(t, "at")
			return s[:at] + hidden.Draw(t, "hidden") + s[at:]
		}
		if s := insert("ada.l@mail.example.com"); !isProblem(format.Email(s)) {
			t.Fatalf("%+q is an email address", s)
		}
		if s := insert("https://user@mail.example.com:8443/a?b=c#d"); !isProblem(format.URL(s)) {
			t.Fatalf("%+q is a web address", s)
		}
	})
}

// Every name of valid labels is a domain and a host, and none of them is with one character that no host has.
func TestHosts_LettersDigitsHyphens(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		label := rapid.StringMatching(`[a-z]([a-z0-9]{0,61}[a-z0-9])?`)
		host := label.Draw(t, "a") + "." + label.Draw(t, "b") + ".com"
		if s, why := format.Email("ada@" + host); why != "" || s != "ada@"+host {
			t.Fatalf("%s: %s", host, why)
		}
		port := rapid.IntRange(1, 65535).Draw(t, "port")
		if _, why := format.URL("https://" + host + ":" + strconv.Itoa(port) + "/a"); why != "" {
			t.Fatalf("%s: %s", host, why)
		}
		at := rapid.IntRange(0, len(host)).Draw(t, "at")
		wrong := rapid.SampledFrom(strings.Split("! $ & ' ( ) * + , ; = < > \" ` { } | ^ ~ ..", " ")).Draw(t, "wrong")
		broken := host[:at] + wrong + host[at:]
		if !isProblem(format.Email("ada@"+broken)) || !isProblem(format.URL("https://"+broken+"/")) {
			t.Fatalf("%s is accepted", broken)
		}
		beyond := rapid.IntRange(65536, 1<<40).Draw(t, "beyond")
		if !isProblem(format.URL("https://" + host + ":" + strconv.Itoa(beyond) + "/")) {
			t.Fatalf("port %d is accepted", beyond)
		}
	})
}

// A problem never contains the text.
func TestProblems_HoldNoValue(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		secret := rapid.StringMatching(`[QXZ]{3}[a-z0-9]{6,80}`).Draw(t, "secret")
		s := rapid.SampledFrom([]string{"", "a@", "https://", "https://a,", "+1 "}).Draw(t, "prefix") + secret +
			rapid.SampledFrom([]string{"", "@", "@a_b.com", "\u200b@a.com", ":99999/", "<>", ",https://a.example"}).Draw(t, "suffix")
		for _, normalise := range []func(string) (string, string){
			format.Email, format.URL, format.Date,
			func(s string) (string, string) { return format.Phone(s, "") },
			func(s string) (string, string) { return format.Phone(s, "DE") },
			func(s string) (string, string) { return format.Datetime(s, "") },
			func(s string) (string, string) { return format.Datetime(s, "Europe/Berlin") },
		} {
			if _, why := normalise(s); strings.Contains(why, secret) {
				t.Fatalf("%q contains %q", why, secret)
			}
		}
	})
}

func isProblem(_, why string) bool { return why != "" }
