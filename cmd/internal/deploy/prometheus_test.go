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

// description reads what a Desc tells of itself.
var description = regexp.MustCompile(`^Desc\{fqName: "([^"]+)", help: "(.*)", (?:unit: "[^"]*", )?constLabels: \{.*\}, variableLabels: \{(.*)\}\}$`)

// exported gives the metrics of both programs with their labels. What the Go runtime and the process tell is left out.
func exported(t *testing.T) map[string][]string {
	t.Helper()
	both := metrics.New(metrics.Sources{})
	api.New(api.Options{Registry: both.Registry})                                                                     // the API
	both.Registry.MustRegister(metrics.NewSteps(func() int64 { return 0 }), metrics.NewCounts(nil, nil, time.Minute)) // the worker
	descs := make(chan *prometheus.Desc)
	go func() {
		defer close(descs)
		both.Registry.Describe(descs)
	}()
	out := map[string][]string{}
	for d := range descs {
		m := description.FindStringSubmatch(d.String())
		if m == nil {
			t.Fatalf("%s does not read as expected", d)
		}
		if strings.HasPrefix(m[1], "go_") || strings.HasPrefix(m[1], "process_") {
			continue
		}
		out[m[1]] = strings.FieldsFunc(m[3], func(r rune) bool { return r == ',' })
	}
	return out
}

// scraped are the labels that Prometheus adds.
var scraped = []string{"instance", "job", "le"}

// check reports the metrics and labels of an expression that no program exports, and the metrics that it uses.
func check(t *testing.T, where, expr string, known map[string][]string) (used []string) {
	t.Helper()
	parsed, err := metricsql.Parse(strings.ReplaceAll(expr, "$__rate_interval", "5m"))
	if err != nil {
		t.Errorf("%s: %v: %s", where, err, expr)
		return nil
	}
	var labels []string // that each metric must have
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
			t.Errorf("%s uses %s, which nobody exports", where, name)
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

// rules is a file of rules as Prometheus reads it.
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
	text, err := os.ReadFile("../../../docs/operation.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Each alert watches what is exported, and says what to do.
func TestAlerts(t *testing.T) {
	t.Parallel()
	known, page := exported(t), operationPage(t)
	text, err := os.ReadFile("../../../deploy/prometheus/alerts.yaml")
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
			if r.Annotations["summary"] == "" || !strings.Contains(r.Annotations["description"], "docs/operation.md#"+strings.ToLower(r.Alert)) {
				t.Errorf("%s does not say what it is, or where to read what to do", r.Alert)
			}
			if !strings.Contains(page, "\n#### "+r.Alert+"\n") {
				t.Errorf("docs/operation.md does not say what to do for %s", r.Alert)
			}
		}
	}
	if n < 8 {
		t.Errorf("there are %d alerts", n)
	}
}

// The dashboard shows what is exported, and all of it.
func TestDashboard(t *testing.T) {
	t.Parallel()
	known := exported(t)
	text, err := os.ReadFile("../../../deploy/grafana/dashboard.json")
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
		if !shown[name] && name != "profile_values_counted_timestamp_seconds" { // an alert watches it
			t.Errorf("the dashboard does not show %s", name)
		}
	}
}

// The page lists every metric, and none that there is not.
func TestThePageListsTheMetrics(t *testing.T) {
	t.Parallel()
	known, page := exported(t), operationPage(t)
	listed := map[string]bool{}
	for _, row := range regexp.MustCompile("(?m)^\\| `((?:vault|profile|gap)_[a-z_]+)` \\| ([^|]*) \\|").FindAllStringSubmatch(page, -1) {
		listed[row[1]] = true
		labels, ok := known[row[1]]
		if !ok {
			t.Errorf("docs/operation.md lists %s, which nobody exports", row[1])
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
