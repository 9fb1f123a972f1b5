package rules

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/vault"
)

var (
	rawType  = reflect.TypeFor[json.RawMessage]()
	uuidType = reflect.TypeFor[uuid.UUID]()
	timeType = reflect.TypeFor[time.Time]()
	// basedType has an id that may be zero: there must be no version yet.
	basedType = reflect.TypeFor[vault.Based]()
)

// storageProblems finds texts and JSON values that PostgreSQL cannot store, and optional ids that are zero, anywhere in
// v. An operation with such a value would be accepted and then fail at every attempt to write it. It reads the first
// vault.MaxEntries of each list, since a longer one is refused, and stops after vault.MaxProblems and one more.
func storageProblems(v reflect.Value, path string) []*vault.Error {
	var problems []*vault.Error
	switch {
	case !v.IsValid() || v.Type() == timeType || v.Type() == uuidType || v.Type() == basedType:
	case v.Type() == rawType:
		if raw := json.RawMessage(v.Bytes()); raw != nil {
			if why := storageProblem(raw); why != "" {
				problems = append(problems, vault.Invalid(path, "%s", why))
			}
		}
	case v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface:
		switch {
		case v.IsNil():
		case v.Elem().Type() == uuidType && v.Elem().IsZero():
			problems = append(problems, vault.Invalid(path, "is the zero UUID; omit the field instead"))
		default:
			problems = storageProblems(v.Elem(), path)
		}
	case v.Kind() == reflect.String:
		if why := textProblem(v.String()); why != "" {
			problems = append(problems, vault.Invalid(path, "%s", why))
		}
	case v.Kind() == reflect.Slice || v.Kind() == reflect.Array:
		for i := range min(v.Len(), vault.MaxEntries) {
			if len(problems) > vault.MaxProblems {
				break
			}
			problems = append(problems, storageProblems(v.Index(i), fmt.Sprintf("%s[%d]", path, i))...)
		}
	case v.Kind() == reflect.Map:
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		for _, key := range keys[:min(len(keys), vault.MaxEntries)] {
			if len(problems) > vault.MaxProblems {
				break
			}
			at := path + "." + safeName(key.String())
			problems = append(problems, storageProblems(key, at)...)
			problems = append(problems, storageProblems(v.MapIndex(key), at)...)
		}
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			switch {
			case !f.IsExported():
			case f.Anonymous:
				problems = append(problems, storageProblems(v.Field(i), path)...)
			default:
				problems = append(problems, storageProblems(v.Field(i), strings.TrimPrefix(path+"."+jsonName(f), "."))...)
			}
		}
	}
	return problems
}

// safeName returns a key of the input for a message, or "…" if it does not look like a name: a customer's value may be
// in the wrong place.
func safeName(key string) string {
	isPart := func(r rune) bool {
		return r == '_' || r == '-' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
	}
	if key == "" || len(key) > vault.MaxNameLength || isDigit(key[0]) ||
		strings.ContainsFunc(key, func(r rune) bool { return !isPart(r) }) {
		return "…"
	}
	return key
}
