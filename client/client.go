package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/go-retryablehttp"

	"github.com/contextvault/contextvault/vault"
)

const (
	// requestTimeout is the maximum duration of a request with its retries, in addition to its wait for an outcome. It is
	// the default time-out of the server.
	requestTimeout = 30 * time.Second
	// maxResponse is the maximum size of a response: twice a page of 500 values of 64 KiB.
	maxResponse = 64 << 20
	// Without Retry-After, the client retries after 0.2, 0.4, 0.8 and 1.6 seconds.
	retries    = 4
	firstRetry = 200 * time.Millisecond
	lastRetry  = 5 * time.Second
)

// Options configure a Client.
type Options struct {
	// Server is the address of the API, such as https://vault.example.com.
	Server string
	// Key is an API key (`vault keys create`), or the admin token of the operator.
	Key string
	// Tenant is the tenant for the admin token. An API key ignores it: the key has a tenant.
	Tenant uuid.UUID
	// Purpose is the purpose of the reads, such as support. Empty: that of the key.
	Purpose string
	// OnWithheld is called after each answer that leaves out values, with their fields and the reasons. A method that
	// lists returns the entries alone, and says so nowhere else. It can be called concurrently. nil: nothing is called.
	OnWithheld func([]vault.Withheld)
	// Transport sends the requests. nil: http.DefaultTransport.
	Transport http.RoundTripper
}

// Client calls one vault with one key. It is safe for concurrent use.
type Client struct {
	server  string // without a slash at its end
	options Options
	http    *http.Client
	repeat  *retryablehttp.Client // for requests that are safe to repeat
	once    *retryablehttp.Client // for all others
}

// New creates a client. It sends no request.
func New(o Options) (*Client, error) {
	u, err := url.Parse(o.Server)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "":
		return nil, vault.Invalid("server", "%q is not the address of a vault, such as http://localhost:8000", o.Server)
	case u.User != nil:
		return nil, vault.Invalid("server", "contains a user or a password; remove them and use the key")
	case strings.ContainsFunc(o.Key, func(r rune) bool { return r <= ' ' || r > '~' }):
		return nil, vault.Invalid("key", "contains a space, a line break or another invalid character")
	}
	c := &Client{server: strings.TrimRight(o.Server, "/"), options: o}
	c.http = &http.Client{
		Transport: o.Transport,
		// The API has no redirects: a server with redirects is not the API.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	c.repeat, c.once = c.retrying(true), c.retrying(false)
	return c, nil
}

func (c *Client) retrying(repeatable bool) *retryablehttp.Client {
	return &retryablehttp.Client{
		HTTPClient: c.http, RetryMax: retries, RetryWaitMin: firstRetry, RetryWaitMax: lastRetry,
		Backoff:      retryablehttp.DefaultBackoff, // honours Retry-After
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
		CheckRetry: func(ctx context.Context, res *http.Response, err error) (bool, error) {
			switch {
			case ctx.Err() != nil:
				return false, ctx.Err()
			case err != nil:
				if !repeatable {
					return false, err
				}
				return retryablehttp.DefaultRetryPolicy(ctx, nil, err)
			default:
				return res.StatusCode == http.StatusTooManyRequests ||
					repeatable && res.StatusCode == http.StatusServiceUnavailable, nil
			}
		},
	}
}

// request is a request to the API.
type request struct {
	method string
	path   string
	query  url.Values
	body   any // nil: none
	header http.Header
	wait   time.Duration // time for which the server waits for an outcome
	once   bool          // not safe to repeat
	into   io.Writer     // receives the body of a successful response, of any size; nil: it is decoded
}

// path joins and escapes the parts of a path.
func path(parts ...any) string {
	var b strings.Builder
	for _, part := range parts {
		b.WriteByte('/')
		b.WriteString(url.PathEscape(fmt.Sprint(part)))
	}
	return b.String()
}

// get sends a GET request.
func get[T any](ctx context.Context, c *Client, path string, query url.Values) (T, error) {
	var out T
	return out, c.do(ctx, request{method: http.MethodGet, path: path, query: query}, &out)
}

