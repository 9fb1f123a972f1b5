package format

import (
	"net/netip"
	"strings"
	"sync"

	"golang.org/x/net/idna"
)

// Limits of a host name in bytes, in its ASCII form (RFC 1035).
const (
	maxHostLength  = 253
	maxLabelLength = 63
)

// Problems of a host name. Each follows "its host" or "its domain" in a message.
const (
	longHost  = "is longer than 253 bytes; a valid one is example.com"
	longLabel = "has a part of more than 63 bytes between its dots; a valid one is example.com"
	badLabel  = "must consist of letters, digits and hyphens between single dots, such as example.com"
	badHyphen = "has a part that starts or ends with a hyphen; a valid one is example.com"
	badNumber = "ends with a number and is not an IPv4 address, such as 192.0.2.1"
)

// hostKind tells apart the names of hosts and the names that browsers accept.
type hostKind int

const (
	// strictHost is a name of letters, digits and hyphens with two parts or more, as in an email address.
	strictHost hostKind = iota
	// webHost may also contain underscores, which many sites use, end with a dot, have one part, or be an IPv4 address.
	webHost
)

// toASCII converts a name to its ASCII form and validates its international parts, also those in Punycode. hostProblem
// checks ASCII characters and lengths, with better messages. It is expensive to create and safe for concurrent use.
var toASCII = sync.OnceValue(func() *idna.Profile {
	return idna.New(idna.MapForLookup(), idna.BidiRule(), idna.Transitional(false), idna.StrictDomainName(false),
		idna.CheckHyphens(false))
})

// hostProblem returns the reason why no host has this name, "" if one can.
func hostProblem(name string, kind hostKind) string {
	ascii, err := toASCII().ToASCII(name)
	if err != nil {
		return badLabel
	}
	if kind == webHost {
		ascii = strings.TrimSuffix(ascii, ".")
	}
	if len(ascii) > maxHostLength {
		return longHost
	}
	labels := strings.Split(ascii, ".")
	for _, label := range labels {
		switch {
		case label == "" || strings.ContainsFunc(label, func(r rune) bool { return !isHostCharacter(r, kind) }):
			return badLabel
		case len(label) > maxLabelLength:
			return longLabel
		case label[0] == '-' || label[len(label)-1] == '-':
			return badHyphen
		}
	}
	if last := labels[len(labels)-1]; strings.Trim(last, "0123456789") == "" {
		if ip, err := netip.ParseAddr(ascii); kind == strictHost || err != nil || !ip.Is4() {
			return badNumber
		}
	}
	if kind == strictHost && len(labels) == 1 {
		return badLabel
	}
	return ""
}

func isHostCharacter(r rune, kind hostKind) bool {
	return r == '-' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '_' && kind == webHost
}
