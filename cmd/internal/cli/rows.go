package cli

import (
	"errors"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

// row is one line of an import: the values of one customer, and what is wrong with those that are not among them.
type row struct {
	line     int // from 1; of a record that spans several, the first
	identity identity
	writes   []vault.WriteValueInput // without the customer, where identity names it
	rejected []reject
}

// identity is a customer by a channel identity. The zero identity names nobody.
type identity struct{ channel, externalID string }

// reject is why a line, or a value of it, was not written. It holds no value.
type reject struct {
	Line   int        `json:"line"`
	Field  string     `json:"field,omitempty"`
	Code   vault.Code `json:"code"`
	Reason string     `json:"reason"`
}

func rejectOf(line int, field string, err error) reject {
	out := reject{Line: line, Field: field, Code: vault.CodeInvalid, Reason: err.Error()}
	if e, ok := errors.AsType[*vault.Error](err); ok {
		out.Code = e.Code
		if out.Field == "" {
			out.Field = e.Field
		}
	}
	return out
}

// rows reads a file line by line. next gives io.EOF at its end; what is wrong with one line is in its row.
type rows interface{ next() (row, error) }

// fileFormat is how the rows of a file are written.
type fileFormat string

const (
	formatCSV   fileFormat = "csv"
	formatJSONL fileFormat = "jsonl"
)

var fileFormats = []fileFormat{formatCSV, formatJSONL}

// formatOf is the format that was named, else that of the file's name.
func formatOf(named fileFormat, file string) (fileFormat, error) {
	if named != "" {
		return named, nil
	}
	switch strings.ToLower(filepath.Ext(file)) {
	case ".csv":
		return formatCSV, nil
	case ".jsonl", ".ndjson":
		return formatJSONL, nil
	default:
		return "", vault.Invalid("format", "the name of the file does not say what it is; give --format %s", vault.OneOf(fileFormats))
	}
}

// presets are what a line need not say.
type presets struct {
	agent  uuid.UUID // Nil: every line names it
	source vault.ValueSource
}

// exported is what `vault export` says of a value beyond what can be written. An import passes over it.
type exported struct {
	Status     vault.ItemStatus `json:"status,omitempty"`
	AcceptedAt *time.Time       `json:"accepted_at,omitempty"`
}

// fileLine is one value in JSON Lines: a write of the API, for a customer or a channel identity.
type fileLine struct {
	vault.WriteValueInput
	Channel    string `json:"channel,omitempty"`
	ExternalID string `json:"external_id,omitempty"`
	exported
}

// add puts a value into a row, once it is known to be sound by itself.
func (p presets) add(into *row, w vault.WriteValueInput) {
	if w.AgentID == uuid.Nil {
		w.AgentID = p.agent
	}
	if w.Source == "" {
		w.Source = p.source
	}
	checked := w
	if into.identity != (identity{}) {
		checked.CustomerID = uuid.Max // whoever it is
	}
	if w.AgentID == uuid.Nil {
		into.rejected = append(into.rejected, rejectOf(into.line, w.Name, vault.Invalid("agent_id", "is required: in the line, or by --agent")))
		return
	}
	if err := rules.Check(checked); err != nil {
		into.rejected = append(into.rejected, rejectOf(into.line, w.Name, err))
		return
	}
	into.writes = append(into.writes, w)
}

// identify says whose values a row has, by an id or a channel identity.
func identify(into *row, customer string, who identity) (uuid.UUID, error) {
	switch {
	case customer != "" && who != (identity{}):
		return uuid.Nil, vault.Invalid("customer_id", "the line names a customer and a channel identity; it needs one of them")
	case customer != "":
		id, err := uuid.Parse(customer)
		if err != nil || id == uuid.Nil {
			return uuid.Nil, vault.Invalid("customer_id", "is not a UUID, such as 0198c5f2-8a4b-7cde-9f01-23456789abcd")
		}
		return id, nil
	case who.channel == "" || who.externalID == "":
		return uuid.Nil, vault.Invalid("customer_id", "is required, or channel and external_id")
	}
	if err := rules.Check(vault.OpenCustomerInput{Channel: who.channel, ExternalID: who.externalID}); err != nil {
		return uuid.Nil, err
	}
	into.identity = who
	return uuid.Nil, nil
}

// openRows reads a file of a format. jsonFields are the fields whose cells are JSON.
func openRows(format fileFormat, in io.Reader, separator rune, p presets, jsonFields []string) (rows, error) {
	if format == formatCSV {
		return newCSVRows(in, separator, p, jsonFields)
	}
	return newJSONRows(in, p), nil
}

// some passes on only the lines that are listed.
type some struct {
	rows
	lines map[int]bool
}

func (s some) next() (row, error) {
	for {
		r, err := s.rows.next()
		if err != nil || s.lines[r.line] {
			return r, err
		}
	}
}
