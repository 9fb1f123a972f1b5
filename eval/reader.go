package eval

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/contextvault/contextvault/llm"
	"github.com/contextvault/contextvault/rules/evidence"
	"github.com/contextvault/contextvault/rules/reply"
	"github.com/contextvault/contextvault/vault"
)

// Clock is the time of every conversation in an evaluation, so that the figures do not depend on the day.
var Clock = time.Date(2019, time.March, 1, 9, 0, 0, 0, time.UTC)

// ReadOptions are the options of Read.
type ReadOptions struct {
	Model       string                // the name of the model in the report
	Concurrency int                   // dialogues at a time; 0: one per processor
	Joint       bool                  // measure the joint goal accuracy too: one more reading per turn
	Examples    int                   // the maximum length of each list of examples; 0: DefaultExamples
	Progress    func(done, total int) // called after each dialogue; nil: no call
}

// Read measures a model by itself: it reads each dialogue with the model and applies the evidence gate and the
// thresholds of a gap fill, without a database and without the workflow engine. It counts as Run does, and takes
// seconds instead of minutes. It does not measure the saves of scenarios.
func Read(
	ctx context.Context, model llm.Model, services []Service, dialogues []Dialogue, opts ReadOptions,
) (*Report, error) {
	started := time.Now()
	r := &reader{model: model, agents: newAgents(services), joint: opts.Joint}
	report := newReport(opts.Model, len(dialogues))
	report.examples = cmp.Or(opts.Examples, DefaultExamples)
	results := make(chan tally)
	failed := make(chan error, 1)
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(max(1, opts.Concurrency))
	go func() {
		defer close(results)
		for _, d := range dialogues {
			g.Go(func() error {
				t, err := r.read(gctx, d)
				if err != nil {
					return fmt.Errorf("dialogue %s: %w", d.ID, err)
				}
				results <- t
				return nil
			})
		}
		failed <- g.Wait()
	}()
	done := 0
	for t := range results {
		report.add(t)
		if done++; opts.Progress != nil {
			opts.Progress(done, len(dialogues))
		}
	}
	if err := <-failed; err != nil {
		return nil, err
	}
	report.finish(time.Since(started))
	return report, nil
}

// reader reads dialogues with a model.
type reader struct {
	model  llm.Model
	agents map[string]agent
	joint  bool
}

// reading is what the vault would know of a customer while it reads a dialogue.
type reading struct {
	profile map[string]vault.Value
	turn    map[string]int             // by field: the turn of the stored value
	offers  map[string]json.RawMessage // by field: the value to confirm
}

func newReading() *reading {
	return &reading{profile: map[string]vault.Value{}, turn: map[string]int{}, offers: map[string]json.RawMessage{}}
}

// extract reads the turns up to and including until for slots of an agent, and stores what passes the gate. It returns
// the names of the fields that it stored or replaced.
func (r *reader) extract(
	ctx context.Context,
	d Dialogue,
	a agent,
	slots []string,
	until int,
	into *reading,
) ([]string, error) {
	req := llm.ExtractRequest{Turns: d.turns(0, until+1), Now: Clock}
	for _, slot := range a.service.Slots {
		if slices.Contains(slots, slot.Name) {
			req.Definitions = append(req.Definitions, a.defs[slot.Name])
		} else {
			req.Others = append(req.Others, a.defs[slot.Name])
		}
	}
	found, err := r.model.ExtractValues(ctx, req)
	if err != nil {
		return nil, err
	}
	said := evidence.Read(req.Turns)
	var stored []string
	for _, c := range found {
		def := a.defs[c.FieldName]
		checked, problem := said.Check(c, &def)
		if problem == nil && !reply.Accepts(def, c, req.Turns) {
			problem = vault.Invalid(c.FieldName, "the reply does not state the value")
		}
		if problem != nil || c.Confidence < vault.UseThreshold {
			delete(into.offers, c.FieldName)
			if c.Confidence >= offerThreshold && reply.Confirmable(def, c.Value) && said.Offers(c, &def) &&
				reply.Accepts(def, c, req.Turns) {
				into.offers[c.FieldName] = c.Value
			}
			continue
		}
		old, known := into.profile[c.FieldName]
		if known && (into.turn[c.FieldName] > c.Turn || plain(old.Value) == plain(checked.Value)) {
			continue
		}
		into.turn[c.FieldName] = c.Turn
		into.profile[c.FieldName] = vault.Value{
			Name: c.FieldName, Value: checked.Value, Confidence: c.Confidence,
			RequiresConfirmation: c.Confidence < vault.ConfirmThreshold || !checked.Certain,
			Lineage:              vault.Lineage{SourceMetadata: quoteMetadata(c.Quote)},
		}
		stored = append(stored, c.FieldName)
	}
	return stored, nil
}

