package cli

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// An interrupted run continues; a complete one, and a changed file, begin another.
func TestOpenRun_ContinuesUntilDone(t *testing.T) {
	t.Parallel()
	f := importFlags{file: filepath.Join(t.TempDir(), "a.csv")}
	if err := os.WriteFile(f.file, []byte("customer_id\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	open := func() *importRun {
		run, err := openRun("http://localhost", f)
		if err != nil {
			t.Fatal(err)
		}
		return run
	}
	first := open()
	if second := open(); second.ID != first.ID {
		t.Errorf("an interrupted run is continued as %s, not %s", second.ID, first.ID)
	}
	if err := first.done(); err != nil {
		t.Fatal(err)
	}
	third := open()
	if third.ID == first.ID {
		t.Error("a complete run is continued")
	}
	if err := os.Chtimes(f.file, time.Now(), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if fourth := open(); fourth.ID == third.ID {
		t.Error("the run of another file is continued")
	}
	f.label = "x"
	if first, second := open(), open(); first.ID != second.ID || first.path != "" {
		t.Error("a named run has another id each time")
	}
}