// do sends a request and decodes the response. A status other than 2xx is a *Problem.
func (c *Client) do(ctx context.Context, r request, into any) error {
	got, err := c.send(ctx, r)
	if err != nil {
		return err
	}
	if got.status < 200 || got.status > 299 {
		return problemOf(got)
	}
	if into == nil {
		return nil
	}
	if !got.json() || json.Unmarshal(got.body, into) != nil { // the cause could quote a value
		return fmt.Errorf("%w: the response of %s with status %d is not the expected JSON", ErrNotVault, c.server, got.status)
	}
	c.noteWithheld(got.body)
	return nil
}

// noteWithheld tells the caller what a response says that it leaves out.
func (c *Client) noteWithheld(body []byte) {
	var leftOut struct {
		Withheld []vault.Withheld `json:"withheld"`
	}
	if c.options.OnWithheld != nil && json.Unmarshal(body, &leftOut) == nil && len(leftOut.Withheld) > 0 {
		c.options.OnWithheld(leftOut.Withheld)
	}
}

// response is the response to a request.
type response struct {
	status int
	header http.Header
	body   []byte
}

func (r response) json() bool {
	kind, _, err := mime.ParseMediaType(r.header.Get("Content-Type"))
	return err == nil && (kind == "application/json" || kind == "application/problem+json")
}

// send makes a request and reads its answer whole.
func (c *Client) send(ctx context.Context, r request) (response, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout+r.wait)
	defer cancel()
	if strings.Contains(r.path, "//") || strings.HasSuffix(r.path, "/") {
		return response{}, vault.Invalid("name", "is required: the name of the field")
	}
	var body []byte
	if r.body != nil {
		var err error
		if body, err = json.Marshal(r.body); err != nil {
			// The cause could quote the value.
			return response{}, vault.Invalid("", "the input cannot be encoded: a value in it is not valid JSON")
		}
	}
	req, err := retryablehttp.NewRequestWithContext(ctx, r.method, c.server+r.path, body)
	if err != nil {
		return response{}, errors.New("create the request: " + withoutURL(err).Error())
	}
	if r.query != nil {
		req.URL.RawQuery = r.query.Encode()
	}
	for name, values := range r.header {
		req.Header[name] = values
	}
	if r.into == nil {
		req.Header.Set("Accept", "application/json")
	}
	if r.body != nil {
		req.Header.Set("Content-Type", "application/json")
	} else {
		req.Body = nil
	}
	c.identify(req.Header)
	doer := c.repeat
	if r.once {
		doer = c.once
	}
	res, err := doer.Do(req)
	if err != nil {
		return response{}, c.unreachable(ctx, err)
	}
	defer res.Body.Close()
	if r.into != nil && res.StatusCode == http.StatusOK {
		if _, err := io.Copy(r.into, res.Body); err != nil {
			return response{}, c.unreachable(ctx, err)
		}
		return response{res.StatusCode, res.Header, nil}, nil
	}
	text, err := io.ReadAll(io.LimitReader(res.Body, maxResponse+1))
	switch {
	case err != nil:
		return response{}, c.unreachable(ctx, err)
	case len(text) > maxResponse:
		return response{}, fmt.Errorf("%w: the response is larger than %d bytes", ErrNotVault, maxResponse)
	}
	return response{res.StatusCode, res.Header, text}, nil
}

// identify sets the headers that say who asks, and what for.
func (c *Client) identify(h http.Header) {
	if c.options.Key != "" {
		h.Set("Authorization", "Bearer "+c.options.Key)
	}
	if c.options.Tenant != uuid.Nil {
		h.Set("X-Tenant", c.options.Tenant.String())
	}
	if c.options.Purpose != "" {
		h.Set("Vault-Purpose", c.options.Purpose)
	}
}

// unreachable returns the error of a request without a response. It omits the path, which holds ids and names.
func (c *Client) unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%w at %s in time: %w", ErrUnreachable, c.server, ctx.Err())
	}
	return fmt.Errorf("%w at %s: %w", ErrUnreachable, c.server, withoutURL(err))
}

// withoutURL removes the URL from an error.
func withoutURL(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}
