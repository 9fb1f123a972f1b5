package attack

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/contextvault/contextvault/vault"
)

const (
	longValue   = 60_000    // bytes
	manyMembers = 400_000   // unknown members of a body, some 6 MB
	manyNames   = 1_000_000 // entries of a list
	longWrites  = 100       // long values of one import
	longImports = 3         // 18 MB
	jsonShare   = 1.5       // bytes of a page for a byte of its values, which may need escapes
)

// All returns the attacks.
func All() []Attack {
	return []Attack{
		{Name: "a regular expression that is large once compiled", Try: largePattern},
		{Name: "a regular expression at its limit and long values", Prepare: definePattern, Try: longForPattern},
		{Name: "an expensive condition over a large value", Prepare: requireExpensive, Try: evalExpensive},
		{Name: "a body with unknown members", Try: unknownMembers},
		{Name: "a list of a million names", Try: millionNames},
		{Name: "a thousand fields that no definition has", Try: undefinedFields},
		{Name: "fields beyond the limit of a customer", Undefined: true, Prepare: fillFields, Try: moreFields},
		{Name: "pages of large values", Prepare: writeVersions, Try: largePages},
		{Name: "a large profile", Undefined: true, Prepare: writeLong, Try: largeProfile},
		{Name: "the item id of another tenant", Try: foreignID},
		{Name: "a JSON value that is deep", Try: deepValue},
		// The last one: it holds back keys of this address that the API has not seen yet.
		{Name: "unknown keys", Try: unknownKey},
	}
}

func (c *Client) definition(name string) string {
	return "/v1/agents/" + c.agent.String() + "/definitions/" + name
}

func (c *Client) value(customer fmt.Stringer, name string) string {
	return "/v1/customers/" + customer.String() + "/values/" + name
}

// write is the body of a write.
func (c *Client) write(value string) string {
	return fmt.Sprintf(`{"agent_id": %q, "source": "user_provided", "value": %s}`, c.agent, value)
}

func largePattern(ctx context.Context, c *Client) error {
	for _, pattern := range []string{`((a{0,9}){0,9}){0,999}`, `(((x?){30}){30}){30}`, `[a-z]{1000}[^b]{1000}`} {
		body := fmt.Sprintf(`{"value_type": "string", "validation_regex": %q}`, pattern)
		if err := c.refused(ctx, http.MethodPut, c.definition("code"), body, "validation_regex"); err != nil {
			return err
		}
	}
	return nil
}

func definePattern(ctx context.Context, c *Client) error {
	return c.must(ctx, http.MethodPut, c.definition("code"),
		`{"value_type": "string", "validation_regex": "(?:[a-z]?){900}x", "validation_mode": "strict"}`)
}

func longForPattern(ctx context.Context, c *Client) error {
	long := `"` + strings.Repeat("a", longValue) + `"`
	return c.refused(ctx, http.MethodPut, c.value(newID(), "code"), c.write(long), "code")
}

// requireExpensive saves a condition whose evaluation exceeds its cost, and the large value that it reads.
func requireExpensive(ctx context.Context, c *Client) error {
	condition := `[1,2,3,4,5,6,7,8,9].all(a, [1,2,3,4,5,6,7,8,9].all(b, [1,2,3,4,5,6,7,8,9].all(c, ` +
		`[1,2,3,4,5,6,7,8,9].all(d, !(fields.text + 'b').contains('c')))))`
	for path, body := range map[string]string{
		c.definition("text"): `{"value_type": "string"}`, c.definition("plan"): `{"value_type": "string"}`,
		"/v1/agents/" + c.agent.String() + "/scenarios/" + c.scenario.String(): `{"name": "Expensive"}`,
	} {
		if err := c.must(ctx, http.MethodPut, path, body); err != nil {
			return err
		}
	}
	err := c.must(ctx, http.MethodPut, "/v1/scenarios/"+c.scenario.String()+"/requirements/plan",
		fmt.Sprintf(`{"required_level": "soft", "fallback_action": "skip", "when_condition": %q}`, condition))
	if err != nil {
		return err
	}
	return c.must(ctx, http.MethodPut, c.value(c.customer, "text"), c.write(`"`+strings.Repeat("a", longValue)+`"`))
}

func evalExpensive(ctx context.Context, c *Client) error {
	a, err := c.send(ctx, http.MethodGet,
		"/v1/customers/"+c.customer.String()+"/missing?scenario_id="+c.scenario.String(), "")
	switch {
	case err != nil || a.status == http.StatusTooManyRequests:
		return err
	case a.status != http.StatusOK || !strings.Contains(a.body, "limit") || a.bytes > maxErrorBytes:
		return fmt.Errorf("answered %d with %d bytes, want a warning that names the limit: %.300s", a.status, a.bytes, a.body)
	}
	return nil
}

func unknownMembers(ctx context.Context, c *Client) error {
	var b strings.Builder
	b.WriteString(`{"value_type": "string"`)
	for i := range manyMembers {
		fmt.Fprintf(&b, `,"member%d":1`, i)
	}
	b.WriteString("}")
	return c.refused(ctx, http.MethodPut, c.definition("plan"), b.String())
}

