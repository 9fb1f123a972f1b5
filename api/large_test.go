package api_test

import (
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/contextvault/contextvault/internal/testkit"
)

// A tenant reads one large body at a time. One that arrives slowly holds up its other large ones, and neither its small
// requests nor another tenant.
func TestLargeBody_OneOfATenant(t *testing.T) {
	t.Parallel()
	s := newService(t, kit)
	other := &service{Kit: kit, t: t, url: s.url, tenant: kit.Tenant(t), seen: map[string]map[int]bool{}}
	other.key, _ = other.newKey("read", "write")
	agent := testkit.ID()
	path := "/v1/agents/" + agent.String() + "/definitions/note"
	large := fmt.Sprintf(`{"value_type": "string", "description": "Notes"%*s}`, 70_000, "")

	body, sender := io.Pipe()
	slow := make(chan error, 1)
	go func() {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, s.url+path, body)
		if err != nil {
			slow <- err
			return
		}
		req.Header.Set("Authorization", "Bearer "+s.key)
		req.Header.Set("Content-Type", "application/json")
		res, err := http.DefaultClient.Do(req)
		if err == nil {
			_ = res.Body.Close()
			if res.StatusCode != http.StatusAccepted {
				err = fmt.Errorf("the slow body got %d", res.StatusCode)
			}
		}
		slow <- err
	}()
	if _, err := sender.Write([]byte(large[:10])); err != nil { // the server reads it
		t.Fatal(err)
	}
	other.change("PUT", path, large).want(200)
	s.change("PUT", path, `{"value_type": "string"}`).want(200)
	s.do("GET", path, "").want(200)
	if _, err := sender.Write([]byte(large[10:])); err != nil {
		t.Fatal(err)
	}
	_ = sender.Close()
	if err := <-slow; err != nil {
		t.Error(err)
	}
	for range 3 { // the turn is free again
		s.change("PUT", path, large).want(200)
	}
}
