package eval

import (
	_ "embed"
	"encoding/json"
	"slices"
)

// Groups of services in the report. The built-in model is tuned on the first; nobody reads the dialogues of the second
// while tuning, so only the second says how the model does on services that it has not seen.
const (
	GroupTuned   = "tuned"
	GroupHeldOut = "held_out"
)

//go:embed split.json
var splitFile []byte

// split holds the names of the services of the training set by group.
var split = func() (s struct {
	Tuned   []string `json:"tuned"`
	HeldOut []string `json:"held_out"`
},
) {
	if err := json.Unmarshal(splitFile, &s); err != nil {
		panic("eval/split.json: " + err.Error())
	}
	return s
}()

// groupOf returns the group of a service. A service that the split does not name is held out. A paraphrased variant
// ("Hotels_21" is the first variant of "Hotels_2") belongs to the group of its original, because it shares its
// dialogues.
func groupOf(service string) string {
	if slices.Contains(split.Tuned, service) {
		return GroupTuned
	}
	if n := len(service) - 1; n > 1 && isDigit(service[n]) && isDigit(service[n-1]) &&
		slices.Contains(split.Tuned, service[:n]) {
		return GroupTuned
	}
	return GroupHeldOut
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }

// Only returns the dialogues whose services all belong to a group.
func Only(group string, dialogues []Dialogue) []Dialogue {
	return slices.DeleteFunc(slices.Clone(dialogues), func(d Dialogue) bool {
		return slices.ContainsFunc(d.Services, func(s string) bool { return groupOf(s) != group })
	})
}
