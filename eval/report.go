package eval

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/contextvault/contextvault/vault"
)

// Report holds the results of a run.
type Report struct {
	Model     string  `json:"model"`
	Dialogues int     `json:"dialogues"`
	Goals     int     `json:"goals"` // goals of customers: two gap fills each
	Seconds   float64 `json:"seconds"`
	Direct    bool    `json:"direct,omitempty"` // without the workflow engine between the steps
	Sample    string  `json:"sample,omitempty"` // the selection of the dialogues; "": all
	Group             // of all services
	// Groups are the figures of the tuned services and of the others apart.
	Groups     map[string]*Group `json:"groups"`
	Missing    Missing           `json:"missing_fields"`
	Fills      Fills             `json:"gap_fills"`
	Saves      Saves             `json:"config_saves"`
	Unexpected int               `json:"stored_without_a_quote"` // values with a quote that the customer did not say
	// of the stored values, those whose quote is the customer's
	Evidence float64 `json:"share_with_checked_evidence"`

	Matching Matching `json:"matching"`

	Exceptions []Exception `json:"exceptions"` // values of the annotations that the vault must not store, by reason
	Wrong      []Example   `json:"wrong,omitempty"`
	Missed     []Example   `json:"missed,omitempty"`
	Inexact    []Example   `json:"inexact,omitempty"`
	Reasked    []Example   `json:"reasked,omitempty"` // questions for values that were known
	examples   int         // the maximum length of each list
}

// Group holds the figures of a group of services.
type Group struct {
	Services  int    `json:"services"`     // services with a goal
	Dialogues int    `json:"of_dialogues"` // dialogues with a goal of these services
	All       Values `json:"all"`
	ByKind    Kinds  `json:"by_kind"`
	Asking    Asking `json:"asking"`
	Joint     Joint  `json:"joint_goal"`

	services map[string]bool
}

// Joint is the joint goal accuracy: the share of the customer's turns after which every value of a service is known
// exactly. Only a run of the reader alone measures it.
type Joint struct {
	Turns     int     `json:"turns"` // turns of the customer, by service
	Exact     int     `json:"exact"` // turns after which all values of the annotations are found, and no other
	Accuracy  float64 `json:"accuracy"`
	ExactSaid int     `json:"exact_of_said"` // the same, without the values that no words of the customer contain
	OfSaid    float64 `json:"accuracy_of_said"`
}

// Kinds is Values by kind of value.
type Kinds map[string]*Values

// Values counts stored values against the truth.
type Values struct {
	Stored    int     `json:"stored"`  // values read in a conversation and stored
	Correct   int     `json:"correct"` // of those, values that the customer stated
	Precision float64 `json:"precision"`
	WrongRate float64 `json:"wrong_write_rate"`   // stored values that the customer did not state
	Sure      int     `json:"stored_unconfirmed"` // of the stored values, those that need no confirmation
	SureRight int     `json:"stored_unconfirmed_correct"`
	OfSure    float64 `json:"precision_unconfirmed"`
	Storable  int     `json:"storable"` // values that the customer stated in words that contain them
	Found     int     `json:"found"`    // of those, stored values
	Recall    float64 `json:"recall"`
	Known     int     `json:"known"`           // values of the annotations, stated or only agreed to
	OfKnown   float64 `json:"recall_of_known"` // of those, the stored share
	FoundAny  int     `json:"found_of_known"`
}

// Missing counts the goals for which the missing fields of the scenario equal the unknown slots of the annotations.
type Missing struct {
	Goals        int     `json:"goals"`
	Exact        int     `json:"exact"`
	Exactness    float64 `json:"exactness"`
	ExactButFor  int     `json:"exact_but_for_exceptions"` // without the slots that the vault must not store
	ExactnessFor float64 `json:"exactness_but_for_exceptions"`
}

// Asking compares the questions of the vault with those of the human agent.
type Asking struct {
	Vault       int     `json:"vault"`
	PerDialogue float64 `json:"vault_per_dialogue"`
	Confirms    int     `json:"vault_confirmations"` // of those, questions to confirm a value
	// needless: for values that the service knew before, without confirmations
	Reasked    int     `json:"vault_reasked"`
	ReaskedPer float64 `json:"vault_reasked_per_dialogue"`
	// Needless counts the questions for values that the service knew before, by how they were said.
	Needless     Causes  `json:"vault_needless_by_cause"`
	Human        int     `json:"human"`
	HumanPer     float64 `json:"human_per_dialogue"`
	HumanReasked int     `json:"human_reasked"`
	HumanConfirm int     `json:"human_confirmations"` // turns in which the human agent asked for confirmation
	Unanswerable int     `json:"vault_unanswered"`    // for values that the customer never states in this dialogue
}

