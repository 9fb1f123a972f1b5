package deploy_test

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metricsql"
	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/yaml"

	"github.com/contextvault/contextvault/api"
	"github.com/contextvault/contextvault/metrics"
)

// description parses the text of a prometheus.Desc.
var description = regexp.MustCompile(`^Desc\{fqName: "([^"]+)", help: "(.*)", (?:unit: "[^"]*", )?` +
	`constLabels: \{.*\}, variableLabels: \{(.*)\}\}$`)

// exported returns the metrics of API and worker with their labels, without those of the Go runtime and the process.
func exported(t *testing.T) map[string][]string {
	t.Helper()
	both := metrics.New(metrics.Sources{})
	api.New(api.Options{Registry: both.Registry}) // the API
	steps := metrics.NewSteps(func() int64 { return 0 })
	both.Registry.MustRegister(steps, metrics.NewCounts(nil, nil, time.Minute)) // the worker
	descs := make(chan *prometheus.Desc)
	go func() {
		defer close(descs)
		both.Registry.Describe(descs)
	}()
	out := map[string][]string{}
	for d := range descs {
		m := description.FindStringSubmatch(d.String())
		if m == nil {
			t.Fatalf("%s has an unexpected format", d)
		}
		if strings.HasPrefix(m[1], "go_") || strings.HasPrefix(m[1], "process_") {
			continue
		}
		out[m[1]] = strings.FieldsFunc(m[3], func(r rune) bool { return r == ',' })
	}
	return out
}

// scraped lists the labels that Prometheus adds.
var scraped = []string{"instance", "job", "le"}

// check reports the metrics and labels of an expression that no program exports. It returns the metrics that it uses.
func check(t *testing.T, where, expr string, known map[string][]string) (used []string) {
	t.Helper()
	parsed, err := metricsql.Parse(strings.ReplaceAll(expr, "$__rate_interval", "5m"))
	if err != nil {
		t.Errorf("%s: %v: %s", where, err, expr)
		return nil
	}
	var labels []string // every metric must have them
	metricsql.VisitAll(parsed, func(e metricsql.Expr) {
		switch e := e.(type) {
		case *metricsql.AggrFuncExpr:
			labels = append(labels, e.Modifier.Args...)
		case *metricsql.MetricExpr:
			for _, filters := range e.LabelFilterss {
				for _, f := range filters {
					if f.Label == "__name__" {
						used = append(used, f.Value)
						continue
					}
					labels = append(labels, f.Label)
				}
			}
		}
	})
	if len(used) == 0 {
		t.Errorf("%s uses no metric: %s", where, expr)
	}
	for i, name := range used {
		base := name
		for _, suffix := range []string{"_bucket", "_count", "_sum"} {
			base = strings.TrimSuffix(base, suffix)
		}
		has, ok := known[base]
		if !ok {
			t.Errorf("%s uses %s, which no program exports", where, name)
			continue
		}
		used[i] = base
		for _, l := range labels {
			if !slices.Contains(has, l) && !slices.Contains(scraped, l) {
				t.Errorf("%s: %s has no label %s", where, name, l)
			}
		}
	}
	return used
}

// rules is a file of alert rules.
type rules struct {
	Groups []struct {
		Name  string `json:"name"`
		Rules []struct {
			Alert       string            `json:"alert"`
			Expr        string            `json:"expr"`
			For         string            `json:"for"`
			Labels      map[string]string `json:"labels"`
			Annotations map[string]string `json:"annotations"`
		} `json:"rules"`
	} `json:"groups"`
}

func operationPage(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../docs/operation.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Every alert uses exported metrics and links to its instructions.
func TestAlerts_MetricsAndInstructions(t *testing.T) {
	t.Parallel()
	known, page := exported(t), operationPage(t)
	text, err := os.ReadFile("prometheus/alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file rules
	if err := yaml.UnmarshalStrict(text, &file); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, group := range file.Groups {
		for _, r := range group.Rules {
			n++
			check(t, r.Alert, r.Expr, known)
			if s := r.Labels["severity"]; s != "critical" && s != "warning" {
				t.Errorf("%s has severity %q", r.Alert, s)
			}
			if r.For != "" {
				if _, err := time.ParseDuration(r.For); err != nil {
					t.Errorf("%s: %v", r.Alert, err)
				}
			}
			instructions := "docs/operation.md#" + strings.ToLower(r.Alert)
			if r.Annotations["summary"] == "" || !strings.Contains(r.Annotations["description"], instructions) {
				t.Errorf("%s has no summary, or no link to its instructions", r.Alert)
			}
			if !strings.Contains(page, "\n#### "+r.Alert+"\n") {
				t.Errorf("docs/operation.md has no section %s", r.Alert)
			}
		}
	}
	if n < 8 {
		t.Errorf("there are %d alerts", n)
	}
}

// The dashboard shows all exported metrics, and only those.
func TestDashboard_ShowsAllMetrics(t *testing.T) {
	t.Parallel()
	known := exported(t)
	text, err := os.ReadFile("grafana/dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Title  string `json:"title"`
		UID    string `json:"uid"`
		Panels []struct {
			ID      int    `json:"id"`
			Type    string `json:"type"`
			Title   string `json:"title"`
			Targets []struct {
				Expr         string `json:"expr"`
				LegendFormat string `json:"legendFormat"`
			} `json:"targets"`
		} `json:"panels"`
	}
	if err := json.Unmarshal(text, &dashboard); err != nil {
		t.Fatal(err)
	}
	ids, shown := map[int]bool{}, map[string]bool{}
	for _, p := range dashboard.Panels {
		if ids[p.ID] || p.Title == "" || p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("the panel %d, %q, is there twice, or empty", p.ID, p.Title)
		}
		ids[p.ID] = true
		for _, target := range p.Targets {
			for _, name := range check(t, p.Title, target.Expr, known) {
				shown[name] = true
			}
		}
	}
	for name := range known {
		if !shown[name] && name != "profile_values_counted_timestamp_seconds" { // only an alert uses it
			t.Errorf("the dashboard does not show %s", name)
		}
	}
}

// docs/operation.md lists all exported metrics, and only those.
func TestOperationPage_ListsMetrics(t *testing.T) {
	t.Parallel()
	known, page := exported(t), operationPage(t)
	listed := map[string]bool{}
	metricRow := regexp.MustCompile("(?m)^\\| `((?:vault|profile|gap)_[a-z_]+)` \\| ([^|]*) \\|")
	for _, row := range metricRow.FindAllStringSubmatch(page, -1) {
		listed[row[1]] = true
		labels, ok := known[row[1]]
		if !ok {
			t.Errorf("docs/operation.md lists %s, which no program exports", row[1])
		}
		for _, l := range labels {
			if !strings.Contains(row[2], "`"+l+"`") {
				t.Errorf("docs/operation.md does not name the label %s of %s", l, row[1])
			}
		}
	}
	for name := range known {
		if !listed[name] {
			t.Errorf("docs/operation.md does not list %s", name)
		}
	}
}
