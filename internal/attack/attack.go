// Package attack sends what one tenant could send over HTTP to hold up the others, and checks that each attempt is
// refused, or that its answer is bounded. A test and a benchmark use it.
//
//   - attack.go: the attacker;
//   - attacks.go: what it tries.
package attack

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/google/uuid"
)

const (
	// maxErrorBytes is the maximum size of the answer to a refused request.
	maxErrorBytes = 32 << 10
	// keptBytes of each answer are kept. The rest is counted.
	keptBytes = 64 << 10
)

// Client sends the requests of one tenant.
type Client struct {
	URL string // of the API
	Key string // may write and read
	// Other is the id of a value of another tenant.
	Other uuid.UUID

	agent, customer, scenario uuid.UUID
}

// Attack is one kind of attempt.
type Attack struct {
	Name string
	// Undefined reports that the attack stores fields without a definition, which the validation mode strict refuses.
	Undefined bool
	// Prepare makes what Try needs. nil: nothing.
	Prepare func(ctx context.Context, c *Client) error
	// Try attempts once. It returns an error if the attempt is neither refused nor bounded.
	Try func(ctx context.Context, c *Client) error
}

// Start returns the attacker of one attack, prepared. Its agent has the definition note, of any JSON value.
func (a Attack) Start(ctx context.Context, c Client) (*Client, error) {
	c.agent, c.customer, c.scenario = newID(), newID(), newID()
	if err := c.must(ctx, http.MethodPut, c.definition("note"), `{"value_type": "json"}`); err != nil {
		return nil, err
	}
	if a.Prepare != nil {
		if err := a.Prepare(ctx, &c); err != nil {
			return nil, fmt.Errorf("prepare %s: %w", a.Name, err)
		}
	}
	return &c, nil
}

// answer is a response of the API.
type answer struct {
	status int
	bytes  int    // of the body
	body   string // its beginning
}

// send sends a request. A change waits for its outcome.
func (c *Client) send(ctx context.Context, method, path, body string) (answer, error) {
	return c.sendAs(ctx, c.Key, method, path, body)
}

func (c *Client) sendAs(ctx context.Context, key, method, path, body string) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.URL+path, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Authorization", "Bearer "+key)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if method != http.MethodGet {
		req.Header.Set("Prefer", "wait=60")
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	kept, err := io.ReadAll(io.LimitReader(res.Body, keptBytes))
	if err != nil {
		return answer{}, err
	}
	rest, err := io.Copy(io.Discard, res.Body)
	return answer{status: res.StatusCode, bytes: len(kept) + int(rest), body: string(kept)}, err
}

// must sends a request that must succeed.
func (c *Client) must(ctx context.Context, method, path, body string) error {
	a, err := c.send(ctx, method, path, body)
	if err == nil && a.status != http.StatusOK {
		err = fmt.Errorf("%s answered %d: %.300s", method, a.status, a.body)
	}
	return err
}

// refused sends a request that must be refused by a short error that has all of the texts. An answer 429 also counts:
// the rate limit came first.
func (c *Client) refused(ctx context.Context, method, path, body string, texts ...string) error {
	a, err := c.send(ctx, method, path, body)
	switch {
	case err != nil:
		return err
	case a.status == http.StatusTooManyRequests:
		return nil
	case a.status < 400 || a.status >= 500:
		return fmt.Errorf("%s answered %d, want an error of the caller: %.300s", method, a.status, a.body)
	case a.bytes > maxErrorBytes:
		return fmt.Errorf("the error has %d bytes, over %d", a.bytes, maxErrorBytes)
	}
	for _, text := range texts {
		if !strings.Contains(a.body, text) {
			return fmt.Errorf("the error does not name %s: %.500s", text, a.body)
		}
	}
	return nil
}

func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }
