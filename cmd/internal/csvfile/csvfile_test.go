package csvfile_test

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/encoding/unicode"
	"pgregory.net/rapid"

	"github.com/contextvault/contextvault/cmd/internal/csvfile"
)

// read returns the records of a text, and the numbers of its bad lines.
func read(t interface{ Fatal(...any) }, r *csvfile.Reader) (records [][]string, bad []int) {
	last := 0
	for {
		cells, at, err := r.Read()
		if errors.Is(err, io.EOF) {
			return records, bad
		}
		if at <= last {
			t.Fatal("line ", at, " comes after line ", last)
		}
		last = at
		if _, ok := errors.AsType[*csvfile.BadLine](err); ok {
			bad = append(bad, at)
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, cells)
	}
}

func TestReader_Records(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text    string
		records [][]string
		bad     []int
	}{
		"plain":             {"a,b\n1,2\n", [][]string{{"a", "b"}, {"1", "2"}}, nil},
		"no last break":     {"a,b\n1,2", [][]string{{"a", "b"}, {"1", "2"}}, nil},
		"CR LF":             {"a,b\r\n1,2\r\n", [][]string{{"a", "b"}, {"1", "2"}}, nil},
		"CR":                {"a,b\r1,2\r", [][]string{{"a", "b"}, {"1", "2"}}, nil},
		"breaks in a cell":  {"a,\"1\r\n2\r3\n\"\r\nb,c\r\n", [][]string{{"a", "1\r\n2\r3\n"}, {"b", "c"}}, nil},
		"quotes":            {"\"a\"\"b\",\"\",\n", [][]string{{`a"b`, "", ""}}, nil},
		"empty lines":       {"\n\na,b\n\r\n1,2\n", [][]string{{"a", "b"}, {"1", "2"}}, nil},
		"spaces stay":       {" a , b \n", [][]string{{" a ", " b "}}, nil},
		"unclosed at start": {"a,\"x\nb,y\nc,z\n", [][]string{{"b", "y"}, {"c", "z"}}, []int{1}},
		"two unclosed":      {"a,\"x\nb,y\nc,5\"\nd,z\n", [][]string{{"b", "y"}, {"d", "z"}}, []int{1, 3}},
		"text after quote":  {"a,\"x\" y\nb,z\n", [][]string{{"b", "z"}}, []int{1}},
		"quote inside":      {"a,5\" wide\nb,z\n", [][]string{{"b", "z"}}, []int{1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := csvfile.NewReader(strings.NewReader(c.text), ',', 1<<20)
			r.LooksLikeRecord = func(cells []string) bool { return len(cells) == 2 }
			records, bad := read(t, r)
			if !slices.EqualFunc(records, c.records, slices.Equal) || !slices.Equal(bad, c.bad) {
				t.Errorf("got %q and the bad lines %v", records, bad)
			}
		})
	}
}

// What a Writer writes, a Reader reads: every character of every cell.
func TestWriter_RoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		cell := rapid.StringOf(rapid.OneOf(rapid.SampledFrom([]rune("ab ,;\"\n\r\t'=\ufeff")), rapid.Rune()))
		var want [][]string
		var text bytes.Buffer
		w, err := csvfile.NewWriter(&text, false)
		if err != nil {
			t.Fatal(err)
		}
		for range rapid.IntRange(0, 8).Draw(t, "records") {
			record := []string{"x", cell.Draw(t, "cell"), cell.Draw(t, "cell")}
			if err := w.Write(record); err != nil {
				t.Fatal(err)
			}
			want = append(want, record)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		got, bad := read(t, csvfile.NewReader(&text, ',', 1<<20))
		if !slices.EqualFunc(got, want, slices.Equal) || bad != nil {
			t.Fatalf("got %q, bad lines %v; want %q", got, bad, want)
		}
	})
}

