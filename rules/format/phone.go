package format

import (
	"regexp"
	"strings"
	"unicode"

	"github.com/nyaruka/phonenumbers"
)

const notPhone = "is not a phone number in international format, such as +14155552671"

var (
	// phoneShape and nationalPhoneShape are the shapes of phone numbers with a country code and without one. They reject
	// texts from which the parser would extract only a part: words, letters for digits, a second number.
	phoneShape         = regexp.MustCompile(`^\(?\+[0-9 ().\-/]+$`)
	nationalPhoneShape = regexp.MustCompile(`^[0-9 ().\-/]+$`)
	// telScheme is the scheme of a telephone link (RFC 3966).
	telScheme = regexp.MustCompile(`(?i)^tel:(?://)?`)
	// extensionPattern matches the extension of a number inside a company.
	extensionPattern = regexp.MustCompile(`(?i)(?:;ext=|[ ,;]*(?:\bext(?:ension|n)?\b\.?|\bx\.?|#)[ :]*)[0-9]{1,7}$`)
	// dialPrefix matches the digits that are dialled instead of the +: 00 in most countries, 011 in North America.
	dialPrefix = regexp.MustCompile(`^(\(?)(?:00|011)[ \-]?([1-9(])`)
)

// noRegion makes the parser refuse a number without a country code, which is ambiguous.
const noRegion = "ZZ"

// Phone returns a phone number in the form E.164. It accepts a number with +, 00 or 011 before its country code, with
// or without tel:, in the digits of any script. An extension is left out: E.164 has none. A number without a country
// code is one of the region, two letters such as DE; empty: a number needs its country code.
func Phone(s, region string) (e164, problem string) {
	problem = notPhone
	said := telScheme.ReplaceAllString(plainPhone(s), "")
	said = extensionPattern.ReplaceAllString(strings.TrimSpace(said), "")
	if region != "" {
		problem = notPhoneOf(region)
		// Before the dial prefix: a national number may start with its digits, as those of Turin do with 011.
		if nationalPhoneShape.MatchString(said) {
			if e164, ok := validPhone(said, region); ok {
				return e164, ""
			}
		}
	}
	said = dialPrefix.ReplaceAllString(said, "${1}+${2}")
	if !phoneShape.MatchString(said) {
		return "", problem
	}
	e164, ok := validPhone(said, noRegion)
	if !ok {
		return "", problem
	}
	return e164, ""
}

func validPhone(said, region string) (e164 string, ok bool) {
	number, err := phonenumbers.Parse(said, region)
	if err != nil || !phonenumbers.IsValidNumber(number) {
		return "", false
	}
	return phonenumbers.Format(number, phonenumbers.E164), true
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

// plainPhone writes the digits of every script, the full-width forms, the dashes and the spaces of a number in ASCII.
func plainPhone(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r < unicode.MaxASCII && r != '\t':
			return r
		case r >= 0xFF01 && r <= 0xFF5E: // full-width forms of ASCII, digits among them
			return r - 0xFF01 + '!'
		case unicode.Is(unicode.Nd, r):
			return '0' + digitOf(r)
		case r >= 0x2010 && r <= 0x2015, r == 0x2212:
			return '-'
		case unicode.Is(unicode.Zs, r): // no-break, thin and narrow spaces
			return ' '
		}
		return r
	}, s))
}

// digitOf returns the value of a decimal digit. Unicode encodes the ten digits of a script in a row, from 0 on, and the
// rows begin at the start of their range.
func digitOf(r rune) rune {
	for _, digits := range unicode.Nd.R16 {
		if rune(digits.Lo) <= r && r <= rune(digits.Hi) {
			return (r - rune(digits.Lo)) % 10
		}
	}
	for _, digits := range unicode.Nd.R32 {
		if rune(digits.Lo) <= r && r <= rune(digits.Hi) {
			return (r - rune(digits.Lo)) % 10
		}
	}
	return 0
}
