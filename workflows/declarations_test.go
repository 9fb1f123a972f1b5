package workflows_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/contextvault/contextvault/config"
	"github.com/contextvault/contextvault/steps"
	"github.com/contextvault/contextvault/vault"
	"github.com/contextvault/contextvault/workflows"
)

// declared is a workflow as it is registered with the engine.
type declared struct {
	events []string
	cron   string
	tasks  []declaredTask
}

type declaredTask struct {
	name              string
	parents           []string
	retries           int
	backoff           float32
	maxBackoffSeconds int
	execution         time.Duration
	schedule          time.Duration
}

// declarations returns every workflow with the crons of the default configuration. It does not call an engine.
func declarations(t *testing.T) map[string]declared {
	t.Helper()
	cfg, err := config.Load("", nil)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]declared{}
	for _, w := range workflows.All(kit.Client, steps.Steps{}, workflows.Crons{
		ExpireValues: cfg.Jobs.Hatchet.CronExpireValues, DetectOrphans: cfg.Jobs.Hatchet.CronDetectOrphans,
		RelayOperations: cfg.Jobs.Hatchet.CronRelayOperations, PurgeOperations: cfg.Jobs.Hatchet.CronPurgeOperations,
		ReadQuietSessions: cfg.Jobs.Hatchet.CronReadQuietSessions, SealAudit: cfg.Jobs.Hatchet.CronSealAudit,
		RotateKeys: cfg.Jobs.Hatchet.CronRotateKeys, SealValues: cfg.Jobs.Hatchet.CronSealValues,
		PurgeCustomers: cfg.Jobs.Hatchet.CronPurgeCustomers, RemoveExpired: cfg.Jobs.Hatchet.CronRemoveExpired,
		DeliverWebhooks: cfg.Jobs.Hatchet.CronDeliverWebhooks,
		ProposeMerges:   cfg.Jobs.Hatchet.CronProposeMerges,
	}) {
		req, _, _, onFailure := w.Dump()
		if onFailure != nil {
			t.Errorf("%s has a failure handler", req.Name)
		}
		if _, twice := out[req.Name]; twice {
			t.Errorf("%s is registered twice", req.Name)
		}
		d := declared{events: req.EventTriggers, cron: strings.Join(req.CronTriggers, ", ")}
		if len(req.ConcurrencyArr) > 0 {
			t.Errorf("%s uses a queue of the engine: a lost run would block it", req.Name)
		}
		for _, task := range req.Tasks {
			dt := declaredTask{
				name: task.ReadableId, parents: task.Parents, retries: int(task.Retries), backoff: task.GetBackoffFactor(),
				maxBackoffSeconds: int(task.GetBackoffMaxSeconds()),
				execution:         duration(t, task.Timeout), schedule: duration(t, task.GetScheduleTimeout()),
			}
			if task.IsDurable {
				t.Errorf("%s: %s is durable: the engine loses the waits of such a task", req.Name, task.ReadableId)
			}
			d.tasks = append(d.tasks, dt)
		}
		out[req.Name] = d
	}
	return out
}

