package webhooks

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/contextvault/contextvault/rules/webhook"
)

const (
	// connectTimeout is the maximum time to connect, and sendTimeout that of a whole attempt.
	connectTimeout = 5 * time.Second
	sendTimeout    = 15 * time.Second
	// maxAnswer is the number of bytes of an answer that are read: its content says nothing.
	maxAnswer = 16 << 10
)

// errPrivate refuses a connection.
var errPrivate = errors.New("a private address")

// sender sends signed requests.
type sender struct{ client *http.Client }

// newSender returns a sender. private allows private addresses.
func newSender(private bool, timeout time.Duration) *sender {
	dialer := &net.Dialer{Timeout: connectTimeout}
	if !private {
		// Called with the address of each connection, after the name was resolved: a name that leads elsewhere the next
		// time it is resolved does not help.
		dialer.Control = func(_, address string, _ syscall.RawConn) error {
			to, err := netip.ParseAddrPort(address)
			if err != nil || !webhook.Public(to.Addr()) {
				return errPrivate
			}
			return nil
		}
	}
	return &sender{&http.Client{
		Timeout: timeout,
		Transport: &http.Transport{
			Proxy:       nil, // a proxy would connect for us, wherever the address leads
			DialContext: dialer.DialContext, TLSHandshakeTimeout: connectTimeout, MaxResponseHeaderBytes: maxAnswer,
			MaxIdleConns: 100, MaxIdleConnsPerHost: maxOfWebhook, IdleConnTimeout: 30 * time.Second, ForceAttemptHTTP2: true,
		},
		// A redirect is a failure: the address that was saved is the one that was meant.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// request is one attempt.
type request struct {
	url     string
	id      string
	at      time.Time
	body    []byte
	secrets []string
}

// outcome is the result of an attempt. problem is "" if the receiver took the delivery; it is in fixed words.
type outcome struct {
	status  int // 0: there was no answer
	problem string
}

// send makes one attempt.
func (s *sender) send(ctx context.Context, r request) outcome {
	signatures := make([]string, len(r.secrets))
	for i, secret := range r.secrets {
		key, err := standardwebhooks.NewWebhook(secret)
		if err != nil {
			return outcome{problem: "the secret is invalid"}
		}
		if signatures[i], err = key.Sign(r.id, r.at, r.body); err != nil {
			return outcome{problem: "the secret is invalid"}
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url, bytes.NewReader(r.body))
	if err != nil {
		return outcome{problem: "the address is invalid"}
	}
	for name, value := range map[string]string{
		"Content-Type": "application/json", "User-Agent": webhook.UserAgent,
		standardwebhooks.HeaderWebhookID:        r.id,
		standardwebhooks.HeaderWebhookTimestamp: strconv.FormatInt(r.at.Unix(), 10),
		standardwebhooks.HeaderWebhookSignature: strings.Join(signatures, " "),
	} {
		req.Header.Set(name, value)
	}
	res, err := s.client.Do(req)
	if err != nil {
		return outcome{problem: describe(err)}
	}
	defer res.Body.Close()
	_, _ = io.CopyN(io.Discard, res.Body, maxAnswer) // for the next request on the connection
	out := outcome{status: res.StatusCode}
	switch {
	case res.StatusCode == http.StatusLoopDetected:
		out.problem = "the address leads to a vault, which would be a loop (508)"
	case res.StatusCode >= 300 && res.StatusCode < 400:
		out.problem = fmt.Sprintf("the receiver redirects (%d), which is not followed", res.StatusCode)
	case res.StatusCode < 200 || res.StatusCode > 299:
		out.problem = fmt.Sprintf("the receiver answered %d", res.StatusCode)
	}
	return out
}

// describe returns why there was no answer, without the address.
func describe(err error) string {
	timeout, ok := errors.AsType[net.Error](err)
	_, isDNS := errors.AsType[*net.DNSError](err)
	switch {
	case errors.Is(err, errPrivate):
		return "the address is private, which events.webhook_private_addresses does not allow"
	case ok && timeout.Timeout():
		return "the receiver did not answer in time"
	case isDNS:
		return "the name of the receiver cannot be resolved"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the receiver refused the connection"
	default:
		return "the connection failed"
	}
}
