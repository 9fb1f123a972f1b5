package openai

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/vault"
)

// asksToWait answers 429 with a header.
func asksToWait(name, value string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set(name, value)
		writeJSON(w, http.StatusTooManyRequests, map[string]any{"error": map[string]any{"type": "rate_limit_exceeded"}})
	}
}

// An operation does not wait for an endpoint that asks to wait longer than the operation may take.
func TestModel_RetryAfter(t *testing.T) {
	for name, c := range map[string]struct {
		header, value string
		requests      int
		says          string
	}{
		"a minute":            {"Retry-After", "60", 1, "it asks to retry after 1m0s"},
		"a fraction":          {"Retry-After", "60.5", 1, "it asks to retry after"},
		"a year":              {"Retry-After", "99999999999999999999", 1, "it asks to retry after 8760h0m0s"},
		"beyond all numbers":  {"Retry-After", "1e999", 1, "it asks to retry after 8760h0m0s"},
		"milliseconds":        {"Retry-After-Ms", "60000", 1, "it asks to retry after 1m0s"},
		"a date":              {"Retry-After", time.Now().Add(time.Hour).UTC().Format(http.TimeFormat), 1, "it asks to retry after"},
		"at once":             {"Retry-After", "0", 2, ""},
		"a moment":            {"Retry-After-Ms", "1", 2, ""},
		"a date that is past": {"Retry-After", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat), 2, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEndpoint(t, asksToWait(c.header, c.value), says(goodValues))
			m, usages := e.model(t, nil)
			_, err := m.ExtractValues(t.Context(), extractRequest())
			if (err == nil) != (c.says == "") || len(e.seen()) != c.requests {
				t.Fatalf("%d requests, %v", len(e.seen()), err)
			}
			if err != nil && (vault.CodeOf(err) != vault.CodeUnavailable || !strings.Contains(err.Error(), c.says) ||
				(*usages)[0].Outcome != llm.OutcomeUnavailable) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestModel_RetryAfterForEmbeddings(t *testing.T) {
	e := newEndpoint(t, asksToWait("Retry-After", "60"))
	m, _ := e.model(t, nil)
	if _, err := m.Embed(t.Context(), []string{"a"}); vault.CodeOf(err) != vault.CodeUnavailable || len(e.seen()) != 1 {
		t.Errorf("%d requests, %v", len(e.seen()), err)
	}
}

// broken returns a model that never retries, and the changes of its circuit breakers.
func broken(t *testing.T, e *endpoint, change func(*llm.Config)) (llm.Model, *[]string) {
	t.Helper()
	changes := &[]string{}
	m, _ := e.model(t, func(c *llm.Config) {
		c.MaxRetries, c.BreakFor = -1, time.Hour
		c.Circuit = func(endpoint llm.Endpoint, open bool) {
			*changes = append(*changes, fmt.Sprintf("%s %t", endpoint, open))
		}
		if change != nil {
			change(c)
		}
	})
	return m, changes
}

func TestBreaker_OpensAfterFailuresInARow(t *testing.T) {
	silent := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	lost := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	page := func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html></html>")) }
	for name, fault := range map[string]http.HandlerFunc{
		"silence": silent, "429": asksToWait("Retry-After", "60"), "429 without a time": fails(429, "rate_limit_exceeded"),
		"500": fails(500, "server_error"), "503": fails(503, "server_error"), "lost": lost, "a page": page,
	} {
		t.Run(name, func(t *testing.T) {
			e := newEndpoint(t, fault, fault, says(goodValues), fault, fault, fault, says(goodValues))
			m, changes := broken(t, e, func(c *llm.Config) { c.Timeout = 300 * time.Millisecond })
			for i := range 6 {
				if _, err := m.ExtractValues(t.Context(), extractRequest()); (err == nil) != (i == 2) {
					t.Fatalf("call %d: %v", i, err)
				}
			}
			for range 20 {
				var usage []llm.Usage
				ctx := llm.WithUsage(t.Context(), func(u llm.Usage) { usage = append(usage, u) })
				_, err := m.ExtractValues(ctx, extractRequest())
				if vault.CodeOf(err) != vault.CodeUnavailable || !strings.Contains(err.Error(), "its last calls failed") {
					t.Fatalf("got %v", err)
				}
				if len(usage) != 1 || usage[0].Calls != 0 || usage[0].Outcome != llm.OutcomeUnavailable ||
					usage[0].PromptTokens != 0 {
					t.Fatalf("usage %+v", usage)
				}
			}
			if n := len(e.seen()); n != 6 {
				t.Errorf("%d requests", n)
			}
			if diff := cmp.Diff([]string{"chat true"}, *changes); diff != "" {
				t.Error(diff)
			}
			if _, err := m.Embed(t.Context(), []string{"a"}); err != nil && strings.Contains(err.Error(), "last calls") {
				t.Errorf("embeddings share the circuit breaker of the chat: %v", err)
			}
		})
	}
}

// After a while one call passes. If it succeeds, all do.
func TestBreaker_Recovers(t *testing.T) {
	fault := fails(503, "server_error")
	e := newEndpoint(t, fault, fault, fault, fault, says(goodValues))
	m, changes := broken(t, e, func(c *llm.Config) { c.BreakFor = time.Millisecond })
	for deadline := time.Now().Add(time.Minute); len(e.seen()) < 7; {
		_, _ = m.ExtractValues(t.Context(), extractRequest())
		if time.Now().After(deadline) {
			t.Fatalf("%d requests", len(e.seen()))
		}
	}
	if diff := cmp.Diff([]string{"chat true", "chat false"}, *changes); diff != "" {
		t.Error(diff)
	}
}

// An endpoint that answers is available, whatever it answers. A caller that leaves says nothing about it.
func TestBreaker_OtherErrorsDoNotOpenIt(t *testing.T) {
	for name, fault := range map[string]http.HandlerFunc{
		"400": fails(400, "invalid_request_error"), "401": fails(401, "invalid_request_error"),
		"invalid": says("nonsense"), "refused": completion(map[string]any{"role": "assistant", "refusal": "no"}, "stop"),
	} {
		e := newEndpoint(t, fault)
		m, changes := broken(t, e, nil)
		for i := range 10 {
			before := len(e.seen())
			_, err := m.ExtractValues(t.Context(), extractRequest())
			if err == nil || len(e.seen()) == before {
				t.Fatalf("%s: call %d made no request, %v", name, i, err)
			}
		}
		if len(*changes) > 0 {
			t.Errorf("%s: %v", name, *changes)
		}
	}
	arrived := make(chan struct{})
	e := newEndpoint(t, func(_ http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		<-r.Context().Done()
	})
	m, changes := broken(t, e, nil)
	for range 10 {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() {
			_, err := m.ExtractValues(ctx, extractRequest())
			done <- err
		}()
		<-arrived
		cancel()
		if err := <-done; vault.CodeOf(err) != vault.CodeUnavailable {
			t.Fatalf("got %v", err)
		}
	}
	if len(*changes) > 0 {
		t.Errorf("after callers left: %v", *changes)
	}
}
