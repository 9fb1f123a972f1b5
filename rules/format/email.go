package format

import (
	"strings"
	"sync"
	"unicode"

	"github.com/go-playground/validator/v10"
)

// Limits of an email address in bytes (RFC 5321). An address is a path of 256 without its brackets.
const (
	maxEmailLength     = 254
	maxLocalPartLength = 64
)

// Problems of an email address.
const (
	notEmail       = "is not an email address, such as name@example.com"
	invisibleEmail = "contains an invisible character or an unusual space; " +
		"retype the email address with visible characters only, such as name@example.com"
	longEmail     = "is longer than 254 bytes, the limit of an email address, such as name@example.com"
	longLocalPart = "has more than 64 bytes before the @, the limit of an email address, such as name@example.com"
)

// emailValidator checks the form of an address. It is expensive to create and safe for concurrent use.
var emailValidator = sync.OnceValue(func() *validator.Validate { return validator.New() })

// Email returns an address with its domain in lower case. It keeps the local part, because its case may matter to the
// receiver. Letters of any script are valid on both sides of the @.
func Email(s string) (address, problem string) {
	at := strings.LastIndexByte(s, '@')
	if at < 0 {
		return "", notEmail
	}
	if strings.ContainsFunc(s, func(r rune) bool { return isInvisible(r) || r != ' ' && unicode.IsSpace(r) }) {
		return "", invisibleEmail
	}
	s = s[:at] + lowerASCII(s[at:])
	if emailValidator().Var(s, "email") != nil {
		return "", notEmail
	}
	switch {
	case len(s) > maxEmailLength:
		return "", longEmail
	case at > maxLocalPartLength:
		return "", longLocalPart
	}
	if why := hostProblem(s[at+1:], strictHost); why != "" {
		return "", "is not an email address: its domain " + why
	}
	return s, ""
}
