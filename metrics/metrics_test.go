package metrics_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/contextvault/contextvault/db"
	"github.com/contextvault/contextvault/db/dbgen"
	"github.com/contextvault/contextvault/db/dbtest"
	"github.com/contextvault/contextvault/internal/testkit"
	"github.com/contextvault/contextvault/metrics"
	"github.com/contextvault/contextvault/vault"
)

func TestMain(m *testing.M) {
	testkit.Parallel(8)
	os.Exit(m.Run())
}

func TestMetrics_CountsReports(t *testing.T) {
	t.Parallel()
	m := metrics.New(metrics.Sources{})
	m.ChainRead(1)
	m.ChainRead(12)
	m.ValuesInvalid(vault.ImportValues.Name, 3, 2)
	m.GapTried("", "expired")
	m.GapTried("session", "filled")
	m.BudgetSpent()
	want := `
# HELP gap_fill_attempts_total Fields of ended gap fills, by source of the value (none: no value) and outcome.
# TYPE gap_fill_attempts_total counter
gap_fill_attempts_total{outcome="expired",source="none"} 1
gap_fill_attempts_total{outcome="filled",source="session"} 1
# HELP profile_schema_validation_errors_total Values that failed the validation of their definition, by workflow and outcome: rejected or warned (stored).
# TYPE profile_schema_validation_errors_total counter
profile_schema_validation_errors_total{outcome="rejected",workflow="answer-question"} 0
profile_schema_validation_errors_total{outcome="rejected",workflow="import-values"} 3
profile_schema_validation_errors_total{outcome="rejected",workflow="write-value"} 0
profile_schema_validation_errors_total{outcome="warned",workflow="answer-question"} 0
profile_schema_validation_errors_total{outcome="warned",workflow="import-values"} 2
profile_schema_validation_errors_total{outcome="warned",workflow="write-value"} 0
# HELP vault_llm_budget_refusals_total Calls of the language model that were refused: the daily budget of the tenant is spent.
# TYPE vault_llm_budget_refusals_total counter
vault_llm_budget_refusals_total 1
`
	if err := testutil.GatherAndCompare(m.Registry, strings.NewReader(want), "gap_fill_attempts_total", "profile_schema_validation_errors_total", "vault_llm_budget_refusals_total"); err != nil {
		t.Error(err)
	}
	if problems, err := testutil.GatherAndLint(m.Registry); err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
}

// shown returns the samples of a collector as text.
func shown(t *testing.T, c prometheus.Collector) string {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(c)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, f := range families {
		for _, m := range f.GetMetric() {
			fmt.Fprintf(&b, "%s", f.GetName())
			for _, l := range m.GetLabel() {
				fmt.Fprintf(&b, " %s", l.GetValue())
			}
			fmt.Fprintf(&b, " %g\n", m.GetGauge().GetValue())
		}
	}
	return b.String()
}

// Unfinished operations are exported by age. After a failed count, nothing is exported.
func TestCounts_ExportsOperationsAndValues(t *testing.T) {
	t.Parallel()
	url := dbtest.URL(t)
	d, err := dbtest.OpenLogins(t.Context(), url, db.Options{MaxConns: 4})
	if err != nil {
		t.Fatal(err)
	}
	tenant := dbtest.Tenant(t, d)
	for i := range 3 {
		_, err := d.Tenant(tenant).InsertOperations(t.Context(), dbgen.InsertOperationsParams{
			TenantID: tenant, Ids: []uuid.UUID{testkit.ID()}, Workflows: []string{vault.WriteValue.Name},
			Events: []string{vault.WriteValue.Event}, Subjects: []string{"s"}, IdempotencyKeys: []string{fmt.Sprint(i)},
			ParentIds: []uuid.UUID{uuid.Nil}, Actors: []string{string(vault.ActorProcess)}, Forced: []bool{false}, Decisions: []string{""},
			Fields: []string{""}, Payloads: [][]byte{[]byte("sealed")}, DueAfter: time.Minute,
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	counts := metrics.NewCounts(d, slog.New(slog.DiscardHandler), 10*time.Millisecond)
	if text := shown(t, counts); text != "" {
		t.Errorf("before the first count it exports %s", text)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- counts.Run(ctx) }()
	testkit.Eventually(t, "the counts are exported", func(context.Context) (struct{}, bool) {
		text := shown(t, counts)
		return struct{}{}, strings.Contains(text, "vault_operations_owed under_1m accepted write-value 3\n") &&
			strings.Contains(text, "vault_operations_owed over_1h accepted write-value 0\n") &&
			strings.Contains(text, "vault_operations_oldest_seconds accepted write-value ") &&
			strings.Contains(text, "profile_values_by_status orphaned 0\n")
	})
	d.Close()
	testkit.Eventually(t, "the counts are gone", func(context.Context) (struct{}, bool) {
		return struct{}{}, !strings.Contains(shown(t, counts), "vault_operations")
	})
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("it ended with %v", err)
	}
}
