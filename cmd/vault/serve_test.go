package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/embedded/embeddedtest"
	"github.com/contextvault/contextvault/internal/testkit"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// client calls the API with one key.
type client struct {
	t    *testing.T
	base string
	key  string
	http *http.Client
}

func newClient(t *testing.T, p *process, key string) *client {
	t.Helper()
	c := &client{t: t, base: "http://" + p.health, key: key, http: &http.Client{Transport: &http.Transport{}}}
	t.Cleanup(c.http.CloseIdleConnections)
	return c
}

// send sends a request. Headers are "Name: value".
func (c *client) send(
	ctx context.Context,
	method, path, body string,
	headers ...string,
) (*http.Response, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, strings.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+c.key)
	req.Header.Set("Content-Type", "application/json")
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	return res, got, err
}

// do sends a request, waits for the outcome of an operation, and decodes the response if into is not nil.
func (c *client) do(method, path, body string, want int, into any) {
	c.t.Helper()
	res, got, err := c.send(c.t.Context(), method, path, body, "Prefer: wait=60")
	if err != nil {
		c.t.Fatal(err)
	}
	if res.StatusCode != want {
		c.t.Fatalf("%s %s: %d, want %d: %s", method, path, res.StatusCode, want, got)
	}
	if into != nil {
		if err := json.Unmarshal(got, into); err != nil {
			c.t.Fatalf("%s %s: %v: %s", method, path, err, got)
		}
	}
}

// newKey creates a key with `vault keys create`.
func newKey(t *testing.T, environ []string, tenant, scopes string) (id, secret string) {
	t.Helper()
	out, errs, code := run(t, environ, "keys", "create", "--tenant", tenant, "--name", "test", "--scopes", scopes,
		"--sources", "user_provided,human_entered,document_extracted",
		"--expires-in", "1h", "--json")
	var key struct{ ID, Key string }
	if err := json.Unmarshal([]byte(out), &key); err != nil || code != 0 || !strings.HasPrefix(key.Key, "cv_") {
		t.Fatalf("keys create: %d, %s, %s", code, out, errs)
	}
	return key.ID, key.Key
}

// operation is the response to an operation, with its result.
type operation[R any] struct {
	ID     uuid.UUID             `json:"operation_id"`
	Status vault.OperationStatus `json:"status"`
	Result R                     `json:"result"`
}

// TestServe_EndToEnd runs the API, a worker and an engine in separate processes. All subtests share them, because an
// engine needs many connections of PostgreSQL.
func TestServe_EndToEnd(t *testing.T) {
	t.Parallel()
	s := newSystem(t, embeddedtest.Start(t))
	early := s.pushedBeforeAnyWorker()
	s.worker = startWorker(t, s.Kit)
	s.applied(early, nil)
	server := startServe(t, s.Kit, "ADMIN_TOKEN="+adminToken)
	for name, test := range map[string]func(*testing.T, *system, *process){
		"the quickstart by HTTP alone":     theQuickstartByHTTPAlone,
		"the quickstart by commands alone": theQuickstartByCommandsAlone,
		"the documented quickstart":        theDocumentedQuickstart,
		"the seed's curl line":             theSeedsCurlLine,
		"agents by MCP":                    agentsByMCP,
		"metrics move":                     metricsMove,
		"SIGTERM under load drops nothing": sigtermUnderLoadDropsNothing,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			own := *s
			own.t = t
			test(t, &own, server)
		})
	}
}

// pushedBeforeAnyWorker submits an operation to a new installation before its first worker. The engine drops the event,
// because it knows no workflow. The operation must not wait until its lease expires.
func (s *system) pushedBeforeAnyWorker() trigger.Receipt {
	s.t.Helper()
	r, err := trigger.Submit(s.t.Context(), s.Trigger, s.tenant, vault.SaveDefinition,
		vault.Definition{AgentID: s.agent, Name: "early", ValueType: vault.TypeString, Enabled: true})
	if err != nil {
		s.t.Fatal(err)
	}
	testkit.Eventually(s.t, "the event is pushed", func(ctx context.Context) (struct{}, bool) {
		op, err := s.Query.Operation(ctx, s.tenant, r.ID)
		return struct{}{}, err == nil && op.Attempts > 0
	})
	return r
}

