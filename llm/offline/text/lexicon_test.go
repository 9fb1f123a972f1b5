package text

import (
	"testing"

	"github.com/contextvault/contextvault/vault"
)

func TestLexicon_PhrasesAreUnique(t *testing.T) {
	owner := map[string]string{}
	for _, f := range knownDefinitions {
		for _, p := range f.AllPhrases() {
			if other, taken := owner[p]; taken && other != f.Name {
				t.Errorf("%q belongs to %s and to %s", p, other, f.Name)
			}
			owner[p] = f.Name
		}
		if !vault.NamePattern.MatchString(f.Name) || len(f.Name) > vault.MaxNameLength || !f.Type.Valid() || f.Prompt == "" ||
			f.Examples == "" {
			t.Errorf("%s is incomplete", f.Name)
		}
	}
}
