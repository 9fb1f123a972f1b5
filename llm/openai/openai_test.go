package openai

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/llm/llmtest"
	"github.com/contextvault/contextvault/vault"
)

const testKey = "sk-test-0123456789abcdef"

// endpoint is a fake server. It answers each request with the next of its answers, and repeats the last one.
type endpoint struct {
	*httptest.Server
	answers []http.HandlerFunc

	mu       sync.Mutex
	requests []request
}

// request is a request to the endpoint.
type request struct {
	path, authorization string
	body                struct {
		Model      string
		Messages   []struct{ Role, Content string }
		Input      []string
		Dimensions int
		Format     struct {
			Type   string
			Schema struct {
				Name   string
				Strict bool
				Schema map[string]any
			} `json:"json_schema"`
		} `json:"response_format"`
	}
}

func newEndpoint(t *testing.T, answers ...http.HandlerFunc) *endpoint {
	e := &endpoint{answers: answers}
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		req := request{path: r.URL.Path, authorization: r.Header.Get("Authorization")}
		if err := json.Unmarshal(raw, &req.body); err != nil {
			t.Errorf("the request is not JSON: %v", err)
		}
		e.mu.Lock()
		answer := e.answers[min(len(e.requests), len(e.answers)-1)]
		e.requests = append(e.requests, req)
		e.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(func() {
		e.CloseClientConnections()
		e.Close()
	})
	return e
}

func (e *endpoint) seen() []request {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.requests
}

// model returns a model that calls the endpoint, and the usage that its operations report.
func (e *endpoint) model(t *testing.T, change func(*llm.Config)) (m llm.Model, usages *[]llm.Usage) {
	t.Helper()
	usages = &[]llm.Usage{}
	cfg := llm.Config{
		Provider: llm.ProviderOpenAI, APIKey: testKey, BaseURL: e.URL + "/v1", Timeout: 20 * time.Second,
		Usage: func(u llm.Usage) { *usages = append(*usages, u) },
	}
	if change != nil {
		change(&cfg)
	}
	m, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return m, usages
}

// says answers with a chat completion, in the shape of the API.
func says(content string) http.HandlerFunc { return finishes(content, "stop") }

func finishes(content, reason string) http.HandlerFunc {
	return completion(
		map[string]any{"role": "assistant", "content": content, "refusal": nil, "annotations": []any{}},
		reason,
	)
}

func completion(message map[string]any, reason string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]any{
			"id":      "chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6PeG",
			"object":  "chat.completion",
			"created": 1741570283,
			"model":   "gpt-4.1-mini-2025-04-14",
			"choices": []any{map[string]any{"index": 0, "message": message, "logprobs": nil, "finish_reason": reason}},
			"usage": map[string]any{
				"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120,
				"prompt_tokens_details":     map[string]any{"cached_tokens": 0, "audio_tokens": 0},
				"completion_tokens_details": map[string]any{"reasoning_tokens": 0, "audio_tokens": 0},
			},
			"service_tier":       "default",
			"system_fingerprint": "fp_fc9f1d7035",
		})
	}
}

// fails answers with an API error. Its message echoes the request, as some servers do.
func fails(status int, kind string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After-Ms", "1")
		writeJSON(w, status, map[string]any{"error": map[string]any{
			"message": "Incorrect key " + r.Header.Get(
				"Authorization",
			) + " for prompt: my email is jane@example.com",
			"type":  kind,
			"param": nil,
			"code":  nil,
		}})
	}
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

var extractTurns = []vault.Turn{
	{Index: 0, Speaker: vault.SpeakerAgent, Text: "How can I reach you?"},
	{Index: 1, Speaker: vault.SpeakerCustomer, Text: "My email is jane@example.com. There will be 3 of us."},
}

func extractRequest() llm.ExtractRequest {
	return llm.ExtractRequest{
		Definitions: llmtest.Definitions("email:email party_size:number has_pets:boolean notes:json"),
		Turns:       extractTurns,
	}
}

