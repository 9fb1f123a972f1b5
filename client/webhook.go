package client

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/contextvault/contextvault/vault"
)

// ErrSignature says that a request is no delivery of the webhook: the signature is of another secret or content, or the
// request is too old.
var ErrSignature = errors.New("the signature of the webhook is not valid")

// MaxWebhookAge is the largest difference between the time of a delivery and the clock of the receiver. An older
// request can be a repeat by somebody else.
const MaxWebhookAge = 5 * time.Minute

// WebhookMessage is the body of a delivery.
type WebhookMessage struct {
	// ID is the header webhook-id. It is the same for each attempt: a receiver recognises a repeat by it.
	ID        string    `json:"-"`
	Type      string    `json:"type"` // a vault.EventType, or webhook.test
	Timestamp time.Time `json:"timestamp"`
	// Data is the event; nil: the delivery is a test.
	Data *vault.FeedEvent `json:"data"`
}

// VerifyWebhook checks the signature of a delivery by the convention Standard Webhooks, and returns its message. body
// is the body of the request as it arrived. While a secret is replaced, a receiver can pass both. Errors: ErrSignature.
func VerifyWebhook(body []byte, header http.Header, secrets ...string) (WebhookMessage, error) {
	id, sent := header.Get("Webhook-Id"), header.Get("Webhook-Timestamp")
	seconds, err := strconv.ParseInt(sent, 10, 64)
	if err != nil || id == "" || time.Since(time.Unix(seconds, 0)).Abs() > MaxWebhookAge {
		return WebhookMessage{}, ErrSignature
	}
	signed := false
	for _, secret := range secrets {
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
		if err != nil || len(key) == 0 {
			return WebhookMessage{}, ErrSignature
		}
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(id + "." + sent + "."))
		mac.Write(body)
		want := []byte("v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)))
		for _, got := range strings.Fields(header.Get("Webhook-Signature")) {
			signed = signed || hmac.Equal([]byte(got), want)
		}
	}
	if !signed {
		return WebhookMessage{}, ErrSignature
	}
	out := WebhookMessage{ID: id}
	if json.Unmarshal(body, &out) != nil { // the cause could quote a value
		return WebhookMessage{}, ErrNotVault
	}
	return out, nil
}
