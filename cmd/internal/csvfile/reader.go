package csvfile

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// A BadLine is the error of one line. The next record starts after that line.
type BadLine struct{ Reason string }

// Error implements error.
func (b *BadLine) Error() string { return b.Reason }

func badLine(format string, args ...any) error { return &BadLine{fmt.Sprintf(format, args...)} }

// A Reader reads records of CSV (RFC 4180). Other than encoding/csv it keeps CR LF in cells, reads files whose lines
// end with CR, and loses only its own line to a quote that is not closed. encoding/csv would read the lines after such
// a quote as one cell.
type Reader struct {
	// Comma separates cells.
	Comma rune
	// LooksLikeRecord reports whether the cells of a line would be a record by themselves. Such a line inside of a cell
	// means that a quote is missing. nil: no line is one.
	LooksLikeRecord func(cells []string) bool

	lines     lines
	maxRecord int
	record    []byte // of the last Read
}

// NewReader returns a reader. A line of more than maxRecord bytes, and a record of several lines of more than that, is
// an error of that line.
func NewReader(in io.Reader, comma rune, maxRecord int) *Reader {
	return &Reader{
		Comma: comma, maxRecord: maxRecord,
		lines: lines{in: bufio.NewReaderSize(in, 64<<10), limit: maxRecord},
	}
}

// Read returns the cells of the next record and the number of its first line, from 1. A *BadLine concerns only that
// line. The error is io.EOF at the end.
func (r *Reader) Read() (cells []string, at int, err error) {
	r.lines.forget()
	first, err := r.lines.read()
	for err == nil && !first.long && len(bytes.Trim(first.text, "\r\n")) == 0 {
		first, err = r.lines.read()
	}
	if err != nil {
		return nil, 0, err
	}
	at = r.lines.number
	if first.long {
		return nil, at, badLine("the line is longer than %d MiB", r.maxRecord>>20)
	}
	r.record = append(r.record[:0], first.text...)
	open, more := openQuote(first.text), 0
	for open {
		next, err := r.lines.read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, 0, err
		}
		if more++; next.long || len(r.record)+len(next.text) > r.maxRecord {
			break
		}
		r.record = append(r.record, next.text...)
		open = !openQuote(next.text)
	}
	if open {
		err = badLine("the line is not valid CSV: a quote is not closed")
	} else if cells, err = r.split(r.record); err == nil && more > 0 {
		err = r.checkLinesIn(cells)
	}
	if err != nil {
		r.lines.back(more) // the lines after the first one are read again
		return nil, at, err
	}
	return cells, at, nil
}

// openQuote reports whether a line opens a quote and does not close it, or closes one that was open.
func openQuote(text []byte) bool { return bytes.Count(text, []byte{'"'})%2 != 0 }

// checkLinesIn returns an error if a cell contains a line that is a record by itself: the quote before it is then
// missing its end, and the cell would hold the data of other customers.
func (r *Reader) checkLinesIn(cells []string) error {
	if r.LooksLikeRecord == nil {
		return nil
	}
	for _, cell := range cells {
		inner := strings.FieldsFunc(cell, func(c rune) bool { return c == '\n' || c == '\r' })
		for i, text := range inner {
			if i == 0 {
				continue // the rest of the line that the cell starts in
			}
			if own, err := r.split([]byte(text)); err == nil && r.LooksLikeRecord(own) {
				return badLine("a quote is not closed: the cell would contain whole lines of the file")
			}
		}
	}
	return nil
}

// split returns the cells of a record.
func (r *Reader) split(record []byte) ([]string, error) {
	rest := strings.TrimSuffix(strings.TrimSuffix(string(record), "\n"), "\r")
	var cells []string
	for {
		var cell string
		if strings.HasPrefix(rest, `"`) {
			var b strings.Builder
			quoted := rest[1:]
			for {
				at := strings.IndexByte(quoted, '"')
				if at < 0 {
					return nil, badLine("the line is not valid CSV: a quote is not closed")
				}
				b.WriteString(quoted[:at])
				quoted = quoted[at+1:]
				if !strings.HasPrefix(quoted, `"`) {
					break
				}
				b.WriteByte('"')
				quoted = quoted[1:]
			}
			cell, rest = b.String(), quoted
			if c, _ := utf8.DecodeRuneInString(rest); rest != "" && c != r.Comma {
				return nil, badLine("the line is not valid CSV: text after the closing quote of cell %d", len(cells)+1)
			}
		} else {
			at := strings.IndexRune(rest, r.Comma)
			if at < 0 {
				at = len(rest)
			}
			cell, rest = rest[:at], rest[at:]
			if strings.IndexByte(cell, '"') >= 0 {
				return nil, badLine("the line is not valid CSV: a quote inside of cell %d, which does not start with one",
					len(cells)+1)
			}
		}
		cells = append(cells, cell)
		if rest == "" {
			return cells, nil
		}
		rest = rest[utf8.RuneLen(r.Comma):]
	}
}