const adminToken = "operators-only-0123456789abcdefghij"

// The quickstart of the seed: the command line for tenants and keys, HTTP for everything else. API, worker and engine
// run in separate processes.
func theQuickstartByHTTPAlone(t *testing.T, s *system, server *process) {
	t.Helper()
	environ := s.Environ()
	tenant := testkit.ID().String()
	if _, errs, code := run(t, environ, "tenants", "create", "--id", tenant, "--name", "Acme"); code != 0 {
		t.Fatal(errs)
	}
	for args, want := range map[string]string{
		"--tenant " + tenant + " --name x --scopes read,delete":                             `"delete" is not read, write, verify, review, erase or admin`,
		"--tenant " + tenant + " --name x --expires-in -1h":                                 "is in the past",
		"--tenant " + testkit.ID().String() + " --name x":                                   "does not exist",
		"--tenant " + tenant + " --scopes read":                                             "name",
		"--tenant " + tenant + " --name x --agents support":                                 "is not the id of an agent",
		"--tenant " + tenant + " --name x --agents " + testkit.ID().String():                "no agent of the tenant has the id",
		"--tenant " + tenant + " --name x --scopes admin --agents " + testkit.ID().String(): "covers all agents",
		"--tenant Acme --name x":                                                            "is not a UUID",
	} {
		if _, errs, code := run(t, environ, append([]string{"keys", "create"}, strings.Fields(args)...)...); code == 0 ||
			!strings.Contains(errs, want) {
			t.Errorf("keys create %s: %d, %s", args, code, errs)
		}
	}
	id, key := newKey(t, environ, tenant, "read,write,verify")
	c := newClient(t, server, key)
	agent, customer, scenario := testkit.ID(), testkit.ID(), testkit.ID()
	fields, profile := fmt.Sprintf("/v1/agents/%s/definitions/", agent), fmt.Sprintf("/v1/customers/%s", customer)

	// 1. Definitions. 2. A value. 3. A document, and a value from it.
	c.do(
		"PUT",
		fields+"email",
		`{"display_name": "Email Address", "value_type": "email", "is_pii": true, "enabled": true, "collection_prompt": "What is your email address?"}`,
		200,
		nil,
	)
	c.do("PUT", fields+"legal_name", `{"value_type": "string", "enabled": true}`, 200, nil)
	c.do("PUT", profile+"/values/email",
		fmt.Sprintf(`{"agent_id": %q, "value": "nonsense", "source": "user_provided"}`, agent), 422, nil)
	var asset, name operation[vault.ItemResult]
	c.do(
		"POST",
		profile+"/assets",
		`{"name": "id_card", "asset_type": "image", "storage_provider": "s3", "storage_path": "s3://documents/1",
		"size_bytes": 1, "checksum": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}`,
		200,
		&asset,
	)
	c.do(
		"PUT",
		profile+"/values/legal_name",
		fmt.Sprintf(`{"agent_id": %q, "value": "Ada Quill", "source": "document_extracted",
		"source_item_id": %q, "source_item_type": "profile_asset", "verified": true, "verification_method": "document"}`, agent, asset.Result.ItemID),
		200,
		&name,
	)
	// 4. The chain of the value, and its dependents.
	var chain vault.Chain
	c.do("GET", "/v1/items/"+name.Result.ItemID.String()+"/chain", "", 200, &chain)
	if len(chain.Links) != 2 || chain.Links[0].ID != asset.Result.ItemID {
		t.Errorf("the chain is %+v", chain)
	}
	c.do("DELETE", "/v1/items/"+asset.Result.ItemID.String(), "", 409, nil)
	c.do("DELETE", "/v1/items/"+asset.Result.ItemID.String()+"?force=true", "", 403, nil)
	// 5. Requirements, extracted from the scenario; missing fields.
	var saved operation[vault.SavedResult]
	c.do("PUT", fmt.Sprintf("/v1/agents/%s/scenarios/%s", agent, scenario),
		`{"name": "Onboarding", "description": "We need the customer's email address."}`, 200, &saved)
	s.Operation(t, uuid.MustParse(tenant), *saved.Result.Extraction, vault.OperationSucceeded)
	c.do("PUT", fmt.Sprintf("/v1/scenarios/%s/requirements/email", scenario),
		`{"required_level": "hard", "fallback_action": "ask"}`, 200, nil)
	var missing struct {
		Missing []vault.Missing `json:"missing"`
		Blocked bool            `json:"blocked"`
	}
	c.do("GET", profile+"/missing?scenario_id="+scenario.String(), "", 200, &missing)
	if len(missing.Missing) != 1 || !missing.Blocked {
		t.Errorf("missing are %+v", missing)
	}
	// 6. Gap fill: a question and its answer.
	res, _, err := c.send(t.Context(), "POST", profile+"/fill", fmt.Sprintf(`{"scenario_id": %q}`, scenario))
	if err != nil || res.StatusCode != http.StatusAccepted {
		t.Fatalf("%v, %v", res, err)
	}
	question := testkit.Eventually(t, "a question waits", func(context.Context) (vault.Question, bool) {
		var open struct{ Items []vault.Question }
		c.do("GET", "/v1/questions?customer_id="+customer.String(), "", 200, &open)
		if len(open.Items) == 0 {
			return vault.Question{}, false
		}
		return open.Items[0], true
	})
	if question.Prompt != "What is your email address?" {
		t.Errorf("the question is %q", question.Prompt)
	}
	c.do("POST", "/v1/questions/"+question.ID.String()+"/answer", `{"value": "ada@example.com"}`, 200, nil)
	testkit.Eventually(t, "the fill ends", func(context.Context) (vault.OperationStatus, bool) {
		var fill operation[vault.FillResult]
		c.do("GET", res.Header.Get("Location"), "", 200, &fill)
		return fill.Status, fill.Status == vault.OperationSucceeded && fill.Result.Fields[0].Filled
	})
	var read vault.Profile
	c.do("GET", profile, "", 200, &read)
	if string(read.Fields["email"].Value) != `"ada@example.com"` ||
		string(read.Fields["legal_name"].Value) != `"Ada Quill"` {
		t.Errorf("the profile is %+v", read.Fields)
	}

	// A key may be limited to agents, and then sees no other one.
	made, errs, code := run(t, environ, "keys", "create", "--tenant", tenant, "--name", "limited", "--agents",
		agent.String(), "--json")
	var limited struct {
		Key    string
		Agents []uuid.UUID
	}
	if err := json.Unmarshal([]byte(made), &limited); err != nil || code != 0 || !slices.Equal(limited.Agents, []uuid.UUID{agent}) {
		t.Fatalf("keys create --agents: %d, %s, %s", code, made, errs)
	}
	newClient(t, server, limited.Key).do("GET", fields+"email", "", 200, nil)
	newClient(t, server, limited.Key).do("GET", "/v1/agents/"+testkit.ID().String()+"/definitions", "", 403, nil)

	// Lists of keys contain no secrets. A revoked key is refused within seconds.
	list, errs, code := run(t, environ, "keys", "list", "--tenant", tenant)
	if code != 0 || !strings.Contains(list, id) || strings.Contains(list, key) || !strings.Contains(list, "read,write") {
		t.Errorf("keys list: %d, %s, %s", code, list, errs)
	}
	if !strings.Contains(list, agent.String()) {
		t.Errorf("keys list lacks the agents of a key: %s", list)
	}
	if _, errs, code := run(t, environ, "keys", "revoke", "--tenant", tenant, "--key", id); code != 0 {
		t.Error(errs)
	}
	if _, errs, code := run(t, environ, "keys", "revoke", "--tenant", testkit.ID().String(), "--key", id); code == 0 ||
		!strings.Contains(errs, "does not exist") {
		t.Errorf("the key of another tenant: %d, %s", code, errs)
	}
	testkit.Eventually(t, "the revoked key is refused", func(ctx context.Context) (int, bool) {
		res, _, err := c.send(ctx, "GET", profile, "")
		return 0, err == nil && res.StatusCode == http.StatusUnauthorized
	})
	for _, secret := range []string{key, "ada@example.com", "Ada Quill"} {
		if strings.Contains(server.log.String(), secret) {
			t.Errorf("the log of the API holds %q", secret)
		}
	}
}

