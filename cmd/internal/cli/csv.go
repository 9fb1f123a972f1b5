package cli

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

// Columns that say whose values a line has.
const (
	columnCustomer = "customer_id"
	columnChannel  = "channel"
	columnExternal = "external_id"
)

// csvRows reads CSV with a header. A file whose header has name and value is long, one value a line, with the other columns of a
// write; else it is wide, one customer a line, and every other column is a field.
type csvRows struct {
	in     csvRecords
	header []string
	long   bool
	json   []string // fields whose cells are JSON
	presets
}

func newCSVRows(in io.Reader, separator rune, p presets, jsonFields []string) (*csvRows, error) {
	buffered := bufio.NewReaderSize(in, 64<<10)
	if mark, err := buffered.Peek(3); err == nil && string(mark) == "\ufeff" {
		_, _ = buffered.Discard(len(mark)) // it is in the buffer
	}
	c := &csvRows{in: csvRecords{in: buffered, comma: separator}, json: jsonFields, presets: p}
	header, _, err := c.in.next()
	if errors.Is(err, io.EOF) {
		return nil, vault.Invalid("header", "the file is empty; its first line names the columns, such as customer_id,email")
	}
	if bad, ok := errors.AsType[*vault.Error](err); ok {
		return nil, vault.Invalid("header", "%s", bad.Message)
	}
	if err != nil {
		return nil, fmt.Errorf("read the header: %w", err)
	}
	for _, name := range header {
		c.header = append(c.header, strings.TrimSpace(name))
	}
	c.long = slices.Contains(c.header, "name") && slices.Contains(c.header, "value")
	return c, c.checkHeader()
}

// checkHeader refuses a header that no line could be right under.
func (c *csvRows) checkHeader() error {
	for i, name := range c.header {
		switch {
		case slices.Contains(c.header[:i], name):
			return vault.Invalid("header", "the column %q is there twice", name)
		case name == columnCustomer || name == columnChannel || name == columnExternal:
		case c.long && !slices.Contains(longColumns, name):
			return vault.Invalid("header", "the column %q is none of a value's; there are %s", name, strings.Join(longColumns, ", "))
		case !c.long && (!vault.NamePattern.MatchString(name) || len(name) > vault.MaxNameLength):
			return vault.Invalid("header", "the column %q is no name of a field (a file with other separators than commas needs --separator)", name)
		}
	}
	if c.agent == uuid.Nil && !slices.Contains(c.header, "agent_id") {
		return vault.Invalid("agent", "is required: --agent names the agent whose definitions apply")
	}
	if !slices.Contains(c.header, columnCustomer) && !(slices.Contains(c.header, columnChannel) && slices.Contains(c.header, columnExternal)) {
		return vault.Invalid("header", "has no column customer_id, nor channel and external_id (a file with other separators than commas needs --separator)")
	}
	return nil
}

func (c *csvRows) next() (row, error) {
	record, line, err := c.in.next()
	if bad, ok := errors.AsType[*vault.Error](err); ok {
		return row{line: line, rejected: []reject{rejectOf(line, "", bad)}}, nil
	}
	if err != nil {
		return row{}, err
	}
	out := row{line: line}
	if len(record) != len(c.header) {
		out.rejected = []reject{rejectOf(line, "", vault.Invalid("", "has %d columns, and the header %d", len(record), len(c.header)))}
		return out, nil
	}
	if at := slices.IndexFunc(record, func(cell string) bool { return !utf8.ValidString(cell) }); at >= 0 {
		out.rejected = []reject{rejectOf(line, "", vault.Invalid("", "the column %s is not valid UTF-8; save the file as UTF-8", c.header[at]))}
		return out, nil
	}
	if err := c.decode(&out, record); err != nil {
		out.rejected = append(out.rejected, rejectOf(line, "", err))
	}
	return out, nil
}

func (c *csvRows) decode(into *row, record []string) error {
	cell := func(column string) string {
		if at := slices.Index(c.header, column); at >= 0 {
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
		w.CustomerID = customer
		c.add(into, w)
		return nil
	}
	for i, name := range c.header {
		if name == columnCustomer || name == columnChannel || name == columnExternal || record[i] == "" {
			continue // an empty cell says nothing
		}
		c.add(into, vault.WriteValueInput{CustomerID: customer, Name: name, Value: c.value(name, record[i])})
	}
	return nil
}

// value is what a cell says. The vault reads numbers, dates and the like from text.
func (c *csvRows) value(name, cell string) json.RawMessage {
	if slices.Contains(c.json, name) && json.Valid([]byte(cell)) {
		return json.RawMessage(cell)
	}
	return jsonText(cell)
}

// longColumns are the columns of a long file, in the order in which an export writes them, beside those of the customer.
var longColumns = []string{
	"name", "value", "source", "verified", "verification_method", "verified_by", "confidence", "requires_confirmation", "collected_at",
	"expires_at", "source_session_id", "source_scenario_id", "source_step_id", "source_item_id", "source_item_type", "source_metadata",
	"agent_id", "item_id", "status", "accepted_at",
}

// longWrite makes a write of a line of a long file, as if it were JSON: the same names, and the same errors.
func (c *csvRows) longWrite(record []string) (vault.WriteValueInput, error) {
	members := map[string]json.RawMessage{}
	for i, name := range c.header {
		text := strings.TrimSpace(record[i])
		switch {
		case text == "" || name == columnCustomer || name == columnChannel || name == columnExternal:
		case name == "value":
			members[name] = c.value(record[slices.Index(c.header, "name")], record[i])
		case slices.Contains([]string{"verified", "confidence", "requires_confirmation", "source_metadata"}, name) && json.Valid([]byte(text)):
			members[name] = json.RawMessage(text)
		default:
			members[name] = jsonText(text)
		}
	}
	encoded, err := json.Marshal(members)
	if err != nil {
		return vault.WriteValueInput{}, vault.Invalid("", "the line cannot be read") // the cause could quote a value
	}
	var out fileLine
	err = rules.DecodeStrict(encoded, &out)
	return out.WriteValueInput, err
}
