// Package webhook holds the rules of webhooks: which addresses may be called, what a secret is, and when a failed
// delivery is tried again. It does no I/O.
package webhook

import (
	"encoding/base64"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/contextvault/contextvault/vault"
)

// UserAgent is that of the deliveries. The API refuses requests with it: a webhook that leads to a vault is a loop.
const UserAgent = "contextvault-webhooks"

// waits are the times before the next attempts, about three days together.
var waits = []time.Duration{
	5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour,
	4 * time.Hour, 8 * time.Hour, 12 * time.Hour, 20 * time.Hour, 24 * time.Hour,
}

// Wait returns the time to wait after a number of failed attempts. more is false if there is no further attempt.
func Wait(attempts int) (wait time.Duration, more bool) {
	if attempts < 1 || attempts > len(waits) {
		return 0, false
	}
	return waits[attempts-1], true
}

// Size of the bytes of a secret.
const (
	minSecret = 24
	maxSecret = 64
)

// Check returns the problems of the input of save-webhook. private allows private addresses and http.
func Check(in vault.SaveWebhookInput, private bool) []*vault.Error {
	var problems []*vault.Error
	if why := urlProblem(in.URL, private); why != "" {
		problems = append(problems, vault.Invalid("url", "%s", why))
	}
	for i, t := range in.Types {
		if !slices.Contains(vault.EventTypes, t) {
			problems = append(problems, vault.Invalid(fmt.Sprintf("types[%d]", i),
				"is not a type of events; the types are %s", vault.OneOf(vault.EventTypes)))
		}
	}
	if in.Secret != "" && !validSecret(in.Secret) {
		problems = append(problems, vault.Invalid("secret",
			"must be whsec_ and %d to %d random bytes in base64, such as from: echo whsec_$(openssl rand -base64 32)",
			minSecret, maxSecret))
	}
	return problems
}

func validSecret(secret string) bool {
	text, found := strings.CutPrefix(secret, "whsec_")
	raw, err := base64.StdEncoding.DecodeString(text)
	return found && err == nil && len(raw) >= minSecret && len(raw) <= maxSecret
}

// validPort reports whether a port exists. "": that of the scheme.
func validPort(text string) bool {
	port, err := strconv.ParseUint(text, 10, 16)
	return text == "" || err == nil && port > 0
}

// endsInNumber reports whether the last part of a host is a number, which no name has. Some programs read such hosts as
// IPv4 addresses: 127.1 and 0177.0.0.1 are 127.0.0.1 to them.
func endsInNumber(host string) bool {
	_, err := strconv.ParseUint(host[strings.LastIndexByte(host, '.')+1:], 0, 64)
	return err == nil
}

// urlProblem returns what is wrong with the address of a webhook, "" if nothing is. The text does not quote it: it can
// hold a token.
func urlProblem(text string, private bool) string {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "" || u.Opaque != "":
		return "is not an address, such as https://example.com/events"
	case u.User != nil:
		return "must not hold a user or a password; the deliveries are signed"
	case u.Fragment != "":
		return "must not have a fragment (#…)"
	case u.Scheme != "https" && (u.Scheme != "http" || !private):
		return "must begin with https://"
	case !validPort(u.Port()):
		return "has no valid port; ports are from 1 to 65535"
	case private:
		return ""
	}
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	if address, err := netip.ParseAddr(host); err == nil && !Public(address) {
		return "leads to a private address, which events.webhook_private_addresses does not allow"
	}
	if host == "localhost" || strings.HasSuffix(host, ".localhost") || strings.HasSuffix(host, ".internal") ||
		strings.HasSuffix(host, ".local") || !strings.ContainsAny(host, ".:") {
		return "leads to a private address, which events.webhook_private_addresses does not allow"
	}
	if _, err := netip.ParseAddr(host); err != nil && endsInNumber(host) {
		return "has a host that is neither a name nor an address; write an IPv4 address as four decimal numbers"
	}
	return ""
}

// special are networks that are not private by netip and do not belong to the public internet either: shared addresses
// of carriers, benchmarks, documentation, and addresses that lead to an IPv4 address inside.
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("100::/64"),
	netip.MustParsePrefix("2001::/23"), netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("2002::/16"),
	netip.MustParsePrefix("fec0::/10"),
}

// Public reports whether an address belongs to the public internet.
func Public(a netip.Addr) bool {
	a = a.Unmap()
	return a.IsValid() && a.Zone() == "" && a.IsGlobalUnicast() && !a.IsPrivate() && !a.IsLoopback() &&
		!slices.ContainsFunc(special, func(p netip.Prefix) bool { return p.Contains(a) })
}