// Needless counts the questions for values that the annotations know already. A question to confirm the right value is
// counted apart: the customer need not say the value again.
type Needless struct {
	Questions int `json:"questions"`               // questions that ask for the value
	Confirms  int `json:"confirmations"`           // questions that ask to confirm it
	Misguided int `json:"misguided_confirmations"` // questions that ask to confirm another value
}

func (n *Needless) plus(o Needless) {
	n.Questions += o.Questions
	n.Confirms += o.Confirms
	n.Misguided += o.Misguided
}

// Causes are Needless by the reason of fact, that is, by how the value was said.
type Causes map[string]*Needless

func (c Causes) of(reason string) *Needless {
	if reason == "" {
		reason = causeStated
	}
	if c[reason] == nil {
		c[reason] = &Needless{}
	}
	return c[reason]
}

// causeStated is the reason of a fact that the customer stated.
const causeStated = "the customer stated it"

// Fills counts the model calls of gap fills.
type Fills struct {
	Fills   int         `json:"fills"`
	Calls   map[int]int `json:"fills_by_model_calls"`
	PerFill float64     `json:"model_calls_per_fill"`
	Max     int         `json:"max_model_calls"`
}

// Saves counts the model calls of saved scenarios.
type Saves struct {
	Scenarios             int     `json:"scenarios"`
	CallsPerSave          float64 `json:"model_calls_per_save"`
	CallsPerUnchangedSave float64 `json:"model_calls_per_unchanged_save"`
}

// Exception is one reason why values of the annotations are not stored, with these values.
type Exception struct {
	Reason   string   `json:"reason"`
	Count    int      `json:"count"`
	Slots    []string `json:"slots"` // service.slot with its count and the dialogues, the most frequent first
	bySlot   map[string][]string
	Examples []Example `json:"examples,omitempty"`
}

// Example is one case.
type Example struct {
	Dialogue string `json:"dialogue"`
	Slot     string `json:"slot"`
	Truth    string `json:"truth,omitempty"`
	Stored   string `json:"stored,omitempty"`
	Quote    string `json:"quote,omitempty"`
	Turn     int    `json:"turn,omitempty"`        // of a question: the turn after which it was asked
	Reason   string `json:"reason,omitempty"`      // of a question: why the value was not stated; "": it was
	Sure     bool   `json:"unconfirmed,omitempty"` // stored without a confirmation
}

// DefaultExamples is the maximum length of each list of examples.
const DefaultExamples = 20

// tally holds the counts of one dialogue.
type tally struct {
	Report
	dialogue string
	fills    []int
	seen     map[string]bool // values already counted: one value can be known at the end of several goals
}

func newTally(dialogue string) tally {
	return tally{Report: Report{Groups: map[string]*Group{}}, dialogue: dialogue, seen: map[string]bool{}}
}

func newReport(model string, dialogues int) *Report {
	return &Report{
		Model: model, Dialogues: dialogues, Group: newGroup(), Groups: map[string]*Group{},
		Fills: Fills{Calls: map[int]int{}}, examples: DefaultExamples,
	}
}

func newGroup() Group {
	return Group{ByKind: Kinds{}, Asking: Asking{Needless: Causes{}}, services: map[string]bool{}}
}

// groupOf returns the figures of the group of a service.
func (r *Report) groupOf(service string) *Group {
	name := groupOf(service)
	if r.Groups[name] == nil {
		g := newGroup()
		r.Groups[name] = &g
	}
	g := r.Groups[name]
	g.services[service] = true
	return g
}

