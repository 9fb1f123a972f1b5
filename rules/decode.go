package rules

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/contextvault/contextvault/rules/format"
	"github.com/contextvault/contextvault/vault"
)

// DecodeStrict decodes one JSON document into a type of package vault. An absent member keeps the default that the
// method SetDefaults of the type sets, if there is one. It rejects unknown and repeated members and text
// after the document, so that nothing is silently ignored. All problems are reported as one *vault.Error with the
// path of each member and the remedy, without values.
func DecodeStrict(data []byte, into any) error {
	if err := CheckDocument(data); err != nil {
		return err
	}
	if problems := typeProblems(data, reflect.TypeOf(into).Elem(), ""); len(problems) > 0 {
		return vault.Join(problems)
	}
	if input, ok := into.(interface{ SetDefaults() }); ok {
		input.SetDefaults()
	}
	if err := json.Unmarshal(data, into); err != nil {
		return vault.Invalid("", "the input does not have the expected form") // err may quote a value
	}
	return nil
}

// CheckDocument checks that data is one JSON document in which no object has a member twice. An error is a *vault.Error
// without values; for a repeated member its Field is the path.
func CheckDocument(data []byte) error {
	if len(bytes.TrimSpace(data)) == 0 {
		return vault.Invalid("", "the input is empty; it must be a JSON object")
	}
	if !utf8.Valid(data) {
		return vault.Invalid("", "the input is not valid UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	var document json.RawMessage
	if err := dec.Decode(&document); err != nil {
		if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
			if strings.Contains(syntax.Error(), "max depth") { // package json has no error type for it
				return vault.Invalid("",
					"the input is nested too deeply at byte %d; the limit is %d levels", syntax.Offset, maxNesting)
			}
			return vault.Invalid("", "the input is not valid JSON at byte %d", syntax.Offset)
		}
		return vault.Invalid("", "the input is not complete JSON")
	}
	if rest := bytes.TrimSpace(data[dec.InputOffset():]); len(rest) > 0 {
		return vault.Invalid("", "the input continues after the JSON document, at byte %d", dec.InputOffset()+1)
	}
	if path, repeated := repeatedMember(data); repeated {
		return vault.Invalid(path, "is repeated; an object may have a member only once, so keep one of them")
	}
	return nil
}

// container is an open list or object.
type container struct {
	names  map[string]bool // of the members so far; nil in a list
	name   string          // the current member of an object
	index  int             // the current entry of a list
	isList bool
}

// maxTrackedMembers is the number of members of one object that are compared. A value of the maximum size, 64 KiB, has
// fewer; a larger object is refused for its size, and must not take a hundred times its size before.
const maxTrackedMembers = 20_000

// repeatedMember returns the path of the first member of valid JSON whose object already has a member of that name.
// Readers of JSON differ in what they do with such members; most of them drop all but the last.
func repeatedMember(raw []byte) (path string, found bool) {
	var open []container
	for i := 0; i < len(raw); i++ {
		switch raw[i] {
		case '{', '[':
			open = append(open, container{isList: raw[i] == '['})
		case '}', ']':
			open = open[:len(open)-1]
		case ',':
			open[len(open)-1].index++
		case '"':
			start := i
			for i++; raw[i] != '"'; i++ {
				if raw[i] == '\\' {
					i++
				}
			}
			if rest := bytes.TrimLeft(raw[i+1:], " \t\r\n"); len(rest) == 0 || rest[0] != ':' {
				continue // a string, not the name of a member
			}
			object := &open[len(open)-1]
			if len(object.names) == maxTrackedMembers {
				object.name = ""
				continue
			}
			object.name = TextOf(raw[start : i+1])
			if object.names[object.name] {
				return pathOf(open), true
			}
			if object.names == nil {
				object.names = map[string]bool{}
			}
			object.names[object.name] = true
		}
	}
	return "", false
}

// pathOf returns the path of the current entry of the innermost container.
func pathOf(open []container) string {
	var path strings.Builder
	for _, c := range open {
		if c.isList {
			fmt.Fprintf(&path, "[%d]", c.index)
		} else {
			path.WriteString("." + safeName(c.name))
		}
	}
	return strings.TrimPrefix(path.String(), ".")
}

// typeProblems finds members of valid JSON that do not match a type. It stops after vault.MaxProblems and one more.
func typeProblems(raw json.RawMessage, t reflect.Type, path string) []*vault.Error {
	var c typeCheck
	c.check(raw, t, path)
	return c.problems
}

// typeCheck collects the problems of one document.
type typeCheck struct{ problems []*vault.Error }

func (c *typeCheck) add(path, format string, args ...any) {
	c.problems = append(c.problems, vault.Invalid(path, format, args...))
}

// full reports whether there are more problems than an error lists.
func (c *typeCheck) full() bool { return len(c.problems) > vault.MaxProblems }

func (c *typeCheck) check(raw json.RawMessage, t reflect.Type, path string) {
	if t == rawType || isNull(raw) {
		return // null leaves a member unset; Check reports required ones
	}
	if reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) || isScalar(t) {
		if json.Unmarshal(raw, reflect.New(t).Interface()) != nil {
			c.add(path, "%s", typeProblem(t))
		}
		return
	}
	if t.Kind() == reflect.Pointer {
		c.check(raw, t.Elem(), path)
		return
	}
	if entryCount(raw) > vault.MaxEntries {
		c.add(path, "has more than %d entries", vault.MaxEntries)
		return
	}
	if t.Kind() == reflect.Slice {
		var items []json.RawMessage
		if json.Unmarshal(raw, &items) != nil {
			c.add(path, "must be a list")
		}
		for i, item := range items {
			if c.full() {
				return
			}
			c.check(item, t.Elem(), fmt.Sprintf("%s[%d]", path, i))
		}
		return
	}
	c.checkMembers(raw, t, path)
}

