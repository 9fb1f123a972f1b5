package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/client"
	"github.com/contextvault/contextvault/internal/testkit"
	"github.com/contextvault/contextvault/vault"
)

func write(agent, customer uuid.UUID, name, value string) vault.WriteValueInput {
	encoded, _ := json.Marshal(value) //nolint:errchkjson // a string
	return vault.WriteValueInput{
		AgentID:    agent,
		CustomerID: customer,
		Name:       name,
		Value:      encoded,
		Source:     vault.ValueUserProvided,
	}
}

// An error has a code and a field, and no value.
func TestClient_ErrorIsAProblem(t *testing.T) {
	t.Parallel()
	c, _ := newClient(t, nil)
	agent, customer := testkit.ID(), testkit.ID()
	define(t, c, agent, "plan", vault.TypeEmail)
	_, err := c.WriteValue(t.Context(), write(agent, customer, "plan", "hunter2"), patience)
	var p *client.Problem
	if !errors.As(err, &p) || p.Status != 422 || p.Code != vault.CodeInvalid || p.Field != "plan" || p.Operation == nil ||
		!strings.Contains(p.Detail, "hunter2") {
		t.Fatalf("got %+v, %v", p, err)
	}
	if strings.Contains(err.Error(), "hunter2") || client.CodeOf(err) != vault.CodeInvalid {
		t.Errorf("it reads %s", err)
	}
	op := must[client.Operation[json.RawMessage]](t)(c.GetOperation(t.Context(), *p.Operation))
	if op.Status != vault.OperationFailed || op.Rejection == nil || op.Rejection.Field != "plan" {
		t.Errorf("the operation is %+v", op)
	}
	// Operation.Wait returns the same.
	if _, err := op.Wait(t.Context()); !errors.As(err, &p) || p.Status != 422 || p.Detail != op.Rejection.Detail {
		t.Errorf("waited for it gives %v", err)
	}
	_, err = c.ReplayOperation(t.Context(), *p.Operation, patience)
	if !errors.As(err, &p) || p.Code != vault.CodeInvalid {
		t.Errorf("replayed it gives %v", err)
	}
	_, err = c.GetCustomer(t.Context(), testkit.ID())
	if !errors.As(err, &p) || p.Code != vault.CodeUnknown || p.RequestID == "" {
		t.Errorf("an unknown customer gives %v", err)
	}
	if _, err = c.WriteValue(t.Context(), vault.WriteValueInput{AgentID: agent, CustomerID: customer, Name: "plan", Value: json.RawMessage(`hunter2`)}); vault.CodeOf(
		err,
	) != vault.CodeInvalid ||
		strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a value that is no JSON gives %v", err)
	}
}

// The problem contains the ids of dependents.
func TestProblem_NamesRelatedItems(t *testing.T) {
	t.Parallel()
	c, _ := newClient(t, nil)
	agent, customer := testkit.ID(), testkit.ID()
	define(t, c, agent, "legal_name", vault.TypeString)
	asset := must[client.Operation[vault.ItemResult]](t)(c.AddAsset(t.Context(), vault.AddAssetInput{
		CustomerID: customer, Name: "id_card", AssetType: "image", StorageProvider: "s3", StoragePath: "s3://d/1", Checksum: strings.Repeat("0f", 32),
	}, patience)).Result.ItemID
	in := write(agent, customer, "legal_name", "Ada Quill")
	in.Lineage = vault.Lineage{SourceItemID: &asset, SourceItemType: vault.SourceProfileAsset}
	item := must[client.Operation[vault.ItemResult]](t)(c.WriteValue(t.Context(), in, patience)).Result.ItemID
	otherIn := write(agent, testkit.ID(), "legal_name", "Eve Quill")
	otherIn.Lineage = in.Lineage
	other := must[client.Operation[vault.ItemResult]](t)(c.WriteValue(t.Context(), otherIn, patience)).Result.ItemID
	held := func(err error, by ...uuid.UUID) {
		t.Helper()
		var p *client.Problem
		if !errors.As(err, &p) || p.Code != vault.CodeHasDependents || len(p.Related) != len(by) ||
			slices.ContainsFunc(by, func(id uuid.UUID) bool { return !slices.Contains(p.Related, id) }) {
			t.Errorf("got %+v, %v", p, err)
		}
	}
	_, err := c.DeleteItem(t.Context(), vault.DeleteItemInput{ItemID: asset}, patience)
	held(err, item, other)
	_, err = c.DeleteCustomer(t.Context(), vault.DeleteCustomerInput{CustomerID: customer}, patience)
	held(err, other)
	if chain, err := c.GetChain(t.Context(), item, 0); err != nil || len(chain.Links) != 2 {
		t.Errorf("the chain is %v, %v", chain, err)
	}
	if gone := must[client.Operation[vault.DeleteResult]](t)(c.DeleteItem(t.Context(), vault.DeleteItemInput{ItemID: asset, Force: true}, patience)); gone.Result.Orphaned != 2 {
		t.Errorf("forced, it is %+v", gone)
	}
	must[client.Operation[vault.CustomerResult]](t)(
		c.DeleteCustomer(t.Context(), vault.DeleteCustomerInput{CustomerID: customer, Force: true}, patience))
	if _, err := c.GetCustomer(t.Context(), customer); err == nil {
		t.Error("forced, the customer is still there")
	}
}

