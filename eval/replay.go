package eval

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/query"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/trigger"
	"github.com/contextvault/contextvault/vault"
)

// System gives access to a running vault. A worker must be running.
type System struct {
	Trigger    *trigger.Client
	Query      *query.Queries
	ModelUsage *llm.Counters
	Tenant     uuid.UUID
}

// Options of Run.
type Options struct {
	Model          string                // the name of the model in the report
	Concurrency    int                   // dialogues at a time; 0: DefaultConcurrency
	Examples       int                   // the maximum length of each list of examples; 0: DefaultExamples
	MatchThreshold float64               // the similarity at which extraction matches two definitions
	Progress       func(done, total int) // called after each dialogue; nil: no call
}

// DefaultConcurrency keeps the workflow engine busy without growing its queue.
const DefaultConcurrency = 12

// operationTimeout limits one operation. It is longer than the delay of the relay, which pushes an operation again if a
// busy engine lost it.
const operationTimeout = 12 * time.Minute

// Run replays the dialogues and returns the report.
func Run(ctx context.Context, sys System, services []Service, dialogues []Dialogue, opts Options) (*Report, error) {
	started := time.Now()
	r := &run{System: sys, agents: map[string]agent{}, report: newReport(opts.Model, len(dialogues))}
	r.report.examples = cmp.Or(opts.Examples, DefaultExamples)
	used := map[string]bool{}
	for _, d := range dialogues {
		for _, s := range d.goals() {
			used[s.service] = true
		}
	}
	for name, a := range newAgents(services) {
		if used[name] {
			r.agents[name] = a
		}
	}
	concurrency := opts.Concurrency
	if concurrency <= 0 {
		concurrency = DefaultConcurrency
	}
	var err error
	if r.report.Matching, err = matching(ctx, services, opts.MatchThreshold); err != nil {
		return nil, err
	}
	if err := r.configure(ctx, concurrency); err != nil {
		return nil, err
	}
	results := make(chan tally, concurrency)
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(concurrency)
	failed := make(chan error, 1)
	go func() {
		for _, d := range dialogues {
			g.Go(func() error {
				t, err := r.replay(gctx, d)
				if err != nil {
					return fmt.Errorf("dialogue %s: %w", d.ID, err)
				}
				results <- t
				return nil
			})
		}
		failed <- g.Wait()
		close(results)
	}()
	done := 0
	for t := range results {
		r.report.add(t)
		if done++; opts.Progress != nil {
			opts.Progress(done, len(dialogues))
		}
	}
	if err := <-failed; err != nil {
		return nil, err
	}
	r.report.finish(time.Since(started))
	return r.report, nil
}

type run struct {
	System
	agents map[string]agent
	report *Report
}

