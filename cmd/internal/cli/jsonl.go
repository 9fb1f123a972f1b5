package cli

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"github.com/google/uuid"

	"github.com/contextvault/contextvault/rules"
	"github.com/contextvault/contextvault/rules/format"
	"github.com/contextvault/contextvault/vault"
)

// maxLine is the maximum size of a line in bytes: a value and its metadata of 64 KiB each, with every character
// escaped.
const maxLine = 1 << 20

// jsonRows reads JSON Lines, one value per line.
type jsonRows struct {
	in   *bufio.Reader
	line int
	presets
}

func newJSONRows(in io.Reader, p presets) (*jsonRows, error) {
	text, err := textOf(in)
	if err != nil {
		return nil, err
	}
	return &jsonRows{in: bufio.NewReaderSize(text, 64<<10), presets: p}, nil
}

func (j *jsonRows) next() (row, error) {
	for {
		text, long, err := readLine(j.in, maxLine)
		if err != nil {
			return row{}, err
		}
		j.line++
		out := row{line: j.line}
		if long {
			out.rejected = []reject{rejectOf(j.line, "", vault.Invalid("", "the line is longer than 1 MiB"))}
			return out, nil
		}
		if text = bytes.TrimSpace(bytes.TrimPrefix(text, []byte("\ufeff"))); len(text) == 0 {
			continue
		}
		if err := j.decode(&out, text); err != nil {
			out.rejected = append(out.rejected, rejectOf(j.line, "", err))
		}
		return out, nil
	}
}

// readLine returns the next line with its line break. A line of more than limit bytes is skipped and reported as long.
func readLine(in *bufio.Reader, limit int) (text []byte, long bool, err error) {
	for {
		part, err := in.ReadSlice('\n')
		if !long {
			text = append(text, part...)
		}
		if len(text) > limit {
			text, long = nil, true
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && (len(text) > 0 || long):
			return text, long, nil
		default:
			return text, long, err
		}
	}
}

func (j *jsonRows) decode(into *row, text []byte) error {
	var in fileLine
	if err := rules.DecodeStrict(text, &in); err != nil {
		return err
	}
	customer := ""
	if in.CustomerID != uuid.Nil {
		customer = in.CustomerID.String()
	}
	if _, err := identify(into, customer, identity{in.Channel, in.ExternalID}); err != nil {
		return err
	}
	if text, ok := jsonTextOf(in.Value); ok && format.IsBlank(text) && in.Status == "" {
		return nil // a blank text says nothing; an export, which has a status, keeps what was stored
	}
	j.add(into, in.WriteValueInput)
	return nil
}

// jsonTextOf returns the text of a JSON string.
func jsonTextOf(raw json.RawMessage) (string, bool) {
	var text *string
	if json.Unmarshal(raw, &text) != nil || text == nil {
		return "", false
	}
	return *text, true
}