// A list is read page by page, only as far as the caller iterates.
func TestList_ReadsAllPages(t *testing.T) {
	t.Parallel()
	var requests atomic.Int32
	c, _ := newClient(t, roundTrip(func(r *http.Request) (*http.Response, error) {
		requests.Add(1)
		return http.DefaultTransport.RoundTrip(r)
	}))
	agent := testkit.ID()
	define(t, c, agent, "plan", vault.TypeString)
	const customers = 501 // one more than a page
	var in vault.ImportValuesInput
	for range customers {
		in.Writes = append(in.Writes, write(agent, testkit.ID(), "plan", "gold"))
	}
	if op := must[client.Operation[vault.ImportResult]](t)(c.ImportValues(t.Context(), in, patience)); op.Result.Written != customers {
		t.Fatalf("written are %+v", op.Result)
	}
	requests.Store(0)
	all := must[[]vault.Customer](t)(client.Collect(c.ListCustomers(t.Context(), client.CustomersQuery{})))
	if len(all) != customers || requests.Load() != 2 || !slices.IsSortedFunc(all, func(a, b vault.Customer) int {
		return strings.Compare(a.CustomerID.String(), b.CustomerID.String())
	}) {
		t.Errorf("%d customers by %d requests", len(all), requests.Load())
	}
	requests.Store(0)
	values := must[[]vault.Customer](t)(client.Collect(c.ListCustomers(t.Context(), client.CustomersQuery{Values: true})))
	if len(values) != customers || requests.Load() != 6 || string(values[customers-1].Fields["plan"].Value) != `"gold"` {
		t.Errorf("with their values, %d customers by %d requests", len(values), requests.Load())
	}
	requests.Store(0)
	for range c.ListCustomers(t.Context(), client.CustomersQuery{}) {
		break
	}
	if requests.Load() != 1 {
		t.Errorf("the first one took %d requests", requests.Load())
	}
	for range c.ListDefinitions(t.Context(), testkit.ID()) {
	}
	if _, err := client.Collect(c.ListDefinitions(t.Context(), testkit.ID())); client.CodeOf(err) != vault.CodeUnknown {
		t.Errorf("the fields of an unknown agent: %v", err)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// turnedAway is the response of an overloaded server.
func turnedAway(status int, code string) *http.Response {
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Body: io.NopCloser(strings.NewReader(`{"code": "` + code + `"}`)),
		Header: http.Header{"Content-Type": {"application/problem+json"}, "Retry-After": {"0"}},
	}
}

// An operation with a lost response is retried and applied once.
func TestRetry_IsSafe(t *testing.T) {
	t.Parallel()
	for name, loss := range map[string]func() (*http.Response, error){
		"the answer is lost": func() (*http.Response, error) { return nil, io.ErrUnexpectedEOF },
		"503":                func() (*http.Response, error) { return turnedAway(503, "unavailable"), nil },
		"429":                func() (*http.Response, error) { return turnedAway(429, "rate_limited"), nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var lost atomic.Bool
			c, _ := newClient(t, roundTrip(func(r *http.Request) (*http.Response, error) {
				res, err := http.DefaultTransport.RoundTrip(r)
				if err != nil || r.Method != http.MethodPut || !strings.Contains(r.URL.Path, "/customers/") || lost.Swap(true) {
					return res, err
				}
				_ = res.Body.Close()
				return loss()
			}))
			agent, customer := testkit.ID(), testkit.ID()
			define(t, c, agent, "plan", vault.TypeString)
			must[client.Operation[vault.ItemResult]](t)(
				c.WriteValue(t.Context(), write(agent, customer, "plan", "gold"), patience))
			if h := must[[]vault.Value](t)(client.Collect(c.ListHistory(t.Context(), customer, "plan"))); len(h) != 1 ||
				!lost.Load() {
				t.Errorf("there are %d versions", len(h))
			}
		})
	}
}

