package llm

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// DropReason is the reason why an entry of a model's answer is not used, in logs, results and metrics.
type DropReason string

const (
	DropNull       DropReason = "null_value"     // the model lists a field that was not stated: nothing is lost
	DropSyntax     DropReason = "not_json"       // the entry is not valid JSON
	DropNoObject   DropReason = "not_an_object"  // the entry is a text, a number, a list …
	DropMissing    DropReason = "missing_key"    // a key of the schema is missing
	DropType       DropReason = "wrong_type"     // a value has another JSON type than it needs
	DropUnknown    DropReason = "unknown_field"  // the field was not requested
	DropRepeated   DropReason = "repeated"       // an earlier entry has the same name
	DropConfidence DropReason = "bad_confidence" // the confidence is not between 0 and 1
	DropEvidence   DropReason = "bad_evidence"   // the quote is empty, or the turn does not exist
	DropDefinition DropReason = "bad_definition" // the proposed definition is invalid, for example its name
	DropCutOff     DropReason = "cut_off"        // the answer ends within the entry
	DropTooMany    DropReason = "too_many"       // the answer has more entries than the limit; counted once
)

// DropReasons lists all reasons.
var DropReasons = []DropReason{
	DropNull, DropSyntax, DropNoObject, DropMissing, DropType, DropUnknown, DropRepeated, DropConfidence, DropEvidence,
	DropDefinition, DropCutOff, DropTooMany,
}

// Drops counts the entries of an answer that are not used, by reason. It contains no text of the answer.
type Drops map[DropReason]int

// Add adds the counts of other and returns the sum, which is d unless d is nil.
func (d Drops) Add(other Drops) Drops {
	if d == nil && len(other) > 0 {
		d = Drops{}
	}
	for reason, n := range other {
		d[reason] += n
	}
	return d
}

// String writes the counts as "1 repeated, 2 wrong_type", in a fixed order.
func (d Drops) String() string {
	parts := make([]string, 0, len(d))
	for _, reason := range slices.Sorted(maps.Keys(d)) {
		parts = append(parts, fmt.Sprintf("%d %s", d[reason], reason))
	}
	return strings.Join(parts, ", ")
}

// Warning returns a text for the result of an operation. It returns "" if no information is lost: DropNull is not
// reported.
func (d Drops) Warning() string {
	lost := maps.Clone(d)
	delete(lost, DropNull)
	if len(lost) == 0 {
		return ""
	}
	return "entries of the " + Dependency + "'s answer were left out: " + lost.String()
}