// A broken line costs only itself, whatever comes between.
func TestReader_LosesOnlyBrokenLines(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var text strings.Builder
		var want [][]string
		broken := 0
		for range rapid.IntRange(0, 12).Draw(t, "lines") {
			if rapid.IntRange(0, 2).Draw(t, "kind") == 0 {
				broken++
				text.WriteString(rapid.SampledFrom([]string{"x,a\"b\n", "x,\"a\" b\n", "x,\"open\n", "x,5\"\n"}).Draw(t, "broken"))
				continue
			}
			record := []string{"x", rapid.StringMatching(`[a-z ]{0,5}`).Draw(t, "cell")}
			text.WriteString(strings.Join(record, ",") + "\n")
			want = append(want, record)
		}
		r := csvfile.NewReader(strings.NewReader(text.String()), ',', 1<<20)
		r.LooksLikeRecord = func(cells []string) bool { return len(cells) == 2 }
		got, bad := read(t, r)
		for _, record := range want {
			if !slices.ContainsFunc(got, func(cells []string) bool { return slices.Equal(cells, record) }) {
				t.Fatalf("%q: lost %q; got %q, bad lines %v", text.String(), record, got, bad)
			}
		}
	})
}

// The cost of a broken file is proportional to its size.
//
//nolint:paralleltest // it measures the memory that the process allocates
func TestReader_BrokenFileIsLinear(t *testing.T) {
	cost := func(lines int) uint64 {
		text := "x,\"open\n" + strings.Repeat("a\"b\"c,1\n", lines)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, bad := read(t, csvfile.NewReader(strings.NewReader(text), ',', 4<<20))
		runtime.ReadMemStats(&after)
		if len(bad) != lines+1 {
			t.Errorf("%d of %d lines are bad", len(bad), lines+1)
		}
		return after.TotalAlloc - before.TotalAlloc
	}
	if few, many := cost(2000), cost(32_000); many > 32*few {
		t.Errorf("16 times the lines cost %d bytes after %d", many, few)
	}
}

func TestDecode_Encodings(t *testing.T) {
	t.Parallel()
	const want = "name,city\nAda,Zürich\n"
	encoded := func(e unicode.Endianness) string {
		out, err := unicode.UTF16(e, unicode.UseBOM).NewEncoder().String(want)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	for name, text := range map[string]string{
		"UTF-8": want, "UTF-8 with a mark": "\ufeff" + want,
		"UTF-16LE": encoded(unicode.LittleEndian), "UTF-16BE": encoded(unicode.BigEndian),
	} {
		decoded, err := csvfile.Decode(strings.NewReader(text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got, err := io.ReadAll(decoded); err != nil || string(got) != want {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
	for name, c := range map[string]struct {
		text string
		err  error
	}{
		"UTF-16 without a mark": {encoded(unicode.LittleEndian)[2:], csvfile.ErrUTF16},
		"a workbook":            {"PK\x03\x04 and more", csvfile.ErrSheet},
	} {
		if _, err := csvfile.Decode(strings.NewReader(c.text)); !errors.Is(err, c.err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestClosest_Misspelled(t *testing.T) {
	t.Parallel()
	known := []string{"email", "first_name", "city", "date_of_birth"}
	for name, want := range map[string]string{
		"emial": "email", "E-mail": "email", "First name": "first_name", "firstname": "first_name", "Date of birth": "date_of_birth",
		"colour": "", "x": "", "ctiy": "",
	} {
		if got := csvfile.Closest(name, known); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}

func TestWriter_ForSpreadsheets(t *testing.T) {
	t.Parallel()
	var text bytes.Buffer
	w, err := csvfile.NewWriter(&text, true)
	if err != nil {
		t.Fatal(err)
	}
	err = w.Write([]string{"=1+1", "+49 151", "-5", "-2.5", "@x", "\tx", "plain", "", "-5+1"})
	if err = errors.Join(err, w.Flush()); err != nil {
		t.Fatal(err)
	}
	if got, want := text.String(), "\ufeff'=1+1,'+49 151,-5,-2.5,'@x,'\tx,plain,,'-5+1\n"; got != want {
		t.Errorf("got %q", got)
	}
}