// A repeat with the same key is the same operation, with the same outcome.
func TestIdempotencyKey_RepeatIsSameOperation(t *testing.T) {
	t.Parallel()
	c, _ := newClient(t, nil)
	agent, customer := testkit.ID(), testkit.ID()
	define(t, c, agent, "plan", vault.TypeNumber)
	first := must[client.Operation[vault.ItemResult]](t)(
		c.WriteValue(t.Context(), write(agent, customer, "plan", "7"), client.IdempotencyKey("k1"), patience))
	for _, opts := range [][]client.Option{{client.IdempotencyKey("k1")}, {client.IdempotencyKey("k1"), patience}} {
		again := must[client.Operation[vault.ItemResult]](t)(
			c.WriteValue(t.Context(), write(agent, customer, "plan", "7"), opts...))
		if again.ID != first.ID || again.Result.ItemID != first.Result.ItemID {
			t.Errorf("the repeat is %+v of %+v", again, first)
		}
	}
	if _, err := c.WriteValue(t.Context(), write(agent, customer, "plan", "8"), client.IdempotencyKey("k1")); client.CodeOf(
		err,
	) != vault.CodeConflict {
		t.Errorf("with another content: %v", err)
	}
	_, err := c.WriteValue(t.Context(), write(agent, customer, "plan", "many"), client.IdempotencyKey("k2"), patience)
	_, repeated := c.WriteValue(t.Context(), write(agent, customer, "plan", "many"), client.IdempotencyKey("k2"), patience)
	if client.CodeOf(err) != vault.CodeInvalid || client.CodeOf(repeated) != vault.CodeInvalid {
		t.Errorf("a rejected one: %v, then %v", err, repeated)
	}
	if unwaited, err := c.WriteValue(t.Context(), write(agent, customer, "plan", "many"), client.IdempotencyKey("k2")); err != nil ||
		unwaited.Rejection == nil ||
		unwaited.ID == first.ID {
		t.Errorf("not waited for: %+v, %v", unwaited, err)
	}
}

// A request that is not safe to repeat is not retried. Retries end if the server does not recover.
func TestRetry_IsLimited(t *testing.T) {
	t.Parallel()
	var requests atomic.Int32
	c, _ := newClient(t, roundTrip(func(*http.Request) (*http.Response, error) {
		requests.Add(1)
		return turnedAway(503, "unavailable"), nil
	}))
	if _, err := c.ReplayOperation(t.Context(), testkit.ID()); client.CodeOf(err) != vault.CodeUnavailable ||
		requests.Load() != 1 {
		t.Errorf("a replay: %d requests, %v", requests.Load(), err)
	}
	requests.Store(0)
	if _, err := c.GetCustomer(t.Context(), testkit.ID()); client.CodeOf(err) != vault.CodeUnavailable ||
		requests.Load() != 5 {
		t.Errorf("a read: %d requests, %v", requests.Load(), err)
	}
}

