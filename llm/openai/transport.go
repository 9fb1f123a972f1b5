package openai

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"syscall"
	"time"

	sdk "github.com/openai/openai-go/v3"

	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/vault"
)

// maxResponseBytes limits one response. A batch of embeddings has 2 MB, a completion less.
const maxResponseBytes = 8 << 20

var errTooLarge = errors.New("the response is too large")

// boundedTransport fails a response that is larger than maxResponseBytes.
type boundedTransport struct{ next http.RoundTripper }

func (t boundedTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	next := t.next
	if next == nil {
		next = http.DefaultTransport
	}
	res, err := next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	res.Body = &boundedBody{ReadCloser: res.Body, left: maxResponseBytes}
	return res, nil
}

type boundedBody struct {
	io.ReadCloser
	left int64
}

func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLarge
	}
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.ReadCloser.Read(p)
	b.left -= int64(n)
	return n, err
}

// mayCharge reports whether the endpoint may charge for a request that failed with err: it does for a timeout and for
// a lost or truncated response, but not if it rejected the request or could not be reached.
func mayCharge(err error) bool {
	if _, ok := errors.AsType[*sdk.Error](err); ok {
		return false
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno != syscall.ECONNREFUSED && errno != syscall.EHOSTUNREACH && errno != syscall.ENETUNREACH
	}
	_, unknown := errors.AsType[*net.DNSError](err)
	return !unknown
}

// errorType matches the error types of the API. Other text in their place may be an echo of the prompt.
var errorType = regexp.MustCompile(`^[a-z][a-z_]{0,39}$`)

// classify turns an error of the SDK into a *vault.Error. It copies only the status and the error type from the
// response, because a body may echo the prompt. It copies no address, because a base URL may contain a key.
func classify(ctx context.Context, timeout time.Duration, err error) error {
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return vault.Unavailable(llm.Dependency, fmt.Errorf("no answer within %v", timeout))
	case ctx.Err() != nil:
		return vault.Unavailable(llm.Dependency, ctx.Err())
	case errors.Is(err, errTooLarge):
		return vault.Unavailable(llm.Dependency, fmt.Errorf("its response is larger than %d MiB", maxResponseBytes>>20))
	}
	if api, ok := errors.AsType[*sdk.Error](err); ok {
		return classifyStatus(api)
	}
	if reason := transportReason(err); reason != "" {
		return vault.Unavailable(llm.Dependency, errors.New(reason))
	}
	return vault.Unavailable(llm.Dependency, errors.New("its response does not follow the OpenAI protocol"))
}

func classifyStatus(api *sdk.Error) error {
	status := fmt.Sprintf("%d %s", api.StatusCode, http.StatusText(api.StatusCode))
	if errorType.MatchString(api.Type) {
		status += " (" + api.Type + ")"
	}
	if api.Response != nil {
		if wait, asked := retryAfter(api.Response.Header, time.Now()); asked && wait >= time.Second {
			status += fmt.Sprintf("; it asks to retry after %v", wait.Round(time.Second))
		}
	}
	switch api.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		return &vault.Error{
			Code:    vault.CodeNotAllowed,
			Message: llm.Dependency + " refused the key: " + status + "; check the API key and its permissions",
		}
	case http.StatusRequestTimeout, http.StatusConflict, http.StatusTooEarly, http.StatusTooManyRequests:
		return vault.Unavailable(llm.Dependency, errors.New(status))
	}
	if api.StatusCode < http.StatusInternalServerError {
		return &vault.Error{
			Code:    vault.CodeInvalid,
			Message: llm.Dependency + " refused the request: " + status + "; check the base URL, the model and its features",
		}
	}
	return vault.Unavailable(llm.Dependency, errors.New(status))
}

// transportReason returns the reason that no response came, "" if one came.
func transportReason(err error) string {
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno.Error()
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return "its host name is unknown"
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return "the connection failed"
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return "the connection was lost"
	}
	return ""
}
