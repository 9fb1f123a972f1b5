package cli

import (
	"errors"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/cmd/internal/csvfile"
	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/vault"
)

// row is one line of an import: the valid writes of one customer, and the rejected values.
type row struct {
	line     int // from 1; the first line of a record that spans several
	identity identity
	writes   []vault.WriteValueInput // without a customer if identity is set
	rejected []reject
}

// identity is the channel identity of a customer. Zero: none.
type identity struct{ channel, externalID string }

// reject is the reason why a line, or a value of it, was not written, or was written with a warning. It contains no
// value.
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

// rows reads a file line by line. next returns io.EOF at the end. The errors of one line are in its row.
type rows interface{ next() (row, error) }

// fileFormat is the format of an import or export.
type fileFormat string

const (
	formatCSV   fileFormat = "csv"
	formatJSONL fileFormat = "jsonl"
)

var fileFormats = []fileFormat{formatCSV, formatJSONL}

// formatOf returns the named format, or the format of the file extension.
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
		return "", vault.Invalid("format", "the file extension is unknown; set --format to %s", vault.OneOf(fileFormats))
	}
}

// presets are the defaults of a line.
type presets struct {
	agent  uuid.UUID // Nil: every line must have one
	source vault.ValueSource
}

// exported are the members that `vault export` adds to a write. An import ignores them.
type exported struct {
	Status     vault.ItemStatus `json:"status,omitempty"`
	AcceptedAt *time.Time       `json:"accepted_at,omitempty"`
}

// fileLine is one line of JSON Lines: a write for a customer or a channel identity.
type fileLine struct {
	vault.WriteValueInput
	Channel    string `json:"channel,omitempty"`
	ExternalID string `json:"external_id,omitempty"`
	exported
}

// add adds a write to a row, or its rejection if it is invalid.
func (p presets) add(into *row, w vault.WriteValueInput) {
	if w.AgentID == uuid.Nil {
		w.AgentID = p.agent
	}
	if w.Source == "" {
		w.Source = p.source
	}
	checked := w
	if into.identity != (identity{}) {
		checked.CustomerID = uuid.Max // not known yet
	}
	if w.AgentID == uuid.Nil {
		err := vault.Invalid("agent_id", "is required: in the line, or with --agent")
		into.rejected = append(into.rejected, rejectOf(into.line, w.Name, err))
		return
	}
	if err := rules.Check(checked); err != nil {
		into.rejected = append(into.rejected, rejectOf(into.line, w.Name, err))
		return
	}
	into.writes = append(into.writes, w)
}

// identify returns the customer of a row, or sets its channel identity.
func identify(into *row, customer string, who identity) (uuid.UUID, error) {
	switch {
	case customer != "" && who != (identity{}):
		return uuid.Nil, vault.Invalid("customer_id", "the line has a customer and a channel identity; give only one of them")
	case customer != "":
		id, err := uuid.Parse(customer)
		if err != nil || id == uuid.Nil {
			return uuid.Nil, vault.Invalid("customer_id", "is not a UUID, such as "+exampleID)
		}
		return id, nil
	case who.channel == "" || who.externalID == "":
		return uuid.Nil, vault.Invalid("customer_id", "is required, or both channel and external_id")
	}
	if err := rules.Check(vault.OpenCustomerInput{Channel: who.channel, ExternalID: who.externalID}); err != nil {
		return uuid.Nil, err
	}
	into.identity = who
	return uuid.Nil, nil
}

// textOf returns the text of a file as UTF-8.
func textOf(in io.Reader) (io.Reader, error) {
	text, err := csvfile.Decode(in)
	if errors.Is(err, csvfile.ErrUTF16) || errors.Is(err, csvfile.ErrSheet) {
		return nil, vault.Invalid("file", "%s", err)
	}
	return text, err
}

// openRows returns the rows of a file.
func openRows(format fileFormat, in io.Reader, p presets, o csvOptions) (rows, error) {
	if format == formatCSV {
		return newCSVRows(in, p, o)
	}
	return newJSONRows(in, p)
}

// onlyLines skips the lines that are not listed.
type onlyLines struct {
	rows
	lines map[int]bool
}

func (s onlyLines) next() (row, error) {
	for {
		r, err := s.rows.next()
		if err != nil || s.lines[r.line] {
			return r, err
		}
	}
}
