package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/cmd/internal/csvfile"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/rules/format"
	"github.com/contextvault/contextvault/vault"
)

// maxRecord is the maximum size of a CSV record in bytes. A record can span several lines.
const maxRecord = maxBatchBytes

// csvOptions are how to read a CSV file.
type csvOptions struct {
	separator rune
	names     map[string]string // new names of columns (--map)
	strict    bool              // an unknown column is an error (--strict-columns)
	// known lists the definitions of the agent, nil if they are unknown: then no column is.
	known []vault.Definition
	// warn reports a problem with the header.
	warn func(text string)
}

// csvRows reads CSV with a header. A header with the columns name and value is a long file: one value per line, with
// the other members of a write as columns. Every other header is a wide file: one customer per line, one column per
// field.
type csvRows struct {
	in     *csvfile.Reader
	header []string
	long   bool
	json   map[string]bool // fields with JSON in their cells
	presets
}

func newCSVRows(in io.Reader, p presets, o csvOptions) (*csvRows, error) {
	text, err := textOf(in)
	if err != nil {
		return nil, err
	}
	c := &csvRows{in: csvfile.NewReader(text, o.separator, maxRecord), json: map[string]bool{}, presets: p}
	for _, d := range o.known {
		c.json[d.Name] = d.ValueType == vault.TypeJSON
	}
	header, _, err := c.in.Read()
	if separator, ok := csvfile.Separator(header, o.separator); err == nil && ok {
		c.in.Comma = separator
		header, _, err = c.in.Read()
	}
	if errors.Is(err, io.EOF) {
		return nil, vault.Invalid("header",
			"the file is empty; the first line must name the columns, such as customer_id,email")
	}
	if bad, ok := errors.AsType[*csvfile.BadLine](err); ok {
		return nil, vault.Invalid("header", "%s", bad.Reason)
	}
	if err != nil {
		return nil, fmt.Errorf("read the header: %w", err)
	}
	if err := c.setHeader(header, o); err != nil {
		return nil, err
	}
	if !slices.Equal(c.header, exportColumns(false)) && !slices.Equal(c.header, exportColumns(true)) {
		c.in.LooksLikeRecord = c.looksLikeRecord // an export is made by a program, so its quotes are right
	}
	return c, nil
}

// setHeader names the columns, and checks them before any line is read.
func (c *csvRows) setHeader(cells []string, o csvOptions) error {
	used := map[string]bool{}
	for len(cells) > 1 && format.IsBlank(cells[len(cells)-1]) {
		cells = cells[:len(cells)-1] // a spreadsheet pads its lines
	}
	for _, cell := range cells {
		if !utf8.ValidString(cell) {
			return vault.Invalid("header", "the header is not valid UTF-8 (the file may be Latin-1); save it as UTF-8")
		}
		name := strings.TrimSpace(cell)
		if renamed, ok := o.names[name]; ok {
			used[name], name = true, renamed
		}
		c.header = append(c.header, name)
	}
	for name := range o.names {
		if !used[name] {
			return vault.Invalid("map", "the file has no column %q; its columns are %s", name, strings.Join(cells, ", "))
		}
	}
	c.long = slices.Contains(c.header, "name") && slices.Contains(c.header, "value")
	return c.checkHeader(o)
}

func (c *csvRows) checkHeader(o csvOptions) error {
	var fields []string
	for _, d := range o.known {
		fields = append(fields, d.Name)
	}
	for i, name := range c.header {
		switch {
		case slices.Contains(c.header[:i], name):
			return vault.Invalid("header", "the column %q appears twice; name each column once", name)
		case isCustomerColumn(name):
		case c.long && !slices.Contains(longColumns(), name):
			return vault.Invalid("header", "the column %q is unknown%s; the columns of a value are %s",
				name, didYouMean(name, longColumns()), strings.Join(longColumns(), ", "))
		case c.long:
		case !vault.NamePattern.MatchString(name) || len(name) > vault.MaxNameLength:
			return vault.Invalid("header", "the column %q is not a valid field name%s; name its field with --map %q %s",
				name, didYouMean(name, fields), name+"=first_name", separatorHint)
		case o.known != nil && !slices.Contains(fields, name):
			problem := fmt.Sprintf("the column %q is not a field of this agent%s", name, didYouMean(name, fields))
			if o.strict {
				return vault.Invalid("header", "%s", problem)
			}
			o.warn(problem)
		}
	}
	if c.agent == uuid.Nil && !slices.Contains(c.header, "agent_id") {
		return vault.Invalid("agent", "is required: set --agent, or add the column agent_id")
	}
	byChannel := slices.Contains(c.header, columnChannel) && slices.Contains(c.header, columnExternal)
	if !slices.Contains(c.header, columnCustomer) && !byChannel {
		return vault.Invalid("header", "needs the column customer_id, or channel and external_id "+separatorHint)
	}
	return nil
}

const separatorHint = "(if the separator is not a comma, set --separator)"

func didYouMean(name string, known []string) string {
	if closest := csvfile.Closest(name, known); closest != "" {
		return fmt.Sprintf(": did you mean %s?", closest)
	}
	return ""
}

