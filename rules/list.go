package rules

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/contextvault/contextvault/rules/internal/fold"
	"github.com/contextvault/contextvault/vault"
)

// A field with multiple has a list of elements. Its value is a JSON array without repetitions, in the order in which
// they were stated, and each rule of the definition holds for each element.

// maxComparisons limits the comparisons of the elements of a list with the allowed values: some 100 ms.
const maxComparisons = 50_000

// elementOf returns the definition of the elements of a list.
func elementOf(d vault.Definition) vault.Definition {
	d.Multiple = false
	return d
}

// Elements returns the elements of a list. A value that is no list, such as one from before the definition had
// multiple, is a list of itself.
func Elements(value json.RawMessage) []json.RawMessage {
	var elements []json.RawMessage
	if isList(value) && json.Unmarshal(value, &elements) == nil {
		return elements
	}
	return []json.RawMessage{value}
}

// isList reports whether a value is a JSON array.
func isList(value json.RawMessage) bool { return bytes.HasPrefix(bytes.TrimSpace(value), []byte("[")) }

// ListOf returns the list of these elements.
func ListOf(elements []json.RawMessage) json.RawMessage {
	return json.RawMessage("[" + string(bytes.Join(asBytes(elements), []byte(","))) + "]")
}

func asBytes(elements []json.RawMessage) [][]byte {
	out := make([][]byte, len(elements))
	for i, e := range elements {
		out[i] = e
	}
	return out
}

// AddElement returns a list with an element added at its end, and whether that changed it: a list has each element
// once. Both are normalised.
func AddElement(t vault.ValueType, list, element json.RawMessage) (json.RawMessage, bool) {
	elements := Elements(list)
	if indexOfElement(t, elements, element) >= 0 {
		return list, false
	}
	return ListOf(append(elements, element)), true
}

// RemoveElement returns a list without an element, and whether it was there. Both are normalised.
func RemoveElement(t vault.ValueType, list, element json.RawMessage) (json.RawMessage, bool) {
	elements := Elements(list)
	at := indexOfElement(t, elements, element)
	if at < 0 {
		return list, false
	}
	return ListOf(slices.Delete(elements, at, at+1)), true
}

func indexOfElement(t vault.ValueType, elements []json.RawMessage, element json.RawMessage) int {
	key := elementKey(t, element)
	return slices.IndexFunc(elements, func(e json.RawMessage) bool { return elementKey(t, e) == key })
}

// elementKey returns the same text for all elements that are equal.
func elementKey(t vault.ValueType, element json.RawMessage) string {
	switch t {
	case vault.TypeString:
		return fold.Text(TextOf(element))
	case vault.TypeNumber:
		return canonicalNumber(string(bytes.TrimSpace(element)))
	case vault.TypeJSON:
		return canonicalJSON(element)
	default:
		return string(bytes.TrimSpace(element))
	}
}

// sameElements reports whether two lists have the same elements, in any order.
func sameElements(t vault.ValueType, a, b json.RawMessage) bool {
	keys := func(list json.RawMessage) map[string]bool {
		set := map[string]bool{}
		for _, e := range Elements(list) {
			set[elementKey(t, e)] = true
		}
		return set
	}
	first, second := keys(a), keys(b)
	for key := range first {
		if !second[key] {
			return false
		}
	}
	return len(first) == len(second)
}

// CheckElement validates one element of a list, as CheckValue does a value. It returns an error if the definition has
// no lists, because the whole value is then written.
func CheckElement(
	def *vault.Definition, name string, raw json.RawMessage, mode vault.ValidationMode,
) (Checked, error) {
	if def == nil || !def.Enabled || !def.Multiple {
		return Checked{}, vault.Invalid("name", "%s has one value and no elements; write the value", name)
	}
	element := elementOf(*def)
	return CheckValue(&element, name, raw, mode)
}

