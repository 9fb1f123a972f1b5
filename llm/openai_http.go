package llm

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

	"github.com/openai/openai-go/v3"

	"github.com/contextvault/contextvault/vault"
)

// dependency is what errors call the model.
const dependency = "language model"

// maxResponseBytes bounds one response: a batch of embeddings is 2 MB, an answer of maxCompletionTokens is less.
const maxResponseBytes = 8 << 20

var errTooLarge = errors.New("the response is too large")

// boundedTransport fails the reading of a response beyond maxResponseBytes, so that an endless one ends.
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

// worked reports whether the endpoint may have worked on a request that has no whole answer, and so charges for it: one that took too
// long, or whose answer was lost or cut. One that refused a request, or was not reached, did not.
func worked(err error) bool {
	if _, ok := errors.AsType[*openai.Error](err); ok {
		return false
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno != syscall.ECONNREFUSED && errno != syscall.EHOSTUNREACH && errno != syscall.ENETUNREACH
	}
	_, unknown := errors.AsType[*net.DNSError](err)
	return !unknown
}

// errorType is what the type of an API error looks like. Anything else may be an echo of the prompt.
var errorType = regexp.MustCompile(`^[a-z][a-z_]{0,39}$`)

// classify turns an error of the SDK into one of the vault's. It takes over nothing that the server wrote but the status and
// the error type: a body may echo the prompt. It takes over no address either, since a base URL may hold a key.
func classify(ctx context.Context, timeout time.Duration, err error) error {
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return vault.Unavailable(dependency, fmt.Errorf("no answer within %v", timeout))
	case ctx.Err() != nil:
		return vault.Unavailable(dependency, ctx.Err())
	case errors.Is(err, errTooLarge):
		return vault.Unavailable(dependency, fmt.Errorf("its response is larger than %d MiB", maxResponseBytes>>20))
	}
	if api, ok := errors.AsType[*openai.Error](err); ok {
		return classifyStatus(api)
	}
	if reason := transportReason(err); reason != "" {
		return vault.Unavailable(dependency, errors.New(reason))
	}
	return vault.Unavailable(dependency, errors.New("its response is not one of the OpenAI protocol"))
}

func classifyStatus(api *openai.Error) error {
	status := fmt.Sprintf("%d %s", api.StatusCode, http.StatusText(api.StatusCode))
	if errorType.MatchString(api.Type) {
		status += " (" + api.Type + ")"
	}
	switch api.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		return &vault.Error{Code: vault.CodeNotAllowed, Message: dependency + " refused the key: " + status + "; check the API key and what it may use"}
	case http.StatusRequestTimeout, http.StatusConflict, http.StatusTooEarly, http.StatusTooManyRequests:
		return vault.Unavailable(dependency, errors.New(status))
	}
	if api.StatusCode < http.StatusInternalServerError {
		return &vault.Error{Code: vault.CodeInvalid, Message: dependency + " refused the request: " + status + "; check the base URL, the model and what it supports"}
	}
	return vault.Unavailable(dependency, errors.New(status))
}

// transportReason says why there was no response, or "" where there was one.
func transportReason(err error) string {
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno.Error()
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return "its host name is not known"
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return "the connection failed"
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return "the connection was lost"
	}
	return ""
}
