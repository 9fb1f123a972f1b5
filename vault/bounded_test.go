package vault

import (
	"errors"
	"strconv"
	"testing"
)

func TestBoundedKeepsWhatWasBuiltUpToItsLimit(t *testing.T) {
	t.Parallel()
	b := newBounded[string](3)
	built := 0
	build := func(key string) (string, error) { built++; return "of " + key, nil }
	for round := range 2 {
		for i := range 3 {
			if v, err := b.get(strconv.Itoa(i), build); v != "of "+strconv.Itoa(i) || err != nil {
				t.Errorf("got %q, %v", v, err)
			}
		}
		if built != 3 {
			t.Errorf("round %d: built %d times, want once for each key", round, built)
		}
	}
	for i := range 20 {
		if _, err := b.get("more "+strconv.Itoa(i), build); err != nil {
			t.Error(err)
		}
		if len(b.entries) > 3 {
			t.Fatalf("holds %d, want at most 3", len(b.entries))
		}
	}
}

func TestBoundedKeepsNoError(t *testing.T) {
	t.Parallel()
	b := newBounded[string](3)
	broken := errors.New("broken")
	if _, err := b.get("a", func(string) (string, error) { return "", broken }); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if v, err := b.get("a", func(string) (string, error) { return "mended", nil }); v != "mended" || err != nil {
		t.Errorf("got %q, %v", v, err)
	}
}
