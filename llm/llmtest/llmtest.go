// Package llmtest has helpers for the tests of the language models: short forms of definitions and proposals.
package llmtest

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/contextvault/contextvault/vault"
)

// Definitions parses "name:type" and "name:string[one,two]", separated by blanks. An underscore in an allowed value
// is a blank.
func Definitions(list string) []vault.Definition {
	var defs []vault.Definition
	for _, f := range strings.Fields(list) {
		name, typ, _ := strings.Cut(f, ":")
		typ, allowed, _ := strings.Cut(strings.TrimSuffix(typ, "]"), "[")
		d := vault.Definition{Name: name, ValueType: vault.ValueType(typ), Enabled: true}
		for _, v := range strings.FieldsFunc(allowed, func(r rune) bool { return r == ',' }) {
			d.AllowedValues = append(d.AllowedValues, json.RawMessage(strconv.Quote(strings.ReplaceAll(v, "_", " "))))
		}
		defs = append(defs, d)
	}
	return defs
}

// Sketch writes each proposal as its name, with "?" below vault.ReviewThreshold, "~" for a soft requirement and "!"
// for one that needs a verified value.
func Sketch(fields []vault.ProposedRequirement) []string {
	out := []string{}
	for _, f := range fields {
		s := f.Name
		if f.Confidence < vault.ReviewThreshold {
			s += "?"
		}
		if f.Level == vault.LevelSoft {
			s += "~"
		}
		if f.Verified {
			s += "!"
		}
		out = append(out, s)
	}
	return out
}
