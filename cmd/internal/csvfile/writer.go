package csvfile

import (
	"encoding/csv"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"
)

// A Writer writes records of CSV.
type Writer struct {
	csv         *csv.Writer
	spreadsheet bool
}

// NewWriter returns a writer of exact CSV. For spreadsheets it starts with a byte order mark, so that they read UTF-8,
// and puts an apostrophe before cells that they would run as formulas: such a file is for people, not for an import.
func NewWriter(out io.Writer, spreadsheet bool) (*Writer, error) {
	if spreadsheet {
		if _, err := io.WriteString(out, "\ufeff"); err != nil {
			return nil, err
		}
	}
	return &Writer{csv.NewWriter(out), spreadsheet}, nil
}

// Write writes a record.
func (w *Writer) Write(cells []string) error {
	if w.spreadsheet {
		safe := make([]string, len(cells))
		for i, cell := range cells {
			safe[i] = neutralise(cell)
		}
		cells = safe
	}
	return w.csv.Write(cells)
}

// Flush writes what is buffered.
func (w *Writer) Flush() error {
	w.csv.Flush()
	return w.csv.Error()
}

// plainNumber matches a number that starts like a formula and is none.
var plainNumber = regexp.MustCompile(`^[+-][0-9]+(\.[0-9]+)?$`)

// neutralise puts an apostrophe before a cell that a spreadsheet runs as a formula (OWASP, CSV injection). A number
// stays a number.
func neutralise(cell string) string {
	first, _ := utf8.DecodeRuneInString(cell)
	if cell == "" || !strings.ContainsRune("=+-@\t\r\n＝＋－＠", first) || plainNumber.MatchString(cell) {
		return cell
	}
	return "'" + cell
}