// read reads a dialogue as two customers do in Run: one whose conversation is read at the end of each goal, and one who
// is asked at its beginning.
func (r *reader) read(ctx context.Context, d Dialogue) (tally, error) {
	t := newTally(d.ID)
	heard := newReading()
	for _, s := range d.goals() {
		if err := r.listen(ctx, d, s, heard, &t); err != nil {
			return t, err
		}
	}
	asked := newReading()
	goals := d.goals()
	slices.SortStableFunc(goals, func(a, b goal) int { return a.first - b.first })
	for _, s := range goals {
		if err := r.ask(ctx, d, s, asked, &t); err != nil {
			return t, err
		}
	}
	if r.joint {
		if err := r.jointGoals(ctx, d, &t); err != nil {
			return t, err
		}
	}
	return t, nil
}

func (r *reader) listen(ctx context.Context, d Dialogue, s goal, heard *reading, t *tally) error {
	a := r.agents[s.service]
	sc := a.scenarios[s.intent]
	stored, err := r.extract(ctx, d, a, sc.slots(), s.last, heard)
	if err != nil {
		return err
	}
	t.fills = append(t.fills, 1)
	facts := d.annotate(a, sc.slots(), s.last)
	for _, name := range stored {
		t.stored(d, a, facts, heard.profile[name])
	}
	t.recalled(a, s, facts, heard.profile)
	var missing []string
	for _, name := range sc.intent.RequiredSlots {
		if _, known := heard.profile[name]; !known {
			missing = append(missing, name)
		}
	}
	t.missing(s, sc.intent.RequiredSlots, facts, missing)
	return nil
}

// ask counts the questions that the vault would ask for the required slots of a goal at its beginning. The customer
// answers with the value at the end of the goal.
func (r *reader) ask(ctx context.Context, d Dialogue, s goal, asked *reading, t *tally) error {
	a := r.agents[s.service]
	sc := a.scenarios[s.intent]
	if _, err := r.extract(ctx, d, a, sc.slots(), s.first, asked); err != nil {
		return err
	}
	t.fills = append(t.fills, 1)
	truth := d.annotate(a, sc.slots(), s.last)
	for _, name := range sc.intent.RequiredSlots {
		question := vault.Question{FieldName: name, Kind: vault.QuestionValue, Attempt: 1}
		v, known := asked.profile[name]
		offer, offered := asked.offers[name]
		switch {
		case known && !v.RequiresConfirmation:
			continue
		case known:
			question.Kind, question.Candidate = vault.QuestionConfirm, v.Value
		case offered:
			question.Kind, question.Candidate = vault.QuestionConfirm, offer
		}
		t.asked(s.service, &question, knownAt(d, a, name, s.first), s.first)
		at := slices.IndexFunc(truth, func(f fact) bool { return f.slot == name && f.reason != reasonNoPreference })
		if at < 0 {
			t.groupOf(s.service).Asking.Unanswerable++
			continue
		}
		asked.turn[name] = s.last
		asked.profile[name] = vault.Value{
			Name: name, Value: encode(a.defs[name].ValueType, truth[at].variants[0]), Confidence: 1,
		}
	}
	t.humanAsked(d, s)
	return nil
}

// knownAt returns what the annotations know of a slot after a turn, nil for nothing.
func knownAt(d Dialogue, a agent, slot string, after int) *fact {
	for _, f := range d.annotate(a, []string{slot}, after) {
		return &f
	}
	return nil
}

// jointGoals compares all values of each service with the annotations after each turn of the customer.
func (r *reader) jointGoals(ctx context.Context, d Dialogue, t *tally) error {
	for i, turn := range d.Turns {
		for _, f := range turn.Frames {
			a, known := r.agents[f.Service]
			if turn.Speaker != speakerUser || f.State == nil || !known {
				continue
			}
			slots := slices.Sorted(maps.Keys(a.defs))
			now := newReading()
			if _, err := r.extract(ctx, d, a, slots, i, now); err != nil {
				return err
			}
			joint := &t.groupOf(f.Service).Joint
			joint.Turns++
			exact, said := compare(d.annotate(a, slots, i), now.profile)
			if exact {
				joint.Exact++
			}
			if said {
				joint.ExactSaid++
			}
		}
	}
	return nil
}

// compare reports whether a profile has exactly the values of the facts, and whether it has exactly the stated ones:
// all of those, and no value that is not a fact.
func compare(facts []fact, profile map[string]vault.Value) (exact, said bool) {
	exact, said = true, true
	right := 0
	for _, f := range facts {
		v, there := profile[f.slot]
		if there && f.matches(plain(v.Value)) {
			right++
			continue
		}
		exact = false
		said = said && f.reason != ""
	}
	wrong := right < len(profile)
	return exact && !wrong, said && !wrong
}

// offerThreshold is the minimum confidence at which a gap fill offers a value for confirmation.
const offerThreshold = 0.5