// The commands and curl requests of docs/quickstart.md work.
func theDocumentedQuickstart(t *testing.T, s *system, server *process) {
	t.Helper()
	text, err := os.ReadFile("../../docs/quickstart.md")
	if err != nil {
		t.Fatal(err)
	}
	for by, wants := range map[string][]string{
		"command line": {"absent", `"ada@example.com"`, `"source":"profile"`},
		"curl":         {`"reason":"absent"`, `"blocked":true`, `"value":"ada@example.com"`, `"source":"profile"`},
	} {
		t.Run(by, func(t *testing.T) {
			t.Parallel()
			if by == "curl" {
				if _, err := exec.LookPath("curl"); err != nil {
					t.Skip("curl is not installed")
				}
			}
			script, steps := "", 0
			for _, block := range strings.Split(string(text), "```bash\n")[1:] {
				block, _, _ = strings.Cut(block, "```")
				if strings.HasPrefix(block, "# "+by+"\n") {
					script, steps = script+block, steps+1
				}
			}
			if steps != 6 {
				t.Fatalf("there are %d blocks", steps)
			}
			for short, long := range map[string]string{ // for slow machines
				"wait=10": "wait=60", " save <<<": " save --wait 2m <<<", "vault values write ": "vault values write --wait 2m ", "vault fill ": "vault fill --wait 2m ",
			} {
				script = strings.ReplaceAll(script, short, long)
			}
			dir := t.TempDir()
			if err := os.Symlink(os.Args[0], filepath.Join(dir, "vault")); err != nil {
				t.Fatal(err)
			}
			_, key := newKey(t, s.Environ(), s.tenant.String(), "read,write")
			cmd := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", script)
			cmd.Env = []string{
				"PATH=" + dir + ":" + os.Getenv("PATH"),
				asCommand + "=1",
				"VAULT_SERVER=http://" + server.health,
				"VAULT_API_KEY=" + key,
			}
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			for _, want := range wants {
				if !strings.Contains(string(out), want) {
					t.Errorf("it does not print %s:\n%s", want, out)
				}
			}
		})
	}
}

