package evidence

import (
	"encoding/json"
	"errors"
	"slices"

	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

// Finding is a value that a quote supports.
type Finding struct {
	rules.Checked

	// Certain reports that the value needs no confirmation: its form has a clear end, the customer named the field or
	// answered a question about it, and nothing else in the words competes with it.
	Certain bool
	// Turn is the index of the turn that contains the value.
	Turn int
}

// Conversation is a conversation taken apart, to check many candidates against it. It is safe for concurrent use.
type Conversation struct {
	turns []*turn
}

// Read takes a conversation apart. The turns are in order.
func Read(turns []vault.Turn) *Conversation {
	c := &Conversation{}
	for _, t := range turns {
		c.turns = append(c.turns, readTurn(t))
	}
	return c
}

// Check decides whether a value that a model extracted from the conversation may be used. The value must be valid, its
// quote must occur in a turn of the customer, and contain the value as a whole. The customer must assert it, of the
// person whom the definition is about, and not correct it later. The error says what is missing, without the value.
//
// The quote must contain, by type: the text itself for string, email and url; the same number for phone and number, in
// digits, with a scale (45k), or, for whole numbers below one hundred, in English words; the same day for date, where
// 3/4/1990 is ambiguous and does not match; the same day and time of day for datetime; a statement about the field, or
// a yes or no to a question about it, for boolean; every key, text and number for json.
func (c *Conversation) Check(candidate vault.Candidate, def *vault.Definition) (Finding, *vault.Error) {
	name := candidate.FieldName
	if def != nil && def.Name != name {
		return Finding{}, vault.Invalid(name, "the candidate and the definition are for different fields")
	}
	if !(candidate.Confidence >= 0 && candidate.Confidence <= 1) { // in this form, NaN is rejected
		return Finding{}, vault.Invalid(name, "the confidence of the candidate is not between 0 and 1")
	}
	checked, err := rules.CheckValue(def, name, candidate.Value, vault.ModeStrict)
	if err != nil {
		if e, ok := errors.AsType[*vault.Error](err); ok {
			return Finding{}, e
		}
		return Finding{}, vault.Invalid(name, "the candidate cannot be checked")
	}
	passages := c.find(candidate.Quote)
	if len(passages) == 0 {
		return Finding{}, vault.Invalid(name, "the customer's turns do not contain the quote of the candidate")
	}
	r := reader{conversation: c, def: *def, topic: topicOf(*def), value: checked.Value}
	problem := problem("the quote of the candidate does not contain its value")
	for i, p := range passages {
		found, why := r.checkAll(p, candidate.Value)
		if why == "" {
			return Finding{Checked: checked, Certain: found, Turn: p.turn.Index}, nil
		}
		if i == 0 {
			problem = why
		}
	}
	return Finding{}, vault.Invalid(name, "%s", string(problem))
}

// problem is a reason to refuse a candidate, for a message; "" is none.
type problem string

// reader checks the passages of one candidate.
type reader struct {
	conversation *Conversation
	def          vault.Definition
	topic        topic
	value        json.RawMessage // normalised
	isPart       bool            // value is a part of a JSON value
}

// mention is a place in a turn that states a value.
type mention struct {
	span

	// clear reports that the form of the value has a certain end, as that of an email address has.
	clear bool
}

// checkAll is check for a value that may be a list: the passage supports each of its elements. raw is the model's
// value.
func (r reader) checkAll(p passage, raw json.RawMessage) (certain bool, why problem) {
	if !r.def.Multiple {
		return r.check(p, raw)
	}
	elements, said := rules.Elements(r.value), rules.Elements(raw)
	certain = true
	for i, e := range elements {
		spelled := e
		if len(said) == len(elements) {
			spelled = said[i]
		}
		one := r
		one.def.Multiple, one.value = false, e
		found, why := one.check(p, spelled)
		if why != "" {
			return false, why
		}
		certain = certain && found
	}
	return certain && len(elements) > 0, ""
}

// check returns "" if a passage supports the value, and whether it is certain.
func (r reader) check(p passage, raw json.RawMessage) (certain bool, why problem) {
	if why := p.turn.borrowed(p.span); why != "" {
		return false, why
	}
	if r.def.ValueType == vault.TypeBoolean {
		if why := r.assigned(p.turn, p.span); why != "" {
			return false, why
		}
		certain, why := r.checkBoolean(p, rules.TextOf(r.value) == "true")
		if why == "" {
			why = r.takenBack(p.turn, p.span)
		}
		return certain && why == "", why
	}
	why = "the quote of the candidate does not contain its value"
	mentions := r.mentions(p, raw)
	for i, m := range mentions {
		judged := r.judge(p.turn, m)
		if judged == "" {
			return r.certain(p.turn, m), ""
		}
		if i == 0 {
			why = judged
		}
	}
	return false, why
}

// judge returns "" if a mention asserts the value of the person whom the definition is about.
func (r reader) judge(t *turn, m mention) problem {
	for _, rule := range []func(*turn, mention) problem{
		func(t *turn, m mention) problem { return t.borrowed(m.span) },
		func(t *turn, m mention) problem {
			if r.def.ValueType == vault.TypeJSON {
				return "" // the value is an object itself
			}
			return r.assigned(t, m.span)
		},
		r.denied, r.supposed, r.asked, r.bounded, r.measured, r.owned,
		func(t *turn, m mention) problem { return r.takenBack(t, m.span) },
	} {
		if why := rule(t, m); why != "" {
			return why
		}
	}
	return ""
}

// previous returns the turn before a turn of the customer, if the agent said it.
func (c *Conversation) previous(t *turn) *turn {
	at := slices.Index(c.turns, t)
	if at <= 0 || c.turns[at-1].Speaker != vault.SpeakerAgent {
		return nil
	}
	return c.turns[at-1]
}
