package mcp_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/contextvault/contextvault/api"
	"github.com/contextvault/contextvault/client"
	"github.com/contextvault/contextvault/internal/testkit"
	"github.com/contextvault/contextvault/mcp"
	"github.com/contextvault/contextvault/vault"
)

var (
	kit    *testkit.Kit
	server *httptest.Server // the API with /mcp, over the kit
	logged lockedBuffer     // the log of /mcp
)

func TestMain(m *testing.M) {
	os.Exit(testkit.Main(m, func(k *testkit.Kit) {
		kit = k
		operator := testkit.ID()
		if _, err := k.DB.System().CreateTenant(context.Background(), operator, "operator"); err != nil {
			panic(err)
		}
		server = httptest.NewServer(serve(k.APIOptions(operator)))
	}))
}

// serve returns the API with /mcp.
func serve(o api.Options) http.Handler {
	a := api.New(o)
	a.Mount(mcp.Path, mcp.NewHandler(mcp.HandlerOptions{
		API: a, Stopping: a.Stopping(), Log: slog.New(slog.NewJSONHandler(&logged, nil)),
	}))
	return a
}

// lockedBuffer is a buffer for concurrent writers.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// tenant is a tenant with an agent that collects an e-mail address, a plan and an age, for one scenario.
type tenant struct {
	t               testing.TB
	id              uuid.UUID
	agent, scenario uuid.UUID
	key             string // with the scopes read and write
	admin           *client.Client
}

var patience = client.Wait(testkit.Patience)

func newTenant(t testing.TB) *tenant {
	t.Helper()
	s := &tenant{t: t, id: kit.Tenant(t), agent: testkit.ID(), scenario: testkit.ID()}
	s.key = s.newKey("read", "write")
	s.admin = s.client(s.newKey("read", "write", "admin"), "")
	s.define(vault.Definition{Name: "email", ValueType: vault.TypeEmail})
	s.define(vault.Definition{Name: "plan", ValueType: vault.TypeString, Description: "The plan of the contract."})
	s.define(vault.Definition{Name: "age", ValueType: vault.TypeNumber, Minimum: json.RawMessage("18")})
	_, err := s.admin.SaveScenario(t.Context(), vault.Scenario{AgentID: s.agent, ID: s.scenario, Name: "Loan"}, patience)
	s.must(err)
	for order, field := range []string{"email", "plan"} {
		_, err := s.admin.SaveRequirement(t.Context(), vault.Requirement{
			ScenarioID: s.scenario, FieldName: field, RequiredLevel: vault.LevelHard, FallbackAction: vault.FallbackAsk,
			Order: order,
		}, patience)
		s.must(err)
	}
	return s
}

func (s *tenant) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *tenant) define(d vault.Definition) {
	s.t.Helper()
	d.AgentID, d.Enabled = s.agent, true
	_, err := s.admin.SaveDefinition(s.t.Context(), d, patience)
	s.must(err)
}

func (s *tenant) newKey(scopes ...string) string {
	s.t.Helper()
	key, _, err := kit.APIKey(s.t.Context(), s.id, scopes...)
	s.must(err)
	return key
}

func (s *tenant) client(key, purpose string) *client.Client {
	s.t.Helper()
	c, err := client.New(client.Options{Server: server.URL, Key: key, Purpose: purpose})
	s.must(err)
	return c
}

// agentOf is an agent's connection.
type agentOf struct {
	*sdk.ClientSession
	t       testing.TB
	changed chan struct{} // gets an entry for each announced change of the list of tools
}

func (s *tenant) connect(transport sdk.Transport) *agentOf {
	s.t.Helper()
	a := &agentOf{t: s.t, changed: make(chan struct{}, 100)}
	c := sdk.NewClient(&sdk.Implementation{Name: "test", Version: "1"}, &sdk.ClientOptions{
		ToolListChangedHandler: func(context.Context, *sdk.ToolListChangedRequest) { a.changed <- struct{}{} },
	})
	var err error
	a.ClientSession, err = c.Connect(s.t.Context(), transport, nil)
	s.must(err)
	s.t.Cleanup(func() { _ = a.Close() })
	return a
}

// overHTTP connects an agent to /mcp. Headers are "Name: value".
func (s *tenant) overHTTP(key string, headers ...string) *agentOf {
	s.t.Helper()
	return s.connect(&sdk.StreamableClientTransport{
		Endpoint:   server.URL + mcp.Path + "?agent=" + s.agent.String() + "&scenario=" + s.scenario.String(),
		HTTPClient: &http.Client{Transport: withHeaders{key, headers}},
	})
}

// overStdio connects an agent to a server of its own over two streams.
func (s *tenant) overStdio(key, purpose string) *agentOf {
	s.t.Helper()
	server, err := mcp.New(s.t.Context(), mcp.Options{
		Client: s.client(key, purpose), Agent: s.agent, Scenario: s.scenario, Log: slog.New(slog.NewJSONHandler(&logged, nil)),
	})
	s.must(err)
	in, toServer := io.Pipe()
	fromServer, out := io.Pipe()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.Run(ctx, in, out) }()
	s.t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			s.t.Error(err)
		}
	})
	return s.connect(&sdk.IOTransport{Reader: fromServer, Writer: toServer})
}

type withHeaders struct {
	key     string
	headers []string
}

func (w withHeaders) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	if w.key != "" {
		r.Header.Set("Authorization", "Bearer "+w.key)
	}
	for _, h := range w.headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	return http.DefaultTransport.RoundTrip(r)
}

// call calls a tool and returns its texts.
func (a *agentOf) call(tool string, arguments map[string]any) (all string, failed bool) {
	a.t.Helper()
	out, err := a.CallTool(a.t.Context(), &sdk.CallToolParams{Name: tool, Arguments: arguments})
	if err != nil {
		a.t.Fatalf("%s: %v", tool, err)
	}
	var texts []string
	for _, c := range out.Content {
		texts = append(texts, c.(*sdk.TextContent).Text)
	}
	return strings.Join(texts, "\n"), out.IsError
}

// get calls a tool that succeeds, and decodes the text that is JSON.
func (a *agentOf) get(tool string, arguments map[string]any, into any) string {
	a.t.Helper()
	all, failed := a.call(tool, arguments)
	if failed {
		a.t.Fatalf("%s failed: %s", tool, all)
	}
	if into != nil {
		for text := range strings.SplitSeq(all, "\n") {
			if strings.HasPrefix(text, "{") {
				if err := json.Unmarshal([]byte(text), into); err != nil {
					a.t.Fatalf("%v: %s", err, text)
				}
			}
		}
	}
	return all
}

// refused calls a tool that fails, and returns the error.
func (a *agentOf) refused(tool string, arguments map[string]any) toolError {
	a.t.Helper()
	all, failed := a.call(tool, arguments)
	if !failed {
		a.t.Fatalf("%s succeeded: %s", tool, all)
	}
	var out struct {
		Error   toolError `json:"error"`
		Refused []struct {
			Error toolError `json:"error"`
		} `json:"refused"`
	}
	for text := range strings.SplitSeq(all, "\n") {
		if strings.HasPrefix(text, "{") {
			if err := json.Unmarshal([]byte(text), &out); err != nil {
				a.t.Fatalf("%v: %s", err, text)
			}
		}
	}
	if len(out.Refused) > 0 {
		return out.Refused[0].Error
	}
	return out.Error
}

type toolError struct {
	Code     vault.Code `json:"code"`
	Argument string     `json:"argument"`
	Detail   string     `json:"detail"`
}

type args = map[string]any