// done waits for the outcome of an accepted operation.
func (r *run) done(ctx context.Context, receipt trigger.Receipt, err error) (vault.Operation, error) {
	if err != nil {
		return vault.Operation{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, operationTimeout)
	defer cancel()
	return receipt.Wait(ctx)
}

// configure saves definitions, scenarios and requirements. It saves each scenario a second time, unchanged.
func (r *run) configure(ctx context.Context, concurrency int) error {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(concurrency)
	for _, a := range r.agents {
		for _, d := range a.defs {
			g.Go(func() error {
				receipt, err := trigger.Submit(gctx, r.Trigger, r.Tenant, vault.SaveDefinition, d)
				_, err = r.done(gctx, receipt, err)
				return err
			})
		}
	}
	if err := g.Wait(); err != nil {
		return fmt.Errorf("save the definitions: %w", err)
	}
	for again := range 2 {
		before := r.proposeCalls()
		g, gctx := errgroup.WithContext(ctx)
		g.SetLimit(concurrency)
		for _, a := range r.agents {
			for _, s := range a.scenarios {
				for _, id := range []uuid.UUID{s.listen, s.ask} {
					g.Go(func() error { return r.saveScenario(gctx, a, s, id, again == 1) })
				}
			}
		}
		if err := g.Wait(); err != nil {
			return fmt.Errorf("save the scenarios: %w", err)
		}
		saves, calls := len(r.scenarioIDs()), r.proposeCalls()-before
		if again == 0 {
			r.report.Saves = Saves{Scenarios: saves, CallsPerSave: ratio(int(calls), saves)}
		} else {
			r.report.Saves.CallsPerUnchangedSave = ratio(int(calls), saves)
		}
	}
	return nil
}

func (r *run) scenarioIDs() []uuid.UUID {
	var out []uuid.UUID
	for _, a := range r.agents {
		for _, s := range a.scenarios {
			out = append(out, s.listen, s.ask)
		}
	}
	return out
}

func (r *run) proposeCalls() int64 {
	calls := int64(0)
	for _, t := range r.ModelUsage.Totals() {
		if t.Operation == llm.OperationPropose {
			calls += t.Calls
		}
	}
	return calls
}

// saveScenario saves a scenario and waits for its extraction. The first time it also saves the requirements of the data
// set, and rejects all extracted requirements, as a reviewer would.
func (r *run) saveScenario(ctx context.Context, a agent, s scenario, id uuid.UUID, again bool) error {
	receipt, err := trigger.Submit(ctx, r.Trigger, r.Tenant, vault.SaveScenario, vault.Scenario{
		ID: id, AgentID: a.id, Name: vault.DisplayName(s.intent.Name), Description: s.intent.Description,
	})
	op, err := r.done(ctx, receipt, err)
	if err != nil {
		return err
	}
	var saved vault.SavedResult
	if err := json.Unmarshal(op.Result, &saved); err != nil || saved.Extraction == nil {
		return errors.Join(errors.New("the save started no extraction"), err)
	}
	waiting, cancel := context.WithTimeout(ctx, operationTimeout)
	defer cancel()
	if _, err := r.Trigger.Wait(waiting, r.Tenant, *saved.Extraction); err != nil || again {
		return err
	}
	fallback := vault.FallbackAsk
	if id == s.listen {
		fallback = vault.FallbackExtract
	}
	for _, req := range requirements(a, s, id, fallback) {
		receipt, err := trigger.Submit(ctx, r.Trigger, r.Tenant, vault.SaveRequirement, req)
		if _, err := r.done(ctx, receipt, err); err != nil {
			return err
		}
	}
	reqs, err := r.Query.Requirements(ctx, r.Tenant, id)
	if err != nil {
		return err
	}
	for _, req := range reqs {
		if req.Origin != vault.OriginExtracted {
			continue
		}
		receipt, err := trigger.Submit(
			ctx,
			r.Trigger,
			r.Tenant,
			vault.DecideReview,
			vault.DecideReviewInput{Kind: vault.ReviewOfRequirement, ID: req.ID, Decision: vault.Reject},
		)
		if _, err := r.done(ctx, receipt, err); err != nil {
			return err
		}
	}
	return nil
}

// customer is one customer with one conversation.
type customer struct {
	id, session uuid.UUID
	savedTurns  int
}

func newCustomer() *customer {
	return &customer{id: uuid.Must(uuid.NewV7()), session: uuid.Must(uuid.NewV7())}
}

// replay runs a dialogue twice. For one customer, the gap fill of each goal starts at its end and only reads the
// conversation. For another, it starts at the beginning of the goal and asks questions.
func (r *run) replay(ctx context.Context, d Dialogue) (tally, error) {
	t := newTally(d.ID)
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		c := newCustomer()
		for _, s := range d.goals() {
			if err := r.listen(gctx, d, c, s, &t); err != nil {
				return fmt.Errorf("listen to %s of %s: %w", s.intent, s.service, err)
			}
		}
		return nil
	})
	asking := newTally(d.ID)
	g.Go(func() error {
		c := newCustomer()
		goals := d.goals()
		slices.SortStableFunc(goals, func(a, b goal) int { return a.first - b.first })
		for _, s := range goals {
			if err := r.ask(gctx, d, c, s, &asking); err != nil {
				return fmt.Errorf("ask for %s of %s: %w", s.intent, s.service, err)
			}
		}
		return nil
	})
	err := g.Wait()
	for _, service := range d.Services {
		t.groupOf(service).Asking = asking.groupOf(service).Asking
	}
	t.fills = append(t.fills, asking.fills...)
	return t, err
}