// looksLikeRecord reports whether the cells of a line would be a record of this file.
func (c *csvRows) looksLikeRecord(cells []string) bool {
	return len(cells) > 1 && len(cells) == len(c.header)
}

func (c *csvRows) next() (row, error) {
	record, line, err := c.in.Read()
	if bad, ok := errors.AsType[*csvfile.BadLine](err); ok {
		return row{line: line, rejected: []reject{rejectOf(line, "", vault.Invalid("", "%s", bad.Reason))}}, nil
	}
	if err != nil {
		return row{}, err
	}
	out := row{line: line}
	if err := c.fit(&record); err != nil {
		out.rejected = []reject{rejectOf(line, "", err)}
		return out, nil
	}
	if err := c.decode(&out, record); err != nil {
		out.rejected = append(out.rejected, rejectOf(line, "", err))
	}
	return out, nil
}

// fit gives a record the width of the header: spreadsheets leave empty cells at its end off, or add some.
func (c *csvRows) fit(record *[]string) error {
	for i, cell := range *record {
		switch {
		case i >= len(c.header) && !format.IsBlank(cell):
			return vault.Invalid("", "the line has %d columns, but the header has %d", len(*record), len(c.header))
		case i < len(c.header) && !utf8.ValidString(cell):
			return vault.Invalid("", "the column %s is not valid UTF-8 (the file may be Latin-1); save the file as UTF-8",
				c.header[i])
		}
	}
	for len(*record) < len(c.header) {
		*record = append(*record, "")
	}
	*record = (*record)[:len(c.header)]
	return nil
}

func (c *csvRows) decode(into *row, record []string) error {
	cell := func(column string) string {
		if at := slices.Index(c.header, column); at >= 0 && !format.IsBlank(record[at]) {
			return strings.TrimSpace(record[at])
		}
		return ""
	}
	customer, err := identify(into, cell(columnCustomer), identity{cell(columnChannel), cell(columnExternal)})
	if err != nil {
		return err
	}
	if c.long {
		w, err := c.longWrite(record)
		if err != nil {
			return err
		}
		if w.Value == nil {
			return nil // a blank cell says nothing
		}
		w.CustomerID = customer
		c.add(into, w)
		return nil
	}
	for i, name := range c.header {
		if isCustomerColumn(name) || format.IsBlank(record[i]) {
			continue // a blank cell says nothing
		}
		value, err := c.value(name, record[i])
		if err != nil {
			into.rejected = append(into.rejected, rejectOf(into.line, name, err))
			continue
		}
		c.add(into, vault.WriteValueInput{CustomerID: customer, Name: name, Value: value})
	}
	return nil
}

// value returns a cell as JSON. The vault parses numbers, dates and other types from text.
func (c *csvRows) value(name, cell string) (json.RawMessage, error) {
	if !c.json[name] {
		return jsonText(cell), nil
	}
	if !json.Valid([]byte(cell)) {
		return nil, vault.Invalid(name, "%s: the cell is not valid JSON, which this field needs; text needs quotes", name)
	}
	return json.RawMessage(cell), nil
}

// longWrite decodes a line of a long file as if it were JSON, so that names and errors are those of JSON Lines.
func (c *csvRows) longWrite(record []string) (vault.WriteValueInput, error) {
	members, cells := map[string]json.RawMessage{}, map[string]string{}
	for i, name := range c.header {
		cells[name] = record[i]
	}
	for name, cell := range cells {
		switch {
		case isCustomerColumn(name) || name == columnValueType:
		case name == "value":
			value, err := c.longValue(cells)
			if err != nil {
				return vault.WriteValueInput{}, err
			}
			if value != nil {
				members[name] = value
			}
		case format.IsBlank(cell):
		case isJSONColumn(name) && json.Valid([]byte(strings.TrimSpace(cell))):
			members[name] = json.RawMessage(strings.TrimSpace(cell))
		default:
			members[name] = jsonText(strings.TrimSpace(cell))
		}
	}
	encoded, err := json.Marshal(members)
	if err != nil {
		return vault.WriteValueInput{}, vault.Invalid("", "the line cannot be decoded") // the cause could quote a value
	}
	var out fileLine
	err = rules.DecodeStrict(encoded, &out)
	return out.WriteValueInput, err
}

// longValue returns the value of a line of a long file, nil for none. The column value_type, which an export writes,
// says whether the cell is text or JSON; without it the definition does.
func (c *csvRows) longValue(cells map[string]string) (json.RawMessage, error) {
	cell := cells["value"]
	switch kind := strings.TrimSpace(cells[columnValueType]); {
	case kind == cellText:
		return jsonText(cell), nil
	case kind == cellJSON && json.Valid([]byte(cell)):
		return json.RawMessage(cell), nil
	case kind == cellJSON:
		return nil, vault.Invalid("value", "value: the cell is not valid JSON, but value_type is %s", cellJSON)
	case !format.IsBlank(kind):
		return nil, vault.Invalid(columnValueType, "value_type must be %s or %s", cellText, cellJSON)
	case format.IsBlank(cell):
		return nil, nil
	default:
		return c.value(strings.TrimSpace(cells["name"]), cell)
	}
}
