package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/contextvault/contextvault/internal/testkit"
	"github.com/contextvault/contextvault/vault"
)

// scrape reads the metrics of a process.
func (p *process) scrape(ctx context.Context) (map[string]*dto.MetricFamily, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.health+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(res.Body)
		return nil, fmt.Errorf("%s: %s", res.Status, body)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	return parser.TextToMetricFamilies(res.Body)
}

// sample returns the sum of the samples of a metric with all these labels ("name=value"), or the count of a histogram.
func sample(families map[string]*dto.MetricFamily, name string, labels ...string) (sum float64, found bool) {
	for _, m := range families[name].GetMetric() {
		var has []string
		for _, l := range m.GetLabel() {
			has = append(has, l.GetName()+"="+l.GetValue())
		}
		if slices.ContainsFunc(labels, func(l string) bool { return !slices.Contains(has, l) }) {
			continue
		}
		found = true
		sum += m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
	}
	return sum, found
}

// The counters of both programs follow the operations. No label contains an id or a value.
func metricsMove(t *testing.T, s *system, server *process) {
	t.Helper()
	_, key := newKey(t, s.Environ(), s.tenant.String(), "read,write")
	c := newClient(t, server, key)
	agent, customer, scenario := testkit.ID(), testkit.ID(), testkit.ID()
	fields, profile := fmt.Sprintf("/v1/agents/%s/definitions/", agent), fmt.Sprintf("/v1/customers/%s", customer)
	value := func(value string) string {
		return fmt.Sprintf(`{"agent_id": %q, "value": %q, "source": "user_provided"}`, agent, value)
	}
	c.do("PUT", fields+"hunter_email", `{"value_type": "email", "enabled": true}`, 200, nil)
	c.do("PUT", fields+"hunter_plan",
		`{"value_type": "string", "validation_mode": "warn", "allowed_values": ["gold"], "enabled": true}`, 200, nil)
	c.do("PUT", fields+"hunter_phone", `{"value_type": "phone", "enabled": true}`, 200, nil)
	c.do("PUT", profile+"/values/hunter_email", value("hunter2 is no address"), 422, nil)
	c.do("PUT", profile+"/values/hunter_plan", value("hunter3"), 200, nil)
	var written operation[vault.ItemResult]
	for i := range 2 { // the second supersedes the first
		c.do("PUT", profile+"/values/hunter_email", value(fmt.Sprintf("hunter%d@example.com", i)), 200, &written)
	}
	for range 3 {
		c.do("GET", profile, "", 200, nil)
	}
	c.do("GET", "/v1/items/"+written.Result.ItemID.String()+"/chain", "", 200, nil)
	c.do("PUT", fmt.Sprintf("/v1/agents/%s/scenarios/%s", agent, scenario),
		`{"name": "Onboarding", "description": "We need the customer's phone number."}`, 200, nil)
	c.do("PUT", fmt.Sprintf("/v1/scenarios/%s/requirements/hunter_email", scenario),
		`{"required_level": "hard", "fallback_action": "ask"}`, 200, nil)
	c.do("PUT", fmt.Sprintf("/v1/scenarios/%s/requirements/hunter_phone", scenario),
		`{"required_level": "soft", "fallback_action": "skip"}`, 200, nil)
	c.do("POST", profile+"/fill", fmt.Sprintf(`{"scenario_id": %q}`, scenario), 200, nil)

	type want struct {
		of     *process
		name   string
		labels []string
		least  float64
	}
	wants := []want{
		{server, "profile_cache_hits_total", []string{"kind=profile"}, 2},
		{server, "profile_cache_misses_total", []string{"kind=profile"}, 1},
		{server, "profile_derivation_chain_depth", nil, 1},
		{server, "vault_http_requests_total", []string{"method=PUT", "status=422"}, 1},
		{server, "vault_http_request_seconds", nil, 5},
		{server, "vault_dependency_up", []string{"dependency=database"}, 1},
		{server, "vault_dependency_up", []string{"dependency=redis"}, 1},
		{server, "vault_dependency_up", []string{"dependency=engine"}, 1},
		{s.worker, "vault_dependency_up", []string{"dependency=engine"}, 1},
		{s.worker, "profile_cache_invalidations_total", []string{"kind=profile"}, 3},
		{s.worker, "profile_schema_validation_errors_total", []string{"workflow=write-value", "outcome=rejected"}, 1},
		{s.worker, "profile_schema_validation_errors_total", []string{"workflow=write-value", "outcome=warned"}, 1},
		{s.worker, "profile_values_by_status", []string{"status=active"}, 2},
		{s.worker, "profile_values_by_status", []string{"status=superseded"}, 1},
		{s.worker, "profile_values_counted_timestamp_seconds", nil, 1e9},
		{s.worker, "gap_fill_attempts_total", []string{"source=profile", "outcome=filled"}, 1},
		{s.worker, "gap_fill_attempts_total", []string{"source=none"}, 1},
		{s.worker, "vault_operations_finished", []string{"workflow=write-value", "status=succeeded"}, 3},
		{s.worker, "vault_operations_finished", []string{"workflow=write-value", "status=failed"}, 1},
		{s.worker, "vault_llm_calls_total", []string{"operation=propose_requirements", "outcome=ok"}, 1},
		{s.worker, "vault_steps_total", []string{"step=write-value:persist", "outcome=succeeded"}, 3},
		{s.worker, "vault_steps_total", []string{"step=write-value:validate", "outcome=rejected"}, 1},
		{s.worker, "vault_step_seconds", []string{"step=write-value:persist"}, 3},
	}
	for _, w := range wants {
		testkit.Eventually(
			t,
			fmt.Sprintf("%s%v is %g", w.name, w.labels, w.least),
			func(ctx context.Context) (struct{}, bool) {
				families, err := w.of.scrape(ctx)
				if err != nil {
					t.Fatal(err)
				}
				got, found := sample(families, w.name, w.labels...)
				return struct{}{}, found && got >= w.least
			},
		)
	}
	for _, p := range []*process{server, s.worker} {
		families, err := p.scrape(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"profile_cache_circuit_open", "vault_llm_budget_refusals_total"} { // no failure
			if n, found := sample(families, name); !found || n != 0 {
				t.Errorf("%s is %g, %t", name, n, found)
			}
		}
		var shown strings.Builder
		for _, f := range families {
			shown.WriteString(f.String())
		}
		for _, secret := range []string{"hunter", s.tenant.String(), customer.String(), agent.String(), scenario.String()} {
			if strings.Contains(shown.String(), secret) {
				t.Errorf("a metric holds %s", secret)
			}
		}
	}
	// Each log line of a step contains the ids of its operation.
	if text := s.worker.log.String(); !strings.Contains(text, `"msg":"step_failed"`) ||
		!strings.Contains(text, `"operation_id":"`) ||
		!strings.Contains(text, `"run_id":"`) {
		t.Errorf("the log of the worker is %s", tail(text))
	}
}