// A call waits for a slow outcome up to the time of Wait.
func TestWait_ReturnsOutcome(t *testing.T) {
	t.Parallel()
	c, tenant := newClient(t, nil)
	agent, scenario, customer := testkit.ID(), testkit.ID(), testkit.ID()
	define(t, c, agent, "country", vault.TypeString)
	must[client.Operation[vault.SavedResult]](t)(
		c.SaveScenario(t.Context(), vault.Scenario{AgentID: agent, ID: scenario, Name: "Open an account"}, patience))
	must[client.Operation[vault.SavedResult]](t)(c.SaveRequirement(t.Context(), vault.Requirement{
		ScenarioID: scenario, FieldName: "country", RequiredLevel: vault.LevelHard, FallbackAction: vault.FallbackAsk,
	}, patience))
	fill := must[client.Operation[vault.FillResult]](t)(
		c.FillGaps(t.Context(), vault.FillGapsInput{CustomerID: customer, ScenarioID: scenario},
			client.Wait(time.Millisecond)),
	)
	if fill.Status.Finished() {
		t.Fatalf("the fill is %s", fill.Status)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := fill.Wait(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("waiting with an ended context: %v", err)
	}
	question := kit.Question(t, tenant, customer)
	for q, err := range c.ListQuestions(t.Context(), &customer) {
		if err != nil || q.ID != question.ID {
			t.Errorf("the question is %v, %v", q, err)
		}
	}
	must[client.Operation[vault.ItemResult]](t)(
		c.AnswerQuestion(t.Context(), vault.AnswerQuestionInput{QuestionID: question.ID, Value: json.RawMessage(`"Norway"`)},
			patience),
	)
	done, err := fill.Wait(t.Context())
	if err != nil || !done.Result.Fields[0].Filled || done.Result.Fields[0].Source != vault.GapFromCustomer {
		t.Errorf("the fill ends with %+v, %v", done, err)
	}
}

// A server that does not wait (it stops, or a proxy drops Prefer) is polled slowly.
func TestWait_PollsSlowlyWithoutPrefer(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	id := testkit.ID()
	c, _ := newClient(t, roundTrip(func(*http.Request) (*http.Response, error) {
		asked.Add(1)
		return &http.Response{
			StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}},
			Body: io.NopCloser(strings.NewReader(`{"operation_id": "` + id.String() + `", "status": "accepted"}`)),
		}, nil
	}))
	op := must[client.Operation[json.RawMessage]](t)(c.GetOperation(t.Context(), id))
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if _, err := op.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("it ends with %v", err)
	}
	if n := asked.Load(); n > 5 {
		t.Errorf("in two seconds it was asked %d times", n)
	}
}

// The admin token selects a tenant only with Options.Tenant.
func TestClient_AdminTokenSetsTenant(t *testing.T) {
	t.Parallel()
	operator := func(tenant uuid.UUID) *client.Client {
		return must[*client.Client](t)(
			client.New(client.Options{Server: server.URL, Key: testkit.AdminToken, Tenant: tenant}))
	}
	if err := operator(uuid.Nil).DropCachedProfile(t.Context(), testkit.ID()); client.CodeOf(err) != vault.CodeInvalid {
		t.Errorf("without a tenant: %v", err)
	}
	if err := operator(kit.Tenant(t)).DropCachedProfile(t.Context(), testkit.ID()); err != nil {
		t.Errorf("with one: %v", err)
	}
	must[client.Operation[vault.SweepResult]](t)(operator(uuid.Nil).ExpireValues(t.Context(), patience))
	if _, err := operator(uuid.Nil).ExpireOwnValues(t.Context()); client.CodeOf(err) != vault.CodeNotAllowed {
		t.Errorf("a sweep of the operator's tenant: %v", err)
	}
	if _, err := operator(uuid.Nil).GetCustomer(t.Context(), testkit.ID()); client.CodeOf(err) != vault.CodeNotAllowed {
		t.Errorf("a customer: %v", err)
	}
	if h, err := operator(uuid.Nil).GetReadiness(t.Context()); err != nil || h.Dependencies["database"] != "ok" {
		t.Errorf("its health is %v, %v", h, err)
	}
}

