package reply

import (
	"encoding/json"

	"github.com/contextvault/contextvault/vault"
)

// The texts of this file are for customers: they contain the label and the words of the definition, and no field name,
// no pattern and no value of the customer.

// Reason returns why a question is asked again after a reading that is Unclear: the RetryPrompt of the definition, or a
// sentence about the answer.
func (q Question) Reason(r Reading) string {
	noun := q.Definition.Noun()
	switch {
	case q.Definition.RetryPrompt != "":
		return q.Definition.RetryPrompt
	case q.Confirm && r.Problem == nil:
		return "Sorry, I did not understand whether the " + noun + " is right."
	case r.Problem != nil && hasForm(q.Definition):
		return "Sorry, I cannot use that answer as the " + noun + "."
	default:
		return "Sorry, I did not find the " + noun + " in that answer."
	}
}

// RetryPrompt returns the question for a second or later attempt, in other words than the first one. Candidate is the
// value to confirm for a confirmation.
func (q Question) RetryPrompt() string {
	d := q.Definition
	noun := d.Noun()
	switch {
	case q.Confirm && d.Secret():
		return "Is the " + noun + " that you gave right? Please answer yes or no, or give the right " + noun + "."
	case q.Confirm:
		return "Is " + displayText(q.Candidate) + " the right " + noun + "? Please answer yes or no, or give the right " + noun + "."
	default:
		return expectation(d, noun)
	}
}

// expectation says what an answer looks like.
func expectation(d vault.Definition, noun string) string {
	if len(d.AllowedValues) > 0 && d.ValueType != vault.TypeBoolean {
		return "Please choose the " + noun + ": " + choices(d.AllowedValues) + "."
	}
	if d.ValidationRegex != "" {
		return "Please check the " + noun + " and give it again" + example(d) + "."
	}
	give := "Please give the " + noun
	switch d.ValueType {
	case vault.TypeEmail:
		return give + ", such as name@example.com."
	case vault.TypePhone:
		return give + " with its country code, such as +44 20 7946 0958."
	case vault.TypeDate:
		return give + " with day, month and year, such as 14 March 1990."
	case vault.TypeDatetime:
		return give + " with day, year and time, such as 14 March 2027 at 14:30."
	case vault.TypeNumber:
		return give + " as one number, such as 3."
	case vault.TypeBoolean:
		return d.Prompt() + " Please answer yes or no."
	case vault.TypeURL:
		return give + " in full, such as https://example.com."
	case vault.TypeString, vault.TypeJSON:
		return give + " and nothing else" + example(d) + "."
	default:
		return d.Prompt()
	}
}

// example returns the first example of the definition as the end of a sentence, "" without one.
func example(d vault.Definition) string {
	if len(d.ExtractionExamples) == 0 {
		return ""
	}
	return ", such as " + d.ExtractionExamples[0]
}

// choices lists allowed values for a customer, at most maxChoices of them.
func choices(values []json.RawMessage) string {
	const maxChoices = 10
	texts := make([]string, 0, maxChoices)
	for _, v := range values {
		if len(texts) == maxChoices {
			return join(append(texts, "another one"))
		}
		texts = append(texts, displayText(v))
	}
	return join(texts)
}

// join joins texts as in a sentence.
func join(texts []string) string {
	out := texts[0]
	for i, t := range texts[1:] {
		if i == len(texts)-2 {
			out += " or " + t
		} else {
			out += ", " + t
		}
	}
	return out
}
