package format

import (
	"regexp"

	"github.com/nyaruka/phonenumbers"
)

const notPhone = "is not a phone number in international format, such as +14155552671"

// phoneShape rejects texts from which the parser would extract only a part: words, letters for digits, an extension, a
// second number.
var phoneShape = regexp.MustCompile(`^\(?\+[0-9 \x{a0}().\-/\x{2010}-\x{2015}]+$`)

// Phone returns a phone number in the form E.164.
func Phone(s string) (e164, problem string) {
	if !phoneShape.MatchString(s) {
		return "", notPhone
	}
	number, err := phonenumbers.Parse(s, "ZZ") // no default country: a number without a country code is ambiguous
	if err != nil || !phonenumbers.IsValidNumber(number) {
		return "", notPhone
	}
	return phonenumbers.Format(number, phonenumbers.E164), ""
}