// A response of another server is another error than no response.
func TestClient_NotAVault(t *testing.T) {
	t.Parallel()
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/customers/"+uuid.Nil.String() {
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
			return
		}
		_, _ = io.WriteString(w, "<html>hunter2</html>")
	}))
	defer page.Close()
	c := must[*client.Client](t)(client.New(client.Options{Server: page.URL}))
	for _, id := range []uuid.UUID{uuid.Nil, testkit.ID()} {
		if _, err := c.GetCustomer(t.Context(), id); !errors.Is(err, client.ErrNotVault) ||
			strings.Contains(err.Error(), "hunter2") {
			t.Errorf("a page: %v", err)
		}
	}
	if _, err := c.GetReadiness(t.Context()); !errors.Is(err, client.ErrNotVault) {
		t.Errorf("its health: %v", err)
	}
	page.Close()
	if _, err := c.GetCustomer(t.Context(), testkit.ID()); !errors.Is(err, client.ErrUnreachable) ||
		strings.Contains(err.Error(), "customers") {
		t.Errorf("nobody: %v", err)
	}
	endless := must[*client.Client](t)(
		client.New(client.Options{Server: page.URL, Transport: roundTrip(func(*http.Request) (*http.Response, error) {
			return &http.Response{
				StatusCode: 200,
				Body:       io.NopCloser(zeroes{}),
				Header:     http.Header{"Content-Type": {"application/json"}},
			}, nil
		})}),
	)
	if _, err := endless.GetCustomer(t.Context(), testkit.ID()); !errors.Is(err, client.ErrNotVault) {
		t.Errorf("an answer without end: %v", err)
	}
}

type zeroes struct{}

func (zeroes) Read(p []byte) (int, error) { return len(p), nil }

func TestNew_InvalidOptions(t *testing.T) {
	t.Parallel()
	for _, o := range []client.Options{
		{}, {Server: "localhost:8000"}, {Server: "ftp://x"}, {Server: "http://"}, {Server: "http://u:p@x"}, {Server: "http://x?y=1"}, {Server: "http://x", Key: "cv_x\n"},
	} {
		if _, err := client.New(o); vault.CodeOf(err) != vault.CodeInvalid {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

// Programs that import the client do not link a database or an engine.
func TestDependencies_NoDatabaseOrEngine(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	if err != nil {
		t.Skipf("the go command: %v", err)
	}
	for pkg := range strings.Lines(string(out)) {
		pkg = strings.TrimSpace(pkg)
		ours := strings.HasPrefix(pkg, "github.com/contextvault/contextvault/") && !strings.HasSuffix(pkg, "/vault") &&
			!strings.HasSuffix(pkg, "/client")
		if ours || strings.Contains(pkg, "/pgx/") || strings.Contains(pkg, "hatchet") || strings.Contains(pkg, "redis") {
			t.Errorf("it brings %s", pkg)
		}
	}
}

func TestDelete_DefinitionsAndRequirements(t *testing.T) {
	t.Parallel()
	c, _ := newClient(t, nil)
	agent, scenario, rule := testkit.ID(), testkit.ID(), testkit.ID()
	saved := must[client.Operation[vault.SavedResult]](t)
	define(t, c, agent, "country", vault.TypeString)
	saved(c.SaveScenario(t.Context(), vault.Scenario{AgentID: agent, ID: scenario, Name: "Open an account"}, patience))
	saved(
		c.SaveRule(t.Context(),
			vault.Rule{AgentID: agent, ID: rule, ScenarioID: scenario, Name: "Greet", Condition: "always"}, patience),
	)
	saved(c.SaveRequirement(t.Context(), vault.Requirement{
		ScenarioID: scenario, RuleID: &rule, FieldName: "country", RequiredLevel: vault.LevelHard, FallbackAction: vault.FallbackAsk,
	}, patience))
	_, err := c.DeleteDefinition(t.Context(), vault.DeleteDefinitionInput{AgentID: agent, Name: "country"}, patience)
	var problem *client.Problem
	if !errors.As(err, &problem) || problem.Code != vault.CodeConflict || len(problem.Related) != 1 {
		t.Errorf("a field that is required: %v", err)
	}
	saved(
		c.DeleteRequirement(t.Context(),
			vault.DeleteRequirementInput{ScenarioID: scenario, RuleID: &rule, FieldName: "country"}, patience),
	)
	saved(c.DeleteDefinition(t.Context(), vault.DeleteDefinitionInput{AgentID: agent, Name: "country"}, patience))
	if _, err := c.GetDefinition(t.Context(), agent, "country"); client.CodeOf(err) != vault.CodeUnknown {
		t.Errorf("a field that was deleted: %v", err)
	}
}