// saveTurns saves the turns up to and including until, unless they are saved already.
func (r *run) saveTurns(ctx context.Context, d Dialogue, c *customer, until int) error {
	if c.savedTurns > until {
		return nil
	}
	in := vault.SaveSessionInput{
		SessionID: c.session, AgentID: r.agents[d.goals()[0].service].id, // a session belongs to the agent that began it
		CustomerID: c.id, Turns: d.turns(c.savedTurns, until+1),
	}
	c.savedTurns = until + 1
	receipt, err := trigger.Submit(ctx, r.Trigger, r.Tenant, vault.SaveSession, in)
	_, err = r.done(ctx, receipt, err)
	return err
}

func (r *run) fill(ctx context.Context, c *customer, scenario uuid.UUID) (trigger.Receipt, error) {
	return trigger.Submit(
		ctx,
		r.Trigger,
		r.Tenant,
		vault.FillGaps,
		vault.FillGapsInput{CustomerID: c.id, ScenarioID: scenario, SessionID: &c.session, MaxAttempts: 2},
	)
}

func filled(op vault.Operation) (vault.FillResult, error) {
	var out vault.FillResult
	if err := json.Unmarshal(op.Result, &out); err != nil {
		return out, fmt.Errorf("read the result of a fill: %w", err)
	}
	return out, nil
}

// listen fills from the conversation at the end of a goal, and compares the result with the annotations.
func (r *run) listen(ctx context.Context, d Dialogue, c *customer, s goal, t *tally) error {
	a := r.agents[s.service]
	sc := a.scenarios[s.intent]
	if err := r.saveTurns(ctx, d, c, s.last); err != nil {
		return err
	}
	receipt, err := r.fill(ctx, c, sc.listen)
	op, err := r.done(ctx, receipt, err)
	if err != nil {
		return err
	}
	result, err := filled(op)
	if err != nil {
		return err
	}
	t.fills = append(t.fills, result.ModelCalls)
	profile, err := r.Query.Profile(ctx, r.Tenant, c.id)
	if err != nil && vault.CodeOf(err) != vault.CodeUnknown {
		return err
	}
	missing, err := r.Query.Missing(
		ctx,
		r.Tenant,
		query.MissingInput{
			CustomerID: c.id,
			ScenarioID: sc.listen,
			SessionID:  &c.session,
			Scope:      rules.Scope{Level: vault.LevelHard},
		},
	)
	if err != nil {
		return err
	}
	facts := d.annotate(a, sc.slots(), s.last)
	for _, f := range result.Fields {
		if f.Source == vault.GapFromConversation {
			t.stored(d, a, facts, profile.Fields[f.FieldName])
		}
	}
	t.recalled(a, s, facts, profile.Fields)
	var names []string
	for _, m := range missing.Missing {
		names = append(names, m.Requirement.FieldName)
	}
	t.missing(s, sc.intent.RequiredSlots, facts, names)
	return nil
}

