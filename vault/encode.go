package vault

import (
	"encoding/json"
	"reflect"
	"strings"
	"sync"
)

// Encode returns the JSON of a result or a response. A list without elements is [] and a map without members is {},
// also if they are nil: no member is null because it is empty. A member with omitempty is left out as usual.
func Encode(v any) ([]byte, error) { return json.Marshal(Filled(v)) }

// Filled returns v with empty lists and maps in the place of nil ones, where encoding/json writes null. It shares what
// does not change with v, and does not change v.
func Filled(v any) any {
	value := reflect.ValueOf(v)
	if !value.IsValid() || !hasLists(value.Type()) {
		return v
	}
	if out, changed := filled(value); changed {
		return out.Interface()
	}
	return v
}

// listTypes remembers hasLists by type.
var listTypes sync.Map

// hasLists reports whether a list or map that is written also if it is empty is in values of a type.
func hasLists(t reflect.Type) bool {
	if known, ok := listTypes.Load(t); ok {
		has, _ := known.(bool)
		return has
	}
	has := findLists(t, map[reflect.Type]bool{})
	listTypes.Store(t, has)
	return has
}

func findLists(t reflect.Type, seen map[reflect.Type]bool) bool {
	if seen[t] || encodesItself(t) {
		return false
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Interface:
		return t.NumMethod() == 0
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return t.Kind() == reflect.Slice || t.Kind() == reflect.Map || findLists(t.Elem(), seen)
	case reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			if !isWritten(f) {
				continue
			}
			of := f.Type
			if omitsEmpty(f) && (of.Kind() == reflect.Slice || of.Kind() == reflect.Map) {
				of = of.Elem() // the list itself is never null
			}
			if findLists(of, seen) {
				return true
			}
		}
	}
	return false
}

// encodesItself reports whether a type has its own JSON, such as time.Time, a UUID or a raw message.
func encodesItself(t reflect.Type) bool {
	return t.Implements(marshaler) || reflect.PointerTo(t).Implements(marshaler) ||
		t.Implements(textMarshaler) || reflect.PointerTo(t).Implements(textMarshaler)
}

var (
	marshaler     = reflect.TypeFor[json.Marshaler]()
	textMarshaler = reflect.TypeFor[interface{ MarshalText() ([]byte, error) }]()
)

func isWritten(f reflect.StructField) bool {
	return (f.IsExported() || f.Anonymous && f.Type.Kind() == reflect.Struct) && f.Tag.Get("json") != "-"
}

func omitsEmpty(f reflect.StructField) bool {
	_, options, _ := strings.Cut(f.Tag.Get("json"), ",")
	return strings.Contains(options, "omitempty") || strings.Contains(options, "omitzero")
}

// filled returns the value to write in the place of v, and whether it differs.
func filled(v reflect.Value) (reflect.Value, bool) {
	t := v.Type()
	if encodesItself(t) {
		return v, false
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return v, false
		}
		elem, changed := filled(v.Elem())
		if !changed {
			return v, false
		}
		out := reflect.New(t.Elem())
		out.Elem().Set(elem)
		return out, true
	case reflect.Interface:
		if v.IsNil() {
			return v, false
		}
		return filled(v.Elem())
	case reflect.Slice:
		if v.IsNil() {
			if t.Elem().Kind() == reflect.Uint8 {
				return v, false
			}
			return reflect.MakeSlice(t, 0, 0), true
		}
		return filledSlice(v)
	case reflect.Map:
		if v.IsNil() {
			return reflect.MakeMap(t), true
		}
		return filledMap(v)
	case reflect.Struct:
		return filledStruct(v)
	}
	return v, false
}

func filledSlice(v reflect.Value) (reflect.Value, bool) {
	if !hasLists(v.Type().Elem()) {
		return v, false
	}
	var out reflect.Value
	for i := range v.Len() {
		elem, changed := filled(v.Index(i))
		if !changed {
			continue
		}
		if !out.IsValid() {
			out = reflect.MakeSlice(v.Type(), v.Len(), v.Len())
			reflect.Copy(out, v)
		}
		out.Index(i).Set(elem)
	}
	if !out.IsValid() {
		return v, false
	}
	return out, true
}

func filledMap(v reflect.Value) (reflect.Value, bool) {
	if !hasLists(v.Type().Elem()) {
		return v, false
	}
	out := reflect.MakeMapWithSize(v.Type(), v.Len())
	differs := false
	for _, key := range v.MapKeys() {
		elem, changed := filled(v.MapIndex(key))
		differs = differs || changed
		out.SetMapIndex(key, elem)
	}
	return out, differs
}

func filledStruct(v reflect.Value) (reflect.Value, bool) {
	t := v.Type()
	if !hasLists(t) {
		return v, false
	}
	var out reflect.Value
	for i := range t.NumField() {
		f := t.Field(i)
		if !isWritten(f) || !f.IsExported() || omitsEmpty(f) && v.Field(i).IsZero() {
			continue
		}
		field, changed := filled(v.Field(i))
		if !changed {
			continue
		}
		if !out.IsValid() {
			out = reflect.New(t).Elem()
			out.Set(v)
		}
		out.Field(i).Set(field)
	}
	if !out.IsValid() {
		return v, false
	}
	return out, true
}