// checkMembers checks the members of a struct or a map.
func (c *typeCheck) checkMembers(raw json.RawMessage, t reflect.Type, path string) {
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil {
		if path == "" {
			c.add("", "the input must be a JSON object")
		} else {
			c.add(path, "must be an object")
		}
		return
	}
	known := map[string]reflect.Type{}
	if t.Kind() == reflect.Struct {
		collectFields(t, known)
	}
	for _, key := range slices.Sorted(maps.Keys(members)) {
		if c.full() {
			return
		}
		at := strings.TrimPrefix(path+"."+safeName(key), ".")
		switch member, ok := known[key]; {
		case ok:
			c.check(members[key], member, at)
		case t.Kind() == reflect.Map:
			c.check(members[key], t.Elem(), at)
		default:
			names := strings.Join(slices.Sorted(maps.Keys(known)), ", ")
			c.add(at, "is not a field of the input; the fields are %s", names)
		}
	}
}

// entryCount returns the number of entries of valid JSON that is a list or an object, 0 of any other. It allocates
// nothing, so that an input of millions of entries is refused before it takes a hundred times its size.
func entryCount(raw json.RawMessage) int {
	depth, commas, inString := 0, 0, false
	for i := 0; i < len(raw); i++ {
		switch ch := raw[i]; {
		case inString && ch == '\\':
			i++
		case ch == '"':
			inString = !inString
		case inString:
		case ch == '[' || ch == '{':
			depth++
		case ch == ']' || ch == '}':
			depth--
		case ch == ',' && depth == 1:
			commas++
		}
	}
	if trimmed := bytes.TrimSpace(raw); len(trimmed) == 0 || trimmed[0] != '[' && trimmed[0] != '{' {
		return 0
	}
	return commas + 1 // 1 too many for an empty one
}

// collectFields adds the JSON names and types of a struct's fields to into, including those of embedded structs.
func collectFields(t reflect.Type, into map[string]reflect.Type) {
	for i := range t.NumField() {
		f := t.Field(i)
		switch {
		case f.Anonymous && f.Tag.Get("json") == "":
			collectFields(f.Type, into)
		case f.IsExported() && f.Tag.Get("json") != "-":
			into[jsonName(f)] = f.Type
		}
	}
}

func isScalar(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Struct, reflect.Interface, reflect.Array:
		return false
	default:
		return true
	}
}

// typeProblem returns the message for a JSON value that does not match t.
func typeProblem(t reflect.Type) string {
	switch {
	case t == uuidType:
		return "is not a UUID, such as 0198c0de-0000-7000-8000-000000000001"
	case t == timeType:
		return format.NotDatetime
	}
	switch t.Kind() {
	case reflect.String:
		return "must be a string"
	case reflect.Bool:
		return "must be true or false"
	case reflect.Float32, reflect.Float64:
		return "must be a number"
	default:
		return "must be a whole number"
	}
}
