package cli

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"io"

	"github.com/contextvault/contextvault/vault"
)

// maxRecord is the maximum size of a CSV record in bytes. A record can span several lines.
const maxRecord = maxBatchBytes

// csvRecords reads records of CSV. It counts quotes to find the lines of a record. csv.Reader would read everything
// after an unclosed quote as one cell and lose the valid lines in it.
type csvRecords struct {
	in    *bufio.Reader
	comma rune
	line  int         // number of lines read
	again []csvLine   // lines to read again after an invalid record
	feed  *csv.Reader // reads text; nil: create it, also after an error
	text  bytes.Reader
}

type csvLine struct {
	text []byte
	long bool // longer than maxRecord; text is incomplete
}

// next returns the cells of the next record and its first line. The cells are valid until the next call. A *vault.Error
// concerns only that line; the next record starts after it.
func (r *csvRecords) next() (cells []string, at int, err error) {
	first, err := r.read()
	for err == nil && !first.long && len(bytes.Trim(first.text, "\r\n")) == 0 {
		first, err = r.read()
	}
	if err != nil {
		return nil, 0, err
	}
	at = r.line
	record, open, long := first.text, openQuote(first.text), first.long
	var more []csvLine
	for open && !long {
		next, err := r.read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, 0, err
		}
		more, record = append(more, next), append(record, next.text...)
		open, long = open != openQuote(next.text), next.long || len(record) > maxRecord
	}
	switch {
	case first.long:
		err = vault.Invalid("", "the line is longer than %d MiB", maxRecord>>20)
	case open || long:
		err = vault.Invalid("", "the line is not valid CSV: a quote is not closed")
	default:
		cells, err = r.parse(record)
	}
	if err != nil {
		r.line, r.again = r.line-len(more), append(more, r.again...)
	}
	return cells, at, err
}

func openQuote(text []byte) bool { return bytes.Count(text, []byte{'"'})%2 != 0 }

// parse returns the cells of one record.
func (r *csvRecords) parse(record []byte) ([]string, error) {
	r.text.Reset(record)
	if r.feed == nil {
		r.feed = csv.NewReader(&r.text)
		r.feed.Comma, r.feed.FieldsPerRecord, r.feed.ReuseRecord = r.comma, -1, true
	}
	cells, err := r.feed.Read()
	if err == nil {
		return cells, nil
	}
	r.feed = nil
	if bad, ok := errors.AsType[*csv.ParseError](err); ok {
		return nil, vault.Invalid("", "the line is not valid CSV: %s, at column %d", bad.Err, bad.Column)
	}
	return nil, err
}

// read returns the next line.
func (r *csvRecords) read() (csvLine, error) {
	if len(r.again) > 0 {
		next := r.again[0]
		r.line, r.again = r.line+1, r.again[1:]
		return next, nil
	}
	text, long, err := readLine(r.in, maxRecord)
	if err != nil {
		return csvLine{}, err
	}
	r.line++
	return csvLine{text, long}, nil
}
