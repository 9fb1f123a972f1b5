package format

import (
	"testing"

	"pgregory.net/rapid"
)

func TestPhone_Forms(t *testing.T) {
	for said, want := range map[string]string{
		"+44 20 7946 0958":                "+442079460958",
		"0044 20 7946 0958":               "+442079460958",
		"00442079460958":                  "+442079460958",
		"011 44 20 7946 0958":             "+442079460958",
		"011-49-30-901820":                "+4930901820",
		"tel:+44-20-7946-0958":            "+442079460958",
		"TEL:+442079460958":               "+442079460958",
		"tel:+442079460958;ext=12":        "+442079460958",
		"+44 20 7946 0958 ext. 12":        "+442079460958",
		"+44 20 7946 0958 x12":            "+442079460958",
		"+44 20 7946 0958, ext 1234":      "+442079460958",
		"+442079460958 extension 5":       "+442079460958",
		"+44\u200920\u20097946\u20090958": "+442079460958",
		"+44\u202f20\u00a07946\u20110958": "+442079460958",
		"\uff0b\uff14\uff14 20 7946 0958": "+442079460958",
		"+\u0664\u0664 20 7946 0958":      "+442079460958",
		"+\u06f4\u06f4 20 7946 0958":      "+442079460958",
		"  +44 20 7946 0958 ":             "+442079460958",
		"020 7946 0958":                   "",
		"0000442079460958":                "",
		"+44 20 7946 0958 or 0959":        "",
		"+44 20 7946 0958 ext":            "",
		"call +44 20 7946 0958":           "",
		"tel:":                            "",
		"":                                "",
	} {
		if got, problem := Phone(said, ""); got != want || (problem == "") != (want != "") {
			t.Errorf("%q: got %q, %q; want %q", said, got, problem, want)
		}
	}
}

func TestPhone_FormsOfRegion(t *testing.T) {
	for _, c := range []struct{ region, said, want string }{
		{"GB", "020 7946 0958", "+442079460958"},
		{"GB", "tel:020-7946-0958", "+442079460958"},
		{"GB", "020 7946 0958 ext. 12", "+442079460958"},
		{"GB", "\uff10\uff12\uff10 7946 0958", "+442079460958"},
		{"GB", "\u0660\u0662\u0660 7946 0958", "+442079460958"},
		{"GB", "020\u20097946\u20090958", "+442079460958"},
		{"GB", "0049 30 901820", "+4930901820"},
		{"US", "011 44 20 7946 0958", "+442079460958"},
		{"US", "0044 20 7946 0958", "+442079460958"},
		{"US", "(415) 555-2671", "+14155552671"},
		{"IT", "011 5613333", "+390115613333"},
		{"IT", "011 44 20 7946 0958", "+442079460958"},
		{"DE", "+44 20 7946 0958", "+442079460958"},
		{"DE", "1234", ""},
		{"DE", "030 901820 or 030 901821", ""},
	} {
		if got, problem := Phone(c.said, c.region); got != c.want || (problem == "") != (c.want != "") {
			t.Errorf("%s, %q: got %q, %q; want %q", c.region, c.said, got, problem, c.want)
		}
	}
}

// A stored number is stored unchanged again, and no text makes a stored form of another shape.
func TestPhone_Idempotent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		said := rapid.StringMatching(`(tel:)?(\+|00|011)[1-9][0-9 ]{7,14}(x[0-9]{1,4})?`).Draw(t, "said")
		stored, problem := Phone(said, "")
		if problem != "" {
			return
		}
		if again, problem := Phone(stored, ""); again != stored || problem != "" {
			t.Fatalf("%q is stored as %q, and that as %q", said, stored, again)
		}
	})
}
