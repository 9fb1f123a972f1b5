package openai

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/vault"
)

// breaker is the circuit breaker of one endpoint. It opens when calls fail one after the other because the endpoint is
// unavailable. Then calls fail at once, without a request, until one call succeeds again. A refused request and an
// invalid answer are no failures: the endpoint answered.
type breaker struct {
	circuit *gobreaker.CircuitBreaker[struct{}]
}

func newBreaker(cfg llm.Config, endpoint llm.Endpoint) breaker {
	return breaker{gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
		MaxRequests: 1, // the probe
		Timeout:     cfg.BreakFor,
		ReadyToTrip: func(counts gobreaker.Counts) bool {
			return counts.ConsecutiveFailures >= uint32(cfg.BreakAfter) //nolint:gosec // checked by Config
		},
		IsSuccessful: func(err error) bool { return err == nil || vault.CodeOf(err) != vault.CodeUnavailable },
		IsExcluded: func(err error) bool {
			_, gone := errors.AsType[callerGone](err)
			return gone
		},
		OnStateChange: func(_ string, from, to gobreaker.State) {
			wasOpen, open := from != gobreaker.StateClosed, to != gobreaker.StateClosed
			if cfg.Circuit != nil && wasOpen != open {
				cfg.Circuit(endpoint, open)
			}
		},
	})}
}

// callerGone is the error of a call whose caller does not want the answer any more. It says nothing about the endpoint.
type callerGone struct{ err error }

func (c callerGone) Error() string { return c.err.Error() }

// do makes one call. caller is the context of the caller, without the time-out of the operation.
func (b breaker) do(caller context.Context, call func() error) error {
	_, err := b.circuit.Execute(func() (struct{}, error) {
		err := call()
		if err != nil && errors.Is(caller.Err(), context.Canceled) {
			err = callerGone{err}
		}
		return struct{}{}, err
	})
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		return vault.Unavailable(llm.Dependency, errors.New("its last calls failed; it is not called for some seconds"))
	}
	if gone, ok := errors.AsType[callerGone](err); ok {
		return gone.err
	}
	return err
}

// giveUpInTime is the middleware of each request: if the endpoint asks to wait longer than the operation has time, the
// SDK does not wait in vain.
func giveUpInTime(req *http.Request, next func(*http.Request) (*http.Response, error)) (*http.Response, error) {
	res, err := next(req)
	if err != nil {
		return res, err
	}
	deadline, limited := req.Context().Deadline()
	if wait, asked := retryAfter(res.Header, time.Now()); asked && limited && wait > time.Until(deadline) {
		res.Header.Set("X-Should-Retry", "false") // the SDK obeys it
	}
	return res, nil
}

// maxRetryAfter is longer than any operation, and short enough for a Duration.
const maxRetryAfter = 365 * 24 * time.Hour

// retryAfter returns how long a response asks to wait.
func retryAfter(header http.Header, now time.Time) (wait time.Duration, asked bool) {
	for _, h := range []struct {
		name string
		unit time.Duration
	}{{"Retry-After-Ms", time.Millisecond}, {"Retry-After", time.Second}} {
		n, err := strconv.ParseFloat(header.Get(h.name), 64)
		if n >= 0 && (err == nil || errors.Is(err, strconv.ErrRange)) {
			return time.Duration(min(n*float64(h.unit), float64(maxRetryAfter))), true
		}
	}
	at, err := http.ParseTime(header.Get("Retry-After"))
	return max(0, at.Sub(now)), err == nil
}
