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

// Columns that identify the customer of a line.
const (
	columnCustomer = "customer_id"
	columnChannel  = "channel"
	columnExternal = "external_id"
)

// csvRows reads CSV with a header. A header with the columns name and value is a long file: one value per line, with
// the other members of a write as columns. Every other header is a wide file: one customer per line, one column per
// field.
type csvRows struct {
	in     csvRecords
	header []string
	long   bool
	json   []string // fields with JSON in their cells
	presets
}

func newCSVRows(in io.Reader, separator rune, p presets, jsonFields []string) (*csvRows, error) {
	buffered := bufio.NewReaderSize(in, 64<<10)
	if mark, err := buffered.Peek(3); err == nil && string(mark) == "\ufeff" {
		_, _ = buffered.Discard(len(mark)) // Peek has buffered it
	}
	c := &csvRows{in: csvRecords{in: buffered, comma: separator}, json: jsonFields, presets: p}
	header, _, err := c.in.next()
	if errors.Is(err, io.EOF) {
		return nil, vault.Invalid("header",
			"the file is empty; the first line must name the columns, such as customer_id,email")
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

// checkHeader checks the header before any line is read.
func (c *csvRows) checkHeader() error {
	for i, name := range c.header {
		switch {
		case slices.Contains(c.header[:i], name):
			return vault.Invalid("header", "the column %q appears twice; name each column once", name)
		case name == columnCustomer || name == columnChannel || name == columnExternal:
		case c.long && !slices.Contains(longColumns, name):
			return vault.Invalid("header", "the column %q is unknown; the columns of a value are %s",
				name, strings.Join(longColumns, ", "))
		case !c.long && (!vault.NamePattern.MatchString(name) || len(name) > vault.MaxNameLength):
			return vault.Invalid("header", "the column %q is not a valid field name "+separatorHint, name)
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
		err := vault.Invalid("", "the line has %d columns, but the header has %d", len(record), len(c.header))
		out.rejected = []reject{rejectOf(line, "", err)}
		return out, nil
	}
	if at := slices.IndexFunc(record, func(cell string) bool { return !utf8.ValidString(cell) }); at >= 0 {
		err := vault.Invalid("", "the column %s is not valid UTF-8; save the file as UTF-8", c.header[at])
		out.rejected = []reject{rejectOf(line, "", err)}
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
			continue // an empty cell is no value
		}
		c.add(into, vault.WriteValueInput{CustomerID: customer, Name: name, Value: c.value(name, record[i])})
	}
	return nil
}

// value returns a cell as JSON. The vault parses numbers, dates and other types from text.
func (c *csvRows) value(name, cell string) json.RawMessage {
	if slices.Contains(c.json, name) && json.Valid([]byte(cell)) {
		return json.RawMessage(cell)
	}
	return jsonText(cell)
}

// longColumns are the columns of a long file beside those of the customer, in the order of an export. They are the
// members of fileLine; a test compares them.
var longColumns = []string{
	"name", "value", "source", "verified", "verification_method", "verified_by", "confidence", "requires_confirmation",
	"collected_at", "expires_at", "source_session_id", "source_scenario_id", "source_step_id", "source_item_id",
	"source_item_type", "source_metadata", "agent_id", "item_id", "status", "accepted_at",
}

// jsonColumns are the columns of a long file with JSON in their cells. All others are text.
var jsonColumns = []string{"verified", "confidence", "requires_confirmation", "source_metadata"}

// longWrite decodes a line of a long file as if it were JSON, so that names and errors are those of JSON Lines.
func (c *csvRows) longWrite(record []string) (vault.WriteValueInput, error) {
	members := map[string]json.RawMessage{}
	for i, name := range c.header {
		text := strings.TrimSpace(record[i])
		switch {
		case text == "" || name == columnCustomer || name == columnChannel || name == columnExternal:
		case name == "value":
			members[name] = c.value(record[slices.Index(c.header, "name")], record[i])
		case slices.Contains(jsonColumns, name) && json.Valid([]byte(text)):
			members[name] = json.RawMessage(text)
		default:
			members[name] = jsonText(text)
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
