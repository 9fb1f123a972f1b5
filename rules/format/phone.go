package format

import (
	"regexp"

	"github.com/nyaruka/phonenumbers"
)

const notPhone = "is not a phone number in international format, such as +14155552671"

// Shapes of phone numbers, with a country code and without one. They reject texts from which the parser would extract
// only a part: words, letters for digits, an extension, a second number.
var (
	phoneShape         = regexp.MustCompile(`^\(?\+[0-9 \x{a0}().\-/\x{2010}-\x{2015}]+$`)
	nationalPhoneShape = regexp.MustCompile(`^[0-9 \x{a0}().\-/\x{2010}-\x{2015}]+$`)
)

// noRegion makes the parser refuse a number without a country code, which is ambiguous.
const noRegion = "ZZ"

// Phone returns a phone number in the form E.164. A number without a country code is one of the region, two letters
// such as DE; empty: a number needs its country code.
func Phone(s, region string) (e164, problem string) {
	problem = notPhone
	national := nationalPhoneShape.MatchString(s)
	if region == "" {
		region = noRegion
	} else {
		problem = notPhoneOf(region)
	}
	if !phoneShape.MatchString(s) && (!national || region == noRegion) {
		return "", problem
	}
	number, err := phonenumbers.Parse(s, region)
	if err != nil || !phonenumbers.IsValidNumber(number) {
		return "", problem
	}
	return phonenumbers.Format(number, phonenumbers.E164), ""
}

// notPhoneOf returns the problem of a text that is neither a number of the region nor an international one.
func notPhoneOf(region string) string {
	example := phonenumbers.GetExampleNumber(region)
	if example == nil {
		return notPhone
	}
	return "is not a phone number of the region " + region + ", such as " +
		phonenumbers.Format(example, phonenumbers.NATIONAL) + ", or in international format, such as " +
		phonenumbers.Format(example, phonenumbers.E164)
}

// IsRegion reports whether phone numbers can be read in a region: two capital letters (ISO 3166), such as DE.
func IsRegion(region string) bool { return phonenumbers.GetSupportedRegions()[region] }