const (
	goodValues = `{"values":[{"field_name":"email","value":"jane@example.com","confidence":0.97,"quote":"My email i` +
		`s jane@example.com","turn":1}]}`
	goodFields = `{"fields":[{"name":"date_of_birth","display_name":"Date of birth","description":"","value_type":"date",
		"allowed_values":[],"validation_regex":"",
		"collection_prompt":"What is your date of birth?","examples":["1990-03-17"],"is_pii":true,
		"required_level":"hard","fallback_action":"ask",
		"when_condition":"","required_verification":false,"confidence":0.95,"quote":"the customer is over 18"}]}`
)

var goodCandidate = []vault.Candidate{
	{
		FieldName:  "email",
		Value:      json.RawMessage(`"jane@example.com"`),
		Confidence: 0.97,
		Quote:      "My email is jane@example.com",
		Turn:       1,
	},
}

func proposeRequest() llm.ProposeRequest {
	return llm.ProposeRequest{
		Title: "Onboarding",
		Texts: []llm.Text{{Label: "condition", Text: "if the customer is over 18", Condition: true}},
	}
}

func TestExtractValues_Request(t *testing.T) {
	e := newEndpoint(t, says(goodValues))
	m, usages := e.model(t, nil)
	var counted []llm.Usage
	found, err := m.ExtractValues(
		llm.WithUsage(t.Context(), func(u llm.Usage) { counted = append(counted, u) }),
		extractRequest(),
	)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(goodCandidate, found); diff != "" {
		t.Error(diff)
	}
	if n := len(e.seen()); n != 1 {
		t.Fatalf("%d requests", n)
	}
	r := e.seen()[0]
	if r.path != "/v1/chat/completions" || r.authorization != "Bearer "+testKey || r.body.Model != llm.DefaultModel {
		t.Errorf("asked %s as %q for %s", r.path, r.authorization, r.body.Model)
	}
	if r.body.Format.Type != "json_schema" || !r.body.Format.Schema.Strict ||
		r.body.Format.Schema.Schema["additionalProperties"] != false {
		t.Errorf("the request has no strict schema: %+v", r.body.Format)
	}
	want := llm.Usage{
		Operation:        llm.OperationExtract,
		Model:            llm.DefaultModel,
		Calls:            1,
		PromptTokens:     100,
		CompletionTokens: 20,
		Outcome:          llm.OutcomeOK,
	}
	if len(*usages) != 1 || len(counted) != 1 {
		t.Fatalf("counted %v and %v", *usages, counted)
	}
	(*usages)[0].Duration = 0
	if diff := cmp.Diff(want, (*usages)[0]); diff != "" {
		t.Error(diff)
	}
}

func TestProposeRequirements_Answer(t *testing.T) {
	e := newEndpoint(t, says(goodFields))
	m, _ := e.model(t, nil)
	got, err := m.ProposeRequirements(t.Context(), proposeRequest())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"date_of_birth"}, llmtest.Sketch(got)); diff != "" {
		t.Error(diff)
	}
	if got[0].Quote != "the customer is over 18" || got[0].Confidence != 0.95 {
		t.Errorf("got %+v", got[0])
	}
}