// checkList validates a list against its definition.
func checkList(def vault.Definition, sent Checked) (Checked, []finding) {
	elements, why := elementsSent(def, sent.Value)
	if why != "" {
		return sent, []finding{{text: why, ofValue: true}}
	}
	limit := def.ElementLimit()
	switch {
	case len(elements) > vault.MaxEntries:
		return sent, []finding{{text: fmt.Sprintf("has more than %d elements", limit), ofValue: true}}
	case len(elements)*len(def.AllowedValues) > maxComparisons:
		return sent, []finding{{text: "has too many elements to be compared with the allowed values", ofValue: true}}
	case elementSteps(def, elements) > vault.MaxRegexSteps:
		text := "is too long to be checked against the validation_regex or json_schema of its definition"
		return sent, []finding{{text: text, ofValue: true}}
	}
	var kept []json.RawMessage
	var findings []finding
	seen := map[string]bool{}
	for i, raw := range elements {
		checked, problems := Checked{}, []finding{{text: "is null, which is not a value", ofValue: true}}
		if !isNull(raw) {
			checked, problems = checkAgainst(elementOf(def), Checked{Value: compact(raw), ValueType: jsonType(raw)})
		}
		for _, p := range problems {
			if len(findings) < maxListProblems {
				findings = append(findings, finding{text: fmt.Sprintf("at [%d] %s", i, p.text), ofValue: true})
			}
		}
		if key := elementKey(def.ValueType, checked.Value); len(problems) == 0 && !seen[key] {
			seen[key] = true
			kept = append(kept, checked.Value)
		}
	}
	if len(kept) > limit {
		findings = append(findings, finding{text: fmt.Sprintf("has more than %d elements", limit), ofValue: true})
	}
	if len(findings) > 0 {
		return sent, findings
	}
	return Checked{Value: ListOf(kept), ValueType: def.ValueType}, nil
}

// between matches what stands between the elements of a list that a customer speaks: "peanuts, soy and penicillin".
var between = regexp.MustCompile(
	`(?i)\s*[,;\n]\s*(?:(?:and|und|et|y|e|en|oraz|și|и)\s+)?|\s+(?:and|und|et|y|e|en|oraz|și|и|&|\+|plus)\s+`)

// SpokenElements returns the spans of the elements of a list in words that a customer said, and one span if it is no
// list. "Salt and vinegar" are two elements, so who reads a conversation has them confirmed.
func SpokenElements(said string) [][2]int {
	var spans [][2]int
	from := 0
	for _, at := range append(between.FindAllStringIndex(said, -1), []int{len(said), len(said)}) {
		if strings.TrimSpace(said[from:at[0]]) != "" {
			spans = append(spans, [2]int{from, at[0]})
		}
		from = at[1]
	}
	return spans
}

// maxListProblems is the maximum number of problems of the elements of one list that a message names.
const maxListProblems = 5

// elementsSent returns the elements of a value as it was sent: a JSON array, one element, or a text with several
// elements between commas, semicolons or line breaks if each of them is valid. A free text is one element.
func elementsSent(def vault.Definition, value json.RawMessage) ([]json.RawMessage, string) {
	if isList(value) {
		return Elements(value), ""
	}
	if def.ValueType == vault.TypeJSON {
		return nil, "is not a list"
	}
	whole := []json.RawMessage{value}
	if jsonType(value) != vault.TypeString {
		return whole, ""
	}
	if _, problems := checkAgainst(
		elementOf(def),
		Checked{Value: value, ValueType: vault.TypeString},
	); len(
		problems,
	) == 0 {
		return whole, ""
	}
	parts := strings.FieldsFunc(TextOf(value), func(r rune) bool { return strings.ContainsRune(",;\n", r) })
	if len(parts) < 2 || len(parts) > def.ElementLimit() {
		return whole, ""
	}
	elements := make([]json.RawMessage, len(parts))
	for i, part := range parts {
		elements[i] = jsonString(strings.TrimSpace(part))
		sent := Checked{Value: elements[i], ValueType: vault.TypeString}
		if _, problems := checkAgainst(elementOf(def), sent); len(problems) > 0 {
			return whole, ""
		}
	}
	return elements, ""
}

// elementSteps returns the steps of the checks of all elements.
func elementSteps(def vault.Definition, elements []json.RawMessage) int {
	steps := 0
	for _, e := range elements {
		if steps += patternSteps(def.ValidationRegex, e) + schemaSteps(def.JSONSchema, e); steps > vault.MaxRegexSteps {
			break
		}
	}
	return steps
}