// ask starts a gap fill with questions at the beginning of a goal. The customer answers with the value at the end of
// the goal. A question without such a value is cancelled.
func (r *run) ask(ctx context.Context, d Dialogue, c *customer, s goal, t *tally) error {
	a := r.agents[s.service]
	sc := a.scenarios[s.intent]
	if err := r.saveTurns(ctx, d, c, s.first); err != nil {
		return err
	}
	truth := d.annotate(a, sc.slots(), s.last)
	receipt, err := r.fill(ctx, c, sc.ask)
	if err != nil {
		return err
	}
	known := map[uuid.UUID]bool{}
	for {
		question, op, err := r.next(ctx, c, receipt, known)
		if err != nil {
			return err
		}
		if question == nil {
			result, err := filled(op)
			t.fills = append(t.fills, result.ModelCalls)
			if err != nil {
				return err
			}
			break
		}
		known[question.ID] = true
		t.asked(s.service, question, knownAt(d, a, question.FieldName, s.first), s.first)
		at := slices.IndexFunc(
			truth,
			func(f fact) bool { return f.slot == question.FieldName && f.reason != reasonNoPreference },
		)
		if at < 0 {
			if err := r.leave(ctx, question.FillID); err != nil {
				return err
			}
			t.groupOf(s.service).Asking.Unanswerable++
			continue
		}
		answer := encode(a.defs[question.FieldName].ValueType, truth[at].variants[0])
		if question.Kind == vault.QuestionConfirm && truth[at].matches(plain(question.Candidate)) {
			answer = json.RawMessage(`"yes"`)
		}
		open, err := r.answer(ctx, c, question.ID, answer)
		if err == nil && open { // a title such as "Basta" reads as an interruption
			said, _ := json.Marshal("It is " + plain(answer))
			open, err = r.answer(ctx, c, question.ID, said)
		}
		if err == nil && open {
			err = r.leave(ctx, question.FillID)
		}
		if err != nil {
			return err
		}
	}
	t.humanAsked(d, s)
	return nil
}

// answer answers a question, and reports whether it is open still because the reply is read as an interruption.
func (r *run) answer(ctx context.Context, c *customer, question uuid.UUID, value json.RawMessage) (bool, error) {
	receipt, err := trigger.Submit(ctx, r.Trigger, r.Tenant, vault.AnswerQuestion, vault.AnswerQuestionInput{
		QuestionID: question, Value: value, SessionID: &c.session,
	})
	op, err := r.done(ctx, receipt, err)
	if vault.CodeOf(err) == vault.CodeInvalid {
		return false, nil // the next question follows
	}
	if err != nil {
		return false, err
	}
	var out vault.ItemResult
	err = json.Unmarshal(op.Result, &out)
	return out.Interrupted, err
}

// leave ends the questions of a fill.
func (r *run) leave(ctx context.Context, fill uuid.UUID) error {
	receipt, err := trigger.Submit(ctx, r.Trigger, r.Tenant, vault.CancelFill, vault.CancelFillInput{FillID: fill})
	_, err = r.done(ctx, receipt, err)
	return err
}

// The polling interval for the next question grows from firstPause to longestPause: short when the steps run in this
// process, and long enough not to load the machine when the engine runs them.
const (
	firstPause   = 10 * time.Millisecond
	longestPause = 300 * time.Millisecond
)

// next waits for a new question or the end of the fill. The question is nil at the end.
func (r *run) next(
	ctx context.Context,
	c *customer,
	fill trigger.Receipt,
	known map[uuid.UUID]bool,
) (*vault.Question, vault.Operation, error) {
	ctx, cancel := context.WithTimeout(ctx, operationTimeout)
	defer cancel()
	for pause := firstPause; ; pause = min(pause*3/2, longestPause) {
		op, err := r.Trigger.Operation(ctx, r.Tenant, fill.ID)
		if err != nil {
			return nil, op, err
		}
		if op.Status == vault.OperationFailed && op.Error != nil {
			return nil, op, op.Error
		}
		if op.Status.Finished() {
			return nil, op, nil
		}
		open, err := r.Query.Questions(ctx, r.Tenant, c.id)
		if err != nil {
			return nil, op, err
		}
		for _, q := range open {
			if !known[q.ID] && q.FillID == fill.ID {
				return &q, op, nil
			}
		}
		select {
		case <-ctx.Done():
			return nil, op, fmt.Errorf("wait for gap fill %s: %w", fill.ID, ctx.Err())
		case <-time.After(pause):
		}
	}
}

// customerSaid reports whether a turn of the customer contains a quote, ignoring case and spacing.
func (d Dialogue) customerSaid(quote string) bool {
	plain := func(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), " ")) }
	return quote != "" && slices.ContainsFunc(d.Turns, func(t DialogueTurn) bool {
		return t.Speaker == speakerUser && strings.Contains(plain(t.Utterance), plain(quote))
	})
}
