package reply

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/rules/evidence"
	"github.com/contextvault/contextvault/vault"
)

// Kind is the meaning of a reply.
type Kind string

const (
	// Yes confirms the candidate.
	Yes Kind = "yes"
	// No rejects the candidate and states no other value.
	No Kind = "no"
	// Value states a value: the answer to an open question, or a correction of the candidate.
	Value Kind = "value"
	// Interrupted answers nothing: the customer waits, cancels, asks something or turns to something else.
	Interrupted Kind = "interrupted"
	// Refused says that the customer does not give the value, or has none.
	Refused Kind = "refused"
	// Unclear is any other reply. The question is asked again in other words.
	Unclear Kind = "unclear"
)

// Said is a value of another field that a reply states.
type Said struct {
	vault.Candidate

	// Certain reports that the value needs no confirmation (see evidence.Finding).
	Certain bool `json:"certain"`
}

// Reading is what a reply says.
type Reading struct {
	Kind Kind
	// Value is the normalised value of the question's field, for Value, and the candidate for Yes. nil otherwise.
	Value json.RawMessage
	// Quote is the part of the reply that states Value.
	Quote string
	// Also are the values of other fields that the reply states. The evidence gate has accepted them.
	Also []Said
	// Problem is why the value of an Unclear reply is invalid. nil if the reply states no value at all.
	Problem error `json:"-"`
}

// Question is what a customer was asked.
type Question struct {
	Definition vault.Definition
	// Confirm reports a question whether Candidate is right. false: an open question for the value.
	Confirm   bool
	Candidate json.RawMessage
	// Others are the other fields whose values the reply may state as well.
	Others []vault.Definition
	// Again reports a second or later attempt, in the words of RetryPrompt: it asked for the value beside yes and no.
	Again bool
	// Mode is the validation mode of the answer. Empty: strict. With vault.ModeDisabled the whole answer is the value.
	Mode vault.ValidationMode
}

// Find returns the candidates that a model finds in turns, for each of the definitions at most one. It returns nil if
// the model fails.
type Find func(defs []vault.Definition, turns []vault.Turn) []vault.Candidate

// Read reads a reply. It calls find at most once, and only for a reply that holds more than pure rules recognise. find
// may be nil.
//
// A value counts only if the reply states it and the evidence gate accepts it. A reply is a yes only if nothing in it
// says otherwise.
func (q Question) Read(answer json.RawMessage, find Find) Reading {
	r := reader{Question: q, raw: answer, find: find}
	var text string
	if json.Unmarshal(answer, &text) != nil || answer == nil || string(answer) == "null" {
		return r.readTyped()
	}
	r.text = text
	r.addVocabulary()
	r.split()
	out := r.read()
	out.Also = r.also
	return out
}

// reader reads one reply.
type reader struct {
	Question
	raw   json.RawMessage
	text  string
	find  Find
	known set // words of the field's label and of a yes-or-no prompt

	candidate []string // the folded words of the candidate
	parts     []part

	found bool // find was called
	model *vault.Candidate
	also  []Said
}

// part is a segment and its class.
type part struct {
	segment
	class class
}

// readTyped reads an answer that is not a text, such as that of a form.
func (r *reader) readTyped() Reading {
	value := r.raw
	if r.Confirm && r.Definition.ValueType != vault.TypeBoolean {
		switch string(value) {
		case "true":
			return Reading{Kind: Yes, Value: r.Candidate}
		case "false":
			return Reading{Kind: No}
		}
	}
	return r.checkWhole(value)
}

// checkWhole reads an answer that as a whole is a value.
func (r *reader) checkWhole(value json.RawMessage) Reading {
	checked, err := rules.CheckValue(&r.Definition, r.Definition.Name, value, r.mode())
	if err == nil && rules.IsEmpty(checked.Value) {
		err = vault.Invalid(r.Definition.Name, "the answer is empty; it must contain a value")
	}
	if err != nil {
		return Reading{Kind: Unclear, Problem: err}
	}
	return r.stated(checked.Value, r.text)
}

// stated returns the reading of a valid value: a confirmation if it is the candidate.
func (r *reader) stated(value json.RawMessage, quote string) Reading {
	if r.isCandidate(value) {
		return Reading{Kind: Yes, Value: r.Candidate, Quote: quote}
	}
	return Reading{Kind: Value, Value: value, Quote: quote}
}

func (r *reader) mode() vault.ValidationMode {
	if r.Mode == "" {
		return vault.ModeStrict
	}
	return r.Mode
}

func (r *reader) isCandidate(value json.RawMessage) bool {
	return r.Confirm && r.Candidate != nil && rules.SameValue(r.Definition.ValueType, value, r.Candidate)
}

func (r *reader) has(c class) bool {
	return slices.ContainsFunc(r.parts, func(p part) bool { return p.class == c })
}

// only reports whether all parts have one of the classes.
func (r *reader) only(classes ...class) bool {
	return !slices.ContainsFunc(r.parts, func(p part) bool { return !slices.Contains(classes, p.class) })
}

