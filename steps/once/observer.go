package once

import (
	"github.com/contextvault/contextvault/vault"

	"github.com/contextvault/contextvault/rules"
)

// Observer is told what steps find, for metrics. Package metrics implements it. What a step finds again, because it is run
// again, is told again.
type Observer interface {
	// ValuesInvalid tells how many values of an operation of the workflow broke the rules of their definitions: how many
	// were rejected for it, and how many go on with a warning.
	ValuesInvalid(workflow string, rejected, warned int)
	// GapTried tells what came of one field of a gap fill, when the fill ends. source is where the value came from, "" where
	// there is none. outcome is "filled", or why it is not: a word of a small set.
	GapTried(source, outcome string)
	// BudgetSpent tells that the language model was not asked, because the tenant's budget of the day is spent.
	BudgetSpent()
}

type NopObserver struct{}

func (NopObserver) ValuesInvalid(string, int, int) {}
func (NopObserver) GapTried(string, string)        {}
func (NopObserver) BudgetSpent()                   {}

// observeValue tells the observer of a value that was looked at: err is what vault.CheckValue made of it.
func ObserveValue(o Observer, workflow string, checked rules.Checked, err error) {
	switch {
	case vault.CodeOf(err) == vault.CodeInvalid:
		o.ValuesInvalid(workflow, 1, 0)
	case err == nil && len(checked.Warnings) > 0:
		o.ValuesInvalid(workflow, 0, 1)
	}
}

// observeFill tells the observer what came of each field of a fill.
func ObserveFill(o Observer, result vault.FillResult) {
	for _, f := range result.Fields {
		outcome := f.Action
		switch {
		case f.Filled:
			outcome = "filled"
		case outcome == "":
			outcome = "missing"
		}
		o.GapTried(string(f.Source), outcome)
	}
}