// The literal line of the seed.
func theSeedsCurlLine(t *testing.T, s *system, server *process) {
	t.Helper()
	const line = `curl -X POST http://localhost:8000/admin/profiles/expire-stale \
  -H "Authorization: Bearer $ADMIN_TOKEN"`
	c := newClient(t, server, adminToken)
	_, port, err := net.SplitHostPort(server.health)
	if err != nil {
		t.Fatal(err)
	}
	var answer []byte
	if _, err := exec.LookPath("curl"); err == nil {
		cmd := exec.CommandContext(t.Context(), "sh", "-c", strings.Replace(line, "localhost:8000", "127.0.0.1:"+port, 1))
		cmd.Env = append(os.Environ(), "ADMIN_TOKEN="+adminToken)
		if answer, err = cmd.Output(); err != nil {
			t.Fatal(err)
		}
	} else { // the same request without curl
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.base+"/admin/profiles/expire-stale", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+adminToken)
		res, err := c.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if answer, err = io.ReadAll(res.Body); err != nil {
			t.Fatal(err)
		}
	}
	var op operation[vault.SweepResult]
	if err := json.Unmarshal(answer, &op); err != nil || op.Status != vault.OperationAccepted {
		t.Fatalf("%v: %s", err, answer)
	}
	testkit.Eventually(t, "the sweep succeeds", func(context.Context) (vault.OperationStatus, bool) {
		c.do("GET", "/v1/operations/"+op.ID.String(), "", 200, &op)
		return op.Status, op.Status == vault.OperationSucceeded
	})
	var metrics string
	if res, got, err := c.send(t.Context(), "GET", "/metrics", ""); err == nil && res.StatusCode == http.StatusOK {
		metrics = string(got)
	}
	for _, name := range []string{`vault_http_requests_total{method="POST",route="/admin/profiles/expire-stale",status="202"} `, "profile_cache_hits_total", "vault_http_request_seconds_count"} {
		if !strings.Contains(metrics, name) {
			t.Errorf("/metrics does not show %s", name)
		}
	}
}

