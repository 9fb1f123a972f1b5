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
	// requestTimeout bounds a request with its retries, beside the time that it waits for an outcome: what the server itself
	// allows a request.
	requestTimeout = 30 * time.Second
	// maxAnswer bounds an answer: a page of 500 values of 64 KiB, twice over.
	maxAnswer = 64 << 20
	// How a request that was turned away is made again, where the server does not say when: after 0.2, 0.4, 0.8 and 1.6 seconds.
	retries    = 4
	firstRetry = 200 * time.Millisecond
	lastRetry  = 5 * time.Second
)

// Options say where the vault is, and who calls.
type Options struct {
	// Server is the address of the API, such as https://vault.example.com.
	Server string
	// Key is the API key (`vault keys create`), or the operator's admin token.
	Key string
	// Tenant is for an operator: the tenant that is meant. A key has its own, whatever is given here.
	Tenant uuid.UUID
	// Transport makes the requests. nil: http.DefaultTransport.
	Transport http.RoundTripper
}

// Client speaks to one vault with one key. It is safe for concurrent use.
type Client struct {
	server  string // without a slash at its end
	options Options
	http    *http.Client
	repeat  *retryablehttp.Client // for what may be done twice
	once    *retryablehttp.Client // for what may not
}

// New makes a client. It makes no request.
func New(o Options) (*Client, error) {
	u, err := url.Parse(o.Server)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "":
		return nil, vault.Invalid("server", "%q is not the address of a vault, such as http://localhost:8000", o.Server)
	case u.User != nil:
		return nil, vault.Invalid("server", "holds a user or a password; the key is all that is needed")
	case strings.ContainsFunc(o.Key, func(r rune) bool { return r <= ' ' || r > '~' }):
		return nil, vault.Invalid("key", "holds a space, a line break or another character that no key has")
	}
	c := &Client{server: strings.TrimRight(o.Server, "/"), options: o}
	c.http = &http.Client{
		Transport:     o.Transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // the API has none: it is not the API
	}
	c.repeat, c.once = c.retrying(true), c.retrying(false)
	return c, nil
}

func (c *Client) retrying(repeatable bool) *retryablehttp.Client {
	return &retryablehttp.Client{
		HTTPClient: c.http, RetryMax: retries, RetryWaitMin: firstRetry, RetryWaitMax: lastRetry,
		Backoff:      retryablehttp.DefaultBackoff, // as Retry-After says
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
				return res.StatusCode == http.StatusTooManyRequests || repeatable && res.StatusCode == http.StatusServiceUnavailable, nil
			}
		},
	}
}

// request is what is asked of the API.
type request struct {
	method string
	path   string
	query  url.Values
	body   any // nil: none
	header http.Header
	wait   time.Duration // how long the server waits for an outcome
	once   bool          // it must not be made twice
}

// path makes a path of its parts.
func path(parts ...any) string {
	var b strings.Builder
	for _, part := range parts {
		b.WriteByte('/')
		b.WriteString(url.PathEscape(fmt.Sprint(part)))
	}
	return b.String()
}

// get reads one thing.
func get[T any](ctx context.Context, c *Client, path string, query url.Values) (T, error) {
	var out T
	return out, c.do(ctx, request{method: http.MethodGet, path: path, query: query}, &out)
}

// do makes a request and decodes its answer. Another status than 2xx is a *Problem.
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
		return fmt.Errorf("%w: %s answered %d with something else than the JSON that was expected", ErrNotVault, c.server, got.status)
	}
	return nil
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) json() bool {
	kind, _, err := mime.ParseMediaType(a.header.Get("Content-Type"))
	return err == nil && (kind == "application/json" || kind == "application/problem+json")
}

// send makes a request and reads its answer whole.
func (c *Client) send(ctx context.Context, r request) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout+r.wait)
	defer cancel()
	if strings.Contains(r.path, "//") || strings.HasSuffix(r.path, "/") {
		return answer{}, vault.Invalid("name", "is required: the name of the field")
	}
	var body []byte
	if r.body != nil {
		var err error
		if body, err = json.Marshal(r.body); err != nil {
			return answer{}, vault.Invalid("", "the input cannot be encoded: a value in it is not valid JSON") // the cause could quote it
		}
	}
	req, err := retryablehttp.NewRequestWithContext(ctx, r.method, c.server+r.path, body)
	if err != nil {
		return answer{}, errors.New("make the request: " + without(err).Error())
	}
	if r.query != nil {
		req.URL.RawQuery = r.query.Encode()
	}
	for name, values := range r.header {
		req.Header[name] = values
	}
	req.Header.Set("Accept", "application/json")
	if r.body != nil {
		req.Header.Set("Content-Type", "application/json")
	} else {
		req.Body = nil
	}
	if c.options.Key != "" {
		req.Header.Set("Authorization", "Bearer "+c.options.Key)
	}
	if c.options.Tenant != uuid.Nil {
		req.Header.Set("X-Tenant", c.options.Tenant.String())
	}
	doer := c.repeat
	if r.once {
		doer = c.once
	}
	res, err := doer.Do(req)
	if err != nil {
		return answer{}, c.unreachable(ctx, err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	switch {
	case err != nil:
		return answer{}, c.unreachable(ctx, err)
	case len(text) > maxAnswer:
		return answer{}, fmt.Errorf("%w: the answer is larger than %d bytes", ErrNotVault, maxAnswer)
	}
	return answer{res.StatusCode, res.Header, text}, nil
}

// unreachable says that there is no answer, without the path of the request.
func (c *Client) unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%w at %s in time: %w", ErrUnreachable, c.server, ctx.Err())
	}
	return fmt.Errorf("%w at %s: %w", ErrUnreachable, c.server, without(err))
}

// without takes the URL off an error.
func without(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}