// plus adds the counts of o.
func (g *Group) plus(o *Group) {
	for service := range o.services {
		g.services[service] = true
	}
	g.Services = len(g.services)
	g.Dialogues += o.Dialogues
	for name, v := range o.ByKind {
		if g.ByKind[name] == nil {
			g.ByKind[name] = &Values{}
		}
		g.ByKind[name].plus(*v)
		g.All.plus(*v)
	}
	g.Asking.Vault += o.Asking.Vault
	g.Asking.Confirms += o.Asking.Confirms
	g.Asking.Reasked += o.Asking.Reasked
	for reason, n := range o.Asking.Needless {
		g.Asking.Needless.of(reason).plus(*n)
	}
	g.Asking.Human += o.Asking.Human
	g.Asking.HumanReasked += o.Asking.HumanReasked
	g.Asking.HumanConfirm += o.Asking.HumanConfirm
	g.Asking.Unanswerable += o.Asking.Unanswerable
	g.Asking.PerDialogue, g.Asking.HumanPer = ratio(g.Asking.Vault, g.Dialogues), ratio(g.Asking.Human, g.Dialogues)
	g.Asking.ReaskedPer = ratio(g.Asking.Reasked, g.Dialogues)
	g.Joint.Turns += o.Joint.Turns
	g.Joint.Exact += o.Joint.Exact
	g.Joint.ExactSaid += o.Joint.ExactSaid
	g.Joint.Accuracy = ratio(g.Joint.Exact, g.Joint.Turns)
	g.Joint.OfSaid = ratio(g.Joint.ExactSaid, g.Joint.Turns)
}

func (k Kinds) of(d vault.Definition) *Values {
	name := kind(d)
	if k[name] == nil {
		k[name] = &Values{}
	}
	return k[name]
}

// stored counts a value that was stored from the conversation.
func (t *tally) stored(d Dialogue, a agent, facts []fact, field vault.Value) {
	var meta struct{ Quote string }
	_ = json.Unmarshal(field.SourceMetadata, &meta)
	if !d.customerSaid(meta.Quote) {
		t.Unexpected++
	}
	v := t.groupOf(a.service.Name).ByKind.of(a.defs[field.Name])
	v.Stored++
	sure := !field.RequiresConfirmation
	if sure {
		v.Sure++
	}
	value := plain(field.Value)
	for _, f := range facts {
		if f.slot == field.Name && f.matches(value) {
			v.Correct++
			if sure {
				v.SureRight++
			}
			return
		}
	}
	e := Example{
		Dialogue: t.dialogue,
		Slot:     a.service.Name + "." + field.Name,
		Stored:   value,
		Quote:    meta.Quote,
		Sure:     sure,
	}
	for _, f := range facts {
		if f.slot == field.Name {
			e.Truth = strings.Join(f.variants, " | ")
		}
	}
	t.Wrong = append(t.Wrong, e)
}

// recalled counts the known values at the end of a goal, each value once per dialogue.
func (t *tally) recalled(a agent, s goal, facts []fact, profile map[string]vault.Value) {
	for _, f := range facts {
		key := s.service + "\x1f" + f.slot + "\x1f" + strings.ToLower(f.variants[0])
		if t.seen[key] {
			continue
		}
		t.seen[key] = true
		slot := s.service + "." + f.slot
		e := Example{Dialogue: t.dialogue, Slot: slot, Truth: strings.Join(f.variants, " | "), Quote: f.candidate.Quote}
		if f.reason != "" {
			t.except(f.reason, slot, e)
		}
		if f.reason == reasonNoPreference {
			continue
		}
		v := t.groupOf(s.service).ByKind.of(a.defs[f.slot])
		field, there := profile[f.slot]
		found := there && f.matches(plain(field.Value))
		v.Known++
		if found {
			v.FoundAny++
		}
		if f.reason != "" {
			continue
		}
		v.Storable++
		if found {
			v.Found++
			continue
		}
		if there {
			e.Stored = plain(field.Value)
		}
		t.Missed = append(t.Missed, e)
	}
}

func (r *Report) except(reason, slot string, e Example) {
	at := slices.IndexFunc(r.Exceptions, func(x Exception) bool { return x.Reason == reason })
	if at < 0 {
		at = len(r.Exceptions)
		r.Exceptions = append(r.Exceptions, Exception{Reason: reason, bySlot: map[string][]string{}})
	}
	x := &r.Exceptions[at]
	x.Count++
	x.bySlot[slot] = append(x.bySlot[slot], e.Dialogue)
	x.Examples = append(x.Examples, e)
}