// duration parses a duration; nil is zero, which means the engine's default.
func duration(t *testing.T, text string) time.Duration {
	t.Helper()
	if text == "" {
		return 0
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// steps returns the names of the steps in the order in which they run.
func (d declared) steps() []string {
	names := make([]string, len(d.tasks))
	for i, task := range d.tasks {
		names[i] = task.name
	}
	return names
}

// The engine's defaults are no retries, no backoff, 60 s, and a failure after 5 minutes without a worker.
func TestDeclarations_EveryTaskHasAPolicy(t *testing.T) {
	t.Parallel()
	for name, w := range declarations(t) {
		for _, task := range w.tasks {
			if task.retries < 1 || task.backoff <= 1 || task.maxBackoffSeconds < 1 {
				t.Errorf(
					"%s: %s is tried again %d times, with back-off %v up to %d s", name, task.name, task.retries, task.backoff,
					task.maxBackoffSeconds,
				)
			}
			if task.execution == 0 || task.schedule == 0 || task.schedule == 5*time.Minute {
				t.Errorf(
					"%s: %s has execution time-out %s and scheduling time-out %s", name, task.name, task.execution, task.schedule,
				)
			}
			swept := strings.HasPrefix(name, "expire-") || name == vault.WorkflowDeliverWebhooks || strings.HasPrefix(name, "detect-") || w.events == nil && w.cron != ""
			if !swept && task.schedule < time.Hour {
				t.Errorf("%s: %s fails after %s without a worker", name, task.name, task.schedule)
			}
		}
	}
}

// The steps with the policy of the model are those that have slots of their own, and no other workflow is on their
// worker.
func TestDeclarations_ModelSteps(t *testing.T) {
	t.Parallel()
	var calls []string
	for name, w := range declarations(t) {
		for _, task := range w.tasks {
			slow := task.execution == 3*time.Minute
			if slow {
				calls = append(calls, name)
			}
			for _, namespace := range []string{"", "staging_"} {
				if got := workflows.CallsModel(namespace+name, task.name); got != slow {
					t.Errorf("%s: %s may take %s; it calls the model: %t", namespace+name, task.name, task.execution, got)
				}
			}
		}
	}
	slices.Sort(calls)
	all := workflows.All(kit.Client, steps.Steps{}, workflows.Crons{})
	plain, model := workflows.Split(all)
	var names []string
	for _, w := range model {
		names = append(names, w.GetName())
	}
	slices.Sort(names)
	if want := slices.Compact(calls); !slices.Equal(names, want) || len(plain)+len(model) != len(all) {
		t.Errorf("%v are on the worker of the model, want %v; %d are on the other of %d", names, want, len(plain), len(all))
	}
}

func TestDeclarations_StepsInOrder(t *testing.T) {
	t.Parallel()
	for name, w := range declarations(t) {
		for i, task := range w.tasks {
			var want []string
			if i > 0 {
				want = []string{w.tasks[i-1].name}
			}
			if !slices.Equal(task.parents, want) {
				t.Errorf("%s: %s runs after %v, want after %v", name, task.name, task.parents, want)
			}
		}
	}
}

// row is a row of the table in the package documentation.
type row struct{ workflow, event, cron, onePer, steps string }

func documented(t *testing.T) []row {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "doc.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	var out []row
	var at []int // offsets of the columns
	for line := range strings.SplitSeq(file.Doc.Text(), "\n") {
		cells, found := strings.CutPrefix(line, "\t")
		if !found {
			continue
		}
		if at == nil {
			for _, head := range []string{"workflow", "event", "cron", "one at a time per", "steps"} {
				column := strings.Index(cells, head)
				if column < 0 {
					t.Fatalf("the table has no column %q", head)
				}
				at = append(at, column)
			}
			continue
		}
		cell := func(i int) string {
			from, to := at[i], len(cells)
			if i+1 < len(at) {
				to = at[i+1]
			}
			return strings.TrimSpace(cells[from:to])
		}
		out = append(out, row{cell(0), cell(1), cell(2), cell(3), cell(4)})
	}
	return out
}

var inParentheses = regexp.MustCompile(` ?\(([^)]*)\)`)

// split returns the parts of a cell, without text in parentheses.
func split(cell, separator string) []string {
	cell = inParentheses.ReplaceAllString(cell, "")
	if cell == "" {
		return nil
	}
	return strings.Split(cell, separator)
}

func TestDocTable_MatchesRegistration(t *testing.T) {
	t.Parallel()
	registered := declarations(t)
	var rows []string
	for _, r := range documented(t) {
		rows = append(rows, r.workflow)
		w := registered[r.workflow]
		events := split(r.event, ", ")
		if !slices.Equal(events, w.events) {
			t.Errorf("%s: documented with the events %v, registered with %v", r.workflow, events, w.events)
		}
		if r.cron != w.cron {
			t.Errorf("%s: documented with the cron %q, by default registered with %q", r.workflow, r.cron, w.cron)
		}
		if want := split(r.steps, " → "); !slices.Equal(want, w.steps()) {
			t.Errorf("%s: documented with the steps %v, registered with %v", r.workflow, want, w.steps())
		}
	}
	slices.Sort(rows)
	if names := slices.Sorted(maps.Keys(registered)); !slices.Equal(rows, names) {
		t.Errorf("documented:\n%v\nregistered:\n%v", rows, names)
	}
}

// Parentheses in the table name events and workflows, too.
func TestDocTable_NamesExist(t *testing.T) {
	t.Parallel()
	known := append(namedWorkflows(), namedEvents()...)
	name := regexp.MustCompile(`[a-z]+[-:][a-z]+`)
	found := 0
	for _, r := range documented(t) {
		for _, said := range inParentheses.FindAllString(r.event+" "+r.steps, -1) {
			for _, n := range name.FindAllString(said, -1) {
				if found++; !slices.Contains(known, n) {
					t.Errorf("%s: there is no %q", r.workflow, n)
				}
			}
		}
	}
	if found < 2 {
		t.Errorf("only %d names were found", found)
	}
}

// namedWorkflows returns the workflows of all operations and the workflows that only a cron starts.
func namedWorkflows() []string {
	names := []string{
		vault.WorkflowRelayOperations, vault.WorkflowPurgeOperations, vault.WorkflowReadQuietSessions,
		vault.WorkflowSealAudit, vault.WorkflowRotateKeys, vault.WorkflowSealValues,
		vault.WorkflowPurgeCustomers, vault.WorkflowRemoveExpired, vault.WorkflowDeliverWebhooks,
	}
	for _, o := range vault.Operations() {
		names = append(names, o.Name)
	}
	slices.Sort(names)
	return names
}

// namedEvents returns the events of all operations.
func namedEvents() []string {
	names := []string{vault.EventDeliverWebhooks} // a signal without an operation
	for _, o := range vault.Operations() {
		names = append(names, o.Events...)
	}
	slices.Sort(names)
	return names
}

func TestDeclarations_EverySpecIsRegistered(t *testing.T) {
	t.Parallel()
	named := namedWorkflows()
	if registered := slices.Sorted(maps.Keys(declarations(t))); !slices.Equal(named, registered) {
		t.Errorf("named:\n%v\nregistered:\n%v", named, registered)
	}
}

func TestDeclarations_EveryEventIsUsed(t *testing.T) {
	t.Parallel()
	var used []string
	for _, w := range declarations(t) {
		used = append(used, w.events...)
	}
	slices.Sort(used)
	if named := namedEvents(); !slices.Equal(named, used) {
		t.Errorf("named:\n%v\nused:\n%v", named, used)
	}
}

// Without a cron in the configuration a sweep runs only by its event.
func TestDeclarations_EmptyCron(t *testing.T) {
	t.Parallel()
	for _, w := range workflows.All(kit.Client, steps.Steps{}, workflows.Crons{}) {
		if req, _, _, _ := w.Dump(); len(req.CronTriggers) > 0 {
			t.Errorf("%s has the cron %v", req.Name, req.CronTriggers)
		}
	}
}

// All lists every workflow of the module. Only the development command may declare others, for measurements.
func TestDeclarations_OnlyHere(t *testing.T) {
	t.Parallel()
	declares := regexp.MustCompile(`\.New(Workflow|StandaloneTask|StandaloneDurableTask)\(|\bbegin\(c, `)
	found := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != ".." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "vault-dev"):
			return filepath.SkipDir
		case !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		n := len(declares.FindAll(source, -1))
		if n > 0 && filepath.Dir(path) != filepath.Join("..", "workflows") {
			t.Errorf("%s declares a workflow", path)
		}
		found += n
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if registered := len(declarations(t)) + 1; found != registered { // one NewWorkflow is in begin
		t.Errorf("%d workflows are declared, %d are registered", found, registered)
	}
}