func millionNames(ctx context.Context, c *Client) error {
	names := strings.TrimSuffix(strings.Repeat(`"a",`, manyNames), ",")
	for _, r := range []struct{ method, path, body string }{
		{http.MethodPut, c.definition("plan"), `{"value_type": "string", "allowed_values": [` + names + `]}`},
		{
			http.MethodPut, "/v1/scenarios/" + newID().String() + "/requirements/plan",
			`{"required_level": "soft", "fallback_action": "skip", "depends_on": [` + names + `]}`,
		},
		{http.MethodPost, "/v1/import", `{"writes": [` + names + `]}`},
	} {
		if err := c.refused(ctx, r.method, r.path, r.body); err != nil {
			return err
		}
	}
	return nil
}

// imported is the body of an import of n writes. name and value return those of a write.
func (c *Client) imported(n int, name, value func(i int) string) string {
	writes := make([]string, n)
	for i := range writes {
		writes[i] = fmt.Sprintf(`{"agent_id": %q, "name": %q, "value": %s, "source": "user_provided"}`,
			c.agent, name(i), value(i))
	}
	return `{"writes": [` + strings.Join(writes, ",") + `]}`
}

func numbered(prefix string) func(int) string {
	return func(i int) string { return fmt.Sprint(prefix, i) }
}

func fixed(text string) func(int) string { return func(int) string { return text } }

// long returns long values, all different.
func long(i int) string { return fmt.Sprintf(`"%s%d"`, strings.Repeat("a", longValue), i) }

// undefinedFields sends fields that no definition has. In the mode strict the error lists some of them, otherwise they
// are stored.
func undefinedFields(ctx context.Context, c *Client) error {
	body := c.imported(vault.MaxImport, numbered("f"), fixed("1"))
	a, err := c.send(ctx, http.MethodPost, "/v1/customers/"+newID().String()+"/import", body)
	if err == nil && a.status != http.StatusOK && a.status != http.StatusTooManyRequests &&
		(a.status != http.StatusUnprocessableEntity || a.bytes > maxErrorBytes) {
		err = fmt.Errorf("answered %d with %d bytes: %.300s", a.status, a.bytes, a.body)
	}
	return err
}

func (c *Client) imports() string { return "/v1/customers/" + c.customer.String() + "/import" }

func fillFields(ctx context.Context, c *Client) error {
	return c.must(ctx, http.MethodPost, c.imports(), c.imported(vault.MaxFields, numbered("f"), fixed("1")))
}

func moreFields(ctx context.Context, c *Client) error {
	body := c.imported(vault.MaxImport, numbered("more"), fixed("1"))
	return c.refused(ctx, http.MethodPost, c.imports(), body, "1000 fields")
}

// writeLong gives a customer a profile that is too large for one answer.
func writeLong(ctx context.Context, c *Client) error {
	for i := range longImports {
		body := c.imported(longWrites, numbered(fmt.Sprintf("f%d_", i)), long)
		if err := c.must(ctx, http.MethodPost, c.imports(), body); err != nil {
			return err
		}
	}
	return nil
}

// writeVersions gives a customer a history of long values.
func writeVersions(ctx context.Context, c *Client) error {
	for range longImports {
		body := c.imported(longWrites, fixed("note"), long)
		if err := c.must(ctx, http.MethodPost, c.imports(), body); err != nil {
			return err
		}
	}
	return nil
}

func largePages(ctx context.Context, c *Client) error {
	history := "/v1/customers/" + c.customer.String() + "/history?limit="
	a, err := c.send(ctx, http.MethodGet, history+"500", "")
	switch {
	case err != nil || a.status == http.StatusTooManyRequests:
		return err
	case a.status != http.StatusOK || float64(a.bytes) > jsonShare*vault.MaxPageBytes:
		return fmt.Errorf("a page has %d bytes, status %d: %.300s", a.bytes, a.status, a.body)
	}
	return c.refused(ctx, http.MethodGet, history+"100000", "", "limit")
}

func largeProfile(ctx context.Context, c *Client) error {
	return c.refused(ctx, http.MethodGet, "/v1/customers/"+c.customer.String(), "", "limit")
}

func unknownKey(ctx context.Context, c *Client) error {
	stranger := "cv_" + strings.ReplaceAll(newID().String()+newID().String(), "-", "")[:len(c.Key)-len("cv_")]
	a, err := c.sendAs(ctx, stranger, http.MethodGet, "/v1/questions", "")
	if err == nil && a.status != http.StatusUnauthorized && a.status != http.StatusTooManyRequests {
		err = fmt.Errorf("an unknown key got %d", a.status)
	}
	return err
}

// foreignID chooses the id of another tenant's value. It is as good as an unused one the first time, and taken in this
// tenant afterwards.
func foreignID(ctx context.Context, c *Client) error {
	body := fmt.Sprintf(`{"agent_id": %q, "source": "user_provided", "value": 1, "item_id": %q}`, c.agent, c.Other)
	a, err := c.send(ctx, http.MethodPut, c.value(newID(), "note"), body)
	switch {
	case err != nil,
		slices.Contains([]int{http.StatusOK, http.StatusConflict, http.StatusTooManyRequests}, a.status):
		return err
	default:
		return fmt.Errorf("answered %d: %.300s", a.status, a.body)
	}
}

func deepValue(ctx context.Context, c *Client) error {
	deep := strings.Repeat("[", 30_000) + strings.Repeat("]", 30_000)
	return c.refused(ctx, http.MethodPut, c.value(newID(), "note"), c.write(deep))
}