// SIGTERM loses no accepted operation and no request: a client that honours Connection: close gets no error.
func sigtermUnderLoadDropsNothing(t *testing.T, s *system, _ *process) {
	t.Helper()
	s.define("country", "plan")
	held := testkit.ID()
	s.applied(s.write(held, "country"), nil)
	server := startServe(t, s.Kit, "VAULT_API_RATE_LIMIT_PER_SECOND=0", "VAULT_API_REQUEST_TIMEOUT_SECONDS=120")
	_, key := newKey(t, s.Environ(), s.tenant.String(), "read,write")
	body := fmt.Sprintf(`{"agent_id": %q, "value": "Norway", "source": "user_provided"}`, s.agent)

	// A request that waits for an outcome that never comes, and a request with an incomplete body.
	lock := lockProfile(t, s.DatabaseURL, held)
	waited := make(chan string, 1)
	go func() {
		res, got, err := newClient(t, server,
			key).send(t.Context(), "PUT", fmt.Sprintf("/v1/customers/%s/values/plan", held), body, "Prefer: wait=60")
		if err != nil {
			waited <- err.Error()
			return
		}
		waited <- fmt.Sprintf("%d %s", res.StatusCode, got)
	}()
	lock.untilSomeoneWaits()
	slow, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", server.health)
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	half := len(body) / 2
	if _, err := fmt.Fprintf(slow, "PUT /v1/customers/%s/values/plan HTTP/1.1\r\nHost: vault\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		testkit.ID(), key, len(body), body[:half]); err != nil {
		t.Fatal(err)
	}

	type accepted struct {
		customer uuid.UUID
		op       operation[vault.ItemResult]
	}
	var mu sync.Mutex
	var all []accepted
	var failures []string
	var clients sync.WaitGroup
	for n := range 8 {
		c := newClient(t, server, key)
		var prefer []string
		if n%2 == 0 {
			prefer = []string{"Prefer: wait=30"}
		}
		clients.Go(func() {
			for {
				customer := testkit.ID()
				res, got, err := c.send(t.Context(), "PUT", fmt.Sprintf("/v1/customers/%s/values/country", customer), body,
					prefer...)
				var op operation[vault.ItemResult]
				if err == nil {
					err = json.Unmarshal(got, &op)
				}
				if err == nil && res.StatusCode != http.StatusOK && res.StatusCode != http.StatusAccepted {
					err = fmt.Errorf("%d: %s", res.StatusCode, got)
				}
				mu.Lock()
				if err != nil {
					failures = append(failures, err.Error())
				} else {
					all = append(all, accepted{customer, op})
				}
				mu.Unlock()
				if err != nil || res.Close {
					return // the server is stopping
				}
			}
		})
	}
	enough := func() int { mu.Lock(); defer mu.Unlock(); return len(all) }
	testkit.Eventually(t, "there is load", func(context.Context) (int, bool) { n := enough(); return n, n > 50 })
	server.signal(syscall.SIGTERM)
	testkit.Eventually(t, "/readyz says that it stops", func(ctx context.Context) (int, bool) {
		status := server.get(ctx, "/readyz")
		return status, status == http.StatusServiceUnavailable
	})
	if _, err := io.WriteString(slow, body[half:]); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(slow), nil)
	if err != nil {
		t.Fatalf("the request whose body was on its way: %v", err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusAccepted || !res.Close {
		t.Errorf("the request whose body was on its way: %d, closes %v", res.StatusCode, res.Close)
	}
	select {
	case got := <-waited:
		if !strings.HasPrefix(got, "202 ") {
			t.Errorf("the request that waited: %s", got)
		}
	case <-time.After(testkit.Patience):
		t.Fatal("the request that waited was not answered")
	}
	clients.Wait()
	if code := server.wait(); code != 0 {
		t.Errorf("it exited with %d", code)
	}
	if len(failures) > 0 {
		t.Errorf("%d requests failed, such as %s", len(failures), failures[0])
	}
	lock.release()
	for _, a := range all {
		s.Operation(t, s.tenant, a.op.ID, vault.OperationSucceeded)
	}
	for _, a := range all[len(all)-8:] {
		s.writtenOnce(a.customer, "country")
	}
	if !strings.Contains(server.log.String(), `"msg":"api_stopped","finished":true`) {
		t.Error("the log does not say that it finished")
	}
}
