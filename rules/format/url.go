package format

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// Problems of a web address.
const (
	notURL       = "is not a web address, such as https://example.com/page"
	invisibleURL = "contains a space or an invisible character; " +
		"remove it, or write it with percent signs, as in https://example.com/a%20page"
	markupURL = "contains a quotation mark, an angle bracket or a backslash; " +
		"remove it, or write it with percent signs, as in https://example.com/%22page%22"
	manyURLs = "is not one web address; keep one, such as https://example.com/page, " +
		"and write a comma before another address as %2C"
	badPort = "has a port that does not exist; a port is a number from 1 to 65535, as in https://example.com:8443/page"
)

// nextURL matches the start of another web address after a separator.
var nextURL = regexp.MustCompile(`(?i)[,;|]https?://`)

// URL returns a web address with the scheme http or https and a host, as it is written. The host is a name, in any
// script or in Punycode, or an IP address.
func URL(s string) (address, problem string) {
	switch {
	case strings.ContainsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || isInvisible(r) }):
		return "", invisibleURL
	case strings.ContainsAny(s, `"<>\`):
		return "", markupURL
	case nextURL.MatchString(s):
		return "", manyURLs
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return "", notURL
	}
	switch port := u.Port(); {
	case port != "" && !isPort(port):
		return "", badPort
	case port == "" && strings.HasSuffix(u.Host, ":") && strings.HasPrefix(u.Path, "//"):
		return "", manyURLs // the colon belongs to the scheme of a second address
	}
	if strings.HasPrefix(u.Host, "[") {
		return s, "" // url.Parse accepts only an IPv6 address in brackets
	}
	if why := hostProblem(u.Hostname(), webHost); why != "" {
		return "", "is not a web address: its host " + why
	}
	return s, ""
}

// isPort reports whether digits are a port that a server can have.
func isPort(digits string) bool {
	n, err := strconv.ParseUint(digits, 10, 16)
	return err == nil && n > 0
}
