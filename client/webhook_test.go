package client_test

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/contextvault/contextvault/client"
	"github.com/contextvault/contextvault/vault"
)

// delivery returns a delivery as the library of the convention signs it.
func delivery(t *testing.T, body string, at time.Time, secrets ...string) http.Header {
	t.Helper()
	var signatures []string
	for _, secret := range secrets {
		key, err := standardwebhooks.NewWebhook(secret)
		if err != nil {
			t.Fatal(err)
		}
		signature, err := key.Sign("msg_1", at, []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		signatures = append(signatures, signature)
	}
	header := http.Header{}
	header.Set("webhook-id", "msg_1")
	header.Set("webhook-timestamp", strconv.FormatInt(at.Unix(), 10))
	header.Set("webhook-signature", strings.Join(signatures, " "))
	return header
}

func TestVerifyWebhook(t *testing.T) {
	t.Parallel()
	secretOf := func(letter string) string {
		return "whsec_" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat(letter, 32)))
	}
	before, secret, stranger := secretOf("a"), secretOf("b"), secretOf("c")
	const body = `{"type": "value.changed", "timestamp": "2026-01-02T03:04:05Z", "data": {"id": 7, "type": "value.changed"}}`
	now := time.Now()
	rotated := delivery(t, body, now, secret, before)
	for _, secrets := range [][]string{{secret}, {before}, {stranger, secret}} {
		got, err := client.VerifyWebhook([]byte(body), rotated, secrets...)
		if err != nil || got.ID != "msg_1" || got.Type != string(vault.EventValueChanged) || got.Data == nil || got.Data.ID != 7 {
			t.Errorf("got %+v, %v", got, err)
		}
	}
	test := `{"type": "webhook.test", "timestamp": "2026-01-02T03:04:05Z", "data": null}`
	got, err := client.VerifyWebhook([]byte(test), delivery(t, test, now, secret), secret)
	if err != nil || got.Type != vault.EventTestWebhook || got.Data != nil {
		t.Errorf("of a test got %+v, %v", got, err)
	}

	without := func(name string) http.Header {
		h := rotated.Clone()
		h.Del(name)
		return h
	}
	for name, c := range map[string]struct {
		body    string
		header  http.Header
		secrets []string
	}{
		"another secret":        {body, rotated, []string{stranger}},
		"no secret":             {body, rotated, nil},
		"an empty secret":       {body, rotated, []string{""}},
		"a secret in no base64": {body, rotated, []string{"whsec_%"}},
		"another body":          {body + " ", rotated, []string{secret}},
		"an old request":        {body, delivery(t, body, now.Add(-6*time.Minute), secret), []string{secret}},
		"a time to come":        {body, delivery(t, body, now.Add(6*time.Minute), secret), []string{secret}},
		"no id":                 {body, without("webhook-id"), []string{secret}},
		"no time":               {body, without("webhook-timestamp"), []string{secret}},
		"no signature":          {body, without("webhook-signature"), []string{secret}},
	} {
		if got, err := client.VerifyWebhook([]byte(c.body), c.header, c.secrets...); !errors.Is(err, client.ErrSignature) {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
	if _, err := client.VerifyWebhook([]byte("{"), delivery(t, "{", now, secret), secret); !errors.Is(err, client.ErrNotVault) {
		t.Errorf("a signed body that is no JSON: %v", err)
	}
}
