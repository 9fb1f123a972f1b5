package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// hit is a column of a table that contains a searched text.
type hit struct{ table, column, found string }

func (h hit) String() string { return fmt.Sprintf("%s.%s holds %q", h.table, h.column, h.found) }

// search searches for texts in every row of every table of a database: in each column as text, and in nested encodings
// (bytes, base64, gzip).
func search(t *testing.T, databaseURL string, texts ...string) []hit {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	var hits []hit
	for table, columns := range tablesOf(t, conn) {
		rows, err := conn.Query(t.Context(), "SELECT "+strings.Join(columns, ", ")+" FROM "+table)
		if err != nil {
			t.Fatalf("%s: %v", table, err)
		}
		for rows.Next() {
			cells := make([][]byte, len(columns))
			into := make([]any, len(columns))
			for i := range cells {
				into[i] = &cells[i]
			}
			if err := rows.Scan(into...); err != nil {
				t.Fatalf("%s: %v", table, err)
			}
			for i, cell := range cells {
				for _, text := range texts {
					h := hit{table, rows.FieldDescriptions()[i].Name, text}
					if !slices.Contains(hits, h) && holds(cell, text) {
						hits = append(hits, h)
					}
				}
			}
		}
		if err := rows.Err(); err != nil {
			t.Fatalf("%s: %v", table, err)
		}
	}
	return hits
}

// tablesOf returns, for every table, an SQL expression for the bytes of each column. Columns other than bytea are
// converted to text in UTF-8.
func tablesOf(t *testing.T, conn *pgx.Conn) map[string][]string {
	t.Helper()
	rows, err := conn.Query(t.Context(), `
		SELECT c.oid::regclass::text, a.attname, a.atttypid = 'bytea'::regtype
		FROM pg_class c
		JOIN pg_namespace n ON n.oid = c.relnamespace
		JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
		WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
		ORDER BY c.oid, a.attnum`)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	var table, column string
	var isBytes bool
	_, err = pgx.ForEachRow(rows, []any{&table, &column, &isBytes}, func() error {
		name := pgx.Identifier{column}.Sanitize()
		if !isBytes {
			name = "convert_to(" + name + "::text, 'UTF8') AS " + name
		}
		out[table] = append(out[table], name)
		return nil
	})
	if err := errors.Join(err, rows.Err()); err != nil {
		t.Fatal(err)
	}
	return out
}

// packed matches runs that are long enough for the base64 of a searched text, in both alphabets.
var packed = regexp.MustCompile(`[A-Za-z0-9+/_-]{8,}`)

// maxDepth limits the nesting of encodings: the engine packs payloads into messages, and messages into rows.
const maxDepth = 4

func holds(cell []byte, text string) bool { return holdsAt(cell, []byte(text), maxDepth) }

func holdsAt(cell, text []byte, depth int) bool {
	if bytes.Contains(cell, text) {
		return true
	}
	if depth == 0 {
		return false
	}
	if unzipped, err := gzip.NewReader(bytes.NewReader(cell)); err == nil {
		if inner, err := io.ReadAll(unzipped); err == nil && holdsAt(inner, text, depth-1) {
			return true
		}
	}
	for _, run := range packed.FindAll(cell, -1) {
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			inner, err := encoding.DecodeString(string(run))
			if err == nil && holdsAt(inner, text, depth-1) {
				return true
			}
		}
	}
	return false
}

// The other tests rely on the search, so it must find encoded texts.
func TestSearch_FindsEncodedText(t *testing.T) {
	t.Parallel()
	const text = "Ada Marchetti"
	once := base64.StdEncoding.EncodeToString([]byte(`{"name":"` + text + `"}`))
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	for name, cell := range map[string]string{
		"as it is":        text,
		"in base64":       `{"payloads": ["` + once + `"]}`,
		"in base64 twice": base64.URLEncoding.EncodeToString([]byte(`["` + once + `"]`)),
		"zipped":          zipped.String(),
		"zipped, base64":  base64.StdEncoding.EncodeToString(zipped.Bytes()),
		"among bytes":     "\x00\xff" + text + "\xfe",
	} {
		if !holds([]byte(cell), text) {
			t.Errorf("search does not find a text %s", name)
		}
		if holds([]byte(cell), "Ada Marchesi") {
			t.Errorf("search finds another text %s", name)
		}
	}
}