// missing compares the missing fields with the unknown slots.
func (t *tally) missing(s goal, required []string, facts []fact, names []string) {
	t.Missing.Goals++
	exact, butFor := true, true
	for _, slot := range required {
		at := slices.IndexFunc(facts, func(f fact) bool { return f.slot == slot })
		if slices.Contains(names, slot) == (at < 0) {
			continue
		}
		exact = false
		if at >= 0 && facts[at].reason != "" {
			continue
		}
		butFor = false
		e := Example{Dialogue: t.dialogue, Slot: s.service + "." + slot}
		if at >= 0 {
			e.Truth = strings.Join(facts[at].variants, " | ")
		}
		t.Inexact = append(t.Inexact, e)
	}
	if exact {
		t.Missing.Exact++
	}
	if butFor {
		t.Missing.ExactButFor++
	}
}

// asked counts a question of the vault after a turn. known is what the annotations know of its field then, nil for
// nothing.
func (t *tally) asked(service string, q *vault.Question, known *fact, turn int) {
	asking := &t.groupOf(service).Asking
	asking.Vault++
	if q.Kind == vault.QuestionConfirm {
		asking.Confirms++
	}
	if known == nil || q.Attempt > 1 {
		return
	}
	e := Example{
		Dialogue: t.dialogue, Slot: service + "." + q.FieldName, Truth: strings.Join(known.variants, " | "),
		Quote: known.candidate.Quote, Turn: turn, Reason: known.reason,
	}
	cause := asking.Needless.of(known.reason)
	switch {
	case q.Kind == vault.QuestionValue:
		asking.Reasked++
		cause.Questions++
	case known.matches(plain(q.Candidate)):
		cause.Confirms++
		return
	default:
		cause.Misguided++
		e.Stored = plain(q.Candidate)
	}
	t.Reasked = append(t.Reasked, e)
}

// humanAsked counts the questions of the human agent during a goal.
func (t *tally) humanAsked(d Dialogue, s goal) {
	before := d.state(s.service, s.first)
	asking := &t.groupOf(s.service).Asking
	for _, slot := range d.requests(s) {
		asking.Human++
		if len(before[slot]) > 0 {
			asking.HumanReasked++
		}
	}
	asking.HumanConfirm += d.confirmations(s)
}

// add adds the counts of one dialogue.
func (r *Report) add(t tally) {
	r.Goals += t.Missing.Goals
	r.Unexpected += t.Unexpected
	for name, g := range t.Groups {
		g.Dialogues = 1
		if r.Groups[name] == nil {
			fresh := newGroup()
			r.Groups[name] = &fresh
		}
		r.Groups[name].plus(g)
	}
	r.Missing.Goals += t.Missing.Goals
	r.Missing.Exact += t.Missing.Exact
	r.Missing.ExactButFor += t.Missing.ExactButFor
	for _, calls := range t.fills {
		r.Fills.Fills++
		r.Fills.Calls[calls]++
		r.Fills.Max = max(r.Fills.Max, calls)
	}
	for _, x := range t.Exceptions {
		for _, e := range x.Examples {
			r.except(x.Reason, e.Slot, e)
		}
	}
	r.Wrong, r.Missed = append(r.Wrong, t.Wrong...), append(r.Missed, t.Missed...)
	r.Inexact, r.Reasked = append(r.Inexact, t.Inexact...), append(r.Reasked, t.Reasked...)
}

func (v *Values) plus(o Values) {
	v.Stored += o.Stored
	v.Correct += o.Correct
	v.Storable += o.Storable
	v.Found += o.Found
	v.Known += o.Known
	v.FoundAny += o.FoundAny
	v.Sure += o.Sure
	v.SureRight += o.SureRight
	v.WrongRate, v.OfSure = ratio(v.Stored-v.Correct, v.Stored), ratio(v.SureRight, v.Sure)
	v.Precision, v.Recall, v.OfKnown = ratio(v.Correct, v.Stored), ratio(v.Found, v.Storable), ratio(v.FoundAny, v.Known)
}

