package cli

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"io"

	"github.com/contextvault/contextvault/vault"
)

// maxRecord bounds one record of CSV, which may span lines: as much as a batch.
const maxRecord = maxBatchBytes

// csvRecords reads records of CSV. Which lines belong to one is decided here, by the quotes in them: csv.Reader by itself takes
// all that is behind a quote that nobody closes for one cell, however much it is, and the good lines in it are lost.
type csvRecords struct {
	in    *bufio.Reader
	comma rune
	line  int         // how many lines were read
	again []csvLine   // those that turned out to be no part of the record before them
	feed  *csv.Reader // over text; nil: after an error it is made anew
	text  bytes.Reader
}

type csvLine struct {
	text []byte
	long bool // it is longer than a record may be, and text is not all of it
}

// next gives the cells of the next record, good until the next call, and the line that it begins in. What is no CSV is a
// *vault.Error: it is about that line alone, and the next record begins behind it.
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
		err = vault.Invalid("", "the line is no CSV: a quote opens in it that is not closed")
	default:
		cells, err = r.parse(record)
	}
	if err != nil {
		r.line, r.again = r.line-len(more), append(more, r.again...)
	}
	return cells, at, err
}

func openQuote(text []byte) bool { return bytes.Count(text, []byte{'"'})%2 != 0 }

// parse reads the cells of one record.
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
		return nil, vault.Invalid("", "the line is no CSV: %s, at column %d", bad.Err, bad.Column)
	}
	return nil, err
}

// read gives the next line.
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