// read reads a text.
func (r *reader) read() Reading {
	if r.mode() == vault.ModeDisabled && !r.Confirm {
		return r.checkWhole(r.raw)
	}
	if len(r.parts) == 0 {
		return Reading{Kind: Unclear}
	}
	if whole, ok := r.readWhole(); ok {
		return whole
	}
	if r.isNarrative() && !r.Confirm {
		return r.readNarrative()
	}
	if r.Definition.ValueType == vault.TypeBoolean {
		return r.readYesNo()
	}
	if r.countsNone() {
		return r.checkWhole(json.RawMessage("0"))
	}
	value, quote, problem := r.readValue()
	switch {
	case value == nil:
		r.settleOthers()
		out := r.readSignals()
		if out.Kind == Unclear {
			out.Problem = problem
		}
		return out
	case r.has(classDoubt) || r.has(classRefused),
		r.has(classYes) && r.Confirm && !r.isCandidate(value), // "yes, Hamburg" to Berlin
		r.has(classNo) && r.Confirm && r.isCandidate(value):   // "no, Berlin" to Berlin
		return Reading{Kind: Unclear}
	default:
		return r.stated(value, quote)
	}
}

// readWhole reads a reply that as a whole is a value of a type with a form: nothing around it can change its meaning.
func (r *reader) readWhole() (Reading, bool) {
	text := strings.Trim(strings.TrimSpace(r.text), `"'“”*`)
	if r.Definition.ValueType == vault.TypeBoolean || !hasForm(r.Definition) {
		return Reading{}, false
	}
	for _, text := range []string{strings.TrimRight(text, ".! "), text} {
		value, err := json.Marshal(text)
		if err != nil {
			continue
		}
		checked, err := rules.CheckValue(&r.Definition, r.Definition.Name, value, vault.ModeStrict)
		if err == nil && !rules.IsEmpty(checked.Value) {
			return r.stated(checked.Value, text), true
		}
	}
	return Reading{}, false
}

// readSignals reads a reply without a value.
func (r *reader) readSignals() Reading {
	yes, no := r.has(classYes), r.has(classNo)
	switch {
	case r.has(classRefused):
		return Reading{Kind: Refused}
	case r.has(classInterruption), r.has(classQuestion):
		if r.has(classDoubt) {
			return Reading{Kind: Unclear}
		}
		return Reading{Kind: Interrupted}
	case r.has(classDoubt), yes && no:
		return Reading{Kind: Unclear}
	case r.Confirm && yes && r.only(classYes, classCourtesy):
		return Reading{Kind: Yes, Value: r.Candidate}
	case r.Confirm && no:
		return Reading{Kind: No}
	case r.has(classGreeting) && r.only(classGreeting, classCourtesy):
		return Reading{Kind: Interrupted}
	default:
		return Reading{Kind: Unclear}
	}
}

// readYesNo reads a reply to a question for a boolean, or to the confirmation of one.
func (r *reader) readYesNo() Reading {
	out := r.readSignals()
	if out.Kind == Refused || out.Kind == Interrupted || r.has(classDoubt) {
		return out
	}
	yes, no := r.has(classYes), r.has(classNo)
	switch {
	case yes && no:
		return Reading{Kind: Unclear}
	case (yes || no) && r.only(classYes, classNo, classCourtesy, classGreeting):
		return r.stated(boolean(yes), r.text)
	}
	if !r.has(classContent) {
		return Reading{Kind: Unclear}
	}
	for _, p := range r.parts {
		if p.class == classContent && particles[p.tokens[0].word] { // "no objection"
			return Reading{Kind: Unclear}
		}
	}
	r.ask()
	r.settleOthers()
	if (yes || no) && r.only(classYes, classNo, classCourtesy, classGreeting) {
		return r.stated(boolean(yes), r.text)
	}
	if r.model == nil {
		return Reading{Kind: Unclear}
	}
	if said := string(r.model.Value) == "true"; yes && !said || no && said {
		return Reading{Kind: Unclear}
	}
	return r.stated(r.model.Value, r.model.Quote)
}

// settleOthers marks the content that states the values of other fields: it says nothing about this one.
func (r *reader) settleOthers() {
	for i, p := range r.parts {
		if p.class == classContent && slices.ContainsFunc(r.also, func(c Said) bool {
			return strings.Contains(fold(r.text[p.start():p.end()]), fold(rules.TextOf(c.Value)))
		}) {
			r.parts[i].class = classCourtesy
		}
	}
}

// countsNone reports whether the reply to "how many" is none.
func (r *reader) countsNone() bool {
	return r.Definition.ValueType == vault.TypeNumber && !r.Confirm && len(r.parts) == 1 &&
		saysNone(r.parts[0].segment, r.known) && strings.Contains(fold(r.Definition.Prompt()), "how many")
}

func boolean(b bool) json.RawMessage {
	if b {
		return json.RawMessage("true")
	}
	return json.RawMessage("false")
}

// ask asks the model, once, for the values of the question's field and of the others, and keeps those that the evidence
// gate accepts.
func (r *reader) ask() {
	if r.found || r.find == nil {
		return
	}
	r.found = true
	turns := []vault.Turn{
		{Index: 0, Speaker: vault.SpeakerAgent, Text: r.Definition.Prompt()},
		{Index: 1, Speaker: vault.SpeakerCustomer, Text: r.text},
	}
	defs := append([]vault.Definition{r.Definition}, r.Others...)
	for _, c := range r.find(defs, turns) {
		at := slices.IndexFunc(defs, func(d vault.Definition) bool { return d.Name == c.FieldName })
		if at < 0 || !(c.Confidence >= vault.UseThreshold) {
			continue
		}
		checked, problem := evidence.Read(turns).Check(c, &defs[at])
		if problem != nil {
			continue
		}
		c.Value = checked.Value
		if at == 0 {
			r.model = &c
		} else {
			r.also = append(r.also, Said{c, checked.Certain})
		}
	}
}