// finish computes the ratios, and sorts and limits the lists.
func (r *Report) finish(took time.Duration) {
	r.Seconds = float64(took.Round(time.Second/10)) / float64(time.Second)
	for _, name := range slices.Sorted(maps.Keys(r.Groups)) {
		r.plus(r.Groups[name])
	}
	r.Group.Dialogues = r.Dialogues // a dialogue may belong to both groups
	r.Asking.PerDialogue, r.Asking.HumanPer = ratio(r.Asking.Vault, r.Dialogues), ratio(r.Asking.Human, r.Dialogues)
	r.Asking.ReaskedPer = ratio(r.Asking.Reasked, r.Dialogues)
	r.Evidence = ratio(r.All.Stored-r.Unexpected, r.All.Stored)
	r.Missing.Exactness, r.Missing.ExactnessFor = ratio(
		r.Missing.Exact,
		r.Missing.Goals,
	), ratio(
		r.Missing.ExactButFor,
		r.Missing.Goals,
	)
	calls := 0
	for n, fills := range r.Fills.Calls {
		calls += n * fills
	}
	r.Fills.PerFill = ratio(calls, r.Fills.Fills)
	slices.SortFunc(
		r.Exceptions,
		func(a, b Exception) int { return cmp.Or(b.Count-a.Count, cmp.Compare(a.Reason, b.Reason)) },
	)
	for i := range r.Exceptions {
		x := &r.Exceptions[i]
		names := slices.SortedFunc(
			maps.Keys(x.bySlot),
			func(a, b string) int { return cmp.Or(len(x.bySlot[b])-len(x.bySlot[a]), cmp.Compare(a, b)) },
		)
		for _, name := range names {
			slices.Sort(x.bySlot[name])
			x.Slots = append(x.Slots, fmt.Sprintf("%s %d: %s", name, len(x.bySlot[name]), strings.Join(x.bySlot[name], " ")))
		}
		x.Examples = bounded(x.Examples, r.examples)
	}
	for _, list := range []*[]Example{&r.Wrong, &r.Missed, &r.Inexact, &r.Reasked} {
		*list = bounded(*list, r.examples)
	}
}

// bounded keeps at most that many evenly spaced examples, in a stable order.
func bounded(all []Example, examples int) []Example {
	slices.SortFunc(all, func(a, b Example) int {
		return cmp.Or(cmp.Compare(a.Slot, b.Slot), cmp.Compare(a.Dialogue, b.Dialogue), cmp.Compare(a.Truth, b.Truth))
	})
	if len(all) <= examples {
		return all
	}
	var out []Example
	for i := range examples {
		out = append(out, all[i*len(all)/examples])
	}
	return out
}

func ratio(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part*10000/whole) / 10000 // rounded down, so that only a full match is 1
}

// of formats a ratio; "-" if whole is 0.
func of(ratio float64, whole int) string {
	if whole == 0 {
		return "-"
	}
	return fmt.Sprintf("%.4f", ratio)
}

// WithoutWords returns the report without words of the conversations: each example keeps its dialogue and its slot.
func (r *Report) WithoutWords() *Report {
	plain := *r
	plain.Wrong, plain.Missed = withoutWords(r.Wrong), withoutWords(r.Missed)
	plain.Inexact, plain.Reasked = withoutWords(r.Inexact), withoutWords(r.Reasked)
	plain.Exceptions = slices.Clone(r.Exceptions)
	for i := range plain.Exceptions {
		plain.Exceptions[i].Examples = nil
	}
	return &plain
}

func withoutWords(all []Example) []Example {
	var out []Example
	for _, e := range all {
		out = append(out, Example{Dialogue: e.Dialogue, Slot: e.Slot})
	}
	return out
}