func TestProposeRequirements_InventedQuoteNeedsReview(t *testing.T) {
	e := newEndpoint(t, says(strings.ReplaceAll(goodFields, "the customer is over 18", "everybody must be rich")))
	m, _ := e.model(t, nil)
	got, err := m.ProposeRequirements(t.Context(), proposeRequest())
	if err != nil || len(got) != 1 || got[0].Confidence >= vault.ReviewThreshold {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestModel_NoCallWithoutInput(t *testing.T) {
	e := newEndpoint(t, says(goodValues))
	m, usages := e.model(t, nil)
	for _, req := range []llm.ExtractRequest{
		{},
		{Definitions: llmtest.Definitions("a:string")},
		{Turns: extractTurns},
		{Definitions: llmtest.Definitions("a:string"), Turns: extractTurns[:1]},
	} {
		if found, err := m.ExtractValues(t.Context(), req); found != nil || err != nil {
			t.Errorf("got %v, %v", found, err)
		}
	}
	if got, err := m.ProposeRequirements(
		t.Context(),
		llm.ProposeRequest{Title: "x", Texts: []llm.Text{{Text: " "}}},
	); got != nil ||
		err != nil {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err := m.Embed(t.Context(), nil); got != nil || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
	if len(e.seen()) != 0 || len(*usages) != 0 {
		t.Errorf("%d requests, %d usages", len(e.seen()), len(*usages))
	}
}

// An answer without a usable entry is sent back once, with its problem.
func TestExtractValues_InvalidAnswerIsRepaired(t *testing.T) {
	for name, c := range map[string]struct{ answer, problem string }{
		"no list":    {`Sure! Here you are: {}`, "not a JSON object with the list values"},
		"not JSON":   {`{"values":[{"field_name": email}]}`, "values[0] is not valid JSON"},
		"cut short":  {`{"values":[{"field_name":"email"`, "the answer was cut off"},
		"no objects": {`{"values":["jane@example.com"]}`, "values[0] is not an object"},
		"missing key": {
			`{"values":[{"field_name":"email","value":"jane@example.com","confidence":1,"turn":1}]}`,
			"values[0].quote is missing",
		},
		"empty object": {`{}`, "not a JSON object with the list values"},
		"null":         {`null`, "not a JSON object with the list values"},
		"list of text": {`{"values":"none"}`, "not a JSON object with the list values"},
		"unknown field": {
			strings.Replace(goodValues, `"email"`, `"password"`, 1),
			"values[0].field_name is not one of the requested fields",
		},
		"confidence 7": {strings.Replace(goodValues, "0.97", "7", 1), "values[0].confidence is not between 0 and 1"},
		"negative confidence": {
			strings.Replace(goodValues, "0.97", "-0.1", 1),
			"values[0].confidence is not between 0 and 1",
		},
		"confidence in words": {strings.Replace(goodValues, "0.97", `"high"`, 1), "confidence is not of type number"},
		"number for email": {
			strings.Replace(goodValues, `"jane@example.com"`, "5", 1),
			"values[0].value is not a string, which the type email needs",
		},
		"text for number": {`{"values":[{"field_name":"party_size","value":"3","confidence":0.9,"quote":"3 of us"` +
			`,"turn":1}]}`, "values[0].value is not a number"},
		"text for boolean": {`{"values":[{"field_name":"has_pets","value":"yes","confidence":0.9,"quote":"us","tur` +
			`n":1}]}`, "values[0].value is not a boolean"},
		"broken JSON for json": {
			`{"values":[{"field_name":"notes","value":"{","confidence":0.9,"quote":"us","turn":1}]}`,
			"values[0].value is not a string with JSON in it",
		},
		"no quote": {
			strings.Replace(goodValues, "My email is jane@example.com", " ", 1),
			"values[0].quote is empty",
		},
		"no such turn": {
			strings.Replace(goodValues, `"turn":1`, `"turn":9`, 1),
			"values[0].turn is not the index of a turn",
		},
		"turn in words": {strings.Replace(goodValues, `"turn":1`, `"turn":"one"`, 1), "turn is not of type integer"},
		"huge turn": {
			strings.Replace(goodValues, `"turn":1`, `"turn":1e999999`, 1),
			"values[0].turn is not of type integer",
		},
		"fractional turn": {
			strings.Replace(goodValues, `"turn":1`, `"turn":1.5`, 1),
			"values[0].turn is not of type integer",
		},
		"large turn":   {strings.Replace(goodValues, `"turn":1`, `"turn":1e19`, 1), "a value that is out of range"},
		"empty answer": {``, "the answer is empty"},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEndpoint(t, says(c.answer), says(goodValues))
			m, usages := e.model(t, nil)
			found, err := m.ExtractValues(t.Context(), extractRequest())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(goodCandidate, found); diff != "" {
				t.Error(diff)
			}
			if u := (*usages)[0]; u.Outcome != llm.OutcomeRepaired || u.Calls != 2 || u.PromptTokens != 200 {
				t.Errorf("usage %+v", u)
			}
			messages := e.seen()[1].body.Messages
			if last := messages[len(messages)-1]; last.Role != "user" || !strings.Contains(last.Content, c.problem) {
				t.Errorf("the repair request does not contain %q: %q", c.problem, last.Content)
			}
		})
	}
}

func TestExtractValues_SecondInvalidAnswerFails(t *testing.T) {
	e := newEndpoint(t, says(strings.Replace(goodValues, "0.97", "7", 1)))
	m, usages := e.model(t, nil)
	found, err := m.ExtractValues(t.Context(), extractRequest())
	if found != nil || !vault.Permanent(err) ||
		!strings.Contains(err.Error(), "values[0].confidence is not between 0 and 1") {
		t.Errorf("got %v, %v", found, err)
	}
	checkSilent(t, err)
	if n := len(e.seen()); n != 2 {
		t.Errorf("%d requests", n)
	}
	if u := (*usages)[0]; u.Outcome != llm.OutcomeMalformed || u.Calls != 2 {
		t.Errorf("usage %+v", u)
	}
}

func TestProposeRequirements_InvalidDefinitionFails(t *testing.T) {
	for name, c := range map[string]struct{ from, to, problem string }{
		"bad name":       {`"date_of_birth"`, `"Date Of Birth"`, "fields[0].name is not lower case"},
		"long name":      {`"date_of_birth"`, `"` + strings.Repeat("a", 51) + `"`, "fields[0].name is not lower case"},
		"bad type":       {`"value_type":"date"`, `"value_type":"money"`, "fields[0].value_type is not string, email"},
		"bad level":      {`"hard"`, `"firm"`, "fields[0].required_level is not hard or soft"},
		"bad fallback":   {`"ask"`, `"guess"`, "fields[0].fallback_action is not ask"},
		"no prompt":      {`What is your date of birth?`, ``, "fields[0].collection_prompt is empty"},
		"confidence":     {`0.95`, `1.01`, "fields[0].confidence is not between 0 and 1"},
		"allowed number": {`"allowed_values":[]`, `"allowed_values":[3]`, "fields[0].allowed_values[0] is not a string"},
		"missing":        {`"is_pii":true,`, ``, "fields[0].is_pii is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEndpoint(t, says(strings.Replace(goodFields, c.from, c.to, 1)))
			m, _ := e.model(t, nil)
			got, err := m.ProposeRequirements(t.Context(), proposeRequest())
			if got != nil || !vault.Permanent(err) || !strings.Contains(err.Error(), c.problem) {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
}

func TestProposeRequirements_UnusableRegexIsDropped(t *testing.T) {
	for _, expr := range []string{
		`"allowed_values":[],"validation_regex":"(?=x)"`,
		`"allowed_values":["1990-03-17"],"validation_regex":"x"`,
	} {
		e := newEndpoint(
			t,
			says(strings.NewReplacer(`"allowed_values":[],`, ``, `"validation_regex":""`, expr).Replace(goodFields)),
		)
		m, _ := e.model(t, nil)
		got, err := m.ProposeRequirements(t.Context(), proposeRequest())
		if err != nil || len(got) != 1 || got[0].ValidationRegex != "" {
			t.Errorf("%s: got %+v, %v", expr, got, err)
		}
	}
}

func TestExtractValues_TurnFollowsQuote(t *testing.T) {
	for _, quote := range []string{"My email is jane@example.com", "my  email is JANE@example.com"} {
		e := newEndpoint(
			t,
			says(strings.NewReplacer(`"turn":1`, `"turn":0`, "My email is jane@example.com", quote).Replace(goodValues)),
		)
		m, _ := e.model(t, nil)
		found, err := m.ExtractValues(t.Context(), extractRequest())
		if err != nil || len(found) != 1 || found[0].Turn != 1 {
			t.Errorf("%q: got %+v, %v", quote, found, err)
		}
	}
}

func TestModel_RetriesTransientFailures(t *testing.T) {
	lost := func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) }
	for name, first := range map[string]http.HandlerFunc{
		"429": fails(http.StatusTooManyRequests, "rate_limit_exceeded"), "500": fails(500, "server_error"),
		"503": fails(503, "server_error"), "lost": lost,
	} {
		t.Run(name, func(t *testing.T) {
			e := newEndpoint(t, first, says(goodValues))
			m, usages := e.model(t, nil)
			if _, err := m.ExtractValues(t.Context(), extractRequest()); err != nil {
				t.Fatal(err)
			}
			if n := len(e.seen()); n != 2 || (*usages)[0].Calls != 1 {
				t.Errorf("%d requests, usage %+v", n, (*usages)[0])
			}
		})
	}
}

func TestModel_RetryLimit(t *testing.T) {
	for retries, want := range map[int]int{0: 3, -1: 1, 1: 2} {
		e := newEndpoint(t, fails(500, "server_error"))
		m, usages := e.model(t, func(c *llm.Config) { c.MaxRetries = retries })
		_, err := m.ExtractValues(t.Context(), extractRequest())
		if vault.CodeOf(err) != vault.CodeUnavailable ||
			!strings.Contains(err.Error(), "500 Internal Server Error (server_error)") {
			t.Errorf("got %v", err)
		}
		checkSilent(t, err)
		if n := len(e.seen()); n != want {
			t.Errorf("%d requests, want %d", n, want)
		}
		if u := (*usages)[0]; u.Outcome != llm.OutcomeUnavailable {
			t.Errorf("usage %+v", u)
		}
	}
}

func TestModel_PermanentStatus(t *testing.T) {
	for status, code := range map[int]vault.Code{
		400: vault.CodeInvalid, 401: vault.CodeNotAllowed, 403: vault.CodeNotAllowed, 404: vault.CodeInvalid,
		413: vault.CodeInvalid, 422: vault.CodeInvalid,
	} {
		e := newEndpoint(t, fails(status, "invalid_request_error"))
		m, usages := e.model(t, nil)
		_, err := m.ExtractValues(t.Context(), extractRequest())
		if vault.CodeOf(err) != code || !strings.Contains(err.Error(), fmt.Sprint(status)) ||
			!strings.Contains(err.Error(), "invalid_request_error") {
			t.Errorf("%d: got %v", status, err)
		}
		checkSilent(t, err)
		if n := len(e.seen()); n != 1 {
			t.Errorf("%d: %d requests", status, n)
		}
		if u := (*usages)[0]; u.Outcome != llm.OutcomeRefused {
			t.Errorf("usage %+v", u)
		}
	}
}

// Text that does not look like an error type is not copied: a server may put anything there.
func TestModel_ErrorsHidePrompt(t *testing.T) {
	e := newEndpoint(t, fails(400, "my email is jane@example.com"))
	m, _ := e.model(t, nil)
	_, err := m.ExtractValues(t.Context(), extractRequest())
	checkSilent(t, err)
}

func checkSilent(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for _, text := range []string{err.Error(), fmt.Sprintf("%+v", err), fmt.Sprintf("%#v", err)} {
		for _, secret := range []string{testKey, "jane", "127.0.0.1"} {
			if strings.Contains(text, secret) {
				t.Errorf("the error contains %q: %s", secret, text)
			}
		}
	}
}

func TestModel_Timeout(t *testing.T) {
	drip := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for {
			if _, err := w.Write([]byte(" ")); err != nil {
				return
			}
			w.(http.Flusher).Flush()
			select {
			case <-r.Context().Done():
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	}
	silent := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	for name, answer := range map[string]http.HandlerFunc{"slow stream": drip, "silence": silent} {
		t.Run(name, func(t *testing.T) {
			e := newEndpoint(t, answer)
			m, usages := e.model(t, func(c *llm.Config) { c.Timeout = 200 * time.Millisecond })
			_, err := m.ExtractValues(t.Context(), extractRequest())
			if vault.CodeOf(err) != vault.CodeUnavailable || !strings.Contains(err.Error(), "no answer within 200ms") {
				t.Errorf("got %v", err)
			}
			if (*usages)[0].Outcome != llm.OutcomeUnavailable {
				t.Errorf("usage %+v", (*usages)[0])
			}
		})
	}
}

func TestModel_CanceledContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	e := newEndpoint(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	m, _ := e.model(t, nil)
	if _, err := m.ExtractValues(
		ctx,
		extractRequest(),
	); vault.CodeOf(err) != vault.CodeUnavailable ||
		!strings.Contains(err.Error(), "canceled") {
		t.Errorf("got %v", err)
	}
}

func TestModel_ResponseSizeLimit(t *testing.T) {
	endless := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			for {
				if _, err := w.Write([]byte(strings.Repeat(" ", 1<<16))); err != nil {
					return
				}
			}
		}
	}
	for _, status := range []int{200, 400} {
		e := newEndpoint(t, endless(status))
		m, _ := e.model(t, nil)
		_, err := m.ExtractValues(t.Context(), extractRequest())
		if vault.CodeOf(err) != vault.CodeUnavailable || !strings.Contains(err.Error(), "larger than 8 MiB") {
			t.Errorf("%d: got %v", status, err)
		}
	}
}

func TestModel_UnknownProtocol(t *testing.T) {
	page := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<html>jane@example.com</html>")
	}
	garbage := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"choices": jane`)
	}
	for name, answer := range map[string]http.HandlerFunc{"a page": page, "garbage": garbage} {
		e := newEndpoint(t, answer)
		m, _ := e.model(t, nil)
		_, err := m.ExtractValues(t.Context(), extractRequest())
		if vault.CodeOf(err) != vault.CodeUnavailable {
			t.Errorf("%s: got %v", name, err)
		}
		checkSilent(t, err)
	}
}

func TestModel_EmptyCompletionIsRepaired(t *testing.T) {
	nothing := func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, 200, map[string]any{"choices": []any{}}) }
	null := func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, 200, nil) }
	for name, answer := range map[string]http.HandlerFunc{
		"no choices": nothing, "null": null,
		"cut off": finishes(goodValues[:40], "length"),
	} {
		e := newEndpoint(t, answer)
		m, _ := e.model(t, nil)
		if _, err := m.ExtractValues(t.Context(), extractRequest()); !vault.Permanent(err) || len(e.seen()) != 2 {
			t.Errorf("%s: %v after %d requests", name, err, len(e.seen()))
		}
	}
}

// A budget must also end with an endpoint that reports no usage, reports negative usage, or never ends its answer.
func TestModel_EstimatesUncountedTokens(t *testing.T) {
	answering := func(usage map[string]any) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			writeJSON(w, 200, map[string]any{
				"choices": []any{
					map[string]any{
						"index":         0,
						"finish_reason": "stop",
						"message":       map[string]any{"role": "assistant", "content": goodValues},
					},
				},
				"usage": usage,
			})
		}
	}
	silent := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	for name, c := range map[string]struct {
		answer    http.HandlerFunc
		completed int64
		costs     bool
	}{
		"no usage": {answering(nil), int64(len(goodValues) / llm.BytesPerToken), true},
		"negative tokens": {
			answering(map[string]any{"prompt_tokens": -1000, "completion_tokens": -5}),
			int64(len(goodValues) / llm.BytesPerToken), true,
		},
		"no answer": {silent, 0, true},
		"refused":   {fails(http.StatusTooManyRequests, "rate_limit_exceeded"), 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEndpoint(t, c.answer)
			m, usages := e.model(t, func(cfg *llm.Config) {
				if name == "no answer" {
					cfg.Timeout = 200 * time.Millisecond
				}
			})
			_, _ = m.ExtractValues(t.Context(), extractRequest())
			if u := (*usages)[0]; u.CompletionTokens != c.completed || (u.PromptTokens > 100) != c.costs {
				t.Errorf("usage %+v", u)
			}
		})
	}
	e := newEndpoint(t, nil...)
	e.answers = []http.HandlerFunc{func(w http.ResponseWriter, _ *http.Request) {
		vector := make([]float64, vault.EmbeddingDimensions)
		vector[0] = 1
		writeJSON(w, 200, map[string]any{"data": []any{map[string]any{"index": 0, "embedding": vector}}})
	}}
	m, usages := e.model(t, nil)
	if _, err := m.Embed(
		t.Context(),
		[]string{strings.Repeat("word ", 80)},
	); err != nil ||
		(*usages)[0].PromptTokens != 100 {
		t.Errorf("usage %+v, %v", *usages, err)
	}
}

func TestModel_Refusal(t *testing.T) {
	e := newEndpoint(
		t,
		completion(
			map[string]any{"role": "assistant", "content": nil, "refusal": "I will not read jane@example.com"},
			"stop",
		),
	)
	m, usages := e.model(t, nil)
	_, err := m.ExtractValues(t.Context(), extractRequest())
	if !vault.Permanent(err) || !strings.Contains(err.Error(), "declined") || len(e.seen()) != 1 ||
		(*usages)[0].Outcome != llm.OutcomeRefused {
		t.Errorf("got %v", err)
	}
	checkSilent(t, err)
}

func TestModel_ConnectionRefused(t *testing.T) {
	e := newEndpoint(t, says(""))
	e.Close()
	m, _ := e.model(t, func(c *llm.Config) { c.MaxRetries = -1 })
	_, err := m.ExtractValues(t.Context(), extractRequest())
	if vault.CodeOf(err) != vault.CodeUnavailable || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("got %v", err)
	}
	checkSilent(t, err)
}

// A key in the environment may belong to another server.
func TestModel_IgnoresEnvironment(t *testing.T) {
	t.Setenv("OPENAI_API_KEY", "sk-from-the-environment")
	t.Setenv("OPENAI_BASE_URL", "http://127.0.0.1:1")
	e := newEndpoint(t, says(goodValues))
	m, _ := e.model(t, func(c *llm.Config) { c.APIKey = "" })
	if _, err := m.ExtractValues(t.Context(), extractRequest()); err != nil {
		t.Fatal(err)
	}
	if got := e.seen()[0].authorization; got != "" {
		t.Errorf("sent %q", got)
	}
}

func TestEmbed_Batches(t *testing.T) {
	e := newEndpoint(t, nil...)
	e.answers = []http.HandlerFunc{func(w http.ResponseWriter, r *http.Request) { e.embed(w, vault.EmbeddingDimensions) }}
	m, usages := e.model(t, nil)
	texts := make([]string, 300)
	for i := range texts {
		texts[i] = fmt.Sprint("text ", i)
	}
	texts[7] = strings.Repeat("é", 50_000) // truncated
	vectors, err := m.Embed(t.Context(), texts)
	if err != nil {
		t.Fatal(err)
	}
	if len(vectors) != 300 || len(e.seen()) != 3 {
		t.Fatalf("%d vectors by %d requests", len(vectors), len(e.seen()))
	}
	for i, v := range vectors {
		if len(v) != vault.EmbeddingDimensions || math.Abs(float64(v[i%128])-1) > 1e-6 {
			t.Fatalf("vector %d is not of length 1, or not in its place", i)
		}
	}
	if r := e.seen()[0]; r.path != "/v1/embeddings" || r.body.Dimensions != vault.EmbeddingDimensions ||
		r.body.Model != llm.DefaultEmbeddingModel ||
		len(r.body.Input[7]) > maxEmbedBytes {
		t.Errorf("asked %s of %s for %d dimensions", r.path, r.body.Model, r.body.Dimensions)
	}
	if u := (*usages)[0]; u.Operation != llm.OperationEmbed || u.Calls != 3 || u.PromptTokens != 24 ||
		u.Model != llm.DefaultEmbeddingModel {
		t.Errorf("usage %+v", u)
	}
	if m.Name() != llm.DefaultEmbeddingModel {
		t.Errorf("vectors are stored under %q", m.Name())
	}
}

// embed answers the last request with one vector per text, in reverse order.
func (e *endpoint) embed(w http.ResponseWriter, dimensions int) {
	seen := e.seen()
	data := []any{}
	for i := len(seen[len(seen)-1].body.Input) - 1; i >= 0; i-- {
		vector := make([]float64, dimensions)
		vector[i%dimensions] = 2 // not of length 1
		data = append(data, map[string]any{"object": "embedding", "index": i, "embedding": vector})
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"object": "list",
		"model":  "text-embedding-3-small",
		"data":   data,
		"usage":  map[string]any{"prompt_tokens": 8, "total_tokens": 8},
	})
}

func TestEmbed_WrongDimensionsAreRejected(t *testing.T) {
	e := newEndpoint(t, nil...)
	e.answers = []http.HandlerFunc{func(w http.ResponseWriter, _ *http.Request) { e.embed(w, 1536) }}
	m, _ := e.model(t, func(c *llm.Config) { c.EmbeddingModel = "text-embedding-ada-002" })
	_, err := m.Embed(t.Context(), []string{"a"})
	want := "language model text-embedding-ada-002 gave embeddings of 1536 dimensions instead of at most 512; use an " +
		"embedding model that can shorten its vectors, such as text-embedding-3-small"
	if !vault.Permanent(err) || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

// A model with 384 dimensions serves as well: zeros change no similarity.
func TestEmbed_ShortVectorsAreExtended(t *testing.T) {
	e := newEndpoint(t, nil...)
	e.answers = []http.HandlerFunc{func(w http.ResponseWriter, _ *http.Request) { e.embed(w, 384) }}
	m, _ := e.model(t, func(c *llm.Config) { c.EmbeddingModel = "all-minilm" })
	got, err := m.Embed(t.Context(), []string{"a", "b"})
	if err != nil || len(got) != 2 {
		t.Fatalf("got %d vectors, %v", len(got), err)
	}
	for i, v := range got {
		if len(v) != vault.EmbeddingDimensions || v[i] != 1 || v[384] != 0 || v[vault.EmbeddingDimensions-1] != 0 {
			t.Errorf("vector %d has %d dimensions: %v", i, len(v), v)
		}
	}
}

func TestEmbed_MismatchedVectorsAreRejected(t *testing.T) {
	vector := make([]float64, vault.EmbeddingDimensions)
	vector[0] = 1
	zero := make([]float64, vault.EmbeddingDimensions)
	type entry = map[string]any
	for name, data := range map[string][]entry{
		"too few":  {{"index": 0, "embedding": vector}},
		"twice":    {{"index": 0, "embedding": vector}, {"index": 0, "embedding": vector}},
		"another":  {{"index": 0, "embedding": vector}, {"index": 2, "embedding": vector}},
		"no index": {{"index": -1, "embedding": vector}, {"index": 1, "embedding": vector}},
		"zero":     {{"index": 0, "embedding": zero}, {"index": 1, "embedding": vector}},
		"nothing":  {},
	} {
		e := newEndpoint(t, func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, 200, map[string]any{"data": data}) })
		m, _ := e.model(t, nil)
		if vectors, err := m.Embed(
			t.Context(),
			[]string{"a", "b"},
		); vectors != nil ||
			vault.CodeOf(err) != vault.CodeUnavailable {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
