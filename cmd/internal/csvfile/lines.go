package csvfile

import (
	"bufio"
	"errors"
	"io"
)

// A line is a line of a file with its line break: LF, CR LF or CR.
type line struct {
	text []byte
	long bool // longer than the limit; text is incomplete
}

// lines reads lines, and can go back to lines that were read.
type lines struct {
	in    *bufio.Reader
	limit int // bytes of a line

	number int    // of the last line that was read, from 1
	kept   []line // lines that can be read again
	next   int    // index in kept of the next line; len(kept): read from the file
}

// read returns the next line. The error is io.EOF at the end.
func (l *lines) read() (line, error) {
	if l.next < len(l.kept) {
		l.number++
		l.next++
		return l.kept[l.next-1], nil
	}
	text, long, err := l.scan()
	if err != nil {
		return line{}, err
	}
	l.number++
	l.kept = append(l.kept, line{text, long})
	l.next = len(l.kept)
	return l.kept[l.next-1], nil
}

// back makes the last n lines the next ones again.
func (l *lines) back(n int) { l.next, l.number = l.next-n, l.number-n }

// forget drops the lines that were read. They cannot be read again. It moves lines only when half of them are dropped,
// so that the cost of a file is proportional to its size.
func (l *lines) forget() {
	if l.next*2 < len(l.kept) {
		return
	}
	left := copy(l.kept, l.kept[l.next:])
	clear(l.kept[left:])
	l.kept, l.next = l.kept[:left], 0
}

// scan reads a line from the file.
func (l *lines) scan() (text []byte, long bool, err error) {
	for {
		c, err := l.in.ReadByte()
		if errors.Is(err, io.EOF) && (len(text) > 0 || long) {
			return text, long, nil
		}
		if err != nil {
			return nil, false, err
		}
		if !long {
			text = append(text, c)
		}
		if len(text) > l.limit {
			text, long = nil, true
		}
		if c == '\r' { // CR LF is one line break
			if after, err := l.in.Peek(1); err == nil && after[0] == '\n' {
				continue
			}
		}
		if c == '\n' || c == '\r' {
			return text, long, nil
		}
	}
}
