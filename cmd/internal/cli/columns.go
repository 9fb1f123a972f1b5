package cli

import (
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/vault"
)

// Columns that identify the customer of a line.
const (
	columnCustomer = "customer_id"
	columnChannel  = "channel"
	columnExternal = "external_id"
)

func isCustomerColumn(name string) bool {
	return name == columnCustomer || name == columnChannel || name == columnExternal
}

// columnValueType says whether the cell of a value is text or JSON.
const (
	columnValueType = "value_type"
	cellText        = "text"
	cellJSON        = "json"
)

// column is a column of a long file.
type column struct {
	name string
	json bool // its cells are JSON; others are text
}

// columnsOf lists the members of a line as columns, embedded structs included. A new member of a write is a new column
// of imports and exports.
func columnsOf(t reflect.Type) []column {
	var out []column
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			out = append(out, columnsOf(f.Type)...)
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		member := f.Type
		if member.Kind() == reflect.Pointer {
			member = member.Elem()
		}
		text := member.Kind() == reflect.String || member == reflect.TypeFor[uuid.UUID]() ||
			member == reflect.TypeFor[time.Time]()
		if out = append(out, column{name, !text}); name == "value" {
			out = append(out, column{columnValueType, false})
		}
	}
	return slices.DeleteFunc(out, func(c column) bool { return isCustomerColumn(c.name) })
}

var allColumns = sync.OnceValue(func() []column { return columnsOf(reflect.TypeFor[fileLine]()) })

// longColumns lists the columns of a long file beside those of the customer.
func longColumns() []string {
	var names []string
	for _, c := range allColumns() {
		names = append(names, c.name)
	}
	return names
}

// isJSONColumn reports whether the cells of a column are JSON. The value is not: value_type decides.
func isJSONColumn(name string) bool {
	return name != "value" && slices.Contains(allColumns(), column{name, true})
}

// exportColumns lists the columns of an export. The vault does not store the agent of a value.
func exportColumns(ids bool) []string {
	return append([]string{columnCustomer}, slices.DeleteFunc(longColumns(), func(name string) bool {
		return name == "agent_id" || name == "item_id" && !ids
	})...)
}

// copyMembers copies the members of a value to the members of a write that have the same JSON name and type, or a
// pointer to it.
func copyMembers(from vault.Value, to *vault.WriteValueInput) {
	values := map[string]reflect.Value{}
	collect(reflect.ValueOf(from), values)
	members := map[string]reflect.Value{}
	collect(reflect.ValueOf(to).Elem(), members)
	for name, member := range members {
		value, ok := values[name]
		switch {
		case !ok:
		case value.Type() == member.Type():
			member.Set(value)
		case member.Kind() == reflect.Pointer && member.Type().Elem() == value.Type():
			pointer := reflect.New(value.Type())
			pointer.Elem().Set(value)
			member.Set(pointer)
		}
	}
}

func collect(v reflect.Value, into map[string]reflect.Value) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.Anonymous {
			collect(v.Field(i), into)
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		into[name] = v.Field(i)
	}
}
