package cli

import (
	"iter"
	"maps"
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

// members yields the fields of a struct with their JSON names, embedded structs included.
func members(t reflect.Type) iter.Seq2[string, reflect.StructField] {
	return func(yield func(string, reflect.StructField) bool) {
		for _, f := range reflect.VisibleFields(t) {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if !f.Anonymous && !yield(name, f) {
				return
			}
		}
	}
}

// columnsOf lists the members of a line as columns. A new member of a write is a new column of imports and exports.
func columnsOf(t reflect.Type) []column {
	var out []column
	for name, f := range members(t) {
		if isCustomerColumn(name) {
			continue
		}
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
	return out
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
	source, target := reflect.ValueOf(from), reflect.ValueOf(to).Elem()
	values := maps.Collect(members(source.Type()))
	for name, f := range members(target.Type()) {
		held, ok := values[name]
		if !ok {
			continue
		}
		switch value := source.FieldByIndex(held.Index); {
		case held.Type == f.Type:
			target.FieldByIndex(f.Index).Set(value)
		case f.Type == reflect.PointerTo(held.Type):
			pointer := reflect.New(held.Type)
			pointer.Elem().Set(value)
			target.FieldByIndex(f.Index).Set(pointer)
		}
	}
}
