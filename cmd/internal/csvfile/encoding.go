// Package csvfile reads and writes CSV files as people's programs make them: it decodes their characters, keeps every
// byte of a cell, and loses only the invalid lines of a broken file.
//
//   - encoding.go: the characters of a file;
//   - lines.go: its lines;
//   - reader.go: records of CSV;
//   - header.go: the names of columns;
//   - writer.go: CSV for programs and for spreadsheets.
package csvfile

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"
	"golang.org/x/text/transform"
)

// Errors of files that cannot be read as text.
var (
	ErrUTF16 = errors.New("the file looks like UTF-16 without a byte order mark, or is not text; save it as UTF-8")
	ErrSheet = errors.New("the file is a spreadsheet or an archive, not CSV; export it as CSV in UTF-8")
)

// Decode returns the text of a file as UTF-8. It reads UTF-8, and UTF-16 and UTF-32 with a byte order mark. Other
// encodings, such as Latin-1, have no mark: their bytes stay, and the reader of a line finds that they are not UTF-8.
func Decode(in io.Reader) (io.Reader, error) {
	buffered := bufio.NewReaderSize(in, 64<<10)
	start, _ := buffered.Peek(4 << 10) // an error comes again when the text is read
	switch {
	case bytes.HasPrefix(start, []byte("\xef\xbb\xbf")):
		_, err := buffered.Discard(3)
		return buffered, err
	case bytes.HasPrefix(start, []byte("\xff\xfe\x00\x00")), bytes.HasPrefix(start, []byte("\x00\x00\xfe\xff")):
		return transform.NewReader(buffered, utf32.UTF32(utf32.BigEndian, utf32.ExpectBOM).NewDecoder()), nil
	case bytes.HasPrefix(start, []byte("\xff\xfe")), bytes.HasPrefix(start, []byte("\xfe\xff")):
		return transform.NewReader(buffered, unicode.UTF16(unicode.BigEndian, unicode.ExpectBOM).NewDecoder()), nil
	case bytes.HasPrefix(start, []byte("PK\x03\x04")), bytes.HasPrefix(start, []byte("\xd0\xcf\x11\xe0")):
		return nil, ErrSheet
	case bytes.IndexByte(start, 0) >= 0:
		return nil, ErrUTF16
	default:
		return buffered, nil
	}
}