// print writes the figures of a group as a table.
func (g *Group) print(w io.Writer, name string) {
	_, _ = fmt.Fprintf(w, "\n%s: %d services, %d dialogues\n", name, g.Services, g.Dialogues)
	_, _ = fmt.Fprint(w, "VALUES\tSTORED\tCORRECT\tPRECISION\tUNCONFIRMED\tCORRECT\tPRECISION"+
		"\tSTATED\tFOUND\tRECALL\tKNOWN\tRECALL OF KNOWN\n")
	line := func(name string, v Values) {
		_, _ = fmt.Fprintf(w, "%s\t%d\t%d\t%s\t%d\t%d\t%s\t%d\t%d\t%s\t%d\t%s\n", name,
			v.Stored, v.Correct, of(v.Precision, v.Stored), v.Sure, v.SureRight, of(v.OfSure, v.Sure),
			v.Storable, v.Found, of(v.Recall, v.Storable), v.Known, of(v.OfKnown, v.Known))
	}
	for _, name := range slices.Sorted(maps.Keys(g.ByKind)) {
		line(name, *g.ByKind[name])
	}
	line("all", g.All)
	_, _ = fmt.Fprintf(w, "wrong writes\t%s of the stored values\n", of(g.All.WrongRate, g.All.Stored))
	if g.Joint.Turns > 0 {
		_, _ = fmt.Fprintf(w, "joint goal accuracy\t%.4f of %d turns, %.4f for stated values\n",
			g.Joint.Accuracy, g.Joint.Turns, g.Joint.OfSaid)
	}
	_, _ = fmt.Fprintf(w, "questions, vault\t%d\t%.2f per dialogue, %d of them confirmations, "+
		"%d needless (%.2f per dialogue), %d never answered\n", g.Asking.Vault, g.Asking.PerDialogue,
		g.Asking.Confirms, g.Asking.Reasked, g.Asking.ReaskedPer, g.Asking.Unanswerable)
	for _, reason := range slices.Sorted(maps.Keys(g.Asking.Needless)) {
		n := g.Asking.Needless[reason]
		_, _ = fmt.Fprintf(w, "needless\t%d\tand %d confirmations, %d of another value: %s\n",
			n.Questions, n.Confirms, n.Misguided, reason)
	}
	_, _ = fmt.Fprintf(w, "questions, human\t%d\t%.2f per dialogue, and %d confirmations, %d for known values\n",
		g.Asking.Human, g.Asking.HumanPer, g.Asking.HumanConfirm, g.Asking.HumanReasked)
}

// Print writes the report as text.
func (r *Report) Print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	_, _ = fmt.Fprintf(w, "model %s, %d dialogues, %d goals, %.0f s", r.Model, r.Dialogues, r.Goals, r.Seconds)
	if r.Direct {
		_, _ = fmt.Fprint(w, ", without the workflow engine")
	}
	if r.Sample != "" {
		_, _ = fmt.Fprintf(w, " (%s)", r.Sample)
	}
	_, _ = fmt.Fprint(w, "\n")
	for _, name := range slices.Sorted(maps.Keys(r.Groups)) {
		r.Groups[name].print(w, name)
	}
	if len(r.Groups) > 1 {
		r.Group.print(w, "all services")
	}
	_, _ = fmt.Fprintf(
		w,
		"\nmissing fields exact\t%d of %d\t%.4f\n",
		r.Missing.Exact,
		r.Missing.Goals,
		r.Missing.Exactness,
	)
	_, _ = fmt.Fprintf(
		w,
		"without the exceptions\t%d of %d\t%.4f\n",
		r.Missing.ExactButFor,
		r.Missing.Goals,
		r.Missing.ExactnessFor,
	)
	_, _ = fmt.Fprintf(
		w,
		"model calls\t%.2f per fill, maximum %d\t%.2f per save, %.2f per unchanged save\n",
		r.Fills.PerFill,
		r.Fills.Max,
		r.Saves.CallsPerSave,
		r.Saves.CallsPerUnchangedSave,
	)
	_, _ = fmt.Fprintf(w, "stored without a quote of the customer\t%d\n", r.Unexpected)
	_, _ = fmt.Fprintf(
		w,
		"slots of one service with similar meaning\t%d of %d pairs reach %.2f, %d of them not separated by name or type\n",
		r.Matching.Close,
		r.Matching.Pairs,
		r.Matching.Threshold,
		r.Matching.Confused,
	)
	if len(r.Exceptions) > 0 {
		_, _ = fmt.Fprint(w, "\nknown, and must not be stored:\n")
	}
	for _, x := range r.Exceptions {
		_, _ = fmt.Fprintf(w, "%d\t%s\n", x.Count, x.Reason)
		for _, slot := range x.Slots {
			counted, _, _ := strings.Cut(slot, ":")
			_, _ = fmt.Fprintf(w, "\t%s\n", counted)
		}
	}
	for _, list := range []struct {
		title string
		of    []Example
	}{
		{"stored and wrong", r.Wrong},
		{"stated and not stored", r.Missed},
		{"missing fields that differ", r.Inexact},
		{"known and asked for", r.Reasked},
	} {
		if len(list.of) > 0 {
			_, _ = fmt.Fprintf(w, "\n%s, %d examples:\n", list.title, len(list.of))
		}
		for _, e := range list.of {
			_, _ = fmt.Fprintf(w, "%s\t%s\ttruth %q\tstored %q\tquote %q\n", e.Dialogue, e.Slot, e.Truth, e.Stored, e.Quote)
		}
	}
	return w.Flush()
}
