package webhook_test

import (
	"encoding/base64"
	"net/netip"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/contextvault/contextvault/rules/webhook"
	"github.com/contextvault/contextvault/vault"
)

func TestPublic(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"93.184.216.34": true, "2606:2800:220:1:248:1893:25c8:1946": true, "::ffff:93.184.216.34": true,
		"127.0.0.1": false, "127.8.8.8": false, "::1": false, "::ffff:127.0.0.1": false, "10.0.0.1": false,
		"172.16.0.1": false, "192.168.1.1": false, "169.254.169.254": false, "fe80::1": false, "fe80::1%eth0": false,
		"fd00::1": false, "0.0.0.0": false, "::": false, "255.255.255.255": false, "224.0.0.1": false, "ff02::1": false,
		"100.64.0.1": false, "64:ff9b::7f00:1": false, "2002:7f00:1::": false, "198.18.0.1": false,
	} {
		if got := webhook.Public(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s is public: %t", text, got)
		}
	}
}

// No IPv4 address is more public when it is written as an IPv6 address.
func TestPublic_Mapped(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a := netip.AddrFrom4([4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "address")))
		if webhook.Public(a) != webhook.Public(netip.AddrFrom16(a.As16())) {
			t.Errorf("%s differs when it is mapped", a)
		}
	})
}

func TestCheck(t *testing.T) {
	t.Parallel()
	secret := "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 32))
	for _, c := range []struct {
		url     string
		private bool
		wrong   string
	}{
		{"https://example.com/events?token=1", false, ""},
		{"https://example.com:8443", false, ""},
		{"http://example.com", false, "https"},
		{"http://127.0.0.1:9000/x", true, ""},
		{"https://127.0.0.1/x", false, "private"},
		{"https://[::1]/x", false, "private"},
		{"https://localhost/x", false, "private"},
		{"https://LOCALHOST./x", false, "private"},
		{"https://redis/x", false, "private"},
		{"https://metadata.google.internal/x", false, "private"},
		{"https://169.254.169.254/latest", false, "private"},
		{"https://user:hunter2@example.com", false, "password"},
		{"https://example.com/#x", false, "fragment"},
		{"ftp://example.com", true, "https"},
		{"javascript:alert(1)", false, "not an address"},
		{"https://", false, "not an address"},
		{"hunter2", false, "not an address"},
		{"https://example.com:99999/", false, "port"},
		{"https://example.com:0/", true, "port"},
		{"https://127.1/", false, "four decimal numbers"},
		{"https://0177.0.0.1/", false, "four decimal numbers"},
		{"https://127.0.0.0x1/", false, "four decimal numbers"},
		{"https://127.0.0.1.example.com/", false, ""},
	} {
		problems := webhook.Check(vault.SaveWebhookInput{URL: c.url, Secret: secret}, c.private)
		switch {
		case c.wrong == "" && len(problems) > 0:
			t.Errorf("%s: %v", c.url, problems)
		case c.wrong != "" && (len(problems) != 1 || problems[0].Field != "url" || !strings.Contains(problems[0].Message, c.wrong) ||
			strings.Contains(problems[0].Message, "hunter2")):
			t.Errorf("%s: %v, want %q", c.url, problems, c.wrong)
		}
	}
	for _, wrong := range []string{"hunter2", "whsec_", "whsec_%%%", "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 23))} {
		problems := webhook.Check(vault.SaveWebhookInput{URL: "https://example.com", Secret: wrong}, false)
		if len(problems) != 1 || problems[0].Field != "secret" || strings.Contains(problems[0].Message, "hunter2") {
			t.Errorf("%s: %v", wrong, problems)
		}
	}
	problems := webhook.Check(vault.SaveWebhookInput{URL: "https://example.com", Types: []vault.EventType{"x"}}, false)
	if len(problems) != 1 || problems[0].Field != "types[0]" || !strings.Contains(problems[0].Message, "value.changed") {
		t.Errorf("an unknown type: %v", problems)
	}
}

// The attempts grow apart, and end after days.
func TestWait(t *testing.T) {
	t.Parallel()
	var total, last time.Duration
	attempts := 1
	for ; ; attempts++ {
		wait, more := webhook.Wait(attempts)
		if !more {
			break
		}
		if wait <= last {
			t.Errorf("attempt %d follows after %s, the one before after %s", attempts+1, wait, last)
		}
		total, last = total+wait, wait
	}
	if total < 48*time.Hour || total > 7*24*time.Hour || attempts < 8 {
		t.Errorf("%d attempts take %s", attempts, total)
	}
}
