package cli

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/contextvault/contextvault/vault"
)

// Valid CSV has the records of csv.Reader. Invalid CSV loses only its own lines.
func TestCSVRecords_SkipInvalidLines(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		cell := rapid.StringOf(rapid.SampledFrom([]rune("ab ,;\"\n\ré")))
		var text bytes.Buffer
		var want [][]string
		broken := 0
		for range rapid.IntRange(0, 12).Draw(t, "records") {
			if rapid.IntRange(0, 3).Draw(t, "kind") == 0 {
				broken++
				text.WriteString(rapid.SampledFrom([]string{"x,a\"b\n", "x,\"a\" b\n", "x,5\" wide\n"}).Draw(t, "broken"))
				continue
			}
			record := []string{"x", cell.Draw(t, "cell"), cell.Draw(t, "cell")}
			w := csv.NewWriter(&text)
			if err := errors.Join(w.Write(record), func() error { w.Flush(); return w.Error() }()); err != nil {
				t.Fatal(err)
			}
			for i := range record {
				record[i] = strings.ReplaceAll(record[i], "\r\n", "\n") // as csv.Reader does
			}
			want = append(want, record)
		}
		lines := bytes.Count(text.Bytes(), []byte{'\n'})
		r := csvRecords{in: bufio.NewReaderSize(bytes.NewReader(text.Bytes()), 16), comma: ','}
		last := 0
		for {
			cells, at, err := r.next()
			if errors.Is(err, io.EOF) {
				break
			}
			if at <= last || at > lines {
				t.Fatalf("line %d comes after line %d of %d", at, last, lines)
			}
			last = at
			if _, ok := errors.AsType[*vault.Error](err); ok {
				broken--
				continue
			}
			if err != nil || len(want) == 0 || !slices.Equal(cells, want[0]) {
				t.Fatalf("got %q, %v; want %q", cells, err, want)
			}
			want = want[1:]
		}
		if len(want) > 0 || broken != 0 {
			t.Fatalf("%q were not read, and %d too few were refused", want, broken)
		}
	})
}

func TestCSVRecords_AreLimited(t *testing.T) {
	t.Parallel()
	line := strings.Repeat("y", 1<<20) + ",1\n"
	r := csvRecords{comma: ',', in: bufio.NewReader(io.MultiReader(strings.NewReader("x,\"open\n"),
		strings.NewReader(strings.Repeat(line, 6)), strings.NewReader(strings.Repeat("z", 5<<20)+"\nend,2\n")))}
	var got []string
	for {
		cells, at, err := r.next()
		if errors.Is(err, io.EOF) {
			break
		}
		switch {
		case err != nil:
			got = append(got, err.Error())
		case at == 9:
			got = append(got, cells[0])
		}
		if held := len(r.again); held > 5 {
			t.Errorf("it holds %d lines", held)
		}
	}
	if len(got) != 3 || !strings.Contains(got[0], "not closed") || !strings.Contains(got[1], "longer than 4 MiB") ||
		got[2] != "end" {
		t.Errorf("got %q", got)
	}
}
